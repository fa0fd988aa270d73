"""Letters: read as a mapping file takes them, and opened as issues (R1)."""

from __future__ import annotations

import asyncio
import email.policy
import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from email.errors import HeaderParseError
from email.header import decode_header
from email.message import EmailMessage, MIMEPart
from email.utils import parsedate_to_datetime
from enum import StrEnum
from functools import cached_property
from hashlib import sha256
from html.parser import HTMLParser
from typing import Any, NamedTuple

import structlog

from domain.errors import Refused
from domain.staff.access import Right
from domain.vocabulary import Role
from inbound.correspondence import Correspondence
from inbound.machines import author, machine
from inbound.mapping import Form, Ignored, Unusable
from starter.client import Desk, Unavailable
from starter.registers import KeptWith
from store import AWAY, door_log
from store.connection import Pool
from store.door_log import Entry

LARGEST = 10 * 1024 * 1024
"""Bytes of a letter, attachments included; these are named in the issue, not kept."""
_PATIENCE = 2.0
"""Seconds that writing into the trail may hold up an answer."""
_NUMBER = re.compile(r"(?<!\d)\d{8}-\d{2,4}-\d{4,}(?!\d)")
AUTOMATIC, NOT_AN_ISSUE = "automatic", "not about an issue"
log = structlog.get_logger("inbound.mail")


class LetterFate(StrEnum):
    """What became of a letter."""

    REGISTERED = "registered"
    KEPT = "kept"
    """With an issue of its sender's, who writes too many."""
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
    own: tuple[str, ...] = ()
    """Addresses of the desk's own that the mapping file does not know, such as the mailbox's."""

    @cached_property
    def correspondence(self) -> Correspondence:
        """What stands between letters and the desk."""
        own = (*self.own, *self.form.own)
        return Correspondence(self.desk, self.pool, self.form.source, own)

    async def take(self, raw: bytes, address: str, *, bounced: bool = False) -> LetterOutcome:
        """Open the issue of a letter that came from ``address``. Nothing of what is in it gets into
        the log (R30).
        """
        try:
            number, kept = await self._opened(raw, bounced=bounced)
        except Ignored as ignored:
            return self._told(LetterOutcome(LetterFate.IGNORED, str(ignored) or NOT_AN_ISSUE))
        except Unusable as unusable:
            return self._told(LetterOutcome(LetterFate.UNUSABLE, str(unusable)))
        except Refused as refused:
            return self._told(LetterOutcome(LetterFate.UNUSABLE, refused.message))
        except Unavailable as away:
            return self._told(LetterOutcome(LetterFate.AWAY, str(away)))
        await self._trail(number, address, "kept" if kept else "done")
        fate = LetterFate.KEPT if kept else LetterFate.REGISTERED
        return self._told(LetterOutcome(fate, number))

    async def _opened(self, raw: bytes, *, bounced: bool) -> tuple[str, bool]:
        """Open the issue of a letter; its number, and whether the letter is kept with it only.

        Raises:
            Ignored: a machine wrote it, or it is not about an issue.
            Unusable, Refused: it cannot become one.
            Unavailable: it is to come again.
        """
        letter = message_from_bytes(raw, policy=email.policy.default)
        ours = await self.correspondence.ours()
        if sign := machine(letter, ours) or (bounced and "no return path"):
            returned = await self.correspondence.note_returned(raw)
            log.info("by a machine", sign=sign, returned=returned)
            raise Ignored(AUTOMATIC)
        said = content(letter, raw, ours)
        intake = self.form.read(said, datetime.now(UTC))
        known = _header(letter, "Message-ID")
        opened = await self.correspondence.open(intake, said["from"]["address"], known, self.via)
        if isinstance(opened, KeptWith):
            return opened.number, True
        return opened.view.number if opened.view else intake.issue_id, False

    def _told(self, outcome: LetterOutcome) -> LetterOutcome:
        log.info("letter", fate=outcome.fate, said=outcome.said)
        return outcome

    async def _trail(self, number: str, address: str, outcome: str = "done") -> None:
        entry = Entry(
            at=datetime.now(UTC),
            person=self.form.source,
            role=Role.INTAKE,
            via=self.via,
            address=address,
            what=Right.OPEN,
            number=number,
            outcome=outcome,
        )
        try:
            async with asyncio.timeout(_PATIENCE):
                await door_log.note(self.pool, entry)
        except AWAY:
            log.warning("not in the register's trail", **entry.model_dump(mode="json"))


