"""The links that messages carry, as the register writes them: right ones, to the right people."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError

from activities.recording import Recording
from activities.wording import LINKS as CALLED
from activities.wording import TEMPLATES, without_links
from domain import sms
from domain.for_customers.saying import PROMISED
from domain.issue.actions import ACTIONS, ActionName
from domain.issue.lifecycle import decide, register, registered
from domain.issue.state import Issue
from domain.links import BETWEEN_OURSELVES, OFFERED, PURPOSES, Link, Purpose, mark_of
from domain.sla.promise import PromiseKind
from domain.vocabulary import DESK, Actor, Audience, Language, Role
from inbound.files.roster import read_roster
from runtime import rulebook
from runtime.settings import ROOT
from store import issue_reader, roster, rulebooks
from store.connection import Pool
from tests.activities.test_wording import FOR_CUSTOMERS
from tests.support.builders import LINKS, an_intake

MONDAY = datetime.fromisoformat("2026-11-23T10:00+08:00")
CUSTOMER = Actor(id="customer", role=Role.CUSTOMER)
CLERK = Actor(id="fan.meiling", role=Role.CLERK)
AGENT = Actor(id="07", role=Role.AGENT)
_ADDRESS = re.compile(r"(\S+?)(?:：|:? )https://desk\.example/l/(\S+)$", re.MULTILINE)


class Desk:
    """A recording on real PostgreSQL, and an issue that goes through it by real decisions."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.recording = Recording(pool, LINKS)
        self.now = MONDAY

    async def open(self, **changes: Any) -> Issue:
        usual = {"reported_at": self.now, "occurred_at": None, "channel": "telephone"}
        usual |= {"region": "广东"}
        intake = an_intake(**usual | changes)
        step = register(intake, self.now).model_copy(update={"run": "run-1"})
        return registered(intake, await self.recording.record_step(step))

    async def take(self, issue: Issue, name: ActionName, by: Actor, /, **said: Any) -> Issue:
        self.now += timedelta(minutes=1)
        act = ACTIONS[name].form.model_validate({"by": by} | said)
        step = decide(issue, name, act, self.now, f"u-{issue.seq}")
        recorded = await self.recording.record_step(step.model_copy(update={"run": "run-1"}))
        return recorded.applied_to(issue)

    async def messages(self, issue: Issue) -> dict[str, Any]:
        rows = await self.pool.fetch(
            "SELECT * FROM outbox WHERE issue_id = $1 AND seq = $2", issue.id, issue.seq
        )
        return {row["template"]: row for row in rows}

    async def links(self, issue: Issue) -> dict[str, list[Link]]:
        """Return what the messages of the last step carry, by their wording."""
        return {name: links_of(row["body"]) for name, row in (await self.messages(issue)).items()}


def links_of(body: str) -> list[Link]:
    return [LINKS.signer.read_link(text, MONDAY) for _, text in _ADDRESS.findall(body)]


def purposes(links: dict[str, list[Link]]) -> dict[str, list[str]]:
    return {name: [str(link.purpose) for link in found] for name, found in links.items()}


def handler(issue: Issue) -> Actor:
    assert issue.engineer
    return Actor(id=issue.engineer.id, role=Role.ENGINEER)


@pytest.fixture
async def desk(database: Pool) -> Desk:
    current = rulebook.load(ROOT / "policies" / "standard.toml")
    async with database.acquire() as connection, connection.transaction():
        await roster.replace(connection, read_roster(ROOT / "examples" / "roster"))
        await rulebooks.adopt(connection, current, by="test", note="")
    return Desk(database)


async def test_handler_and_customer_are_each_given_their_own_links_with_their_terms(
    desk: Desk,
) -> None:
    issue = await desk.open()
    links = await desk.links(issue)
    assert purposes(links) == {"registered": ["progress"], "assigned": ["accept", "complete"]}
    for link in (*links["registered"], *links["assigned"]):
        assert (link.number, link.generation) == (issue.number, 1)
        assert link.mark == mark_of(issue.id)
        assert link.until == MONDAY.astimezone(UTC) + PURPOSES[link.purpose].lasts
    assert {link.person for link in links["assigned"]} == {handler(issue).id}
    assert {link.person for link in links["registered"]} == {"customer"}


