"""Who takes work from the desk's task queues, as far as Temporal knows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import PollerInfo, TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client

from domain.contract import ISSUES, NOTIFICATIONS

_SERVED = {
    "issues": (ISSUES, TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW),
    "issues' activities": (ISSUES, TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY),
    "notifications": (NOTIFICATIONS, TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY),
}
"""What a worker must be seen to take before it counts as healthy."""
_RECENTLY = timedelta(seconds=90)
"""A worker that lives asks once in this time: an idle one's question stands open for a minute,
and clocks may differ a little.
Temporal remembers the dead for five.
"""


async def not_taken(client: Client, process: int | None = None) -> list[str]:
    """Name the work that no worker has asked for lately, or not this process of this machine."""
    return [
        name
        for name, (queue, kind) in _SERVED.items()
        if not any(_counts(poller, process) for poller in await _pollers(client, queue, kind))
    ]


async def _pollers(
    client: Client, queue: str, kind: TaskQueueType.ValueType
) -> tuple[PollerInfo, ...]:
    asked = DescribeTaskQueueRequest(
        namespace=client.namespace, task_queue=TaskQueue(name=queue), task_queue_type=kind
    )
    return tuple((await client.workflow_service.describe_task_queue(asked)).pollers)


def _counts(poller: PollerInfo, process: int | None) -> bool:
    # The SDK's default identity is pid@host.
    if process is not None and not poller.identity.startswith(f"{process}@"):
        return False
    return datetime.now(UTC) - poller.last_access_time.ToDatetime(UTC) < _RECENTLY
