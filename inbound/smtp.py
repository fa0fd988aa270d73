"""A letter box that listens: mail comes in as SMTP, and each letter is an issue before it is
acknowledged.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from functools import wraps
from weakref import WeakSet

import structlog
from aiosmtpd.smtp import SMTP, Envelope, Session

from inbound.mail import LetterBox, LetterFate, LetterOutcome

_REPLIES = {
    LetterFate.REGISTERED: "250 2.0.0 {}",
    LetterFate.ADDED: "250 2.0.0 added to {}",
    LetterFate.KEPT: "250 2.0.0 kept with {}",
    LetterFate.IGNORED: "250 2.0.0 taken, {}",
    LetterFate.UNUSABLE: "550 5.6.0 {}",
    LetterFate.AWAY: "451 4.3.0 the desk does not answer now: send it again",
}
_LONGEST_REPLY = 400
_SIZE = re.compile(r"\bSIZE=(\d{1,20})\b", re.IGNORECASE | re.ASCII)
_SMALL = 1024**2
"""Bytes, by the word of whoever sends it (RFC 1870): such letters wait for none."""
_LARGE_AT_ONCE = 2
log = structlog.get_logger("inbound.smtp")


class _Caller(SMTP):
    """Takes lines of any length: robots and page editors write whole letters in one. And of large
    letters only some at a time, for while one comes in and is read it takes several times its size:
    whoever would send another is not told to begin before there is room.
    """

    def __init__(self, handler: _Handler, largest: int, room: asyncio.Semaphore) -> None:
        self.line_length_limit = largest
        loop = asyncio.get_running_loop()
        super().__init__(handler, data_size_limit=largest, enable_SMTPUTF8=True, loop=loop)
        self._room = room
        self._small = False

    @wraps(SMTP.smtp_MAIL)
    async def smtp_MAIL(self, arg: str) -> None:  # noqa: N802  aiosmtpd's name
        """Hear who writes, and how much, if they say so."""
        said = _SIZE.search(arg or "")
        self._small = said is not None and int(said[1]) <= _SMALL
        await super().smtp_MAIL(arg)

    @wraps(SMTP.smtp_DATA)
    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802  aiosmtpd's name
        """Take a letter, if it is a large one when it is its turn."""
        async with nullcontext() if self._small else self._room:
            await super().smtp_DATA(arg)


class _Handler:
    def __init__(self, box: LetterBox) -> None:
        self._box = box

    async def handle_DATA(self, _: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802  aiosmtpd's name
        """Answer for one letter."""
        raw = envelope.content if isinstance(envelope.content, bytes) else b""
        # The library would keep it until somebody collects who knows whom in a circle.
        envelope.content = envelope.original_content = None
        peer = str(session.peer[0]) if session.peer else "unknown"
        sender = (envelope.mail_from or "").strip("<> ")  # nobody: a bounce (RFC 5321, 4.5.5)
        return _reply(await self._box.take(raw, peer, sender=sender))

    async def handle_exception(self, error: Exception) -> str:
        """Answer where we are at fault: the letter is not lost, and nothing of it is told."""
        log.error("a fault of ours", kind=type(error).__name__)
        return _REPLIES[LetterFate.AWAY]


def _reply(outcome: LetterOutcome) -> str:
    said = " ".join(outcome.said.split())
    plain = said.encode("ascii", errors="replace").decode()  # not every sender knows SMTPUTF8
    return _REPLIES[outcome.fate].format(plain)[:_LONGEST_REPLY]


@asynccontextmanager
async def listening(box: LetterBox, host: str, port: int) -> AsyncIterator[int]:
    """Take letters while the block runs; the port they come to, if 0 was asked for.

    Raises:
        OSError: somebody else listens there.
    """
    # The library tells the log who writes, and what was in a letter that it stumbles on (R30).
    logging.getLogger("mail.log").setLevel(logging.CRITICAL)
    loop = asyncio.get_running_loop()
    handler, room = _Handler(box), asyncio.Semaphore(_LARGE_AT_ONCE)
    callers: WeakSet[_Caller] = WeakSet()

    def pick_up() -> _Caller:
        caller = _Caller(handler, box.largest, room)
        callers.add(caller)
        return caller

    async with await loop.create_server(pick_up, host, port) as server:
        try:
            yield int(server.sockets[0].getsockname()[1])
        finally:
            server.close()
            for caller in list(callers):  # whoever was not answered sends again
                if caller.transport is not None:
                    caller.transport.close()
