"""Transfer encodings of what stands in a letter, undone (MIME). Base64 that was damaged on its way
is mended: lines that are lost or broken, words of somebody between them.
"""

from __future__ import annotations

import binascii
import quopri
import re
from collections.abc import Callable, Mapping
from itertools import compress, groupby
from operator import itemgetter

from inbound.letters.charsets import is_wide, unicode_of
from inbound.letters.headers import from_base64
from inbound.letters.said import Piece, read, squeezed, unseen_lines

_BASE64 = "base64"
_NAMES = re.compile(r"base64|quoted-printable|\buu(?=e)")
"""What there is in an encoding's name, however it is written: ``"X-Base64"; x``, ``x-uuencode``."""
_NO_BASE64 = re.compile(rb"[^A-Za-z0-9+/=]")
_SOUND = re.compile(rb"[A-Za-z0-9+/]+={0,2}")
_IN_A_ROW = re.compile("[\u0800-\ud7ff]{2}")
_NOTHING = re.compile("[\N{REPLACEMENT CHARACTER}\ue000-\uf8ff\x00-\x08\x0b\x0c\x0e-\x1f\x7f]+")
"""What bytes become that are no text."""
_DAMAGED = 0.1
"""The share of characters that cannot be, up to which a line is base64 all the same."""
_FULL = 60
"""Characters of a line of base64, where encoders write the fewest."""


def unpacked(written: bytes, encoding: str) -> bytes:
    """Undo a transfer encoding, if it is there: some letters name one and are in another."""
    undo = _UNDO.get(_named(encoding))
    return undo(written) if undo else written


def _named(encoding: str) -> str:
    found = _NAMES.search(encoding.lower())
    return found[0] if found else ""


def texts_in(written: bytes, encoding: str, declared: str) -> list[Piece]:
    """Undo the transfer encoding of a text, and keep what else stands there. What was put together
    out of several pieces is several: each may be in a charset of its own.
    """
    if _named(encoding) == _BASE64:
        return _from_base64(written, declared)
    return [unpacked(written, encoding)]


def _from_base64(written: bytes, declared: str) -> list[Piece]:
    """Decode the lines that are encoded, and keep those that somebody wrote between them. Where it
    is not sure which are which, what else they may say stands below.
    """
    lines, whole = [line for line in written.splitlines() if line.strip()], from_base64(written)
    odd = _odd(lines)
    is_encoded = _is_sound if is_wide(declared) else _is_encoded
    if all(map(is_encoded, lines)) and not any(odd) and _is_text(b"".join(whole), declared):
        return [*whole]
    sound = [not strange and _is_sound(line) for line, strange in zip(lines, odd, strict=True)]
    # Of a character's two bytes, one may be in this line and one in the next.
    if is_wide(declared) or 2 * sum(map(len, compress(lines, sound))) < len(b"".join(lines)):
        return _doubtful(lines, declared)
    groups = [
        (is_sound, [line for _, line in run])
        for is_sound, run in groupby(zip(sound, lines, strict=True), itemgetter(0))
    ]
    said: list[Piece] = []
    for is_sound, part in groups:
        said += _run(part, declared) if is_sound else _one_by_one(part, declared)
    return [*said, _across(groups, read(said, declared), declared)]


def _across(groups: list[tuple[bool, list[bytes]]], known: str, declared: str) -> str:
    """Return what is read only if odd lines go on where the one before them ends, and the one after
    them where they end.
    """
    parts = [[], *(part for _, part in groups), []]
    joined = [
        b"".join([*before[-1:], *odd, *after[:1]])
        for (is_sound, odd), before, after in zip(groups, parts, parts[2:], strict=False)
        if not is_sound
    ]
    return unseen_lines(
        "\n".join(said for each in joined for said in _decoded(each, declared)), known
    )


def _odd(lines: list[bytes]) -> list[bool]:
    """Say which lines end before the others do, and end neither all nor a piece of it."""
    full = max(map(len, lines), default=0)
    last = len(lines) - 1
    return [
        len(line) < full and not line.endswith(b"=") and (place < last or before < full)
        for place, (line, before) in enumerate(zip(lines, [full, *map(len, lines)], strict=False))
    ]


def _run(lines: list[bytes], declared: str) -> list[Piece]:
    """Decode lines that can be; if they read badly they may mean what they look like."""
    decoded = b"".join(from_base64(b"".join(lines)))
    # A character that began before, or goes on after, is none.
    text = _strictly(decoded, declared)[3:-1]
    if len(b"".join(lines)) >= _FULL and _NOTHING.search(text) is None:
        return [decoded, b"\n"]
    return _doubtful(lines, declared)


def _one_by_one(lines: list[bytes], declared: str) -> list[Piece]:
    return [said for line in lines for said in _doubtful([line], declared)]


def _doubtful(lines: list[bytes], declared: str) -> list[Piece]:
    """Keep lines as they stand, and below them what they may be. Whoever writes between encoded
    lines does so in a charset that has ASCII.
    """
    stand = [line + b"\n" for line in lines]
    below = [f"{said}\n" for said in _decoded(b"".join(lines), declared)]
    return [*(map(unicode_of, stand) if is_wide(declared) else stand), *below]


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


def _decoded(encoded: bytes, declared: str) -> list[str]:
    """Return what can be read of it; what was decoded to nothing stands between. Whatever is
    declared, characters in a row are UTF-8 if they can be: by chance none are.
    """
    written = b"".join(from_base64(encoded))
    read = _NOTHING.split(_strictly(written, declared))
    surely = _NOTHING.split(written.decode("utf-8", "replace"))
    said = [each for each in read if len(squeezed(each)) > 1]
    said += [each for each in surely if _IN_A_ROW.search(each) and each not in read]
    return said


def _from_uu(written: bytes) -> bytes:
    lines = written.partition(b"\nend")[0].splitlines()
    try:
        begin = next(place for place, line in enumerate(lines) if line.startswith(b"begin "))
        return b"".join(binascii.a2b_uu(line) for line in lines[begin + 1 :])
    except (StopIteration, binascii.Error):
        return written


_UNDO: Mapping[str, Callable[[bytes], bytes]] = {
    _BASE64: lambda written: b"".join(from_base64(written)),
    "quoted-printable": quopri.decodestring,
    "uu": _from_uu,
}
