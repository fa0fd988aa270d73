"""The callback clerk's list on PostgreSQL (R22, R23)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from domain.callbacks import Attempt, CalledToday, Missed
from domain.issue.state import Person
from domain.sla.promise import PromiseKind
from inbound.files.roster import read_roster
from runtime.settings import ROOT
from store import callbacks, roster
from store.connection import Pool
from tests.store.test_quality import STANDARD, a_callback, adopt, an_issue, insert

SHANGHAI = ZoneInfo("Asia/Shanghai")
OVER = datetime(2026, 11, 24, 16, tzinfo=UTC)
"""Midnight in Shanghai, after Tuesday the 24th."""
BEGINS = OVER - timedelta(days=1)
NINE = BEGINS + timedelta(hours=9)
HOUR = timedelta(hours=1)
MOMENT = timedelta.resolution


async def a_promise(database: Pool, issue_id: str, **changes: Any) -> None:
    """Write a promise by hand: a callback that opens at nine."""
    usual = {
        "issue_id": issue_id,
        "kind": "callback",
        "generation": 1,
        "attempt": 1,
        "attempts": 3,
        "target": "1 working day",
        "clock": "working",
        "calendar": "callback",
        "rulebook": STANDARD.version,
        "made_at": NINE - 20 * HOUR,
        "opens_at": NINE,
        "due_at": NINE + 9 * HOUR,
        "provisional": False,
        "pauses": 0,
        "reached": 0,
        "outcome": "open",
    }
    await insert(database, "promises", **(usual | changes))


@pytest.fixture
async def desk(database: Pool) -> Pool:
    """A desk with the sample roster and the standard policy, and no issues yet."""
    await adopt(database, STANDARD)
    async with database.acquire() as connection, connection.transaction():
        await roster.replace(connection, read_roster(ROOT / "examples" / "roster"))
    return database


async def to_call(database: Pool, number: str, **changes: Any) -> str:
    """Write an issue whose customer is to be called; its id."""
    issue_id = await an_issue(database, number, **changes)
    await a_promise(database, issue_id)
    return issue_id


async def numbers(database: Pool) -> list[list[str]]:
    calls = await callbacks.todays(database, OVER, SHANGHAI)
    return [[case.number for case in call.cases] for call in calls]


async def test_the_list_holds_every_callback_that_may_be_made_by_the_end_of_the_day(
    desk: Pool,
) -> None:
    promises: dict[str, dict[str, Any]] = {
        "opens now": {"opens_at": OVER - MOMENT},
        "opens tomorrow": {"opens_at": OVER},
        "opens at once": {"opens_at": None},
        "overdue": {"opens_at": NINE - 48 * HOUR, "outcome": "broken"},
        "made": {"ended_at": NINE, "outcome": "kept"},
        "to be solved": {"kind": "resolution"},
    }
    for phone, (number, changes) in enumerate(promises.items()):
        issue_id = await an_issue(desk, number, phone=f"+86 138 0000 000{phone}")
        await a_promise(desk, issue_id, **changes)
    assert {number for (number,) in await numbers(desk)} == {
        "opens now",
        "opens at once",
        "overdue",
    }
    (overdue,) = (
        case
        for call in await callbacks.todays(desk, OVER, SHANGHAI)
        for case in call.cases
        if case.overdue
    )
    assert overdue.number == "overdue"


async def test_several_faults_of_one_customer_are_one_call(desk: Pool) -> None:
    await to_call(desk, "1", phone="+86 138 0000 1234")
    await to_call(desk, "2", phone="021-5555 0101")
    third = await an_issue(desk, "3", phone="13800001234", customer_name="李娜")
    await a_promise(desk, third, due_at=NINE + HOUR)
    assert await numbers(desk) == [["3", "1"], ["2"]]


async def test_the_case_is_there_to_be_read_before_the_call(desk: Pool) -> None:
    issue_id = await to_call(
        desk,
        "1",
        generation=2,
        serial_number="SN-4711",
        site="天河支行大堂",
        organisation="珠江银行",
        description="上午起吞卡",
    )
    await desk.execute("UPDATE promises SET generation = 2, attempt = 2")
    for generation, result in enumerate(("cleaned", "card reader replaced"), 1):
        await insert(
            desk,
            "handling_forms",
            issue_id=issue_id,
            generation=generation,
            engineer="liang.jiahao",
            handed_over_at=NINE - 24 * HOUR,
            resolved_at=NINE - (23 - generation) * HOUR,
            result=result,
            cause="worn out",
        )
    late = {"kind": "response", "outcome": "broken", "target": "2h", "due_at": NINE - 40 * HOUR}
    await a_promise(desk, issue_id, **late, ended_at=NINE - 39 * HOUR)
    await a_promise(desk, issue_id, kind="customer_test", outcome="broken", ended_at=NINE)
    await a_callback(
        desk, issue_id, called_at=NINE - 23 * HOUR, running=False, satisfied=False, words="又坏了"
    )
    await a_callback(
        desk,
        issue_id,
        generation=2,
        called_at=BEGINS - MOMENT,
        reached=False,
        running=None,
        satisfied=None,
        words="",
    )

    (call,) = await callbacks.todays(desk, OVER, SHANGHAI)
    (case,) = call.cases
    assert call.customer.organisation == "珠江银行"
    assert call.called_today == ()
    assert (case.number, case.title, case.description) == ("1", "吞卡", "上午起吞卡")
    assert (case.product_line, case.serial_number, case.site) == ("ATM", "SN-4711", "天河支行大堂")
    assert case.handler == Person(id="liang.jiahao", name="梁家豪")
    assert (case.result, case.cause) == ("card reader replaced", "worn out")
    assert case.resolved_at == NINE - 21 * HOUR
    assert (case.reopen_count, case.attempt, case.attempts) == (1, 2, 3)
    assert case.missed == (
        Missed(
            kind=PromiseKind.RESPONSE,
            target="2h",
            due_at=NINE - 40 * HOUR,
            ended_at=NINE - 39 * HOUR,
        ),
    )
    assert case.earlier == (
        Attempt(
            called_at=NINE - 23 * HOUR,
            clerk="fan.meiling",
            reached=True,
            running=False,
            satisfied=False,
            words="又坏了",
        ),
        Attempt(
            called_at=BEGINS - MOMENT,
            clerk="fan.meiling",
            reached=False,
            running=None,
            satisfied=None,
            words="",
        ),
    )


async def test_what_the_hotline_answered_is_read_from_the_consultation_record(desk: Pool) -> None:
    issue_id = await to_call(desk, "1", first_contact=True, engineer=None, engineer_name=None)
    await insert(
        desk,
        "consultation_records",
        issue_id=issue_id,
        generation=1,
        agent="07",
        answered_at=NINE - 20 * HOUR,
        question="吞卡",
        answer="switch it off and on",
        on_the_line=True,
        to_be_tested=False,
    )
    ((case,),) = [call.cases for call in await callbacks.todays(desk, OVER, SHANGHAI)]
    assert case.handler == Person(id="07", name="何晓彤")
    assert (case.result, case.resolved_at) == ("switch it off and on", NINE - 20 * HOUR)


async def test_who_left_the_roster_is_still_named_as_the_issue_knows_them(desk: Pool) -> None:
    await to_call(desk, "1", engineer="long.gone", engineer_name="老李")
    ((case,),) = [call.cases for call in await callbacks.todays(desk, OVER, SHANGHAI)]
    assert case.handler == Person(id="long.gone", name="老李")


async def test_a_call_of_today_about_another_issue_of_the_customer_is_shown(desk: Pool) -> None:
    await to_call(desk, "1", phone="13800001234")
    closed = await an_issue(desk, "2", phone="+86 138 0000 1234", closed_at=NINE + HOUR)
    await a_callback(desk, closed, called_at=NINE + HOUR)
    stranger = await an_issue(desk, "3", phone="021 5555 0101")
    await a_callback(desk, stranger, called_at=NINE)
    yesterday = await an_issue(desk, "4", phone="13800001234")
    await a_callback(desk, yesterday, called_at=BEGINS - MOMENT)
    (call,) = await callbacks.todays(desk, OVER, SHANGHAI)
    assert call.called_today == (
        CalledToday(number="2", called_at=NINE + HOUR, clerk="fan.meiling", reached=True),
    )
    assert not call.done_today


async def test_an_issue_called_about_today_in_vain_is_not_to_be_called_about_again(
    desk: Pool,
) -> None:
    issue_id = await to_call(desk, "1")
    await a_callback(desk, issue_id, called_at=BEGINS, reached=False, running=None, satisfied=None)
    (call,) = await callbacks.todays(desk, OVER, SHANGHAI)
    assert call.done_today


async def test_a_day_of_23_hours_is_a_day(desk: Pool) -> None:
    """In Berlin the clock is put forward on 2026-03-29."""
    berlin = ZoneInfo("Europe/Berlin")
    begins = datetime(2026, 3, 28, 23, tzinfo=UTC)
    over = begins + 23 * HOUR
    issue_id = await an_issue(desk, "1")
    await a_promise(desk, issue_id, opens_at=over - MOMENT)
    await a_callback(desk, issue_id, called_at=begins)
    await a_callback(desk, issue_id, attempt=2, called_at=begins - MOMENT)
    (call,) = await callbacks.todays(desk, over, berlin)
    assert [each.called_at for each in call.called_today] == [begins]


async def test_issues_of_a_call_are_found_by_number_or_id_with_what_was_recorded(
    desk: Pool,
) -> None:
    await an_issue(desk, "1")
    second = await an_issue(desk, "2")
    await a_callback(desk, second, call="20261124-abc")
    found = await callbacks.called(desk, ["1", second, "3"], "20261124-abc")
    assert {key: (each.number, each.recorded_by) for key, each in found.items()} == {
        "1": ("1", None),
        second: ("2", "fan.meiling"),
    }
    other = await callbacks.called(desk, ["2"], "20261124-def")
    assert other["2"].recorded_by is None
