"""A calendar as instants: local years compiled into sorted openings and closings (UTC).

``calendar.py`` says what the hours of a day are; here they have become real time, with
the open time before each interval beside it, so that a question is a bisection within a year and a
step for each year crossed. A year is compiled when it is first asked for, and kept.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import MAXYEAR, MINYEAR, UTC, date, datetime, timedelta
from itertools import accumulate
from typing import NamedTuple
from zoneinfo import ZoneInfo

Interval = tuple[datetime, datetime]
HoursOf = Callable[[date], Sequence[tuple[int, int]]]

_NONE, _ONE_DAY = timedelta(), timedelta(days=1)
_MINUTES = tuple(timedelta(minutes=n) for n in range(1441))
# Two days off either end of Python's calendar: any zone's midnight there still is a UTC datetime.
FIRST_DAY, LAST_DAY = date.min + 2 * _ONE_DAY, date.max - 2 * _ONE_DAY
EVERY_YEAR = range(MINYEAR, MAXYEAR + 1)


class WorkingDay(NamedTuple):
    """A local day with open time, and its intervals (UTC) in order."""

    day: date
    intervals: tuple[Interval, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Year:
    """One local year: from its first instant up to, but not at, the first of the next."""

    number: int
    start: datetime
    end: datetime
    openings: list[datetime]
    closings: list[datetime]
    worked: list[timedelta]  # open time of the year before each interval; at the end, all of it
    all_worked: timedelta
    days: list[date]  # those with open time
    firsts: list[int]  # the first interval of each of ``days``; at the end, how many there are

    def next_interval(self, at: datetime) -> int:
        """Find the first interval that closes after ``at``; one past the last if none does."""
        return bisect_right(self.closings, at)

    def worked_until(self, at: datetime) -> timedelta:
        """Open time of the year before ``at``."""
        place = self.next_interval(at)
        if place < len(self.openings) and self.openings[place] < at:
            return self.worked[place] + (at - self.openings[place])
        return self.worked[place]

    def first_instant_with(self, worked: timedelta) -> datetime:
        """Find when the year's open time reaches ``worked``: more than none, at most all of it."""
        place = bisect_left(self.worked, worked)
        return self.closings[place - 1] - (self.worked[place] - worked)

    def last_instant_with(self, worked: timedelta) -> datetime:
        """Find when the year's open time passes ``worked``: less than all of it."""
        place = bisect_right(self.worked, worked) - 1
        return self.openings[place] + (worked - self.worked[place])

    def working_day(self, place: int) -> WorkingDay:
        inside = slice(self.firsts[place], self.firsts[place + 1])
        intervals = zip(self.openings[inside], self.closings[inside], strict=True)
        return WorkingDay(self.days[place], tuple(intervals))


