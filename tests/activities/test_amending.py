"""Correcting a customer's data on real PostgreSQL (R44): what waits goes to the right address."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

import pytest

from activities.redirecting import CALLED_BACK
from domain.errors import Refused
from domain.issue.act import ActionName
from domain.issue.folding import folded, ledger_differences
from domain.issue.intake import differing
from domain.issue.lifecycle import decide, register
from domain.issue.notes import Amend
from domain.issue.state import Issue
from domain.links import Link
from domain.vocabulary import Actor, Role
from store import auditing, issue_reader, issue_writer, outbox
from store.connection import Pool
from store.rewriting import write_again
from tests.activities.test_links_in_messages import Desk, handler
from tests.support.builders import LINKS

MONDAY = datetime.fromisoformat("2026-11-23T10:00+08:00")
AGENT = Actor(id="07", role=Role.AGENT)
WRONG, RIGHT = "+8613800000001", "+8613900000002"
_LINK = re.compile(r"https://desk\.example/l/(\S+)$", re.MULTILINE)

pytestmark = pytest.mark.usefixtures("recording")


def a_customer(**changes: Any) -> dict[str, Any]:
    return {"name": "张伟", "organisation": "浦江商业银行", "phone": WRONG} | changes


async def amend(desk: Desk, issue: Issue, **said: Any) -> Issue:
    return await desk.take(issue, ActionName.AMEND, AGENT, **said)


async def to_customer(desk: Desk, issue: Issue) -> dict[str, Any]:
    rows = await desk.pool.fetch(
        "SELECT * FROM outbox WHERE issue_id = $1 AND audience = 'customer' ORDER BY seq", issue.id
    )
    return {row["template"]: row for row in rows}


def link_in(body: str) -> Link:
    (text,) = _LINK.findall(body)
    return LINKS.signer.read_link(text, MONDAY)


def opens(link: Link, issue: Issue) -> bool:
    return link.is_of(issue.id, issue.registered_at, issue.redirected)


async def test_what_is_not_sent_yet_goes_to_the_corrected_number_with_links_that_open(
    database: Pool,
) -> None:
    desk = Desk(database)
    issue = await desk.open(customer=a_customer())
    before = link_in((await to_customer(desk, issue))["registered"]["body"])
    assert opens(before, issue)
    issue = await amend(desk, issue, phone=RIGHT, reason="来电更正")
    told = await to_customer(desk, issue)
    assert {name: row["address"] for name, row in told.items()} == {
        "registered": RIGHT,
        "amended": RIGHT,
    }
    assert [row["status"] for row in told.values()] == ["pending", "pending"]
    assert all(opens(link_in(row["body"]), issue) for row in told.values())
    assert not opens(before, issue)
    assert before.went_astray(issue.id, issue.redirected)
    assert await database.fetchval("SELECT phone FROM issues") == RIGHT


async def test_what_waits_is_written_anew_for_the_way_it_goes_now(database: Pool) -> None:
    """By letter there is more room than in a text, and another language is other words."""
    desk = Desk(database)
    issue = await desk.open(customer=a_customer())
    said = {"email": "zhang@customer.example", "remove": ("phone",), "language": "en"}
    issue = await amend(desk, issue, **said, name="Zhang Wei")
    row = (await to_customer(desk, issue))["registered"]
    assert (row["channel"], row["address"]) == ("email", "zhang@customer.example")
    assert row["subject"].endswith(f"Issue {issue.number} is registered")
    assert "Dear Zhang Wei, " in row["body"]
    assert row["full_text"] is None


async def test_whom_nobody_can_write_to_any_more_the_agent_is_to_telephone(database: Pool) -> None:
    desk = Desk(database)
    issue = await desk.open(customer=a_customer())
    await amend(desk, issue, phone="+862055500101")
    row = (await to_customer(desk, issue))["registered"]
    assert row["recipient"] == "07"
    assert row["key"].endswith(":registered:customer"), "somebody waits for it by its key"
    assert "+862055500101" in row["body"] or "张伟" in row["body"]


async def test_what_is_being_sent_just_now_is_not_tried_again_and_told_at_the_right_number(
    database: Pool,
) -> None:
    desk = Desk(database)
    issue = await desk.open(customer=a_customer())
    key = (await to_customer(desk, issue))["registered"]["key"]
    await outbox.claim(database, [key])
    issue = await amend(desk, issue, phone=RIGHT)
    told = await to_customer(desk, issue)
    row = told["registered"]
    assert (row["status"], row["address"], row["last_error"]) == ("unknown", WRONG, CALLED_BACK)
    assert "已登记" in told["amended"]["full_text"], "what did not reach them"
    assert await outbox.settle(database, [outbox.failed(key, "no such number")]) == set()
    assert await outbox.unsettled(database, [key]) == [key], "a person hears of it"
    assert await outbox.settle(database, [outbox.delivered(key, MONDAY)]) == {key}
    assert (await to_customer(desk, issue))["registered"]["address"] == WRONG


async def test_what_is_being_sent_to_the_right_address_goes_on(database: Pool) -> None:
    desk = Desk(database)
    issue = await desk.open(customer=a_customer())
    key = (await to_customer(desk, issue))["registered"]["key"]
    await outbox.claim(database, [key])
    issue = await amend(desk, issue, name="张为")
    assert (await to_customer(desk, issue))["registered"]["status"] == "sending"


async def test_what_was_looked_at_before_the_correction_is_looked_at_again(database: Pool) -> None:
    """Between the look and the claim somebody corrects the number: it does not go to the old."""
    desk = Desk(database)
    issue = await desk.open(customer=a_customer())
    key = (await to_customer(desk, issue))["registered"]["key"]
    (queue,) = await outbox.look(database, [[key]], MONDAY)
    if queue.unprepared:
        await outbox.prepare(database, [key], MONDAY)
        (queue,) = await outbox.look(database, [[key]], MONDAY + timedelta(seconds=1))
    (posting,) = queue.ready
    assert posting.address == WRONG
    await amend(desk, issue, phone=RIGHT)
    assert await outbox.claim(database, [key], [posting.revision]) == set()
    assert await outbox.still_waiting(database, [key]) == {key}
    assert await outbox.claim(database, [key], [posting.revision + 1]) == {key}


async def test_what_a_person_was_given_stays_theirs_and_is_read_at_the_right_number(
    database: Pool,
) -> None:
    desk = Desk(database)
    issue = await desk.open(customer=a_customer())
    key = (await to_customer(desk, issue))["registered"]["key"]
    await outbox.claim(database, [key])
    await outbox.settle(database, [outbox.refused(key, "no such number")])
    async with database.acquire() as connection:
        await outbox.bring_by_hand(connection, [key], "zhou.jianguo", MONDAY)
    issue = await amend(desk, issue, phone=RIGHT)
    told = await to_customer(desk, issue)
    assert told["registered"]["status"] == "handed_over"
    assert "已登记" in told["amended"]["full_text"]
    assert "张伟" not in told["amended"]["full_text"], "links are passed on (R30)"


async def test_a_machine_that_was_written_down_wrong_moves_no_message(database: Pool) -> None:
    desk = Desk(database)
    issue = await desk.open(customer=a_customer())
    before = dict((await to_customer(desk, issue))["registered"])
    issue = await amend(desk, issue, serial_number="SN-9", site="二楼")
    told = await to_customer(desk, issue)
    assert list(told) == ["registered"]
    same = {"key", "channel", "address", "body", "full_text"}
    assert {name: told["registered"][name] for name in same} == {n: before[n] for n in same}
    row = await database.fetchrow("SELECT serial_number, site, phone, redirected FROM issues")
    assert row is not None
    assert tuple(row) == ("SN-9", "二楼", WRONG, 0)


async def test_workflow_register_and_events_say_the_same_after_corrections(database: Pool) -> None:
    desk = Desk(database)
    issue = await desk.open(customer=a_customer())
    issue = await amend(desk, issue, phone=RIGHT, site="二楼")
    issue = await desk.take(issue, ActionName.ACCEPT, handler(issue))
    issue = await amend(desk, issue, remove=("site", "organisation"), language="en")
    stands = await issue_reader.state(database, issue.id)
    assert stands is not None
    same = {"intake", "was", "redirected", "last_at", "stage", "seq"}
    assert stands.model_dump(include=same) == issue.model_dump(include=same)
    async with database.acquire() as connection:
        (papers,) = await auditing.papers(connection, [issue.id])
    assert folded(papers.intake, papers.recorded).intake == issue.intake
    assert list(ledger_differences(issue, papers.standing)) == []


async def test_a_correction_that_the_row_has_lost_is_found_and_written_again(
    database: Pool,
) -> None:
    desk = Desk(database)
    issue = await desk.open(customer=a_customer())
    issue = await amend(desk, issue, phone=RIGHT)
    await database.execute("UPDATE issues SET phone = $1, redirected = 0", WRONG)
    async with database.acquire() as connection, connection.transaction():
        (papers,) = await auditing.papers(connection, [issue.id])
        known = folded(papers.intake, papers.recorded)
        assert set(ledger_differences(known, papers.standing)) == {"phone", "redirected"}
        case = await issue_writer.case(connection, issue.id)
        await write_again(connection, case, papers.recorded, known)
    row = await database.fetchrow("SELECT phone, redirected FROM issues")
    assert row is not None
    assert tuple(row) == (RIGHT, 1)


async def test_a_repeat_of_the_first_intake_is_told_by_what_was_sent_and_undoes_nothing(
    database: Pool,
) -> None:
    desk = Desk(database)
    sent = (await desk.open(customer=a_customer())).intake
    issue = await issue_reader.state(database, sent.issue_id)
    assert issue is not None
    issue = issue.model_copy(update={"intake": sent, "last_at": MONDAY})
    issue = await amend(desk, issue, phone=RIGHT, remove=("organisation",))
    async with database.acquire() as connection:
        first = await issue_reader.intake(connection, issue.id)
    assert first is not None
    assert first.digest == sent.digest
    assert differing(first, sent) == ()
    again = register(sent, MONDAY).model_copy(update={"run": "run-1"})
    recorded = await desk.recording.record_step(again)
    assert recorded.intake_digest == sent.digest
    assert await database.fetchval("SELECT phone FROM issues") == RIGHT


async def test_a_correction_asked_for_twice_is_made_once(database: Pool) -> None:
    desk = Desk(database)
    issue = await desk.open(customer=a_customer())
    act = Amend(by=AGENT, phone=RIGHT)
    step = decide(issue, ActionName.AMEND, act, MONDAY + timedelta(minutes=1), "u-1")
    step = step.model_copy(update={"run": "run-1"})
    first = await desk.recording.record_step(step)
    assert await desk.recording.record_step(step) == first
    assert await database.fetchval("SELECT redirected FROM issues") == 1


async def test_who_corrects_cannot_leave_a_customer_whom_nobody_reaches(database: Pool) -> None:
    desk = Desk(database)
    issue = await desk.open(customer=a_customer())
    with pytest.raises(Refused, match="phone"):
        await amend(desk, issue, remove=("phone",))
    assert await database.fetchval("SELECT count(*) FROM issue_events") == 1
