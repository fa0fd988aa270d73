"""Rulebooks: kept once each, under the hash of their content."""

from __future__ import annotations

import json

from domain.policy import Rulebook
from store.register import Connection


async def keep(connection: Connection, rulebook: Rulebook) -> None:
    """Store a rulebook unless it is there."""
    await connection.execute(
        "INSERT INTO rulebooks (version, body) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        rulebook.version,
        json.loads(rulebook.dump()),
    )


class Rulebooks:
    """Rulebooks by version. They never change, so each is read once."""

    def __init__(self, current: Rulebook) -> None:
        self.current = current
        self.current_version = current.version  # a hash over all its calendars: taken once
        self._known = {self.current_version: current}

    async def get(self, connection: Connection, version: str) -> Rulebook:
        """Return the rulebook an issue was promised under.

        Raises:
            LookupError: the register has no such version.
        """
        if version not in self._known:
            body = await connection.fetchval(
                "SELECT body FROM rulebooks WHERE version = $1", version
            )
            if body is None:
                raise LookupError(f"no rulebook {version} in the register")
            self._known[version] = Rulebook.model_validate_json(json.dumps(body))
        return self._known[version]
