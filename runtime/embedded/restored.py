"""Putting a restored desk into its place: all of it, or nothing.

What is restored is made ready beside the desk and given its name, `restore`, by one rename. From
then on it is in place, whatever happens: whoever starts the desk next carries the moves through.
What was there before is moved aside, never deleted.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from runtime.embedded.process import Lock
from runtime.home import to_disk

READY = "restore"
_ASIDE = "aside"
_BELONGS = {"temporal.db": ("temporal.db-wal", "temporal.db-shm")}
"""What goes with a file: a journal of the old one would spoil the new one."""


@asynccontextmanager
async def at_rest(home: Path) -> AsyncIterator[None]:
    """Have the data of both embedded servers, which cannot start meanwhile.

    Raises:
        SetupError: the desk is running.
    """
    locks = [
        Lock(home / "postgres", "PostgreSQL's data"),
        Lock(home / "temporal", "Temporal's data"),
    ]
    try:
        for lock in locks:
            await lock.acquire(patience=0)
        yield
    finally:
        for lock in locks:
            lock.release()


def put_in_place(home: Path, ready: Path, aside: str) -> Path:
    """Let ``ready``, a directory of ``home``, take the place of what is there, which is moved into
    the directory ``aside``; return that. The caller has the data ``at_rest``.
    """
    (ready / _ASIDE).write_text(aside, "utf-8")
    os.sync()  # all of it, before anything counts on it
    ready.rename(home / READY)
    to_disk(home)
    _carry_through(home)
    return home / aside


async def finish(home: Path) -> bool:
    """Carry through what a restore that was cut off had put in place; False: there was none.

    Raises:
        SetupError: the desk is running.
    """
    if not (home / READY).exists():
        return False
    async with at_rest(home):
        _carry_through(home)
    return True


def _carry_through(home: Path) -> None:
    ready = home / READY
    if (ready / _ASIDE).exists():
        aside = home / (ready / _ASIDE).read_text("utf-8")
        aside.mkdir(mode=0o700, exist_ok=True)
        for new in sorted(ready.iterdir()):
            if new.name == _ASIDE:
                continue
            # What has its name is the old one yet: the new one leaves by being put there.
            for old in (*_BELONGS.get(new.name, ()), new.name):
                with contextlib.suppress(FileNotFoundError):
                    (home / old).rename(aside / old)
            new.rename(home / new.name)
        (ready / _ASIDE).unlink()
        to_disk(home)
    ready.rmdir()
