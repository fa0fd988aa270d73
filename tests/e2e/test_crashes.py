"""Real servers, parts of which are killed: everything ends once, nothing is said twice."""

import asyncio
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

import asyncpg
import pytest

from demo.receiver import Outside
from demo.stage import Theatre, stage
from domain.issue.actions import Accept, Act, ActionName, RecordCallback, Resolve
from domain.issue.intake import Intake
from domain.issue.view import IssueView
from domain.sla.promise import OVERSIGHT
from domain.vocabulary import Actor, Role
from inbound.files.roster import read_roster
from runtime.settings import ROOT
from starter.client import Unavailable
from tests.support.patience import PATIENCE

T = TypeVar("T")

CLERK = Actor(id="fan.meiling", role=Role.CLERK)
SLOW = 3.0
"""Seconds the e-mail gateway takes for an answer."""


@pytest.fixture(scope="module")
async def desk(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Theatre]:
    home = tmp_path_factory.mktemp("desk")
    policy = home / "policy.toml"
    text = (ROOT / "policies" / "demo.toml").read_text(encoding="utf-8")
    policy.write_text(text.replace('give_up_after = "10s"', 'give_up_after = "60s"'), "utf-8")
    (home / "cn_workdays.json").symlink_to(ROOT / "policies" / "cn_workdays.json")
    async with stage(
        home / "desk",
        policy,
        read_roster(ROOT / "examples" / "roster"),
        outside=Outside(slow={"email": SLOW}),
        speed=3600,
    ) as it:
        yield it


def an_intake(reference: str, **changes: Any) -> Intake:
    facts = {
        "source": "crash",
        "reference": reference,
        "channel": "telephone",
        "kind": "fault",
        "category": "technical",
        "product_line": "ATM",
        "region": "广东",
        "agent": "07",
        "customer": {"name": "陈红", "phone": "+86 138 0000 0001"},
        "title": f"出钞口卡钞 {reference}",
        "reported_at": datetime.now(UTC),
    }
    return Intake.model_validate(facts | changes)


async def insist(call: Callable[[], Awaitable[T]]) -> T:
    """Do what the client says of an unavailable desk: send the same again."""
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                return await call()
            except (Unavailable, OSError, ConnectionError):
                await asyncio.sleep(0.2)


async def until(condition: Callable[[], Awaitable[Any]]) -> Any:
    async with asyncio.timeout(PATIENCE):
        while not (found := await condition()):
            await asyncio.sleep(0.02)
    return found


def kill_worker(desk: Theatre) -> None:
    pid = desk.servers.workers[0].pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)


async def act(desk: Theatre, view: IssueView, name: ActionName, deed: Act) -> IssueView:
    key = f"{view.number}-{name}"
    return await insist(lambda: desk.desk.act(view.number, name, deed, key=key))


async def live(desk: Theatre, view: IssueView) -> IssueView:
    """Live an issue from its assignment to its end."""
    assert view.engineer is not None
    engineer = Actor(id=view.engineer.id, role=Role.ENGINEER)
    if view.stage == "assigned":
        await act(desk, view, ActionName.ACCEPT, Accept(by=engineer))
    view = await act(desk, view, ActionName.RESOLVE, Resolve(by=engineer, result="已修复"))
    opens_at = next(p.opens_at for p in view.promises if p.kind == "callback")
    assert opens_at is not None
    await asyncio.sleep(max(0.0, (opens_at - datetime.now(UTC)).total_seconds()))
    called = RecordCallback(by=CLERK, reached=True, running=True)
    return await act(desk, view, ActionName.RECORD_CALLBACK, called)


