"""The state of one issue, and what outsiders see of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Literal

from pydantic import Field

from domain.issue.act import ActionName
from domain.issue.forms import ConsultationRecord, Evaluation, Form
from domain.issue.intake import Intake
from domain.sla.promise import CUSTOMERS, OVERSIGHT, Promise, PromiseEnd, PromiseKind
from domain.vocabulary import (
    Actor,
    Audience,
    Code,
    Instant,
    Line,
    Model,
    Outcome,
    Role,
    Severity,
    Stage,
)

BROKEN_OFF = frozenset({Outcome.CANCELLED, Outcome.TERMINATED})
"""How an issue ends that an operator ended in Temporal."""
STEPS_KEPT = 8
"""Steps shown as 'last steps'; the register has them all."""
KEYS_KEPT = 200
"""Causes remembered, across continue-as-new too: the same update, sent again, is not done again."""


class SlaState(StrEnum):
    """How an issue's promises stand, worst first; a search attribute."""

    OVERDUE = "overdue"
    PAUSED = "paused"
    AT_RISK = "at_risk"
    ON_TIME = "on_time"
    MISSED = "missed"
    MET = "met"
    BROKEN_OFF = "broken_off"
    """Ended in Temporal before the customer had an answer: nobody kept anything."""


class Person(Model):
    """Somebody of the roster as an issue refers to them."""

    id: Code
    name: Line


When = Literal["always", "assigned", "unassigned", "moved", "later", "changed", "thin", "invited"]


class Tell(Model):
    """A message to be written: which wording, to whom, and whether that hangs on what the register
    finds: somebody for the issue, or somebody else than before; a promise that is now due at
    another instant, or a later one; a core group without its stand-by share; an evaluation to
    invite to. An expert is named by ``person``.
    """

    template: str
    to: Audience
    person: Code | None = None
    when: When = "always"


class Assignment(Model):
    """Who is wanted: ``to`` by name, or the superior at escalation ``level``, else whoever the
    roster offers, ``prefer`` first if free. With ``keep`` whoever has it keeps it as long as nobody
    else is on duty.
    """

    to: Code | None = None
    level: int = 0
    prefer: Code | None = None
    keep: bool = False


class Handling(Model):
    """What a step adds to the handling form 《客户问题处理表》 of its generation."""

    accepted_at: Instant | None = None
    expected_at: Instant | None = None
    resolved_at: Instant | None = None
    result: str | None = None
    cause: str | None = None


class CallbackRecord(Model):
    """One line of 《客户回访记录表》, the callback record (R23); the generation it asks about."""

    generation: int
    attempt: int
    reached: bool
    running: bool | None
    satisfied: bool | None
    words: str
    conflict: bool = False
    call: str | None = None


class Step(Model):
    """One transition, decided and ready to be recorded: everything the registers need to know.

    ``key`` says what gave cause to it: an update's id, a threshold's name. The same cause is never
    recorded twice.

    ``at`` is when it happened, ``recorded_at`` when the desk heard of it. Where somebody is wanted
    the issue comes to ``stage_if_assigned`` if the roster has someone, else to ``stage``.
    """

    issue_id: str
    run: str = Field(default="", description="first execution run id of the workflow")
    key: str = ""
    seq: int
    action: ActionName
    by: Actor
    at: Instant
    recorded_at: Instant
    stage_before: Stage | None
    stage: Stage
    stage_if_assigned: Stage | None = None
    outcome: Outcome | None = None
    generation: int
    severity: Severity
    level: int
    content: dict[str, Any] = Field(default_factory=dict)
    intake: Intake | None = Field(default=None, description="with the registration only")
    promises: tuple[Promise, ...] = Field(default=(), description="those this step changed")
    make: tuple[PromiseKind, ...] = Field(default=(), description="to be planned, from ``at``")
    attempt: int = 1
    resume: bool = Field(default=False, description="``promises`` run on from ``at``")
    replan: str | None = Field(
        default=None, description="the rulebook ``promises`` are planned again by"
    )
    assignment: Assignment | None = None
    department: str | None = Field(default=None, description="it is transferred to this one")
    first_contact: bool = False
    ends_as: Outcome = Outcome.SOLVED
    handling: Handling | None = None
    callback: CallbackRecord | None = None
    forms: tuple[Form, ...] = ()
    dissatisfied: bool = Field(default=False, description="a complaint of its own (R21)")
    hand_over: tuple[str, ...] = ()
    tell: tuple[Tell, ...] = ()

    @property
    def answered(self) -> bool | None:
        """Whether the customer is answered with this step (R6), in writing or by phone; a repair
        that failed leaves them without an answer again. None: it changes nothing.
        """
        if self.callback and self.callback.reached:
            return bool(self.callback.running)
        if self.action is ActionName.REPORT_TEST:
            return bool(self.content["worked"])
        on_the_line = self.action is ActionName.ANSWER and self.content["on_the_line"]
        return True if on_the_line or self.action is ActionName.REPLIED else None

    @property
    def cause(self) -> str:
        """What gave cause to it; of registrations, which have one key, with the intake."""
        return f"{self.key}:{self.intake.digest}" if self.intake else self.key

    @property
    def replies(self) -> bool:
        """Whether its messages bring the customer the answer (R6)."""
        return self.stage is Stage.RESOLVED and self.stage_before is not Stage.RESOLVED

    @property
    def result(self) -> str | None:
        """What the customer is told was done, or the hotline's answer."""
        if self.handling:
            return self.handling.result
        return next(
            (f.answer for f in self.forms if isinstance(f, ConsultationRecord) and f.answer), None
        )

    def stage_with(self, engineer: Person | None) -> Stage:
        """Return the stage the issue comes to, now that it is known who has it."""
        return self.stage_if_assigned if engineer and self.stage_if_assigned else self.stage


