"""Complaints (R19-R21): looked into, filed from the apology to the archive, and born of others."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from domain.errors import Refused
from domain.issue.actions import ActionName
from domain.issue.common import PRE_WORK_STAGES
from domain.issue.complaints import arising
from domain.issue.forms import ComplaintForm
from domain.issue.intake import Intake
from domain.issue.lifecycle import register
from domain.issue.state import Assignment, Issue
from domain.issue.step import Step
from domain.sla.promise import PromiseKind
from domain.vocabulary import DESK, Outcome, Role, Severity, Stage
from tests.support.builders import (
    DAY,
    HOUR,
    LEAD,
    MONDAY,
    SOUGHT,
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
CLERK = actor(Role.CLERK)
DESK_WITH_STATIONS = Desk(also=frozenset(PRE_WORK_STAGES))


def verified(verdict: str) -> tuple[Step, Issue]:
    before = an_issue(Stage.VERIFYING)
    step = decided(before, ActionName.VERIFY, ENGINEER, MONDAY + HOUR, verdict=verdict)
    return step, DESK_WITH_STATIONS.record(step, before).applied_to(before)


def test_r19_a_complaint_is_registered_with_an_apology_sent_at_once_and_overseen() -> None:
    step = register(an_intake(kind="complaint"), MONDAY)
    assert step.forms == (ComplaintForm(received_by="07", apologised_at=MONDAY),)
    assert step.assignment == Assignment()
    assert PromiseKind.VERIFICATION in step.make
    assert messages(step) == {"registered: customer", *SOUGHT, "complaint_received: gm_office"}


def test_r19_whoever_accepts_a_complaint_looks_into_it_first() -> None:
    issue = an_issue(Stage.VERIFYING)
    assert [p.key for p in issue.running] == ["resolution.1", "verification.1"]
    with pytest.raises(Refused, match="resolve is not possible while"):
        Desk().do(issue, ActionName.RESOLVE, ENGINEER)
    with pytest.raises(Refused, match="the verification comes first"):
        Desk().do(an_issue(Stage.ASSIGNED, "complaint"), ActionName.RESOLVE, ENGINEER)


def test_r19_an_unfounded_complaint_is_explained_to_the_customer_and_called_back() -> None:
    step, issue = verified("unfounded")
    assert step.forms == (
        ComplaintForm(
            verified_by=ENGINEER.id,
            verified_at=MONDAY + HOUR,
            verdict="unfounded",
            findings="nobody came at the time agreed",
        ),
    )
    assert messages(step) == {
        "unfounded: customer when in_writing",
        "result_back: agent when in_writing_and_agent",
        "call_with_result: agent when by_call",
    }
    assert (issue.stage, issue.answered) == (Stage.RESOLVED, False)
    assert ends(issue) == {
        "response.1": "kept.",
        "resolution.1": "kept.",
        "verification.1": "kept.",
        "callback.1": "open",
    }
    issue = Desk().do(issue, ActionName.REPLIED, DESK)
    issue = Desk().do(issue, ActionName.RECORD_CALLBACK, CLERK, MONDAY + 2 * DAY)
    assert (issue.stage, issue.outcome) == (Stage.CLOSED, Outcome.UNFOUNDED)


def test_r19_a_general_complaint_is_solved_by_the_department_that_has_it() -> None:
    step, issue = verified("general")
    assert messages(step) == {"verified: customer"}
    assert (issue.stage, issue.severity) == (Stage.IN_PROGRESS, Severity.GENERAL)
    assert [p.key for p in issue.running] == ["resolution.1"]


def test_r19_a_major_complaint_is_taken_by_the_lead_who_answers_for_it_anew() -> None:
    step, issue = verified("major")
    assert step.assignment == Assignment(level=1)
    assert messages(step) == {"verified: customer", "taken: handler?"}
    assert (issue.stage, issue.engineer) == (Stage.ASSIGNED, LEAD)
    assert (issue.severity, issue.level) == (Severity.MAJOR, 1)
    assert [p.key for p in issue.running] == ["resolution.1", "response.1.2"]


def test_r19_a_complaint_that_rose_higher_already_does_not_come_down_by_its_verdict() -> None:
    step = decided(an_issue(Stage.VERIFYING, level=3), ActionName.VERIFY, ENGINEER, verdict="major")
    assert step.level == 3


def test_r15_looking_into_it_stands_still_while_the_customer_has_to_do_something() -> None:
    waiting = Desk().do(an_issue(Stage.VERIFYING), ActionName.WAIT_FOR_CUSTOMER, ENGINEER)
    assert all(p.paused_at for p in waiting.running)
    assert Desk().do(waiting, ActionName.RESUME, ENGINEER).stage is Stage.VERIFYING


def test_r19_the_form_follows_the_complaint_to_the_archive() -> None:
    issue = an_issue(Stage.IN_PROGRESS, "complaint")
    form: dict[str, Any] = {}
    for name, by, after in (
        (ActionName.RESOLVE, ENGINEER, HOUR),
        (ActionName.REPLIED, DESK, HOUR),
        (ActionName.RECORD_CALLBACK, CLERK, DAY),
    ):
        step = decided(issue, name, by, issue.last_at + after)
        form |= {k: v for each in step.forms for k, v in each.model_dump(exclude_none=True).items()}
        issue = Desk().record(step, issue).applied_to(issue)
    assert form == {
        "form": "complaint_forms",
        "handled_by": ENGINEER.id,
        "result": "card reader replaced",
        "result_at": form["result_at"],
        "told_at": form["result_at"] + HOUR,
        "called_at": issue.last_at,
        "satisfied": True,
        "archived_at": issue.last_at,
    }


def test_r19_a_call_that_was_quicker_than_the_letter_told_the_customer() -> None:
    issue = an_issue(Stage.RESOLVED, "complaint")
    step = decided(issue, ActionName.RECORD_CALLBACK, CLERK, issue.last_at + DAY)
    (form,) = step.forms
    assert isinstance(form, ComplaintForm)
    assert form.told_at == form.called_at == form.archived_at == step.at


def test_r19_a_complaint_the_customer_gave_up_is_archived_too() -> None:
    step = decided(an_issue(Stage.VERIFYING), ActionName.WITHDRAW, actor(Role.CUSTOMER))
    assert step.forms == (ComplaintForm(archived_at=step.at),)


def test_only_complaints_have_a_complaint_form() -> None:
    for stage in (Stage.IN_PROGRESS, Stage.WAITING):
        assert decided(an_issue(stage), ActionName.RESOLVE, ENGINEER).forms == ()


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"verdict": "partly"}, "verdict"),
        ({"verdict": None}, "verdict"),
        ({"findings": ""}, "findings"),
        ({"findings": " \n"}, "findings"),
    ],
)
def test_a_wrong_verification_is_refused_by_field(said: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as refused:
        an_act(ActionName.VERIFY, ENGINEER, **said)
    assert [error["loc"] for error in refused.value.errors()] == [(field,)]


# --- born of others (R21) -------------------------------------------------------------------------


def test_r21_a_conflict_on_the_phone_is_a_major_complaint_in_the_customers_own_words() -> None:
    issue = an_issue(Stage.REPLIED)
    said = {"conflict": True, "words": "he was rude to my staff"}
    step = decided(issue, ActionName.RECORD_CALLBACK, CLERK, issue.last_at + DAY, **said)
    assert step.dissatisfied
    complaint = Intake.model_validate(arising(issue, step.act, step.seq, step.at).model_dump())
    assert (complaint.kind, complaint.severity) == ("complaint", Severity.MAJOR)
    assert (complaint.source, complaint.reference) == ("desk", f"20261123-07-0001-{step.seq}")
    assert (complaint.channel, complaint.category) == ("telephone", "service")
    assert complaint.description == "he was rude to my staff"
    assert (complaint.arises_from, complaint.reported_at) == (issue.id, step.at)
    assert complaint.customer == issue.intake.customer
    assert register(complaint, step.at).stage is Stage.REGISTERED


def test_r21_a_bad_score_is_a_general_complaint_with_the_comment() -> None:
    issue = an_issue(Stage.CLOSED)
    by, comment = actor(Role.CUSTOMER), "three visits for one card reader"
    step = decided(issue, ActionName.EVALUATE, by, technical=-20, comment=comment)
    complaint = arising(issue, step.act, step.seq, step.at)
    assert (complaint.severity, complaint.channel) == (Severity.GENERAL, "website")
    assert complaint.description == comment


def test_r21_how_the_issue_itself_came_in_is_not_carried_over_to_the_complaint() -> None:
    intake = an_intake(answering=True, complex=True, ring_seconds=12)
    issue = an_issue(Stage.CLOSED, intake=intake)
    step = decided(issue, ActionName.EVALUATE, actor(Role.CUSTOMER))
    complaint = arising(issue, step.act, step.seq, step.at)
    assert (complaint.answering, complaint.complex, complaint.ring_seconds) == (False, False, None)
    assert complaint.occurred_at is None


def test_r21_the_issue_remembers_the_complaint_and_the_gm_office_hears_of_one_that_failed() -> None:
    issue = an_issue(Stage.CLOSED)
    raised = decided(issue, ActionName.COMPLAINT_RAISED, DESK)
    assert messages(raised) == set()
    assert Desk().record(raised, issue).applied_to(issue).complaints == ("20261124-07-0002",)
    failed = decided(issue, ActionName.COMPLAINT_RAISED, DESK, number=None, reason="no region")
    assert messages(failed) == {"complaint_failed: gm_office"}
    assert Desk().record(failed, issue).applied_to(issue).complaints == ()
