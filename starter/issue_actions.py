"""`yinuo issue`, second part: act on issues."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, TypeVar

import typer

from domain.actions import (
    Accept,
    Act,
    ActionName,
    Escalate,
    Reassign,
    RecordCallback,
    ReportProgress,
    Resolve,
    Resume,
    WaitForCustomer,
    Withdraw,
)
from domain.vocabulary import Actor, Role
from runtime import aio
from starter.console import AsJson, Number, answer, desk, write_json

if TYPE_CHECKING:
    from domain.view import IssueView
    from starter.client import Desk

A = TypeVar("A", bound=Act)

app = typer.Typer()

By = Annotated[str, typer.Option(metavar="PERSON", help="who acts", show_default=False)]
AsRole = Annotated[
    Role | None, typer.Option("--role", help="for systems that are not on the roster")
]
At = Annotated[
    str | None,
    typer.Option(metavar="TIME", help="when it happened, if earlier: 2026-11-23T10:00+08:00"),
]
ExpectedAt = Annotated[
    str | None, typer.Option(metavar="TIME", help="told to the customer: 2026-11-23T18:00+08:00")
]
Reason = Annotated[str, typer.Option(show_default=False)]


class _Call(NamedTuple):
    """What all actions have in common."""

    number: str
    by: str
    role: Role | None
    at: str | None
    json: bool


@app.command()
def accept(
    number: Number,
    *,
    by: By,
    expected_at: ExpectedAt = None,
    role: AsRole = None,
    at: At = None,
    json: AsJson = False,
) -> None:
    """Take it on: the customer hears from us.

    Example: yinuo issue accept 20261123-07-0001 --by liang.jiahao
    """
    call = _Call(number, by, role, at, json)
    _act(call, ActionName.ACCEPT, Accept, expected_at=expected_at)


@app.command()
def progress(
    number: Number,
    *,
    by: By,
    note: Annotated[str, typer.Option(show_default=False)],
    expected_at: ExpectedAt = None,
    role: AsRole = None,
    at: At = None,
    json: AsJson = False,
) -> None:
    """Tell how far the work is."""
    call = _Call(number, by, role, at, json)
    _act(call, ActionName.REPORT_PROGRESS, ReportProgress, note=note, expected_at=expected_at)


@app.command()
def wait(
    number: Number,
    *,
    by: By,
    reason: Reason,
    role: AsRole = None,
    at: At = None,
    json: AsJson = False,
) -> None:
    """Wait for the customer: the resolution clock stands still."""
    call = _Call(number, by, role, at, json)
    _act(call, ActionName.WAIT_FOR_CUSTOMER, WaitForCustomer, reason=reason)


@app.command()
def resume(
    number: Number,
    *,
    by: By,
    note: str = "",
    role: AsRole = None,
    at: At = None,
    json: AsJson = False,
) -> None:
    """Go on after waiting: the clock runs on."""
    _act(_Call(number, by, role, at, json), ActionName.RESUME, Resume, note=note)


@app.command()
def reassign(
    number: Number,
    *,
    by: By,
    reason: Reason,
    to: Annotated[
        str | None, typer.Option(metavar="PERSON", help="left out: the desk chooses")
    ] = None,
    role: AsRole = None,
    at: At = None,
    json: AsJson = False,
) -> None:
    """Give it to somebody else."""
    call = _Call(number, by, role, at, json)
    _act(call, ActionName.REASSIGN, Reassign, to=to, reason=reason)


@app.command()
def resolve(  # noqa: PLR0913  an option each
    number: Number,
    *,
    by: By,
    result: Annotated[
        str, typer.Option(help="what was done; the customer reads it", show_default=False)
    ],
    cause: str = "",
    signal: Annotated[
        bool, typer.Option("--signal", help="send it without waiting for an answer")
    ] = False,
    role: AsRole = None,
    at: At = None,
    json: AsJson = False,
) -> None:
    """Return the result; the customer gets it as the reply.

    Example: yinuo issue resolve 20261123-07-0001 --by liang.jiahao --result "card reader replaced"
    """
    call = _Call(number, by, role, at, json)
    if not signal:
        _act(call, ActionName.RESOLVE, Resolve, result=result, cause=cause)
        return
    aio.run(_complete(call, {"result": result, "cause": cause}))
    if json:
        write_json({"number": number, "sent": "complete"})
    else:
        typer.echo(f"Sent. `yinuo issue show {number}` tells what came of it.")


@app.command()
def callback(  # noqa: PLR0913  an option each
    number: Number,
    *,
    by: By,
    reached: Annotated[bool, typer.Option("--reached/--not-reached")] = True,
    running: Annotated[
        bool | None, typer.Option("--running/--not-running", help="does the machine run normally")
    ] = None,
    satisfied: Annotated[bool | None, typer.Option("--satisfied/--not-satisfied")] = None,
    words: Annotated[str, typer.Option(help="the customer's, as said")] = "",
    role: AsRole = None,
    at: At = None,
    json: AsJson = False,
) -> None:
    """Record a call to the customer: it closes the issue, or opens it again.

    Example: yinuo issue callback 20261123-07-0001 --by fan.meiling --running --satisfied
    """
    said = {"reached": reached, "running": running, "satisfied": satisfied, "words": words}
    call = _Call(number, by, role, at, json)
    _act(call, ActionName.RECORD_CALLBACK, RecordCallback, **said)


@app.command()
def escalate(
    number: Number,
    *,
    by: By,
    reason: Reason,
    role: AsRole = None,
    at: At = None,
    json: AsJson = False,
) -> None:
    """Take it one level up."""
    _act(_Call(number, by, role, at, json), ActionName.ESCALATE, Escalate, reason=reason)


@app.command()
def withdraw(
    number: Number,
    *,
    by: By,
    reason: Reason,
    role: AsRole = None,
    at: At = None,
    json: AsJson = False,
) -> None:
    """Close it: the customer does not want it any more.

    Example: yinuo issue withdraw 20261123-07-0001 --by web --role intake --reason "works again"
    """
    _act(_Call(number, by, role, at, json), ActionName.WITHDRAW, Withdraw, reason=reason)


def _act(call: _Call, name: ActionName, model: type[Act], **said: Any) -> None:
    answer(aio.run(_acted(call, name, model, said)), json=call.json)


async def _acted(
    call: _Call, name: ActionName, model: type[Act], said: dict[str, Any]
) -> IssueView:
    async with desk() as at:
        return await at.act(call.number, name, await _made(at, call, model, said))


async def _complete(call: _Call, said: dict[str, Any]) -> None:
    async with desk() as at:
        await at.complete(call.number, await _made(at, call, Resolve, said))


async def _made(at: Desk, call: _Call, model: type[A], said: dict[str, Any]) -> A:
    by = Actor(id=call.by, role=call.role) if call.role else await at.actor(call.by)
    return model.model_validate({"by": by, "at": call.at} | said)
