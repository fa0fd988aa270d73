"""Planning open promises again, on real servers: ``python -m benchmarks.replanning``.

Opens issues with two open promises each, loads a policy that moves every one of them, then a notice
that moves none. While that goes on, new issues come in as before; how long they wait is compared
with how long they wait on the same desk at rest, in the same run. Exits 1 if a promise was missed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from time import perf_counter

from rich.console import Console
from rich.table import Table
from temporalio.client import Client

from benchmarks.figures import Figures, spread
from benchmarks.intakes import a_fault
from benchmarks.surroundings import cpu_of_parts, for_each, fresh_home, until_quiet
from demo.stage import Theatre, stage
from domain.calendars.national_days import NationalDays
from domain.sla.replanning import PER_SECOND, Report
from domain.sla.rulebook import Rulebook
from inbound.files.roster import read_roster
from runtime import aio, rulebook
from runtime.settings import ROOT
from starter import replanning

AT_ONCE = 32
PROBE_EVERY = 0.5
"""Seconds between the new issues whose waiting is measured."""
SAMPLE = 50
"""Issues whose histories are looked at."""
AT_REST = 30
"""How many of them before anything is planned again."""
_STANDARD = ROOT / "policies" / "standard.toml"


async def measure(issues: int, per_second: float, home: Path) -> Figures:
    """Measure on a desk of its own in ``home``."""
    roster = read_roster(ROOT / "examples" / "roster")
    workers = {"workers": 1}
    async with stage(home, _STANDARD, roster, speed=1_000, overrides=workers) as on:
        begun = perf_counter()
        await open_all(on, issues)
        opened = perf_counter() - begun
        await until_quiet(on)
        resting: list[float] = []
        async with new_issues(on, resting):
            await asyncio.sleep(AT_REST * PROBE_EVERY)
        book = rulebook.load(_STANDARD)
        return {
            "issues": issues,
            "opened_in_s": opened,
            "intake_at_rest_ms": spread(resting),
            "every promise moves": await _load(on, _slower(book), per_second),
            "no promise moves": await _load(on, _slower(book, _notice(book)), per_second),
        }


async def open_all(on: Theatre, issues: int) -> None:
    async def one(number: int) -> None:
        await on.desk.open(a_fault("benchmark", f"open-{number}"))

    await for_each(range(issues), one, at_once=AT_ONCE)


def _slower(book: Rulebook, notice: NationalDays | None = None) -> Rulebook:
    """The same promises, a little later each: every open one moves."""
    targets = {"2h": "3h", "30min": "45min", "3 working days": "4 working days"}
    policy = json.loads(book.policy.model_dump_json(by_alias=True))
    for rule in policy["promise"]:
        rule["within"] = targets.get(rule["within"], rule["within"])
    changed = book.with_policy(type(book.policy).model_validate(policy))
    return changed.with_national(notice) if notice else changed


def _notice(book: Rulebook) -> NationalDays:
    """A notice for the year after the last: made up, and beyond every promise."""
    known = book.national["CN"].model_dump(mode="json")
    year = max(book.national["CN"].years) + 1
    known["years"][year] = {"notice": "made up", "holidays": [], "makeup_workdays": []}
    return NationalDays.model_validate(known)


async def _load(on: Theatre, book: Rulebook, per_second: float) -> Figures:
    """Load a rulebook and see it through, with new issues coming in meanwhile."""
    client, pool = on.servers.client, on.servers.pool
    adoption = await replanning.adopt(pool, book, "benchmark")
    if adoption is None:
        raise RuntimeError("that rulebook counts already")
    before, waited = cpu_of_parts(), list[float]()
    events = await _events(client)
    begun = perf_counter()
    async with new_issues(on, waited):
        handle = await replanning.start(client, adoption.id, per_second)
        report: Report = await handle.result()
    seconds = perf_counter() - begun
    used = {name: seconds_used - before[name] for name, seconds_used in cpu_of_parts().items()}
    await until_quiet(on)
    grown = await _events(client)
    return {
        "seconds": seconds,
        "tally": report.tally.model_dump(),
        "left": report.left,
        "updates": report.tally.issues,
        "updates_a_second": report.tally.issues / seconds,
        "history_events_an_issue": grown - events,
        "cpu_seconds": used,
        "intake_meanwhile_ms": spread(waited),
    }


@asynccontextmanager
async def new_issues(on: Theatre, waited: list[float]) -> AsyncIterator[None]:
    """Let new issues come in at an even pace, and note how long each waits for its answer."""
    batch = len(_PROBES)
    _PROBES.append(batch)

    async def come_in() -> None:
        number = 0
        while True:
            begun = perf_counter()
            await on.desk.open(a_fault("benchmark", f"probe-{batch}-{number}"))
            waited.append((perf_counter() - begun) * 1_000)
            number += 1
            await asyncio.sleep(max(0.0, PROBE_EVERY - (perf_counter() - begun)))

    task = asyncio.create_task(come_in())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


_PROBES: list[int] = []


async def _events(client: Client) -> float:
    """Average the lengths of some of the issues' histories."""
    handles = [
        client.get_workflow_handle(a_fault("benchmark", f"open-{number}").issue_id)
        for number in range(SAMPLE)
    ]
    lengths = [(await handle.describe()).history_length for handle in handles]
    return sum(lengths) / len(lengths)


def _show(figures: Figures) -> Table:
    table = Table("", "every promise moves", "no promise moves")
    both = figures["every promise moves"], figures["no promise moves"]
    for name, of in (
        ("promises moved", lambda one: one["tally"]["changed"]),
        ("issues told", lambda one: one["updates"]),
        ("seconds", lambda one: f"{one['seconds']:.1f}"),
        ("issues told a second", lambda one: f"{one['updates_a_second']:.1f}"),
        ("history events an issue", lambda one: f"{one['history_events_an_issue']:.1f}"),
        ("CPU s, Temporal", lambda one: f"{one['cpu_seconds']['temporal']:.1f}"),
        ("CPU s, PostgreSQL", lambda one: f"{one['cpu_seconds']['postgres']:.1f}"),
        ("CPU s, worker", lambda one: f"{one['cpu_seconds']['python']:.1f}"),
        ("a new issue meanwhile, p50 ms", lambda one: f"{one['intake_meanwhile_ms']['p50']:.0f}"),
        ("a new issue meanwhile, p95 ms", lambda one: f"{one['intake_meanwhile_ms']['p95']:.0f}"),
    ):
        table.add_row(name, *(str(of(one)) for one in both))
    rest = figures["intake_at_rest_ms"]
    table.caption = f"A new issue at rest: p50 {rest['p50']:.0f} ms, p95 {rest['p95']:.0f} ms"
    return table


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--issues", type=int, default=5_000, help="with two promises each")
    parser.add_argument("--per-second", type=float, default=PER_SECOND)
    parser.add_argument("--json", type=Path, help="keep the figures in a file")
    asked = parser.parse_args()
    with fresh_home("yinuo-") as home:
        figures = aio.run(measure(asked.issues, asked.per_second, home))
    Console().print(_show(figures))
    if asked.json:
        asked.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    moved = figures["every promise moves"]
    return 0 if moved["tally"]["changed"] >= 2 * asked.issues and not moved["left"] else 1


if __name__ == "__main__":
    sys.exit(main())
