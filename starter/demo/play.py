"""Forty issues, lived through on a desk of their own: opened, played, counted, checked."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from domain.roster import Roster
from runtime import aio, rulebook
from runtime.settings import ROOT
from starter.demo import summary
from starter.demo.checks import Evidence, check
from starter.demo.receiver import Outside
from starter.demo.screen import Screen, reporter
from starter.demo.script import Sample, read_samples
from starter.demo.staff import Board, Played, Players
from starter.demo.stage import Stage, stage
from starter.roster_files import read_roster
from store import ledger

POLICY = ROOT / "policies" / "demo.toml"
ISSUES = ROOT / "examples" / "issues.jsonl"
ROSTER = ROOT / "examples" / "roster"
DEAD = frozenset({"feishu"})
SPEED = 3600.0
"""Seconds for hours."""

_LOOKS = 0.3
_LAST_MESSAGES = 30.0
"""Seconds that messages may take after the last issue is closed."""


async def play(home: Path, issues: Path, *, keep: bool, console: Console) -> bool:
    """Play the issues of a file on a new desk in ``home``; say whether all came out as it must.

    Raises:
        SetupError: a file cannot be used, or the desk did not come up.
    """
    samples = read_samples(issues, rulebook.load(POLICY))
    roster = read_roster(ROSTER)
    async with stage(
        home, POLICY, roster, outside=Outside(dead=DEAD), speed=SPEED, progress=reporter(console)
    ) as place:
        console.print(_welcome(place, len(samples)), soft_wrap=True)
        found = await perform(place, roster, samples, console)
        checks = check(found)
        good = not any(each.problems for each in checks)
        console.print(summary.tables(found.ledger), summary.findings(checks), sep="\n")
        console.print(_verdict(len(samples), good=good))
        if keep:
            await _keep(place, console)
    return good


async def perform(
    place: Stage, roster: Roster, samples: Sequence[Sample], console: Console
) -> Evidence:
    """Play the issues and gather what is to be checked."""
    played = await _played(place, roster, samples, console)
    return await evidence(place, played)


async def evidence(place: Stage, played: Sequence[Played]) -> Evidence:
    """Gather it, as things stand now."""
    return Evidence(
        played=played,
        ledger=await ledger.read(place.servers.pool),
        workflows=await _workflows(place),
        received=place.receiver.received,
        dead=DEAD,
    )


async def _played(
    place: Stage, roster: Roster, samples: Sequence[Sample], console: Console
) -> list[Played]:
    """Let the issues come in one after the other, and see them through."""
    board = Board(place.desk)
    players = Players(place.desk, board, roster)
    tasks = []
    async with _beside(board.watch(), Screen(console, place, board, len(samples)).run()):
        async with asyncio.TaskGroup() as scripts:
            for sample in samples:
                tasks.append(scripts.create_task(players.play(sample)))
                await asyncio.sleep(players.pace.interval)
        await _until_quiet(place)
    return [task.result() for task in tasks]


@asynccontextmanager
async def _beside(*others: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run these while the block runs; one that fails ends the block."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(other) for other in others]
        yield
        for task in tasks:
            task.cancel()


async def _until_quiet(place: Stage) -> None:
    """Wait until nothing is on its way any more. What then still runs is for the checks to find."""
    try:
        async with asyncio.timeout(_LAST_MESSAGES):
            while any(status == "RUNNING" for _, status in await _workflows(place)):
                await asyncio.sleep(_LOOKS)
    except TimeoutError:
        return


async def _workflows(place: Stage) -> list[tuple[str, str]]:
    found = place.servers.client.list_workflows("WorkflowType = 'IssueWorkflow'")
    return [(run.id, run.status.name if run.status else "UNKNOWN") async for run in found]


def _welcome(place: Stage, count: int) -> Text:
    return Text.assemble(
        "\n",
        ("一诺 Yinuo", "bold"),
        f" · {count} 个问题，一小时按一秒计 · {count} issues, an hour is a second\n",
        "Temporal Web UI  ",
        (str(place.servers.web_ui), "bold cyan underline"),
        "\n",
    )


def _verdict(count: int, *, good: bool) -> Text:
    if good:
        return Text(
            f"\n{count} 个问题全部依约了结 All {count} issues were seen through.",
            style="bold green",
        )
    return Text("\n有核对未通过 Something is not as it must be: see above.", style="bold red")


async def _keep(place: Stage, console: Console) -> None:
    console.print(
        f"\nThe desk stays up at {place.servers.web_ui}; its data is in {place.settings.home}. "
        "Ctrl-C stops it.",
        soft_wrap=True,
    )
    with aio.stop_requested() as stop:
        await stop.wait()
