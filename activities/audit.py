"""The audit: what an operator ended in Temporal is ended in the register too, and somebody is told;
what Temporal lost begins anew from the register; what its handler cannot go on with any more is
handed over.

A workflow can answer a cancellation, but not its own termination; and it hears of no leave that
begins, and of no certificate that ends. What Temporal had acknowledged it may lose all the same, by
a failover or a power cut: a workflow, or its last steps. The register has them.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import structlog
from temporalio import activity
from temporalio.client import (
    Client,
    WorkflowExecution,
    WorkflowExecutionStatus,
    WorkflowUpdateFailedError,
)
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError

from activities import missing_notice, webhook_alarm
from activities.guard import Guard
from activities.missing_notice import CalendarAlarm
from activities.recording import Recording
from activities.scanning import Scanning
from domain import contract as names
from domain.issue import lifecycle
from domain.issue.actions import ActionName, Cancel, Reassign, Repair
from domain.issue.intake import Intake
from domain.staff.duty import Duty
from domain.staff.staffing import stranded
from domain.vocabulary import DESK, Actor, Outcome, Role
from runtime.aio import every
from runtime.lives import NUMBER, STEP, catch_up, described
from runtime.starting import accepted
from store import issue_reader, issue_words, roster, rulebooks, webhooks
from store.connection import Pool
from store.issue_reader import Living

log = structlog.get_logger()

_BY = Actor(id="audit", role=Role.SYSTEM)
_FINDING = timedelta(seconds=60)
"""How long each audit goes on with words that nobody can find yet."""
_PATIENCE = timedelta(seconds=10)
"""How long an issue may take to take note of something; the next audit asks again."""
BY_AN_OPERATOR = frozenset(
    {
        WorkflowExecutionStatus.CANCELED,
        WorkflowExecutionStatus.TERMINATED,
        WorkflowExecutionStatus.TIMED_OUT,
    }
)
SETTLING = timedelta(minutes=1)
"""An issue changed this recently may be starting or ending just now."""


class Seen(NamedTuple):
    """What a workflow says of itself: nothing before it is registered; and one of a version before
    does not say how many steps it knows until it is asked.
    """

    number: str | None
    steps: int | None

    def keeps_up_with(self, issue: Living) -> bool:
        return self.number is not None and self.steps is not None and self.steps >= issue.seq


class Audit:
    """Compares the register's open issues with the workflows that should be living them."""

    def __init__(
        self,
        pool: Pool,
        recording: Recording,
        scanning: Scanning | None = None,
        calendars: CalendarAlarm | None = None,
    ) -> None:
        self._pool = pool
        self._calendars = calendars
        self._scanning = scanning
        self._recording = recording
        self._guard = Guard(pool)

    @activity.defn(name=names.AUDIT)
    async def audit_register(self) -> list[str]:
        """Close what an operator ended, begin anew what was lost, tell those that it is over which
        do not know, hand over what nobody can go on with; return the keys of the messages to
        deliver, those of no issue's workflow among them. A register that is older than Temporal is
        left alone.
        """
        if not await self._guard.next_epoch():
            return []
        await self.find_words()
        client = activity.client()
        if self._scanning:
            await self._scanning.look_again(client)
        await self._hand_over(client)
        running = {
            execution.id: seen(execution)
            async for execution in client.list_workflows(
                "WorkflowType = 'IssueWorkflow' AND ExecutionStatus = 'Running'"
            )
        }
        now = datetime.now(UTC)
        if self._calendars:
            await self._calendars.look(now)
        keys = [
            key
            for template in (webhook_alarm.TEMPLATE, *missing_notice.TEMPLATES)
            for key in await webhooks.unsaid(self._pool, template)
        ]
        living = await issue_reader.living(self._pool)
        over = await issue_reader.over(self._pool, running.keys() - {issue.id for issue in living})
        for issue in (*living, *over):
            activity.heartbeat()
            # The list is eventually consistent, so it accuses; only a description convicts.
            said = running.get(issue.id)
            if (said and said.keeps_up_with(issue)) or now - issue.updated_at < SETTLING:
                continue
            keys += await self.look_into(client, issue, now)
        return keys

    async def find_words(self) -> None:
        """Let issues be found by the words of before there was such a search: some at a time."""
        async with every(4.0, activity.heartbeat):
            if done := await issue_words.catch_up(self._pool, _FINDING):
                log.info("issues are found by their words now", issues=done)

    async def look_into(self, client: Client, issue: Living, now: datetime) -> list[str]:
        """Ask Temporal what became of an issue's workflow, and heal what it says."""
        found = await described(client, issue.id)
        if (
            found is None
            or found.raw_info.first_run_id != issue.run
            or found.status is WorkflowExecutionStatus.FAILED
        ):
            await self._begin_anew(client, issue)
        elif found.status in BY_AN_OPERATOR:
            return await self._close(issue.id, issue.run, now)
        elif found.status is WorkflowExecutionStatus.RUNNING:
            await self._remind(client, issue)
        return []

    async def _begin_anew(self, client: Client, issue: Living) -> None:
        """Start the workflow that Temporal lost; it takes its steps again out of the register."""
        log.warning("no workflow knows this issue any more: begun anew", issue_id=issue.id)
        async with self._pool.acquire() as connection:
            intake = await issue_reader.intake(connection, issue.id)
        if intake is None:
            return
        with suppress(WorkflowUpdateFailedError, WorkflowAlreadyStartedError, RPCError):
            await accepted(client, intake, within=_PATIENCE)

    async def _remind(self, client: Client, issue: Living) -> None:
        """Let a workflow that lost its last steps, or its registration, take them again."""
        handle = client.get_workflow_handle(issue.id)

        async def ask(name: ActionName, act: Intake | Repair, key: str) -> None:
            await handle.execute_update(name, act, id=key, rpc_timeout=_PATIENCE)

        async def intake() -> Intake | None:
            async with self._pool.acquire() as connection:
                return await issue_reader.intake(connection, issue.id)

        with suppress(WorkflowUpdateFailedError, RPCError):
            if await catch_up(client, issue.id, issue.seq, intake, by=_BY, ask=ask):
                log.warning("a workflow was behind its register", issue_id=issue.id)

    async def _hand_over(self, client: Client) -> None:
        async with self._pool.acquire() as connection:
            current = await rulebooks.current(connection)
            issues = await roster.open_issues(connection)
        found = stranded(issues, Duty(current), datetime.now(UTC)) if current else []
        for each in found:
            activity.heartbeat()
            if each.engineer is None:  # its workflow waits for somebody already
                continue
            act = Reassign(by=_BY, reason=each.reason)
            handle = client.get_workflow_handle(each.id)
            # It may have gone on meanwhile, or be one of those to be closed below.
            with suppress(WorkflowUpdateFailedError, RPCError):
                await handle.execute_update(ActionName.REASSIGN, act, id=each.update_id)

    async def _close(self, id_: str, run: str, now: datetime) -> list[str]:
        issue = await issue_reader.state(self._pool, id_)
        if issue is None or issue.over:
            return []
        activity.logger.warning("no workflow lives this issue any more", extra={"issue_id": id_})
        step = lifecycle.decide(issue, ActionName.CANCEL, Cancel(by=DESK), now, key="terminated")
        recorded = await self._recording.record_step(
            step.model_copy(update={"run": run, "outcome": issue.outcome or Outcome.TERMINATED})
        )
        left = await issue_reader.unsettled(self._pool, id_)
        return [*left, *(key for batch in recorded.batches for key in batch.keys)]


def seen(execution: WorkflowExecution) -> Seen:
    """Read what a workflow says of itself."""
    said = execution.typed_search_attributes
    return Seen(said.get(NUMBER), said.get(STEP))