async def test_the_links_follow_an_issue_to_its_end_and_through_a_reopening(desk: Desk) -> None:
    issue = await desk.open()
    issue = await desk.take(issue, ActionName.ACCEPT, handler(issue))
    assert purposes(await desk.links(issue)) == {"accepted": ["progress"]}
    issue = await desk.take(issue, ActionName.RESOLVE, handler(issue), result="new reader")
    assert purposes(await desk.links(issue)) == {"resolved": ["test"], "result_back": []}
    issue = await desk.take(issue, ActionName.REPORT_TEST, CUSTOMER, worked=False)
    again = await desk.links(issue)
    assert purposes(again) == {
        "reopened": ["progress"],
        "assigned": ["accept", "complete"],
        "work_refused": [],
    }
    assert {link.generation for found in again.values() for link in found} == {2}
    issue = await desk.take(issue, ActionName.RESOLVE, handler(issue), result="new board")
    told = {"reached": True, "told": "the board is new"}
    issue = await desk.take(issue, ActionName.CONTACT_CUSTOMER, AGENT, **told)
    desk.now += timedelta(days=1)
    said = {"reached": True, "running": True, "satisfied": True, "words": "fine"}
    issue = await desk.take(issue, ActionName.RECORD_CALLBACK, CLERK, **said)
    assert purposes(await desk.links(issue)) == {"thanks": ["evaluate"]}


async def test_a_quotation_is_answered_by_a_link_and_the_work_begun_by_none_before(
    desk: Desk,
) -> None:
    issue = await desk.open(kind="paid_service")
    assert purposes(await desk.links(issue))["assigned"] == ["accept"]
    engineer = handler(issue)
    issue = await desk.take(issue, ActionName.ACCEPT, engineer)
    issue = await desk.take(issue, ActionName.SURVEY, engineer, findings="two lines")
    issue = await desk.take(issue, ActionName.QUOTE, engineer, work="two lines", amount="800")
    assert purposes(await desk.links(issue)) == {"quotation": ["confirm"]}
    issue = await desk.take(issue, ActionName.CONFIRM, CUSTOMER, agreed=True)
    assert purposes(await desk.links(issue)) == {
        "approved": ["progress"],
        "confirmed": ["complete"],
    }


async def test_a_price_above_the_limit_is_approved_by_the_managers_link(desk: Desk) -> None:
    issue = await desk.open(kind="paid_service")
    engineer = handler(issue)
    issue = await desk.take(issue, ActionName.ACCEPT, engineer)
    issue = await desk.take(issue, ActionName.SURVEY, engineer, findings="two lines")
    issue = await desk.take(issue, ActionName.QUOTE, engineer, work="two lines", amount="20000.01")
    issue = await desk.take(issue, ActionName.CONFIRM, CUSTOMER, agreed=True)
    links = await desk.links(issue)
    assert purposes(links) == {"approval_wanted": ["approve"], "confirmed": []}
    (link,) = links["approval_wanted"]
    assert (link.person, link.number) == ("sun.li", issue.number)
    (promise,) = (each for each in issue.promises if each.kind is PromiseKind.APPROVAL)
    desk.now = promise.marks[-1].at + timedelta(seconds=1)
    last = promise.marks[-1].name
    await desk.pool.execute("UPDATE promises SET reached = $1", len(promise.marks) - 1)
    late = promise.model_copy(update={"reached": len(promise.marks) - 1})
    others = tuple(each for each in issue.promises if each.key != late.key)
    issue = issue.model_copy(update={"promises": (*others, late)})
    issue = await desk.take(issue, ActionName.THRESHOLD, DESK, promise=late.key, threshold=last)
    rows = await desk.pool.fetch("SELECT recipient, body FROM outbox WHERE seq = $1", issue.seq)
    held = {row["recipient"]: [link.person for link in links_of(row["body"])] for row in rows}
    assert held == {"sun.li": ["sun.li"], "tian.hui": ["tian.hui"], "07": []}


