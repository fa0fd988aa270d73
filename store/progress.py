"""What a customer was told about their issue besides its promises (R14, R17), and what became of
what somebody asked for.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from domain.vocabulary import Instant, Model
from store.connection import Pool


class Told(Model):
    """When the handler expects to be done; what was offered last, and its price in yuan."""

    expected_at: Instant | None = None
    work: str | None = None
    amount: Decimal | None = None


async def told(pool: Pool, issue_id: str, generation: int) -> Told:
    """Read it, of one generation of an issue."""
    row = await pool.fetchrow(
        """
        SELECT h.expected_at, p.work, p.amount FROM issues i
        LEFT JOIN handling_forms h ON h.issue_id = i.id AND h.generation = $2
        LEFT JOIN paid_services p ON p.issue_id = i.id AND p.generation = $2
        WHERE i.id = $1
        """,
        *(issue_id, generation),
    )
    return Told(**dict(row)) if row else Told()


async def taken_at(pool: Pool, issue_id: str, key: str) -> datetime | None:
    """Say when the step was recorded that this cause brought about; None: it was not."""
    at: datetime | None = await pool.fetchval(
        "SELECT recorded_at FROM issue_events WHERE issue_id = $1 AND key = $2", issue_id, key
    )
    return at
