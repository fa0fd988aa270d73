"""Letters: read as a mapping file takes them, and opened as issues (R1)."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from functools import cached_property
from hashlib import sha256
from typing import NamedTuple

import structlog

from domain.errors import Refused
from domain.issue.actions import ActionName
from domain.issue.conversation import following
from domain.issue.intake import SAID, Intake
from domain.letters import ids_in, key_of, numbers_in, own_words, tag_of
from domain.staff.access import Right
from domain.vocabulary import Actor, Role
from inbound.belonging import Belongs, Wrote, links_in
from inbound.correspondence import Came, Correspondence
from inbound.enclosures import Brought, Enclosures
from inbound.letters.addresses import mailboxes
from inbound.letters.apart import Reader, shared
from inbound.letters.headers import Head, head_of, header, raw_header
from inbound.letters.letter import Letter
from inbound.machines import answered_to, machine
from inbound.mapping import Form, Ignored, Unusable, fitted
from runtime.settings import LARGEST_LETTER
from runtime.signing import Signer
from starter.attachments import Attachments
from starter.client import Desk, Unavailable
from starter.registers import KeptWith, Letters
from store import AWAY, door_log
from store.connection import Pool
from store.door_log import Entry

_PATIENCE = 2.0
"""Seconds that writing into the trail may hold up an answer."""
AUTOMATIC, NOT_AN_ISSUE = "automatic", "not about an issue"
_TO = ("To", "Cc", "Delivered-To", "X-Original-To")
_ANSWERS = ("In-Reply-To", "References")
log = structlog.get_logger("inbound.mail")


class LetterFate(StrEnum):
    """What became of a letter."""

    REGISTERED = "registered"
    ADDED = "added"
    """It names an issue, and belongs to it."""
    KEPT = "kept"
    """With an issue that it is not: its sender's, who writes too many, or the one of its id."""
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
    attachments: Attachments
    via: str = "mailbox"
    own: tuple[str, ...] = ()
    """Addresses of the desk's own that the mapping file does not know, such as the mailbox's."""
    reader: Reader = field(default_factory=shared)
    largest: int = LARGEST_LETTER
    """Bytes of a letter that are taken."""
    signer: Signer | None = None
    """Reads the links that customers were sent, where they come back with an answer."""

    @cached_property
    def correspondence(self) -> Correspondence:
        """What stands between letters and the desk."""
        own = (*self.own, *self.form.own)
        return Correspondence(self.desk, self.pool, self.form.source, own)

    @cached_property
    def enclosures(self) -> Enclosures:
        """What becomes of the files in letters."""
        by = Actor(id=self.form.source, role=Role.INTAKE)
        return Enclosures(self.attachments, self.correspondence.known, self.reader, by)

    async def take(
        self, raw: bytes, address: str, *, sender: str | None = None, cut: bool = False
    ) -> LetterOutcome:
        """Open the issue of a letter that came from ``address``, and keep the letter with it; of
        one that is ``cut`` there is only the beginning. ``sender`` is who handed it in, as the
        envelope says: nobody for a bounce, None if there is no envelope. Nothing of what is in it
        gets into the log (R30).
        """
        try:
            number, fate = await self._taken(raw, sender, cut=cut)
        except Ignored as ignored:
            return self._told(LetterOutcome(LetterFate.IGNORED, str(ignored) or NOT_AN_ISSUE))
        except Unusable as unusable:
            return self._told(LetterOutcome(LetterFate.UNUSABLE, str(unusable)))
        except Refused as refused:
            return self._told(LetterOutcome(LetterFate.UNUSABLE, refused.message))
        except Unavailable as away:
            return self._told(LetterOutcome(LetterFate.AWAY, str(away)))
        await self._trail(number, address, fate)
        return self._told(LetterOutcome(fate, number))

    async def _taken(self, raw: bytes, sender: str | None, *, cut: bool) -> tuple[str, LetterFate]:
        """Open the issue, keep the original, attach what it brought: only then is the letter
        acknowledged. Whatever comes between, it comes again, and is the same letter of the same
        issue.

        Raises:
            Ignored: a machine wrote it, or it is not about an issue.
            Unusable, Refused: it cannot become one.
            Unavailable: it is to come again.
        """
        head, ours = head_of(raw), await self.correspondence.ours()
        if sign := machine(head, ours) or (sender == "" and "no return path"):
            returned = await self.correspondence.note_returned(raw)
            log.info("by a machine", sign=sign, returned=returned)
            raise Ignored(AUTOMATIC)
        letter = await asyncio.to_thread(self.reader.read, raw)
        if cut:
            letter["text"] = f"{_cut(len(raw))}\n\n{letter['text']}"
        letter = from_a_person(letter, head, ours)
        if sender and not letter["from"]["address"]:
            letter["from"]["address"] = sender
        came = Came(letter["from"]["address"], header(head, "Message-ID"), self.via)
        wrote = self._wrote(letter, head)
        belongs = await self.correspondence.belonging.found(wrote)
        if belongs and (added := await self._added(wrote, belongs, came, raw)):
            return added
        intake = self.form.read(letter, datetime.now(UTC))
        if belongs and belongs.known and (over := await self.desk.record(belongs.issue.id)):
            intake = following(over.intake, intake, await self.desk.terms())
        opened = await self.correspondence.open(intake, await self._said(intake, raw), came)
        if isinstance(opened, KeptWith):
            await self._original(opened.issue_id, raw, came)
            return opened.number, LetterFate.KEPT
        await self._original(intake.issue_id, raw, came)
        number = opened.view.number if opened.view else intake.issue_id
        return number, LetterFate.REGISTERED

    def _wrote(self, letter: Letter, head: Head) -> Wrote:
        """Read a letter as words about the issues that it names. Those that somebody typed, in the
        subject or the address, come before those that a program carries along.
        """
        tags = (tag_of(each.address) for name in _TO for each in mailboxes(raw_header(head, name)))
        ours = (key_of(id_) or "" for name in _ANSWERS for id_ in ids_in(raw_header(head, name)))
        sender, text = letter["from"], letter["text"] or letter["subject"]
        told = f"{letter['message_id']}\n{text}"
        return Wrote(
            key=f"letter:{sha256(told.encode(errors='surrogatepass')).hexdigest()[:32]}",
            words=text,
            numbers=numbers_in(letter["subject"], *tags, *ours),
            sender=f"{sender['name']} <{sender['address']}>".strip(),
            email=sender["address"],
            links=links_in(text, self.signer, datetime.now(UTC)),
        )

    async def _added(
        self, wrote: Wrote, to: Belongs, came: Came, raw: bytes
    ) -> tuple[str, LetterFate] | None:
        """Add a letter to its issue, and keep the original there, once; None: that is over."""
        if await Letters(self.pool).has(to.issue.id, raw):
            await self._original(to.issue.id, raw, came, known=to.known)  # with all it brought
            kept = await self.correspondence.known.kept_with(wrote.key)
            return to.issue.number, LetterFate.KEPT if kept else LetterFate.ADDED
        own = wrote._replace(words=fitted(own_words(wrote.words, to.issue.told)))
        added = await self.correspondence.add(own, to, came)
        if added is None:
            return None
        await self._original(to.issue.id, raw, came, known=to.known)
        fate = LetterFate.KEPT if isinstance(added, KeptWith) else LetterFate.ADDED
        return to.issue.number, fate

    async def _said(self, intake: Intake, raw: bytes) -> AbstractSet[str]:
        """Say by what another letter of the same id is told from the first: by nothing if it is
        that very letter, whatever was made of it then.
        """
        again = await Letters(self.pool).has(intake.issue_id, raw)
        return frozenset() if again else self.form.said & SAID

    async def _original(self, issue_id: str, raw: bytes, came: Came, *, known: bool = True) -> None:
        """Keep a letter as it came, and its files; those of a stranger are for staff alone."""
        await Letters(self.pool).keep(issue_id, raw, datetime.now(UTC))
        await self.enclosures.attach(Brought(issue_id, raw, came.sender, came.door, known))

    def _told(self, outcome: LetterOutcome) -> LetterOutcome:
        log.info("letter", fate=outcome.fate, said=outcome.said)
        return outcome

    async def _trail(self, number: str, address: str, fate: LetterFate) -> None:
        entry = Entry(
            at=datetime.now(UTC),
            person=self.form.source,
            role=Role.INTAKE,
            via=self.via,
            address=address,
            what=ActionName.CUSTOMER_WROTE if fate is LetterFate.ADDED else Right.OPEN,
            number=number,
            outcome="kept" if fate is LetterFate.KEPT else "done",
        )
        try:
            async with asyncio.timeout(_PATIENCE):
                await door_log.note(self.pool, entry)
        except AWAY:
            log.warning("not in the register's trail", **entry.model_dump(mode="json"))


def _cut(taken: int) -> str:
    size = f"{round(taken / 1024**2, 1):g} MiB"
    return (
        f"（此信过大，只收到前 {size}；全信仍在邮箱中，已加标记。This letter is too large: only its"
        f" first {size} were taken. The whole of it is in the mailbox, flagged.）"
    )


def from_a_person(letter: Letter, head: Head, ours: Collection[str]) -> Letter:
    """Return the letter as from whoever wants the answer, as its ``head`` says, where another sent
    it for them; ``ours`` are the desk's own mailboxes.
    """
    person = answered_to(head, ours)
    if person is None:
        return letter
    return {**letter, "from": {"name": person.name, "address": person.address}}
