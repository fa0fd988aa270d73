"""Whole lives at full load, beside the bare workflow: ``python -m benchmarks.life``.

A life is registered, accepted, resolved, replied, tested by the customer and closed: a question
that nobody calls back about, the shortest way to the end with every kind of step in it. Fifty are
led at once, at a desk with one worker; in turn with that, as many bare lives of the same shape
(``benchmarks/bare``) on the same servers. Measured are lives a second, from the first registration
to the last closing, and the processor time a life takes of worker, PostgreSQL and Temporal, with
all messages that follow. Whoever calls is this process, told apart. Of some lives the histories are
counted: events, and what Temporal Cloud would ask for them (``benchmarks/tally.py``).

Exits 1 if an issue was lost or doubled or took other steps than these, if a message was not heard
just as often as it was written, or if a bare life took other transitions than its own. With
``--strict`` also if the desk leads fewer than 0.80 of the bare lives a second, or its worker needs
more than 1.6 times the bare one's processor time a life.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import partial
from statistics import median

from rich.table import Table

from benchmarks.beside import AT_ONCE, Benchmark, Both, at_rest, in_turn, turn
from benchmarks.figures import Aim, Figures, Measured, beside, table
from benchmarks.surroundings import for_each
from benchmarks.tally import cloud_actions

_WARM = 30
"""Lives of each side that nobody times: connections, caches, the first numbers."""
_LOOKED_AT = 10
"""Lives of each round whose histories are counted."""


async def measure(place: Both, asked: argparse.Namespace) -> Figures:
    """Let both sides take turns."""
    for side in place.sides.values():
        await for_each([f"warm-{n}" for n in range(_WARM)], side.live, at_once=asked.at_once)
    await at_rest(place)
    rounds: dict[str, list[Measured]] = defaultdict(list)
    for number, name in in_turn(asked.rounds):
        names = [f"{number}-{n}" for n in range(asked.lives)]
        rounds[name].append(await _round(place, name, names, asked.at_once))
    return {
        "lives": asked.lives,
        "at_once": asked.at_once,
        "rounds": rounds,
        "medians": beside(rounds),
    }


async def _round(place: Both, side: str, names: Sequence[str], at_once: int) -> Measured:
    lead = partial(for_each, names, place.sides[side].live, at_once=at_once)
    taken = await turn(place, side, lead)
    cpu = {f"{part}_cpu_ms": 1_000 * used / len(names) for part, used in taken.cpu.items()}
    looked_at = [place.sides[side].workflow_id(name) for name in names[-_LOOKED_AT:]]
    return {
        "lives_a_second": len(names) / taken.seconds,
        **cpu,
        **await _histories(place, looked_at),
    }


async def _histories(place: Both, ids: Sequence[str]) -> Measured:
    """Count some histories; no life is just like another, for workflow tasks fall as they fall."""
    client = place.on.servers.client
    found = [await client.get_workflow_handle(id_).fetch_history() for id_ in ids]
    return {
        "history_events": median(len(history.events) for history in found),
        "cloud_actions": median(cloud_actions(history.events) for history in found),
    }


def tables(found: Figures) -> Iterator[Table]:
    """Show them."""
    names = {
        "lives_a_second": "lives a second",
        "worker_cpu_ms": "CPU ms a life, worker",
        "postgres_cpu_ms": "CPU ms a life, PostgreSQL",
        "temporal_cpu_ms": "CPU ms a life, Temporal",
        "caller_cpu_ms": "CPU ms a life, callers and receiver",
        "history_events": "history events a life",
        "cloud_actions": "Temporal Cloud actions a life",
    }
    yield table("Whole lives", found["medians"], names)


def aims(found: Figures) -> list[Aim]:
    """What is aimed at."""
    ratio = found["medians"]["ratio"]
    return [
        Aim("lives a second, of the bare", ratio["lives_a_second"], 0.80, at_least=True),
        Aim("worker CPU a life, of the bare", ratio["worker_cpu_ms"], 1.6),
    ]


LIFE = Benchmark(
    __doc__,
    {
        "lives": (300, 80, "lives a round and side"),
        "rounds": (3, 1, "rounds in turn"),
        "at-once": (AT_ONCE, AT_ONCE, "led at the same time"),
    },
    measure,
    tables,
    aims,
)

if __name__ == "__main__":
    sys.exit(LIFE.run())
