"""`yinuo issue`, third part: photographs and files of issues."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated

import typer

from cli import trail
from cli.connections import registers
from cli.console import AsJson, Number, tell, write_json
from cli.issues import tables
from cli.issues.acting import AsRole, By
from cli.tables import show
from domain.attachments import Attachment, ShownTo
from domain.errors import InputError
from domain.staff.access import Right
from domain.vocabulary import Actor, Role
from runtime import aio
from runtime import settings as environment
from runtime.contents.content import CHUNK
from starter.attachments import Attachments
from starter.register import Register
from store.connection import Pool

app = typer.Typer()

Files = Annotated[
    list[Path], typer.Argument(metavar="FILE…", help="photographs, files", show_default=False)
]
ForCustomer = Annotated[bool, typer.Option("--for-customer", help="the customer may see it, too")]
Id = Annotated[
    str, typer.Argument(metavar="ID", help="as `issue attachments` shows it", show_default=False)
]


@app.command("attach")
def attach(
    number: Number,
    files: Files,
    *,
    by: By,
    role: AsRole = None,
    for_customer: ForCustomer = False,
    json: AsJson = False,
) -> None:
    """Attach photographs and files to an issue. The same file twice is attached once.

    What one may be like is the policy's: `[attachments]`.

    Example: yinuo issue attach 20261123-07-0001 broken.jpg --by liang.jiahao
    """
    found = aio.run(_attach(number, files, by, role, for_customer=for_customer))
    write_json(found) if json else show(tables.attached(found))


async def _attach(
    number: str, files: list[Path], by: str, role: Role | None, *, for_customer: bool
) -> list[Attachment]:
    if missing := [str(file) for file in files if not file.is_file()]:
        raise InputError(f"there is no file {', '.join(missing)}")
    async with registers() as pool:
        at, register = _attachments(pool), Register(pool)
        issue = await register.show(number)
        who = Actor(id=by, role=role) if role else await register.actor(by)
        shown_to = ShownTo.CUSTOMER if for_customer else ShownTo.STAFF
        return [
            await at.add(issue.id, file.name, _pieces(file), who, "cli", shown_to) for file in files
        ]


def _attachments(pool: Pool) -> Attachments:
    return Attachments.on(pool, environment.load())


async def _pieces(path: Path) -> AsyncIterator[bytes]:
    try:
        with path.open("rb") as file:
            while piece := await asyncio.to_thread(file.read, CHUNK):
                yield piece
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from None


@app.command("attachments")
def list_attachments(number: Number, *, json: AsJson = False) -> None:
    """List what is attached to an issue. The look stands in the audit trail."""
    found = aio.run(_list(number))
    write_json(found) if json else show(tables.attached(found))


async def _list(number: str) -> list[Attachment]:
    async with registers() as pool:
        issue = await Register(pool).show(number)
        await trail.seen(pool, Right.SEE_CUSTOMER, [issue.number])
        return await _attachments(pool).of(issue.id)


@app.command("attachment")
def write_attachment(id_: Id) -> None:
    """Write an attachment to stdout, as it came. The look stands in the audit trail.

    Example: yinuo issue attachment 6f1c2a90d1e7b6854f3c2a90d1e7b685 > broken.jpg
    """
    if sys.stdout.isatty():
        raise InputError("a file is nothing for a terminal: add > FILE")
    one = aio.run(_write(id_))
    tell(f"{one.name}, {one.kind}, {one.size} bytes")


async def _write(id_: str) -> Attachment:
    async with registers() as pool:
        at = _attachments(pool)
        one = await at.find(id_)
        issue = await Register(pool).show(one.issue_id)
        await trail.seen(pool, Right.SEE_CUSTOMER, [issue.number])
        async for piece in await at.content(one):
            sys.stdout.buffer.write(piece)
        return one
