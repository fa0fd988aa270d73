"""Delivering what the outbox holds: every message at most once, no channel waiting for another."""

from __future__ import annotations

import asyncio
import logging
import re
import warnings
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Protocol
from urllib.parse import quote

import structlog
from apprise import Apprise, AppriseAsset, NotifyFormat
from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from activities.guard import Guard
from domain import contract as names
from store import AWAY, outbox
from store.connection import Pool
from store.outbox import Posting

AT_ONCE = 4
"""Messages a channel carries at a time: a slow one fills its own lanes and nobody else's."""
LANE_PATIENCE = 0.2
"""Seconds a message waits for a lane of its channel before its activity makes room for others."""
BUSY_RETRY = timedelta(seconds=3)
"""When a message whose channel had no free lane tries again."""
HEARTBEAT_SECONDS = 4.0
LAST_MOMENTS = 5.0
"""Seconds a cancelled delivery waits for the result of what is already on its way."""
RECORDING_PAUSES = (0.2, 0.5, 1.0, 2.0, 4.0, 8.0)
"""Seconds between attempts to record a result while PostgreSQL is away."""

_log = structlog.get_logger(__name__)


class DeliveryFailed(Exception):
    """The message did not go out, for this reason; no address or secret is in it."""


class DeliveryUnknown(Exception):
    """Nobody can say whether the message went out."""


class ChannelBusy(Exception):
    """The message was not sent yet: its channel has as many under way as it may have."""


class Sender(Protocol):
    """What carries a message out of the building."""

    async def send(self, url: str, to: str, subject: str, body: str) -> None:
        """Send ``subject`` and ``body`` over the channel at ``url`` to the address ``to``.

        Raises:
            DeliveryFailed: it did not go out and may be tried again.
            DeliveryUnknown: it may have gone out.
        """


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
        self._lanes: defaultdict[str, asyncio.Semaphore] = defaultdict(
            lambda: asyncio.Semaphore(AT_ONCE)
        )

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
        queue = await outbox.line_up(self._pool, keys, self._clock())
        failures, busy = await self._deliver(queue.ready)
        later = [queue.wait_until - self._clock()] if queue.wait_until else []
        if busy:
            later.append(BUSY_RETRY)
        if later:
            raise ApplicationError(
                "a channel takes the next message later",
                type="WaitsItsTurn",
                next_retry_delay=max(min(later), timedelta()),
                category=ApplicationErrorCategory.BENIGN,
            )
        if failures:
            raise ApplicationError("; ".join(sorted(failures)), type="NotDelivered")
        return await outbox.unsettled(self._pool, keys)

    async def _deliver(self, postings: Sequence[Posting]) -> tuple[set[str], bool]:
        """Send all at once as far as their channels let them; return how channels failed, and
        whether one was too busy.
        """
        results = await asyncio.gather(
            *(self._deliver_one(posting) for posting in postings), return_exceptions=True
        )
        failures, busy = set(), False
        for posting, result in zip(postings, results, strict=True):
            match result:
                case DeliveryFailed():
                    failures.add(f"{posting.channel}: {result}")
                case ChannelBusy():
                    busy = True
                case BaseException():
                    raise result
        return failures, busy

    async def _deliver_one(self, posting: Posting) -> None:
        lane = self._lanes[posting.channel]
        try:
            async with asyncio.timeout(LANE_PATIENCE):
                await lane.acquire()
        except TimeoutError:
            raise ChannelBusy from None
        try:
            await self._see_through(asyncio.ensure_future(self._send(posting)))
        finally:
            lane.release()

    async def _see_through(self, sending: asyncio.Future[None]) -> None:
        """Let what is on its way when the worker stops be recorded, if it takes only moments."""
        try:
            await asyncio.shield(sending)
        except asyncio.CancelledError:
            sending.add_done_callback(_forget)
            await asyncio.wait({sending}, timeout=LAST_MOMENTS)
            sending.cancel()
            raise

    async def _send(self, posting: Posting) -> None:
        """Send and record one message.

        Raises:
            DeliveryFailed: it is to be tried again.
        """
        if not await outbox.claim(self._pool, posting.key):
            return
        log = _log.bind(channel=posting.channel, key=posting.key)
        try:
            await self._sender.send(posting.url, posting.address, posting.subject, posting.body)
        except DeliveryFailed as failure:
            error = str(failure)
            log.warning("not delivered", error=error)
            await _record(lambda: outbox.failed(self._pool, posting.key, error))
            raise
        except DeliveryUnknown as unknown:
            error = str(unknown)
            log.warning("perhaps delivered", error=error)
            await _record(lambda: outbox.lost(self._pool, posting.key, error))
        else:
            await _record(lambda: outbox.delivered(self._pool, posting.key, self._clock()))


