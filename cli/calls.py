"""`yinuo call`: what the telephone system recorded, written down and looked at (R45)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.console import RenderableType
from rich.text import Text

from cli import trail
from cli.asked import asked_day, asked_instant
from cli.connections import registers
from cli.console import AsJson, write_json
from cli.tables import plain, show, table_of
from domain import words
from domain.calendars.timeline import midnight
from domain.calls import Direction, PhoneCall, Told
from domain.issue.view import local
from inbound.files.calls import read_calls
from runtime import aio, settings
from store import calls as phone_calls
from store.calls import RecordedCall

app = typer.Typer(no_args_is_help=True)

Source = Annotated[
    str, typer.Option(metavar="NAME", help="whose ids these are: which telephone system's")
]


@app.command()
def record(  # noqa: PLR0913  an option each
    *,
    id_: Annotated[
        str, typer.Option("--id", metavar="ID", help="the telephone system's own of the call")
    ],
    at: Annotated[str, typer.Option(metavar="TIME", help="when it began to ring")],
    direction: Direction = Direction.INCOMING,
    number: Annotated[str | None, typer.Option(metavar="PHONE", help="the customer's")] = None,
    ring: Annotated[str | None, typer.Option(metavar="SECONDS", help="how long it rang")] = None,
    talk: Annotated[
        str | None, typer.Option(metavar="SECONDS", help="left out: nobody answered")
    ] = None,
    agent: Annotated[str | None, typer.Option(metavar="PERSON", help="who talked")] = None,
    recording: Annotated[
        str | None, typer.Option(metavar="PLACE", help="where the recording is")
    ] = None,
    issue: Annotated[
        str | None,
        typer.Option(metavar="NUMBER", help="left out: the one that the number has open"),
    ] = None,
    source: Source = "telephone",
) -> None:
    """Write a call down, or add to one what was not known before.

    Example: yinuo call record --id 4711 --at "2026-11-23 09:00" --number 13800001234 --talk 214
    """
    said = {
        "id": id_,
        "at": asked_instant(at, settings.load().zone.key, "--at"),
        "direction": direction,
        "number": number,
        "ring_seconds": ring,
        "talk_seconds": talk,
        "agent": agent,
        "recording": recording,
        "issue": issue,
    }
    _tell(aio.run(_record(source, [PhoneCall.model_validate(said)])))


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV: docs/calls.md")],
    *,
    source: Source = "telephone",
) -> None:
    """Write down the calls of a file: all or none. Read again, it adds what is new.

    Columns: id, at, direction, number, ring_seconds, talk_seconds, agent, recording, issue.
    Times without an offset are the desk's.

    Example: yinuo call import cdr.csv --source pbx
    """
    _tell(aio.run(_record(source, read_calls(file, settings.load().zone))))


@app.command("list")
def list_calls(
    *,
    from_: Annotated[
        str | None, typer.Option("--from", metavar="DAY", help="first day, like 2026-11-01")
    ] = None,
    until: Annotated[
        str | None, typer.Option(metavar="DAY", help="last day, like 2026-11-30")
    ] = None,
    lost: Annotated[bool, typer.Option("--lost", help="only those that nobody answered")] = False,
    limit: Annotated[int, typer.Option(min=1, max=phone_calls.MOST)] = 50,
    json: AsJson = False,
) -> None:
    """List calls, newest first; with --lost whom to ring back. The look is recorded (R30).

    Example: yinuo call list --lost --from 2026-11-23
    """
    zone = settings.load().zone
    since = midnight(asked_day(from_, "--from"), zone) if from_ else None
    over = midnight(asked_day(until, "--until") + timedelta(days=1), zone) if until else None
    found = aio.run(_list(since, over, lost=lost, limit=limit))
    write_json(found) if json else show(_listing(found, zone.key))


async def _list(
    since: datetime | None, until: datetime | None, *, lost: bool, limit: int
) -> list[RecordedCall]:
    async with registers() as pool:
        await trail.seen(pool, "calls")
        return await phone_calls.listed(pool, since, until, lost=lost, limit=limit)


async def _record(source: str, calls: Sequence[PhoneCall]) -> Told:
    async with registers() as pool:
        return await phone_calls.record(pool, source, calls, datetime.now(UTC))


def _tell(told: Told) -> None:
    typer.echo(f"{told.new} new, {told.known} known before")


def _listing(found: Sequence[RecordedCall], zone: str) -> RenderableType:
    if not found:
        return Text("没有通话 No calls.")
    table = table_of("时间\nAt", "方向\nDirection", "号码\nNumber", "通话\nTalked")
    for heading in ("接听人\nAgent", "问题\nIssue", "录音\nRecording"):
        table.add_column(heading, no_wrap=True, overflow="ellipsis")
    for each in found:
        call = each.call
        talked = f"{call.talk_seconds} s" if call.talk_seconds is not None else "—"
        table.add_row(
            local(call.at, zone),
            words.both(words.DIRECTIONS, call.direction),
            call.number or "—",
            "呼损 lost" if call.lost else talked,
            *(plain(said or "—") for said in (call.agent, call.issue, call.recording)),
            style="bold red" if call.lost else None,
        )
    return table
