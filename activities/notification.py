"""Delivering what the outbox holds: every message at most once, no channel waiting for another."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from time import monotonic

import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from activities.guard import Guard
from activities.lanes import ChannelBusy, Lanes
from activities.sending import (
    DeliveryFailed,
    DeliveryRefused,
    DeliveryUnknown,
    Sender,
    forget,
)
from domain import contract as names
from runtime.together import Together
from store import AWAY, outbox
from store.connection import Pool
from store.outbox import Posting, Result

BUSY_RETRY = timedelta(seconds=3)
"""When a message whose channel had no free lane tries again."""
HEARTBEAT_SECONDS = 4.0
LAST_MOMENTS = 5.0
"""Seconds a cancelled delivery waits for the result of what is already on its way."""
RECORDING_PAUSES = (0.2, 0.5, 1.0, 2.0, 4.0, 8.0)
"""Seconds between attempts to record a result while PostgreSQL is away."""

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
        queue = await self._look(keys)
        if queue.unprepared:
            await outbox.prepare(self._pool, keys, self._clock())
            queue = await self._look(keys)
        results = await self._deliver(queue.ready)
        later = [queue.wait_until - self._clock()] if queue.wait_until else []
        if any(isinstance(result, ChannelBusy) for result in results):
            later.append(BUSY_RETRY)
        if later:
            raise ApplicationError(
                "a channel takes the next message later",
                type="WaitsItsTurn",
                next_retry_delay=max(min(later), timedelta()),
                category=ApplicationErrorCategory.BENIGN,
            )
        failures = {
            f"{posting.channel}: {result}"
            for posting, result in zip(queue.ready, results, strict=True)
            if isinstance(result, DeliveryFailed)
        }
        if failures:
            raise ApplicationError("; ".join(sorted(failures)), type="NotDelivered")
        if not queue.given_up and all(result is True for result in results):
            return []
        return await outbox.unsettled(self._pool, keys)

    async def _deliver(
        self, postings: Sequence[Posting]
    ) -> list[bool | DeliveryFailed | ChannelBusy]:
        """Send all at once as far as their channels let them; return for each whether it is settled
        for sure, or why not yet.
        """
        results = await asyncio.gather(
            *(self._deliver_one(posting) for posting in postings), return_exceptions=True
        )
        told: list[bool | DeliveryFailed | ChannelBusy] = []
        for result in results:
            if isinstance(result, BaseException) and not isinstance(
                result, (DeliveryFailed, ChannelBusy)
            ):
                raise result
            told.append(result)
        return told

    async def _deliver_one(self, posting: Posting) -> bool:
        lanes = self._lanes[posting.channel]
        await lanes.enter()
        return await self._see_through(asyncio.ensure_future(self._bring(posting, lanes)))

    async def _see_through(self, sending: asyncio.Future[bool]) -> bool:
        """Let what is on its way when the worker stops be recorded, if it takes only moments."""
        try:
            return await asyncio.shield(sending)
        except asyncio.CancelledError:
            sending.add_done_callback(forget)
            await asyncio.wait({sending}, timeout=LAST_MOMENTS)
            sending.cancel()
            raise

    async def _bring(self, posting: Posting, lanes: Lanes) -> bool:
        """Send and record one message; whether it is settled for sure.

        Raises:
            DeliveryFailed: it is to be tried again.
        """
        result = await self._send(posting, lanes)
        if result is None:
            return False
        ours = await self._record(result)
        if result.status == "pending":
            raise DeliveryFailed(result.error)
        return ours and result.status == "delivered"

    async def _send(self, posting: Posting, lanes: Lanes) -> Result | None:
        """Claim and send one message, and give its lane back; None: it is not to be sent by us."""
        log = _log.bind(channel=posting.channel, key=posting.key)
        took = None
        try:
            if not await self._claim(posting.key):
                return None
            begun = monotonic()
            await self._sender.send(posting.url, posting.address, posting.subject, posting.body)
            took = monotonic() - begun
        except DeliveryFailed as failure:
            log.warning("not delivered", error=str(failure))
            return outbox.failed(posting.key, str(failure))
        except DeliveryRefused as refused:
            log.warning("will not be delivered", error=str(refused))
            return outbox.lost(posting.key, str(refused))
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

    async def _claim_all(self, keys: Sequence[str]) -> list[bool]:
        claimed = await outbox.claim(self._pool, keys)
        return [key in claimed for key in keys]

    async def _settle_all(self, results: Sequence[Result]) -> list[bool]:
        settled = await outbox.settle(self._pool, results)
        return [result.key in settled for result in results]


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
