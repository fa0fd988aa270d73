"""Counting every report of a month of 500 issues a day and of a year of 130,000, in registers
written in bulk: ``python -m benchmarks.reports``.

Exits 1 if a figure is not what an independent count of the same register finds. With ``--strict``
also if a report of the month takes more than 5 s, or one of the year more than 30 s.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Awaitable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from time import perf_counter
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.table import Table

from benchmarks import figures
from benchmarks.figures import Aim, Figures
from benchmarks.reports import oracle, register
from benchmarks.reports.oracle import Time
from benchmarks.reports.register import Desk
from benchmarks.surroundings import cpu_of_parts, fresh_home, hush
from domain.reports.definitions import REPORTS, Report
from domain.reports.periods import Cadence, Period
from domain.terms import Terms
from runtime import aio, postgres, rulebook
from runtime.embedded.servers import ADMINISTRATOR, DATABASE, HASTY, EmbeddedPostgres
from runtime.migrate import migrate
from runtime.settings import ROOT
from store import rulebooks
from store.connection import Pool
from store.reports import counting, watching

ZONE = ZoneInfo("Asia/Shanghai")
STANDARD = rulebook.load(ROOT / "policies" / "standard.toml")
NOW = datetime(2026, 11, 2, 1, tzinfo=UTC)
MONTH, YEAR = Period.named("2026-10"), Period.named("2026")
MOST_S = {Cadence.MONTH: 5.0, Cadence.YEAR: 30.0}
_JANUARY, _OCTOBER = date(2026, 1, 1), date(2026, 10, 1)


def _desk(asked: argparse.Namespace, period: Period) -> Desk:
    """Make a month of working days, or a year's issues spread over as many days."""
    if period is MONTH:
        return Desk(_OCTOBER, 22, asked.issues_a_day, asked.centres, STANDARD.version)
    days = 260
    return Desk(_JANUARY, days, asked.issues_a_year // days, asked.centres, STANDARD.version, 1)


async def measure(asked: argparse.Namespace) -> tuple[Figures, list[str]]:
    """Make both registers, one after the other, and count."""
    found: Figures = {}
    wrong: list[str] = []
    for period in (MONTH, YEAR):
        with fresh_home("yinuo-reports-") as home:
            async with EmbeddedPostgres(home, HASTY) as server:
                await migrate(server.owner_url, server.url)
                async with postgres.pool(server.url_of(DATABASE, ADMINISTRATOR), size=1) as pool:
                    made = await _make(pool, _desk(asked, period))
                async with postgres.pool(server.url, size=2) as pool:
                    times = await _times(pool, period)
                    compared = period is MONTH or asked.compare_year
                    wrong += await _wrong(pool, period) if compared else []
        found[period.name] = {"register": made, "times": times}
    return found | {"load": figures.load_now()}, wrong


async def _make(pool: Pool, desk: Desk) -> Figures:
    begun = perf_counter()
    async with pool.acquire() as connection:
        async with connection.transaction():
            await rulebooks.adopt(connection, STANDARD, by="a benchmark", note="")
        await connection.execute("SET session_replication_role = replica")
        for tables in register.drawn(desk):
            await register.write(connection, tables)
        await connection.execute("RESET session_replication_role")
        await connection.execute("VACUUM (ANALYZE)")
        counts = [
            await connection.fetchval(f"SELECT count(*) FROM {table}")  # noqa: S608  ours
            for table in ("issues", "promises", "callback_records", "calls")
        ]
    names = ("issues", "promises", "callbacks", "calls")
    return dict(zip(names, counts, strict=True)) | {"made_in_s": round(perf_counter() - begun, 1)}


async def _times(pool: Pool, period: Period) -> Figures:
    times: Figures = {}
    for report in REPORTS.values():
        if period.cadence in report.cadences:
            times[report.name] = await _timed(_rows(pool, report, period))
    times["/metrics"] = await _timed(_numbers(pool))
    return times


async def _timed(count: Awaitable[int]) -> Figures:
    resting = _begin_memory_anew()
    cpu, begun = cpu_of_parts()["postgres"], perf_counter()
    rows = await count
    return {
        "s": perf_counter() - begun,
        "cpu_s": cpu_of_parts()["postgres"] - cpu,
        "rows": rows,
        "memory_mb": _memory_mb("VmHWM") - resting,
    }


async def _rows(pool: Pool, report: Report, period: Period) -> int:
    found = await counting.count(pool, report, period, zone=ZONE, terms=Terms(), now=NOW)
    return sum(len(section.rows) for section in found.sections)


async def _numbers(pool: Pool) -> int:
    """Count what Prometheus is told, of this and the last week and month."""
    found = await watching.count(pool, zone=ZONE, terms=Terms(), now=NOW)
    return len(found.numbers)


def _begin_memory_anew() -> float:
    """Forget the most that this process ever held, and say what it holds: MB, by proc(5)."""
    Path("/proc/self/clear_refs").write_text("5", "ascii")
    return _memory_mb("VmRSS")


def _memory_mb(name: str) -> float:
    status = Path("/proc/self/status").read_text("ascii")
    [kb] = [line.split()[1] for line in status.splitlines() if line.startswith(f"{name}:")]
    return int(kb) / 1024


async def _wrong(pool: Pool, period: Period) -> list[str]:
    async with pool.acquire() as connection:
        facts = oracle.facts_of(await oracle.read(connection))
    wrong: list[str] = []
    asked = Time(period, ZONE, NOW, STANDARD.policy.telephone.within_seconds)
    for report in REPORTS.values():
        found = await counting.count(pool, report, period, zone=ZONE, terms=Terms(), now=NOW)
        differs = oracle.differences(facts, report, found, asked)
        wrong += (f"{report.name} {period.name} {each}" for each in differs)
    return wrong


def _tables(found: Figures) -> Iterator[Table]:
    for name in (MONTH.name, YEAR.name):
        shown = Table(name, "s", "cpu of PostgreSQL, s", "rows", "memory for it, MB")
        for report, of in found[name]["times"].items():
            shown.add_row(
                *(report, f"{of['s']:.2f}", f"{of['cpu_s']:.2f}"),
                *(str(of["rows"]), f"{of['memory_mb']:.1f}"),
            )
        yield shown


def main() -> int:
    """Run it."""
    sizes = {
        "issues-a-day": (500, 50, "issues of each of the month's 22 working days"),
        "issues-a-year": (130_000, 2_600, "issues of the year"),
        "centres": (40, 4, "service centres, with five engineers each"),
        "compare-year": (0, 1, "whether the year is counted again in Python, too"),
    }
    asked = figures.arguments(__doc__, sizes)
    hush()
    found, wrong = aio.run(measure(asked))
    console = Console(soft_wrap=True)
    for period in (MONTH, YEAR):
        console.print(found[period.name]["register"])
    for shown in _tables(found):
        console.print(shown)
    aims = []
    for period in (MONTH, YEAR):
        times = found[period.name]["times"]
        slowest = max(times, key=lambda name: times[name]["s"])
        what = f"slowest report of {period.name} ({slowest}), s"
        aims.append(Aim(what, times[slowest]["s"], MOST_S[period.cadence]))
    return figures.report(found, aims, wrong, asked)


if __name__ == "__main__":
    sys.exit(main())
