"""The state of one issue, and the parts of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Literal

from pydantic import Field

from domain.issue.act import ActionName
from domain.issue.forms import Remedy
from domain.issue.intake import Intake
from domain.sla.promise import (
    COUNTS_BACK,
    CUSTOMERS,
    OVERSIGHT,
    Promise,
    PromiseEnd,
    PromiseKind,
)
from domain.vocabulary import (
    Actor,
    Audience,
    Code,
    Consent,
    Instant,
    Line,
    Model,
    Named,
    Outcome,
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


When = Literal[
    "always",
    "assigned",
    "unassigned",
    "moved",
    "later",
    "changed",
    "thin",
    "invited",
    "dissatisfied",
    "agent",
    "overdue",
    "by_call",
    "in_writing",
    "in_writing_and_agent",
]


class NotificationRequest(Model):
    """A message to be written: which wording, to whom, and whether that hangs on what the register
    finds: somebody for the issue, or somebody else than before; a promise that is now due at
    another instant, or a later one; a core group without its stand-by share; an evaluation to
    invite to; scores that show dissatisfaction; an agent who took the issue in and has calls to
    make; a call that they owe now, as something is overdue (R13) or because the reply is theirs to
    bring, or is in writing (R34). An expert is named by ``person``.
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
    fault: str | None = None
    fault_name: str | None = None


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


class StepNote(Model):
    """A past step in one line."""

    at: Instant
    action: ActionName
    by: str
    note: str = ""
    said_at: Instant | None = Field(
        default=None,
        description="when it happened by a word that does not count so far",
        exclude_if=lambda at: at is None,
    )


class Called(Model):
    """What the desk calls what an issue is, and where it is (R37)."""

    kind: Named
    category: Named
    department: Named
    centre: str


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
    called: Called | None = Field(
        default=None,
        description="by the policy of its last assignment; None: of the time before names",
        exclude_if=lambda names: names is None,
    )
    answered: bool = False
    first_contact: bool = Field(default=False, description="the hotline's answer stands (R8)")
    ends_as: Outcome = Field(default=Outcome.SOLVED, description="once the customer has the answer")
    needs_approval: bool = Field(default=False, description="of the manager, for the price (R17)")
    quotations: int = 0
    reopens_until: Instant | None = Field(
        default=None, description="closed, by what its customer writes; None: as long as it lives"
    )
    waits: int = Field(default=0, description="how often it was the customer's turn (R15)")
    panels: int = 0
    panel_sits: bool = Field(default=False, description="experts are asked, not heard yet (R15)")
    rated: int = Field(default=0, description="the last generation whose difficulty is known (R18)")
    evaluated: tuple[str, ...] = Field(default=(), description="item:person of each score (R26)")
    complaints: tuple[str, ...] = Field(default=(), description="that arose from it (R21)")
    was: dict[str, str | None] = Field(
        default_factory=dict,
        description="what stood first of the data that were corrected (R44)",
        exclude_if=lambda was: not was,
    )
    merging: str | None = Field(
        default=None,
        description="the issue that is just asked to speak for this one",
        exclude_if=lambda number: number is None,
    )
    merged_into: str | None = Field(
        default=None,
        description="the issue that speaks for this one",
        exclude_if=lambda number: number is None,
    )
    merged: tuple[str, ...] = Field(
        default=(),
        description="the issues that this one speaks for",
        exclude_if=lambda numbers: not numbers,
    )
    others: tuple[str, ...] = Field(
        default=(),
        description="those of them whose customer is somebody else",
        exclude_if=lambda numbers: not numbers,
    )
    redirected: int = Field(
        default=0,
        description="how often telephone or e-mail proved wrong: links sent before open nothing",
        exclude_if=lambda times: not times,
    )
    queue: str | None = Field(
        default=None,
        description="the queue of the hotline it came in by (R36)",
        exclude_if=lambda name: name is None,
    )
    taken_by: str | None = Field(
        default=None,
        description="the agent who took it out of the queue (R36)",
        exclude_if=lambda agent: agent is None,
    )
    consent_since: Consent | None = Field(
        default=None,
        description="what the customer said since the intake to it being passed on (R35)",
        exclude_if=lambda said: said is None,
    )
    results: tuple[str, ...] = ()
    called_in_vain: int = Field(
        default=0,
        description="how often the agent could not reach the customer with the call they owe",
        exclude_if=lambda times: not times,
    )
    needs_no_test: bool = Field(
        default=False,
        description="the hotline's answer is not for the customer to try (R9)",
        exclude_if=lambda needs_none: not needs_none,
    )
    counts_back: timedelta = Field(
        default=COUNTS_BACK, description="how far somebody's own word does, by the policy"
    )
    remedy: Remedy | None = Field(
        default=None,
        description="the last that was proposed for the complainant (R42)",
        exclude_if=lambda proposed: proposed is None,
    )
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

    @property
    def agent(self) -> str:
        """The agent's number whose issue it is: who took it, or took it in."""
        return self.taken_by or self.intake.agent

    @property
    def consent(self) -> Consent | None:
        """What the customer said last to it being passed on (R35)."""
        return self.consent_since or self.intake.consent

    @property
    def kept_back(self) -> bool:
        """Whether it stays with the hotline, for its customer wants that (R35)."""
        return self.consent is Consent.NO

    @property
    def queued(self) -> bool:
        """Whether it is still the hotline's to answer or to pass on, of what came in in writing."""
        return self.queue is not None and self.promise(PromiseKind.HAND_OVER) is not None

    def is_with(self, by: Actor) -> bool:
        """Whether it is this actor's to handle."""
        return self.engineer is not None and self.engineer.id == by.id

    def promise(self, kind: PromiseKind) -> Promise | None:
        """Return the running promise of that kind, of which there is never more than one."""
        return next((p for p in self.running if p.kind is kind), None)

    def next_attempt(self, kind: PromiseKind) -> int:
        """Count how often that kind was promised in this life of the issue, and one more."""
        return 1 + sum(p.kind is kind and p.generation == self.generation for p in self.promises)

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


_NOTED = (
    *("reason", "note", "result", "verdict", "to", "into", "number"),
    *("threshold", "version"),
)
_IN_THE_THREAD = ("words", "comment", "question", "advice", "findings", "solution", "work", "asks")
_NOT_NOTED = frozenset(
    {
        *(ActionName.WITHDRAW, ActionName.RATE_DIFFICULTY, ActionName.AMEND),
        *(ActionName.PROPOSE_REMEDY, ActionName.DECIDE_REMEDY),
    }
)
"""What these say is the customer's, or between those who work on the issue (R30)."""
_READ_THERE = "原话见来往记录 the words are in its thread"


def note_of(action: ActionName, actor: str, at: datetime, content: Mapping[str, Any]) -> StepNote:
    """Put a past step into one line. What a customer said is in the thread (R30): of that, and of
    whatever else was said at length, it says only that it is there.
    """
    noted = () if action in _NOT_NOTED else _NOTED
    note = next((str(content[key]) for key in noted if content.get(key)), "")
    if not note and any(content.get(key) for key in (*_IN_THE_THREAD, *_NOTED)):
        note = _READ_THERE
    if was := content.get("was"):
        note = ", ".join(sorted(was))  # in an order that the register keeps, too
    if missed := content.get("missed"):
        note = f"登记时已逾期 overdue when registered: {', '.join(missed)}"
    return StepNote(
        at=at,
        action=action,
        by=actor,
        note=" ".join(note.split())[:120],
        said_at=content.get("at"),
    )
