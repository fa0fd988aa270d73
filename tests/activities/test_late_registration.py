"""What is told, and what stands in the ledger, of an issue that came late or found nobody on duty,
on real PostgreSQL. Local times are Shanghai's.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

from activities.recording import Recording
from domain.issue.actions import Accept, ActionName
from domain.issue.lifecycle import decide, register, registered
from domain.issue.state import Issue
from domain.sla.promise import PromiseEnd, PromiseKind
from domain.vocabulary import Actor, Role
from store import issue_reader
from store.connection import Pool
from tests.support.builders import an_intake

MONDAY = datetime.fromisoformat("2026-11-23T10:00+08:00")
LATE = timedelta(days=13)
SENT = "SELECT template, audience, recipient, body FROM outbox ORDER BY template, recipient"


async def opened(recording: Recording, late: timedelta, **changes: Any) -> Issue:
    """Register an issue that a customer told us of so long before."""
    usual = {"reported_at": MONDAY - late, "occurred_at": None, "region": "广东"}
    intake = an_intake(**(usual | changes))
    step = register(intake, MONDAY).model_copy(update={"run": "run-1"})
    return registered(intake, await recording.record_step(step))


async def told(database: Pool) -> dict[str, tuple[str, str]]:
    """Return whom the messages are for and what they say, by wording; nobody gets two of one."""
    rows = await database.fetch(SENT)
    found = {row["template"]: (row["audience"], row["body"]) for row in rows}
    assert len(found) == len(rows)
    return found


async def test_an_issue_reported_days_ago_is_registered_with_one_apology_and_one_alarm(
    recording: Recording, database: Pool
) -> None:
    issue = await opened(recording, LATE)
    said = await told(database)
    assert {template: audience for template, (audience, _) in said.items()} == {
        "registered": "customer",
        "assigned": "handler",
        "late": "gm_office",
    }
    _, to_customer = said["registered"]
    assert to_customer.count("很抱歉") == 1
    assert "登记时已超过应答复的时间" in to_customer
    assert not re.search(r"\d+月\d+日", to_customer)
    assert "响应期限11月10日（周二）12:00已过，请马上与客户联系" in said["assigned"][1]
    assert "登记时响应、解决已逾期" in said["late"][1]
    assert issue.level == 3


async def test_the_ledger_says_that_it_was_broken_by_the_customers_clock_and_no_clock_rings_again(
    recording: Recording, database: Pool
) -> None:
    issue = await opened(recording, LATE)
    rows = await database.fetch(
        "SELECT kind, outcome, due_at, ended_at FROM promises ORDER BY kind"
    )
    assert [(row["kind"], row["outcome"], row["ended_at"]) for row in rows] == [
        ("resolution", PromiseEnd.BROKEN, None),
        ("response", PromiseEnd.BROKEN, None),
    ]
    assert all(row["due_at"] < MONDAY for row in rows)
    assert [promise.next_threshold for promise in issue.promises] == [None, None]
    seen = await issue_reader.state(database, issue.id)
    assert seen is not None
    assert seen.steps[0].note.startswith("登记时已逾期 overdue when registered: resp")
    content = await database.fetchval("SELECT content FROM issue_events")
    every = ["75%", "100%", "+2h", "+1 working day"]
    assert content == {"missed": {"response.1": every, "resolution.1": every}}


async def test_what_was_missed_by_little_is_told_the_next_above_and_what_is_ahead_is_promised(
    recording: Recording, database: Pool
) -> None:
    issue = await opened(recording, timedelta(hours=72))  # on Friday at ten
    said = await told(database)
    assert said["late"][0] == "manager"  # the working day after it was due is not over
    assert "预计11月25日18:00前给您结果" in said["registered"][1]
    assert "与您联系" not in said["registered"][1].partition("很抱歉")[0]
    assert issue.promise(PromiseKind.RESOLUTION).next_threshold.name == "75%"  # type: ignore[union-attr]


async def test_an_issue_that_comes_in_time_says_nothing_of_lateness(
    recording: Recording, database: Pool
) -> None:
    await opened(recording, timedelta())
    said = await told(database)
    assert set(said) == {"registered", "assigned"}
    assert "抱歉" not in said["registered"][1]
    assert await database.fetchval("SELECT content FROM issue_events") == {}


async def test_what_the_hotline_tries_too_late_is_passed_on_by_its_own_clock(
    recording: Recording,
) -> None:
    issue = await opened(recording, LATE, answering=True)
    held = issue.promise(PromiseKind.HAND_OVER)
    assert held is not None
    assert (held.end, held.reached) == (PromiseEnd.OPEN, 0)


async def test_nobody_on_duty_is_said_as_it_is_to_customer_and_lead(
    recording: Recording, database: Pool
) -> None:
    # The business unit works by day; it is night.
    at = MONDAY.replace(hour=23)
    intake = an_intake(reported_at=at, occurred_at=None, region="广东", category="commerce")
    for person in ("su.mingzhe", "pan.ting"):
        await database.execute("UPDATE members SET shift = 'desk' WHERE id = $1", person)
    await recording.record_step(register(intake, at).model_copy(update={"run": "run-1"}))
    said = await told(database)
    again = "11月24日（周二）09:00"
    assert "现无人值班，已交负责人" in said["registered"][1]
    full = await database.fetchval("SELECT full_text FROM outbox WHERE template = 'registered'")
    assert f"目前没有值班人员，已交负责人安排，{again}起有人到岗。" in full
    assert "已安排专人处理" not in full
    assert f"{again}有人上班时会再次分派" in said["unassigned"][1]


async def test_a_product_that_nobody_can_do_is_said_as_it_is(
    recording: Recording, database: Pool
) -> None:
    await opened(recording, timedelta(), product_line="DRONE")
    said = await told(database)
    assert "现无人值班，已交负责人" in said["registered"][1]
    assert "名册上技术服务部无人能做DRONE（广东）" in said["unassigned"][1]


async def test_a_promise_kept_by_own_word_says_so_in_ledger_view_and_a_message(
    recording: Recording, database: Pool
) -> None:
    issue = await opened(recording, timedelta(hours=3), severity="major", reference="r-9")
    assert issue.engineer is not None
    by = Actor(id=issue.engineer.id, role=Role.ENGINEER)
    response = issue.promise(PromiseKind.RESPONSE)
    assert response is not None
    act = Accept(by=by, at=response.due_at)
    step = decide(issue, ActionName.ACCEPT, act, MONDAY + timedelta(hours=1), "u-1")
    await recording.record_step(step.model_copy(update={"run": "run-1"}))
    row = await database.fetchrow("SELECT * FROM promises WHERE kind = 'response'")
    assert row is not None
    assert (row["outcome"], row["own_word_at"]) == ("kept", MONDAY + timedelta(hours=1))
    seen = await issue_reader.issue(database, issue.id)
    assert seen is not None
    assert [p.kind for p in seen.promises if p.by_own_word] == [PromiseKind.RESPONSE]
    word = await database.fetchrow("SELECT * FROM outbox WHERE template = 'own_word'")
    assert word is not None
    assert (word["audience"], word["recipient"]) == ("lead", "zhou.jianguo")
    assert f"的响应承诺逾期后，{issue.engineer.name}补报11月23日（周一）07:30已做到" in word["body"]
