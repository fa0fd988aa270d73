"""Restoring the embedded desk from an archive: all of it or nothing, and checked before.

The restored register is started once where nobody sees it: that shows that it can be, and lets its
numbers go on above whatever the lost one gave out. It counts as unproved, so that the desk compares
it with Temporal before it works.
"""

from __future__ import annotations

import asyncio
import shutil
import tarfile
from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

import asyncpg

from domain.errors import SetupError
from runtime.contents.content import place_of
from runtime.embedded.restored import at_rest, finish, put_in_place
from runtime.embedded.servers import EmbeddedPostgres, postgres_program
from runtime.revisions import known_revision
from runtime.settings import Settings
from starter.backup import archive
from starter.backup.archive import ATTACHMENTS, REGISTER, SECRET, TEMPORAL, Manifest
from starter.backup.making import check_temporal, require_embedded, run
from store import attachments, roster, standing, webhooks

Tell = Callable[[str], None]


class Side(StrEnum):
    """What of a desk can be restored alone, for a drill."""

    POSTGRESQL = "postgresql"
    TEMPORAL = "temporal"


_FILES = {
    Side.POSTGRESQL: ("postgres", SECRET, ATTACHMENTS),
    Side.TEMPORAL: ("temporal.db",),
}


async def restore(
    settings: Settings,
    backup: Path,
    *,
    only: Side | None = None,
    force: bool = False,
    mute: bool = False,
    tell: Tell = lambda _: None,
) -> tuple[Manifest, Path | None]:
    """Restore the desk; return what it was restored from, and where what was there before is now.
    ``mute`` leads its channels nowhere and tells no receiver of events: it reaches nobody. ``tell``
    hears what is wrong with it, and yet no reason not to.

    Raises:
        InputError: the archive is no backup, or damaged; nothing was touched.
        SetupError: the desk is running, or there is one and no ``force``; nothing was touched.
    """
    require_embedded(settings)
    await finish(settings.home)
    settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    async with at_rest(settings.home):
        sides = tuple(Side) if only is None else (only,)
        there = [settings.home / name for side in sides for name in _FILES[side]]
        if (found := [path.name for path in there if path.exists()]) and not force:
            raise SetupError(
                f"{settings.home} holds a desk ({', '.join(found)}): with --force it is moved"
                " aside, or set YINUO_HOME"
            )
        ready = settings.home / "restore.new"
        try:
            manifest = await _made_ready(ready, backup, sides, mute=mute, tell=tell)
            aside = put_in_place(
                settings.home, ready, f"before-restore-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
            )
        finally:
            shutil.rmtree(ready, ignore_errors=True)
    if any(aside.iterdir()):
        return manifest, aside
    aside.rmdir()
    return manifest, None


async def check(settings: Settings, backup: Path, tell: Tell = lambda _: None) -> Manifest:
    """See whether an archive is whole and its register can be started; nothing is restored.

    Raises:
        InputError, SetupError: why not.
    """
    settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    trial = settings.home / f"restore.check-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    try:
        return await _made_ready(trial, backup, tuple(Side), tell=tell)
    finally:
        shutil.rmtree(trial, ignore_errors=True)


async def _made_ready(
    ready: Path, backup: Path, sides: tuple[Side, ...], *, mute: bool = False, tell: Tell
) -> Manifest:
    """Unpack and check everything in a directory that holds what is to be put in place, and no more
    when this returns.
    """
    _empty(ready)
    manifest = await asyncio.to_thread(archive.read, backup, ready)
    if not known_revision(manifest.revision):
        raise SetupError(
            f"{backup} was made by a newer version of the desk ({manifest.desk}, revision"
            f" {manifest.revision}): restore it with that one"
        )
    if Side.POSTGRESQL in sides:
        # Of its own, if there are any or not: what was there is another register's.
        (ready / ATTACHMENTS).mkdir(mode=0o700, exist_ok=True)
        lost = await _register(ready, mute=mute)
        if lost and manifest.attachments is not None:
            tell(f"{lost} attachments lack their content: `yinuo audit --deep` will name them")
    else:
        (ready / SECRET).unlink(missing_ok=True)
        shutil.rmtree(ready / ATTACHMENTS, ignore_errors=True)
    (ready / REGISTER).unlink()
    if Side.TEMPORAL in sides:
        await asyncio.to_thread(check_temporal, ready / TEMPORAL, backup)
    else:
        (ready / TEMPORAL).unlink()
    return manifest


def _empty(directory: Path) -> None:
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(mode=0o700)


async def _register(ready: Path, *, mute: bool) -> int:
    """Make the register ready, and say how many of its attachments are not there."""
    home = ready / "register"
    data = home / "postgres"
    data.mkdir(mode=0o700, parents=True)
    await asyncio.to_thread(_unpack, ready / REGISTER, data)
    await run(postgres_program("pg_verifybackup"), "--quiet", str(data))
    server = EmbeddedPostgres(home)
    server.adopt()
    async with server:
        connection = await asyncpg.connect(server.url, timeout=10)
        try:
            async with connection.transaction():
                await standing.restored(connection)
                if mute:
                    await roster.mute(connection)
                    await webhooks.mute(connection)
                digests = attachments.every_digest(connection)
                lost = sum([not _is_there(ready, digest) async for digest in digests])
        finally:
            await connection.close()
    data.rename(ready / "postgres")
    shutil.rmtree(home)
    return lost


def _is_there(ready: Path, digest: str) -> bool:
    return (ready / ATTACHMENTS / place_of(digest)).exists()


def _unpack(copy: Path, data: Path) -> None:
    with tarfile.open(copy) as tar:
        tar.extractall(data, filter="data")
