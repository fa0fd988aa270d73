"""How long the thread of an issue takes to read, of 2,000 entries beside a usual one: each page of
``GET /issues/{number}/thread``, and a staff page with its newest and with earlier entries:
``python -m benchmarks.threads``.

Exits 1 if an entry is missing or comes twice. With ``--strict`` also if the p95 of a long thread is
more than 200 ms.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import asyncpg
import httpx2
from rich.console import Console
from rich.table import Table

from benchmarks import figures
from benchmarks.at_the_doors import at_the_doors
from benchmarks.figures import Aim, Figures, spread
from benchmarks.finding.register import Administrator, Made, make
from benchmarks.surroundings import cpu_of_parts, fresh_home, hush
from domain.issue.actions import ActionName
from domain.vocabulary import Role
from inbound.files.roster import read_roster
from runtime import aio, postgres
from runtime.embedded.servers import ADMINISTRATOR, DATABASE, HASTY, EmbeddedPostgres
from runtime.migrate import migrate
from runtime.settings import ROOT
from store import roster
from store.connection import Pool

MOST_MS = 200.0
_USUAL = 30
_PAGE = 50
_MESSAGES = 3
"""Of so many entries one is a message."""
_EARLIER = re.compile(r'href="([^"]*\?before=[^"#]*)#thread"')
_API, _STAFF = "a page over HTTP", "the staff's page"
_WORDS = "客户说出钞口又卡住了，昨天换过传送皮带，今天早上又不行，请再看看。" * 4
_SAID: tuple[tuple[ActionName, Role, dict[str, Any]], ...] = (
    (ActionName.CUSTOMER_WROTE, Role.CUSTOMER, {"words": _WORDS, "means": "words"}),
    (ActionName.ADD_NOTE, Role.LEAD, {"words": _WORDS}),
    (ActionName.REPORT_PROGRESS, Role.ENGINEER, {"note": _WORDS, "told": _WORDS}),
)


@dataclass
class _Reads:
    """How long reads took, in ms, and what they cost: of doors and of PostgreSQL together."""

    taken: list[float]
    cpu: float = 0.0

    @contextmanager
    def counted(self) -> Iterator[list[float]]:
        """Count what is read inside."""
        used = process_time() + cpu_of_parts()["postgres"]
        yield self.taken
        self.cpu += process_time() + cpu_of_parts()["postgres"] - used

    def spread(self) -> dict[str, float]:
        """Say how they spread, and what one of them cost, in ms."""
        return {**spread(self.taken), "cpu": self.cpu * 1_000 / len(self.taken)}


async def _lengthen(connection: Administrator, number: str, entries: int) -> None:
    """Write down that so much was said and told of an issue."""
    (issue,) = await connection.fetch("SELECT id, seq FROM issues WHERE number = $1", number)
    begun = datetime.now(UTC) - timedelta(days=30)
    rows: dict[str, list[dict[str, Any]]] = {"issue_events": [], "outbox": []}
    more = entries - await connection.fetchval(
        "SELECT count(*) FROM issue_events WHERE issue_id = $1", issue["id"]
    )
    for place in range(more):
        at, seq = begun + timedelta(minutes=place), issue["seq"] + 1 + place
        own = {"issue_id": issue["id"], "seq": seq, "key": f"page:{seq}"}
        if place % _MESSAGES == 0:
            told = {"template": "accepted", "audience": "customer", "recipient": "customer"}
            sent = {"subject": "进展", "body": _WORDS, "status": "delivered", "attempts": 1}
            reached = {"channel": "sms", "address": "+8613900000000"}
            when = {"created_at": at, "settled_at": at, "revision": 0}
            key = {"key": f"{issue['id']}:{seq}"}
            rows["outbox"].append(own | key | told | sent | reached | when)
            continue
        action, role, content = _SAID[place % len(_SAID)]
        did = {"action": action, "actor": "07", "role": role, "at": at, "recorded_at": at}
        kept = {"stage": "in_progress", "content": content, "recorded": {}, "turn": 1}
        rows["issue_events"].append(own | did | kept | {"written_at": at})
    await connection.execute("SET session_replication_role = replica")
    for table, of_it in rows.items():
        columns = ", ".join(of_it[0])
        await connection.execute(
            f"INSERT INTO {table} ({columns}) SELECT {columns}"  # noqa: S608  ours
            f" FROM jsonb_populate_recordset(NULL::{table}, $1::text::jsonb)",
            json.dumps(of_it, default=str, ensure_ascii=False),
        )
    await connection.execute("RESET ALL")
    await connection.execute("VACUUM (ANALYZE)")


async def _get(http: httpx2.AsyncClient, path: str, taken: list[float]) -> httpx2.Response:
    begun = perf_counter()
    answer = await http.get(path)
    taken.append((perf_counter() - begun) * 1_000)
    answer.raise_for_status()
    return answer


async def _pages(http: httpx2.AsyncClient, number: str, taken: list[float]) -> list[str]:
    """Read a whole thread over HTTP."""
    path, ids = f"/issues/{number}/thread?limit={_PAGE}", list[str]()
    after: str | None = ""
    while after is not None:
        page = (await _get(http, f"{path}&after={after}" if after else path, taken)).json()
        ids += [each["id"] for each in page["items"]]
        after = page["next"]
    return ids


async def _seen(http: httpx2.AsyncClient, number: str, taken: list[float]) -> None:
    """Look at the page of an issue, and at some of what was earlier."""
    path = f"/intake/{number}"
    for _ in range(5):
        found = _EARLIER.search((await _get(http, path, taken)).text)
        if found is None:
            break
        path = unescape(found[1])


async def measure(asked: argparse.Namespace) -> tuple[Figures, list[str]]:
    """Make the two threads and read them."""
    lengths = {"usual": _USUAL, "long": asked.entries}
    with fresh_home("yinuo-threads-") as home:
        async with EmbeddedPostgres(home, HASTY) as server:
            await migrate(server.owner_url, server.url)
            connection = await asyncpg.connect(server.url_of(DATABASE, ADMINISTRATOR))
            known = await make(connection, 200)
            made = dict(zip(lengths, known, strict=True))
            for name, length in lengths.items():
                await _lengthen(connection, made[name].number, length)
            await connection.close()
            async with postgres.pool(server.url, size=4) as pool:
                times, wrong = await _read(pool, server.url, home, made, lengths, asked.rounds)
    return {"entries": lengths, "times": times, "load": figures.load_now()}, wrong


async def _read(
    pool: Pool,
    url: str,
    home: Path,
    made: Mapping[str, Made],
    lengths: Mapping[str, int],
    rounds: int,
) -> tuple[Figures, list[str]]:
    reads = {f"{name}: {what}": _Reads([]) for name in made for what in (_API, _STAFF)}
    wrong: list[str] = []
    async with pool.acquire() as connection, connection.transaction():
        await roster.replace(connection, read_roster(ROOT / "examples" / "roster"))
    async with at_the_doors(pool, url, home, Role.AGENT, "07") as http:
        for turn in range(rounds + 1):
            for name, issue in made.items():
                if turn == 1:  # what comes first finds everything cold
                    reads |= {f"{name}: {what}": _Reads([]) for what in (_API, _STAFF)}
                with reads[f"{name}: {_API}"].counted() as taken:
                    ids = await _pages(http, issue.number, taken)
                with reads[f"{name}: {_STAFF}"].counted() as taken:
                    await _seen(http, issue.number, taken)
                if len(ids) != len(set(ids)) or len(ids) != lengths[name]:
                    wrong.append(f"{name}: {len(set(ids))} of {len(ids)}, not {lengths[name]}")
    return {name: each.spread() for name, each in reads.items()}, wrong


def main() -> int:
    """Run it."""
    sizes = {
        "entries": (2_000, 2_000, "entries of the long thread"),
        "rounds": (10, 3, "how often each is read from beginning to end"),
    }
    asked = figures.arguments(__doc__, sizes)
    hush()
    found, wrong = aio.run(measure(asked))
    shown = Table("ms", "p50", "p95", "p99", "processor", title_justify="left")
    for name, of in found["times"].items():
        shown.add_row(name, *(f"{of[each]:,.1f}" for each in ("p50", "p95", "p99", "cpu")))
    Console(soft_wrap=True).print(shown)
    slowest = max(found["times"], key=lambda name: found["times"][name]["p95"])
    aim = Aim(f"p95 of the slowest ({slowest}), ms", found["times"][slowest]["p95"], MOST_MS)
    return figures.report(found, [aim], wrong, asked)


if __name__ == "__main__":
    sys.exit(main())
