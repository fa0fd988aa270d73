"""`yinuo issue`, second part: act on issues. A command for each action people can take, made of the
action's model: what it asks for is said there, once.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Annotated, Any, NamedTuple
from uuid import uuid4

import typer

from cli.connections import desk
from cli.console import AsJson, Number, write_json
from cli.issues import tables
from cli.issues.actions import COMMANDS, Command
from cli.options import option
from cli.tables import show
from domain.issue.actions import Act, ActionName, Resolve
from domain.issue.arrival import FORMS
from domain.issue.view import IssueView
from domain.terms import Terms
from domain.vocabulary import Actor, Role
from runtime import aio
from starter.client import Desk

app = typer.Typer()

By = Annotated[str, typer.Option(metavar="PERSON", help="who acts", show_default=False)]
AsRole = Annotated[
    Role | None,
    typer.Option("--role", help="for customers and systems, who are not on the roster"),
]
Signal = Annotated[bool, typer.Option("--signal", help="send it without waiting for an answer")]


class Done(NamedTuple):
    """An issue as it now is, and what the desk calls its own."""

    view: IssueView
    own: Terms


def answer(done: Done, *, json: bool) -> None:
    """Show an issue as it now is."""
    if json:
        write_json(done.view)
        return

    show(tables.page(done.view, own=done.own))


def _runner(command: Command) -> Callable[..., None]:
    """Make the function that Typer turns into the command."""

    def run(
        number: Number,
        *,
        by: By,
        role: AsRole = None,
        signal: Signal = False,
        json: AsJson = False,
        **fields: Any,
    ) -> None:
        said = {name: value for name, value in fields.items() if value is not None}
        if signal:
            aio.run(_complete(number, by, role, said))
            _sent(number, json=json)
        else:
            answer(aio.run(_act(number, command.action, by, role, said)), json=json)

    # Typer asks for what the signature says: the fields stand in it by name.
    common = dict(inspect.signature(run, eval_str=True).parameters)
    del common["fields"]
    if not command.signals:
        del common["signal"]
    first = [common.pop("number"), common.pop("by")]
    asked = (*first, *_fields(command), *common.values())
    typed: Any = run
    typed.__signature__ = inspect.Signature(asked)
    typed.__annotations__ = {each.name: each.annotation for each in asked}
    return run


def _fields(command: Command) -> list[inspect.Parameter]:
    """Ask for what the action says: the necessary first, what all actions have last."""
    asked = [
        option(name, field, command.usual.get(name))
        for name, field in FORMS[command.action].model_fields.items()
        if name != "by"
    ]
    return sorted(
        asked, key=lambda each: (each.default is not each.empty, each.name in Act.model_fields)
    )


async def _act(
    number: str, action: ActionName, by: str, role: Role | None, said: dict[str, Any]
) -> Done:
    async with desk() as at:
        act = FORMS[action].model_validate(said | {"by": await _actor(at, by, role)})
        view = await at.act(number, action, act, key=f"cli:{uuid4().hex}")
        return Done(view, await at.terms())


async def _complete(number: str, by: str, role: Role | None, said: dict[str, Any]) -> None:
    async with desk() as at:
        act = Resolve.model_validate(said | {"by": await _actor(at, by, role)})
        await at.complete(number, act)


async def _actor(at: Desk, by: str, role: Role | None) -> Actor | dict[str, Any]:
    """Say who acts: who gives a role is taken at their word, and checked with the form."""
    return {"id": by, "role": role} if role else await at.actor(by)


def _sent(number: str, *, json: bool) -> None:
    if json:
        write_json({"number": number, "sent": "complete"})
    else:
        typer.echo(f"Sent. `yinuo issue show {number}` tells what came of it.")


for _each in COMMANDS:
    app.command(_each.name, help=_each.help)(_runner(_each))
