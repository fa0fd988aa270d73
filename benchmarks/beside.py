"""The desk and the bare workflow on the same servers: as many worker processes each, and turns."""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, process_time
from typing import Any, NamedTuple

from rich.console import Console
from rich.table import Table

from benchmarks.figures import (
    BARE,
    DESK,
    SIDES,
    Aim,
    Figures,
    Sizes,
    arguments,
    load_now,
    report,
    would_fail,
)
from benchmarks.sides import BareSide, DeskSide, Side
from benchmarks.surroundings import (
    cpu_of,
    cpu_of_all,
    cpu_of_parts,
    fresh_home,
    until_idle,
    until_quiet,
)
from demo.stage import Theatre, stage
from domain.errors import SetupError
from inbound.files.roster import read_roster
from runtime import aio
from runtime.embedded.process import Child
from runtime.settings import ROOT

AT_ONCE = 50
"""How many callers are at it when a benchmark is to show full load."""
_SPEED = 1_000
_SECONDS = re.compile(r'((?:within|opens|at|give_up_after) = "\+?)(\d+)s"')
_DEMO = ROOT / "policies" / "demo.toml"


class Both(NamedTuple):
    """Both sides by their name, and the stage ``on`` which they are."""

    on: Theatre
    sides: Mapping[str, Side]


class Turn(NamedTuple):
    """What one side's turn took: seconds until the last caller had their answer, and processor
    seconds by part: ``acting`` of them until then, in all until all that followed was done. The
    whole ``machine``'s are those of everybody else, too.
    """

    seconds: float
    cpu: Mapping[str, float]
    acting: Mapping[str, float]


def long_promises(demo: str) -> str:
    """Return the demonstration's policy with days for its seconds: nothing falls due by itself, and
    no message is given up because the machine is busy. Its calendars are open day and night, so a
    life is the same at whatever hour it is led.
    """
    return _SECONDS.sub(r'\1\2d"', demo)


def write_policy(folder: Path) -> Path:
    """Write that policy into a folder."""
    policy = folder / "policy.toml"
    policy.write_text(long_promises(_DEMO.read_text("utf-8")), "utf-8")
    return policy


@asynccontextmanager
async def both(home: Path, **settings: Any) -> AsyncIterator[Both]:
    """Bring both up in ``home``, with these fields of ``Settings`` for both; one worker if nothing
    else is said. The servers wait for the disk, as a desk's do that is to last.
    """
    roster = read_roster(ROOT / "examples" / "roster")
    own = {"workers": 1, "doors": False, "durable": True} | settings
    policy = write_policy(home)
    async with (
        stage(home / "desk", policy, roster, speed=_SPEED, overrides=own) as on,
        _bare_workers(on, home) as bare,
        asyncio.TaskGroup() as group,
    ):
        desk = DeskSide(on, [_alive(worker.pid) for worker in on.servers.workers])
        await desk.prepare()
        looking = group.create_task(desk.replies.look())
        yield Both(on, {DESK: desk, BARE: BareSide(on.servers.client, bare)})
        looking.cancel()


@asynccontextmanager
async def _bare_workers(on: Theatre, home: Path) -> AsyncIterator[Sequence[int]]:
    """As many as the desk has; say which processes they are."""
    environment = {
        **os.environ,
        **on.settings.environment(),
        "TEMPORAL_ADDRESS": on.servers.temporal_address,
        "TEMPORAL_NAMESPACE": on.servers.namespace,
    }
    async with AsyncExitStack() as stack:
        children = [
            Child(
                f"bare worker {number}",
                [sys.executable, "-P", "-m", "benchmarks.bare"],
                home / f"bare-{number}.log",
                environment=environment,
            )
            for number in range(on.settings.workers)
        ]
        for child in children:
            await child.start()
            stack.push_async_callback(child.stop)
        yield [_alive(child.pid) for child in children]


def _alive(pid: int | None) -> int:
    if pid is None:
        raise RuntimeError("a worker has ended")
    return pid


async def turn(place: Both, side: str, act: Callable[[], Awaitable[None]]) -> Turn:
    """Let one side act, and wait until all that follows is done, too."""
    before = _cpu(place, side)
    begun = perf_counter()
    await act()
    seconds, acted = perf_counter() - begun, _cpu(place, side)
    await at_rest(place)
    after = _cpu(place, side)
    cpu, acting = ({p: u - before[p] for p, u in used.items()} for used in (after, acted))
    return Turn(seconds, cpu, acting)


async def at_rest(place: Both) -> None:
    """Wait until neither side has anything to do."""
    await until_quiet(place.on)
    for side in place.sides.values():
        for worker in side.workers:
            await until_idle(worker)


def _cpu(place: Both, side: str) -> dict[str, float]:
    parts = cpu_of_parts()
    servers = {part: parts[part] for part in ("postgres", "temporal")}
    workers = sum(map(cpu_of, place.sides[side].workers))
    return {"worker": workers, **servers, "caller": process_time(), "machine": cpu_of_all()}


def in_turn(rounds: int) -> list[tuple[int, str]]:
    """Return who is when: both sides in each round, each round beginning with the other."""
    return [
        (number, side)
        for number in range(rounds)
        for side in (SIDES if number % 2 == 0 else SIDES[::-1])
    ]


@dataclass(frozen=True)
class Benchmark:
    """What is measured with both sides, how it is shown, and what is aimed at."""

    about: str | None
    sizes: Sizes
    measure: Callable[[Both, argparse.Namespace], Awaitable[Figures]]
    tables: Callable[[Figures], Iterable[Table]]
    aims: Callable[[Figures], Sequence[Aim]]

    def run(self) -> int:
        """Carry out what the command line asks for, report, and return the exit status."""
        asked = arguments(self.about, self.sizes)
        before = load_now()
        try:
            with fresh_home("yinuo-") as home:
                found, wrong = aio.run(self.measured(asked, home))
        except SetupError as why:
            Console(stderr=True).print(str(why))
            return 1
        found |= {"load": {"before": before, "after": load_now()}}
        for each in self.tables(found):
            Console().print(each)
        Console().print(would_fail(self.about), style="dim")
        return report(found, self.aims(found), wrong, asked)

    async def measured(
        self, asked: argparse.Namespace, home: Path, **settings: Any
    ) -> tuple[Figures, Sequence[str]]:
        """Return the figures, and what was lost or doubled on either side. ``settings`` are fields
        of ``Settings`` for both.
        """
        async with both(home, **settings) as place:
            found = await self.measure(place, asked)
            await at_rest(place)
            wrong = [why for side in place.sides.values() for why in await side.wrong()]
        return found, wrong
