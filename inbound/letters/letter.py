"""A letter as mapping files see it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from hashlib import sha256
from typing import TypedDict

from domain.issue.intake import OLDEST_REPORT
from domain.letters import numbers_in
from inbound.letters import bluntly, parts
from inbound.letters.addresses import Mailbox, mailboxes
from inbound.letters.headers import Head, head_of, header, raw_header, titles
from inbound.letters.said import Attached, Said

NOT_READ = (
    "（此信未能完整读取，原件已保存。This letter could not be read in full; the original is kept.）"
)
_LONGEST = 200_000
"""Characters of a text that are handed on; an issue takes fewer, and says so."""
_LONGEST_NAMES = 1_500


class Sender(TypedDict):
    """Who wrote."""

    name: str
    address: str


Letter = TypedDict(
    "Letter",
    {
        "message_id": str,
        "from": Sender,
        "to": str,
        "subject": str,
        "about": str | None,
        "text": str,
        "date": str | None,
        "in_reply_to": str,
    },
)
"""``to`` has all it was sent to, ``about`` the number of an issue that the subject names; ``date``
is ISO 8601, or None if it cannot be."""


def letter_in(raw: bytes, now: datetime) -> Letter:
    """Read a letter; nothing in it makes this fail, but it may take its time."""
    try:
        said = parts.said_in(raw)
    except Exception:  # noqa: BLE001  whatever the libraries trip over, nobody's words are lost
        said = bluntly.said_in(raw, letter=True)
    return _letter(raw, said, now)


def letter_in_hurry(raw: bytes, now: datetime) -> Letter:
    """Read a letter that took too long."""
    return _letter(raw, bluntly.said_in(raw, letter=True), now)


def _letter(raw: bytes, said: Said, now: datetime) -> Letter:
    head = head_of(raw)
    subject = next(iter(titles(head)), "")
    about = numbers_in(subject)
    known = header(head, "Message-ID")
    sender, date = _sender(head), _sent_at(head, now)
    return {
        # Without one of its own it is known by its content: the same letter is the same issue.
        "message_id": known if known.strip("<> ") else sha256(raw).hexdigest(),
        "from": {"name": sender.name, "address": sender.address},
        "to": ", ".join(filter(None, (header(head, to) for to in ("To", "Delivered-To")))),
        "subject": subject,
        "about": next(iter(about), None),
        "text": "\n\n".join(_paragraphs(head, said, sender, date)),
        "date": date,
        "in_reply_to": header(head, "In-Reply-To"),
    }


def _paragraphs(head: Head, said: Said, sender: Mailbox, date: str | None) -> Iterator[str]:
    if not said.whole:
        yield NOT_READ
    if said.text.strip():
        yield said.text.strip()[:_LONGEST]
    yield from map(bluntly.TITLE.format, titles(head)[1:])
    written = header(head, "From")
    if len(mailboxes(raw_header(head, "From"))) > 1 or sender.address not in written:
        yield f"发件人 From: {written}"
    if date is None and (dated := header(head, "Date")):
        yield f"信上日期 Dated: {dated}"
    if said.attached:
        yield f"附件 Attachments: {_names(said.attached)}"


def _names(attached: tuple[Attached, ...]) -> str:
    names = list(dict.fromkeys(each.name for each in attached))
    written = ", ".join(names)
    if len(written) <= _LONGEST_NAMES:
        return written
    return f"{written[:_LONGEST_NAMES]}… (共 {len(names)} 个 in all)"


def _sender(head: Head) -> Mailbox:
    """Choose whom an answer reaches: who wrote, or else who sent it for them."""
    named = ("From", "Sender", "Reply-To", "Return-Path")
    found = [each for name in named for each in mailboxes(raw_header(head, name))]
    wrote = found[0] if found else Mailbox("", "")
    reached = next((each for each in found if each.can_be_answered), wrote)
    return Mailbox(reached.name or wrote.name, reached.address)


def _sent_at(head: Head, now: datetime) -> str | None:
    """When it was sent; None if it does not say so, or its clock cannot be right."""
    try:
        at = parsedate_to_datetime(header(head, "Date"))
        aware = at if at.tzinfo else at.replace(tzinfo=UTC)
        return aware.isoformat() if now - OLDEST_REPORT < aware <= now else None
    except (ValueError, TypeError, OverflowError, LookupError, AttributeError):
        return None
