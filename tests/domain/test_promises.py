"""The ledger of promises: how one is kept, broken, paused and given up, and what those of an issue
sum up to. The laws that hold for all of them are in ``test_guarantee``.
"""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.issue.actions import ActionName
from domain.issue.state import Issue, SlaState
from domain.sla.promise import Promise, PromiseEnd, PromiseKind
from domain.vocabulary import Role, Stage
from tests.support.builders import DAY, HOUR, MONDAY, Desk, a_promise, actor, an_issue
from tests.support.profiles import share

SECOND = timedelta(seconds=1)


# --- one promise ---------------------------------------------------------------------------------


def _reached(promise: Promise, times: int) -> Promise:
    for _ in range(times):
        promise = promise.reach()
    return promise


@pytest.mark.parametrize(
    ("late_by", "end"),
    [(-HOUR, PromiseEnd.KEPT), (0 * SECOND, PromiseEnd.KEPT), (SECOND, PromiseEnd.BROKEN)],
)
def test_a_promise_is_kept_up_to_and_including_its_due_instant(
    late_by: timedelta, end: PromiseEnd
) -> None:
    promise = a_promise()
    done = promise.fulfil(promise.due_at + late_by)
    assert (done.end, done.ended_at, done.running) == (end, promise.due_at + late_by, False)


def test_late_word_of_an_earlier_deed_keeps_a_promise_whose_alarm_has_rung() -> None:
    promise = _reached(a_promise(), 2)
    assert promise.overdue
    assert promise.fulfil(promise.due_at - HOUR).end is PromiseEnd.KEPT
    assert promise.fulfil(promise.due_at + HOUR).end is PromiseEnd.BROKEN


def test_the_time_a_promise_stood_still_does_not_count_against_it() -> None:
    promise = a_promise()
    in_time, too_late = (promise.pause(promise.due_at + by) for by in (-HOUR, HOUR))
    for paused, end in ((in_time, PromiseEnd.KEPT), (too_late, PromiseEnd.BROKEN)):
        done = paused.fulfil(promise.due_at + 9 * DAY)
        assert (done.end, done.paused_at) == (end, None)
        assert done.ended_at == promise.due_at + 9 * DAY


def test_a_deed_of_before_the_pause_counts_from_the_deed() -> None:
    promise = a_promise()
    paused = promise.pause(promise.due_at + HOUR)
    assert paused.fulfil(promise.due_at - HOUR).end is PromiseEnd.KEPT


def test_an_alarm_is_taken_back_when_word_comes_that_the_clock_had_been_stopped_before() -> None:
    promise = a_promise()
    paused = _reached(promise, 2).pause(promise.due_at - HOUR)
    assert (paused.end, paused.reached) == (PromiseEnd.OPEN, 1)
    assert _reached(promise, 2).pause(promise.due_at).end is PromiseEnd.OPEN


def test_a_clock_stopped_after_it_was_due_is_broken_although_its_alarm_is_still_to_come() -> None:
    promise = a_promise()
    paused = promise.pause(promise.due_at + HOUR)
    assert (paused.end, paused.reached) == (PromiseEnd.BROKEN, 0)


@pytest.mark.parametrize(("marks", "end"), [(0, "withdrawn"), (1, "withdrawn"), (2, "broken")])
def test_giving_up_withdraws_a_promise_unless_it_was_broken_by_then(marks: int, end: str) -> None:
    promise = a_promise()
    paused_at = promise.due_at + (HOUR if marks > 1 else -HOUR)
    given_up = _reached(promise, marks).pause(paused_at).give_up(paused_at + HOUR)
    assert given_up.end == end
    assert (given_up.ended_at, given_up.paused_at) == (paused_at + HOUR, None)
    assert not given_up.running
    assert not given_up.overdue


@pytest.mark.parametrize(
    ("marks", "end", "at_risk", "overdue", "waits_for"),
    [
        (0, "open", False, False, "75%"),
        (1, "open", True, False, "100%"),
        (2, "broken", False, True, "+2h"),
        (3, "broken", False, True, "+1 working day"),
        (4, "broken", False, True, None),
    ],
)
def test_thresholds_are_ticked_off_one_by_one_and_the_due_instant_breaks_the_promise(
    *, marks: int, end: str, at_risk: bool, overdue: bool, waits_for: str | None
) -> None:
    promise = _reached(a_promise(), marks)
    assert (promise.end, promise.at_risk, promise.overdue) == (end, at_risk, overdue)
    assert (promise.next_threshold.name if promise.next_threshold else None) == waits_for
    assert promise.running


def test_a_promise_that_stands_still_or_has_ended_waits_for_no_threshold() -> None:
    assert a_promise().pause(MONDAY).next_threshold is None
    assert a_promise().fulfil(MONDAY).next_threshold is None
    assert a_promise().give_up(MONDAY).next_threshold is None


