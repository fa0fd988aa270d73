"""Asking a small and a large register the same, and what is made of the times."""

from __future__ import annotations

import gc
import random
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from time import perf_counter, process_time
from zoneinfo import ZoneInfo

import asyncpg
from rich.table import Table

from benchmarks.at_the_doors import at_the_doors
from benchmarks.figures import Aim, Figures, Measured, spread
from benchmarks.reads import seeds
from benchmarks.reads.multiply import multiply
from benchmarks.reads.questions import AIMED_AT, QUESTIONS, Asked, Known, Question, Sort
from benchmarks.surroundings import cpu_of_parts
from domain.quality import Lot
from domain.vocabulary import DESK, Role
from runtime import postgres
from runtime.embedded.servers import (
    ADMINISTRATOR,
    APPLICATION,
    DATABASE,
    HASTY,
    EmbeddedPostgres,
)
from runtime.settings import Settings
from starter.registers import Registers
from store import gauges, issue_reader, quality
from store.connection import Pool
from store.issue_list import Filter, Place

SMALL, LARGE = "small", "large"
MOST_MS = 100.0
"""What is aimed at for boards, lists and searches, of the large register."""
_WARM = 5
_SELDOM = 10
"""Of audits and reports, which nobody waits for before a page, one call for so many of the others.
"""
_CONNECTIONS = 4
_PAGE = 1_000
_SHOWN = ("p50", "p99", "cpu")


async def measure(home: Path, sizes: Mapping[str, int], calls: int) -> tuple[Figures, list[str]]:
    """Make the registers and ask them; return the figures, and what was wrong with an answer."""
    zone = Settings().zone
    await seeds.lead(home)
    found: Figures = {"registers": {}, "times": {}}
    wrong: list[str] = []
    async with EmbeddedPostgres(home, HASTY) as server:
        for name, size in sizes.items():
            async with _register(server, name, size, zone) as (pool, described):
                found["registers"][name] = described
                wrong += [f"{name}: {why}" for why in await answers_wrong(pool)]
                found["times"][name] = await _times(
                    pool, server.url_of(name, APPLICATION), home, calls
                )
    return found, wrong


@asynccontextmanager
async def _register(
    server: EmbeddedPostgres, name: str, size: int, zone: ZoneInfo
) -> AsyncIterator[tuple[Pool, Figures]]:
    """Make a register of that size beside that of the seeds."""
    administration = await asyncpg.connect(server.url_of(ADMINISTRATOR))
    await administration.execute(f"CREATE DATABASE {name} TEMPLATE {DATABASE}")
    await administration.close()
    connection = await asyncpg.connect(server.url_of(name, ADMINISTRATOR))
    begun = perf_counter()
    await multiply(connection, size, zone)
    row = await connection.fetchrow(_DESCRIBED)
    await connection.close()
    described = {**dict(row or {}), "made_in_s": perf_counter() - begun}
    async with postgres.pool(server.url_of(name, APPLICATION), size=_CONNECTIONS) as pool:
        await _draw_a_sample(pool, zone)
        yield pool, described


_DESCRIBED = """
SELECT count(*) AS issues, count(*) FILTER (WHERE closed_at IS NULL) AS open,
    (SELECT count(*) FROM issue_events) AS events, (SELECT count(*) FROM promises) AS promises,
    (SELECT count(*) FROM outbox) AS messages, (SELECT count(*) FROM members) AS members,
    (pg_database_size(current_database()) / 1e6)::float8 AS megabytes
FROM issues
"""


async def _draw_a_sample(pool: Pool, zone: ZoneInfo) -> None:
    now = datetime.now(UTC)
    until = now.astimezone(zone).date() - timedelta(days=10)
    lot = Lot(first=_month_before(until), last=until, seed="benchmark")
    await quality.draw(pool, lot, DESK, now)


def _month_before(day: date) -> date:
    return day - timedelta(days=30)


