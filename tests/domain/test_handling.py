"""Handling (R11-R16): transfer, expert panels, and what of it is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError

from domain.errors import Refused
from domain.issue.actions import Act, ActionName
from domain.issue.forms import ExpertPanel
from domain.issue.state import Assignment
from domain.sla.promise import PromiseKind
from domain.vocabulary import DESK, Outcome, Role, Stage
from tests.support.builders import (
    COLLEAGUE,
    ENGINEER,
    HOUR,
    MONDAY,
    SOUGHT,
    Desk,
    actor,
    an_act,
    an_issue,
    decided,
    ends,
    messages,
)

HANDLER = actor(Role.ENGINEER)
EXPERT = actor(Role.ENGINEER, COLLEAGUE.id)
LEAD = actor(Role.LEAD)
PANELS = Desk(also=frozenset({PromiseKind.PANEL}))

# --- transfer (R15) -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stage", "then"),
    [
        (Stage.REGISTERED, Stage.ASSIGNED),
        (Stage.ASSIGNED, Stage.ASSIGNED),
        (Stage.IN_PROGRESS, Stage.ASSIGNED),
        (Stage.VERIFYING, Stage.ASSIGNED),
        (Stage.SURVEYING, Stage.ASSIGNED),
        (Stage.QUOTING, Stage.ASSIGNED),
        (Stage.REOPENED, Stage.ASSIGNED),
        (Stage.WAITING, Stage.WAITING),
        (Stage.CONFIRMING, Stage.CONFIRMING),
        (Stage.APPROVING, Stage.APPROVING),
    ],
)
def test_r15_transferred_the_form_travels_and_no_clock_starts_again(
    stage: Stage, then: Stage
) -> None:
    before = an_issue(stage)
    step = decided(before, ActionName.TRANSFER, LEAD)
    assert step.assignment == Assignment()
    assert step.content == {
        "to": "software_development",
        "from": "field",
        "reason": "a defect of the firmware",
    }
    assert messages(step) == {"transferred: customer", "transferred_staff: lead", *SOUGHT}
    issue = Desk(COLLEAGUE).record(step, before).applied_to(before)
    assert (issue.department, issue.engineer) == ("software_development", COLLEAGUE)
    assert issue.promises == before.promises
    assert issue.stage is then


def test_r15_a_transfer_to_where_it_is_already_is_invalid_and_says_so() -> None:
    with pytest.raises(Refused, match=r"^to: 20261123-07-0001 is with field already") as refused:
        Desk().do(an_issue(), ActionName.TRANSFER, LEAD, to="field")
    assert refused.value.type == "Invalid"


def test_r15_a_department_that_has_it_keeps_it_until_it_is_passed_on_again() -> None:
    issue = Desk().do(an_issue(), ActionName.TRANSFER, LEAD)
    issue = Desk().do(issue, ActionName.ACCEPT, HANDLER)
    assert issue.department == "software_development"
    assert Desk().do(issue, ActionName.TRANSFER, LEAD, to="field").department == "field"


# --- going off duty (R16) -------------------------------------------------------------------------


@pytest.mark.parametrize("stage", [Stage.IN_PROGRESS, Stage.WAITING, Stage.CONFIRMING])
def test_r16_at_the_end_of_a_shift_whoever_is_on_duty_takes_it_as_it_stands(stage: Stage) -> None:
    before = an_issue(stage)
    step = decided(before, ActionName.ASSIGN, DESK)
    assert step.assignment == Assignment(prefer=ENGINEER.id, keep=True)
    assert messages(step) == {"relieved: handler when changed"}
    taken = Desk(COLLEAGUE).record(step, before).applied_to(before)
    assert (taken.stage, taken.engineer, taken.promises) == (stage, COLLEAGUE, before.promises)
    kept = Desk(None).record(step, before).applied_to(before)
    assert (kept.stage, kept.engineer) == (stage, ENGINEER)


# --- expert panels (R15) --------------------------------------------------------------------------


def test_r15_experts_are_asked_in_writing_and_the_lead_knows() -> None:
    before = an_issue(Stage.IN_PROGRESS)
    step = decided(before, ActionName.CONSULT, HANDLER, experts=("x1", "x2"))
    assert step.forms == (
        ExpertPanel(
            panel=1,
            asked_by=HANDLER.id,
            asked_at=step.at,
            question="why does it fail on humid days only?",
            experts=("x1", "x2"),
        ),
    )
    assert [(t.template, t.to, t.person) for t in step.tell] == [
        ("panel_asked", "lead", None),
        ("panel_asked", "expert", "x1"),
        ("panel_asked", "expert", "x2"),
    ]
    issue = PANELS.record(step, before).applied_to(before)
    assert (issue.stage, issue.panels, issue.panel_sits) == (Stage.IN_PROGRESS, 1, True)
    assert [p.key for p in issue.running] == ["resolution.1", "panel.1"]
    assert issue.promises[:2] == before.promises


def test_r15_any_engineer_may_bring_the_advice_and_the_handler_reads_it() -> None:
    asked = PANELS.do(an_issue(Stage.IN_PROGRESS), ActionName.CONSULT, HANDLER)
    step = decided(asked, ActionName.CONSULT, EXPERT, question="", advice="dry the sensor")
    assert step.forms == (
        ExpertPanel(panel=1, advised_by=EXPERT.id, advised_at=step.at, advice="dry the sensor"),
    )
    assert messages(step) == {"panel_advised: handler"}
    advised = PANELS.record(step, asked).applied_to(asked)
    assert ends(advised)["panel.1"] == "kept."
    again = PANELS.do(advised, ActionName.CONSULT, HANDLER)
    assert (again.panels, [p.key for p in again.running][-1]) == (2, "panel.1.2")


@pytest.mark.parametrize(
    ("stage", "by", "said", "type_", "why"),
    [
        ("in_progress", HANDLER, {"question": "", "advice": "dry it"}, "NotAllowed", "no panel is"),
        ("in_progress", EXPERT, {}, "NotYours", "its handler asks a panel"),
        ("registered", HANDLER, {}, "NotYours", "its handler asks a panel"),
    ],
)
def test_r15_a_panel_nobody_may_ask_or_nobody_asked_is_refused(
    stage: str, by: Any, said: dict[str, Any], type_: str, why: str
) -> None:
    with pytest.raises(Refused, match=why) as refused:
        PANELS.do(an_issue(Stage(stage)), ActionName.CONSULT, by, **said)
    assert refused.value.type == type_


def test_r15_one_panel_at_a_time() -> None:
    asked = PANELS.do(an_issue(Stage.IN_PROGRESS), ActionName.CONSULT, HANDLER)
    with pytest.raises(Refused, match=r"a panel is asked about .* already: its advice first"):
        PANELS.do(asked, ActionName.CONSULT, LEAD)


def test_r15_a_panel_that_is_not_heard_before_the_result_is_asked_no_longer() -> None:
    asked = PANELS.do(an_issue(Stage.IN_PROGRESS), ActionName.CONSULT, HANDLER)
    issue = PANELS.do(asked, ActionName.RESOLVE, HANDLER)
    assert ends(issue)["panel.1"] == "withdrawn."
    assert not issue.panel_sits


# --- endings --------------------------------------------------------------------------------------


def test_r4_a_result_about_what_is_out_of_scope_ends_as_such_and_is_scored_by_nobody() -> None:
    desk = Desk(callbacks=False, also=frozenset({PromiseKind.EVALUATION}))
    before = an_issue(Stage.IN_PROGRESS)
    intake = before.intake.model_copy(update={"category": "out_of_scope"})
    issue = desk.do(before.model_copy(update={"intake": intake}), ActionName.RESOLVE, HANDLER)
    issue = desk.do(issue, ActionName.REPLIED, DESK)
    assert (issue.outcome, issue.running) == (Outcome.OUT_OF_SCOPE, ())


@pytest.mark.parametrize(
    ("kind", "wording"), [("fault", "resolved"), ("paid_service", "acceptance")]
)
def test_r17_whoever_pays_is_asked_to_accept_the_work(kind: str, wording: str) -> None:
    step = decided(an_issue(Stage.IN_PROGRESS, kind), ActionName.RESOLVE, HANDLER)
    assert messages(step) == {
        f"{wording}: customer when in_writing",
        "result_back: agent when in_writing_and_agent",
        "call_with_result: agent when by_call",
    }


def test_an_operator_who_ends_what_is_closed_ends_only_its_scoring_and_rating() -> None:
    desk = Desk(also=frozenset({PromiseKind.EVALUATION, PromiseKind.DIFFICULTY}))
    issue = an_issue(Stage.REPLIED)
    issue = desk.do(issue, ActionName.RECORD_CALLBACK, actor(Role.CLERK), MONDAY + 48 * HOUR)
    assert len(issue.running) == 2
    step = decided(issue, ActionName.CANCEL, DESK)
    ended = desk.record(step, issue).applied_to(issue)
    assert messages(step) == set()
    assert (ended.over, ended.outcome) == (True, Outcome.SOLVED)


# --- bad forms ------------------------------------------------------------------------------------


def _errors(name: ActionName, **said: Any) -> list[tuple[Any, ...]]:
    with pytest.raises(ValidationError) as refused:
        an_act(name, HANDLER, **said)
    return [error["loc"] for error in refused.value.errors()]


@pytest.mark.parametrize(
    ("name", "said", "field"),
    [
        (ActionName.TRANSFER, {"to": ""}, "to"),
        (ActionName.TRANSFER, {"to": "the other building"}, "to"),
        (ActionName.TRANSFER, {"reason": " "}, "reason"),
        (ActionName.REASSIGN, {"reason": ""}, "reason"),
        (ActionName.REASSIGN, {"to": "x" * 65}, "to"),
        (ActionName.RESOLVE, {"result": ""}, "result"),
        (ActionName.RESOLVE, {"known_solution": "maybe"}, "known_solution"),
        (ActionName.ESCALATE, {"reason": ""}, "reason"),
        (ActionName.WAIT_FOR_CUSTOMER, {"reason": ""}, "reason"),
        (ActionName.REPORT_PROGRESS, {"note": ""}, "note"),
    ],
)
def test_a_wrong_form_is_refused_by_field(
    name: ActionName, said: dict[str, Any], field: str
) -> None:
    assert _errors(name, **said) == [(field,)]


def test_too_many_experts_are_refused() -> None:
    assert _errors(ActionName.CONSULT, experts=tuple(f"x{n}" for n in range(21))) == [("experts",)]


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"advice": "dry it"}, "question: give either the question for the panel, or its advice"),
        ({"question": ""}, "question: give either"),
        ({"question": " ", "advice": " "}, "question: give either"),
        (
            {"question": "", "advice": "dry it", "experts": ("x1",)},
            "experts: they are named with the question",
        ),
        ({"experts": ("x1", "x2", "x1")}, "experts: x1 is named twice"),
    ],
)
def test_a_panel_is_asked_or_advises(said: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        an_act(ActionName.CONSULT, HANDLER, **said)


def test_every_refused_form_leaves_nothing_half_made() -> None:
    before = an_issue(Stage.IN_PROGRESS)
    as_it_was = before.model_dump_json()
    acts: list[tuple[ActionName, Act]] = [
        (ActionName.TRANSFER, an_act(ActionName.TRANSFER, LEAD, to="field")),
        (ActionName.CONSULT, an_act(ActionName.CONSULT, LEAD, question="", advice="dry it")),
        (ActionName.QUOTE, an_act(ActionName.QUOTE, LEAD)),
        (ActionName.VERIFY, an_act(ActionName.VERIFY, LEAD)),
        (ActionName.SURVEY, an_act(ActionName.SURVEY, LEAD)),
        (ActionName.APPROVE, an_act(ActionName.APPROVE, actor(Role.MANAGER))),
        (ActionName.REPORT_TEST, an_act(ActionName.REPORT_TEST, LEAD)),
        (ActionName.EVALUATE, an_act(ActionName.EVALUATE, LEAD)),
    ]
    for name, act in acts:
        with pytest.raises(Refused, match=before.number):
            replace(PANELS).do(before, name, act.by, **act.model_dump(exclude={"by", "at"}))
    assert before.model_dump_json() == as_it_was


@pytest.mark.parametrize(
    ("name", "field"),
    [
        (ActionName.WAIT_FOR_CUSTOMER, "ask"),
        (ActionName.REPORT_PROGRESS, "told"),
        (ActionName.WITHDRAW, "told"),
    ],
)
def test_what_the_customer_is_told_is_kept_if_it_was_said_and_else_as_if_there_was_no_such_field(
    name: ActionName, field: str
) -> None:
    by = actor(Role.ENGINEER)
    assert field not in an_act(name, by).content()
    assert field not in an_act(name, by).model_dump_json()
    assert an_act(name, by, **{field: "  明天上午  "}).content()[field] == "明天上午"


def test_r14_a_word_to_the_customer_is_sent_without_a_new_expected_time_too() -> None:
    issue = an_issue(Stage.IN_PROGRESS)
    told = decided(issue, ActionName.REPORT_PROGRESS, actor(Role.ENGINEER), told="备件已发出")
    assert messages(told) == {"progress: customer", "progress_staff: agent when agent"}
    untold = decided(issue, ActionName.REPORT_PROGRESS, actor(Role.ENGINEER))
    assert messages(untold) == {"progress_staff: agent when agent"}
