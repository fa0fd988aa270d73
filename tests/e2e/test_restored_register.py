"""The register restored to an earlier moment while Temporal was not: seen at once, and nothing
works on it before it is repaired.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

import asyncpg
import pytest

from domain.issue.actions import Accept, ActionName, Resolve
from domain.issue.view import IssueView
from domain.vocabulary import Actor, Role
from inbound.files.roster import read_roster
from runtime import postgres
from runtime.lives import Lives
from runtime.settings import ROOT
from starter.client import Desk, Unavailable
from starter.epochs import begin
from starter.prepare import prepare
from starter.replanning import adopt_file
from store import behind, roster, standing
from tests.conftest import DeskServers
from tests.starter.test_client import an_intake_of_now
from tests.support.patience import PATIENCE
from worker import working
from workflows.audit import AuditWorkflow

T = TypeVar("T")

LEAD = Actor(id="zhou.jianguo", role=Role.LEAD)


class Told(list[tuple[str, str, str]]):
    def __call__(self, part: str, state: str, detail: str) -> None:
        self.append((part, state, detail))


@pytest.fixture
async def desk(desk_servers: DeskServers) -> AsyncIterator[Desk]:
    """A desk that was begun as `yinuo up` does it; its worker is for the test to start."""
    await prepare(desk_servers.client)
    async with postgres.pool(desk_servers.postgres.url, size=10, min_size=0) as pool:
        async with pool.acquire() as connection, connection.transaction():
            await roster.replace(connection, read_roster(ROOT / "examples" / "roster"))
        await adopt_file(pool, ROOT / "policies" / "standard.toml")
        await begin(desk_servers.client, pool, Told())
        yield Desk(desk_servers.client, pool)


class Backups:
    """Copies of the register inside its server: as good as a restored dump."""

    def __init__(self, servers: DeskServers) -> None:
        self._servers = servers

    async def _administer(self, *commands: str) -> None:
        connection = await asyncpg.connect(self._servers.postgres.url_of("postgres"))
        try:
            for command in commands:
                await connection.execute(command)
        finally:
            await connection.close()

    async def make(self) -> None:
        await self._administer(
            "ALTER DATABASE yinuo ALLOW_CONNECTIONS false",
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'yinuo'",
            "CREATE DATABASE backup TEMPLATE yinuo STRATEGY file_copy",
            "ALTER DATABASE yinuo ALLOW_CONNECTIONS true",
        )

    async def restore(self) -> None:
        await self._administer(
            "DROP DATABASE yinuo WITH (FORCE)", "ALTER DATABASE backup RENAME TO yinuo"
        )


@pytest.fixture
def backups(desk_servers: DeskServers) -> Backups:
    return Backups(desk_servers)


async def opened(desk: Desk) -> IssueView:
    return await insist(lambda: desk.open(an_intake_of_now()))


async def accepted(desk: Desk, seen: IssueView) -> IssueView:
    assert seen.engineer
    act = Accept(by=Actor(id=seen.engineer.id, role=Role.ENGINEER))
    return await insist(lambda: desk.act(seen.number, ActionName.ACCEPT, act, key=seen.number))


async def insist(call: Callable[[], Awaitable[T]]) -> T:
    """Once more, if a connection broke."""
    for _ in range(5):
        try:
            return await call()
        except Unavailable:
            await asyncio.sleep(0.2)
    return await call()


async def until_held(desk: Desk) -> str:
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                if because := await standing.held_because(desk._pool):
                    return because
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                pass
            await asyncio.sleep(0.1)


async def counted(desk: Desk) -> tuple[int, int, int]:
    async with desk._pool.acquire() as connection:
        return (
            await connection.fetchval("SELECT count(*) FROM issues"),
            await connection.fetchval("SELECT count(*) FROM issue_events"),
            await connection.fetchval("SELECT coalesce(sum(last), 0) FROM serials"),
        )


async def test_a_register_that_lacks_steps_is_held_by_the_first_who_acts(
    desk: Desk, desk_servers: DeskServers, backups: Backups
) -> None:
    async with working(desk_servers.settings):
        moved, other = await opened(desk), await opened(desk)
        await backups.make()
        await accepted(desk, moved)
        lost = await opened(desk)
        await backups.restore()
        # Also where an issue is as it was: nobody knows what else is lost.
        before = await counted(desk)
        with pytest.raises(Unavailable, match=r"older than Temporal since .*yinuo repair"):
            await accepted(desk, other)
        because = await until_held(desk)
        assert f"{moved.number} is at step 2, in the register at 1" in because
        assert f"{lost.number} is not in the register" in because
        with pytest.raises(Unavailable, match="yinuo repair"):
            await desk.open(an_intake_of_now())
        with pytest.raises(Unavailable, match="yinuo repair"):
            await desk.complete(other.number, Resolve(by=LEAD, result="reset"))
        assert (await desk.show(other.number)).number == other.number
        assert await counted(desk) == before


async def test_a_step_that_was_under_way_waits_for_the_repair_and_goes_on_then(
    desk: Desk, desk_servers: DeskServers, backups: Backups
) -> None:
    """By Temporal alone: the doors of another machine may not have looked yet."""
    async with working(desk_servers.settings):
        seen = await opened(desk)
        await backups.make()
        lost = await opened(desk)
        await backups.restore()
        assert seen.engineer
        act = Accept(by=Actor(id=seen.engineer.id, role=Role.ENGINEER))
        handle = desk.client.get_workflow_handle(seen.id)
        waiting = asyncio.create_task(
            handle.execute_update(ActionName.ACCEPT.value, act, result_type=IssueView)
        )
        assert lost.number in await until_held(desk)
        assert not waiting.done()
        # Not caught up: it stays held.
        left = (await behind.release(desk._pool, Lives(desk.client))).left
        assert [each.id for each in left] == [lost.id]
        await desk.client.get_workflow_handle(lost.id).terminate("accepted as lost")
        async with asyncio.timeout(PATIENCE):
            while (done := await behind.release(desk._pool, Lives(desk.client))).left:
                await asyncio.sleep(0.2)
        assert done.epoch
        assert (await waiting).stage == "in_progress"
        # The number that was lost is nobody else's.
        again = await opened(desk)
        assert again.number > lost.number
        assert again.number.endswith("-10001")


async def test_a_register_that_is_behind_is_noticed_when_the_desk_begins_and_by_its_worker(
    desk: Desk, desk_servers: DeskServers, backups: Backups
) -> None:
    async with working(desk_servers.settings):
        await backups.make()
        lost = await opened(desk)
    await backups.restore()
    told = Told()
    await begin(desk.client, desk._pool, told)
    ((part, state, detail),) = told
    assert (part, state) == ("register", "HELD")
    assert lost.number in detail
    assert "run `yinuo repair`" in detail
    before = await behind.check_in_turn(desk._pool, Lives(desk.client))
    async with working(desk_servers.settings):
        assert (await behind.check_in_turn(desk._pool, Lives(desk.client))) == before


async def test_an_epoch_that_the_register_did_not_live_through_holds_it_without_a_single_issue(
    desk: Desk, desk_servers: DeskServers, backups: Backups
) -> None:
    """Workflows of before steps were told, or none that went on: the epoch tells all the same."""
    await backups.make()
    await insist(lambda: begin(desk.client, desk._pool, Told()))
    await backups.restore()
    checked = await insist_check(desk)
    assert "Temporal is in epoch 2" in str(checked.standing.reason)
    assert "none after 1" in str(checked.standing.reason)


async def insist_check(desk: Desk) -> behind.Checked:
    try:
        return await behind.check_in_turn(desk._pool, Lives(desk.client))
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        return await behind.check_in_turn(desk._pool, Lives(desk.client))


async def test_a_restarted_postgresql_is_compared_once_and_work_goes_on(
    desk: Desk, desk_servers: DeskServers
) -> None:
    async with working(desk_servers.settings):
        seen = await opened(desk)
        await desk_servers.postgres.restart()
        assert not (await insist(lambda: standing.standing(desk._pool))).proved
        assert (await accepted(desk, seen)).stage == "in_progress"
        assert (await standing.standing(desk._pool)).proved
        assert (await opened(desk)).number.endswith("-0002")


async def test_a_step_that_does_not_follow_the_registers_last_holds_it_where_it_was_proved(
    desk: Desk, desk_servers: DeskServers
) -> None:
    """Whatever the place says: rows put back by hand, a server's memory restored with it."""
    async with working(desk_servers.settings):
        seen, other = await opened(desk), await opened(desk)
        await accepted(desk, seen)
        owner = await asyncpg.connect(desk_servers.postgres.owner_url)
        await owner.execute("ALTER TABLE issue_events DISABLE TRIGGER USER")
        await owner.execute("DELETE FROM issue_events WHERE issue_id = $1 AND seq = 2", seen.id)
        await owner.close()
        await desk._pool.execute("UPDATE issues SET seq = 1 WHERE id = $1", seen.id)
        act = Resolve(by=LEAD, result="reset")
        resolving = asyncio.create_task(desk.act(seen.number, ActionName.RESOLVE, act))
        assert f"{seen.number} is at step 2, in the register at 1" in await until_held(desk)
        with pytest.raises(Unavailable):
            await accepted(desk, other)
        resolving.cancel()
        # The audit leaves such a register alone, and begins no epoch in it.
        epochs = await desk._pool.fetchval("SELECT count(*) FROM epochs")
        assert await run_audit(desk) == 0
        assert await desk._pool.fetchval("SELECT count(*) FROM epochs") == epochs