async def test_whoever_is_asked_for_advice_is_given_a_link_that_answers(desk: Desk) -> None:
    issue = await desk.open()
    issue = await desk.take(issue, ActionName.ACCEPT, handler(issue))
    said = {"question": "is the board gone?", "experts": ["deng.wei"]}
    issue = await desk.take(issue, ActionName.CONSULT, handler(issue), **said)
    rows = await desk.pool.fetch("SELECT * FROM outbox WHERE seq = $1", issue.seq)
    held = {
        row["recipient"]: [(x.purpose, x.person) for x in links_of(row["body"])] for row in rows
    }
    assert held == {each: [(Purpose.ADVISE, each)] for each in ("deng.wei", "zhou.jianguo")}


async def test_the_agent_is_given_a_link_that_reopens_however_often_the_customer_writes(
    desk: Desk,
) -> None:
    issue = await desk.open()
    issue = await desk.take(issue, ActionName.RESOLVE, handler(issue), result="new reader")
    issue = await desk.take(issue, ActionName.REPLIED, DESK)
    for words in ("it does it again", "is anybody there?"):
        issue = await desk.take(issue, ActionName.CUSTOMER_WROTE, CUSTOMER, words=words)
        links = await desk.links(issue)
        assert purposes(links) == {"did_it_help": ["reopen"]}
        assert links["did_it_help"][0].person == issue.intake.agent


async def test_nobody_is_asked_for_advice_who_could_not_give_any(desk: Desk) -> None:
    issue = await desk.open()
    issue = await desk.take(issue, ActionName.ACCEPT, handler(issue))
    said = {"question": "is the board gone?", "experts": ["fan.meiling"]}
    with pytest.raises(ApplicationError, match=r"fan\.meiling is clerk: those who handle"):
        await desk.take(issue, ActionName.CONSULT, handler(issue), **said)


async def test_who_reads_it_in_the_managers_place_is_given_no_link_that_is_not_theirs(
    desk: Desk,
) -> None:
    """R18: the manager rates; where there is none, the GM office hears of it."""
    await desk.pool.execute("DELETE FROM members WHERE role = 'manager'")
    issue = await desk.open()
    issue = await desk.take(issue, ActionName.RESOLVE, handler(issue), result="new board")
    issue = await desk.take(issue, ActionName.REPLIED, DESK)
    desk.now += timedelta(days=1)
    said = {"reached": True, "running": True, "satisfied": True, "words": "fine"}
    issue = await desk.take(issue, ActionName.RECORD_CALLBACK, CLERK, **said)
    (promise,) = (each for each in issue.promises if each.kind is PromiseKind.DIFFICULTY)
    first = promise.marks[0]
    desk.now = first.at
    issue = await desk.take(
        issue, ActionName.THRESHOLD, DESK, promise=promise.key, threshold=first.name
    )
    (row,) = (await desk.messages(issue)).values()
    assert (row["recipient"], links_of(row["body"])) == ("tian.hui", [])


async def test_a_complaint_is_looked_into_before_it_can_be_completed_by_a_link(desk: Desk) -> None:
    issue = await desk.open(kind="complaint")
    links = purposes(await desk.links(issue))
    assert links["assigned"] == ["accept"]
    assert links["complaint_received"] == []


async def test_whoever_is_to_pass_a_message_on_reads_it_without_its_links(desk: Desk) -> None:
    issue = await desk.open()
    keys = [row["key"] for row in (await desk.messages(issue)).values()]
    issue = await desk.take(issue, ActionName.HAND_OVER, DESK, messages=keys)
    (body,) = {row["body"] for row in (await desk.messages(issue)).values()}
    assert "您的问题“The card reader swallows cards”已登记，并已安排专人处理。" in body
    assert "/l/" not in body
    assert "受理:" not in body


async def test_links_stand_below_all_that_is_said_one_a_line(desk: Desk) -> None:
    issue = await desk.open(customer={"name": "张伟", "email": "zhang.wei@customer.example"})
    issue = await desk.take(issue, ActionName.RESOLVE, handler(issue), result="see https://x.y/l/z")
    body = (await desk.messages(issue))["resolved"]["body"]
    said, links, _ = body.rsplit("\n\n", 2)
    assert "see https://x.y/l/z" in said
    assert [line.partition("：")[0] for line in links.split("\n")] == [
        "查看进展",
        "告诉我们结果",
    ]
    assert all(len(line) <= 150 for line in links.split("\n"))


