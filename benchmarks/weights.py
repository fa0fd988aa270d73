"""How much room issues take: in the register's tables, in Temporal's file, in processes; and what
that comes to for each of them.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from statistics import linear_regression
from typing import NamedTuple

import asyncpg
import psutil

from runtime.embedded.servers import ADMINISTRATOR, DATABASE, EmbeddedPostgres

Bytes = Mapping[str, float]
"""Bytes by what takes them."""
KB = 1_000


class Weights(NamedTuple):
    """Bytes at one moment: by table in both servers, and of processes in memory."""

    postgres: Bytes
    temporal: Bytes
    memory: Bytes

    def since(self, before: Weights) -> Weights:
        """Say what came on top."""
        return Weights(*map(difference, self, before))

    def and_(self, more: Weights) -> Weights:
        """Add what came on top later."""
        return Weights(*map(total, self, more))


NOTHING = Weights({}, {}, {})


def difference(after: Bytes, before: Bytes) -> dict[str, float]:
    """Subtract one from the other, name by name."""
    return {name: after.get(name, 0) - before.get(name, 0) for name in {**before, **after}}


def total(one: Bytes, other: Bytes) -> dict[str, float]:
    """Add them up, name by name."""
    return {name: one.get(name, 0) + other.get(name, 0) for name in {**one, **other}}


async def of_registers(server: EmbeddedPostgres) -> dict[str, float]:
    """Weigh every table with its indexes and what it keeps apart, when what nobody can see any more
    is free to be written over: what is left is what a desk needs that goes on.
    """
    connection = await asyncpg.connect(server.url_of(DATABASE, ADMINISTRATOR))
    try:
        await connection.execute("VACUUM")
        await connection.execute("CHECKPOINT")
        rows = await connection.fetch(_TABLES)
    finally:
        await connection.close()
    return {row["relname"]: float(row["bytes"]) for row in rows}


_TABLES = """
SELECT relname, pg_total_relation_size(oid) AS bytes FROM pg_class
WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
"""


def of_executions(file: Path) -> dict[str, float]:
    """Weigh what Temporal's file holds, by table with its indexes, as a reader sees it now: free
    pages and the log before them are the server's to use again. All in one, if this Python's SQLite
    cannot tell tables apart.
    """
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
        try:
            rows = connection.execute(_PAGES_OF_TABLES).fetchall()
        except sqlite3.OperationalError:
            rows = connection.execute(_PAGES).fetchall()
    return {name: float(size) for name, size in rows}


_PAGES_OF_TABLES = """
SELECT coalesce(tbl_name, d.name) AS name, sum(pgsize) FROM dbstat d
LEFT JOIN sqlite_schema s ON s.name = d.name WHERE aggregate = 1 GROUP BY 1
"""
_PAGES = """
SELECT 'all tables', (p.page_count - f.freelist_count) * s.page_size
FROM pragma_page_count p, pragma_freelist_count f, pragma_page_size s
"""


def of_memory(pids: Mapping[str, int]) -> dict[str, float]:
    """Weigh what processes have in memory (RSS)."""
    return {name: float(psutil.Process(pid).memory_info().rss) for name, pid in pids.items()}


class Line(NamedTuple):
    """What each issue adds, if every one adds as much; ``bend`` is how far what was weighed lies
    from that at most, as a share of the heaviest.
    """

    each: float
    bend: float


def line(points: Iterable[tuple[int, float]]) -> Line:
    """Lay a line through so many issues and their bytes."""
    numbers, weighed = zip(*points, strict=True)
    slope, intercept = linear_regression(numbers, weighed)
    off = max(abs(y - (slope * x + intercept)) for x, y in zip(numbers, weighed, strict=True))
    return Line(slope, off / heaviest if (heaviest := max(map(abs, weighed))) else 0.0)


def heaviest(each: Bytes, least: float) -> Sequence[tuple[str, float]]:
    """List what takes at least so much, the heaviest first."""
    found = sorted(each.items(), key=lambda named: -named[1])
    return [(name, size) for name, size in found if size >= least]
