"""What a customer writes belongs to its issue, and what it does there hangs on the stage."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from domain.errors import Refused
from domain.issue.actions import ActionName
from domain.issue.common import DONE, OPEN
from domain.issue.forms import ConsultationRecord
from domain.issue.naming import name_of
from domain.issue.state import Assignment, Issue
from domain.issue.step import Step
from domain.sla.promise import OVERSIGHT, Promise, PromiseKind, Threshold
from domain.vocabulary import DESK, Actor, Audience, Means, Outcome, Role, Severity, Stage
from tests.support.builders import (
    DAY,
    ENGINEER,
    HOUR,
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

CUSTOMER, AGENT, CLERK = actor(Role.CUSTOMER), actor(Role.AGENT), actor(Role.CLERK)
WHOLE = Desk(
    callbacks=False,
    trials=True,
    also=frozenset(
        {
            *(PromiseKind.FEEDBACK, PromiseKind.WAITING),
            *(PromiseKind.EVALUATION, PromiseKind.DIFFICULTY),
        }
    ),
)
PAID = replace(WHOLE, also=WHOLE.also | {PromiseKind.CONFIRMATION})
CALLED = Desk(also=frozenset({PromiseKind.FEEDBACK}))
AWAY = {"reached": False, "running": None, "satisfied": None}


def wrote(issue: Issue, **said: Any) -> Step:
    return decided(issue, ActionName.CUSTOMER_WROTE, CUSTOMER, **said)


def after(issue: Issue, desk: Desk = WHOLE, **said: Any) -> Issue:
    return desk.do(issue, ActionName.CUSTOMER_WROTE, CUSTOMER, **said)


def waiting() -> Issue:
    """It is the customer's turn."""
    handler = actor(Role.ENGINEER)
    return WHOLE.do(an_issue(Stage.IN_PROGRESS), ActionName.WAIT_FOR_CUSTOMER, handler)


def replied() -> Issue:
    """A customer who has the hotline's answer, and time to try it."""
    issue = WHOLE.do(an_issue(), ActionName.ANSWER, AGENT)
    return WHOLE.do(issue, ActionName.REPLIED, DESK)


def closed() -> Issue:
    return WHOLE.do(replied(), ActionName.REPORT_TEST, CUSTOMER)


def running(issue: Issue, kind: PromiseKind) -> Promise:
    found = issue.promise(kind)
    assert found
    return found


def kinds(issue: Issue) -> list[PromiseKind]:
    return [promise.kind for promise in issue.running]


def silent(issue: Issue, kind: PromiseKind) -> Issue:
    """Let a clock ring until its time is up; after the closing, to its last."""
    due = running(issue, kind).due_at
    while (promise := issue.promise(kind)) and (mark := promise.next_threshold):
        if mark.at > due and kind not in OVERSIGHT:
            break
        said = {"promise": promise.key, "threshold": mark.name}
        issue = WHOLE.do(issue, ActionName.THRESHOLD, DESK, max(mark.at, issue.last_at), **said)
    return issue


# --- while it is open -----------------------------------------------------------------------------


@pytest.mark.parametrize("means", [m for m in Means if m is not Means.MORE_TIME])
def test_r15_a_waiting_issue_goes_on_when_its_customer_writes(means: Means) -> None:
    assert running(waiting(), PromiseKind.RESOLUTION).paused_at
    issue = after(waiting(), means=means)
    assert issue.stage is Stage.IN_PROGRESS
    assert running(issue, PromiseKind.RESOLUTION).paused_at is None
    assert ends(issue)["waiting.1"] == "kept."
    assert messages(wrote(waiting(), means=means)) == {"customer_wrote: handler"}


def test_r15_who_needs_more_time_is_waited_for_and_reminded_anew() -> None:
    issue = waiting()
    stands = running(issue, PromiseKind.RESOLUTION)
    assert messages(wrote(issue, means=Means.MORE_TIME)) == {"customer_wrote: handler"}
    for n in (2, 3):
        issue = after(issue, means=Means.MORE_TIME)
        assert (issue.stage, issue.waits) == (Stage.WAITING, n)
        anew = running(issue, PromiseKind.WAITING)
        assert (anew.key, anew.made_at) == (f"waiting.1.{n}", issue.last_at)
        assert ends(issue)["waiting.1"] == "withdrawn."
    assert running(issue, PromiseKind.RESOLUTION) == stands
    again = WHOLE.do(after(issue), ActionName.WAIT_FOR_CUSTOMER, actor(Role.ENGINEER))
    assert running(again, PromiseKind.WAITING).key == "waiting.1.4"


