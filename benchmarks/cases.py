"""The facts every library is given, and the questions every library is asked."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from pathlib import Path
from zoneinfo import ZoneInfo

from domain.calendars.calendar import WEEKDAYS, WorkingCalendar

YEAR = 2026
HOURS = 22
"""The working hours whose end is asked for: almost three days at the desk."""

NOTICES = Path(__file__).parent.parent / "policies" / "cn_workdays.json"
MINUTES_OF_A_DAY = 1440
MON_TO_FRI, EVERY_DAY = frozenset(range(5)), frozenset(range(7))


@dataclass(frozen=True)
class Facts:
    """Opening hours as they are written at the door, ``09:00-12:00``: the same every open day."""

    name: str
    zone: str
    hours: tuple[str, ...]
    weekdays: frozenset[int]
    holidays: frozenset[date] = frozenset()
    makeup_workdays: frozenset[date] = frozenset()

    def is_working_day(self, day: date) -> bool:
        """Whether the day is open at all."""
        if day in self.makeup_workdays:
            return True
        return day.weekday() in self.weekdays and day not in self.holidays

    def closed_days(self) -> frozenset[date]:
        """Every day without hours, weekends included, in and around the year: a make-up workday
        for libraries that only know holidays.
        """
        days = days_between(date(YEAR - 1, 1, 1), date(YEAR + 1, 12, 31))
        return frozenset(day for day in days if not self.is_working_day(day))

    @cached_property
    def spans(self) -> tuple[tuple[int, int], ...]:
        """The hours in minutes of the local day; the end is not open any more."""
        return tuple(
            (int(start[:2]) * 60 + int(start[3:]), int(end[:2]) * 60 + int(end[3:]))
            for start, end in (written.split("-") for written in self.hours)
        )

    def times(self) -> tuple[tuple[time, time], ...]:
        """The hours as times of day, for libraries without a 24:00: what meets at midnight is one
        interval that ends earlier than it begins, which is how they write a night shift.
        """
        spans = list(self.spans)
        if spans[0][0] == 0 and spans[-1][1] == MINUTES_OF_A_DAY and len(spans) > 1:
            (_, end), (start, _) = spans.pop(0), spans.pop()
            spans.append((start, end))
        return tuple((time(*divmod(start, 60)), time(*divmod(end, 60))) for start, end in spans)

    def calendar(self) -> WorkingCalendar:
        """Give the same facts as a calendar of ours."""
        return WorkingCalendar(
            name=self.name,
            zone=self.zone,
            week={WEEKDAYS[number]: self.hours for number in sorted(self.weekdays)},
            holidays=self.holidays,
            makeup_workdays=self.makeup_workdays,
        )


def _china(name: str, *hours: str) -> Facts:
    notice = json.loads(NOTICES.read_text(encoding="utf-8"))["years"][str(YEAR)]
    return Facts(
        name,
        "Asia/Shanghai",
        hours,
        MON_TO_FRI,
        frozenset(map(date.fromisoformat, notice["holidays"])),
        frozenset(map(date.fromisoformat, notice["makeup_workdays"])),
    )


DESK = _china("desk", "09:00-12:00", "13:30-18:00")
CHANGES = (date(YEAR, 3, 29), date(YEAR, 10, 25))
"""When the clock is put forward, and back, in Berlin."""

AT_THE_CHANGE = (
    Facts("Berlin, 00:00-08:00 every day", "Europe/Berlin", ("00:00-08:00",), EVERY_DAY),
    Facts(
        "Berlin, 22:00-06:00 every day", "Europe/Berlin", ("00:00-06:00", "22:00-24:00"), EVERY_DAY
    ),
    Facts(
        "Berlin, 00:00-08:00, the days of the change holidays",
        "Europe/Berlin",
        ("00:00-08:00",),
        EVERY_DAY,
        frozenset(CHANGES),
    ),
)
"""Shifts near 02:00: the plainest there is, one over midnight, and one that has the day off."""

LORD_HOWE = Facts(
    "Lord Howe",
    "Australia/Lord_Howe",
    ("00:00-01:45", "02:15-08:00", "20:00-24:00"),
    EVERY_DAY,
)
"""The clock moves by half an hour at 02:00, and both edges near it fall into that half hour."""

RULEBOOK = (
    DESK,
    _china("west", "10:00-14:00", "15:30-19:30"),
    _china("callback", "09:30-12:00", "14:00-18:00"),
    Facts("everyday", "Asia/Shanghai", ("08:00-20:00",), EVERY_DAY),
    Facts("night", "Asia/Shanghai", ("00:00-08:00", "20:00-24:00"), EVERY_DAY),
)
"""Five calendars, as many as one rulebook of a desk has."""


def days_between(first: date, last: date) -> Iterator[date]:
    """Both ends included."""
    return (first + timedelta(days=n) for n in range((last - first).days + 1))


def midnight(day: date, zone: str) -> datetime:
    """Give the local midnight as an instant (UTC)."""
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)


class Questions:
    """Random instants (whole seconds, UTC) and days: the same every run, for every library.

    No answer lies in the next year, whose notice is not out.
    """

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._random = random.Random(YEAR)  # noqa: S311 - to be the same every run
        self._first = date(YEAR, 1, 1)
        self._last = date(YEAR, 12, 15)

    def instants(self, count: int) -> list[datetime]:
        """From anywhere in the year, day or night."""
        zone = self._facts.zone
        return self._between(midnight(self._first, zone), midnight(self._last, zone), count)

    def closed_instants(self, count: int) -> list[datetime]:
        """From the evenings: a budget of whole days then ends exactly at a closing."""
        after = timedelta(minutes=self._facts.spans[-1][1])
        evenings = [midnight(self._day(self._last), self._facts.zone) + after for _ in range(count)]
        return [evening + timedelta(seconds=self._random.randrange(3600)) for evening in evenings]

    def pairs(self, count: int) -> list[tuple[datetime, datetime]]:
        """Some months apart."""
        apart = timedelta(days=30), timedelta(days=240)
        starts = self._between(
            midnight(self._first, self._facts.zone),
            midnight(self._last, self._facts.zone) - apart[1],
            count,
        )
        ends = [self._between(start + apart[0], start + apart[1], 1)[0] for start in starts]
        return list(zip(starts, ends, strict=True))

    def near(self, change: date, count: int) -> list[tuple[datetime, datetime]]:
        """Pairs around the small hours of a day: from up to two days before to two days after."""
        noon = midnight(change, self._facts.zone) + timedelta(hours=12)
        two = timedelta(days=2)
        before = self._between(noon - two, noon - two / 4, count)
        after = self._between(noon, noon + two, count)
        return list(zip(before, after, strict=True))

    def days(self, count: int) -> list[tuple[date, int]]:
        """A day, and how many working days are to follow."""
        last = self._last - timedelta(days=30)
        return [(self._day(last), self._random.randint(1, 15)) for _ in range(count)]

    def day_pairs(self, count: int) -> list[tuple[date, date]]:
        """Some months apart."""
        last = self._last - timedelta(days=240)
        return [
            (day, day + timedelta(days=self._random.randint(30, 240)))
            for day in (self._day(last) for _ in range(count))
        ]

    def _between(self, first: datetime, last: datetime, count: int) -> list[datetime]:
        seconds = int((last - first).total_seconds())
        return [first + timedelta(seconds=self._random.randrange(seconds)) for _ in range(count)]

    def _day(self, last: date) -> date:
        return self._first + timedelta(days=self._random.randrange((last - self._first).days))
