"""The history of an issue reads as what was done: each step is the activity of its name."""

from __future__ import annotations

import json
import re
from typing import Any

import asyncpg
import pytest
from temporalio import workflow
from temporalio.client import WorkflowHistory
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Replayer

import worker
from domain import contract as names
from domain.contract import StepName
from domain.issue.actions import ActionName, ReportProgress, Withdraw
from domain.issue.intake import Intake
from domain.issue.naming import Manner
from domain.issue.state import Issue
from domain.issue.step import Recorded, Step
from domain.issue.view import IssueView
from runtime.histories import local_of
from runtime.settings import Settings
from runtime.temporal import plugin
from tests.histories.paths import BEGINS, by_name, grown
from tests.support import harness
from tests.support.harness import AGENT, Handle, Mailbox, StoryDesk, begun_before, engineer
from tests.workflows.conftest import Begin
from workflows.issue import IssueWorkflow

DEFINITION = "__temporal_activity_definition"
"""Where the SDK keeps what an activity is called."""


def local_activities(history: WorkflowHistory) -> list[str]:
    return [local.name for event in history.events if (local := local_of(event))]


async def recorded_by(handle: Handle) -> list[str]:
    """List the activities that recorded the steps, in order of time."""
    local = local_activities(await handle.fetch_history())
    return [name for name in local if name != names.TURN]


async def test_a_whole_life_reads_as_what_was_done(begin: Begin) -> None:
    desk = await begin(BEGINS)
    handle = await by_name(desk)
    assert await recorded_by(handle) == [
        *("register_issue", "remind", "escalate", "escalate", "assign_engineer", "accept_issue"),
        *("record_answer", "confirm_answer", "reopen_issue", "accept_issue"),
        *("record_answer", "confirm_answer", "close_issue"),
    ]


async def test_a_supervisor_reads_in_the_timeline_who_did_what_what_is_due_and_who_is_told(
    begin: Begin,
) -> None:
    desk = await begin(BEGINS)
    handle = await by_name(desk)
    lines = [
        json.loads(event.user_metadata.summary.data)
        for event in (await handle.fetch_history()).events
        if event.HasField("user_metadata")
    ]
    for line in (
        *("登记 registered · 热线工程师 07", "升级 escalate · 周建国"),
        *("受理 accept · 陈志强", "解决 resolve · 陈志强", "下一步 next: 受理 accept"),
        "到时提醒 threshold · 响应 75% · 系统 the desk",
    ):
        assert line in lines
    assert any(
        re.fullmatch(r"响应 75% · \d+月\d+日\d\d:\d\d 到期 response", line) for line in lines
    )
    assert "通知：客户、处理人 to customer, handler" in lines
    assert not [line for line in lines if re.search(r"response\.1|:0:|by desk", line)]


async def test_the_worker_knows_every_name_steps_were_ever_recorded_by(
    clock: WorkflowEnvironment, database: asyncpg.Pool[Any]
) -> None:
    issues, notifications = worker.workers(clock.client, database, Settings(), Mailbox())
    async with issues, notifications:
        known = {getattr(each, DEFINITION).name for each in issues.config()["activities"]}
    assert known >= {"record_step", "take_turn", *StepName}


async def test_what_began_before_steps_had_names_goes_on_without(
    begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(harness, "arguments", begun_before)
    desk = await begin(BEGINS)
    handle = await by_name(desk)
    assert set(local_activities(await handle.fetch_history())) == {"record_step"}
    assert len(await recorded_by(handle)) == 13


async def test_a_long_issue_that_begins_anew_has_names_from_then_on(
    desk: StoryDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(harness, "arguments", begun_before)
    handle = await grown(desk)
    view = await desk.view(handle)
    progress = ReportProgress(by=engineer(view), note="done tomorrow")
    await desk.act(handle, ActionName.REPORT_PROGRESS, progress)
    withdraw = Withdraw(by=AGENT, reason="it works again")
    await desk.act(handle, ActionName.WITHDRAW, withdraw)
    await handle.result()
    run = await desk.pool.fetchval("SELECT run FROM issues WHERE id = $1", handle.id)
    first = desk.env.client.get_workflow_handle(handle.id, run_id=run)
    assert set(await recorded_by(first)) == {"record_step"}
    assert (await recorded_by(handle))[-2:] == ["record_progress", "close_issue"]
    assert "record_step" not in await recorded_by(handle)


@workflow.defn(name="IssueWorkflow")
class OthersFirst(IssueWorkflow):
    """A replay in which always another wish is the first: what comes in over several tasks that
    only keep one open is put together then (see ``workflows.turns``).
    """

    @workflow.init
    def __init__(
        self,
        carried: Issue | None = None,
        intake: Intake | None = None,
        manner: Manner | None = None,
    ) -> None:
        super().__init__(carried, intake, manner)

    @workflow.run
    async def run(
        self,
        carried: Issue | None = None,
        intake: Intake | None = None,
        manner: Manner | None = None,
    ) -> IssueView | None:
        return await super().run(carried, intake, manner)

    async def record(self, step: Step) -> Recorded:
        stage = step.stage_before or step.stage
        other = {"action": ActionName.REPLIED, "content": {}, "stage": stage}
        return await super().record(step.model_copy(update=other))


async def test_a_replay_keeps_to_the_names_whoevers_wish_comes_first_in_it(begin: Begin) -> None:
    desk = await begin(BEGINS)
    handle = await by_name(desk)
    replayer = Replayer(
        workflows=[OthersFirst],
        plugins=[plugin()],
    )
    await replayer.replay_workflow(await handle.fetch_history())
