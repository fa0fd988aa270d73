"""`yinuo replan`: have open promises planned again by the rulebook that counts."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.asked import current
from cli.connections import servers
from cli.console import AsJson, write_json
from cli.loading import DryRun, would_move
from cli.tables import replanned, show
from domain.sla.replanning import PER_SECOND, Report
from runtime import aio, settings
from starter import replanning


def replan(
    *,
    dry_run: DryRun = False,
    per_second: Annotated[
        float, typer.Option(min=0.1, max=1000, help="issues planned again a second")
    ] = PER_SECOND,
    json: AsJson = False,
) -> None:
    """Plan open promises again that still go by an older rulebook, and show what became of all.

    Loading a calendar or a policy does it by itself. This takes up what was interrupted, and asks
    again the issues that did not answer. It goes on in the desk when you press Ctrl-C.
    """
    report = aio.run(_dry_run() if dry_run else _replan(per_second))
    if json:
        write_json(report)
        return

    show(replanned(report, settings.load().zone.key))


async def _dry_run() -> Report:
    return await would_move(await current())


async def _replan(per_second: float) -> Report:

    async with servers(settings.load()) as (client, pool):
        return await replanning.again(client, pool, per_second)
