"""Who wrote: addresses in all the forms that programs and people give them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from pydantic import TypeAdapter, ValidationError

from domain.issue.intake import Email
from inbound.letters.headers import decoded

_TOKEN = re.compile(
    r"""
    "(?P<quoted>(?:[^"\\]|\\.){0,300})"(?!@)
    | \((?P<comment>[^()]*)\)
    | <(?P<angle>[^<>]*)>
    | (?P<bare>(?:"(?:[^"\\]|\\.){0,64}"|[^\s"(),:;<>@\[\]]+)@[^\s"(),:;<>@]+)
    | (?P<end>[,;])
    | (?P<other>[^\s"(),:;<>@]+|\S)
    """,
    re.VERBOSE,
)
_NO_NAMES = frozenset({*"<>,;:@", "mailto"})
_LONGEST = 8_000
"""Characters of a header with addresses that are read: nobody's name takes more."""
_PLAIN_LOCAL = re.compile(r'"([\w.!#$%&\'*+/=?^`{|}~-]+)"(@.*)')
_email: TypeAdapter[str] = TypeAdapter(Email)


class Mailbox(NamedTuple):
    """A name, and an address as it is written; either may be empty."""

    name: str
    address: str

    @property
    def can_be_answered(self) -> bool:
        """Whether a customer can have that address."""
        try:
            _email.validate_python(self.address)
        except ValidationError:
            return False
        return True


def mailboxes(raw: str) -> list[Mailbox]:
    """Read the addresses in a header, as it is written: names are decoded last, what they hold then
    may be commas and brackets.
    """
    if "@" not in raw:  # somebody encoded the address as well, or wrote it in full width
        raw = decoded(raw).replace("\uff20", "@")
    return list(_read(raw[:_LONGEST]))


def _read(raw: str) -> Iterator[Mailbox]:
    words: list[str] = []
    comments: list[str] = []
    angle = bare = ""
    for token in _TOKEN.finditer(raw):
        kind, said = token.lastgroup, token[token.lastgroup or 0].strip()
        if kind == "end" and (angle or bare):
            yield _mailbox(words, comments, angle, bare)
            words, comments, angle, bare = [], [], "", ""
        elif kind == "angle" and "@" in said:
            angle = said
        elif kind == "comment":
            comments.append(said)
        else:
            bare = bare or (said if kind == "bare" else "")
            words.append(re.sub(r"\\(.)", r"\1", said) if kind == "quoted" else said)
    if words or angle:
        yield _mailbox(words, comments, angle, bare)


def _mailbox(words: list[str], comments: list[str], angle: str, bare: str) -> Mailbox:
    if not angle and bare in words:
        words = [word for word in words if word != bare]
    name = " ".join(word for word in words if word not in _NO_NAMES)
    address = _plain(angle or bare)
    if not address:  # nothing but words: so it is told
        return Mailbox("", decoded(name))
    return Mailbox(decoded(name or " ".join(comments)), address)


def _plain(written: str) -> str:
    """Write an address plainly: without a route, a scheme, or quotes that change nothing."""
    address = decoded(written).replace(" @", "@").replace("@ ", "@")
    if address.startswith("@"):  # a route (RFC 5322, 4.4)
        address = address.rpartition(":")[2]
    address = address.removeprefix("mailto:").strip("'.<> ")
    quoted = _PLAIN_LOCAL.fullmatch(address)
    return quoted[1] + quoted[2] if quoted else address
