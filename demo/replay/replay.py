"""`yinuo demo --incidents FILE --day DAY --speed N`: a recorded day of a service desk, played back.

The day's incidents go through intake, staff act as the log records, the desk keeps its promises on
a calendar that runs N times as fast. In the end the desk's own figures must be the file's.
"""

import asyncio
import contextlib
import time
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from temporalio.client import Client

from demo.replay import tally
from demo.replay.figures import Figures, figures
from demo.replay.log import SHANGHAI, LogError, opened_on, read_log
from demo.replay.people import SOURCE_SYSTEM, Crew, roster
from demo.replay.play import Play, rehearsal
from demo.replay.shown import shown
from demo.replay.story import Incident, derive
from demo.replay.summary import Summary, render, summarise
from demo.stage import stage
from domain.errors import InputError
from domain.sla.clock import Rehearsal
from domain.staff.roster import Roster
from runtime.settings import ROOT
from starter.client import Desk
from starter.up import Progress as Report
from store.connection import Pool

SPEED = 1800.0
"""Half an hour of the log is a second."""
DAYS = 5
"""The day itself, three working days, and one more: by then promises are broken too."""

COMES_UP_WITHIN = timedelta(seconds=10)
"""The desk has this long before the log's day begins; if it takes longer, the first come late."""
SETTLES_WITHIN = timedelta(seconds=20)
"""How long the desk may go on bringing messages after the last act."""

_POLICY = ROOT / "policies" / "incidents.toml"


@dataclass(frozen=True)
class Story:
    """One day of the log, and what the log itself makes of it until the horizon."""

    begins: datetime
    horizon: datetime
    incidents: tuple[Incident, ...]
    figures: Figures
    people: Roster

    def clock(self, really_begins: datetime, speed: float) -> Rehearsal:
        """Play it from that instant on."""
        return rehearsal(self.begins, really_begins, speed)


def read_story(path: Path, day: date, days: int = DAYS) -> Story:
    """Read a day of the log, which is followed for ``days`` from its first midnight.

    Raises:
        InputError: the log cannot be used, or has nothing on that day.
    """
    if days < 1:
        raise InputError(f"days: {days} is less than the day itself: write 1 or more")
    begins = datetime(day.year, day.month, day.day, tzinfo=SHANGHAI)
    horizon = begins + timedelta(days=days)
    try:
        rows = opened_on(read_log(path), day)
    except LogError as error:
        raise InputError(str(error)) from None
    incidents = derive(rows, day).incidents
    return Story(begins, horizon, incidents, figures(rows, day, horizon), roster(incidents))


def write_policy(directory: Path, clock: Rehearsal) -> Path:
    """Write the policy of a replay with its clock."""
    path = directory / _POLICY.name
    path.write_text(
        f"{_POLICY.read_text('utf-8')}\n[rehearsal]\n"
        f"story_begins = {clock.story_begins.isoformat()}\n"
        f"really_begins = {clock.really_begins.isoformat()}\n"
        f"speed = {clock.speed!r}\n",
        "utf-8",
    )
    return path


async def replay(
    path: Path,
    day: date,
    speed: float = SPEED,
    days: int = DAYS,
    home: Path = Path(".yinuo/incidents"),
    *,
    report: Report = lambda _part, _state, _detail: None,
    console: Console | None = None,
) -> int:
    """Play a day on a desk of its own in ``home`` and print the summary; 0 if nothing differs.

    Raises:
        InputError: the log cannot be used or has nothing on that day, or the speed is none.
        SetupError: the desk did not come up.
    """
    console = console or Console()
    story = await asyncio.to_thread(read_story, path, day, days)
    clock = story.clock(datetime.now(UTC) + COMES_UP_WITHIN, speed)
    with TemporaryDirectory(prefix="yinuo-") as directory:
        policy = write_policy(Path(directory), clock)
        closed = {"doors": False}  # everybody of the log acts through the client
        async with stage(home, policy, story.people, progress=report, overrides=closed) as on:
            summary = await perform(
                on.desk, on.servers.pool, on.servers.client, story, clock, console
            )
    hours = timedelta(days=days) // timedelta(hours=1)
    console.print(render(summary, f"{day}, {hours} hours at {speed:g} times the speed"))
    return 1 if summary.problems else 0


async def perform(
    desk: Desk,
    pool: Pool,
    client: Client,
    story: Story,
    clock: Rehearsal,
    console: Console,
) -> Summary:
    """Play the story on a desk that has its roster and policy, and count what came of it."""
    play = Play(desk, Crew(story.people), story.incidents, clock, clock.to_reality(story.horizon))
    begun = time.monotonic()
    async with shown(play.progress, clock, console):
        await play.run()
        acted = time.monotonic() - begun
        await _settled(pool, clock.to_reality(story.horizon))
    return await summarise(pool, client, story.figures, play.references, play.progress, acted)


async def _settled(pool: Pool, horizon: datetime) -> None:
    """Wait for the horizon, and then for what the desk owes by itself."""
    await asyncio.sleep((horizon - datetime.now(UTC)).total_seconds())
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(SETTLES_WITHIN.total_seconds()):
            while await tally.outstanding(pool, SOURCE_SYSTEM):
                await asyncio.sleep(0.2)
