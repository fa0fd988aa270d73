"""What an operator terminates is ended in the register, once, and the lead hears of it."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest
from temporalio.client import WorkflowExecutionStatus

from activities import audit, names
from domain.vocabulary import Outcome, Stage
from store import reading
from tests.workflows.harness import Handle, StoryDesk, stand
from workflows.audit import AuditWorkflow


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "SETTLING", timedelta(0))


async def run_audit(desk: StoryDesk) -> int:
    messages: int = await desk.env.client.execute_workflow(
        AuditWorkflow.run,
        id=f"audit-{uuid4()}",
        task_queue=names.ISSUES,
        execution_timeout=timedelta(minutes=1),
    )
    return messages


async def terminated(desk: StoryDesk, handle: Handle) -> None:
    """Terminate it, and wait until the list of running workflows knows."""
    await handle.terminate("by an operator")
    query = f"WorkflowId = '{handle.id}' AND ExecutionStatus = 'Terminated'"
    async with asyncio.timeout(20):
        while not [w async for w in desk.env.client.list_workflows(query)]:
            await asyncio.sleep(0.05)


async def test_a_terminated_issue_is_closed_in_the_register_and_the_lead_is_told(
    desk: StoryDesk,
) -> None:
    handle, view = await desk.open()
    await desk.accept(handle, view)
    await terminated(desk, handle)
    assert await run_audit(desk) > 0
    found = await reading.issue(desk.pool, handle.id)
    assert found is not None
    assert (found.stage, found.outcome) == (Stage.CLOSED, Outcome.TERMINATED)
    assert stand(found) == {"resolution.1": "withdrawn", "response.1": "kept"}
    assert (await desk.told(handle))[-1][1:] == ("zhou.jianguo", "cancelled")
    assert await reading.unsettled(desk.pool, handle.id) == []
    assert await desk.steps(handle) == ["registered", "accept", "cancel"]


async def test_a_second_audit_does_nothing(desk: StoryDesk) -> None:
    handle, _ = await desk.open()
    await terminated(desk, handle)
    await run_audit(desk)
    steps, told = await desk.steps(handle), await desk.told(handle)
    assert await run_audit(desk) == 0
    assert (await desk.steps(handle), await desk.told(handle)) == (steps, told)


async def test_an_audit_leaves_living_and_closed_issues_alone(desk: StoryDesk) -> None:
    living, view = await desk.open()
    closed, _ = await desk.open()
    await desk.withdraw(closed)
    await closed.result()
    assert await run_audit(desk) == 0
    assert await desk.view(living) == view
    assert (await living.describe()).status is WorkflowExecutionStatus.RUNNING
    assert await desk.steps(closed) == ["registered", "withdraw"]


async def test_a_terminated_issue_that_waited_gives_up_its_clock(desk: StoryDesk) -> None:
    handle, view = await desk.open()
    await desk.accept(handle, view)
    await desk.wait(handle, view)
    await terminated(desk, handle)
    await run_audit(desk)
    rows = await desk.pool.fetch(
        "SELECT paused_at, ended_at FROM promises WHERE issue_id = $1", handle.id
    )
    assert all(row["paused_at"] is None and row["ended_at"] for row in rows)


async def test_what_changed_a_moment_ago_is_left_for_the_next_audit(
    desk: StoryDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "SETTLING", timedelta(minutes=1))
    handle, _ = await desk.open()
    await terminated(desk, handle)
    assert await run_audit(desk) == 0
    found = await reading.issue(desk.pool, handle.id)
    assert found is not None
    assert found.outcome is None