def test_an_ended_promise_is_at_no_risk_any_more() -> None:
    assert not a_promise().reach().fulfil(MONDAY).at_risk


def test_a_clock_counts_working_time_or_all_of_it_and_nothing_else() -> None:
    for clock in ("working", "elapsed"):
        promise = a_promise(clock=clock)
        assert Promise.model_validate_json(promise.model_dump_json()) == promise
    with pytest.raises(ValidationError, match="'working' or 'elapsed'"):
        a_promise(clock="sundial")


def test_a_promise_is_the_only_attempt_of_the_first_generation_unless_it_says_otherwise() -> None:
    written = a_promise().model_dump(exclude={"generation", "attempt", "attempts"})
    promise = Promise.model_validate(written)
    assert (promise.generation, promise.attempt, promise.attempts) == (1, 1, 1)


@pytest.mark.parametrize(
    ("generation", "attempt", "key"), [(1, 1, "callback.1"), (2, 3, "callback.2.3")]
)
def test_a_promise_has_a_name_within_its_issue(generation: int, attempt: int, key: str) -> None:
    promise = a_promise(PromiseKind.CALLBACK, generation=generation, attempt=attempt)
    assert promise.key == key


# --- what an issue's promises sum up to ----------------------------------------------------------

OPEN = a_promise()
AT_RISK, OVERDUE = OPEN.reach(), OPEN.reach().reach()
PAUSED, KEPT, BROKEN = OPEN.pause(MONDAY), OPEN.fulfil(MONDAY), OVERDUE.give_up(MONDAY)
WITHDRAWN = OPEN.give_up(MONDAY)


@pytest.mark.parametrize(
    ("stage", "promises", "state"),
    [
        (Stage.ASSIGNED, (OPEN, PAUSED, AT_RISK, OVERDUE), SlaState.OVERDUE),
        (Stage.ASSIGNED, (OPEN, AT_RISK, PAUSED), SlaState.PAUSED),
        (Stage.ASSIGNED, (OVERDUE.pause(OVERDUE.due_at + HOUR),), SlaState.OVERDUE),
        (Stage.ASSIGNED, (OPEN, AT_RISK, BROKEN), SlaState.AT_RISK),
        (Stage.ASSIGNED, (OPEN, BROKEN), SlaState.ON_TIME),
        (Stage.ASSIGNED, (), SlaState.ON_TIME),
        (Stage.RESOLVED, (BROKEN,), SlaState.ON_TIME),
        (Stage.CLOSED, (KEPT, BROKEN), SlaState.MISSED),
        (Stage.CLOSED, (KEPT, WITHDRAWN), SlaState.MET),
        (Stage.CLOSED, (), SlaState.MET),
    ],
)
def test_the_worst_promise_speaks_for_the_issue(
    stage: Stage, promises: tuple[Promise, ...], state: SlaState
) -> None:
    assert an_issue(stage, promises=promises).sla_state is state


def test_what_the_customer_has_to_do_is_not_what_the_desk_owes_next() -> None:
    assert an_issue(promises=(a_promise(PromiseKind.CUSTOMER_TEST),)).next_due_at is None


def test_the_next_due_instant_is_the_nearest_of_the_clocks_that_move() -> None:
    soon, late = (a_promise(due_at=MONDAY + n * HOUR) for n in (2, 3))
    assert an_issue(promises=(late, soon)).next_due_at == soon.due_at
    assert an_issue(promises=(late, soon.pause(MONDAY))).next_due_at == late.due_at
    assert an_issue(promises=(late, soon.fulfil(MONDAY))).next_due_at == late.due_at
    assert an_issue(promises=(soon.pause(MONDAY),)).next_due_at is None


# --- what goes through Temporal's converter ------------------------------------------------------

ROUTE = [
    (ActionName.ACCEPT, Role.ENGINEER),
    (ActionName.WAIT_FOR_CUSTOMER, Role.ENGINEER),
    (ActionName.RESUME, Role.AGENT),
    (ActionName.RESOLVE, Role.ENGINEER),
    (ActionName.REPLIED, Role.SYSTEM),
    (ActionName.RECORD_CALLBACK, Role.CLERK),
    (ActionName.HAND_OVER, Role.SYSTEM),
]


@given(hours=st.lists(st.integers(17, 60), min_size=len(ROUTE), max_size=len(ROUTE)))
@settings(max_examples=share(0.2), suppress_health_check=[HealthCheck.too_slow])
def test_an_issue_lives_on_unchanged_after_a_round_trip_through_json_between_any_two_steps(
    hours: list[int],
) -> None:
    issue = carried = Desk().open()
    for (name, role), after in zip(ROUTE, hours, strict=True):
        now = issue.last_at + after * HOUR
        issue = Desk().do(issue, name, actor(role), now)
        carried = Issue.model_validate_json(carried.model_dump_json())
        carried = Desk().do(carried, name, actor(role), now)
        assert carried == issue