async def test_no_link_and_no_line_of_it_says_who_the_customer_is(desk: Desk) -> None:
    issue = await desk.open()
    customer = issue.intake.customer
    for row in (await desk.messages(issue)).values():
        for label, text in _ADDRESS.findall(row["body"]):
            decoded = f"{label} {LINKS.signer.read_link(text, MONDAY).model_dump_json()} {text}"
            for private in (customer.name, customer.phone, customer.email, customer.organisation):
                assert private
                assert private not in decoded


def test_every_message_to_a_customer_has_something_to_open() -> None:
    assert set(OFFERED) >= FOR_CUSTOMERS
    written = {path.stem for path in TEMPLATES.glob("[!_]*.j2")}
    assert set(OFFERED) <= written
    theirs = {n for n, all_ in OFFERED.items() if PURPOSES[all_[0]].audience is Audience.CUSTOMER}
    assert theirs == FOR_CUSTOMERS


def test_every_link_is_called_something() -> None:
    assert set(CALLED) == set(Purpose)


def test_the_page_behind_a_link_tells_of_the_promises_that_messages_tell_of() -> None:
    assert set(PromiseKind) - BETWEEN_OURSELVES == set(PROMISED)


def test_taking_links_out_leaves_the_words_alone() -> None:
    said = "结果：见 https://x.y/l/z\n受理 Accept: see https://x.y/l/z"
    body = (
        f"{said}\n\n受理 Accept: https://desk.example/l/abc.def\n填写结果 Write down the result: "
    )
    assert without_links(f"{body}https://desk.example/l/ghi.jkl") == said
    assert without_links("nothing to open") == "nothing to open"


# What a customer with a telephone, and one with another language, is written ----------------------

LONG_TITLE = (
    "天河支行一楼大厅 ATM 出钞口卡钞，屏幕黑屏，重启后仍不能恢复，"
    "门口已有多位客户排队等候，请尽快派人处理"
)
TELEPHONE_ONLY = {"name": "王芳", "phone": "13800000001"}


async def to_customer(desk: Desk, issue: Issue) -> dict[str, Any]:
    found = await desk.messages(issue)
    return {name: row for name, row in found.items() if row["audience"] == "customer"}


async def test_the_text_messages_of_an_ordinary_fault_are_sent_in_two_parts_each(
    desk: Desk,
) -> None:
    told: dict[str, Any] = {}
    issue = await desk.open(customer=TELEPHONE_ONLY, title=LONG_TITLE)
    told |= await to_customer(desk, issue)
    issue = await desk.take(
        issue, ActionName.ACCEPT, handler(issue), expected_at=MONDAY + timedelta(hours=7)
    )
    told |= await to_customer(desk, issue)
    words = {"reason": "网点主任不在。", "ask": "请您准备好机房钥匙，并留人在场。" * 9}
    issue = await desk.take(issue, ActionName.WAIT_FOR_CUSTOMER, handler(issue), **words)
    told |= await to_customer(desk, issue)
    issue = await desk.take(issue, ActionName.RESUME, handler(issue))
    result = "已更换出钞模块并测试正常。" * 9
    issue = await desk.take(issue, ActionName.RESOLVE, handler(issue), result=result)
    told |= await to_customer(desk, issue)
    issue = await desk.take(issue, ActionName.REPLIED, DESK)
    desk.now += timedelta(days=1)
    said = {"reached": True, "running": True, "satisfied": True, "words": "好了"}
    issue = await desk.take(issue, ActionName.RECORD_CALLBACK, CLERK, **said)
    told |= await to_customer(desk, issue)
    assert {*told} == {"registered", "accepted", "waiting", "resolved", "thanks"}
    for row in told.values():
        assert row["channel"] == "sms"
        assert sms.parts(row["body"]) <= 2
        assert row["body"].startswith("【华信服务】")
        assert "400-800-1234" in row["body"]
        assert issue.number in row["body"]
        assert len(links_of(row["body"])) == 1
        assert row["body"].rpartition(" ")[2].startswith("https://desk.example/l/")
    quoted = re.search(r"“(.+)…”", told["registered"]["body"])
    assert quoted
    assert LONG_TITLE.startswith(quoted[1])
    assert words["ask"] in told["waiting"]["full_text"]
    assert words["reason"] not in told["waiting"]["full_text"]


