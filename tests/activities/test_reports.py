"""Issuing the reports on real PostgreSQL: what is due, editions with their messages, the digests
(R27).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import asyncpg
import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.notification import Notification
from activities.recording import Recording
from activities.reports import Reports
from domain.issue.lifecycle import register
from domain.reports.editions import DIGEST, Edition, Issued, Order
from store import issue_reader, outbox
from store.connection import Pool
from store.reports import editions
from tests.support.builders import an_intake
from tests.support.harness import Mailbox

TUESDAY = datetime(2026, 9, 29, 2, tzinfo=UTC)
AFTER_THE_HOLIDAYS = datetime(2026, 10, 8, 0, 30, tzinfo=UTC)
"""08:30 of the first working day after National Day."""
WEEK = Order(report="effectiveness", period="2026-W40")


@dataclass
class Desk:
    """A desk at some instant."""

    pool: Pool
    recording: Recording
    now: datetime = field(default=AFTER_THE_HOLIDAYS)

    async def open(self, at: datetime = TUESDAY) -> None:
        """Let an issue come in at that instant."""
        intake = an_intake(reference=uuid4().hex, region="广东", reported_at=at, occurred_at=None)
        await self.recording.record_step(register(intake, at).model_copy(update={"run": "1"}))

    @property
    def reports(self) -> Reports:
        return Reports(self.pool, "https://desk.example", lambda: self.now)

    async def due(self) -> list[str]:
        found = await ActivityEnvironment().run(self.reports.reports_due)
        return [f"{each.report} {each.period}" for each in found]

    async def issue(self, order: Order) -> Issued:
        issued: Issued = await ActivityEnvironment().run(self.reports.issue_report, order)
        return issued

    async def by_hand(self, keys: Iterable[str]) -> list[str]:
        """Let no channel take them; return the messages that tell of it."""
        told: list[str] = await ActivityEnvironment().run(self.reports.reports_by_hand, list(keys))
        return told

    async def messages(self, report: str) -> list[asyncpg.Record]:
        return await self.pool.fetch(
            "SELECT * FROM outbox WHERE starts_with(key, $1) ORDER BY key", f"report:{report}:"
        )

    async def settle(self) -> None:
        await self.pool.execute("UPDATE outbox SET status = 'delivered', settled_at = now()")


@pytest.fixture
async def desk(database: Pool, recording: Recording) -> Desk:
    found = Desk(database, recording)
    await found.open()
    return found


async def test_what_is_due_is_issued_once_and_the_digest_of_the_morning_written(desk: Desk) -> None:
    desk.now -= timedelta(minutes=1)
    assert await desk.due() == [], "the holidays last until today, and the morning has not come"
    desk.now += timedelta(minutes=1)
    found = await desk.due()
    assert {"callbacks 2026-W40", "effectiveness 2026-W40"} <= set(found)
    assert found[-1] == "digest 2026-10-08"
    for each in found:
        report, period = each.split()
        first = await desk.issue(Order(report=report, period=period))
        again = await desk.issue(Order(report=report, period=period))
        assert (first.edition, again.edition, again.keys) == (1, 1, first.keys)
    await desk.settle()
    assert await desk.due() == []


async def test_r27_whoever_the_policy_names_is_sent_the_figures_they_may_read_and_no_customer(
    desk: Desk,
) -> None:
    issued = await desk.issue(WEEK)
    rows = await desk.messages("effectiveness")
    assert [row["key"] for row in rows] == sorted(issued.keys)
    told = {row["recipient"]: row for row in rows}
    assert {row["audience"] for row in rows} == {"gm_office", "manager"}
    office = next(row for row in rows if row["audience"] == "gm_office")
    assert office["subject"] == "2026-W40 服务效能报告"
    assert "2026 年第 40 周（9 月 28 日至" in office["body"]
    assert "登记问题 1；" in office["body"]
    assert office["body"].endswith("https://desk.example/reports/effectiveness/2026-W40")
    manager = told["sun.li"]
    assert "范围：技术服务部" in manager["body"]
    for row in rows:
        assert row["issue_id"] is None
        assert not {"张伟", "李娜", "浦江"} & set(row["body"].split())
    edition = await _newest(desk)
    counted = (edition.counted, *map(edition.for_department, ("technical_service", "sales")))
    registered = [each.value("all", "registered") for each in counted]
    assert [each.n if each else None for each in registered] == [1, 1, 0]
    assert (edition.counted.rulebook, edition.issued_at) == (
        await desk.pool.fetchval("SELECT version FROM adoptions"),
        desk.now,
    )


async def test_what_comes_in_late_makes_another_edition_that_says_what_changed(desk: Desk) -> None:
    await desk.issue(WEEK)
    late = WEEK.model_copy(update={"request": "r1", "reason": "补录了一个问题"})
    same = await desk.issue(late)
    assert (same.edition, same.new, same.keys) == (1, False, ())
    await desk.open(TUESDAY + timedelta(hours=1))
    second = await desk.issue(late.model_copy(update={"request": "r2"}))
    assert (second.edition, second.new) == (2, True)
    registered = next(each for each in second.changes if each.figure == "registered")
    assert (registered.section, registered.of) == ("all", None)
    assert registered.before
    assert registered.after
    assert (registered.before.n, registered.after.n) == (1, 2)
    assert await desk.issue(late.model_copy(update={"request": "r2"})) == second, "once"
    office = [row for row in await desk.messages("effectiveness") if row["audience"] == "gm_office"]
    assert [row["subject"] for row in office] == [
        "2026-W40 服务效能报告",
        "2026-W40 服务效能报告（第 2 版）",
    ]
    assert f"有 {second.changed} 项数字不同，原因：补录了一个问题。" in office[1]["body"]
    assert await desk.issue(WEEK) == await desk.issue(WEEK), "by the clock there is one already"
    kept = await editions.headings(desk.pool, report="effectiveness")
    assert [each.edition for each in kept] == [2, 1]


async def test_an_edition_that_was_issued_is_never_changed(desk: Desk) -> None:
    await desk.issue(WEEK)
    for change in ("UPDATE report_editions SET edition = 2", "DELETE FROM report_editions"):
        with pytest.raises(asyncpg.PostgresError):
            await desk.pool.execute(change)


async def test_whoever_counted_before_another_issued_does_not_take_back_what_came_in_since(
    desk: Desk,
) -> None:
    """Two ask for another edition at once, and whoever counts first comes to write last."""
    await desk.issue(WEEK)
    await desk.open()
    desk.now += timedelta(minutes=1)
    later = await desk.issue(WEEK.model_copy(update={"request": "late"}))
    desk.now -= timedelta(seconds=1)
    await desk.pool.execute("UPDATE issues SET registered_at = registered_at - interval '30 days'")
    earlier = await desk.issue(WEEK.model_copy(update={"request": "early"}))
    assert (later.edition, later.new) == (2, True)
    assert (earlier.edition, earlier.new) == (2, False)


async def test_the_newest_is_sent_again_once_for_each_request(desk: Desk) -> None:
    first = await desk.issue(WEEK)
    again = Order(report="effectiveness", period="2026-W40", request="r1", again=True)
    sent = await desk.issue(again)
    assert (sent.edition, sent.new) == (1, False)
    assert len(sent.keys) == len(first.keys)
    assert await desk.issue(again) == sent
    assert len(await desk.messages("effectiveness")) == 2 * len(first.keys)
    with pytest.raises(ApplicationError, match="effectiveness of 2026-W39 was not issued yet"):
        await desk.issue(again.model_copy(update={"period": "2026-W39"}))


@pytest.mark.parametrize(
    ("order", "why"),
    [
        (Order(report="effectiveness", period="2026-W41"), "period: 2026-W41 is not over"),
        (Order(report="effectiveness", period="2026-W60"), "there is no 2026-W60"),
        (Order(report="weather", period="2026-W40"), "weather"),
    ],
)
async def test_what_cannot_be_issued_is_refused_and_not_tried_again(
    desk: Desk, order: Order, why: str
) -> None:
    with pytest.raises(ApplicationError, match=why) as refused:
        await desk.issue(order)
    assert refused.value.non_retryable
    assert await editions.headings(desk.pool) == []


async def test_a_lead_reads_in_the_morning_what_is_late_and_whom_it_waits_for(desk: Desk) -> None:
    """The issue of before the holidays is overdue by then: nobody accepted it."""
    await desk.pool.execute("UPDATE promises SET outcome = 'broken' WHERE kind = 'response'")
    number = await desk.pool.fetchval("SELECT number FROM issues")
    order = Order(report=DIGEST, period="2026-10-08")
    issued = await desk.issue(order)
    (told,) = await desk.messages(DIGEST)
    assert (told["recipient"], issued.keys) == ("zhou.jianguo", (told["key"],))
    assert told["subject"] == "2026-10-08 今日待办：逾期 1，今天到期 0"
    assert f"已逾期 1 个：{number}。" in told["body"]
    assert "客户尚未得到答复的有 1 个。" in told["body"]
    assert "正在等谁：" in told["body"]
    assert "张伟" not in told["body"]
    await desk.open()
    assert (await desk.issue(order)).keys == issued.keys, "once a day"
    await desk.settle()
    assert (await desk.issue(order)).keys == ()


@pytest.mark.parametrize(
    ("stage", "answered", "unread", "whom"),
    [
        ("confirming", False, False, "客户"),
        ("confirming", False, True, "马骏"),
        ("replied", True, False, "客户"),
        ("replied", True, True, "热线"),
    ],
)
async def test_a_digest_says_of_whoever_wrote_that_it_is_our_turn(
    desk: Desk, *, stage: str, answered: bool, unread: bool, whom: str
) -> None:
    await desk.pool.execute(
        "UPDATE issues SET stage = $1, answered = $2, engineer = 'ma.jun', engineer_name = '马骏'",
        *(stage, answered),
    )
    if unread:
        await desk.pool.execute(
            """
            INSERT INTO promises SELECT (jsonb_populate_record(p, '{"kind": "feedback"}')).*
            FROM promises p WHERE kind = 'response' AND ended_at IS NULL
            """
        )
    desk.now += timedelta(days=30)
    await desk.issue(Order(report=DIGEST, period="2026-11-06"))
    (told,) = await desk.messages(DIGEST)
    assert f"正在等谁：{whom} 1" in told["body"]


async def test_a_morning_on_which_there_is_nothing_to_say_is_silent_and_counts_as_done(
    desk: Desk,
) -> None:
    await desk.pool.execute(
        "UPDATE issues SET closed_at = now(), stage = 'closed', outcome = 'withdrawn'"
    )
    assert (await desk.issue(Order(report=DIGEST, period="2026-10-08"))).keys == ()
    assert await desk.messages(DIGEST) == []
    assert "digest 2026-10-08" not in await desk.due()


async def test_what_lies_about_unsaid_is_due_again_and_what_never_arrives_becomes_a_persons(
    desk: Desk,
) -> None:
    issued = await desk.issue(WEEK)
    assert (await desk.due()).count("effectiveness 2026-W40") == 1
    told = await desk.by_hand(issued.keys)
    left = [m for m in await issue_reader.undelivered(desk.pool) if m.key.startswith("report:")]
    handed = {each.key for each in left if each.status == "handed_over"}
    assert handed == set(issued.keys)
    assert {(each.number, each.handed_to) for each in left if each.key in handed} == {
        ("", "tian.hui")
    }
    assert (await desk.due()).count("effectiveness 2026-W40") == 1, "somebody is to be told of it"
    assert await desk.by_hand(issued.keys) == told, "done again it is the same"
    await desk.settle()
    assert "effectiveness 2026-W40" not in await desk.due()


async def test_whoever_is_above_hears_by_another_channel_what_did_not_arrive_but_not_what_it_said(
    desk: Desk,
) -> None:
    issued = await desk.issue(WEEK)
    (key,) = await desk.by_hand([each for each in issued.keys if "sun.li" in each])
    (told,) = [row for row in await desk.messages("effectiveness") if row["key"] == key]
    assert (told["recipient"], told["channel"], told["encloses"]) == ("tian.hui", "wecom", None)
    assert told["subject"] == "报表通知未送达 2026-W40"
    assert "部门经理 · 孙莉：2026-W40 服务效能报告" in told["body"]
    assert "登记问题" not in told["body"]
    (key,) = await desk.by_hand([each for each in issued.keys if "tian.hui" in each])
    (told,) = [row for row in await desk.messages("effectiveness") if row["key"] == key]
    assert (told["recipient"], told["channel"]) == ("tian.hui", "sms"), "wecom failed"
    assert await desk.by_hand([key]) == [], "above the office nobody hears of that"


async def test_a_letter_of_a_report_that_came_back_is_handed_over_and_told_of_as_if_it_had_not_gone(
    desk: Desk,
) -> None:
    issued = await desk.issue(WEEK)
    await desk.settle()
    key = next(each for each in issued.keys if "sun.li" in each)
    assert await outbox.came_back(desk.pool, [key], "a letter") == {key: None}
    assert "effectiveness 2026-W40" in await desk.due()
    assert (await desk.issue(WEEK)).keys == (key,)
    post = Mailbox()
    delivering = Notification(desk.pool, post, lambda: desk.now)
    assert await ActivityEnvironment().run(delivering.deliver_messages, [key]) == [key]
    assert post.arrived == [], "it may be read: it is not said twice"
    (told,) = await desk.by_hand([key])
    assert "tian.hui" in told
    left = {each.key: each for each in await issue_reader.undelivered(desk.pool)}
    assert (left[key].handed_to, left[key].last_error) == ("tian.hui", "a letter")


async def test_a_customer_is_told_of_nothing_but_an_issue(desk: Desk) -> None:
    await desk.issue(WEEK)
    with pytest.raises(asyncpg.CheckViolationError):
        await desk.pool.execute("UPDATE outbox SET audience = 'customer' WHERE issue_id IS NULL")


async def _newest(desk: Desk) -> Edition:
    async with desk.pool.acquire() as connection:
        found = await editions.newest(connection, "effectiveness", "2026-W40")
    assert found
    return found