@pytest.mark.parametrize("means", Means)
@pytest.mark.parametrize("stage", sorted(OPEN - {Stage.WAITING, Stage.CONFIRMING}))
def test_who_has_an_open_issue_reads_what_its_customer_writes_and_no_clock_moves(
    stage: Stage, means: Means
) -> None:
    step = wrote(an_issue(stage), means=means)
    assert messages(step) == {"customer_wrote: handler"}
    assert (step.stage, step.promises, step.make, step.forms) == (stage, (), (), ())
    assert step.content == {"words": "the key is with the porter", "means": means, "known": True}


def test_while_the_hotline_has_it_the_agent_reads_it() -> None:
    held = an_issue(Stage.REGISTERED, promises=(a_promise(PromiseKind.HAND_OVER),))
    assert messages(wrote(held)) == {"customer_wrote: agent"}


def test_words_stand_in_the_way_of_no_deed_that_was_done_before_them() -> None:
    """The engineer reports in the evening what was repaired before the customer wrote."""
    issue = an_issue(Stage.IN_PROGRESS)
    repaired = issue.last_at + HOUR
    issue = WHOLE.do(issue, ActionName.CUSTOMER_WROTE, CUSTOMER, repaired + HOUR)
    step = decided(
        *(issue, ActionName.RESOLVE, actor(Role.ENGINEER), repaired + 2 * HOUR), at=repaired
    )
    assert step.at == repaired
    with pytest.raises(Refused, match="lies before the last step"):
        WHOLE.do(after(waiting()), ActionName.RESOLVE, actor(Role.ENGINEER), at=issue.last_at)


# --- while a quotation waits for them -------------------------------------------------------------


def quoted(**said: Any) -> Issue:
    """It is the customer's to say yes or no."""
    return an_issue(Stage.CONFIRMING, promises=(a_promise(PromiseKind.CONFIRMATION),), **said)


@pytest.mark.parametrize("means", Means)
def test_r17_words_are_no_yes_to_a_quotation(means: Means) -> None:
    assert messages(wrote(quoted(), means=means)) == {"customer_wrote: handler"}
    issue = after(quoted(), means=means)
    assert (issue.stage, kinds(issue)) == (
        Stage.CONFIRMING,
        [PromiseKind.CONFIRMATION, PromiseKind.FEEDBACK],
    )
    assert running(issue, PromiseKind.CONFIRMATION) == running(quoted(), PromiseKind.CONFIRMATION)


def test_r17_no_quotation_lapses_while_nobody_has_seen_to_what_was_written() -> None:
    assert silent(quoted(), PromiseKind.CONFIRMATION).ends_as is Outcome.LAPSED
    issue = silent(after(quoted()), PromiseKind.CONFIRMATION)
    assert issue.stage is Stage.CONFIRMING
    late = silent(issue, PromiseKind.FEEDBACK)
    assert late.stage is Stage.CONFIRMING
    assert late.promise(PromiseKind.FEEDBACK)
    agreed = PAID.do(late, ActionName.CONFIRM, AGENT, late.last_at + DAY)
    assert agreed.stage is Stage.APPROVING


def test_r17_whoever_asked_about_a_quotation_has_the_whole_time_to_answer_once_they_know() -> None:
    late = silent(after(quoted()), PromiseKind.CONFIRMATION)
    issue = PAID.do(late, ActionName.RESUME, AGENT, late.last_at + DAY)
    assert (issue.stage, kinds(issue)) == (Stage.CONFIRMING, [PromiseKind.CONFIRMATION])
    anew = running(issue, PromiseKind.CONFIRMATION)
    assert (anew.key, anew.made_at) == ("confirmation.1.2", issue.last_at)
    assert ends(issue)["confirmation.1"] == "withdrawn."
    assert silent(issue, PromiseKind.CONFIRMATION).ends_as is Outcome.LAPSED
    again = PAID.do(after(issue), ActionName.QUOTE, actor(Role.ENGINEER))
    assert running(again, PromiseKind.CONFIRMATION).key == "confirmation.1.3"


@pytest.mark.parametrize("agreed", [True, False])
def test_r17_a_yes_or_a_no_sees_to_what_was_written_before_it(*, agreed: bool) -> None:
    issue = PAID.do(after(quoted()), ActionName.CONFIRM, AGENT, agreed=agreed)
    assert ends(issue)["feedback.1"] == "kept."
    assert PromiseKind.FEEDBACK not in kinds(issue)


