"""What some programs wrap a letter in: Outlook's own format (TNEF), and signatures around all of it
(CMS, RFC 5652). Only what is told by their outermost structure is read.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from inbound.letters.charsets import unicode_of
from inbound.letters.said import Attached, Said, text_of

_TNEF = b"\x78\x9f\x3e\x22"
_BODY, _FILE, _FILENAME, _CODEPAGE = 0x800C, 0x800F, 0x8010, 0x9007
_OID, _OCTETS, _NOTHING = 0x06, 0x04, 0x00
_PKCS7 = bytes.fromhex("2a864886f70d0107")
_DATA, _SIGNED = _PKCS7 + b"\x01", _PKCS7 + b"\x02"


def tnef_in(written: bytes) -> Said:
    """Read the text of a winmail.dat, if it has plain text, and what files are in it."""
    text, codepage = "", ""
    files: list[dict[int, bytes]] = []
    for name, value in _attributes(written):
        if name == _CODEPAGE:
            codepage = f"cp{int.from_bytes(value[:4], 'little')}"
        elif name == _BODY:
            text = text_of([value.rstrip(b"\x00")], codepage)
        elif name in (_FILENAME, _FILE):
            if not files or name in files[-1]:  # of the next one
                files.append({})
            files[-1][name] = value
    return Said(text, tuple(filter(None, (_attached(each, codepage) for each in files))))


def _attached(file: dict[int, bytes], codepage: str) -> Attached | None:
    called = unicode_of(file.get(_FILENAME, b"").rstrip(b"\x00"), codepage)
    name = " ".join(called.split())
    return Attached(name, partial(bytes, file.get(_FILE, b""))) if name else None


def _attributes(written: bytes) -> Iterator[tuple[int, bytes]]:
    place = 6 if written.startswith(_TNEF) else len(written)
    while place + 9 <= len(written):
        name = int.from_bytes(written[place + 1 : place + 3], "little")
        begin = place + 9
        end = begin + int.from_bytes(written[place + 5 : begin], "little")
        yield name, written[begin:end]
        place = end + 2  # a sum of its bytes


def signed_in(written: bytes) -> bytes:
    """Return what is signed, if it is in there and not encrypted; else nothing."""
    content: list[bytes] = []
    seen: list[bytes] = []
    for tag, value in _primitives(written):
        if tag == _OID:
            seen.append(value)
        elif tag == _OCTETS and seen[:1] == [_SIGNED] and seen[-1] == _DATA:
            content.append(value)
        elif content and tag != _NOTHING:  # in one piece, or in several on end
            break
    return b"".join(content)


def _primitives(written: bytes) -> Iterator[tuple[int, bytes]]:
    """Go through what is not made of other things, in order."""
    place = 0
    while place + 2 <= len(written):
        tag, length, place = written[place], written[place + 1], place + 2
        if length > 0x80:
            begin, place = place, place + length - 0x80
            length = int.from_bytes(written[begin:place], "big")
        if tag & 0x20:  # made of others, which follow
            continue
        yield tag, written[place : place + length]
        place += length
