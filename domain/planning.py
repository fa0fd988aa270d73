"""From a policy and a calendar to instants: when exactly a promise is due (R11, R12, R22, R31)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from domain.calendar import Due, WorkingCalendar
from domain.policy import Clock, Facts, MarkRule, Period, PromiseRule, Rulebook, WorkingDays
from domain.promises import Mark, Promise, PromiseKind
from domain.vocabulary import ESCALATION

Translate = Callable[[datetime], datetime]


class Planner:
    """Plans the promises of one issue by a rulebook, the issue's facts, its centre's calendar."""

    def __init__(self, rulebook: Rulebook, facts: Facts, centre_calendar: str) -> None:
        self._rulebook = rulebook
        self._facts = facts
        self._centre_calendar = centre_calendar
        rehearsal = rulebook.policy.rehearsal
        self._to_story: Translate = rehearsal.to_story if rehearsal else _as_it_is
        self._to_reality: Translate = rehearsal.to_reality if rehearsal else _as_it_is

    def make(self, kind: PromiseKind, at: datetime, attempt: int = 1) -> Promise | None:
        """Promise ``kind`` at the instant ``at``; None if the policy has nothing of the kind."""
        rule = self._rulebook.policy.rule(kind, self._facts)
        if rule is None:
            return None
        name = self._centre_calendar if rule.calendar == "centre" else rule.calendar
        calendar = self._rulebook.calendar(name)
        start = self._to_story(at)
        opens = _opening(calendar, rule, start) if rule.opens else None
        due = _after(calendar, start, rule.within, rule.clock)
        return Promise(
            kind=kind,
            generation=self._facts.generation,
            attempt=attempt,
            attempts=rule.attempts,
            target=str(rule.within),
            clock=rule.clock,
            calendar=name,
            made_at=at,
            opens_at=self._to_reality(opens.at) if opens else None,
            due_at=self._to_reality(due.at),
            provisional=due.provisional,
            marks=self._marks(calendar, rule, start, due),
        )

    def resume(self, promise: Promise, at: datetime) -> Promise:
        """Let a paused promise run on at ``at``: everything still ahead of it moves by the time,
        on its own clock, that it stood still. No threshold is skipped (R15).
        """
        if promise.paused_at is None:
            return promise
        calendar = self._rulebook.calendar(promise.calendar)
        paused, resumed = self._to_story(promise.paused_at), self._to_story(at)
        if promise.clock == "elapsed":
            stood_still = resumed - paused
        else:
            stood_still = calendar.working_between(paused, resumed)

        def moved(instant: datetime) -> Due:
            return _add(calendar, self._to_story(instant), stood_still, promise.clock)

        due = promise.due_at
        provisional = promise.provisional
        if not promise.overdue:
            planned = moved(due)
            due, provisional = self._to_reality(planned.at), provisional or planned.provisional
        marks = tuple(
            mark
            if index < promise.reached
            else mark.model_copy(update={"at": self._to_reality(moved(mark.at).at)})
            for index, mark in enumerate(promise.marks)
        )
        return promise.model_copy(
            update={"due_at": due, "provisional": provisional, "marks": marks, "paused_at": None}
        )

    def _marks(
        self, calendar: WorkingCalendar, rule: PromiseRule, start: datetime, due: Due
    ) -> tuple[Mark, ...]:
        """Place the thresholds in order of time."""
        marks = (
            Mark(
                name=mark.at,
                at=self._to_reality(_mark_at(calendar, mark, start, due.at, rule.clock)),
                tell=mark.tell,
                level=ESCALATION.index(mark.level) if mark.level else 0,
            )
            for mark in rule.marks
        )
        return tuple(sorted(marks, key=lambda mark: mark.at))


def _as_it_is(at: datetime) -> datetime:
    return at


def _add(calendar: WorkingCalendar, at: datetime, span: timedelta, clock: Clock) -> Due:
    return Due(at + span, provisional=False) if clock == "elapsed" else calendar.due_after(at, span)


def _after(calendar: WorkingCalendar, at: datetime, period: Period, clock: Clock) -> Due:
    if isinstance(period, WorkingDays):
        return calendar.close_of_working_day(at, period.days)
    return _add(calendar, at, period.span, clock)


def _opening(calendar: WorkingCalendar, rule: PromiseRule, start: datetime) -> Due:
    """A period in working days opens when that day's business does; any other when it is over."""
    if isinstance(rule.opens, WorkingDays):
        return calendar.opening_of_working_day(start, rule.opens.days)
    if rule.opens is None:
        return Due(start, provisional=False)
    return _add(calendar, start, rule.opens.span, rule.clock)


def _mark_at(
    calendar: WorkingCalendar, mark: MarkRule, start: datetime, due: datetime, clock: Clock
) -> datetime:
    if mark.share is None:
        return _after(calendar, due, mark.after_due, clock).at
    if mark.share == 1:
        return due
    whole = due - start if clock == "elapsed" else calendar.working_between(start, due)
    return _add(calendar, start, whole * mark.share, clock).at
