"""What a step is called where people read it: in Temporal's timeline, and under ``activities/``.

A step is recorded by the activity of its name. All names are one implementation, see
``activities/recording.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from domain.actions import ActionName
from domain.issue import Step
from domain.vocabulary import Model, Stage


class Manner(Model):
    """How a run of an issue's workflow works. It is given with the run's start, so that every
    replay knows it before anything else: what an earlier version began goes on as it began.
    """

    named_steps: bool = False


TODAYS = Manner(named_steps=True)


class StepName(StrEnum):
    """The activities by which steps are recorded: what somebody did, or what comes of it."""

    REGISTER_ISSUE = "register_issue"
    """Number, department and promises; whoever is to have it (R1-R5, R16)."""
    ASSIGN_ENGINEER = "assign_engineer"
    """Somebody is looked for: passed on, transferred, reassigned, relieved (R10, R15, R16)."""
    ACCEPT_ISSUE = "accept_issue"
    """Its handler has it (R11)."""
    RECORD_PROGRESS = "record_progress"
    """How far it is; it waits for the customer, or goes on (R13-R15)."""
    RECORD_FINDINGS = "record_findings"
    """A complaint was looked into, a site surveyed, a panel asked or heard (R15, R17, R19)."""
    RECORD_QUOTATION = "record_quotation"
    """A price was offered, taken, approved (R17)."""
    RECORD_ANSWER = "record_answer"
    """What the customer is told: the solution, or why there is none (R6, R8, R12)."""
    CONFIRM_ANSWER = "confirm_answer"
    """The answer has arrived (R6)."""
    RECORD_CALLBACK = "record_callback"
    """What the customer said when they were called, or had tried it (R9, R23-R25)."""
    RECORD_EVALUATION = "record_evaluation"
    """The customer scored us, the manager rated the repair (R18, R26)."""
    REMIND = "remind"
    """A clock comes near its end, or has come to it (R13)."""
    ESCALATE = "escalate"
    """One level up, by a clock or by hand (R10, R13)."""
    NOTIFY_LEAD = "notify_lead"
    """A person is to see to it: a message did not arrive, an operator wants to cancel (R6)."""
    REOPEN_ISSUE = "reopen_issue"
    """It is not solved: back to an engineer (R9, R24)."""
    CLOSE_ISSUE = "close_issue"
    """Nothing more is done about it (R6, R25)."""
    LINK_COMPLAINT = "link_complaint"
    """What the customer said is a complaint of its own (R21)."""
    REPLAN_PROMISES = "replan_promises"
    """A rulebook was loaded (R32)."""
    CATCH_UP = "catch_up"
    """It takes what it had lost out of the register."""


NAMES: Mapping[ActionName, StepName] = {
    ActionName.REGISTERED: StepName.REGISTER_ISSUE,
    ActionName.ANSWER: StepName.RECORD_ANSWER,
    ActionName.REPORT_TEST: StepName.RECORD_CALLBACK,
    ActionName.VERIFY: StepName.RECORD_FINDINGS,
    ActionName.ACCEPT: StepName.ACCEPT_ISSUE,
    ActionName.REPORT_PROGRESS: StepName.RECORD_PROGRESS,
    ActionName.WAIT_FOR_CUSTOMER: StepName.RECORD_PROGRESS,
    ActionName.RESUME: StepName.RECORD_PROGRESS,
    ActionName.TRANSFER: StepName.ASSIGN_ENGINEER,
    ActionName.REASSIGN: StepName.ASSIGN_ENGINEER,
    ActionName.CONSULT: StepName.RECORD_FINDINGS,
    ActionName.SURVEY: StepName.RECORD_FINDINGS,
    ActionName.QUOTE: StepName.RECORD_QUOTATION,
    ActionName.CONFIRM: StepName.RECORD_QUOTATION,
    ActionName.APPROVE: StepName.RECORD_QUOTATION,
    ActionName.RESOLVE: StepName.RECORD_ANSWER,
    ActionName.RECORD_CALLBACK: StepName.RECORD_CALLBACK,
    ActionName.EVALUATE: StepName.RECORD_EVALUATION,
    ActionName.RATE_DIFFICULTY: StepName.RECORD_EVALUATION,
    ActionName.ESCALATE: StepName.ESCALATE,
    ActionName.WITHDRAW: StepName.CLOSE_ISSUE,
    ActionName.REPLAN: StepName.REPLAN_PROMISES,
    ActionName.ASSIGN: StepName.ASSIGN_ENGINEER,
    ActionName.THRESHOLD: StepName.REMIND,
    ActionName.REPLIED: StepName.CONFIRM_ANSWER,
    ActionName.HAND_OVER: StepName.NOTIFY_LEAD,
    ActionName.COMPLAINT_RAISED: StepName.LINK_COMPLAINT,
    ActionName.CANCEL: StepName.CLOSE_ISSUE,
    ActionName.CANCELLATION_ASKED: StepName.NOTIFY_LEAD,
    ActionName.REPAIR: StepName.CATCH_UP,
}
"""The name of a step by its action, unless ``name_of`` finds that it brings about more."""

_ANSWERED = frozenset({Stage.RESOLVED, Stage.REPLIED, Stage.CALLBACK})


def name_of(step: Step) -> StepName:
    """Name a step by the most that it brings about: whatever closes or reopens an issue is called
    so, and a clock's by what follows from it.
    """
    if step.stage is Stage.CLOSED is not step.stage_before:
        return StepName.CLOSE_ISSUE
    if step.stage is Stage.REOPENED and step.stage_before in _ANSWERED:
        return StepName.REOPEN_ISSUE
    return _by_the_clock(step) if step.action is ActionName.THRESHOLD else NAMES[step.action]


def _by_the_clock(step: Step) -> StepName:
    """What time alone brought about: passed on (R10), lapsed (R17), escalated or told (R13)."""
    if step.assignment:
        return StepName.ASSIGN_ENGINEER
    if step.replies:
        return StepName.RECORD_ANSWER
    return StepName.ESCALATE if _escalates(step) else StepName.REMIND


def _escalates(step: Step) -> bool:
    """Whether a threshold that it ticked off goes upward by the policy."""
    ticked_off = 1 + len(step.content["skipped"])
    return any(
        mark.level
        for promise in step.promises
        if promise.key == step.content["promise"]
        for mark in promise.marks[promise.reached - ticked_off : promise.reached]
    )
