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
from typing import TypeAlias

from store.connection import Connection

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


async def never_again(connection: Connection, known: Iterable[str] = ()) -> None:
    """Let no number be given out that anybody may have heard of: of the register, its messages and
    its trail, or ``known``, such as Temporal's. Reads all of them; belongs to the caller's
    transaction.

    Days up to now, wherever on earth, get a floor besides, for what only a lost register knew.
    """
    await connection.execute(f"SET LOCAL statement_timeout = '{_PATIENCE}s'")
    highest: Serials = defaultdict(int)
    for number in known:
        _hear(highest, _NUMBER.fullmatch(number))
    async for row in connection.cursor(_GIVEN, prefetch=1000, timeout=_PATIENCE):
        _hear(highest, _NUMBER.fullmatch(row[0]))
    async for row in connection.cursor(_SAID, prefetch=1000, timeout=_PATIENCE):
        for mention in _MENTIONED.finditer(row[0]):
            _hear(highest, mention)
    await connection.executemany(
        """
        INSERT INTO serials AS s (day, agent, last) VALUES ($1, $2, $3)
        ON CONFLICT (day, agent) DO UPDATE SET last = greatest(s.last, excluded.last)
        """,
        [(day, agent, serial) for (day, agent), serial in highest.items()],
    )
    await _raise_floor(connection)


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
