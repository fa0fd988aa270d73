"""`yinuo`: the desk from a terminal. This file brings it up; for issues see issues/."""
# ruff: noqa: PLC0415  `yinuo --help` must not wait for the libraries of two servers

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated

import typer

from cli import callbacks as callback_commands
from cli import inbound as inbound_commands
from cli import quality as quality_commands
from cli import registers as register_commands
from cli import tokens as token_commands
from cli.asked import read_rulebook
from cli.audit import repair
from cli.backup import backup, restore, restored
from cli.calendar import commands as calendar_commands
from cli.cases import commands as case_commands
from cli.console import Commands, explained, tell
from cli.demo import demo
from cli.issues import acting as issue_actions
from cli.issues import commands as issue_commands
from cli.policy import commands as policy_commands
from cli.replan import replan
from cli.roster import commands as roster_commands
from cli.serve import serve
from runtime import aio
from runtime.home import UMASK

if TYPE_CHECKING:
    from temporalio.client import Client

    from runtime.settings import Settings
    from starter.up import Desk
    from store.connection import Pool

_HELP = """Yinuo (一诺): a service desk that keeps its promises.

Servers are those of DATABASE_URL and TEMPORAL_*, or the embedded ones of `yinuo up`.

Exit codes: 0 done; 2 wrong usage or input; 3 not found; 4 not allowed now;
5 not yours to do; 6 the desk does not answer; 130 interrupted; 1 anything else.
"""

app = typer.Typer(
    cls=Commands,
    help=_HELP,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Workers = Annotated[
    int | None,
    typer.Option(min=0, max=64, help="worker processes \\[default: YINUO_WORKERS, or 1]"),
]


@app.command()
def up(*, workers: Workers = None) -> None:
    """Bring the whole desk up, and keep it up until Ctrl-C.

    The first time it gets the roster of examples/roster. Data is kept in .yinuo (YINUO_HOME).
    """
    from runtime import settings

    own = settings.load()
    if workers is not None:
        own = own.model_copy(update={"workers": workers})
    aio.run(_up(own))
    tell("The desk is down; its data is kept.")


async def _up(own: Settings) -> None:
    from starter import up

    current = read_rulebook(own.policy)

    async def first_roster(pool: Pool, _: Client) -> None:
        from runtime.settings import ROOT
        from store import roster

        async with pool.acquire() as connection, connection.transaction():
            if not await roster.is_empty(connection):
                return
            first = roster_commands.checked(ROOT / "examples" / "roster", current)
            await roster.replace(connection, first)
        _progress("roster", "ready", f"{roster_commands.content(first)}, out of examples/roster")

    async with up.desk(own, progress=_progress, after_migrations=first_roster) as running:
        typer.echo(_addresses(running, own))
        with aio.stop_requested() as stop:
            await stop.wait()
        typer.echo("Stopping.")


def _progress(part: str, state: str, detail: str) -> None:
    """Tell about a part of the desk; what is starting is only told when it is there."""
    marks = {"ready": ("✓", "green"), "stopped": ("■", "bright_black")}
    if state == "starting":
        return
    mark, colour = marks.get(state, ("!", "yellow"))
    said = detail if state == "ready" else f"{state} {detail}".strip()
    typer.echo(f"{typer.style(mark, fg=colour)} {part:<18} {said}")


def _addresses(running: Desk, own: Settings) -> str:
    database = running.database_url if running.postgres else "as given by DATABASE_URL"
    doors = own.base_url if running.doors else "closed (YINUO_DOORS)"
    return f"""
{typer.style("The desk is up.", bold=True)} Promises by {own.policy.name}.

  Doors       {doors}
  Web UI      {running.web_ui or "that of the given Temporal server"}
  Temporal    {running.temporal_address}, namespace {running.namespace}
  PostgreSQL  {database}

Try next, in another terminal:

  yinuo issue open --product-line ATM --region 广东 --title 出钞口卡钞 \\
      --customer 天河支行 --phone "+86 20 5550 0101"
  yinuo issue list
  yinuo token create --role lead --person zhou.jianguo   # to sign in at the doors

Ctrl-C stops the desk.
"""


@app.command()
def migrate() -> None:
    """Prepare the servers: tables, search attributes, the schedule of the audit, and the policy.

    Safe to repeat; `yinuo up` does it by itself.
    """
    aio.run(_migrate())


async def _migrate() -> None:
    from runtime import grants, settings, temporal
    from runtime.embedded.servers import database_url, migration_url
    from runtime.migrate import migrate
    from runtime.postgres import pool
    from starter.epochs import begin
    from starter.prepare import prepare
    from starter.replanning import policy_at_start

    own = settings.load()
    async with explained():
        revision = await migrate(migration_url(own), database_url(own))
        _progress("migrations", "ready", f"revision {revision}")
        client = await temporal.connect(own)
        await prepare(client)
        _progress("Temporal", "ready", f"search attributes and audit in {client.namespace}")
        async with pool(database_url(own), size=2) as connections:
            if warning := await grants.warning(connections):
                _progress("PostgreSQL", "warning", warning)
            await begin(client, connections, _progress)
            said = await policy_at_start(client, connections, own.policy)
        _progress("policy", "ready", said)


@app.command()
def worker() -> None:
    """Run one worker until Ctrl-C: the part of the desk to have more of for more load."""
    import worker

    worker.main()


app.add_typer(issue_commands.app, name="issue")
issue_commands.app.add_typer(issue_actions.app)
app.add_typer(callback_commands.app, name="callback")
app.add_typer(case_commands.app, name="case")
app.add_typer(quality_commands.app, name="quality")
app.add_typer(register_commands.app, name="register")
app.add_typer(roster_commands.app, name="roster")
app.add_typer(token_commands.app, name="token")
app.add_typer(inbound_commands.app, name="inbound")
app.add_typer(calendar_commands.app, name="calendar")
app.add_typer(policy_commands.app, name="policy")
app.command()(serve)
app.command()(backup)
app.command()(restore)
app.command()(restored)
app.command()(replan)
app.command()(token_commands.audit)
app.command()(repair)
app.command()(demo)


def main() -> None:
    """Run the command line; ends the process with an exit code."""
    os.umask(UMASK)  # whatever it makes, exports with customers in them too, is its user's own
    app(prog_name="yinuo")
