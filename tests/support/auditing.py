"""Auditing and repairing a story's desk, and leading its issues on afterwards."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest
from temporalio.service import RPCError

from domain import contract as names
from domain.findings import AuditReport, FindingKind, RepairOrder, RepairReport
from domain.issue.actions import Accept, ActionName, Withdraw
from domain.issue.view import IssueView
from domain.vocabulary import Outcome, Stage
from store import issue_reader
from tests.support import harness
from tests.support.harness import Handle, StoryDesk, engineer, eventually, result
from tests.support.patience import PATIENCE
from workflows.repair import DeepAuditWorkflow, RepairWorkflow


async def audited(desk: StoryDesk) -> AuditReport:
    return await desk.env.client.execute_workflow(
        DeepAuditWorkflow.run,
        id=f"audit-deep-{uuid4()}",
        task_queue=names.ISSUES,
        execution_timeout=timedelta(seconds=PATIENCE),
    )


async def repaired(desk: StoryDesk, *issues: str, dry_run: bool = False) -> RepairReport:
    return await desk.env.client.execute_workflow(
        RepairWorkflow.run,
        RepairOrder(issues=issues, dry_run=dry_run),
        id=f"repair-{uuid4()}",
        task_queue=names.ISSUES,
        execution_timeout=timedelta(seconds=PATIENCE),
    )


async def kinds(desk: StoryDesk) -> list[FindingKind]:
    """Say what is found, which has to be of the one issue there is, or of the desk."""
    return sorted({finding.kind for finding in (await audited(desk)).findings})


async def mends(desk: StoryDesk) -> None:
    """Repair everything, and see nothing left."""
    report = await repaired(desk)
    assert report.repaired
    assert report.whole, report
    assert await kinds(desk) == []


async def to_the_end(desk: StoryDesk, handle: Handle) -> None:
    """Lead an issue on, whatever was done to it; by then another run may be living it."""
    handle = desk.env.client.get_workflow_handle(handle.id, result_type=IssueView)
    view = await desk.view(handle)
    if view.stage is Stage.ASSIGNED:
        view = await desk.act(handle, ActionName.ACCEPT, Accept(by=engineer(view)))
    if view.stage is Stage.IN_PROGRESS:
        await desk.act(handle, ActionName.RESOLVE, result(view))

    async def replied() -> bool:
        return (await desk.view(handle)).stage is Stage.REPLIED

    await eventually(replied)
    withdraw = Withdraw(by=harness.LEAD, reason="it works again")
    await desk.act(handle, ActionName.WITHDRAW, withdraw)
    found = await issue_reader.issue(desk.pool, handle.id)
    assert found is not None
    assert found.outcome is Outcome.WITHDRAWN
    assert (await desk.view(handle)).steps == found.steps
    assert await kinds(desk) == []


async def why(desk: StoryDesk, handle: Handle) -> list[str]:
    rows = await desk.pool.fetch(
        "SELECT content->>'reason' AS why FROM issue_events"
        " WHERE issue_id = $1 AND action = 'repair' ORDER BY seq",
        handle.id,
    )
    return [row["why"] for row in rows]


async def lost(desk: StoryDesk, handle: Handle) -> None:
    """Let Temporal lose a workflow."""
    await desk.env.client.workflow_service.delete_workflow_execution(
        DeleteWorkflowExecutionRequest(
            namespace=desk.env.client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=handle.id),
        )
    )

    async def gone() -> bool:
        try:
            await handle.describe()
        except RPCError:
            return True
        return False

    await eventually(gone)
