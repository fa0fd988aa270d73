"""What people do by the links of their messages, on the running desk."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any
from uuid import uuid4

import asyncpg
import httpx2
import pytest

from domain.issue.actions import PUBLIC_ACTIONS, Act, ActionName
from domain.issue.view import IssueView
from domain.links import PURPOSES, Link, Purpose
from domain.vocabulary import Actor, Role, Stage
from runtime.embedded.ports import free_ports
from runtime.signing import Links, link_id
from starter.client import Desk, Unavailable
from store import door_log
from store.door_log import Entry
from tests.support.builders import an_intake
from tests.support.patience import PATIENCE
from tests.support.staff_at_pages import addresses, pool_of
from tests.web.conftest import BASE
from web.app import build
from web.context import Doors
from web.serving import doors as doors_of

LEAD = Actor(id="zhou.jianguo", role=Role.LEAD)
AGENT = Actor(id="07", role=Role.AGENT)
CLERK = Actor(id="fan.meiling", role=Role.CLERK)
ENGLISH = {"Accept-Language": "en-GB,en;q=0.9"}
ADDRESS = "203.0.113.7"
SCORE = {"item": "after_sales", "technical": "120", "attitude": "-10", "comment": "来得快"}


@dataclass(frozen=True)
class Sent:
    """An issue, and what was sent about it."""

    doors: Doors
    number: str
    customer: dict[str, str]

    @property
    def private(self) -> set[str]:
        return set(self.customer.values())

    async def show(self) -> IssueView:
        return await self.doors.desk.show(self.number)

    async def act(self, name: ActionName, by: Actor, **said: Any) -> IssueView:
        act = PUBLIC_ACTIONS[name].model_validate({"by": by} | said)
        return await self.doors.desk.act(self.number, name, act)

    async def engineer(self) -> Actor:
        seen = await self.show()
        assert seen.engineer
        return Actor(id=seen.engineer.id, role=Role.ENGINEER)

    async def link(self, purpose: Purpose) -> str:
        """Return the path of the latest link for it that somebody was sent."""
        rows = await pool_of(self.doors).fetch(
            "SELECT o.body FROM outbox o JOIN issues i ON i.id = o.issue_id"
            " WHERE i.number = $1 ORDER BY o.seq DESC",
            self.number,
        )
        found = [text for row in rows for text in re.findall(r"/l/(\S+)", row["body"])]
        return next(f"/l/{t}" for t in found if self.read(t).purpose is purpose)

    def read(self, text: str) -> Link:
        return self.doors.signer.read_link(text.removeprefix("/l/"), datetime.now(UTC))

    async def trail(self) -> list[Entry]:
        return await door_log.entries(pool_of(self.doors), number=self.number)

    async def steps(self, action: ActionName) -> list[asyncpg.Record]:
        return list(
            await pool_of(self.doors).fetch(
                "SELECT e.* FROM issue_events e JOIN issues i ON i.id = e.issue_id"
                " WHERE i.number = $1 AND e.action = $2",
                *(self.number, action),
            )
        )


async def opened(doors: Doors, **changes: Any) -> Sent:
    own = uuid4()
    customer = {
        "name": f"客户{own.hex[:6]}",
        "organisation": f"单位{own.hex[6:12]}",
        "phone": f"137{own.int % 10**8:08}",
    }
    usual = {
        "reference": own.hex,
        "region": "上海",
        "occurred_at": None,
        "reported_at": datetime.now(UTC),
        "customer": customer,
    }
    seen = await doors.desk.open(an_intake(**usual | changes))
    return Sent(doors, seen.number, customer)


@pytest.fixture
async def sent(doors: Doors) -> Sent:
    return await opened(doors)


async def test_a_scanner_that_looks_at_every_link_uses_none_of_them_up(
    sent: Sent, http: httpx2.AsyncClient
) -> None:
    accept = await sent.link(Purpose.ACCEPT)
    for _ in range(3):
        looked = await http.head(accept)
        assert (looked.status_code, looked.content) == (200, b"")
        assert int(looked.headers["content-length"]) > 0
    page = await http.get(accept)
    assert (page.status_code, "<form" in page.text) == (200, True)
    assert (await http.post(accept, data={})).status_code == 200
    assert (await http.head(accept)).status_code == (await http.get(accept)).status_code == 410
    assert (await http.head("/l/made-up")).status_code == 404


@pytest.fixture
async def http(doors: Doors) -> AsyncIterator[httpx2.AsyncClient]:
    """A telephone: no session, no token."""
    transport = httpx2.ASGITransport(app=build(doors), client=(ADDRESS, 5000))
    async with httpx2.AsyncClient(transport=transport, base_url=BASE) as client:
        yield client


async def closed(sent: Sent) -> None:
    await sent.act(ActionName.RESOLVE, await sent.engineer(), result="读卡器已更换")
    said = {"reached": True, "running": True, "satisfied": True, "words": "好了"}
    await sent.act(ActionName.RECORD_CALLBACK, CLERK, **said)


# --- what had no room in a text message -----------------------------------------------------------


async def test_a_customer_reads_at_length_what_the_text_message_had_no_room_for(
    sent: Sent, http: httpx2.AsyncClient
) -> None:
    ask, reason = "请您准备好机房钥匙，并让网点主任在场。" * 20, "主任总不在，白跑两趟"
    await sent.act(ActionName.ACCEPT, await sent.engineer())
    said = {"reason": reason, "ask": ask}
    await sent.act(ActionName.WAIT_FOR_CUSTOMER, await sent.engineer(), **said)
    progress = await sent.link(Purpose.PROGRESS)
    page = await http.get(progress)
    assert page.status_code == 200
    assert ask in page.text
    assert reason not in page.text, "that was for colleagues"
    await sent.act(ActionName.RESUME, await sent.engineer())
    result = ("已更换出钞模块并测试正常。" * 400)[:4500]
    await sent.act(ActionName.RESOLVE, await sent.engineer(), result=result)
    assert result in (await http.get(await sent.link(Purpose.TEST))).text
    engineers = await http.get(await sent.link(Purpose.ACCEPT))
    assert ask not in engineers.text


# --- the whole way -------------------------------------------------------------------------------


async def test_an_issue_goes_by_links_from_acceptance_to_the_score(
    sent: Sent, http: httpx2.AsyncClient
) -> None:
    engineer = await sent.engineer()
    accept = await sent.link(Purpose.ACCEPT)
    page = await http.get(accept)
    assert page.status_code == 200
    assert sent.customer["phone"] in page.text
    at = datetime.now(UTC) + timedelta(days=2)
    done = await http.post(accept, data={"expected_at": at.isoformat()})
    assert (done.status_code, (await sent.show()).stage) == (200, "in_progress")
    assert "已受理" in done.text

    complete = await sent.link(Purpose.COMPLETE)
    result = "读卡器已更换，测试正常"
    done = await http.post(complete, data={"result": result, "known_solution": "yes"})
    assert done.status_code == 200, done.text
    (step,) = await sent.steps(ActionName.RESOLVE)
    assert (step["actor"], step["role"]) == (engineer.id, "engineer")
    assert step["content"]["known_solution"] is True

    progress = await sent.link(Purpose.PROGRESS)
    page = await http.get(progress)
    assert result in page.text

    failed = await http.post(
        await sent.link(Purpose.TEST), data={"worked": "no", "words": "还是不行"}
    )
    seen = await sent.show()
    assert (failed.status_code, seen.reopen_count, seen.severity) == (200, 1, "major")
    stands, _, _ = (await http.get(progress)).text.partition('aria-labelledby="said"')
    assert result not in stands, "it did not work, so it is none"

    done = await http.post(await sent.link(Purpose.COMPLETE), data={"result": "换了主板"})
    assert done.status_code == 200, done.text
    told = {"reached": True, "told": "换了主板，可以用了"}
    await sent.act(ActionName.CONTACT_CUSTOMER, AGENT, **told)
    works = await http.post(await sent.link(Purpose.TEST), data={"worked": "yes"})
    assert works.status_code == 200
    said = {"reached": True, "running": True, "satisfied": True, "words": "好了"}
    await sent.act(ActionName.RECORD_CALLBACK, CLERK, **said)
    scored = await http.post(await sent.link(Purpose.EVALUATE), data=SCORE)
    assert scored.status_code == 200, scored.text
    (step,) = await sent.steps(ActionName.EVALUATE)
    assert (step["actor"], step["role"]) == ("customer", "customer")
    assert step["content"] == {
        "item": "after_sales",
        "technical": 120,
        "attitude": -10,
        "comment": "来得快",
    }


@pytest.mark.parametrize(
    ("answer", "stages"), [("yes", {"in_progress"}), ("no", {"resolved", "closed"})]
)
async def test_a_quotation_is_read_and_answered_by_its_link(
    doors: Doors, http: httpx2.AsyncClient, answer: str, stages: set[str]
) -> None:
    sent = await opened(doors, kind="paid_service")
    engineer = await sent.engineer()
    await sent.act(ActionName.ACCEPT, engineer)
    await sent.act(ActionName.SURVEY, engineer, findings="两条线路")
    await sent.act(ActionName.QUOTE, engineer, work="布两条线", amount="1800.5")
    confirm = await sent.link(Purpose.CONFIRM)
    page = await http.get(confirm, headers=ENGLISH)
    assert "布两条线" in page.text
    assert "CNY 1,800.50" in page.text
    done = await http.post(confirm, data={"agreed": answer, "words": "尽快"})
    assert done.status_code == 200, done.text
    seen = await sent.show()
    assert seen.stage in stages
    (step,) = await sent.steps(ActionName.CONFIRM)
    assert (step["role"], step["content"]["words"]) == ("customer", "尽快")


# --- once ----------------------------------------------------------------------------------------


async def test_a_link_that_was_used_says_when_and_how_it_stands_and_does_nothing_more(
    sent: Sent, http: httpx2.AsyncClient
) -> None:
    accept = await sent.link(Purpose.ACCEPT)
    await http.post(accept, data={"expected_at": ""})
    for again in (await http.post(accept, data={}), await http.get(accept)):
        assert again.status_code == 410
        assert "只能用一次" in again.text
        assert "处理中" in again.text
        assert "<form" not in again.text
    assert len(await sent.steps(ActionName.ACCEPT)) == 1
    address = await pool_of(sent.doors).fetchval(
        "SELECT address FROM link_uses WHERE link = $1", link_id(accept.removeprefix("/l/"))
    )
    assert address == ADDRESS


async def test_what_is_written_by_a_link_that_was_used_is_not_recorded_and_not_lost_from_sight(
    sent: Sent, http: httpx2.AsyncClient
) -> None:
    complete = await sent.link(Purpose.COMPLETE)
    await http.post(complete, data={"result": "读卡器已更换"})
    again = await http.post(complete, data={"result": "其实换的是<b>主板</b>"})
    assert again.status_code == 410
    assert "没有记录" in again.text
    assert "其实换的是&lt;b&gt;主板&lt;/b&gt;" in again.text
    (step,) = await sent.steps(ActionName.RESOLVE)
    assert step["content"]["result"] == "读卡器已更换"


async def test_of_two_who_press_one_link_at_once_with_different_words_both_see_what_became_of_them(
    sent: Sent, http: httpx2.AsyncClient
) -> None:
    complete = await sent.link(Purpose.COMPLETE)
    said = ("读卡器已更换", "主板已更换")
    answers = await asyncio.gather(*(http.post(complete, data={"result": each}) for each in said))
    (step,) = await sent.steps(ActionName.RESOLVE)
    for words, answer in zip(said, answers, strict=True):
        recorded = step["content"]["result"] == words
        assert (answer.status_code == 200) == recorded
        assert recorded or words in answer.text


async def test_a_double_click_is_one_action(sent: Sent, http: httpx2.AsyncClient) -> None:
    complete = await sent.link(Purpose.COMPLETE)
    form = {"result": "读卡器已更换"}
    answers = await asyncio.gather(*(http.post(complete, data=form) for _ in range(5)))
    assert {answer.status_code for answer in answers} <= {200, 410}
    assert 200 in {answer.status_code for answer in answers}
    assert len(await sent.steps(ActionName.RESOLVE)) == 1


async def test_a_link_that_only_shows_is_not_used_up_and_does_nothing(
    sent: Sent, http: httpx2.AsyncClient
) -> None:
    progress = await sent.link(Purpose.PROGRESS)
    for _ in range(2):
        assert (await http.get(progress)).status_code == 200
    assert (await http.post(progress, data={"worked": "no"})).status_code == 405
    assert (await http.get(progress)).status_code == 200


class _Silent(Desk):
    """A desk that does what it is told and does not answer, as long as it is ``silent``."""

    silent = True

    async def act(
        self, number: str, name: ActionName, act: Act, *, key: str | None = None
    ) -> IssueView:
        done = await super().act(number, name, act, key=key)
        if self.silent:
            raise Unavailable("the desk does not answer now")
        return done


async def test_what_was_not_answered_is_sent_again_as_the_same_action(sent: Sent) -> None:
    desk = _Silent(sent.doors.desk.client, pool_of(sent.doors))
    transport = httpx2.ASGITransport(app=build(replace(sent.doors, desk=desk)))
    complete = await sent.link(Purpose.COMPLETE)
    form = {"result": "<b>读卡器</b>已更换", "cause": "传感器脏"}
    async with httpx2.AsyncClient(transport=transport, base_url=BASE) as http:
        away = await http.post(complete, data=form)
        assert away.status_code == 503
        assert int(away.headers["retry-after"]) > 0
        assert "什么也没有丢失" in away.text
        assert all(text in unescape(away.text) for text in form.values()), "what was written stays"
        assert "<b>" not in away.text
        desk.silent = False
        again = await http.post(complete, data=form)
    assert again.status_code == 410
    assert "只能用一次" in again.text
    assert len(await sent.steps(ActionName.RESOLVE)) == 1


async def test_without_the_register_a_link_asks_to_be_opened_again(sent: Sent) -> None:
    accept = await sent.link(Purpose.ACCEPT)
    nowhere = f"postgresql://nobody@127.0.0.1:{free_ports(1)[0]}/yinuo"
    async with asyncpg.create_pool(nowhere, min_size=0) as pool:
        away = doors_of(Desk(sent.doors.desk.client, pool), pool, sent.doors.settings)
        transport = httpx2.ASGITransport(app=build(away))
        async with httpx2.AsyncClient(transport=transport, base_url=BASE) as http:
            for answer in (await http.get(accept), await http.post(accept, data={})):
                assert answer.status_code == 503
                assert "什么也没有丢失" in answer.text


# --- whom it is for, and how long ----------------------------------------------------------------


def _spoilt(text: str) -> list[str]:
    payload, _, signature = text.rpartition(".")
    return [
        text[:-3],
        f"{payload}.{signature[::-1]}",
        f"{payload[:-1]}{'A' if payload[-1] != 'A' else 'B'}.{signature}",
        signature,
        "x",
    ]


async def test_forged_links_open_nothing(sent: Sent, http: httpx2.AsyncClient) -> None:
    text = (await sent.link(Purpose.ACCEPT)).removeprefix("/l/")
    other = replace(sent.doors, signer=type(sent.doors.signer)("another desk's secret, as long"))
    for forged in (*_spoilt(text), other.signer.link(sent.read(text))):
        for answer in (await http.get(f"/l/{forged}"), await http.post(f"/l/{forged}")):
            assert answer.status_code == 404
            assert "没有这个链接" in answer.text
            assert sent.number not in answer.text
    assert (await sent.show()).stage == "assigned"
    assert not await sent.trail()


async def test_an_old_link_opens_no_strangers_issue_that_was_given_its_number_again(
    sent: Sent, http: httpx2.AsyncClient
) -> None:
    """A register that had forgotten the first one: links of today and of before links had marks."""
    number = sent.number
    progress, accept = await _links(sent, Purpose.PROGRESS, Purpose.ACCEPT)
    stranger = await opened(sent.doors)
    today = [f"/l/{sent.doors.signer.link(link)}" for link in (progress, accept)]
    before = [
        f"/l/{sent.doors.signer.link(link.model_copy(update={'mark': None}))}"
        for link in (progress, accept)
    ]
    for path in (*today, *before):
        assert (await http.get(path)).status_code == 200
    pool = pool_of(sent.doors)
    await pool.execute("UPDATE issues SET number = number || '0' WHERE number = $1", number)
    await pool.execute("UPDATE issues SET number = $2 WHERE number = $1", stranger.number, number)
    await pool.execute(
        "UPDATE issues SET registered_at = registered_at + interval '1 minute' WHERE number = $1",
        number,
    )
    for path in (*today, *before):
        for answer in (await http.get(path), await http.post(path, data={})):
            assert answer.status_code == 404
            assert "登记簿中没有" in answer.text
            assert not any(private in answer.text for private in stranger.private)
    await pool.execute("UPDATE issues SET number = $2 WHERE number = $1", number, stranger.number)
    await pool.execute("UPDATE issues SET number = $1 WHERE number = $1 || '0'", number)
    assert (await stranger.show()).stage == "assigned"


async def _links(sent: Sent, *purposes: Purpose) -> list[Link]:
    return [sent.read(await sent.link(purpose)) for purpose in purposes]


async def test_a_link_that_went_out_before_links_had_marks_does_what_it_was_sent_for(
    sent: Sent, http: httpx2.AsyncClient
) -> None:
    (accept,) = await _links(sent, Purpose.ACCEPT)
    old = f"/l/{sent.doors.signer.link(accept.model_copy(update={'mark': None}))}"
    assert (await http.post(old, data={})).status_code == 200
    assert (await sent.show()).stage == "in_progress"
    assert (await http.post(old, data={})).status_code == 410


@pytest.mark.parametrize("purpose", Purpose)
async def test_expired_links_do_nothing(
    sent: Sent, http: httpx2.AsyncClient, purpose: Purpose
) -> None:
    old = Link(
        number=sent.number,
        purpose=purpose,
        person="customer",
        generation=1,
        until=datetime.now(UTC) - timedelta(seconds=1),
    )
    path = Links(sent.doors.signer, "").address(old)
    for answer in (await http.get(path), await http.post(path, data=SCORE)):
        assert answer.status_code == 410
        assert "已过期" in answer.text
        assert sent.number not in answer.text


async def test_a_link_from_before_a_reopening_does_not_do_the_work_of_after(
    sent: Sent, http: httpx2.AsyncClient
) -> None:
    accept, complete = await sent.link(Purpose.ACCEPT), await sent.link(Purpose.COMPLETE)
    await sent.act(ActionName.RESOLVE, await sent.engineer(), result="读卡器已更换")
    test = await sent.link(Purpose.TEST)
    assert (await http.post(test, data={"worked": "no"})).status_code == 200
    for old in (accept, complete):
        answer = await http.post(old, data={"result": "还是那样"})
        assert answer.status_code == 409
        assert "重新处理" in answer.text
    assert len(await sent.steps(ActionName.RESOLVE)) == 1


async def test_what_the_stage_does_not_allow_any_more_is_said_and_not_done(
    sent: Sent, http: httpx2.AsyncClient
) -> None:
    accept = await sent.link(Purpose.ACCEPT)
    await sent.act(ActionName.ACCEPT, await sent.engineer())
    for answer in (await http.get(accept), await http.post(accept, data={})):
        assert answer.status_code == 409
        assert "不能做或不必做" in answer.text
        assert "<form" not in answer.text
    assert len(await sent.steps(ActionName.ACCEPT)) == 1


async def test_whoever_lost_an_issue_sees_no_customer_and_does_nothing(
    sent: Sent, http: httpx2.AsyncClient
) -> None:
    accept, before = await sent.link(Purpose.ACCEPT), await sent.engineer()
    others = await pool_of(sent.doors).fetch(
        "SELECT m.id FROM members m JOIN members h ON h.id = $1"
        " AND h.department = m.department AND h.role = m.role AND m.id <> h.id"
        """ AND m.certified @> '[{"product_line": "ATM"}]' AND m.shift <> 'off' ORDER BY m.id""",
        before.id,
    )
    await sent.act(ActionName.REASSIGN, LEAD, to=others[0]["id"], reason="病假")
    for answer in (await http.get(accept), await http.post(accept, data={})):
        assert answer.status_code == 403
        assert "已不由您处理" in answer.text
        assert not any(private in answer.text for private in sent.private)
    assert not await sent.steps(ActionName.ACCEPT)


async def test_whoever_left_the_roster_opens_nothing(sent: Sent, http: httpx2.AsyncClient) -> None:
    link = sent.read(await sent.link(Purpose.ACCEPT))
    gone = link.model_copy(update={"person": "wang.wu"})
    answer = await http.get(Links(sent.doors.signer, "").address(gone))
    assert answer.status_code == 403
    assert sent.number not in answer.text


# --- what is written -----------------------------------------------------------------------------

WRONG: list[tuple[Purpose, dict[str, str], str, str]] = [
    (Purpose.ACCEPT, {"expected_at": "soon"}, "将来的时间", "A time ahead"),
    (Purpose.ACCEPT, {"expected_at": "2020-01-01T10:00"}, "将来的时间", "A time ahead"),
    (Purpose.COMPLETE, {"result": " ", "cause": "雷击"}, "写明做了什么", "Say what was done"),
    (Purpose.TEST, {"worked": "", "words": "试过"}, "请选择", "Choose one"),
    (Purpose.TEST, {"worked": "perhaps", "words": "试过"}, "请选择", "Choose one"),
    (Purpose.EVALUATE, SCORE | {"technical": "201"}, "-50 到 200", "-50 to 200"),
    (Purpose.EVALUATE, SCORE | {"attitude": "good"}, "-50 到 200", "-50 to 200"),
    (Purpose.EVALUATE, SCORE | {"item": "lunch"}, "请选择", "Choose one"),
    (Purpose.EVALUATE, SCORE | {"comment": ""}, "写一句理由", "about why"),
]


async def _brought_to(sent: Sent, purpose: Purpose) -> None:
    if purpose is Purpose.EVALUATE:
        await closed(sent)
    elif purpose is Purpose.TEST:
        await sent.act(ActionName.RESOLVE, await sent.engineer(), result="读卡器已更换")


@pytest.mark.parametrize(("purpose", "form", "chinese", "english"), WRONG)
async def test_what_is_wrong_is_said_beside_it_and_the_persons_words_are_kept(
    sent: Sent,
    http: httpx2.AsyncClient,
    purpose: Purpose,
    form: dict[str, str],
    chinese: str,
    english: str,
) -> None:
    await _brought_to(sent, purpose)
    link = await sent.link(purpose)
    action = PURPOSES[purpose].action
    assert action
    for headers, reason in (({}, chinese), (ENGLISH, english)):
        answer = await http.post(link, data=form, headers=headers)
        assert answer.status_code == 422
        (wrong,) = re.findall(r'<p class="error"[^>]*>(.*?)</p>', answer.text)
        assert reason in wrong
        for name, written in form.items():
            kept = re.search(rf'name="{name}"[^>]*({re.escape(written)}|checked)', answer.text)
            textual = f">{written}</textarea>" in answer.text
            assert kept or textual or written in {"perhaps", "lunch", " "}, name
    assert not await sent.steps(action)
    usual = {"expected_at": "", "result": "好", "worked": "yes", "words": ""} | SCORE
    assert (await http.post(link, data=usual)).status_code == 200, "the link is not used up by that"


# --- what is seen, and what is written down about it ---------------------------------------------


async def test_every_look_and_every_action_by_a_link_is_in_the_audit_trail(
    sent: Sent, http: httpx2.AsyncClient
) -> None:
    engineer = await sent.engineer()
    accept = await sent.link(Purpose.ACCEPT)
    await http.get(accept)
    await http.post(accept, data={})
    await http.get(await sent.link(Purpose.PROGRESS))
    trail = list(reversed(await sent.trail()))
    assert [(e.person, e.what, e.outcome) for e in trail] == [
        (engineer.id, "see_customer", "seen"),
        (engineer.id, "accept", "done"),
        (engineer.id, "see_customer", "seen"),
    ]
    assert {(e.via, e.address, e.role) for e in trail} == {("link", ADDRESS, Role.ENGINEER)}


async def test_customers_see_their_own_words_and_nothing_that_is_between_ourselves(
    doors: Doors, http: httpx2.AsyncClient
) -> None:
    sent = await opened(doors, answering=True)
    assert "hand_over" in {promise.kind for promise in (await sent.show()).promises}
    page = (await http.get(await sent.link(Purpose.PROGRESS))).text
    assert "every second card" in page
    assert "热线正在为您查找答案" in page
    assert "前与您联系" in page
    assert "前给您结果" in page
    assert not any(private in page for private in sent.private)
    assert not any(word in page for word in ("转交", "Century Avenue", "SN-4711"))


async def test_no_address_holds_customer_data_and_no_page_leads_away(
    sent: Sent, http: httpx2.AsyncClient
) -> None:
    for purpose in (Purpose.ACCEPT, Purpose.COMPLETE, Purpose.PROGRESS):
        path = await sent.link(purpose)
        page = await http.get(path)
        for address in (path, *addresses(page.text)):
            assert address.startswith(("/static/", "/l/", "#", "tel:")), address
            assert not any(private in address for private in sent.private)
        assert "style=" not in page.text
        assert not re.search(r"<script(?! src=)|\son\w+=", page.text)
        assert page.headers["cache-control"] == "no-store"


READ: list[tuple[dict[str, str], str, Callable[[str], bool]]] = [
    ({}, "zh-CN", lambda text: "受理" in text and "Accept it" not in text),
    ({"Accept-Language": "zh-CN,zh;q=0.9,en;q=0.8"}, "zh-CN", lambda text: "受理" in text),
    (ENGLISH, "en", lambda text: "Accept it" in text and "受理" not in text),
]


@pytest.mark.parametrize(("headers", "lang", "says"), READ)
async def test_a_page_is_in_the_language_of_the_browser(
    sent: Sent,
    http: httpx2.AsyncClient,
    headers: dict[str, str],
    lang: str,
    says: Callable[[str], bool],
) -> None:
    page = await http.get(await sent.link(Purpose.ACCEPT), headers=headers)
    assert f'<html lang="{lang}">' in page.text
    assert says(page.text)


async def test_every_field_has_a_label_and_a_page_works_without_script(
    sent: Sent, http: httpx2.AsyncClient
) -> None:
    await closed(sent)
    page = (await http.get(await sent.link(Purpose.EVALUATE))).text
    labelled = set(re.findall(r'<label[^>]* for="([\w-]+)"', page))
    fields = set(re.findall(r'<(?:input|textarea) id="([\w-]+)"', page))
    assert fields == labelled
    asked = {each for each in fields if each.startswith("evaluate-")}
    assert asked == {"evaluate-technical", "evaluate-attitude", "evaluate-comment"}
    boxes = re.findall(r'<label class="box"><input type="radio"[^>]*> <span>[^<]+</span>', page)
    assert len(boxes) == page.count('type="radio"') == 3
    assert 'min="-50" max="200"' in page
    assert '<form method="post"' in page


# --- what is refused -----------------------------------------------------------------------------


async def strangers(doors: Doors, since: datetime) -> list[Entry]:
    found = await door_log.entries(pool_of(doors), limit=50)
    return [each for each in found if each.at >= since and each.via == "link"][::-1]


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_r30_forged_and_expired_links_are_in_the_trail_without_their_text(
    sent: Sent, http: httpx2.AsyncClient, method: str
) -> None:
    before, accept = datetime.now(UTC), await sent.link(Purpose.ACCEPT)
    link, signer = sent.read(accept), sent.doors.signer
    over = signer.link(link.model_copy(update={"until": before - timedelta(hours=1)}))
    forged = f"/l/{signer.link(link)[:-1]}-"
    for path, status in ((forged, 404), (f"/l/{over}", 410)):
        assert (await http.request(method, path)).status_code == status
    rows = await strangers(sent.doors, before)
    did = "accept" if method == "POST" else "see"
    assert [(e.person, e.what, e.number, e.outcome) for e in rows] == [
        ("unknown", "link", None, "refused: Forged"),
        (link.person, did, sent.number, "refused: Expired"),
    ]
    assert {e.address for e in rows} == {ADDRESS}
    assert not [text for text in (over, accept[3:]) if text in repr(rows)]


async def test_r30_an_act_by_a_used_link_or_one_that_only_shows_is_in_the_trail(
    sent: Sent, http: httpx2.AsyncClient
) -> None:
    accept, progress = await sent.link(Purpose.ACCEPT), await sent.link(Purpose.PROGRESS)
    assert (await http.post(accept)).status_code == 200
    assert (await http.post(accept)).status_code == 410
    assert (await http.post(progress)).status_code == 405
    rows = [e for e in await sent.trail() if e.outcome.startswith("refused")][::-1]
    assert [(e.role, e.what, e.outcome) for e in rows] == [
        (Role.ENGINEER, "accept", "refused: Used"),
        (Role.CUSTOMER, "see", "refused: OnlyShows"),
    ]


# Did it not help? ---------------------------------------------------------------------------------

AGAIN = "又卡了，和上次一样"


async def asked(doors: Doors, *, known: bool = True) -> Sent:
    """Let the customer, or somebody, have written after the answer had arrived."""
    sent = await opened(doors)
    await sent.act(ActionName.RESOLVE, await sent.engineer(), result="更换了读卡器")
    async with asyncio.timeout(PATIENCE):
        while (await sent.show()).stage is not Stage.REPLIED:
            await asyncio.sleep(0.05)
    by = Actor(id="mail", role=Role.INTAKE)
    await sent.act(ActionName.CUSTOMER_WROTE, by, words=AGAIN, known=known)
    return sent


async def test_the_agent_opens_an_issue_again_by_the_link_of_the_question_in_one_click(
    doors: Doors, http: httpx2.AsyncClient
) -> None:
    sent = await asked(doors)
    link = await sent.link(Purpose.REOPEN)
    for _ in range(2):  # a mail scanner looks, and decides nothing
        page = await http.get(link)
        assert page.status_code == 200
        assert AGAIN in page.text
    english = await http.get(link, headers=ENGLISH)
    assert "Did it not help?" in english.text
    assert not await sent.steps(ActionName.REPORT_TEST)
    done = await http.post(link, data={"worked": "no"})
    assert done.status_code == 200, done.text
    assert (await sent.show()).reopen_count == 1
    (step,) = await sent.steps(ActionName.REPORT_TEST)
    assert (step["actor"], step["role"]) == (sent.read(link).person, "agent")
    again = await http.post(link, data={"worked": "no"})
    assert again.status_code == 410
    assert len(await sent.steps(ActionName.REPORT_TEST)) == 1


async def test_by_the_same_link_they_say_that_it_did_help_and_the_words_wait_no_more(
    doors: Doors, http: httpx2.AsyncClient
) -> None:
    sent = await asked(doors)
    wrong = await http.post(await sent.link(Purpose.REOPEN), data={"worked": "perhaps"})
    assert wrong.status_code == 422
    done = await http.post(await sent.link(Purpose.REOPEN), data={"worked": "yes"})
    assert done.status_code == 200, done.text
    seen = await sent.show()
    assert seen.reopen_count == 0
    assert "feedback" not in {each.kind for each in seen.promises if each.ended_at is None}
    assert not (await doors.desk.thread(seen.id)).open_words


async def test_somebody_who_is_no_agent_any_more_opens_nothing_again_by_their_link(
    doors: Doors, http: httpx2.AsyncClient
) -> None:
    sent = await asked(doors)
    link = sent.read(await sent.link(Purpose.REOPEN))
    for other in ("liang.jiahao", "audit", "nobody.there"):
        path = Links(doors.signer, "").address(link.model_copy(update={"person": other}))
        for answer in (await http.get(path), await http.post(path, data={"worked": "no"})):
            assert answer.status_code == 403
            assert AGAIN not in answer.text
    assert not await sent.steps(ActionName.REPORT_TEST)


async def test_a_strangers_words_give_nobody_a_link_that_reopens(doors: Doors) -> None:
    sent = await asked(doors, known=False)
    told = await pool_of(doors).fetch(
        "SELECT o.body FROM outbox o JOIN issues i ON i.id = o.issue_id"
        " WHERE i.number = $1 AND o.template = 'stranger_wrote'",
        sent.number,
    )
    assert AGAIN in told[0]["body"]
    assert "/l/" not in told[0]["body"]
