"""Planning open issues again after a rulebook was loaded (R32): those that come out the same are
marked in the register, only the others hear of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta

from temporalio import activity
from temporalio.client import (
    Client,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError

from domain import contract as names
from domain.issue.actions import ActionName, Replan
from domain.sla.replanning import Order, Report, Tally, replanned, tally
from domain.sla.rulebook import Rulebook
from domain.vocabulary import DESK
from store import replanning, rulebooks, standing
from store.connection import Pool
from store.replanning import StaleIssue

AT_ONCE = 20
"""Issues planned again at the same time: enough to keep the pace when each takes a while."""
PASSES = 2
"""An issue that somebody acts on while it is looked at is looked at again."""
PATIENCE = 60.0
"""Seconds an issue has to answer; then it is left for the next round."""
ROUNDS = 3
"""Attempts after which issues that do not answer are left, and reported."""
BETWEEN_ROUNDS = timedelta(minutes=1)


class Replanning:
    """Carries an adoption through, in any number of attempts."""

    def __init__(
        self, pool: Pool, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._pool = pool
        self._clock = clock

    @activity.defn(name=names.REPLAN)
    async def replan_issues(self, order: Order) -> Report:
        """Go through the issues that are behind, and report all that came of the adoption.

        Raises:
            ApplicationError: ``Invalid`` (not retried): there is no such adoption.
            Held, Unproved: the register may not be worked on now: to be retried.
        """
        async with self._pool.acquire() as connection:
            await standing.require(connection)
            adoption = await rulebooks.adoption(connection, order.adoption)
            newest = await rulebooks.adoption(connection)
            if adoption is None or newest is None:
                raise ApplicationError(
                    f"adoption: there is no {order.adoption}", type="Invalid", non_retryable=True
                )
            rulebook = await rulebooks.current(connection)
        if newest.id == adoption.id and rulebook is not None:
            act = Replan(by=DESK, version=adoption.version, adoption=adoption.id)
            pace = Pace(order.per_second)
            for _ in range(PASSES):
                async for page in replanning.every_behind(self._pool, adoption.version):
                    activity.heartbeat()
                    await self._replan(page, rulebook, act, pace)
        left, numbers = await replanning.numbers_behind(self._pool, adoption.version)
        if left and newest.id == adoption.id and activity.info().attempt < ROUNDS:
            raise ApplicationError(
                f"{left} issues did not answer", type="Unanswered", next_retry_delay=BETWEEN_ROUNDS
            )
        total = Tally()
        async for pairs in replanning.replanned(self._pool, adoption.id):
            total += tally(pairs)
        return Report(
            adoption=adoption.id,
            version=adoption.version,
            superseded=newest.id != adoption.id,
            tally=total,
            left=left,
            numbers=tuple(numbers),
        )

    async def _replan(
        self, page: Sequence[StaleIssue], rulebook: Rulebook, act: Replan, pace: Pace
    ) -> None:
        now = self._clock()
        touched = {
            issue.id
            for issue in page
            if replanned(rulebook, issue.facts, issue.calendar, issue.promises, now)
        }
        same = [issue for issue in page if issue.id not in touched]
        await replanning.mark_unchanged(self._pool, act.version, same)
        client = activity.client()
        async with asyncio.TaskGroup() as group:
            for issue in page:
                if issue.id not in touched:
                    continue
                await pace.wait()
                activity.heartbeat()
                group.create_task(pace.hold(_tell(client, issue, act)))


class Pace:
    """So many a second, evenly, and no more than ``AT_ONCE`` under way."""

    def __init__(self, per_second: float) -> None:
        self._gap = 1 / per_second
        self._next = 0.0
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def wait(self) -> None:
        """Wait for the next turn, and a free slot, which ``hold`` gives back."""
        await self._slots.acquire()
        now = asyncio.get_running_loop().time()
        self._next = max(self._next, now) + self._gap
        await asyncio.sleep(self._next - self._gap - now)

    async def hold(self, work: Awaitable[None]) -> None:
        """Do the work of a turn."""
        try:
            await work
        finally:
            self._slots.release()


_UNANSWERED = (
    TimeoutError,
    RPCError,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)


async def _tell(client: Client, issue: StaleIssue, act: Replan) -> None:
    """Ask one issue. One that ended meanwhile, or is silent, is left: the register shows it."""
    try:
        async with asyncio.timeout(PATIENCE):
            await client.get_workflow_handle(issue.id).execute_update(
                ActionName.REPLAN.value, act, id=f"replan:{act.adoption}"
            )
    except _UNANSWERED as error:
        activity.logger.warning(
            "not planned again", extra={"issue": issue.number, "reason": str(error)}
        )
