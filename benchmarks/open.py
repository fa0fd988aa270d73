"""What open issues cost, and what it is to read many: ``python -m benchmarks.open``.

First, so many issues are registered at a desk with one worker that keeps them all in its cache,
and left alone; in turn with that as many bare workflows (``benchmarks/bare``), which are registered
and nothing else. After every step both servers and processes are weighed: tables of the register
after VACUUM and CHECKPOINT, tables of Temporal's file, memory of worker and Temporal. What an
issue costs is the slope of the line through all steps: what a server or a worker weighs anyhow is
not in it; the largest distance from that line tells whether it is one. What 100,000 would take is
said by that slope, not measured.

Then a register of 1,000 and one of 100,000 issues, a tenth of them open, is made of lives of every
kind that were led at a desk (``benchmarks/reads``), and asked what pages, commands, audits ask.

Exits 1 if an issue was lost or doubled, a message not heard just as often as it was written, or a
bare workflow took other transitions than its own; or if a list of everything open, page by page,
does not have each issue once and in order, and as many as are open. With ``--strict`` also if an
open issue takes more than 10 KB (of 1,000 bytes) in PostgreSQL or 30 KB in Temporal, or a cached
one 60 KB of the worker's memory, or if the p99 of the slowest board, list or search of the large
register is more than 100 ms.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from rich.table import Table

from benchmarks import weights
from benchmarks.beside import AT_ONCE, Benchmark, Both, at_rest
from benchmarks.figures import BARE, DESK, SIDES, Aim, Figures, Measured
from benchmarks.reads import asking
from benchmarks.surroundings import for_each
from benchmarks.weights import KB, NOTHING, Weights, heaviest, line
from domain.errors import SetupError

_WARM = 100
"""Registrations of each side before anything is weighed."""
_LOOKED_AT = 20
"""Issues of each side whose histories are measured."""
_MANY = 100_000
_LEAST = 50
"""Bytes an issue of a table that is shown by itself."""
_ROOM = 1_000
"""Workflows a worker may keep beyond those that are registered."""


async def measure(place: Both, asked: argparse.Namespace) -> Figures:
    """Let both sides take turns, step by step."""
    for side in place.sides.values():
        await for_each([f"warm-{n}" for n in range(_WARM)], side.register, at_once=AT_ONCE)
    await at_rest(place)
    grown = dict.fromkeys(SIDES, NOTHING)
    points: dict[str, list[tuple[int, Weights]]] = {side: [(0, NOTHING)] for side in SIDES}
    before = await _weighed(place)
    have = 0
    for step, until in enumerate(sorted(asked.issues)):
        for name in SIDES if step % 2 == 0 else SIDES[::-1]:
            names = [f"open-{n}" for n in range(have, until)]
            await for_each(names, place.sides[name].register, at_once=AT_ONCE)
            await at_rest(place)
            after = await _weighed(place)
            grown[name] = grown[name].and_(after.since(before))
            points[name].append((until, grown[name]))
            before = after
        have = until
    return {
        "steps": sorted(asked.issues),
        "sides": {name: _each(points[name]) for name in SIDES},
        "histories": {name: await _histories(place, name, have) for name in SIDES},
        "points": {name: [(n, weighed._asdict()) for n, weighed in points[name]] for name in SIDES},
    }


async def _weighed(place: Both) -> Weights:
    servers = place.on.servers
    if not (servers.postgres and servers.temporal and servers.temporal.pid):
        raise SetupError("the desk has servers of its own here")
    workers = {f"worker, {name}": side.workers[0] for name, side in place.sides.items()}
    return Weights(
        await weights.of_registers(servers.postgres),
        weights.of_executions(place.on.settings.home / "temporal.db"),
        weights.of_memory({"Temporal": servers.temporal.pid, **workers}),
    )


def _each(points: Sequence[tuple[int, Weights]]) -> Figures:
    """Say what each issue of a side costs: in all, and by what takes it."""

    def lines(part: int) -> Figures:
        named = sorted({name for _, weighed in points for name in weighed[part]})
        by = {name: [(n, weighed[part].get(name, 0.0)) for n, weighed in points] for name in named}
        of_all = line([(n, sum(weighed[part].values())) for n, weighed in points])
        return {
            "all": of_all._asdict(),
            "by": {name: line(weighed)._asdict() for name, weighed in by.items()},
        }

    return {part: lines(place) for place, part in enumerate(Weights._fields)}


async def _histories(place: Both, side: str, issues: int) -> Measured:
    client = place.on.servers.client
    names = [f"open-{n}" for n in range(max(0, issues - _LOOKED_AT), issues)]
    ids = [place.sides[side].workflow_id(name) for name in names]
    found = [await client.get_workflow_handle(id_).describe() for id_ in ids]
    infos = [each.raw_description.workflow_execution_info for each in found]
    return {
        "events": median(each.history_length for each in infos),
        "bytes": median(each.history_size_bytes for each in infos),
    }


# What is shown ------------------------------------------------------------------------------------


def _costs(found: Figures) -> dict[str, dict[str, float]]:
    """Name what an issue costs on each side, in bytes."""
    return {side: _of_side(found, side) for side in SIDES}


def _of_side(found: Figures, side: str) -> dict[str, float]:
    each, history = found["sides"][side], found["histories"][side]
    memory = each["memory"]["by"]
    return {
        "PostgreSQL": each["postgres"]["all"]["each"],
        "Temporal, its file": each["temporal"]["all"]["each"],
        "the worker's memory": memory[f"worker, {side}"]["each"],
        "Temporal's memory": memory["Temporal"]["each"],
        "history, bytes": history["bytes"],
        "history, events": history["events"],
    }


def _bends(found: Figures) -> dict[str, float]:
    each = found["sides"][DESK]
    memory = each["memory"]["by"]
    return {
        "PostgreSQL": each["postgres"]["all"]["bend"],
        "Temporal, its file": each["temporal"]["all"]["bend"],
        "the worker's memory": memory[f"worker, {DESK}"]["bend"],
        "Temporal's memory": memory["Temporal"]["bend"],
    }


def cost_tables(found: Figures) -> Iterator[Table]:
    """Show what an open issue costs, and where that is."""
    costs, bends = _costs(found), _bends(found)
    shown = Table(
        *("bytes an open issue", "the desk", "the bare workflow", "off the line by"),
        f"{_MANY:,}, MB",
        title=f"Open issues, up to {max(found['steps']):,}",
        title_justify="left",
    )
    for name, of in costs[DESK].items():
        bend = f"{bends[name]:.1%}" if name in bends else "–"
        many = f"{of * _MANY / 1e6:,.0f}" if name != "history, events" else "–"
        shown.add_row(name, f"{of:,.0f}", f"{costs[BARE][name]:,.0f}", bend, many)
    yield shown
    for part in ("postgres", "temporal"):
        yield _where(found, part)


def _where(found: Figures, part: str) -> Table:
    by = {
        side: {n: of["each"] for n, of in found["sides"][side][part]["by"].items()}
        for side in SIDES
    }
    title = f"Where they are in {'PostgreSQL' if part == 'postgres' else 'Temporal'}"
    shown = Table("table", "the desk", "the bare workflow", title=title, title_justify="left")
    for name, size in heaviest(by[DESK], _LEAST):
        shown.add_row(name, f"{size:,.0f}", f"{by[BARE].get(name, 0):,.0f}")
    return shown


def cost_aims(found: Figures) -> list[Aim]:
    """What is aimed at for an open issue."""
    costs = _costs(found)[DESK]
    bounds = {"PostgreSQL": 10, "Temporal, its file": 30, "the worker's memory": 60}
    return [
        Aim(f"an open issue in {name}, KB", costs[name] / KB, bound)
        for name, bound in bounds.items()
    ]


@dataclass(frozen=True)
class Open(Benchmark):
    """Both: what they cost, and what it is to read them."""

    async def measured(
        self, asked: argparse.Namespace, home: Path, **settings: Any
    ) -> tuple[Figures, Sequence[str]]:
        """Measure one after the other, each on servers of its own."""
        found: Figures = {}
        wrong: list[str] = []
        if any(asked.issues):
            own = {"max_cached_workflows": max(asked.issues) + _ROOM} | settings
            found["cost"], lost = await super().measured(asked, home, **own)
            wrong += lost
        if asked.register:
            sizes: Mapping[str, int] = {asking.SMALL: 1_000, asking.LARGE: asked.register}
            found["reads"], amiss = await asking.measure(home / "reads", sizes, asked.calls)
            wrong += amiss
        return found, wrong


def tables(found: Figures) -> Iterator[Table]:
    """Show what was measured."""
    if "cost" in found:
        yield from cost_tables(found["cost"])
    if "reads" in found:
        yield from asking.tables(found["reads"])


def aims(found: Figures) -> list[Aim]:
    """What is aimed at, of what was measured."""
    return [
        *(cost_aims(found["cost"]) if "cost" in found else ()),
        *(asking.aims(found["reads"]) if "reads" in found else ()),
    ]


OPEN = Open(
    __doc__,
    {
        "issues": (
            (1_000, 4_000, 10_000),
            (100, 200, 300),
            "open ones after each step; 0: only the register is read",
        ),
        "register": (100_000, 10_000, "issues of the large register; 0: none is read"),
        "calls": (200, 40, "times that each page or search is asked for"),
    },
    measure,
    tables,
    aims,
)

if __name__ == "__main__":
    sys.exit(OPEN.run())
