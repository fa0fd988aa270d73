"""What a workflow's history comes to: its shape, and what Temporal Cloud asks for it.

Temporal Cloud is paid by the action. One is, as https://docs.temporal.io/cloud/actions has it:

- a workflow started; a timer started, waited for with a timeout or not; a signal;
- an update taken. Update-with-start is two, the start and the update. One that is refused is an
  action too, and leaves no history: it is not counted here, nor are queries and heartbeats;
- an upsert of search attributes, however many; not that of ``TemporalChangeVersion``;
- an activity started, and each retry;
- all local activities, in fact all markers, of one workflow task together. A workflow task that a
  slow one extends is another action.

Cancelled timers, workflow tasks, and the search attributes and details of a start cost nothing.
"""

from __future__ import annotations

from collections.abc import Iterable

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent

from runtime.histories import local_of

_VERSIONS = {"TemporalChangeVersion"}
_STARTED = {
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED,
    EventType.EVENT_TYPE_TIMER_STARTED,
}
_SHAPE = {
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED: "update",
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED: "signal",
    EventType.EVENT_TYPE_TIMER_STARTED: "timer started",
    EventType.EVENT_TYPE_TIMER_CANCELED: "timer cancelled",
    EventType.EVENT_TYPE_TIMER_FIRED: "timer fired",
    EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES: "upsert",
    EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED: "activity",
}


def shape(events: Iterable[HistoryEvent]) -> list[str]:
    """List what a workflow was asked for and what it asked for, in order. Workflow tasks and
    answers are left out: how these fall is the server's.
    """
    return [name for event in events if (name := _of_shape(event))]


def _of_shape(event: HistoryEvent) -> str:
    if local_of(event) is not None:
        return "local activity"
    named = _SHAPE.get(event.event_type, "")
    return "" if named == "upsert" and not _upserts(event) else named


def cloud_actions(events: Iterable[HistoryEvent]) -> int:
    """Count the Temporal Cloud actions that a history tells of."""
    count, tasks_with_markers = 0, set[int]()
    for event in events:
        if event.event_type == EventType.EVENT_TYPE_MARKER_RECORDED:
            marker = event.marker_recorded_event_attributes
            tasks_with_markers.add(marker.workflow_task_completed_event_id)
        elif event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED:
            count += event.activity_task_started_event_attributes.attempt
        else:
            count += event.event_type in _STARTED or _upserts(event)
    return count + len(tasks_with_markers)


def _upserts(event: HistoryEvent) -> bool:
    if event.event_type != EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES:
        return False
    upserted = event.upsert_workflow_search_attributes_event_attributes.search_attributes
    return not _VERSIONS.issuperset(upserted.indexed_fields)
