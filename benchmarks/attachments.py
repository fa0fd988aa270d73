"""Thousands of photographs through the doors while everything is killed:
``python -m benchmarks.attachments``.

Callers attach files and fetch some of them back; doors, worker, PostgreSQL and Temporal are killed
(SIGKILL) at any moment. Then every attachment that was acknowledged is fetched and compared, and
after an audit nothing lies there that no attachment speaks of. Exits 1 if that is not so, or if the
doors' memory grew with what went through them.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import secrets
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha256
from io import BytesIO
from itertools import count
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

import httpx2
import psutil
from PIL import Image
from rich.console import Console
from rich.table import Table

from activities.content_audit import GRACE, ContentAudit
from benchmarks.chaos.faults import Saboteur
from benchmarks.chaos.plan import Fault, Kind, chance
from benchmarks.figures import spread
from benchmarks.intakes import a_fault
from benchmarks.surroundings import for_each, fresh_home, hush
from demo.stage import Theatre, stage
from domain.findings import Finding
from domain.vocabulary import Role
from inbound.files.roster import read_roster
from runtime import aio
from runtime.contents.content import SHARDS
from runtime.contents.opening import contents
from runtime.settings import ROOT
from store import tokens
from store.tokens import Token
from web.auth.identity import PREFIX, digest

SOURCE = "photographs"
PER_ISSUE = 25
KINDS = (Kind.DOORS_KILLED, Kind.WORKER_KILLED, Kind.POSTGRES_KILLED, Kind.TEMPORAL_KILLED)
MB = 1024**2
GROWS_BY = 48 * MB
"""Bytes the doors may have more at their most than after the first files: what is under way at
once, and what Python keeps of it.
"""
_FETCHED = 0.1
"""The share of files that are fetched back at once, and of those that are sent a second time."""
_LOOKS = 0.25
"""Seconds between two looks at the doors' memory."""


class Asked(NamedTuple):
    """How much of it: ``size`` in bytes a file, ``pause`` in seconds between two kills; None:
    nobody is killed. ``rounds``: how often each is at most; None: until all files are there.
    """

    files: int
    size: int
    at_once: int
    pause: float | None
    seed: int
    rounds: int | None = None


@dataclass
class Memory:
    """Bytes that the doors have in memory, by process: each begins anew."""

    seen: dict[int, list[int]] = field(default_factory=dict)

    async def watch(self, on: Theatre) -> None:
        """Look, until cancelled."""
        doors = on.servers.doors
        while doors:
            if pid := doors.pid:
                with suppress(psutil.NoSuchProcess):
                    self.seen.setdefault(pid, []).append(psutil.Process(pid).memory_info().rss)
            await asyncio.sleep(_LOOKS)

    @property
    def most(self) -> int:
        """Of any of them."""
        return max(max(each) for each in self.seen.values())

    def least_at_work(self, looks: int = 20) -> int:
        """Say how much the first process had when it had just begun to take files."""
        return max(next(iter(self.seen.values()))[:looks])


@dataclass
class Run:
    """What came of it."""

    acknowledged: dict[int, str] = field(default_factory=dict)
    """Ids, by the number of the file."""
    seconds: list[float] = field(default_factory=list)
    """Of each that was answered at its first try."""
    in_vain: int = 0
    """How often something was sent and not acknowledged."""
    wrong: list[str] = field(default_factory=list)
    kills: dict[str, int] = field(default_factory=dict)
    lasted: float = 0.0
    fetched_in: float = 0.0
    rows: int = 0
    removed: int = 0
    left: int = 0
    findings: list[Finding] = field(default_factory=list)
    memory: Memory = field(default_factory=Memory)

    @property
    def grew(self) -> int:
        """By how many bytes the doors grew."""
        return self.memory.most - self.memory.least_at_work()

    @property
    def sound(self) -> bool:
        """Whether nothing was lost, and nothing was left."""
        return not (self.wrong or self.left or self.findings)


