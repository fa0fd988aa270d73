"""What carries a message out of the building: Apprise, and whatever it knows as a URL."""

from __future__ import annotations

import asyncio
import logging
import re
import warnings
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol
from urllib.parse import quote

from apprise import Apprise, AppriseAsset, NotifyFormat

from activities.lanes import WIDEST

# In our threads and by our timeout: Apprise's own few are shared by all channels.
ASSET = AppriseAsset(app_id="Yinuo", async_mode=False, service_timeout=0)


class DeliveryFailed(Exception):
    """The message did not go out, for this reason; no address or secret is in it."""


class DeliveryTooFast(DeliveryFailed):
    """The message did not go out, since too many did before it: all of its channel wait a while."""


class DeliveryRefused(Exception):
    """The message did not go out, and would not if it were sent again: a person has to see to it.
    The reason names no address and no secret.
    """


class DeliveryUnknown(Exception):
    """Nobody can say whether the message went out."""


class Sender(Protocol):
    """What carries a message out of the building."""

    async def send(self, url: str, to: str, subject: str, body: str) -> None:
        """Send ``subject`` and ``body`` over the channel at ``url`` to the address ``to``.

        Raises:
            DeliveryTooFast: it did not go out, and nothing would just now.
            DeliveryFailed: it did not go out and may be tried again.
            DeliveryRefused: it did not go out and never will.
            DeliveryUnknown: it may have gone out.
        """


class AppriseSender:
    """Sends through Apprise: whatever it knows as a URL is a channel.

    Apprise blocks, so each channel has threads of its own. ``timeout`` is in seconds.
    """

    def __init__(self, timeout: float = 20.0) -> None:
        self._timeout = timeout
        self._threads: defaultdict[str, ThreadPoolExecutor] = defaultdict(
            lambda: ThreadPoolExecutor(WIDEST, thread_name_prefix="apprise")
        )
        # Apprise reads its plugins when the first is asked for: not on a message's time. What is
        # deprecated in them is not ours to mend.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            Apprise.instantiate("json://localhost", asset=ASSET)
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
            answer.add_done_callback(forget)
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

    async def aclose(self) -> None:
        """Let the threads go; what they are doing ends by itself."""
        for threads in self._threads.values():
            threads.shutdown(wait=False, cancel_futures=True)

    def _notify(self, url: str, subject: str, body: str) -> str | None:
        """Send in this thread; return why not, or None."""
        service = Apprise.instantiate(url, asset=ASSET)
        if service is None:
            return "Apprise can make nothing of the channel's URL with this address"
        # Apprise takes a missing answer for a failure, and we would send again: ours comes first.
        # Nor may it try again by itself: what it calls a failure may have arrived.
        service.socket_read_timeout = self._timeout + 5
        service.retry = 0
        if url.startswith("mailto"):  # one limit for all that is said to a mail server
            service.socket_connect_timeout = self._timeout + 5
        channel = Apprise(asset=ASSET)
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


def forget(answer: asyncio.Future[Any]) -> None:
    """Look at a late answer, or asyncio complains that nobody did."""
    if not answer.cancelled():
        answer.exception()
