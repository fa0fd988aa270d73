"""Carrying a loaded rulebook through to the open issues (R32): durable, so that it is finished
whatever ends in between, and at a pace that leaves the desk its breath.
"""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

from domain import contract as names
from domain.sla.replanning import Order, Report

WORKFLOW_ID = "replan"


@workflow.defn
class ReplanWorkflow:
    """Plans open issues again after one adoption; see ``activities/replanning.py``."""

    @workflow.run
    async def run(self, order: Order) -> Report:
        """Return what came of it; issues that did not answer in the end are named there."""
        report: Report = await workflow.execute_activity(
            names.REPLAN,
            order,
            result_type=Report,
            # Ten thousand issues at the usual pace take half an hour.
            start_to_close_timeout=timedelta(hours=4),
            heartbeat_timeout=timedelta(minutes=2),
            retry_policy=RetryPolicy(maximum_interval=timedelta(minutes=1)),
            summary=f"adoption {order.adoption}",
        )
        workflow.set_current_details(_page(report))
        return report


def _page(report: Report) -> str:
    """What a supervisor reads in the Web UI."""
    tally = report.tally
    rows = {
        "改期的问题 Issues changed": tally.issues,
        "承诺有变 Promises changed": tally.changed,
        "提前 Earlier": tally.earlier,
        "推后 Later": tally.later,
        "已确定 Became firm": tally.firm,
        "仍暂定 Still provisional": tally.provisional,
        "跳过 Skipped": tally.skipped,
        "尚未处理 Left": report.left,
    }
    lines = [f"**{name}** {count}" for name, count in rows.items()]
    if report.superseded:
        lines.append("已有更新的版本 Superseded by a newer version")
    return "\n\n".join((f"### 重新计算期限 Replanning · {report.version}", *lines))
