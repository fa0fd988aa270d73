"""What outsiders see of an issue: a view for programs, a page for the Temporal Web UI."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import Field, WithJsonSchema

from domain.issue.act import ActionName
from domain.issue.intake import Intake
from domain.issue.lifecycle import allowed
from domain.issue.state import Issue, Person, SlaState, StepNote
from domain.markdown import cell, plain
from domain.roles import rank
from domain.sla.promise import CALLS, Promise, PromiseEnd, PromiseKind
from domain.terms import behaviour_of
from domain.vocabulary import Behaviour, Code, Consent, Instant, Model, Outcome, Severity, Stage

Consumed = Annotated[
    timedelta,
    # JSON Schema's own "duration" has no fractions of a second.
    WithJsonSchema({"type": "string", "description": "ISO 8601 duration, like PT1H2.5S"}),
]


SUMMARY = 200
"""Bytes of UTF-8 in a summary: Temporal takes a few more."""


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


def details(issue: Issue) -> str:
    """Write the issue as a short Markdown page for a supervisor: what it is, who has it, what was
    promised, what happened last, what can be done next. No customer data (R30), and whatever
    people wrote is text on it.
    """
    seen = view(issue)
    urgency = "重大 major" if seen.severity is Severity.MAJOR else "一般 general"
    holder = (
        f"{plain(seen.engineer.name)} ({plain(seen.engineer.id)})"
        if seen.engineer
        else f"{plain(seen.lead.name)} ({plain(seen.lead.id)}), nobody free"
        if seen.lead
        else "nobody"
    )
    lines = [
        f"### {seen.number} · {plain(seen.title)}",
        f"{seen.kind} · {urgency} · {plain(seen.product_line)} · {plain(seen.region)}",
        "",
        f"**阶段 Stage** {seen.stage}" + (f" ({seen.outcome})" if seen.outcome else ""),
        f"**处理人 With** {holder} · {plain(seen.department)}, {plain(seen.centre)}",
        f"**升级 Escalation** {_rank(seen)} · **重开 Reopened** {seen.reopen_count}",
        *_related(seen),
        "",
        "| 承诺 Promise | 期限 Due | 状态 State |",
        "|---|---|---|",
        *(
            f"| {p.key} ({cell(p.target)}) | {due(p, seen.zone)} | {_standing(p, seen.zone)} |"
            for p in seen.promises
        ),
        "",
        "**最近 Last steps**",
        "",
        *(
            f"- {local(s.at, seen.zone)} {s.action} · {plain(s.by)}"
            + (f": {plain(s.note)}" if s.note else "")
            + (f" (自述 said {local(s.said_at, seen.zone)})" if s.said_at else "")
            for s in reversed(seen.steps)
        ),
        "",
        f"**来往 Thread** yinuo issue show {seen.number} --thread",
        "",
        f"**可做 Possible next** {', '.join(seen.can) or '—'}",
    ]
    return "\n".join(lines)


def _rank(seen: IssueView) -> str:
    return " ".join(rank(seen.escalation_level))


def summary(intake: Intake) -> str:
    """Say in one line of Markdown what an issue is, for Temporal. No customer data (R30)."""
    begins = f"{intake.kind} · {plain(intake.product_line)} · "
    title = intake.title
    while len((begins + plain(title)).encode()) > SUMMARY:
        title = title[:-1]
    return begins + plain(title)


def origin(intake: Intake) -> str:
    """Say in Markdown what is known of an issue from the start. No customer data (R30)."""
    product = f"{intake.product_line} {intake.model or ''}"
    return "\n".join(
        (
            f"**标题 Title** {plain(intake.title)}",
            "",
            f"- 来源 Source: {plain(f'{intake.source} {intake.reference}')} ({intake.channel})",
            f"- 类别 Kind: {intake.kind}, {intake.category}, {intake.severity}",
            f"- 产品 Product: {plain(product)}",
            f"- 地区 Region: {plain(intake.region)}",
        )
    )


def _related(seen: IssueView) -> list[str]:
    """R8, R21: answered by the hotline; what it arose from, and what arose from it."""
    facts = {
        "首次解决 First contact": "热线 hotline" if seen.first_contact else "",
        "起因 Arises from": plain(seen.arises_from or ""),
        "引出投诉 Complaints": ", ".join(seen.complaints),
        "并入 Merged into": seen.merged_into or "",
        "并有 Speaks for": ", ".join(seen.merged),
    }
    said = [f"**{name}** {fact}" for name, fact in facts.items() if fact]
    return [" · ".join(said)] if said else []


def _standing(promise: PromiseView, zone: str) -> str:
    if promise.ended_at:
        said = " 凭本人陈述 by own word" if promise.by_own_word else ""
        return f"{promise.end} {local(promise.ended_at, zone)}{said}"
    if promise.paused:
        return "standing still"
    return "overdue" if promise.end is PromiseEnd.BROKEN else "running"
