"""Whether the register may be worked on, on real PostgreSQL, beside a Temporal made up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from domain.links import Link, Purpose
from domain.standing import Epoch, Lived
from store import behind, door_log, issue_writer, outbox, serials, standing
from store.behind import check
from store.connection import Pool
from store.serials import LaggingSerial
from store.standing import Held, Unproved
from tests.store.test_outbox import a_message
from tests.support.filled import MONDAY, a_step, an_issue, insert, post

NUMBER = "20261123-07-0001"


@dataclass
class Temporal:
    """What it knows; ``listed`` is what its list says, if that is another moment's."""

    lived: list[Lived] = field(default_factory=list)
    listed: list[Lived] | None = None
    kept: Epoch | None = None
    place: bool = True
    asked_since: list[datetime | None] = field(default_factory=list)

    async def epoch(self) -> Epoch | None:
        return self.kept

    async def keep_epoch(self, epoch: Epoch) -> bool:
        self.kept = epoch if self.place else None
        return self.place

    async def pages(self, closed_since: datetime | None) -> AsyncIterator[list[Lived]]:
        self.asked_since.append(closed_since)
        for each in self.lived if self.listed is None else self.listed:
            yield [each]

    async def numbers(self) -> list[str]:
        return []

    async def describe(self, id_: str) -> Lived | None:
        return next((each for each in self.lived if each.id == id_), None)


def lived(id_: str, step: int | None = 1, number: str | None = NUMBER, **more: Any) -> Lived:
    return Lived(id=id_, number=number, step=step, first_run="run", **more)


async def unproved(pool: Pool) -> None:
    await pool.execute("UPDATE standing SET proof = 'another server'")


async def held(pool: Pool, why: str = "it was tried") -> None:
    async with pool.acquire() as connection:
        assert await standing.hold(connection, why)


async def released(pool: Pool, *known: str) -> int:
    async with pool.acquire() as connection, connection.transaction():
        return await standing.release(connection, known)


# The row ------------------------------------------------------------------------------------------


async def test_a_register_in_another_place_than_where_it_was_proved_is_not_worked_on(
    database: Pool,
) -> None:
    await standing.require(database)
    await unproved(database)
    with pytest.raises(Unproved):
        await standing.require(database)


@pytest.mark.parametrize(
    "rewritten", ["VACUUM FULL issues", "CREATE TABLE other AS SELECT 1"], ids=["anew", "the same"]
)
async def test_a_table_made_anew_is_another_place(
    database: Pool, owner: asyncpg.Connection[Any], rewritten: str
) -> None:
    await owner.execute(rewritten)
    assert (await standing.standing(database)).proved == ("issues" not in rewritten)


async def test_a_held_register_stays_held_for_its_first_reason_and_says_it(database: Pool) -> None:
    await held(database, "a step is missing")
    async with database.acquire() as connection:
        assert not await standing.hold(connection, "another reason")
    with pytest.raises(Held, match=r"since 20\d\d-.* UTC: run `yinuo repair` \(a step is missing"):
        await standing.require(database)
    assert await released(database) == 0
    await standing.require(database)
    assert await standing.held_because(database) is None


@pytest.mark.parametrize("restored", [False, True], ids=["released", "restored"])
async def test_what_waited_to_be_sent_in_an_older_register_may_have_arrived_before(
    database: Pool, owner: asyncpg.Connection[Any], *, restored: bool
) -> None:
    """Never twice, and never forgotten: it goes to a person."""
    await owner.execute("ALTER TABLE outbox DROP CONSTRAINT outbox_issue_id_fkey")
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    early = a_message("early").model_copy(update={"created_at": MONDAY - timedelta(days=400)})
    later = early.model_copy(update={"key": "later", "not_before": tomorrow})
    after = early.model_copy(update={"key": "after", "created_at": tomorrow})
    async with database.acquire() as connection:
        await post(connection, [early, later, after])
    if restored:
        async with database.acquire() as connection, connection.transaction():
            await standing.restored(connection)
    else:
        assert await released(database) == 0  # it is not held
        await held(database)
        assert await released(database) == 1
    rows = await database.fetch("SELECT key, status, last_error FROM outbox ORDER BY key")
    assert [tuple(row) for row in rows] == [
        ("after", "pending", None),
        ("early", "unknown", standing.DOUBTFUL),
        ("later", "pending", None),
    ]


