"""Duty in the register: days on which somebody has another shift, and stand-by alarms (R16).

What came with the roster's files goes with them; what somebody entered stays until it is taken
back.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

import asyncpg

from domain.staff.duty import DutyException
from store.connection import Connection


class Overlapping(Exception):
    """Somebody has another shift on some of these days already; the message says which."""


async def enter(connection: Connection, exception: DutyException, by: str | None) -> None:
    """Enter one, in the caller's transaction; ``by`` is None for what comes with the files.

    Raises:
        Overlapping: nothing was entered.
        LookupError: nobody of that name is on the roster.
    """
    if not await _lock(connection, exception.person):
        raise LookupError(f"{exception.person} is not on the roster")
    there = await connection.fetchrow(
        """
        SELECT * FROM duty_exceptions WHERE person = $1 AND first <= $3 AND until >= $2
        ORDER BY first LIMIT 1
        """,
        *(exception.person, exception.first, exception.until),
    )
    if there:
        raise Overlapping(f"{exception}: overlaps with {_exception(there).said}")
    await connection.execute(
        """
        INSERT INTO duty_exceptions (person, first, until, shift, reason, recorded_by)
        VALUES ($1, $2, $3, $4, $5, $6)
        """,
        *(exception.person, exception.first, exception.until),
        *(exception.shift, exception.reason, by),
    )


async def take_back(connection: Connection, person: str, day: date) -> DutyException | None:
    """End the exception that holds on ``day``, so that the usual shift is back from then on; return
    it as it was. None: there is none.
    """
    await _lock(connection, person)
    row = await connection.fetchrow(
        "SELECT * FROM duty_exceptions WHERE person = $1 AND $2 BETWEEN first AND until",
        *(person, day),
    )
    if row is None:
        return None
    if row["first"] == day:
        await connection.execute(
            "DELETE FROM duty_exceptions WHERE person = $1 AND first = $2", person, day
        )
    else:
        await connection.execute(
            "UPDATE duty_exceptions SET until = $3 WHERE person = $1 AND first = $2",
            *(person, row["first"], day - timedelta(days=1)),
        )
    return _exception(row)


async def replace_filed(connection: Connection, exceptions: Iterable[DutyException]) -> None:
    """Make these the exceptions that came with the roster's files.

    Raises:
        Overlapping: one shares a day with what somebody entered.
    """
    await connection.execute("DELETE FROM duty_exceptions WHERE recorded_by IS NULL")
    for exception in exceptions:
        await enter(connection, exception, by=None)


async def raise_alarm(connection: Connection, department: str, centre: str, day: date) -> bool:
    """Note that a core group fell under its stand-by share; False if that was noted that day."""
    noted = await connection.execute(
        """
        INSERT INTO standby_alarms (department, centre, day) VALUES ($1, $2, $3)
        ON CONFLICT DO NOTHING
        """,
        *(department, centre, day),
    )
    return noted == "INSERT 0 1"


async def _lock(connection: Connection, person: str) -> bool:
    """Keep others from changing the same person's days until the transaction ends."""
    found = await connection.fetchval(
        "SELECT id FROM members WHERE id = $1 AND left_at IS NULL FOR UPDATE", person
    )
    return found is not None


def _exception(row: asyncpg.Record) -> DutyException:
    return DutyException.model_validate(
        {name: row[name] for name in ("person", "until", "shift", "reason")}
        | {"from": row["first"]}
    )
