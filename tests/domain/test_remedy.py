"""A remedy for a complainant (R42): proposed, decided by somebody else, given and written down."""

from __future__ import annotations

from typing import Any

import pytest

from domain.errors import Refused
from domain.issue.actions import ActionName
from domain.issue.common import REMEDIES
from domain.issue.state import Issue
from domain.issue.step import Step
from domain.sla.promise import PromiseKind
from domain.vocabulary import Actor, Audience, Outcome, Role, Stage
from tests.support.builders import DAY, HOUR, Desk, actor, an_intake, an_issue, decided, ends

DESK = Desk(also=REMEDIES)
ENGINEER, LEAD, MANAGER, GM_OFFICE, CLERK = (
    actor(role) for role in (Role.ENGINEER, Role.LEAD, Role.MANAGER, Role.GM_OFFICE, Role.CLERK)
)
CALLED = {"reached": True, "running": True, "satisfied": True}
NO = {"approved": False, "reason": "an apology will do"}


def does(issue: Issue, name: ActionName, by: Actor, **said: Any) -> Issue:
    return DESK.do(issue, name, by, issue.last_at + HOUR, **said)


def step_of(issue: Issue, name: ActionName, by: Actor, **said: Any) -> Step:
    return decided(issue, name, by, issue.last_at + 2 * HOUR, **said)


def complained() -> Issue:
    """A complaint that its engineer works on."""
    return does(DESK.open(an_intake(kind="complaint")), ActionName.ACCEPT, ENGINEER)


def proposed() -> Issue:
    return does(complained(), ActionName.PROPOSE_REMEDY, ENGINEER)


def agreed() -> Issue:
    return does(proposed(), ActionName.DECIDE_REMEDY, MANAGER)


def answered(issue: Issue) -> Issue:
    """The customer has the answer, and was called."""
    issue = does(issue, ActionName.RESOLVE, ENGINEER)
    issue = does(issue, ActionName.REPLIED, actor(Role.SYSTEM))
    return DESK.do(issue, ActionName.RECORD_CALLBACK, CLERK, issue.last_at + DAY, **CALLED)


def test_r42_a_remedy_is_proposed_to_the_manager_and_no_clock_of_the_complaint_stops() -> None:
    issue = complained()
    step = step_of(issue, ActionName.PROPOSE_REMEDY, ENGINEER)
    assert [(tell.template, tell.to) for tell in step.tell] == [("remedy_wanted", Audience.MANAGER)]
    assert (step.stage, step.promises) == (issue.stage, ())
    assert step.make == (PromiseKind.REMEDY_APPROVAL,)


def test_r42_with_a_yes_the_complainant_is_told_what_they_get_and_it_is_promised() -> None:
    step = step_of(proposed(), ActionName.DECIDE_REMEDY, MANAGER)
    assert [tell.template for tell in step.tell if tell.to is Audience.CUSTOMER] == [
        "remedy_agreed"
    ]
    assert step.make == (PromiseKind.REMEDY,)
    assert step.content["amount"] == "300.00"
    assert step.content["what"] == "the fare of the visit is given back"


def test_r42_with_a_no_the_complainant_hears_nothing_and_another_may_be_proposed() -> None:
    issue = proposed()
    step = step_of(issue, ActionName.DECIDE_REMEDY, MANAGER, **NO)
    assert Audience.CUSTOMER not in {tell.to for tell in step.tell}
    issue = does(
        does(issue, ActionName.DECIDE_REMEDY, MANAGER, **NO), ActionName.PROPOSE_REMEDY, LEAD
    )
    assert issue.remedy
    assert (issue.remedy.proposal, issue.remedy.undecided) == (2, True)


@pytest.mark.parametrize(
    ("by", "decides", "refused"),
    [(ENGINEER, GM_OFFICE, None), (ENGINEER, MANAGER, None), (MANAGER, GM_OFFICE, None),
     (MANAGER, MANAGER, "somebody else decides"), (LEAD, LEAD, "is for gm_office, manager")],
)  # fmt: skip
def test_r42_nobody_says_yes_to_what_they_propose(
    by: Actor, decides: Actor, refused: str | None
) -> None:
    issue = does(complained(), ActionName.PROPOSE_REMEDY, by)
    if refused is None:
        assert step_of(issue, ActionName.DECIDE_REMEDY, decides).action is ActionName.DECIDE_REMEDY
        return
    with pytest.raises(Refused, match=refused):
        step_of(issue, ActionName.DECIDE_REMEDY, decides)


@pytest.mark.parametrize(
    ("by", "hears"), [(ENGINEER, Audience.MANAGER), (MANAGER, Audience.GM_OFFICE)]
)
def test_r42_before_it_is_late_whoever_decides_is_warned_and_nobody_who_may_not(
    by: Actor, hears: Audience
) -> None:
    issue = does(complained(), ActionName.PROPOSE_REMEDY, by)
    (promise,) = (p for p in issue.running if p.kind is PromiseKind.REMEDY_APPROVAL)
    mark = promise.next_threshold
    assert mark is not None
    waits = mark.model_copy(update={"tell": (Audience.MANAGER, Audience.LEAD)})
    warned = promise.model_copy(update={"marks": (waits, *promise.marks[promise.reached + 1 :])})
    others = tuple(p for p in issue.promises if p is not promise)
    issue = issue.model_copy(update={"promises": (*others, warned)})
    said = {"promise": promise.key, "threshold": mark.name}
    step = decided(issue, ActionName.THRESHOLD, actor(Role.SYSTEM), mark.at, **said)
    assert {tell.to for tell in step.tell} == {hears, Audience.LEAD}


