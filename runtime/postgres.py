"""Connections to PostgreSQL."""

import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from typing import Any, TypeAlias

import asyncpg
from pydantic_core import from_json

from domain.errors import SetupError

_SERVER_SETTINGS = {
    "timezone": "UTC",
    # Every command is a short transaction: one that is not must not hold up the others.
    "statement_timeout": "30s",
    "lock_timeout": "10s",
    "idle_in_transaction_session_timeout": "60s",
}


_Kinds: TypeAlias = type[Exception] | tuple[type[Exception], ...]
_TROUBLES: Mapping[_Kinds, str] = {
    asyncpg.TooManyConnectionsError: (
        "has no connection left: stop workers, doors or whatever else holds some, or raise its"
        " max_connections; then try again"
    ),
    asyncpg.InvalidAuthorizationSpecificationError: (  # a wrong password is one
        "does not let this role in: correct user and password in DATABASE_URL and"
        " YINUO_MIGRATION_URL, or its pg_hba.conf"
    ),
    asyncpg.InvalidCatalogNameError: (
        "has no such database: create it with `createdb`, or correct DATABASE_URL and"
        " YINUO_MIGRATION_URL"
    ),
    asyncpg.InsufficientPrivilegeError: (
        "does not let this role do that: migrations need the role that owns the tables"
        " (YINUO_MIGRATION_URL), all else what `yinuo migrate` grants (docs/operations.md)"
    ),
    asyncpg.UndefinedTableError: "holds no registers yet: run `yinuo migrate`",
    (OSError, asyncpg.PostgresError, asyncpg.InterfaceError): (
        "does not answer. Start the desk with `yinuo up`, or set DATABASE_URL"
    ),
}
"""What can be wrong with a connection, and what to do; the first that fits counts."""


@contextmanager
def explained() -> Iterator[None]:
    """Tell why PostgreSQL cannot be had in a sentence that says what to do.

    Raises:
        SetupError: that sentence.
    """
    try:
        yield
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        said = next(what for kinds, what in _TROUBLES.items() if isinstance(error, kinds))
        why = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise SetupError(f"PostgreSQL {said}. ({why})") from error


async def role_of(url: str) -> str:
    """The role that this address connects as.

    Raises:
        SetupError: it cannot be had.
    """
    with explained():
        connection = await asyncpg.connect(url)
        try:
            return str(await connection.fetchval("SELECT current_user"))
        finally:
            await connection.close()


@asynccontextmanager
async def pool(
    url: str, *, size: int, min_size: int = 1, application: str = "yinuo"
) -> "AsyncIterator[asyncpg.Pool[Any]]":
    """A pool of at most `size` connections.

    `json` and `jsonb` columns are Python values. `application` is what `pg_stat_activity` shows.
    With a `min_size` of 0 it opens while PostgreSQL is away, too.

    Raises:
        SetupError: no connection is to be had.
    """
    connections = asyncpg.create_pool(
        url,
        min_size=min(min_size, size),
        max_size=size,
        command_timeout=40,  # beyond statement_timeout: the server's own message is better
        init=_register_codecs,
        reset=_nothing_to_reset,
        server_settings={**_SERVER_SETTINGS, "application_name": application},
    )
    with explained():
        await connections
    async with connections:
        yield connections


async def _nothing_to_reset(connection: "asyncpg.Connection[Any]") -> None:
    """Save the round trip in which asyncpg would reset what nothing here changes: settings, locks
    and cursors are a transaction's, and nobody listens. A transaction left open it ends before.
    """


async def _register_codecs(connection: "asyncpg.Connection[Any]") -> None:
    for name in ("json", "jsonb"):
        await connection.set_type_codec(
            name,
            schema="pg_catalog",
            encoder=partial(json.dumps, ensure_ascii=False, separators=(",", ":")),
            decoder=from_json,
        )
