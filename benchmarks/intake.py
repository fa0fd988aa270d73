"""What a registration waits for, beside the bare workflow: ``python -m benchmarks.intake``.

Intakes are registered by the client (``starter.client.Desk.open``), one at a time and fifty at
once, at a desk with one worker; in turn with that, the bare workflow (``benchmarks/bare``) is
started with its first transition in the same way, by one update-with-start. ``storm.py`` sets the
doors beside the update-with-start of the desk's own workflow; here that is measured, too.

Exits 1 if a reference is not in the register just once, if two have a number, if an issue took
another step, or if a message was not heard just as often as it was written. With ``--strict`` also
if the p50 of one at a time is more than 1.5 times the bare one's, or if fewer than 0.7 of the bare
registrations a second are done fifty at once.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import partial
from time import perf_counter
from typing import NamedTuple

from rich.table import Table

from benchmarks.beside import AT_ONCE, Benchmark, Both, at_rest, in_turn, turn
from benchmarks.figures import Aim, Figures, Measured, beside, spread, table
from benchmarks.surroundings import for_each

_WARM = 40
"""Registrations of each side that nobody times."""


class Way(NamedTuple):
    """How many are registered in a round, and how many at once."""

    name: str
    registrations: int
    at_once: int


async def measure(place: Both, asked: argparse.Namespace) -> Figures:
    """Let both sides take turns each way."""
    ways = Way("alone", asked.alone, 1), Way("storm", asked.storm, asked.at_once)
    for side in place.sides.values():
        await for_each([f"warm-{n}" for n in range(_WARM)], side.register, at_once=AT_ONCE)
    await at_rest(place)
    rounds = {way.name: defaultdict[str, list[Measured]](list) for way in ways}
    for number, name in in_turn(asked.rounds):
        for way in ways:
            references = [f"{way.name}-{number}-{n}" for n in range(way.registrations)]
            measured = await _storm(place, name, references, way.at_once)
            rounds[way.name][name].append(measured)
    return {
        "ways": {way.name: way._asdict() for way in ways},
        "rounds": rounds,
        "medians": {name: beside(sides) for name, sides in rounds.items()},
    }


async def _storm(place: Both, side: str, references: Sequence[str], at_once: int) -> Measured:
    waited: list[float] = []

    async def timed(reference: str) -> None:
        begun = perf_counter()
        await place.sides[side].register(reference)
        waited.append((perf_counter() - begun) * 1_000)

    taken = await turn(place, side, partial(for_each, references, timed, at_once=at_once))
    return {"a_second": len(references) / taken.seconds, **spread(waited)}


def tables(found: Figures) -> Iterator[Table]:
    """Show them."""
    names = {"p50": "p50 ms", "p95": "p95 ms", "p99": "p99 ms", "a_second": "a second"}
    for name, way in found["ways"].items():
        how = "one at a time" if way["at_once"] == 1 else f"{way['at_once']} at once"
        yield table(f"Registrations, {how}", found["medians"][name], names)


def aims(found: Figures) -> list[Aim]:
    """What is aimed at."""
    alone, storm = (found["medians"][name]["ratio"] for name in ("alone", "storm"))
    return [
        Aim("p50 of one at a time, of the bare", alone["p50"], 1.5),
        Aim("at once, a second, of the bare", storm["a_second"], 0.7, at_least=True),
    ]


INTAKE = Benchmark(
    __doc__,
    {
        "alone": (100, 40, "registrations one at a time, a round and side"),
        "storm": (400, 100, "registrations at once, a round and side"),
        "at-once": (AT_ONCE, AT_ONCE, "of these at the same time"),
        "rounds": (3, 1, "rounds in turn"),
    },
    measure,
    tables,
    aims,
)

if __name__ == "__main__":
    sys.exit(INTAKE.run())
