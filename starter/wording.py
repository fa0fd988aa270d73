"""Loading the desk's scripts (R40)."""

from __future__ import annotations

from pathlib import Path

from domain.scripts import Wording
from runtime import wording as files
from runtime.home import user
from store import wordings
from store.connection import Pool
from store.wordings import Loaded


async def load(pool: Pool, wording: Wording, note: str) -> Loaded | None:
    """Make these the desk's scripts; None if they are already."""
    async with pool.acquire() as connection, connection.transaction():
        return await wordings.load(connection, wording, by=user(), note=note)


async def at_start(pool: Pool, policy: Path) -> str:
    """Load the scripts that go with a policy file if they are new or were changed, and say so: what
    was loaded since by hand stands.

    Raises:
        WordingError: they cannot be used.
    """
    path = files.beside(policy)
    read = files.load(path)
    async with pool.acquire() as connection:
        before = await wordings.was_loaded(connection, read.version)
    if before or await load(pool, read, path.name) is None:
        return "as loaded before"
    return f"{path.name}, version {read.version}"
