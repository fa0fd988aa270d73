"""An agitated complainant is calmed first (R47)."""

from __future__ import annotations

import pytest

from domain.errors import Refused
from domain.issue.actions import ActionName
from domain.issue.complaints import arising
from domain.issue.forms import ComplaintForm
from domain.issue.lifecycle import register
from domain.sla.promise import PromiseEnd, PromiseKind
from domain.vocabulary import Role, Stage
from tests.support.builders import (
    MONDAY,
    Desk,
    actor,
    an_act,
    an_intake,
    an_issue,
    decided,
    messages,
)

MANAGER = actor(Role.MANAGER)
CALMING = Desk(also=frozenset({PromiseKind.CALMING}))
AGITATED = an_intake(kind="complaint", agitated=True)


def test_r47_an_agitated_complainant_is_promised_a_call_and_somebody_is_told() -> None:
    step = register(AGITATED, MONDAY)
    assert PromiseKind.CALMING in step.make
    assert "calm_wanted: manager" in messages(step)


@pytest.mark.parametrize("kind", ["complaint", "fault"])
def test_r47_nobody_else_is_calmed(kind: str) -> None:
    step = register(an_intake(kind=kind, agitated=kind == "fault"), MONDAY)
    assert PromiseKind.CALMING not in step.make
    assert "calm_wanted: manager" not in messages(step)


def test_r47_what_was_said_is_on_the_complaint_form_and_told_to_whoever_has_it() -> None:
    issue = CALMING.open(AGITATED)
    step = decided(issue, ActionName.CALM, MANAGER)
    assert [(p.kind, p.end) for p in step.promises] == [(PromiseKind.CALMING, PromiseEnd.KEPT)]
    assert messages(step) == {"calmed: handler"}
    said = "we apologised, they wait for what we find"
    assert step.forms == (
        ComplaintForm(calmed_by=MANAGER.id, calmed_at=step.at, calmed_words=said),
    )
    assert step.stage is step.stage_before is Stage.ASSIGNED


def test_r47_a_customer_is_calmed_once_and_by_those_who_answer_for_a_department() -> None:
    issue = CALMING.open(AGITATED)
    with pytest.raises(Refused, match="calm is for gm_office, lead, manager"):
        decided(issue, ActionName.CALM, actor(Role.ENGINEER))
    issue = CALMING.do(issue, ActionName.CALM, MANAGER)
    with pytest.raises(Refused, match=r"nobody waits to be calmed .*; possible now: answer"):
        decided(issue, ActionName.CALM, MANAGER)


def test_r47_an_intake_that_says_nothing_of_it_is_what_it_always_was() -> None:
    assert "agitated" not in an_intake(kind="complaint").model_dump_json()


def test_r47_a_complaint_that_arises_from_another_begins_calm() -> None:
    intake = an_issue(Stage.REPLIED).intake.model_copy(update={"agitated": True})
    issue = an_issue(Stage.REPLIED).model_copy(update={"intake": intake})
    call = an_act(ActionName.RECORD_CALLBACK, actor(Role.CLERK), conflict=True, words="no")
    assert not arising(issue, call, 9, MONDAY).agitated