class Errand(Model):
    """The messages one step wrote, to be delivered, and how long that is tried.

    ``reply`` is the generation of the issue that they answer the customer about (R6), else 0.
    ``not_before`` is when whoever they are for is at work again.
    """

    keys: tuple[str, ...]
    reply: int = 0
    not_before: Instant | None = None
    give_up_after: timedelta
    first_retry: timedelta
    longest_retry: timedelta


class Recorded(Model):
    """What the register answers: the facts a workflow may not find out by itself. ``promises`` are
    new, moved or measured ones; ``later`` are errands to people who are not at work.

    ``step`` is the one that stands in the register at that place. After a crash it may be another
    than the one sent: one that had been recorded when the workflow was told of both.
    """

    step: Step

    number: str
    department: str
    centre: str
    zone: str
    promises: tuple[Promise, ...] = ()
    engineer: Person | None = None
    lead: Person | None = None
    assign_again_at: Instant | None = None
    thin: str | None = Field(
        default=None, description="the core group that fell under its stand-by share (R16)"
    )
    needs_approval: bool = Field(default=False, description="the price is above the limit (R17)")
    complaint: bool = Field(default=False, description="a complaint is to be raised (R21)")
    errand: Errand | None = None
    later: tuple[Errand, ...] = ()
    closed_as: Outcome | None = Field(
        default=None, description="set if this issue had ended before: nothing was recorded"
    )
    intake_digest: str | None = Field(
        default=None, description="of the intake it was registered with, at the registration"
    )
    adopted: bool = Field(
        default=False, description="another workflow had it, which is lost: catch up with it"
    )

    @property
    def errands(self) -> tuple[Errand, ...]:
        """Everything to be delivered."""
        return (self.errand, *self.later) if self.errand else self.later


class StepNote(Model):
    """A past step in one line."""

    at: Instant
    action: ActionName
    by: str
    note: str = ""


