"""`yinuo token` and `yinuo audit`: who may come in at the doors, and what they did there."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from cli import audit as audit_commands
from cli.connections import registers
from cli.console import AsJson, ExitCode, Failed, tell, write_json
from cli.tables import plain, show, table_of
from domain.errors import InputError
from domain.staff.access import CALLERS
from domain.vocabulary import Role
from runtime import aio
from store import door_log, roster, tokens
from store.connection import Connection
from store.door_log import Entry
from store.tokens import STAFF, Token
from web.auth.identity import PREFIX, digest

app = typer.Typer(no_args_is_help=True)

AsRole = Annotated[
    Role, typer.Option("--role", help="what they may do: docs/access.md", show_default=False)
]
Person = Annotated[
    str,
    typer.Option(
        metavar="PERSON",
        help="who they are on the roster; of an intake system: the source it registers under",
        show_default=False,
    ),
]
Label = Annotated[str, typer.Option(metavar="TEXT", help="what it is for, for the list")]
Expires = Annotated[
    str | None, typer.Option(metavar="WHEN", help="such as 90d, or the last day: 2027-06-30")
]
Id = Annotated[str, typer.Argument(metavar="ID", help="as `token list` shows it")]
OfIssue = Annotated[str | None, typer.Option("--number", help="of this issue only")]
Limit = Annotated[int, typer.Option(min=1, max=10_000, help="how many rows, newest first")]


Contents = Annotated[
    bool, typer.Option("--contents", help="with --deep: read every attachment, not only some")
]
Deep = Annotated[bool, typer.Option("--deep", help="audit the desk itself, not who used it")]


@app.command()
def create(
    *,
    role: AsRole,
    person: Person,
    label: Label = "",
    expires: Expires = None,
    json: AsJson = False,
) -> None:
    """Make a token. It is shown this once: only its digest is kept.

    Example: yinuo token create --role engineer --person liang.jiahao --expires 90d

    Example: yinuo token create --role intake --person web --label "web form"
    """
    if role not in CALLERS:
        raise InputError(f"role: {role} has no token; there are: {', '.join(CALLERS)}")
    now = datetime.now(UTC)
    token = Token(
        id=secrets.token_hex(4),
        role=role,
        person=person,
        label=label,
        created_at=now,
        expires_at=_until(expires, now),
    )
    written = aio.run(_create(token))
    if json:
        write_json({**token.model_dump(mode="json"), "token": written})
        return
    typer.echo(written)
    tell(f"Token {token.id} for {person} ({role}). It cannot be shown again; take it back with")
    tell(f"  yinuo token revoke {token.id}")


async def _create(token: Token) -> str:

    written = PREFIX + secrets.token_urlsafe(32)
    async with registers() as pool, pool.acquire() as connection, connection.transaction():
        await _check(connection, token)
        await tokens.create(connection, token, digest(written))
    return written


async def _check(connection: Connection, token: Token) -> None:
    """Staff are on the roster, as what they are there."""
    if token.role not in STAFF:
        return
    members = await roster.members(connection)
    found = next((member for member in members if member.id == token.person), None)
    if found is None or found.role != token.role:
        there = ", ".join(member.id for member in members if member.role == token.role)
        what = f"is {found.role} on the roster" if found else "is not on the roster"
        raise InputError(f"person: {token.person} {what}; {token.role} is: {there or 'nobody'}")


def _until(said: str | None, now: datetime) -> datetime | None:
    if said is None:
        return None
    if days := re.fullmatch(r"([1-9][0-9]{0,4})d", said):
        return now + timedelta(days=int(days[1]))
    try:
        last = datetime.strptime(said, "%Y-%m-%d").replace(tzinfo=UTC) + timedelta(days=1)
    except (ValueError, OverflowError):
        raise InputError(f"expires: {said} is neither days such as 90d nor a day") from None
    if last <= now:
        raise InputError(f"expires: {said} is over already")
    return last


@app.command("list")
def list_(*, json: AsJson = False) -> None:
    """List all tokens, the newest first; what they are spelt like nobody can tell any more."""
    found = aio.run(_listed())
    if json:
        write_json(found)
        return
    now = datetime.now(UTC)
    rows = [
        (t.id, t.role.value, t.person, t.label, f"{t.created_at:%Y-%m-%d}", _standing(t, now))
        for t in found
    ]
    _show(("ID", "Role", "Person", "For", "Since", "Counts"), rows)


async def _listed() -> list[Token]:

    async with registers() as pool:
        return await tokens.listed(pool)


def _standing(token: Token, now: datetime) -> str:
    if token.revoked_at:
        return f"revoked {token.revoked_at:%Y-%m-%d}"
    if token.expires_at is None:
        return "yes"
    return ("until" if token.expires_at > now else "expired") + f" {token.expires_at:%Y-%m-%d}"


@app.command()
def revoke(id_: Id) -> None:
    """Let nobody in by this token any more; it counts ten seconds longer at most.

    Example: yinuo token revoke 3f9a01c2
    """
    if not aio.run(_revoked(id_)):
        raise Failed(ExitCode.NOT_FOUND, f"there is no token {id_} that counts: see `token list`")
    tell(f"Token {id_} is revoked.")


async def _revoked(id_: str) -> bool:

    async with registers() as pool, pool.acquire() as connection:
        return await tokens.revoke(connection, id_, datetime.now(UTC))


def audit(
    *,
    number: OfIssue = None,
    limit: Limit = 50,
    deep: Deep = False,
    contents: Contents = False,
    json: AsJson = False,
) -> None:
    """Show who did or saw what at the doors, from which address, newest first (R30).

    With --deep: compare register, Temporal, promises, messages and forms with each other, and say
    what is wrong and what to do; ends with 1 if anything is. Of attachments it looks whether all
    are there, and reads some; with --contents all.

    Example: yinuo audit --number 20261123-07-0001
    """
    if deep:
        audit_commands.deep_audit(contents=contents, json=json)
        return
    found = aio.run(_trail(number, limit))
    if json:
        write_json(found)
        return
    rows = [
        (
            f"{e.at:%m-%d %H:%M:%S}",
            f"{e.person} ({e.role})" if e.role else e.person,
            *(() if number else (e.number or "",)),
            e.what,
            e.outcome,
            f"{e.via}, {e.address}",
        )
        for e in found
    ]
    of = () if number else ("Issue",)
    _show(("UTC", "Who", *of, "What", "Outcome", "By"), rows)


def _show(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> None:

    table = table_of(*headers)
    for row in rows:
        table.add_row(*map(plain, row))
    show(table)


async def _trail(number: str | None, limit: int) -> list[Entry]:

    async with registers() as pool:
        return await door_log.entries(pool, number=number, limit=limit)
