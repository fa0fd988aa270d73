"""What other systems are told of an issue: each of its steps, as an event.

An event says what happened and how the issue stands since, in codes. No customer, no words that
anybody wrote and no names (R30): who may read those finds them where it leads to.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256

from pydantic import Field

from domain.contract import StepName
from domain.issue.act import ActionName
from domain.issue.naming import name_of
from domain.issue.step import Recorded
from domain.sla.promise import Promise, PromiseEnd, PromiseKind
from domain.vocabulary import Code, Instant, Model, Outcome, Role, Severity, Stage

TYPES: Mapping[StepName, str] = {
    StepName.REGISTER_ISSUE: "issue.registered",
    StepName.ASSIGN_ENGINEER: "issue.assigned",
    StepName.ACCEPT_ISSUE: "issue.accepted",
    StepName.TAKE_ISSUE: "issue.taken",
    StepName.RECORD_PROGRESS: "issue.progressed",
    StepName.RECORD_FINDINGS: "issue.examined",
    StepName.RECORD_QUOTATION: "issue.quoted",
    StepName.RECORD_ANSWER: "issue.resolved",
    StepName.CONFIRM_ANSWER: "issue.replied",
    StepName.RECORD_CALLBACK: "issue.called_back",
    StepName.RECORD_EVALUATION: "issue.evaluated",
    StepName.REMIND: "issue.reminded",
    StepName.ESCALATE: "issue.escalated",
    StepName.NOTIFY_LEAD: "issue.referred",
    StepName.REOPEN_ISSUE: "issue.reopened",
    StepName.CLOSE_ISSUE: "issue.closed",
    StepName.RECORD_NOTE: "issue.noted",
    StepName.CORRECT_DATA: "issue.corrected",
    StepName.LINK_ISSUE: "issue.linked",
    StepName.MERGE_ISSUE: "issue.merged",
    StepName.LINK_COMPLAINT: "issue.complained",
    StepName.REPLAN_PROMISES: "issue.replanned",
    StepName.CATCH_UP: "issue.repaired",
}
"""The type of an event by the most that its step brought about; which action that was stands in it.
Others choose by these: they do not change.
"""


class PromiseNow(Model):
    """A promise that the step made, moved or ended, as it stands since."""

    kind: PromiseKind
    generation: int
    attempt: int
    due_at: Instant
    provisional: bool
    paused: bool
    end: PromiseEnd
    ended_at: Instant | None


class IssueNow(Model):
    """What is told of the step, and of the issue as it stood after it."""

    number: str
    id: str = Field(description="`issue:source:reference`")
    seq: int = Field(description="the step's place in the issue: 1, 2, 3 …")
    source: str
    reference: str
    kind: Code
    severity: Severity
    department: str
    action: ActionName = Field(description="what was done")
    role: Role = Field(description="who did it; `system`: the desk's own clocks")
    happened_at: Instant = Field(description="`timestamp` is when the desk wrote it down")
    stage_before: Stage | None
    stage: Stage
    outcome: Outcome | None
    reopen_count: int
    promises: tuple[PromiseNow, ...]
    thread: str = Field(description="where everything said stands, for those who may read it")


class Event(Model):
    """One step of an issue, as other systems are told of it."""

    id: str = Field(description="of this step: the same however often it is told")
    type: str
    timestamp: Instant
    data: IssueNow


class Issue(Model):
    """What an event has to know besides the step; it never changes."""

    source: str
    reference: str
    kind: Code


def event_of(recorded: Recorded, issue: Issue) -> Event:
    """Tell of a step as it stands in the register."""
    step = recorded.step
    return Event(
        id=event_id(recorded),
        type=TYPES[name_of(step)],
        timestamp=step.recorded_at,
        data=IssueNow(
            number=recorded.number,
            id=step.issue_id,
            seq=step.seq,
            source=issue.source,
            reference=issue.reference,
            kind=issue.kind,
            severity=step.severity,
            department=recorded.department,
            action=step.action,
            role=step.by.role,
            happened_at=step.at,
            stage_before=step.stage_before,
            stage=step.stage_with(recorded.engineer),
            outcome=step.outcome,
            reopen_count=step.generation - 1,
            promises=tuple(map(_now, _changed(recorded))),
            thread=f"/issues/{recorded.number}/thread",
        ),
    )


def event_id(recorded: Recorded) -> str:
    """Name an event. A step that is written again out of its workflow's history is the same; one
    that took the place of another, which a restored register had lost, is not.
    """
    step = recorded.step
    said = f"{step.issue_id}\n{step.seq}\n{step.key}\n{step.recorded_at.isoformat()}"
    return f"evt_{sha256(said.encode()).hexdigest()[:32]}"


def _changed(recorded: Recorded) -> tuple[Promise, ...]:
    """List the promises of a step, each as the register came to have it."""
    return tuple({p.key: p for p in (*recorded.step.promises, *recorded.promises)}.values())


def _now(promise: Promise) -> PromiseNow:
    return PromiseNow(
        paused=promise.paused_at is not None,
        **{name: getattr(promise, name) for name in PromiseNow.model_fields if name != "paused"},
    )
