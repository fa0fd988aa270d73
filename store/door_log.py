"""What happened at the doors: the audit trail, and the links that were used (R30)."""

from __future__ import annotations

from datetime import datetime

from domain.links import Link
from domain.vocabulary import Instant, Model, Role
from store.connection import Connection, Pool

UNKNOWN = "unknown"
"""Who it was if nobody can tell: a key that does not fit names no one."""


WRITTEN = "written"
"""What a link was used for that did not do what it is for."""


class Entry(Model):
    """Who did or saw what, from which address. ``outcome`` is ``done``, ``seen``, or why not. No
    role: they have none here, who were not let in or who have the desk's own command line.
    """

    at: Instant
    person: str
    role: Role | None
    via: str
    address: str
    what: str
    number: str | None = None
    outcome: str


async def note(connection: Connection | Pool, *entries: Entry) -> None:
    """Write entries down."""
    columns = ", ".join(Entry.model_fields)
    await connection.executemany(
        f"INSERT INTO door_log ({columns}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",  # noqa: S608  columns are the model's
        [tuple(entry.model_dump().values()) for entry in entries],
    )


async def entries(
    pool: Pool, *, number: str | None = None, before: datetime | None = None, limit: int = 100
) -> list[Entry]:
    """Read the trail, newest first; of one issue, or of what was before an instant."""
    rows = await pool.fetch(
        """
        SELECT * FROM door_log
        WHERE ($1::text IS NULL OR number = $1) AND ($2::timestamptz IS NULL OR at < $2)
        ORDER BY at DESC, id DESC LIMIT $3
        """,
        *(number, before, limit),
    )
    return [Entry(**{name: row[name] for name in Entry.model_fields}) for row in rows]


async def link_used(pool: Connection | Pool, id_: str) -> datetime | None:
    """Say when a link did what it is for; None: it did not yet."""
    at: datetime | None = await pool.fetchval("SELECT used_at FROM link_uses WHERE link = $1", id_)
    return at


async def admit(
    pool: Pool, name: str, link: Link, at: datetime, address: str, per_hour: int
) -> bool:
    """Write down that something is written by a link, under a name of its own; False: so much was
    written about its issue within the hour that this is not taken. Under the same name it is the
    same, and taken again. Who asks at the same moment waits for the other.
    """
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended('written ' || $1, 0))", link.number
        )
        if await link_used(connection, name):
            return True
        lately = await connection.fetchval(
            """
            SELECT count(*) FROM link_uses
            WHERE number = $1 AND purpose = $2 AND used_at > $3::timestamptz - interval '1 hour'
            """,
            *(link.number, WRITTEN, at),
        )
        if lately >= per_hour:
            return False
        await connection.execute(
            """
            INSERT INTO link_uses (link, number, purpose, person, used_at, address)
            VALUES ($1, $2, $3, $4, $5, $6)
            """,
            *(name, link.number, WRITTEN, link.person, at, address),
        )
        return True


async def use_link(
    connection: Connection | Pool, id_: str, link: Link, at: datetime, address: str
) -> bool:
    """Write down that a link did what it is for; False if it had done so before."""
    changed = await connection.execute(
        """
        INSERT INTO link_uses (link, number, purpose, person, used_at, address)
        VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (link) DO NOTHING
        """,
        *(id_, link.number, link.purpose, link.person, at, address),
    )
    return str(changed) == "INSERT 0 1"
