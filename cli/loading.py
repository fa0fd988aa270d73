"""Loading a policy, calendars or notices into the desk: open promises are planned again by it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from cli.asked import current
from cli.connections import registers, servers
from cli.tables import replanned, show
from domain.sla.replanning import Report
from domain.sla.rulebook import Rulebook
from runtime import aio, settings
from starter import replanning

DryRun = Annotated[
    bool, typer.Option("--dry-run", help="change nothing, only tell which promises would move")
]
Note = Annotated[str, typer.Option(metavar="TEXT", help="why, for the record")]


def load(
    changed: Callable[[Rulebook], Rulebook], note: str, *, dry_run: bool, file: str | None = None
) -> None:
    """Have the desk adopt what ``changed`` makes of its current rulebook, and show what moved.
    ``file`` is the version of the policy file it is, if it is one.

    Raises:
        Failed: a server does not answer, or the desk needs what the new rulebook lacks.
    """
    before = aio.run(current())
    wanted = changed(before)
    if wanted.version == before.version:
        typer.echo(f"Nothing to do: the desk goes by this already (rulebook {before.version}).")
        return
    report = aio.run(would_move(wanted) if dry_run else _adopt(wanted, note, file))
    if report:
        show(replanned(report, wanted.policy.zone))


async def would_move(wanted: Rulebook) -> Report:
    """Say what planning open issues again by that rulebook would change."""
    async with registers() as pool:
        return await replanning.dry_run(pool, wanted)


async def _adopt(wanted: Rulebook, note: str, file: str | None) -> Report | None:

    async with servers(settings.load()) as (client, pool):
        return await replanning.adopt_and_replan(client, pool, wanted, note, file=file)
