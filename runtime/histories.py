"""What Temporal kept of an issue's workflow, read without its code: the steps it took, what it was
registered with, which messages it had brought out, and where it can be taken up again.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, TypeAlias

from temporalio.api.common.v1 import Payloads, WorkflowExecution
from temporalio.api.enums.v1 import EventType, ResetReapplyType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflowservice.v1 import (
    GetWorkflowExecutionHistoryReverseRequest,
    ResetWorkflowExecutionRequest,
)
from temporalio.client import Client, WorkflowHistory
from temporalio.service import RPCError, RPCStatusCode

from domain.issue.actions import ActionName
from domain.issue.intake import Intake
from domain.issue.naming import Manner
from domain.issue.notes import as_told
from domain.issue.state import Issue
from domain.issue.step import Recorded

Replays: TypeAlias = Callable[[WorkflowHistory], Awaitable[bool]]
"""Whether today's code replays a history. Workflows are the worker's to know."""

_LOCAL_ACTIVITY = "core_local_activity"
_PATIENCE = timedelta(seconds=10)
_LAST = 12
"""Events from the end of a history that tell what it does now."""


class Local(NamedTuple):
    """A local activity as its marker has it: ``attempt`` is the one that just ended, ``failure``
    why, if it is to be tried again.
    """

    name: str
    attempt: int
    failure: str | None
    result: Payloads | None


class Told(NamedTuple):
    """Messages that were given to the activity which brings them out: at ``at`` it came back
    without those ``left``; None: it never did, or gave up, and nobody knows.
    """

    keys: tuple[str, ...]
    left: tuple[str, ...] | None
    at: datetime


class Kept(NamedTuple):
    """What the histories of one workflow say: its steps by their place, all intakes that were
    offered to it, and what was given out. ``whole``: down to the step that was asked for.
    """

    steps: Mapping[int, Recorded]
    intakes: tuple[Intake, ...]
    told: tuple[Told, ...]
    whole: bool

    def registered_with(self) -> Intake | None:
        """Return the intake that was registered, of all that were offered."""
        digest = self.steps[1].intake_digest if 1 in self.steps else None
        named = (intake for intake in self.intakes if intake.digest == digest)
        return next(named, None) or next(iter(self.intakes), None)


class Activities(NamedTuple):
    """The activities by name: those that record a step, and the one that brings messages out."""

    record: frozenset[str] = frozenset()
    deliver: str = ""


async def kept(client: Client, id_: str, run: str, after: int, activities: Activities) -> Kept:
    """Read the histories of a workflow from its last run back, until they say which step followed
    ``after``.
    """
    steps: dict[int, Recorded] = {}
    intakes: list[Intake] = []
    told: list[Told] = []
    async for history in _runs(client, id_, run):
        reading = _Reading(client, history, activities)
        steps = {recorded.step.seq: recorded async for recorded in reading.steps()} | steps
        intakes += [intake async for intake in reading.intakes()]
        told += [each async for each in reading.told()]
        if after + 1 in steps and (after or intakes):
            break
    if registered := steps.get(1):
        intakes += [registered.step.intake] if registered.step.intake else []
    whole = not steps or all(seq in steps for seq in range(after + 1, max(steps) + 1))
    return Kept(steps, tuple(intakes), tuple(told), whole)


async def _runs(client: Client, id_: str, run: str) -> AsyncIterator[Sequence[HistoryEvent]]:
    while run:
        handle = client.get_workflow_handle(id_, run_id=run)
        try:
            history = await handle.fetch_history(rpc_timeout=_PATIENCE)
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:  # longer ago than Temporal keeps them
                return
            raise
        yield history.events
        run = history.events[
            0
        ].workflow_execution_started_event_attributes.continued_execution_run_id


_NONE = Activities()


class _Reading:
    """One run's history, read."""

    def __init__(
        self, client: Client, events: Sequence[HistoryEvent], activities: Activities = _NONE
    ) -> None:
        self._decode = client.data_converter.decode
        self._events = events
        self._activities = activities

    async def steps(self) -> AsyncIterator[Recorded]:
        """What the register answered; not that it knew the issue from before."""
        for event in self._events:
            local = local_of(event)
            if local and local.name in self._activities.record and local.result:
                (recorded,) = await self._decode(local.result.payloads, [Recorded])
                if recorded.closed_as is None:
                    yield recorded.model_copy(update={"adopted": False})

    async def intakes(self) -> AsyncIterator[Intake]:
        """What it was started with, or carried on with, and what `registered` brought."""
        started = self._events[0].workflow_execution_started_event_attributes.input.payloads
        if started:
            shapes: Any = [Issue | None, Intake | None, Manner | None]
            for given in await self._decode(started, shapes[: len(started)]):
                if isinstance(given, Issue | Intake):
                    yield as_told(given.intake, given.was) if isinstance(given, Issue) else given
        for event in self._events:
            said = event.workflow_execution_update_accepted_event_attributes.accepted_request
            if said.input.name == ActionName.REGISTERED:
                (intake,) = await self._decode(said.input.args.payloads, [Intake])
                yield intake

    async def told(self) -> AsyncIterator[Told]:
        """What the activity was given, and what became of it."""
        ended = {
            event.activity_task_completed_event_attributes.scheduled_event_id: event
            for event in self._events
            if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED
        }
        for event in self._events:
            asked = event.activity_task_scheduled_event_attributes
            if asked.activity_type.name != self._activities.deliver:
                continue
            (keys,) = await self._decode(asked.input.payloads, [list[str]])
            if done := ended.get(event.event_id):
                result = done.activity_task_completed_event_attributes.result.payloads
                (left,) = await self._decode(result, [list[str]])
                yield Told(tuple(keys), tuple(left), _at(done))
            else:
                yield Told(tuple(keys), None, _at(event))


