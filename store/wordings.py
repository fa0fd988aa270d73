"""The desk's scripts (R40): every version that was loaded is kept; the one loaded last counts."""

from __future__ import annotations

from domain.scripts import Wording
from domain.vocabulary import Instant, Model
from store.connection import Connection

_LOCK = 0x574F5244
"""``WORD``: two who load scripts at once do so one after the other."""


class Loaded(Model):
    """Scripts that were loaded."""

    id: int
    version: str
    loaded_by: str
    note: str
    loaded_at: Instant


async def load(connection: Connection, wording: Wording, *, by: str, note: str) -> Loaded | None:
    """Make these the scripts that count from now on; None if they do already. Inside the caller's
    transaction.
    """
    await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
    newest = await loaded(connection)
    if newest and newest.version == wording.version:
        return None
    await connection.execute(
        "INSERT INTO wordings (version, body, loaded_by, note) VALUES ($1, $2, $3, $4)",
        *(wording.version, wording.model_dump(mode="json"), by, note),
    )
    return await loaded(connection)


async def loaded(connection: Connection) -> Loaded | None:
    """Say which scripts count now; None before the first were loaded."""
    row = await connection.fetchrow(
        "SELECT id, version, loaded_by, note, loaded_at FROM wordings ORDER BY id DESC LIMIT 1"
    )
    return Loaded.model_validate(dict(row)) if row else None


async def was_loaded(connection: Connection, version: str) -> bool:
    """Say whether scripts of that version ever counted."""
    found: bool = await connection.fetchval(
        "SELECT EXISTS (SELECT FROM wordings WHERE version = $1)", version
    )
    return found


class Wordings:
    """The scripts that count: read again only when others were loaded, which is asked each time."""

    def __init__(self) -> None:
        self._known: dict[str, Wording] = {}

    async def newest(self, connection: Connection) -> Wording | None:
        """Return the scripts that count now; None before the first were loaded."""
        newest = await loaded(connection)
        if newest is None:
            return None
        if newest.version not in self._known:
            body = await connection.fetchval("SELECT body FROM wordings WHERE id = $1", newest.id)
            self._known = {newest.version: Wording.model_validate(body)}
        return self._known[newest.version]
