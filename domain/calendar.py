"""Working time: when a service centre is open and when a budget of working time runs out (R31-R33).

Instants are aware datetimes; results are UTC. Days are local days of the calendar's zone.

One rule turns local times into instants: a local time is the *first* instant at which the zone's
wall clock shows that time or a later one. A time skipped in spring is therefore the instant of the
change; a time shown twice in autumn is its first showing, and whatever is open (or closed) when
the clock is put back stays so until the clock has caught up. The rule never reverses the order of
two local times, so intervals that do not overlap on paper do not overlap in real time either.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
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

from domain.vocabulary import Line, Model, Zone

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)

MINUTES_OF_A_DAY = 1440
_ONE_DAY = timedelta(days=1)
# Two days off either end of Python's calendar: any zone's midnight there still is a UTC datetime.
_FIRST_DAY, _LAST_DAY = date.min + 2 * _ONE_DAY, date.max - 2 * _ONE_DAY

_INTERVAL = re.compile(r"(\d{2}):([0-5]\d)-(\d{2}):([0-5]\d)", re.ASCII)


class CalendarExhausted(LookupError):  # noqa: N818 - reads as what happened
    """The calendar has no open hour left in the direction searched."""


class Span(NamedTuple):
    """Open from ``start`` up to, but not at, ``end``: minutes of the local day, 1440 is 24:00."""

    start: int
    end: int

    def __str__(self) -> str:
        """Write it as it is read: ``09:00-12:00``."""
        (h, m), (to_h, to_m) = divmod(self.start, 60), divmod(self.end, 60)
        return f"{h:02}:{m:02}-{to_h:02}:{to_m:02}"


class Due(NamedTuple):
    """An instant (UTC) that came out of a calendar.

    ``provisional``: days beyond the last national notice were needed to compute it, so it is to be
    planned again when the next notice is loaded (R32).
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
    announced_until: date | None = Field(
        default=None, description="last day the national notice covers; None: all days are known"
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
    def _compiled(self) -> dict[date, tuple[tuple[datetime, datetime], ...]]:
        return {}

    @cached_property
    def _range(self) -> tuple[date, date]:
        """First and last day that can be open."""
        if any(self.week.values()):
            return _FIRST_DAY, _LAST_DAY
        opened = [day for day, hours in self.overrides.items() if hours]
        return max(min(opened), _FIRST_DAY), min(max(opened), _LAST_DAY)

    def local_day(self, at: datetime) -> date:
        """Say which local day ``at`` falls on."""
        return _utc(at, "at").astimezone(self._tz).date()

    def hours_of(self, day: date) -> tuple[Span, ...]:
        """Open intervals of the local ``day``, in minutes; ``()`` when closed."""
        if isinstance(day, datetime):
            # A datetime is a date to Python, but equal to none: it would miss every holiday.
            raise TypeError(f"day: {day.isoformat()} is an instant: pass local_day(at)")
        if day in self.overrides:
            return self.overrides[day]
        if day in self.makeup_workdays:
            return self.week.get(self.makeup_hours_of, ())
        if day in self.holidays:
            return ()
        return self.week.get(WEEKDAYS[day.weekday()], ())

    def is_working_day(self, day: date) -> bool:
        """Whether the local ``day`` has any open hour."""
        return bool(self.hours_of(day))

    def is_open(self, at: datetime) -> bool:
        """Whether ``at`` lies in an open interval; the closing instant does not."""
        at = _utc(at, "at")
        day = self.local_day(at)
        # The next day, too: a clock put back over midnight shows yesterday again (see module).
        return any(
            opening <= at < closing
            for near in (day, day + _ONE_DAY)
            for opening, closing in self._spans_of(near)
        )

    def next_opening(self, at: datetime) -> Due:
        """``at`` itself when open, else the next opening instant."""
        for day, opening, _ in self._forwards(_utc(at, "at")):
            return Due(opening, self._beyond_notice(day))
        raise self._exhausted(at)

    def due_after(self, start: datetime, working: timedelta) -> Due:
        """Find the earliest instant by which ``working`` open time has passed since ``start``.

        A budget that ends exactly at closing time is due at the closing instant, not at the next
        opening. A budget of zero is due at ``start`` itself, open or not.
        """
        start, left = _utc(start, "start"), _budget(working)
        if not left:
            return Due(start, provisional=False)
        for day, opening, closing in self._forwards(start):
            if left <= closing - opening:
                return Due(opening + left, self._beyond_notice(day))
            left -= closing - opening
        raise self._exhausted(start)

    def due_before(self, end: datetime, working: timedelta) -> Due:
        """Find the latest instant from which ``working`` open time passes until ``end``.

        The mirror image of ``due_after``: a budget of exactly one interval begins at its opening
        instant, a budget of zero at ``end`` itself.
        """
        end, left = _utc(end, "end"), _budget(working)
        if not left:
            return Due(end, provisional=False)
        provisional = self._beyond_notice(self.local_day(end - timedelta.resolution))
        for opening, closing in self._backwards(end):
            if left <= closing - opening:
                return Due(closing - left, provisional)
            left -= closing - opening
        raise self._exhausted(end)

    def working_between(self, a: datetime, b: datetime) -> timedelta:
        """Open time from ``a`` to ``b`` in real elapsed time; ``ValueError`` when b is before a."""
        a, b = _utc(a, "a"), _utc(b, "b")
        if b < a:
            raise ValueError(f"b: {b.isoformat()} is before a: {a.isoformat()}")
        total = timedelta()
        for _, opening, closing in self._forwards(a):
            if opening >= b:
                break
            total += min(closing, b) - opening
        return total

    def close_of_working_day(self, start: datetime, n: int) -> Due:
        """Closing instant of the ``n``-th working day after the local day of ``start`` (R31).

        The day of ``start`` is not counted, at whatever hour it starts. ``ValueError`` for n < 1.
        """
        day, spans = self._working_day(start, n)
        return Due(spans[-1][1], self._beyond_notice(day))

    def opening_of_working_day(self, start: datetime, n: int) -> Due:
        """Opening instant of that same day: "called back tomorrow" begins here (R22)."""
        day, spans = self._working_day(start, n)
        return Due(spans[0][0], self._beyond_notice(day))

    def open_spans(self, at: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Open intervals (UTC) from ``at`` onwards, the first cut off at ``at``.

        Ends only if the calendar does. Intervals that meet at midnight come as two.
        """
        at = _utc(at, "at")  # here, not in a generator: a naive instant is refused at the call
        return ((opening, closing) for _, opening, closing in self._forwards(at))

    def _spans_of(self, day: date) -> tuple[tuple[datetime, datetime], ...]:
        """Real intervals of a local day; one that falls wholly into a skipped hour is gone."""
        spans = self._compiled.get(day)
        if spans is None:
            midnight = datetime(day.year, day.month, day.day)  # noqa: DTZ001 - a wall clock
            ends = (
                tuple(first_instant(midnight + timedelta(minutes=m), self._tz) for m in span)
                for span in self.hours_of(day)
            )
            spans = tuple((opening, closing) for opening, closing in ends if opening < closing)
            self._compiled[day] = spans
        return spans

    def _working_day(
        self, start: datetime, n: int
    ) -> tuple[date, tuple[tuple[datetime, datetime], ...]]:
        """Find the ``n``-th working day after the local day of ``start``, and its intervals."""
        if n < 1:
            raise ValueError(f"n: {n} is no number of working days: give 1 or more")
        for day in self._days_from(self.local_day(_utc(start, "start")) + _ONE_DAY):
            if spans := self._spans_of(day):
                n -= 1
                if n == 0:
                    return day, spans
        raise self._exhausted(start)

    def _days_from(self, day: date) -> Iterator[date]:
        _, last = self._range
        while day <= last:
            yield day
            day += _ONE_DAY

    def _forwards(self, at: datetime) -> Iterator[tuple[date, datetime, datetime]]:
        for day in self._days_from(self.local_day(at)):
            for opening, closing in self._spans_of(day):
                if closing > at:
                    yield day, max(opening, at), closing

    def _backwards(self, at: datetime) -> Iterator[tuple[datetime, datetime]]:
        first, last = self._range
        day = min(self.local_day(at) + _ONE_DAY, last)  # the next day as in is_open
        while day >= first:
            for opening, closing in reversed(self._spans_of(day)):
                if opening < at:
                    yield opening, min(closing, at)
            day -= _ONE_DAY

    def _beyond_notice(self, day: date) -> bool:
        return self.announced_until is not None and day > self.announced_until

    def _exhausted(self, at: datetime) -> CalendarExhausted:
        return CalendarExhausted(
            f"calendar {self.name} runs out of open hours counting from {at.isoformat()}: "
            "give its week hours, or add overrides"
        )


def first_instant(local: datetime, zone: ZoneInfo) -> datetime:
    """First instant (UTC) at which the wall clock of ``zone`` shows ``local`` (naive) or later."""

    def shown(at: datetime) -> datetime:
        return at.astimezone(zone).replace(tzinfo=None)

    at = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if shown(at) == local:
        return at
    # Skipped: the change of the clock lies between the readings with the later and the earlier
    # offset, and zoneinfo does not tell where.
    low = local.replace(tzinfo=zone, fold=1).astimezone(UTC)
    seconds = range(int((at - low).total_seconds()))
    return low + timedelta(
        seconds=bisect_left(seconds, local, key=lambda s: shown(low + timedelta(seconds=s)))
    )


def _utc(at: datetime, argument: str) -> datetime:
    if at.utcoffset() is None:
        raise ValueError(f"{argument}: {at.isoformat()} has no time zone: pass an aware datetime")
    return at.astimezone(UTC)


def _budget(working: timedelta) -> timedelta:
    if working < timedelta():
        raise ValueError(f"working: {working} is negative")
    return working