def test_r42_what_a_manager_proposes_is_for_the_gm_office_and_no_other_manager() -> None:
    issue = does(complained(), ActionName.PROPOSE_REMEDY, MANAGER)
    with pytest.raises(Refused, match="for the GM office") as refused:
        step_of(issue, ActionName.DECIDE_REMEDY, actor(Role.MANAGER, "m02"))
    assert refused.value.type == "NotYours"


def test_r42_a_decision_about_a_proposal_that_was_replaced_decides_nothing() -> None:
    issue = does(proposed(), ActionName.DECIDE_REMEDY, MANAGER, **NO)
    issue = does(issue, ActionName.PROPOSE_REMEDY, ENGINEER)
    with pytest.raises(Refused, match="another remedy"):
        step_of(issue, ActionName.DECIDE_REMEDY, MANAGER, proposal=1)
    decided_now = step_of(issue, ActionName.DECIDE_REMEDY, MANAGER, proposal=2)
    assert decided_now.make == (PromiseKind.REMEDY,)


def test_r42_only_a_complainant_has_a_remedy_and_one_at_a_time() -> None:
    with pytest.raises(Refused, match="is no complaint"):
        step_of(an_issue(Stage.IN_PROGRESS), ActionName.PROPOSE_REMEDY, ENGINEER)
    with pytest.raises(Refused, match="is to be decided first"):
        step_of(proposed(), ActionName.PROPOSE_REMEDY, ENGINEER)
    with pytest.raises(Refused, match="is to be recorded as given"):
        step_of(agreed(), ActionName.PROPOSE_REMEDY, ENGINEER)


def test_r42_a_complaint_is_closed_when_its_remedy_was_given_and_as_it_would_have_been() -> None:
    issue = answered(agreed())
    assert (issue.stage, issue.outcome) == (Stage.REPLIED, None)
    assert ends(issue)["remedy.1"] == "open"
    issue = does(issue, ActionName.RECORD_REMEDY, ENGINEER)
    assert (issue.stage, issue.outcome) == (Stage.CLOSED, Outcome.SOLVED)
    assert ends(issue)["remedy.1"] == "kept."


def test_r42_a_no_to_the_proposal_lets_an_answered_complaint_be_closed() -> None:
    issue = answered(proposed())
    assert issue.stage is Stage.REPLIED
    assert does(issue, ActionName.DECIDE_REMEDY, MANAGER, **NO).stage is Stage.CLOSED


def test_r42_a_complainant_who_does_not_want_it_is_quoted_and_whoever_agreed_hears_of_it() -> None:
    said = {"accepted": False, "receipt": "", "words": "keep your money"}
    step = step_of(agreed(), ActionName.RECORD_REMEDY, ENGINEER, **said)
    assert [(tell.template, tell.to) for tell in step.tell] == [
        ("remedy_declined", Audience.MANAGER)
    ]
    issue = does(agreed(), ActionName.RECORD_REMEDY, ENGINEER, **said)
    assert ends(issue)["remedy.1"] == "withdrawn."
    assert issue.remedy
    assert issue.remedy.words == "keep your money"


def test_r42_what_is_owed_outlives_a_repair_that_failed() -> None:
    issue = does(agreed(), ActionName.RESOLVE, ENGINEER)
    issue = does(issue, ActionName.REPLIED, actor(Role.SYSTEM))
    failed = {"reached": True, "running": False, "satisfied": False}
    issue = DESK.do(issue, ActionName.RECORD_CALLBACK, CLERK, issue.last_at + DAY, **failed)
    assert issue.generation == 2
    assert issue.promise(PromiseKind.REMEDY)


def test_r42_whoever_takes_a_complaint_back_wants_no_remedy() -> None:
    issue = does(agreed(), ActionName.WITHDRAW, actor(Role.CUSTOMER))
    assert (issue.stage, issue.outcome) == (Stage.CLOSED, Outcome.WITHDRAWN)
    assert ends(issue)["remedy.1"] == "withdrawn."


def test_r42_a_complaint_whose_remedy_is_open_is_not_merged() -> None:
    with pytest.raises(Refused, match="decided and given first"):
        step_of(agreed(), ActionName.MERGE, LEAD)


def test_r42_a_remedy_is_not_given_before_it_was_agreed() -> None:
    issue = agreed()
    assert issue.remedy
    with pytest.raises(Refused, match="lies before what came first"):
        step_of(issue, ActionName.RECORD_REMEDY, ENGINEER, at=issue.intake.reported_at)


def test_r42_an_issue_without_a_remedy_is_kept_as_it_always_was() -> None:
    assert "remedy" not in complained().model_dump_json()
