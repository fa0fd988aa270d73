"""Read models of the callback clerk: whom to call on a day, and what was written down of a call."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import asyncpg

from domain.calendars.timeline import midnight
from domain.callbacks import Attempt, Call, Called, CalledToday, CaseSummary, Missed, grouped
from domain.sla.promise import CUSTOMERS, PromiseEnd, PromiseKind
from domain.terms import behaviour_of
from domain.vocabulary import Model
from store.connection import Connection, Pool
from store.issue_writer import customer_of, person

Row = TypeVar("Row", bound=Model)


_DUE = """
    SELECT i.*, i.generation - 1 AS reopen_count,
        p.attempt, p.attempts, p.opens_at, p.due_at, p.outcome = $3 AS overdue,
        h.handler, coalesce(
            m.name, CASE WHEN h.handler = i.engineer THEN i.engineer_name END, h.handler
        ) AS handler_name,
        coalesce(f.result, c.answer) AS result, f.cause,
        coalesce(f.resolved_at, c.answered_at) AS resolved_at
    FROM promises p
    JOIN issues i ON i.id = p.issue_id
    LEFT JOIN handling_forms f ON f.issue_id = p.issue_id AND f.generation = p.generation
    LEFT JOIN consultation_records c ON c.issue_id = p.issue_id AND c.generation = p.generation
    CROSS JOIN LATERAL (
        SELECT CASE WHEN i.first_contact THEN coalesce(i.taken_by, i.agent)
            ELSE coalesce(f.engineer, i.engineer) END
    ) AS h (handler)
    LEFT JOIN members m ON m.id = h.handler
    WHERE p.kind = $2 AND p.ended_at IS NULL AND coalesce(p.opens_at, p.made_at) < $1
"""


async def todays(pool: Pool, until: datetime, zone: ZoneInfo) -> list[Call]:
    """List whom to call on the local day of ``zone`` that is over at ``until``, the nearest due
    first: every callback that may be made by then and was not, each customer once (R22).
    """
    moment = timedelta.resolution
    begins = midnight((until - moment).astimezone(zone).date(), zone)
    async with (
        pool.acquire() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        due = await connection.fetch(_DUE, until, PromiseKind.CALLBACK, PromiseEnd.BROKEN)
        called = await connection.fetch(
            """
            SELECT i.*, r.called_at, r.clerk, r.reached
            FROM callback_records r JOIN issues i ON i.id = r.issue_id
            WHERE r.called_at >= $1 AND r.called_at < $2
            """,
            *(begins, until),
        )
        cases = await _summaries(connection, due)
    return grouped(cases, [(customer_of(row), _picked(CalledToday, row)) for row in called])


async def called(pool: Pool, numbers: Sequence[str], call: str) -> dict[str, Called]:
    """Look up the issues of a call by number or workflow id, whichever was given; which of them
    have a record of that call already. What there is not is left out.
    """
    rows = await pool.fetch(
        """
        SELECT i.*, (SELECT clerk FROM callback_records WHERE issue_id = i.id AND call = $2 LIMIT 1)
            AS recorded_by
        FROM issues i WHERE number = ANY($1) OR id = ANY($1)
        """,
        *(list(numbers), call),
    )
    found = {
        row["id"]: Called(
            number=row["number"],
            behaves=row["behaves"] or behaviour_of(row["kind"]),
            customer=customer_of(row),
            recorded_by=row["recorded_by"],
        )
        for row in rows
    }
    found |= {each.number: each for each in found.values()}
    return {number: found[number] for number in numbers if number in found}


async def _summaries(connection: Connection, rows: Sequence[asyncpg.Record]) -> list[CaseSummary]:
    ids = [row["id"] for row in rows]
    attempts = await connection.fetch(
        "SELECT * FROM callback_records WHERE issue_id = ANY($1) ORDER BY called_at, attempt", ids
    )
    missed = await connection.fetch(
        """
        SELECT * FROM promises WHERE issue_id = ANY($1) AND outcome = $2 AND kind <> ALL($3)
        ORDER BY generation, array_position($4::text[], kind), attempt
        """,
        *(ids, PromiseEnd.BROKEN, list(CUSTOMERS), list(PromiseKind)),
    )
    earlier, broken = _by_issue(Attempt, attempts), _by_issue(Missed, missed)
    return [
        _picked(
            CaseSummary,
            row,
            customer=customer_of(row),
            handler=person(row["handler"], row["handler_name"]),
            earlier=tuple(earlier[row["id"]]),
            missed=tuple(broken[row["id"]]),
        )
        for row in rows
    ]


def _by_issue(model: type[Row], rows: Sequence[asyncpg.Record]) -> defaultdict[str, list[Row]]:
    of: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        of[row["issue_id"]].append(_picked(model, row))
    return of


def _picked(model: type[Row], row: asyncpg.Record, **more: Any) -> Row:
    """Fill a model from the columns that are called as its fields are."""
    return model(**{name: row[name] for name in model.model_fields.keys() - more}, **more)
