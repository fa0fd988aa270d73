"""The worker: hosts the workflows and the activities, and stops without dropping anything.

``python -m worker`` or ``yinuo worker``. Scale by processes: workflow tasks share one core.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from datetime import timedelta
from typing import Any

import structlog
from temporalio.client import Client, WorkflowHistory
from temporalio.worker import Replayer, Worker

from activities.audit import Audit
from activities.catching_up import CatchingUp
from activities.complaints import Complaints
from activities.content_audit import ContentAudit
from activities.deep_audit import DeepAudit
from activities.guard import told
from activities.merging import Merging
from activities.missing_notice import CalendarAlarm
from activities.notification import Notification
from activities.recording import Recording
from activities.remedies import Remedies
from activities.repairing import Repairing
from activities.replanning import Replanning
from activities.reports import Reports
from activities.scanning import Scanning
from activities.sending import Sender
from activities.telling import Telling, Ways
from activities.webhook_alarm import Alarm
from activities.webhooks import WebhookSender
from domain import contract as names
from domain.errors import SetupError
from runtime import aio, grants, logs, postgres, temporal
from runtime import settings as environment
from runtime.contents.opening import contents
from runtime.embedded import servers
from runtime.lives import Lives
from runtime.revisions import require_head
from runtime.scanner import scanner_at
from runtime.sealing import Sealer
from runtime.settings import Settings
from runtime.signing import links
from store import behind, rulebooks, standing
from store.connection import Pool
from workflows.audit import AuditWorkflow
from workflows.issue import IssueWorkflow
from workflows.repair import DeepAuditWorkflow, RepairWorkflow
from workflows.replan import ReplanWorkflow
from workflows.reports import ReportsWorkflow, ReportWorkflow
from workflows.search_attributes import SEARCH_ATTRIBUTES

TELLING = 4
"""Connections to the register by which receivers of events are told."""
WORKFLOWS = (
    *(IssueWorkflow, AuditWorkflow, ReplanWorkflow, DeepAuditWorkflow, RepairWorkflow),
    *(ReportsWorkflow, ReportWorkflow),
)
log = structlog.get_logger()


async def replays(history: WorkflowHistory) -> bool:
    """Whether today's workflows can replay a history."""
    replayer = Replayer(workflows=[*WORKFLOWS], plugins=[temporal.plugin()])
    result = await replayer.replay_workflow(history, raise_on_replay_failure=False)
    return result.replay_failure is None


def workers(
    client: Client, pool: Pool, settings: Settings, sender: Sender
) -> tuple[Worker, Worker]:
    """Build the two workers: one for issues, one for everything that leaves the building, so that
    slow channels never take a slot from an issue.
    """
    recording = Recording(pool, links(settings))
    notification = Notification(pool, sender)
    scanning = Scanning(pool, contents(settings), scanner_at(settings.scanner))
    kept = ContentAudit(pool, contents(settings))
    deep = DeepAudit(pool, held=standing.held_because, contents=kept)
    remedies = Remedies(pool, recording, CatchingUp(pool, links(settings)), replays)
    reports = Reports(pool, settings.base_url)
    acting: list[Callable[..., Any]] = [
        *recording.activities(),
        Audit(pool, recording, scanning, CalendarAlarm(pool, links(settings))).audit_register,
        deep.deep_audit,
        Repairing(pool, deep, remedies).repair_issues,
        Replanning(pool).replan_issues,
        Complaints(pool).raise_complaint,
        Merging(pool).ask_survivor,
        reports.reports_due,
        reports.issue_report,
        reports.reports_by_hand,
    ]
    return (
        for_workflows(client, settings, names.ISSUES, WORKFLOWS, acting),
        for_deliveries(client, settings, names.NOTIFICATIONS, [notification.deliver_messages]),
    )


def for_workflows(
    client: Client,
    settings: Settings,
    queue: str,
    workflows: Sequence[type],
    activities: Sequence[Callable[..., Any]],
) -> Worker:
    """Build a worker for issues, with the slots and caches of the settings."""
    return Worker(
        client,
        task_queue=queue,
        workflows=workflows,
        activities=activities,
        max_concurrent_workflow_tasks=settings.workflow_slots,
        max_concurrent_activities=settings.activity_slots,
        max_concurrent_local_activities=settings.local_activity_slots,
        max_cached_workflows=settings.max_cached_workflows,
        # After a crash others wait this long for the dead worker's share before they take it.
        sticky_queue_schedule_to_start_timeout=timedelta(seconds=3),
        graceful_shutdown_timeout=settings.graceful_shutdown,
    )


def for_deliveries(
    client: Client, settings: Settings, queue: str, activities: Sequence[Callable[..., Any]]
) -> Worker:
    """Build a worker for what leaves the building, with the slots of the settings."""
    return Worker(
        client,
        task_queue=queue,
        activities=activities,
        max_concurrent_activities=settings.notification_slots,
        graceful_shutdown_timeout=settings.graceful_shutdown,
    )


@asynccontextmanager
async def telling(settings: Settings, url: str) -> AsyncIterator[None]:
    """Tell receivers of events while the block runs, over connections of their own."""
    async with postgres.pool(url, size=TELLING, application="yinuo webhooks") as pool:
        found = links(settings)
        ways = Ways(pool, Sealer(found.signer), Alarm(found))
        task = asyncio.create_task(Telling(ways).run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait({task})


@asynccontextmanager
async def working(settings: Settings) -> AsyncIterator[None]:
    """Work while the block runs.

    Raises:
        SetupError: a server is missing or of another version, or the desk has no policy yet.
    """
    client = await temporal.connect(settings)
    await temporal.require_search_attributes(client, SEARCH_ATTRIBUTES)
    url = servers.database_url(settings)
    async with postgres.pool(url, size=settings.pool_size) as pool:
        await require_head(pool)
        if warning := await grants.warning(pool):
            log.warning(warning)
        async with pool.acquire() as connection:
            current = await rulebooks.current(connection)
        if current is None:
            raise SetupError(rulebooks.NO_POLICY)
        told(await behind.check_in_turn(pool, Lives(client)))  # held, it waits for the repair
        async with aclosing(WebhookSender()) as sender:
            issues, notifications = workers(client, pool, settings, sender)
            async with issues, notifications, telling(settings, url):
                log.info("working", policy=current.policy.name, rulebook=current.version)
                yield
                log.info("stopping")


async def serve(settings: Settings) -> None:
    """Work until SIGINT or SIGTERM."""
    with aio.stop_requested() as stop:
        async with working(settings):
            await stop.wait()


def main() -> None:
    """Run the worker by the settings of the environment."""
    settings = environment.load()
    logs.configure(settings.log_format, settings.log_level)
    aio.run(serve(settings))


if __name__ == "__main__":
    try:
        main()
    except SetupError as error:
        raise SystemExit(str(error)) from None
