"""`yinuo`: the desk from a terminal. Which commands there are, and where each is found.

A command's module is imported when it is called, so that `yinuo --help` waits neither for the
libraries of two servers nor for other commands', and modules import what they need at their top.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand
from typer.main import get_group

from cli.console import Commands
from runtime.home import UMASK


class Later(TyperCommand):
    """A command or group whose module is not imported before it is called: until then it is a name
    and a line of help.
    """

    def __init__(self, name: str, place: str, line: str) -> None:
        super().__init__(name, help=line)
        self._place = place

    def itself(self) -> Any:
        """Import it."""
        module, _, attribute = self._place.partition(":")
        found = getattr(import_module(module), attribute)
        holder = typer.Typer()
        if isinstance(found, typer.Typer):
            holder.add_typer(found, name=self.name, help=self.help)
        else:
            holder.command(self.name)(found)
        return get_group(holder).commands[str(self.name)]

    def make_context(self, *args: Any, **more: Any) -> Any:
        """Call it: from here on the command itself answers."""
        return self.itself().make_context(*args, **more)


COMMANDS = (
    Later("up", "cli.up:up", "Bring the whole desk up, and keep it up until Ctrl-C."),
    Later(
        "migrate",
        "cli.migrate:migrate",
        "Prepare the servers: tables, search attributes, the schedule of the audit, and the"
        " policy.",
    ),
    Later(
        "worker",
        "cli.worker:worker",
        "Run one worker until Ctrl-C: the part of the desk to have more of for more load.",
    ),
    Later(
        "serve",
        "cli.serve:serve",
        "Open the doors until Ctrl-C: the HTTP interface, links and pages. `yinuo up` does it,"
        " too.",
    ),
    Later(
        "backup",
        "cli.backup:backup",
        "Back the embedded desk up into one file, while it runs or not.",
    ),
    Later(
        "restore",
        "cli.backup:restore",
        "Restore the embedded desk from a backup: all of it or nothing. The desk must be down.",
    ),
    Later(
        "restored",
        "cli.backup:restored",
        "Say that the register was restored by its server's own means, before anything works on"
        " it.",
    ),
    Later(
        "replan",
        "cli.replan:replan",
        "Plan open promises again that still go by an older rulebook, and show what became of all.",
    ),
    Later(
        "audit",
        "cli.tokens:audit",
        "Show who did or saw what at the doors, from which address, newest first (R30).",
    ),
    Later(
        "repair",
        "cli.audit:repair",
        "Do something about what `yinuo audit --deep` finds: all of it, or of these issues.",
    ),
    Later(
        "demo",
        "cli.demo:demo",
        "Show the whole desk at work, on servers of its own and with staff played by a script.",
    ),
    Later("issue", "cli.issues.commands:app", "Open issues, look at them, act on them."),
    Later(
        "callback",
        "cli.callbacks:app",
        "The callback clerk's day: whom to call, and what they said.",
    ),
    Later(
        "case",
        "cli.cases.commands:app",
        "Known solutions: search them, propose them, review them.",
    ),
    Later(
        "quality",
        "cli.quality:app",
        "Draw a fair sample of the closed records, check it, see who is retrained.",
    ),
    Later(
        "register",
        "cli.registers:app",
        "List the registers and forms, export them as spreadsheets.",
    ),
    Later("roster", "cli.roster.commands:app", "Who works where, when and on what."),
    Later("token", "cli.tokens:app", "Who may come in at the doors."),
    Later("inbound", "cli.inbound:app", "What other systems send, and letters."),
    Later(
        "calendar",
        "cli.calendar.commands:app",
        "Look at working time, ask when something is due, load notices.",
    ),
    Later(
        "policy",
        "cli.policy.commands:app",
        "Check policies, ask what is promised and why, load one.",
    ),
)
"""Each with where it is and its line in `yinuo --help`."""


class _Yinuo(Commands):
    def __init__(self, **more: Any) -> None:
        super().__init__(**(more | {"commands": COMMANDS}))


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
