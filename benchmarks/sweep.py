"""Every minute of a year, asked of a calendar of ours and of the minute walk."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from time import perf_counter
from typing import Any

from benchmarks.cases import YEAR, Facts, midnight
from benchmarks.oracle import MinuteWalk, year_walk
from domain.calendars.calendar import WorkingCalendar

BUDGETS = tuple(timedelta(minutes=minutes) for minutes in (1, 30, 180, 450, 1320))
"""From a minute over a morning (180) and a day (450) of the desk's to its 22 hours."""


@dataclass(frozen=True)
class Swept:
    """How a sweep ended: ``first_error`` is empty when there was none."""

    name: str
    minutes: int
    checks: int
    errors: int
    first_error: str
    seconds: float


def sweep(facts: Facts, step: int) -> Swept:
    """Compare every ``step``-th minute of the local year; the walk itself is not in the time."""
    walk = year_walk(facts)
    first = midnight(date(YEAR, 1, 1), facts.zone)
    minutes = range(0, (midnight(date(YEAR + 1, 1, 1), facts.zone) - first) // _MINUTE, step)
    errors, checks, first_error = 0, 0, ""
    began = perf_counter()
    calendar = facts.calendar()
    for minute in minutes:
        for asked, answer, truth in _checks(calendar, walk, first, first + minute * _MINUTE):
            checks += 1
            if answer != truth:
                errors += 1
                first_error = first_error or f"{asked}: {answer}, right: {truth}"
    return Swept(facts.name, len(minutes), checks, errors, first_error, perf_counter() - began)


_MINUTE = timedelta(minutes=1)


def _checks(
    calendar: WorkingCalendar, walk: MinuteWalk, first: datetime, at: datetime
) -> Iterator[tuple[str, Any, Any]]:
    yield f"is_open {at}", calendar.is_open(at), walk.is_open(at)
    yield f"next_opening {at}", calendar.next_opening(at).at, walk.next_opening(at)
    yield (
        f"working_between {first} {at}",
        calendar.working_between(first, at),
        walk.working_between(first, at),
    )
    for budget in BUDGETS:
        yield (
            f"due_after {at} {budget}",
            calendar.due_after(at, budget).at,
            walk.due_after(at, budget),
        )
    yield (
        f"due_before {at} {BUDGETS[-1]}",
        calendar.due_before(at, BUDGETS[-1]).at,
        walk.due_before(at, BUDGETS[-1]),
    )
