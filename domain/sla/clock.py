"""Clocks: how a promise counts time, and what standing still does to it (R15, R31).

A clock counts *consumed* time: working time of a calendar, or time that runs through the night.
Whatever happens to a promise, an instant of it is where its share of the time will be consumed.
Everything follows from facts that do not change: when it was made, and when it stood still. So it
can be planned again by any calendar or policy, as often as one likes, with the same result.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Literal

from pydantic import Field

from domain.calendars.calendar import Due, WorkingCalendar
from domain.calendars.periods import Ends, Period, WorkingDays
from domain.vocabulary import Instant, Model

Counting = Literal["working", "elapsed"]
"""Working hours of a calendar, or hours that run through the night."""


class Stop(Model):
    """A time during which a clock stood still."""

    begin: Instant
    end: Instant


class Rehearsal(Model):
    """A story played back on real servers, ``speed`` times as fast: calendars are consulted in the
    story's time, timers run in real time.
    """

    story_begins: Instant
    really_begins: Instant
    speed: float = Field(gt=0)

    def to_story(self, at: datetime) -> datetime:
        """Turn a real instant into the story's."""
        return self.story_begins + (at - self.really_begins) * self.speed

    def to_reality(self, at: datetime) -> datetime:
        """Turn an instant of the story into the real one."""
        return self.really_begins + (at - self.story_begins) / self.speed


class Clock:
    """Time as one promise counts it. Instants are real; spans are what the calendar says, which in
    a ``rehearsal`` is the story's time.
    """

    def __init__(
        self, calendar: WorkingCalendar, counting: Counting, rehearsal: Rehearsal | None = None
    ) -> None:
        self._calendar = calendar
        self._elapsed = counting == "elapsed"
        self._rehearsal = rehearsal

    def add(self, at: datetime, span: timedelta) -> Due:
        """Find the earliest instant by which ``span`` is consumed, counting from ``at``."""
        return self._real(self._add(self._story(at), span))

    def between(self, a: datetime, b: datetime) -> timedelta:
        """Return what is consumed from ``a`` to ``b``; ``ValueError`` when b is before a."""
        a, b = self._story(a), self._story(b)
        return b - a if self._elapsed else self._calendar.working_between(a, b)

    def after(self, at: datetime, period: Period, ends: Ends = "close") -> Due:
        """Find where a period that begins at ``at`` is over (R31). Where it ends at the same time
        of day, what comes in while the desk is shut begins when it opens.
        """
        at = self._story(at)
        if not isinstance(period, WorkingDays):
            return self._real(self._add(at, period.span))
        if ends == "close":
            return self._real(self._calendar.close_of_working_day(at, period.days))
        opens = self._calendar.next_opening(at)
        due = self._calendar.same_time_on_working_day(opens.at, period.days)
        return self._real(Due(due.at, due.provisional or opens.provisional))

    def opening(self, at: datetime, period: Period) -> Due:
        """Find where a wait is over: one in working days when that day's business opens."""
        at = self._story(at)
        if isinstance(period, WorkingDays):
            return self._real(self._calendar.opening_of_working_day(at, period.days))
        return self._real(self._add(at, period.span))

    def consumed(self, begin: datetime, end: datetime, stops: Iterable[Stop] = ()) -> timedelta:
        """Return what is consumed from ``begin`` to ``end``, less what it stood still in between.
        ``stops`` are in order and do not overlap.
        """
        still = (
            self.between(max(stop.begin, begin), min(stop.end, end))
            for stop in stops
            if stop.begin < end and stop.end > begin
        )
        return self.between(begin, end) - sum(still, timedelta())

    def past(self, at: datetime, stops: Iterable[Stop]) -> Due:
        """Find where an instant comes to lie because of ``stops``: later by what would have been
        consumed while the clock stood still, and never while it did. What lay before is not moved.
        """
        due = Due(at, provisional=False)
        for stop in stops:
            if due.at < stop.begin:
                break
            moved = self.add(due.at, self.between(stop.begin, stop.end))
            due = Due(max(moved.at, stop.end), due.provisional or moved.provisional)
        return due

    def _add(self, at: datetime, span: timedelta) -> Due:
        if self._elapsed:
            return Due(at + span, provisional=False)
        return self._calendar.due_after(at, span)

    def _story(self, at: datetime) -> datetime:
        return self._rehearsal.to_story(at) if self._rehearsal else at

    def _real(self, due: Due) -> Due:
        if self._rehearsal is None:
            return due
        return Due(self._rehearsal.to_reality(due.at), due.provisional)
