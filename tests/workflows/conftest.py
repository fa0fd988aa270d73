"""Desks for the stories: one skipping clock a module, registers of its own for every test."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Protocol

import pytest
from temporalio.testing import WorkflowEnvironment

from store.connection import Pool
from tests.support.harness import STANDARD, StoryDesk, early_server, story_desk
from tests.support.skipping import skipping_server
from tests.support.soundness import assert_all_sound


class Begin(Protocol):
    """Begins a story at a local time, by the standard policy if no other file is given."""

    async def __call__(
        self, story: str, policy_file: Path = STANDARD, /, *, whole: bool = False
    ) -> StoryDesk: ...


@pytest.fixture(scope="module")
async def clock(servers: None) -> AsyncIterator[WorkflowEnvironment]:
    async with skipping_server() as environment:
        yield environment


@pytest.fixture(scope="module")
async def dev_server(
    servers: None,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[WorkflowEnvironment]:
    """A real server, on real time, that asks early for a new run."""
    async with early_server(tmp_path_factory.mktemp("temporal")) as environment:
        yield environment


@pytest.fixture
async def desk(dev_server: WorkflowEnvironment, database: Pool) -> AsyncIterator[StoryDesk]:
    """A desk on the real server; its story begins on a Tuesday morning."""
    async with story_desk(dev_server, database, "2026-03-10 10:00") as found:
        yield found


@pytest.fixture
async def begin(clock: WorkflowEnvironment, database: Pool) -> AsyncIterator[Begin]:
    """Begin a story at a local time; when the test is over every issue in it must be sound."""
    async with AsyncExitStack() as stack:
        desks: list[StoryDesk] = []

        async def beginning(
            story: str, policy_file: Path = STANDARD, /, *, whole: bool = False
        ) -> StoryDesk:
            desk = story_desk(clock, database, story, policy_file, whole=whole)
            desks.append(await stack.enter_async_context(desk))
            return desks[-1]

        yield beginning
        for desk in desks:
            await desk.settle()
            await assert_all_sound(desk)
