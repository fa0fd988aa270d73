"""The judge: every minute looked at one by one. It shares no code with our calendar.

Slow and obvious on purpose. Opening hours are whole minutes, so an instant within a minute is as
open as the minute is, and seconds need no walk of their own.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from benchmarks.cases import YEAR, Facts, days_between, midnight

_MINUTE = 60
_ONE_DAY = timedelta(days=1)


class MinuteWalk:
    """What is true of ``facts`` between two local days, both included, by walking the minutes.

    The wall clock that decides never runs backwards: a minute shown a second time in autumn counts
    as the last minute shown before the clock was put back, which is the rule the desk promises by.
    """

    def __init__(self, facts: Facts, first: date, last: date) -> None:
        self._facts = facts
        self._origin = midnight(first, facts.zone)
        minutes = (midnight(last + _ONE_DAY, facts.zone) - self._origin) // timedelta(minutes=1)
        zone = ZoneInfo(facts.zone)
        self._open = bytearray(minutes)
        self._worked = [0]  # open minutes before each minute
        working = {day: facts.is_working_day(day) for day in days_between(first, last)}
        shown = datetime.min  # noqa: DTZ901 - a wall clock
        for number in range(minutes):
            at = self._origin + timedelta(minutes=number)
            shown = max(shown, at.astimezone(zone).replace(tzinfo=None))
            minute = shown.hour * 60 + shown.minute
            self._open[number] = working[shown.date()] and any(
                start <= minute < end for start, end in facts.spans
            )
            self._worked.append(self._worked[-1] + self._open[number])

    def is_open(self, at: datetime) -> bool:
        """Whether the minute of ``at`` is open."""
        return bool(self._open[self._second(at) // _MINUTE])

    def next_opening(self, at: datetime) -> datetime:
        """``at`` itself, or the beginning of the next open minute."""
        if self.is_open(at):
            return at
        return self._instant(self._open.index(1, self._second(at) // _MINUTE) * _MINUTE)

    def due_after(self, start: datetime, working: timedelta) -> datetime:
        """Find the first second by which so much open time lies behind ``start``."""
        goal = self._worked_until(start) + _seconds(working)
        number = bisect_left(self._worked, -(-goal // _MINUTE)) - 1
        return self._instant(number * _MINUTE + goal - self._worked[number] * _MINUTE)

    def due_before(self, end: datetime, working: timedelta) -> datetime:
        """Find the last second from which so much open time lies before ``end``."""
        goal = self._worked_until(end) - _seconds(working)
        number = bisect_right(self._worked, goal // _MINUTE) - 1
        return self._instant(number * _MINUTE + goal - self._worked[number] * _MINUTE)

    def working_between(self, a: datetime, b: datetime) -> timedelta:
        """Open time from ``a`` to ``b``."""
        return timedelta(seconds=self._worked_until(b) - self._worked_until(a))

    def nth_working_day(self, day: date, n: int) -> date:
        """Find the n-th working day after ``day``."""
        while n:
            day += _ONE_DAY
            n -= self._facts.is_working_day(day)
        return day

    def working_days(self, first: date, last: date) -> int:
        """Count working days from first to last, both included."""
        return sum(map(self._facts.is_working_day, days_between(first, last)))

    def _worked_until(self, at: datetime) -> int:
        number, second = divmod(self._second(at), _MINUTE)
        return self._worked[number] * _MINUTE + self._open[number] * second

    def _second(self, at: datetime) -> int:
        return _seconds(at - self._origin)

    def _instant(self, second: int) -> datetime:
        return (self._origin + timedelta(seconds=second)).astimezone(UTC)


def _seconds(length: timedelta) -> int:
    return length // timedelta(seconds=1)


@cache
def year_walk(facts: Facts) -> MinuteWalk:
    """Walk the year and as much around it as any question needs."""
    return MinuteWalk(facts, date(YEAR - 1, 12, 1), date(YEAR + 1, 1, 31))
