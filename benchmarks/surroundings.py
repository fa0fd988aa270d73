"""What a run on servers of its own wants around it: quiet, a folder, many callers at once, and who
used the processors.
"""

from __future__ import annotations

import asyncio
import logging
import tempfile
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import psutil
from temporalio.runtime import LoggingConfig, Runtime, TelemetryConfig, TelemetryFilter

from demo.stage import Theatre

T = TypeVar("T")
_SERVERS = ("temporal", "postgres", "python")
_IDLE = 0.1
"""Seconds of a second that a process without work uses at most."""


def hush() -> None:
    """Say nothing of lost connections, once for each call: losing them is what this is about."""
    logging.basicConfig(level=logging.CRITICAL)
    quiet = LoggingConfig(filter=TelemetryFilter(core_level="ERROR", other_level="ERROR"))
    Runtime.set_default(Runtime(telemetry=TelemetryConfig(logging=quiet)))


@contextmanager
def fresh_home(prefix: str, *, keep: bool = False) -> Iterator[Path]:
    """A new folder, and whether it stays."""
    if keep:
        yield Path(tempfile.mkdtemp(prefix=prefix))
        return
    with tempfile.TemporaryDirectory(prefix=prefix) as home:
        yield Path(home)


async def for_each(
    items: Iterable[T], call: Callable[[T], Awaitable[Any]], *, at_once: int
) -> None:
    """Call for each of them, so many ``at_once``: whoever is done takes the next."""
    waiting = iter(items)

    async def one_after_another() -> None:
        for item in waiting:
            await call(item)

    async with asyncio.TaskGroup() as group:
        for _ in range(at_once):
            group.create_task(one_after_another())


async def until_quiet(on: Theatre) -> None:
    """Wait until what is to be said at once has been said."""
    pending = "SELECT count(*) FROM outbox WHERE settled_at IS NULL AND not_before IS NULL"
    while await on.servers.pool.fetchval(pending):
        await asyncio.sleep(0.5)


async def until_idle(pid: int) -> None:
    """Wait until a process has had nothing to do for two seconds."""
    idle, before = 0, cpu_of(pid)
    while idle < 2:
        await asyncio.sleep(1)
        now = cpu_of(pid)
        idle, before = idle + 1 if now - before < _IDLE else 0, now


def cpu_of(pid: int) -> float:
    """Return the processor seconds of a process, with those of its children that have ended."""
    return _used(psutil.Process(pid))


def cpu_of_all() -> float:
    """Return the processor seconds of everybody on this machine."""
    times = psutil.cpu_times()
    waiting = times.idle + getattr(times, "iowait", 0.0)  # Linux tells them apart
    guests = getattr(times, "guest", 0.0) + getattr(times, "guest_nice", 0.0)  # counted twice
    return float(sum(times) - waiting - guests)


def cpu_of_parts() -> dict[str, float]:
    """Add up the processor seconds of the desk's parts: all children of this process."""
    used = dict.fromkeys(_SERVERS, 0.0)
    for process in psutil.Process().children(recursive=True):
        try:
            seconds, name = _used(process), process.name()
        except psutil.NoSuchProcess:
            continue
        part = next((part for part in _SERVERS if part in name), None)
        if part:
            used[part] += seconds
    return used


def _used(process: psutil.Process) -> float:
    # What a server's process used that has ended (a connection of PostgreSQL's) is its parent's.
    times = process.cpu_times()
    return times.user + times.system + times.children_user + times.children_system
