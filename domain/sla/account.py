"""Accounts of a calendar's days: when something is due and why, and what a month looks like.

A due instant is right or wrong by the calendar alone; an account lists what was counted so that a
person can check it on paper. No line of it is folded or left out: that is for whoever shows it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from enum import StrEnum
from itertools import groupby
from types import MappingProxyType
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from pydantic import Field

from domain import vocabulary
from domain.calendars.calendar import DayReason, Hours, WorkingCalendar
from domain.calendars.periods import Ends, Period, WorkingDays, WrittenPeriod
from domain.calendars.timeline import midnight
from domain.sla.clock import Clock, Counting
from domain.vocabulary import Code, Instant, Model, Zone

_ONE_DAY = timedelta(days=1)
_DECEMBER = 12


class DayKind(StrEnum):
    """What a day is, to a person who plans by it."""

    WORKING = "working"
    CLOSED = "closed"
    HOLIDAY = "holiday"
    MAKEUP = "makeup"
    EXCEPTION = "exception"


_NAMED: Mapping[DayReason, DayKind] = MappingProxyType(
    {
        DayReason.OVERRIDE: DayKind.EXCEPTION,
        DayReason.MAKEUP_WORKDAY: DayKind.MAKEUP,
        DayReason.HOLIDAY: DayKind.HOLIDAY,
    }
)


class Day(Model):
    """A local day: its hours, which rule decided them, and whether a notice covers it (R32)."""

    day: date
    reason: DayReason
    hours: Hours
    announced: bool

    @property
    def kind(self) -> DayKind:
        """Say what the day is: by what decided its hours, or else by whether it has any."""
        usual = DayKind.WORKING if self.hours else DayKind.CLOSED
        return _NAMED.get(self.reason, usual)

    @property
    def is_nothing(self) -> bool:
        """Say whether nothing was open and nothing counted: such days may be shown as one."""
        return not self.hours


AnyDay = TypeVar("AnyDay", bound=Day)


class Interval(Model):
    """Time that was counted: real instants, from ``begin`` up to ``end``."""

    begin: Instant
    end: Instant


class Line(Day):
    """What a day gave to the account: its number among the working days that were counted, or the
    time that was counted on it. ``None`` where the period is not in days, or not in time.
    """

    number: int | None = None
    counted: timedelta | None = None
    intervals: tuple[Interval, ...] = ()

    @property
    def is_nothing(self) -> bool:
        """Elapsed time counts on closed days, too."""
        return not self.hours and not self.counted


class _OfCalendar(Model):
    """Which calendar an account is of, and which days it knows for certain (R32)."""

    calendar: vocabulary.Line
    zone: Zone
    national: Code | None
    announced_from: date | None
    announced_until: date | None
    foreseen_until: date | None = Field(
        default=None, description="beyond it not even the days off by law are known (R32)"
    )

    def to_announce(self, days: Iterable[date]) -> tuple[int, ...]:
        """Name the years whose notices would make firm these days, which are not announced."""
        return tuple(sorted({year for day in days for year in self._notices(day)}))

    def _notices(self, day: date) -> Iterator[int]:
        """A year's own notice; and for its last days, if notices move these, that of the next."""
        until = self.announced_until
        known = until is not None and day.year <= until.year
        if not known or (self.announced_from and day < self.announced_from):
            yield day.year
        moved = date(until.year, 12, 31) - until if until and until.month == _DECEMBER else None
        if moved and until and date(day.year, 12, 31) - day < moved and day.year >= until.year:
            yield day.year + 1


class Account(_OfCalendar):
    """When a period is over, and why: every local day from its start to the one that decided.

    Periods in time: the ``counted`` of all lines is the period. In working days: the last line has
    the period's number; the first is the day it starts, which is not counted (R31).
    """

    start: Instant
    period: WrittenPeriod
    clock: Counting
    ends: Ends
    due_at: Instant
    provisional: bool = Field(description="a day was needed that no notice covers (R32)")
    lines: tuple[Line, ...]

    @property
    def total(self) -> timedelta:
        """Return the time counted on all days; nothing for a period in working days."""
        return sum((line.counted or timedelta() for line in self.lines), timedelta())

    @property
    def years_to_announce(self) -> tuple[int, ...]:
        """Name the years whose notices would make a provisional instant firm. Days that are counted
        from the next on do not ask what kind of day the first is (R31).
        """
        from_the_next = self.lines[-1].number is not None and self.ends == "close"
        needed = self.lines[1:] if from_the_next else self.lines
        return self.to_announce(line.day for line in needed if not line.announced)


class Month(_OfCalendar):
    """A month of a calendar; ``working`` is real time, so a change of the clock shows in it."""

    first: date
    days: tuple[Day, ...]
    working_days: int
    working: timedelta


