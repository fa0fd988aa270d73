"""The roster in the register: replaced as a whole, asked by assignment and escalation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import asyncpg

from domain.roster import Candidate, Centre, DeliveryChannel, Member, Roster
from store.register import HANDLED, Connection

_ASSIGNING = 0x59494E55  # "YINU": one assignment at a time, or two would choose the same person


class StillBusy(Exception):  # noqa: N818  an answer to the person importing
    """People the new roster lacks still have open issues; the message names them."""


async def replace(connection: Connection, roster: Roster) -> None:
    """Make ``roster`` the roster, in the caller's transaction. Who stays keeps their idle time.

    Raises:
        StillBusy: somebody with open issues is missing; nothing was changed if the caller's
            transaction is rolled back.
    """
    await _refuse_leaving_work_behind(connection, [member.id for member in roster.members])
    await connection.execute(
        "DELETE FROM members WHERE id <> ALL($1)", [m.id for m in roster.members]
    )
    for centre in roster.centres:
        await connection.execute(
            """
            INSERT INTO centres (id, name, regions, zone, calendar, nearest)
            VALUES ($1, $2, $3, $4, $5, $6)
            ON CONFLICT (id) DO UPDATE SET name = excluded.name, regions = excluded.regions,
                zone = excluded.zone, calendar = excluded.calendar, nearest = excluded.nearest
            """,
            *(centre.id, centre.name, list(centre.regions), centre.zone, centre.calendar),
            list(centre.nearest),
        )
    for member in roster.members:
        row = member.model_dump(mode="json")
        await connection.execute(
            """
            INSERT INTO members (id, name, role, department, centre, certified, shift, contacts)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
            ON CONFLICT (id) DO UPDATE SET name = excluded.name, role = excluded.role,
                department = excluded.department, centre = excluded.centre,
                certified = excluded.certified, shift = excluded.shift,
                contacts = excluded.contacts
            """,
            *(row[name] for name in ("id", "name", "role", "department", "centre")),
            *(row[name] for name in ("certified", "shift", "contacts")),
        )
    await connection.execute(
        "DELETE FROM centres WHERE id <> ALL($1)", [centre.id for centre in roster.centres]
    )
    await _replace_channels(connection, roster.channels)


async def _refuse_leaving_work_behind(connection: Connection, staying: list[str]) -> None:
    rows = await connection.fetch(
        """
        SELECT engineer, count(*) AS issues FROM issues
        WHERE engineer <> ALL($1) AND stage = ANY($2) GROUP BY engineer ORDER BY engineer
        """,
        staying,
        list(HANDLED),
    )
    if rows:
        who = ", ".join(f"{row['engineer']} ({row['issues']})" for row in rows)
        raise StillBusy(
            f"not on the new roster, but with open issues: {who}. Reassign these first, or keep "
            'the person with shift "off"'
        )


async def _replace_channels(connection: Connection, channels: Sequence[DeliveryChannel]) -> None:
    await connection.execute("DELETE FROM channels WHERE id <> ALL($1)", [c.id for c in channels])
    for position, channel in enumerate(channels):
        await connection.execute(
            """
            INSERT INTO channels (id, position, url, per_minute, customers)
            VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT (id) DO UPDATE SET position = excluded.position, url = excluded.url,
                per_minute = excluded.per_minute, customers = excluded.customers
            """,
            *(channel.id, position, channel.url, channel.per_minute, channel.customers),
        )


async def is_empty(connection: Connection) -> bool:
    """Say whether no roster was ever imported."""
    return not await connection.fetchval("SELECT EXISTS (SELECT FROM members)")


async def regions(connection: Connection) -> list[str]:
    """List the regions some centre serves."""
    rows = await connection.fetch(
        "SELECT DISTINCT unnest(regions) AS region FROM centres ORDER BY 1"
    )
    return [row["region"] for row in rows]


async def centres(connection: Connection) -> list[Centre]:
    """List the service centres."""
    return [_centre(row) for row in await connection.fetch("SELECT * FROM centres ORDER BY id")]


async def centre_of(connection: Connection, region: str) -> Centre | None:
    """Return the centre that serves a region."""
    row = await connection.fetchrow("SELECT * FROM centres WHERE $1 = ANY(regions)", region)
    return _centre(row) if row else None


async def centre(connection: Connection, id_: str) -> Centre | None:
    """Return a centre, None once the roster has it no more."""
    row = await connection.fetchrow("SELECT * FROM centres WHERE id = $1", id_)
    return _centre(row) if row else None


async def member(connection: Connection, id_: str) -> Member | None:
    """Return somebody of the roster."""
    row = await connection.fetchrow("SELECT * FROM members WHERE id = $1", id_)
    return _member(row) if row else None


async def members(connection: Connection) -> list[Member]:
    """Return everybody."""
    return [_member(row) for row in await connection.fetch("SELECT * FROM members ORDER BY id")]


async def channels(connection: Connection) -> list[DeliveryChannel]:
    """Return the channels in the roster's order."""
    rows = await connection.fetch("SELECT * FROM channels ORDER BY position")
    return [
        DeliveryChannel(
            channel=row["id"],
            url=row["url"],
            per_minute=row["per_minute"],
            customers=row["customers"],
        )
        for row in rows
    ]


async def candidates(
    connection: Connection, department: str, centres: Sequence[str]
) -> list[Candidate]:
    """Return the engineers of these centres with the load they carry. From here to the end of the
    transaction no other assignment is made.
    """
    await connection.execute("SELECT pg_advisory_xact_lock($1)", _ASSIGNING)
    rows = await connection.fetch(
        """
        SELECT m.*, (
            SELECT count(*) FROM issues i
            WHERE i.engineer = m.id AND i.closed_at IS NULL AND i.stage = ANY($3)
        ) AS open_issues
        FROM members m
        WHERE m.role = 'engineer' AND m.department = $1 AND m.centre = ANY($2)
        """,
        department,
        list(centres),
        list(HANDLED),
    )
    return [
        Candidate(member=_member(r), open_issues=r["open_issues"], idle_since=r["idle_since"])
        for r in rows
    ]


async def unassigned(pool: asyncpg.Pool[Any]) -> list[str]:
    """Ids of the open issues nobody works on: what a new roster may have somebody for."""
    rows = await pool.fetch(
        "SELECT id FROM issues WHERE closed_at IS NULL AND engineer IS NULL ORDER BY registered_at"
    )
    return [row["id"] for row in rows]


def _centre(row: asyncpg.Record) -> Centre:
    return Centre(
        centre=row["id"],
        name=row["name"],
        regions=tuple(row["regions"]),
        zone=row["zone"],
        calendar=row["calendar"],
        nearest=tuple(row["nearest"]),
    )


def _member(row: asyncpg.Record) -> Member:
    return Member(
        person=row["id"],
        **{name: row[name] for name in ("name", "role", "department", "centre", "shift")},
        certified=tuple(row["certified"]),
        contacts=tuple(row["contacts"]),
    )