async def test_a_message_is_not_claimed_for_sending_while_the_register_is_held(
    database: Pool, owner: asyncpg.Connection[Any]
) -> None:
    await owner.execute("ALTER TABLE outbox DROP CONSTRAINT outbox_issue_id_fkey")
    async with database.acquire() as connection:
        await post(connection, [a_message("m")])
    await unproved(database)
    with pytest.raises(Unproved):
        await outbox.claim(database, ["m"])
    await held(database)
    with pytest.raises(Held):
        await outbox.claim(database, ["m"])
    with pytest.raises(Held):
        await outbox.look(database, [["m"]], MONDAY)
    assert await database.fetchval("SELECT status FROM outbox") == "pending"


# The check ----------------------------------------------------------------------------------------


async def test_a_register_that_knows_all_that_temporal_knows_is_proved_where_it_is(
    database: Pool,
) -> None:
    ahead, same, old = [await an_issue(database, f"20261123-07-000{n}") for n in (1, 2, 3)]
    await a_step(database, ahead, 3, "accept", "li.na")
    await unproved(database)
    temporal = Temporal(
        [
            lived(ahead, 2),
            lived(same, 1, "20261123-07-0002"),
            lived(old, None, "20261123-07-0003"),
            lived("never registered", None, None),
        ]
    )
    assert (await check(database, temporal)).standing.proved
    await standing.require(database)


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        (
            lived("issue:hotline:20261123-07-0001", 2),
            f"{NUMBER} is at step 2, in the register at 1",
        ),
        (lived("lost", 1, "20261123-07-0009"), "20261123-07-0009 is not in the register"),
        (lived("lost", None, "20261123-07-0009"), "20261123-07-0009 is not in the register"),
        (
            lived("issue:hotline:20261123-07-0001", 1, "20261123-07-0007"),
            f"20261123-07-0007 is {NUMBER} in the register",
        ),
    ],
    ids=["a step", "an issue", "an issue of before steps were told", "a number"],
)
async def test_a_register_that_lacks_something_is_held_and_says_what(
    database: Pool, seen: Lived, said: str
) -> None:
    await an_issue(database, NUMBER)
    checked = await check(database, Temporal([seen]), thorough=True)
    assert checked.standing.reason == said
    with pytest.raises(Held):
        await standing.require(database)


async def test_a_list_accuses_and_only_a_description_convicts(database: Pool) -> None:
    id_ = await an_issue(database, NUMBER)
    wrong = Temporal([lived(id_, 1)], listed=[lived(id_, 5), lived("gone", 3)])
    assert (await check(database, wrong, thorough=True)).standing.proved


async def test_a_reason_names_a_few_and_a_repair_is_told_of_all(database: Pool) -> None:
    temporal = Temporal([lived(f"lost-{n:02}", 1, f"20261123-07-01{n:02}") for n in range(40)])
    async with database.acquire() as connection:
        assert len(await behind.behind(temporal, connection)) == 40
    reason = (await check(database, temporal, thorough=True)).standing.reason
    assert reason
    assert reason.count("is not in the register") == 3
    assert reason.endswith("; and more")


async def test_many_who_find_a_register_unproved_at_once_compare_it_once(database: Pool) -> None:
    await unproved(database)
    entered, go = asyncio.Event(), asyncio.Event()

    class Slow(Temporal):
        async def epoch(self) -> Epoch | None:
            entered.set()
            await go.wait()
            return None

    first = asyncio.create_task(check(database, Slow()))
    await entered.wait()
    with pytest.raises(Unproved, match="just being compared"):
        await check(database, Temporal())
    go.set()
    assert (await first).standing.proved


async def test_a_comparison_that_takes_longer_than_whoever_asked_waits_comes_to_its_end(
    database: Pool,
) -> None:
    await unproved(database)
    go, asked = asyncio.Event(), 0

    class Slow(Temporal):
        async def epoch(self) -> Epoch | None:
            nonlocal asked
            asked += 1
            await go.wait()
            return None

    checking = behind.Checking(database)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(checking.prove(Slow()), 0.01)
    others = [asyncio.create_task(checking.prove(Slow())) for _ in range(3)]
    await asyncio.sleep(0)
    go.set()
    assert all(checked.standing.proved for checked in await asyncio.gather(*others))
    assert asked == 1
    await standing.require(database)