class Timeline:
    """The open time of a zone where ``hours_of`` says what each local day's hours are.

    ``hours_of`` gives intervals in order, in minutes of the day; ``open_years``, in order, are all
    that can have any. Instants are aware and UTC. ``None`` is the answer to a search for open time
    where there is no more of it.
    """

    def __init__(
        self, zone: ZoneInfo, hours_of: HoursOf, open_years: Sequence[int] = EVERY_YEAR
    ) -> None:
        self._zone = zone
        self._hours_of = hours_of
        self._open_years = open_years
        # Threads may compile the same year at once; each gets a whole one, and all are equal.
        self._years: dict[int, _Year] = {}

    def is_open(self, at: datetime) -> bool:
        """Whether ``at`` lies in an interval; its closing does not."""
        year = self._year_of(at)
        place = year.next_interval(at)
        return place < len(year.openings) and year.openings[place] <= at

    def intervals(self, at: datetime) -> Iterator[Interval]:
        """Open intervals from ``at`` onwards, the first cut off at ``at``."""
        for year in self._onwards(self._year_of(at)):
            for place in range(year.next_interval(at), len(year.openings)):
                yield max(year.openings[place], at), year.closings[place]

    def due_after(self, start: datetime, working: timedelta) -> datetime | None:
        """Find the first instant with ``working`` (more than none) behind it since ``start``."""
        begun = self._year_of(start)
        wanted = begun.worked_until(start) + working
        for year in self._onwards(begun):
            if wanted <= year.all_worked:
                return year.first_instant_with(wanted)
            wanted -= year.all_worked
        return None

    def due_before(self, end: datetime, working: timedelta) -> datetime | None:
        """Find the last instant with ``working`` (more than none) ahead of it until ``end``."""
        begun = self._year_of(end)
        wanted = begun.all_worked - begun.worked_until(end) + working
        for year in self._backwards(begun):
            if wanted <= year.all_worked:
                return year.last_instant_with(year.all_worked - wanted)
            wanted -= year.all_worked
        return None

    def working_between(self, a: datetime, b: datetime) -> timedelta:
        """Open time from ``a`` to ``b``, which is not before it."""
        begun = self._year_of(a)
        worked = -begun.worked_until(a)
        for year in self._onwards(begun):
            if b < year.end:
                return worked + year.worked_until(b)
            worked += year.all_worked
        return worked

    def working_day(self, day: date, n: int) -> WorkingDay | None:
        """Find the ``n``-th day with open time after ``day``."""
        begun = self._year(day.year)
        place = bisect_right(begun.days, day) + n - 1
        for year in self._onwards(begun):
            if place < len(year.days):
                return year.working_day(place)
            place -= len(year.days)
        return None

    def working_days(self, first: date, last: date) -> int:
        """Count the days with open time from ``first`` to ``last``, which is not before it."""
        begun = self._year(first.year)
        count = -bisect_left(begun.days, first)
        for year in self._onwards(begun):
            if last.year <= year.number:
                return count + bisect_right(year.days, last)
            count += len(year.days)
        return count

    def _year_of(self, at: datetime) -> _Year:
        """Find the local year: that of UTC or, around the turn of it, the one beside."""
        year = self._year(at.year)
        if at < year.start:
            return self._year(at.year - 1)
        return self._year(min(at.year + 1, MAXYEAR)) if at >= year.end else year

    def _onwards(self, year: _Year) -> Iterator[_Year]:
        """Give ``year``, and every later one that can have open time."""
        yield year
        for number in self._open_years[bisect_right(self._open_years, year.number) :]:
            yield self._year(number)

    def _backwards(self, year: _Year) -> Iterator[_Year]:
        """Give ``year``, and every earlier one that can have open time."""
        yield year
        for number in reversed(self._open_years[: bisect_left(self._open_years, year.number)]):
            yield self._year(number)

    def _year(self, number: int) -> _Year:
        return self._years.get(number) or self._years.setdefault(number, self._compiled(number))

    def _compiled(self, number: int) -> _Year:
        day, last = max(date(number, 1, 1), FIRST_DAY), min(date(number, 12, 31), LAST_DAY)
        days: list[date] = []
        firsts: list[int] = []
        intervals: list[Interval] = []
        for offset in _offsets(self._zone, day, last):
            if opened := self._intervals_of(day, offset):
                days.append(day)
                firsts.append(len(intervals))
                intervals += opened
            day += _ONE_DAY
        worked = list(
            accumulate((closing - opening for opening, closing in intervals), initial=_NONE)
        )
        return _Year(
            number=number,
            start=_new_year(self._zone, number),
            end=_new_year(self._zone, number + 1),
            openings=[opening for opening, _ in intervals],
            closings=[closing for _, closing in intervals],
            worked=worked,
            all_worked=worked[-1],
            days=days,
            firsts=[*firsts, len(intervals)],
        )

    def _intervals_of(self, day: date, offset: timedelta | None) -> list[Interval]:
        """Real intervals of a local day; one that falls wholly into a skipped hour is gone."""
        hours = self._hours_of(day)
        if offset is not None:
            midnight = datetime(day.year, day.month, day.day, tzinfo=UTC) - offset
            return [(midnight + _MINUTES[start], midnight + _MINUTES[end]) for start, end in hours]
        midnight = datetime(day.year, day.month, day.day)  # noqa: DTZ001 - a wall clock
        ends = (
            tuple(first_instant(midnight + _MINUTES[minute], self._zone) for minute in span)
            for span in hours
        )
        return [(opening, closing) for opening, closing in ends if opening < closing]


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


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """First instant (UTC) of a local day."""
    return first_instant(datetime(day.year, day.month, day.day), zone)  # noqa: DTZ001 - wall clock


def _new_year(zone: ZoneInfo, number: int) -> datetime:
    """First instant of a local year, as far as Python has instants."""
    if number == MINYEAR:
        return datetime.min.replace(tzinfo=UTC)
    if number > MAXYEAR:
        return datetime.max.replace(tzinfo=UTC)
    return midnight(date(number, 1, 1), zone)


def _offsets(zone: ZoneInfo, first: date, last: date) -> Iterator[timedelta | None]:
    """Say for each local day how far ``zone`` is from UTC all day long; None if that changes.

    A local day lies between the UTC midnights one day before it and two days after. Two changes
    between two such midnights could hide from a look at these alone; no zone has ever had two
    within three days (a test looks through all of them).
    """
    midnight = datetime(first.year, first.month, first.day, tzinfo=UTC) - _ONE_DAY
    looks = range((last - first).days + 4)
    offsets = [(midnight + n * _ONE_DAY).astimezone(zone).utcoffset() for n in looks]
    for a, b, c, d in zip(offsets, offsets[1:], offsets[2:], offsets[3:], strict=False):
        yield a if a == b == c == d else None
