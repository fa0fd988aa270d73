"""How an issue's workflow is started: once for each intake, and readable in Temporal's Web UI."""

from __future__ import annotations

from typing import Any

from temporalio.client import WithStartWorkflowOperation
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy

from domain.issue.intake import Intake
from domain.issue.naming import TODAYS
from domain.issue.view import origin, summary

ISSUE_WORKFLOW = "IssueWorkflow"


def arguments(intake: Intake) -> list[Any]:
    """What an issue's workflow is started with: nothing to carry on with, its intake, and how it is
    to work.
    """
    return [None, intake, TODAYS]


def start_of(intake: Intake, task_queue: str) -> WithStartWorkflowOperation[Any, Any]:
    """Start the issue's workflow, unless it is there. The intake goes along, so that it registers
    itself whatever becomes of the call. One that has ended is not begun again, but one that failed
    is: its intake was refused.
    """
    return WithStartWorkflowOperation(
        ISSUE_WORKFLOW,
        args=arguments(intake),
        id=intake.issue_id,
        task_queue=task_queue,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
        static_summary=summary(intake),
        static_details=origin(intake),
    )


def update_of(intake: Intake) -> str:
    """The same intake is the same update, from however many doors it comes."""
    return f"registered-{intake.digest}"
