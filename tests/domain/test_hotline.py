"""At the hotline (R8-R10): answered on the line, tried by the customer, or passed on in time."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from pydantic import ValidationError

from domain.errors import Refused
from domain.issue.actions import ActionName, Answer
from domain.issue.forms import ConsultationRecord, DifficultyRating, PaidService
from domain.issue.lifecycle import register
from domain.issue.state import Assignment, Issue
from domain.issue.step import Step
from domain.sla.promise import PromiseKind
from domain.vocabulary import DESK, Outcome, Role, Severity, Stage
from tests.support.builders import (
    COLLEAGUE,
    DAY,
    ENGINEER,
    HOUR,
    MONDAY,
    SOUGHT,
    Desk,
    a_promise,
    actor,
    an_act,
    an_intake,
    an_issue,
    decided,
    ends,
    messages,
)

AGENT = actor(Role.AGENT)
CUSTOMER = actor(Role.CUSTOMER)
TRIED = Desk(callbacks=False, trials=True)


def answered(desk: Desk = TRIED, issue: Issue | None = None, **said: Any) -> Issue:
    return desk.do(issue or an_issue(), ActionName.ANSWER, AGENT, **said)


def rung(desk: Desk, issue: Issue, key: str, at: datetime) -> tuple[Step, Issue]:
    """Let a clock reach everything that lies before ``at``."""
    mark = next(p.next_threshold for p in issue.running if p.key == key)
    assert mark
    said = {"promise": key, "threshold": mark.name}
    step = decided(issue, ActionName.THRESHOLD, DESK, at, **said)
    return step, desk.record(step, issue).applied_to(issue)


# --- the answer (R8) ------------------------------------------------------------------------------


@pytest.mark.parametrize("stage", [Stage.REGISTERED, Stage.ASSIGNED, Stage.REOPENED])
def test_r8_a_known_solution_is_told_and_recorded_and_whoever_had_the_issue_hears_of_it(
    stage: Stage,
) -> None:
    before = an_issue(stage)
    now = before.last_at + HOUR
    step = decided(before, ActionName.ANSWER, AGENT, now, solution="press reset", case="C-7")
    assert step.forms == (
        ConsultationRecord(
            generation=before.generation,
            agent=AGENT.id,
            answered_at=now,
            question="The card reader swallows cards\nSince this morning, every second card.",
            answer="press reset",
            known_case="C-7",
            on_the_line=True,
            to_be_tested=True,
        ),
    )
    assert messages(step) == {"answered: customer", "answered_staff: handler?"}
    issue = TRIED.record(step, before).applied_to(before)
    assert (issue.stage, issue.first_contact, issue.answered) == (Stage.RESOLVED, True, True)
    assert issue.results[-1] == "press reset"
    assert [p.kind for p in issue.running] == [PromiseKind.CUSTOMER_TEST]


def test_r8_an_answer_keeps_what_was_promised_and_gives_up_what_it_makes_needless() -> None:
    clocks = tuple(a_promise(kind) for kind in (PromiseKind.RESPONSE, PromiseKind.PANEL))
    issue = answered(issue=an_issue(promises=clocks))
    assert ends(issue) == {
        "response.1": "kept.",
        "panel.1": "withdrawn.",
        "customer_test.1": "open",
    }


def test_r6_an_answer_that_is_sent_answers_the_customer_when_it_arrives_and_no_sooner() -> None:
    issue = answered(on_the_line=False)
    assert not issue.answered
    issue = TRIED.do(issue, ActionName.REPLIED, DESK)
    assert (issue.stage, issue.answered) == (Stage.REPLIED, True)


def test_r8_an_answer_that_needs_no_test_is_the_end_once_the_customer_has_it() -> None:
    issue = answered(test=False)
    assert issue.running == ()
    issue = TRIED.do(issue, ActionName.REPLIED, DESK)
    assert (issue.stage, issue.outcome) == (Stage.CLOSED, Outcome.SOLVED)


def test_r4_what_is_out_of_scope_is_answered_and_ends_as_such() -> None:
    issue = TRIED.open(an_intake(category="out_of_scope"))
    issue = TRIED.do(answered(issue=issue, test=False), ActionName.REPLIED, DESK)
    assert issue.outcome is Outcome.OUT_OF_SCOPE


@pytest.mark.parametrize("stage", [Stage.REGISTERED, Stage.ASSIGNED])
def test_r19_a_complaint_is_not_answered_before_it_was_looked_into(stage: Stage) -> None:
    with pytest.raises(Refused, match="the verification comes first") as refused:
        answered(issue=an_issue(stage, "complaint"))
    assert refused.value.type == "NotAllowed"


LATER = frozenset({PromiseKind.EVALUATION, PromiseKind.DIFFICULTY})


def test_r18_what_the_hotline_answered_was_no_repair_so_nobody_rates_it() -> None:
    desk = replace(TRIED, also=LATER)
    issue = desk.do(answered(desk), ActionName.REPORT_TEST, CUSTOMER)
    assert [p.kind for p in issue.running] == [PromiseKind.EVALUATION]
    question = an_issue(Stage.REPLIED, "consultation", first_contact=True)
    with pytest.raises(Refused, match="was answered by the hotline: nothing to rate"):
        decided(question, ActionName.RATE_DIFFICULTY, actor(Role.MANAGER), difficulty=3)


ON_THE_LINE = Desk(trials=True, also=LATER, on_the_line=True)


def test_r22_a_fault_solved_on_the_line_is_called_back_whatever_the_customer_said_before() -> None:
    issue = answered(ON_THE_LINE)
    assert ends(issue)["callback.1"] == "open"
    told = ON_THE_LINE.do(issue, ActionName.REPORT_TEST, CUSTOMER)
    assert (told.stage, ends(told)["customer_test.1"]) == (Stage.RESOLVED, "kept.")
    assert ends(told)["callback.1"] == "open"
    silent = ON_THE_LINE.do(issue, ActionName.REPLIED, DESK)
    with pytest.raises(Refused, match="nobody is called twice about one fault on one day"):
        ON_THE_LINE.do(silent, ActionName.RECORD_CALLBACK, actor(Role.CLERK))
    _, silent = rung(ON_THE_LINE, silent, "customer_test.1", silent.last_at + 100 * HOUR)
    assert silent.stage is Stage.REPLIED, "no silence closes it while they are to be called"
    called = ON_THE_LINE.do(
        silent, ActionName.RECORD_CALLBACK, actor(Role.CLERK), silent.last_at + 100 * HOUR
    )
    assert called.stage is Stage.CLOSED


def test_r24_a_fault_that_was_not_solved_on_the_line_after_all_goes_to_an_engineer() -> None:
    issue = answered(ON_THE_LINE)
    step = decided(
        *(issue, ActionName.RECORD_CALLBACK, actor(Role.CLERK), issue.last_at + 100 * HOUR),
        running=False,
        satisfied=False,
        words="又卡住了",
    )
    assert (step.stage, step.severity, step.first_contact) == (
        Stage.REOPENED,
        Severity.MAJOR,
        False,
    )
    assert messages(step) >= {"reopened: customer", "repair_failed: lead"}


def test_r18_a_fault_solved_on_the_line_is_rated_as_the_agents_work() -> None:
    issue = answered(ON_THE_LINE)
    late = issue.last_at + 100 * HOUR
    issue = ON_THE_LINE.do(issue, ActionName.RECORD_CALLBACK, actor(Role.CLERK), late)
    assert {p.kind for p in issue.running} == LATER
    step = decided(issue, ActionName.RATE_DIFFICULTY, actor(Role.MANAGER), difficulty=2)
    (form,) = step.forms
    assert isinstance(form, DifficultyRating)
    assert form.engineer == issue.intake.agent


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"solution": ""}, "solution"),
        ({"solution": "  "}, "solution"),
        ({"solution": "x" * 10_001}, "solution"),
        ({"solution": "press\x00reset"}, "solution"),
        ({"case": "no such form of a code"}, "case"),
        ({"on_the_line": "perhaps"}, "on_the_line"),
        ({"answer": "misspelt"}, "answer"),
    ],
)
def test_a_wrong_answer_is_refused_by_field(said: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as refused:
        an_act(ActionName.ANSWER, AGENT, **said)
    assert [error["loc"] for error in refused.value.errors()] == [(field,)]
    assert Answer(by=AGENT, solution="press reset").test


# --- the customer's test (R9) ---------------------------------------------------------------------


@pytest.mark.parametrize("stage", [Stage.RESOLVED, Stage.REPLIED])
def test_r9_an_answer_that_worked_closes_the_issue_and_is_written_down(stage: Stage) -> None:
    before = answered()
    if stage is Stage.REPLIED:
        before = TRIED.do(before, ActionName.REPLIED, DESK)
    step = decided(before, ActionName.REPORT_TEST, CUSTOMER, words="fine now")
    assert step.forms == (
        ConsultationRecord(generation=1, worked=True, tested_at=step.at, words="fine now"),
    )
    issue = TRIED.record(step, before).applied_to(before)
    assert (issue.stage, issue.outcome, issue.answered) == (Stage.CLOSED, Outcome.SOLVED, True)
    assert ends(issue)["customer_test.1"] == "kept."


def test_r9_an_answer_that_did_not_work_is_dispatched_with_new_clocks_as_urgent_as_before() -> None:
    before = answered()
    step = decided(before, ActionName.REPORT_TEST, CUSTOMER, worked=False)
    assert messages(step) == {"dispatched: customer", *SOUGHT}
    assert step.assignment == Assignment(prefer=ENGINEER.id)
    issue = Desk(COLLEAGUE).record(step, before).applied_to(before)
    assert (issue.stage, issue.engineer, issue.generation) == (Stage.ASSIGNED, COLLEAGUE, 2)
    assert (issue.severity, issue.level) == (Severity.GENERAL, 0)
    assert not issue.first_contact
    assert not issue.answered
    assert [p.key for p in issue.running] == ["response.2", "resolution.2"]


def test_r9_silence_counts_as_solved_once_the_customer_has_the_answer() -> None:
    issue = TRIED.do(answered(), ActionName.REPLIED, DESK)
    step, issue = rung(TRIED, issue, "customer_test.1", MONDAY + 9 * DAY)
    assert (issue.stage, issue.outcome) == (Stage.CLOSED, Outcome.SOLVED)
    assert ends(issue)["customer_test.1"] == "withdrawn."
    assert "thanks: customer when invited" in messages(step)


def test_r6_silence_closes_nothing_while_the_answer_is_still_under_way() -> None:
    _, issue = rung(TRIED, answered(on_the_line=False), "customer_test.1", MONDAY + 9 * DAY)
    assert (issue.stage, issue.running) == (Stage.RESOLVED, ())
    assert TRIED.do(issue, ActionName.REPLIED, DESK).outcome is Outcome.SOLVED


def test_r22_silence_closes_nothing_while_a_call_is_still_to_be_made() -> None:
    both = (a_promise(PromiseKind.CUSTOMER_TEST), a_promise(PromiseKind.CALLBACK))
    _, issue = rung(
        TRIED, an_issue(Stage.REPLIED, promises=both), "customer_test.1", MONDAY + 9 * DAY
    )
    assert issue.stage is Stage.REPLIED
    assert [p.kind for p in issue.running] == [PromiseKind.CALLBACK]


@pytest.mark.parametrize("stage", [Stage.RESOLVED, Stage.REPLIED, Stage.CALLBACK])
def test_r9_a_test_nobody_asked_for_is_refused(stage: Stage) -> None:
    unasked = an_issue(stage).model_copy(update={"promises": ()})
    with pytest.raises(Refused, match="no test is awaited for 20261123-07-0001") as refused:
        Desk().do(unasked, ActionName.REPORT_TEST, CUSTOMER)
    assert refused.value.type == "NotAllowed"


@pytest.mark.parametrize("stage", [Stage.RESOLVED, Stage.REPLIED, Stage.CALLBACK])
def test_r24_a_customer_need_not_wait_for_the_call_to_say_that_it_failed(stage: Stage) -> None:
    step = decided(an_issue(stage), ActionName.REPORT_TEST, CUSTOMER, worked=False)
    assert (step.stage, step.generation, step.severity) == (Stage.REOPENED, 2, Severity.MAJOR)
    assert [p.kind for p in step.promises if not p.running] == [PromiseKind.CALLBACK]
    assert messages(step) == {"reopened: customer", *SOUGHT, "work_refused: lead"}


@pytest.mark.parametrize("stage", [Stage.RESOLVED, Stage.REPLIED, Stage.CALLBACK])
def test_r22_who_says_that_it_works_is_called_all_the_same(stage: Stage) -> None:
    step = decided(an_issue(stage), ActionName.REPORT_TEST, CUSTOMER, words="fine now")
    assert (step.stage, step.promises, step.tell) == (stage, (), ())
    assert step.content == {"worked": True, "words": "fine now"}


def test_r9_a_customer_who_calls_instead_has_reported_the_test_too() -> None:
    clerk = actor(Role.CLERK)
    step = decided(answered(), ActionName.RECORD_CALLBACK, clerk, words="it works")
    assert step.forms == (
        ConsultationRecord(generation=1, worked=True, tested_at=step.at, words="it works"),
    )
    assert step.callback
    assert step.stage is Stage.CLOSED


def test_r17_a_paid_service_that_was_never_offered_is_surveyed_when_the_answer_failed() -> None:
    desk = replace(TRIED, also=frozenset({PromiseKind.SURVEY}))
    issue = answered(desk, desk.open(an_intake(kind="paid_service")))
    issue = desk.do(issue, ActionName.REPORT_TEST, CUSTOMER, worked=False)
    assert [p.key for p in issue.running] == ["response.2", "survey.2"]
    assert desk.do(issue, ActionName.ACCEPT, actor(Role.ENGINEER)).stage is Stage.SURVEYING


def test_r17_work_the_customer_does_not_accept_is_done_again_with_higher_urgency() -> None:
    test = a_promise(PromiseKind.CUSTOMER_TEST)
    before = an_issue(Stage.REPLIED, "paid_service", promises=(test,))
    step = decided(before, ActionName.REPORT_TEST, CUSTOMER, worked=False)
    assert step.forms == (PaidService(generation=1, accepted=False, accepted_at=step.at),)
    assert messages(step) == {"reopened: customer", *SOUGHT, "work_refused: lead"}
    issue = TRIED.record(step, before).applied_to(before)
    assert (issue.severity, issue.generation) == (Severity.MAJOR, 2)
    assert [p.key for p in issue.running] == ["response.2", "resolution.2"]


# --- passing on (R10) -----------------------------------------------------------------------------

HOLDING = Desk(also=frozenset({PromiseKind.HAND_OVER}))


def test_r10_what_the_hotline_tries_to_answer_first_is_with_nobody_and_to_be_passed_on() -> None:
    step = register(an_intake(answering=True), MONDAY)
    assert step.assignment is None
    assert step.make[-1] is PromiseKind.HAND_OVER
    assert messages(step) == {"registered: customer"}
    issue = HOLDING.open(an_intake(answering=True))
    assert (issue.stage, issue.engineer, issue.assign_again_at) == (Stage.REGISTERED, None, None)


def test_r19_a_complaint_is_sent_to_the_department_at_once_whoever_wants_to_answer_it() -> None:
    step = register(an_intake(answering=True, kind="complaint"), MONDAY)
    assert step.assignment == Assignment()
    assert PromiseKind.HAND_OVER not in step.make


def test_r10_a_complex_matter_is_the_leads_from_the_first_minute() -> None:
    step = register(an_intake(complex=True), MONDAY)
    assert step.level == 1
    assert messages(step) == {"registered: customer", *SOUGHT, "complex: lead"}


@pytest.mark.parametrize(
    ("name", "by", "said"),
    [
        (ActionName.REASSIGN, AGENT, {}),
        (ActionName.TRANSFER, AGENT, {}),
        (ActionName.ACCEPT, actor(Role.LEAD), {}),
        (ActionName.ANSWER, AGENT, {}),
    ],
)
def test_r10_passing_it_on_in_time_keeps_the_promise_and_so_does_answering(
    name: ActionName, by: Any, said: dict[str, Any]
) -> None:
    issue = HOLDING.do(HOLDING.open(an_intake(answering=True)), name, by, **said)
    assert ends(issue)["hand_over.1"] == "kept."


def test_r10_the_desk_passes_on_what_the_hotline_kept_too_long() -> None:
    before = HOLDING.open(an_intake(answering=True))
    step, issue = rung(HOLDING, before, "hand_over.1", MONDAY + 33 * HOUR)
    assert messages(step) >= set(SOUGHT)
    assert (issue.stage, issue.engineer) == (Stage.ASSIGNED, ENGINEER)
    assert ends(issue) == {"response.1": "open", "resolution.1": "open", "hand_over.1": "broken."}
    _, alone = rung(replace(HOLDING, engineer=None), before, "hand_over.1", MONDAY + 33 * HOUR)
    assert (alone.stage, alone.assign_again_at) == (Stage.REGISTERED, MONDAY + 41 * HOUR)


def test_r10_a_warning_before_that_passes_nothing_on() -> None:
    before = HOLDING.open(an_intake(answering=True))
    _, issue = rung(HOLDING, before, "hand_over.1", MONDAY + 24 * HOUR)
    assert (issue.stage, issue.engineer) == (Stage.REGISTERED, None)
    assert issue.promise(PromiseKind.HAND_OVER)
