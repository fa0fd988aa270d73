"""What a Temporal namespace has to know before the desk can work in it."""

import dataclasses
from copy import copy
from datetime import timedelta

from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
    ScheduleState,
    ScheduleUpdate,
    ScheduleUpdateInput,
)

from runtime.temporal import register_search_attributes
from starter.client import TASK_QUEUE
from workflows import audit
from workflows.search_attributes import SEARCH_ATTRIBUTES

_ACTION = ScheduleActionStartWorkflow(
    audit.AuditWorkflow.run,
    id=audit.WORKFLOW_ID,
    task_queue=TASK_QUEUE,
    static_summary="登记簿核对 The register is compared with Temporal",
)
_SCHEDULE = Schedule(
    action=_ACTION,
    spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=audit.EVERY)]),
    policy=SchedulePolicy(
        # One that still brings out a message must not hold up the next; doing it twice is harmless.
        overlap=ScheduleOverlapPolicy.ALLOW_ALL,
        # One audit after a night without a server is as good as all that were missed.
        catchup_window=max(audit.EVERY, timedelta(minutes=1)),
    ),
    state=ScheduleState(note="Closes in the register what an operator ended in Temporal"),
)


async def prepare(client: Client) -> None:
    """Make the search attributes and the schedule of the audit, or bring them up to date.

    Safe to repeat; a schedule that an operator paused stays paused, and the epoch in it is kept.

    Raises:
        SetupError: a search attribute exists with another type, or does not appear in time.
    """
    await register_search_attributes(client, SEARCH_ATTRIBUTES)
    try:
        await client.create_schedule(audit.SCHEDULE_ID, _SCHEDULE)
    except ScheduleAlreadyRunningError:
        await client.get_schedule_handle(audit.SCHEDULE_ID).update(_up_to_date)


def _up_to_date(found: ScheduleUpdateInput) -> ScheduleUpdate:
    before = found.description.schedule
    action = copy(_ACTION)
    if isinstance(before.action, ScheduleActionStartWorkflow):
        action.memo = before.action.memo
    return ScheduleUpdate(dataclasses.replace(_SCHEDULE, action=action, state=before.state))
