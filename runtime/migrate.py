"""Database migrations: one at a time, whoever asks, and never waiting behind a lock for ever.

They are the business of the role that owns the tables. What the application's role may do with
them is said anew after each (runtime/grants.py).
"""

from pathlib import Path

import asyncpg
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from domain.errors import SetupError
from runtime import postgres
from runtime.grants import grant
from runtime.revisions import SCRIPTS, head

_ADVISORY_LOCK = 0x59494E554F  # "YINUO"
_LOCK_NOT_AVAILABLE = "55P03"
_MAY_NOT = asyncpg.InsufficientPrivilegeError


async def migrate(
    owner_url: str,
    application_url: str | None = None,
    *,
    lock_timeout: float = 60,
    scripts: Path = SCRIPTS,
) -> str | None:
    """Bring the database to the newest revision, which is returned; safe to repeat.

    The role of `application_url` then has its rights, if it is another than the owner. Another
    migration is waited for up to `lock_timeout` seconds, and so is a table in use.

    Raises:
        SetupError: no connection is to be had, a role may not do what it should, or a lock was not
            to be had in time; nothing of that revision was done.
    """
    role = await postgres.role_of(application_url or owner_url)
    engine = create_async_engine(
        "postgresql+asyncpg://",
        async_creator=lambda: asyncpg.connect(
            owner_url, server_settings={"application_name": "yinuo migrate"}
        ),
        poolclass=NullPool,
    )
    try:
        with postgres.explained():
            await _migrate(engine, role, lock_timeout, scripts)
    finally:
        await engine.dispose()
    return head(scripts)


async def _migrate(engine: AsyncEngine, role: str, lock_timeout: float, scripts: Path) -> None:
    try:
        async with engine.connect() as connection:
            await connection.execute(text(f"SET lock_timeout = {int(lock_timeout * 1000)}"))
            # Held by the session, not the transaction: each revision has a transaction of its own.
            await connection.execute(text(f"SELECT pg_advisory_lock({_ADVISORY_LOCK})"))
            await connection.commit()
            await connection.run_sync(_upgrade, scripts)
            if role != await connection.scalar(text("SELECT current_user")):
                await connection.run_sync(grant, role)
                await connection.commit()
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) != _LOCK_NOT_AVAILABLE:
            if isinstance(cause := getattr(error.orig, "__cause__", None), _MAY_NOT):
                raise cause from error
            raise
        raise SetupError(
            f"the database could not be migrated: a lock was held by another session for more than"
            f" {lock_timeout:g} s (another `yinuo migrate`, or a long transaction; see"
            " pg_stat_activity). Nothing is half-done; run `yinuo migrate` again."
        ) from error


def _config(scripts: Path) -> Config:
    config = Config()
    config.set_main_option("script_location", str(scripts).replace("%", "%%"))
    return config


def _upgrade(connection: Connection, scripts: Path) -> None:
    config = _config(scripts)
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