async def test_a_result_of_4500_characters_is_a_short_text_and_all_of_it_behind_the_link(
    desk: Desk,
) -> None:
    result = ("已更换出钞模块并测试正常。" * 400)[:4500]
    issue = await desk.open(customer=TELEPHONE_ONLY)
    issue = await desk.take(issue, ActionName.RESOLVE, handler(issue), result=result)
    row = (await desk.messages(issue))["resolved"]
    assert sms.parts(row["body"]) == 2
    assert result in row["full_text"]
    told = await issue_reader.outlook(desk.pool, issue.id, issue.generation)
    assert told.said[0] == row["full_text"]
    assert len(told.said) == 2
    assert links_of(row["body"])[0].number == issue.number


async def test_a_letter_is_written_at_length_and_needs_nothing_behind_its_links(
    desk: Desk,
) -> None:
    issue = await desk.open(customer={"name": "王芳", "email": "wang.fang@example.com"})
    row = (await desk.messages(issue))["registered"]
    assert row["full_text"] is None
    assert row["subject"] == f"【华信服务】问题 {issue.number} 已登记"
    assert row["body"].startswith("王芳，您好。")
    assert row["body"].endswith("祝您工作顺利。\n华信服务\n客服热线：400-800-1234")


async def test_each_customer_reads_one_language_theirs_or_the_desks(desk: Desk) -> None:
    by_mail = {"name": "Wang Fang", "email": "wang.fang@example.com"}
    usual = await desk.open(reference="r-1", customer=by_mail)
    english = await desk.open(reference="r-2", customer=by_mail | {"language": "en"})
    assert (await desk.messages(usual))["registered"]["body"].startswith("Wang Fang，您好。")
    told = await desk.messages(english)
    assert told["registered"]["body"].startswith("Dear Wang Fang, ")
    assert not re.search(r"[一-鿿]", told["registered"]["subject"] + told["registered"]["body"])
    assert told["assigned"]["subject"].startswith("新任务 ")  # the desk's people speak Chinese
    async with desk.pool.acquire() as connection:
        for issue in (usual, english):
            assert await issue_reader.intake(connection, issue.id) == issue.intake


async def test_a_desk_that_speaks_english_writes_so_to_whoever_has_no_language(
    desk: Desk,
) -> None:
    current = rulebook.load(ROOT / "policies" / "standard.toml")
    english = current.policy.desk.model_copy(update={"language": Language.EN})
    policy = current.policy.model_copy(update={"desk": english})
    async with desk.pool.acquire() as connection, connection.transaction():
        await rulebooks.adopt(connection, current.with_policy(policy), by="test", note="")
    told = await desk.messages(await desk.open(customer=TELEPHONE_ONLY))
    assert told["registered"]["body"].startswith("Huaxin Service: Your issue ")
    assert sms.parts(told["registered"]["body"]) <= 2
    assert told["assigned"]["subject"].startswith("Assigned to you ")


async def test_a_robot_is_given_no_more_than_it_carries(desk: Desk) -> None:
    await desk.pool.execute("UPDATE channels SET url = 'wecombot://key' WHERE customers IS NULL")
    issue = await desk.open(title="长" * 200, site="地" * 200, complex=True)
    words = "试了三遍，还是黑屏。" * 300
    issue = await desk.take(issue, ActionName.RESOLVE, handler(issue), result="done")
    issue = await desk.take(issue, ActionName.REPORT_TEST, CUSTOMER, worked=False, words=words)
    rows = await desk.pool.fetch(
        "SELECT o.* FROM outbox o JOIN channels c ON c.id = o.channel WHERE c.customers IS NULL"
    )
    assert any(words[:300] in row["body"] for row in rows)
    for row in rows:
        assert len(f"{row['subject']}\n{row['body']}".encode()) <= 2048
