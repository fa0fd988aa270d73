"""Finding issues on real PostgreSQL: by what, in which order, and by whom."""

from __future__ import annotations

import re
import runpy
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from domain.attachments import Attachment, Limits, ShownTo
from domain.files.kinds import FileKind
from domain.finding import Answer, FoundBy
from domain.issue.actions import ActionName
from domain.issue.state import Issue
from domain.issue.view import view
from domain.staff.access import CALLERS, Caller, Right, may
from domain.vocabulary import Actor, Role
from inbound.files.roster import read_roster
from runtime import rulebook
from runtime.revisions import SCRIPTS
from runtime.settings import ROOT
from store import attachments, finding, issue_reader, issue_words, kept_words, roster, rulebooks
from store.connection import Pool
from store.finding import Searcher
from store.kept_words import Kept, Why
from tests.activities.test_links_in_messages import CLERK, CUSTOMER, Desk, handler

OPERATOR = Searcher.operator()
AGENT = Actor(id="07", role=Role.AGENT)
BY_TELEPHONE = {"reached": True, "told": "已去电回复"}
"""To whom nothing can be written, as at a landline, the agent brings the result (R34)."""


@pytest.fixture
async def desk(database: Pool) -> Desk:
    current = rulebook.load(ROOT / "policies" / "standard.toml")
    async with database.acquire() as connection, connection.transaction():
        await roster.replace(connection, read_roster(ROOT / "examples" / "roster"))
        await rulebooks.adopt(connection, current, by="test", note="")
    return Desk(database)


async def opened(desk: Desk, n: int = 1, **changes: Any) -> Issue:
    """Register an issue; a minute later than the one before."""
    desk.now += timedelta(minutes=1)
    customer = {"name": "林先生", "organisation": "越秀支行", "phone": "+86 20 5550 0101"}
    usual: dict[str, Any] = {"reference": f"r-{n}", "title": "机器不工作"}
    usual |= {"description": "没说什么"}
    usual |= {"model": None, "serial_number": None, "site": None}
    return await desk.open(**usual | {"customer": customer} | changes)


async def numbers(desk: Desk, typed: str, who: Searcher = OPERATOR, **more: Any) -> list[str]:
    return [each.number for each in (await answer(desk, typed, who, **more)).found]


async def answer(desk: Desk, typed: str, who: Searcher = OPERATOR, **more: Any) -> Answer:
    return await finding.find(desk.pool, who, typed, **more)


# By what ------------------------------------------------------------------------------------------


async def test_an_issue_is_found_by_its_number_and_by_its_end(desk: Desk) -> None:
    first, second = await opened(desk, 1), await opened(desk, 2)
    for typed in (second.number, second.number.replace("-", "－"), f"问题{second.number}"):
        assert await numbers(desk, typed) == [second.number]
    tail = second.number.partition("-")[2]
    assert await numbers(desk, tail) == [second.number]
    assert await numbers(desk, second.number[-4:]) == [second.number]
    assert await numbers(desk, first.number[-4:]) == [first.number]
    (found,) = (await answer(desk, tail)).found
    assert (found.by, found.customer) == ((FoundBy.NUMBER,), None)


@pytest.mark.parametrize(
    "typed", ["020 5550 0101", "+86 20 55500101", "0086-20-5550-0101", "5550 0101", "０１０１"]
)
async def test_an_issue_is_found_by_its_telephone_however_it_is_spelt(
    desk: Desk, typed: str
) -> None:
    issue = await opened(desk)
    other = {"name": "别人", "phone": "+86 138 0000 7788"}
    await opened(desk, 2, customer=other)
    (found,) = (await answer(desk, typed)).found
    assert (found.number, found.by) == (issue.number, (FoundBy.TELEPHONE,))
    assert found.customer
    assert "越秀支行" in found.customer.text


