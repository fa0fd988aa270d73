"""The ledger of an issue with all it takes to explain it: by which rulebook each promise was
planned, and what its policy may ask about the issue.
"""

from __future__ import annotations

from typing import NamedTuple

from domain.sla.policy import Facts
from domain.sla.promise import Promise, PromiseKind
from store.connection import Connection
from store.issue_reader import promise
from store.issue_writer import whole_facts
from store.roster import channels


class Planned(NamedTuple):
    """A promise, and the version of the rulebook it was planned by."""

    promise: Promise
    rulebook: str


async def calendars_in_use(connection: Connection) -> list[str]:
    """Name the calendars that running promises go by."""
    rows = await connection.fetch(
        "SELECT DISTINCT calendar FROM promises WHERE ended_at IS NULL ORDER BY calendar"
    )
    return [row["calendar"] for row in rows]


async def nearest(connection: Connection, calendar: str | None) -> str | None:
    """Find an open issue that goes by a calendar; None: by any, one of which something is
    provisional before all others.
    """
    found: str | None = await connection.fetchval(
        """
        SELECT issue_id FROM promises
        WHERE ended_at IS NULL AND ($1::text IS NULL OR calendar = $1)
        ORDER BY provisional DESC, due_at, issue_id LIMIT 1
        """,
        calendar,
    )
    return found


class Ledger(NamedTuple):
    """All promises of an issue, in the order in which an issue shows them."""

    number: str
    facts: Facts
    promises: tuple[Planned, ...]


async def of_issue(connection: Connection, number_or_id: str) -> Ledger | None:
    """Read it by number or workflow id; None if there is no such issue."""
    row = await connection.fetchrow(
        "SELECT * FROM issues WHERE number = $1 OR id = $1", number_or_id
    )
    if row is None:
        return None
    rows = await connection.fetch(
        """
        SELECT * FROM promises WHERE issue_id = $1
        ORDER BY generation, array_position($2::text[], kind), attempt
        """,
        *(row["id"], list(PromiseKind)),
    )
    return Ledger(
        number=row["number"],
        facts=whole_facts(row, await channels(connection)),
        promises=tuple(Planned(promise(each), each["rulebook"]) for each in rows),
    )
