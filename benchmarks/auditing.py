"""A deep audit of many open issues, on real servers: ``python -m benchmarks.auditing``.

Opens issues, each a workflow with its timers, lets all become quiet, and has the desk audited; new
issues come in meanwhile. Exits 1 if the audit saw fewer issues than were opened, or found anything.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from pathlib import Path
from time import perf_counter

from rich.console import Console
from rich.table import Table

from benchmarks.figures import Figures, spread
from benchmarks.replanning import AT_REST, PROBE_EVERY, new_issues, open_all
from benchmarks.surroundings import cpu_of_parts, fresh_home, until_quiet
from cli.audit import audit_now
from demo.stage import Theatre, stage
from inbound.files.roster import read_roster
from runtime import aio
from runtime.settings import ROOT

_STANDARD = ROOT / "policies" / "standard.toml"
_WORKERS = 2


async def measure(issues: int, home: Path) -> Figures:
    """Measure on a desk of its own in ``home``."""
    roster = read_roster(ROOT / "examples" / "roster")
    own = {"workers": _WORKERS}
    async with stage(home, _STANDARD, roster, speed=1_000, overrides=own) as on:
        begun = perf_counter()
        await open_all(on, issues)
        await until_quiet(on)
        opened = perf_counter() - begun
        resting: list[float] = []
        async with new_issues(on, resting):
            await asyncio.sleep(AT_REST * PROBE_EVERY)
        figures = await _audited(on)
    return {
        "opened": issues,
        "opened_in_s": opened,
        "intake_at_rest_ms": spread(resting),
        **figures,
    }


async def _audited(on: Theatre) -> Figures:
    """Have the desk audited, with new issues coming in."""
    before, waited = cpu_of_parts(), list[float]()
    begun = perf_counter()
    async with new_issues(on, waited):
        report = await audit_now(on.servers.client)
    return {
        "seconds": perf_counter() - begun,
        "issues": report.issues,
        "workflows": report.workflows,
        "findings": {kind.value: times for kind, times in report.counts.items()},
        "cpu_seconds": {part: used - before[part] for part, used in cpu_of_parts().items()},
        "intake_meanwhile_ms": spread(waited),
    }


def _show(figures: Figures) -> Table:
    table = Table(show_header=False)
    cpu = figures["cpu_seconds"]
    for name, of in (
        ("issues looked at", figures["issues"]),
        ("findings", sum(figures["findings"].values())),
        ("seconds", f"{figures['seconds']:.1f}"),
        ("ms an issue", f"{figures['seconds'] / figures['issues'] * 1_000:.1f}"),
        ("CPU s, Temporal", f"{cpu['temporal']:.1f}"),
        ("CPU s, PostgreSQL", f"{cpu['postgres']:.1f}"),
        ("CPU s, workers", f"{cpu['python']:.1f}"),
        ("a new issue at rest, p50 ms", f"{figures['intake_at_rest_ms']['p50']:.0f}"),
        ("a new issue meanwhile, p50 ms", f"{figures['intake_meanwhile_ms']['p50']:.0f}"),
        ("opening them all, seconds", f"{figures['opened_in_s']:.0f}"),
    ):
        table.add_row(name, str(of))
    return table


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--issues", type=int, default=10_000)
    parser.add_argument("--json", type=Path, help="keep the figures in a file")
    asked = parser.parse_args()
    with fresh_home("yinuo-") as home:
        figures = aio.run(measure(asked.issues, home))
    Console().print(_show(figures))
    if asked.json:
        asked.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return int(figures["issues"] < asked.issues or bool(figures["findings"]))


if __name__ == "__main__":
    sys.exit(main())
