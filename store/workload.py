"""How much a department has open, and with whom."""

from __future__ import annotations

from domain.sla.promise import OVERSIGHT, PAST_DUE
from domain.vocabulary import Code, Model
from store.connection import Pool


class Load(Model):
    """What one engineer has open; with no engineer, what nobody has. Overdue are those with a
    broken promise that still runs.
    """

    engineer: Code | None
    open: int
    overdue: int


async def loads(pool: Pool, department: str | None) -> list[Load]:
    """Count the open issues of a department, or of all, by engineer."""
    rows = await pool.fetch(
        """
        SELECT engineer, count(*) AS open, count(*) FILTER (WHERE id IN (
            SELECT issue_id FROM promises
            WHERE ended_at IS NULL AND outcome = ANY($3) AND kind <> ALL($2)
        )) AS overdue
        FROM issues WHERE closed_at IS NULL AND ($1::text IS NULL OR department = $1)
        GROUP BY engineer
        """,
        department,
        sorted(OVERSIGHT),
        sorted(PAST_DUE),
    )
    return [Load(**dict(row)) for row in rows]
