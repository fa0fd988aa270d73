"""What Temporal has of each workflow: raw events, read and replayed, and its answer to ``view``."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from temporalio.api.common.v1 import Payloads
from temporalio.api.enums.v1 import EventType, WorkflowTaskFailedCause
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import (
    Client,
    WorkflowExecutionStatus,
    WorkflowHistory,
    WorkflowQueryFailedError,
    WorkflowQueryRejectedError,
)
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import Replayer

from benchmarks.chaos.evidence import Seen
from runtime.temporal import plugin
from workflows.issue import IssueWorkflow

AT_ONCE = 8
_ANSWER = timedelta(seconds=15)
_ISSUES = "WorkflowType = 'IssueWorkflow'"
_SENTENCE = re.compile(r"\[TMPRL\d+\][^\"]+")
_MARKER = "core_local_activity"
_BEYOND_REPAIR = frozenset(
    {WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR}
)


async def look_at_all(client: Client, ids: Iterable[str]) -> dict[str, Seen]:
    """Look at every workflow that Temporal lists, and at those of ``ids`` that it knows."""
    listed = {execution.id async for execution in client.list_workflows(_ISSUES)}
    turn = asyncio.Semaphore(AT_ONCE)

    async def one(id_: str) -> Seen | None:
        async with turn:
            return await look_at(client, id_)

    looked = await asyncio.gather(*(one(id_) for id_ in sorted({*listed, *ids})))
    return {seen.id: seen for seen in looked if seen}


async def look_at(client: Client, id_: str) -> Seen | None:
    """Look at a workflow; None if Temporal does not know it."""
    handle = client.get_workflow_handle(id_)
    try:
        told = await handle.describe()
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return None
        raise
    runs = await _runs(client, id_, told.run_id)
    events = [event for run in runs for event in run.events]
    running = told.status is WorkflowExecutionStatus.RUNNING
    view, silent = await asks(client, id_) if running else (None, "")
    raw = told.raw_description
    seen = Seen(
        id=id_,
        running=running,
        view=view,
        silent=silent,
        attempt=raw.pending_workflow_task.attempt,
        delivers=bool(raw.pending_activities),
        unfit=await unfit(runs),
    )
    return read(seen, events)


async def asks(client: Client, id_: str) -> tuple[Mapping[str, Any] | None, str]:
    """Ask a workflow how it stands; what it says, and why it says nothing."""
    try:
        view = await client.get_workflow_handle(id_).query("view", rpc_timeout=_ANSWER)
    except (WorkflowQueryFailedError, WorkflowQueryRejectedError, RPCError) as error:
        return None, f"{type(error).__name__}: {error}"[:300]
    return view, ""


async def _runs(client: Client, id_: str, last: str | None) -> list[WorkflowHistory]:
    """Fetch the histories of all its runs, the first one first."""
    runs: list[WorkflowHistory] = []
    while last:
        run = await client.get_workflow_handle(id_, run_id=last).fetch_history()
        runs.insert(0, run)
        started = run.events[0].workflow_execution_started_event_attributes
        last = started.continued_execution_run_id
    return runs


async def unfit(runs: Sequence[WorkflowHistory]) -> str:
    """Replay histories with today's code; say why one does not fit it."""
    replayer = Replayer(workflows=[IssueWorkflow], plugins=[plugin()])
    for run in runs:
        result = await replayer.replay_workflow(run, raise_on_replay_failure=False)
        if failure := result.replay_failure:
            return _gist(failure)
    return ""


def _gist(failure: Exception) -> str:
    """Leave out what the SDK wraps its one sentence in."""
    text = f"{type(failure).__name__}: {failure}"
    found = _SENTENCE.search(text)
    return found.group() if found else text[:500]


def read(seen: Seen, events: Sequence[HistoryEvent]) -> Seen:
    """Add what the raw events of a workflow say."""
    known = [seq for event in events for seq in _seqs(event)]
    return replace(
        seen,
        seq=known[-1] if known else 0,
        signals=tuple(text for event in events for text in _signal(event)),
        failures=tuple(text for event in events for text in _failure(event)),
    )


def _seqs(event: HistoryEvent) -> Iterator[int]:
    """The step that a local activity answered with, or that a run was begun with."""
    if event.event_type == EventType.EVENT_TYPE_MARKER_RECORDED:
        marker = event.marker_recorded_event_attributes
        if marker.marker_name == _MARKER and "result" in marker.details:
            for said in _said(marker.details["result"]):
                if isinstance(said, dict):  # else it is whose turn it is
                    yield said["step"]["seq"]
    elif event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED:
        for said in _said(event.workflow_execution_started_event_attributes.input):
            if isinstance(said, dict) and "seq" in said:
                yield said["seq"]


def _signal(event: HistoryEvent) -> Iterator[str]:
    if event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED:
        attributes = event.workflow_execution_signaled_event_attributes
        for said in _said(attributes.input):
            yield json.dumps(said, ensure_ascii=False)


def _failure(event: HistoryEvent) -> Iterator[str]:
    if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED:
        failed = event.workflow_task_failed_event_attributes
        if failed.cause in _BEYOND_REPAIR:
            yield f"event {event.event_id}: {failed.failure.message}"[:500]


def _said(payloads: Payloads) -> Iterator[Any]:
    for payload in payloads.payloads:
        if payload.data:
            yield json.loads(payload.data)
