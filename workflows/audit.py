"""The audit as a workflow, so that its messages are brought out like any other."""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

from domain import contract as names

WORKFLOW_ID = "audit"
SCHEDULE_ID = "audit"
EVERY = timedelta(minutes=10)


@workflow.defn
class AuditWorkflow:
    """Runs by a schedule; see ``activities/audit.py``."""

    @workflow.run
    async def run(self) -> int:
        """Return how many messages the audit gave occasion to."""
        keys = await workflow.execute_activity(
            names.AUDIT,
            result_type=list[str],
            start_to_close_timeout=timedelta(minutes=5),
            heartbeat_timeout=timedelta(seconds=30),
            # The schedule comes again: a run that fails for long is not worth keeping.
            retry_policy=RetryPolicy(maximum_attempts=5),
            summary="compare the register with Temporal",
        )
        if keys:
            await workflow.execute_activity(
                names.DELIVER,
                keys,
                result_type=list[str],
                task_queue=names.NOTIFICATIONS,
                schedule_to_close_timeout=timedelta(days=1),
                start_to_close_timeout=timedelta(minutes=1),
                heartbeat_timeout=timedelta(seconds=15),
                summary=f"{len(keys)} messages of ended issues",
            )
        return len(keys)
