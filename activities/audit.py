"""The audit: what an operator ended in Temporal is ended in the register too, and somebody is told;
what its handler cannot go on with any more is handed over.

A workflow can answer a cancellation, but not its own termination; and it hears of no leave that
begins, and of no certificate that ends.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
from temporalio import activity
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowUpdateFailedError
from temporalio.service import RPCError, RPCStatusCode

from activities import names
from activities.guard import Guard
from activities.recording import Recording
from domain import lifecycle
from domain.actions import ActionName, Cancel, Reassign
from domain.duty import Duty
from domain.staffing import stranded
from domain.vocabulary import DESK, Actor, Outcome, Role
from store import reading, roster, rulebooks

SETTLING = timedelta(minutes=1)
"""An issue changed this recently may be starting or ending just now."""


class Audit:
    """Compares the register's open issues with the workflows that should be living them."""

    def __init__(self, pool: asyncpg.Pool[Any], recording: Recording) -> None:
        self._pool = pool
        self._recording = recording
        self._guard = Guard(pool)

    @activity.defn(name=names.AUDIT)
    async def audit_register(self) -> list[str]:
        """Close what has no workflow any more, hand over what nobody can go on with; return the
        keys of the messages to deliver. A register that is older than Temporal is left alone.
        """
        if not await self._guard.next_epoch():
            return []
        client = activity.client()
        await self._hand_over(client)
        running = {
            execution.id
            async for execution in client.list_workflows(
                "WorkflowType = 'IssueWorkflow' AND ExecutionStatus = 'Running'"
            )
        }
        now = datetime.now(UTC)
        keys: list[str] = []
        for id_, run, updated_at in await reading.open_ids(self._pool):
            activity.heartbeat()
            # The list is eventually consistent, so it accuses; only a description convicts.
            if id_ in running or now - updated_at < SETTLING or await _lives(client, id_, run):
                continue
            keys += await self._close(id_, run, now)
        return keys

    async def _hand_over(self, client: Client) -> None:
        async with self._pool.acquire() as connection:
            current = await rulebooks.current(connection)
            issues = await roster.open_issues(connection)
        found = stranded(issues, Duty(current), datetime.now(UTC)) if current else []
        for each in found:
            activity.heartbeat()
            if each.engineer is None:  # its workflow waits for somebody already
                continue
            act = Reassign(by=Actor(id="audit", role=Role.SYSTEM), reason=each.reason)
            handle = client.get_workflow_handle(each.id)
            # It may have gone on meanwhile, or be one of those to be closed below.
            with suppress(WorkflowUpdateFailedError, RPCError):
                await handle.execute_update(ActionName.REASSIGN, act, id=each.update_id)

    async def _close(self, id_: str, run: str, now: datetime) -> list[str]:
        issue = await reading.state(self._pool, id_)
        if issue is None or issue.over:
            return []
        activity.logger.warning("no workflow lives this issue any more", extra={"issue_id": id_})
        step = lifecycle.decide(issue, ActionName.CANCEL, Cancel(by=DESK), now, key="terminated")
        recorded = await self._recording.record_step(
            step.model_copy(update={"run": run, "outcome": issue.outcome or Outcome.TERMINATED})
        )
        left = await reading.unsettled(self._pool, id_)
        return [*left, *(key for errand in recorded.errands for key in errand.keys)]


async def _lives(client: Client, id_: str, first_run: str) -> bool:
    try:
        description = await client.get_workflow_handle(id_).describe()
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return False
        raise
    first = description.raw_info.first_run_id
    return first == first_run and description.status is WorkflowExecutionStatus.RUNNING