def content(letter: EmailMessage, raw: bytes, ours: Collection[str] = ()) -> dict[str, Any]:
    """Write a letter as mapping files see it: ``message_id``, ``from`` with ``name`` and
    ``address`` of whoever wants the answer, ``to``, ``subject``, ``about`` (the number of an issue,
    if the subject has one), ``text``, ``date`` (ISO 8601) and ``in_reply_to``. ``ours`` are the
    desk's own mailboxes.
    """
    subject = _header(letter, "Subject")
    about = _NUMBER.search(subject)
    known = _header(letter, "Message-ID")
    # Names are decoded last: what they hold then may be commas and brackets.
    name, address = author(letter, ours)
    return {
        # Without one of its own it is known by its content: the same letter is the same issue.
        "message_id": known if known.strip("<> ") else sha256(raw).hexdigest(),
        "from": {"name": _unfolded(name), "address": _unfolded(address)},
        "to": ", ".join(filter(None, (_header(letter, to) for to in ("To", "Delivered-To")))),
        "subject": subject,
        "about": about and about[0],
        "text": _text(letter),
        "date": _sent_at(letter),
        "in_reply_to": _header(letter, "In-Reply-To"),
    }


def _raw(letter: EmailMessage, name: str) -> str:
    wanted = name.lower()
    found = (str(value) for key, value in letter.raw_items() if key.lower() == wanted)
    return " ".join(next(found, "").split())


def _header(letter: EmailMessage, name: str) -> str:
    return _unfolded(_raw(letter, name))


def _unfolded(raw: str) -> str:
    """Read what a header holds. The library would drop what is not in the encoding it names, and
    what names none: both are common in letters in Chinese.
    """
    try:
        parts = decode_header(raw)
    except HeaderParseError:
        parts = [(raw, None)]
    said = [
        _unicode(
            part.encode("utf-8", "surrogateescape") if isinstance(part, str) else part,
            charset or "utf-8",
        )
        for part, charset in parts
    ]
    return " ".join("".join(said).split())


def _unicode(written: bytes, charset: str) -> str:
    """Read bytes in the encoding they are said to be in, and as well as can be if they are not:
    GB 18030 holds all of GB 2312 and GBK, which letters name and then go beyond.
    """
    for encoding in (charset, "utf-8"):
        try:
            return written.decode(encoding)
        except (ValueError, LookupError):
            continue
    return written.decode("gb18030", errors="replace")


def _sent_at(letter: EmailMessage) -> str | None:
    """When it was sent; None if it does not say so, or its clock is ahead of ours."""
    try:
        at = parsedate_to_datetime(_header(letter, "Date"))
        aware = at if at.tzinfo else at.replace(tzinfo=UTC)
        return aware.isoformat() if aware <= datetime.now(UTC) else None
    except (ValueError, TypeError, OverflowError):
        return None


def _text(letter: EmailMessage) -> str:
    body = letter.get_body(("plain", "html"))
    written = ""
    if body is not None:
        payload = body.get_payload(decode=True)
        raw = payload if isinstance(payload, bytes) else b""
        written = _unicode(raw, body.get_content_charset() or "utf-8")
        if body.get_content_type() == "text/html":
            written = _Words.of(written)
    attached = f"\n\n附件 Attachments: {', '.join(names)}" if (names := _attached(letter)) else ""
    return written.strip() + attached


def _attached(letter: EmailMessage) -> list[str]:
    parts: list[MIMEPart] = list(letter.iter_attachments())
    if not letter.is_multipart() and letter.get_content_maintype() != "text":
        parts = [letter]
    return [part.get_filename() or part.get_content_type() for part in parts]


class _Words(HTMLParser):
    """What a reader sees of a page. No library: html2text is under the GPL, and others bring a
    parser of all of HTML along.
    """

    _BREAKS = frozenset({"br", "p", "div", "tr", "li", "h1", "h2", "h3", "table", "blockquote"})
    _CELLS = frozenset({"td", "th"})
    _UNSEEN = frozenset({"style", "script", "head", "title"})

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._said: list[str] = []
        self._unseen = 0

    @classmethod
    def of(cls, page: str) -> str:
        """Return the words of a page, a line for each that the page has."""
        words = cls()
        words.feed(page)
        words.close()
        lines = ("".join(words._said)).splitlines()
        return "\n".join(line for line in (" ".join(each.split()) for each in lines) if line)

    def handle_starttag(self, tag: str, _: list[tuple[str, str | None]]) -> None:
        self._unseen += tag in self._UNSEEN
        if tag in self._BREAKS:
            self._said.append("\n")
        elif tag in self._CELLS:
            self._said.append(" ")

    def handle_endtag(self, tag: str) -> None:
        self._unseen -= tag in self._UNSEEN and self._unseen > 0
        if tag in self._BREAKS:
            self._said.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self._said.append(data)
