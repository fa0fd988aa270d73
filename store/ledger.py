"""The ledger of an issue with all it takes to explain it: by which rulebook each promise was
planned, and what its policy may ask about the issue.
"""

from __future__ import annotations

from typing import NamedTuple

from domain.sla.policy import Facts
from domain.sla.promise import Promise, PromiseKind
from store.connection import Connection
from store.issue_reader import promise
from store.issue_writer import facts


class Planned(NamedTuple):
    """A promise, and the version of the rulebook it was planned by."""

    promise: Promise
    rulebook: str


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
        facts=facts(row),
        promises=tuple(Planned(promise(each), each["rulebook"]) for each in rows),
    )
