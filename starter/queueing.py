"""Whoever acts on an issue stands in a queue for it: Temporal takes ten updates of one workflow at
a time and refuses the eleventh, while an issue takes its steps one after the other anyway.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from random import uniform
from typing import TypeVar
from weakref import WeakValueDictionary

from temporalio.service import RPCError

from starter.answering import TOO_MUCH, Busy, is_too_much

Answer = TypeVar("Answer")

AT_ONCE = 4
"""Updates of one issue that a process has under way: two processes still leave room for others."""
PATIENCE = 20.0
"""Seconds somebody stands in the queue."""
_PAUSE = (0.1, 0.5)
"""Seconds, between these, until Temporal is asked again that had too much of other processes."""


class Queues:
    """A queue for each issue that somebody acts on."""

    def __init__(self, patience: float = PATIENCE) -> None:
        self._patience = patience
        self._queues: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()

    async def ask(self, issue: str, ask: Callable[[], Awaitable[Answer]]) -> Answer:
        """Ask when it is its turn, and again while Temporal says that it is too much.

        Raises:
            Busy: its turn did not come in time; nothing was begun.
        """
        until = asyncio.get_running_loop().time() + self._patience
        async with self._turn(issue, until):
            while True:
                try:
                    return await ask()
                except RPCError as error:
                    if not is_too_much(error):
                        raise
                    await _pause(until, error)

    @asynccontextmanager
    async def _turn(self, issue: str, until: float) -> AsyncIterator[None]:
        queue = self._queues.setdefault(issue, asyncio.Semaphore(AT_ONCE))
        try:
            async with asyncio.timeout_at(until):
                await queue.acquire()
        except TimeoutError as error:
            raise Busy(TOO_MUCH) from error
        try:
            yield
        finally:
            queue.release()


async def _pause(until: float, error: RPCError) -> None:
    pause = uniform(*_PAUSE)  # noqa: S311  so that not all come again at once
    if asyncio.get_running_loop().time() + pause > until:
        raise Busy(TOO_MUCH) from error
    await asyncio.sleep(pause)
