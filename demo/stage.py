"""What a demonstration is played on: the whole desk, new, on servers of its own, and the receiver
that stands for the world outside.
"""

import os
import shutil
import socket
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from temporalio.client import Client

from demo.receiver import LOOPBACK, Outside, Receiver
from domain.errors import SetupError
from domain.staff.roster import Roster
from runtime import rulebook
from runtime.embedded.ports import free_ports
from runtime.embedded.process import Lock
from runtime.settings import PORTS, Settings, load
from starter import client, up
from starter.up import Progress
from store import roster as roster_store
from store.connection import Pool

_MARK = "demonstration"


@dataclass(frozen=True)
class Theatre:
    """A desk to play on."""

    servers: up.Deployment
    desk: client.Desk
    receiver: Receiver
    settings: Settings


@asynccontextmanager
async def stage(
    home: Path,
    policy: Path,
    roster: Roster,
    *,
    outside: Outside = Outside(),  # noqa: B008 - it is immutable
    speed: float = 1.0,
    progress: Progress = lambda _part, _state, _detail: None,
    overrides: Mapping[str, Any] | None = None,
) -> AsyncIterator[Theatre]:
    """Bring up a desk in ``home``, which is emptied before, and take it down afterwards.

    It has servers of its own, whatever `DATABASE_URL` and `TEMPORAL_*` say: nothing made up may
    get into a real desk. ``speed`` is how many times faster than life the play is; the channels'
    rate limits follow it. ``overrides`` are fields of ``Settings``.

    Raises:
        SetupError: ``home`` holds something else than an earlier demonstration, or is in use; the
            policy or the roster does not fit; or a part did not come up.
    """
    try:
        roster.check_against(rulebook.load(policy))
    except ValueError as error:
        raise SetupError(f"the roster does not fit {policy}: {error}") from None
    with (
        own_environment(),
        Receiver(outside) as receiver,
    ):
        settings = _settings(home, policy, overrides or {})
        led_here = receiver.channels_of(roster, speed)

        async def first_roster(pool: Pool, _: Client) -> None:
            async with pool.acquire() as connection, connection.transaction():
                await roster_store.replace(connection, led_here)

        async with (
            _emptied(settings.home),
            up.desk(settings, progress=progress, after_migrations=first_roster) as servers,
        ):
            yield Theatre(servers, client.Desk(servers.client, servers.pool), receiver, settings)


def _settings(home: Path, policy: Path, overrides: Mapping[str, Any]) -> Settings:
    wanted = load()
    ports = {name: free_port(getattr(wanted, name)) for name in PORTS}
    # The next demonstration throws this desk away: nobody waits for its disk.
    own = {"home": home, "policy": policy, "durable": False, "public_url": None}
    return Settings(**{**own, **ports, **overrides})


def free_port(wanted: int) -> int:
    """Return ``wanted`` if nobody has that port of the loopback, else another one that is free."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, wanted))
        except OSError:
            return free_ports(1)[0]
    return wanted


@contextmanager
def own_environment() -> Iterator[None]:
    """Forget the servers that the environment names; workers inherit it."""
    before = dict(os.environ)
    for name in before:
        if name == "DATABASE_URL" or name.startswith("TEMPORAL_"):
            del os.environ[name]
    os.environ["TEMPORAL_CONFIG_FILE"] = os.devnull
    # What goes to the receiver is for this machine, not for a proxy.
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1,localhost"
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@asynccontextmanager
async def _emptied(home: Path) -> AsyncIterator[None]:
    """Start from nothing, but never throw away what is not an earlier demonstration's."""
    _require_ours(home)
    lock = Lock(home / _MARK, "The demonstration")
    await lock.acquire()
    try:
        _empty(home)
        yield
    finally:
        lock.release()


def _require_ours(home: Path) -> None:
    home.mkdir(parents=True, exist_ok=True)
    if any(home.iterdir()) and not (home / f"{_MARK}.lock").exists():
        raise SetupError(
            f"{home} is not empty and was not made by a demonstration, which would empty it: "
            "name another directory with --home."
        )


def _empty(home: Path) -> None:
    for entry in home.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        elif entry.suffix not in {".lock", ".open"}:  # servers of a killed desk may hold these
            entry.unlink()
