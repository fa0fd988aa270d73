"""Editions of the reports: kept as they were issued, and never changed (R27)."""

from __future__ import annotations

import zlib
from datetime import date, datetime
from typing import NamedTuple

import asyncpg

from domain.reports.editions import Edition, Kept
from store.connection import Connection, Pool

_LOCK = 0x52455054
"""``REPT``, with a report and period: one edition of each at a time."""
_COLUMNS = ", ".join(Edition.model_fields)


class Heading(NamedTuple):
    """Which edition there is of a report and period, and when it was issued."""

    report: str
    period: str
    edition: int
    issued_at: datetime


async def lock(connection: Connection, report: str, period: str) -> None:
    """Let nobody else issue that report of that period until the transaction ends."""
    about = zlib.crc32(f"{report} {period}".encode()) - 2**31
    await connection.execute("SELECT pg_advisory_xact_lock($1, $2)", _LOCK, about)


async def add(connection: Connection, edition: Edition) -> None:
    """Keep an edition, in the caller's transaction."""
    row = edition.model_dump(mode="json")
    row |= {
        "rulebook": edition.counted.rulebook,
        "counted_at": edition.counted.counted_at,
        "issued_at": edition.issued_at,
    }
    places = ", ".join(f"${place}" for place, _ in enumerate(row, start=1))
    await connection.execute(
        f"INSERT INTO report_editions ({', '.join(row)}) VALUES ({places})",  # noqa: S608  ours
        *row.values(),
    )


async def newest(connection: Connection, report: str, period: str) -> Edition | None:
    """Return the newest edition of a report and period; None before the first."""
    row = await connection.fetchrow(
        f"""
        SELECT {_COLUMNS} FROM report_editions WHERE report = $1 AND period = $2
        ORDER BY edition DESC LIMIT 1
        """,  # noqa: S608  columns are the model's
        *(report, period),
    )
    return _edition(row) if row else None


async def numbered(
    connection: Connection, report: str, period: str, edition: int
) -> Edition | None:
    """Return one edition; None: there is none of that number."""
    row = await connection.fetchrow(
        f"""
        SELECT {_COLUMNS} FROM report_editions
        WHERE report = $1 AND period = $2 AND edition = $3
        """,  # noqa: S608  columns are the model's
        *(report, period, edition),
    )
    return _edition(row) if row else None


async def asked_for(connection: Connection, request: str) -> Edition | None:
    """Return the edition that a request brought; None: it brought none, or was never made."""
    row = await connection.fetchrow(
        f"SELECT {_COLUMNS} FROM report_editions WHERE request = $1",  # noqa: S608  the model's
        request,
    )
    return _edition(row) if row else None


async def headings(
    pool: Pool,
    *,
    report: str | None = None,
    period: str | None = None,
    department: str | None = None,
    limit: int = 200,
) -> list[Heading]:
    """List the editions there are, the newest first; those that a department has a part in, if one
    is named.
    """
    rows = await pool.fetch(
        """
        SELECT report, period, edition, issued_at FROM report_editions
        WHERE ($1::text IS NULL OR report = $1) AND ($2::text IS NULL OR period = $2)
            AND ($3::text IS NULL OR departments ? $3)
        ORDER BY issued_at DESC, report, period DESC, edition DESC LIMIT $4
        """,
        *(report, period, department, limit),
    )
    return [Heading(**dict(row)) for row in rows]


async def kept(connection: Connection) -> list[Kept]:
    """List of which reports and periods there are editions, and whether the first was due."""
    rows = await connection.fetch(
        "SELECT report, period, request IS NULL AS by_clock FROM report_editions WHERE edition = 1"
    )
    return [Kept(**dict(row)) for row in rows]


async def begun(connection: Connection) -> datetime | None:
    """Say since when the register has issues; None before the first."""
    at: datetime | None = await connection.fetchval("SELECT min(registered_at) FROM issues")
    return at


# Messages -----------------------------------------------------------------------------------------

_OURS = "issue_id IS NULL AND settled_at IS NULL"


async def undelivered(connection: Connection, prefix: str) -> list[str]:
    """List the messages whose keys begin so and that were neither delivered nor handed over."""
    rows = await connection.fetch(
        f"SELECT key FROM outbox WHERE {_OURS} AND starts_with(key, $1) ORDER BY key",  # noqa: S608
        prefix,
    )
    return [row["key"] for row in rows]


async def left_lying(connection: Connection) -> list[str]:
    """List all of them, whatever they say."""
    rows = await connection.fetch(f"SELECT key FROM outbox WHERE {_OURS} ORDER BY key")  # noqa: S608
    return [row["key"] for row in rows]


async def digest_written(connection: Connection, day: date) -> bool:
    """Say whether the digests of a morning were written, or nothing was to say."""
    found: bool = await connection.fetchval(
        "SELECT EXISTS (SELECT FROM report_digests WHERE day = $1)", day
    )
    return found


async def note_digest(connection: Connection, day: date, messages: int, now: datetime) -> bool:
    """Write down that they are; False if somebody did first. In the caller's transaction."""
    done = await connection.execute(
        "INSERT INTO report_digests (day, messages, written_at) VALUES ($1, $2, $3)"
        " ON CONFLICT DO NOTHING",
        *(day, messages, now),
    )
    return str(done) == "INSERT 0 1"


def _edition(row: asyncpg.Record) -> Edition:
    return Edition.model_validate(dict(row))