def _at(event: HistoryEvent) -> datetime:
    return event.event_time.ToDatetime(tzinfo=UTC)


def local_of(event: HistoryEvent) -> Local | None:
    """Read a local activity's marker; None: the event is none."""
    marker = event.marker_recorded_event_attributes
    if marker.marker_name != _LOCAL_ACTIVITY:
        return None
    data = json.loads(marker.details["data"].payloads[0].data)
    return Local(
        name=data["activity_type"],
        attempt=data["attempt"],
        failure=marker.failure.message if marker.HasField("failure") else None,
        result=marker.details.get("result"),
    )


async def last_events(client: Client, id_: str, run: str) -> Sequence[HistoryEvent]:
    """Read the end of a run's history, newest first."""
    answer = await client.workflow_service.get_workflow_execution_history_reverse(
        GetWorkflowExecutionHistoryReverseRequest(
            namespace=client.namespace,
            execution=WorkflowExecution(workflow_id=id_, run_id=run),
            maximum_page_size=_LAST,
        ),
        timeout=_PATIENCE,
    )
    return answer.history.events


async def offered(client: Client, id_: str, run: str) -> Intake | None:
    """Return the intake that a workflow was offered first, registered or not; None: it still waits
    for one, as those of an earlier version may.
    """
    async for history in _runs(client, id_, run):
        async for intake in _Reading(client, history).intakes():
            return intake
    return None


# Taking it up again -------------------------------------------------------------------------------


async def last_good_task(history: WorkflowHistory, replays: Replays) -> int | None:
    """Find the last workflow task before which a history can be replayed: the event at which that
    task was completed, for the workflow to be reset to. None: there is none.
    """
    completed = [
        event.event_id
        for event in history.events
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
    ]
    for event_id in reversed(completed):
        before = [event for event in history.events if event.event_id < event_id]
        if await replays(WorkflowHistory(history.workflow_id, before)):
            return event_id
    return None


async def reset(client: Client, id_: str, run: str, event_id: int, reason: str) -> str:
    """Let a workflow go on from a task of its history, in a new run; return which.

    What was asked of it since is asked again: a step that stands in the register is taken from
    there, by whatever cause it came, so that nothing is done twice and nothing that was
    acknowledged is lost.
    """
    answer = await client.workflow_service.reset_workflow_execution(
        ResetWorkflowExecutionRequest(
            namespace=client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=id_, run_id=run),
            reason=reason,
            workflow_task_finish_event_id=event_id,
            request_id=f"reset:{run}:{event_id}",
            reset_reapply_type=ResetReapplyType.RESET_REAPPLY_TYPE_ALL_ELIGIBLE,
            identity="repair",
        ),
        timeout=_PATIENCE,
    )
    return answer.run_id
