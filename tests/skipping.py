"""A Temporal test server whose clock skips what nobody waits for."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from temporalio.testing import WorkflowEnvironment

from runtime.embedded import program
from runtime.temporal import plugin, register_search_attributes
from workflows.search_attributes import SEARCH_ATTRIBUTES

STARTS = 3
"""Another process may take the free port between its choice and its use: the server then dies."""
PATIENCE = timedelta(seconds=20)
"""A start takes a tenth of a second; a loaded machine that reads the program anew takes more than
the five that are usual."""


@asynccontextmanager
async def skipping_server() -> AsyncIterator[WorkflowEnvironment]:
    """Start a Temporal test server; nothing of this machine goes into its histories."""
    async with await _started() as environment:
        await register_search_attributes(environment.client, SEARCH_ATTRIBUTES)
        yield environment


async def _started() -> WorkflowEnvironment:
    for attempt in range(1, STARTS + 1):
        try:
            return await WorkflowEnvironment.start_time_skipping(
                plugins=[plugin()],
                identity="desk",
                test_server_existing_path=program("temporal-test-server"),
                test_server_startup_timeout=PATIENCE,
            )
        except RuntimeError:
            if attempt == STARTS:
                raise
    raise AssertionError
