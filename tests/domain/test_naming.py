"""What steps are called in Temporal's timeline: each action has a name, each name an action."""

from datetime import timedelta

import pytest

from domain.contract import StepName
from domain.issue.actions import ActionName
from domain.issue.lifecycle import register
from domain.issue.naming import NAMES, name_of
from domain.issue.state import Issue
from domain.issue.step import Step
from domain.sla.promise import PromiseKind
from domain.vocabulary import DESK, Role, Stage
from tests.support.builders import DAY, MONDAY, a_promise, actor, an_intake, an_issue, decided

OUTCOMES = {StepName.REOPEN_ISSUE}
"""What no action is called by itself, only what comes of some."""


def test_every_action_has_a_name_and_every_name_is_somethings() -> None:
    assert set(NAMES) == set(ActionName)
    assert set(NAMES.values()) | OUTCOMES == set(StepName)


def test_no_name_is_the_former_one_nor_another_activitys() -> None:
    assert {"record_step", "take_turn", "deliver_messages"}.isdisjoint(StepName)


def rung(issue: Issue, promise: str, mark: int) -> Step:
    """Let the clock reach that mark, all before it having been told."""
    clock = next(p for p in issue.promises if p.key == promise)
    for _ in range(mark):
        clock = clock.reach()
    issue = issue.model_copy(update={"promises": (clock,)})
    at = clock.marks[mark]
    said = {"promise": promise, "threshold": at.name}
    return decided(issue, ActionName.THRESHOLD, DESK, at.at, **said)


def by_an(role: Role, stage: Stage, name: ActionName, **said: object) -> Step:
    return decided(an_issue(stage), name, actor(role), MONDAY + 2 * DAY, **said)


RESPONSE = an_issue(promises=(a_promise(PromiseKind.RESPONSE),))
HELD = an_issue(Stage.REGISTERED, promises=(a_promise(PromiseKind.HAND_OVER),))
QUOTED = an_issue(Stage.CONFIRMING, promises=(a_promise(PromiseKind.CONFIRMATION),))
TRIED = an_issue(Stage.REPLIED, promises=(a_promise(PromiseKind.CUSTOMER_TEST),))
CASES: dict[str, tuple[Step, StepName]] = {
    "a registration, whoever gets it": (register(an_intake(), MONDAY), StepName.REGISTER_ISSUE),
    "a warning": (rung(RESPONSE, "response.1", 0), StepName.REMIND),
    "a promise that breaks": (rung(RESPONSE, "response.1", 1), StepName.ESCALATE),
    "what stays broken": (rung(RESPONSE, "response.1", 3), StepName.ESCALATE),
    "several marks as one": (
        decided(
            *(RESPONSE, ActionName.THRESHOLD, DESK, MONDAY + timedelta(hours=4)),
            promise="response.1",
            threshold="75%",
        ),
        StepName.ESCALATE,
    ),
    "what the hotline kept too long": (rung(HELD, "hand_over.1", 1), StepName.ASSIGN_ENGINEER),
    "a quotation nobody answered": (rung(QUOTED, "confirmation.1", 1), StepName.RECORD_ANSWER),
    "silence that counts as solved": (rung(TRIED, "customer_test.1", 1), StepName.CLOSE_ISSUE),
    "a call that closes": (
        by_an(Role.CLERK, Stage.REPLIED, ActionName.RECORD_CALLBACK),
        StepName.CLOSE_ISSUE,
    ),
    "a call that reopens": (
        by_an(Role.CLERK, Stage.REPLIED, ActionName.RECORD_CALLBACK, running=False),
        StepName.REOPEN_ISSUE,
    ),
    "a call to nobody": (
        by_an(
            *(Role.CLERK, Stage.REPLIED, ActionName.RECORD_CALLBACK),
            reached=False,
            running=None,
            satisfied=None,
        ),
        StepName.RECORD_CALLBACK,
    ),
    "who has it, again": (
        decided(an_issue(Stage.REOPENED), ActionName.REASSIGN, actor(Role.LEAD), MONDAY + 9 * DAY),
        StepName.ASSIGN_ENGINEER,
    ),
    "by hand": (by_an(Role.LEAD, Stage.ASSIGNED, ActionName.ESCALATE), StepName.ESCALATE),
    "a note": (by_an(Role.AGENT, Stage.CLOSED, ActionName.ADD_NOTE), StepName.RECORD_NOTE),
    "a correction": (by_an(Role.AGENT, Stage.WAITING, ActionName.AMEND), StepName.CORRECT_DATA),
    "given up": (by_an(Role.LEAD, Stage.ASSIGNED, ActionName.WITHDRAW), StepName.CLOSE_ISSUE),
    "of one that is closed": (
        rung(
            an_issue(Stage.CLOSED, promises=(a_promise(PromiseKind.DIFFICULTY),)), "difficulty.1", 0
        ),
        StepName.REMIND,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_step_is_called_by_the_most_that_it_brings_about(case: str) -> None:
    step, name = CASES[case]
    assert name_of(step) is name
