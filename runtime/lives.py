"""What Temporal knows of the desk: its epoch, and how far its issues' workflows have come.

The epoch stands in the memo of what the audit's schedule starts: durable, kept by the server
without any worker, seen in the Web UI, and left alone by whoever pauses the schedule with a note.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from temporalio.client import (
    Client,
    ScheduleActionStartWorkflow,
    ScheduleDescription,
    ScheduleUpdate,
    ScheduleUpdateInput,
    WorkflowExecution,
    WorkflowExecutionDescription,
    WorkflowExecutionStatus,
)
from temporalio.common import SearchAttributeKey
from temporalio.service import RPCError, RPCStatusCode

from domain.issue.actions import ActionName, Repair
from domain.issue.intake import Intake
from domain.standing import Epoch, Lived
from domain.vocabulary import Actor

SCHEDULE = "audit"
"""Id of the audit's schedule."""
NUMBER = SearchAttributeKey.for_keyword("IssueNumber")
STEP = SearchAttributeKey.for_int("IssueStep")
_EPOCH = "epoch"
_CLOCKS_DIFFER = timedelta(hours=1)
"""By how much PostgreSQL's clock may be ahead of Temporal's."""
_PAGE = 500
_PATIENCE = timedelta(seconds=5)
# The test server has no schedules.
_NOWHERE = {RPCStatusCode.NOT_FOUND, RPCStatusCode.UNIMPLEMENTED}

Intakes: TypeAlias = Callable[[], Awaitable[Intake | None]]
"""Finds what an issue was registered with."""
Ask: TypeAlias = Callable[[ActionName, Intake | Repair, str], Awaitable[object]]
"""Sends an update to a workflow under an id, and waits for the answer."""


async def described(client: Client, id_: str) -> WorkflowExecutionDescription | None:
    """Describe the last run of a workflow; None: Temporal knows of none. This is for certain, its
    lists may lag.
    """
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


async def catch_up(
    client: Client, id_: str, recorded: int, intake: Intakes, *, by: Actor, ask: Ask
) -> bool:
    """Let an issue whose register has ``recorded`` steps catch up with it, if Temporal lost its
    last ones; say whether it had to. One of a version before says how far it is when asked with
    the ``intake`` it was registered with.
    """
    known = await _steps(client, id_)
    if known is None and (registered := await intake()):
        await ask(ActionName.REGISTERED, registered, f"asked:{recorded}")
        known = await _steps(client, id_)
    if known is None or recorded <= known:
        return False
    reason = "流程落后于登记簿 the workflow was behind its register"
    await ask(ActionName.REPAIR, Repair(by=by, reason=reason), f"repair:{id_}:{recorded}")
    return True


async def _steps(client: Client, id_: str) -> int | None:
    found = await described(client, id_)
    return found.typed_search_attributes.get(STEP) if found else None


class Lives:
    """Temporal, as the register sees it. Calls raise ``RPCError`` while it is away."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def epoch(self) -> Epoch | None:
        """Return the epoch that Temporal keeps; None: none, or nowhere to keep it."""
        try:
            found = await self._client.get_schedule_handle(SCHEDULE).describe()
        except RPCError as error:
            if error.status in _NOWHERE:
                return None
            raise
        return await self._epoch_of(found)

    async def keep_epoch(self, epoch: Epoch) -> bool:
        """Let Temporal keep an epoch, unless it has a later one; False: there is no place."""

        async def put(found: ScheduleUpdateInput) -> ScheduleUpdate | None:
            before = await self._epoch_of(found.description)
            if before and before.number >= epoch.number:
                return None
            schedule = found.description.schedule
            if isinstance(schedule.action, ScheduleActionStartWorkflow):
                schedule.action.memo = {
                    **(schedule.action.memo or {}),
                    _EPOCH: epoch.model_dump(mode="json"),
                }
            return ScheduleUpdate(schedule)

        try:
            await self._client.get_schedule_handle(SCHEDULE).update(put)
        except RPCError as error:
            if error.status in _NOWHERE:
                return False
            raise
        return True

    async def _epoch_of(self, found: ScheduleDescription) -> Epoch | None:
        action = found.schedule.action
        memo: Mapping[str, Any] = getattr(action, "memo", None) or {}
        if _EPOCH not in memo:
            return None
        (epoch,) = await self._client.data_converter.decode([memo[_EPOCH]], [Epoch])
        return Epoch.model_validate(epoch)

    async def pages(self, closed_since: datetime | None) -> AsyncIterator[list[Lived]]:
        """Go through the workflows that run, and those that came to their end since. Terminated
        ones are left out: that is how an operator accepts a loss.
        """
        ended = "ExecutionStatus IN ('Completed', 'Canceled')"
        if closed_since:
            ended += f" AND CloseTime >= '{(closed_since - _CLOCKS_DIFFER).isoformat()}'"
        page: list[Lived] = []
        async for execution in self._client.list_workflows(
            f"WorkflowType = 'IssueWorkflow' AND (ExecutionStatus = 'Running' OR ({ended}))"
        ):
            page.append(_lived(execution))
            if len(page) == _PAGE:
                yield page
                page = []
        if page:
            yield page

    async def describe(self, id_: str) -> Lived | None:
        """Say how a workflow stands right now; None: there is none."""
        found = await described(self._client, id_)
        if found is None:
            return None
        return _lived(found).model_copy(update={"first_run": found.raw_info.first_run_id})

    async def numbers(self) -> list[str]:
        """List every issue number that Temporal knows, of open and of closed issues."""
        return [
            number
            async for execution in self._client.list_workflows("WorkflowType = 'IssueWorkflow'")
            if (number := execution.typed_search_attributes.get(NUMBER))
        ]


def _lived(execution: WorkflowExecution) -> Lived:
    return Lived(
        id=execution.id,
        running=execution.status is WorkflowExecutionStatus.RUNNING,
        number=execution.typed_search_attributes.get(NUMBER),
        step=execution.typed_search_attributes.get(STEP),
    )
