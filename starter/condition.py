"""How the desk does, for those who watch it: what is away, its numbers, its last deep audit."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import asyncpg
from temporalio.client import Client
from temporalio.service import RPCError

from domain.errors import SetupError
from domain.findings import Heartbeat
from runtime.revisions import require_head
from starter.polling import not_taken
from store import AWAY, auditing, gauges, heartbeat, standing
from store.connection import Pool
from store.gauges import Gauges

__all__ = ["PATIENCE", "Condition", "Gauges"]

PATIENCE = 2.0
"""Seconds within which a server must answer to count as there."""
_GONE: tuple[type[Exception], ...] = (TimeoutError, SetupError, RPCError, RuntimeError, *AWAY)


class Condition:
    """Asks both servers. Nothing here fails because one is away: that is an answer."""

    def __init__(self, client: Client, pool: Pool) -> None:
        self._client = client
        self._pool = pool

    async def troubles(self) -> dict[str, str]:
        """Say what is not well, and why: PostgreSQL and its version, Temporal, whether the register
        can be written and is open for work, whether workers take it.
        """
        asked: dict[str, Coroutine[Any, Any, object]] = {
            "postgresql": require_head(self._pool),
            "temporal": self._client.service_client.check_health(),
            "writable": heartbeat.beat(self._pool),
            "open": self._require_open(),
            "working": self._require_workers(),
        }
        found = await asyncio.gather(*map(_trouble, asked.values()))
        return {name: said for name, said in zip(asked, found, strict=True) if said}

    async def gauges(self) -> Gauges | None:
        """Count what is open, running and unsaid; None: the register does not answer."""
        try:
            async with asyncio.timeout(PATIENCE):
                return await gauges.read(self._pool)
        except _GONE:
            return None

    async def heartbeat(self) -> Heartbeat | None:
        """Return what the last deep audit found; None: the register does not answer."""
        try:
            async with asyncio.timeout(PATIENCE):
                return await auditing.heartbeat(self._pool)
        except _GONE:
            return None

    async def _require_open(self) -> None:
        now = await standing.standing(self._pool)
        if now.held:  # not why: the reason names issues
            since = f"{now.since:%Y-%m-%d %H:%M} UTC"
            raise SetupError(
                f"the register is older than Temporal since {since}: run `yinuo repair`"
            )

    async def _require_workers(self) -> None:
        if waiting := await not_taken(self._client):
            raise SetupError(f"no worker takes {', '.join(waiting)}: start `yinuo worker`.")


async def _trouble(asking: Coroutine[Any, Any, object]) -> str | None:
    """Say why it is not well; nothing of where servers are, for anybody may ask."""
    try:
        async with asyncio.timeout(PATIENCE):
            return None if await asking is not False else "it is not serving"
    except SetupError as error:
        return str(error).removesuffix(".")
    except _GONE:
        return f"no answer within {PATIENCE:g} s"
    except asyncpg.DiskFullError:
        return "PostgreSQL's disk is full"
    except asyncpg.ReadOnlySQLTransactionError:
        return "PostgreSQL takes no writes: it is a standby, or was set to read only"
    except asyncpg.PostgresError as error:
        return type(error).__name__
