"""What carries a message out of the building: Apprise, and whatever it knows as a URL."""

from __future__ import annotations

import asyncio
import logging
import re
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache, partial
from typing import Any, NamedTuple, Protocol, TypeVar, cast
from urllib.parse import quote

from apprise import Apprise, AppriseAsset, NotifyBase, NotifyFormat
from apprise.plugins import url_to_dict

from activities.lanes import WIDEST

Answer = TypeVar("Answer")

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


class File(NamedTuple):
    """A file that goes along with a letter, under a name that people read."""

    name: str
    media_type: str
    content: bytes


class Enclosure(NamedTuple):
    """The files of a letter, and what it ``says`` of them if they do go along."""

    files: tuple[File, ...]
    says: str


class About(NamedTuple):
    """What a letter says besides its words: by which ``key`` the outbox knows it, the Message-ID of
    the customer's letter that its issue began with, and the keys of what the same reader was told
    of the issue before, oldest first; and what it ``encloses``. What is no letter takes no files.
    """

    key: str
    answers: str | None = None
    follows: tuple[str, ...] = ()
    encloses: Enclosure | None = None


class Sender(Protocol):
    """What carries a message out of the building."""

    async def send(
        self, url: str, to: str, subject: str, body: str, about: About | None = None, /
    ) -> None:
        """Send ``subject`` and ``body`` over the channel at ``url`` to the address ``to``; a letter
        says what it is ``about``.

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

    async def send(
        self, url: str, to: str, subject: str, body: str, _: About | None = None
    ) -> None:
        """Send one message; see ``Sender``."""
        reason = await self.in_thread(url, partial(self._notify, url, to, subject, body))
        if reason:
            raise DeliveryFailed(masked(reason, to))

    async def in_thread(self, url: str, send: Callable[[], Answer]) -> Answer:
        """Let something that blocks send in a thread of the channel's; see ``Sender``."""
        work = self._threads[url].submit(send)
        answer = asyncio.wrap_future(work)
        done, _ = await asyncio.wait({answer}, timeout=self._timeout)
        if not done:
            answer.add_done_callback(forget)
            if work.cancel():
                raise DeliveryFailed("the channel is busy with messages it does not answer")
            raise DeliveryUnknown(f"no answer within {self._timeout:g} s: it may have arrived")
        try:
            return answer.result()
        except (DeliveryFailed, DeliveryRefused, DeliveryUnknown):
            raise
        except Exception as crash:  # noqa: BLE001 - whatever a plugin may raise
            # Its text may quote the message.
            raise DeliveryUnknown(f"Apprise failed with {type(crash).__name__}") from None

    async def aclose(self) -> None:
        """Let the threads go; what they are doing ends by itself."""
        for threads in self._threads.values():
            threads.shutdown(wait=False, cancel_futures=True)

    def _notify(self, url: str, to: str, subject: str, body: str) -> str | None:
        """Send in this thread; return why not, or None.

        Raises:
            DeliveryRefused: it would go to somebody else.
        """
        service = Apprise.instantiate(_addressed(url, to), asset=ASSET)
        if service is None:
            return "Apprise can make nothing of the channel's URL with this address"
        if _goes_astray(service, url, to):
            raise DeliveryRefused("the provider's plugin does not take this for an address")
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


def _addressed(url: str, to: str) -> str:
    return url.replace("{to}", quote(to, safe=""))


def _goes_astray(service: NotifyBase, url: str, to: str) -> bool:
    """Whether a message would go elsewhere than to this address alone. Of what they do not take for
    an address plugins make what they like: no recipient, several, or the desk's own sender number.
    """
    if not _names_recipients(url):
        return False
    kept: Any = getattr(service, "targets", None)
    if kept is None:  # it has lists of its own for different kinds of recipients
        kept = _recipients(cast("Any", service).url())
    found = [{_digits(each) for each in _written(target)} for target in kept or ()]
    return len(found) != 1 or found[0].isdisjoint(_spellings(to))


@lru_cache
def _names_recipients(url: str) -> bool:
    """Whether the address stands where the plugin of a channel's URL looks for recipients, and not
    in a webhook's own address.
    """
    return _recipients(_addressed(url, "+8613800000001")) != _recipients(
        _addressed(url, "+8613900000002")
    )


def _recipients(url: str) -> Sequence[object]:
    read: Any = url_to_dict  # it says nothing of types
    return (read(url) or {}).get("targets") or ()


def _written(target: object) -> Iterator[str]:
    """List what a plugin keeps of a recipient: the address, and perhaps a name or a kind."""
    if isinstance(target, str):
        yield target
    elif isinstance(target, Mapping):
        yield from (each for each in target.values() if isinstance(each, str))
    elif isinstance(target, Iterable):
        yield from (each for each in target if isinstance(each, str))


def _spellings(to: str) -> Iterator[str]:
    yield _digits(to)
    if to.startswith("+1"):  # plugins for North America know no other country
        yield _digits(to[2:])


def _digits(address: str) -> str:
    """Leave the digits of a number; of another address, what is the same whoever writes it."""
    if re.fullmatch(r"\+?[\d ().-]+", address):
        return re.sub(r"\D", "", address)
    return address.strip().lstrip("#@").casefold()


_PRIVATE = re.compile(r"\S+://\S+|\S+@\S+|\+?\d[\d -]{4,}\d")
"""URLs, mail addresses and telephone numbers, however a gateway's plugin writes them."""


def masked(reason: str, address: str) -> str:
    """Take addresses and secrets out of what a server says."""
    reason = reason.replace(address, "…").replace(quote(address, safe=""), "…")
    return _PRIVATE.sub("…", " ".join(reason.split()))[:300]


def forget(answer: asyncio.Future[Any]) -> None:
    """Look at a late answer, or asyncio complains that nobody did."""
    if not answer.cancelled():
        answer.exception()
