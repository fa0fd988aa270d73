"""Whether the register can be written: found out by writing, for nothing else tells."""

from __future__ import annotations

from store.connection import Pool

_WRITE = """
UPDATE heartbeat SET at = now() WHERE at NOT BETWEEN now() - interval '5 seconds' AND now()
"""
_ROOM = "SELECT count(*) FROM generate_series(1, 50000)"
"""More than `work_mem`, so that it is written to the disk and thrown away: half a megabyte."""


async def beat(pool: Pool) -> None:
    """Write a row and commit it, unless somebody did in the last five seconds: whoever asks, and
    however often, the desk writes no more than that. A standby refuses it.

    A small row finds its place on a full disk too, where an issue does not. So half a megabyte of
    room is asked for as well; it leaves nothing behind, in the log of transactions neither.

    Raises:
        asyncpg.PostgresError: the register cannot be written, and why.
    """
    async with pool.acquire() as connection:
        await connection.execute(_WRITE)
        async with connection.transaction():
            await connection.execute("SET LOCAL work_mem = '64kB'")
            await connection.execute(_ROOM)
