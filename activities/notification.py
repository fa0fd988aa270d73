"""Delivering what the outbox holds: every message at most once, no channel waiting for another."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from time import monotonic
from typing import TypeAlias

import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from activities.enclosing import Enclosing
from activities.guard import Guard
from activities.lanes import ChannelBusy, Lanes
from activities.sending import (
    About,
    DeliveryFailed,
    DeliveryRefused,
    DeliveryTooFast,
    DeliveryUnknown,
    Sender,
    forget,
)
from domain import contract as names
from runtime.together import Together
from store import AWAY, outbox
from store.connection import Pool
from store.outbox import Posting, Result

SOONEST_RETRY = timedelta(milliseconds=50)
"""When a message whose slot came up meanwhile is looked at again. No time at all would be taken for
"as the policy says": half a minute, and twice that the next time.
"""
IN_ORDER_RETRY = timedelta(seconds=1)
"""When a message is looked at again that waits for an earlier one to the same person."""
IN_ORDER_ATTEMPTS = 30
"""How often that is done: one that nobody brings out does not hold up what comes after it."""
HEARTBEAT_SECONDS = 4.0
LAST_MOMENTS = 5.0
"""Seconds a cancelled delivery waits for the result of what is already on its way."""
RECORDING_PAUSES = (0.2, 0.5, 1.0, 2.0, 4.0, 8.0)
"""Seconds between attempts to record a result while PostgreSQL is away."""

Outcome: TypeAlias = bool | DeliveryFailed | ChannelBusy
"""Whether a message is settled for sure, or why not yet."""

_log = structlog.get_logger(__name__)


class Notification:
    """The activity of the task queue ``notifications``."""

    def __init__(
        self,
        pool: Pool,
        sender: Sender,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._pool = pool
        self._sender = sender
        self._clock = clock
        self._guard = Guard(pool)
        self._enclosing = Enclosing(pool)
        self._lanes: defaultdict[str, Lanes] = defaultdict(Lanes)
        # Many deliveries at once ask the register together.
        self._look = Together(self._look_all)
        self._claim = Together(self._claim_all)
        self._settle = Together(self._settle_all)

    @activity.defn(name=names.DELIVER)
    async def deliver_messages(self, keys: list[str]) -> list[str]:
        """Deliver the messages, and return the keys of those that a person must see to.

        Raises:
            ApplicationError: ``WaitsItsTurn`` until a channel's rate limit or load allows the next,
                ``NotDelivered`` if a channel failed, ``Held`` while the register is older than
                Temporal; all are to be retried, and what was delivered is not sent again.
        """
        async with _heartbeats():
            return await self._guard.kept(partial(self._deliver_all, keys))

    async def _deliver_all(self, keys: list[str]) -> list[str]:
        results: dict[str, Outcome] = {}
        while True:
            queue = await self._looked(keys)
            waited = activity.info().attempt > IN_ORDER_ATTEMPTS
            ready = (*queue.ready, *queue.behind) if waited else queue.ready
            now = await self._deliver([each for each in ready if each.key not in results])
            results |= now
            if not (now and queue.behind):  # else they may have waited for what was tried now
                break
        if waits := self._waits(queue, results.values()):
            raise ApplicationError(
                "a channel takes the next message later",
                type="WaitsItsTurn",
                next_retry_delay=retry_in(waits),
                category=ApplicationErrorCategory.BENIGN,
            )
        failures = {str(each) for each in results.values() if isinstance(each, DeliveryFailed)}
        if failures:
            raise ApplicationError("; ".join(sorted(failures)), type="NotDelivered")
        if not queue.given_up and all(result is True for result in results.values()):
            return []
        return await outbox.unsettled(self._pool, keys)

    async def _looked(self, keys: Sequence[str]) -> outbox.Queue:
        queue = await self._look(keys)
        if queue.unprepared:
            await outbox.prepare(self._pool, keys, self._clock())
            queue = await self._look(keys)
        return queue

    def _waits(self, queue: outbox.Queue, results: Iterable[Outcome]) -> list[timedelta]:
        """Say for how long what was not sent has to wait."""
        waits = [each.again for each in results if isinstance(each, ChannelBusy)]
        if queue.wait_until:
            waits.append(queue.wait_until - self._clock())
        if queue.behind:
            waits.append(IN_ORDER_RETRY)
        return waits

    async def _deliver(self, postings: Sequence[Posting]) -> dict[str, Outcome]:
        """Send all at once as far as their channels let them; say of each by its key whether it is
        settled for sure, or why not yet.
        """
        results = await asyncio.gather(
            *(self._deliver_one(posting) for posting in postings), return_exceptions=True
        )
        told: dict[str, Outcome] = {}
        for posting, result in zip(postings, results, strict=True):
            if isinstance(result, BaseException) and not isinstance(
                result, (DeliveryFailed, ChannelBusy)
            ):
                raise result
            told[posting.key] = result
        return told

    async def _deliver_one(self, posting: Posting) -> bool:
        # Before it has a lane, which others wait for, and before it is claimed: then it is to go.
        enclosed = await self._enclosing.with_(posting)
        about = About(posting.key, posting.answers, posting.follows, enclosed)
        lanes = self._lanes[posting.channel]
        await lanes.enter()
        return await self._see_through(asyncio.ensure_future(self._bring(posting, about, lanes)))

    async def _see_through(self, sending: asyncio.Future[bool]) -> bool:
        """Let what is on its way when the worker stops be recorded, if it takes only moments."""
        try:
            return await asyncio.shield(sending)
        except asyncio.CancelledError:
            sending.add_done_callback(forget)
            await asyncio.wait({sending}, timeout=LAST_MOMENTS)
            sending.cancel()
            raise

    async def _bring(self, posting: Posting, about: About, lanes: Lanes) -> bool:
        """Send and record one message; whether it is settled for sure.

        Raises:
            DeliveryFailed: it is to be tried again.
            ChannelBusy: so it is, when its channel has had a rest.
        """
        result = await self._send(posting, about, lanes)
        if result is None:
            return False
        ours = await self._record(result)
        if result.status == "pending":
            if result.error is None:
                raise lanes.rest()
            raise DeliveryFailed(f"{posting.channel}: {result.error}")
        return ours and result.status == "delivered"

    async def _send(self, posting: Posting, about: About, lanes: Lanes) -> Result | None:
        """Claim and send one message, and give its lane back; None: it is not to be sent by us.

        Raises:
            ChannelBusy: it is to be looked at again.
        """
        log = _log.bind(channel=posting.channel, key=posting.key)
        took = None
        try:
            claimed = await self._claim(posting)
            if claimed is None:
                raise ChannelBusy(SOONEST_RETRY)
            if not claimed:
                return None
            begun = monotonic()
            await self._sender.send(
                posting.url, posting.address, posting.subject, posting.body, about
            )
            took = monotonic() - begun
        except DeliveryTooFast as refusal:
            log.warning("too fast for the channel", error=str(refusal))
            return outbox.put_off(posting.key)
        except DeliveryFailed as failure:
            log.warning("not delivered", error=str(failure))
            return outbox.failed(posting.key, str(failure))
        except DeliveryRefused as refusal:
            log.warning("refused for good", error=str(refusal))
            return outbox.refused(posting.key, str(refusal))
        except DeliveryUnknown as unknown:
            log.warning("perhaps delivered", error=str(unknown))
            return outbox.lost(posting.key, str(unknown))
        finally:
            lanes.leave(took)
        return outbox.delivered(posting.key, self._clock())

    async def _record(self, result: Result) -> bool:
        """Record a result even if PostgreSQL is just restarting: unrecorded it would count as lost.
        False if somebody else settled the message first.
        """
        for pause in RECORDING_PAUSES:
            try:
                return await self._settle(result)
            except AWAY:
                await asyncio.sleep(pause)
        return await self._settle(result)

    async def _look_all(self, batches: Sequence[Sequence[str]]) -> list[outbox.Queue]:
        return await outbox.look(self._pool, batches, self._clock())

    async def _claim_all(self, postings: Sequence[Posting]) -> list[bool | None]:
        """Say of each whether it is ours to send; None: it was written anew since it was seen, for
        a customer whose address was corrected, and is to be looked at again (R44).
        """
        keys = [each.key for each in postings]
        ours = await outbox.claim(self._pool, keys, [each.revision for each in postings])
        others = [key for key in keys if key not in ours]
        anew = await outbox.still_waiting(self._pool, others) if others else set()
        return [None if key in anew else key in ours for key in keys]

    async def _settle_all(self, results: Sequence[Result]) -> list[bool]:
        settled = await outbox.settle(self._pool, results)
        return [result.key in settled for result in results]


def retry_in(waits: Iterable[timedelta]) -> timedelta:
    """Say when a delivery is tried again of which something still waits: as soon as the first may
    go, and never after no time.
    """
    return max(min(waits), SOONEST_RETRY)


@asynccontextmanager
async def _heartbeats() -> AsyncIterator[None]:
    """Tell Temporal that this is alive, which is also how it hears of a cancellation. Most are done
    before the first time: that is a call less for Temporal.
    """

    async def beat() -> None:
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            activity.heartbeat()

    beating = asyncio.create_task(beat())
    try:
        yield
    finally:
        beating.cancel()
        with suppress(asyncio.CancelledError):
            await beating
