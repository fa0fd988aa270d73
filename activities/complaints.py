"""A complaint born of a callback or an evaluation is registered as any other issue is (R21)."""

from __future__ import annotations

from temporalio import activity
from temporalio.client import WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError

from domain import contract as names
from domain.issue.intake import Intake
from runtime.starting import registered
from store import issue_reader, rulebooks
from store.connection import Pool


class Complaints:
    """Registers complaints on behalf of other issues."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @activity.defn(name=names.RAISE_COMPLAINT)
    async def raise_complaint(self, intake: Intake) -> str:
        """Register it, or find it registered already; return its number.

        Raises:
            ApplicationError: not retried: the desk refuses such an intake, and says why.
        """
        intake = await self._in_our_words(intake)
        try:
            answer = await registered(activity.client(), intake)
        except WorkflowAlreadyStartedError:  # an earlier attempt's, which has ended by now
            return await self._number(intake)
        except WorkflowUpdateFailedError as error:
            if isinstance(error.cause, ApplicationError):
                raise ApplicationError(
                    error.cause.message, type=error.cause.type, non_retryable=True
                ) from error
            raise
        return answer.number

    async def _in_our_words(self, intake: Intake) -> Intake:
        """Say it as the policy that counts now does, whatever an issue's own workflow called it."""
        async with self._pool.acquire() as connection:
            rulebook = await rulebooks.current(connection)
        return intake.as_complaint(rulebook.policy.terms) if rulebook else intake

    async def _number(self, intake: Intake) -> str:
        known = await issue_reader.by_reference(self._pool, intake.source, intake.reference)
        if known is None:
            raise ApplicationError("it was never registered", type="NotAllowed", non_retryable=True)
        return known.number
