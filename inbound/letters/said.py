"""What a letter says, as far as it was read."""

from __future__ import annotations

import binascii
import quopri
import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import compress, groupby
from operator import itemgetter

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
_NO_BASE64 = re.compile(rb"[^A-Za-z0-9+/=]")
_SOUND = re.compile(rb"[A-Za-z0-9+/]+={0,2}")
_IN_A_ROW = re.compile("[\u0800-\ud7ff]{2}")
_NOTHING = re.compile("[\N{REPLACEMENT CHARACTER}\ue000-\uf8ff\x00-\x08\x0b\x0c\x0e-\x1f\x7f]+")
"""What bytes become that are no text."""
_DAMAGED = 0.1
"""The share of characters that cannot be, up to which a line is base64 all the same."""
_FULL = 60
"""Characters of a line of base64, where encoders write the fewest."""
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


def unpacked(written: bytes, encoding: str) -> bytes:
    """Undo a transfer encoding, if it is there: some letters name one and are in another."""
    named = encoding.strip().lower().partition(";")[0].partition(" ")[0].strip("\"'")
    if named == "base64":
        return b"".join(from_base64(written))
    if named == "quoted-printable":
        return quopri.decodestring(written)
    if named in ("x-uuencode", "uuencode", "x-uue", "uue"):
        return _from_uu(written)
    return written


def texts_in(written: bytes, encoding: str, declared: str) -> list[bytes]:
    """Undo the transfer encoding of a text, and keep what else stands there. What was put together
    out of several pieces is several: each may be in a charset of its own.
    """
    if "base64" in encoding.lower():
        return _from_base64(written, declared)
    return [unpacked(written, encoding)]


def _from_base64(written: bytes, declared: str) -> list[bytes]:
    """Decode the lines that are encoded, and keep those that somebody wrote between them. Where it
    is not sure which are which, what else they may say stands below.
    """
    lines, whole = [line for line in written.splitlines() if line.strip()], from_base64(written)
    odd = _odd(lines)
    if all(map(_is_encoded, lines)) and not any(odd) and _is_text(b"".join(whole), declared):
        return whole
    sound = [not strange and _is_sound(line) for line, strange in zip(lines, odd, strict=True)]
    if 2 * sum(map(len, compress(lines, sound))) < len(b"".join(lines)):
        return _doubtful(lines, declared)
    groups = [
        (is_sound, [line for _, line in run])
        for is_sound, run in groupby(zip(sound, lines, strict=True), itemgetter(0))
    ]
    said: list[bytes] = []
    for is_sound, part in groups:
        said += _run(part, declared) if is_sound else _one_by_one(part, declared)
    return [*said, _across(groups, b"".join(said), declared)]


def _across(groups: list[tuple[bool, list[bytes]]], known: bytes, declared: str) -> bytes:
    """Return what is read only if odd lines go on where the one before them ends, and the one after
    them where they end.
    """
    parts = [[], *(part for _, part in groups), []]
    joined = [
        b"".join([*before[-1:], *odd, *after[:1]])
        for (is_sound, odd), before, after in zip(groups, parts, parts[2:], strict=False)
        if not is_sound
    ]
    found = b"\n".join(said for each in joined for said in _decoded(each, declared))
    return unseen_lines(found.decode(), unicode_of(known, declared)).encode()


def _odd(lines: list[bytes]) -> list[bool]:
    """Say which lines end before the others do, and end neither all nor a piece of it."""
    full = max(map(len, lines), default=0)
    last = len(lines) - 1
    return [
        len(line) < full and not line.endswith(b"=") and (place < last or before < full)
        for place, (line, before) in enumerate(zip(lines, [full, *map(len, lines)], strict=False))
    ]


def _run(lines: list[bytes], declared: str) -> list[bytes]:
    """Decode lines that can be; if they read badly they may mean what they look like."""
    decoded = b"".join(from_base64(b"".join(lines)))
    # A character that began before, or goes on after, is none.
    text = _strictly(decoded, declared)[3:-1]
    if len(b"".join(lines)) >= _FULL and _NOTHING.search(text) is None:
        return [decoded, b"\n"]
    return _doubtful(lines, declared)


def _one_by_one(lines: list[bytes], declared: str) -> list[bytes]:
    return [said for line in lines for said in _doubtful([line], declared)]


def _doubtful(lines: list[bytes], declared: str) -> list[bytes]:
    """Keep lines as they stand, and below them what they may be."""
    return [line + b"\n" for line in (*lines, *_decoded(b"".join(lines), declared))]


def _is_encoded(line: bytes) -> bool:
    return len(_NO_BASE64.findall(line)) <= _DAMAGED * len(line)


def _is_sound(line: bytes) -> bool:
    return len(line) % 4 == 0 and _SOUND.fullmatch(line) is not None


def _is_text(run: bytes, declared: str) -> bool:
    return _NOTHING.search(unicode_of(run, declared)) is None


def _strictly(run: bytes, declared: str) -> str:
    """Read it as it is said to be: almost anything is something in Chinese."""
    if declared.lower().startswith("utf-8"):
        return run.decode("utf-8", "replace")
    return unicode_of(run, declared)


def _decoded(encoded: bytes, declared: str) -> list[bytes]:
    """Return what can be read of it, in UTF-8; what was decoded to nothing stands between. Whatever
    is declared, characters in a row are UTF-8 if they can be: by chance none are.
    """
    written = b"".join(from_base64(encoded))
    read = _NOTHING.split(_strictly(written, declared))
    surely = _NOTHING.split(written.decode("utf-8", "replace"))
    said = [each for each in read if len(squeezed(each)) > 1]
    said += [each for each in surely if _IN_A_ROW.search(each) and each not in read]
    return [each.encode() for each in said]


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
