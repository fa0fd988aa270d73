"""Letters: read as a mapping file takes them, and opened as issues (R1)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import NamedTuple

import structlog

from domain.errors import Refused
from domain.staff.access import Right
from domain.vocabulary import Role
from inbound.letters.addresses import Mailbox, mailboxes
from inbound.letters.apart import Reader, shared
from inbound.letters.headers import Head, head_of
from inbound.letters.headers import header as _header
from inbound.letters.headers import raw_header as _raw
from inbound.letters.letter import Letter
from inbound.mapping import Form, Ignored, Unusable
from starter.client import Desk, Unavailable
from starter.registers import Letters
from store import AWAY, door_log
from store.connection import Pool
from store.door_log import Entry

LARGEST = 10 * 1024 * 1024
"""Bytes of a letter, attachments included; these are named in the issue, and in the original."""
_PATIENCE = 2.0
"""Seconds that writing into the trail may hold up an answer."""
_NOT_PEOPLE = frozenset({"mailer-daemon", "postmaster", "noreply", "no-reply", "donotreply"})
_BULK = frozenset({"bulk", "junk", "auto_reply"})
"""Not `list`: a mailbox of several people is a list, too, and customers write to it."""
_CUT = (
    f"（此信过大，只收到前 {LARGEST // 1024**2} MiB。"
    f"This letter is too large: only its first {LARGEST // 1024**2} MiB were taken.）"
)
log = structlog.get_logger("inbound.mail")


class LetterFate(StrEnum):
    """What became of a letter."""

    REGISTERED = "registered"
    IGNORED = "ignored"
    """Written by a machine, or not about an issue: nobody waits for an answer."""
    UNUSABLE = "unusable"
    AWAY = "away"
    """The desk does not answer: the letter is to come again."""


class LetterOutcome(NamedTuple):
    """What became of a letter: the issue's number, or why not."""

    fate: LetterFate
    said: str = ""


@dataclass(frozen=True)
class LetterBox:
    """Opens an issue for each letter, however often it comes."""

    desk: Desk
    pool: Pool
    form: Form
    via: str = "mailbox"
    reader: Reader = field(default_factory=shared)

    async def take(
        self, raw: bytes, address: str, *, bounced: bool = False, cut: bool = False
    ) -> LetterOutcome:
        """Open the issue of a letter that came from ``address``, and keep the letter with it; of
        one that is ``cut`` there is only the beginning. Nothing of what is in it gets into the log
        (R30).
        """
        if bounced or _by_a_machine(head_of(raw)):
            return self._told(LetterOutcome(LetterFate.IGNORED, "automatic"))
        letter = await asyncio.to_thread(self.reader.read, raw)
        if cut:
            letter["text"] = f"{_CUT}\n\n{letter['text']}"
        try:
            number = await self._registered(letter, raw)
        except Ignored:
            return self._told(LetterOutcome(LetterFate.IGNORED, "not about an issue"))
        except Unusable as unusable:
            return self._told(LetterOutcome(LetterFate.UNUSABLE, str(unusable)))
        except Refused as refused:
            return self._told(LetterOutcome(LetterFate.UNUSABLE, refused.message))
        except Unavailable as away:
            return self._told(LetterOutcome(LetterFate.AWAY, str(away)))
        await self._trail(number, address)
        return self._told(LetterOutcome(LetterFate.REGISTERED, number))

    async def _registered(self, letter: Letter, raw: bytes) -> str:
        """Open the issue, and keep the original: only then is the letter acknowledged. Whatever
        comes between, it comes again, and is the same letter of the same issue.
        """
        intake = self.form.read(letter, datetime.now(UTC))
        opened = await self.desk.register(intake)
        await Letters(self.pool).keep(intake.issue_id, raw, datetime.now(UTC))
        return opened.view.number if opened.view else intake.issue_id

    def _told(self, outcome: LetterOutcome) -> LetterOutcome:
        log.info("letter", fate=outcome.fate, said=outcome.said)
        return outcome

    async def _trail(self, number: str, address: str) -> None:
        entry = Entry(
            at=datetime.now(UTC),
            person=self.form.source,
            role=Role.INTAKE,
            via=self.via,
            address=address,
            what=Right.OPEN,
            number=number,
            outcome="done",
        )
        try:
            async with asyncio.timeout(_PATIENCE):
                await door_log.note(self.pool, entry)
        except AWAY:
            log.warning("not in the register's trail", **entry.model_dump(mode="json"))


def _by_a_machine(letter: Head) -> bool:
    """RFC 3834: an answer to an automatic letter may go round in circles for ever."""
    sent = _header(letter, "Auto-Submitted").partition(";")[0].strip().lower()
    wrote = next(iter(mailboxes(_raw(letter, "From"))), Mailbox("", ""))
    local = wrote.address.partition("@")[0].lower()
    return (
        sent not in {"", "no"}
        or _header(letter, "Precedence").lower() in _BULK
        or _header(letter, "Return-Path") == "<>"  # a bounce (RFC 5321, 4.5.5)
        or local in _NOT_PEOPLE
    )
