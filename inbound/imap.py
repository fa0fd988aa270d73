r"""A letter box at somebody else's: unread letters of an IMAP folder become issues.

A letter counts as read (``\\Seen``) once its issue is registered; what cannot become one is flagged
for a person, and what came while the desk was away is left for the next time.
"""

from __future__ import annotations

import asyncio
import imaplib
import ssl
from contextlib import suppress
from dataclasses import dataclass

from inbound.mail import LARGEST, LetterBox, LetterFate

_SECONDS = 60.0
"""A server that says nothing for that long counts as gone."""
_FLAGS = {
    LetterFate.REGISTERED: r"\Seen",
    LetterFate.KEPT: r"\Seen",
    LetterFate.IGNORED: r"\Seen",
    LetterFate.UNUSABLE: r"\Seen \Flagged",
}


class MailboxError(Exception):
    """The mailbox cannot be read; the message says why, without a password."""


@dataclass(frozen=True)
class Mailbox:
    """Where letters are fetched from, over TLS."""

    host: str
    port: int
    user: str
    password: str
    folder: str = "INBOX"

    async def empty_into(self, box: LetterBox) -> int:
        """Open an issue for each unread letter, and say how many letters were dealt with. Stops at
        the first that finds the desk away.

        Raises:
            MailboxError: the server refuses, or is not there.
        """
        try:
            return await self._empty_into(box)
        except (imaplib.IMAP4.error, OSError) as error:
            raise MailboxError(f"{self.host}, {self.folder}: {error}") from error

    async def _empty_into(self, box: LetterBox) -> int:
        connection = await asyncio.to_thread(self._signed_in)
        dealt_with = 0
        try:
            for uid in await asyncio.to_thread(_unread, connection):
                raw = await asyncio.to_thread(_letter, connection, uid)
                if raw is None:  # somebody moved it meanwhile
                    continue
                outcome = await box.take(raw, self.host)
                if outcome.fate is LetterFate.AWAY:
                    break
                await asyncio.to_thread(
                    connection.uid, "STORE", uid, "+FLAGS", f"({_FLAGS[outcome.fate]})"
                )
                dealt_with += 1
        finally:
            with suppress(imaplib.IMAP4.error, OSError):
                await asyncio.to_thread(connection.logout)
        return dealt_with

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


def _letter(connection: imaplib.IMAP4, uid: str) -> bytes | None:
    _, parts = connection.uid("FETCH", uid, f"(BODY.PEEK[]<0.{LARGEST}>)")
    return next((part[1] for part in parts if isinstance(part, tuple)), None)
