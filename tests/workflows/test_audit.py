"""What an operator terminates is ended in the register, once, and the lead hears of it."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from temporalio.client import WorkflowExecutionStatus
from temporalio.testing import WorkflowEnvironment

from activities import audit
from activities.webhook_alarm import TEMPLATE, Alarm
from domain import contract as names
from domain.issue.actions import ActionName
from domain.vocabulary import Outcome, Stage
from domain.webhooks import Endpoint
from store import issue_reader
from store.connection import Pool
from store.webhooks import Parcel
from tests.support.builders import LINKS
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
from workflows.audit import AuditWorkflow


@pytest.fixture
async def dev_server(tmp_path: Path) -> AsyncIterator[WorkflowEnvironment]:
    """One for each register: what another knew would be more than this one knows."""
    async with early_server(tmp_path) as environment:
        yield environment


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "SETTLING", timedelta(0))


async def run_audit(desk: StoryDesk) -> int:
    messages: int = await desk.env.client.execute_workflow(
        AuditWorkflow.run,
        id=f"audit-{uuid4()}",
        task_queue=names.ISSUES,
        execution_timeout=timedelta(seconds=PATIENCE),
    )
    return messages


async def terminated(desk: StoryDesk, handle: Handle) -> None:
    """Terminate it, and wait until the list of running workflows knows."""
    await handle.terminate("by an operator")
    query = f"WorkflowId = '{handle.id}' AND ExecutionStatus = 'Terminated'"
    async with asyncio.timeout(PATIENCE):
        while not [w async for w in desk.env.client.list_workflows(query)]:
            await asyncio.sleep(0.05)


async def test_a_terminated_issue_is_closed_in_the_register_and_the_lead_is_told(
    desk: StoryDesk,
) -> None:
    handle, view = await desk.open()
    await desk.accept(handle, view)
    await terminated(desk, handle)
    assert await run_audit(desk) > 0
    found = await issue_reader.issue(desk.pool, handle.id)
    assert found is not None
    assert (found.stage, found.outcome) == (Stage.CLOSED, Outcome.TERMINATED)
    assert stand(found) == {"resolution.1": "withdrawn", "response.1": "kept"}
    assert (await desk.told(handle))[-1][1:] == ("zhou.jianguo", "cancelled")
    assert await issue_reader.unsettled(desk.pool, handle.id) == []
    assert await desk.steps(handle) == ["registered", "accept", "cancel"]


async def test_what_people_are_told_of_a_disabled_receiver_is_brought_out_by_the_audit(
    desk: StoryDesk,
) -> None:
    """No issue's workflow knows of it."""
    handle, view = await desk.open()
    receiver = Endpoint(id="3f9a01c2", url="https://crm.example/in", created_at=view.registered_at)
    about = Parcel(1, "evt_1", view.id, 1, "{}", 9, view.registered_at)
    async with desk.pool.acquire() as connection, connection.transaction():
        at = datetime.now(UTC)
        await Alarm(LINKS).raise_(connection, receiver, about, "it answered 500", at)
    assert await run_audit(desk) == 1
    assert (await desk.told(handle))[-1][1:] == ("tian.hui", TEMPLATE)
    assert await run_audit(desk) == 0, "once"


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
    found = await issue_reader.issue(desk.pool, handle.id)
    assert found is not None
    assert found.outcome is None


async def test_an_audit_hands_over_what_its_handler_cannot_go_on_with_once(
    desk: StoryDesk,
) -> None:
    """R16: that a certificate has ended, or a leave begun, no event tells."""
    handle, view = await desk.open()
    assert view.engineer is not None
    await desk.pool.execute(
        'UPDATE members SET certified = \'[{"product_line": "ATM", "until": "2020-01-01"}]\''
        " WHERE id = $1",
        view.engineer.id,
    )
    await run_audit(desk)
    after = await desk.view(handle)
    assert after.engineer is not None
    assert after.engineer.id != view.engineer.id
    await run_audit(desk)
    assert await desk.view(handle) == after
    assert await desk.steps(handle) == ["registered", "reassign"]


async def test_an_audit_does_not_ask_again_for_what_waits_for_somebody(desk: StoryDesk) -> None:
    handle, view = await desk.open(product_line="HOVERCRAFT")
    assert view.engineer is None
    await run_audit(desk)
    assert await desk.steps(handle) == ["registered"]


async def test_a_terminated_issue_that_was_to_be_rated_gives_that_up_and_stays_solved(
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
        await terminated(desk, handle)
        await run_audit(desk)
        found = await issue_reader.issue(desk.pool, handle.id)
        assert found is not None
        assert (found.outcome, stand(found)["evaluation.1"]) == (Outcome.SOLVED, "withdrawn")
