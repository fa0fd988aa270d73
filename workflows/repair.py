"""The deep audit and the repair as workflows: durable, seen in the Web UI, and their messages are
brought out like any other.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError

from domain import contract as names
from domain.findings import AuditReport, Finding, RepairOrder, RepairReport

AUDIT_ID = "audit-deep"
REPAIR_ID = "repair"
_PATIENCE = timedelta(hours=2)
_SIGN_OF_LIFE = timedelta(seconds=30)


@workflow.defn
class DeepAuditWorkflow:
    """Runs by a schedule, and whenever somebody asks; see ``activities/deep_audit.py``."""

    @workflow.run
    async def run(self, contents: bool = False) -> AuditReport:  # noqa: FBT001, FBT002  an argument in Temporal
        """Return what was found; ``contents``: every attachment is read, too."""
        report: AuditReport = await workflow.execute_activity(
            names.DEEP_AUDIT,
            args=[True] if contents else [],
            result_type=AuditReport,
            start_to_close_timeout=_PATIENCE,
            heartbeat_timeout=_SIGN_OF_LIFE,
            retry_policy=RetryPolicy(maximum_attempts=5),
            summary="compare everything with everything",
        )
        lines = [_line(finding) for finding in report.findings[:200]]
        workflow.set_current_details("\n".join(lines) or "没有发现问题 Nothing is wrong.")
        return report


@workflow.defn
class RepairWorkflow:
    """Does something about what a deep audit finds; see ``activities/repairing.py``."""

    @workflow.run
    async def run(self, order: RepairOrder) -> RepairReport:
        """Return what was done."""
        report: RepairReport = await workflow.execute_activity(
            names.REPAIR,
            order,
            result_type=RepairReport,
            start_to_close_timeout=_PATIENCE,
            heartbeat_timeout=_SIGN_OF_LIFE,
            retry_policy=RetryPolicy(maximum_attempts=5),
            summary=", ".join(order.issues)[:200] or "everything that is found",
        )
        lines = [f"{_line(each.finding)}: {each.outcome}" for each in report.repaired[:200]]
        workflow.set_current_details("\n".join(lines) or "没有发现问题 Nothing is wrong.")
        await self._bring_out([key for each in report.repaired for key in each.left])
        return report

    async def _bring_out(self, keys: list[str]) -> None:
        """Messages of issues that have ended. What does not arrive soon is found again, and given
        to a person when that goes on for a day.
        """
        if not keys:
            return
        with suppress(ActivityError):
            await workflow.execute_activity(
                names.DELIVER,
                keys,
                result_type=list[str],
                task_queue=names.NOTIFICATIONS,
                schedule_to_close_timeout=timedelta(minutes=5),
                start_to_close_timeout=timedelta(minutes=1),
                heartbeat_timeout=timedelta(seconds=15),
                summary=f"{len(keys)} messages of ended issues",
            )


def _line(finding: Finding) -> str:
    of = finding.number or finding.issue_id or "desk"
    return f"- **{of}** {finding.advice.zh} {finding.advice.en}: {finding.seen}"
