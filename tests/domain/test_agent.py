"""The agent who took an issue in calls when something is late, and with the result (R13, R34)."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from domain.errors import Refused
from domain.issue.actions import ActionName, ContactCustomer
from domain.issue.lifecycle import allowed, decide
from domain.issue.state import Issue
from domain.sla.promise import CALLS, PromiseKind
from domain.vocabulary import DESK, Audience, Outcome, Role, Stage
from tests.support.builders import (
    HOUR,
    MONDAY,
    Desk,
    a_promise,
    actor,
    an_act,
    an_intake,
    decided,
    ends,
    messages,
)

AGENT = actor(Role.AGENT, "07")
ENGINEER = actor(Role.ENGINEER)
DESK_THAT_CALLS = Desk(also=CALLS)
DESK_THAT_WRITES = Desk()
AWAY: dict[str, Any] = {"reached": False, "told": ""}


def resolved(desk: Desk, **changes: object) -> Issue:
    issue = desk.open(an_intake(**changes))
    issue = desk.do(issue, ActionName.ACCEPT, ENGINEER)
    return desk.do(issue, ActionName.RESOLVE, ENGINEER)


def overdue(desk: Desk) -> Issue:
    issue = desk.open()
    for mark, at in (("75%", MONDAY + 1.5 * HOUR), ("100%", MONDAY + 2 * HOUR)):
        said = {"promise": "response.1", "threshold": mark}
        issue = desk.do(issue, ActionName.THRESHOLD, DESK, at, **said)
    return issue


def test_r34_where_the_agents_call_is_the_reply_no_message_is() -> None:
    issue = resolved(DESK_THAT_CALLS)
    assert [p.kind for p in issue.running] == [PromiseKind.REPLY]
    with pytest.raises(Refused, match="the agent is to call the customer"):
        decide(issue, ActionName.REPLIED, an_act(ActionName.REPLIED, DESK), issue.last_at)
    assert (issue.stage, issue.answered) == (Stage.RESOLVED, False)


def test_r34_with_the_recorded_call_the_customer_is_answered_and_what_follows_begins() -> None:
    issue = resolved(DESK_THAT_CALLS)
    step = decided(issue, ActionName.CONTACT_CUSTOMER, AGENT)
    assert messages(step) == {"told_by_call: customer"}
    issue = DESK_THAT_CALLS.record(step, issue).applied_to(issue)
    assert (issue.stage, issue.answered) == (Stage.REPLIED, True)
    assert ends(issue)["reply.1"] == "kept."
    assert [p.kind for p in issue.running] == [PromiseKind.CALLBACK]
    assert ActionName.CONTACT_CUSTOMER not in allowed(issue, AGENT)


def test_r34_a_policy_without_that_promise_answers_in_writing_as_ever() -> None:
    issue = resolved(DESK_THAT_WRITES)
    assert [p.kind for p in issue.running] == [PromiseKind.CALLBACK]
    issue = DESK_THAT_WRITES.do(issue, ActionName.REPLIED, DESK)
    assert (issue.stage, issue.answered) == (Stage.REPLIED, True)


def test_r34_a_customer_who_is_called_in_vain_is_written_to_at_last_and_answered_by_that() -> None:
    desk, issue = DESK_THAT_CALLS, resolved(DESK_THAT_CALLS)
    for times in (1, 2):
        issue = desk.do(issue, ActionName.CONTACT_CUSTOMER, AGENT, **AWAY)
        assert (issue.called_in_vain, issue.stage, issue.answered) == (times, Stage.RESOLVED, False)
        assert issue.promise(PromiseKind.REPLY)
    step = decided(issue, ActionName.CONTACT_CUSTOMER, AGENT, **AWAY)
    assert messages(step) == {"resolved: customer"}
    assert step.replies
    issue = desk.record(step, issue).applied_to(issue)
    assert (issue.called_in_vain, issue.stage, issue.answered) == (0, Stage.RESOLVED, False)
    issue = desk.do(issue, ActionName.REPLIED, DESK)
    assert (issue.stage, issue.answered) == (Stage.REPLIED, True)


def test_r34_somebody_who_can_only_be_called_is_called_until_they_are_reached() -> None:
    issue = resolved(DESK_THAT_CALLS)
    for_ever = a_promise(PromiseKind.REPLY, attempts=0)
    issue = issue.model_copy(update={"promises": (for_ever,)})
    for times in range(1, 10):
        issue = DESK_THAT_CALLS.do(issue, ActionName.CONTACT_CUSTOMER, AGENT, **AWAY)
        assert (issue.called_in_vain, issue.stage, issue.answered) == (times, Stage.RESOLVED, False)
    assert issue.promise(PromiseKind.REPLY)


def test_r34_nothing_that_follows_keeps_an_issue_open_when_the_call_was_all() -> None:
    desk = Desk(callbacks=False, also=frozenset({PromiseKind.REPLY}))
    issue = desk.do(resolved(desk), ActionName.CONTACT_CUSTOMER, AGENT)
    assert (issue.stage, issue.answered) == (Stage.REPLIED, True)
    issue = desk.do(issue, ActionName.REPLIED, DESK)
    assert (issue.stage, issue.outcome) == (Stage.CLOSED, Outcome.SOLVED)


@pytest.mark.parametrize("test", [True, False])
def test_r9_what_is_telephoned_is_tried_only_if_whoever_answered_asked_for_it(test: bool) -> None:  # noqa: FBT001
    desk = DESK_THAT_CALLS
    issue = desk.open(an_intake(kind="consultation", answering=True))
    step = decided(issue, ActionName.ANSWER, AGENT, on_the_line=False, test=test)
    # Nothing can be written to its customer: the register has the agent call.
    step = step.model_copy(update={"make": (PromiseKind.REPLY, *step.make)})
    issue = desk.record(step, issue).applied_to(issue)
    assert [p.kind for p in issue.running] == [PromiseKind.REPLY]
    called = decided(issue, ActionName.CONTACT_CUSTOMER, AGENT)
    assert (PromiseKind.CUSTOMER_TEST in called.make) == test
    assert PromiseKind.CALLBACK in called.make


def test_r34_an_unfounded_complaint_is_explained_by_the_agent_too() -> None:
    desk = Desk(also=frozenset({PromiseKind.REPLY, PromiseKind.VERIFICATION}))
    issue = desk.do(desk.open(an_intake(kind="complaint")), ActionName.ACCEPT, ENGINEER)
    said = {"verdict": "unfounded"}
    step = decided(issue, ActionName.VERIFY, ENGINEER, **said)
    assert "call_with_result: agent when by_call" in messages(step)
    issue = desk.record(step, issue).applied_to(issue)
    for _ in range(2):
        issue = desk.do(issue, ActionName.CONTACT_CUSTOMER, AGENT, **AWAY)
    last = decided(issue, ActionName.CONTACT_CUSTOMER, AGENT, **AWAY)
    assert messages(last) == {"unfounded: customer"}


def test_r13_of_a_broken_promise_the_agent_hears_and_owes_the_customer_a_call() -> None:
    issue = overdue(DESK_THAT_CALLS)
    assert ends(issue)["contact.1"] == "open"
    issue = DESK_THAT_CALLS.do(issue, ActionName.CONTACT_CUSTOMER, AGENT)
    assert ends(issue)["contact.1"] == "kept."
    assert (issue.stage, issue.answered) == (Stage.ASSIGNED, False)
    said = {"promise": "resolution.1", "threshold": "75%"}
    issue = DESK_THAT_CALLS.do(issue, ActionName.THRESHOLD, DESK, MONDAY + 80 * HOUR, **said)
    assert ends(issue)["contact.1.2"] == "open"


def test_r13_one_call_is_owed_at_a_time_however_much_is_late() -> None:
    issue = overdue(DESK_THAT_CALLS)
    said = {"promise": "resolution.1", "threshold": "75%"}
    step = decided(issue, ActionName.THRESHOLD, DESK, MONDAY + 80 * HOUR, **said)
    assert not step.make
    assert Audience.AGENT not in {tell.to for tell in step.tell}


def test_r13_a_policy_without_that_promise_asks_nobody_to_call() -> None:
    issue = overdue(DESK_THAT_WRITES)
    assert not [p for p in issue.promises if p.kind in CALLS]
    with pytest.raises(Refused, match="no call to the customer"):
        DESK_THAT_WRITES.do(issue, ActionName.CONTACT_CUSTOMER, AGENT)


def test_r13_called_in_vain_the_customer_is_written_to_that_work_goes_on() -> None:
    issue = overdue(DESK_THAT_CALLS)
    for _ in range(2):
        issue = DESK_THAT_CALLS.do(issue, ActionName.CONTACT_CUSTOMER, AGENT, **AWAY)
    step = decided(issue, ActionName.CONTACT_CUSTOMER, AGENT, **AWAY)
    assert messages(step) == {"missed_call: customer"}
    assert not step.replies


def test_r13_chasing_the_handler_is_recorded_and_moves_no_clock() -> None:
    issue = overdue(DESK_THAT_CALLS)
    step = decided(issue, ActionName.CHASE, AGENT)
    assert messages(step) == {"chased: handler"}
    assert not step.promises
    assert not step.counts


def test_r34_an_issue_that_is_opened_again_owes_no_call_with_the_result_that_failed() -> None:
    issue = resolved(DESK_THAT_CALLS)
    feedback = a_promise(PromiseKind.FEEDBACK)
    issue = issue.model_copy(update={"promises": (*issue.promises, feedback)})
    issue = DESK_THAT_CALLS.do(issue, ActionName.REPORT_TEST, AGENT, worked=False)
    assert ends(issue)["reply.1"] == "withdrawn."


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"reached": True}, "told: write down what the customer was told"),
        ({"reached": False, "told": "it is done"}, "reached: a customer who was not reached"),
        ({"reached": False, "words": "thanks"}, "reached: a customer who was not reached"),
    ],
)
def test_a_call_says_what_was_told_exactly_if_the_customer_was_reached(
    said: dict[str, object], why: str
) -> None:
    with pytest.raises(ValidationError, match=why):
        ContactCustomer.model_validate({"by": AGENT} | said)
