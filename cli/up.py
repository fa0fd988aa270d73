"""`yinuo up`: the whole desk from one terminal."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from temporalio.client import Client

from cli.asked import read_rulebook
from cli.console import tell
from cli.progress import show
from cli.roster.commands import checked, content
from inbound.files.roster import EXAMPLE, first_of
from runtime import aio
from runtime import settings as environment
from runtime.settings import ROOT, Settings
from starter import up as starting
from starter.up import Deployment
from store import roster
from store.connection import Pool

Workers = Annotated[
    int | None,
    typer.Option(min=0, max=64, help="worker processes \\[default: YINUO_WORKERS, or 1]"),
]


def up(*, workers: Workers = None) -> None:
    """Bring the whole desk up, and keep it up until Ctrl-C.

    The first time it gets the roster beside its policy, or that of examples/roster. Data is kept in
    .yinuo (YINUO_HOME).
    """
    settings = environment.load()
    if workers is not None:
        settings = settings.model_copy(update={"workers": workers})
    aio.run(_up(settings))
    tell("The desk is down; its data is kept.")


async def _up(settings: Settings) -> None:
    current, directory = read_rulebook(settings.policy), first_of(settings.policy)

    async def first_roster(pool: Pool, _: Client) -> None:
        async with pool.acquire() as connection, connection.transaction():
            if not await roster.is_empty(connection):
                return
            first = checked(directory, current)
            await roster.replace(connection, first)
        show("roster", "ready", f"{content(first)}, out of {_called(directory)}")

    async with starting.desk(settings, progress=show, after_migrations=first_roster) as running:
        typer.echo(_addresses(running, settings))
        with aio.stop_requested() as stop:
            await stop.wait()
        typer.echo("Stopping.")


def _called(directory: Path) -> Path:
    """Call a directory of ours as it stands in the repository."""
    return directory.relative_to(ROOT) if directory.is_relative_to(ROOT) else directory


_TRY = """\
  yinuo issue open --product-line ATM --region 广东 --title 出钞口卡钞 \\
      --customer 天河支行 --phone "+86 20 5550 0101"
  yinuo issue list
  yinuo token create --role lead --person zhou.jianguo   # to sign in at the doors"""
_TRY_OWN = """\
  yinuo issue open intakes.jsonl --now   # in the words of your policy
  yinuo issue list
  yinuo token create --role lead --person PERSON   # to sign in at the doors"""


def _addresses(running: Deployment, settings: Settings) -> str:
    database = running.database_url if running.postgres else "as given by DATABASE_URL"
    doors = settings.base_url if running.doors else "closed (YINUO_DOORS)"
    return f"""
{typer.style("The desk is up.", bold=True)} Promises by {settings.policy.name}.

  Doors       {doors}
  Web UI      {running.web_ui or "that of the given Temporal server"}
  Temporal    {running.temporal_address}, namespace {running.namespace}
  PostgreSQL  {database}

Try next, in another terminal:

{_TRY if first_of(settings.policy) == EXAMPLE else _TRY_OWN}

Ctrl-C stops the desk.
"""
