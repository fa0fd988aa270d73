"""What people write: what of it is no text at all, and whether there is anything to see in it.

Models clean what they read, also what was kept before there were such rules: they never refuse it.
To refuse what shows nothing is for the doors, ``unseen``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping

from pydantic import BaseModel

# Of what one writes, these are no part: breaks of lines that few programs know as such, characters
# that turn the reading direction of what follows, and controls (PostgreSQL refuses NUL itself).
_BREAKS = frozenset(map(ord, "\x0b\x0c\x85\u2028\u2029"))
_TURNING = frozenset({*range(0x202A, 0x202F), *range(0x2066, 0x206A)})
_CONTROLS = frozenset({*range(0x01, 0x20), *range(0x7F, 0xA0)}) - set(map(ord, "\t\n\r"))
_IN_A_TEXT: Mapping[int, str | None] = {
    code: "\n" if code in _BREAKS else None for code in _BREAKS | _CONTROLS | _TURNING
}
_IN_A_LINE: Mapping[int, str | None] = {
    code: " " if code in _BREAKS else None for code in _IN_A_TEXT if code >= 0x7F
}
_FILLERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Blank, and yet letters or symbols to Unicode: the Hangul fillers, the Braille pattern without
dots.
"""
_BLANK = frozenset({"Cc", "Cf", "Mn", "Me", "Zs", "Zl", "Zp"})
"""Unicode's categories of what shows nothing by itself."""


def can_be_seen(text: str) -> bool:
    """Say whether a text has anything in it to see: not only spaces, controls, joiners, marks."""
    return any(unicodedata.category(each) not in _BLANK and each not in _FILLERS for each in text)


def _cleaned(table: Mapping[int, str | None]) -> Callable[[object], object]:
    """Leave out what is no part of a text. One that would be nothing then stays as it is: it may
    have been taken before, and the doors refuse it (``unseen``).
    """
    odd = re.compile(f"[{re.escape(''.join(map(chr, table)))}]")

    def clean(text: object) -> object:
        if not isinstance(text, str) or not odd.search(text):
            return text
        rest = text.translate(table)
        return rest if can_be_seen(rest) else text

    return clean


clean, clean_line = _cleaned(_IN_A_TEXT), _cleaned(_IN_A_LINE)
"""A text, and one of one line, where a break is a space; what else has no place there is left to be
refused.
"""


def nothing_if_blank(text: object) -> object:
    """Take a text that shows nothing for none."""
    return "" if isinstance(text, str) and not can_be_seen(text) else text


def unseen(said: BaseModel, within: str = "") -> Iterator[str]:
    """Name the texts of what came in at a door that are written and yet show nothing, each with
    what to do: they are missing as much as empty ones.
    """
    for name, value in said:
        if isinstance(value, BaseModel):
            yield from unseen(value, f"{within}{name}.")
        elif isinstance(value, str) and value and not can_be_seen(value):
            yield f"{within}{name}: there is nothing to see in it, write it in characters that show"
