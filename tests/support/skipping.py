"""A Temporal test server whose clock skips what nobody waits for."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionResponse
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from runtime.embedded.servers import program
from runtime.temporal import plugin, register_search_attributes
from tests.support.marks import refuse_to_start
from tests.support.patience import PATIENCE
from workflows.search_attributes import SEARCH_ATTRIBUTES

STARTS = 3
"""Another process may take the free port between its choice and its use: the server then dies."""


@asynccontextmanager
async def skipping_server() -> AsyncIterator[WorkflowEnvironment]:
    """Start a Temporal test server; nothing of this machine goes into its histories."""
    async with await _started() as environment:
        await register_search_attributes(environment.client, SEARCH_ATTRIBUTES)
        _leave_out_what_was_unset(environment.client)
        yield environment


async def _started() -> WorkflowEnvironment:
    refuse_to_start("temporal-test-server")  # the SDK starts it where no hook of Python's sees it
    for attempt in range(1, STARTS + 1):
        try:
            return await WorkflowEnvironment.start_time_skipping(
                plugins=[plugin()],
                identity="desk",
                test_server_existing_path=program("temporal-test-server"),
                test_server_startup_timeout=timedelta(seconds=PATIENCE),
            )
        except RuntimeError:
            if attempt == STARTS:
                raise
    raise AssertionError


def _leave_out_what_was_unset(client: Client) -> None:
    """Temporal drops a search attribute that was unset. The test server keeps it as null, and of
    such an instant the SDK makes an error whenever a workflow is described.
    """
    service = client.workflow_service
    describe = service.describe_workflow_execution

    async def described(*args: Any, **kwargs: Any) -> DescribeWorkflowExecutionResponse:
        answer = await describe(*args, **kwargs)
        kept = answer.workflow_execution_info.search_attributes.indexed_fields
        for name in [name for name, value in kept.items() if value.data in {b"", b"null"}]:
            del kept[name]
        return answer

    service.describe_workflow_execution = described  # type: ignore[method-assign]
