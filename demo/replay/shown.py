"""How far a replay is, while it runs."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from rich.console import Console
from rich.live import Live

from demo.replay.log import SHANGHAI
from demo.replay.play import Progress
from domain.sla.clock import Rehearsal

_ON_A_TERMINAL = 0.25
_ELSEWHERE = 15.0
"""Seconds from one line to the next."""


@asynccontextmanager
async def shown(progress: Progress, clock: Rehearsal, console: Console) -> AsyncIterator[None]:
    """Show a line that stays in its place on a terminal, and new lines now and then elsewhere."""
    following = asyncio.create_task(_follow(progress, clock, console))
    try:
        yield
    finally:
        following.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await following


async def _follow(progress: Progress, clock: Rehearsal, console: Console) -> None:
    if not console.is_terminal:
        while True:
            console.print(line(progress, clock, datetime.now(UTC)))
            await asyncio.sleep(_ELSEWHERE)
    with Live(console=console, auto_refresh=False, transient=True) as live:
        while True:
            live.update(line(progress, clock, datetime.now(UTC)), refresh=True)
            await asyncio.sleep(_ON_A_TERMINAL)


def line(progress: Progress, clock: Rehearsal, now: datetime) -> str:
    """Write how far it is: the log's local time, what was done, and how late the last call was."""
    story = clock.to_story(now).astimezone(SHANGHAI)
    behind = progress.behind[-1] if progress.behind else 0.0
    failed = f", {len(progress.failures)} failed" if progress.failures else ""
    return (
        f"{story:%a %Y-%m-%d %H:%M}  opened {progress.opened}/{progress.incidents}, "
        f"acts {progress.acted}/{progress.steps}, {behind:.1f} s behind{failed}"
    )
