"""One live timer for each running clock: no polling, and nothing is started that is running."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from temporalio import workflow

SOON = timedelta(seconds=1)


class TimerSpec(NamedTuple):
    """When to wake for a clock, and what a supervisor reads on the timer."""

    at: datetime
    summary: str


class Timers:
    """Durable timers by the name of their clock. A timer is started anew only if its instant
    changes; one that fires puts its name into ``fired``.
    """

    def __init__(self) -> None:
        self.fired: list[str] = []
        self._live: dict[str, tuple[datetime, asyncio.Task[None]]] = {}

    def set(self, wanted: Mapping[str, TimerSpec]) -> None:
        """Let exactly the ``wanted`` timers live; those whose instant has come ring."""
        now = workflow.now()
        for name, (at, task) in list(self._live.items()):
            if name not in wanted or wanted[name].at != at:
                # One about to fire is left to: cancelling would race with the server for nothing.
                if at > now + SOON or not workflow.patched("due-timers-are-left"):
                    task.cancel()
                del self._live[name]
        self.fired = [name for name, spec in wanted.items() if spec.at <= now]
        for name, spec in wanted.items():
            if spec.at > now and name not in self._live:
                firing = asyncio.create_task(self._fire(name, spec.at - now, spec.summary))
                self._live[name] = (spec.at, firing)

    async def _fire(self, name: str, delay: timedelta, summary: str) -> None:
        await workflow.sleep(delay, summary=summary)
        _, mine = self._live.get(name, (None, None))
        if mine is asyncio.current_task():  # else it is not wanted any more
            del self._live[name]
            self.fired.append(name)