def test_r17_a_new_quotation_sees_to_what_was_written_to_the_last() -> None:
    issue = PAID.do(after(quoted(quotations=1)), ActionName.QUOTE, actor(Role.ENGINEER))
    assert ends(issue)["feedback.1"] == "kept."
    assert kinds(issue) == [PromiseKind.CONFIRMATION]


@pytest.mark.parametrize(
    ("before", "theirs"),
    [(quoted(), PromiseKind.CONFIRMATION), (replied(), PromiseKind.CUSTOMER_TEST)],
)
def test_who_wrote_is_not_reminded_to_say_something(before: Issue, theirs: PromiseKind) -> None:
    reminded = running(before, theirs).model_copy(
        update={
            "marks": (
                Threshold(
                    name="75%",
                    at=before.last_at + HOUR,
                    tell=(Audience.CUSTOMER, Audience.HANDLER),
                ),
            )
        }
    )
    others = tuple(p for p in before.promises if p.kind is not theirs)
    issue = before.model_copy(update={"promises": (*others, reminded)})
    said = {"promise": reminded.key, "threshold": "75%"}
    told = decided(issue, ActionName.THRESHOLD, DESK, issue.last_at + HOUR, **said)
    assert any(message.endswith(": customer") for message in messages(told))
    told = decided(after(issue), ActionName.THRESHOLD, DESK, issue.last_at + HOUR, **said)
    assert messages(told) == {"reminder: handler"}


@pytest.mark.parametrize(
    ("before", "hears"), [(quoted(), "handler"), (replied(), "agent"), (closed(), "agent")]
)
def test_what_was_written_is_remembered_to_whoever_is_to_see_to_it(
    before: Issue, hears: str
) -> None:
    unread = a_promise(PromiseKind.FEEDBACK).model_copy(
        update={"marks": (Threshold(name="75%", at=before.last_at + HOUR, tell=(Audience.AGENT,)),)}
    )
    issue = before.model_copy(update={"promises": (*before.promises, unread)})
    said = {"promise": unread.key, "threshold": "75%"}
    told = decided(issue, ActionName.THRESHOLD, DESK, issue.last_at + HOUR, **said)
    assert messages(told) == {f"reminder: {hears}"}


# --- once it has its answer -----------------------------------------------------------------------


@pytest.mark.parametrize("means", [m for m in Means if m is not Means.NOT_SOLVED])
@pytest.mark.parametrize("stage", sorted(DONE - {Stage.CLOSED}))
def test_after_the_answer_the_agent_is_asked_whether_it_did_not_help(
    stage: Stage, means: Means
) -> None:
    before = an_issue(stage)
    assert messages(wrote(before, means=means)) == {"did_it_help: agent"}
    issue = after(before, means=means)
    assert issue.stage is stage
    assert kinds(issue) == [*kinds(before), PromiseKind.FEEDBACK]


def test_r9_no_silence_closes_an_issue_while_nobody_has_seen_to_what_was_written() -> None:
    assert silent(replied(), PromiseKind.CUSTOMER_TEST).outcome is Outcome.SOLVED
    issue = silent(after(replied()), PromiseKind.CUSTOMER_TEST)
    assert (issue.stage, kinds(issue)) == (Stage.REPLIED, [PromiseKind.FEEDBACK])
    late = silent(issue, PromiseKind.FEEDBACK)
    assert late.stage is Stage.REPLIED
    seen = WHOLE.do(late, ActionName.RESUME, AGENT, late.last_at + DAY)
    assert (seen.stage, seen.outcome) == (Stage.CLOSED, Outcome.SOLVED)


def test_what_was_seen_to_goes_on_as_it_was_as_long_as_there_is_time_to_try_it() -> None:
    issue = WHOLE.do(after(replied()), ActionName.RESUME, AGENT)
    assert (issue.stage, kinds(issue)) == (Stage.REPLIED, [PromiseKind.CUSTOMER_TEST])
    assert ends(issue)["feedback.1"] == "kept."
    assert running(after(issue), PromiseKind.FEEDBACK).key == "feedback.1.2"


