"""Having a report issued or sent again (R27), for whoever asks for it besides the clock."""

from __future__ import annotations

from temporalio.client import Client, WithStartWorkflowOperation
from temporalio.common import WorkflowIDConflictPolicy

from domain.contract import ISSUES
from domain.reports.editions import Issued, Order
from workflows.reports import ISSUED, ReportWorkflow


async def ordered(client: Client, order: Order) -> Issued:
    """Give an order, and say what came of it as soon as that is known: its messages are brought out
    after that. The same request again gets the same answer.
    """
    start = WithStartWorkflowOperation(
        ReportWorkflow.run,
        order,
        id=order.workflow_id,
        task_queue=ISSUES,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        static_summary=f"报表 Report {order.report} · {order.period}",
    )
    issued: Issued = await client.execute_update_with_start_workflow(
        ISSUED, start_workflow_operation=start, result_type=Issued
    )
    return issued
