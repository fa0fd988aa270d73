"""Lateness, said honestly: what was overdue before we knew, and what only a word makes punctual."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.issue.actions import ActionName
from domain.issue.lateness import late
from domain.issue.state import Issue
from domain.issue.step import Recorded, Step
from domain.sla.promise import COUNTS_BACK, Promise, PromiseEnd, PromiseKind
from domain.vocabulary import Actor, Audience, Role, Stage
from tests.support.builders import (
    DAY,
    HOUR,
    MINUTE,
    MONDAY,
    Desk,
    a_promise,
    actor,
    an_issue,
    decided,
)

RESPONSE, RESOLUTION = a_promise(PromiseKind.RESPONSE), a_promise()


# --- Before it was registered --------------------------------------------------------------------


def test_what_was_broken_before_it_was_registered_counts_as_one_for_the_highest() -> None:
    found = late((RESPONSE, RESOLUTION), MONDAY + 13 * DAY)
    assert [(p.end, p.reached) for p in found.promises] == [(PromiseEnd.BROKEN, 4)] * 2
    every = ("75%", "100%", "+2h", "+1 working day")
    assert found.missed == {"response.1": every, "resolution.1": every}
    assert found.level == 3
    assert [(tell.template, tell.to) for tell in found.tell] == [("late", Audience.GM_OFFICE)]


def test_as_late_as_it_is_so_high_it_rises_and_the_rest_is_still_to_ring() -> None:
    found = late((RESPONSE, RESOLUTION), RESPONSE.due_at + 3 * HOUR)
    response, resolution = found.promises
    assert (response.end, response.next_threshold) == (PromiseEnd.BROKEN, RESPONSE.marks[3])
    assert resolution == RESOLUTION
    assert (found.level, [tell.to for tell in found.tell]) == (2, [Audience.MANAGER])


@pytest.mark.parametrize("before", [0 * HOUR, 1.75 * HOUR])
def test_what_is_not_due_yet_is_left_to_its_clock(before: timedelta) -> None:
    found = late((RESPONSE, RESOLUTION), MONDAY + before)
    assert (found.promises, found.missed, found.tell) == ((RESPONSE, RESOLUTION), {}, ())


def test_the_hotlines_time_is_left_to_its_clock_for_its_end_passes_the_issue_on() -> None:
    hand_over = a_promise(PromiseKind.HAND_OVER)
    found = late((hand_over,), MONDAY + 13 * DAY)
    assert (found.promises, found.missed) == ((hand_over,), {})


def test_agents_whom_the_policy_tells_hear_of_it_as_well() -> None:
    told = tuple(m.model_copy(update={"tell": (Audience.AGENT,)}) for m in RESPONSE.marks[1:2])
    promise = RESPONSE.model_copy(update={"marks": (RESPONSE.marks[0], *told)})
    found = late((promise,), MONDAY + DAY)
    assert [tell.to for tell in found.tell] == [Audience.AGENT]


@given(st.integers(0, 20 * 24 * 60))
def test_no_threshold_is_lost_and_none_rings_that_was_counted(minutes: int) -> None:
    now = MONDAY + minutes * MINUTE
    for promise in late((RESPONSE, RESOLUTION), now).promises:
        ahead = promise.marks[promise.reached :]
        assert (promise.end is PromiseEnd.BROKEN) == (promise.due_at <= now)
        if promise.end is PromiseEnd.BROKEN:
            assert all(mark.at > now for mark in ahead)


# --- By own word ---------------------------------------------------------------------------------


def _broken() -> tuple[Issue, datetime]:
    """An issue whose response was broken, with all who are told told."""
    issue = an_issue()
    response = issue.promise(PromiseKind.RESPONSE)
    assert response
    for mark in response.marks:
        issue = Desk().do(
            issue,
            ActionName.THRESHOLD,
            actor(Role.SYSTEM),
            mark.at,
            promise=response.key,
            threshold=mark.name,
        )
    return issue, response.due_at


def _ended(step: Step, kind: PromiseKind = PromiseKind.RESPONSE) -> Promise:
    return next(promise for promise in step.promises if promise.kind is kind)


def _accepted(by: Actor, *, after: timedelta, before: timedelta, **changes: Any) -> Step:
    """Accept an issue so long after its response was due, as done so long before."""
    issue, due = _broken()
    issue = issue.model_copy(update=changes)
    return decided(issue, ActionName.ACCEPT, by, due + after, at=due - before)


def test_a_word_after_the_alarm_keeps_the_promise_marked_and_a_lead_hears_of_it() -> None:
    step = _accepted(actor(Role.ENGINEER), after=5 * HOUR, before=HOUR)
    response = _ended(step)
    assert (response.end, response.by_own_word) == (PromiseEnd.KEPT, True)
    assert response.own_word_at == step.recorded_at
    told = [(tell.template, tell.to) for tell in step.tell]
    assert told == [("accepted", Audience.CUSTOMER), ("own_word", Audience.LEAD)]


@pytest.mark.parametrize(
    ("role", "above"),
    [
        (Role.LEAD, Audience.MANAGER),
        (Role.MANAGER, Audience.GM_OFFICE),
        (Role.GM_OFFICE, Audience.GM_OFFICE),
    ],
)
def test_nobody_is_told_of_their_own_word_who_has_somebody_above(
    role: Role, above: Audience
) -> None:
    step = _accepted(actor(role), after=5 * HOUR, before=HOUR)
    assert step.tell[-1].to is above


def test_a_word_from_further_back_than_it_counts_is_of_now_and_kept() -> None:
    step = _accepted(actor(Role.ENGINEER), after=13 * HOUR, before=HOUR)
    assert step.at == step.recorded_at
    response = _ended(step)
    assert (response.end, response.own_word_at) == (PromiseEnd.BROKEN, None)
    assert datetime.fromisoformat(step.content["at"]) == response.due_at - HOUR
    assert "own_word" not in {tell.template for tell in step.tell}


def test_how_far_back_it_counts_is_the_policys_to_say() -> None:
    by, counts = actor(Role.ENGINEER), {"counts_back": 2 * HOUR}
    assert _ended(_accepted(by, after=HOUR, before=0.5 * HOUR, **counts)).by_own_word
    too_far = _accepted(by, after=HOUR, before=1.5 * HOUR, **counts)
    assert _ended(too_far).end is PromiseEnd.BROKEN


def test_a_word_that_came_in_time_needs_no_mark() -> None:
    issue = an_issue()
    step = decided(issue, ActionName.ACCEPT, actor(Role.ENGINEER), MONDAY + HOUR, at=MONDAY)
    assert (_ended(step).end, _ended(step).own_word_at) == (PromiseEnd.KEPT, None)
    assert [tell.template for tell in step.tell] == ["accepted"]


def test_a_word_that_crossed_the_due_instant_on_its_way_is_marked_and_alarms_nobody() -> None:
    issue = an_issue()
    response = issue.promise(PromiseKind.RESPONSE)
    assert response
    now = response.due_at + timedelta(seconds=1)
    step = decided(issue, ActionName.ACCEPT, actor(Role.LEAD), now, at=response.due_at)
    assert _ended(step).by_own_word
    assert [tell.template for tell in step.tell] == ["accepted"]


def test_a_word_that_leaves_it_broken_needs_no_mark() -> None:
    issue, due = _broken()
    step = decided(issue, ActionName.ACCEPT, actor(Role.LEAD), due + 5 * HOUR, at=due + HOUR)
    assert (_ended(step).end, _ended(step).own_word_at) == (PromiseEnd.BROKEN, None)


def test_a_pause_told_after_the_alarm_is_marked_as_well_and_so_is_what_it_makes_kept() -> None:
    issue = an_issue(Stage.IN_PROGRESS)
    resolution = issue.promise(PromiseKind.RESOLUTION)
    assert resolution
    for mark in resolution.marks[:2]:
        issue = Desk().do(
            issue,
            ActionName.THRESHOLD,
            actor(Role.SYSTEM),
            mark.at,
            promise=resolution.key,
            threshold=mark.name,
        )
    due, by = resolution.due_at, actor(Role.ENGINEER)
    step = decided(
        issue, ActionName.WAIT_FOR_CUSTOMER, by, due + 3 * HOUR, at=due - HOUR, reason="keys"
    )
    paused = _ended(step, PromiseKind.RESOLUTION)
    assert (paused.end, paused.own_word_at) == (PromiseEnd.OPEN, due + 3 * HOUR)
    issue = Desk().record(step, issue).applied_to(issue)
    resumed = Desk().do(issue, ActionName.RESUME, by, due + 4 * HOUR)
    solved = decided(resumed, ActionName.RESOLVE, by, due + 4.5 * HOUR)
    assert _ended(solved, PromiseKind.RESOLUTION).by_own_word


@pytest.mark.parametrize("ahead", [6 * MINUTE, 8 * HOUR, DAY])
def test_a_clock_that_runs_ahead_is_of_now_and_what_it_said_is_kept(ahead: timedelta) -> None:
    now = MONDAY + HOUR
    step = decided(an_issue(), ActionName.ACCEPT, actor(Role.ENGINEER), now, at=now + ahead)
    assert (step.at, step.recorded_at) == (now, now)
    assert datetime.fromisoformat(step.content["at"]) == now + ahead
    assert step.act.at == now + ahead


def test_the_ledgers_json_says_nothing_of_a_word_where_there_was_none() -> None:
    assert "own_word_at" not in RESPONSE.model_dump(mode="json")
    marked = RESPONSE.model_copy(update={"own_word_at": MONDAY})
    assert Promise.model_validate_json(marked.model_dump_json()) == marked


def test_an_issue_learns_from_each_step_how_far_back_a_word_counts() -> None:
    issue = an_issue()
    step = decided(issue, ActionName.ACCEPT, actor(Role.ENGINEER))
    recorded = Desk().record(step, issue)
    assert recorded.applied_to(issue).counts_back == COUNTS_BACK
    told = recorded.model_copy(update={"counts_back": HOUR})
    assert told.applied_to(issue).counts_back == HOUR
    assert "counts_back" not in Recorded.model_dump(recorded)
