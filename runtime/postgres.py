"""Connections to PostgreSQL."""

import json
from functools import partial
from typing import Any

import asyncpg

_SERVER_SETTINGS = {
    "timezone": "UTC",
    # Every command is a short transaction: one that is not must not hold up the others.
    "statement_timeout": "30s",
    "lock_timeout": "10s",
    "idle_in_transaction_session_timeout": "60s",
}


def pool(
    url: str, *, size: int, min_size: int = 1, application: str = "yinuo"
) -> "asyncpg.Pool[Any]":
    """A pool of at most `size` connections, to be awaited or entered.

    `json` and `jsonb` columns are Python values. `application` is what `pg_stat_activity` shows.
    With a `min_size` of 0 it opens while PostgreSQL is away, too.
    """
    return asyncpg.create_pool(
        url,
        min_size=min(min_size, size),
        max_size=size,
        command_timeout=40,  # beyond statement_timeout: the server's own message is better
        init=_register_codecs,
        server_settings={**_SERVER_SETTINGS, "application_name": application},
    )


async def _register_codecs(connection: "asyncpg.Connection[Any]") -> None:
    for name in ("json", "jsonb"):
        await connection.set_type_codec(
            name,
            schema="pg_catalog",
            encoder=partial(json.dumps, ensure_ascii=False, separators=(",", ":")),
            decoder=json.loads,
        )
