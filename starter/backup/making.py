"""Making a backup of the embedded desk, at work or at rest.

Temporal is copied first, the register second. So the register of an archive is never older than
its Temporal: it knows every step and number, workflows catch up with it by themselves, and what was
sent counts as sent. The other way round what happened between the copies would be in Temporal
alone, and the register held until it is repaired. Attachments come last: they are written before
the register speaks of them.
"""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from shutil import copyfile
from typing import Any

import asyncpg
from temporalio.service import RPCError

from domain.errors import SetupError
from domain.standing import Epoch
from runtime import temporal
from runtime.embedded.servers import EmbeddedPostgres, postgres_program
from runtime.lives import Lives
from runtime.settings import Settings, given_temporal
from starter.backup import archive
from starter.backup.archive import ATTACHMENTS, REGISTER, SECRET, TEMPORAL, Manifest
from store import AWAY, standing

_PATIENCE = 3600.0
"""Seconds a copy of the register may take."""
_BUSY = 60.0
"""Seconds to wait for Temporal's file."""


def require_embedded(settings: Settings) -> None:
    """Go on only with servers of ours.

    Raises:
        SetupError: they are given ones.
    """
    for name, given in (
        ("DATABASE_URL", settings.database_url),
        ("TEMPORAL_ADDRESS", given_temporal().get("target_host")),
    ):
        if given is not None:
            raise SetupError(
                f"{name} names a server that is not ours to back up or restore: docs/backup.md says"
                " how both sides are, in which order"
            )


async def back_up(settings: Settings, to: Path) -> Manifest:
    """Write a backup of the desk into the archive ``to``, and read it back.

    Raises:
        SetupError: there is no desk, it could not be copied, or ``to`` exists.
    """
    require_embedded(settings)
    temporals = settings.home / "temporal.db"
    _look(settings.home, to)
    try:
        with tempfile.TemporaryDirectory(prefix=".yinuo-backup-", dir=to.parent) as temporary:
            manifest = await _copied(settings, temporals, Path(temporary))
            # Last: what a row of the register speaks of is there by now.
            kept = None if manifest.attachments is None else settings.home / ATTACHMENTS
            await asyncio.to_thread(archive.write, to, manifest, Path(temporary), kept)
    except OSError as error:
        raise SetupError(f"{to}: {error.strerror or error}") from error
    return await asyncio.to_thread(archive.read, to)


def _look(home: Path, to: Path) -> None:
    if not (home / "temporal.db").exists() or not (home / "postgres").exists():
        raise SetupError(f"{home} holds no desk: nothing to back up")
    if to.exists():
        raise SetupError(f"{to} exists: name another file with --out")


async def _copied(settings: Settings, temporals: Path, directory: Path) -> Manifest:
    theirs = await _temporal_epoch(settings)
    await asyncio.to_thread(_copy_temporal, temporals, directory / TEMPORAL)
    async with _register(settings) as server:
        facts = await _facts(server)
        await _copy_register(server, directory / REGISTER)
    names = [TEMPORAL, REGISTER]
    if (settings.home / "secret").exists():  # else it is in YINUO_SECRET
        copyfile(settings.home / "secret", directory / SECRET)
        names.append(SECRET)
    files = {name: await asyncio.to_thread(archive.described, directory / name) for name in names}
    if settings.attachments:
        facts["attachments"] = None  # in a bucket, which is backed up by its own means
    return Manifest(
        desk=version("yinuo"),
        made_at=datetime.now(UTC),
        temporal_epoch=theirs,
        files=files,
        **facts,
    )


async def _temporal_epoch(settings: Settings) -> Epoch | None:
    try:
        return await Lives(await temporal.connect(settings)).epoch()
    except (SetupError, RPCError):
        return None


def _copy_temporal(source: Path, target: Path) -> None:
    """By SQLite's own means: one moment of a file that is being written to."""
    with (
        closing(sqlite3.connect(f"file:{source}?mode=rw", uri=True, timeout=_BUSY)) as ours,
        closing(sqlite3.connect(target)) as copy,
    ):
        ours.backup(copy)
    check_temporal(target, source)


def check_temporal(copy: Path, what: Path) -> None:
    """See whether a copy of Temporal's file is sound; ``what`` it was copied from.

    Raises:
        SetupError: it is not.
    """
    try:
        with closing(sqlite3.connect(copy)) as opened:
            (found,) = opened.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.DatabaseError as error:
        found = str(error)
    if found != "ok":
        raise SetupError(f"{what}: Temporal's data is damaged ({found})")


@asynccontextmanager
async def _register(settings: Settings) -> AsyncIterator[EmbeddedPostgres]:
    """The register's server; one that is at rest is started for it."""
    server = EmbeddedPostgres(settings.home)
    try:
        connection = await asyncpg.connect(server.url, timeout=5)
    except AWAY:
        async with server:
            yield server
    else:
        await connection.close()
        yield server


async def _facts(server: EmbeddedPostgres) -> dict[str, Any]:
    connection = await asyncpg.connect(server.url, timeout=10)
    try:
        return {
            "register_epoch": await standing.newest_epoch(connection),
            **await standing.extent(connection),
        }
    except asyncpg.UndefinedTableError as error:
        raise SetupError("the desk is of an older version: start it once before") from error
    finally:
        await connection.close()


async def _copy_register(server: EmbeddedPostgres, target: Path) -> None:
    """The whole server, with its roles, and the log that makes the copy one moment's."""
    arguments = "--pgdata=- --format=tar --wal-method=fetch --checkpoint=fast --no-password"
    with target.open("xb") as output:
        await _run(
            postgres_program("pg_basebackup"),
            f"--dbname={server.url_of('postgres')}",
            *arguments.split(),
            stdout=output.fileno(),
        )


async def run(*command: str) -> None:
    """Run one of PostgreSQL's programs.

    Raises:
        SetupError: it failed, or took too long; with what it said.
    """
    await _run(*command, stdout=asyncio.subprocess.DEVNULL)


async def _run(*command: str, stdout: int) -> None:
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=stdout,
        stderr=asyncio.subprocess.PIPE,
    )
    name = Path(command[0]).name
    try:
        async with asyncio.timeout(_PATIENCE):
            _, said = await process.communicate()
    except TimeoutError:
        raise SetupError(f"{name} did not end within {_PATIENCE:g} s") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise SetupError(f"{name} failed: {said.decode(errors='replace').strip()}")
