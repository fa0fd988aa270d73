"""Whoever calls a bare workflow."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from temporalio.client import Client, WithStartWorkflowOperation
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.service import RPCError, RPCStatusCode

from benchmarks.bare.shape import BARE, Name
from benchmarks.bare.workflow import BareWorkflow, Told

_REPLAYED = timedelta(minutes=2)
"""For an answer, on a machine that has much else to replay."""


async def register(client: Client, id_: str, due: datetime | None = None) -> None:
    """Start one with its first transition; its first timer rings at ``due``, or never."""
    await client.execute_update_with_start_workflow(
        BareWorkflow.take,
        Name.REGISTERED,
        start_workflow_operation=WithStartWorkflowOperation(
            BareWorkflow.run,
            due,
            id=id_,
            task_queue=BARE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        ),
    )


async def live(client: Client, id_: str) -> None:
    """Lead a whole life."""
    await register(client, id_)
    handle = client.get_workflow_handle(id_)
    for name in (Name.ACCEPT, Name.RESOLVE, Name.TESTED):
        await handle.execute_update(BareWorkflow.take, name)


async def told(client: Client, id_: str) -> Told:
    """Ask one what it has done; of thousands most have left the cache, and are replayed for it. The
    server itself gives a question up after some seconds without a worker: it is asked again.

    Raises:
        TimeoutError: no answer in all the time there is.
    """
    handle = client.get_workflow_handle(id_)
    async with asyncio.timeout(_REPLAYED.total_seconds()):
        while True:
            try:
                return await handle.query(BareWorkflow.told, rpc_timeout=_REPLAYED)
            except RPCError as error:
                if error.status not in {RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED}:
                    raise
                await asyncio.sleep(1)
