"""Whether a workflow lives: what Temporal says of it for certain, and not by its lists."""

from __future__ import annotations

from datetime import timedelta

from temporalio.client import Client, WorkflowExecutionDescription, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

_PATIENCE = timedelta(seconds=5)


async def described(client: Client, id_: str) -> WorkflowExecutionDescription | None:
    """Describe the last run of a workflow; None: Temporal knows of none."""
    try:
        return await client.get_workflow_handle(id_).describe(rpc_timeout=_PATIENCE)
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return None
        raise


async def lives(client: Client, id_: str, first_run: str) -> bool:
    """Say whether a workflow is running that began with that run."""
    found = await described(client, id_)
    return (
        found is not None
        and found.raw_info.first_run_id == first_run
        and found.status is WorkflowExecutionStatus.RUNNING
    )
