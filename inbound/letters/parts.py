"""The parts of a letter, put together as its writer meant them to be read (MIME)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from email.message import Message
from email.parser import BytesParser
from functools import partial
from typing import NamedTuple

from inbound.letters import bluntly
from inbound.letters.headers import (
    AS_WRITTEN,
    Head,
    decoded,
    header,
    mended,
    parameter,
    raw_header,
    titles,
)
from inbound.letters.invitations import invitation_of
from inbound.letters.pages import words_of
from inbound.letters.said import (
    ADDRESS,
    ENOUGH,
    NO_TEXT,
    PICTURE,
    Attached,
    Piece,
    Said,
    joined,
    page_of,
    pictures_in,
    squeezed,
    text_of,
    unseen_lines,
)
from inbound.letters.transfer import texts_in, unpacked
from inbound.letters.wrapped import signed_in, tnef_in

_TNEF = "application/ms-tnef"
_SIGNS = frozenset(
    {
        *("application/pkcs7-signature", "application/x-pkcs7-signature"),
        "application/pgp-signature",
    }
)
_KIND = re.compile(r"[\w!#$&^.+-]+/[\w!#$&^.+-]+", re.ASCII)
_RICHER = 1.25
"""So many times the words of a plainer version, and it was only a stub."""
_FOR_OLD_PROGRAMS = re.compile(r"\bMIME\b|multi-?part", re.IGNORECASE)
"""What senders write before the first part, for programs of 1992."""


class _Part(NamedTuple):
    """One part: of which kind, called what, and whether it is to be looked at by itself."""

    message: Head
    kind: str
    name: str
    aside: bool

    @classmethod
    def of(cls, message: Head) -> _Part:
        disposition = raw_header(message, "Content-Disposition").partition(";")[0].strip().lower()
        name = parameter(message, "content-disposition", "filename")
        name = name or parameter(message, "content-type", "name")
        kind = message.get_content_type()
        # What is of no kind that there can be is looked at: it may be anything.
        aside = disposition == "attachment" and _KIND.fullmatch(kind) is not None
        return cls(message, kind, name, aside)

    @property
    def parts(self) -> list[Head]:
        found = self.message.get_payload()
        return [each for each in found if isinstance(each, Message)] if self.is_multipart else []

    @property
    def is_multipart(self) -> bool:
        return self.message.is_multipart()

    @property
    def is_text(self) -> bool:
        return self.kind.partition("/")[0] not in (*NO_TEXT, "message") and self.kind != "text/rtf"

    @property
    def written(self) -> bytes:
        """What stands there, as it was before it was encoded to be sent."""
        return unpacked(_as_it_stands(self.message), self.encoding)

    @property
    def texts(self) -> list[Piece]:
        """The same of a text, in which there may be more than was encoded."""
        return texts_in(_as_it_stands(self.message), self.encoding, self.charset)

    @property
    def encoding(self) -> str:
        return header(self.message, "Content-Transfer-Encoding")

    @property
    def charset(self) -> str:
        return parameter(self.message, "content-type", "charset")

    def attached(self, *, read: bool = False) -> Attached:
        """Return it as a file; what only signs a letter, by its name."""
        content = None if self.kind in _SIGNS else partial(_content, self)
        return Attached(self.name or self.kind, content, read)

    def wrapping(self) -> Attached:
        """Return it by its name: what is in it was read as a letter of its own."""
        return Attached(self.name or self.kind)


def _content(part: _Part) -> bytes:
    return part.written


_INTERPRETED = ("Content-Type", "Content-Transfer-Encoding")


def _as_it_stands(message: Head) -> bytes:
    """Return the bytes of a body. The library would interpret them, and trip over much."""
    kept = [(name, value) for name in _INTERPRETED if (value := message.get(name)) is not None]
    for name in _INTERPRETED:
        del message[name]
    written = message.get_payload(decode=True)
    for name, value in kept:
        message[name] = value
    return written if isinstance(written, bytes) else b""


def said_in(raw: bytes) -> Said:
    """Read a whole letter. It may be of any depth, and the library trip over it: whatever is raised
    means that it is to be read bluntly.
    """
    letter = _letter_in(raw)
    said = _said(letter, opened=False)
    if not said.text:  # then what it encloses is the letter
        said = _said(letter, opened=True)
    return said


def _letter_in(raw: bytes) -> Head:
    return BytesParser(policy=AS_WRITTEN).parsebytes(mended(raw))


def _said(message: Head, *, opened: bool) -> Said:
    """Read a part, and what is in it; if all is to be ``opened``, also text that is set aside."""
    part = _Part.of(message)
    is_outlooks = part.name.lower() == "winmail.dat" and not part.is_multipart
    kind = _TNEF if is_outlooks else part.kind
    if reader := _READERS.get(kind):
        return reader(part, opened)
    if part.is_multipart:
        return _together(part, opened)
    if kind.startswith("multipart/"):  # whose parts cannot be told apart
        return bluntly.said_in(part.written)
    if part.is_text and (opened or not part.aside):
        return _text(part)
    return Said(attached=(part.attached(),))


def _together(part: _Part, opened: bool) -> Said:  # noqa: FBT001  a reader
    read = [joined([_titled(each), _said(each, opened=opened)]) for each in part.parts]
    inside = _richest(read) if part.kind == "multipart/alternative" else joined(read)
    preamble = part.message.preamble or ""
    before = "" if _FOR_OLD_PROGRAMS.search(preamble) else preamble
    return joined([_around(before), inside, _around(part.message.epilogue or "")])


def _titled(head: Head) -> Said:
    """Read what a part is called, which none is: a letter that lost the line before it is."""
    return Said("\n".join(map(bluntly.TITLE.format, titles(head))))


def _text(part: _Part) -> Said:
    if part.kind == "text/html":
        page = page_of(part.texts, part.charset)
        return Said(words_of(page), (*_named(part), *pictures_in(page)))
    return Said(text_of(part.texts, part.charset), _named(part))


def _invitation(part: _Part, _: bool) -> Said:  # noqa: FBT001
    return Said(invitation_of(text_of(part.texts, part.charset or "utf-8")), _named(part))


def _outlooks(part: _Part, _: bool) -> Said:  # noqa: FBT001
    return joined([Said(attached=(part.wrapping(),)), tnef_in(part.written)])


def _signed(part: _Part, opened: bool) -> Said:  # noqa: FBT001
    inner = signed_in(part.written)
    said = _said(_letter_in(inner), opened=opened) if inner else Said()
    return joined([said, Said(attached=(part.wrapping(),))])


def _report(part: _Part, _: bool) -> Said:  # noqa: FBT001
    return joined([_facts(each) for each in part.parts])


def _facts(head: Head) -> Said:
    said = "\n".join(f"{name}: {decoded(str(value))}" for name, value in head.raw_items())
    return joined([Said(said), Said(text_of([_as_it_stands(head)], ""))])


def _around(text: str) -> Said:
    """Read what stands before the first part, or after the last: a list's farewell, or parts that
    were cut off by a line gone wrong.
    """
    if not text.strip():
        return Said()
    return replace(bluntly.said_in(text.encode("utf-8", "surrogateescape")), whole=True)


def _named(part: _Part) -> tuple[Attached, ...]:
    return (part.attached(read=True),) if part.name else ()


def _forwarded(part: _Part, opened: bool) -> Said:  # noqa: FBT001
    inner = part.parts[0] if part.parts else _letter_in(part.written)
    if not inner.keys():  # encoded, which it should not be
        encoded = _letter_in(unpacked(_as_it_stands(inner), part.encoding))
        inner = encoded if encoded.keys() else inner
    facts = (
        ("发件人 From", header(inner, "From")),
        *(("主题 Subject", title) for title in titles(inner)),
        ("日期 Date", header(inner, "Date")),
    )
    head = "\n".join(f"{label}: {said}" for label, said in facts if said)
    said = _said(inner, opened=opened)
    if not said.text:  # all of it is set aside
        said = _said(inner, opened=True)
    read = joined([Said(f"—— 转发的信 Forwarded letter ——\n{head}".strip()), said])
    return joined([read, Said(attached=(part.wrapping(),) if part.name else ())])


def _richest(versions: list[Said]) -> Said:
    """Choose among versions of the same: the plainest that says something, unless another says much
    more. What the others say beyond it stands below: words, where links lead, what pictures show.
    """
    speaking = [version.text[:ENOUGH] for version in versions if version.text]
    shown = max(speaking, key=_weight, default="")
    if speaking and _weight(shown) <= _RICHER * _weight(speaking[0]):
        shown = speaking[0]
    for text in speaking:
        shown = "\n\n".join(filter(None, [shown, unseen_lines(text, shown)]))
    everything = joined(versions)
    return Said(shown, everything.attached, everything.whole)


def _weight(text: str) -> int:
    """Count what is said, but not where links lead to or what pictures show."""
    return len(squeezed(PICTURE.sub("", ADDRESS.sub("", text))))


_READERS: Mapping[str, Callable[[_Part, bool], Said]] = {
    **dict.fromkeys(("message/rfc822", "message/global", "message/news"), _forwarded),
    "message/delivery-status": _report,
    **dict.fromkeys(("text/calendar", "application/ics"), _invitation),
    **dict.fromkeys((_TNEF, "application/vnd.ms-tnef"), _outlooks),
    **dict.fromkeys(("application/pkcs7-mime", "application/x-pkcs7-mime"), _signed),
}
"""What is not read as what it looks like."""
