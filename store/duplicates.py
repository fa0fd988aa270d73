"""Which issues are about the same: linked, or merged, and whom one of them answers besides its own
customer.
"""

from __future__ import annotations

from domain.issue.duplicates import Side, Sort, addresses_of
from domain.issue.forms import Party
from domain.terms import behaviour_of
from domain.vocabulary import Behaviour, Model, Stage
from store.connection import Connection, Pool


class Related(Model):
    """An issue's relatives by number: those it is linked with, whoever linked them; the one that
    speaks for it; those it speaks for.
    """

    linked: tuple[str, ...] = ()
    merged_into: str | None = None
    merged: tuple[str, ...] = ()


async def related(pool: Pool, issue_id: str) -> Related:
    """Say which issues are about the same as this one."""
    row = await pool.fetchrow(
        """
        SELECT
            ARRAY(
                SELECT i.number FROM issues i JOIN (
                    SELECT other AS id FROM issue_links WHERE issue_id = $1
                    UNION SELECT issue_id FROM issue_links WHERE other = $1
                ) linked USING (id) ORDER BY i.number
            ) AS linked,
            (SELECT s.number FROM issues i JOIN issues s ON s.id = i.merged_into
             WHERE i.id = $1) AS merged_into,
            ARRAY(
                SELECT number FROM issue_parties WHERE issue_id = $1 ORDER BY since, number
            ) AS merged
        """,
        issue_id,
    )
    return Related(**dict(row)) if row else Related()


async def standing(connection: Connection, named: str) -> Side | None:
    """Say how an issue stands, by its number or id; None: there is none."""
    row = await connection.fetchrow(
        "SELECT id, number, stage, kind, behaves, department FROM issues"
        " WHERE number = $1 OR id = $1",
        named,
    )
    if row is None:
        return None
    behaves = Behaviour(row["behaves"]) if row["behaves"] else behaviour_of(row["kind"])
    return Side(
        id=row["id"],
        number=row["number"],
        stage=Stage(row["stage"]),
        sort=Sort(row["kind"], behaves),
        department=row["department"],
    )


async def reached(connection: Connection, issue_id: str) -> frozenset[str]:
    """Say how everybody is reached whom an issue answers."""
    rows = await connection.fetch(
        "SELECT phone, email FROM issues WHERE id = $1"
        " UNION ALL SELECT phone, email FROM issue_parties WHERE issue_id = $1",
        issue_id,
    )
    return frozenset().union(*(addresses_of(row["phone"], row["email"]) for row in rows))


async def are_linked(connection: Connection, one: str, other: str) -> bool:
    """Say whether one of two issues is linked with the other."""
    found = await connection.fetchval(
        "SELECT EXISTS (SELECT FROM issue_links WHERE (issue_id, other) IN (($1, $2), ($2, $1)))",
        *(one, other),
    )
    return bool(found)


async def speaks_for(pool: Pool, survivor: str, party_id: str) -> bool:
    """Say whether an issue has taken another over."""
    found = await pool.fetchval(
        "SELECT EXISTS (SELECT FROM issue_parties WHERE issue_id = $1 AND party_id = $2)",
        *(survivor, party_id),
    )
    return bool(found)


async def parties(connection: Connection, party: Party) -> list[Party]:
    """Return whom an issue answers that takes another over: its customer, and those whom that one
    answered.
    """
    rows = await connection.fetch(
        """
        SELECT number, id AS party_id, $2::timestamptz AS since,
            coalesce(contact_person, customer_name) AS name,
            phone, email, language, title, site, redirected
        FROM issues WHERE id = $1
        UNION ALL
        SELECT number, party_id, $2, name, phone, email, language, title, site, redirected
        FROM issue_parties WHERE issue_id = $1
        """,
        *(party.party_id, party.since),
    )
    return [Party(**dict(row)) for row in rows]