async def test_a_register_that_is_moved_while_it_is_compared_is_not_proved(
    database: Pool, owner: asyncpg.Connection[Any]
) -> None:
    class Moving(Temporal):
        async def epoch(self) -> Epoch | None:
            await owner.execute("VACUUM FULL issues")
            return None

    await unproved(database)
    with pytest.raises(Unproved, match="moved"):
        await check(database, Moving())
    with pytest.raises(Unproved):
        await standing.require(database)


# Epochs -------------------------------------------------------------------------------------------


async def test_epochs_begin_in_the_register_first_and_only_those_temporal_had_count_against_it(
    database: Pool,
) -> None:
    temporal = Temporal()
    for number in (1, 2):
        checked = await check(database, temporal, advance=True)
        assert checked.epoch
        assert (checked.epoch.number, temporal.kept) == (number, checked.epoch)
    temporal.kept, temporal.place = None, False  # Temporal lost its schedule
    for _ in range(2):
        assert "knows none" in str((await check(database, temporal, advance=True)).temporal_behind)
    old = await database.fetchrow("SELECT number, begun_at FROM epochs WHERE number = 1")
    assert old
    temporal.kept, temporal.place = Epoch(**dict(old)), True
    checked = await check(database, temporal, advance=True)
    assert "it is in epoch 1" in str(checked.temporal_behind)
    assert "had been in 2" in str(checked.temporal_behind)
    assert (checked.standing.proved, checked.epoch and checked.epoch.number) == (True, 5)
    assert (await check(database, temporal)).temporal_behind is None


@pytest.mark.parametrize("number", [1, 7])
async def test_an_epoch_of_the_same_number_is_known_only_if_it_is_the_same(
    database: Pool, number: int
) -> None:
    """Two copies of a desk that were each worked on have both a first epoch."""
    await check(database, Temporal(), advance=True)
    other = Epoch(number=number, begun_at=MONDAY)
    checked = await check(database, Temporal(kept=other), advance=True)
    assert f"Temporal is in epoch {number}, begun 2026-11-23 01:00 UTC" in str(
        checked.standing.reason
    )
    assert await database.fetchval("SELECT count(*) FROM epochs") == 1


async def test_workflows_are_gone_through_if_need_be_and_only_those_that_ended_since_the_last_epoch(
    database: Pool,
) -> None:
    temporal = Temporal()
    checked = await check(database, temporal, advance=True)
    assert checked.epoch
    await check(database, temporal, advance=True)
    assert temporal.asked_since == []  # proved here: the epochs are enough
    await check(database, temporal, thorough=True)
    await unproved(database)
    await check(database, temporal)
    assert [since is not None for since in temporal.asked_since] == [True, True]
    assert temporal.asked_since[0]
    assert temporal.asked_since[0] > checked.epoch.begun_at


# One step that does not follow --------------------------------------------------------------------


async def accused(pool: Pool, step: int, *told: Lived, run: str = "run") -> bool:
    found = await behind.accuse(pool, Temporal(list(told)), f"issue:hotline:{NUMBER}", run, step)
    return found is not None


async def test_a_step_beyond_the_registers_next_holds_it_if_the_workflow_is_at_it(
    database: Pool,
) -> None:
    id_ = await an_issue(database, NUMBER)
    assert not await accused(database, 2, lived(id_, 1))  # that is the next one
    assert not await accused(database, 3)  # no such workflow
    assert not await accused(database, 3, lived(id_, 2), run="another")
    assert not await accused(database, 3, lived(id_, 2, running=False))
    assert not await accused(database, 3, lived(id_, 1))  # it does not say so itself
    await standing.require(database)
    assert await accused(database, 3, lived(id_, 2))
    assert await accused(database, 3)  # held is held
    with pytest.raises(Held, match="at step 2, in the register at 1"):
        await standing.require(database)


async def test_a_workflow_that_does_not_tell_its_step_yet_is_believed_by_what_it_asks(
    database: Pool,
) -> None:
    id_ = await an_issue(database, NUMBER)
    assert await accused(database, 3, lived(id_, None))


# Numbers ------------------------------------------------------------------------------------------


