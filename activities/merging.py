"""One issue asks another to speak for it, as people would: by an update of its workflow."""

from __future__ import annotations

from temporalio import activity
from temporalio.client import WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from domain import contract as names
from domain.issue.actions import ActionName
from domain.issue.duplicates import Asked
from domain.vocabulary import Stage
from store import duplicates, issue_reader
from store.connection import Pool


class Merging:
    """Asks issues on behalf of others."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @activity.defn(name=names.ASK_SURVIVOR)
    async def ask_survivor(self, asked: Asked) -> str:
        """Let the surviving issue take the other over, unless it has; return its number.

        Raises:
            ApplicationError: not retried: it cannot, and says why.
            RPCError: no answer.
        """
        survivor = await issue_reader.issue(self._pool, asked.survivor)
        if survivor is None:
            raise _refused(f"into: there is no issue {asked.survivor}")
        if await duplicates.speaks_for(self._pool, asked.survivor, asked.absorb.issue_id):
            return survivor.number
        handle = activity.client().get_workflow_handle(asked.survivor)
        try:
            await handle.execute_update(ActionName.ABSORB.value, asked.absorb, id=asked.key)
        except WorkflowUpdateFailedError as error:
            if isinstance(error.cause, ApplicationError):
                raise _refused(error.cause.message) from error
            raise
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND and survivor.stage is Stage.CLOSED:
                raise _refused(f"into: {survivor.number} is closed by now") from error
            raise
        return survivor.number


def _refused(message: str) -> ApplicationError:
    return ApplicationError(message, type="NotAllowed", non_retryable=True)
