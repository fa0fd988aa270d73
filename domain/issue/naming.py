"""What a step is called where people read it: in Temporal's timeline, and under ``activities/``.

A step is recorded by the activity of its name. All names are one implementation, see
``activities/recording.py``.
"""

from __future__ import annotations

from collections.abc import Mapping

from domain.contract import StepName
from domain.issue.actions import ActionName
from domain.issue.consent import PassingOn
from domain.issue.step import Step
from domain.issue.thresholds import ThresholdsPassed
from domain.vocabulary import Model, Stage


class Manner(Model):
    """How a run of an issue's workflow works. It is given with the run's start, so that every
    replay knows it before anything else: what an earlier version began goes on as it began.
    """

    named_steps: bool = False


TODAYS = Manner(named_steps=True)


NAMES: Mapping[ActionName, StepName] = {
    ActionName.REGISTERED: StepName.REGISTER_ISSUE,
    ActionName.TAKE: StepName.TAKE_ISSUE,
    ActionName.ANSWER: StepName.RECORD_ANSWER,
    ActionName.REPORT_TEST: StepName.RECORD_CALLBACK,
    ActionName.CALM: StepName.RECORD_FINDINGS,
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
    ActionName.PROPOSE_REMEDY: StepName.RECORD_FINDINGS,
    ActionName.DECIDE_REMEDY: StepName.RECORD_FINDINGS,
    ActionName.RECORD_REMEDY: StepName.RECORD_FINDINGS,
    ActionName.RESOLVE: StepName.RECORD_ANSWER,
    ActionName.CONTACT_CUSTOMER: StepName.RECORD_CALLBACK,
    ActionName.CHASE: StepName.RECORD_NOTE,
    ActionName.RECORD_CALLBACK: StepName.RECORD_CALLBACK,
    ActionName.EVALUATE: StepName.RECORD_EVALUATION,
    ActionName.RATE_DIFFICULTY: StepName.RECORD_EVALUATION,
    ActionName.ESCALATE: StepName.ESCALATE,
    ActionName.WITHDRAW: StepName.CLOSE_ISSUE,
    ActionName.ADD_NOTE: StepName.RECORD_NOTE,
    ActionName.AMEND: StepName.CORRECT_DATA,
    ActionName.CUSTOMER_WROTE: StepName.RECORD_CALLBACK,
    ActionName.LINK: StepName.LINK_ISSUE,
    ActionName.MERGE: StepName.MERGE_ISSUE,
    ActionName.ABSORB: StepName.MERGE_ISSUE,
    ActionName.MERGED: StepName.MERGE_ISSUE,
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


def name_of(step: Step) -> StepName:
    """Name a step by the most that it brings about: whatever closes or reopens an issue is called
    so, a clock's by what follows from it, and what its customer would not have passed on by that it
    is written down (R35).
    """
    if step.stage is Stage.CLOSED is not step.stage_before:
        return StepName.CLOSE_ISSUE
    if step.reopens:
        return StepName.REOPEN_ISSUE
    if isinstance(step.act, PassingOn) and step.assignment is None:
        return StepName.RECORD_NOTE
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
    act = step.act
    if not isinstance(act, ThresholdsPassed):
        return False
    ticked_off = 1 + len(act.skipped)
    return any(
        mark.level
        for promise in step.promises
        if promise.key == act.promise
        for mark in promise.marks[promise.reached - ticked_off : promise.reached]
    )