async def _times(pool: Pool, url: str, home: Path, calls: int) -> dict[str, Measured]:
    """Ask everything, as the doors do: with registers that are kept, and know the roster until it
    changes.
    """
    known = await Known.of(pool, Settings().zone)
    async with at_the_doors(pool, url, home, Role.GM_OFFICE, known.office) as http:
        gc.collect()
        gc.freeze()  # as the doors do, too
        return {
            question.name: await _asked(
                Asked(pool, known, random.Random(question.name), Registers.on(pool), http),  # noqa: S311  no secret
                question,
                calls if question.sort in AIMED_AT else max(_WARM, calls // _SELDOM),
            )
            for question in QUESTIONS
        }


async def _asked(asked: Asked, question: Question, calls: int) -> Measured:
    """Ask the same so often, each time about something else; in milliseconds. How much processor
    time each takes, here and in PostgreSQL, says what others on the machine cannot spoil.
    """
    taken: list[float] = []
    for _ in range(_WARM):
        await question.ask(asked)
    used = _processors()
    for _ in range(calls):
        begun = perf_counter()
        await question.ask(asked)
        taken.append((perf_counter() - begun) * 1_000)
    return {**spread(taken), "cpu": (_processors() - used) / calls * 1_000}


def _processors() -> float:
    return process_time() + cpu_of_parts()["postgres"]


async def answers_wrong(pool: Pool) -> list[str]:
    """Say what is wrong with a list of everything open."""
    places: list[Place] = []
    async for page in _pages(pool, Filter(limit=_PAGE)):
        places += page
    counted = sum(each.count for each in (await gauges.read(pool)).issues)
    open_ = await pool.fetchval("SELECT count(*) FROM issues WHERE closed_at IS NULL")
    return list_wrong(places, open_, counted)


def list_wrong(places: Sequence[Place], open_: int, counted: int) -> list[str]:
    """Say what is wrong: a list has every open issue once, in order, and as many as the gauges
    ``counted``.
    """
    ids = {each.id for each in places}
    return [
        why
        for why, wrong in (
            (f"{len(places)} rows of {len(ids)} issues are listed", len(places) != len(ids)),
            (f"{len(ids)} issues are listed, {open_} are open", len(ids) != open_),
            (f"the gauges count {counted}, {open_} are open", counted != open_),
            ("the list is out of order", places != sorted(places, key=_in_order)),
        )
        if wrong
    ]


async def _pages(pool: Pool, wanted: Filter) -> AsyncIterator[list[Place]]:
    after: Place | None = None
    while True:
        shown, after = await issue_reader.page(pool, wanted, after)
        yield [
            Place(next_due_at=each.next_due_at, registered_at=each.registered_at, id=each.id)
            for each in shown
        ]
        if after is None:
            return


def _in_order(place: Place) -> tuple[float, float, str]:
    due = place.next_due_at.timestamp() if place.next_due_at else float("inf")
    return due, -place.registered_at.timestamp(), place.id


# What is shown ------------------------------------------------------------------------------------


def tables(found: Figures) -> Iterator[Table]:
    """Show the times, a table for each sort of question."""
    times, registers = found["times"], found["registers"]
    issues = {name: f"{registers[name]['issues']:,} issues" for name in (SMALL, LARGE)}
    heads = [f"{each}, {issues[name]}" for name in issues for each in _SHOWN]
    for sort in Sort:
        shown = Table(f"{sort}, ms", *heads, title_justify="left")
        for question in QUESTIONS:
            if question.sort is sort:
                of = (times[name][question.name] for name in issues)
                shown.add_row(question.name, *(f"{each[s]:,.1f}" for each in of for s in _SHOWN))
        yield shown


def aims(found: Figures) -> Sequence[Aim]:
    """What is aimed at: that of pages and searches the slowest is not too slow."""
    p99 = {
        sort: {
            question.name: found["times"][LARGE][question.name]["p99"]
            for question in QUESTIONS
            if question.sort is sort
        }
        for sort in AIMED_AT
    }
    slowest = {sort: max(times, key=times.__getitem__) for sort, times in p99.items()}
    return [
        Aim(f"p99 of the slowest {sort} ({name}), ms", p99[sort][name], MOST_MS)
        for sort, name in sorted(slowest.items())
    ]
