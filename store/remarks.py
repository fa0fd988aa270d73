"""Customers' words about the service in one list (R41): out of evaluations and callbacks, with who
has read them and what they became; low scores that were given without a word are said, too.
Confidential (R30): every look is to be written down.
"""

from __future__ import annotations

from datetime import datetime

import asyncpg

from domain.issue.complaints import SOURCE
from domain.opinions import Remark
from domain.vocabulary import LOWEST_SCORE
from store.connection import Connection, Pool

MOST = 100
"""Remarks of a list: what nobody has read is first."""

_REMARKS = """(
    SELECT concat_ws('/', 'evaluation', e.issue_id, e.item, e.person) AS key, 'evaluation' AS sort,
        e.at, e.comment AS text, e.issue_id, NULL AS unit, e.person AS said_by, e.department,
        e.engineer, least(e.technical, e.attitude) AS worst, NULL::boolean AS satisfied
    FROM evaluations e WHERE e.comment <> ''
    UNION ALL
    SELECT concat_ws('/', 'opinion', o.key), 'opinion', min(o.at),
        concat_ws(E'\\n', nullif(min(o.opinions), ''), nullif(min(o.comment), '')),
        min(o.issue_id), min(o.unit), min(o.assessor), min(o.department), min(o.engineer),
        min(least(o.technical, o.attitude)), NULL
    FROM opinions o WHERE o.opinions <> '' OR o.comment <> '' OR o.counting = 'counts'
    GROUP BY o.key
    UNION ALL
    SELECT concat_ws('/', 'callback', c.issue_id, c.generation, c.attempt), 'callback', c.called_at,
        c.words, c.issue_id, NULL, 'customer', i.department, i.engineer, NULL, c.satisfied
    FROM callback_records c JOIN issues i ON i.id = c.issue_id WHERE c.words <> ''
)"""
_READ = f"""
    SELECT r.key, r.sort, r.at, r.text, i.number, coalesce(r.unit, i.organisation) AS unit,
        r.said_by, r.department, r.engineer, r.worst, r.satisfied, seen.read_by, seen.read_at,
        coalesce(
            (SELECT number FROM issues WHERE id = seen.complaint),
            (SELECT min(raised.number) FROM issues raised WHERE raised.arises_from = r.issue_id
                AND raised.source = '{SOURCE}' AND raised.reported_at = r.at) -- by itself (R21)
        ) AS complaint,
        (SELECT name FROM members WHERE id = seen.read_by) AS reader
    FROM {_REMARKS} r LEFT JOIN issues i ON i.id = r.issue_id
    LEFT JOIN remarks_read seen ON seen.key = r.key
"""  # noqa: S608  our own text


async def listed(
    pool: Pool,
    department: str | None,
    *,
    low: int = LOWEST_SCORE,
    unread: bool = False,
    limit: int = MOST,
) -> list[Remark]:
    """List what customers said of a department, or of all: first what nobody has read, then the
    newest. What nobody knows the department of is everybody's; without a word a score speaks that
    is below ``low``.
    """
    rows = await pool.fetch(
        f"""{_READ}
        WHERE ($1::text IS NULL OR r.department IS NULL OR r.department = $1)
            AND (NOT $2 OR seen.read_at IS NULL) AND (r.text <> '' OR r.worst < $4)
        ORDER BY seen.read_at IS NOT NULL, r.at DESC, r.key LIMIT $3
        """,
        *(department, unread, limit, low),
    )
    return [_remark(row) for row in rows]


async def one(pool: Pool | Connection, key: str) -> Remark | None:
    """Return a remark; None: there is none of that key."""
    row = await pool.fetchrow(f"{_READ} WHERE r.key = $1", key)
    return _remark(row) if row else None


async def read(pool: Pool, key: str, by: str, now: datetime, complaint: str | None = None) -> None:
    """Write down who has read a remark, the first time; and the id of the complaint it became."""
    await pool.execute(
        """
        INSERT INTO remarks_read (key, read_by, read_at, complaint) VALUES ($1, $2, $3, $4)
        ON CONFLICT (key) DO UPDATE
            SET complaint = coalesce(remarks_read.complaint, excluded.complaint)
        """,
        *(key, by, now, complaint),
    )


def _remark(row: asyncpg.Record) -> Remark:
    return Remark(**dict(row))
