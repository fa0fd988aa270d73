"""The engineer's pages on the running desk: my issues by next due, and what is done with each."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import httpx2
import pytest

from domain.issue.actions import Accept, ActionName, Reassign, WaitForCustomer
from domain.issue.view import IssueView
from domain.staff.access import Right
from domain.vocabulary import Actor, Role, Stage
from starter.client import Unavailable
from tests.store.test_cases import a_draft, approved, propose
from tests.support.builders import an_intake
from tests.support.staff_at_pages import AtDesk, addresses, hidden, pool_of, sign_in
from tests.web.conftest import BASE
from web.app import build
from web.context import Doors

LEAD = Actor(id="zhou.jianguo", role=Role.LEAD)
ENGINEER = "liang.jiahao"
BY = Actor(id=ENGINEER, role=Role.ENGINEER)
PHONE = "+86 139 5550 0123"
CUSTOMER = {"name": "顾女士", "organisation": "未名银行", "phone": PHONE}


@pytest.fixture
async def engineer(doors: Doors, http: httpx2.AsyncClient) -> AtDesk:
    return await sign_in(doors, http, Role.ENGINEER, ENGINEER)


async def given(doors: Doors, to: str = ENGINEER, **changes: Any) -> IssueView:
    """Let an engineer have an issue."""
    usual = {
        "reference": uuid4().hex,
        "region": "上海",
        "occurred_at": None,
        "reported_at": datetime.now(UTC),
        "customer": CUSTOMER,
        "site": "世纪大道 1 号",
    }
    seen = await doors.desk.open(an_intake(**(usual | changes)))
    return await doors.desk.act(
        seen.number, ActionName.REASSIGN, Reassign(by=LEAD, to=to, reason="试验")
    )


async def form_of(engineer: AtDesk, number: str, action: str) -> dict[str, str]:
    """Return what the form of an action carries unseen."""
    page = await engineer.get(f"/my/{number}")
    assert page.status_code == 200, page.text
    begin = page.text.index(f'action="/my/{number}/{action}"')
    return hidden(page.text[begin : page.text.index("</form>", begin)])


# My issues ----------------------------------------------------------------------------------------


async def test_my_open_issues_come_by_next_due_with_what_is_promised(
    doors: Doors, engineer: AtDesk
) -> None:
    late = await given(doors, title="晚些到期")
    soon = await given(
        doors, title="早些到期", reported_at=datetime.now(UTC) - timedelta(minutes=20)
    )
    other = await given(doors, to="chen.zhiqiang", title="别人的")
    page = (await engineer.get("/my")).text
    assert page.index(soon.number) < page.index(late.number)
    assert other.number not in page
    card = page[page.index(f'/my/{soon.number}"') :]
    card = card[: card.index("</li>")]
    assert soon.next_due_at
    for said in ("早些到期", "ATM", "上海", "已派工", "响应", "还剩"):
        assert said in card
    assert f'data-due="{soon.next_due_at.isoformat()}"' in card


async def test_what_waits_for_the_customer_stands_apart(doors: Doors, engineer: AtDesk) -> None:
    seen = await given(doors)
    await doors.desk.act(seen.number, ActionName.ACCEPT, Accept(by=BY))
    wait = WaitForCustomer(by=BY, reason="等密码")
    await doors.desk.act(seen.number, ActionName.WAIT_FOR_CUSTOMER, wait)
    page = (await engineer.get("/my")).text
    assert page.index("等待客户或他人") < page.index(seen.number)


async def test_the_list_swaps_itself_in_and_can_be_refreshed_without_script(
    engineer: AtDesk,
) -> None:
    page = (await engineer.get("/my")).text
    assert '<div id="mine" hx-get="/my" hx-trigger="every 60s" hx-select="#mine"' in page
    assert 'href="/my">刷新' in page


# One issue ----------------------------------------------------------------------------------------


async def test_an_issue_shows_its_customer_and_the_look_is_recorded(
    doors: Doors, engineer: AtDesk
) -> None:
    seen = await given(doors)
    page = (await engineer.get(f"/my/{seen.number}")).text
    for said in ("顾女士", "未名银行", 'href="tel:+8613955500123"', "世纪大道 1 号", "改派"):
        assert said in page
    trail = await engineer.trail(Right.SEE_CUSTOMER)
    assert [(e.number, e.outcome) for e in trail][:1] == [(seen.number, "seen")]
    assert not [each for each in addresses(page) if "顾女士" in each or "5550" in each]


async def test_an_issue_of_another_is_not_shown_nor_acted_on(
    doors: Doors, engineer: AtDesk
) -> None:
    own, other = await given(doors), await given(doors, to="chen.zhiqiang")
    page = await engineer.get(f"/my/{other.number}")
    assert page.status_code == 403
    assert "顾女士" not in page.text
    sealed = await form_of(engineer, own.number, "accept")
    refused = await engineer.post(f"/my/{other.number}/accept", sealed)
    assert refused.status_code == 403
    assert (await doors.desk.show(other.number)).stage is Stage.ASSIGNED
    assert [(e.number, e.outcome) for e in await engineer.trail("accept")][:1] == [
        (other.number, "refused: NotYours")
    ]


async def test_r43_a_result_is_given_a_fault_code_of_the_list_of_its_product_line(
    doors: Doors, engineer: AtDesk
) -> None:
    machine, other = await given(doors), await given(doors, kind="suggestion")
    for seen in (machine, other):
        await doors.desk.act(seen.number, ActionName.ACCEPT, Accept(by=BY))
    page = (await engineer.get(f"/my/{machine.number}")).text
    assert '<option value="A01">A01 读卡器故障</option>' in page
    assert 'name="fault"' not in (await engineer.get(f"/my/{other.number}")).text
    where = f"/my/{machine.number}/resolve"
    sealed = await form_of(engineer, machine.number, "resolve")
    wrong = await engineer.post(where, sealed | {"result": "换了读卡器", "fault": "K01"})
    assert wrong.status_code == 422
    assert "请从故障代码表中选择一项" in wrong.text
    sealed = await form_of(engineer, machine.number, "resolve")
    done = await engineer.post(where, sealed | {"result": "换了读卡器", "fault": "A01"})
    assert done.status_code == 303, done.text
    page = (await engineer.get(f"/my/{machine.number}")).text
    for said in ("故障代码", "A01", "故障名称", "读卡器故障"):
        assert said in page


async def test_known_solutions_are_shown_if_they_are_approved(
    doors: Doors, engineer: AtDesk
) -> None:
    seen = await given(doors, title="出钞口反复卡住纸币")
    words = {"title": "出钞口反复卡住纸币", "product_line": "ATM"}
    (good,) = await approved(pool_of(doors), a_draft(**words, solution="清洁出钞轮"))
    await propose(pool_of(doors), a_draft(**words, solution="未经审核的办法"))
    page = (await engineer.get(f"/my/{seen.number}")).text
    assert good in page
    assert "清洁出钞轮" in page
    assert "未经审核的办法" not in page


# What is done with it -----------------------------------------------------------------------------


async def test_a_form_that_is_sent_twice_is_one_action(doors: Doors, engineer: AtDesk) -> None:
    seen = await given(doors)
    await doors.desk.act(seen.number, ActionName.ACCEPT, Accept(by=BY))
    form = await form_of(engineer, seen.number, "report_progress") | {"note": "配件在路上"}
    for _ in range(2):
        done = await engineer.post(f"/my/{seen.number}/report_progress", form)
        assert (done.status_code, done.headers["location"]) == (303, f"/my/{seen.number}")
    steps = (await doors.desk.show(seen.number)).steps
    assert [step.note for step in steps].count("配件在路上") == 1
    trail = await engineer.trail("report_progress")
    assert {e.outcome for e in trail if e.number == seen.number} == {"done"}


async def test_an_engineer_takes_an_issue_from_acceptance_to_its_result(
    doors: Doors, engineer: AtDesk
) -> None:
    seen = await given(doors)
    for action, said in (
        ("accept", {}),
        ("wait_for_customer", {"reason": "等密码"}),
        ("resume", {"note": "收到"}),
        ("resolve", {"result": "更换了皮带", "cause": "老化", "known_solution": "yes"}),
    ):
        form = await form_of(engineer, seen.number, action) | said
        done = await engineer.post(f"/my/{seen.number}/{action}", form)
        assert done.status_code == 303, done.text
    after = await doors.desk.show(seen.number)
    assert after.results == ("更换了皮带",)
    assert after.stage in {Stage.RESOLVED, Stage.REPLIED, Stage.CALLBACK}


async def test_a_time_is_read_in_the_zone_of_the_issue(doors: Doors, engineer: AtDesk) -> None:
    seen = await given(doors)
    ahead = (datetime.now(UTC) + timedelta(days=2)).astimezone(ZoneInfo(seen.zone))
    form = await form_of(engineer, seen.number, "accept")
    said = {"expected_at": f"{ahead:%Y-%m-%dT%H:%M}"}
    assert (await engineer.post(f"/my/{seen.number}/accept", form | said)).status_code == 303
    page = (await engineer.get(f"/my/{seen.number}")).text
    at = ahead.replace(second=0, microsecond=0).astimezone(UTC)
    assert f'<time datetime="{at.isoformat()}"' in page


async def test_what_is_wrong_is_said_beside_its_field_and_the_words_are_kept(
    doors: Doors, engineer: AtDesk
) -> None:
    seen = await given(doors)
    await doors.desk.act(seen.number, ActionName.ACCEPT, Accept(by=BY))
    form = await form_of(engineer, seen.number, "report_progress")
    wrong = form | {"note": "", "expected_at": "明天"}
    page = await engineer.post(f"/my/{seen.number}/report_progress", wrong)
    assert page.status_code == 422
    assert re.search(r'id="report_progress-note-wrong">请填写', page.text)
    assert re.search(r'id="report_progress-expected_at-wrong">请写成', page.text)
    assert 'value="明天"' in page.text
    assert f'name="key" value="{form["key"]}"' in page.text

    past = form | {"note": "等配件", "expected_at": "2020-01-01T09:00"}
    page = await engineer.post(f"/my/{seen.number}/report_progress", past)
    assert page.status_code == 422
    assert re.search(r'id="report_progress-expected_at-wrong">', page.text)
    assert ">等配件</textarea>" in page.text


async def test_what_comes_too_late_is_refused_with_its_words_kept(
    doors: Doors, engineer: AtDesk
) -> None:
    seen = await given(doors)
    form = await form_of(engineer, seen.number, "accept")
    await doors.desk.act(seen.number, ActionName.ACCEPT, Accept(by=BY))
    page = await engineer.post(
        f"/my/{seen.number}/accept", form | {"expected_at": "2099-01-01T08:00"}
    )
    assert page.status_code == 409
    assert "问题的情况已有变化" in page.text
    assert 'value="2099-01-01T08:00"' in page.text


async def test_a_form_that_the_desk_refused_is_done_once_it_is_corrected(
    doors: Doors, engineer: AtDesk
) -> None:
    seen = await given(doors)
    form = await form_of(engineer, seen.number, "reassign")
    said = {"to": "nobody.such", "reason": "我不在"}
    page = await engineer.post(f"/my/{seen.number}/reassign", form | said)
    assert page.status_code == 422
    assert 'id="reassign-to-wrong"' in page.text
    begin = page.text.index(f'action="/my/{seen.number}/reassign"')
    again = hidden(page.text[begin : page.text.index("</form>", begin)])
    done = await engineer.post(f"/my/{seen.number}/reassign", again | said | {"to": "xu.jing"})
    assert (done.status_code, done.headers.get("location")) == (303, "/my")


async def test_who_passes_an_issue_on_goes_back_to_the_list(doors: Doors, engineer: AtDesk) -> None:
    seen = await given(doors)
    form = await form_of(engineer, seen.number, "reassign")
    said = {"to": "chen.zhiqiang", "reason": "我不在"}
    done = await engineer.post(f"/my/{seen.number}/reassign", form | said)
    assert (done.status_code, done.headers["location"]) == (303, "/my")


async def test_a_form_of_another_site_does_nothing(doors: Doors, engineer: AtDesk) -> None:
    seen = await given(doors)
    form = await form_of(engineer, seen.number, "accept")
    for csrf in ("", form["csrf"] + "x", doors.signer.timed("csrf").dumps("another")):
        refused = await engineer.post(f"/my/{seen.number}/accept", form | {"csrf": csrf})
        assert refused.status_code == 403
    assert (await doors.desk.show(seen.number)).stage is Stage.ASSIGNED


async def test_what_is_not_done_here_is_not_done(doors: Doors, engineer: AtDesk) -> None:
    seen = await given(doors)
    form = await form_of(engineer, seen.number, "accept")
    assert (await engineer.post(f"/my/{seen.number}/evaluate", form)).status_code == 404
    assert (await engineer.post(f"/my/{seen.number}/sell", form)).status_code == 422
    assert (await engineer.get("/my/CTS2000-0000")).status_code == 404


async def test_while_the_desk_is_away_the_form_is_kept_and_stays_one_action(
    doors: Doors, engineer: AtDesk
) -> None:
    class Away(type(doors.desk)):  # type: ignore[misc]  # the desk's own class
        async def act(self, *_: Any, **__: Any) -> IssueView:
            raise Unavailable("away")

    seen = await given(doors)
    form = await form_of(engineer, seen.number, "accept")
    away = build(replace(doors, desk=Away(doors.desk.client, pool_of(doors))))
    transport = httpx2.ASGITransport(app=away)
    async with httpx2.AsyncClient(
        transport=transport, base_url=BASE, cookies=engineer.http.cookies
    ) as http:
        page = await replace(engineer, http=http).post(f"/my/{seen.number}/accept", form)
    assert page.status_code == 503
    assert page.headers["retry-after"]
    assert f'name="key" value="{form["key"]}"' in page.text


async def test_only_those_who_handle_issues_have_a_list(
    doors: Doors, http: httpx2.AsyncClient
) -> None:
    clerk = await sign_in(doors, http, Role.CLERK, "fan.meiling")
    assert (await clerk.get("/my")).status_code == 403
    lead = await sign_in(doors, http, Role.LEAD, "zhou.jianguo")
    assert (await lead.get("/my")).status_code == 200
