"""Counting what is watched from afar (R27): it must hold nobody up."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from domain.reports.watched import WATCHED, Watched, Window, watched
from domain.terms import Terms
from store.connection import Pool
from store.reports.counting import count_in

_MODEST = "SET LOCAL statement_timeout = '10s'; SET LOCAL max_parallel_workers_per_gather = 0"
"""Steps are taken on the same server: one processor of it, and no statement for long."""


async def count(pool: Pool, *, zone: ZoneInfo, terms: Terms, now: datetime) -> Watched:
    """Count all windows at one moment of the register, over one connection.

    Raises:
        LookupError: no rulebook was ever adopted.
    """
    today = now.astimezone(zone).date()
    async with (
        pool.acquire() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        await connection.execute(_MODEST)
        counted = {
            window: await count_in(
                *(connection, WATCHED[window.cadence], window.around(today)),
                zone=zone,
                terms=terms,
                now=now,
            )
            for window in Window
        }
    return watched(counted, now)
