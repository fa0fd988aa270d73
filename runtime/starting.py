"""How an issue's workflow is started: once for each intake, and readable in Temporal's Web UI."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from temporalio.client import (
    Client,
    WithStartWorkflowOperation,
    WorkflowUpdateHandle,
    WorkflowUpdateStage,
)
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy

from domain.contract import ISSUES
from domain.for_supervisors import origin, summary
from domain.issue.actions import ActionName
from domain.issue.intake import Intake
from domain.issue.naming import TODAYS
from domain.issue.view import IssueView
from domain.terms import Terms

ISSUE_WORKFLOW = "IssueWorkflow"
_USUAL = Terms()


def arguments(intake: Intake) -> list[Any]:
    """What an issue's workflow is started with: nothing to carry on with, its intake, and how it is
    to work.
    """
    return [None, intake, TODAYS]


def start_of(intake: Intake, own: Terms = _USUAL) -> WithStartWorkflowOperation[Any, Any]:
    """Start the issue's workflow, unless it is there. The intake goes along, so that it registers
    itself whatever becomes of the call. One that has ended is not begun again, but one that failed
    is: its intake was refused. Supervisors read its kind and category in the desk's ``own`` words.
    """
    return WithStartWorkflowOperation(
        ISSUE_WORKFLOW,
        args=arguments(intake),
        id=intake.issue_id,
        task_queue=ISSUES,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
        static_summary=summary(intake, own),
        static_details=origin(intake, own),
    )


async def registered(client: Client, intake: Intake, own: Terms = _USUAL) -> IssueView:
    """Start the issue's workflow, or find it started, and wait for its number. Whoever registers
    does so here: intake systems, people, and the desk itself a complaint (R21).

    Raises:
        WorkflowAlreadyStartedError: it has ended; the register has it.
        WorkflowUpdateFailedError: it refuses the intake.
        RPCError: no answer.
    """
    start = start_of(intake, own)
    try:
        answer: IssueView = await client.execute_update_with_start_workflow(
            ActionName.REGISTERED.value,
            intake,
            start_workflow_operation=start,
            id=update_of(intake),
            result_type=IssueView,
        )
    finally:
        _look_at(start)
    return answer


async def accepted(
    client: Client, intake: Intake, own: Terms = _USUAL, *, within: timedelta | None = None
) -> WorkflowUpdateHandle[IssueView]:
    """Start the issue's workflow, or find it started, and let it take the intake on; the handle may
    be asked for the number. ``within`` bounds each call to Temporal.

    Raises:
        WorkflowAlreadyStartedError, WorkflowUpdateFailedError, RPCError: as ``registered``.
    """
    start = start_of(intake, own)
    try:
        handle: WorkflowUpdateHandle[IssueView] = await client.start_update_with_start_workflow(
            ActionName.REGISTERED.value,
            intake,
            start_workflow_operation=start,
            wait_for_stage=WorkflowUpdateStage.ACCEPTED,
            id=update_of(intake),
            result_type=IssueView,
            rpc_timeout=within,
        )
    finally:
        _look_at(start)
    return handle


def _look_at(start: WithStartWorkflowOperation[Any, Any]) -> None:
    """The SDK leaves a failed start in the operation too: asyncio complains if nobody looks."""
    start._workflow_handle.add_done_callback(looked_at)  # noqa: SLF001  the public way waits for it


def looked_at(done: asyncio.Future[Any]) -> None:
    """Take note of how it ended, for asyncio; whoever waits for it hears of it anyway."""
    if not done.cancelled():
        done.exception()


def update_of(intake: Intake) -> str:
    """The same intake is the same update, from however many doors it comes."""
    return f"registered-{intake.digest}"
