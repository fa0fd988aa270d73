"""What outsiders see of an issue, and how an instant of it is written for the desk."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import Field, WithJsonSchema

from domain.issue.act import ActionName
from domain.issue.lifecycle import allowed
from domain.issue.state import Issue, Person, SlaState, StepNote
from domain.sla.promise import CALLS, Promise, PromiseEnd, PromiseKind
from domain.terms import behaviour_of
from domain.vocabulary import Behaviour, Code, Consent, Instant, Model, Outcome, Severity, Stage

Consumed = Annotated[
    timedelta,
    # JSON Schema's own "duration" has no fractions of a second.
    WithJsonSchema({"type": "string", "description": "ISO 8601 duration, like PT1H2.5S"}),
]


class PromiseView(Model):
    """A promise as outsiders see it."""

    key: str
    kind: PromiseKind
    generation: int
    attempt: int
    target: str
    made_at: Instant
    opens_at: Instant | None
    due_at: Instant
    provisional: bool
    paused: bool
    consumed: Consumed | None = None
    end: PromiseEnd
    ended_at: Instant | None
    own_word_at: Instant | None = Field(
        default=None,
        description="that it was kept, somebody said only then, when it was broken already",
        exclude_if=lambda at: at is None,
    )

    @property
    def by_own_word(self) -> bool:
        """Kept, as far as somebody's own word goes."""
        return self.end is PromiseEnd.KEPT and self.own_word_at is not None


def call_due(seen: IssueView) -> PromiseView | None:
    """Return the promise by which the agent is to call the customer now (R13, R34)."""
    return next((p for p in seen.promises if p.kind in CALLS and p.ended_at is None), None)


class IssueView(Model):
    """What the desk tells about an issue. No customer data (R30); instants in UTC, ``zone`` is the
    desk's for showing them.
    """

    id: str
    number: str
    source: str
    reference: str
    stage: Stage
    outcome: Outcome | None
    kind: Code
    category: Code
    severity: Severity
    title: str
    product_line: str
    region: str
    department: str
    centre: str
    zone: str
    engineer: Person | None
    lead: Person | None
    escalation_level: int
    reopen_count: int
    sla_state: SlaState
    reported_at: Instant
    registered_at: Instant
    next_due_at: Instant | None
    answered: bool
    first_contact: bool = False
    queue: str | None = Field(
        default=None, description="the queue that agents take it out of (R36)"
    )
    taken_by: str | None = Field(default=None, description="the agent who took it (R36)")
    consent: Consent | None = Field(
        default=None, description="what the customer said last to it being passed on (R35)"
    )
    arises_from: str | None = None
    complaints: tuple[str, ...] = ()
    merged_into: str | None = Field(
        default=None, description="number of the issue that speaks for this one"
    )
    merged: tuple[str, ...] = Field(
        default=(), description="numbers of the issues that this one speaks for"
    )
    promises: tuple[PromiseView, ...]
    steps: tuple[StepNote, ...]
    results: tuple[str, ...]
    can: tuple[ActionName, ...]
    behaves: Behaviour | None = Field(
        default=None, description="what the desk does about its kind, by the policy it came in by"
    )

    @property
    def behaviour(self) -> Behaviour:
        """What is done about an issue of its kind (R37)."""
        return self.behaves or behaviour_of(self.kind)

    @property
    def unread(self) -> bool:
        """Whether its customer wrote what is to be seen to before silence means anything (R9, R17,
        R24).
        """
        return any(p.kind is PromiseKind.FEEDBACK and p.ended_at is None for p in self.promises)


def view(issue: Issue) -> IssueView:
    """Show the issue to outsiders."""
    return IssueView(
        id=issue.id,
        number=issue.number,
        source=issue.intake.source,
        reference=issue.intake.reference,
        stage=issue.stage,
        outcome=issue.outcome,
        kind=issue.intake.kind,
        behaves=issue.intake.behaviour,
        category=issue.intake.category,
        severity=issue.severity,
        title=issue.intake.title,
        product_line=issue.intake.product_line,
        region=issue.intake.region,
        department=issue.department,
        centre=issue.centre,
        zone=issue.zone,
        engineer=issue.engineer,
        lead=issue.lead,
        escalation_level=issue.level,
        reopen_count=issue.generation - 1,
        sla_state=issue.sla_state,
        reported_at=issue.intake.reported_at,
        registered_at=issue.registered_at,
        next_due_at=issue.next_due_at,
        answered=issue.answered,
        first_contact=issue.first_contact,
        queue=issue.queue,
        taken_by=issue.taken_by,
        consent=issue.consent,
        arises_from=issue.intake.arises_from,
        complaints=issue.complaints,
        merged_into=issue.merged_into,
        merged=issue.merged,
        promises=tuple(_promise_view(p) for p in issue.promises),
        steps=issue.steps,
        results=issue.results,
        can=allowed(issue),
    )


def for_outsiders(seen: IssueView) -> IssueView:
    """Leave out what staff noted with its steps: it was not written for the customer, nor for the
    system that registered the issue for them.
    """
    steps = tuple(step.model_copy(update={"note": ""}) for step in seen.steps)
    return seen.model_copy(update={"steps": steps})


def _promise_view(promise: Promise) -> PromiseView:
    return PromiseView(
        paused=promise.paused_at is not None,
        **{name: getattr(promise, name) for name in PromiseView.model_fields if name != "paused"},
    )


def local(at: datetime, zone: str) -> str:
    """Write an instant as the desk reads it: ``2026-11-23 Mon 18:00``."""
    return f"{at.astimezone(ZoneInfo(zone)):%Y-%m-%d %a %H:%M}"


def due(promise: Promise | PromiseView, zone: str) -> str:
    """Write a due instant, and whether the next notice may still move it (R32)."""
    return local(promise.due_at, zone) + (" 暂定 provisional" if promise.provisional else "")