@pytest.mark.parametrize(
    ("typed", "marked"),
    [
        ("越秀支行", ["越秀支行"]),
        ("越秀", ["越秀"]),
        ("林先生", ["林先生"]),
        ("越秀支行 林先生", ["越秀支行", "林先生"]),
        ("Zhan", []),
        ("zhang wei", ["Zhang", "Wei"]),
    ],
)
async def test_an_issue_is_found_by_its_customer(desk: Desk, typed: str, marked: list[str]) -> None:
    customer = {"name": "林先生", "organisation": "越秀支行", "contact": "Zhang Wei"}
    issue = await opened(desk, customer=customer | {"phone": "13800000001"})
    await opened(desk, 2, customer={"name": "别人", "phone": "+86 138 0000 7788"})
    (found,) = (await answer(desk, typed)).found
    assert found.number == issue.number
    assert FoundBy.CUSTOMER in found.by
    assert found.customer
    assert [piece for piece, hit in found.customer.pieces if hit] == marked


async def test_a_customer_who_was_corrected_is_found_by_what_they_are_and_by_what_they_were(
    desk: Desk,
) -> None:
    issue = await opened(desk)
    said = {"organisation": "荔湾支行", "phone": "+86 20 5550 0199", "serial_number": "SN-0815"}
    await desk.take(issue, ActionName.AMEND, AGENT, **said)
    for typed in ("荔湾支行", "越秀支行", "5550 0199", "SN0815", "5550 0101"):
        assert await numbers(desk, typed) == [issue.number], typed
    state = await issue_reader.state(desk.pool, issue.id)
    assert state
    for role in CALLERS:  # by what it was as far as the thread shows that
        shown = may(caller(role), Right.READ_INTERNAL, view(state))
        for typed in ("越秀支行", "5550 0101"):
            found = await numbers(desk, typed, Searcher.of(caller(role)))
            assert (found == [issue.number]) == shown, f"{role} {typed}"


async def lived(desk: Desk, n: int = 1, **changes: Any) -> Issue:
    """An issue in which much was said."""
    issue = await opened(desk, n, title="出钞口卡钞", description="每取三次卡一次", **changes)
    engineer = handler(issue)
    issue = await desk.take(issue, ActionName.ACCEPT, engineer)
    issue = await desk.take(issue, ActionName.REPORT_PROGRESS, engineer, note="备件在途")
    issue = await desk.take(
        issue, ActionName.CONSULT, engineer, question="主板要更换吗", experts=("deng.wei",)
    )
    issue = await desk.take(issue, ActionName.CONSULT, engineer, advice="先刷新固件")
    said = {"result": "更换传送皮带", "cause": "橡胶老化"}
    issue = await desk.take(issue, ActionName.RESOLVE, engineer, **said)
    issue = await desk.take(issue, ActionName.CONTACT_CUSTOMER, AGENT, **BY_TELEPHONE)
    return await desk.take(
        issue, ActionName.REPORT_TEST, CUSTOMER, worked=False, words="屏幕全黑了"
    )


WORDS = {
    "出钞口": "title",
    "三次": "description",
    "备件": "note",
    "主板": "question",
    "刷新固件": "advice",
    "传送皮带": "result",
    "老化": "cause",
    "全黑": "words",
    "SN4711": "serial_number",
}


@pytest.mark.parametrize("typed", WORDS)
async def test_an_issue_is_found_by_whatever_was_said_about_it(desk: Desk, typed: str) -> None:
    issue = await lived(desk, serial_number="SN-4711")
    await opened(desk, 2)
    (found,) = (await answer(desk, typed)).found
    assert (found.number, found.by) == (issue.number, (FoundBy.WORDS,))
    if WORDS[typed] == "title":
        assert found.title.marks
    else:
        assert found.hits[0].field == WORDS[typed]
        assert found.hits[0].passage.marks


async def test_words_of_several_steps_and_of_the_customer_find_it_together(desk: Desk) -> None:
    issue = await lived(desk)
    await lived(desk, 2, customer={"name": "别人", "phone": "+86 20 5550 0188"})
    assert await numbers(desk, "越秀支行 传送皮带 全黑") == [issue.number]
    assert await numbers(desk, "越秀支行 传送带") == []


async def test_what_is_kept_with_an_issue_finds_it(desk: Desk) -> None:
    issue = await opened(desk)
    kept = Kept(
        key="added:1",
        issue_id=issue.id,
        at=desk.now,
        door="page",
        subject="补充",
        body="门禁密码改了",
        why=Why.ADDED,
    )
    assert await kept_words.keep(desk.pool, kept)
    assert not await kept_words.keep(desk.pool, kept)
    (found,) = (await answer(desk, "门禁密码")).found
    assert (found.number, found.hits[0].action) == (issue.number, None)