def test_r6_the_answers_arrival_closes_nothing_that_was_objected_to_meanwhile() -> None:
    answered = WHOLE.do(an_issue(), ActionName.ANSWER, AGENT, on_the_line=False, test=False)
    issue = WHOLE.do(after(answered), ActionName.REPLIED, DESK)
    assert issue.stage is Stage.REPLIED
    assert WHOLE.do(issue, ActionName.RESUME, AGENT).outcome is Outcome.SOLVED
    early = WHOLE.do(after(answered), ActionName.RESUME, AGENT)
    assert early.stage is Stage.RESOLVED
    assert WHOLE.do(early, ActionName.REPLIED, DESK).outcome is Outcome.SOLVED


def test_more_letters_are_one_thing_to_see_to() -> None:
    issue = after(after(replied()))
    assert [p.key for p in issue.promises if p.kind is PromiseKind.FEEDBACK] == ["feedback.1"]
    assert messages(wrote(issue)) == {"did_it_help: agent"}


def test_r25_who_wrote_is_not_given_up_as_not_reached() -> None:
    call = a_promise(PromiseKind.CALLBACK, attempt=3)
    issue = after(an_issue(Stage.REPLIED, promises=(call,), answered=True), CALLED)
    assert call.opens_at
    issue = CALLED.do(issue, ActionName.RECORD_CALLBACK, CLERK, call.opens_at, **AWAY)
    assert issue.stage is Stage.CALLBACK
    issue = CALLED.do(issue, ActionName.RESUME, AGENT)
    issue = CALLED.do(issue, ActionName.RECORD_CALLBACK, CLERK, issue.last_at + DAY, **AWAY)
    assert issue.outcome is Outcome.NOT_REACHED


@pytest.mark.parametrize("by", [CUSTOMER, AGENT])
def test_r9_not_solved_is_the_report_of_a_test_that_failed(by: Actor) -> None:
    issue = replied()
    step = decided(issue, ActionName.CUSTOMER_WROTE, by, words="again", means=Means.NOT_SOLVED)
    same = decided(issue, ActionName.REPORT_TEST, by, words="again", worked=False)
    apart = {"action", "content"}
    assert step.model_dump(exclude=apart) == same.model_dump(exclude=apart)
    assert step.answered is False
    assert step.forms == (
        ConsultationRecord(generation=1, worked=False, tested_at=step.at, words="again"),
    )
    assert name_of(step) == "reopen_issue"


def test_the_agent_opens_it_again_by_the_report_of_a_test_that_failed() -> None:
    issue = silent(after(replied()), PromiseKind.CUSTOMER_TEST)
    issue = WHOLE.do(issue, ActionName.REPORT_TEST, AGENT, worked=False)
    assert (issue.stage, issue.generation) == (Stage.ASSIGNED, 2)
    assert ends(issue)["feedback.1"] == "kept."


def test_that_it_works_after_all_closes_it_unless_a_call_is_due() -> None:
    issue = silent(after(replied()), PromiseKind.CUSTOMER_TEST)
    assert WHOLE.do(issue, ActionName.REPORT_TEST, AGENT).outcome is Outcome.SOLVED
    issue = CALLED.do(after(an_issue(Stage.REPLIED), CALLED), ActionName.REPORT_TEST, AGENT)
    assert (issue.stage, kinds(issue)) == (Stage.REPLIED, [PromiseKind.CALLBACK])


@pytest.mark.parametrize("stage", sorted(DONE | {Stage.CONFIRMING}))
def test_nothing_can_be_seen_to_that_nobody_wrote(stage: Stage) -> None:
    with pytest.raises(Refused, match="its customer wrote nothing") as refused:
        WHOLE.do(an_issue(stage), ActionName.RESUME, AGENT)
    assert refused.value.type == "NotAllowed"


# --- after the closing ----------------------------------------------------------------------------


def test_r24_a_closed_issue_is_opened_again_by_its_customer_within_the_policys_days() -> None:
    before = closed().model_copy(update={"first_contact": False})
    before = before.model_copy(update={"reopens_until": before.last_at + 7 * DAY})
    step = wrote(before, means=Means.NOT_SOLVED)
    assert (step.outcome, step.stage, step.generation) == (None, Stage.REOPENED, 2)
    assert step.severity is Severity.MAJOR
    assert step.assignment == Assignment(prefer=ENGINEER.id)
    assert messages(step) == {"reopened: customer", "work_refused: lead", *SOUGHT}
    assert name_of(step) == "reopen_issue"
    issue = WHOLE.record(step, before).applied_to(before)
    assert (issue.stage, issue.outcome, issue.answered) == (Stage.ASSIGNED, None, False)
    assert ends(issue)["evaluation.1"] == "withdrawn."
    assert [p.key for p in issue.running] == ["response.2", "resolution.2"]


