"""More worker processes, and where it stops: ``python -m benchmarks.scale``.

With one, two and four workers whole lives are led fifty at once, as ``life.py`` does, and issues
registered fifty at once, as ``intake.py`` does; each time at a new desk, and in turn with that at
the bare workflow with as many workers of its own. Measured is how many there are a second, and how
many cores worker, PostgreSQL, Temporal and callers use until the last caller has their answer, and
how many everybody on the machine.

A Python process uses one core, and the callers are one, too. So it stops where the machine has no
core left, or where one that is alone has none: one that is used for nine tenths counts as full. And
if no part is full and more workers still do not help, they wait for each other: that is said, too.

Exits 1 if anything was lost or doubled with any number of workers, as ``life.py`` and ``intake.py``
do. There is no aim: what more workers bring is the machine's as much as the desk's.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

from rich.table import Table

from benchmarks.beside import AT_ONCE, Benchmark, Both, at_rest, in_turn, turn
from benchmarks.figures import DESK, SIDES, Aim, Figures, Measured, beside
from benchmarks.surroundings import for_each

WAYS = ("lives", "registrations")
_WARM = 30
"""Lives of each side that nobody times."""
_FULL = 0.9
"""Which share of a core, or of all, counts as full."""
_NOTHING = "nothing, so they wait for each other"
_MORE = 1.1
"""What more workers must bring, or they bring nothing."""


async def measure(place: Both, asked: argparse.Namespace) -> Figures:
    """Let both sides take turns, each way."""
    for side in place.sides.values():
        await for_each([f"warm-{n}" for n in range(_WARM)], side.live, at_once=AT_ONCE)
    await at_rest(place)
    many = {"lives": asked.lives, "registrations": asked.registrations}
    rounds = {way: defaultdict[str, list[Measured]](list) for way in WAYS}
    for number, name in in_turn(asked.rounds):
        for way in WAYS:
            names = [f"{way}-{number}-{n}" for n in range(many[way])]
            rounds[way][name].append(await _round(place, name, way, names))
    return {
        "rounds": rounds,
        "medians": {way: beside(sides) for way, sides in rounds.items()},
    }


async def _round(place: Both, name: str, way: str, names: Sequence[str]) -> Measured:
    side = place.sides[name]
    act = {"lives": side.live, "registrations": side.register}[way]
    taken = await turn(place, name, partial(for_each, names, act, at_once=AT_ONCE))
    cores = {part: used / taken.seconds for part, used in taken.acting.items()}
    return {"a_second": len(names) / taken.seconds, **cores}


# Where it stops -----------------------------------------------------------------------------------


def full(used: Measured, workers: int, cores: int) -> list[str]:
    """Say what is used up: the machine, by whomever, the workers' processes, the callers'."""
    have = {"machine": cores, "worker": workers, "caller": 1}
    called = {"machine": "the machine", "worker": "the workers", "caller": "the callers"}
    return [called[part] for part, of in have.items() if used[part] >= _FULL * of]


def stops(by_workers: Mapping[int, Measured], cores: int) -> str:
    """Say from how many workers on more bring nothing, and what was full then."""
    numbers = sorted(by_workers)
    for fewer, more in pairwise(numbers):
        if by_workers[more]["a_second"] < _MORE * by_workers[fewer]["a_second"]:
            why = full(by_workers[more], more, cores) or full(by_workers[fewer], fewer, cores)
            return f"{more} workers bring no more than {fewer}; full: {', '.join(why) or _NOTHING}"
    last = numbers[-1]
    why = full(by_workers[last], last, cores)
    return f"up to {last} workers more bring more; full: {', '.join(why) or 'nothing'}"


@dataclass(frozen=True)
class Scale(Benchmark):
    """The same with each number of workers, each on servers of its own."""

    async def measured(
        self, asked: argparse.Namespace, home: Path, **settings: Any
    ) -> tuple[Figures, Sequence[str]]:
        """Measure with one number after the other."""
        by_workers: dict[int, Figures] = {}
        wrong: list[str] = []
        for workers in sorted(asked.workers):
            place = home / str(workers)
            place.mkdir()
            by_workers[workers], lost = await super().measured(
                asked, place, workers=workers, **settings
            )
            wrong += [f"{workers} workers: {why}" for why in lost]
        cores = os.cpu_count() or 1
        return {
            "by_workers": by_workers,
            "stops": {
                way: {
                    side: stops(
                        {n: of["medians"][way][side] for n, of in by_workers.items()}, cores
                    )
                    for side in SIDES
                }
                for way in WAYS
            },
        }, wrong


def tables(found: Figures) -> Iterator[Table]:
    """Show what each number of workers brings, and what they use."""
    parts = {"worker": "workers", "postgres": "PostgreSQL", "temporal": "Temporal"}
    parts |= {"caller": "callers", "machine": "everybody"}
    for way in WAYS:
        shown = Table(
            *(
                "workers",
                f"{way} a second",
                "bare",
                "ratio",
                *(f"cores: {p}" for p in parts.values()),
            ),
            title=f"{way.capitalize()}, {AT_ONCE} at once",
            title_justify="left",
            caption="\n".join(f"{side}: {why}" for side, why in found["stops"][way].items()),
            caption_justify="left",
        )
        for workers, of in found["by_workers"].items():
            desk, ratio = of["medians"][way][DESK], of["medians"][way]["ratio"]
            bare = of["medians"][way]["bare"]
            shown.add_row(
                *(str(workers), f"{desk['a_second']:.1f}", f"{bare['a_second']:.1f}"),
                f"{ratio['a_second']:.2f}",
                *(f"{desk[part]:.2f}" for part in parts),
            )
        yield shown


def aims(_: Figures) -> list[Aim]:
    """Aim at nothing."""
    return []


SCALE = Scale(
    __doc__,
    {
        "workers": ((1, 2, 4), (1, 2), "worker processes; one number after the other"),
        "lives": (200, 60, "lives a round and side"),
        "registrations": (400, 100, "registrations a round and side"),
        "rounds": (3, 1, "rounds in turn, with each number"),
    },
    measure,
    tables,
    aims,
)

if __name__ == "__main__":
    sys.exit(SCALE.run())