async def assert_everything_once(desk: Theatre) -> None:
    """No register has a gap or a double, no message came twice, no workflow failed."""
    pool = desk.servers.pool
    settled = "SELECT NOT EXISTS (SELECT FROM outbox WHERE settled_at IS NULL)"
    await until(lambda: pool.fetchval(settled))
    assert not await pool.fetch(
        "SELECT issue_id FROM issue_events GROUP BY issue_id"
        " HAVING array_agg(seq ORDER BY seq) <> array(SELECT generate_series(1, max(seq))::int)"
    )
    assert not await pool.fetch(
        "SELECT i.id FROM issues i WHERE i.generation <>"
        " (SELECT count(*) FROM handling_forms f WHERE f.issue_id = i.id)"
    )
    assert not await pool.fetch(
        "SELECT FROM promises p JOIN issues i ON i.id = p.issue_id"
        " WHERE i.closed_at IS NOT NULL AND p.ended_at IS NULL AND p.kind <> ALL($1)",
        sorted(OVERSIGHT),
    )
    serials = await pool.fetch("SELECT agent, last FROM serials")
    for serial in serials:
        numbers = "SELECT count(*) FROM issues WHERE agent = $1"
        assert await pool.fetchval(numbers, serial["agent"]) == serial["last"]
    heard = Counter((m.channel, m.to, m.title, m.body) for m in desk.receiver.received)
    assert not {said: times for said, times in heard.items() if times > 1}
    failed = "ExecutionStatus IN ('Failed', 'Terminated', 'TimedOut', 'Canceled')"
    assert (await desk.servers.client.count_workflows(failed)).count == 0


async def test_a_worker_killed_in_the_middle_of_a_registration_registers_once(
    desk: Theatre,
) -> None:
    pool = desk.servers.pool
    intake = an_intake("registration")
    async with pool.acquire() as connection, connection.transaction():
        # The registration's transaction stops at the serial: half of it is written.
        await connection.execute("LOCK TABLE serials IN ACCESS EXCLUSIVE MODE")
        opening = asyncio.create_task(insist(lambda: desk.desk.open(intake)))
        waiting = (
            "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query ~ 'serials'"
        )
        await until(lambda: pool.fetch(waiting))
        kill_worker(desk)
    view = await opening
    assert view.number.endswith("-07-0001")
    assert (await live(desk, view)).outcome == "solved"
    await assert_everything_once(desk)


async def test_a_worker_killed_before_it_learns_that_its_step_is_written_does_not_repeat_it(
    desk: Theatre,
) -> None:
    pool = desk.servers.pool
    view = await desk.desk.open(an_intake("commit"))
    assert desk.servers.postgres is not None
    owner = await asyncpg.connect(desk.servers.postgres.owner_url)
    await owner.execute(
        """
        CREATE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN PERFORM pg_sleep(2); RETURN NULL; END $$
        """
    )
    await owner.execute(
        "CREATE CONSTRAINT TRIGGER slowly AFTER INSERT ON issue_events DEFERRABLE"
        " INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.action = 'accept') EXECUTE FUNCTION slowly()"
    )
    assert view.engineer is not None
    deed = Accept(by=Actor(id=view.engineer.id, role=Role.ENGINEER))
    accepting = asyncio.create_task(act(desk, view, ActionName.ACCEPT, deed))
    committing = "SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND query ~ '^COMMIT'"
    await until(lambda: pool.fetch(committing))
    kill_worker(desk)
    # The server goes on committing for a client that is gone.
    accepted = "SELECT FROM issue_events WHERE issue_id = $1 AND action = 'accept'"
    await until(lambda: pool.fetch(accepted, view.id))
    await owner.execute("DROP TRIGGER slowly ON issue_events")
    await owner.close()
    view = await accepting
    assert [step.action for step in view.steps].count(ActionName.ACCEPT) == 1
    assert (await live(desk, view)).outcome == "solved"
    await assert_everything_once(desk)


async def test_a_worker_killed_in_the_middle_of_a_notification_says_nothing_twice(
    desk: Theatre,
) -> None:
    pool = desk.servers.pool
    customer = {"name": "陈红", "email": "chen.hong@example.com"}
    view = await desk.desk.open(an_intake("notification", customer=customer))
    sending = (
        "SELECT key FROM outbox WHERE issue_id = $1 AND status = 'sending' AND channel = 'email'"
    )
    (row,) = await until(lambda: pool.fetch(sending, view.id))
    kill_worker(desk)
    assert (await live(desk, view)).outcome == "solved"
    await assert_everything_once(desk)
    fate = await pool.fetchrow("SELECT status, handed_to FROM outbox WHERE key = $1", row["key"])
    assert fate is not None
    assert tuple(fate) == ("handed_over", "zhou.jianguo")
    told = "SELECT FROM outbox WHERE issue_id = $1 AND template = 'undelivered'"
    assert len(await pool.fetch(told, view.id)) == 1


