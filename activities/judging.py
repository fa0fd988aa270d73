"""What is wrong with one issue, by what Temporal says of its workflow when asked for it by name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client, WorkflowExecutionDescription, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from activities.audit import BY_AN_OPERATOR, seen
from domain import contract as names
from domain.findings import Finding, FindingKind
from runtime import histories
from runtime.lives import described
from store.auditing import Lying
from store.issue_reader import Living

OPERATORS_CLOSED = timedelta(minutes=15)
"""By then the ordinary audit has closed what an operator ended."""
STARTING = timedelta(minutes=1)
"""A workflow this young may be registering just now."""
MANY_TASKS, MANY_ATTEMPTS = 3, 8
"""Workflow tasks and attempts of an activity from which on it is no accident any more."""
_CANCELED = WorkflowExecutionStatus.CANCELED
_TAKES_LONG = {"NotDelivered", "WaitsItsTurn", "Held"}
"""What a delivery may say for a whole day: a channel is away, and a person hears of it then."""


class Suspect(NamedTuple):
    """An issue to be looked at: its row, if the register has one, and its messages that lie about;
    ``quiet``: not changed so lately that one side may just not have heard of it.
    """

    id: str
    row: Living | None
    quiet: bool
    lying: Lying | None = None

    def found(self, kind: FindingKind, about: str, said: str) -> Finding:
        number = self.row.number if self.row else None
        return Finding(kind=kind, issue_id=self.id, number=number, about=about, seen=said)


async def judge(client: Client, suspect: Suspect, now: datetime, *, audits: bool) -> list[Finding]:
    """Say what is wrong with an issue; ``audits``: an audit is bringing out messages of ended
    issues just now.
    """
    found = await described(client, suspect.id)
    living = found is not None and found.status is WorkflowExecutionStatus.RUNNING
    wrong = [*_side_by_side(suspect, found, now)]
    if found and living:
        last = await _last_events(client, suspect.id, found.run_id)
        wrong += _tasks(suspect, found, last)
        wrong += _activities(suspect, found)
        wrong += _local_activities(suspect, last)
        if suspect.row is None and not wrong:
            wrong += await _unregistered(client, suspect, found, now)
    if suspect.lying and not (_delivers(found) if living else audits):
        since = f"{suspect.lying.since:%Y-%m-%d %H:%M} UTC"
        said = f"{len(suspect.lying.keys)} messages since {since}: {suspect.lying.keys[0]}"
        wrong.append(suspect.found(FindingKind.UNSAID, suspect.lying.keys[0], said))
    return wrong


def _side_by_side(
    suspect: Suspect, found: WorkflowExecutionDescription | None, now: datetime
) -> Iterator[Finding]:
    """Compare the row with the workflow; one of them may be missing."""
    steps = seen(found).steps if found else None
    registered = seen(found).number is not None if found else False
    row = suspect.row
    if row is None:
        if registered and found and found.status not in BY_AN_OPERATOR - {_CANCELED}:
            said = f"the register has no row, the workflow {_of(steps)}"
            yield suspect.found(FindingKind.REGISTER_BEHIND, f"0/{steps}", said)
        return
    if steps is not None and steps > row.seq:
        said = f"the register has {row.seq} steps, the workflow {_of(steps)}"
        yield suspect.found(FindingKind.REGISTER_BEHIND, f"{row.seq}/{steps}", said)
        return
    if not suspect.quiet:
        return
    running = found is not None and found.status is WorkflowExecutionStatus.RUNNING
    if row.open and (why := _nobody_lives(row, found, now)):
        yield suspect.found(FindingKind.NO_WORKFLOW, row.run, why)
    elif running and (not registered or (steps is not None and steps < row.seq)):
        said = f"the register has {row.seq} steps, the workflow {_of(steps)}"
        yield suspect.found(FindingKind.WORKFLOW_BEHIND, f"{row.seq}/{steps}", said)


def _of(steps: int | None) -> str:
    return "none" if steps is None else str(steps)


def _nobody_lives(
    row: Living, found: WorkflowExecutionDescription | None, now: datetime
) -> str | None:
    if found is None:
        return "Temporal knows no such workflow"
    if found.raw_info.first_run_id != row.run:
        return f"another workflow has its id: it began with run {found.raw_info.first_run_id}"
    if found.status in BY_AN_OPERATOR:
        ended = found.close_time or now
        return f"it was {_word(found)} in Temporal" if now - ended > OPERATORS_CLOSED else None
    if found.status is not WorkflowExecutionStatus.RUNNING:
        return f"its workflow has {_word(found)}"
    return None


def _word(found: WorkflowExecutionDescription) -> str:
    return found.status.name.lower().replace("_", " ") if found.status else "ended"


async def _last_events(client: Client, id_: str, run: str) -> Sequence[HistoryEvent]:
    try:
        return await histories.last_events(client, id_, run)
    except RPCError as error:
        # The test server has no such call; and it may end just now.
        if error.status in {RPCStatusCode.UNIMPLEMENTED, RPCStatusCode.NOT_FOUND}:
            return ()
        raise


def _tasks(
    suspect: Suspect, found: WorkflowExecutionDescription, last: Sequence[HistoryEvent]
) -> Iterator[Finding]:
    attempt = found.raw_description.pending_workflow_task.attempt
    if attempt < MANY_TASKS:
        return
    failed = EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED
    why = next(
        (
            f": {event.workflow_task_failed_event_attributes.failure.message}"
            for event in last
            if event.event_type == failed
        ),
        "",
    )
    said = f"workflow task at attempt {attempt}{why}"
    yield suspect.found(FindingKind.WEDGED, found.run_id, said[:300])


def _activities(suspect: Suspect, found: WorkflowExecutionDescription) -> Iterator[Finding]:
    for each in found.raw_description.pending_activities:
        failure = each.last_failure
        name = each.activity_type.name
        if each.attempt < MANY_ATTEMPTS:
            continue
        if name == names.DELIVER and failure.application_failure_info.type in _TAKES_LONG:
            continue
        said = f"{name} at attempt {each.attempt}: {failure.message}"
        yield suspect.found(FindingKind.RETRYING, name, said[:300])


def _local_activities(suspect: Suspect, last: Sequence[HistoryEvent]) -> Iterator[Finding]:
    """A local activity leaves a marker only when its next attempt is long to come."""
    local = next(filter(None, map(histories.local_of, last)), None)
    if local and local.failure is not None and local.attempt >= MANY_ATTEMPTS:
        said = f"{local.name} at attempt {local.attempt}: {local.failure}"
        yield suspect.found(FindingKind.RETRYING, local.name, said[:300])


async def _unregistered(
    client: Client, suspect: Suspect, found: WorkflowExecutionDescription, now: datetime
) -> list[Finding]:
    """A workflow of an earlier version may wait a day for an intake that is right; nobody was told
    that it would be seen to.
    """
    if now - found.start_time < STARTING:
        return []
    if await histories.offered(client, suspect.id, found.run_id) is None:
        return []
    said = f"its workflow runs since {found.start_time:%Y-%m-%d %H:%M} UTC"
    return [suspect.found(FindingKind.NOT_REGISTERED, found.run_id, said)]


def _delivers(found: WorkflowExecutionDescription | None) -> bool:
    pending: Any = found.raw_description.pending_activities if found else ()
    return any(each.activity_type.name == names.DELIVER for each in pending)


async def audit_delivers(client: Client) -> bool:
    """Whether an audit brings out messages of ended issues just now."""
    query = "WorkflowType IN ('AuditWorkflow', 'RepairWorkflow') AND ExecutionStatus = 'Running'"
    async for execution in client.list_workflows(query):
        if _delivers(await described(client, execution.id)):
            return True
    return False
