"""What a letter says, as far as it was read."""

from __future__ import annotations

import binascii
import quopri
import re
from dataclasses import dataclass
from itertools import groupby

from inbound.letters.charsets import unicode_of
from inbound.letters.headers import from_base64

NO_TEXT = frozenset({"application", "audio", "font", "image", "model", "video"})
"""Kinds of what has no words to be read; what is called otherwise may be misspelt text."""
ENOUGH = 100_000
"""Characters of a text after which nobody reads on; an issue takes a tenth."""
ADDRESS = re.compile(r"(?:https?|ftp)://[^\s()<>\"]+|(?<![\w.+-])[\w.+-]{1,64}@[\w-]+\.[\w.-]+")
PICTURE = re.compile(r"\[图片 [^\]\n]*\]")
_RUN = re.compile(r"\w+")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]+")
_CONTROL_BYTE = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_BREAK = re.compile(rb"[\x00-\x1f\x7f]+")
_NO_BASE64 = re.compile(rb"[^A-Za-z0-9+/=]")
_DAMAGED = 0.1
"""The share of characters that cannot be, up to which a line is base64 all the same."""
_CHARSET = re.compile(rb"<meta[^<>]{0,200}?charset\s*=\s*[\"']?([\w.:+-]{1,40})", re.IGNORECASE)


@dataclass(frozen=True)
class Said:
    """Text, and the names of what is attached to it; ``whole`` unless some of it was not read."""

    text: str = ""
    attached: tuple[str, ...] = ()
    whole: bool = True


def joined(parts: list[Said]) -> Said:
    """One after the other."""
    return Said(
        "\n\n".join(part.text for part in parts if part.text),
        tuple(name for part in parts for name in part.attached),
        all(part.whole for part in parts),
    )


def unpacked(written: bytes, encoding: str) -> list[bytes]:
    """Undo a transfer encoding, if it is there: some letters name one and are in another. What was
    put together out of several pieces is several: each may be in a charset of its own.
    """
    named = encoding.strip().lower().partition(";")[0].partition(" ")[0].strip("\"'")
    if named == "base64":
        return _from_base64(written)
    if named == "quoted-printable":
        return [quopri.decodestring(written)]
    if named in ("x-uuencode", "uuencode", "x-uue", "uue"):
        return [_from_uu(written)]
    return [written]


def _from_base64(written: bytes) -> list[bytes]:
    """Decode the lines that are encoded, and keep those that somebody wrote between them. Where it
    is not sure which are which, what else they may say stands below.
    """
    runs = [(encoded, list(run)) for encoded, run in groupby(written.splitlines(), _is_encoded)]
    if all(encoded for encoded, _ in runs):
        return from_base64(written)
    weight = sum(sum(map(len, run)) * (1 if encoded else -1) for encoded, run in runs)
    sure: list[bytes] = []
    for encoded, run in runs:
        decoded = from_base64(b"".join(run)) if encoded and weight >= 0 else []
        told = bool(decoded) and all(map(_is_text, decoded))
        sure += [*(decoded if told else [b"\n".join(run)]), b"\n"]
    known = b"".join(sure)
    doubtful = (run for piece in from_base64(written) for run in _BREAK.split(piece))
    return sure + [run + b"\n" for run in doubtful if run not in known and _is_text(run)]


def _is_encoded(line: bytes) -> bool:
    return len(_NO_BASE64.findall(line)) <= _DAMAGED * len(line)


def _is_text(run: bytes) -> bool:
    return not (_CONTROL_BYTE.search(run) or "\N{REPLACEMENT CHARACTER}" in unicode_of(run))


def _from_uu(written: bytes) -> bytes:
    lines = written.partition(b"\nend")[0].splitlines()
    try:
        begin = next(place for place, line in enumerate(lines) if line.startswith(b"begin "))
        return b"".join(binascii.a2b_uu(line) for line in lines[begin + 1 :])
    except (StopIteration, binascii.Error):
        return written


def text_of(pieces: list[bytes], declared: str) -> str:
    """Read plain text."""
    lines = "".join(unicode_of(piece, declared) for piece in pieces)
    return _CONTROL.sub("", lines.replace("\r\n", "\n").replace("\r", "\n")).strip()


def page_of(pieces: list[bytes], declared: str) -> str:
    """Read the source of a page, which may itself say what it is in."""
    inside = _CHARSET.search(pieces[0], 0, 4096) if pieces else None
    named = declared or (inside[1].decode() if inside else "")
    return "".join(unicode_of(piece, named) for piece in pieces)


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
