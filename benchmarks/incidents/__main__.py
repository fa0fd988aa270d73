"""The reports of a real desk's weeks and month beside its incident log's own figures:
``python -m benchmarks.incidents incident_event_log.csv.gz``.

Every incident opened before ``--until`` is led on a register of its own (``leading.py``), and what
the reports say of it is compared with what the log comes to by the same rules (``file.py``); beside
it stands what the log says in columns of its own.

Exits 1 if a report says anything else than the log comes to by the same rules.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from math import isclose
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

from benchmarks.incidents import file
from benchmarks.incidents.file import Case, Days
from benchmarks.incidents.leading import Led
from benchmarks.surroundings import fresh_home, hush
from demo.replay import SHANGHAI, SOURCE, LogError, LogRow, read_log, tell
from demo.replay.people import Crew, roster
from domain.reports import telling
from domain.reports.counted import Counted, Value
from domain.reports.figures import FIGURES
from domain.reports.periods import Cadence, Period
from domain.reports.weekly import EFFECTIVENESS
from domain.terms import Terms
from runtime import aio, postgres, rulebook
from runtime.embedded.servers import HASTY, EmbeddedPostgres
from runtime.migrate import migrate
from runtime.settings import ROOT
from store import roster as rosters
from store import rulebooks, standing
from store.connection import Pool
from store.reports import counting

_POLICY = rulebook.load(ROOT / "policies" / "incidents.toml")
_RESOLUTION = frozenset({"kept", "broken"})
"""Figures that are compared of that promise alone: the log has no other."""


class Compared(NamedTuple):
    """A figure: what the report says, what the log comes to by the same rules, and by itself."""

    period: str
    figure: str
    report: float | None
    file: float | None
    by_itself: float | None = None

    @property
    def differs(self) -> bool:
        """Whether the report says anything else than the log comes to."""
        if self.report is None or self.file is None:
            return self.report is not self.file
        return not isclose(self.report, self.file, abs_tol=1e-6)


async def lead(pool: Pool, log: Path, until: datetime) -> Led:
    """Lead what happened before ``until`` on an empty register."""
    incidents = tell(known_by(read_log(log), until)).incidents
    people = roster(incidents)
    async with pool.acquire() as connection, connection.transaction():
        await rosters.replace(connection, people)
        await rulebooks.adopt(connection, _POLICY, by="a benchmark", note="")
    led = Led(pool, Crew(people))
    await led.lead(incidents, until)
    return led


def known_by(rows: Iterable[LogRow], until: datetime) -> Iterator[LogRow]:
    """Leave out what had not happened: of an incident that is reopened later, a closing would be
    taken for none. What an incident was opened with is known with its first row.
    """
    seen: set[str] = set()
    over: set[str] = set()
    for row in rows:
        if row.opened_at >= until or row.number in over:
            continue
        if row.updated_at >= until:
            over.add(row.number)
        if row.number not in seen or row.number not in over:
            yield row
        seen.add(row.number)


async def compare(pool: Pool, log: Path, until: date) -> list[Compared]:
    """Compare the reports of each week and month from the first incident on that is over."""
    horizon = datetime.combine(until, time())
    cases = file.read(log, horizon)
    found: list[Compared] = []
    for period in _periods(cases, until):
        counted = await counting.count(
            pool,
            EFFECTIVENESS,
            period,
            zone=SHANGHAI,
            terms=Terms(),
            now=horizon.replace(tzinfo=SHANGHAI).astimezone(UTC),
        )
        found += _totals(counted, cases, _days(period))
        found += _by_rows(counted, cases, _days(period))
    return found


def _periods(cases: Sequence[Case], until: date) -> Iterator[Period]:
    first = min(case.opened_at for case in cases).date()
    for cadence in (Cadence.WEEK, Cadence.MONTH):
        period = Period.around(cadence, first)
        while period.last < until:
            yield period
            period = period.after


def _days(period: Period) -> Days:
    return Days(period.first, period.last + timedelta(days=1))


def _totals(counted: Counted, cases: Sequence[Case], days: Days) -> Iterator[Compared]:
    by_itself = file.by_itself(cases, days)
    for figure, value in file.by_our_rules(cases, days).items():
        section, row = ("promises", "resolution") if figure in _RESOLUTION else ("all", None)
        # Where no promise ended there is no row of it.
        said = counted.value(section, figure, row) or Value(value=0)
        report = None if said.value is None else float(said.value)
        yield Compared(counted.period, figure, report, value, by_itself[figure])


def _by_rows(counted: Counted, cases: Sequence[Case], days: Days) -> Iterator[Compared]:
    """Compare what came in by hour, weekday and channel."""
    for section in file.BY:
        opened = file.opened_by(cases, days, section)
        rows = counted.section(section)
        codes = {row.of for row in rows.rows if row.of is not None} if rows else set()
        for code in sorted(codes | opened.keys()):
            value = counted.value(section, "registered", code)
            said = value.n if value else 0
            yield Compared(counted.period, f"registered, {section} {code}", said, opened[code])


# What is printed ----------------------------------------------------------------------------------

_HEAD = ("", "report", "file, by our rules", "", "file, by itself", "why that is otherwise")
_WIDTH = 150
_WHY = {
    "closed": "closed_at moves when it is closed once more, also after the end",
    "backlog": "closed_at, as above",
    "reopened": "reopen_count, whatever the states say",
    "handle_time": "resolved_at is the last result and often missing; ours is the first",
    "handle_time_median": "as above",
    "kept": "first results alone; ours also those after a reopening",
    "broken": "as above",
}


def tables(found: Sequence[Compared]) -> Iterator[Table]:
    """Show the figures of each period, those by hour, weekday and channel summed up."""
    for period in dict.fromkeys(each.period for each in found):
        shown = Table(*_HEAD, title=period, title_justify="left")
        of_it = [each for each in found if each.period == period]
        for each in of_it:
            if each.figure in FIGURES:
                figures = (_said(each, value) for value in (each.report, each.file))
                alike = "≠" if each.differs else "="
                why = _WHY[each.figure] if each.by_itself != each.file else ""
                name, by_itself = FIGURES[each.figure].en, _said(each, each.by_itself)
                shown.add_row(name, *figures, alike, by_itself, why)
        rows = [each for each in of_it if each.figure not in FIGURES]
        equal = sum(not each.differs for each in rows)
        shown.add_row("… by hour, weekday, channel", f"{equal} of {len(rows)} =")
        yield shown


def _said(compared: Compared, value: float | None) -> str:
    holds = FIGURES[compared.figure].holds
    return telling.value(holds, Value(value=value, n=1))[1]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("log", type=Path, help="the incident log, .csv or .csv.gz")
    parser.add_argument(
        "--until",
        type=date.fromisoformat,
        default=date(2016, 4, 1),
        help="the first day that is not led any more; 2016-04-01: the whole of March",
    )
    return parser.parse_args()


async def measure(log: Path, until: date) -> tuple[list[Compared], Mapping[str, float]]:
    """Lead the log on a PostgreSQL of its own and compare; say also what that took."""
    with fresh_home("yinuo-incidents-") as home:
        async with EmbeddedPostgres(home, HASTY) as server:
            await migrate(server.owner_url, server.url)
            async with postgres.pool(server.url, size=4) as pool:
                async with pool.acquire() as connection:
                    await standing.prove(connection, await standing.here(connection))
                begun = perf_counter()
                horizon = datetime.combine(until, time(), SHANGHAI)
                led = await lead(pool, log, horizon)
                seconds = perf_counter() - begun
                found = await compare(pool, log, until)
    return found, {"steps": led.recorded, "s": seconds}


def main() -> int:
    """Run it."""
    asked = _arguments()
    hush()
    try:
        found, taken = aio.run(measure(asked.log, asked.until))
    except LogError as error:
        sys.exit(str(error))
    console = Console(width=_WIDTH)
    for shown in tables(found):
        console.print(shown)
    console.print(f"{taken['steps']} steps led in {taken['s']:.0f} s. Source: {SOURCE}")
    wrong = [each for each in found if each.differs]
    for each in wrong:
        console.print(f"WRONG: {each.period} {each.figure}: {each.report}, the file {each.file}")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
