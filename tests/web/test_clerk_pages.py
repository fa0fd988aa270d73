"""The callback clerk's page on the running desk: read first, call, write down what was said."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from domain import telephone
from domain.issue.actions import Accept, Act, ActionName, ContactCustomer, Resolve, Verify
from domain.issue.intake import Intake
from domain.issue.view import IssueView
from domain.vocabulary import Actor, Role, Verdict
from starter.client import Desk, Unavailable
from tests.support.builders import an_intake
from tests.support.staff_at_pages import AtDesk, addresses, hidden, pool_of, sign_in
from tests.web.conftest import BASE, PEOPLE
from web.app import build
from web.context import Doors

LEAD = Actor(id="zhou.jianguo", role=Role.LEAD)
AGENT = Actor(id="07", role=Role.AGENT)
WORDS = "取款机好了，另一台还是黑屏"


@pytest.fixture
def customer() -> dict[str, str]:
    own = uuid4()
    digits = f"{own.int % 10**8:08}"
    return {"name": f"客户{own.hex[:6]}", "phone": f"+86 137 {digits[:4]} ({digits[4:]})"}


@pytest.fixture
async def clerk(doors: Doors, http: httpx2.AsyncClient) -> AtDesk:
    return await sign_in(doors, http, Role.CLERK, "fan.meiling")


def from_shanghai(customer: dict[str, str], **changes: Any) -> Intake:
    """Make an intake of now, from where people are on duty."""
    usual = {
        "reference": uuid4().hex,
        "region": "上海",
        "occurred_at": None,
        "reported_at": datetime.now(UTC),
        "customer": customer,
    }
    return an_intake(**(usual | changes))


async def repaired(doors: Doors, customer: dict[str, str], **changes: Any) -> str:
    """Let an issue of this customer have been resolved; return its number."""
    seen = await doors.desk.open(from_shanghai(customer, **changes))
    await doors.desk.act(seen.number, ActionName.ACCEPT, Accept(by=LEAD))
    done = Resolve(by=LEAD, result="读卡器已更换", cause="传感器脏")
    await doors.desk.act(seen.number, ActionName.RESOLVE, done)
    return seen.number


async def explained(doors: Doors, customer: dict[str, str]) -> str:
    """Let a complaint of this customer have been unfounded; return its number."""
    about_us = {"kind": "complaint", "category": "service", "title": "来晚了"}
    seen = await doors.desk.open(from_shanghai(customer, **about_us))
    await doors.desk.act(seen.number, ActionName.ACCEPT, Accept(by=LEAD))
    found = Verify(by=LEAD, verdict=Verdict.UNFOUNDED, findings="按约定时间到场")
    await doors.desk.act(seen.number, ActionName.VERIFY, found)
    call = ContactCustomer(by=AGENT, reached=True, told="工程师按约定时间到场，并向客户说明")
    await doors.desk.act(seen.number, ActionName.CONTACT_CUSTOMER, call)
    return seen.number


@pytest.fixture
async def two(doors: Doors, customer: dict[str, str]) -> tuple[str, str]:
    """Two issues of one customer whose callback is due."""
    return await repaired(doors, customer), await repaired(doors, customer, title="黑屏")


def card(page: httpx2.Response, number: str) -> str:
    """Return the part of a page that is the call about an issue."""
    cards = re.findall(r'<article class="card call".*?</article>', page.text, re.DOTALL)
    (found,) = [each for each in cards if number in each]
    return str(found)


async def form_for(clerk: AtDesk, numbers: tuple[str, ...], **said: str) -> dict[str, Any]:
    """Fill in the call about these issues; what is left out is not said."""
    page = await clerk.get("/calls")
    unseen = hidden(card(page, numbers[0]))
    return {**unseen, "number": list(numbers), **said}


def about(numbers: tuple[str, ...], *answers: str) -> dict[str, str]:
    return {f"running.{n}": answer for n, answer in zip(numbers, answers, strict=True)}


async def records(doors: Doors, number: str) -> list[dict[str, Any]]:
    rows = await pool_of(doors).fetch(
        "SELECT r.* FROM callback_records r JOIN issues i ON i.id = r.issue_id"
        " WHERE i.number = $1 ORDER BY called_at",
        number,
    )
    return [dict(row) for row in rows]


# What is read first -------------------------------------------------------------------------------


async def test_a_customer_is_there_once_with_what_to_read_about_every_issue(
    clerk: AtDesk, customer: dict[str, str], two: tuple[str, str]
) -> None:
    page = await clerk.get("/calls")
    call = card(page, two[0])
    number = telephone.read(customer["phone"])
    assert number
    for said in (
        *two,
        customer["name"],
        number.shown,
        "黑屏",
        "读卡器已更换",
        "传感器脏",
        "SN-4711",
    ):
        assert said in call
    assert f'href="{number.uri}"' in call
    head = re.search(r"<h2>.*?</h2>", call, re.DOTALL)
    assert head
    assert customer["name"] in head[0]
    assert page.text.count(head[0]) == 1
    assert not [each for each in addresses(page.text) if customer["name"] in each]


async def test_every_look_is_recorded_by_the_issues_and_nothing_of_the_customers(
    clerk: AtDesk, customer: dict[str, str], two: tuple[str, str]
) -> None:
    await clerk.get("/calls")
    looks = {look.number for look in await clerk.trail("list_callbacks")}
    assert set(two) <= looks
    assert not [each for each in customer.values() if each in repr(await clerk.trail())]


async def test_the_page_is_in_the_language_of_the_browser(
    clerk: AtDesk, two: tuple[str, str]
) -> None:
    assert "联系上了吗" in card(await clerk.get("/calls"), two[0])
    english = card(await replace(clerk, english=True).get("/calls"), two[0])
    assert "Reached" in english
    assert "联系上" not in english


@pytest.mark.parametrize("role", [Role.ENGINEER, Role.LEAD, Role.AUDITOR])
async def test_whom_to_call_is_for_clerks_and_agents(
    doors: Doors, http: httpx2.AsyncClient, role: Role
) -> None:
    other = await sign_in(doors, http, role, PEOPLE[role])
    assert (await other.get("/calls")).status_code == 403
    agent = await sign_in(doors, http, Role.AGENT, "07")
    assert (await agent.get("/calls")).status_code == 200


async def test_notes_words_and_photographs_of_each_issue_are_taken_during_the_call(
    doors: Doors, clerk: AtDesk, two: tuple[str, str]
) -> None:
    shown = card(await clerk.get("/calls"), two[0])
    for number in two:
        place = f"/find/{number}"
        assert f'hx-get="{place}"' in shown
        page = await clerk.get(place)
        for part in ("attachments", "thread"):  # what they lead to is no part of this page
            assert f'id="{part}" hx-boost="false"' in page.text
        (note,) = re.findall(
            rf'<form method="post" action="{place}/add_note">.*?</form>', page.text, re.DOTALL
        )
        said = hidden(note) | {"words": f"备注 {number}"}
        assert (await clerk.post(f"{place}/add_note", said)).status_code == 303
        assert f"备注 {number}" in (await clerk.get(place)).text


# What was said ------------------------------------------------------------------------------------


async def test_one_call_about_two_issues_is_one_call_in_both(
    doors: Doors, clerk: AtDesk, two: tuple[str, str]
) -> None:
    said = {"reached": "yes", "satisfied": "no", "words": WORDS} | about(two, "yes", "no")
    form = await form_for(clerk, two, **said)
    for _ in range(2):
        done = await clerk.post("/calls", form, htmx=True)
        assert done.status_code == 200
        assert "<html" not in done.text
        assert all(number in done.text for number in two)
    ((good,), (bad,)) = [await records(doors, number) for number in two]
    assert good["call"] == bad["call"] == form["key"]
    assert (good["running"], bad["running"]) == (True, False)
    assert {(each["clerk"], each["words"], each["satisfied"]) for each in (good, bad)} == {
        ("fan.meiling", WORDS, False)
    }
    stages = [(await doors.desk.show(number)).stage for number in two]
    assert stages[0] == "closed"
    assert stages[1] != "closed"
    noted = [e for e in await clerk.trail("record_callback") if e.number in two]
    assert [each.outcome for each in noted] == ["done", "done"]


async def test_after_the_record_the_clerk_reads_what_comes_next(
    clerk: AtDesk, two: tuple[str, str]
) -> None:
    said = {"reached": "yes", "words": WORDS} | about(two, "yes", "no")
    page = await clerk.post("/calls", await form_for(clerk, two, **said))
    assert "</html>" in page.text, "without script the whole page comes"
    good, bad = outcomes(page)
    assert two[0] in good
    assert "已关闭 · 解决" in good
    assert two[1] in bad
    assert re.search("重新处理|已派工", bad)
    assert re.search(r"解决 *\n? *<time", bad), "the new promise"


def outcomes(page: httpx2.Response) -> list[str]:
    """Return what a page says became of a call, issue by issue."""
    (done,) = re.findall(r'<article class="card done".*?</article>', page.text, re.DOTALL)
    return re.findall(r"<li>[✓✗].*?</li>", done, re.DOTALL)


async def test_a_customer_who_was_not_reached_is_called_another_day(
    doors: Doors, clerk: AtDesk, two: tuple[str, str]
) -> None:
    said = {"reached": "no", "words": "占线"} | about(two, "yes", "yes")
    done = await clerk.post("/calls", await form_for(clerk, two, **said))
    assert all("回访 <time" in each for each in outcomes(done)), done.text
    for number in two:
        (record,) = await records(doors, number)
        assert (record["reached"], record["running"], record["words"]) == (False, None, "占线")
    page = await clerk.get("/calls")
    if two[0] in page.text:  # the next attempt may be today by a policy that is open all night
        later = page.text.index("今天已致电，今天不再打扰")
        assert page.text.index(f'id="call-{two[0]}"') > later
        assert "未联系上" in card(page, two[0])


@pytest.mark.parametrize(
    ("said", "runs", "marked", "reasons"),
    [
        ({}, "", 0, ("请选择", "choose one")),
        ({"reached": "maybe"}, "", 0, ("请选择", "choose one")),
        ({"reached": "yes", "words": WORDS}, "", 1, ("请选择", "choose one")),
        ({"reached": "yes"}, "yes", 3, ("请按原话记下", "as said")),
        ({"reached": "yes", "conflict": "on"}, "no", 4, ("请按原话记下", "as said")),
        ({"reached": "no", "conflict": "on", "words": WORDS}, "", 2, ("不会投诉", "cannot have")),
    ],
)
async def test_what_is_missing_is_said_and_all_that_is_written_or_marked_is_kept(
    doors: Doors,
    clerk: AtDesk,
    two: tuple[str, str],
    said: dict[str, str],
    runs: str,
    marked: int,
    reasons: tuple[str, str],
) -> None:
    form = await form_for(clerk, two, **said, **about(two, runs, runs))
    for browser, reason in zip((clerk, replace(clerk, english=True)), reasons, strict=True):
        whole = await browser.post("/calls", form)
        part = await browser.post("/calls", form, htmx=True)
        assert (whole.status_code, part.status_code) == (422, 422)
        for text in (card(whole, two[0]), part.text):
            (wrong, *_) = re.findall(r'<span class="wrong">(.+?)</span>', text)
            assert reason in wrong
            assert form["key"] in text
            assert said.get("words", "") in text
            assert text.count(" checked") == marked
    assert not await records(doors, two[0])


async def test_whether_it_runs_is_asked_about_faults_only(
    doors: Doors, clerk: AtDesk, customer: dict[str, str]
) -> None:
    fault = await repaired(doors, customer)
    number = await explained(doors, customer)
    call = card(await clerk.get("/calls"), fault)
    of_fault, of_complaint = sorted(
        re.findall(r'<section class="case">.*?</section>', call, re.DOTALL),
        key=lambda case: number in case,
    )
    assert "运行正常吗" in of_fault
    assert "运行正常吗" not in of_complaint
    said = {"reached": "yes", "satisfied": "no", "words": WORDS}
    form = await form_for(clerk, (fault, number), **said) | about((fault,), "yes")
    done = await clerk.post("/calls", form, htmx=True)
    assert done.status_code == 200, done.text
    assert [(await records(doors, each))[0]["running"] for each in (fault, number)] == [True, None]
    told = await pool_of(doors).fetch(
        "SELECT o.body FROM outbox o JOIN issues i ON i.id = o.issue_id"
        " WHERE i.number = ANY($1) AND o.template = 'dissatisfied'",
        [fault, number],
    )
    assert len(told) == 2
    assert all(WORDS in row["body"] for row in told)


async def test_a_conflict_becomes_one_complaint(
    doors: Doors, clerk: AtDesk, two: tuple[str, str]
) -> None:
    said = {"reached": "yes", "words": WORDS, "conflict": "on"} | about(two, "no", "no")
    done = await clerk.post("/calls", await form_for(clerk, two, **said), htmx=True)
    assert "转为投诉" in done.text
    conflicts = [(await records(doors, number))[0]["conflict"] for number in two]
    assert conflicts == [True, False]


async def test_issues_of_two_customers_are_not_one_call(
    doors: Doors, clerk: AtDesk, two: tuple[str, str]
) -> None:
    other = await repaired(doors, {"name": "另一位", "phone": f"021{uuid4().int % 10**8:08}"})
    both = (two[0], other)
    said = {"reached": "yes", "words": WORDS} | about(both, "yes", "yes")
    refused = await clerk.post("/calls", await form_for(clerk, both, **said), htmx=True)
    assert refused.status_code == 422
    assert "of 2 customers" in refused.text
    assert not await records(doors, other)


async def test_an_agent_may_call_and_is_named(
    doors: Doors, http: httpx2.AsyncClient, two: tuple[str, str]
) -> None:
    agent = await sign_in(doors, http, Role.AGENT, "07")
    said = {"reached": "yes", "words": "好的"} | about(two, "yes", "yes")
    await agent.post("/calls", await form_for(agent, two, **said), htmx=True)
    assert [(await records(doors, number))[0]["clerk"] for number in two] == ["07", "07"]


async def test_a_form_of_another_site_is_refused(clerk: AtDesk, two: tuple[str, str]) -> None:
    form = await form_for(clerk, two, reached="no")
    assert (await clerk.post("/calls", form | {"csrf": "made up"})).status_code == 403


class _Half(Desk):
    """A desk that does not answer about one of the issues."""

    silent = ""

    async def act(
        self, number: str, name: ActionName, act: Act, *, key: str | None = None
    ) -> IssueView:
        if number == self.silent:
            raise Unavailable("the desk does not answer now")
        return await super().act(number, name, act, key=key)


@pytest.mark.parametrize("htmx", [True, False], ids=["part", "page"])
async def test_a_call_that_is_sent_again_with_other_words_is_not_taken_for_recorded(
    doors: Doors, clerk: AtDesk, two: tuple[str, str], *, htmx: bool
) -> None:
    said = {"reached": "yes", "satisfied": "no", "words": WORDS} | about(two, "yes", "no")
    form = await form_for(clerk, two, **said)
    assert (await clerk.post("/calls", form, htmx=htmx)).status_code == 200
    again = await clerk.post("/calls", form | {"words": "其实又卡了"}, htmx=htmx)
    assert again.status_code == 409
    assert "以前的照旧" in again.text
    assert "其实又卡了" in again.text
    for number in two:
        assert [each["words"] for each in await records(doors, number)] == [WORDS]
    (trail, *_) = await clerk.trail("record_callback")
    assert trail.outcome == "refused: OtherContent"
    assert (await clerk.post("/calls", form, htmx=htmx)).status_code == 200


async def test_what_was_not_recorded_is_sent_again_and_nothing_twice(
    doors: Doors, two: tuple[str, str]
) -> None:
    half = _Half(doors.desk.client, pool_of(doors))
    half.silent = two[1]
    transport = httpx2.ASGITransport(app=build(replace(doors, desk=half)))
    async with httpx2.AsyncClient(transport=transport, base_url=BASE) as http:
        clerk = await sign_in(doors, http, Role.CLERK, "fan.meiling")
        said = {"reached": "yes", "words": f"“{WORDS}”"} | about(two, "yes", "no")
        first = await clerk.post("/calls", await form_for(clerk, two, **said), htmx=True)
        assert ["✓" in each for each in outcomes(first)] == [True, False]
        half.silent = ""
        again = hidden(first.text) | {"number": two}
        second = await clerk.post("/calls", again, htmx=True)
    assert ["fan.meiling" in each for each in outcomes(second)] == [True, False]
    ((one,), (other,)) = [await records(doors, number) for number in two]
    assert one["call"] == other["call"]
    assert (one["running"], other["running"], other["words"]) == (True, False, f"“{WORDS}”")
    trail = [e.outcome for e in await clerk.trail("record_callback") if e.number in two]
    assert trail == ["done", "unanswered", "done"]


# What is said (R40) -------------------------------------------------------------------------------


async def test_r40_the_call_opens_in_the_customers_language_whatever_the_clerk_reads(
    clerk: AtDesk, doors: Doors, customer: dict[str, str]
) -> None:
    number = await repaired(doors, customer | {"language": "en"}, model="H22N")
    found = card(await clerk.get("/calls"), number)
    assert "问工程师的维修结果" in found
    assert re.search(
        r'lang="en">Your ATM H22N had a fault, and today \(\d+ \w+\) our engineer', found
    )
    assert re.search(r'lang="en">Good day, this is 范美玲 of Huaxin Service', found)
