"""Why a promise is due when it is: what is explained is what is kept, or it says it differs."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.sla.planning import Planner
from domain.sla.policy import Facts
from domain.sla.promise import Promise, PromiseKind
from domain.sla.why import Doubt, Why, why
from domain.vocabulary import Severity
from runtime.rulebook import load
from tests.support.calendars import CHINA, HOUR, at, calendar
from tests.support.rulebooks import facts, planner, promised, solving

STANDARD = load(Path(__file__).parents[2] / "policies" / "standard.toml")
BOOK = solving("3 working days", calendar(national="CN"), national=CHINA)
MADE = at("2026-09-30 17:00")


def told(promise: Promise, **changes: Any) -> Why:
    return why(BOOK, BOOK.version, "20260930-07-0001", promise, facts(**changes))


def days(found: Why) -> list[tuple[str, str, int | None]]:
    assert found.days is not None
    return [(f"{line.day:%m-%d}", line.reason, line.number) for line in found.days.lines]


def test_every_day_is_counted_or_left_out_with_the_reason() -> None:
    found = told(promised(BOOK, MADE))
    assert (found.rule, found.version, found.doubts) == ("resolution", BOOK.version, ())
    assert found.expected == found.promise.due_at == at("2026-10-10 18:00")
    assert days(found) == [
        ("09-30", "weekday", None),
        *((f"10-0{day}", "holiday", None) for day in range(1, 8)),
        ("10-08", "weekday", 1),
        ("10-09", "weekday", 2),
        ("10-10", "makeup_workday", 3),
    ]


def test_a_pause_says_how_much_of_its_time_it_took_and_where_it_moved_the_due_instant() -> None:
    promise = promised(BOOK, MADE).pause(at("2026-10-08 10:00"))
    standing = told(promise)
    assert [(each.begin, each.end) for each in standing.pauses] == [(at("2026-10-08 10:00"), None)]
    assert standing.expected == promise.due_at
    found = told(planner(BOOK).resume(promise, at("2026-10-09 10:00")))
    (pause,) = found.pauses
    assert pause.counted == 7.5 * HOUR
    assert (pause.due_before, pause.due_after) == (at("2026-10-10 18:00"), at("2026-10-12 18:00"))
    assert (found.expected, found.doubts) == (found.promise.due_at, ())


def test_reminders_say_whom_they_tell_and_whether_they_are_past() -> None:
    found = told(promised(BOOK, MADE).reach())
    assert [(each.mark.name, each.reached) for each in found.reminders] == [
        ("75%", True),
        ("100%", False),
        ("+2h", False),
        ("+1 working day", False),
    ]


def test_what_is_kept_otherwise_than_it_comes_out_is_said_and_not_explained_away() -> None:
    promise = promised(BOOK, MADE)
    later = promise.model_copy(update={"due_at": promise.due_at + HOUR})
    assert told(later).doubts == (Doubt.OTHER_TIME,)
    mark = promise.marks[1].model_copy(update={"at": promise.marks[1].at + HOUR})
    moved = promise.model_copy(update={"marks": (promise.marks[0], mark, *promise.marks[2:])})
    assert told(moved).doubts == (Doubt.OTHER_REMINDER,)
    assert told(promise.model_copy(update={"pauses": 1})).doubts == (Doubt.UNKNOWN_PAUSES,)
    unknown = told(promise.model_copy(update={"calendar": "gone"}))
    assert (unknown.doubts, unknown.days) == ((Doubt.NO_CALENDAR,), None)
    other = told(promise.model_copy(update={"target": "4 working days"}))
    assert other.doubts == (Doubt.NO_RULE, Doubt.OTHER_TIME)


def test_the_rule_is_found_also_when_the_issue_became_another_since() -> None:
    was = Facts.model_validate({**dict(facts()), "severity": Severity.MAJOR})
    promise = Planner(STANDARD, was, "desk").make(PromiseKind.RESPONSE, MADE)
    assert promise is not None
    found = why(STANDARD, STANDARD.version, "20260930-07-0001", promise, facts())
    assert (found.rule, found.doubts) == ("major_response", ())


hours = st.integers(0, 100).map(lambda n: n * HOUR)


@pytest.mark.parametrize("kind", list(PromiseKind))
@given(
    made=st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 20)),  # noqa: DTZ001
    pauses=st.lists(st.tuples(hours, hours), max_size=3),
    ends=st.none() | hours,
)
def test_whatever_a_promise_went_through_it_is_explained_as_it_is_kept(
    kind: PromiseKind,
    made: datetime,
    pauses: list[tuple[timedelta, timedelta]],
    ends: timedelta | None,
) -> None:
    plan = Planner(STANDARD, facts(), "desk")
    now = at(made.isoformat())
    promise = plan.make(kind, now)
    if promise is None:
        return
    for runs, stands in pauses:
        now += runs
        while (mark := promise.next_threshold) and mark.at <= now:
            promise = promise.reach()
        promise = promise.pause(now)
        now += stands
        promise = plan.resume(promise, now)
    if ends is not None:
        promise = promise.fulfil(now + ends)
    found = why(STANDARD, STANDARD.version, "20260930-07-0001", promise, facts())
    assert found.doubts == ()
    assert found.expected == promise.due_at
