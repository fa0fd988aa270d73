"""Many alarms at one instant, beside bare timers: ``python -m benchmarks.alarms``.

So many issues are registered, all with the first threshold of their response at the same instant:
then each is to be decided, written down and told to its handler. In turn with that, as many bare
workflows (``benchmarks/bare``) have their first timer ring at one instant, and run for it what a
threshold runs: two local activities, an upsert, a delivery. One worker each, the same servers, and
handlers whose channels have no limit.

Measured is how late the decision is (the threshold's ``recorded_at``, which is workflow time) and
how late the message arrives at the receiver; of the bare, how late its timer was handled, by
workflow time, and its delivery run.

Exits 1 if an alarm was not rung just once, an issue lost or doubled, or a message not heard just as
often as it was written; or if a bare timer did not ring just once. With ``--strict`` also if, with
the largest number, the p99 of the decision is more than 1.5 times the bare one's, or that of the
message more than twice. Ends with an error if the issues were not all registered and at rest before
their instant: then nothing was measured.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from time import perf_counter

from rich.table import Table

from benchmarks.beside import AT_ONCE, Benchmark, Both, at_rest, in_turn
from benchmarks.figures import Aim, Figures, Measured, beside, spread, table
from benchmarks.sides import Late, Side
from benchmarks.surroundings import for_each
from domain.errors import SetupError

_WARM = 40
"""Registrations of each side that say how long one takes."""
_MARGIN = 2
"""How many times as long the others may take."""
_LEAST = 12.0
"""Seconds before the instant, on top of that."""
_PATIENCE = 900.0
"""Seconds after the instant until what has not rung counts as lost."""


async def measure(place: Both, asked: argparse.Namespace) -> Figures:
    """Let both sides take turns with each number."""
    takes = {name: await _seconds_each(side) for name, side in place.sides.items()}
    await at_rest(place)
    rounds = {size: defaultdict[str, list[Measured]](list) for size in asked.issues}
    for size, sides in rounds.items():
        for number, name in in_turn(asked.rounds):
            names = [f"{size}-{number}-{n}" for n in range(size)]
            lead = _LEAST + _MARGIN * takes[name] * size
            late = await _ring(place, place.sides[name], names, lead)
            sides[name].append(_spread(late))
    return {
        "rounds": rounds,
        "medians": {size: beside(sides) for size, sides in rounds.items()},
    }


async def _seconds_each(side: Side) -> float:
    """Find out how long a registration takes, of many at once."""
    for name in ("cold", "warm"):  # the first ones say little of the rest
        begun = perf_counter()
        await for_each([f"{name}-{n}" for n in range(_WARM)], side.register, at_once=AT_ONCE)
    return (perf_counter() - begun) / _WARM


async def _ring(place: Both, side: Side, names: Sequence[str], lead: float) -> Late:
    """Let all of them ring at one instant."""
    due = datetime.now(UTC) + timedelta(seconds=lead)
    await for_each(names, partial(side.register, due=due), at_once=AT_ONCE)
    await at_rest(place)
    early = (due - datetime.now(UTC)).total_seconds()
    if early <= 0:
        raise SetupError(
            f"{len(names)} were to ring {-early:.0f} s before all were registered: the machine got"
            " much busier than it was at first; try again, or fewer at once"
        )
    await asyncio.sleep(early)
    late = Late((), ())
    with suppress(TimeoutError):  # what did not ring is found to be lost
        async with asyncio.timeout(_PATIENCE):
            while len(late.message) < len(names):
                await at_rest(place)
                late = await side.late(names, due)
    return late


def _spread(late: Late) -> Measured:
    each = late._asdict().items()
    return {f"{what}_{at}": s for what, all_ in each for at, s in spread(all_).items()}


def tables(found: Figures) -> Iterator[Table]:
    """Show them."""
    names = {
        f"{what}_{share}": f"the {what}, {share} s late"
        for what in Late._fields
        for share in ("p50", "p95", "p99")
    }
    for size, medians in found["medians"].items():
        yield table(f"{size} alarms at one instant", medians, names)


def aims(found: Figures) -> list[Aim]:
    """What is aimed at, with the largest number."""
    largest = max(found["medians"])
    ratio: Mapping[str, float] = found["medians"][largest]["ratio"]
    return [
        Aim(f"p99 of {largest} decisions, of the bare", ratio["decision_p99"], 1.5),
        Aim(f"p99 of {largest} messages, of the bare", ratio["message_p99"], 2.0),
    ]


ALARMS = Benchmark(
    __doc__,
    {
        "issues": ((200, 1_000), (100,), "due at one instant; one number after the other"),
        "rounds": (3, 1, "rounds in turn, of each"),
    },
    measure,
    tables,
    aims,
)

if __name__ == "__main__":
    sys.exit(ALARMS.run())
