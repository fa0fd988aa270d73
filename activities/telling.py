"""Telling other systems what happens: events out of the log, posted to receivers as Standard
Webhooks has it.

No activity and no workflow: what waits stands in the register, and whichever worker holds a
receiver brings it. Each receiver is told by a task of its own, over connections to the register
that no issue uses, so one that hangs holds up neither the others nor anything else.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import uuid4

import structlog

from activities.webhook_alarm import Alarm
from domain.sla.policy import Webhooks
from domain.webhooks import FAILS, State, headers, pause
from runtime.outside import Inside, NotAnswered, Outside
from runtime.sealing import Sealer, Unreadable
from store import AWAY, webhooks
from store.connection import Connection, Pool
from store.rulebooks import Rulebooks
from store.standing import Held, Unproved
from store.webhooks import Failed, Fortunes, Parcel, Served

LANES = 8
"""Events that are under way to a receiver at a time, of as many issues."""
LOOKED_OUT = 100
"""Events that are looked out at a time."""
WAITING = 2000
"""Events that wait for a receiver in rows of their own: the rest waits in the log."""
PULSE = 5.0
"""Seconds between signs of life, after which others are held, too, and changes are seen."""
LOOK_EVERY = 1.0
"""Seconds between looks for something new."""
GONE = 410
"""What a receiver answers that wants to hear nothing any more."""

_AWAY: tuple[type[Exception], ...] = (TimeoutError, *AWAY)
log = structlog.get_logger("webhooks")


@dataclass
class Ways:
    """What all receivers are told by: the register, the time, what the policy says now."""

    pool: Pool
    sealer: Sealer
    alarm: Alarm
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    worker: str = field(
        default_factory=lambda: f"{os.getpid()}@{socket.gethostname()}:{uuid4().hex[:8]}"
    )
    policy: Webhooks = field(default_factory=Webhooks)
    outside: Outside = field(default_factory=Outside)


class Telling:
    """Holds receivers, and lets each be told. One a worker."""

    def __init__(self, ways: Ways) -> None:
        self._ways = ways
        self._rulebooks = Rulebooks()
        self._told: dict[str, tuple[Receiver, asyncio.Task[None]]] = {}

    async def run(self) -> None:
        """Tell receivers until cancelled."""
        try:
            while True:
                try:
                    await self.pulse()
                except _AWAY:
                    log.warning("the register is away: receivers of events are told later")
                except Exception:
                    log.exception("receivers of events are not told")
                await asyncio.sleep(PULSE)
        finally:
            await self._stop(self._told)
            await self._ways.outside.aclose()
            with suppress(*_AWAY):  # else others wait until it counts as dead
                async with asyncio.timeout(PULSE):
                    await webhooks.let_go(self._ways.pool, self._ways.worker)

    async def pulse(self) -> None:
        """Give a sign of life: go on with what this worker holds, and with what nobody does."""
        await self._read_policy()
        found = await webhooks.hold(self._ways.pool, self._ways.worker)
        await self._stop(self._told.keys() - {each.id for each in found})
        for served in found:
            receiver, telling = self._told.get(served.id, (None, None))
            if receiver is None or telling is None or telling.done():
                receiver = Receiver(self._ways, served)
                telling = asyncio.create_task(receiver.tell())
                self._told[served.id] = receiver, telling
            receiver.served = served

    async def _read_policy(self) -> None:
        ways = self._ways
        async with ways.pool.acquire() as connection:
            rulebook = await self._rulebooks.newest(connection)
        ways.policy = rulebook.policy.webhooks if rulebook else Webhooks()
        if ways.outside.allow != ways.policy.allow:
            before, ways.outside = ways.outside, Outside(ways.policy.allow)
            await before.aclose()

    async def _stop(self, ids: Iterable[str]) -> None:
        tasks = [self._told.pop(id_)[1] for id_ in list(ids)]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class Outcome(NamedTuple):
    """What became of a delivery; no ``error``: it was accepted."""

    parcel: Parcel
    error: str | None = None
    wait: float = 0.0
    """Seconds it wants to be left in peace."""
    gone: bool = False


class Receiver:
    """One of them, and what is under way to it. ``served`` is how it was added, renewed by whoever
    holds it; how it does since, this knows best.
    """

    def __init__(self, ways: Ways, served: Served) -> None:
        self.served = served
        self._ways = ways
        self._does = Fortunes(**served.model_dump(include=set(Fortunes.model_fields)))
        self._under_way: dict[asyncio.Task[Outcome], Parcel] = {}

    async def tell(self) -> None:
        """Bring events until cancelled, whatever happens; what is under way then comes again."""
        try:
            while True:
                try:
                    await self._go_on()
                except (Held, Unproved):
                    await asyncio.sleep(PULSE)
                except _AWAY:
                    await asyncio.sleep(LOOK_EVERY)
                except Exception:
                    log.exception("telling a receiver broke off", endpoint=self.served.id)
                    await asyncio.sleep(PULSE)
        finally:
            for task in self._under_way:
                task.cancel()
            await asyncio.gather(*self._under_way, return_exceptions=True)

    async def _go_on(self) -> None:
        for parcel in await self._next():
            self._under_way[asyncio.create_task(self._bring(parcel))] = parcel
        if not self._under_way:
            await asyncio.sleep(LOOK_EVERY)
            return
        done, _ = await asyncio.wait(
            self._under_way, timeout=LOOK_EVERY, return_when=asyncio.FIRST_COMPLETED
        )
        if done:
            await self._settle([task.result() for task in done])
            for task in done:
                del self._under_way[task]

    async def _next(self) -> list[Parcel]:
        """Choose what to bring now. Who took nothing lately is tried by one event alone, and
        nothing more is looked out.
        """
        does, ways = self._does, self._ways
        now = ways.clock()
        stumbles = does.failures >= FAILS
        free = (1 if stumbles else LANES) - len(self._under_way)
        if free <= 0 or (does.rests_until and does.rests_until > now):
            return []
        found = await self._due(now, free)
        if len(found) < free and not stumbles:
            told = self.served, ways.worker, LOOKED_OUT, WAITING
            if await webhooks.look_out(ways.pool, *told):
                found = await self._due(now, free)
        return found

    async def _due(self, now: datetime, most: int) -> list[Parcel]:
        busy = {parcel.issue_id for parcel in self._under_way.values()}
        ways = self._ways
        alone = self._does.failures >= FAILS
        told = ways.pool, self.served.id, ways.worker, busy, now, most
        return await webhooks.due(*told, least_refused=alone)

    async def _bring(self, parcel: Parcel) -> Outcome:
        ways, served = self._ways, self.served
        body = parcel.body.encode()
        now = ways.clock()
        within = ways.policy.answer_within.span.total_seconds()
        try:
            signed = headers(parcel.event_id, now, body, secrets_of(served, ways.sealer, now))
            answer = await ways.outside.post(served.url, signed, body, within)
        except (Unreadable, Inside, NotAnswered) as failure:
            return Outcome(parcel, str(failure))
        except Exception as fault:
            log.exception("an event could not be sent", endpoint=served.id, event=parcel.event_id)
            return Outcome(parcel, f"a fault of ours ({type(fault).__name__}): it is in the log")
        if answer.taken:
            return Outcome(parcel)
        gone = answer.status == GONE
        return Outcome(parcel, f"it answered {answer.status}", answer.wait or 0.0, gone)

    async def _settle(self, outcomes: Sequence[Outcome]) -> None:
        """Write down what became of deliveries; without the register again and again, for what is
        not written down comes once more.
        """
        now = self._ways.clock()
        does = self._fortunes(outcomes, now)
        failed = [self._failed(each, now) for each in outcomes if each.error]
        taken = [each.parcel.id for each in outcomes if not each.error]
        end = next(filter(None, (self._ends(each, now) for each in outcomes)), None)
        while True:
            try:
                async with self._ways.pool.acquire() as connection, connection.transaction():
                    await webhooks.settle(connection, self.served.id, does, taken, failed)
                    if end:
                        parcel, why = end
                        await webhooks.disable(connection, self.served.id, State.FAILED, why)
                        await self._tell_people(connection, parcel, why, now)
                break
            except _AWAY:
                await asyncio.sleep(LOOK_EVERY)
        self._does = does
        if end:
            log.error("a receiver is disabled", endpoint=self.served.id, why=end[1])

    async def _tell_people(
        self, connection: Connection, parcel: Parcel, why: str, now: datetime
    ) -> None:
        """Tell who is in charge. If that cannot be written, the receiver is disabled all the same:
        metrics, audit and log say so, too.
        """
        try:
            async with connection.transaction():
                await self._ways.alarm.raise_(connection, self.served, parcel, why, now)
        except _AWAY:
            raise
        except Exception:
            log.exception("nobody is told that a receiver is disabled", endpoint=self.served.id)

    def _fortunes(self, outcomes: Sequence[Outcome], now: datetime) -> Fortunes:
        """Say how the receiver does after these."""
        failures, rests_until = self._does.failures, self._does.rests_until
        for each in outcomes:
            failures = failures + 1 if each.error else 0
            peace = timedelta(seconds=each.wait) if each.error else timedelta()
            peace = min(peace, self._ways.policy.longest_retry.span)
            if failures >= FAILS:
                peace = max(peace, self._pause(failures - FAILS + 1))
            rests_until = now + peace if peace else None
        errors = [each.error for each in outcomes if each.error]
        return Fortunes(
            failures=failures,
            rests_until=rests_until,
            tried_at=now,
            taken_at=now if len(errors) < len(outcomes) else self._does.taken_at,
            last_error=errors[-1] if errors else self._does.last_error,
        )

    def _failed(self, outcome: Outcome, now: datetime) -> Failed:
        again = now + self._pause(outcome.parcel.attempts + 1)
        return Failed(outcome.parcel.id, now, outcome.error or "", again)

    def _pause(self, attempts: int) -> timedelta:
        policy = self._ways.policy
        return pause(attempts, policy.first_retry.span, policy.longest_retry.span)

    def _ends(self, outcome: Outcome, now: datetime) -> tuple[Parcel, str] | None:
        """Say why the receiver is not told any more after this; None: it is."""
        parcel = outcome.parcel
        if outcome.gone:
            return parcel, "it answered 410: it wants to hear nothing any more"
        if not outcome.error or not parcel.first_at:
            return None
        if now - parcel.first_at < self._ways.policy.give_up_after.span:
            return None
        since = f"{parcel.first_at:%Y-%m-%d %H:%M} UTC"
        return parcel, f"since {since} it did not accept {parcel.event_id}: {outcome.error}"


def secrets_of(served: Served, sealer: Sealer, now: datetime) -> list[str]:
    """Open the secrets that a receiver's messages are signed by now, the newest first.

    Raises:
        Unreadable: they were sealed by another secret of the desk.
    """
    secrets = [sealer.open(served.secret)]
    if served.former and served.former_until and now < served.former_until:
        secrets.append(sealer.open(served.former))
    return secrets
