"""All registers at once, as they stand at one instant: what figures are computed from."""

from __future__ import annotations

from decimal import Decimal
from typing import TypeVar

from domain.files.kinds import FileKind
from domain.knowledge.cases import CaseStatus
from domain.sla.promise import PromiseEnd, PromiseKind
from domain.vocabulary import Consent, Instant, Model, Outcome, Role, Severity, Stage, Verdict
from store.connection import Pool

Row = TypeVar("Row", bound=Model)


class IssueRow(Model):
    """A line of the issue register."""

    id: str
    number: str
    source: str
    reference: str
    kind: str
    severity: Severity
    customer_existing: bool
    department: str
    agent: str
    lead: str | None
    complex: bool
    consent: Consent | None
    consent_since: Consent | None
    arises_from: str | None
    merged_into: str | None
    stage: Stage
    outcome: Outcome | None
    answered: bool
    generation: int
    escalation_level: int
    seq: int


class EventRow(Model):
    """A step of an issue."""

    issue_id: str
    seq: int
    action: str
    actor: str


class PromiseRow(Model):
    """A promise; ``outcome`` is how it ended or stands."""

    issue_id: str
    kind: PromiseKind
    generation: int
    attempt: int
    due_at: Instant
    outcome: PromiseEnd
    ended_at: Instant | None


class FormRow(Model):
    """A handling form."""

    issue_id: str
    generation: int
    engineer: str | None
    resolved_at: Instant | None
    result: str | None


class CallRow(Model):
    """A callback record."""

    issue_id: str
    generation: int
    attempt: int
    clerk: str
    reached: bool
    running: bool | None
    conflict: bool


class ConsultationRow(Model):
    """A consultation record: what the hotline answered (R8, R9)."""

    issue_id: str
    generation: int
    known_case: str | None
    on_the_line: bool
    worked: bool | None


class ComplaintRow(Model):
    """A complaint form (R19)."""

    issue_id: str
    verdict: Verdict | None
    handled_by: str | None
    told_at: Instant | None
    archived_at: Instant | None


class PaidServiceRow(Model):
    """A paid service sheet (R17)."""

    issue_id: str
    generation: int
    amount: Decimal | None
    agreed: bool | None
    approval: bool | None
    approved: bool | None
    accepted: bool | None


class PanelRow(Model):
    """A record of an expert panel (R15)."""

    issue_id: str
    panel: int
    advice: str | None


class EvaluationRow(Model):
    """An evaluation form (R26)."""

    issue_id: str
    technical: int
    attitude: int


class RatingRow(Model):
    """How difficult a repair was (R18)."""

    issue_id: str
    generation: int
    difficulty: int
    rated_by: str


class CaseRow(Model):
    """A case of the library that came out of an issue, or was brought in from elsewhere (R29)."""

    number: str
    issue_id: str | None
    status: CaseStatus
    reviewed_by: str | None
    used: int


class AttachmentRow(Model):
    """A photograph or file of an issue."""

    issue_id: str
    role: Role
    kind: FileKind


class LinkRow(Model):
    """Two issues about the same."""

    issue_id: str
    other: str


class StandbyRow(Model):
    """A core group that fell under its stand-by share (R16)."""

    department: str
    centre: str


class MessageRow(Model):
    """A message of the outbox. Confidential (R30)."""

    key: str
    issue_id: str
    for_issue: str | None
    template: str
    audience: str
    channel: str | None
    address: str | None
    subject: str
    body: str
    status: str
    handed_to: str | None

    @property
    def whose(self) -> str:
        """The issue whose customer it is for, if it is for one: another may speak for that (R6)."""
        return self.for_issue or self.issue_id


class Ledger(Model):
    """The registers, each in the order of its key."""

    issues: tuple[IssueRow, ...]
    events: tuple[EventRow, ...]
    promises: tuple[PromiseRow, ...]
    forms: tuple[FormRow, ...]
    calls: tuple[CallRow, ...]
    consultations: tuple[ConsultationRow, ...]
    complaints: tuple[ComplaintRow, ...]
    paid_services: tuple[PaidServiceRow, ...]
    panels: tuple[PanelRow, ...]
    evaluations: tuple[EvaluationRow, ...]
    ratings: tuple[RatingRow, ...]
    cases: tuple[CaseRow, ...]
    attachments: tuple[AttachmentRow, ...]
    links: tuple[LinkRow, ...]
    standby: tuple[StandbyRow, ...]
    messages: tuple[MessageRow, ...]


async def read(pool: Pool) -> Ledger:
    """Read all registers as of one instant. They are held in memory: meant for a day's work."""
    async with (
        pool.acquire() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):

        async def rows(table: str, key: str, row: type[Row]) -> tuple[Row, ...]:
            found = await connection.fetch(
                f"SELECT {', '.join(row.model_fields)} FROM {table} ORDER BY {key}"  # noqa: S608
            )
            return tuple(row.model_validate(dict(each)) for each in found)

        return Ledger(
            issues=await rows("issues", "number", IssueRow),
            events=await rows("issue_events", "issue_id, seq", EventRow),
            promises=await rows("promises", "issue_id, kind, generation, attempt", PromiseRow),
            forms=await rows("handling_forms", "issue_id, generation", FormRow),
            calls=await rows("callback_records", "issue_id, generation, attempt", CallRow),
            consultations=await rows(
                "consultation_records", "issue_id, generation", ConsultationRow
            ),
            complaints=await rows("complaint_forms", "issue_id", ComplaintRow),
            paid_services=await rows("paid_services", "issue_id, generation", PaidServiceRow),
            panels=await rows("expert_panels", "issue_id, panel", PanelRow),
            evaluations=await rows("evaluations", "issue_id, item, person", EvaluationRow),
            ratings=await rows("difficulty_ratings", "issue_id, generation", RatingRow),
            cases=await rows("known_cases", "number", CaseRow),
            attachments=await rows("attachments", "issue_id, at, id", AttachmentRow),
            links=await rows("issue_links", "issue_id, other", LinkRow),
            standby=await rows("standby_alarms", "department, centre, day", StandbyRow),
            messages=await rows("outbox", "created_at, key", MessageRow),
        )
