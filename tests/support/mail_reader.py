"""Somebody's mail server, real SMTP, that takes letters and does with them whatever a test
wants.
"""

from __future__ import annotations

import asyncio
import email.policy
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from typing import NamedTuple

from aiosmtpd.smtp import SMTP, Envelope, Session

TAKEN = "250 2.0.0 taken"


class Received(NamedTuple):
    """A letter, and what its envelope says."""

    sender: str
    to: list[str]
    letter: EmailMessage


async def take(_: Received) -> str:
    return TAKEN


@dataclass
class MailReader:
    """Keeps the letters it was handed. ``answers`` says what to a recipient or a letter; an answer
    of nothing breaks the connection. ``most`` is how many bytes of a letter it says to take.
    """

    to_recipient: str = "250 2.1.5 fine"
    to_letter: Callable[[Received], Awaitable[str]] = take
    received: list[Received] = field(default_factory=list)
    port: int = 0
    most: int | None = None

    @property
    def letters(self) -> list[EmailMessage]:
        return [each.letter for each in self.received]

    def url(self, rest: str = "&from=Desk<desk@desk.example>") -> str:
        return f"mailto://127.0.0.1:{self.port}?to={{to}}&mode=insecure{rest}"

    async def handle_RCPT(  # noqa: N802  aiosmtpd's name
        self, _: SMTP, __: Session, envelope: Envelope, address: str, ___: list[str]
    ) -> str:
        if self.to_recipient.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.to_recipient

    async def handle_DATA(self, server: SMTP, _: Session, envelope: Envelope) -> str:  # noqa: N802
        raw = envelope.original_content or b""
        letter = message_from_bytes(raw, policy=email.policy.default)
        received = Received(envelope.mail_from or "", envelope.rcpt_tos, letter)
        self.received.append(received)
        answer = await self.to_letter(received)
        if not answer and isinstance(server.transport, asyncio.Transport):
            server.transport.abort()
        return answer or TAKEN


@asynccontextmanager
async def a_mail_reader() -> AsyncIterator[MailReader]:
    """Keep one open while the block runs."""
    reader, loop = MailReader(), asyncio.get_running_loop()
    callers: list[SMTP] = []

    def pick_up() -> SMTP:
        callers.append(SMTP(reader, data_size_limit=reader.most, enable_SMTPUTF8=True, loop=loop))
        return callers[-1]

    async with await loop.create_server(pick_up, "127.0.0.1", 0) as server:
        reader.port = server.sockets[0].getsockname()[1]
        try:
            yield reader
        finally:
            server.close()
            for caller in callers:
                if caller.transport is not None:
                    caller.transport.close()