async def attached(desk: Desk, issue_id: str, name: str, shown_to: ShownTo) -> Attachment:
    one = Attachment(
        id=f"{name} of {issue_id}",
        issue_id=issue_id,
        at=desk.now,
        actor="07",
        role=Role.AGENT,
        door="page",
        name=name,
        kind=FileKind.JPEG,
        size=7,
        digest="d" * 64,
        shown_to=shown_to,
    )
    async with desk.pool.acquire() as connection, connection.transaction():
        return await attachments.add(connection, one, Limits())


async def test_what_is_attached_finds_its_issue_by_what_it_is_called_as_long_as_it_is_kept(
    desk: Desk,
) -> None:
    await attached(desk, "issue:web:r-1", "门锁特写.jpg", ShownTo.CUSTOMER)  # before its issue
    issue = await opened(desk)
    await attached(desk, issue.id, "IMG_4711.jpg", ShownTo.STAFF)
    for typed in ("门锁特写", "img4711", "IMG_4711.jpg"):
        (found,) = (await answer(desk, typed)).found
        assert (found.number, found.hits[0].field) == (issue.number, "file"), typed
        assert found.hits[0].passage.marks
    web = Searcher.of(caller(Role.INTAKE))
    assert await numbers(desk, "门锁特写", web) == [issue.number]
    assert await numbers(desk, "IMG_4711", web) == []
    assert await attachments.forget(desk.pool, desk.now + timedelta(days=1)) == 0
    await desk.pool.execute(
        "UPDATE issues SET closed_at = $1, stage = 'closed', outcome = 'withdrawn'", desk.now
    )
    assert await attachments.forget(desk.pool, desk.now + timedelta(days=1)) == 2
    assert await numbers(desk, "门锁特写") == []


async def test_what_nothing_has_whole_is_found_by_nearly_all_of_it(desk: Desk) -> None:
    issue = await lived(desk)
    exact = await answer(desk, "更换皮带")
    assert exact.nearly
    assert [each.number for each in exact.found] == [issue.number]
    assert not (await answer(desk, "传送皮带")).nearly
    assert (await answer(desk, "卡纸")).found == ()


async def test_what_is_too_short_is_said_to_be(desk: Desk) -> None:
    await lived(desk)
    for typed in ("卡", "7", "", "，", "a b"):
        assert (await answer(desk, typed)).short


# In which order -----------------------------------------------------------------------------------


async def test_the_very_number_comes_first_then_what_is_open_then_the_newest(desk: Desk) -> None:
    old, closed, new = [await opened(desk, n, title="出钞口卡钞") for n in (1, 2, 3)]
    await desk.take(closed, ActionName.WITHDRAW, CUSTOMER, reason="好了")
    assert await numbers(desk, "卡钞") == [new.number, old.number, closed.number]
    about = await opened(desk, 4, description=f"和 {old.number} 一样")
    assert await numbers(desk, old.number) == [old.number]
    assert await numbers(desk, old.number[-4:]) == [about.number, old.number]


async def test_of_many_no_more_are_shown_than_wanted_and_that_is_said(desk: Desk) -> None:
    issues = [await opened(desk, n, title="出钞口卡钞") for n in range(4)]
    found = await answer(desk, "卡钞", limit=3)
    assert [each.number for each in found.found] == [each.number for each in issues[:0:-1]]
    assert found.more
    assert not (await answer(desk, "卡钞", limit=4)).more


async def test_what_is_beyond_the_newest_is_found_by_the_index(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finding, "_AT_A_GLANCE", 1)
    monkeypatch.setattr(finding, "_NEWEST", 1)
    old = await lived(desk)
    for n in range(2, 5):
        await opened(desk, n)
    for typed in WORDS:
        if typed != "SN4711":
            assert await numbers(desk, typed) == [old.number], typed
    assert await numbers(desk, "越秀支行 传送皮带 全黑") == [old.number]


