"""A complaint born of a callback or an evaluation is registered as any other issue is (R21)."""

from __future__ import annotations

from typing import Any

import asyncpg
from temporalio import activity
from temporalio.client import WithStartWorkflowOperation, WorkflowUpdateFailedError
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError

from activities import names
from domain.actions import ActionName
from domain.intake import Intake
from domain.view import IssueView, summary
from store import reading


class Complaints:
    """Registers complaints on behalf of other issues."""

    def __init__(self, pool: asyncpg.Pool[Any]) -> None:
        self._pool = pool

    @activity.defn(name=names.RAISE_COMPLAINT)
    async def raise_complaint(self, intake: Intake) -> str:
        """Register it, or find it registered already; return its number.

        Raises:
            ApplicationError: not retried: the desk refuses such an intake, and says why.
        """
        start: WithStartWorkflowOperation[Any, Any] = WithStartWorkflowOperation(
            "IssueWorkflow",
            id=intake.issue_id,
            task_queue=names.ISSUES,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            static_summary=summary(intake),
        )
        try:
            answer: IssueView = await activity.client().execute_update_with_start_workflow(
                ActionName.REGISTERED.value,
                intake,
                start_workflow_operation=start,
                id=f"registered-{intake.reference}",
                result_type=IssueView,
            )
        except WorkflowAlreadyStartedError:  # an earlier attempt's, which has ended by now
            return await self._number(intake)
        except WorkflowUpdateFailedError as error:
            if isinstance(error.cause, ApplicationError):
                raise ApplicationError(
                    error.cause.message, type=error.cause.type, non_retryable=True
                ) from error
            raise
        return answer.number

    async def _number(self, intake: Intake) -> str:
        known = await reading.by_reference(self._pool, intake.source, intake.reference)
        if known is None:
            raise ApplicationError("it was never registered", type="NotAllowed", non_retryable=True)
        return known.number