def account(
    calendar: WorkingCalendar,
    start: datetime,
    period: Period,
    clock: Counting = "working",
    ends: Ends = "close",
) -> Account:
    """Say when ``period`` is over that begins at ``start``, and list what was counted.

    ``clock`` matters to periods in time, ``ends`` to those in working days.

    Raises:
        ValueError: ``start`` has no time zone.
        CalendarExhausted: the calendar has fewer open hours than the period needs.
    """
    due = Clock(calendar, clock).after(start, period, ends)
    if isinstance(period, WorkingDays):
        begins = start if ends == "close" else calendar.next_opening(start).at
        lines = _numbered(calendar, start, begins, period.days)
    elif clock == "elapsed":
        lines = _timed(calendar, start, _elapsed(calendar, start, due.at))
    else:
        lines = _timed(calendar, start, _working(calendar, start, due.at))
    return Account(
        **_identity(calendar),
        start=start,
        period=period,
        clock=clock,
        ends=ends,
        due_at=due.at,
        provisional=due.provisional,
        lines=lines,
    )


def runs(days: Iterable[AnyDay]) -> Iterator[list[AnyDay]]:
    """Take days on which nothing was that follow each other for the same reason together."""

    def alike(day: Day) -> object:
        return (day.reason, day.announced) if day.is_nothing else day.day

    return (list(run) for _, run in groupby(days, key=alike))


def month(calendar: WorkingCalendar, first: date) -> Month:
    """Describe the month that begins on ``first``."""
    following = (first.replace(day=28) + 4 * _ONE_DAY).replace(day=1)
    days = tuple(_day(calendar, day) for day in _days(first, following - _ONE_DAY))
    return Month(
        **_identity(calendar),
        first=first,
        days=days,
        working_days=calendar.working_days(first, following - _ONE_DAY),
        working=calendar.working_between(
            _midnight(calendar, first), _midnight(calendar, following)
        ),
    )


def _identity(calendar: WorkingCalendar) -> dict[str, Any]:
    about = ("zone", "national", "announced_from", "announced_until", "foreseen_until")
    return {"calendar": calendar.name} | {name: getattr(calendar, name) for name in about}


def _numbered(
    calendar: WorkingCalendar, start: datetime, begins: datetime, days: int
) -> tuple[Line, ...]:
    """List the days up to the last of so many working days; that on which the period ``begins`` is
    not counted.
    """
    first, begun = calendar.local_day(start), calendar.local_day(begins)
    open_days = (day for day, _ in _by_day(calendar, _midnight(calendar, begun + _ONE_DAY)))
    numbers = {day: n for n, day in zip(range(1, days + 1), open_days, strict=False)}
    return tuple(
        Line(**dict(_day(calendar, day)), number=numbers.get(day))
        for day in _days(first, max(numbers))
    )


def _timed(
    calendar: WorkingCalendar, start: datetime, counted: Iterator[tuple[date, Interval]]
) -> tuple[Line, ...]:
    """List the days up to the last on which something was counted."""
    by_day = {
        day: tuple(interval for _, interval in found)
        for day, found in groupby(counted, key=lambda each: each[0])
    }
    return tuple(
        Line(
            **dict(_day(calendar, day)),
            counted=sum((each.end - each.begin for each in by_day.get(day, ())), timedelta()),
            intervals=by_day.get(day, ()),
        )
        for day in _days(calendar.local_day(start), max(by_day))
    )


def _working(
    calendar: WorkingCalendar, start: datetime, due: datetime
) -> Iterator[tuple[date, Interval]]:
    for day, spans in _by_day(calendar, start):
        for opening, closing in spans:
            if opening >= due:
                return
            yield day, Interval(begin=opening, end=min(closing, due))


def _elapsed(
    calendar: WorkingCalendar, start: datetime, due: datetime
) -> Iterator[tuple[date, Interval]]:
    for day in _days(calendar.local_day(start), calendar.local_day(due)):
        begin = max(_midnight(calendar, day), start)
        end = min(_midnight(calendar, day + _ONE_DAY), due)
        if begin < end:  # midnight itself is the day before's; a day the zone left out has nothing
            yield day, Interval(begin=begin, end=end)


def _by_day(
    calendar: WorkingCalendar, at: datetime
) -> Iterator[tuple[date, Iterator[tuple[datetime, datetime]]]]:
    """Group the open intervals from ``at`` by the day whose hours they are. Asked by their end: one
    that begins at midnight may do so twice, when the clock is put back over it.
    """
    return groupby(
        calendar.open_spans(at), key=lambda span: calendar.local_day(span[1] - timedelta.resolution)
    )


def _day(calendar: WorkingCalendar, day: date) -> Day:
    since, until = calendar.announced_from, calendar.announced_until
    return Day(
        day=day,
        reason=calendar.reason(day),
        hours=calendar.hours_of(day),
        announced=(since is None or since <= day) and (until is None or day <= until),
    )


def _days(first: date, last: date) -> Iterator[date]:
    return (first + n * _ONE_DAY for n in range((last - first).days + 1))


def _midnight(calendar: WorkingCalendar, day: date) -> datetime:
    """First instant of a local day."""
    return midnight(day, ZoneInfo(calendar.zone))
