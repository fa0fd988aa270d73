"""Evaluations without a link (R26): kept, found to be somebody's or not, counted once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg

from domain.errors import Refused
from domain.opinions import Counting, FromAnybody, FromStaff, Opinion, Scored, Waits, Way
from domain.vocabulary import Actor, Stage
from store.connection import Connection, Pool

MOST = 200
"""Forms of a list."""
_SCORED_IN = (Stage.REPLIED, Stage.CALLBACK, Stage.CLOSED)
"""When the customer has our answer, and so something to score."""


async def from_website(
    pool: Pool, key: str, opinion: FromAnybody, now: datetime, zone: ZoneInfo
) -> None:
    """Keep what somebody filled in at the open door; the same ``key`` is kept once. It counts if
    number and telephone are an issue's and its customer has our answer; else it waits for a person.
    Nothing tells which: it costs the same statements either way.
    """
    async with pool.acquire() as connection, connection.transaction():
        issue = await connection.fetchrow(
            """
            SELECT id, engineer, department FROM issues
            WHERE number = $1 AND dialled(phone) = dialled($2) AND stage = ANY($3)
            """,
            *(opinion.number, opinion.phone, list(_SCORED_IN)),
        )
        # Whoever has the customer's telephone is the customer, whatever they call themselves.
        person = "customer" if issue else None
        counting = Counting.COUNTS if issue else Counting.UNVERIFIED
        found = _Found(opinion, key, now, zone, issue=issue, phone=opinion.phone)
        await _keep(connection, found, Way.WEBSITE, counting, person=person)


async def from_staff(
    pool: Pool, key: str, opinion: FromStaff, by: Actor, now: datetime, zone: ZoneInfo
) -> None:
    """Keep what somebody of ours heard or has on paper; the same ``key`` is kept once. Whether they
    may write it for that issue is the caller's to ask.

    Raises:
        Refused: ``Invalid``: there is no such issue; ``NotAllowed``: it was scored before.
    """
    async with pool.acquire() as connection, connection.transaction():
        issue = None
        if opinion.number:
            issue = await _issue(connection, opinion.number)
            if issue is None:
                raise Refused("Invalid", f"number: there is no issue {opinion.number}")
        found = _Found(opinion, key, now, zone, issue=issue, by=by)
        repeats = await _keep(connection, found, opinion.way, Counting.COUNTS, person=None)
        if repeats:
            items = ", ".join(repeats)
            raise Refused("NotAllowed", f"{opinion.assessor} has scored {items} of this before")


async def waiting(pool: Pool) -> list[Waits]:
    """List the forms of which nobody knows yet whose they are, oldest first."""
    rows = await pool.fetch(
        "SELECT * FROM opinions WHERE counting = 'unverified' ORDER BY at, key, item LIMIT $1",
        MOST * 3,
    )
    return [_waits(list(form)) for _, form in groupby(rows, key=lambda row: row["key"])]


async def settle(
    pool: Pool, key: str, by: Actor, now: datetime, *, counts: bool, department: str | None
) -> None:
    """Say whether a form counts: a person found out whose it is, so it belongs to the issue that it
    names. Said again, nothing changes.

    Raises:
        Refused: ``NotFound``; ``NotAllowed``: the other was said before.
    """
    async with pool.acquire() as connection, connection.transaction():
        await _one_by_one(connection)
        rows = await connection.fetch("SELECT * FROM opinions WHERE key = $1", key)
        if not rows:
            raise Refused("NotFound", "there is no such evaluation")
        open_ = [row for row in rows if row["counting"] == Counting.UNVERIFIED]
        if not open_:
            left_out = all(row["counting"] == Counting.LEFT_OUT for row in rows)
            if left_out == counts:
                raise Refused("NotAllowed", "somebody decided otherwise on this evaluation before")
            return
        issue = await _issue(connection, rows[0]["number"]) if counts else None
        subject = issue["id"] if issue else rows[0]["subject"]
        for row in open_:
            counting = Counting.LEFT_OUT
            if counts:
                before = await _before(connection, subject, row["item"], row["person"])
                counting = Counting.REPEATED if before else Counting.COUNTS
            await connection.execute(
                """
                UPDATE opinions SET counting = $3, settled_by = $4, settled_at = $5,
                    department = coalesce(department, $6), subject = $7, issue_id = $8,
                    engineer = $9
                WHERE key = $1 AND item = $2
                """,
                *(key, row["item"], counting, by.id, now),
                *(issue["department"] if issue else department, subject),
                *((issue["id"], issue["engineer"]) if issue else (None, None)),
            )


async def _issue(connection: Connection, number: str | None) -> asyncpg.Record | None:
    return await connection.fetchrow(
        "SELECT id, engineer, department FROM issues WHERE number = $1", number
    )


class _Found:
    """An evaluation with what is known of it."""

    def __init__(
        self,
        opinion: Opinion,
        key: str,
        now: datetime,
        zone: ZoneInfo,
        *,
        issue: asyncpg.Record | None,
        by: Actor | None = None,
        phone: str | None = None,
    ) -> None:
        self.opinion = opinion
        self.subject = issue["id"] if issue else opinion.subject
        self.row: dict[str, Any] = {
            "key": key,
            "at": now,
            "written_by": by.id if by else None,
            "issue_id": issue["id"] if issue else None,
            "engineer": issue["engineer"] if issue else None,
            "department": issue["department"] if issue else None,
            "phone": phone,
            "subject": self.subject,
            **opinion.model_dump(include={*_SHARED}),
            "scored_on": opinion.scored_on or now.astimezone(zone).date(),
        }


_SHARED = tuple(name for name in Opinion.model_fields if name != "scores")


async def _keep(
    connection: Connection, found: _Found, way: Way, counting: Counting, *, person: str | None
) -> list[str]:
    """Write a form down, a row each item; return the items that were scored before."""
    await _one_by_one(connection)
    repeats = []
    sent = await connection.fetchval("SELECT true FROM opinions WHERE key = $1", found.row["key"])
    if sent:
        return []
    row = found.row | {"way": way, "person": person or found.opinion.assessor}
    for scored in found.opinion.scores:
        before = await _before(connection, found.subject, scored.item, row["person"])
        this = Counting.REPEATED if before and counting is Counting.COUNTS else counting
        if this is Counting.REPEATED:
            repeats.append(str(scored.item))
        values = row | scored.model_dump() | {"counting": this}
        places = ", ".join(f"${place}" for place in range(1, len(values) + 1))
        await connection.execute(
            f"INSERT INTO opinions ({', '.join(values)}) VALUES ({places})",  # noqa: S608  ours
            *values.values(),
        )
    return repeats


async def _before(connection: Connection, subject: str, item: str, person: str) -> bool:
    """Say whether somebody has scored that before, by a link or without."""
    return bool(
        await connection.fetchval(
            """
            SELECT EXISTS (SELECT FROM opinions WHERE subject = $1 AND item = $2
                    AND lower(person) = lower($3) AND counting = 'counts')
                OR EXISTS (SELECT FROM evaluations WHERE issue_id = $1 AND item = $2
                    AND lower(person) = lower($3))
            """,
            *(subject, item, person),
        )
    )


async def _one_by_one(connection: Connection) -> None:
    """Let two forms take turns, or both would be the first."""
    await connection.execute("SELECT pg_advisory_xact_lock(hashtext('opinions'))")


def _waits(rows: Sequence[asyncpg.Record]) -> Waits:
    first = rows[0]
    scores = [Scored(**{name: row[name] for name in Scored.model_fields}) for row in rows]
    said = {name: first[name] for name in _SHARED}
    return Waits(
        key=first["key"],
        at=first["at"],
        opinion=Opinion(scores=tuple(scores), **said),
        phone=first["phone"],
    )
