"""Paid service (R17): survey, quotation, the customer's yes or no, the manager's, then the work."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from domain.errors import Refused
from domain.issue.actions import ActionName
from domain.issue.common import PRE_WORK_STAGES
from domain.issue.forms import PaidService
from domain.issue.state import Issue
from domain.sla.promise import PromiseKind
from domain.vocabulary import DESK, Outcome, Role, Stage
from tests.support.builders import (
    DAY,
    MONDAY,
    Desk,
    actor,
    an_act,
    an_intake,
    an_issue,
    decided,
    ends,
    messages,
)

ENGINEER = actor(Role.ENGINEER)
CUSTOMER = actor(Role.CUSTOMER)
MANAGER = actor(Role.MANAGER)
CHEAP = Desk(callbacks=False, trials=True, also=frozenset(PRE_WORK_STAGES))
DEAR = replace(CHEAP, needs_approval=True)


def test_r17_every_step_from_the_survey_to_the_acceptance_has_its_promise() -> None:
    issue = DEAR.open(an_intake(kind="paid_service"))
    went = []
    for name, by in (
        (ActionName.ACCEPT, ENGINEER),
        (ActionName.SURVEY, ENGINEER),
        (ActionName.QUOTE, ENGINEER),
        (ActionName.CONFIRM, CUSTOMER),
        (ActionName.APPROVE, MANAGER),
        (ActionName.RESOLVE, ENGINEER),
        (ActionName.REPLIED, DESK),
        (ActionName.REPORT_TEST, CUSTOMER),
    ):
        issue = DEAR.do(issue, name, by)
        went.append((str(issue.stage), *(p.key for p in issue.running)))
    assert went == [
        ("surveying", "survey.1"),
        ("quoting", "quotation.1"),
        ("confirming", "confirmation.1"),
        ("approving", "approval.1"),
        ("in_progress", "resolution.1"),
        ("resolved", "customer_test.1"),
        ("replied", "customer_test.1"),
        ("closed",),
    ]
    assert (issue.outcome, issue.answered) == (Outcome.SOLVED, True)
    assert set(ends(issue).values()) == {"kept."}


def test_r17_the_survey_is_written_down_with_who_and_when() -> None:
    step = decided(an_issue(Stage.SURVEYING), ActionName.SURVEY, ENGINEER, MONDAY + DAY)
    assert step.forms == (
        PaidService(
            generation=1,
            surveyed_by=ENGINEER.id,
            surveyed_at=MONDAY + DAY,
            findings="the vault has to be opened",
        ),
    )
    assert messages(step) == set()


def test_r17_a_quotation_goes_to_the_customer_to_the_fen() -> None:
    step = decided(an_issue(Stage.QUOTING), ActionName.QUOTE, ENGINEER, amount="12800.05")
    (form,) = step.forms
    assert isinstance(form, PaidService)
    assert (form.quotation, form.amount, form.work) == (1, Decimal("12800.05"), "a new vault door")
    assert messages(step) == {"quotation: customer"}


def test_r17_a_new_quotation_takes_the_place_of_the_last_and_gives_new_time() -> None:
    before = an_issue(Stage.CONFIRMING)
    step = decided(before, ActionName.QUOTE, ENGINEER, amount="9000")
    (form,) = step.forms
    assert isinstance(form, PaidService)
    assert form.quotation == 2
    issue = CHEAP.record(step, before).applied_to(before)
    assert (issue.stage, issue.quotations) == (Stage.CONFIRMING, 2)
    assert ends(issue)["confirmation.1"] == "withdrawn."
    assert [p.key for p in issue.running] == ["confirmation.1.2"]


def test_r17_the_last_quotation_says_whether_the_manager_is_asked() -> None:
    dear = an_issue(Stage.CONFIRMING)
    assert dear.needs_approval
    cheaper = CHEAP.do(dear, ActionName.QUOTE, ENGINEER)
    assert CHEAP.do(cheaper, ActionName.CONFIRM, CUSTOMER).stage is Stage.IN_PROGRESS


def test_r17_a_yes_to_a_low_price_starts_the_work_and_everybody_knows() -> None:
    before = an_issue(Stage.CONFIRMING, needs_approval=False)
    step = decided(before, ActionName.CONFIRM, CUSTOMER, words="go ahead")
    assert step.forms == (
        PaidService(
            generation=1,
            confirmed_by=CUSTOMER.id,
            confirmed_at=step.at,
            agreed=True,
            words="go ahead",
        ),
    )
    assert messages(step) == {"approved: customer", "confirmed: handler?"}
    issue = CHEAP.record(step, before).applied_to(before)
    assert (issue.stage, [p.key for p in issue.running]) == (Stage.IN_PROGRESS, ["resolution.1"])


def test_r17_a_yes_to_a_high_price_goes_to_the_manager_first() -> None:
    step = decided(an_issue(Stage.CONFIRMING), ActionName.CONFIRM, CUSTOMER)
    assert (step.stage, step.make) == (Stage.APPROVING, (PromiseKind.APPROVAL,))
    assert messages(step) == {"approval_wanted: manager", "confirmed: handler?"}


def test_r17_work_that_may_begin_while_nobody_has_it_waits_for_somebody() -> None:
    nobody = replace(CHEAP, engineer=None)
    issue = an_issue(Stage.CONFIRMING, needs_approval=False)
    issue = nobody.do(issue, ActionName.REASSIGN, actor(Role.LEAD))
    assert (issue.stage, issue.engineer) == (Stage.CONFIRMING, None)
    issue = nobody.do(issue, ActionName.CONFIRM, CUSTOMER)
    assert (issue.stage, bool(issue.assign_again_at)) == (Stage.REGISTERED, True)
    assert CHEAP.do(issue, ActionName.ASSIGN, DESK).stage is Stage.ASSIGNED


def _ended(issue: Issue, wording: str, outcome: Outcome) -> None:
    """It ends the one way there is: the customer reads it, and then it is closed."""
    assert (issue.stage, issue.outcome, issue.ends_as) == (Stage.RESOLVED, None, outcome), wording
    closed = CHEAP.do(issue, ActionName.REPLIED, DESK)
    assert (closed.stage, closed.outcome, closed.answered) == (Stage.CLOSED, outcome, True)
    assert closed.over


def test_r17_a_no_of_the_customer_ends_it_kindly() -> None:
    before = an_issue(Stage.CONFIRMING)
    step = decided(before, ActionName.CONFIRM, CUSTOMER, agreed=False, words="too dear")
    assert messages(step) == {"declined: customer", "quotation_over: handler?"}
    (form,) = step.forms
    assert isinstance(form, PaidService)
    assert (form.agreed, form.words) == (False, "too dear")
    issue = CHEAP.record(step, before).applied_to(before)
    assert ends(issue)["confirmation.1"] == "kept."
    _ended(issue, "declined", Outcome.DECLINED)


def test_r17_a_no_of_the_manager_ends_it_and_the_customer_reads_why() -> None:
    before = an_issue(Stage.APPROVING)
    step = decided(before, ActionName.APPROVE, MANAGER, approved=False, reason="no such doors")
    assert "not_approved: customer" in messages(step)
    (form,) = step.forms
    assert isinstance(form, PaidService)
    assert (form.approved, form.approved_by, form.reason) == (False, MANAGER.id, "no such doors")
    issue = CHEAP.record(step, before).applied_to(before)
    assert ends(issue)["approval.1"] == "kept."
    _ended(issue, "not approved", Outcome.NOT_APPROVED)


def test_r17_a_yes_of_the_manager_starts_the_work() -> None:
    before = an_issue(Stage.APPROVING)
    issue = CHEAP.do(before, ActionName.APPROVE, MANAGER)
    assert (issue.stage, [p.key for p in issue.running]) == (Stage.IN_PROGRESS, ["resolution.1"])


def test_r17_a_quotation_that_nobody_answers_lapses() -> None:
    before = an_issue(Stage.CONFIRMING)
    said = {"promise": "confirmation.1", "threshold": "75%"}
    early = decided(before, ActionName.THRESHOLD, DESK, MONDAY + DAY, **said)
    assert early.stage is Stage.CONFIRMING
    late = decided(before, ActionName.THRESHOLD, DESK, MONDAY + 9 * DAY, **said)
    assert messages(late) >= {"lapsed: customer", "quotation_over: handler?"}
    issue = CHEAP.record(late, before).applied_to(before)
    assert ends(issue)["confirmation.1"] == "withdrawn."
    _ended(issue, "lapsed", Outcome.LAPSED)


@pytest.mark.parametrize(
    ("stage", "station"),
    [
        (Stage.ASSIGNED, "survey"),
        (Stage.WAITING, "survey"),
    ],
)
def test_r17_no_work_is_done_before_it_was_surveyed_and_agreed_to(
    stage: Stage, station: str
) -> None:
    issue = an_issue(Stage.ASSIGNED, "paid_service")
    if stage is Stage.WAITING:
        issue = CHEAP.do(an_issue(Stage.SURVEYING), ActionName.WAIT_FOR_CUSTOMER, ENGINEER)
    with pytest.raises(Refused, match=f"the {station} comes first") as refused:
        CHEAP.do(issue, ActionName.RESOLVE, ENGINEER)
    assert refused.value.type == "NotAllowed"


def test_r17_a_survey_that_waits_for_the_customer_goes_on_where_it_stopped() -> None:
    waiting = CHEAP.do(an_issue(Stage.SURVEYING), ActionName.WAIT_FOR_CUSTOMER, ENGINEER)
    (survey,) = waiting.running
    assert (waiting.stage, survey.kind) == (Stage.WAITING, PromiseKind.SURVEY)
    assert survey.paused_at
    resumed = CHEAP.do(waiting, ActionName.RESUME, ENGINEER)
    assert (resumed.stage, resumed.running[0].paused_at) == (Stage.SURVEYING, None)


@pytest.mark.parametrize("stage", [Stage.QUOTING, Stage.CONFIRMING, Stage.APPROVING])
def test_r15_passed_on_it_stays_where_it_is_or_comes_back_there_when_it_is_accepted(
    stage: Stage,
) -> None:
    moved = CHEAP.do(an_issue(stage), ActionName.REASSIGN, actor(Role.LEAD), to="e02")
    if stage is Stage.QUOTING:
        assert moved.stage is Stage.ASSIGNED
        moved = CHEAP.do(moved, ActionName.ACCEPT, actor(Role.ENGINEER, "e02"))
    assert moved.stage is stage
    assert moved.promises == an_issue(stage).promises


@pytest.mark.parametrize(
    ("name", "said", "field"),
    [
        (ActionName.SURVEY, {"findings": ""}, "findings"),
        (ActionName.QUOTE, {"work": " "}, "work"),
        (ActionName.QUOTE, {"amount": "12.345"}, "amount"),
        (ActionName.QUOTE, {"amount": "-1"}, "amount"),
        (ActionName.QUOTE, {"amount": "NaN"}, "amount"),
        (ActionName.QUOTE, {"amount": "Infinity"}, "amount"),
        (ActionName.QUOTE, {"amount": "10000000000.00"}, "amount"),
        (ActionName.QUOTE, {"amount": "dear"}, "amount"),
        (ActionName.CONFIRM, {"agreed": None}, "agreed"),
        (ActionName.CONFIRM, {"words": "x" * 10_001}, "words"),
        (ActionName.APPROVE, {"approved": None}, "approved"),
    ],
)
def test_a_wrong_form_is_refused_by_field(
    name: ActionName, said: dict[str, Any], field: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        an_act(name, MANAGER, **said)
    assert [error["loc"] for error in refused.value.errors()] == [(field,)]


@pytest.mark.parametrize("reason", ["", "  "])
def test_a_manager_who_says_no_says_why(reason: str) -> None:
    with pytest.raises(ValidationError, match="reason: say why it is not approved"):
        an_act(ActionName.APPROVE, MANAGER, approved=False, reason=reason)


@pytest.mark.parametrize("amount", ["0", "0.01", "12800", "9999999999.99"])
def test_a_price_is_any_amount_to_the_fen(amount: str) -> None:
    step = decided(an_issue(Stage.QUOTING), ActionName.QUOTE, ENGINEER, amount=amount)
    assert step.content["amount"] == str(Decimal(amount))
