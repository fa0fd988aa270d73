"""`yinuo demo`: the options, and which play they ask for."""

from __future__ import annotations

from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from cli.issues.thread import thread
from cli.reports import pictures
from demo.play import play
from demo.play.screen import reporter
from demo.replay import replay
from domain.vocabulary import Language
from runtime import aio, logs, settings

Keep = Annotated[bool, typer.Option("--keep", help="leave the desk up afterwards, until Ctrl-C")]
Issues = Annotated[
    Path | None,
    typer.Option(
        help="issues to play, one JSON object a line [default: those of examples/issues.jsonl]",
        show_default=False,
    ),
]
Home = Annotated[
    Path | None,
    typer.Option(
        help="where the servers of the demonstration keep their data; emptied before"
        " [default: demo or incidents in .yinuo (YINUO_HOME)]",
        show_default=False,
    ),
]
Incidents = Annotated[
    Path | None,
    typer.Option(help="replay a real day out of this incident log instead", show_default=False),
]
Day = Annotated[
    datetime | None,
    typer.Option(formats=["%Y-%m-%d"], help="which day of the log", show_default=False),
]
Speed = Annotated[
    float | None,
    typer.Option(
        min=1, help="how many times faster than life the log is replayed", show_default=False
    ),
]
Days = Annotated[
    int | None,
    typer.Option(
        min=1, help="how many of the log's days are replayed [default: 5]", show_default=False
    ),
]


def demo(
    *,
    keep: Keep = False,
    issues: Issues = None,
    home: Home = None,
    incidents: Incidents = None,
    day: Day = None,
    speed: Speed = None,
    days: Days = None,
) -> None:
    """Show the whole desk at work, on servers of its own and with staff played by a script.

    Ends with 1 if an issue was lost, doubled, left unanswered or wrongly counted.

    Example: yinuo demo --keep

    Example: yinuo demo --incidents incident_event_log.csv --day 2016-03-07 --speed 1800
    """
    if incidents is None:
        if day or speed or days:
            raise typer.BadParameter("--day, --speed and --days go with --incidents")
        good = _play(home, issues, keep=keep)
    else:
        if issues or keep or day is None:
            raise typer.BadParameter(
                "--incidents needs --day, and goes without --issues and --keep"
            )
        good = _replay(incidents, day.date(), speed, days, home)
    if not good:
        raise typer.Exit(1)


def _play(home: Path | None, issues: Path | None, *, keep: bool) -> bool:

    home = home or settings.load().home / "demo"
    # What comes in is logged here, too: the terminal belongs to the play.
    logs.configure(settings.load().log_format, "WARNING")
    playing = play.play(
        home,
        issues or play.ISSUES,
        keep=keep,
        console=_console(),
        shows=play.Shows(
            thread=partial(thread, short=True),
            report=partial(pictures.report, language=Language.ZH, rules=False),
        ),
    )
    return aio.run(playing)


def _replay(log: Path, day: date, speed: float | None, days: int | None, home: Path | None) -> bool:

    console = _console()
    home = home or settings.load().home / "incidents"
    differs = replay.replay(
        log,
        day,
        speed or replay.SPEED,
        days or replay.DAYS,
        home=home,
        report=reporter(console),
        console=console,
    )
    return aio.run(differs) == 0


def _console() -> Console:

    return Console(highlight=False, emoji=False, markup=False)