async def _record(command: Callable[[], Awaitable[bool]]) -> None:
    """Record a result even if PostgreSQL is just restarting: unrecorded it would count as lost."""
    for pause in RECORDING_PAUSES:
        try:
            await command()
        except AWAY:
            await asyncio.sleep(pause)
        else:
            return
    await command()


@asynccontextmanager
async def _heartbeats() -> AsyncIterator[None]:
    """Tell Temporal that this is alive, which is also how it hears of a cancellation."""

    async def beat() -> None:
        while True:
            activity.heartbeat()
            await asyncio.sleep(HEARTBEAT_SECONDS)

    beating = asyncio.create_task(beat())
    try:
        yield
    finally:
        beating.cancel()
        with suppress(asyncio.CancelledError):
            await beating


class AppriseSender:
    """Sends through Apprise: whatever it knows as a URL is a channel.

    Apprise blocks, so each channel has threads of its own. ``timeout`` is in seconds.
    """

    def __init__(self, timeout: float = 20.0) -> None:
        self._timeout = timeout
        # In our threads and by our timeout: Apprise's own few are shared by all channels.
        self._asset = AppriseAsset(app_id="Yinuo", async_mode=False, service_timeout=0)
        self._threads: defaultdict[str, ThreadPoolExecutor] = defaultdict(
            lambda: ThreadPoolExecutor(AT_ONCE, thread_name_prefix="apprise")
        )
        # Apprise reads its plugins when the first is asked for: not on a message's time. What is
        # deprecated in them is not ours to mend.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            Apprise.instantiate("json://localhost", asset=self._asset)
        # Its words may hold addresses; they reach our log as the masked reason of a failure.
        logger = logging.getLogger("apprise")
        logger.propagate = False
        logger.addHandler(logging.NullHandler())

    async def send(self, url: str, to: str, subject: str, body: str) -> None:
        """Send one message; see ``Sender``."""
        target = url.replace("{to}", quote(to, safe=""))
        work = self._threads[url].submit(self._notify, target, subject, body)
        answer = asyncio.wrap_future(work)
        done, _ = await asyncio.wait({answer}, timeout=self._timeout)
        if not done:
            answer.add_done_callback(_forget)
            if work.cancel():
                raise DeliveryFailed("the channel is busy with messages it does not answer")
            raise DeliveryUnknown(f"no answer within {self._timeout:g} s: it may have arrived")
        try:
            reason = answer.result()
        except Exception as crash:  # noqa: BLE001 - whatever a plugin may raise
            # Its text may quote the message.
            raise DeliveryUnknown(f"Apprise failed with {type(crash).__name__}") from None
        if reason:
            raise DeliveryFailed(_masked(reason, to))

    def close(self) -> None:
        """Let the threads go; what they are doing ends by itself."""
        for threads in self._threads.values():
            threads.shutdown(wait=False, cancel_futures=True)

    def _notify(self, url: str, subject: str, body: str) -> str | None:
        """Send in this thread; return why not, or None."""
        service = Apprise.instantiate(url, asset=self._asset)
        if service is None:
            return "Apprise can make nothing of the channel's URL with this address"
        # Apprise takes a missing answer for a failure, and we would send again: ours comes first.
        service.socket_read_timeout = self._timeout + 5
        if url.startswith("mailto"):  # one limit for all that is said to a mail server
            service.socket_connect_timeout = self._timeout + 5
        channel = Apprise(asset=self._asset)
        channel.add(service)
        result = channel.notify(body=body, title=subject, body_format=NotifyFormat.TEXT)
        if result:
            return None
        return " ".join(entry.message for entry in result.logs()) or "refused without a reason"


_PRIVATE = re.compile(r"\S+://\S+|\S+@\S+|\+?\d[\d -]{4,}\d")
"""URLs, mail addresses and telephone numbers, however a gateway's plugin writes them."""


def _masked(reason: str, address: str) -> str:
    reason = reason.replace(address, "…").replace(quote(address, safe=""), "…")
    return _PRIVATE.sub("…", " ".join(reason.split()))[:300]


def _forget(answer: asyncio.Future[Any]) -> None:
    """Look at a late answer, or asyncio complains that nobody did."""
    if not answer.cancelled():
        answer.exception()
