"""Working time: when a service centre is open and when a budget of working time runs out (R31-R33).

Instants are aware datetimes; results are UTC. Days are local days of the calendar's zone.

One rule turns local times into instants: a local time is the *first* instant at which the zone's
wall clock shows that time or a later one. A time skipped in spring is therefore the instant of the
change; a time shown twice in autumn is its first showing, and whatever is open (or closed) when
the clock is put back stays so until the clock has caught up. The rule never reverses the order of
two local times, so intervals that do not overlap on paper do not overlap in real time either.

Ours and no library's: those that come near know no make-up workdays, or count on the wall clock
when it changes (``benchmarks/calendars.py`` measures both).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import cached_property
from itertools import pairwise
from typing import Annotated, Any, Literal, NamedTuple, Self, get_args
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainSerializer,
    model_validator,
)

from domain.calendars.timeline import (
    FIRST_DAY,
    LAST_DAY,
    Interval,
    Timeline,
    WorkingDay,
    first_instant,
    midnight,
)
from domain.vocabulary import Code, Line, Model, Zone

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)

MINUTES_OF_A_DAY = 1440
_ONE_DAY, _NOTHING = timedelta(days=1), timedelta()
_BEGINNING, _END = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)

_INTERVAL = re.compile(r"(\d{2}):([0-5]\d)-(\d{2}):([0-5]\d)", re.ASCII)


class CalendarExhausted(LookupError):
    """The calendar has no open hour left in the direction searched."""


class Span(NamedTuple):
    """Open from ``start`` up to, but not at, ``end``: minutes of the local day, 1440 is 24:00."""

    start: int
    end: int

    def __str__(self) -> str:
        """Write it as it is read: ``09:00-12:00``."""
        (h, m), (to_h, to_m) = divmod(self.start, 60), divmod(self.end, 60)
        return f"{h:02}:{m:02}-{to_h:02}:{to_m:02}"


class DayReason(StrEnum):
    """Which rule decided a day's hours."""

    OVERRIDE = "override"
    MAKEUP_WORKDAY = "makeup_workday"
    HOLIDAY = "holiday"
    WEEKDAY = "weekday"


class Due(NamedTuple):
    """An instant (UTC) that came out of a calendar.

    ``provisional``: days that no national notice has announced yet were needed to compute it, so it
    is to be planned again when the next notice is loaded (R32).
    """

    at: datetime
    provisional: bool


def _read_span(value: object) -> object:
    if not isinstance(value, str):
        return value
    parts = _INTERVAL.fullmatch(value.strip())
    if parts is None:
        raise ValueError(
            f'"{value}" is no interval: write it like "09:00-12:00", the end of the day is 24:00'
        )
    hour, minute, to_hour, to_minute = map(int, parts.groups())
    return Span(hour * 60 + minute, to_hour * 60 + to_minute)


def _check_span(span: Span) -> Span:
    if span.start < 0 or span.end > MINUTES_OF_A_DAY:
        raise ValueError(f"{span} leaves the day: use 00:00 to 24:00")
    if span.end <= span.start:
        raise ValueError(
            f"{span} ends before it begins: split a night shift at 24:00, the next day's 00:00"
        )
    return span


def _check_order(spans: tuple[Span, ...]) -> tuple[Span, ...]:
    for earlier, later in pairwise(spans):
        if later.start < earlier.end:
            raise ValueError(
                f"{earlier} and {later} overlap or are out of order: list a day's hours in order"
            )
    return spans


def refuse_days_in_both(holidays: frozenset[date], makeup_workdays: frozenset[date]) -> None:
    """One day cannot be both; raises ``ValueError``."""
    if both := sorted(holidays & makeup_workdays):
        raise ValueError(f"{both[0]} is both a holiday and a make-up workday: keep one")


Hours = Annotated[
    tuple[
        Annotated[
            Span,
            BeforeValidator(_read_span),
            AfterValidator(_check_span),
            PlainSerializer(str, when_used="json"),
        ],
        ...,
    ],
    AfterValidator(_check_order),
]
"""A day's open intervals in order; ``()`` is closed. Also reads ``["09:00-12:00", …]``."""

# Sorted on the way out: the same calendar is the same JSON in every process.
Days = Annotated[frozenset[date], PlainSerializer(sorted, return_type=list[date], when_used="json")]


