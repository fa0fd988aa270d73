"""What a Temporal namespace has to know before the desk can work in it."""

import dataclasses
from copy import copy
from datetime import timedelta
from functools import partial

from temporalio.client import (
    Client,
    Schedule,
    ScheduleAlreadyRunningError,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
    ScheduleState,
    ScheduleUpdate,
    ScheduleUpdateInput,
)
from temporalio.client import ScheduleActionStartWorkflow as _Start

from domain import findings
from domain.contract import ISSUES
from runtime.temporal import register_search_attributes
from workflows import audit, repair, reports
from workflows.search_attributes import SEARCH_ATTRIBUTES

_SCHEDULE = Schedule(
    action=_Start(
        audit.AuditWorkflow.run,
        id=audit.WORKFLOW_ID,
        task_queue=ISSUES,
        static_summary="登记簿核对 The register is compared with Temporal",
    ),
    spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=audit.EVERY)]),
    policy=SchedulePolicy(
        # One that still brings out a message must not hold up the next; doing it twice is harmless.
        overlap=ScheduleOverlapPolicy.ALLOW_ALL,
        # One audit after a night without a server is as good as all that were missed.
        catchup_window=max(audit.EVERY, timedelta(minutes=1)),
    ),
    state=ScheduleState(note="Closes in the register what an operator ended in Temporal"),
)

_DEEP = Schedule(
    action=_Start(
        repair.DeepAuditWorkflow.run,
        id=repair.AUDIT_ID,
        task_queue=ISSUES,
        static_summary="全面核对 Everything is compared with everything",
    ),
    spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=findings.EVERY)]),
    policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=timedelta(minutes=10)),
    state=ScheduleState(note="Finds what is wrong, for /metrics and /auditz; `yinuo repair` mends"),
)
_REPORTS = Schedule(
    action=_Start(
        reports.ReportsWorkflow.run,
        id=reports.SCHEDULE_ID,
        task_queue=ISSUES,
        static_summary="到期报表与今日待办 Reports and morning digests that are due",
    ),
    spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=reports.EVERY)]),
    # Whoever looks next finds whatever an outage left: one look is as good as all that were missed.
    policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=reports.EVERY),
    state=ScheduleState(note="Issues the reports that are due, by [reports] of the policy"),
)
_SCHEDULES = {
    audit.SCHEDULE_ID: _SCHEDULE,
    repair.AUDIT_ID: _DEEP,
    reports.SCHEDULE_ID: _REPORTS,
}


async def prepare(client: Client) -> None:
    """Make the search attributes and the schedules of audits and reports, or bring them up to date.

    Safe to repeat; a schedule that an operator paused stays paused, and the epoch in it is kept.

    Raises:
        SetupError: a search attribute exists with another type, or does not appear in time.
    """
    await register_search_attributes(client, SEARCH_ATTRIBUTES)
    for id_, schedule in _SCHEDULES.items():
        try:
            await client.create_schedule(id_, schedule)
        except ScheduleAlreadyRunningError:
            await client.get_schedule_handle(id_).update(partial(_up_to_date, schedule))


def _up_to_date(wanted: Schedule, found: ScheduleUpdateInput) -> ScheduleUpdate:
    before, action = found.description.schedule, copy(wanted.action)
    if isinstance(action, _Start) and isinstance(before.action, _Start):
        action.memo = before.action.memo
    return ScheduleUpdate(dataclasses.replace(wanted, action=action, state=before.state))