async def allotted(pool: Pool, day: date, agent: str) -> str:
    async with pool.acquire() as connection:
        return await issue_writer.next_number(connection, day, agent)


async def never_again(pool: Pool, known: Sequence[str] = ()) -> None:
    async with pool.acquire() as connection, connection.transaction():
        await serials.never_again(connection, known)


FAR = date(2099, 1, 5)
"""No restore of today jumps over a day so far ahead: what is left is what was heard of."""


async def test_a_serial_that_lags_is_found_and_goes_on_above_what_was_given_out(
    database: Pool,
) -> None:
    await an_issue(database, "20990105-01-0011")
    await database.execute("INSERT INTO serials VALUES ($1, '01', 3), ($1, '02', 7)", FAR)
    known = ["20990105-02-0007", "20990105-03-0002", "no number", "20991399-10-0001"]
    assert await serials.behind(database, known) == [
        LaggingSerial(FAR, "01", 3, 11),
        LaggingSerial(FAR, "03", 0, 2),
    ]
    async with database.acquire() as connection, connection.transaction():
        await serials.go_on_above(connection, "20990105-03-0002")
        await serials.go_on_above_all(connection)
    assert await serials.behind(database, known) == []
    for agent, next_one in {"01": 12, "02": 8, "03": 3}.items():
        assert await allotted(database, FAR, agent) == f"20990105-{agent}-{next_one:04}"


async def test_numbers_go_on_above_all_that_anybody_may_have_heard_of(database: Pool) -> None:
    issue = await an_issue(database, "20990105-01-0011")
    await insert(
        database,
        "door_log",
        at=MONDAY,
        person="x",
        role="lead",
        via="v",
        address="a",
        what="view",
        number="20990105-02-0012",
        outcome="seen",
    )
    link = Link(
        number="20990105-03-0013",
        purpose=Purpose.TEST,
        person="customer",
        generation=1,
        until=MONDAY,
    )
    await door_log.use_link(database, "digest", link, MONDAY, "address")
    message = a_message("20990105-04-0014:1:registered:customer").model_copy(
        update={
            "issue_id": issue,
            "subject": "问题20990105-05-0015已登记",
            "body": "20990105-06-0016。另见 20990105-web.a-12345，20990105-web.a-0002",
        }
    )
    async with database.acquire() as connection:
        await post(connection, [message])
    await database.execute(
        "INSERT INTO issue_events VALUES ($1, 1, 'k', 'complaint_raised', 'desk', 'system',"
        " now(), now(), NULL, 'closed', $2, '{}')",
        *(issue, {"number": "20990105-07-0017"}),
    )
    await database.execute("INSERT INTO serials VALUES ($1, '01', 3), ($1, '08', 18)", FAR)
    await never_again(database, ["20990105-09-0019", "no number", "20991399-10-0001"])
    heard = {f"{n:02}": n + 10 for n in range(1, 10)}
    for agent, last in (heard | {"web.a": 12345, "10": 0}).items():
        assert await allotted(database, FAR, agent) == f"20990105-{agent}-{last + 1:04}"


async def test_after_a_restore_the_days_up_to_now_are_numbered_in_another_ten_thousand(
    database: Pool,
) -> None:
    """What a lost register gave out, and only whoever got a message knows."""
    today = datetime.now(UTC).date()
    await allotted(database, today, "07")
    await never_again(database)
    day = f"{today:%Y%m%d}"
    assert await allotted(database, today, "07") == f"{day}-07-10001"
    assert await allotted(database, today, "new") == f"{day}-new-10001"
    assert (await allotted(database, today - timedelta(days=3), "late")).endswith("-10001")
    assert (await allotted(database, FAR, "07")).endswith("-0001")
    await never_again(database)
    assert await allotted(database, today, "07") == f"{day}-07-20001"


async def test_whoever_writes_a_number_into_a_message_does_not_use_them_up(database: Pool) -> None:
    issue = await an_issue(database, NUMBER)
    said = {"issue_id": issue, "body": "请看 20990105-07-999999999 和 20990105-07-2147483647"}
    async with database.acquire() as connection:
        await post(connection, [a_message("m").model_copy(update=said)])
    await never_again(database)
    assert await allotted(database, FAR, "07") == "20990105-07-0001"