class Issue(Model):
    """Everything a workflow knows of its issue; survives continue-as-new as it is."""

    intake: Intake
    number: str
    department: str
    centre: str
    zone: str
    severity: Severity
    stage: Stage
    registered_at: Instant
    last_at: Instant = Field(description="of the last thing somebody did; no act lies before it")
    outcome: Outcome | None = None
    seq: int = 1
    level: int = 0
    generation: int = 1
    engineer: Person | None = None
    lead: Person | None = None
    assign_again_at: Instant | None = None
    answered: bool = False
    first_contact: bool = Field(default=False, description="the hotline's answer stands (R8)")
    ends_as: Outcome = Field(default=Outcome.SOLVED, description="once the customer has the answer")
    needs_approval: bool = Field(default=False, description="of the manager, for the price (R17)")
    quotations: int = 0
    waits: int = Field(default=0, description="how often it was the customer's turn (R15)")
    panels: int = 0
    panel_sits: bool = Field(default=False, description="experts are asked, not heard yet (R15)")
    rated: int = Field(default=0, description="the last generation whose difficulty is known (R18)")
    evaluated: tuple[str, ...] = Field(default=(), description="item:person of each score (R26)")
    complaints: tuple[str, ...] = Field(default=(), description="that arose from it (R21)")
    results: tuple[str, ...] = ()
    promises: tuple[Promise, ...] = ()
    steps: tuple[StepNote, ...] = ()
    seen: tuple[str, ...] = Field(default=(), description="keys of the steps taken")

    @property
    def id(self) -> str:
        """The workflow id."""
        return self.intake.issue_id

    @property
    def closed(self) -> bool:
        """Nothing more will be done about it."""
        return self.stage is Stage.CLOSED

    @property
    def over(self) -> bool:
        """Closed, and the time to score and to rate it is over too."""
        return self.closed and not self.running

    @property
    def running(self) -> tuple[Promise, ...]:
        """The clocks that have not ended, standing still or not."""
        return tuple(p for p in self.promises if p.running)

    def is_with(self, by: Actor) -> bool:
        """Whether it is this actor's to handle."""
        return self.engineer is not None and self.engineer.id == by.id

    def promise(self, kind: PromiseKind) -> Promise | None:
        """Return the running promise of that kind, of which there is never more than one."""
        return next((p for p in self.running if p.kind is kind), None)

    @property
    def next_due_at(self) -> datetime | None:
        """The nearest due instant of what the desk owes, among the clocks that move."""
        ours = (p for p in self.running if p.kind not in CUSTOMERS)
        return min((p.due_at for p in ours if p.paused_at is None), default=None)

    @property
    def sla_state(self) -> SlaState:
        """Sum the promises up in one word. Rating the issue afterwards does not count."""
        running = tuple(p for p in self.running if p.kind not in OVERSIGHT)
        if any(p.overdue for p in running):
            return SlaState.OVERDUE
        if any(p.paused_at for p in running):
            return SlaState.PAUSED
        if any(p.at_risk for p in running):
            return SlaState.AT_RISK
        if running or not self.closed:
            return SlaState.ON_TIME
        missed = any(p.end is PromiseEnd.BROKEN for p in self.promises if p.kind not in OVERSIGHT)
        if missed:
            return SlaState.MISSED
        broken_off = self.outcome in BROKEN_OFF and not self.answered
        return SlaState.BROKEN_OFF if broken_off else SlaState.MET

    def after(self, recorded: Recorded) -> Issue:
        """Return the issue as it is once the recorded step stands in the register."""
        step = recorded.step
        changed = {p.key: p for p in (*step.promises, *recorded.promises)}
        kept = tuple(changed.pop(p.key, p) for p in self.promises)
        assigned = step.assignment is not None
        note = note_of(step.action, step.by.id, step.at, step.content)
        return self.model_copy(
            update={
                "seq": step.seq,
                "stage": step.stage_with(recorded.engineer),
                "outcome": step.outcome,
                "severity": step.severity,
                "level": step.level,
                "generation": step.generation,
                "last_at": self.last_at if step.by.role is Role.SYSTEM else step.at,
                "department": recorded.department,
                "centre": recorded.centre,
                "engineer": recorded.engineer if assigned else self.engineer,
                "lead": recorded.lead if assigned else self.lead,
                "assign_again_at": recorded.assign_again_at if assigned else self.assign_again_at,
                "answered": self.answered if step.answered is None else step.answered,
                "first_contact": step.first_contact,
                "ends_as": step.ends_as,
                "results": (*self.results, step.result) if step.result else self.results,
                "promises": (*kept, *changed.values()),
                "panel_sits": self.panel_sits and not step.replies,
                "steps": (*self.steps, note)[-STEPS_KEPT:],
                "seen": (*self.seen, step.key)[-KEYS_KEPT:],
            }
            | self._noted(recorded)
        )

    def _noted(self, recorded: Recorded) -> dict[str, Any]:
        """What a later step has to know of this one's forms."""
        noted: dict[str, Any] = {}
        match recorded.step.action:
            case ActionName.QUOTE:
                noted = {
                    "quotations": self.quotations + 1,
                    "needs_approval": recorded.needs_approval,
                }
            case ActionName.WAIT_FOR_CUSTOMER:
                noted = {"waits": self.waits + 1}
            case ActionName.CONSULT:
                asks = bool(recorded.step.content.get("question"))
                noted = {"panels": self.panels + asks, "panel_sits": asks}
            case ActionName.EVALUATE:
                scored = (
                    f"{f.item}:{f.person}" for f in recorded.step.forms if isinstance(f, Evaluation)
                )
                noted = {"evaluated": (*self.evaluated, *scored)}
            case ActionName.RATE_DIFFICULTY:
                noted = {"rated": self.generation}
            case ActionName.COMPLAINT_RAISED if number := recorded.step.content.get("number"):
                noted = {"complaints": (*self.complaints, number)}
        return noted


def note_of(action: ActionName, actor: str, at: datetime, content: Mapping[str, Any]) -> StepNote:
    """Put a past step into one line. What a customer said stays in the callback record (R30)."""
    said = ("reason", "note", "result", "verdict", "to", "number", "threshold", "version")
    note = next((str(content[key]) for key in said if content.get(key)), "")
    return StepNote(at=at, action=action, by=actor, note=" ".join(note.split())[:120])