async def test_what_nearly_every_issue_has_is_looked_through_in_part_and_that_is_said(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finding, "_AT_A_GLANCE", 1)
    monkeypatch.setattr(finding, "_NEWEST", 1)
    monkeypatch.setattr(finding, "_CANDIDATES", 2)
    issues = [await opened(desk, n, title="出钞口卡钞") for n in range(5)]
    found = await answer(desk, "卡钞", limit=4)
    assert found.partly
    assert found.found[0].number == issues[-1].number
    rare = await opened(desk, 9, title="出钞口卡钞，皮带断裂")
    await opened(desk, 10)
    both = await answer(desk, "卡钞 皮带断裂")
    assert not both.partly
    assert [each.number for each in both.found] == [rare.number]


# By whom ------------------------------------------------------------------------------------------

STAFF = {
    Role.INTAKE: ("web", None),
    Role.AGENT: ("07", "customer_service"),
    Role.ENGINEER: ("liang.jiahao", "technical_service"),
    Role.CLERK: ("fan.meiling", "customer_service"),
    Role.LEAD: ("zhou.jianguo", "technical_service"),
    Role.MANAGER: ("sun.li", "technical_service"),
    Role.GM_OFFICE: ("tian.hui", "general_office"),
    Role.AUDITOR: ("audit", None),
}
TAKES = {
    "出钞口": Right.SEE,
    "备件": Right.READ_WORK,
    "三次": Right.READ_CONVERSATION,
    "全黑": Right.READ_CONVERSATION,
    "主板": Right.READ_INTERNAL,
    "刷新固件": Right.READ_INTERNAL,
    "传送皮带": Right.SEE,
    "越秀支行": Right.SEE_CUSTOMER,
    "55500101": Right.SEE_CUSTOMER,
}
"""Which right it takes to find the issue by what was said in it."""


def caller(role: Role) -> Caller:
    id_, department = STAFF[role]
    return Caller(id=id_, role=role, name=id_, department=department)


@pytest.mark.parametrize("newest", [1_000, 0], ids=["newest", "index"])
@pytest.mark.parametrize("role", CALLERS)
async def test_everybody_finds_what_they_reach_by_what_they_may_read_and_nothing_else(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, role: Role, newest: int
) -> None:
    monkeypatch.setattr(finding, "_AT_A_GLANCE", newest)
    monkeypatch.setattr(finding, "_NEWEST", newest)
    own = await lived(desk, 1, source="web")
    await desk.pool.execute("UPDATE issues SET engineer = 'liang.jiahao', engineer_name = 'L'")
    foreign = await lived(desk, 2, source="chat", category="software")
    called = await lived(desk, 3, source="chat", category="software")
    called = await desk.take(called, ActionName.RESOLVE, handler(called), result="再次更换")
    called = await desk.take(called, ActionName.CONTACT_CUSTOMER, AGENT, **BY_TELEPHONE)
    who = caller(role)
    for issue in (own, foreign, called):
        state = await issue_reader.state(desk.pool, issue.id)
        assert state
        seen = view(state)
        for typed, right in TAKES.items():
            expected = may(who, right, seen) and may(who, Right.SEE, seen)
            found = await numbers(desk, typed, Searcher.of(who))
            assert (issue.number in found) == expected, f"{role} {typed} {issue.id} {found}"
        by_number = await answer(desk, issue.number, Searcher.of(who))
        assert [e.number for e in by_number.found] == [issue.number] * may(who, Right.SEE, seen)
        assert not any(each.private for each in by_number.found)


async def test_nothing_is_shown_of_an_issue_that_its_finder_may_not_read(desk: Desk) -> None:
    """The words of a customer who wrote of the same as an engineer did."""
    issue = await opened(desk, title="传送皮带", description="传送皮带断了")
    await desk.take(issue, ActionName.REPORT_PROGRESS, handler(issue), note="传送皮带在途")
    auditor = Searcher.of(caller(Role.AUDITOR))
    (found,) = (await answer(desk, "传送皮带", auditor)).found
    assert {hit.field for hit in found.hits} == {"note"}
    (all_,) = (await answer(desk, "传送皮带")).found
    assert {hit.field for hit in all_.hits} == {"note", "description"}


