"""An intake storm on real servers: ``python -m benchmarks.storm``.

Many intakes at once, a third of them sent again, through the doors (the real `yinuo serve`) and, in
turn with that, straight to Temporal's update-with-start, which is the least that a registration
costs. Whoever sends is a process of its own. Exits 1 if an issue was lost or doubled, or a repeat
was answered with another number.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import secrets
import sys
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import NamedTuple

import httpx2
from rich.console import Console
from rich.table import Table
from temporalio.client import WithStartWorkflowOperation
from temporalio.common import WorkflowIDConflictPolicy

from benchmarks.figures import spread
from benchmarks.intakes import a_fault
from benchmarks.surroundings import fresh_home, until_quiet
from demo.stage import Theatre, stage
from domain.contract import ISSUES
from domain.issue.actions import ActionName
from domain.issue.intake import Intake
from domain.issue.view import IssueView
from domain.vocabulary import Role
from inbound.files.roster import read_roster
from runtime import aio, temporal
from runtime.settings import ROOT, load
from store import tokens
from store.tokens import Token
from web.auth.identity import PREFIX, digest
from workflows.issue import IssueWorkflow

SOURCE = "storm"
WARM = 60
"""Requests of each round that nobody times: connections, caches, the first issues."""
WAYS = ("doors", "bare")
AIM = 1.5
"""How many times the bare p50 the doors' may be."""

Send = Callable[[Intake], Awaitable[tuple[str, bool]]]
"""Registers an intake; returns its number, and whether it was said to be new."""


class Sent(NamedTuple):
    """One request that was answered."""

    reference: str
    number: str
    new: bool
    repeat: bool
    seconds: float


class Round(NamedTuple):
    """What one process sent, once it was warm; ``warm`` is what it sent before."""

    way: str
    seconds: float
    sent: list[Sent]
    warm: list[Sent]


# Whoever sends, in a process of its own


async def send_all(way: str, name: str, requests: int, at_once: int) -> Round:
    """Send a storm one way."""
    async with AsyncExitStack() as stack:
        send = await (_through_the_doors if way == "doors" else _bare)(stack)
        warm = await _storm(send, _intakes(f"{name}-warm", WARM), at_once)
        intakes = _intakes(name, requests)
        begun = perf_counter()
        sent = await _storm(send, intakes, at_once)
        return Round(way, perf_counter() - begun, sent, warm)


def _intakes(name: str, requests: int) -> list[Intake]:
    """A third of them are sent twice, soon or late after the first time."""
    distinct = requests - requests // 3
    intakes = [a_fault(SOURCE, f"{name}-{n}") for n in range(distinct)]
    chance = random.Random(name)  # noqa: S311  an order that is the same every time
    intakes += chance.sample(intakes, requests - distinct)
    chance.shuffle(intakes)
    return intakes


async def _storm(send: Send, intakes: Sequence[Intake], at_once: int) -> list[Sent]:
    waiting = iter(intakes)
    begun_with: set[str] = set()
    sent: list[Sent] = []

    async def one_after_another() -> None:
        for intake in waiting:
            repeat = intake.reference in begun_with
            begun_with.add(intake.reference)
            begun = perf_counter()
            number, new = await send(intake)
            sent.append(Sent(intake.reference, number, new, repeat, perf_counter() - begun))

    await asyncio.gather(*(one_after_another() for _ in range(at_once)))
    return sent


async def _through_the_doors(stack: AsyncExitStack) -> Send:
    asked = json.loads(sys.stdin.read())
    client = httpx2.AsyncClient(
        base_url=asked["url"],
        headers={"Authorization": f"Bearer {asked['token']}"},
        limits=httpx2.Limits(max_connections=None),
        timeout=60,
        trust_env=False,
    )
    await stack.enter_async_context(client)

    async def send(intake: Intake) -> tuple[str, bool]:
        body = intake.model_dump_json(exclude_unset=True)
        answer = await client.post(
            "/issues", content=body, headers={"Content-Type": "application/json"}
        )
        if answer.status_code not in {200, 201}:
            raise RuntimeError(f"{answer.status_code}: {answer.text}")
        return answer.json()["number"], answer.status_code == httpx2.codes.CREATED

    return send


async def _bare(_: AsyncExitStack) -> Send:
    """The one call that registers; nothing says whether the issue is new."""
    client = await temporal.connect(load())

    async def send(intake: Intake) -> tuple[str, bool]:
        view: IssueView = await client.execute_update_with_start_workflow(
            ActionName.REGISTERED.value,
            intake,
            start_workflow_operation=WithStartWorkflowOperation(
                IssueWorkflow.run,
                id=intake.issue_id,
                task_queue=ISSUES,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            ),
            id=f"registered-{intake.reference}",
            result_type=IssueView,
        )
        return view.number, False

    return send


# Whoever measures


