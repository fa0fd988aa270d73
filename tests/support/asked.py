"""Counting what a register is asked: each statement is a round trip."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from asyncpg.connection import LoggedQuery

from runtime import postgres
from store.connection import Pool


@asynccontextmanager
async def counting(url: str) -> AsyncIterator[tuple[Pool, list[str]]]:
    """A pool of one connection, and all that it was asked, by the first words of each statement."""
    asked: list[str] = []

    def note(query: LoggedQuery) -> None:
        asked.append(" ".join(query.query.split())[:60])

    async with postgres.pool(url, size=1) as pool:
        async with pool.acquire() as connection:
            connection.add_query_logger(note)
        yield pool, asked
