"""Issue numbers: date, agent, and a serial of that agent and day, without gaps (vocabulary).

A number goes out in messages, and what a lost register gave out nobody can look up. So after a
restore the serials of the days up to now begin in another ten thousand.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from datetime import date, datetime
from typing import NamedTuple, TypeAlias

from store.connection import Connection, Pool

_NUMBER = re.compile(r"([0-9]{8})-([\w.+-]{1,64})-([0-9]{4,9})")
_MENTIONED = re.compile(r"(?<![0-9])([0-9]{8})-([\w.+-]{1,64}?)-([0-9]{4,6})(?![0-9])")
"""Six digits at most: customers write into messages, and must not use numbers up."""
_BLOCK = 10_000
_PATIENCE = 600
"""Seconds for reading everything that was ever said."""

_GIVEN = "SELECT number FROM issues"
_SAID = """
    SELECT number FROM door_log WHERE number IS NOT NULL
    UNION ALL SELECT number FROM link_uses
    UNION ALL SELECT key FROM outbox
    UNION ALL SELECT subject || E'\\n' || body FROM outbox
    UNION ALL SELECT content::text FROM issue_events
"""

Serials: TypeAlias = defaultdict[tuple[date, str], int]


class LaggingSerial(NamedTuple):
    """An agent's day that would give numbers out again: its counter, and the highest given out."""

    day: date
    agent: str
    counted: int
    given_out: int


async def behind(pool: Pool, known: Iterable[str]) -> list[LaggingSerial]:
    """Find agents and days whose next number was given out before, by the register or as
    ``known``.
    """
    async with (
        pool.acquire() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        highest = await _given_out(connection, known)
        rows = await connection.fetch("SELECT day, agent, last FROM serials")
    counted = {(row["day"], row["agent"]): int(row["last"]) for row in rows}
    return [
        LaggingSerial(*place, counted.get(place, 0), last)
        for place, last in sorted(highest.items())
        if counted.get(place, 0) < last
    ]


async def go_on_above(connection: Connection, *numbers: str) -> None:
    """Let the serials of these numbers' agents and days go on above them."""
    highest: Serials = defaultdict(int)
    for number in numbers:
        _hear(highest, _NUMBER.fullmatch(number))
    await _raise(connection, highest)


async def go_on_above_all(connection: Connection) -> None:
    """Let all numbers go on above the register's; belongs to the caller's transaction."""
    await _raise(connection, await _given_out(connection))


async def never_again(connection: Connection, known: Iterable[str] = ()) -> None:
    """Let no number be given out that anybody may have heard of: of the register, its messages and
    its trail, or ``known``, such as Temporal's. Reads all of them; belongs to the caller's
    transaction.

    Days up to now, wherever on earth, get a floor besides, for what only a lost register knew.
    """
    await connection.execute(f"SET LOCAL statement_timeout = '{_PATIENCE}s'")
    highest = await _given_out(connection, known)
    async for row in connection.cursor(_SAID, prefetch=1000, timeout=_PATIENCE):
        for mention in _MENTIONED.finditer(row[0]):
            _hear(highest, mention)
    await _raise(connection, highest)
    await _raise_floor(connection)


async def _given_out(connection: Connection, known: Iterable[str] = ()) -> Serials:
    """Read the highest serials of the register's numbers and those ``known``."""
    highest: Serials = defaultdict(int)
    for number in known:
        _hear(highest, _NUMBER.fullmatch(number))
    async for row in connection.cursor(_GIVEN, prefetch=1000, timeout=_PATIENCE):
        _hear(highest, _NUMBER.fullmatch(row[0]))
    return highest


async def _raise(connection: Connection, highest: Serials) -> None:
    await connection.executemany(
        """
        INSERT INTO serials AS s (day, agent, last) VALUES ($1, $2, $3)
        ON CONFLICT (day, agent) DO UPDATE SET last = greatest(s.last, excluded.last)
        """,
        [(day, agent, serial) for (day, agent), serial in highest.items()],
    )


def _hear(highest: Serials, number: re.Match[str] | None) -> None:
    if number is None:
        return
    day, agent, serial = number.groups()
    with suppress(ValueError):  # no day of any calendar
        place = datetime.strptime(day, "%Y%m%d").date(), agent  # noqa: DTZ007  a day, no instant
        highest[place] = max(highest[place], int(serial))


async def _raise_floor(connection: Connection) -> None:
    """Begin another block, above every serial of the days that may still be numbered today."""
    await connection.execute(
        """
        WITH today AS (SELECT (now() AT TIME ZONE 'Etc/GMT-14')::date AS day)
        UPDATE standing SET floor_until = today.day, serial_floor = $1 * (1 + greatest(
            serial_floor, (SELECT max(last) FROM serials WHERE serials.day >= today.day - 1)) / $1)
        FROM today
        """,
        _BLOCK,
    )
    await connection.execute(
        """
        UPDATE serials SET last = greatest(last, serial_floor)
        FROM standing WHERE day <= floor_until AND last < serial_floor
        """
    )