async def measure(requests: int, at_once: int, rounds: int, home: Path) -> list[Round]:
    """Let both ways take turns at a desk of its own in ``home``."""
    roster = read_roster(ROOT / "examples" / "roster")
    standard = ROOT / "policies" / "standard.toml"
    async with stage(home, standard, roster, speed=1_000, overrides={"workers": 1}) as on:
        token = await _token(on)
        done = []
        for number in range(rounds):
            for way in WAYS if number % 2 == 0 else WAYS[::-1]:
                arguments = ["--way", way, "--name", f"{way}-{number}"]
                arguments += ["--requests", str(requests), "--at-once", str(at_once)]
                done.append(await _in_a_process(on, token, arguments))
                await until_quiet(on)
        await _check(on, done)
    return done


async def _token(on: Theatre) -> str:
    written = PREFIX + secrets.token_urlsafe(32)
    given = Token(
        id="storm", role=Role.INTAKE, person=SOURCE, label="", created_at=datetime.now(UTC)
    )
    async with on.servers.pool.acquire() as connection:
        await tokens.create(connection, given, digest(written))
    return written


async def _in_a_process(on: Theatre, token: str, arguments: Sequence[str]) -> Round:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.storm", *arguments),
        stdin=pipe,
        stdout=pipe,
        cwd=ROOT,
        env={**os.environ, **on.settings.environment()},
    )
    asked = {"url": on.settings.base_url, "token": token}
    out, _ = await process.communicate(json.dumps(asked).encode())
    if process.returncode:
        raise RuntimeError(f"the storm ended with {process.returncode}")
    way, seconds, *sent = json.loads(out)
    return Round(way, seconds, *([Sent(*one) for one in some] for some in sent))


class Lost(Exception):
    """The storm blew something away."""


async def _check(on: Theatre, rounds: Sequence[Round]) -> None:
    """Nothing is lost, nothing doubled, and whoever sent the same heard the same.

    Raises:
        Lost: not so.
    """
    numbers: dict[str, set[str]] = defaultdict(set)
    new: Counter[str] = Counter()
    for each in rounds:
        for one in (*each.warm, *each.sent):
            numbers[one.reference].add(one.number)
            new[one.reference] += one.new
        if each.way == "doors":
            twice = [one.reference for one in (*each.warm, *each.sent) if new[one.reference] != 1]
            if twice:
                raise Lost(f"not said to be new exactly once: {sorted(set(twice))[:5]}")
    rows = await on.servers.pool.fetch(
        "SELECT reference, array_agg(number) AS numbers FROM issues WHERE source = $1 GROUP BY 1",
        SOURCE,
    )
    kept = {row["reference"]: set(row["numbers"]) for row in rows}
    if kept != numbers:
        wrong = sorted({*kept, *numbers})
        wrong = [name for name in wrong if kept.get(name) != numbers.get(name)]
        raise Lost(f"register and answers differ: {wrong[:5]}")


Figures = dict[str, dict[str, float]]
_SHOWN = {
    "p50": "p50 ms",
    "p99": "p99 ms",
    "first_p50": "p50 of firsts",
    "repeat_p50": "p50 of repeats",
    "a_second": "a second",
}


def figures(rounds: Sequence[Round]) -> Figures:
    """Sum the rounds up, in milliseconds and requests a second."""
    found: Figures = {}
    for way in WAYS:
        mine = [each for each in rounds if each.way == way]
        sent = [one for each in mine for one in each.sent]
        all_of_them = spread([one.seconds * 1000 for one in sent])
        found[way] = {
            "p50": all_of_them["p50"],
            "p99": all_of_them["p99"],
            "first_p50": median(one.seconds * 1000 for one in sent if not one.repeat),
            "repeat_p50": median(one.seconds * 1000 for one in sent if one.repeat),
            "a_second": len(sent) / sum(each.seconds for each in mine),
        }
    found["ratio"] = {name: found["doors"][name] / found["bare"][name] for name in _SHOWN}
    return found


def _show(found: Figures, rounds: Sequence[Round]) -> Table:
    table = Table("", *_SHOWN.values())
    for name, what in (("doors", "the doors"), ("bare", "update-with-start")):
        *times, a_second = (found[name][column] for column in _SHOWN)
        table.add_row(what, *(f"{one:.0f}" for one in times), f"{a_second:.1f}")
    table.add_row("ratio", *(f"{found['ratio'][column]:.2f}" for column in _SHOWN))
    answered = sum(len(each.sent) for each in rounds)
    table.caption = f"{answered} requests: no loss, no double. Aim: a p50 of {AIM} times the bare."
    return table


def main() -> int:
    """Run the benchmark, or one storm of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=500, help="a storm; a third are repeats")
    parser.add_argument("--at-once", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=4, help="storms each way, in turn")
    parser.add_argument("--json", type=Path, help="keep the figures in a file")
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument("--name", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.way:
        sent = aio.run(send_all(asked.way, asked.name, asked.requests, asked.at_once))
        json.dump(sent, sys.stdout)
        return 0
    with fresh_home("yinuo-") as home:
        try:
            rounds = aio.run(measure(asked.requests, asked.at_once, asked.rounds, home))
        except Lost as lost:
            Console(stderr=True).print(str(lost))
            return 1
    found = figures(rounds)
    Console().print(_show(found, rounds))
    if asked.json:
        asked.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
