"""How much a department has open, and with whom."""

from __future__ import annotations

from domain.vocabulary import Code, Model
from store.connection import Pool
from store.issue_list import OVERDUE


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
        f"""
        SELECT engineer, count(*) AS open, count(*) FILTER (WHERE id IN {OVERDUE}) AS overdue
        FROM issues WHERE closed_at IS NULL AND ($1::text IS NULL OR department = $1)
        GROUP BY engineer
        """,  # noqa: S608  our own text
        department,
    )
    return [Load(**dict(row)) for row in rows]