@pytest.mark.parametrize("role", CALLERS)
async def test_what_a_stranger_wrote_finds_it_for_whoever_reads_that(
    desk: Desk, role: Role
) -> None:
    issue = await opened(desk)
    said = {"words": "我家的猫不见了", "sender": "x@example.com", "known": False}
    await desk.take(issue, ActionName.CUSTOMER_WROTE, CUSTOMER, **said)
    state = await issue_reader.state(desk.pool, issue.id)
    assert state
    reads = may(caller(role), Right.READ_INTERNAL, view(state))
    assert await numbers(desk, "猫不见了", Searcher.of(caller(role))) == [issue.number] * reads


# Words of before ----------------------------------------------------------------------------------


async def test_words_of_before_are_found_once_the_audit_was_there_and_just_as_those_of_now(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_today: set[tuple[Any, ...]] = set()

    def unwritten(*said: Any, **where: Any) -> list[issue_words.Row]:
        for row in written_down(*said, **where):
            terms = frozenset(re.findall("'(.+?)'", row["search"]))
            of_today.add((*(row[name] for name in ("issue_id", "seq", "kept", "takes")), terms))
        return []

    written_down = issue_words.rows
    monkeypatch.setattr(issue_words, "rows", unwritten)
    issue = await lived(desk, serial_number="SN-4711", site="天河北路 5 号")
    kept = Kept(
        key="k", issue_id=issue.id, at=desk.now, door="mailbox", body="又来信", why=Why.SAME_ID
    )
    await kept_words.keep(desk.pool, kept)
    await attached(desk, issue.id, "门锁特写.jpg", ShownTo.STAFF)
    amended = {"organisation": "荔湾支行", "serial_number": "SN-0815"}
    issue = await desk.take(issue, ActionName.AMEND, AGENT, **amended)
    monkeypatch.undo()
    await desk.pool.execute("UPDATE issues SET worded = 0")
    assert await numbers(desk, "传送皮带") == []
    # A step of today does not hide that those before are still to be written.
    issue = await desk.take(issue, ActionName.ESCALATE, CLERK, reason="客户急用")
    assert await numbers(desk, "急用") == [issue.number]
    assert await issue_words.behind(desk.pool) == 1
    assert await issue_words.catch_up(desk.pool, timedelta(seconds=30)) == 1
    assert await issue_words.behind(desk.pool) == 0
    assert await numbers(desk, "传送皮带 急用") == [issue.number]
    assert await numbers(desk, "越秀支行 门锁特写") == [issue.number]
    rows = await desk.pool.fetch("SELECT *, tsvector_to_array(search) AS terms FROM issue_words")
    found = {(r["issue_id"], r["seq"], r["kept"], r["takes"], frozenset(r["terms"])) for r in rows}
    assert of_today
    assert {row for row in found if row[1] < issue.seq} == of_today
    assert await issue_words.catch_up(desk.pool, timedelta(seconds=30)) == 0


async def test_what_was_written_down_for_others_than_its_readers_is_done_again(
    desk: Desk, owner: asyncpg.Connection[Any]
) -> None:
    issue = await opened(desk)
    said = {"words": "我家的猫不见了", "known": False}
    issue = await desk.take(issue, ActionName.CUSTOMER_WROTE, CUSTOMER, **said)
    await attached(desk, issue.id, "门锁特写.jpg", ShownTo.STAFF)
    other = await opened(desk, 2, title="出钞口卡钞")
    await owner.execute("DELETE FROM issue_words WHERE seq = 0")
    await owner.execute(
        "UPDATE issue_words SET takes = $1 WHERE seq = $2", Right.READ_CONVERSATION, issue.seq
    )
    revision = runpy.run_path(str(SCRIPTS / "versions" / "0027_found_again.py"))
    await owner.execute(revision["DONE_AGAIN"])
    assert await issue_words.behind(desk.pool) == 1
    assert await numbers(desk, "卡钞") == [other.number]
    await issue_words.catch_up(desk.pool, timedelta(seconds=30))
    web = Searcher.of(caller(Role.INTAKE))
    assert await numbers(desk, "猫不见了", web) == []
    assert await numbers(desk, "猫不见了") == await numbers(desk, "门锁特写") == [issue.number]
