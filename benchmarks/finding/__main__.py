"""Finding issues in a register of 200,000, by number, telephone, name and words, each as somebody
of the hotline, of a department, and an engineer looks for them: ``python -m benchmarks.finding``.

Exits 1 if something that is there is not found. With ``--strict`` also if the p95 of any kind of
question is more than 100 ms.
"""

from __future__ import annotations

import argparse
import gc
import random
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from time import perf_counter
from typing import NamedTuple

import asyncpg
from rich.console import Console
from rich.table import Table

from benchmarks import figures
from benchmarks.figures import Aim, Figures, spread
from benchmarks.finding.register import DEPARTMENTS, Made, make
from benchmarks.finding.threads import FAULTS, PARTS, code
from benchmarks.surroundings import cpu_of_parts, fresh_home, hush
from domain.staff.access import Caller
from domain.vocabulary import Role
from runtime import aio, postgres
from runtime.embedded.servers import ADMINISTRATOR, DATABASE, HASTY, EmbeddedPostgres
from runtime.migrate import migrate
from store import finding
from store.connection import Pool
from store.finding import Searcher

MOST_MS = 100.0
_WARM = 20


class Asked(NamedTuple):
    """A question, and the issue that must be found by it, if one must."""

    typed: str
    number: str | None = None


Ask = Callable[[random.Random, Made], Asked]


def _phrase(drawn: random.Random, made: Made) -> Asked:
    said = drawn.choice(made.thread.events).content
    text = next(each for each in said.values() if isinstance(each, str))
    return Asked(text[:12], None)


QUESTIONS: Mapping[str, Ask] = {
    "its number": lambda _, made: Asked(made.number, made.number),
    "the end of a number": lambda _, made: Asked(made.number.partition("-")[2]),
    "a telephone": lambda _, made: Asked(made.customer.phone.replace(" ", "")[3:]),
    "the last four digits": lambda _, made: Asked(made.customer.phone[-4:]),
    "a name": lambda _, made: Asked(made.customer.contact_person),
    "an organisation": lambda _, made: Asked(made.customer.organisation),
    "a branch": lambda _, made: Asked(made.customer.customer_name),
    "a fault code": lambda drawn, _: Asked(code(drawn)),
    "a part": lambda drawn, _: Asked(drawn.choice(PARTS)),
    "a fault": lambda drawn, _: Asked(drawn.choice(FAULTS)),
    "a word in every issue": lambda _, __: Asked("机器"),
    "a part and a fault": lambda drawn, _: Asked(f"{drawn.choice(PARTS)} {drawn.choice(FAULTS)}"),
    "two rare parts": lambda drawn, _: Asked(" ".join(drawn.sample(PARTS[12:], 2))),
    "a branch and a part": lambda drawn, made: Asked(
        f"{made.customer.customer_name} {drawn.choice(PARTS[:8])}"
    ),
    "a code and its part": lambda _, made: Asked(
        f"{made.thread.description.partition('显示 ')[2][:6]} {made.thread.title}", made.number
    ),
    "a phrase": _phrase,
    "nothing there is": lambda drawn, _: Asked(f"麒麟{drawn.randrange(10**6)} 凤凰"),
    "common words that never meet": lambda _, __: Asked("机器 麒麟"),
}


def _reaches(made: Made) -> Mapping[str, Searcher]:
    return {
        "everything": Searcher.of(Caller(id="10", role=Role.AGENT, name="a")),
        "a department": Searcher.of(
            Caller(id="m", role=Role.MANAGER, name="m", department=made.department)
        ),
        "an engineer's own": Searcher.of(
            Caller(id=made.engineer, role=Role.ENGINEER, name="e", department=DEPARTMENTS[0])
        ),
        "no customers": Searcher.of(Caller(id="a", role=Role.AUDITOR, name="a")),
    }


async def measure(asked: argparse.Namespace) -> tuple[Figures, list[str]]:
    """Make the register and ask it."""
    with fresh_home("yinuo-finding-") as home:
        async with EmbeddedPostgres(home, HASTY) as server:
            await migrate(server.owner_url, server.url)
            connection = await asyncpg.connect(server.url_of(DATABASE, ADMINISTRATOR))
            begun = perf_counter()
            known = await make(connection, asked.issues)
            row = await connection.fetchrow(_DESCRIBED)
            await connection.close()
            described = {**dict(row or {}), "made_in_s": round(perf_counter() - begun, 1)}
            async with postgres.pool(server.url, size=2) as pool:
                gc.collect()
                gc.freeze()
                times, wrong = await _times(pool, known, asked.calls)
    return {"register": described, "times": times, "load": figures.load_now()}, wrong


_DESCRIBED = """
SELECT (SELECT count(*) FROM issues) AS issues,
    (SELECT count(*) FROM issues WHERE closed_at IS NULL) AS open,
    (SELECT count(*) FROM issue_events) AS events,
    (SELECT count(*) FROM issue_words) AS texts,
    (pg_total_relation_size('issue_words') / 1e6)::float8 AS words_mb,
    (pg_relation_size('issue_words_search') / 1e6)::float8 AS index_mb,
    (pg_database_size(current_database()) / 1e6)::float8 AS megabytes
"""


async def _times(pool: Pool, known: Sequence[Made], calls: int) -> tuple[Figures, list[str]]:
    times: Figures = {}
    wrong: list[str] = []
    for reach in _reaches(known[0]):
        for name, ask in QUESTIONS.items():
            drawn = random.Random(f"{reach} {name}")  # noqa: S311  no secret
            taken: list[float] = []
            used = 0.0
            for call in range(_WARM + calls):
                made = drawn.choice(known)
                question = ask(drawn, made)
                who = _reaches(made)[reach]
                if call == _WARM:
                    used = cpu_of_parts()["postgres"]
                begun = perf_counter()
                found = await finding.find(pool, who, question.typed)
                taken.append((perf_counter() - begun) * 1_000)
                missed = question.number and question.number not in {e.number for e in found.found}
                if missed and reach == "everything":
                    wrong.append(f"{reach}: {question.typed} does not find {question.number}")
            cpu = (cpu_of_parts()["postgres"] - used) / calls * 1_000
            times[f"{reach}: {name}"] = {**spread(taken[_WARM:]), "cpu": cpu}
    return times, wrong


def _tables(found: Figures) -> Iterator[Table]:
    for reach in ("everything", "a department", "an engineer's own", "no customers"):
        shown = Table(
            f"{reach}, ms", "p50", "p95", "p99", "cpu of PostgreSQL", title_justify="left"
        )
        for name in QUESTIONS:
            of = found["times"][f"{reach}: {name}"]
            shown.add_row(name, *(f"{of[each]:,.1f}" for each in ("p50", "p95", "p99", "cpu")))
        yield shown


def main() -> int:
    """Run it."""
    sizes = {
        "issues": (200_000, 20_000, "issues of the register"),
        "calls": (200, 50, "questions of each kind"),
    }
    asked = figures.arguments(__doc__, sizes)
    hush()
    found, wrong = aio.run(measure(asked))
    console = Console(soft_wrap=True)
    console.print(found["register"])
    for shown in _tables(found):
        console.print(shown)
    slowest = max(found["times"], key=lambda name: found["times"][name]["p95"])
    aim = Aim(f"p95 of the slowest ({slowest}), ms", found["times"][slowest]["p95"], MOST_MS)
    return figures.report(found, [aim], wrong, asked)


if __name__ == "__main__":
    sys.exit(main())
