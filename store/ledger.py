"""All registers at once, as they stand at one instant: what figures are computed from."""

from __future__ import annotations

from typing import Any, TypeAlias, TypeVar

import asyncpg

from domain.promises import PromiseEnd, PromiseKind
from domain.vocabulary import Instant, Kind, Model, Outcome, Severity, Stage

Pool: TypeAlias = "asyncpg.Pool[Any]"
Row = TypeVar("Row", bound=Model)


class IssueRow(Model):
    """A line of the issue register."""

    id: str
    number: str
    source: str
    reference: str
    kind: Kind
    severity: Severity
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


class MessageRow(Model):
    """A message of the outbox. Confidential (R30)."""

    key: str
    issue_id: str
    template: str
    audience: str
    channel: str | None
    address: str | None
    subject: str
    body: str
    status: str
    handed_to: str | None


class Ledger(Model):
    """The registers, each in the order of its key."""

    issues: tuple[IssueRow, ...]
    events: tuple[EventRow, ...]
    promises: tuple[PromiseRow, ...]
    forms: tuple[FormRow, ...]
    calls: tuple[CallRow, ...]
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
            messages=await rows("outbox", "created_at, key", MessageRow),
        )
