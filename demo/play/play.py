"""The sample issues, lived through on a desk of their own: opened, played, counted, checked."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from rich.console import Console, Group, RenderableType
from rich.text import Text

from demo import reported
from demo.play import evening, ledger, summary, week
from demo.play.board import Board
from demo.play.branches import taken
from demo.play.checks import check
from demo.play.doors import ByDoors, DoorDeed, admit, by_doors
from demo.play.evidence import Evidence
from demo.play.office import Office
from demo.play.samples import SampleIssue, lives, read_samples
from demo.play.screen import Screen, reporter
from demo.play.staff import Played, Players
from demo.receiver import Outside
from demo.stage import Theatre, stage
from domain.issue.actions import ActionName
from domain.issue.thread import Entry
from domain.staff.roster import Roster
from domain.terms import Terms
from domain.vocabulary import Actor, Role
from inbound.files.roster import read_roster
from runtime import aio, rulebook
from runtime.settings import ROOT
from store import door_log
from store.exports import registers

POLICY = ROOT / "policies" / "demo.toml"
ISSUES = ROOT / "examples" / "issues.jsonl"
ROSTER = ROOT / "examples" / "roster"
DEAD = frozenset({"feishu"})
SPEED = 3600.0
"""Seconds for hours."""

VISITORS = (
    Actor(id="07", role=Role.AGENT),
    Actor(id="liang.jiahao", role=Role.ENGINEER),
    Actor(id="fan.meiling", role=Role.CLERK),
    Actor(id="zhou.jianguo", role=Role.LEAD),
    Actor(id="sun.li", role=Role.MANAGER),
    Actor(id="tian.hui", role=Role.GM_OFFICE),
)
"""As whom one may look around afterwards."""
_SAID = frozenset({ActionName.CUSTOMER_WROTE, ActionName.ADD_NOTE, ActionName.REPORT_TEST})
"""What one sees by that an issue is talked about."""
_LOOKS = 0.3
_TRAIL = 10_000
"""Rows of the doors' trail that are looked through; no play leaves as many."""
_LAST_MESSAGES = 30.0
"""Seconds that messages may take after the last issue is closed."""


ShowThread = Callable[[Sequence[Entry], str, Terms], RenderableType]
"""How a terminal shows the entries of a thread, at the times of a zone and in a desk's terms."""


@dataclass(frozen=True)
class Shows:
    """How a terminal shows what people of the desk read."""

    thread: ShowThread
    report: week.ShowReport


async def play(home: Path, issues: Path, *, keep: bool, console: Console, shows: Shows) -> bool:
    """Play the issues of a file on a new desk in ``home``; say whether all came out as it must.

    Raises:
        SetupError: a file cannot be used, or the desk did not come up.
    """
    book = rulebook.load(POLICY)
    samples = read_samples(issues, book)
    roster, zone = read_roster(ROSTER), ZoneInfo(book.policy.zone)
    async with stage(
        home, POLICY, roster, outside=Outside(dead=DEAD), speed=SPEED, progress=reporter(console)
    ) as place:
        console.print(_welcome(place, len(samples)), soft_wrap=True)
        began, calls = datetime.now(UTC), evening.CallList(place.servers.pool, zone)
        async with _beside(calls.watch()):
            found = await perform(place, roster, samples, console)
        checks, branches = check(found), taken(found)
        good = not any(each.problems for each in checks) and not any(
            each.problems for several in branches.values() for each in several
        )
        console.print(summary.tables(found.ledger), calls.shown(), sep="\n")
        console.print(*await _evening(place, zone, began), sep="\n\n")
        console.print(await conversation(place, found, shows.thread))
        console.print("", summary.branches(branches), summary.findings(checks), sep="\n\n")
        console.print(*week.shown(found.reports, shows.report), sep="\n")
        console.print(_verdict(len(found.played), good=good))
        if keep:
            await _keep(place, found, console)
    return good


async def _evening(place: Theatre, zone: ZoneInfo, began: datetime) -> list[RenderableType]:
    """What is done when the day is over."""
    pool = place.servers.pool
    drawn = await evening.sample(pool, zone, began)
    out = await evening.export(pool, zone, place.settings.home)
    return [evening.sampled(drawn), evening.exported(out, await registers.held(pool, zone.key))]