@pytest.mark.parametrize("means", [Means.WORDS, Means.NOT_SOLVED])
@pytest.mark.parametrize("known", [True, False])
def test_later_what_is_written_is_another_issue(*, means: Means, known: bool) -> None:
    issue = closed()
    until = issue.last_at + DAY
    issue = issue.model_copy(update={"reopens_until": until})
    said = {"means": means, "known": known}
    WHOLE.do(issue, ActionName.CUSTOMER_WROTE, CUSTOMER, until, **said)
    with pytest.raises(Refused, match="what is written now is another issue") as refused:
        WHOLE.do(issue, ActionName.CUSTOMER_WROTE, CUSTOMER, until + timedelta(seconds=1), **said)
    assert refused.value.type == "NotAllowed"


def test_and_so_it_is_when_nobody_lives_the_issue_any_more() -> None:
    issue = an_issue(Stage.CLOSED)
    assert issue.over
    with pytest.raises(Refused, match="is over: what is written now is another issue") as refused:
        after(issue)
    assert refused.value.type == "NotAllowed"


def test_words_to_a_closed_issue_keep_it_alive_until_the_agent_has_seen_to_them() -> None:
    assert messages(wrote(closed())) == {"did_it_help: agent"}
    issue = silent(after(closed()), PromiseKind.EVALUATION)
    assert (issue.stage, issue.outcome, issue.over) == (Stage.CLOSED, Outcome.SOLVED, False)
    assert kinds(issue) == [PromiseKind.FEEDBACK]
    seen = WHOLE.do(issue, ActionName.RESUME, AGENT)
    assert (seen.over, seen.outcome) == (True, Outcome.SOLVED)
    fine = WHOLE.do(issue, ActionName.REPORT_TEST, AGENT)
    assert (fine.over, fine.outcome) == (True, Outcome.SOLVED)
    anew = WHOLE.do(issue, ActionName.REPORT_TEST, AGENT, worked=False)
    assert (anew.stage, anew.outcome, anew.generation) == (Stage.ASSIGNED, None, 2)


def test_what_was_opened_again_after_its_closing_is_scored_anew_when_it_is_closed_again() -> None:
    issue = after(closed(), means=Means.NOT_SOLVED)
    issue = WHOLE.do(issue, ActionName.RESOLVE, actor(Role.ENGINEER))
    issue = WHOLE.do(issue, ActionName.REPORT_TEST, CUSTOMER)
    assert [p.key for p in issue.running] == ["evaluation.2", "difficulty.2"]
    assert WHOLE.do(issue, ActionName.EVALUATE, CUSTOMER, item="project").evaluated


# --- strangers ------------------------------------------------------------------------------------


@pytest.mark.parametrize("means", Means)
@pytest.mark.parametrize("stage", Stage)
def test_by_a_strangers_words_nothing_moves_and_whoever_has_it_hears_that_it_was_a_stranger(
    stage: Stage, means: Means
) -> None:
    issue = an_issue(stage)
    if issue.closed:
        issue = issue.model_copy(update={"promises": (a_promise(PromiseKind.EVALUATION),)})
    step = wrote(issue, means=means, known=False, sender="who@else.example")
    to = "agent" if stage in DONE else "handler"
    assert messages(step) == {f"stranger_wrote: {to}"}
    moved = (step.promises, step.make, step.forms, step.assignment, step.answered)
    assert moved == ((), (), (), None, None)
    assert (step.stage, step.generation) == (stage, issue.generation)
    assert step.content["sender"] == "who@else.example"


# --- the form -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"words": ""}, "words"),
        ({"words": "x" * 10_001}, "words"),
        ({"means": "perhaps"}, "means"),
        ({"sender": "x" * 201}, "sender"),
        ({"known": "perhaps"}, "known"),
        ({"amount": 1}, "amount"),
    ],
)
def test_wrong_words_are_refused_by_field(said: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as refused:
        an_act(ActionName.CUSTOMER_WROTE, CUSTOMER, **said)
    assert [error["loc"] for error in refused.value.errors()] == [(field,)]


def test_nobody_wrote_before_what_was_done_last() -> None:
    issue = an_issue(Stage.IN_PROGRESS)
    with pytest.raises(Refused, match="lies before the last step"):
        wrote(issue, at=issue.last_at - HOUR)
