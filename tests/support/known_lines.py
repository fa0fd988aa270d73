"""Product lines that a roster knows of, and nobody can do: somebody was certified for them once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from store.connection import Pool


@asynccontextmanager
async def lapsed(pool: Pool, line: str) -> AsyncIterator[None]:
    """Let the desk know of a product line for a while; the roster stays as it was."""
    certified = await pool.fetchval("SELECT certified FROM members WHERE id = 'ou.zixuan'")
    change = "UPDATE members SET certified = $1 WHERE id = 'ou.zixuan'"
    await pool.execute(change, [*certified, {"product_line": line, "until": "2020-01-01"}])
    try:
        yield
    finally:
        await pool.execute(change, certified)
