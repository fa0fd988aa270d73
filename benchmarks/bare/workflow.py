"""The bare workflow and its two activities, which do nothing."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from temporalio import activity, workflow

from benchmarks.bare.shape import BARE_NOTIFICATIONS, LIFE, Name, Timer
from workflows.search_attributes import ISSUE_STEP

_LATER = timedelta(days=5)
"""How long a timer runs that is not to ring in a benchmark."""


@activity.defn
async def record_nothing() -> None:
    """Stands for the transaction of a step, and for the name before it."""


@activity.defn
async def deliver_nothing() -> datetime:
    """Stands for the messages of a step; tells when they would have arrived, in UTC."""
    return datetime.now(UTC)


class Done(NamedTuple):
    """A transition, and when: in UTC."""

    name: Name
    at: datetime


class Told(NamedTuple):
    """What a bare workflow has done: its transitions by workflow time, and the deliveries of each
    by when they would have arrived.
    """

    taken: list[Done]
    delivered: list[Done]


@workflow.defn(failure_exception_types=[Exception])  # a defect is to end it, loudly
class BareWorkflow:
    """Goes through ``LIFE``. It never ends; nor does an issue that waits to be scored, here."""

    @workflow.init
    def __init__(self, due: datetime | None) -> None:
        self._due = due
        self._told = Told([], [])
        self._timers: dict[Timer, asyncio.Task[None]] = {}
        self._sent: set[asyncio.Task[None]] = set()
        self._replied = False

    @workflow.run
    async def run(self, due: datetime | None) -> None:  # noqa: ARG002  see init
        """Let its first timer of all ring at ``due``, if it is to ring."""
        await workflow.wait_condition(lambda: False)

    @workflow.update
    async def take(self, name: Name) -> None:
        """Take a transition. Whoever resolves hears of it when the answer has arrived: so the
        benchmark need not ask.
        """
        await self._take(name)
        if name is Name.RESOLVE:
            await workflow.wait_condition(lambda: self._replied)

    @workflow.query
    def told(self) -> Told:
        """What it has done so far."""
        return self._told

    async def _take(self, name: Name) -> None:
        now, shape = workflow.now(), LIFE[name]
        for _ in range(shape.local_activities):
            await workflow.execute_local_activity(
                record_nothing, start_to_close_timeout=timedelta(seconds=15)
            )
        self._told.taken.append(Done(name, now))
        workflow.upsert_search_attributes([ISSUE_STEP.value_set(len(self._told.taken))])
        for timer in shape.ends:
            self._timers.pop(timer).cancel()
        for timer in shape.begins:
            self._timers[timer] = asyncio.create_task(self._ring(timer))
        for _ in range(shape.deliveries):
            sent = asyncio.create_task(self._deliver(name))
            self._sent.add(sent)
            sent.add_done_callback(self._sent.discard)
        self._replied = self._replied or name is Name.REPLIED

    async def _ring(self, timer: Timer) -> None:
        delay = _LATER
        if timer is Timer.RESPONSE and self._due:
            delay, self._due = self._due - workflow.now(), None
        await workflow.sleep(delay)
        del self._timers[timer]
        await self._take(Name.THRESHOLD)

    async def _deliver(self, name: Name) -> None:
        arrived = await workflow.execute_activity(
            deliver_nothing,
            task_queue=BARE_NOTIFICATIONS,
            start_to_close_timeout=timedelta(minutes=1),
        )
        self._told.delivered.append(Done(name, arrived))
        if name is Name.RESOLVE:
            await self._take(Name.REPLIED)
