"""Files that hold others: by the names of what is in them one tells what they are. Only directories
are read, as far as they are of a size that can be; nothing is unpacked.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Protocol

_ZIP_END = b"PK\x05\x06"
_ZIP_ENTRY = b"PK\x01\x02"
_END = struct.Struct("<4s4H2LH")
_LONGEST_COMMENT = 65_535
_LARGEST_DIRECTORY = 1024**2
"""Bytes: ten thousand entries. A document has some hundreds at most."""

OLE = bytes.fromhex("d0cf11e0a1b11ae1")
_ENTRY = 128
_SECTORS = 1024
"""Of a directory: thousands of entries. A document has a dozen."""
_LISTED = range(76, 512, 4)
"""Where the header says in which sectors the table of sectors is."""
_NO_SECTOR = 0xFFFFFFFA


class Content(Protocol):
    """What is in a file: its bytes, or the file mapped into memory."""

    def __len__(self) -> int: ...  # pragma: no cover

    def __getitem__(self, place: slice, /) -> bytes: ...  # pragma: no cover


def in_zip(content: Content) -> frozenset[str]:
    """Name what a ZIP has in it; nothing if it is not one from its first byte to its last: then
    something else is there as well.
    """
    begin = max(0, len(content) - _END.size - _LONGEST_COMMENT)
    tail = content[begin:]
    end = tail.rfind(_ZIP_END)
    if end < 0 or end + _END.size > len(tail):
        return frozenset()
    *_, size, offset, comment = _END.unpack_from(tail, end)
    whole = end + _END.size + comment == len(tail) and offset + size == begin + end
    if not whole or size > _LARGEST_DIRECTORY:
        return frozenset()
    return frozenset(_zip_entries(content[offset : offset + size]))


def _zip_entries(directory: bytes) -> Iterator[str]:
    place = 0
    while directory[place : place + 4] == _ZIP_ENTRY:
        name, extra, comment = (_number(directory, place + at, 2) for at in (28, 30, 32))
        place += 46
        yield directory[place : place + name].decode("utf-8", "replace")
        place += name + extra + comment


def in_ole(content: Content) -> frozenset[str]:
    """Name what a compound file has in it: Word, Excel and PowerPoint of before 2007 (MS-CFB)."""
    head = content[:512]
    shift = _number(head, 30, 2)
    if shift not in (9, 12):
        return frozenset()
    return frozenset(_ole_entries(content, head, shift))


def _ole_entries(content: Content, head: bytes, shift: int) -> Iterator[str]:
    sector, size = _number(head, 48, 4), 1 << shift
    tables = [_number(head, at, 4) for at in _LISTED]
    for _ in range(_SECTORS):
        if sector >= _NO_SECTOR:
            return
        begin = (sector + 1) << shift
        block = content[begin : begin + size]
        for at in range(0, len(block), _ENTRY):
            length = _number(block, at + 64, 2)
            if 2 < length <= 64:
                yield block[at : at + length - 2].decode("utf-16-le", "replace")
        table, place = divmod(sector, size // 4)
        if table >= len(tables) or not block:
            return
        begin = ((tables[table] + 1) << shift) + 4 * place
        sector = _number(content[begin : begin + 4], 0, 4, _NO_SECTOR)


def _number(written: bytes, place: int, length: int, nothing: int = 0) -> int:
    said = written[place : place + length]
    return int.from_bytes(said, "little") if said else nothing
