"""The register of calls (R45): each once, by the telephone system's own id, with the issue it was
about. Confidential, as the customer is (R30).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import asyncpg

from domain.calls import PhoneCall, Told, completed, differing
from domain.errors import Refused
from domain.vocabulary import Instant, Model
from store.connection import Connection, Pool

MOST = 500
"""Calls of an answer."""


class RecordedCall(Model):
    """A call as it stands, with whose telephone system it is of."""

    source: str
    call: PhoneCall
    heard_at: Instant


async def record(pool: Pool, source: str, calls: Sequence[PhoneCall], now: datetime) -> Told:
    """Write calls down, all or none; what was sent before is not written twice.

    A call that names no issue belongs to the one that its number had open then, or that was
    registered of it on that day; where there are several, to none until somebody says so.

    Raises:
        Refused: ``Invalid``: there is no such issue; ``OtherContent``: an id stands for a call of
            which something else was said.
    """
    new = 0
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock(hashtext($1))", f"calls {source}")
        for place, call in enumerate(calls):
            where = f"calls.{place}" if len(calls) > 1 else ""
            new += await _one(connection, source, call, where, now)
    return Told(new=new, known=len(calls) - new)


async def of_issues(pool: Pool | Connection, issues: Sequence[str]) -> list[RecordedCall]:
    """List the calls about some issues, by their ids, oldest first."""
    rows = await pool.fetch(f"{_READ} WHERE c.issue_id = ANY($1) ORDER BY c.at, c.id", [*issues])
    return [_recorded(row) for row in rows]


async def listed(
    pool: Pool, since: datetime | None, until: datetime | None, *, lost: bool, limit: int = MOST
) -> list[RecordedCall]:
    """List calls of a period, newest first; or only those that were lost."""
    rows = await pool.fetch(
        f"""{_READ} WHERE c.at >= coalesce($1, '-infinity'::timestamptz)
            AND c.at < coalesce($2, 'infinity'::timestamptz)
            AND (NOT $3 OR (c.talk_seconds IS NULL AND c.direction = 'incoming'))
        ORDER BY c.at DESC, c.source, c.id LIMIT $4""",
        *(since, until, lost, limit),
    )
    return [_recorded(row) for row in rows]


_SAID = tuple(name for name in PhoneCall.model_fields if name != "issue")
_READ = f"""
    SELECT c.source, c.heard_at, {", ".join(f"c.{name}" for name in _SAID)}, i.number AS issue
    FROM calls c LEFT JOIN issues i ON i.id = c.issue_id
"""  # noqa: S608  the columns are the model's
_WRITE = f"""
    INSERT INTO calls (source, heard_at, issue_id, {", ".join(_SAID)})
    VALUES ($1, $2, $3, {", ".join(f"${place}" for place in range(4, len(_SAID) + 4))})
    ON CONFLICT (source, id) DO UPDATE SET issue_id = excluded.issue_id,
        {", ".join(f"{name} = excluded.{name}" for name in _SAID if name != "id")}
"""  # noqa: S608  the columns are the model's
_THEIRS = """
    SELECT i.id, i.number FROM issues i
    WHERE dialled(i.phone) = dialled($1) AND coalesce(i.closed_at, 'infinity') > $2
        AND (i.registered_at AT TIME ZONE i.zone)::date <= ($2 AT TIME ZONE i.zone)::date
    LIMIT 2
"""


async def _one(
    connection: Connection, source: str, said: PhoneCall, where: str, now: datetime
) -> bool:
    """Write a call down; say whether it is new."""
    row = await connection.fetchrow(f"{_READ} WHERE c.source = $1 AND c.id = $2", source, said.id)
    call = said
    if row:
        stands = _recorded(row).call
        if fields := differing(stands, said):
            place = f"{where}: " if where else ""
            raise Refused(
                "OtherContent",
                f"{place}id: {said.id} is a call of which something else was said: "
                f"{', '.join(fields)}",
            )
        call = completed(stands, said)
        if call == stands:
            return False
    issue = await _issue(connection, call, where)
    values = (getattr(call, name) for name in _SAID)
    await connection.execute(_WRITE, source, row["heard_at"] if row else now, issue, *values)
    return row is None


async def _issue(connection: Connection, call: PhoneCall, where: str) -> str | None:
    """Find the issue that a call is about, by its id."""
    if call.issue:
        found: str | None = await connection.fetchval(
            "SELECT id FROM issues WHERE number = $1", call.issue
        )
        if found is None:
            place = f"{where}." if where else ""
            raise Refused("Invalid", f"{place}issue: there is no issue {call.issue}")
        return found
    if call.number is None:
        return None
    theirs = await connection.fetch(_THEIRS, call.number, call.at)
    return theirs[0]["id"] if len(theirs) == 1 else None


def _recorded(row: asyncpg.Record) -> RecordedCall:
    call = PhoneCall(**{name: row[name] for name in PhoneCall.model_fields})
    return RecordedCall(source=row["source"], call=call, heard_at=row["heard_at"])
