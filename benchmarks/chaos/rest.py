"""The quiet after the faults: waiting until a desk is at rest, and asking for an audit."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta

import asyncpg
from temporalio.client import Client, ScheduleActionExecutionStartWorkflow

from demo.stage import Theatre
from workflows.audit import SCHEDULE_ID

STILL = 6.0
"""Seconds without a step or a message after which nothing moves any more."""
_AUDIT_WITHIN = timedelta(minutes=3)

_PULSE = """
SELECT (SELECT count(*) FROM issue_events) AS steps,
    (SELECT count(*) FROM outbox WHERE settled_at IS NOT NULL) AS settled,
    (SELECT count(*) FROM outbox WHERE settled_at IS NULL) AS waiting,
    (SELECT count(*) FROM promises p
        CROSS JOIN jsonb_array_elements(p.marks) WITH ORDINALITY AS m(mark, place)
        WHERE p.ended_at IS NULL AND p.paused_at IS NULL AND m.place > p.reached) AS clocks
"""


async def at_rest(on: Theatre, *, least: float = 0.0, most: float) -> bool:
    """Wait until nothing moves, nothing is to be said and no clock is to ring, for at ``least`` and
    at ``most`` so many seconds; False if that was not reached.
    """
    begun = since = time.monotonic()
    before = None
    while time.monotonic() - begun < most:
        now = await _pulse(on.servers.pool)
        if now != before:
            before, since = now, time.monotonic()
        still = time.monotonic() - since > STILL and time.monotonic() - begun >= least
        if still and now and not now["waiting"] and not now["clocks"]:
            return True
        await asyncio.sleep(0.5)
    return False


async def _pulse(pool: asyncpg.Pool[asyncpg.Record]) -> asyncpg.Record | None:
    return await pool.fetchrow(_PULSE)


async def audited(client: Client) -> None:
    """Let the desk's own audit run once, by its schedule; returns when it has ended."""
    schedule = client.get_schedule_handle(SCHEDULE_ID)
    before = await _runs(client)
    await schedule.trigger()
    async with asyncio.timeout(_AUDIT_WITHIN.total_seconds()):
        while not (begun := await _runs(client) - before):
            await asyncio.sleep(0.2)
        for id_, run in begun:
            await client.get_workflow_handle(id_, run_id=run).result()


async def _runs(client: Client) -> set[tuple[str, str]]:
    """Which audits the schedule started lately."""
    info = (await client.get_schedule_handle(SCHEDULE_ID).describe()).info
    actions = [each.action for each in info.recent_actions]
    return {
        (action.workflow_id, action.first_execution_run_id)
        for action in actions
        if isinstance(action, ScheduleActionExecutionStartWorkflow)
    }
