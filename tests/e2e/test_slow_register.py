"""A register slower than a workflow task lasts, workers that are killed over it, and everybody
acting at once: whatever is created next is created alike in every replay.

The SDK keeps a task open by empty ones ("heartbeats") while a local activity runs. What came in
during these may be taken at once in one replay and one after the other in the next, so every
history is replayed here, of many lives by chance. ``YINUO_SLOW_SEEDS="2 3 4"`` leads others.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from functools import partial
from random import Random
from typing import Any

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowHandle, WorkflowHistory, WorkflowUpdateFailedError
from temporalio.service import RPCError
from temporalio.worker import Replayer

import worker
from activities.sending import About
from domain.issue.actions import PUBLIC_ACTIONS, ActionName, Resolve
from domain.issue.intake import Intake
from domain.issue.view import IssueView
from domain.vocabulary import Actor, Role
from inbound.files.roster import read_roster
from runtime import postgres, rulebook
from runtime.embedded.process import Child
from runtime.settings import ROOT
from runtime.starting import start_of, update_of
from runtime.temporal import plugin
from starter import up
from store import roster, rulebooks
from store.connection import Pool
from tests.conftest import DeskServers
from tests.e2e.test_crashes import an_intake, until
from tests.support.patience import PATIENCE
from workflows.issue import IssueWorkflow

TASK = timedelta(seconds=4)
"""How long a workflow task lasts: from four fifths of that on it is kept open."""
LIVES = 16
DEATHS = 4
SEEDS = os.environ.get("YINUO_SLOW_SEEDS", "1").split()
LEAD = Actor(id="zhou.jianguo", role=Role.LEAD)
CLERK = Actor(id="fan.meiling", role=Role.CLERK)
DEEDS: tuple[tuple[ActionName, Actor, dict[str, Any]], ...] = (
    (ActionName.ACCEPT, LEAD, {}),
    (ActionName.REPORT_PROGRESS, LEAD, {"note": "备件在途"}),
    (ActionName.WAIT_FOR_CUSTOMER, LEAD, {"reason": "等客户开门"}),
    (ActionName.RESUME, LEAD, {}),
    (ActionName.REASSIGN, LEAD, {"reason": "换人"}),
    (ActionName.ESCALATE, LEAD, {"reason": "客户催促"}),
    (ActionName.RESOLVE, LEAD, {"result": "已修复"}),
    (ActionName.RECORD_CALLBACK, CLERK, {"reached": True, "running": False}),
    (ActionName.WITHDRAW, LEAD, {"reason": "客户自行解决"}),
)


class Anywhere:
    """A channel that takes everything."""

    async def send(
        self, url: str, to: str, subject: str, body: str, _: About | None = None
    ) -> None:
        """Take it."""


@pytest.fixture
async def pool(desk_servers: DeskServers) -> AsyncIterator[Pool]:
    url = desk_servers.settings.database_url or ""
    async with postgres.pool(url, size=60) as opened:
        async with opened.acquire() as connection, connection.transaction():
            await roster.replace(connection, read_roster(ROOT / "examples" / "roster"))
            demo = rulebook.load(ROOT / "policies" / "demo.toml")
            await rulebooks.adopt(connection, demo, by="test", note="")
        yield opened


async def a_worker(servers: DeskServers, *said: str) -> Child:
    own = {**os.environ, **servers.settings.environment(), "YINUO_LOG_LEVEL": "WARNING"}
    child = Child(
        "a slow worker",
        [sys.executable, "-m", "tests.support.slow_worker", *said],
        servers.home / "slow-worker.log",
        environment={**own, "PYTHONPATH": str(ROOT)},
    )
    await child.start()
    return child


async def register(servers: DeskServers, intake: Intake) -> IssueView:
    start = start_of(intake)
    start._start_workflow_input.task_timeout = TASK
    view: IssueView = await servers.client.execute_update_with_start_workflow(
        "registered",
        intake,
        start_workflow_operation=start,
        id=update_of(intake),
        result_type=IssueView,
    )
    return view


async def live(servers: DeskServers, intake: Intake, chance: Random) -> None:
    """Register, and do anything at any time, some of it at once; much of it is refused."""
    with suppress(RPCError, WorkflowUpdateFailedError):
        await register(servers, intake)
    handle = servers.client.get_workflow_handle(intake.issue_id)
    while True:
        await asyncio.sleep(chance.choice([0, 0.2, 0.9, 2.0]))
        deeds = chance.choices(DEEDS, k=chance.choice([1, 1, 2, 3]))
        await asyncio.gather(*(do(handle, *deed) for deed in deeds), return_exceptions=True)
        if chance.random() < 0.1:
            with suppress(RPCError):
                await handle.signal("complete", Resolve(by=LEAD, result="已修复"))


async def do(
    handle: WorkflowHandle[Any, Any], name: ActionName, by: Actor, said: dict[str, Any]
) -> None:
    act = PUBLIC_ACTIONS[name].model_validate({"by": by} | said)
    await handle.execute_update(name.value, act)


async def known(handle: WorkflowHandle[Any, Any]) -> bool:
    try:
        return await handle.query("view", rpc_timeout=timedelta(seconds=PATIENCE)) is not None
    except RPCError:
        return False


async def was_cut_off(handles: Sequence[WorkflowHandle[Any, Any]]) -> bool:
    """Whether any task was: else nothing has been tried yet."""
    for handle in handles:
        with suppress(RPCError):  # it was not registered yet
            for event in (await handle.fetch_history()).events:
                if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT:
                    return True
    return False


@pytest.mark.parametrize("seed", SEEDS)
async def test_every_history_replays_however_slow_the_register_was(
    desk_servers: DeskServers, pool: Pool, seed: str
) -> None:
    chance = Random(seed)  # noqa: S311  no secret
    intakes = [an_intake(f"slow-{seed}-{n}") for n in range(LIVES)]
    lives = [
        asyncio.create_task(live(desk_servers, intake, Random(f"{seed}/{n}")))  # noqa: S311
        for n, intake in enumerate(intakes)
    ]
    client = desk_servers.client
    handles = [client.get_workflow_handle(intake.issue_id) for intake in intakes]
    async with asyncio.timeout(PATIENCE):
        for death in itertools.count(1):
            child = await a_worker(desk_servers, f"{seed}/{death}")
            await asyncio.sleep(chance.uniform(8, 14))
            child.kill()
            await child.wait()
            if death >= DEATHS and await was_cut_off(handles):  # on a busy machine, later
                break
    for each in lives:
        each.cancel()
    await asyncio.gather(*lives, return_exceptions=True)

    issues, notifications = worker.workers(client, pool, desk_servers.settings, Anywhere())
    async with issues, notifications:
        for handle in handles:
            await until(partial(known, handle))
    replayer = Replayer(workflows=[IssueWorkflow], plugins=[plugin()])
    for handle in handles:
        history = await handle.fetch_history()
        kinds = {event.event_type for event in history.events}
        assert EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED not in kinds, handle.id
        await replayer.replay_workflow(history)
    gaps = await pool.fetch(
        "SELECT issue_id FROM issue_events GROUP BY issue_id"
        " HAVING array_agg(seq ORDER BY seq) <> array(SELECT generate_series(1, max(seq))::int)"
    )
    assert not gaps
    assert await pool.fetchval("SELECT count(*) FROM issues") == LIVES


async def nothing(_: WorkflowHandle[Any, Any], __: Actor) -> None:
    """A clock of its own will ring."""


async def resolve(handle: WorkflowHandle[Any, Any], by: Actor) -> None:
    await do(handle, ActionName.RESOLVE, by, {"result": "已修复"})


async def signal(handle: WorkflowHandle[Any, Any], by: Actor) -> None:
    await handle.signal("complete", Resolve(by=by, result="已修复"))


PROGRESS = (ActionName.REPORT_PROGRESS, LEAD, {"note": "备件在途"})
ESCALATE = (ActionName.ESCALATE, LEAD, {"reason": "客户催促"})
FAILED = (ActionName.REPORT_TEST, LEAD, {"worked": False})
Begin = Callable[[WorkflowHandle[Any, Any], Actor], Awaitable[None]]
CUT_OFF: dict[str, tuple[ActionName, Begin, list[tuple[ActionName, Actor, dict[str, Any]]]]] = {
    "a clock": (ActionName.THRESHOLD, nothing, [PROGRESS, ESCALATE]),
    "a delivery": (ActionName.REPLIED, resolve, [FAILED]),
    "a signal": (ActionName.RESOLVE, signal, [FAILED]),
}


def is_kept_open(history: WorkflowHistory) -> bool:
    """Whether its last task is one of those that only keep the one before open."""
    kinds = [event.event_type for event in history.events[-4:]]
    return kinds == [
        EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED,
        EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED,
        EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED,
        EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED,
    ]


@pytest.mark.parametrize("cut_off", CUT_OFF)
async def test_what_was_committed_when_its_worker_died_replays_with_what_came_meanwhile(
    desk_servers: DeskServers, pool: Pool, cut_off: str
) -> None:
    action, begin, meanwhile = CUT_OFF[cut_off]
    child = await a_worker(desk_servers, "0", action)
    await until(lambda: up._works(child, desk_servers.client))  # a clock is to ring in its time
    intake = an_intake("cut-off")
    handle = desk_servers.client.get_workflow_handle(intake.issue_id)
    view = await register(desk_servers, intake)
    assert view.engineer is not None
    engineer = Actor(id=view.engineer.id, role=Role.ENGINEER)
    await begin(handle, engineer)

    async def kept_open() -> bool:
        return is_kept_open(await handle.fetch_history())

    await until(kept_open)
    child.kill()
    await child.wait()
    answers = [asyncio.create_task(do(handle, *deed)) for deed in meanwhile]
    issues, notifications = worker.workers(
        desk_servers.client, pool, desk_servers.settings, Anywhere()
    )
    async with issues, notifications:
        answered = await asyncio.gather(*answers, return_exceptions=True)
        await until(partial(known, handle))
    history = await handle.fetch_history()
    await Replayer(workflows=[IssueWorkflow], plugins=[plugin()]).replay_workflow(history)
    done = "SELECT count(*) FROM issue_events WHERE issue_id = $1 AND action = $2"
    assert await pool.fetchval(done, intake.issue_id, action)
    for (name, _, _), refused in zip(meanwhile, answered, strict=True):
        times = await pool.fetchval(done, intake.issue_id, name)
        assert times == (0 if isinstance(refused, WorkflowUpdateFailedError) else 1)
