r"""A letter box at somebody else's: unread letters of an IMAP folder become issues.

A letter counts as read (``\\Seen``) once its issue is registered; what cannot become one is flagged
for a person, and what came while the desk was away is left for the next time. A letter that the
server does not give, or that a fault of ours is about, is left unread; those after it are not.
"""

from __future__ import annotations

import asyncio
import imaplib
import ssl
from dataclasses import dataclass, field

import structlog

from inbound.mail import LetterBox, LetterFate

_SECONDS = 60.0
"""A server that says nothing for that long counts as gone."""
_FLAGS = {
    LetterFate.REGISTERED: r"\Seen",
    LetterFate.ADDED: r"\Seen",
    LetterFate.KEPT: r"\Seen",
    LetterFate.IGNORED: r"\Seen",
    LetterFate.UNUSABLE: r"\Seen \Flagged",
}
_FOR_A_PERSON = r"\Flagged"
"""There is more to see of it: a fault of ours is about it, or it is too large."""


_CONNECTIONS = 3
"""In one look: whoever hangs up more often is not well."""
log = structlog.get_logger("inbound.imap")


class MailboxError(Exception):
    """The mailbox cannot be read; the message says why, without a password."""


@dataclass
class _Look:
    """One look into a mailbox, however many connections it takes."""

    tried: set[str] = field(default_factory=set)
    dealt_with: int = 0
    broken_off: int = 0


@dataclass(frozen=True)
class Mailbox:
    """Where letters are fetched from, over TLS."""

    host: str
    port: int
    user: str
    password: str
    folder: str = "INBOX"
    _done: set[str] = field(default_factory=set, compare=False, repr=False)
    """Letters that are issues, though the server refused to call them read."""

    async def empty_into(self, box: LetterBox) -> int:
        """Open an issue for each unread letter, and say how many letters were dealt with. Stops at
        the first that finds the desk away, and at no other.

        Raises:
            MailboxError: the server refuses, or is not there.
        """
        look = _Look()
        try:
            while True:
                connection = await asyncio.to_thread(self._signed_in)
                try:
                    await self._empty(connection, box, look)
                except (
                    imaplib.IMAP4.abort,
                    OSError,
                ):  # at a letter: those after it are still there
                    look.broken_off += 1
                    if look.broken_off == _CONNECTIONS:
                        raise
                else:
                    return look.dealt_with
                finally:
                    await asyncio.to_thread(_leave, connection)
        except (imaplib.IMAP4.error, OSError) as error:
            raise MailboxError(f"{self.host}, {self.folder}: {error}") from error

    async def _empty(self, connection: imaplib.IMAP4, box: LetterBox, look: _Look) -> None:
        of = str(connection.response("UIDVALIDITY")[1])  # of another, numbers mean other letters
        for uid in await asyncio.to_thread(_unread, connection):
            if uid in look.tried or f"{of}:{uid}" in self._done:
                continue
            look.tried.add(uid)
            try:
                raw = await asyncio.to_thread(_letter, connection, uid, box.largest + 1)
                if raw is None:  # somebody moved it meanwhile, or the server cannot read it
                    continue
                cut = len(raw) > box.largest
                fate = await self._fate(box, raw[: box.largest], cut=cut)
                if fate is LetterFate.AWAY:
                    return
                look.dealt_with += fate is not None
                flags = f"{_FLAGS[fate]} {_FOR_A_PERSON if cut else ''}" if fate else _FOR_A_PERSON
                if not await asyncio.to_thread(_marked, connection, uid, flags.strip()):
                    self._done.add(f"{of}:{uid}")
                    log.warning("a letter cannot be marked as read")
            except imaplib.IMAP4.abort:
                raise
            except imaplib.IMAP4.error:
                log.warning("the server refuses a letter")

    async def _fate(self, box: LetterBox, raw: bytes, *, cut: bool) -> LetterFate | None:
        try:
            return (await box.take(raw, self.host, cut=cut)).fate
        except Exception as error:  # noqa: BLE001  the next letter is somebody else's
            log.error("a fault of ours", kind=type(error).__name__)  # noqa: TRY400  nothing of it
            return None

    def _signed_in(self) -> imaplib.IMAP4:
        trusted = ssl.create_default_context()  # the library's own would trust everybody
        connection = imaplib.IMAP4_SSL(self.host, self.port, ssl_context=trusted, timeout=_SECONDS)
        try:
            connection.login(self.user, self.password)
            kind, said = connection.select(f'"{self.folder}"')
            if kind != "OK":
                reason = said[0] if said and isinstance(said[0], bytes) else b"no such folder"
                raise imaplib.IMAP4.error(reason.decode(errors="replace"))  # noqa: TRY301
        except BaseException:
            connection.shutdown()
            raise
        return connection


def _unread(connection: imaplib.IMAP4) -> list[str]:
    _, found = connection.uid("SEARCH", "UNSEEN")
    return (found[0] or b"").decode().split()


def _letter(connection: imaplib.IMAP4, uid: str, most: int) -> bytes | None:
    _, parts = connection.uid("FETCH", uid, f"(BODY.PEEK[]<0.{most}>)")
    return next((part[1] for part in parts if isinstance(part, tuple)), None)


def _marked(connection: imaplib.IMAP4, uid: str, flags: str) -> bool:
    """Mark a letter, and say whether the server did so."""
    return connection.uid("STORE", uid, "+FLAGS", f"({flags})")[0] == "OK"


def _leave(connection: imaplib.IMAP4) -> None:
    try:
        connection.logout()
    except (imaplib.IMAP4.error, OSError):
        connection.shutdown()
