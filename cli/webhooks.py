"""`yinuo webhook`: who else is told what happens to issues."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Annotated, TypeVar

import typer

from cli.connections import registers
from cli.console import AsJson, ExitCode, Failed, tell, write_json
from cli.tables import plain, show, table_of
from domain.errors import InputError
from domain.webhooks import NewEndpoint, State, Waiting
from runtime import aio
from runtime import settings as environment
from runtime.sealing import Sealer
from runtime.signing import signer
from starter.receivers import NotAnswered, Receivers

T = TypeVar("T")
app = typer.Typer(no_args_is_help=True)

Url = Annotated[str, typer.Argument(metavar="URL", help="https://… of the receiver")]
Types = Annotated[
    list[str] | None,
    typer.Option("--events", metavar="TYPE", help="such as issue.resolved, repeated; all if none"),
]
Source = Annotated[str | None, typer.Option(help="only issues of this intake system")]
Department = Annotated[str | None, typer.Option(help="only issues of this department")]
Label = Annotated[str, typer.Option(metavar="TEXT", help="whose it is, for the list")]
Id = Annotated[str, typer.Argument(metavar="ID", help="as `webhook list` shows it")]
Keep = Annotated[str, typer.Option(help="how long the secret of before signs as well")]


@app.command()
def add(
    url: Url,
    *,
    events: Types = None,
    source: Source = None,
    department: Department = None,
    label: Label = "",
    json: AsJson = False,
) -> None:
    """Tell a receiver what happens from now on. Its secret is shown this once.

    Example: yinuo webhook add https://crm.example/yinuo --source web --label CRM

    Example: yinuo webhook add https://bi.example/in --events issue.closed --events issue.reopened
    """
    wanted = NewEndpoint(
        url=url, types=tuple(events or ()), source=source, department=department, label=label
    )
    endpoint, secret = _asked(lambda receivers: receivers.add(wanted))
    if json:
        write_json({**endpoint.model_dump(mode="json"), "secret": secret})
        return
    typer.echo(secret)
    tell(f"Receiver {endpoint.id} is told what happens from now on. It needs the secret above to")
    tell(f"check signatures; try it with `yinuo webhook test {endpoint.id}`")


@app.command("list")
def list_(*, json: AsJson = False) -> None:
    """List all receivers: whether they are told, and what waits for them."""
    found = _asked(lambda receivers: receivers.listed())
    if json:
        write_json(found)
        return
    table = table_of("ID", "For", "URL", "Events", "Told", "Waiting", "Last accepted")
    for each in found:
        style = {State.FAILED: "bold red", State.OFF: "dim"}.get(each.endpoint.state)
        table.add_row(*map(plain, _row(each)), style=style)
    show(table)


def _row(found: Waiting) -> tuple[str, ...]:
    endpoint = found.endpoint
    of = (f"{name} {held}" for name, held in endpoint.model_dump(include=_OF).items() if held)
    trouble = endpoint.why or (endpoint.failures and endpoint.last_error) or ""
    return (
        endpoint.id,
        endpoint.label,
        endpoint.url,
        ", ".join((*endpoint.types, *of)) or "all",
        f"{endpoint.state}: {trouble}" if trouble else endpoint.state,
        str(found.waiting),
        f"{endpoint.taken_at:%m-%d %H:%M:%S}" if endpoint.taken_at else "",
    )


_OF = {"source", "department"}


@app.command()
def test(id_: Id) -> None:
    """Post a test to a receiver, signed like an event, and show what it answers.

    Ends with 1 if it does not accept it.

    Example: yinuo webhook test 3f9a01c2
    """
    try:
        answer = _asked(lambda receivers: receivers.test(id_))
    except NotAnswered as error:
        raise Failed(ExitCode.OTHER, str(error)) from None
    typer.echo(f"{answer.status} {answer.body}".rstrip())
    if not answer.taken:
        raise Failed(ExitCode.OTHER, f"it does not accept it: {answer.status} is not one of 2xx")


@app.command()
def rotate(id_: Id, *, keep: Keep = "24h") -> None:
    """Give a receiver another secret. It is shown this once; for a while both sign.

    Example: yinuo webhook rotate 3f9a01c2 --keep 2h
    """
    span = _span(keep)
    typer.echo(_asked(lambda receivers: receivers.rotate(id_, span)))
    until = datetime.now(UTC) + span
    tell(f"Until {until:%Y-%m-%d %H:%M} UTC the secret of before signs as well.")


@app.command()
def disable(id_: Id) -> None:
    """Tell a receiver nothing for a while; what happens waits for it.

    Example: yinuo webhook disable 3f9a01c2
    """
    _asked(lambda receivers: receivers.disable(id_))
    tell(f"Receiver {id_} is told nothing; what happens waits for it.")


@app.command()
def enable(id_: Id) -> None:
    """Tell a receiver again, from where it was left.

    Example: yinuo webhook enable 3f9a01c2
    """
    _asked(lambda receivers: receivers.enable(id_))
    tell(f"Receiver {id_} is told again, from where it was left.")


@app.command()
def remove(id_: Id) -> None:
    """Forget a receiver, and what waits for it.

    Example: yinuo webhook remove 3f9a01c2
    """
    _asked(lambda receivers: receivers.remove(id_))
    tell(f"Receiver {id_} is forgotten.")


def _asked(asking: Callable[[Receivers], Awaitable[T]]) -> T:
    async def ask() -> T:
        async with _receivers() as receivers:
            return await asking(receivers)

    return aio.run(ask())


@asynccontextmanager
async def _receivers() -> AsyncIterator[Receivers]:
    sealer = Sealer(signer(environment.load()))
    async with registers() as pool:
        yield Receivers(pool, sealer)


_UNITS = {"min": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}


def _span(said: str) -> timedelta:
    found = re.fullmatch(r"([0-9]{1,4})(min|h|d)", said)
    if found is None:
        raise InputError(f"keep: {said} is no time: write 24h, 90min or 0h")
    return int(found[1]) * _UNITS[found[2]]
