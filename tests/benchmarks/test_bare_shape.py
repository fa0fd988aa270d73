"""The bare workflow does in Temporal what an issue does: no more, or it is no measure; no less, or
it is not fair.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from temporalio.client import WorkflowHandle
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from benchmarks.accounts import bare_wrong
from benchmarks.bare import calls
from benchmarks.bare.shape import BARE, BARE_NOTIFICATIONS, Name
from benchmarks.bare.workflow import BareWorkflow, deliver_nothing, record_nothing
from benchmarks.beside import write_policy
from benchmarks.sides import first_alarms
from benchmarks.tally import shape
from domain.issue.actions import ActionName
from domain.vocabulary import Stage
from store.connection import Pool
from tests.support.harness import CUSTOMER, StoryDesk, story_desk

LIVED = {*Name} - {Name.THRESHOLD}
"""Everything but what no life is meant to see."""


@pytest.fixture
async def desk(
    time_skipping: WorkflowEnvironment, database: Pool, tmp_path: Path
) -> AsyncIterator[StoryDesk]:
    """A desk with the benchmarks' promises, and a worker of the bare workflow beside it."""
    policy = write_policy(tmp_path)
    client = time_skipping.client
    async with (
        Worker(client, task_queue=BARE, workflows=[BareWorkflow], activities=[record_nothing]),
        Worker(client, task_queue=BARE_NOTIFICATIONS, activities=[deliver_nothing]),
        story_desk(time_skipping, database, "2026-03-10 10:00", policy, whole=True) as found,
    ):
        yield found


async def done(handle: WorkflowHandle[Any, Any]) -> list[str]:
    return shape((await handle.fetch_history()).events)


async def test_a_bare_life_asks_of_temporal_what_an_issues_ordinary_life_does(
    desk: StoryDesk,
) -> None:
    handle, view = await desk.open(kind="consultation")
    await desk.accept(handle, view)
    await desk.resolve(handle, view)
    await desk.settle()
    assert (await desk.view(handle)).stage is Stage.REPLIED
    view = await desk.do(handle, ActionName.REPORT_TEST, CUSTOMER, worked=True)
    await desk.settle()
    assert view.stage is Stage.CLOSED

    bare = desk.env.client.get_workflow_handle(f"bare:{uuid4().hex}")
    await calls.live(desk.env.client, bare.id)
    await desk.settle()

    assert await done(bare) == await done(handle)
    assert not bare_wrong(await bare.query(BareWorkflow.told), LIVED)


async def test_a_bare_timer_that_rings_asks_of_temporal_what_a_threshold_does(
    desk: StoryDesk,
) -> None:
    handle, view = await desk.open()
    (due,) = await first_alarms(desk.pool, [view.id])
    bare = desk.env.client.get_workflow_handle(f"bare:{uuid4().hex}")
    await calls.register(desk.env.client, bare.id, due)
    await desk.until(desk.story(due + timedelta(minutes=1)))

    assert "timer fired" in await done(bare)
    assert await done(bare) == await done(handle)
    told = await bare.query(BareWorkflow.told)
    assert not bare_wrong(told, {Name.REGISTERED, Name.THRESHOLD})
    assert told.taken[-1].at >= due
