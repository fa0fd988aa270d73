"""Sessions whose people signed out: their cookies count no more, wherever a copy of one is."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from store.connection import Pool


async def end(pool: Pool, ids: Collection[str], at: datetime, over: datetime) -> None:
    """End sessions; those that ended before ``over`` have cookies of no age that counts."""
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("DELETE FROM ended_sessions WHERE ended_at < $1", over)
        await connection.execute(
            "INSERT INTO ended_sessions SELECT unnest($1::text[]), $2 ON CONFLICT DO NOTHING",
            *(list(ids), at),
        )


async def is_over(pool: Pool, id_: str) -> bool:
    """Say whether a session was ended."""
    found: bool = await pool.fetchval(
        "SELECT EXISTS (SELECT FROM ended_sessions WHERE session = $1)", id_
    )
    return found
