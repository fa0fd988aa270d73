"""Whether what a rulebook promises can be planned: from a moment on, and for a year to come.

A calendar of named days ends some day, a period may be longer than any calendar. Who writes such a
policy is to hear of it before issues are promised anything by it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from domain.calendars.calendar import CalendarExhausted, WorkingCalendar
from domain.calendars.periods import Period, TimeBudget, WorkingDays
from domain.sla.clock import Clock
from domain.sla.planning import planned
from domain.sla.policy import Policy, PromiseRule, ThresholdRule
from domain.sla.rulebook import CENTRE, Rulebook
from domain.vocabulary import Model

AHEAD = timedelta(days=366)
"""A promise that is made that much later has to be planned, too."""
LONGEST = timedelta(days=3653)
"""Ten years: nobody promises more, and no longer account of days is read by anybody."""
_LONGEST_TIME = timedelta(days=36_525)
"""What is no promise may take longer, such as to keep a letter; but there are no such instants for
ever."""

Where = tuple[int | str, ...]
"""A place in a policy, as it is written: ``("promise", 3, "within")``."""


class Obstacle(NamedTuple):
    """Where a policy says what cannot be planned, and why it cannot."""

    where: Where
    reason: str

    def __str__(self) -> str:
        """Write it as a sentence; places of a list count from 1."""
        parts = (f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in self.where)
        return f"{''.join(parts).removeprefix('.')}: {self.reason}"


def least(period: Period) -> timedelta:
    """Return the time that a period takes at least, by whatever calendar."""
    if isinstance(period, WorkingDays):
        return timedelta(days=min(period.days, timedelta.max.days))
    return period.span


def obstacles(rulebook: Rulebook, now: datetime) -> tuple[Obstacle, ...]:
    """List what cannot be planned from ``now`` (aware) on; nothing is as it should be."""
    policy = rulebook.policy
    if too_long := tuple(_too_long(policy)):
        return too_long  # to walk through so many years would take a while
    try:
        start = policy.rehearsal.to_story(now) if policy.rehearsal else now
        _ = start + AHEAD + LONGEST
    except OverflowError:
        return (Obstacle(("rehearsal",), "by now its story is beyond any calendar"),)
    calendars = {name: rulebook.calendar(name) for name in rulebook.calendars}
    if ended := dry(calendars, start):
        return ended
    return tuple(_unplanned(policy, calendars, start))


def dry(calendars: Mapping[str, WorkingCalendar], now: datetime) -> tuple[Obstacle, ...]:
    """List the calendars that run out of open hours within a year, or are shut that long."""
    found = (
        (name, _shut(calendar, at))
        for name, calendar in calendars.items()
        for at in (now, now + AHEAD)
    )
    first: dict[str, str] = {}
    for name, reason in found:
        if reason:
            first.setdefault(name, reason)
    return tuple(Obstacle(("calendars", name), reason) for name, reason in first.items())


def _shut(calendar: WorkingCalendar, at: datetime) -> str | None:
    try:
        opening = calendar.next_opening(at).at
    except CalendarExhausted:
        return (
            f"it has no open hour any more after {_last_open(calendar, at)}, and what is promised "
            f"by it within a year could not be planned: give its week hours, or add days beyond "
            f"{calendar.local_day(at + AHEAD)}"
        )
    if opening - at > AHEAD:
        return (
            f"it is shut for more than a year, from {_last_open(calendar, at)} to "
            f"{calendar.local_day(opening)}: leave it some of its hours"
        )
    return None


def _last_open(calendar: WorkingCalendar, at: datetime) -> str:
    try:
        return str(calendar.local_day(calendar.due_before(at, timedelta.resolution).at))
    except CalendarExhausted:
        return "the beginning"


def _too_long(policy: Policy) -> Iterator[Obstacle]:
    for where, period in _periods(policy, ()):
        of_promise = where[0] == "promise"
        if least(period) > (LONGEST if of_promise else _LONGEST_TIME):
            years = "ten years, and cannot be planned" if of_promise else "a hundred years"
            yield Obstacle(where, f'"{period}" is more than {years}: write less')


def _periods(written: Model, where: Where) -> Iterator[tuple[Where, Period]]:
    """Find every period of a policy, with its place."""
    if isinstance(written, ThresholdRule):
        if written.share is None:
            yield (*where[:-1],), written.after_due
        return
    for name, field in type(written).model_fields.items():
        value = getattr(written, name)
        place = (*where, field.alias or name)
        for at, each in _each(value, place):
            if isinstance(each, WorkingDays | TimeBudget):
                yield at, each
            elif isinstance(each, Model):
                yield from _periods(each, at)


def _each(value: object, place: Where) -> Iterator[tuple[Where, object]]:
    if isinstance(value, tuple):
        yield from (((*place, number), each) for number, each in enumerate(value))
    else:
        yield place, value


def _unplanned(
    policy: Policy, calendars: Mapping[str, WorkingCalendar], now: datetime
) -> Iterator[Obstacle]:
    for number, rule in enumerate(policy.promises):
        names = calendars if rule.calendar == CENTRE else (rule.calendar,)
        reasons = (
            reason
            for name in names
            for at in (now, now + AHEAD)
            if (reason := _beyond(rule, calendars[name], at))
        )
        if reason := next(reasons, None):
            yield Obstacle(("promise", number), f"{rule.name}: {reason}")


def _beyond(rule: PromiseRule, calendar: WorkingCalendar, at: datetime) -> str | None:
    try:
        promise = planned(Clock(calendar, rule.clock), rule, calendar.name, at)
    except (CalendarExhausted, OverflowError):
        return (
            f"calendar {calendar.name} ends before what is promised on "
            f"{calendar.local_day(at)} is due or told of"
        )
    if promise.due_at - at > LONGEST:
        return (
            f'"{rule.within}" by calendar {calendar.name} is over on '
            f"{calendar.local_day(promise.due_at)} only, more than ten years later"
        )
    return None
