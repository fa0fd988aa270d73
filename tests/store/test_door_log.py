"""The audit trail of the doors, and links that did what they are for."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from domain.links import Link, Purpose
from domain.vocabulary import Role
from store import door_log
from store.connection import Pool
from store.door_log import Entry

NOW = datetime(2026, 11, 23, 4, tzinfo=UTC)
HOUR = timedelta(hours=1)


def an_entry(hours: int = 0, number: str | None = "20261123-07-0001") -> Entry:
    return Entry(
        at=NOW + hours * HOUR,
        person="zhou.jianguo",
        role=Role.LEAD,
        via="session",
        address="2001:db8::7",
        what="see_customer",
        number=number,
        outcome="seen",
    )


async def test_the_trail_is_read_as_it_was_written_the_newest_first(database: Pool) -> None:
    first, second, third = an_entry(0), an_entry(1, "20261123-07-0002"), an_entry(2, None)
    await door_log.note(database, second, first)
    await door_log.note(database, third)
    assert await door_log.entries(database) == [third, second, first]
    assert await door_log.entries(database, limit=1) == [third]
    assert await door_log.entries(database, before=second.at) == [first]
    assert await door_log.entries(database, number="20261123-07-0002") == [second]


async def test_of_what_happened_at_once_the_last_written_comes_first(database: Pool) -> None:
    await door_log.note(database, *(an_entry(0, f"20261123-07-000{n}") for n in range(1, 5)))
    numbers = [(entry.number or "")[-1] for entry in await door_log.entries(database)]
    assert numbers == ["4", "3", "2", "1"]


@pytest.mark.parametrize("change", ["UPDATE door_log SET person = 'x'", "DELETE FROM door_log"])
async def test_nobody_changes_the_trail_afterwards(database: Pool, change: str) -> None:
    await door_log.note(database, an_entry())
    with pytest.raises(asyncpg.PostgresError):
        await database.execute(change)
    assert await door_log.entries(database) == [an_entry()]


async def test_of_many_uses_of_one_link_at_once_one_counts(database: Pool) -> None:
    link = Link(
        number="20261123-07-0001",
        purpose=Purpose.ACCEPT,
        person="li.na",
        generation=1,
        until=NOW + HOUR,
    )
    assert await door_log.link_used(database, "digest") is None
    uses = (door_log.use_link(database, "digest", link, NOW, "192.0.2.7") for _ in range(8))
    assert sorted(await asyncio.gather(*uses)) == [False] * 7 + [True]
    assert await door_log.link_used(database, "digest") == NOW
    assert await door_log.use_link(database, "another", link, NOW, "192.0.2.7")


async def test_of_many_who_write_by_links_at_once_so_many_are_let_in_as_the_policy_says(
    database: Pool,
) -> None:
    link = Link(
        number="20261123-07-0001",
        purpose=Purpose.PROGRESS,
        person="customer",
        generation=1,
        until=NOW + HOUR,
    )

    async def write(name: str, at: datetime = NOW, by: Link = link) -> bool:
        return await door_log.admit(database, name, by, at, "192.0.2.7", 5)

    let_in = await asyncio.gather(*(write(f"link:{n}") for n in range(12)))
    assert sum(let_in) == 5
    again = await asyncio.gather(*(write(f"link:{n}") for n in range(12)))
    assert again == let_in, "the same, sent again, is taken again"
    other = link.model_copy(update={"number": "20261123-07-0002"})
    assert await write("link:20", by=other)
    assert await write("link:21", NOW + HOUR + timedelta(seconds=1))
    assert not await write("link:22")
