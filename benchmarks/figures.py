"""What is made of measurements: how they spread, medians of rounds, ratios, and aims."""

from __future__ import annotations

import argparse
import json
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from rich.console import Console
from rich.table import Table

Figures = dict[str, Any]
Measured = Mapping[str, float]
"""Figures of one side in one round, by their name."""
DESK, BARE = "desk", "bare"
SIDES = (DESK, BARE)


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest of ``values`` that this share of them does not exceed: one that was
    measured, never one between two or beyond the largest. 0 of none.
    """
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else 0.0


def spread(values: Sequence[float]) -> dict[str, float]:
    """Say how many they are, and how they spread."""
    shares = {"p50": 0.50, "p95": 0.95, "p99": 0.99}
    return {"count": len(values)} | {name: percentile(values, at) for name, at in shares.items()}


def medians(rounds: Sequence[Measured]) -> dict[str, float]:
    """Return of each figure the median of all rounds."""
    return {name: median(each[name] for each in rounds) for name in rounds[0]}


def beside(rounds: Mapping[str, Sequence[Measured]]) -> dict[str, dict[str, float]]:
    """Set the medians of both sides beside each other, and their ratio: the desk's of the bare."""
    desk, bare = (medians(rounds[side]) for side in SIDES)
    ratio = {name: desk[name] / bare[name] for name in desk if bare[name]}
    return {DESK: desk, BARE: bare, "ratio": ratio}


class Aim(NamedTuple):
    """What a ratio is to be: at most the ``bound``, or at least."""

    what: str
    ratio: float
    bound: float
    at_least: bool = False

    @property
    def met(self) -> bool:
        """Whether it is."""
        return self.ratio >= self.bound if self.at_least else self.ratio <= self.bound

    def __str__(self) -> str:
        sign = "≥" if self.at_least else "≤"
        verdict = "met" if self.met else "MISSED"
        return f"{self.what}: {self.ratio:.2f}, aim {sign} {self.bound:.2f}: {verdict}"


def table(title: str, figures: Mapping[str, Measured], names: Mapping[str, str]) -> Table:
    """Show both sides, a figure a row, each under the name people read."""
    shown = Table("", "the desk", "the bare workflow", "ratio", title=title, title_justify="left")
    for name, read in names.items():
        ratio = figures["ratio"].get(name)
        values = (f"{figures[side][name]:,.1f}" for side in SIDES)
        shown.add_row(read, *values, "–" if ratio is None else f"{ratio:.2f}")
    return shown


def load_now() -> list[float]:
    """What else the machine does: its load over the last one, five and fifteen minutes."""
    return [round(each, 1) for each in os.getloadavg()]


Sizes = Mapping[str, tuple[int | Sequence[int], int | Sequence[int], str]]
"""Of each number, or list of them, that may be asked for: what it is by default, what when it is to
be quick, and what it means.
"""


def arguments(about: str | None, sizes: Sizes) -> argparse.Namespace:
    """Read the command line of a benchmark that has aims."""
    parser = argparse.ArgumentParser(
        description=about, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name, (usual, quick, meaning) in sizes.items():
        default = f"{meaning}; {usual}, or {quick} with --quick"
        many = None if isinstance(usual, int) else "+"
        parser.add_argument(f"--{name}", type=int, nargs=many, help=default)
    parser.add_argument("--quick", action="store_true", help="small: about a minute")
    parser.add_argument("--strict", action="store_true", help="exit 1 for a missed aim as well")
    parser.add_argument("--json", type=Path, help="keep the figures in a file")
    asked = parser.parse_args()
    for name, (usual, quick, _) in sizes.items():
        key = name.replace("-", "_")
        if getattr(asked, key) is None:
            setattr(asked, key, quick if asked.quick else usual)
    return asked


def report(
    found: Figures, aims: Sequence[Aim], wrong: Sequence[str], asked: argparse.Namespace
) -> int:
    """Tell what was aimed at and what went wrong, keep the figures, and return the exit status: 1
    if anything was lost or doubled, or with ``--strict`` if an aim was missed.
    """
    console = Console(soft_wrap=True)
    for aim in aims:
        console.print(str(aim))
    for each in wrong[:_SHOWN]:
        console.print(f"WRONG: {each}")
    console.print(f"load of the machine: {found['load']}, {os.cpu_count()} cores")
    if asked.json:
        kept = found | {"aims": [{**aim._asdict(), "met": aim.met} for aim in aims], "wrong": wrong}
        asked.json.write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")
    return exit_status(aims, wrong, strict=asked.strict)


_SHOWN = 10


def would_fail(about: str | None) -> str:
    """Say what it would take to fail, as what is said about a benchmark has it."""
    _, exits, why = (about or "").partition("Exits 1 ")
    return " ".join(f"{exits}{why}".split())


def exit_status(aims: Sequence[Aim], wrong: Sequence[str], *, strict: bool) -> int:
    """Return 1 if anything was lost or doubled, or an aim missed where that is to count."""
    return int(bool(wrong) or (strict and not all(aim.met for aim in aims)))
