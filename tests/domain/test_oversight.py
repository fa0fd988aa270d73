"""Callback, evaluation and rating (R18, R21-R26): what the customer says of it, and the manager."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from domain.errors import Refused
from domain.issue.actions import ActionName
from domain.issue.forms import DifficultyRating, Evaluation, PaidService
from domain.issue.state import Assignment, CallbackRecord, Issue, Person
from domain.issue.step import Step
from domain.sla.promise import PromiseKind
from domain.terms import KINDS
from domain.vocabulary import DESK, Outcome, Role, ServiceItem, Severity, Stage
from tests.support.builders import (
    COLLEAGUE,
    DAY,
    ENGINEER,
    MONDAY,
    SOUGHT,
    Desk,
    a_promise,
    actor,
    an_act,
    an_issue,
    decided,
    ends,
    messages,
)

CLERK, CUSTOMER, MANAGER = (actor(role) for role in (Role.CLERK, Role.CUSTOMER, Role.MANAGER))

# --- the callback --------------------------------------------------------------------------------


def _call(issue: Issue, desk: Desk | None = None, days: int = 1, **said: Any) -> Issue:
    answer = {"running": None, "satisfied": None} | said
    then = issue.last_at + days * DAY
    return (desk or Desk()).do(issue, ActionName.RECORD_CALLBACK, actor(Role.CLERK), then, **answer)


def _not_reached(issue: Issue) -> Issue:
    return _call(issue, reached=False)


def test_a_call_before_the_callback_opens_is_refused_and_says_from_when() -> None:
    issue = an_issue(Stage.REPLIED)
    opens = issue.running[0].opens_at
    assert opens
    clerk = actor(Role.CLERK)
    with pytest.raises(Refused, match=r"R22") as refused:
        Desk().do(issue, ActionName.RECORD_CALLBACK, clerk, opens - timedelta(seconds=1))
    assert refused.value.type == "NotAllowed"
    local = opens.astimezone(ZoneInfo("Asia/Shanghai")).isoformat(timespec="minutes")
    assert local in refused.value.message
    issue = Desk().do(issue, ActionName.RECORD_CALLBACK, clerk, opens)
    assert issue.closed


def test_a_callback_without_an_opening_may_be_made_at_once() -> None:
    promise = a_promise(PromiseKind.CALLBACK, opens_at=None)
    issue = an_issue(Stage.REPLIED, promises=(promise,))
    assert Desk().do(issue, ActionName.RECORD_CALLBACK, actor(Role.CLERK)).closed


def test_a_good_callback_closes_the_issue_as_solved_and_answers_it_by_phone() -> None:
    before = an_issue(Stage.RESOLVED)
    step = decided(
        before,
        ActionName.RECORD_CALLBACK,
        actor(Role.CLERK),
        before.last_at + DAY,
        words="works again",
    )
    assert step.callback == CallbackRecord(
        generation=1, attempt=1, reached=True, running=True, satisfied=True, words="works again"
    )
    issue = Desk().record(step, before).applied_to(before)
    assert (issue.stage, issue.outcome, issue.answered) == (Stage.CLOSED, Outcome.SOLVED, True)
    assert ends(issue)["callback.1"] == "kept."


def test_a_bad_callback_reopens_with_new_clocks_and_higher_urgency() -> None:
    issue = _call(an_issue(Stage.REPLIED), reached=True, running=False)
    assert (issue.stage, issue.outcome, issue.generation) == (Stage.ASSIGNED, None, 2)
    assert (issue.severity, issue.level) == (Severity.MAJOR, 0)
    assert ends(issue) == {
        "response.1": "kept.",
        "resolution.1": "kept.",
        "callback.1": "kept.",
        "response.2": "open",
        "resolution.2": "open",
    }
    assert issue.results == ("card reader replaced",)


@pytest.mark.parametrize(("level", "then"), [(0, 1), (2, 2), (3, 3)])
def test_what_was_major_already_rises_to_the_lead_when_it_is_reopened(
    level: int, then: int
) -> None:
    before = an_issue(Stage.REPLIED, severity=Severity.MAJOR, level=level)
    issue = _call(before, reached=True, running=False)
    assert (issue.severity, issue.level) == (Severity.MAJOR, then)


@pytest.mark.parametrize(("engineer", "prefer"), [(COLLEAGUE, COLLEAGUE.id), (None, None)])
def test_a_reopened_issue_goes_first_to_the_engineer_who_knows_it(
    engineer: Person | None, prefer: str | None
) -> None:
    issue = an_issue(Stage.REPLIED, engineer=engineer)
    step = decided(
        issue, ActionName.RECORD_CALLBACK, actor(Role.CLERK), issue.last_at + DAY, running=False
    )
    assert step.assignment == Assignment(prefer=prefer)
    nobody = Desk(engineer=None).record(step, issue).applied_to(issue)
    assert (nobody.stage, nobody.engineer) == (Stage.REOPENED, None)


def test_a_customer_not_reached_is_called_as_often_as_promised_then_written_to() -> None:
    issue = an_issue(Stage.REPLIED)
    for attempt in (1, 2):
        issue = _not_reached(issue)
        assert (issue.stage, issue.outcome) == (Stage.CALLBACK, None)
        assert issue.promise(PromiseKind.CALLBACK)
        assert issue.promises[-1].key == f"callback.1.{attempt + 1}"
    step = decided(
        issue,
        ActionName.RECORD_CALLBACK,
        actor(Role.CLERK),
        issue.last_at + DAY,
        reached=False,
        running=None,
        satisfied=None,
    )
    assert step.callback == CallbackRecord(
        generation=1, attempt=3, reached=False, running=None, satisfied=None, words=""
    )
    assert messages(step) == {"not_reached: customer", "thanks: customer when invited"}
    issue = Desk().record(step, issue).applied_to(issue)
    assert (issue.stage, issue.outcome) == (Stage.CLOSED, Outcome.NOT_REACHED)
    assert [p.attempt for p in issue.promises if p.kind is PromiseKind.CALLBACK] == [1, 2, 3]
    assert not issue.running


def test_an_issue_never_closes_as_not_reached_while_the_reply_is_under_way() -> None:
    issue = an_issue(Stage.RESOLVED)
    for _ in range(5):
        issue = _not_reached(issue)
        assert (issue.stage, issue.answered) == (Stage.CALLBACK, False)
    issue = Desk().do(issue, ActionName.REPLIED, DESK)
    assert _not_reached(issue).outcome is Outcome.NOT_REACHED


def test_a_reopened_issue_never_closes_as_not_reached_while_its_new_reply_is_under_way() -> None:
    issue = _call(an_issue(Stage.REPLIED), reached=True, running=False)
    issue = Desk().do(issue, ActionName.RESOLVE, actor(Role.ENGINEER))
    for _ in range(3):
        issue = _not_reached(issue)
    assert issue.stage is Stage.CALLBACK


# --- conflict (R21, R24) --------------------------------------------------------------------------


@pytest.mark.parametrize("running", [True, False])
def test_r24_a_conflict_is_told_to_the_person_responsible_at_once_whatever_the_machine_does(
    *, running: bool
) -> None:
    said = {"running": running, "conflict": True, "words": "I waited all day", "call": "c-7"}
    issue = an_issue(Stage.REPLIED)
    step = decided(issue, ActionName.RECORD_CALLBACK, CLERK, issue.last_at + DAY, **said)
    assert step.dissatisfied
    assert "conflict: lead" in messages(step)
    assert step.callback
    assert (step.callback.conflict, step.callback.call) == (True, "c-7")
    assert step.stage is (Stage.CLOSED if running else Stage.REOPENED)
    assert (messages(step) >= set(SOUGHT)) is not running


def test_r17_work_the_customer_is_content_with_on_the_phone_is_accepted() -> None:
    test = a_promise(PromiseKind.CUSTOMER_TEST)
    issue = an_issue(Stage.REPLIED, "paid_service", promises=(test,))
    step = decided(issue, ActionName.RECORD_CALLBACK, CLERK)
    assert step.forms == (PaidService(generation=1, accepted=True, accepted_at=step.at),)


def test_r22_a_customer_who_only_has_time_to_try_it_is_not_called_in_vain() -> None:
    test = a_promise(PromiseKind.CUSTOMER_TEST)
    issue = an_issue(Stage.REPLIED, promises=(test,))
    away: dict[str, Any] = {"reached": False, "running": None, "satisfied": None}
    with pytest.raises(Refused, match="no callback is due"):
        Desk().do(issue, ActionName.RECORD_CALLBACK, CLERK, **away)
    assert Desk().do(issue, ActionName.RECORD_CALLBACK, CLERK).outcome is Outcome.SOLVED


def called(issue: Issue, **said: Any) -> Step:
    return decided(issue, ActionName.RECORD_CALLBACK, CLERK, issue.last_at + DAY, **said)


def test_r24_whether_the_machine_runs_is_asked_about_faults_only() -> None:
    unasked: dict[str, Any] = {"reached": True, "running": None, "satisfied": True, "words": "好"}
    with pytest.raises(Refused, match="running: say whether the machine runs normally"):
        called(an_issue(Stage.REPLIED), **unasked)
    for kind in set(KINDS) - {"fault"}:
        issue = an_issue(Stage.REPLIED, kind, promises=(a_promise(PromiseKind.CALLBACK),))
        step = called(issue, **unasked)
        assert (step.stage, step.answered) == (Stage.CLOSED, True)
        again = called(issue, **unasked | {"running": False})
        assert (again.stage, again.answered) == (Stage.REOPENED, False)


@pytest.mark.parametrize("kind", KINDS)
def test_r24_dissatisfaction_that_is_no_complaint_reaches_whoever_is_responsible(
    kind: str,
) -> None:
    issue = an_issue(Stage.REPLIED, kind, promises=(a_promise(PromiseKind.CALLBACK),))
    said = {"reached": True, "running": True, "satisfied": False, "words": "太慢了"}
    step = called(issue, **said)
    assert step.stage is Stage.CLOSED
    assert not step.dissatisfied, "a complaint of its own only if they complain"
    assert "dissatisfied: lead" in messages(step)
    assert step.content["words"] == "太慢了"
    failed = called(issue, **said | {"running": False})
    assert messages(failed) & {"dissatisfied: lead", "repair_failed: lead"} == {
        "repair_failed: lead"
    }, "told once, with the same words"
    content = called(issue, **said | {"satisfied": None})
    assert "dissatisfied: lead" not in messages(content)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"reached": False}, "reached: a customer who was not reached cannot have answered"),
        (
            {"reached": False, "running": None},
            "reached: a customer who was not reached cannot have answered",
        ),
        ({"conflict": True}, "words: write down what the customer complains about"),
        ({"conflict": True, "words": "  "}, "words: write down"),
        (
            {"reached": False, "running": None, "satisfied": None, "conflict": True, "words": "x"},
            "words: write down",
        ),
    ],
)
def test_a_callback_that_contradicts_itself_is_refused(said: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        an_act(ActionName.RECORD_CALLBACK, CLERK, **said)


# --- evaluation (R26) -----------------------------------------------------------------------------

LATER = Desk(also=frozenset({PromiseKind.EVALUATION, PromiseKind.DIFFICULTY}))


def closed(desk: Desk = LATER) -> Issue:
    issue = an_issue(Stage.REPLIED)
    return desk.do(issue, ActionName.RECORD_CALLBACK, CLERK, issue.last_at + DAY)


def rung(issue: Issue, key: str, now: datetime) -> Issue:
    mark = next(p.next_threshold for p in issue.running if p.key == key)
    assert mark
    return LATER.do(issue, ActionName.THRESHOLD, DESK, now, promise=key, threshold=mark.name)


def test_r26_a_solved_issue_is_to_be_scored_and_a_repair_to_be_rated_when_it_is_closed() -> None:
    issue = closed()
    assert [p.key for p in issue.running] == ["evaluation.1", "difficulty.1"]
    assert (issue.closed, issue.over) == (True, False)
    assert closed(Desk()).over


@pytest.mark.parametrize("stage", [Stage.REPLIED, Stage.CALLBACK, Stage.CLOSED])
def test_r26_the_customer_scores_who_served_them(stage: Stage) -> None:
    issue = an_issue(stage)
    step = decided(issue, ActionName.EVALUATE, CUSTOMER)
    assert step.forms == (
        Evaluation(
            item=ServiceItem.AFTER_SALES,
            person=CUSTOMER.id,
            written_by=CUSTOMER.id,
            at=step.at,
            engineer=ENGINEER.id,
            department="field",
            technical=120,
            attitude=150,
            comment="quick and friendly",
        ),
    )
    assert (step.stage, step.promises) == (stage, ())


def test_r26_each_person_scores_each_item_of_an_issue_once() -> None:
    issue = LATER.do(closed(), ActionName.EVALUATE, CUSTOMER)
    with pytest.raises(
        Refused, match=r"customer-1 has scored after_sales of .* already"
    ) as refused:
        LATER.do(issue, ActionName.EVALUATE, actor(Role.AGENT), person=CUSTOMER.id)
    assert refused.value.type == "NotAllowed"
    issue = LATER.do(issue, ActionName.EVALUATE, CUSTOMER, item="project")
    issue = LATER.do(issue, ActionName.EVALUATE, actor(Role.AGENT), person="li.na")
    assert issue.evaluated == (
        "after_sales:customer-1",
        "project:customer-1",
        "after_sales:li.na",
    )


def test_r26_whoever_scored_was_in_time_however_late_the_clock_rings() -> None:
    issue = LATER.do(closed(), ActionName.EVALUATE, CUSTOMER)
    issue = rung(issue, "evaluation.1", MONDAY + 99 * DAY)
    assert ends(issue)["evaluation.1"] == "kept."
    assert ends(rung(closed(), "evaluation.1", MONDAY + 99 * DAY))["evaluation.1"] == "withdrawn."


@pytest.mark.parametrize(("low", "high"), [(-50, 200), (0, 100)])
def test_r26_a_score_is_minus_fifty_to_two_hundred_per_cent(low: int, high: int) -> None:
    step = decided(closed(), ActionName.EVALUATE, CUSTOMER, technical=low, attitude=high)
    (form,) = step.forms
    assert isinstance(form, Evaluation)
    assert (form.technical, form.attitude) == (low, high)


# --- difficulty (R18) -----------------------------------------------------------------------------


def test_r18_the_manager_rates_a_repair_and_may_change_their_mind() -> None:
    issue = closed()
    step = decided(issue, ActionName.RATE_DIFFICULTY, MANAGER, note="a rare type")
    assert step.forms == (
        DifficultyRating(
            generation=1,
            engineer=ENGINEER.id,
            difficulty=3,
            note="a rare type",
            rated_by=MANAGER.id,
            rated_at=step.at,
        ),
    )
    issue = LATER.record(step, issue).applied_to(issue)
    assert ends(issue)["difficulty.1"] == "kept."
    again = decided(issue, ActionName.RATE_DIFFICULTY, MANAGER, difficulty=5)
    assert again.promises == ()


def test_r18_what_was_rated_before_it_was_closed_need_not_be_rated_again() -> None:
    issue = LATER.do(an_issue(Stage.REPLIED), ActionName.RATE_DIFFICULTY, MANAGER)
    issue = LATER.do(issue, ActionName.RECORD_CALLBACK, CLERK, issue.last_at + DAY)
    assert [p.key for p in issue.running] == ["evaluation.1"]


def test_r18_a_repair_that_failed_is_rated_anew() -> None:
    issue = LATER.do(an_issue(Stage.REPLIED), ActionName.RATE_DIFFICULTY, MANAGER)
    after = issue.last_at + DAY
    issue = LATER.do(issue, ActionName.RECORD_CALLBACK, CLERK, after, running=False)
    issue = LATER.do(issue, ActionName.RESOLVE, actor(Role.ENGINEER))
    issue = LATER.do(issue, ActionName.RECORD_CALLBACK, CLERK, issue.last_at + DAY)
    assert [p.key for p in issue.running] == ["evaluation.2", "difficulty.2"]


def test_r18_a_manager_is_reminded_to_rate_and_after_the_last_time_it_stays_unrated() -> None:
    issue, said = closed(), {"promise": "difficulty.1", "threshold": "75%"}
    clock = next(p for p in issue.running if p.key == "difficulty.1")
    late = decided(issue, ActionName.THRESHOLD, DESK, clock.marks[2].at, **said)
    assert {tell.template for tell in late.tell if tell.to == "manager"} == {"rating_wanted"}
    issue = rung(issue, "difficulty.1", clock.marks[2].at)
    assert issue.promise(PromiseKind.DIFFICULTY)
    issue = rung(issue, "difficulty.1", clock.marks[3].at)
    assert ends(issue)["difficulty.1"] == "broken."
    assert issue.promise(PromiseKind.DIFFICULTY) is None


@pytest.mark.parametrize(
    ("name", "said", "field"),
    [
        (ActionName.EVALUATE, {"technical": -51}, "technical"),
        (ActionName.EVALUATE, {"technical": 201}, "technical"),
        (ActionName.EVALUATE, {"attitude": -51}, "attitude"),
        (ActionName.EVALUATE, {"attitude": 99.5}, "attitude"),
        (ActionName.EVALUATE, {"comment": ""}, "comment"),
        (ActionName.EVALUATE, {"item": "coffee"}, "item"),
        (ActionName.EVALUATE, {"person": "Mr Li"}, "person"),
        (ActionName.RATE_DIFFICULTY, {"difficulty": 0}, "difficulty"),
        (ActionName.RATE_DIFFICULTY, {"difficulty": 6}, "difficulty"),
        (ActionName.RATE_DIFFICULTY, {"note": "x" * 10_001}, "note"),
    ],
)
def test_a_wrong_score_or_rating_is_refused_by_field(
    name: ActionName, said: dict[str, Any], field: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        an_act(name, MANAGER, **said)
    assert [error["loc"] for error in refused.value.errors()] == [(field,)]
