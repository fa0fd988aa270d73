"""`yinuo`: the desk from a terminal. Which commands there are, and where each is found.

A command's module is imported when it is called, so that `yinuo --help` waits neither for the
libraries of two servers nor for other commands', and modules import what they need at their top.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any, NamedTuple

import typer
from typer.core import TyperCommand
from typer.main import get_group

from cli.console import Commands
from runtime.home import UMASK


class Place(NamedTuple):
    """Where a command or a group of commands is, and its line in `yinuo --help`."""

    at: str
    line: str


COMMANDS: Mapping[str, Place] = {
    "up": Place("cli.up:up", "Bring the whole desk up, and keep it up until Ctrl-C."),
    "migrate": Place(
        "cli.migrate:migrate",
        "Prepare the servers: tables, search attributes, the schedule of the audit, and the"
        " policy.",
    ),
    "worker": Place(
        "cli.worker:worker",
        "Run one worker until Ctrl-C: the part of the desk to have more of for more load.",
    ),
    "serve": Place(
        "cli.serve:serve",
        "Open the doors until Ctrl-C: the HTTP interface, links and pages. `yinuo up` does it,"
        " too.",
    ),
    "backup": Place(
        "cli.backup:backup",
        "Back the embedded desk up into one file, while it runs or not.",
    ),
    "restore": Place(
        "cli.backup:restore",
        "Restore the embedded desk from a backup: all of it or nothing. The desk must be down.",
    ),
    "restored": Place(
        "cli.backup:restored",
        "Say that the register was restored by its server's own means, before anything works on"
        " it.",
    ),
    "replan": Place(
        "cli.replan:replan",
        "Plan open promises again that still go by an older rulebook, and show what became of all.",
    ),
    "audit": Place(
        "cli.tokens:audit",
        "Show who did or saw what at the doors, from which address, newest first (R30).",
    ),
    "repair": Place(
        "cli.audit:repair",
        "Do something about what `yinuo audit --deep` finds: all of it, or of these issues.",
    ),
    "demo": Place(
        "cli.demo:demo",
        "Show the whole desk at work, on servers of its own and with staff played by a script.",
    ),
    "issue": Place("cli.issues.commands:app", "Open issues, look at them, act on them."),
    "approvals": Place(
        "cli.approvals:approvals",
        "List what waits for a yes or a rating: prices, remedies, repairs, what comes there next.",
    ),
    "queue": Place(
        "cli.queue:queue",
        "List what came in by web, mail or chat and waits for an agent.",
    ),
    "callback": Place(
        "cli.callbacks:app",
        "The callback clerk's day: whom to call, and what they said.",
    ),
    "opinions": Place(
        "cli.opinions:app",
        "What customers say of the service: read it, make a complaint of it.",
    ),
    "call": Place("cli.calls:app", "What the telephone system recorded: calls, lost ones too."),
    "case": Place(
        "cli.cases.commands:app",
        "Known solutions: search them, propose them, review them.",
    ),
    "quality": Place(
        "cli.quality:app",
        "Draw a fair sample of the closed records, check it, see who is retrained.",
    ),
    "report": Place(
        "cli.reports.commands:app",
        "What the management reads of the desk: by week, month, quarter and year.",
    ),
    "register": Place(
        "cli.registers:app",
        "List the registers and forms, export them as spreadsheets.",
    ),
    "roster": Place("cli.roster.commands:app", "Who works where, when and on what."),
    "token": Place("cli.tokens:app", "Who may come in at the doors."),
    "webhook": Place("cli.webhooks:app", "Who else is told what happens to issues."),
    "inbound": Place("cli.inbound:app", "What other systems send, and letters."),
    "calendar": Place(
        "cli.calendar.commands:app",
        "Look at working time, ask when something is due, load notices.",
    ),
    "policy": Place(
        "cli.policy.commands:app",
        "Check policies, ask what is promised and why, load one.",
    ),
    "wording": Place(
        "cli.wording:app", "What is said on the telephone: check it, load it, read it."
    ),
}
"""In the order of `yinuo --help`."""


class _OnDemand(Mapping[str, Any]):
    """The commands themselves: the module of one is imported when that is looked up."""

    def __getitem__(self, name: str) -> Any:
        place = COMMANDS[name]
        module, _, attribute = place.at.partition(":")
        found = getattr(import_module(module), attribute)
        holder = typer.Typer()
        if isinstance(found, typer.Typer):
            holder.add_typer(found, name=name, help=place.line)
        else:
            holder.command(name)(found)
        return get_group(holder).commands[name]

    def __iter__(self) -> Iterator[str]:
        return iter(COMMANDS)

    def __len__(self) -> int:
        return len(COMMANDS)


class _Yinuo(Commands):
    """Lists commands without importing them, and imports the one that is called."""

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self.commands: Any = _OnDemand()

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002  as Typer asks
        """Name them."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002  as Typer asks
        """Give the name and the line of a command: all that a list of them needs."""
        place = COMMANDS.get(cmd_name)
        return place and TyperCommand(cmd_name, help=place.line)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the command that is called, itself."""
        name, listed, rest = super().resolve_command(ctx, args)
        return name, listed and self.commands[name], rest


app = typer.Typer(
    cls=_Yinuo,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def yinuo() -> None:
    """Yinuo (一诺): a service desk that keeps its promises.

    Servers are those of DATABASE_URL and TEMPORAL_*, or the embedded ones of `yinuo up`.

    Exit codes: 0 done; 2 wrong usage or input; 3 not found; 4 not allowed now;
    5 not yours to do; 6 the desk does not answer; 130 interrupted; 1 anything else.
    """


def main() -> None:
    """Run the command line; ends the process with an exit code."""
    os.umask(UMASK)  # whatever it makes, exports with customers in them too, is its user's own
    app(prog_name="yinuo")
