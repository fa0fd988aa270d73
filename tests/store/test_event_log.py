"""The log of events on real PostgreSQL: whoever reads on misses nothing, whoever writes at once."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from domain.issue.lifecycle import register
from domain.issue.step import Recorded
from store import event_log, issue_list, issue_writer, standing
from store.connection import Connection, Pool
from store.event_log import BEGINNING, Position, Whose
from store.issue_list import Filter
from tests.support.builders import MONDAY, Desk, an_intake
from tests.support.filled import an_issue

EVERYTHING = Whose()


def recorded(reference: str = "r-1", seq: int = 1, at: datetime = MONDAY) -> Recorded:
    found = Desk().record(register(an_intake(reference=reference), at))
    step = found.step.model_copy(update={"seq": seq, "key": f"step {seq}"})
    return found.model_copy(update={"step": step})


async def issues(pool: Pool, *references: str, **changes: object) -> None:
    for place, reference in enumerate(references):
        row = {"id": f"issue:web:{reference}", "source": "web", "reference": reference}
        await an_issue(pool, f"20261123-07-{place:04}", **{**row, **changes})


async def read(
    pool: Pool, after: Position = BEGINNING, whose: Whose = EVERYTHING, limit: int = 100
) -> event_log.Page:
    async with pool.acquire() as connection:
        return await event_log.page(connection, whose, after, limit)


def places(page: event_log.Page) -> list[tuple[str, int]]:
    return [(event.data.reference, event.data.seq) for _, event in page.events]


async def test_what_a_slower_transaction_wrote_is_not_passed_over(database: Pool) -> None:
    await issues(database, "slow", "quick")
    async with database.acquire() as slow, database.acquire() as quick:
        transaction = slow.transaction()
        await transaction.start()
        await issue_writer.write_event(slow, recorded("slow"))
        await issue_writer.write_event(quick, recorded("quick"))
        before = await read(database)
        assert places(before) == [], "what was begun before it may yet come to stand before it"
        await transaction.commit()
        assert places(await read(database, before.position)) == [("slow", 1), ("quick", 1)]


async def test_a_transaction_that_comes_to_nothing_holds_nothing_up(database: Pool) -> None:
    await issues(database, "slow", "quick")
    async with database.acquire() as slow, database.acquire() as quick:
        transaction = slow.transaction()
        await transaction.start()
        await issue_writer.write_event(slow, recorded("slow"))
        await issue_writer.write_event(quick, recorded("quick"))
        await transaction.rollback()
    assert places(await read(database)) == [("quick", 1)]


async def test_whoever_reads_on_while_many_write_gets_each_event_once_and_each_issues_in_order(
    database: Pool,
) -> None:
    names, steps = [f"r-{number}" for number in range(6)], 8
    await issues(database, *names)

    async def write(connection: Connection, name: str, seq: int) -> None:
        async with connection.transaction():
            await issue_writer.write_event(connection, recorded(name, seq))
            for _ in range(hash((name, seq)) % 5):  # they end in another order than they began
                await connection.execute("SELECT 1")

    async def live(name: str) -> None:
        for seq in range(1, steps + 1):
            async with database.acquire() as connection:
                await write(connection, name, seq)

    writing = asyncio.gather(*map(live, names))
    found: list[tuple[str, int]] = []
    position = BEGINNING
    while len(found) < len(names) * steps:
        page = await read(database, position, limit=3)
        found += places(page)
        position = page.position
        if writing.done() and not page.events:
            break
    await writing
    assert sorted(found) == sorted((name, seq) for name in names for seq in range(1, steps + 1))
    for name in names:
        assert [seq for each, seq in found if each == name] == [*range(1, steps + 1)]


async def test_from_now_on_is_all_that_is_not_over(database: Pool) -> None:
    await issues(database, "before", "underway", "after")
    async with database.acquire() as slow, database.acquire() as other:
        await issue_writer.write_event(other, recorded("before"))
        transaction = slow.transaction()
        await transaction.start()
        await issue_writer.write_event(slow, recorded("underway"))
        now = await event_log.now(other)
        await transaction.commit()
        await issue_writer.write_event(other, recorded("after"))
    assert places(await read(database, now)) == [("underway", 1), ("after", 1)]


async def test_events_from_before_there_were_turns_stand_first_and_by_their_time(
    database: Pool, owner: Connection
) -> None:
    await issues(database, "a", "b", "c")
    async with database.acquire() as connection:
        await issue_writer.write_event(connection, recorded("c"))
        later = MONDAY + timedelta(hours=1)
        for each in (recorded("a", at=later), recorded("b")):
            await issue_writer.write_event(connection, each)
    await owner.execute("ALTER TABLE issue_events DISABLE TRIGGER issue_events_append_only")
    await owner.execute("UPDATE issue_events SET turn = 0 WHERE issue_id <> 'issue:web:c'")
    assert places(await read(database)) == [("b", 1), ("a", 1), ("c", 1)]


async def test_a_page_ends_where_it_is_full_or_far_enough_and_the_next_goes_on_there(
    database: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_log, "SCANNED", 4)
    await issues(database, "theirs")
    await an_issue(database, id="issue:web:other", source="crm", reference="other")
    async with database.acquire() as connection:
        for seq in range(1, 7):
            await issue_writer.write_event(connection, recorded("theirs", seq))
        for seq in range(1, 6):
            await issue_writer.write_event(connection, recorded("other", seq))
    full = await read(database, limit=3)
    assert places(full) == [("theirs", 1), ("theirs", 2), ("theirs", 3)]
    assert full.more
    whose, after = Whose(source="crm"), BEGINNING
    found: list[tuple[str, int]] = []
    for more in (True, True, False):
        page = await read(database, after, whose)
        after, found = page.position, found + places(page)
        assert page.more is more
    assert found == [("other", seq) for seq in range(1, 6)]
    nothing = await read(database, after, whose)
    assert (nothing.position, nothing.more) == (after, False)


@pytest.mark.parametrize(
    ("whose", "sees"),
    [
        (Whose(), True),
        (Whose(source="web"), True),
        (Whose(source="crm"), False),
        (Whose(department="technical_service"), True),
        (Whose(department="sales"), False),
        (Whose(engineer="liang.jiahao"), True),
        (Whose(engineer="chen.zhiqiang"), False),
        (Whose(source="web", department="sales"), False),
    ],
)
async def test_events_are_read_of_whose_issues_one_asks_for(
    database: Pool, whose: Whose, *, sees: bool
) -> None:
    await issues(database, "r-1", engineer="liang.jiahao", engineer_name="梁家豪")
    async with database.acquire() as connection:
        await issue_writer.write_event(connection, recorded())
    assert bool((await read(database, whose=whose)).events) is sees


# Another server -----------------------------------------------------------------------------------


async def _elsewhere(pool: Pool) -> None:
    """Let the register be found where it was never proved, and prove it there."""
    async with pool.acquire() as connection:
        await connection.execute("UPDATE standing SET proof = 'the server before'")
        await standing.prove(connection, await standing.here(connection))


async def test_on_another_server_events_go_on_behind_all_that_was_given_out_by_the_one_before(
    database: Pool,
) -> None:
    await issues(database, "r-1")
    async with database.acquire() as connection:
        await issue_writer.write_event(connection, recorded())
        lost = Position(turn=(await event_log.now(connection)).turn + 1_000_000)
    await _elsewhere(database)
    async with database.acquire() as connection:
        await issue_writer.write_event(connection, recorded(seq=2))
    assert places(await read(database, lost)) == [("r-1", 2)]
    assert places(await read(database)) == [("r-1", 1), ("r-1", 2)]


async def test_where_it_was_proved_before_they_go_on_as_they_were(database: Pool) -> None:
    async with database.acquire() as connection:
        before = await event_log.now(connection)
        await standing.prove(connection, await standing.here(connection))
        assert (await event_log.now(connection)).turn < before.turn + 1000


async def test_what_a_held_register_is_caught_up_with_is_told_again(database: Pool) -> None:
    await issues(database, "r-1")
    async with database.acquire() as connection:
        seen = Position(turn=(await event_log.now(connection)).turn + 1_000_000)
        await standing.hold(connection, "it was restored")
        await issue_writer.write_event(connection, recorded())
    assert places(await read(database, seen)) == [("r-1", 1)]


async def test_of_a_copy_in_a_younger_server_turns_go_on_above_those_in_it(
    database: Pool, owner: Connection
) -> None:
    """As a dump brings it: its transactions count from the beginning."""
    await issues(database, "r-1")
    async with database.acquire() as connection:
        await issue_writer.write_event(connection, recorded())
    await owner.execute("ALTER TABLE issue_events DISABLE TRIGGER issue_events_append_only")
    await owner.execute("UPDATE issue_events SET turn = turn + (1::bigint << 40)")
    assert places(await read(database)) == [], "it counts as under way"
    await _elsewhere(database)
    async with database.acquire() as connection:
        await issue_writer.write_event(connection, recorded(seq=2))
    assert places(await read(database)) == [("r-1", 1), ("r-1", 2)]


# Lists --------------------------------------------------------------------------------------------


async def _updated(pool: Pool, since: Position | datetime) -> list[str]:
    async with pool.acquire() as connection, connection.transaction():
        wanted = Filter(updated_since=since, open_only=False)
        return sorted(each.id for each in await issue_list.places(connection, wanted, None))


async def test_a_list_of_what_changed_since_a_position_misses_no_slower_transaction(
    database: Pool,
) -> None:
    await issues(database, "before", "slow")
    async with database.acquire() as slow, database.acquire() as other:
        await issue_writer.write_event(other, recorded("before"))
        transaction = slow.transaction()
        await transaction.start()
        await issue_writer.write_event(slow, recorded("slow"))
        as_of = await event_log.now(other)
        assert await _updated(database, as_of) == []
        await transaction.commit()
    assert await _updated(database, as_of) == ["issue:web:slow"]
    assert await _updated(database, BEGINNING) == ["issue:web:before", "issue:web:slow"]


async def test_a_list_of_what_changed_since_an_instant_goes_by_when_it_was_written_down(
    database: Pool,
) -> None:
    """What happened long ago may come into the register only now: it was away."""
    await issues(database, "r-1")
    async with database.acquire() as connection:
        await issue_writer.write_event(connection, recorded())
    now = datetime.now(UTC)
    assert now > MONDAY + timedelta(days=1)
    assert await _updated(database, now - timedelta(hours=1)) == ["issue:web:r-1"]
    assert await _updated(database, now) == ["issue:web:r-1"], "a moment more than was asked for"
    assert await _updated(database, now + timedelta(hours=1)) == []


async def test_of_older_events_when_they_were_recorded_counts(
    database: Pool, owner: Connection
) -> None:
    await issues(database, "r-1")
    async with database.acquire() as connection:
        await issue_writer.write_event(connection, recorded())
    await owner.execute("ALTER TABLE issue_events DISABLE TRIGGER issue_events_append_only")
    await owner.execute("UPDATE issue_events SET written_at = '-infinity'")
    assert await _updated(database, MONDAY) == ["issue:web:r-1"]
    assert await _updated(database, MONDAY + timedelta(hours=1)) == []
