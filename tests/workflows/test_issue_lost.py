"""What Temporal lost though it had been acknowledged, by a failover or a power cut, begins anew out
of the register: its workflow, its registration, its last steps.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import ResetReapplyType
from temporalio.api.workflowservice.v1 import (
    DeleteWorkflowExecutionRequest,
    ResetWorkflowExecutionRequest,
)
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment

from activities import audit
from domain.issue.actions import ActionName, Resume
from domain.vocabulary import Stage
from starter.client import Desk
from store.connection import Pool
from tests.support.harness import (
    CUSTOMER,
    Handle,
    StoryDesk,
    early_server,
    engineer,
    eventually,
    stand,
    story_desk,
)
from tests.support.patience import PATIENCE
from tests.support.soundness import assert_sound
from tests.workflows.test_audit import run_audit, terminated


@pytest.fixture
async def dev_server(tmp_path: Path) -> AsyncIterator[WorkflowEnvironment]:
    """One for each register: what another knew would be more than this one knows. It leaves an
    issue in its first run, which is what is taken back.
    """
    async with early_server(tmp_path, after=10_000) as environment:
        yield environment


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "SETTLING", timedelta(0))


async def lost(desk: StoryDesk, handle: Handle) -> Handle:
    """Let Temporal know nothing of the workflow any more; return what names whatever comes next."""
    client = desk.env.client
    query = f"WorkflowId = '{handle.id}'"
    asked: set[str] = set()
    async with asyncio.timeout(PATIENCE):
        while runs := [run async for run in client.list_workflows(query)]:
            for run in runs:
                if run.run_id in asked:
                    continue
                asked.add(run.run_id)
                await client.workflow_service.delete_workflow_execution(
                    DeleteWorkflowExecutionRequest(
                        namespace="default",
                        workflow_execution=WorkflowExecution(workflow_id=run.id, run_id=run.run_id),
                    )
                )
            await asyncio.sleep(0.1)
    return client.get_workflow_handle(handle.id)


async def handled(desk: StoryDesk) -> Handle:
    handle, view = await desk.open()
    await desk.accept(handle, view)
    await desk.wait(handle, view)
    return handle


async def resumed(desk: StoryDesk, handle: Handle, seq: int) -> None:
    """Wait until the new workflow has caught up, and recorded that it did."""

    async def caught_up() -> bool:
        try:
            view = await handle.query("view")
        except RPCError:
            return False
        steps = await desk.steps(handle)
        return view is not None and len(steps) == seq + 1 and steps[-1] == "repair"

    await eventually(caught_up)


async def test_the_audit_begins_a_lost_issue_anew_where_it_was(desk: StoryDesk) -> None:
    handle = await handled(desk)
    told, before = await desk.told(handle), await desk.view(handle)
    handle = await lost(desk, handle)
    await run_audit(desk)
    await resumed(desk, handle, 3)
    view = await desk.view(handle)
    assert (view.stage, view.number) == (Stage.WAITING, before.number)
    assert stand(view) == stand(before)
    assert await desk.told(handle) == told  # nothing is said twice
    await assert_sound(desk.pool, handle.id, view)
    await desk.resume(handle, view)
    view = await desk.resolve(handle, view)

    async def replied() -> bool:
        return (await desk.view(handle)).stage is Stage.REPLIED

    await eventually(replied)
    await desk.withdraw(handle)
    await run_audit(desk)
    assert (await desk.steps(handle)).count("repair") == 1


async def test_whoever_sends_a_lost_issue_again_needs_no_audit(desk: StoryDesk) -> None:
    intake = await desk.intake()
    handle, view = await desk.register(intake)
    await desk.accept(handle, view)
    handle = await lost(desk, handle)
    again = await Desk(desk.env.client, desk.pool).register(intake)
    assert again.view is not None
    assert (again.view.number, again.new) == (view.number, False)
    await resumed(desk, handle, 2)
    assert (await desk.view(handle)).stage is Stage.IN_PROGRESS


async def test_an_empty_workflow_of_the_first_version_is_told_its_intake_again(
    desk: StoryDesk,
) -> None:
    """The registration stood in the register; the task that was to tell it was lost."""
    intake = await desk.intake()
    handle, view = await desk.register(intake)
    handle = await lost(desk, handle)
    empty = await desk.start(intake)
    run = (await empty.describe()).raw_info.first_run_id
    await desk.pool.execute("UPDATE issues SET run = $1", run)
    await run_audit(desk)

    async def knows() -> bool:
        found = await empty.query("view")
        return found is not None

    await eventually(knows)
    assert (await desk.view(empty)).number == view.number


async def by_the_audit(desk: StoryDesk, handle: Handle) -> Stage:
    await run_audit(desk)
    await resumed(desk, handle, 3)
    return Stage.WAITING


async def by_the_next_act(desk: StoryDesk, handle: Handle) -> Stage:
    by = engineer(await desk.view(handle))
    await desk.do(handle, ActionName.REPORT_PROGRESS, by, note="still waiting for them")
    return Stage.WAITING


async def by_an_act_it_does_not_understand(desk: StoryDesk, handle: Handle) -> Stage:
    act = Resume(by=engineer(await desk.view(handle)))
    await Desk(desk.env.client, desk.pool).act(handle.id, ActionName.RESUME, act)
    assert (await desk.steps(handle))[-2:] == ["repair", "resume"]
    return Stage.IN_PROGRESS


@pytest.mark.parametrize(
    "caught_up", [by_the_audit, by_the_next_act, by_an_act_it_does_not_understand]
)
async def test_a_workflow_that_lost_its_last_steps_takes_them_again(
    desk: StoryDesk, caught_up: Callable[[StoryDesk, Handle], Awaitable[Stage]]
) -> None:
    handle = await handled(desk)
    seen = await desk.told(handle)
    history = await handle.fetch_history()
    first = next(
        e.event_id for e in history.events if e.HasField("workflow_task_completed_event_attributes")
    )
    await desk.env.client.workflow_service.reset_workflow_execution(
        ResetWorkflowExecutionRequest(
            namespace="default",
            workflow_execution=WorkflowExecution(workflow_id=handle.id),
            reason="a failover",
            workflow_task_finish_event_id=first,
            request_id="lost",
            reset_reapply_type=ResetReapplyType.RESET_REAPPLY_TYPE_NONE,  # it is lost
        )
    )
    handle = desk.env.client.get_workflow_handle(handle.id)

    async def registered() -> bool:
        return await handle.query("view") is not None

    await eventually(registered)
    stage = await caught_up(desk, handle)
    view = await desk.view(handle)
    assert view.stage is stage
    assert await desk.told(handle) == seen
    await assert_sound(desk.pool, handle.id, view)


async def test_an_issue_lost_after_its_closing_may_still_be_scored(
    dev_server: WorkflowEnvironment, database: Pool
) -> None:
    async with story_desk(dev_server, database, "2026-03-10 10:00", whole=True) as desk:
        handle, view = await desk.open(kind="consultation")
        await desk.accept(handle, view)
        await desk.do(handle, ActionName.RESOLVE, engineer(view), result="press reset")

        async def replied() -> bool:
            return (await desk.view(handle)).stage is Stage.REPLIED

        await eventually(replied)
        await desk.do(handle, ActionName.REPORT_TEST, CUSTOMER, worked=True)
        steps = len(await desk.steps(handle))
        handle = await lost(desk, handle)
        await run_audit(desk)
        await resumed(desk, handle, steps)
        view = await desk.do(
            handle,
            ActionName.EVALUATE,
            CUSTOMER,
            item="after_sales",
            technical=120,
            attitude=150,
            comment="quick",
        )
        assert view.stage is Stage.CLOSED


async def test_what_an_operator_terminated_is_not_begun_anew_by_a_repeat(desk: StoryDesk) -> None:
    intake = await desk.intake()
    handle, view = await desk.register(intake)
    await terminated(desk, handle)
    again = await Desk(desk.env.client, desk.pool).register(intake)
    assert again.view is not None
    assert again.view.number == view.number
    await run_audit(desk)
    found = await Desk(desk.env.client, desk.pool).show(view.number)
    assert found.outcome == "terminated"
