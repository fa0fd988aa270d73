"""Odd intakes at every door: clocks that run ahead, names the roster writes otherwise, texts in
which there is nothing to see, marks that turn the reading direction.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import httpx2
import pytest
from fastapi import FastAPI

from domain.issue.actions import ActionName, Reassign
from domain.issue.intake import CLOCK_AHEAD
from domain.vocabulary import Actor, Role
from inbound.shelf import Shelf
from runtime.settings import ROOT
from tests.support.builders import an_intake
from tests.support.running_desk import RunningDesk
from tests.support.staff_at_pages import AtDesk, sign_in
from tests.web.conftest import PEOPLE, MakeToken
from tests.web.test_agent_pages import Caller, a_form, sent
from tests.web.test_api_opening import an_intake as said
from web.context import Doors

EXAMPLES = ROOT / "examples" / "inbound"
UNSEEN = "\u200b\u2060"


def call(**changes: Any) -> dict[str, Any]:
    """What the example call centre sends, of a call of its own."""
    theirs: dict[str, Any] = json.loads((EXAMPLES / "cti.json").read_text("utf-8"))
    return theirs | {"call": theirs["call"] | {"id": f"CC1/{uuid4().hex}"} | changes}


def ahead(**span: float) -> str:
    return (datetime.now(UTC) + timedelta(**span)).isoformat(timespec="seconds")


async def recorded(running_desk: RunningDesk, answer: httpx2.Response) -> Any:
    assert answer.status_code == 201, answer.text
    row = await running_desk.pool.fetchrow(
        "SELECT * FROM issues WHERE number = $1", answer.json()["number"]
    )
    assert row is not None
    return row


@pytest.mark.parametrize("span", [{"minutes": 6}, {"hours": 8}, {"hours": 23}])
async def test_a_clock_that_runs_ahead_is_taken_for_now_and_what_it_said_is_noted(
    http: httpx2.AsyncClient, token: MakeToken, running_desk: RunningDesk, span: dict[str, float]
) -> None:
    began, at = datetime.now(UTC), ahead(**span)
    answer = await http.post(
        "/issues",
        json=said(reported_at=at, occurred_at=at, description="卡住了"),
        headers=await token(Role.INTAKE),
    )
    row = await recorded(running_desk, answer)
    assert began <= row["reported_at"] == row["occurred_at"] <= datetime.now(UTC)
    words, _, noted = row["description"].partition(f"\n\n{CLOCK_AHEAD}: ")
    assert (words, noted) == ("卡住了", f"reported_at {at}, occurred_at {at}")


async def test_a_call_centre_whose_clock_runs_ahead_is_heard_as_well(
    http: httpx2.AsyncClient, app: FastAPI, token: MakeToken, running_desk: RunningDesk
) -> None:
    app.state.shelf = Shelf(EXAMPLES)
    at = datetime.now(ZoneInfo("Asia/Shanghai")) + timedelta(minutes=6)
    theirs = call(answered_at=f"{at:%Y-%m-%dT%H:%M:%S}")
    answer = await http.post("/inbound/cti", json=theirs, headers=await token(Role.INTAKE, "cti"))
    row = await recorded(running_desk, answer)
    assert row["reported_at"] <= datetime.now(UTC)
    assert CLOCK_AHEAD in row["description"]


@pytest.mark.parametrize("field", ["reported_at", "occurred_at"])
async def test_what_lies_more_than_a_day_ahead_is_refused_by_its_field(
    http: httpx2.AsyncClient, token: MakeToken, field: str
) -> None:
    answer = await http.post(
        "/issues", json=said(**{field: ahead(hours=25)}), headers=await token(Role.INTAKE)
    )
    assert answer.status_code == 422
    assert [each["field"] for each in answer.json()["errors"]] == [field]


@pytest.mark.parametrize("region", ["广东省", " 广 东 省 ", "廣東"])
async def test_a_region_is_written_as_the_roster_does(
    http: httpx2.AsyncClient, token: MakeToken, region: str
) -> None:
    answer = await http.post(
        "/issues", json=said(region=region, product_line="ａｔｍ"), headers=await token(Role.INTAKE)
    )
    assert answer.status_code == 201, answer.text
    assert (answer.json()["region"], answer.json()["product_line"]) == ("广东", "ATM")


async def test_an_unknown_product_line_is_refused_with_those_there_are(
    http: httpx2.AsyncClient, token: MakeToken
) -> None:
    answer = await http.post(
        "/issues", json=said(product_line="XYZ"), headers=await token(Role.INTAKE)
    )
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert error["field"] == "product_line"
    assert error["reason"].endswith("known: ATM, KIOSK, SECURITY, VEHICLE")


@pytest.mark.parametrize("field", ["title", "site", "customer.name"])
async def test_a_text_with_nothing_to_see_is_refused_by_its_field(
    http: httpx2.AsyncClient, token: MakeToken, field: str
) -> None:
    whole = said()
    whole["customer"] = dict(whole["customer"])
    place = whole["customer"] if field.startswith("customer.") else whole
    place[field.rpartition(".")[2]] = UNSEEN
    answer = await http.post("/issues", json=whole, headers=await token(Role.INTAKE))
    assert answer.status_code == 422
    assert [each["field"] for each in answer.json()["errors"]] == [field]


async def test_staff_who_write_nothing_to_see_are_told_which_field(
    http: httpx2.AsyncClient, token: MakeToken, running_desk: RunningDesk
) -> None:
    opened = await http.post("/issues", json=said(), headers=await token(Role.INTAKE))
    number = opened.json()["number"]
    answer = await http.post(
        f"/issues/{number}/reassign", json={"reason": UNSEEN}, headers=await token(Role.LEAD)
    )
    assert answer.status_code == 422
    assert [each["field"] for each in answer.json()["errors"]] == ["reason"]
    steps = (await running_desk.desk.show(number)).steps
    assert [step.action for step in steps] == [ActionName.REGISTERED]


async def test_a_word_from_days_ago_does_not_make_a_broken_promise_kept(
    http: httpx2.AsyncClient, token: MakeToken
) -> None:
    reported = datetime.now(UTC) - timedelta(days=13)
    late = said(reported_at=reported.isoformat(), occurred_at=None, category="technical")
    opened = await http.post("/issues", json=late, headers=await token(Role.INTAKE))
    assert opened.status_code == 201, opened.text
    at = reported + timedelta(minutes=30)
    answer = await http.post(
        f"/issues/{opened.json()['number']}/accept",
        json={"at": at.isoformat()},
        headers=await token(Role.LEAD),
    )
    assert answer.status_code == 200, answer.text
    ends = {promise["kind"]: promise["end"] for promise in answer.json()["promises"]}
    assert ends["response"] == "broken"
    step = answer.json()["steps"][-1]
    assert datetime.fromisoformat(step["said_at"]) == at
    assert datetime.fromisoformat(step["at"]) > at + timedelta(days=12)


async def test_a_form_of_a_page_with_nothing_to_see_is_one_to_be_filled_in(
    doors: Doors, http: httpx2.AsyncClient
) -> None:
    agent = await sign_in(doors, http, Role.AGENT, PEOPLE[Role.AGENT])
    caller = Caller("林小满", f"单位{uuid4().hex[:6]}", "020 5550 0188")
    answer = await sent(agent, a_form(caller, title="\u3164", name="\u2800"))
    assert answer.status_code == 422
    assert answer.text.count("请填写") >= 2
    wrong = await sent(agent, a_form(caller, product_line="XYZ"))
    assert wrong.status_code == 422
    assert "人员名册里没有这条产品线" in wrong.text


async def test_an_agent_is_not_given_a_past_instant_to_promise(
    doors: Doors, http: httpx2.AsyncClient
) -> None:
    agent = await sign_in(doors, http, Role.AGENT, PEOPLE[Role.AGENT])
    facts = {"reference": uuid4().hex, "region": "上海", "occurred_at": None}
    late = datetime.now(UTC) - timedelta(days=13)
    issue = await doors.desk.open(an_intake(**facts, reported_at=late))
    page = (await agent.get(f"/intake/{issue.number}")).text
    assert "很抱歉，期限已过，我们马上跟进： 响应, 解决" in page
    assert "最迟" not in page


async def test_what_people_wrote_cannot_turn_a_page_around(
    doors: Doors, http: httpx2.AsyncClient
) -> None:
    lead: AtDesk = await sign_in(doors, http, Role.LEAD, PEOPLE[Role.LEAD])
    title = f"שלום \u202e{uuid4().hex[:8]}\u202c"
    issue = await doors.desk.open(
        an_intake(
            reference=uuid4().hex,
            region="上海",
            occurred_at=None,
            reported_at=datetime.now(UTC),
            title=title,
        )
    )
    clean = title.replace("\u202e", "").replace("\u202c", "")
    assert issue.title == clean
    act = Reassign(by=Actor(id="zhou.jianguo", role=Role.LEAD), reason="مرحبا")
    await doors.desk.act(issue.number, ActionName.REASSIGN, act)
    page = await lead.get(f"/board/{issue.number}")
    assert f"<bdi>{clean}</bdi>" in page.text
