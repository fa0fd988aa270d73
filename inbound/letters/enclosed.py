"""The files that a letter brought: photographs, also those within its text, and those of letters
that it passes on.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from inbound.letters import bluntly, parts
from inbound.letters.said import Attached

_MOST = 200
"""Files whose content is looked at: whatever comes after them comes to nothing but its name."""
_NAMELESS = re.compile(r"([\w.+-]+)/[\w.+-]+")


class Enclosed(NamedTuple):
    """A file of a letter; its ``content`` is None if it is one of far too many. ``read``: its words
    stand in the letter's text.
    """

    name: str
    content: bytes | None
    read: bool = False


def in_letter(raw: bytes) -> list[Enclosed]:
    """Take the files out of a letter, in its order; nothing in it makes this fail."""
    try:
        attached = parts.said_in(raw).attached
    except Exception:  # noqa: BLE001  as letters are read
        attached = bluntly.said_in(raw).attached
    files = [each for each in attached if each.content]
    return [
        Enclosed(_called(each.name), _content(each) if place < _MOST else None, each.read)
        for place, each in enumerate(files)
    ]


def _called(name: str) -> str:
    """Call a file without a name by what it is said to be: image, video."""
    kind = _NAMELESS.fullmatch(name)
    return kind[1] if kind else name


def _content(file: Attached) -> bytes:
    try:
        return file.content() if file.content else b""
    except Exception:  # noqa: BLE001  the library trips over much; it is broken, and said to be
        return b""


def packed(files: Sequence[Enclosed]) -> bytes:
    """Write files one after the other, to be read by ``unpacked``."""
    head = [
        (name, None if content is None else len(content), read) for name, content, read in files
    ]
    return json.dumps(head).encode() + b"\n" + b"".join(each.content or b"" for each in files)


def unpacked(written: bytes) -> list[Enclosed]:
    """Read what ``packed`` wrote."""
    head, _, contents = written.partition(b"\n")
    return list(_unpacked(json.loads(head), contents))


def _unpacked(head: Sequence[tuple[str, int | None, bool]], contents: bytes) -> Iterator[Enclosed]:
    place = 0
    for name, length, read in head:
        content = None if length is None else contents[place : place + length]
        place += length or 0
        yield Enclosed(name, content, read)
