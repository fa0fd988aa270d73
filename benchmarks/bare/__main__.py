"""The bare workflow's worker: one process, as the desk's (``worker.py``), with its settings."""

from __future__ import annotations

from datetime import timedelta

from temporalio.worker import Worker

from benchmarks.bare.shape import BARE, BARE_NOTIFICATIONS
from benchmarks.bare.workflow import BareWorkflow, deliver_nothing, record_nothing
from runtime import aio, temporal
from runtime.settings import Settings, load


async def serve(settings: Settings) -> None:
    """Work until SIGINT or SIGTERM."""
    client = await temporal.connect(settings)
    issues = Worker(
        client,
        task_queue=BARE,
        workflows=[BareWorkflow],
        activities=[record_nothing],
        max_concurrent_workflow_tasks=settings.workflow_slots,
        max_concurrent_activities=settings.activity_slots,
        max_concurrent_local_activities=settings.local_activity_slots,
        max_cached_workflows=settings.max_cached_workflows,
        sticky_queue_schedule_to_start_timeout=timedelta(seconds=3),
        graceful_shutdown_timeout=settings.graceful_shutdown,
    )
    notifications = Worker(
        client,
        task_queue=BARE_NOTIFICATIONS,
        activities=[deliver_nothing],
        max_concurrent_activities=settings.notification_slots,
        graceful_shutdown_timeout=settings.graceful_shutdown,
    )
    with aio.stop_requested() as stop:
        async with issues, notifications:
            await stop.wait()


if __name__ == "__main__":
    aio.run(serve(load()))