async def test_a_wedge_of_another_kind_does_not_hold_the_desk(
    desk: Desk, desk_servers: DeskServers, caplog: pytest.LogCaptureFixture
) -> None:
    async with working(desk_servers.settings):
        seen, other = await opened(desk), await opened(desk)
        await desk._pool.execute("UPDATE issues SET seq = 5 WHERE id = $1", seen.id)
        act = Resolve(by=LEAD, result="reset")
        resolving = asyncio.create_task(desk.act(seen.number, ActionName.RESOLVE, act))
        async with asyncio.timeout(PATIENCE):
            while "does not follow the register's last" not in caplog.text:
                await asyncio.sleep(0.1)
        assert (await accepted(desk, other)).stage == "in_progress"
        resolving.cancel()


async def test_every_audit_begins_an_epoch_on_both_sides(
    desk: Desk, desk_servers: DeskServers
) -> None:
    async with working(desk_servers.settings):
        await run_audit(desk)
    async with desk._pool.acquire() as connection:
        epoch = await standing.newest_epoch(connection, confirmed=True)
    assert epoch
    assert epoch.number >= 2
    assert await Lives(desk.client).epoch() == epoch
    await prepare(desk.client)  # which makes the schedule anew
    assert await Lives(desk.client).epoch() == epoch


async def run_audit(desk: Desk) -> int:
    messages: int = await desk.client.execute_workflow(
        AuditWorkflow.run, id="an audit of ours", task_queue="issues"
    )
    return messages


async def test_a_temporal_that_is_behind_is_told_and_holds_nothing(
    desk: Desk, desk_servers: DeskServers
) -> None:
    await desk.client.get_schedule_handle("audit").delete()
    await prepare(desk.client)
    told = Told()
    checked = await begin(desk.client, desk._pool, told)
    assert [line[:2] for line in told] == [("register", "ready"), ("Temporal", "BEHIND")]
    assert "older than the register" in str(checked.temporal_behind)
    assert (await standing.standing(desk._pool)).proved
    again = Told()
    await begin(desk.client, desk._pool, again)
    assert [line[:2] for line in again] == [("register", "ready")]
