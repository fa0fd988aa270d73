"""What waits for somebody's yes (R17, R42), or for the manager's rating (R18), with what each is
decided by; and what an issue's own papers say of its price, its panel and its remedy.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import asyncpg
from pydantic import Field

from domain.issue.forms import ExpertPanel, PaidService, Remedy
from domain.issue.intake import Customer
from domain.issue.state import Person
from domain.sla.promise import PAST_DUE, PromiseKind
from domain.vocabulary import Instant, Model, Severity, Stage
from store.connection import Pool
from store.issue_writer import customer_of, person

AWAITED = (
    *(PromiseKind.APPROVAL, PromiseKind.REMEDY_APPROVAL, PromiseKind.DIFFICULTY),
    PromiseKind.CONFIRMATION,
    *(PromiseKind.SURVEY, PromiseKind.QUOTATION),
)
"""What a decision waits for, or is on its way to: the manager's yes, to a price or to a
remedy, their rating, the customer's yes; a survey and a quotation, which come before these.
"""
MOST = 50
"""Issues listed of each: those due first."""


class Undecided(Model):
    """An issue in which something of ``AWAITED`` runs, or a remedy that the policy promises nobody
    an answer to. ``generation`` is the one it is about; no ``due_at``: it is promised to nobody.
    """

    id: str
    number: str
    title: str
    awaits: PromiseKind
    due_at: Instant | None
    overdue: bool
    stage: Stage
    severity: Severity
    generation: int
    department: str
    region: str
    product_line: str
    model: str | None
    zone: str
    engineer: Person | None
    customer: Customer
    paid: PaidService | None
    remedy: Remedy | None
    result: str | None
    cause: str | None
    unread: bool = Field(description="its customer wrote, and nobody has seen to it")

    @property
    def round(self) -> int:
        """Which of several, one after the other, is to be decided: the repair, or the remedy."""
        return self.remedy.proposal if self.remedy else self.generation


class Papers(NamedTuple):
    """What one generation of an issue has of a paid service; the panel that was asked last, and the
    remedy that was proposed last.
    """

    paid: PaidService | None = None
    panel: ExpertPanel | None = None
    remedy: Remedy | None = None


_SAME = (
    *("id", "number", "title", "stage", "severity", "generation", "department", "region"),
    *("product_line", "model", "zone", "unread"),
)
_PAID = "to_jsonb(s) - 'issue_id' || jsonb_build_object('amount', s.amount::text)"
_REMEDY = "to_jsonb(r) - 'issue_id' || jsonb_build_object('amount', r.amount::text)"
_UNDECIDED = f"""
    WITH wanted AS (SELECT * FROM unnest($1::text[]) WITH ORDINALITY AS wanted (kind, place)),
    waits AS (
        SELECT wanted.place, p.* FROM wanted CROSS JOIN LATERAL (
            SELECT p.issue_id, p.kind, p.attempt, p.due_at, p.outcome
            FROM promises p JOIN issues i ON i.id = p.issue_id
            WHERE p.ended_at IS NULL AND p.kind = wanted.kind
                AND ($2::text IS NULL OR i.department = $2)
            ORDER BY p.due_at, i.number LIMIT $3
        ) p
        UNION ALL
        SELECT wanted.place, r.* FROM wanted CROSS JOIN LATERAL (
            SELECT r.issue_id, wanted.kind, r.proposal, NULL::timestamptz, NULL
            FROM remedies r JOIN issues i ON i.id = r.issue_id
            WHERE wanted.kind = '{PromiseKind.REMEDY_APPROVAL}' AND r.approved IS NULL
                AND i.closed_at IS NULL AND ($2::text IS NULL OR i.department = $2)
                AND NOT EXISTS (
                    SELECT FROM promises p WHERE p.issue_id = r.issue_id AND p.kind = wanted.kind
                        AND p.attempt = r.proposal AND p.ended_at IS NULL)
            ORDER BY r.proposed_at, i.number LIMIT $3
        ) r
    )
    SELECT i.*, w.kind AS awaits, w.due_at, w.outcome AS ending, h.result, h.cause,
        {_PAID} AS paid, {_REMEDY} AS remedy,
        EXISTS (SELECT FROM promises p WHERE p.issue_id = i.id
                AND p.kind = '{PromiseKind.FEEDBACK}' AND p.ended_at IS NULL) AS unread
    FROM waits w
    JOIN issues i ON i.id = w.issue_id
    LEFT JOIN paid_services s ON s.issue_id = i.id AND s.generation = i.generation
    LEFT JOIN remedies r ON w.kind = '{PromiseKind.REMEDY_APPROVAL}'
        AND r.issue_id = i.id AND r.proposal = w.attempt
    LEFT JOIN handling_forms h ON h.issue_id = i.id AND h.generation = i.generation
    ORDER BY w.place, w.due_at, r.proposed_at, i.number
"""  # noqa: S608  the text is ours


async def undecided(
    pool: Pool, department: str | None, kinds: Collection[PromiseKind] = AWAITED, limit: int = MOST
) -> list[Undecided]:
    """List what waits in a department, or in all: by what it waits for, what is due first before
    the others, and what is never due last; of each at most ``limit``, and of that, too.
    """
    rows = await pool.fetch(_UNDECIDED, list(kinds), department, limit)
    return [_undecided(row) for row in rows]


async def papers(pool: Pool, issue_id: str, generation: int) -> Papers:
    """Read what an issue's papers say of its price and of its last panel."""
    row = await pool.fetchrow(
        f"""
        SELECT (SELECT {_PAID} FROM paid_services s
                WHERE s.issue_id = $1 AND s.generation = $2) AS paid,
            (SELECT to_jsonb(e) - 'issue_id' FROM expert_panels e
             WHERE e.issue_id = $1 ORDER BY e.panel DESC LIMIT 1) AS panel,
            (SELECT {_REMEDY} FROM remedies r
             WHERE r.issue_id = $1 ORDER BY r.proposal DESC LIMIT 1) AS remedy
        """,  # noqa: S608  the text is ours
        *(issue_id, generation),
    )
    if row is None:
        return Papers()
    panel = ExpertPanel.model_validate(row["panel"]) if row["panel"] else None
    return Papers(_paid(row), panel, _remedy(row))


def _undecided(row: asyncpg.Record) -> Undecided:
    return Undecided(
        **{name: row[name] for name in _SAME},
        awaits=row["awaits"],
        due_at=row["due_at"],
        overdue=row["ending"] in PAST_DUE,
        engineer=person(row["engineer"], row["engineer_name"]),
        customer=customer_of(row),
        paid=_paid(row),
        remedy=_remedy(row),
        result=row["result"],
        cause=row["cause"],
    )


def _paid(row: asyncpg.Record) -> PaidService | None:
    return PaidService.model_validate(row["paid"]) if row["paid"] else None


def _remedy(row: asyncpg.Record) -> Remedy | None:
    return Remedy.model_validate(row["remedy"]) if row["remedy"] else None
