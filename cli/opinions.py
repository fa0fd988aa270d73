"""`yinuo opinions`: what customers say of the service, for whoever answers for it (R41)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from cli import trail
from cli.connections import desk, registers
from cli.console import AsJson, refusal, write_json
from cli.tables import plain, show
from domain import words
from domain.issue.view import local
from domain.opinions import Remark, marked
from domain.staff.access import Caller, Reach, Right, reach
from runtime import aio, settings
from starter.remarks import ReadingList
from store import tokens
from store.connection import Pool

app = typer.Typer(no_args_is_help=True)

By = Annotated[str, typer.Option(metavar="PERSON", help="who reads", show_default=False)]
Key = Annotated[str, typer.Argument(metavar="KEY", help="as the list shows it", show_default=False)]


@app.command("list")
def list_(
    *,
    by: By,
    unread: Annotated[bool, typer.Option("--unread", help="only what nobody has read")] = False,
    json: AsJson = False,
) -> None:
    """List what customers said in evaluations and callbacks: what nobody has read first.

    Strong words of the policy are marked. The look is recorded (R30).

    Example: yinuo opinions list --by sun.li --unread
    """
    found, strong = aio.run(_list(by, unread=unread))
    write_json(found) if json else show(_listing(found, strong, settings.load().zone.key))


@app.command()
def read(key: Key, *, by: By) -> None:
    """Write down that somebody has read it; whoever was first stays.

    Example: yinuo opinions read callback/issue:web:W-1/1/1 --by sun.li
    """
    aio.run(_read(key, by))


@app.command()
def complaint(key: Key, *, by: By) -> None:
    """Make a complaint of its own of it, linked with the issue; show its number.

    Example: yinuo opinions complaint callback/issue:web:W-1/1/1 --by sun.li
    """
    typer.echo(aio.run(_complaint(key, by)))


async def _list(by: str, *, unread: bool) -> tuple[list[Remark], tuple[str, ...]]:
    async with registers() as pool:
        reading = ReadingList(pool)
        found = await reading.listed(await _reader(pool, by), unread=unread)
        await trail.seen(pool, Right.READ_OPINIONS, [each.number for each in found if each.number])
        return found, await reading.strong()


async def _read(key: str, by: str) -> None:
    async with registers() as pool:
        await ReadingList(pool).read(await _reader(pool, by), key, datetime.now(UTC))


async def _complaint(key: str, by: str) -> str:
    async with desk() as at, registers() as pool:
        who = await _reader(pool, by)
        return await ReadingList(pool).become_complaint(at, who, key, datetime.now(UTC))


async def _reader(pool: Pool, by: str) -> Caller:
    """Find somebody of the roster who may read it."""
    admitted = await tokens.by_person(pool, by)
    if admitted is None:
        raise refusal("NotFound", f"by: {by} is not on the roster")
    if reach(admitted.caller.role, Right.READ_OPINIONS) is Reach.NONE:
        raise refusal("NotYours", f"by: {by} is {admitted.caller.role}: it is for supervisors")
    return admitted.caller


def _listing(found: Sequence[Remark], strong: Sequence[str], zone: str) -> RenderableType:
    if not found:
        return Text("没有客户意见 No customer has said anything.")
    return Group(*(_remark(each, strong, zone) for each in found))


def _remark(said: Remark, strong: Sequence[str], zone: str) -> RenderableType:
    read_ = f"已读 read by {said.read_by}" if said.read_at else "未读 not read"
    lowest = None if said.worst is None else f"最低分 lowest score {said.worst}"
    complaint_ = said.complaint and f"已转为投诉 became {said.complaint}"
    sort = words.both(words.REMARKS, said.sort)
    about = (sort, said.number, said.unit, lowest, read_, complaint_)
    head = Text(plain(" · ".join((local(said.at, zone), *filter(None, about)))), style="bold")
    text = Text.assemble(
        *(
            (plain(piece.text), "bold red" if piece.strong else "")
            for piece in marked(said.text, strong)
        )
    )
    return Group(head, text, Text(plain(said.key), style="dim"))
