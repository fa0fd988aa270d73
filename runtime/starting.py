"""How an issue's workflow is started: once for each intake, and readable in Temporal's Web UI."""

from __future__ import annotations

from typing import Any

from temporalio.client import WithStartWorkflowOperation
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy

from domain.intake import Intake

ISSUE_WORKFLOW = "IssueWorkflow"


def start_of(intake: Intake, task_queue: str) -> WithStartWorkflowOperation[Any, Any]:
    """Start the issue's workflow, unless it is there. The intake goes along, so that it registers
    itself whatever becomes of the call. One that has ended is not begun again, but one that failed
    is: its intake was refused.
    """
    return WithStartWorkflowOperation(
        ISSUE_WORKFLOW,
        args=[None, intake],
        id=intake.issue_id,
        task_queue=task_queue,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
        static_summary=_fit(f"{intake.kind} · {intake.product_line} · {intake.title}", 200),
        static_details=_static_details(intake),
    )


def update_of(intake: Intake) -> str:
    """The same intake is the same update, from however many doors it comes."""
    return f"registered-{intake.digest}"


def _static_details(intake: Intake) -> str:
    """What is known from the start, for the Web UI. No customer data (R30)."""
    return "\n".join(
        (
            f"**{intake.title}**",
            "",
            f"- 来源 Source: {intake.source} {intake.reference} ({intake.channel})",
            f"- 类别 Kind: {intake.kind}, {intake.category}, {intake.severity}",
            f"- 产品 Product: {intake.product_line} {intake.model or ''}",
            f"- 地区 Region: {intake.region}",
        )
    )


def _fit(text: str, size: int) -> str:
    """Cut to ``size`` bytes of UTF-8, which is how Temporal counts."""
    return text.encode()[:size].decode(errors="ignore")