async def conversation(place: Theatre, found: Evidence, show: ShowThread) -> RenderableType:
    """The thread of the issue about which most was said."""
    words = Counter(event.issue_id for event in found.ledger.events if event.action in _SAID)
    id_ = max(found.ledger.issues, key=lambda issue: (words[issue.id], issue.seq)).id
    issue, said = await place.desk.show(id_), await place.desk.thread(id_)
    head = "\n一个问题的来往记录，最新的在前 All that was said about one issue, newest first"
    about = Text(f"{issue.number} · {issue.title}")
    shown = show(said.entries, issue.zone, await place.desk.terms())
    return Group(Text(head, style="bold"), about, shown)


async def perform(
    place: Theatre, roster: Roster, samples: Sequence[SampleIssue], console: Console
) -> Evidence:
    """Play the issues and gather what is to be checked."""
    async with by_doors(place, roster) as doors:
        played = await _played(place, doors, roster, samples, console)
    return await evidence(place, played, doors.done)


async def evidence(place: Theatre, played: Sequence[Played], deeds: Sequence[DoorDeed]) -> Evidence:
    """Gather it, as things stand now."""
    pool, policy = place.servers.pool, rulebook.load(POLICY).policy
    return Evidence(
        played=played,
        ledger=await ledger.read(pool),
        workflows=await _workflows(place),
        received=place.receiver.received,
        dead=DEAD,
        deeds=deeds,
        trail=await door_log.entries(pool, limit=_TRAIL),
        reports=await reported.counted(pool, week.COUNTED, policy, datetime.now(UTC)),
    )


async def _played(
    place: Theatre, doors: ByDoors, roster: Roster, samples: Sequence[SampleIssue], console: Console
) -> list[Played]:
    """Let the issues come in one after the other, and see them through."""
    board = Board(place.desk)
    office = Office(place.desk, place.servers.pool, roster)
    policy = rulebook.load(POLICY).policy
    players = Players(place.desk, doors, board, office, roster, policy)
    tasks = []
    async with _beside(board.watch(), Screen(console, place, board, lives(samples)).run()):
        async with asyncio.TaskGroup() as scripts:
            for sample in samples:
                tasks.append(scripts.create_task(players.play(sample)))
                await asyncio.sleep(players.pace.interval)
        await _until_quiet(place)
    return [played for task in tasks for played in task.result()]


@asynccontextmanager
async def _beside(*others: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run these while the block runs; one that fails ends the block."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(other) for other in others]
        yield
        for task in tasks:
            task.cancel()


async def _until_quiet(place: Theatre) -> None:
    """Wait until nothing is on its way any more. What then still runs is for the checks to find."""
    try:
        async with asyncio.timeout(_LAST_MESSAGES):
            while any(status == "RUNNING" for _, status in await _workflows(place)):
                await asyncio.sleep(_LOOKS)
    except TimeoutError:
        return


async def _workflows(place: Theatre) -> list[tuple[str, str]]:
    found = place.servers.client.list_workflows("WorkflowType = 'IssueWorkflow'")
    return [(run.id, run.status.name if run.status else "UNKNOWN") async for run in found]


def _welcome(place: Theatre, count: int) -> Text:
    return Text.assemble(
        "\n",
        ("一诺 Yinuo", "bold"),
        f" · {count} 个问题，一小时按一秒计 · {count} issues, an hour is a second\n",
        "Temporal Web UI  ",
        (str(place.servers.web_ui), "bold cyan underline"),
        "\n门户 Doors      ",
        (place.settings.base_url, "bold cyan underline"),
        "\n",
    )


def _verdict(count: int, *, good: bool) -> Text:
    if good:
        return Text(
            f"\n{count} 个问题全部依约了结 All {count} issues were seen through.",
            style="bold green",
        )
    return Text("\n有核对未通过 Something is not as it must be: see above.", style="bold red")


async def _keep(place: Theatre, found: Evidence, console: Console) -> None:
    let_in = await admit(place.servers.pool, VISITORS)
    console.print(
        f"\nThe desk stays up at {place.servers.web_ui}; its data is in {place.settings.home}. "
        f"Ctrl-C stops it.\n\nSign in at {place.settings.base_url} as",
        *(f"  {role:<9} {person:<13} {token}" for (role, person), token in let_in.items()),
        "\nThe week's report, for the GM office, manager and lead: "
        f"{week.address(place.settings.base_url, found.reports)}",
        sep="\n",
        soft_wrap=True,
    )
    with aio.stop_requested() as stop:
        await stop.wait()