async def test_a_worker_killed_in_the_middle_of_a_wait_rings_every_alarm_once(
    desk: Theatre,
) -> None:
    pool = desk.servers.pool
    view = await desk.desk.open(an_intake("wait"))
    alarms = "SELECT FROM issue_events WHERE issue_id = $1 AND action = 'threshold'"
    await until(lambda: pool.fetch(alarms, view.id))
    kill_worker(desk)
    risen = "SELECT FROM issues WHERE id = $1 AND escalation_level = 3"
    await until(lambda: pool.fetch(risen, view.id))
    assert (await live(desk, await desk.desk.show(view.number))).outcome == "solved"
    await assert_everything_once(desk)


async def test_servers_restarted_in_turn_lose_no_issue_and_double_none(desk: Theatre) -> None:
    servers = desk.servers
    assert servers.postgres is not None
    assert servers.temporal is not None

    async def whole_life(n: int) -> IssueView:
        await asyncio.sleep(n * 0.5)
        intake = an_intake(f"restart-{n}")
        view = await insist(lambda: desk.desk.open(intake))
        return await live(desk, view)

    lives = [asyncio.create_task(whole_life(n)) for n in range(16)]
    await asyncio.sleep(2)
    await servers.postgres.restart()
    await asyncio.sleep(2)
    await servers.temporal.restart()
    await asyncio.sleep(2)
    servers.postgres.kill()
    await servers.postgres.restart()
    kill_worker(desk)
    ended = await asyncio.gather(*lives)
    assert {view.outcome for view in ended} == {"solved"}
    assert len({view.number for view in ended}) == len(lives)
    await assert_everything_once(desk)


async def test_a_hundred_starts_of_one_reference_are_one_issue(desk: Theatre) -> None:
    intake = an_intake("hundred")
    views = await asyncio.gather(*(insist(lambda: desk.desk.open(intake)) for _ in range(100)))
    assert len({view.number for view in views}) == 1
    count = "SELECT count(*) FROM issues WHERE reference = 'hundred'"
    assert await desk.servers.pool.fetchval(count) == 1
    await live(desk, views[0])
    # Also when it is over: the same reference stays the same issue.
    again = await desk.desk.open(intake)
    assert (again.number, again.stage) == (views[0].number, "closed")
    await assert_everything_once(desk)


async def test_a_worker_killed_while_a_complaint_is_raised_raises_it_once(desk: Theatre) -> None:
    """R21: what the customer says in the callback becomes one complaint, whatever happens."""
    pool = desk.servers.pool
    view = await insist(lambda: desk.desk.open(an_intake("conflict")))
    assert view.engineer is not None
    resolved = Resolve(by=Actor(id=view.engineer.id, role=Role.ENGINEER), result="已修复")
    view = await act(desk, view, ActionName.RESOLVE, resolved)
    opens_at = next(p.opens_at for p in view.promises if p.kind == "callback")
    assert opens_at is not None
    await asyncio.sleep(max(0.0, (opens_at - datetime.now(UTC)).total_seconds()))
    said = RecordCallback(by=CLERK, reached=True, running=True, conflict=True, words="太慢了")
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("LOCK TABLE serials IN ACCESS EXCLUSIVE MODE")
        await act(desk, view, ActionName.RECORD_CALLBACK, said)
        waiting = (
            "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query ~ 'serials'"
        )
        await until(lambda: pool.fetch(waiting))
        kill_worker(desk)
    found = "SELECT number FROM issues WHERE arises_from = $1"
    raised = "SELECT content->>'number' FROM issue_events WHERE action = 'complaint_raised'"
    number = await until(lambda: pool.fetchval(raised))
    assert [row["number"] for row in await pool.fetch(found, view.id)] == [number]
    assert (await desk.desk.show(view.number)).complaints == (number,)
    await assert_everything_once(desk)
