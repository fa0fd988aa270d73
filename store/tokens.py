"""Who may come in at the doors: bearer tokens, by their digest, and people by the roster."""

from __future__ import annotations

from datetime import datetime

import asyncpg

from domain.staff.access import Caller
from domain.vocabulary import Code, Instant, Model, Role
from store.connection import Connection, Pool

STAFF = frozenset(Role) - {Role.INTAKE, Role.AUDITOR, Role.CUSTOMER, Role.SYSTEM}
"""Roles that people have by the roster."""


class Token(Model):
    """A token as it is listed; what it is spelt like nobody can tell any more."""

    id: Code
    role: Role
    person: Code
    label: str = ""
    created_at: Instant
    expires_at: Instant | None = None
    revoked_at: Instant | None = None


class Admitted(Model):
    """Somebody a token, or the company's sign-in, lets in."""

    caller: Caller
    token: Code | None = None
    expires_at: Instant | None = None


async def create(connection: Connection, token: Token, digest: bytes) -> None:
    """Let whoever holds the token in."""
    row = token.model_dump()
    places = ", ".join(f"${place}" for place in range(2, len(row) + 2))
    await connection.execute(
        f"INSERT INTO tokens (digest, {', '.join(row)}) VALUES ($1, {places})",  # noqa: S608  columns are the model's
        digest,
        *row.values(),
    )


async def revoke(connection: Connection, id_: str, at: datetime) -> bool:
    """Let nobody in by this token any more; False if there is none that still counts."""
    changed = await connection.execute(
        "UPDATE tokens SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL", id_, at
    )
    return str(changed) == "UPDATE 1"


async def listed(pool: Pool) -> list[Token]:
    """List all tokens, the newest first."""
    rows = await pool.fetch("SELECT * FROM tokens ORDER BY created_at DESC, id")
    return [Token(**{name: row[name] for name in Token.model_fields}) for row in rows]


_LET_IN = """
    SELECT t.id AS token, t.role, t.person AS id, t.expires_at, m.role AS works_as,
           coalesce(m.name, nullif(t.label, ''), t.person) AS name, m.department
    FROM tokens t LEFT JOIN members m ON m.id = t.person AND m.left_at IS NULL
    WHERE t.revoked_at IS NULL AND
"""


async def by_digest(pool: Pool, digest: bytes) -> Admitted | None:
    """Return whom a token lets in; None if it is unknown or revoked, or its person has left the
    roster or works there as something else now. Whether it has expired is the caller's to see.
    """
    return _admitted(await pool.fetchrow(f"{_LET_IN} t.digest = $1", digest))


async def by_id(pool: Pool, id_: str) -> Admitted | None:
    """Return whom a token lets in, as ``by_digest``."""
    return _admitted(await pool.fetchrow(f"{_LET_IN} t.id = $1", id_))


async def by_person(pool: Pool, person: str) -> Admitted | None:
    """Return somebody of the roster as they may act; None if they are not on it."""
    row = await pool.fetchrow(
        """
        SELECT NULL AS token, role, role AS works_as, id, NULL::timestamptz AS expires_at,
               name, department
        FROM members WHERE id = $1 AND left_at IS NULL
        """,
        person,
    )
    return _admitted(row)


def _admitted(row: asyncpg.Record | None) -> Admitted | None:
    if row is None or (row["role"] in STAFF and row["works_as"] != row["role"]):
        return None
    caller = Caller(**{name: row[name] for name in Caller.model_fields})
    return Admitted(caller=caller, token=row["token"], expires_at=row["expires_at"])
