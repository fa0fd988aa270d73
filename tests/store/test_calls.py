"""The register of calls on PostgreSQL (R45): once each, all or none, with their issue."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from typing import Any

import pytest

from domain.calls import PhoneCall, Told
from domain.errors import Refused
from domain.issue.thread import CUSTOMER, Reader, read_by
from store import calls, thread
from store.connection import Pool
from tests.store.test_registers import read
from tests.support.filled import DAY, MONDAY, an_issue

MINUTE = timedelta(minutes=1)
PHONE = "+86 138 0000 1234"
"""The customer's of every issue here."""
NUMBER = "20261123-07-0001"


def a_call(id_: str = "4711", **said: Any) -> PhoneCall:
    usual = {"id": id_, "at": MONDAY, "number": PHONE, "talk_seconds": 214, "ring_seconds": 6}
    return PhoneCall.model_validate(usual | said)


async def record(database: Pool, *sent: PhoneCall, source: str = "pbx") -> Told:
    return await calls.record(database, source, sent, MONDAY + MINUTE)


async def kept(database: Pool) -> list[PhoneCall]:
    found = await calls.listed(database, None, None, lost=False)
    return [each.call for each in found]


async def test_r45_a_call_is_kept_once_however_often_and_by_however_many_it_is_sent(
    database: Pool,
) -> None:
    told = await asyncio.gather(*(record(database, a_call(), a_call("4712")) for _ in range(5)))
    assert sorted(each.new for each in told) == [0, 0, 0, 0, 2]
    assert {each.new + each.known for each in told} == {2}
    assert await record(database, a_call(), source="other") == Told(new=1, known=0)


async def test_r45_what_comes_later_is_added_and_what_differs_is_refused_with_all_of_its_batch(
    database: Pool,
) -> None:
    await record(database, a_call())
    await record(database, a_call(recording="rec/4711"))
    (call,) = await kept(database)
    assert (call.recording, call.talk_seconds) == ("rec/4711", 214)
    with pytest.raises(Refused, match=r"^calls\.1: id: 4711 .* else was said: talk_seconds$") as no:
        await record(database, a_call("4712"), a_call(talk_seconds=1))
    assert no.value.type == "OtherContent"
    with pytest.raises(Refused, match=r"^calls\.1\.issue: there is no issue 1-2-3$"):
        await record(database, a_call("4712"), a_call("4713", issue="1-2-3"))
    assert await kept(database) == [call]


async def test_r45_a_call_belongs_to_the_one_issue_that_its_number_has_open(
    database: Pool,
) -> None:
    await record(database, a_call("before"))
    issue = await an_issue(database, NUMBER)
    over = {"stage": "closed", "outcome": "solved", "answered": True, "closed_at": MONDAY - DAY}
    await an_issue(database, "20261120-07-0001", **over)
    await an_issue(database, "20261125-07-0001", registered_at=MONDAY + 2 * DAY)
    await record(database, a_call("then"), a_call("another", number="+86 139 0000 0000"))
    assert {call.id: call.issue for call in await kept(database)} == {
        "before": None,
        "then": NUMBER,
        "another": None,
    }
    assert [each.call.id for each in await calls.of_issues(database, [issue])] == ["then"]


async def test_r45_of_several_issues_somebody_says_which_one_a_call_was_about(
    database: Pool,
) -> None:
    await an_issue(database, NUMBER)
    await an_issue(database, "20261123-07-0002")
    await record(database, a_call())
    assert [call.issue for call in await kept(database)] == [None]
    for number in (NUMBER, "20261123-07-0002"):
        assert await record(database, a_call(issue=number)) == Told(new=0, known=1)
        assert [call.issue for call in await kept(database)] == [number]


async def test_r30_r45_a_thread_shows_the_call_to_all_and_the_recording_to_whoever_may_hear_it(
    database: Pool,
) -> None:
    issue = await an_issue(database, NUMBER)
    await record(database, a_call(agent="07", recording="https://rec.example/1"), a_call("lost"))
    async with database.acquire() as connection:
        page = await thread.after(connection, issue, {"07": "何晓彤"}, None, 10)
    first, _ = page.entries
    assert (first.sort, first.at, first.recorded_at) == ("call", MONDAY, MONDAY + MINUTE)
    assert (first.says("talk_seconds"), first.says("answered_by")) == (214, "07")
    may, auditor = Reader(True, True, True), Reader(False, True, False)
    assert read_by(may, [first])[0].says("recording") == "https://rec.example/1"
    (seen,) = read_by(auditor, [first])
    assert (seen.says("recording"), seen.says("talk_seconds")) == (None, 214)
    assert read_by(CUSTOMER, [first]) == []


async def test_r45_calls_of_a_period_are_listed_newest_first_or_only_the_lost_ones(
    database: Pool,
) -> None:
    lost = a_call("lost", at=MONDAY + DAY, talk_seconds=None)
    out = a_call("out", at=MONDAY + 2 * DAY, talk_seconds=None, direction="outgoing")
    await record(database, a_call(), lost, out)
    assert [call.id for call in await kept(database)] == ["out", "lost", "4711"]
    found = await calls.listed(database, None, None, lost=True)
    assert [each.call.id for each in found] == ["lost"]
    found = await calls.listed(database, MONDAY, MONDAY + DAY, lost=False)
    assert [each.call.id for each in found] == ["4711"]


async def test_r27_r45_telephone_statistics_know_lost_calls_and_how_long_people_talked(
    database: Pool,
) -> None:
    await an_issue(database, NUMBER, ring_seconds=5)
    await record(
        database,
        a_call("1", agent="07", talk_seconds=100),
        a_call("2", agent="07", talk_seconds=50),
        a_call("3", agent="07", talk_seconds=7, direction="outgoing"),
        *(a_call(f"lost {n}", talk_seconds=None) for n in range(2)),
    )
    theirs, nobodys = await read(database, "telephone")
    assert (theirs["day"], theirs["calls"], theirs["in_time"]) == (date(2026, 11, 23), 1, 1)
    assert (theirs["incoming"], theirs["outgoing"], theirs["lost"]) == (2, 1, 0)
    assert (theirs["talked"], theirs["longest_talk"], theirs["unknown"]) == (157, 100, 0)
    assert (nobodys["agent"], nobodys["calls"]) == (None, 0)
    assert (nobodys["incoming"], nobodys["lost"], nobodys["share_lost"]) == (2, 2, 1.0)
