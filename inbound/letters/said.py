"""What a letter says, as far as it was read."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from inbound.letters.charsets import unicode_of

NO_TEXT = frozenset({"application", "audio", "font", "image", "model", "video"})
"""Kinds of what has no words to be read; what is called otherwise may be misspelt text."""
ENOUGH = 100_000
"""Characters of a text after which nobody reads on; an issue takes a tenth."""
ADDRESS = re.compile(r"(?:https?|ftp)://[^\s()<>\"]+|(?<![\w.+-])[\w.+-]{1,64}@[\w-]+\.[\w.-]+")
PICTURE = re.compile(r"\[图片 [^\]\n]*\]")
_RUN = re.compile(r"\w+")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]+")
_WRITTEN_OUT = re.compile(
    r"\bsrc\s*=\s*[\"']?data:(image/[\w.+-]{1,40});base64,([\w+/=\s]{400,})", re.ASCII
)
"""A picture that stands in the source of a page; what is smaller holds a page apart."""
_CHARSET = re.compile(rb"<meta[^<>]{0,200}?charset\s*=\s*[\"']?([\w.:+-]{1,40})", re.IGNORECASE)


@dataclass(frozen=True)
class Attached:
    """A file in a letter. ``content`` says what is in it, when somebody wants to know; None: it was
    only what wrapped the letter, or signs it. ``read``: its words stand in the text.
    """

    name: str
    content: Callable[[], bytes] | None = None
    read: bool = False


@dataclass(frozen=True)
class Said:
    """Text, and what is attached to it; ``whole`` unless some of it was not read."""

    text: str = ""
    attached: tuple[Attached, ...] = ()
    whole: bool = True


def joined(parts: list[Said]) -> Said:
    """One after the other."""
    return Said(
        "\n\n".join(part.text for part in parts if part.text),
        tuple(each for part in parts for each in part.attached),
        all(part.whole for part in parts),
    )


Piece = bytes | str
"""Of a text: bytes in the charset it is said to be in, or what was read already."""


def read(pieces: Iterable[Piece], declared: str) -> str:
    """Read what is not read yet."""
    return "".join(
        piece if isinstance(piece, str) else unicode_of(piece, declared) for piece in pieces
    )


def text_of(pieces: Sequence[Piece], declared: str) -> str:
    """Read plain text."""
    lines = read(pieces, declared)
    return _CONTROL.sub("", lines.replace("\r\n", "\n").replace("\r", "\n")).strip()


def page_of(pieces: Sequence[Piece], declared: str) -> str:
    """Read the source of a page, which may itself say what it is in."""
    first = pieces[0] if pieces else b""
    inside = _CHARSET.search(first, 0, 4096) if isinstance(first, bytes) else None
    return read(pieces, declared or (inside[1].decode() if inside else ""))


def pictures_in(page: str) -> tuple[Attached, ...]:
    """Find the pictures that were pasted into a page as part of its source; browsers do without the
    padding of base64, too.
    """
    return tuple(
        Attached(found[1], partial(b64decode, f"{found[2]}=="))
        for found in _WRITTEN_OUT.finditer(page)
    )


def image(alt: str) -> str:
    """Say that here is a picture, by the words it is described with."""
    return f"[图片 {' '.join(alt.split())}]"


def unseen_lines(text: str, shown: str) -> str:
    """Return the lines with words that are not shown otherwise, however they were wrapped; where
    links lead to, and what pictures show, are words as well.
    """
    if text == shown:
        return ""
    within = squeezed(shown)
    return "\n".join(line for line in text.splitlines() if not _is_shown(line, shown, within))


def _is_shown(line: str, shown: str, within: str) -> bool:
    marks = ADDRESS.findall(line) + PICTURE.findall(line)
    return all(mark in shown for mark in marks) and all(
        run in within for run in _RUN.findall(line.lower())
    )


def squeezed(text: str) -> str:
    """Return nothing but letters and digits."""
    return "".join(_RUN.findall(text.lower()))
