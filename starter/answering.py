"""How whoever asks hears that a server is away: in one way, and in time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import TypeVar

from temporalio.client import WorkflowUpdateRPCTimeoutOrCancelledError
from temporalio.service import RPCError, RPCStatusCode

from store import UNWRITABLE
from store.connection import Connection, Pool
from store.standing import Held, Unproved

Answer = TypeVar("Answer")

ANSWER_WITHIN = 30.0
"""Seconds a call waits. What was accepted by then is done all the same: ask again, or look."""
TOO_MUCH = "the desk has too much to do at once: ask again in a moment, nothing was begun"
_AWAY: tuple[type[Exception], ...] = (
    RPCError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
    *UNWRITABLE,
)


class Unavailable(Exception):
    """The desk cannot answer now. Nothing is lost or half-done: send the same again."""


class Busy(Unavailable):
    """The desk is there, and has too much to do at once, mostly on one issue. What was asked was
    not begun: ask again in a moment.
    """


def is_too_much(error: RPCError) -> bool:
    """Say whether Temporal has more of it under way than it takes, such as ten updates of one
    workflow, and began nothing.
    """
    return error.status is RPCStatusCode.RESOURCE_EXHAUSTED


@asynccontextmanager
async def answering() -> AsyncIterator[None]:
    """Bound a call in time, and say plainly when a server that it needs is away.

    Raises:
        Busy: too much at once.
        Unavailable: no answer, or none in time.
    """
    try:
        async with asyncio.timeout(ANSWER_WITHIN):
            yield
    except (Held, Unproved) as error:
        raise Unavailable(str(error)) from error
    except _AWAY as error:
        task = asyncio.current_task()
        if task is not None and task.cancelling():  # the SDK makes an error of its own of that
            raise asyncio.CancelledError from error
        if isinstance(error, RPCError) and is_too_much(error):
            raise Busy(TOO_MUCH) from error
        reason = str(error) or "no answer in time"
        raise Unavailable(
            f"the desk does not answer now ({reason}): send the same again"
        ) from error


async def answered(asking: Awaitable[Answer]) -> Answer:
    """Wait for one answer.

    Raises:
        Unavailable: as ``answering``.
    """
    async with answering():
        return await asking


class OnRegisters:
    """What asks PostgreSQL, and nobody else. The pool stays its maker's to close."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[Connection]:
        async with answering(), self._pool.acquire() as connection:
            yield connection
