"""Letters: read as a mapping file takes them, and opened as issues (R1)."""

from __future__ import annotations

import asyncio
import email.policy
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from email.errors import HeaderParseError
from email.header import decode_header
from email.message import EmailMessage, MIMEPart
from email.utils import parseaddr, parsedate_to_datetime
from enum import StrEnum
from hashlib import sha256
from html.parser import HTMLParser
from typing import Any, NamedTuple

import structlog

from domain.errors import Refused
from domain.issue.intake import SAID, Intake
from domain.staff.access import Right
from domain.vocabulary import Role
from inbound.mapping import Form, Ignored, Unusable
from inbound.same_id import with_the_first
from starter.client import Desk, OtherContent, Unavailable
from store import AWAY, door_log
from store.connection import Pool
from store.door_log import Entry

LARGEST = 10 * 1024 * 1024
"""Bytes of a letter, attachments included; these are named in the issue, not kept."""
_PATIENCE = 2.0
"""Seconds that writing into the trail may hold up an answer."""
_NOT_PEOPLE = frozenset({"mailer-daemon", "postmaster", "noreply", "no-reply", "donotreply"})
_BULK = frozenset({"bulk", "junk", "auto_reply"})
"""Not `list`: a mailbox of several people is a list, too, and customers write to it."""
_NUMBER = re.compile(r"(?<!\d)\d{8}-\d{2,4}-\d{4,}(?!\d)")
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

    async def take(self, raw: bytes, address: str, *, bounced: bool = False) -> LetterOutcome:
        """Open the issue of a letter that came from ``address``. Nothing of what is in it gets into
        the log (R30).
        """
        letter = message_from_bytes(raw, policy=email.policy.default)
        if bounced or _by_a_machine(letter):
            return self._told(LetterOutcome(LetterFate.IGNORED, "automatic"))
        try:
            intake = self.form.read(content(letter, raw), datetime.now(UTC))
            number = await self._registered(intake)
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

    async def _registered(self, intake: Intake) -> str:
        """Register a letter, or keep its words with the issue that has its id and says something
        else; return the number.
        """
        try:
            opened = await self.desk.register(intake, self.form.said & SAID)
        except OtherContent as other:
            return await with_the_first(self.desk, other, intake, self.via)
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


def content(letter: EmailMessage, raw: bytes) -> dict[str, Any]:
    """Write a letter as mapping files see it: ``message_id``, ``from`` with ``name`` and
    ``address``, ``to``, ``subject``, ``about`` (the number of an issue, if the subject has one),
    ``text``, ``date`` (ISO 8601) and ``in_reply_to``.
    """
    subject = _header(letter, "Subject")
    about = _NUMBER.search(subject)
    known = _header(letter, "Message-ID")
    # Names are decoded last: what they hold then may be commas and brackets.
    name, address = parseaddr(_raw(letter, "From"))
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


def _by_a_machine(letter: EmailMessage) -> bool:
    """RFC 3834: an answer to an automatic letter may go round in circles for ever."""
    sent = _header(letter, "Auto-Submitted").partition(";")[0].strip().lower()
    local = parseaddr(_raw(letter, "From"))[1].partition("@")[0].lower()
    return (
        sent not in {"", "no"}
        or _header(letter, "Precedence").lower() in _BULK
        or _header(letter, "Return-Path") == "<>"  # a bounce (RFC 5321, 4.5.5)
        or local in _NOT_PEOPLE
    )


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
