"""From a policy and a calendar to instants: when exactly a promise is due (R11, R12, R22, R31)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from domain.calendars.periods import WorkingDays
from domain.sla.clock import Clock, Counting, Stop
from domain.sla.policy import Facts, PromiseRule, ThresholdRule
from domain.sla.promise import CUSTOMERS, DUE, Promise, PromiseEnd, PromiseKind, Threshold
from domain.sla.rulebook import CENTRE, Rulebook
from domain.vocabulary import ESCALATION

_FIRST: Mapping[PromiseKind, frozenset[PromiseKind]] = {
    PromiseKind.SURVEY: frozenset({PromiseKind.RESOLUTION}),
    PromiseKind.REPLY: frozenset({PromiseKind.CALLBACK, PromiseKind.CUSTOMER_TEST}),
}
"""What is promised only when the first of these was kept, not beside it."""


class Planner:
    """Plans the promises of one issue by a rulebook, the issue's facts, its centre's calendar."""

    def __init__(self, rulebook: Rulebook, facts: Facts, centre_calendar: str) -> None:
        self._rulebook = rulebook
        self._facts = facts
        self._centre_calendar = centre_calendar

    def make(self, kind: PromiseKind, at: datetime, attempt: int = 1) -> Promise | None:
        """Promise ``kind`` at the instant ``at``; None if the policy has nothing of the kind."""
        rule = self._rulebook.policy.rule(kind, self._facts)
        if rule is None:
            return None
        name = self._centre_calendar if rule.calendar == CENTRE else rule.calendar
        return planned(
            self._clock(name, rule.clock), rule, name, at, self._facts.generation, attempt, kind
        )

    def promised(
        self, kinds: Sequence[PromiseKind], at: datetime, attempt: int = 1
    ) -> tuple[Promise, ...]:
        """Promise all of these that the policy has. Where a survey comes before the work, what the
        work takes is promised with the go-ahead (R17); where the agent calls with the result, what
        follows the answer is promised with that call (R34).
        """
        made = [promise for kind in kinds if (promise := self.make(kind, at, attempt))]
        kinds_made = {promise.kind for promise in made}
        later = {kind for first in _FIRST.keys() & kinds_made for kind in _FIRST[first]}
        return tuple(promise for promise in made if promise.kind not in later)

    def resume(self, promise: Promise, at: datetime) -> Promise:
        """Let a paused promise run on at ``at``: everything still ahead of it moves by the time,
        on its own clock, that it stood still. No threshold is skipped (R15).
        """
        if promise.paused_at is None:
            return promise
        stop = Stop(begin=promise.paused_at, end=at)
        clock = self._clock(promise.calendar, promise.clock)
        changes: dict[str, object] = {}
        if promise.end is PromiseEnd.OPEN:
            due = clock.past(promise.due_at, (stop,))
            changes = {"due_at": due.at, "provisional": promise.provisional or due.provisional}
        ahead = (
            mark.model_copy(update={"at": clock.past(mark.at, (stop,)).at})
            for mark in promise.marks[promise.reached :]
        )
        return promise.model_copy(
            update=changes
            | {
                "marks": (*promise.marks[: promise.reached], *ahead),
                "stops": (*promise.stops, stop),
                "paused_at": None,
                "consumed": None,
            }
        )

    def replan(self, promise: Promise, now: datetime) -> Promise:
        """Plan an open promise again, from when it was made and what it stood still since.

        What is kept or broken is left as it is, and so is what the policy no longer promises. A
        threshold that was reached stays so. One that comes to lie in the past is skipped, for
        nobody was late by it; one that had passed already is still to be told. A customer's time to
        try the answer may be over at once: nobody breaks a promise by that.
        """
        planned = self.make(promise.kind, promise.made_at, promise.attempt)
        until = promise.paused_at or now
        if planned is None or not _may_move(promise, until):
            return promise
        clock = self._clock(planned.calendar, planned.clock)
        due = clock.past(planned.due_at, promise.stops)
        told = promise.marks[: promise.reached]
        skipped, ahead = _sorted_out(promise, _moved(clock, planned, promise), until)
        again = planned.model_copy(
            update={
                "generation": promise.generation,
                "due_at": due.at,
                "provisional": planned.provisional or due.provisional,
                "marks": (*told, *skipped, *ahead),
                "reached": len(told) + len(skipped),
                "end": PromiseEnd.SKIPPED if DUE in map(_name, skipped) else PromiseEnd.OPEN,
                "paused_at": promise.paused_at,
                "pauses": promise.pauses,
                "stops": promise.stops,
                "own_word_at": promise.own_word_at,
            }
        )
        return self.measured(again)

    def measured(self, promise: Promise) -> Promise:
        """Say how much of its time a promise that stands still or has ended has consumed."""
        until = promise.paused_at or promise.ended_at
        if until is None or promise.consumed is not None:
            return promise
        clock = self._clock(promise.calendar, promise.clock)
        consumed = clock.consumed(promise.made_at, max(until, promise.made_at), promise.stops)
        return promise.model_copy(update={"consumed": consumed})

    def _clock(self, calendar: str, counting: Counting) -> Clock:
        rehearsal = self._rulebook.policy.rehearsal
        return Clock(self._rulebook.calendar(calendar), counting, rehearsal)


def planned(
    clock: Clock,
    rule: PromiseRule,
    calendar: str,
    at: datetime,
    generation: int = 1,
    attempt: int = 1,
    kind: PromiseKind | None = None,
) -> Promise:
    """Promise at the instant ``at`` what a rule says; ``kind`` is the rule's own unless it stands
    for another.

    Raises:
        CalendarExhausted, OverflowError: the clock's calendar ends before.
    """
    due = clock.after(at, rule.within, rule.ends)
    return Promise(
        kind=kind or rule.promise,
        generation=generation,
        attempt=attempt,
        attempts=rule.attempts,
        target=str(rule.within),
        clock=rule.clock,
        calendar=calendar,
        made_at=at,
        opens_at=clock.opening(at, rule.opens).at if rule.opens else None,
        due_at=due.at,
        provisional=due.provisional,
        marks=_marks(clock, rule, at, due.at),
    )


def _may_move(promise: Promise, until: datetime) -> bool:
    """Whether a promise is still open, and it is known when it stood still. Past due it is broken,
    and the alarm on its way.
    """
    stops = len(promise.stops) + (promise.paused_at is not None)
    is_open = promise.running and promise.end is PromiseEnd.OPEN
    return is_open and promise.due_at >= until and stops == promise.pauses


def _moved(clock: Clock, planned: Promise, promise: Promise) -> list[Threshold]:
    """Place the thresholds that nobody was told of yet, in order of time."""
    told = set(map(_name, promise.marks[: promise.reached]))
    moved = (
        mark.model_copy(update={"at": clock.past(mark.at, promise.stops).at})
        for mark in planned.marks
        if mark.name not in told
    )
    return sorted(moved, key=lambda mark: mark.at)


def _sorted_out(
    promise: Promise, marks: Sequence[Threshold], until: datetime
) -> tuple[list[Threshold], list[Threshold]]:
    """Part the thresholds that only planning again put into the past from those ahead."""
    passed = {mark.name for mark in promise.marks if mark.at < until}
    theirs = promise.kind in CUSTOMERS
    skipped = [
        mark.model_copy(update={"skipped": True})
        for mark in marks
        if mark.at < until and mark.name not in passed and not theirs
    ]
    names = set(map(_name, skipped))
    return skipped, [mark for mark in marks if mark.name not in names]


def _name(mark: Threshold) -> str:
    return mark.name


def _marks(
    clock: Clock, rule: PromiseRule, start: datetime, due: datetime
) -> tuple[Threshold, ...]:
    """Place the thresholds in order of time."""
    marks = (
        Threshold(
            name=mark.at,
            at=_mark_at(clock, mark, start, due),
            tell=mark.tell,
            level=ESCALATION.index(mark.level) if mark.level else 0,
        )
        for mark in rule.marks
    )
    return tuple(sorted(marks, key=lambda mark: mark.at))


def _mark_at(clock: Clock, mark: ThresholdRule, start: datetime, due: datetime) -> datetime:
    if mark.share is None:
        # Due at 24:00 is due on the day that ends then, and the next is the first to count (R31).
        whole_days = isinstance(mark.after_due, WorkingDays)
        return clock.after(due - timedelta.resolution if whole_days else due, mark.after_due).at
    if mark.share == 1:
        return due
    return clock.add(start, clock.between(start, due) * mark.share).at
