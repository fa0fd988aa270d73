"""Why a promise of the ledger is due when it is: from when, by which rule and calendar, which days
were counted, when it stood still, and who is told when.

It is worked out again from what was promised and compared with what is kept: if these differ, that
is said, rather than explained away.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from enum import StrEnum

from pydantic import Field

from domain.calendars.calendar import CalendarExhausted
from domain.calendars.periods import Ends, WorkingDays, read_period
from domain.sla.account import Account, account
from domain.sla.clock import Clock, Stop
from domain.sla.planning import planned
from domain.sla.policy import Facts, Policy, PromiseRule
from domain.sla.promise import Promise, Threshold
from domain.sla.rulebook import Rulebook
from domain.vocabulary import Code, Instant, Model


class Doubt(StrEnum):
    """What keeps the account from being, or from explaining, what is kept."""

    NO_RULE = "no_rule"
    NO_CALENDAR = "no_calendar"
    CALENDAR_ENDS = "calendar_ends"
    OTHER_TIME = "other_time"
    OTHER_REMINDER = "other_reminder"
    UNKNOWN_PAUSES = "unknown_pauses"


class Pause(Model):
    """A time it stood still, and what that did to it. ``counted`` is what its clock would have
    consumed meanwhile; an ``end`` of None: it still stands still, and is moved when it runs on.
    """

    begin: Instant
    end: Instant | None
    counted: timedelta | None
    due_before: Instant
    due_after: Instant


class Reminder(Model):
    """A threshold as it is kept; ``expected`` is where it comes to lie when it is worked out again,
    None if that cannot be said: it was reached by then, or its rule is no longer known.
    """

    mark: Threshold
    reached: bool
    expected: Instant | None


class Why(Model):
    """The account of one promise. ``days`` are counted without the pauses, which move the due
    instant one after the other; instants of ``days`` are the story's in a rehearsal.

    ``expected`` is when it is due as worked out again; there is no doubt if that is what is kept.
    """

    number: str
    promise: Promise
    policy: Code
    version: str = Field(description="of the rulebook it was planned by")
    rule: Code | None
    zone: str
    days: Account | None
    pauses: tuple[Pause, ...]
    reminders: tuple[Reminder, ...]
    expected: Instant | None
    doubts: tuple[Doubt, ...]


def why(rulebook: Rulebook, version: str, number: str, promise: Promise, facts: Facts) -> Why:
    """Explain a promise of issue ``number`` by the rulebook of ``version``, which it was planned
    by. ``facts`` are the issue's as they are now.
    """
    policy = rulebook.policy
    rule = _rule(policy, promise, facts)
    doubts: list[Doubt] = []
    if rule is None:
        doubts.append(Doubt.NO_RULE)
    days, pauses, expected = None, tuple[Pause, ...](), None
    reminders = tuple(_kept(promise, {}))
    try:
        clock = Clock(rulebook.calendar(promise.calendar), promise.clock, policy.rehearsal)
        ends = _ends(clock, promise, rule)
        pauses = tuple(_pauses(clock, promise, ends))
        expected = _last(pauses, clock.after(promise.made_at, read_period(promise.target), ends).at)
        if rule:
            marks = planned(clock, rule, promise.calendar, promise.made_at).marks
            stops = _stops(clock, promise, ends)
            moved = {mark.name: clock.past(mark.at, stops).at for mark in marks}
            reminders = tuple(_kept(promise, moved))
        begun = policy.rehearsal.to_story(promise.made_at) if policy.rehearsal else promise.made_at
        period, calendar = read_period(promise.target), rulebook.calendar(promise.calendar)
        days = account(calendar, begun, period, promise.clock, ends)
    except KeyError:
        doubts.append(Doubt.NO_CALENDAR)
    except (CalendarExhausted, OverflowError):
        doubts.append(Doubt.CALENDAR_ENDS)
    doubts += _differences(promise, expected, reminders)
    return Why(
        number=number,
        promise=promise,
        policy=policy.name,
        version=version,
        rule=rule.name if rule else None,
        zone=policy.zone,
        days=days,
        pauses=pauses,
        reminders=reminders,
        expected=expected,
        doubts=tuple(doubts),
    )


def _rule(policy: Policy, promise: Promise, facts: Facts) -> PromiseRule | None:
    """Find the rule it was made by: the first that fits, unless the issue was another then; then
    the first that says the same.
    """
    facts = facts.model_copy(update={"generation": promise.generation})
    considered = policy.considered(promise.kind, facts)
    fits = [each.rule for each in considered if each.taken]
    others = [each.rule for each in considered if not each.taken]
    return next((rule for rule in (*fits, *others) if _says(rule, promise)), None)


def _says(rule: PromiseRule, promise: Promise) -> bool:
    marks = {mark.at for mark in rule.marks}
    ahead = {mark.name for mark in promise.marks[promise.reached :]}
    return (str(rule.within), rule.clock) == (promise.target, promise.clock) and ahead <= marks


def _ends(clock: Clock, promise: Promise, rule: PromiseRule | None) -> Ends:
    """Say how its last working day ends: the rule does, or else whichever comes out as kept."""
    if rule is not None:
        return rule.ends
    period = read_period(promise.target)
    if isinstance(period, WorkingDays) and not promise.stops:
        same = clock.after(promise.made_at, period, "same time").at == promise.due_at
        return "same time" if same else "close"
    return "close"


def _stops(clock: Clock, promise: Promise, ends: Ends) -> tuple[Stop, ...]:
    """Return the pauses that moved it: the one it ended in did not, though one that was over at the
    same moment did.
    """
    stops = promise.stops
    if not stops or stops[-1].end != promise.ended_at:
        return stops
    due = clock.after(promise.made_at, read_period(promise.target), ends).at
    return stops if clock.past(due, stops).at == promise.due_at else stops[:-1]


def _pauses(clock: Clock, promise: Promise, ends: Ends) -> Iterator[Pause]:
    due = clock.after(promise.made_at, read_period(promise.target), ends).at
    moved = _stops(clock, promise, ends)
    for stop in promise.stops:
        after = clock.past(due, (stop,)).at if stop in moved else due
        yield Pause(
            begin=stop.begin,
            end=stop.end,
            counted=clock.between(stop.begin, max(stop.begin, stop.end)),
            due_before=due,
            due_after=after,
        )
        due = after
    if promise.paused_at and promise.running:
        yield Pause(begin=promise.paused_at, end=None, counted=None, due_before=due, due_after=due)


def _last(pauses: Iterable[Pause], due: datetime) -> datetime:
    for pause in pauses:
        due = pause.due_after
    return due


def _kept(promise: Promise, expected: dict[str, datetime]) -> Iterator[Reminder]:
    for number, mark in enumerate(promise.marks):
        reached = number < promise.reached
        yield Reminder(
            mark=mark, reached=reached, expected=None if reached else expected.get(mark.name)
        )


def _differences(
    promise: Promise, expected: datetime | None, reminders: Iterable[Reminder]
) -> Iterator[Doubt]:
    """Say what is kept otherwise than it comes out."""
    if expected is not None and expected != promise.due_at:
        yield Doubt.OTHER_TIME
    if promise.pauses != len(promise.stops) + (promise.paused_at is not None):
        yield Doubt.UNKNOWN_PAUSES
    if any(each.expected not in {None, each.mark.at} for each in reminders):
        yield Doubt.OTHER_REMINDER
