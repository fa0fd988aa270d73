"""An issue's thread out of its tables: whole, in order, page by page, and quickly."""

from __future__ import annotations

from datetime import timedelta

from domain.issue.thread import Entry, Sort
from domain.vocabulary import Audience
from store import kept_words, letters, thread
from store.connection import Pool
from store.kept_words import Why
from store.outbox import Message
from tests.store.test_kept_words import words
from tests.support.filled import MONDAY, an_issue, insert, post
from tests.support.round_trips import listening

MINUTE = timedelta(minutes=1)


async def a_deed(
    pool: Pool, issue: str, seq: int, action: str = "escalate", **content: str
) -> None:
    at = MONDAY + seq * MINUTE
    await insert(
        pool,
        "issue_events",
        issue_id=issue,
        seq=seq,
        key=f"page:{seq}",
        action=action,
        actor="li.na",
        role="engineer",
        at=at,
        recorded_at=at,
        stage="in_progress",
        content=content,
        recorded={"engineer": {"id": "li.na", "name": "李娜"}, "step": {"assignment": None}},
    )


def a_message(issue: str, seq: int, to: str = "customer") -> Message:
    return Message(
        key=f"{issue}:{seq}:{to}",
        issue_id=issue,
        seq=seq,
        template="progress",
        audience=Audience.CUSTOMER if to == "customer" else Audience.HANDLER,
        recipient=to,
        channel="sms",
        address="+8613800000001",
        subject="",
        body=f"消息 {seq}",
        created_at=MONDAY + seq * MINUTE,
    )


async def filled(pool: Pool, steps: int = 6) -> str:
    """An issue with everything that a thread is made of."""
    issue = await an_issue(pool)
    for seq in range(1, steps + 1):
        await a_deed(
            pool, issue, seq, "registered" if seq == 1 else "escalate", reason=f"第 {seq} 步"
        )
    async with pool.acquire() as connection:
        await post(
            connection, [a_message(issue, 2), a_message(issue, 2, "li.na"), a_message(issue, 4)]
        )
    await kept_words.keep(pool, words(issue, at=MONDAY + 3 * MINUTE, why=Why.ADDED))
    await letters.keep(pool, issue, b"Subject: 1\n\n2", MONDAY + 3 * MINUTE)
    return issue


ORDER = [
    *("act 1", "act 2", "message 2", "message 2", "act 3", "words None", "letter None"),
    *("act 4", "message 4", "act 5", "act 6"),
]


def order(entries: list[Entry]) -> list[str]:
    return [f"{each.sort} {each.seq}" for each in entries]


async def test_everything_about_an_issue_is_in_its_thread_in_the_order_it_was_heard_of(
    database: Pool,
) -> None:
    issue, other = await filled(database), await an_issue(database, "20261123-07-0002")
    await a_deed(database, other, 1, "registered")
    async with database.acquire() as connection:
        page = await thread.after(connection, issue, {"li.na": "李娜"}, None, 100)
    assert (order(page.entries), page.next) == (ORDER, None)
    assert {entry.number for entry in page.entries} == {"20261123-07-0001"}
    first, *_, last = page.entries
    assert (first.says("title"), first.door) == ("出钞口卡钞", "telephone")
    assert (last.who.name, last.says("reason"), last.to) == ("李娜", "第 6 步", None)


async def test_page_by_page_every_entry_comes_once_whichever_way_one_reads(database: Pool) -> None:
    issue = await filled(database)
    async with database.acquire() as connection:
        for limit in range(1, len(ORDER) + 1):
            forward: list[Entry] = []
            place, goes_on = None, True
            while goes_on:
                page = await thread.after(connection, issue, {}, place, limit)
                forward += page.entries
                place, goes_on = page.next, page.next is not None
            assert order(forward) == ORDER
            back: list[Entry] = []
            place, goes_on = None, True
            while goes_on:
                page = await thread.before(connection, issue, {}, place, limit)
                back = page.entries + back
                place, goes_on = page.next, page.next is not None
            assert back == forward


async def test_a_place_is_written_down_and_read_again(database: Pool) -> None:
    issue = await filled(database)
    async with database.acquire() as connection:
        page = await thread.after(connection, issue, {}, None, 3)
    assert page.next
    assert thread.Place.read(page.next.text) == page.next


async def test_of_several_issues_the_ends_are_read_in_one_statement(database: Pool) -> None:
    issue, other = await filled(database), await an_issue(database, "20261123-07-0002")
    await a_deed(database, other, 1, "registered")
    numbers = ["20261123-07-0001", "20261123-07-0002"]
    async with listening(database) as asked:
        async with database.acquire() as connection:
            found = await thread.ends(connection, numbers, {}, 3)
        assert len(await asked.since()) == 2  # with that of their ids
    assert {number: order(entries) for number, entries in found.items()} == {
        numbers[0]: ["message 4", "act 5", "act 6"],
        numbers[1]: ["act 1"],
    }
    assert issue != other


async def test_a_thread_of_two_thousand_entries_is_read_a_page_at_a_time(database: Pool) -> None:
    issue = await filled(database, steps=4)
    at = "$2::timestamptz + n * interval '1 minute'"
    await database.execute(
        f"""
        INSERT INTO issue_events (issue_id, seq, key, action, actor, role, at, recorded_at, stage,
            content, recorded)
        SELECT $1, n, 'page:' || n, 'escalate', 'li.na', 'engineer', {at}, {at}, 'in_progress',
            jsonb_build_object('reason', 'n ' || n), jsonb_build_object('much', repeat('x', 9000))
        FROM generate_series(5, 1000) n
        """,  # noqa: S608  a test's own
        *(issue, MONDAY),
    )
    async with database.acquire() as connection:
        await post(connection, [a_message(issue, seq) for seq in range(5, 1001)])
    async with listening(database) as asked:
        async with database.acquire() as connection:
            page = await thread.before(connection, issue, {}, None, 50)
        assert len(await asked.since()) == 1
    assert [each.seq for each in page.entries] == [n // 2 for n in range(1952, 2002)]


async def test_words_wait_from_the_last_time_somebody_acted_on_them(database: Pool) -> None:
    issue = await an_issue(database)
    await a_deed(database, issue, 1, "registered")
    await a_deed(database, issue, 2, "accept")
    await a_deed(database, issue, 3, "report_test", words="还是卡")
    await insert(
        database,
        "issue_events",
        issue_id=issue,
        seq=4,
        key="link:4",
        action="report_test",
        actor="customer",
        role="customer",
        at=MONDAY + 4 * MINUTE,
        recorded_at=MONDAY + 4 * MINUTE,
        stage="in_progress",
        content={"worked": False, "words": "还没好"},
        recorded={},
    )
    await kept_words.keep(database, words(issue, at=MONDAY + 5 * MINUTE))
    async with listening(database) as asked:
        async with database.acquire() as connection:
            waiting = await thread.waiting(connection, [issue], {})
        assert len(await asked.since()) == 1
    assert [(e.sort, e.seq) for e in waiting[issue]] == [(Sort.ACT, 4), (Sort.WORDS, None)]
    await a_deed(database, issue, 5, "report_progress", note="明天去")
    async with database.acquire() as connection:
        assert (await thread.waiting(connection, [issue], {}))[issue] == ()
