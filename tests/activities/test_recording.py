"""Recording a step on real PostgreSQL: whole or not at all, once, and in its place."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import pytest
from temporalio.exceptions import ApplicationError

from activities.addressing import UNKNOWN_AND_OFTEN
from activities.recording import Recording
from domain.issue.actions import (
    Accept,
    Act,
    ActionName,
    Reassign,
    ReportProgress,
    Resolve,
    ThresholdReached,
    Withdraw,
)
from domain.issue.lifecycle import decide, register, registered
from domain.issue.state import Issue
from domain.issue.step import Recorded, Step
from domain.staff.duty import DutyException
from domain.vocabulary import DESK, Actor, Role
from runtime import postgres
from store import duty, issue_reader, outbox, roster, standing
from store.connection import Pool
from store.issue_writer import OutOfStep
from tests.support.builders import LINKS, an_intake
from tests.support.round_trips import listening

MONDAY = datetime.fromisoformat("2026-11-23T10:00+08:00")
LEAD = Actor(id="zhou.jianguo", role=Role.LEAD)


def registration(
    reference: str = "r-1", run: str = "run-1", region: str = "广东", **changes: Any
) -> Step:
    intake = an_intake(reference=reference, reported_at=MONDAY, region=region, **changes)
    return register(intake, MONDAY).model_copy(update={"run": run})


async def an_open_issue(recording: Recording) -> Issue:
    step = registration()
    assert step.intake is not None
    return registered(step.intake, await recording.record_step(step))


def a_step(issue: Issue, name: ActionName, act: Act, key: str) -> Step:
    step = decide(issue, name, act, MONDAY + timedelta(minutes=issue.seq), key)
    return step.model_copy(update={"run": "run-1"})


def engineer(issue: Issue) -> Actor:
    assert issue.engineer is not None
    return Actor(id=issue.engineer.id, role=Role.ENGINEER)


async def counted(database: Pool) -> dict[str, int]:
    tables = ("issues", "issue_events", "promises", "handling_forms", "outbox", "serials")
    return {table: await database.fetchval(f"SELECT count(*) FROM {table}") for table in tables}  # noqa: S608


async def test_a_step_recorded_twice_is_there_once_and_answered_alike(
    recording: Recording, database: Pool
) -> None:
    first = await recording.record_step(registration())
    before = await counted(database)
    assert before == {
        "issues": 1,
        "issue_events": 1,
        "promises": 2,
        "handling_forms": 1,
        "outbox": 2,
        "serials": 1,
    }
    assert await recording.record_step(registration()) == first
    assert await counted(database) == before


async def test_one_registration_sent_many_times_at_once_is_one_issue(
    recording: Recording, database: Pool
) -> None:
    answers = await asyncio.gather(
        *(recording.record_step(registration()) for _ in range(20)), return_exceptions=True
    )
    numbers = {a.number for a in answers if isinstance(a, Recorded)}
    assert numbers == {"20261123-07-0001"}
    assert await database.fetchval("SELECT count(*) FROM issues") == 1
    assert await database.fetchval("SELECT last FROM serials") == 1


@pytest.mark.parametrize(
    ("changes", "field"), [({"region": "Atlantis"}, "region"), ({"region": "guangzhou"}, "region")]
)
async def test_a_refused_registration_leaves_nothing_behind(
    recording: Recording, database: Pool, changes: dict[str, str], field: str
) -> None:
    step = registration()
    assert step.intake is not None
    wrong = step.model_copy(update={"intake": step.intake.model_copy(update=changes)})
    with pytest.raises(ApplicationError, match=field) as refusal:
        await recording.record_step(wrong)
    assert (refusal.value.type, refusal.value.non_retryable) == ("Invalid", True)
    assert set((await counted(database)).values()) == {0}


@pytest.mark.parametrize(
    ("to", "why"),
    [
        ("nobody", "not an engineer"),
        ("fan.meiling", "not an engineer"),
        ("yu.bo", "works in"),
    ],
)
async def test_an_issue_goes_only_to_somebody_who_may_have_it(
    recording: Recording, database: Pool, to: str, why: str
) -> None:
    issue = await an_open_issue(recording)
    before = await counted(database)
    act = Reassign(by=LEAD, to=to, reason="on leave")
    with pytest.raises(ApplicationError, match=why):
        await recording.record_step(a_step(issue, ActionName.REASSIGN, act, "u-1"))
    assert await counted(database) == before


async def test_a_step_that_finds_another_in_its_place_is_answered_with_that_one(
    recording: Recording, database: Pool
) -> None:
    """A crash after the commit may bring two updates again in another order."""
    issue = await an_open_issue(recording)
    accepted = a_step(issue, ActionName.ACCEPT, Accept(by=engineer(issue)), "u-accept")
    await recording.record_step(accepted)
    before = await counted(database)

    act = ReportProgress(by=engineer(issue), note="on my way")
    progress = a_step(issue, ActionName.REPORT_PROGRESS, act, "u-progress")
    found = await recording.record_step(progress)

    assert found.step.key == "u-accept"
    assert await counted(database) == before
    caught_up = found.applied_to(issue)
    assert caught_up.stage == "in_progress"
    assert "u-accept" in caught_up.seen
    again = await recording.record_step(
        a_step(caught_up, ActionName.REPORT_PROGRESS, act, "u-progress")
    )
    assert again.step.key == "u-progress"
    assert again.step.seq == 3


async def test_another_run_may_not_write_into_an_issue(recording: Recording) -> None:
    issue = await an_open_issue(recording)
    step = a_step(issue, ActionName.ACCEPT, Accept(by=engineer(issue)), "u-1")
    await recording.record_step(step)
    with pytest.raises(OutOfStep):
        await recording.record_step(step.model_copy(update={"run": "run-2"}))


async def _living(_: str, run: str) -> bool:
    return run == "run-2"


async def test_a_reference_that_comes_again_after_its_end_has_ended(
    recording: Recording, database: Pool
) -> None:
    issue = await an_open_issue(recording)
    act = Withdraw(by=LEAD, reason="it works again")
    await recording.record_step(a_step(issue, ActionName.WITHDRAW, act, "u-1"))
    again = await Recording(database, LINKS, _living).record_step(registration(run="run-2"))
    assert (again.number, again.closed_as, again.adopted) == (issue.number, "withdrawn", False)


async def test_an_open_issue_whose_run_is_lost_goes_on_in_the_run_that_lives(
    recording: Recording, database: Pool
) -> None:
    first = await recording.record_step(registration())
    anew = Recording(database, LINKS, _living)
    again = await anew.record_step(registration(run="run-2", title="Now it smokes"))
    assert (again.number, again.closed_as, again.adopted) == (first.number, None, True)
    assert again.step.intake is not None
    assert again.step.intake.title == registration().intake.title  # type: ignore[union-attr]
    assert await database.fetchval("SELECT run FROM issues") == "run-2"
    with pytest.raises(OutOfStep):
        await anew.record_step(registration(run="run-1"))


async def test_a_run_that_does_not_live_takes_no_issue_over(
    recording: Recording, database: Pool
) -> None:
    await recording.record_step(registration())
    with pytest.raises(OutOfStep):
        await Recording(database, LINKS, _living).record_step(registration(run="run-3"))
    assert await database.fetchval("SELECT run FROM issues") == "run-1"


async def test_issues_registered_at_once_are_spread_over_those_who_are_free(
    recording: Recording, database: Pool
) -> None:
    await asyncio.gather(*(recording.record_step(registration(f"r-{n}")) for n in range(24)))
    rows = await database.fetch("SELECT engineer, centre FROM issues")
    load = Counter(row["engineer"] for row in rows)
    assert None not in load
    assert max(load.values()) - min(load.values()) <= 1
    numbers = await database.fetch("SELECT number FROM issues ORDER BY number")
    assert [row["number"][-4:] for row in numbers] == [f"{n:04d}" for n in range(1, 25)]


async def test_the_register_shows_what_the_workflow_knows(
    recording: Recording, database: Pool
) -> None:
    issue = await an_open_issue(recording)
    act = Resolve(by=engineer(issue), result="card reader replaced")
    recorded = await recording.record_step(a_step(issue, ActionName.RESOLVE, act, "u-1"))
    issue = recorded.applied_to(issue)
    shown = await issue_reader.state(database, issue.id)
    assert shown is not None
    same = {"number", "stage", "seq", "generation", "level", "engineer", "lead", "results"}
    assert shown.model_dump(include=same) == issue.model_dump(include=same)
    assert [p.key for p in shown.promises] == [p.key for p in issue.promises]


async def test_what_happened_can_not_be_changed_afterwards(
    recording: Recording, owner: "asyncpg.Connection[Any]"
) -> None:
    await recording.record_step(registration())
    for change in ("UPDATE issue_events SET actor = 'me'", "DELETE FROM issue_events"):
        with pytest.raises(Exception, match="append-only"):
            await owner.execute(change)


async def test_nothing_is_recorded_while_the_register_is_held_and_everything_after(
    recording: Recording, database: Pool
) -> None:
    issue = await an_open_issue(recording)
    accept = a_step(issue, ActionName.ACCEPT, Accept(by=engineer(issue)), "u-1")
    before = await counted(database)
    async with database.acquire() as connection:
        await standing.hold(connection, "it was restored")
    for step in (accept, registration("r-2"), registration()):
        with pytest.raises(ApplicationError, match="yinuo repair") as refusal:
            await recording.record_step(step)
        assert (refusal.value.type, refusal.value.non_retryable) == ("Held", False)
    assert await counted(database) == before
    async with database.acquire() as connection, connection.transaction():
        await standing.release(connection, ())
    assert (await recording.record_step(accept)).step == accept


# --- Whom nobody knows yet ------------------------------------------------------------------------


ATTACKERS = ("点击领奖", "恭喜中奖", "evil.example")
WORDS: dict[str, Any] = {
    "title": "点击领奖 https://evil.example",
    "customer": {"name": "恭喜中奖", "phone": "+86 138 0000 7777"},
}


async def told(database: Pool, audience: str = "customer") -> list[asyncpg.Record]:
    rows: list[asyncpg.Record] = await database.fetch(
        "SELECT * FROM outbox WHERE audience = $1 ORDER BY created_at, key", audience
    )
    return rows


async def test_a_stranger_hears_none_of_the_words_that_came_in_and_the_desk_all(
    recording: Recording, database: Pool
) -> None:
    found = await recording.record_step(registration(**WORDS))
    (message,) = await told(database)
    text = message["subject"] + message["body"]
    assert found.number in text
    assert not [word for word in ATTACKERS if word in text]
    (handler,) = await told(database, "handler")
    assert WORDS["title"] in handler["body"]


async def test_however_many_intakes_name_a_number_it_hears_of_us_so_often_and_a_person_of_the_rest(
    recording: Recording, database: Pool
) -> None:
    steps = [registration(f"r-{n}", **WORDS) for n in range(30)]
    await asyncio.gather(*map(recording.record_step, steps))
    messages = await told(database)
    sent = [each for each in messages if each["address"]]
    assert (len(messages), len(sent)) == (30, 5)
    unsent = next(each for each in messages if not each["address"])
    assert (unsent["channel"], unsent["last_error"]) == (None, UNKNOWN_AND_OFTEN)
    await outbox.prepare(database, [unsent["key"]], MONDAY)
    after = {each["key"]: each for each in await told(database)}[unsent["key"]]
    assert (after["status"], after["last_error"]) == ("unknown", UNKNOWN_AND_OFTEN)


async def test_an_apology_to_a_stranger_says_as_little_and_counts_as_much(
    recording: Recording, database: Pool
) -> None:
    step = registration(**WORDS)
    assert step.intake
    issue = registered(step.intake, await recording.record_step(step))
    promise = next(p for p in issue.running if p.kind == "response")
    assert promise.next_threshold
    reached = ThresholdReached(by=DESK, promise=promise.key, threshold=promise.next_threshold.name)
    late = decide(issue, ActionName.THRESHOLD, reached, promise.due_at, "late")
    await recording.record_step(late.model_copy(update={"run": "run-1"}))
    *_, apology = await told(database)
    assert apology["template"] == "apology"
    assert not [word for word in ATTACKERS if word in apology["body"]]
    heard = await database.fetchval("SELECT told FROM told_strangers")
    assert heard == [promise.due_at], "what is older than an hour counts no more"


async def test_whom_somebody_of_the_desk_spoke_with_hears_of_their_own_words(
    recording: Recording, database: Pool
) -> None:
    await recording.record_step(registration("r-1", channel="telephone", **WORDS))
    await recording.record_step(registration("r-2", **WORDS))
    assert all("点击领奖" in each["body"] for each in await told(database))
    assert await database.fetchval("SELECT count(*) FROM told_strangers") == 0


async def test_once_somebody_took_the_issue_up_its_customer_is_no_stranger(
    recording: Recording, database: Pool
) -> None:
    step = registration(**WORDS)
    assert step.intake
    issue = registered(step.intake, await recording.record_step(step))
    await recording.record_step(a_step(issue, ActionName.ACCEPT, Accept(by=engineer(issue)), "u-1"))
    *_, accepted = await told(database)
    assert "点击领奖" in accepted["body"]


# --- What it costs -------------------------------------------------------------------------------


def begun_with(statements: list[str]) -> list[str]:
    return [statement.split()[0] for statement in statements]


async def test_a_step_asks_the_register_four_times(recording: Recording, database: Pool) -> None:
    issue = await an_open_issue(recording)
    who = engineer(issue)
    # The first step reads the rulebook and the roster, once and for all.
    accept = a_step(issue, ActionName.ACCEPT, Accept(by=who), "u-2")
    issue = (await recording.record_step(accept)).applied_to(issue)
    act = Resolve(by=who, result="已更换读卡器")
    async with listening(database) as asked:
        await recording.record_step(a_step(issue, ActionName.RESOLVE, act, "u-3"))
        assert begun_with(await asked.since()) == ["BEGIN;", "WITH", "WITH", "COMMIT"]


async def test_a_registration_asks_the_register_seven_times(
    recording: Recording, postgres_url: str
) -> None:
    async with postgres.pool(postgres_url, size=1) as pool:
        recording = Recording(pool, LINKS)
        # The first asks for the rulebook, the roster and what types there are, once and for all.
        await recording.record_step(registration("r-1"))
        async with listening(pool) as asked:
            await recording.record_step(registration("r-2", channel="telephone"))
            # Last before the step is written what others have to wait for.
            assert begun_with(await asked.since()) == [
                *("BEGIN;", "WITH", "SELECT", "SELECT", "INSERT", "WITH", "COMMIT")
            ]
            other = {"name": "王五", "phone": "+86 139 0000 5678"}
            await recording.record_step(registration("r-3", customer=other))
            # Of strangers it asks what is known of them, and how often they heard of us.
            assert begun_with(await asked.since()) == [
                *("BEGIN;", "WITH", "WITH", "INSERT"),
                *("SELECT", "SELECT", "INSERT", "WITH", "COMMIT"),
            ]


async def test_an_assignment_waits_for_its_own_centre_and_for_no_other(
    recording: Recording, database: Pool
) -> None:
    async with database.acquire() as connection, connection.transaction():
        staff = await roster.staff(connection)
        there = staff.engineers("technical_service", ["guangzhou"])
        await roster.loads(connection, there, "")
        elsewhere = registration("r-1", region="北京")
        assert (await recording.record_step(elsewhere)).engineer
        waiting = asyncio.create_task(recording.record_step(registration("r-2")))
        while not await connection.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
            await asyncio.sleep(0.01)
        assert not waiting.done()
    assert (await waiting).engineer


@pytest.fixture
async def complaints() -> AsyncIterator[list[dict[str, Any]]]:
    """What asyncpg says of a transaction that was left open."""
    heard: list[dict[str, Any]] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, each: heard.append(each))
    yield heard
    loop.set_exception_handler(None)


async def test_a_step_that_waits_for_the_roster_in_vain_leaves_nothing_begun(
    recording: Recording, postgres_url: str, database: Pool, complaints: list[dict[str, Any]]
) -> None:
    async with postgres.pool(postgres_url, size=1) as pool:
        await pool.execute("SET lock_timeout = '50ms'")  # of the one connection
        async with database.acquire() as connection, connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock($1)", roster.LOCK)
            with pytest.raises(asyncpg.LockNotAvailableError):
                await Recording(pool, LINKS).record_step(registration())
        assert (await Recording(pool, LINKS).record_step(registration())).number
    assert not complaints


async def test_a_roster_that_changes_is_read_again_by_the_next_step(
    recording: Recording, database: Pool
) -> None:
    first = await recording.record_step(registration("r-1"))
    assert first.engineer
    async with database.acquire() as connection, connection.transaction():
        named = DutyException.model_validate(
            {
                "person": first.engineer.id,
                "from": "2026-11-23",
                "until": "2026-11-24",
                "shift": "off",
                "reason": "leave",
            }
        )
        await duty.enter(connection, named, by=LEAD.id)
    second = await recording.record_step(registration("r-2"))
    assert second.engineer != first.engineer
