"""What a register is asked, counted as it is asked and not by time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from asyncpg.connection import LoggedQuery

from store.connection import Pool

_ITS_OWN = ("pg_advisory_unlock_all", "typeinfo_tree")
"""What asyncpg may ask on its own: when a connection is given back, and once for a type."""


class Asked:
    """The statements sent over a pool's connections; each is a round trip."""

    def __init__(self) -> None:
        self._statements: list[str] = []

    def hear(self, record: LoggedQuery) -> None:
        if not any(each in record.query for each in _ITS_OWN):
            self._statements.append(record.query)

    async def since(self) -> list[str]:
        """Return what was asked since this was last called."""
        await asyncio.sleep(0)  # asyncpg tells in the next turn of the loop
        heard, self._statements = self._statements, []
        return heard


@asynccontextmanager
async def listening(pool: Pool) -> AsyncIterator[Asked]:
    """Hear all that is asked over a pool, all of whose connections are free."""
    asked = Asked()
    connections = [await pool.acquire() for _ in range(pool.get_max_size())]
    for connection in connections:
        connection.add_query_logger(asked.hear)
        await pool.release(connection)
    yield asked
    for connection in [await pool.acquire() for _ in connections]:
        connection.remove_query_logger(asked.hear)
        await pool.release(connection)
