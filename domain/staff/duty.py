"""When somebody is on duty (R16, R33): the hours of their shift, except on days on which they have
another one or none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Annotated, Protocol
from zoneinfo import ZoneInfo

from pydantic import Field, ValidationInfo, field_validator

from domain.calendars.timeline import Interval, midnight
from domain.sla.rulebook import Rulebook
from domain.vocabulary import Code, Line, Model

OFF = "off"
"""The shift of somebody who is not on duty until the roster says otherwise."""
FOR_GOOD = date.max
"""The last day of an absence whose end nobody knows."""
A_BREAK = timedelta(hours=3)
"""Whoever is back within that time had a break: nobody is relieved over lunch."""

_ONE_DAY = timedelta(days=1)
_ENDLESS = timedelta(days=366)
_Day = Annotated[date, Field(ge=date(2000, 1, 1), le=date(2999, 12, 31))]


class DutyException(Model):
    """Another shift than usual on some days: leave, sickness, a night taken over from somebody.

    Days are the desk's, both counted; a night shift over midnight belongs to both its days.
    ``shift`` names the calendar of the hours then, or is ``off``.
    """

    person: Code
    first: _Day = Field(alias="from")
    until: _Day
    shift: Code
    reason: Line = Field(min_length=1)

    @field_validator("until")
    @classmethod
    def _ends_after_it_begins(cls, until: date, info: ValidationInfo) -> date:
        first = info.data.get("first")
        if first and until < first:
            raise ValueError(f"{until} is before {first}, the day from which it holds")
        return until

    def __str__(self) -> str:
        """Name it, as findings do."""
        return f"duty of {self.person} from {self.first}"

    @property
    def said(self) -> str:
        """Say it in full."""
        return f"{self.shift} from {self.first} until {self.until} ({self.reason})"

    def covers(self, day: date) -> bool:
        """Say whether it holds on that day."""
        return self.first <= day <= self.until


def overlapping(
    exceptions: Iterable[DutyException],
) -> tuple[DutyException, DutyException] | None:
    """Return two of the same person that share a day, the earlier first; None if there are none."""
    ordered = sorted(exceptions, key=lambda e: (e.person, e.first))
    pairs = ((a, b) for a, b in pairwise(ordered) if a.person == b.person and b.first <= a.until)
    return next(pairs, None)


class Rostered(Protocol):
    """Whoever has a shift."""

    @property
    def shift(self) -> str:
        """The calendar of their usual hours, or ``off``."""

    @property
    def exceptions(self) -> tuple[DutyException, ...]:
        """The days on which it is another."""


class Duty:
    """Answers who is on duty when, by a rulebook. Instants are real time; in a rehearsal calendars
    are asked in the story's. Days are the desk's, in a rehearsal the story's.
    """

    def __init__(self, rulebook: Rulebook) -> None:
        self.policy = rulebook.policy
        self._rulebook = rulebook
        self._rehearsal = rulebook.policy.rehearsal
        self._zone = ZoneInfo(rulebook.policy.zone)

    def day(self, at: datetime) -> date:
        """Say which day of the desk it is."""
        return self._story(at).astimezone(self._zone).date()

    def on_duty(self, who: Rostered, at: datetime) -> bool:
        """Whether they are at work; at the instant at which their shift ends they are not."""
        shift = shift_on(who, self.day(at))
        return self._has_hours(shift) and self._rulebook.calendar(shift).is_open(self._story(at))

    def next_duty(self, who: Rostered, at: datetime) -> datetime | None:
        """``at`` itself when on duty, else when they are again; None: nobody knows when."""
        opening = next((opening for opening, _ in self._hours(who, self._story(at))), None)
        if opening is None:
            return None
        return at if opening == self._story(at) else self._real(opening)

    def duty_ends(self, who: Rostered, at: datetime) -> datetime | None:
        """When their present duty is over, or the next if they have none now: always after ``at``.
        A break does not end it. None: they have no duty any more, or one that never ends.
        """
        hours = self._hours(who, self._story(at))
        begins, ends = next(hours, (None, None))
        if begins is None or ends is None:
            return None
        for opening, closing in hours:
            if opening - ends > A_BREAK:
                break
            ends = closing
            if ends - begins > _ENDLESS:
                return None
        return self._real(ends)

    def off_until(self, who: Rostered, at: datetime) -> date | None:
        """The last day of an absence that goes on today and tomorrow at least; ``FOR_GOOD`` if it
        has no end. None: they are not off, or only today.
        """
        today = last = self.day(at)
        if shift_on(who, last) != OFF:
            return None
        while shift_on(who, last + _ONE_DAY) == OFF:
            if (last := self._unchanged_until(who, last + _ONE_DAY)) == FOR_GOOD:
                return last
        return last if last > today else None

    def hours_on(self, who: Rostered, day: date) -> tuple[Interval, ...]:
        """The hours of their duty (UTC, by the calendar) on one day; what meets is one interval."""
        first, last = (midnight(each, self._zone) for each in (day, day + _ONE_DAY))
        found: list[Interval] = []
        for opening, closing in self._hours(who, first, last):
            if found and found[-1][1] == opening:
                found[-1] = (found[-1][0], closing)
            else:
                found.append((opening, closing))
        return tuple(found)

    def works_on(self, who: Rostered, day: date) -> bool:
        """Whether they are on duty at all on that day."""
        return bool(self.hours_on(who, day))

    def _hours(
        self, who: Rostered, at: datetime, end: datetime | None = None
    ) -> Iterator[Interval]:
        """Hours of duty from ``at`` on, the first cut off at ``at``, all in the calendars' time."""
        for begins, ends, shift in self._shifts(who, at):
            until = min(filter(None, (ends, end)), default=None)
            if self._has_hours(shift):
                for opening, closing in self._rulebook.calendar(shift).open_spans(begins):
                    if until and opening >= until:
                        break
                    yield opening, min(closing, until) if until else closing
            if end and (ends is None or ends >= end):
                return

    def _shifts(
        self, who: Rostered, at: datetime
    ) -> Iterator[tuple[datetime, datetime | None, str]]:
        """One shift after the other from ``at`` on; the last has no end."""
        day = at.astimezone(self._zone).date()
        while (last := self._unchanged_until(who, day)) != FOR_GOOD:
            ends = midnight(last + _ONE_DAY, self._zone)
            yield at, ends, shift_on(who, day)
            at, day = ends, last + _ONE_DAY
        yield at, None, shift_on(who, day)

    def _unchanged_until(self, who: Rostered, day: date) -> date:
        """The last day up to which whatever decides the shift of ``day`` does so."""
        for exception in who.exceptions:
            if exception.covers(day):
                return exception.until
        later = (exception.first for exception in who.exceptions if exception.first > day)
        following = min(later, default=None)
        return following - _ONE_DAY if following else FOR_GOOD

    def _has_hours(self, shift: str) -> bool:
        return shift in self._rulebook.calendars  # neither off nor known to another rulebook only

    def _story(self, at: datetime) -> datetime:
        at = at.astimezone(UTC)
        return self._rehearsal.to_story(at) if self._rehearsal else at

    def _real(self, at: datetime) -> datetime:
        """Turn it into the first real instant at which that time has come: never earlier."""
        if self._rehearsal is None:
            return at
        real = self._rehearsal.to_reality(at)
        while self._rehearsal.to_story(real) < at:
            real += timedelta.resolution
        return real


def shift_on(who: Rostered, day: date) -> str:
    """Return the shift somebody has on a day of the desk."""
    return next((e.shift for e in who.exceptions if e.covers(day)), who.shift)