class WorkingCalendar(Model):
    """The hours of a service centre (R33) on the national working days (R32).

    What a day's hours are is decided by the first that applies: its override, make-up workday,
    holiday, its weekday. A weekday that ``week`` leaves out is closed.

    Every method that takes an instant raises ``ValueError`` for a naive one. Methods that search
    have no limit of days; they raise ``CalendarExhausted`` when no open hour is left.
    """

    name: Line
    zone: Zone
    week: dict[Weekday, Hours]
    holidays: Days = frozenset()
    makeup_workdays: Days = frozenset()
    makeup_hours_of: Weekday = Field(
        default="mon", description="the weekday whose hours a make-up workday has"
    )
    overrides: dict[date, Hours] = Field(
        default_factory=dict, description="the centre's own exceptions; () is closed"
    )
    national: Code | None = Field(
        default=None, description='the country whose notices it follows, such as "CN"'
    )
    announced_from: date | None = Field(
        default=None, description="first day the notices cover; None: all days before are known"
    )
    announced_until: date | None = Field(
        default=None, description="last day the notices cover; None: all days after are known"
    )
    foreseen_until: date | None = Field(
        default=None,
        description="last day of which at least the days off by law are known; None: as announced",
    )

    @model_validator(mode="after")
    def _can_be_worked_with(self) -> Self:
        refuse_days_in_both(self.holidays, self.makeup_workdays)
        if not any(self.week.values()) and not any(self.overrides.values()):
            raise ValueError(
                f"week: calendar {self.name} is never open: give at least one day its hours"
            )
        if self.makeup_workdays and not self.week.get(self.makeup_hours_of):
            raise ValueError(
                f"makeup_hours_of: {self.makeup_hours_of} is closed in calendar {self.name}: "
                "name a weekday whose hours make-up workdays have"
            )
        return self

    def model_copy(
        self,
        *,
        update: Mapping[str, Any] | None = None,
        deep: bool = False,  # noqa: ARG002 - a checked copy is always deep
    ) -> Self:
        """Copy with changes, checked like a new calendar: compiled days are not carried over."""
        return type(self).model_validate({**dict(self), **(update or {})})

    # Cached properties rather than private attributes: pydantic compares the latter, and two equal
    # calendars must stay equal however much each has been asked.
    @cached_property
    def _tz(self) -> ZoneInfo:
        return ZoneInfo(self.zone)

    @cached_property
    def _timeline(self) -> Timeline:
        if any(self.week.values()):
            return Timeline(self._tz, self.hours_of)
        opened = {day.year for day, hours in self.overrides.items() if hours}
        return Timeline(self._tz, self.hours_of, sorted(opened))

    @cached_property
    def _announced(self) -> Interval:
        """The announced days as instants; those that no notice bounds go on for ever."""
        first, last = self.announced_from, self.announced_until
        return (
            midnight(first, self._tz) if first and first > FIRST_DAY else _BEGINNING,
            midnight(last + _ONE_DAY, self._tz) if last and last < LAST_DAY else _END,
        )

    def local_day(self, at: datetime) -> date:
        """Say which local day ``at`` falls on."""
        return _utc(at, "at").astimezone(self._tz).date()

    def reason(self, day: date) -> DayReason:
        """Say which rule decides the hours of the local ``day``."""
        _refuse_instant(day, "day")
        if day in self.overrides:
            return DayReason.OVERRIDE
        if day in self.makeup_workdays:
            return DayReason.MAKEUP_WORKDAY
        return DayReason.HOLIDAY if day in self.holidays else DayReason.WEEKDAY

    def hours_of(self, day: date) -> tuple[Span, ...]:
        """Open intervals of the local ``day``, in minutes; ``()`` when closed."""
        reason = self.reason(day)
        if reason is DayReason.OVERRIDE:
            return self.overrides[day]
        if reason is DayReason.MAKEUP_WORKDAY:
            return self.week.get(self.makeup_hours_of, ())
        if reason is DayReason.HOLIDAY:
            return ()
        return self.week.get(WEEKDAYS[day.weekday()], ())

    def is_working_day(self, day: date) -> bool:
        """Whether the local ``day`` has any open time."""
        _refuse_instant(day, "day")
        return self.working_days(day, day) == 1

    def working_days(self, first: date, last: date) -> int:
        """Count the working days from ``first`` to ``last``, both counted.

        A day whose only hours are skipped by the clock is none. ``ValueError`` when ``last`` is
        before ``first``.
        """
        _refuse_instant(first, "first")
        _refuse_instant(last, "last")
        if last < first:
            raise ValueError(f"last: {last} is before first: {first}")
        return self._timeline.working_days(first, last)

    def is_open(self, at: datetime) -> bool:
        """Whether ``at`` lies in an open interval; the closing instant does not."""
        return self._timeline.is_open(_utc(at, "at"))

    def next_opening(self, at: datetime) -> Due:
        """``at`` itself when open, else the next opening instant."""
        at = _utc(at, "at")
        for opening, closing in self._timeline.intervals(at):
            return Due(opening, self._is_provisional(at, closing))
        raise self._exhausted(at)

    def due_after(self, start: datetime, working: timedelta) -> Due:
        """Find the earliest instant by which ``working`` open time has passed since ``start``.

        A budget that ends exactly at closing time is due at the closing instant, not at the next
        opening. A budget of zero is due at ``start`` itself, open or not.
        """
        start = _utc(start, "start")
        if not _budget(working):
            return Due(start, provisional=False)
        # What is more than all time to come is known to be so without a walk through it.
        due = self._timeline.due_after(start, working) if working <= _END - start else None
        if due is None:
            raise self._exhausted(start)
        return Due(due, self._is_provisional(start, due))

    def due_before(self, end: datetime, working: timedelta) -> Due:
        """Find the latest instant from which ``working`` open time passes until ``end``.

        The mirror image of ``due_after``: a budget of exactly one interval begins at its opening
        instant, a budget of zero at ``end`` itself.
        """
        end = _utc(end, "end")
        if not _budget(working):
            return Due(end, provisional=False)
        begun = self._timeline.due_before(end, working) if working <= end - _BEGINNING else None
        if begun is None:
            raise self._exhausted(end)
        return Due(begun, self._is_provisional(begun, end))

    def working_between(self, a: datetime, b: datetime) -> timedelta:
        """Open time from ``a`` to ``b`` in real elapsed time; ``ValueError`` when b is before a."""
        a, b = _utc(a, "a"), _utc(b, "b")
        if b < a:
            raise ValueError(f"b: {b.isoformat()} is before a: {a.isoformat()}")
        return self._timeline.working_between(a, b)

    def close_of_working_day(self, start: datetime, n: int) -> Due:
        """Closing instant of the ``n``-th working day after the local day of ``start`` (R31).

        The day of ``start`` is not counted, at whatever hour it starts. ``ValueError`` for n < 1.
        """
        found, provisional = self._working_day(start, n)
        return Due(found.intervals[-1][1], provisional)

    def opening_of_working_day(self, start: datetime, n: int) -> Due:
        """Opening instant of that same day: "called back tomorrow" begins here (R22)."""
        found, provisional = self._working_day(start, n)
        return Due(found.intervals[0][0], provisional)

    def same_time_on_working_day(self, start: datetime, n: int) -> Due:
        """Find the instant of that same day at which the clock shows the local time of ``start``.

        Where the day is shut at that time it is the last closing before, or the day's first
        opening if nothing closes before: no open time lies between either and that time.
        """
        found, provisional = self._working_day(start, n)
        wall = datetime.combine(found.day, start.astimezone(self._tz).time())
        at = first_instant(wall, self._tz)
        due = found.intervals[0][0]
        for opening, closing in found.intervals:
            if opening <= at:
                due = min(at, closing)
        return Due(due, provisional)

    def open_spans(self, at: datetime) -> Iterator[Interval]:
        """Open intervals (UTC) from ``at`` onwards, the first cut off at ``at``.

        Ends only if the calendar does. Intervals that meet at midnight come as two.
        """
        return self._timeline.intervals(_utc(at, "at"))

    def _working_day(self, start: datetime, n: int) -> tuple[WorkingDay, bool]:
        """Find the ``n``-th working day after that of ``start``; whether that is provisional."""
        if n < 1:
            raise ValueError(f"n: {n} is no number of working days: give 1 or more")
        begun = self.local_day(_utc(start, "start"))
        found = self._timeline.working_day(begun, n) if n <= (LAST_DAY - begun).days else None
        if found is None:
            raise self._exhausted(start)
        first, last = self.announced_from, self.announced_until
        unknown_before = first is not None and begun + _ONE_DAY < first
        return found, unknown_before or (last is not None and found.day > last)

    def _is_provisional(self, first: datetime, last: datetime) -> bool:
        """Whether time from ``first`` up to ``last`` lies on days that nobody has announced."""
        known_from, known_until = self._announced
        return first < known_from or last > known_until

    def _exhausted(self, at: datetime) -> CalendarExhausted:
        return CalendarExhausted(
            f"calendar {self.name} runs out of open hours counting from {at.isoformat()}: "
            "give its week hours, or add overrides"
        )


def _refuse_instant(day: date, argument: str) -> None:
    if isinstance(day, datetime):
        # A datetime is a date to Python, but equal to none: it would miss every holiday.
        raise TypeError(f"{argument}: {day.isoformat()} is an instant: pass local_day(at)")


def _utc(at: datetime, argument: str) -> datetime:
    if at.tzinfo is UTC:
        return at
    if at.utcoffset() is None:
        raise ValueError(f"{argument}: {at.isoformat()} has no time zone: pass an aware datetime")
    return at.astimezone(UTC)


def _budget(working: timedelta) -> timedelta:
    if working < _NOTHING:
        raise ValueError(f"working: {working} is negative")
    return working
