"""A picture as marks on a sheet, before anybody says what it is shown on: a page, or paper.

Marks are coloured by what they are for, so that the page's own colours count, in light and in dark;
what only colour would tell apart is told apart by its shape as well.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

WIDTH = 480.0
"""Units of a sheet. A letter of ``SIZE`` can be read where a telephone shows it at 360 points."""
SIZE = 13.0
"""Height of the letters, in units."""

Anchor = Literal["start", "middle", "end"]


class Ink(StrEnum):
    """What a mark is for."""

    TEXT = "text"
    SOFT = "soft"
    GRID = "grid"
    GOAL = "goal"
    FIRST = "first"
    SECOND = "second"
    THIRD = "third"


SERIES = (Ink.FIRST, Ink.SECOND, Ink.THIRD)
"""Of as many lines as one tells apart in one picture."""
DASHES: Mapping[Ink, tuple[float, float]] = {
    Ink.SECOND: (6.0, 3.0),
    Ink.THIRD: (2.0, 3.0),
    Ink.GOAL: (1.0, 3.0),
}
"""Lengths of line and gap, where a line is not drawn through."""


@dataclass(frozen=True)
class Words:
    """A text; ``y`` is the line it stands on."""

    x: float
    y: float
    said: str
    ink: Ink = Ink.TEXT
    anchor: Anchor = "start"


@dataclass(frozen=True)
class Box:
    """A filled rectangle, from its upper left corner."""

    x: float
    y: float
    width: float
    height: float
    ink: Ink


@dataclass(frozen=True)
class Line:
    """A line through its points."""

    points: Sequence[tuple[float, float]]
    ink: Ink


@dataclass(frozen=True)
class Dot:
    """A point that was measured."""

    x: float
    y: float
    ink: Ink


Mark = Words | Box | Line | Dot


@dataclass(frozen=True)
class Drawing:
    """A sheet of ``WIDTH`` by ``height`` units. ``title`` says what it shows, ``summary`` what can
    be seen there, to whoever cannot see it.
    """

    title: str
    summary: str
    height: float
    marks: Sequence[Mark]


def breadth(text: str) -> float:
    """Return about how wide a text is, in units: a Chinese character is as wide as it is high."""
    letters = (1.0 if unicodedata.east_asian_width(each) in "WF" else 0.58 for each in text)
    return SIZE * sum(letters)


def shortened(text: str, room: float) -> str:
    """Cut a text to its room, and say that it was cut."""
    if breadth(text) <= room:
        return text
    while text and breadth(f"{text}…") > room:
        text = text[:-1]
    return f"{text}…"
