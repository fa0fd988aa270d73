"""Rulebooks: kept once each under the hash of their content, and which of them counts now."""

from __future__ import annotations

import json
from datetime import datetime
from typing import NamedTuple

from domain.sla.rulebook import Rulebook
from domain.staff.roster import check_fit
from domain.terms import Terms
from domain.vocabulary import Instant, Model
from store import roster
from store.connection import Connection

LOCK = 0x52554C45
"""``RULE``: shared by all who plan by the rulebook that counts, alone for who adopts one."""


NO_POLICY = "the desk has no policy yet: run `yinuo migrate`, or `yinuo up`"


class Adoption(Model):
    """A rulebook was made the one that counts; ``file`` is the version of the policy file it was
    read from, before any notice loaded since was added.
    """

    id: int
    version: str
    file: str | None
    loaded_by: str
    note: str
    adopted_at: Instant


class Current(NamedTuple):
    """The rulebook that counts now, and its version as the register has it."""

    version: str
    rulebook: Rulebook


class Unfit(Exception):
    """The rulebook lacks a calendar or a department that the roster or an open issue needs."""


async def adopt(
    connection: Connection, rulebook: Rulebook, *, by: str, note: str, file: str | None = None
) -> Adoption | None:
    """Make ``rulebook`` the one that counts from now on; None if it does already. Inside the
    caller's transaction.

    Raises:
        Unfit: naming what it lacks.
    """
    await connection.execute("SELECT pg_advisory_xact_lock($1)", LOCK)
    newest = await adoption(connection)
    if newest and newest.version == rulebook.version:
        return None
    await check(connection, rulebook)
    await connection.execute(
        "INSERT INTO rulebooks (version, body) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        rulebook.version,
        json.loads(rulebook.dump()),
    )
    await connection.execute(
        "INSERT INTO adoptions (version, file, loaded_by, note) VALUES ($1, $2, $3, $4)",
        *(rulebook.version, file, by, note),
    )
    return await adoption(connection)


async def adoption(connection: Connection, id_: int | None = None) -> Adoption | None:
    """Return the newest adoption, or that of a number; None before the first."""
    row = await connection.fetchrow(
        "SELECT * FROM adoptions WHERE $1::int IS NULL OR id = $1 ORDER BY id DESC LIMIT 1", id_
    )
    return Adoption.model_validate(dict(row)) if row else None


async def at(connection: Connection, instant: datetime) -> str:
    """Return the version that counted at an instant, or else the first that did after it.

    Raises:
        LookupError: none was ever adopted.
    """
    version: str | None = await connection.fetchval(
        """
        SELECT version FROM adoptions
        ORDER BY adopted_at > $1, CASE WHEN adopted_at <= $1 THEN -id ELSE id END LIMIT 1
        """,
        instant,
    )
    if version is None:
        raise LookupError(NO_POLICY)
    return version


async def is_kept(connection: Connection, version: str) -> bool:
    """Say whether the register has that rulebook."""
    found: bool = await connection.fetchval(
        "SELECT EXISTS (SELECT FROM rulebooks WHERE version = $1)", version
    )
    return found


async def was_loaded(connection: Connection, file: str) -> bool:
    """Say whether a policy file of that version was ever adopted."""
    found: bool = await connection.fetchval(
        "SELECT EXISTS (SELECT FROM adoptions WHERE file = $1)", file
    )
    return found


async def current(connection: Connection) -> Rulebook | None:
    """Return the rulebook that counts now; None before the first was adopted."""
    newest = await adoption(connection)
    return await _read(connection, newest.version) if newest else None


async def check(connection: Connection, rulebook: Rulebook) -> None:
    """Compare a rulebook with what the roster and open issues need.

    Raises:
        Unfit: naming what it lacks, and the first issues that need it.
    """
    if members := await roster.members(connection):
        try:
            check_fit(await roster.centres(connection), members, rulebook)
        except ValueError as error:
            raise Unfit(str(error)) from None
    await _check_terms(connection, rulebook.policy.terms)
    needed = await connection.fetch(
        """
        SELECT calendar, count(*) AS count, min(number) AS first FROM (
            SELECT calendar, number FROM issues WHERE closed_at IS NULL
            UNION SELECT p.calendar, i.number FROM promises p JOIN issues i ON i.id = p.issue_id
            WHERE p.ended_at IS NULL
        ) AS goes_by GROUP BY calendar ORDER BY calendar
        """
    )
    for row in needed:
        if row["calendar"] not in rulebook.calendars:
            more = f" and {row['count'] - 1} more" if row["count"] > 1 else ""
            raise Unfit(
                f"calendars: open issues go by calendar {row['calendar']}, {row['first']}{more}:"
                " keep it"
            )


_SHOWN = 5
"""Issues named of those that stand in the way of a policy."""


async def _check_terms(connection: Connection, terms: Terms) -> None:
    """Refuse to drop what open issues are of or about, or with whom they are (R37)."""
    lacking: list[str] = []
    for column, known in (
        ("kind", terms.kinds),
        ("category", terms.categories),
        ("department", terms.departments),
    ):
        if not known:
            continue
        rows = await connection.fetch(
            f"""
            SELECT {column} AS code, count(*)::int,
                (array_agg(number ORDER BY number))[:$2] AS numbers
            FROM issues WHERE closed_at IS NULL AND {column} <> ALL($1) GROUP BY 1 ORDER BY 1
            """,  # noqa: S608  our own columns
            *(list(known), _SHOWN),
        )
        for row in rows:
            named = ", ".join(row["numbers"]) + (" …" if row["count"] > _SHOWN else "")
            lacking.append(f"{column} {row['code']}: keep it, {row['count']} open: {named}")
    if lacking:
        raise Unfit("\n".join(lacking))


async def _read(connection: Connection, version: str) -> Rulebook:
    body = await connection.fetchval("SELECT body FROM rulebooks WHERE version = $1", version)
    if body is None:
        raise LookupError(f"no rulebook {version} in the register")
    return Rulebook.model_validate_json(json.dumps(body))


class Rulebooks:
    """Rulebooks by version. They never change, so each is read once; which one counts is asked
    every time.
    """

    def __init__(self) -> None:
        self._known: dict[str, Rulebook] = {}

    async def get(self, connection: Connection, version: str) -> Rulebook:
        """Return the rulebook an issue was promised under.

        Raises:
            LookupError: the register has no such version.
        """
        if version not in self._known:
            self._known[version] = await _read(connection, version)
        return self._known[version]

    async def current(self, connection: Connection) -> Current:
        """Return the rulebook that counts now, and until the caller's transaction ends: an issue
        registered by an older one just after it was planned again would be forgotten.

        Raises:
            LookupError: none was ever adopted.
        """
        await connection.execute("SELECT pg_advisory_xact_lock_shared($1)", LOCK)
        newest = await adoption(connection)
        if newest is None:
            raise LookupError(NO_POLICY)
        return await self.known(connection, newest.version)

    async def newest(self, connection: Connection) -> Rulebook | None:
        """Return the rulebook that counts now; None before the first was adopted."""
        newest = await adoption(connection)
        return await self.get(connection, newest.version) if newest else None

    async def known(self, connection: Connection, version: str) -> Current:
        """Return the rulebook that counts, whose version the caller has read."""
        return Current(version, await self.get(connection, version))
