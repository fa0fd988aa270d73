"""The roster in the register: replaced as a whole, asked by assignment and escalation."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, TypeAlias

import asyncpg

from domain.issue.actions import ACTIONS, ActionName
from domain.issue.common import HANDLING
from domain.staff.known import Known
from domain.staff.roster import Candidate, Centre, DeliveryChannel, Member, Roster
from domain.staff.staffing import OpenIssue
from domain.vocabulary import Role
from store import duty
from store.connection import Connection
from store.issue_writer import person

LOCK = 0x59494E55
"""``YINU``: shared by all who go by the roster, alone for who replaces it."""
_ASSIGNING = 0x41535347  # "ASSG", with a group: two at a time would choose the same person

_Row: TypeAlias = asyncpg.Record | Mapping[str, Any]

_STAFF = """
    SELECT m.*, coalesce((
        SELECT jsonb_agg(jsonb_build_object('person', e.person, 'from', e.first, 'until', e.until,
                                            'shift', e.shift, 'reason', e.reason) ORDER BY e.first)
        FROM duty_exceptions e WHERE e.person = m.id
    ), '[]') AS exceptions
    FROM members m WHERE m.left_at IS NULL
"""


async def mute(connection: Connection) -> None:
    """Lead every channel nowhere, until a roster is imported again: the discard port is closed."""
    await connection.execute("UPDATE channels SET url = 'json://127.0.0.1:9/{to}'")


async def replace(connection: Connection, roster: Roster) -> None:
    """Make ``roster`` the roster, in the caller's transaction. Who stays keeps their idle time; who
    is missing has left, and is kept on record while an open issue is still with them.

    Raises:
        store.duty.Overlapping: a file contradicts what somebody entered; nothing was changed if the
            caller's transaction is rolled back.
    """
    # Or somebody would be chosen who is just leaving.
    await connection.execute("SELECT pg_advisory_xact_lock($1)", LOCK)
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
            INSERT INTO members (id, name, role, department, centre, certified, shift, contacts,
                tests, skills)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
            ON CONFLICT (id) DO UPDATE SET name = excluded.name, role = excluded.role,
                department = excluded.department, centre = excluded.centre,
                certified = excluded.certified, shift = excluded.shift,
                contacts = excluded.contacts, tests = excluded.tests, skills = excluded.skills,
                left_at = NULL
            """,
            *(row[name] for name in ("id", "name", "role", "department", "centre")),
            *(row[name] for name in ("certified", "shift", "contacts", "tests", "skills")),
        )
    await _let_go(connection, [member.id for member in roster.members])
    await connection.execute(
        "DELETE FROM centres WHERE id <> ALL($1)", [centre.id for centre in roster.centres]
    )
    if roster.exceptions is not None:
        await duty.replace_filed(connection, roster.exceptions)
    await _replace_channels(connection, roster.channels)


