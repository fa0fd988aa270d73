"""What supervisors filter issues by in the Web UI. Never customer data (R30)."""

from __future__ import annotations

from typing import Any

from temporalio.common import SearchAttributeUpdate

from domain.issue.state import Issue
from domain.sla.promise import PromiseKind
from workflows.search_attributes import (
    DEPARTMENT,
    ENGINEER,
    ESCALATION_LEVEL,
    ISSUE_CATEGORY,
    ISSUE_KIND,
    ISSUE_NUMBER,
    ISSUE_SEVERITY,
    ISSUE_STAGE,
    ISSUE_STEP,
    NEXT_DUE_AT,
    PRODUCT_LINE,
    REGION,
    REOPEN_COUNT,
    RESOLUTION_DUE_AT,
    SLA_STATE,
)


def search_attributes(issue: Issue) -> list[SearchAttributeUpdate[Any]]:
    """Every label of the issue as it stands: one upsert a transition."""
    resolution = issue.promise(PromiseKind.RESOLUTION)
    next_due, due = issue.next_due_at, resolution.due_at if resolution else None
    return [
        ISSUE_NUMBER.value_set(issue.number),
        ISSUE_STAGE.value_set(issue.stage),
        ISSUE_STEP.value_set(issue.seq),
        ISSUE_KIND.value_set(issue.intake.kind),
        ISSUE_CATEGORY.value_set(issue.intake.category),
        ISSUE_SEVERITY.value_set(issue.severity),
        PRODUCT_LINE.value_set(issue.intake.product_line),
        REGION.value_set(issue.intake.region),
        DEPARTMENT.value_set(issue.department),
        ENGINEER.value_set(issue.engineer.id) if issue.engineer else ENGINEER.value_unset(),
        SLA_STATE.value_set(issue.sla_state),
        NEXT_DUE_AT.value_set(next_due) if next_due else NEXT_DUE_AT.value_unset(),
        RESOLUTION_DUE_AT.value_set(due) if due else RESOLUTION_DUE_AT.value_unset(),
        ESCALATION_LEVEL.value_set(issue.level),
        REOPEN_COUNT.value_set(issue.generation - 1),
        ISSUE_STEP.value_set(issue.seq),
    ]
