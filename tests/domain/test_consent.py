"""Passing on is asked (R35): with a no the issue stays with the hotline."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from domain.contract import StepName
from domain.errors import Refused
from domain.issue.actions import ActionName
from domain.issue.arrival import arrived
from domain.issue.complaints import told
from domain.issue.lifecycle import allowed, register
from domain.issue.naming import name_of
from domain.issue.state import Issue
from domain.issue.step import Step
from domain.sla.promise import PromiseKind
from domain.vocabulary import DESK, Channel, Consent, Role, Stage
from tests.support.builders import (
    COLLEAGUE,
    DAY,
    MINUTE,
    MONDAY,
    Desk,
    actor,
    an_intake,
    an_issue,
    decided,
    messages,
)

AGENT = actor(Role.AGENT, "07")
LEAD = actor(Role.LEAD)
HOTLINE = Desk(trials=True, also=frozenset({PromiseKind.HAND_OVER, PromiseKind.VERIFICATION}))
STAYS = {"kept_back: customer", "kept_back_staff: lead"}
PASSING_ON = [
    (ActionName.REASSIGN, {"reason": "needs a look on site"}),
    (ActionName.TRANSFER, {"to": "software", "reason": "the firmware"}),
]


def refusing(desk: Desk = HOTLINE, **intake: Any) -> Issue:
    """An issue whose customer does not want that it is passed on."""
    return desk.open(an_intake(channel="telephone", consent="no", **intake))


def held(desk: Desk = HOTLINE, **intake: Any) -> Issue:
    """One that the agent tries to answer first."""
    return desk.open(an_intake(channel="telephone", answering=True, **intake))


def kinds(issue: Issue) -> set[PromiseKind]:
    return {promise.kind for promise in issue.running}


def test_r35_what_is_not_to_be_passed_on_is_not_merged_but_linked() -> None:
    issue = refusing()
    assert ActionName.LINK in allowed(issue, AGENT)
    with pytest.raises(Refused, match="link the two, or ask them again and pass it on"):
        decided(issue, ActionName.MERGE, AGENT, into="20260302-07-0002")
    issue = HOTLINE.do(issue, ActionName.REASSIGN, AGENT, reason="they agree", consent="yes")
    assert ActionName.MERGE in allowed(issue, AGENT)


# --- at the intake --------------------------------------------------------------------------------


@pytest.mark.parametrize("consent", [None, Consent.YES, Consent.NOT_ASKED])
def test_r35_with_consent_or_unasked_it_is_passed_on_as_ever(consent: Consent | None) -> None:
    step = register(an_intake(consent=consent, consent_words="好的" if consent else ""), MONDAY)
    usual = register(an_intake(), MONDAY)
    assert step.model_copy(update={"intake": None}) == usual.model_copy(update={"intake": None})


def test_r35_who_refuses_stays_with_the_agent_who_took_the_call() -> None:
    issue = refusing()
    assert (issue.stage, issue.engineer, issue.taken_by) == (Stage.REGISTERED, None, "07")
    assert (issue.queue, issue.queued, issue.kept_back) == ("kept_back", True, True)
    assert kinds(issue) == {PromiseKind.HAND_OVER, PromiseKind.RESOLUTION}


def test_r35_the_customer_and_the_lead_are_told_and_nobody_is_sent() -> None:
    step = register(an_intake(channel="telephone", consent="no", complex=True), MONDAY)
    assert messages(step) == STAYS
    assert (step.assignment, step.level) == (None, 1)


def test_r35_of_a_complaint_those_who_oversee_them_hear_and_nobody_else_calls_the_customer() -> (
    None
):
    intake = an_intake(kind="complaint", consent="no", agitated=True, channel="telephone")
    step = register(intake, MONDAY)
    assert messages(step) == {*STAYS, "complaint_received: gm_office"}
    assert not {PromiseKind.CALMING, PromiseKind.VERIFICATION, PromiseKind.RESPONSE} & {*step.make}
    answered = HOTLINE.do(HOTLINE.open(intake), ActionName.ANSWER, AGENT)
    assert answered.stage is Stage.RESOLVED


@pytest.mark.parametrize("channel", [Channel.EMAIL, Channel.WEBSITE, Channel.CHAT])
def test_r35_r36_what_was_written_is_whoevers_takes_it_from_the_queue(channel: Channel) -> None:
    issue = HOTLINE.open(an_intake(consent="no", channel=channel))
    assert (issue.queued, issue.taken_by) == (True, None)
    taken = HOTLINE.do(issue, ActionName.TAKE, actor(Role.AGENT, "12"))
    assert (taken.agent, taken.engineer) == ("12", None)


def test_r35_under_a_policy_that_gives_the_hotline_no_time_it_stays_there_too() -> None:
    issue = refusing(Desk())
    assert (issue.stage, issue.engineer) == (Stage.REGISTERED, None)
    passed_on = Desk().do(issue, ActionName.REASSIGN, AGENT, consent="yes")
    assert (passed_on.stage, kinds(passed_on)) == (
        Stage.ASSIGNED,
        {PromiseKind.RESOLUTION, PromiseKind.RESPONSE},
    )


# --- at the handing over --------------------------------------------------------------------------


@pytest.mark.parametrize(("action", "said"), PASSING_ON)
def test_r35_a_no_at_the_handing_over_is_written_down_and_it_stays(
    action: ActionName, said: dict[str, Any]
) -> None:
    words = "let your colleague on the line tell me"
    step = decided(held(), action, AGENT, consent="no", consent_words=words, **said)
    assert step.content == {**said, "consent": "no", "consent_words": words}
    assert (step.assignment, step.department, step.stage) == (None, None, Stage.REGISTERED)
    assert messages(step) == STAYS
    assert [p.kind for p in step.promises if p.running] == [PromiseKind.HAND_OVER]
    assert name_of(step) is StepName.RECORD_NOTE
    after = HOTLINE.record(step, held()).applied_to(held())
    assert (after.kept_back, after.taken_by, after.queued) == (True, "07", True)


@pytest.mark.parametrize(("action", "said"), PASSING_ON)
@pytest.mark.parametrize("consent", [None, "not_asked"])
def test_r35_nobody_passes_it_on_whom_the_customer_has_not_told_yes_since(
    action: ActionName, said: dict[str, Any], consent: str | None
) -> None:
    with pytest.raises(Refused) as refused:
        decided(refusing(), action, LEAD, consent=consent, **said)
    assert refused.value.type == "Invalid"
    assert refused.value.message.startswith("consent: the customer of 20261123-07-0001 does not")
    assert "ask them again and pass it on with consent yes" in refused.value.message


@pytest.mark.parametrize(("action", "said"), PASSING_ON)
def test_r35_once_the_customer_agrees_it_is_passed_on_and_promised(
    action: ActionName, said: dict[str, Any]
) -> None:
    issue = HOTLINE.do(refusing(), action, AGENT, consent="yes", **said)
    assert (issue.stage, issue.kept_back, issue.queued) == (Stage.ASSIGNED, False, False)
    assert kinds(issue) == {PromiseKind.RESPONSE, PromiseKind.RESOLUTION}
    assert ActionName.ACCEPT in allowed(issue)


def test_r35_r19_a_complaint_that_is_passed_on_after_all_is_looked_into() -> None:
    issue = refusing(kind="complaint")
    issue = HOTLINE.do(issue, ActionName.REASSIGN, AGENT, consent="yes")
    assert {PromiseKind.RESPONSE, PromiseKind.VERIFICATION} <= kinds(issue)


def test_r35_asked_again_in_vain_the_words_are_kept_and_nobody_is_told_twice() -> None:
    step = decided(refusing(), ActionName.REASSIGN, AGENT, consent="no", consent_words="still no")
    assert (step.content["consent_words"], messages(step)) == ("still no", set())


@pytest.mark.parametrize(("action", "said"), PASSING_ON)
def test_r35_what_somebody_has_already_is_not_taken_back_by_a_no(
    action: ActionName, said: dict[str, Any]
) -> None:
    with pytest.raises(Refused, match=r"^consent: 2026\S+ was passed on already") as refused:
        decided(an_issue(Stage.IN_PROGRESS), action, LEAD, consent="no", **said)
    assert refused.value.type == "Invalid"
    assert "as a note" in refused.value.message


def test_r35_nobody_makes_it_theirs() -> None:
    issue = refusing()
    assert ActionName.ACCEPT not in allowed(issue)
    with pytest.raises(Refused, match="does not want that it is passed on"):
        decided(issue, ActionName.ACCEPT, LEAD)
    assert {ActionName.ANSWER, ActionName.REASSIGN} <= {*allowed(issue, LEAD)}


# --- as time goes by ------------------------------------------------------------------------------


def rung(issue: Issue, kind: PromiseKind) -> tuple[Step, Issue]:
    """Let the clock of that promise ring once."""
    promise = issue.promise(kind)
    assert promise
    assert promise.next_threshold
    mark = promise.next_threshold
    said = {"promise": promise.key, "threshold": mark.name}
    step = decided(issue, ActionName.THRESHOLD, DESK, mark.at, **said)
    return step, HOTLINE.record(step, issue).applied_to(issue)


def test_r35_r10_what_is_to_stay_stays_when_it_is_late_and_the_lead_hears_of_it() -> None:
    _, issue = rung(refusing(), PromiseKind.HAND_OVER)
    step, issue = rung(issue, PromiseKind.HAND_OVER)
    assert (step.assignment, issue.engineer, issue.stage) == (None, None, Stage.REGISTERED)
    assert "alarm: lead" in messages(step)
    hand_over = issue.promise(PromiseKind.HAND_OVER)
    assert hand_over is not None, "it is still owed"
    assert hand_over.overdue


def test_r35_r9_an_answer_that_did_not_help_is_the_agents_again() -> None:
    issue = HOTLINE.do(refusing(), ActionName.ANSWER, AGENT)
    step = decided(issue, ActionName.REPORT_TEST, actor(Role.CUSTOMER), worked=False)
    assert (step.stage, step.assignment) == (Stage.REOPENED, None)
    assert step.make == (PromiseKind.HAND_OVER, PromiseKind.RESOLUTION)
    assert messages(step) == {*STAYS, "kept_back_staff: agent"}
    issue = HOTLINE.record(step, issue).applied_to(issue)
    assert ActionName.ANSWER in allowed(issue, AGENT)
    agreed = HOTLINE.do(issue, ActionName.REASSIGN, AGENT, consent="yes", to=COLLEAGUE.id)
    assert agreed.engineer
    assert agreed.engineer.id == COLLEAGUE.id
    assert PromiseKind.RESPONSE in kinds(agreed)


# --- what is written ------------------------------------------------------------------------------


def test_r35_an_intake_that_leaves_it_out_is_what_it_was_before_there_was_consent() -> None:
    assert "consent" not in an_intake().model_dump_json()
    assert "consent" not in held().model_dump_json()


def test_words_without_what_they_mean_are_refused_with_what_to_write() -> None:
    said = an_intake().model_dump(mode="json", exclude={"behaves", "outside"})
    with pytest.raises(ValidationError, match="consent: say what the customer's words mean"):
        arrived(said | {"consent_words": "fine"})
    assert arrived(said | {"consent": "yes", "consent_words": "fine"}).consent is Consent.YES
    with pytest.raises(ValidationError, match="yes, no or not_asked"):
        decided(held(), ActionName.REASSIGN, AGENT, consent_words="fine")


def test_r21_a_complaint_that_arises_goes_to_the_department_whatever_was_said_of_the_issue() -> (
    None
):
    arisen = told(refusing(consent_words="不用"), "r-2", "nobody came", MONDAY + DAY, called=True)
    assert (arisen.consent, arisen.consent_words) == (None, "")
    assert register(arisen, MONDAY + DAY + MINUTE).assignment is not None
