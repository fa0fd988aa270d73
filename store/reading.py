"""Read models: an issue, lists of issues, the callback list and the outbox, straight from the
registers, which every step updates in its own transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeAlias

import asyncpg
from pydantic import Field

from domain.intake import Customer, Intake
from domain.issue import STEPS_KEPT, Issue, StepNote, note_of
from domain.promises import Promise
from domain.view import IssueView, view
from domain.vocabulary import Code, Instant, Model, Stage
from store.register import person

Pool: TypeAlias = "asyncpg.Pool[Any]"


class Filter(Model):
    """Which issues to list; what is left out does not filter. Nearest due first, then newest."""

    stage: Stage | None = None
    engineer: Code | None = None
    department: Code | None = None
    region: Code | None = None
    open_only: bool = True
    overdue: bool = Field(default=False, description="only those with a broken running promise")
    limit: int = Field(default=50, gt=0, le=1000)


_LIST = """
    SELECT i.*, p.next_due_at FROM issues i
    LEFT JOIN LATERAL (
        SELECT min(due_at) FILTER (WHERE paused_at IS NULL) AS next_due_at,
               bool_or(outcome = 'broken') AS overdue
        FROM promises WHERE issue_id = i.id AND ended_at IS NULL
    ) p ON true
    WHERE ($1::text IS NULL OR i.stage = $1)
      AND ($2::text IS NULL OR i.engineer = $2)
      AND ($3::text IS NULL OR i.department = $3)
      AND ($4::text IS NULL OR i.region = $4)
      AND (NOT $5 OR i.closed_at IS NULL)
      AND (NOT $6 OR p.overdue)
    ORDER BY p.next_due_at NULLS LAST, i.registered_at DESC, i.id
    LIMIT $7
"""


async def issue(pool: Pool, number_or_id: str) -> IssueView | None:
    """Show one issue by its number or workflow id; None if there is none."""
    rows = await pool.fetch("SELECT * FROM issues WHERE number = $1 OR id = $1", number_or_id)
    found = await _views(pool, rows)
    return found[0] if found else None


async def state(pool: Pool, id_: str) -> Issue | None:
    """Rebuild an issue from the registers; its promises come without their thresholds."""
    rows = await pool.fetch("SELECT * FROM issues WHERE id = $1", id_)
    found = await _issues(pool, rows)
    return found[0] if found else None


async def workflow_id(pool: Pool, number: str) -> str | None:
    """Find the workflow of an issue by its number, or by its workflow id."""
    found: str | None = await pool.fetchval(
        "SELECT id FROM issues WHERE number = $1 OR id = $1", number
    )
    return found


async def by_reference(pool: Pool, source: str, reference: str) -> IssueView | None:
    """Show the issue an intake system knows under its own reference."""
    rows = await pool.fetch(
        "SELECT * FROM issues WHERE source = $1 AND reference = $2", source, reference
    )
    found = await _views(pool, rows)
    return found[0] if found else None


async def issues(pool: Pool, wanted: Filter) -> list[IssueView]:
    """List issues."""
    rows = await pool.fetch(
        _LIST,
        wanted.stage,
        wanted.engineer,
        wanted.department,
        wanted.region,
        wanted.open_only,
        wanted.overdue,
        wanted.limit,
    )
    return await _views(pool, rows)


class Unsettled(Model):
    """A message that did not reach its recipient, and who was asked to see to it."""

    key: str
    number: str
    audience: str
    recipient: str
    channel: str | None
    status: str
    attempts: int
    last_error: str | None
    handed_to: str | None
    created_at: Instant


async def undelivered(pool: Pool, limit: int = 100) -> list[Unsettled]:
    """List the messages not delivered by their channel, oldest first. No addresses, no texts."""
    rows = await pool.fetch(
        """
        SELECT o.key, i.number, o.audience, o.recipient, o.channel, o.status, o.attempts,
               o.last_error, o.handed_to, o.created_at
        FROM outbox o JOIN issues i ON i.id = o.issue_id
        WHERE o.status <> 'delivered' ORDER BY o.created_at LIMIT $1
        """,
        limit,
    )
    return [Unsettled(**dict(row)) for row in rows]


async def unsettled(pool: Pool, id_: str) -> list[str]:
    """Keys of an issue's messages that are neither delivered nor handed to a person."""
    rows = await pool.fetch(
        "SELECT key FROM outbox WHERE issue_id = $1 AND settled_at IS NULL ORDER BY key", id_
    )
    return [row["key"] for row in rows]


async def open_ids(pool: Pool) -> list[tuple[str, str, datetime]]:
    """Id, run and last change of every issue the register holds open."""
    rows = await pool.fetch("SELECT id, run, updated_at FROM issues WHERE closed_at IS NULL")
    return [(row["id"], row["run"], row["updated_at"]) for row in rows]


async def _views(pool: Pool, rows: Sequence[asyncpg.Record]) -> list[IssueView]:
    return [view(issue) for issue in await _issues(pool, rows)]


async def _issues(pool: Pool, rows: Sequence[asyncpg.Record]) -> list[Issue]:
    ids = [row["id"] for row in rows]
    promises = await pool.fetch(
        "SELECT * FROM promises WHERE issue_id = ANY($1) ORDER BY made_at, kind, attempt", ids
    )
    steps = await pool.fetch(
        """
        SELECT * FROM (
            SELECT *, row_number() OVER (PARTITION BY issue_id ORDER BY seq DESC) AS back
            FROM issue_events WHERE issue_id = ANY($1)
        ) e WHERE back <= $2 ORDER BY issue_id, seq
        """,
        ids,
        STEPS_KEPT,
    )
    results = await pool.fetch(
        """
        SELECT issue_id, result FROM handling_forms
        WHERE issue_id = ANY($1) AND result IS NOT NULL ORDER BY generation
        """,
        ids,
    )
    return [
        _issue(
            row,
            promises=[_promise(p) for p in promises if p["issue_id"] == row["id"]],
            steps=[_step(s) for s in steps if s["issue_id"] == row["id"]],
            results=[r["result"] for r in results if r["issue_id"] == row["id"]],
        )
        for row in rows
    ]


def _issue(
    row: asyncpg.Record, promises: list[Promise], steps: list[StepNote], results: list[str]
) -> Issue:
    customer = Customer(
        name=row["customer_name"],
        type=row["customer_type"],
        existing=row["customer_existing"],
        organisation=row["organisation"],
        contact=row["contact_person"],
        phone=row["phone"],
        email=row["email"],
    )
    intake_fields = set(Intake.model_fields) - {"customer"}
    same_fields = {"number", "department", "centre", "zone", "severity", "stage", "registered_at"}
    return Issue(
        intake=Intake(customer=customer, **{name: row[name] for name in intake_fields}),
        **{name: row[name] for name in same_fields | {"outcome", "seq", "generation", "answered"}},
        last_at=row["updated_at"],
        level=row["escalation_level"],
        engineer=person(row["engineer"], row["engineer_name"]),
        lead=person(row["lead"], row["lead_name"]),
        results=tuple(results),
        promises=tuple(promises),
        steps=tuple(steps),
    )


def _promise(row: asyncpg.Record) -> Promise:
    fields = set(Promise.model_fields) - {"marks", "end"}
    return Promise(end=row["outcome"], **{name: row[name] for name in fields})


def _step(row: asyncpg.Record) -> StepNote:
    return note_of(row["action"], row["actor"], row["at"], row["content"])