def photograph(number: int, size: int) -> bytes:
    """Make a picture that nobody else has, and that cannot be packed: all can be opened."""
    return _seen() + chance("photograph", number).randbytes(size - len(_seen()))


@cache
def _seen() -> bytes:
    written = BytesIO()
    Image.new("RGB", (640, 480), "teal").save(written, "JPEG")
    return written.getvalue()


@dataclass
class Caller:
    """Attaches files, as often as it takes."""

    http: httpx2.AsyncClient
    numbers: list[str]
    asked: Asked
    run: Run

    async def attach(self, number: int) -> None:
        """Attach one file; some are sent a second time, and fetched back."""
        one = await self._acknowledged(number)
        self.run.acknowledged[number] = one
        if chance("again", number).random() < _FETCHED:
            if (again := await self._acknowledged(number)) != one:
                self.run.wrong.append(f"file {number} is {one} and, sent again, {again}")
            await self.fetch(number)

    async def _acknowledged(self, number: int) -> str:
        issue = self.numbers[number // PER_ISSUE]
        content, first = photograph(number, self.asked.size), True
        while True:
            began = perf_counter()
            with suppress(httpx2.HTTPError):
                answer = await self.http.post(
                    f"/issues/{issue}/attachments?name={number}.jpg", content=content
                )
                if answer.is_success:
                    if first:
                        self.run.seconds.append(perf_counter() - began)
                    return str(answer.json()["id"])
                if not answer.is_server_error:
                    raise RuntimeError(f"{answer.status_code}: {answer.text}")
            first = False
            self.run.in_vain += 1
            await asyncio.sleep(0.3)

    async def fetch(self, number: int) -> None:
        """Fetch a file that was acknowledged, and compare it."""
        expected = sha256(photograph(number, self.asked.size)).digest()
        while True:
            with suppress(httpx2.HTTPError):
                found = sha256()
                async with self.http.stream(
                    "GET", f"/attachments/{self.run.acknowledged[number]}"
                ) as answer:
                    async for piece in answer.aiter_bytes():
                        found.update(piece)
                if answer.is_success and found.digest() == expected:
                    return
                if not answer.is_server_error:
                    self.run.wrong.append(f"file {number}: {answer.status_code}, not what was sent")
                    return
            await asyncio.sleep(0.3)


async def run(asked: Asked, home: Path) -> Run:
    """Do all of it, at a desk of its own in ``home``."""
    roster, standard = (
        read_roster(ROOT / "examples" / "roster"),
        ROOT / "policies" / "standard.toml",
    )
    more = {"workers": 1, "durable": True, "calls_per_minute": 1_000_000}
    came = Run()
    async with stage(home, standard, roster, speed=1_000, overrides=more) as on:
        issues = -(-asked.files // PER_ISSUE)
        numbers = [
            (await on.desk.open(a_fault(SOURCE, f"{SOURCE}-{each}"))).number
            for each in range(issues)
        ]
        async with httpx2.AsyncClient(
            base_url=on.settings.base_url,
            headers={"Authorization": f"Bearer {await _token(on)}"},
            timeout=60,
            trust_env=False,
        ) as http:
            caller = Caller(http, numbers, asked, came)
            watching = asyncio.create_task(came.memory.watch(on))
            killing = asyncio.create_task(_kill(on, asked, came))
            began = perf_counter()
            await for_each(range(asked.files), caller.attach, at_once=asked.at_once)
            came.lasted = perf_counter() - began
            killing.cancel()
            await asyncio.wait({killing})
            began = perf_counter()
            await for_each(range(asked.files), caller.fetch, at_once=asked.at_once)
            came.fetched_in = perf_counter() - began
            watching.cancel()
        await _audit(on, came)
    return came


async def _kill(on: Theatre, asked: Asked, came: Run) -> None:
    """Kill one part after another, at any moment."""
    if asked.pause is None:
        return
    saboteur, drawn = Saboteur(on, asked.seed), chance(asked.seed, "kills")
    for _ in count() if asked.rounds is None else range(asked.rounds):
        for kind in drawn.sample(KINDS, len(KINDS)):
            await asyncio.sleep(drawn.uniform(0, 2 * asked.pause))
            # Whoever struck brings back what the desk does not: that is not to be broken off.
            await asyncio.shield(saboteur.inflict(Fault(kind, 0, drawn.uniform(0, 1))))
            came.kills[kind] = came.kills.get(kind, 0) + 1


async def _audit(on: Theatre, came: Run) -> None:
    """Compare rows and contents, as the deep audit does when what lies there is old enough."""
    pool, kept = on.servers.pool, contents(on.settings)
    audit, later = ContentAudit(pool, kept), datetime.now(UTC) + GRACE + timedelta(minutes=1)
    came.findings = await audit.look(later, everything=True)
    came.removed = await audit.tidy(later)
    rows = await pool.fetch("SELECT id, digest FROM attachments")
    came.rows = len(rows)
    if missing := set(came.acknowledged.values()) - {row["id"] for row in rows}:
        came.wrong.append(f"{len(missing)} were acknowledged and have no row")
    known = {row["digest"] for row in rows}
    lying = [each for shard in SHARDS for each in await kept.lying(shard)]
    came.left = sum(each.digest not in known for each in lying)


async def _token(on: Theatre) -> str:
    written = PREFIX + secrets.token_urlsafe(32)
    given = Token(id=SOURCE, role=Role.GM_OFFICE, person="tian.hui", created_at=datetime.now(UTC))
    async with on.servers.pool.acquire() as connection:
        await tokens.create(connection, given, digest(written))
    return written


# Whoever measures ---------------------------------------------------------------------------------


def figures(asked: Asked, came: Run) -> dict[str, float]:
    """Sum it up."""
    total = asked.files * asked.size
    seconds = spread([each * 1000 for each in came.seconds])
    return {
        "files": asked.files,
        "megabytes": total / MB,
        "files a second": asked.files / came.lasted,
        "megabytes a second in": total / MB / came.lasted,
        "megabytes a second out": total / MB / came.fetched_in,
        "p50 ms": seconds["p50"],
        "p99 ms": seconds["p99"],
        "killed": sum(came.kills.values()),
        "sent in vain": came.in_vain,
        "rows": came.rows,
        "orphans removed": came.removed,
        "doors at first MB": came.memory.least_at_work() / MB,
        "doors at most MB": came.memory.most / MB,
    }


def _show(found: Mapping[str, float], came: Run) -> Table:
    table = Table("", "")
    for name, value in found.items():
        table.add_row(
            name, f"{value:,.0f}" if value >= 10 or value == int(value) else f"{value:.1f}"
        )
    killed = ", ".join(f"{kind} {count}" for kind, count in sorted(came.kills.items()))
    table.caption = killed or "nobody was killed"
    return table


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--kilobytes", type=int, default=512, help="of each")
    parser.add_argument("--at-once", type=int, default=8)
    parser.add_argument(
        "--pause", type=float, default=5.0, help="seconds between two kills; 0: none"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, help="keep the figures in a file")
    given = parser.parse_args()
    asked = Asked(
        given.files, given.kilobytes * 1024, given.at_once, given.pause or None, given.seed
    )
    hush()
    with fresh_home("yinuo-") as home:
        came = aio.run(run(asked, home))
    found = figures(asked, came)
    Console().print(_show(found, came))
    for wrong in (*came.wrong, *(finding.seen for finding in came.findings)):
        Console(stderr=True).print(wrong)
    if came.left:
        Console(stderr=True).print(f"{came.left} contents are left that no attachment speaks of")
    if came.grew > GROWS_BY:
        Console(stderr=True).print(f"the doors grew by {came.grew / MB:.0f} MB")
    if given.json:
        given.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    return 0 if came.sound and came.grew <= GROWS_BY else 1


if __name__ == "__main__":
    sys.exit(main())
