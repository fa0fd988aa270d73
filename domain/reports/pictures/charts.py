"""Bars, columns and lines of figures. What has no data is said to have none, and not drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from domain.reports.pictures.drawing import (
    SERIES,
    SIZE,
    WIDTH,
    Box,
    Dot,
    Drawing,
    Ink,
    Line,
    Mark,
    Words,
    breadth,
    shortened,
)

_Scale = Callable[[float], float]

_ROW = 26.0
_THICK = 16.0
_GAP = 8.0
_PLOT = 150.0
"""Height of what is drawn upright."""
_TOP = 2 * SIZE
_MOST_LABELLED = 8
"""Columns that can each have their figure above; of more only the highest has."""


@dataclass(frozen=True)
class Measured:
    """What is drawn: how high, and how that is said; without a height there is no data. Only lines
    go below nought.
    """

    name: str
    height: float | None
    said: str


@dataclass(frozen=True)
class Course:
    """How one thing went, a point for each name below; None: no data then."""

    name: str
    points: Sequence[Measured]


@dataclass(frozen=True)
class Goal:
    """What is to be reached, as a line across."""

    height: float
    said: str


def bars(title: str, rows: Sequence[Measured], summary: str) -> Drawing:
    """Draw a bar a row, one below the other: for what is called by names."""
    left = min(WIDTH * 0.4, max((breadth(each.name) for each in rows), default=0.0)) + _GAP
    right = min(WIDTH * 0.3, max((breadth(each.said) for each in rows), default=0.0)) + _GAP
    long = _scale((each.height for each in rows), WIDTH - left - right)
    marks: list[Mark] = []
    for place, row in enumerate(rows):
        top = place * _ROW
        line = top + _ROW / 2 + SIZE * 0.36
        end = left + long(max(row.height or 0.0, 0.0))
        marks.append(Words(left - _GAP, line, shortened(row.name, left), anchor="end"))
        if row.height and row.height > 0:
            thick = (_ROW - _THICK) / 2
            marks.append(Box(left, top + thick, max(end - left, 1.0), _THICK, Ink.FIRST))
        marks.append(Words(end + _GAP / 2, line, shortened(row.said, right), _said_in(row)))
    return Drawing(title, summary, max(len(rows), 1) * _ROW, marks)


def columns(title: str, rows: Sequence[Measured], summary: str) -> Drawing:
    """Draw a column a row, side by side: for what has an order, as hours have."""
    step = WIDTH / max(len(rows), 1)
    high = _scale((each.height for each in rows), _PLOT)
    ground = _TOP + _PLOT
    highest = max((each.height or 0.0 for each in rows), default=0.0)
    marks: list[Mark] = [Line([(0, ground), (WIDTH, ground)], Ink.GRID)]
    thick = min(step * 0.7, 3 * _THICK)
    for place, row in enumerate(rows):
        middle, tall = (place + 0.5) * step, high(max(row.height or 0.0, 0.0))
        if row.height and row.height > 0:
            marks.append(Box(middle - thick / 2, ground - tall, thick, tall, Ink.FIRST))
        if len(rows) <= _MOST_LABELLED or (row.height and row.height == highest):
            at = _inside(middle, row.said)
            marks.append(Words(at, ground - tall - 5, row.said, _said_in(row), "middle"))
            highest = highest if len(rows) <= _MOST_LABELLED else float("inf")
    marks += _names([each.name for each in rows], step, ground)
    return Drawing(title, summary, ground + 1.6 * SIZE, marks)


def lines(title: str, courses: Sequence[Course], summary: str, goal: Goal | None = None) -> Drawing:
    """Draw how things went over time, each line named where it ends. A gap is a time without data.

    Raises:
        ValueError: more lines than can be told apart.
    """
    if len(courses) > len(SERIES):
        raise ValueError(f"{len(courses)} lines in one picture: nobody tells more than 3 apart")
    names = [each.name for each in courses[0].points] if courses else []
    step = WIDTH / max(len(names), 1)
    heights = [p.height for each in courses for p in each.points] + [goal.height if goal else None]
    low = min((each for each in heights if each is not None), default=0.0)
    low = min(low, 0.0)
    whole = _scale((each - low for each in heights if each is not None), _PLOT)
    legend = 1.5 * SIZE * (len(courses) if len(courses) > 1 else 0)
    ground = _TOP + legend + _PLOT
    nought = ground - whole(-low)
    marks: list[Mark] = [Line([(0, nought), (WIDTH, nought)], Ink.GRID)]
    if goal:
        level = nought - whole(goal.height)
        marks.append(Line([(0, level), (WIDTH, level)], Ink.GOAL))
        words = level + SIZE if _mostly_over(goal, courses) else level - 4
        marks.append(Words(WIDTH, words, goal.said, Ink.SOFT, "end"))
    for place, (course, ink) in enumerate(zip(courses, SERIES, strict=False)):
        if legend:
            line = (place + 0.75) * 1.5 * SIZE
            marks.append(Line([(0, line - 4), (28, line - 4)], ink))
            marks.append(Words(36, line, f"{course.name}  {course.points[-1].said}"))
        marks += _course(course, ink, step, nought, whole, labelled=not legend)
    marks += _names(names, step, ground)
    return Drawing(title, summary, ground + 1.6 * SIZE, marks)


def _mostly_over(goal: Goal, courses: Sequence[Course]) -> bool:
    """Say whether lines end above a goal, whose name then stands below it."""
    last = [p.height for each in courses for p in each.points[-3:] if p.height is not None]
    return sum(height >= goal.height for height in last) * 2 > len(last)


def _course(
    course: Course, ink: Ink, step: float, nought: float, high: _Scale, *, labelled: bool
) -> list[Mark]:
    marks: list[Mark] = []
    drawn: list[tuple[float, float]] = []
    for place, point in enumerate([*course.points, Measured("", None, "")]):
        if point.height is None:
            marks += [Line(drawn, ink)] if len(drawn) > 1 else []
            drawn = []
            continue
        at = ((place + 0.5) * step, nought - high(point.height))
        drawn.append(at)
        marks.append(Dot(*at, ink))
        last = place == len(course.points) - 1
        if labelled and (last or len(course.points) <= _MOST_LABELLED):
            marks.append(Words(_inside(at[0], point.said), at[1] - 7, point.said, anchor="middle"))
    return marks


def _names(names: Sequence[str], step: float, ground: float) -> list[Mark]:
    """Write below what there is to see, and leave out as many names as there is no room for."""
    widest = max((breadth(each) for each in names), default=0.0) + _GAP / 2
    every = max(1, -int(-widest // step)) if names else 1
    return [
        Words(_inside((place + 0.5) * step, name), ground + 1.3 * SIZE, name, Ink.SOFT, "middle")
        for place, name in enumerate(names)
        if place % every == 0
    ]


def _scale(heights: Iterable[float | None], room: float) -> _Scale:
    """Say how much of the room a height takes; the highest takes all of it."""
    highest = max((each for each in heights if each is not None), default=0.0)
    return lambda height: room * (height / highest) if highest > 0 else 0.0


def _inside(middle: float, said: str) -> float:
    half = breadth(said) / 2
    return min(max(middle, half), WIDTH - half)


def _said_in(row: Measured) -> Ink:
    return Ink.SOFT if row.height is None else Ink.TEXT
