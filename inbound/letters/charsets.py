"""Bytes of a letter as text: in the encoding they are said to be in, or as well as can be."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator

from runtime.charsets import CHINESE, NO_TEXT

_WIDER = {
    **CHINESE,
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "iso8859-1": "cp1252",
    "ascii": "cp1252",
}
"""What letters name, and then go beyond: each of these holds all of the other."""
_WIDE = ("utf-16", "utf-32")
_ESCAPED = ("utf-7", "hz", "iso2022", *_WIDE)
"""How the names of those begin whose bytes are not what they look like."""
_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_NAME = re.compile(r"[A-Za-z0-9][\w.:+-]{0,39}")
_LOST = "\N{REPLACEMENT CHARACTER}"
_BEARABLE = 0.2
"""The share of lost characters, among those beyond ASCII, up to which a guess is a good one."""
_BETTER_THAN_NONE = 0.5
_PAIR = re.compile(rb"[\xa1-\xf7][\xa1-\xfe]")
"""Chinese by GB 2312, as Western letters in a row never are."""
_SWITCH = re.compile(rb"\x1b(\$[@B]|\([BJI])")
_OTHER_SETS = re.compile(rb"\x1b(?!\$[@B]|\([BJI])")
_JIS = re.compile(rb"[\x21-\x7e]{2}")
_HALVES = re.compile("[\ud800-\udfff]")


def unicode_of(written: bytes, declared: str = "") -> str:
    """Read bytes in the encoding they are said to be in, and as well as can be if they are not:
    letters in Chinese often name another, or none.
    """
    if mark := next((mark for mark in _MARKS if written.startswith(mark)), None):
        return _whole(written.decode(_MARKS[mark], errors="replace"))
    named = _codec(declared)
    if named.startswith(_ESCAPED):
        text = _escaped(written, named)
        if _damage(text) <= _BEARABLE:
            return _whole(text)
    text, lines = _guessed(written, named), written.split(b"\n")
    if _is_utf8(written) or not (_LOST in text or any(map(_is_utf8, lines))):
        return text
    # What fell into it, or was copied there, is in another: nothing of that spoils the other lines.
    return "\n".join(_guessed(line, named) for line in lines)


def is_wide(declared: str) -> bool:
    """Say whether a letter of the alphabet takes more than a byte of it."""
    return _codec(declared).startswith(_WIDE)


def _escaped(written: bytes, named: str) -> str:
    """Read what switches between sets of characters."""
    try:
        return written.decode(named)
    except UnicodeDecodeError:
        wider = named.startswith("iso2022_jp") and not _OTHER_SETS.search(written)
        return _shifted(written) if wider else written.decode(named, errors="replace")


def _shifted(written: bytes) -> str:
    """Read what Japanese programs call ISO-2022-JP: as Shift JIS has its characters, and more of
    them, ① and 髙.
    """
    first, *switched = _SWITCH.split(written)
    sets = zip(switched[::2], switched[1::2], strict=True)
    shifted = b"".join(_SHIFTS.get(to, bytes)(said) for to, said in sets)
    return (first + shifted).decode("cp932", errors="replace")


def _pairs(said: bytes) -> bytes:
    return _JIS.sub(lambda pair: _shift(*pair[0]), said)


def _shift(row: int, cell: int) -> bytes:
    """Write a character of JIS X 0208 by its row and cell, from 0x21 on."""
    lead = (row + 1) // 2 + (0x70 if row < 0x5F else 0xB0)
    odd = cell + (0x1F if cell < 0x60 else 0x20)
    return bytes([lead, odd if row % 2 else cell + 0x7E])


def _halves(said: bytes) -> bytes:
    return bytes(byte | 0x80 if byte > 0x20 else byte for byte in said)


_SHIFTS = {b"$@": _pairs, b"$B": _pairs, b"(I": _halves}


def _guessed(written: bytes, named: str) -> str:
    if written.isascii():
        return written.decode("ascii")
    guesses: list[str] = []
    for guess in _guesses(written, named):
        guesses.append(_whole(written.decode(guess, errors="replace")))
        if _damage(guesses[-1]) <= _BEARABLE:
            return guesses[-1]
    best = min(guesses, key=_damage)
    return best if _damage(best) <= _BETTER_THAN_NONE else written.decode("latin-1")


def _guesses(written: bytes, named: str) -> Iterator[str]:
    """Name encodings, likeliest first."""
    wider = _WIDER.get(named, named)
    western = wider == "cp1252" or named.startswith(("iso8859", "cp125"))
    if _is_utf8(written) or western or not wider:
        yield "utf-8"
    if western and named != "ascii" and not _PAIR.sub(b"", written).isascii():
        yield wider
    if wider and not western:
        yield from (wider, named)
    yield from ("utf-8", "gb18030")


def _is_utf8(written: bytes) -> bool:
    """Say whether it can be nothing else: GB 18030 hardly ever looks like three bytes of UTF-8."""
    try:
        return max(written.decode("utf-8")) >= "\u0800"
    except ValueError:
        return False


def _damage(text: str) -> float:
    """Say which share of what is not ASCII is lost; what was cut off at the end is not."""
    foreign, lost = sum(character > "\x7f" for character in text), text.count(_LOST)
    if text.endswith(_LOST) and foreign - lost > 1:
        lost -= 1
    return lost / foreign if foreign else 0.0


def _whole(text: str) -> str:
    """Without halves of characters: nobody can keep them."""
    return _HALVES.sub(_LOST, text)


def _codec(declared: str) -> str:
    """Name Python's own encoding of that name; empty: it has none."""
    named = _NAME.search(declared)
    try:
        found = codecs.lookup(named[0]).name if named else ""
        "".encode(found or "utf-8")  # some of its codecs are not for text
    except (LookupError, ValueError):
        return ""
    return "" if found in NO_TEXT else found