async def _let_go(connection: Connection, staying: list[str]) -> None:
    """R16: nobody's name is lost while an issue that is to be handed over bears it."""
    await connection.execute(
        """
        UPDATE members SET shift = 'off', left_at = coalesce(left_at, now())
        WHERE id <> ALL($1)
        """,
        staying,
    )
    await connection.execute(
        """
        DELETE FROM members m WHERE left_at IS NOT NULL AND NOT EXISTS (
            SELECT FROM issues i WHERE i.engineer = m.id AND i.closed_at IS NULL)
        """
    )
    await connection.execute(
        """
        DELETE FROM duty_exceptions
        WHERE person IN (SELECT id FROM members WHERE left_at IS NOT NULL)
        """
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


async def known(connection: Connection) -> Known:
    """Return the names of regions and product lines that the roster has."""
    row = await connection.fetchrow(
        """
        SELECT ARRAY(SELECT DISTINCT unnest(regions) FROM centres) AS regions,
            ARRAY(SELECT DISTINCT c ->> 'product_line'
                  FROM members, jsonb_array_elements(certified) c
                  WHERE left_at IS NULL) AS product_lines
        """
    )
    return Known.model_validate(dict(row)) if row else Known()


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
    """Return somebody of the roster, None once they have left."""
    row = await connection.fetchrow(f"{_STAFF} AND m.id = $1", id_)
    return _member(row) if row else None


async def members(connection: Connection) -> list[Member]:
    """Return everybody who works here."""
    return [_member(row) for row in await connection.fetch(f"{_STAFF} ORDER BY m.id")]


async def channels(connection: Connection) -> list[DeliveryChannel]:
    """List the ways to reach people, in the order in which they are tried."""
    rows = await connection.fetch("SELECT * FROM channels ORDER BY position")
    return [_channel(row) for row in rows]


class Staff(NamedTuple):
    """The roster as it is at one moment, for whoever goes by it many times over."""

    centres: Mapping[str, Centre]
    members: Mapping[str, Member]
    channels: Sequence[DeliveryChannel]

    @property
    def known(self) -> Known:
        """The names of regions and product lines that there are."""
        return Known(
            regions=frozenset(r for centre in self.centres.values() for r in centre.regions),
            product_lines=frozenset(
                each.product_line for member in self.members.values() for each in member.certified
            ),
        )

    def centre_of(self, region: str) -> Centre | None:
        """Return the centre that serves a region."""
        return next((each for each in self.centres.values() if region in each.regions), None)

    def engineers(self, department: str, centres: Iterable[str]) -> list[Member]:
        """Return the engineers of a department in these centres."""
        return [
            member
            for member in self.members.values()
            if member.role is Role.ENGINEER
            and member.department == department
            and member.centre in centres
        ]


class KnownStaff:
    """The roster, read again only when it has changed."""

    def __init__(self) -> None:
        self._known: tuple[str, Staff] | None = None

    async def now(self, connection: Connection) -> Staff:
        """Return the roster as it is now."""
        version = await connection.fetchval("SELECT version::text FROM roster_version")
        return await self.get(connection, version)

    async def get(self, connection: Connection, version: str) -> Staff:
        """Return the roster of that version, or a later one: what ``roster_version`` says now."""
        if self._known is None or self._known[0] != version:
            self._known = await _versioned(connection)
        return self._known[1]


async def staff(connection: Connection) -> Staff:
    """Return the roster as it is now."""
    _, now = await _versioned(connection)
    return now


async def _versioned(connection: Connection) -> tuple[str, Staff]:
    """Read all of it in one statement, with the version of what was read."""
    row = await connection.fetchrow(
        f"""
        SELECT version::text,
            (SELECT jsonb_agg(to_jsonb(c) ORDER BY c.id) FROM centres c) AS centres,
            (SELECT jsonb_agg(to_jsonb(s) ORDER BY s.id) FROM ({_STAFF}) s) AS members,
            (SELECT jsonb_agg(to_jsonb(c) ORDER BY c.position) FROM channels c) AS channels
        FROM roster_version
        """  # noqa: S608  our own text
    )
    if row is None:
        raise LookupError("the table roster_version is empty: run `yinuo migrate`")
    return row["version"], Staff(
        centres={each["id"]: _centre(each) for each in row["centres"] or ()},
        members={each["id"]: _member(each) for each in row["members"] or ()},
        channels=[_channel(each) for each in row["channels"] or ()],
    )


class Load(NamedTuple):
    """What an engineer has to do: open issues, and how many of these are others than the one asked
    about.
    """

    open_issues: int
    others: int
    idle_since: datetime


async def loads(connection: Connection, people: Sequence[Member], issue_id: str) -> dict[str, Load]:
    """Return the load that each of these engineers carries. From here to the end of the transaction
    nobody is assigned an issue who works in the department and the centre of one of them.
    """
    groups = {zlib.crc32(f"{m.department}/{m.centre}".encode()) - (1 << 31) for m in people}
    # In an order, or two would wait for each other.
    await connection.execute(
        "SELECT count(pg_advisory_xact_lock($1, each)) FROM unnest($2::int[]) AS each",
        *(_ASSIGNING, sorted(groups)),
    )
    rows = await connection.fetch(
        """
        SELECT m.id, m.idle_since, count(i.id) AS open_issues,
            count(i.id) FILTER (WHERE i.id <> $3) AS others
        FROM members m
        LEFT JOIN issues i ON i.engineer = m.id AND i.closed_at IS NULL AND i.stage = ANY($2)
        WHERE m.id = ANY($1) GROUP BY m.id
        """,
        *([member.id for member in people], list(HANDLING), issue_id),
    )
    return {row["id"]: Load(row["open_issues"], row["others"], row["idle_since"]) for row in rows}


async def engineers(connection: Connection) -> list[Candidate]:
    """Return all engineers with the load they carry."""
    rows = await connection.fetch(
        f"""
        SELECT s.*, (
            SELECT count(*) FROM issues i
            WHERE i.engineer = s.id AND i.closed_at IS NULL AND i.stage = ANY($1)
        ) AS open_issues
        FROM ({_STAFF}) s WHERE s.role = $2 ORDER BY s.id
        """,  # noqa: S608  our own text
        *(list(HANDLING), Role.ENGINEER),
    )
    return [
        Candidate(member=_member(r), open_issues=r["open_issues"], idle_since=r["idle_since"])
        for r in rows
    ]


async def open_issues(connection: Connection) -> list[OpenIssue]:
    """Return the issues that somebody is working on, or should be: what can be given to another.

    One that the hotline is still trying to answer (R8) is nobody's yet, nor to be dispatched.
    """
    rows = await connection.fetch(
        """
        SELECT id, number, seq, product_line, engineer, engineer_name FROM issues
        WHERE closed_at IS NULL AND stage = ANY($1) AND (engineer IS NOT NULL OR lead IS NOT NULL)
        ORDER BY registered_at, id
        """,
        list(ACTIONS[ActionName.REASSIGN].rule.stages),
    )
    staff = {each.id: each for each in await members(connection)}
    return [
        OpenIssue(
            **{name: row[name] for name in ("id", "number", "seq", "product_line")},
            engineer=person(row["engineer"], row["engineer_name"]),
            member=staff.get(row["engineer"]),
        )
        for row in rows
    ]


def _centre(row: _Row) -> Centre:
    return Centre(
        centre=row["id"],
        name=row["name"],
        regions=tuple(row["regions"]),
        zone=row["zone"],
        calendar=row["calendar"],
        nearest=tuple(row["nearest"]),
    )


def _channel(row: _Row) -> DeliveryChannel:
    return DeliveryChannel(
        channel=row["id"],
        **{name: row[name] for name in ("url", "per_minute", "customers")},
    )


def _member(row: _Row) -> Member:
    return Member(
        person=row["id"],
        **{name: row[name] for name in ("name", "role", "department", "centre", "shift")},
        certified=tuple(row["certified"]),
        tests=tuple(row["tests"]),
        skills=tuple(row["skills"]),
        contacts=tuple(row["contacts"]),
        exceptions=tuple(row["exceptions"]),
    )
