"""The same reference or key with something else in it is no repeat, at whichever door: nothing that
somebody wrote vanishes behind a success.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from fastapi import FastAPI

from domain.issue.actions import ActionName
from domain.issue.intake import SAID
from domain.vocabulary import Role
from inbound.mapping import Form
from inbound.shelf import Shelf
from runtime.settings import ROOT
from starter.client import Busy, Desk
from tests.support.patience import PATIENCE
from tests.support.running_desk import RunningDesk
from tests.web.conftest import MakeToken
from tests.web.test_api_opening import an_intake
from tests.web.test_webhooks import event, web_form
from web.forms.wording import SAID as CALLED

Http = httpx2.AsyncClient


@pytest.fixture(autouse=True)
def shelf(app: FastAPI) -> None:
    app.state.shelf = Shelf(ROOT / "examples" / "inbound")


@pytest.fixture
async def web(token: MakeToken) -> dict[str, str]:
    return await token(Role.INTAKE)


@pytest.fixture
async def lead(token: MakeToken) -> dict[str, str]:
    return await token(Role.LEAD)


_OF_THE_CUSTOMER = [
    *("customer.name", "customer.organisation", "customer.phone", "customer.email"),
]


def refused(answer: httpx2.Response) -> dict[str, Any]:
    """Return why, of what is refused for saying something else."""
    why: dict[str, Any] = answer.json()
    assert (answer.status_code, why["type"]) == (409, "urn:yinuo:OtherContent"), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    return why


@pytest.mark.parametrize(
    ("changes", "differs"),
    [
        ({"title": "乙处：屏幕碎裂"}, ["title"]),
        (
            {
                "title": "乙处：屏幕碎裂",
                "kind": "complaint",
                "customer": {"name": "另一位", "phone": "13800009999"},
            },
            ["kind", *_OF_THE_CUSTOMER, "title"],
        ),
        ({"kind": "complaint", "severity": "major"}, ["kind", "severity"]),
        ({"customer": {"name": "另一位", "phone": "13800009999"}}, _OF_THE_CUSTOMER),
        ({"description": None}, ["description"]),
        ({"site": "二楼", "serial_number": "SN-2"}, ["serial_number", "site"]),
        ({"agent": "98"}, ["agent"]),
        ({"occurred_at": "2026-01-01T08:00:00+08:00"}, ["occurred_at"]),
    ],
    ids=lambda each: ",".join(each) if isinstance(each, dict) else "",
)
async def test_another_issue_under_the_same_reference_is_refused_and_told_what_stands(
    http: Http, web: dict[str, str], changes: dict[str, Any], differs: list[str]
) -> None:
    said = an_intake()
    first = await http.post("/issues", json=said, headers=web)
    other = await http.post("/issues", json=an_intake(**said | changes), headers=web)
    why = refused(other)
    assert other.headers["location"] == first.headers["location"]
    assert why["number"] == first.json()["number"]
    assert why["recorded_at"].replace("+00:00", "Z") == first.json()["registered_at"]
    assert why["differs"] == differs
    for confidential in (*said["customer"].values(), "另一位", "13800009999", "乙处"):
        assert confidential not in other.text
    again = await http.post("/issues", json=said, headers=web)
    assert (again.status_code, again.json()["number"]) == (200, why["number"])


async def test_a_key_that_stands_in_for_a_reference_is_no_different(
    http: Http, web: dict[str, str]
) -> None:
    sent = web | {"Idempotency-Key": uuid4().hex}
    said = an_intake(reference=None)
    assert (await http.post("/issues", json=said, headers=sent)).status_code == 201
    other = await http.post("/issues", json=said | {"title": "x"}, headers=sent)
    assert refused(other)["differs"] == ["title"]


async def test_what_the_door_fills_in_or_another_writes_otherwise_is_the_same(
    http: Http, token: MakeToken
) -> None:
    said = an_intake(agent=None)
    first = await http.post("/issues", json=said, headers=await token(Role.AGENT))
    assert first.status_code == 201, first.text
    phone = said["customer"]["phone"].removeprefix("+86")
    customer = said["customer"] | {"phone": f"0086-{phone[:3]}-{phone[3:7]}-{phone[7:]}"}
    again = said | {"customer": customer, "ring_seconds": 4, "title": f"  {said['title']} "}
    other_agent = await token(Role.AGENT, "12")
    answer = await http.post("/issues", json=again, headers=other_agent)
    assert (answer.status_code, answer.json()["number"]) == (200, first.json()["number"])


async def test_of_two_at_the_same_instant_one_is_created_and_the_other_refused(
    http: Http, web: dict[str, str]
) -> None:
    said = an_intake()
    both = (said, said | {"title": "乙处：屏幕碎裂"})
    answers = await asyncio.gather(*(http.post("/issues", json=each, headers=web) for each in both))
    assert sorted(each.status_code for each in answers) == [201, 409]


async def test_who_is_refused_is_in_the_trail(
    http: Http, web: dict[str, str], running_desk: RunningDesk
) -> None:
    said = an_intake()
    number = (await http.post("/issues", json=said, headers=web)).json()["number"]
    await http.post("/issues", json=said | {"title": "x"}, headers=web)
    trail = "SELECT outcome FROM door_log WHERE number = $1 ORDER BY id"
    rows = [row[0] for row in await running_desk.pool.fetch(trail, number)]
    assert rows == ["done", "refused: OtherContent"]


def test_every_field_that_may_differ_has_a_name_for_people() -> None:
    assert CALLED.keys() == SAID


# Webhooks -----------------------------------------------------------------------------------------


async def test_a_webhook_with_the_same_reference_and_other_words_is_refused(
    http: Http, token: MakeToken
) -> None:
    cti, said = await token(Role.INTAKE, "cti"), event()
    first = await http.post("/inbound/cti", json=said, headers=cti)
    other = said | {"ticket": said["ticket"] | {"subject": "键盘失灵"}}
    answer = await http.post("/inbound/cti", json=other, headers=cti)
    assert refused(answer)["differs"] == ["title"]
    assert answer.headers["location"] == first.headers["location"]


async def test_a_form_of_a_browser_with_the_same_reference_and_other_words_is_refused(
    http: Http, token: MakeToken
) -> None:
    web, said = await token(Role.INTAKE, "web"), web_form()
    assert (await http.post("/inbound/webform", data=said, headers=web)).status_code == 201
    assert (await http.post("/inbound/webform", data=said, headers=web)).status_code == 200
    other = said | {"联系电话": "13900000009"}
    answer = await http.post("/inbound/webform", data=other, headers=web)
    assert refused(answer)["differs"] == ["customer.phone"]


def a_mapping(**changes: Any) -> Form:
    usual = {
        "source": "cti",
        "from": {"reference": "id", "title": "what", "customer.phone": "phone"},
        "defaults": {"agent": "07", "kind": "fault", "region": "上海", "customer.name": "x"},
        "fixed": {"channel": "telephone", "category": "technical", "product_line": "ATM"},
    }
    return Form.model_validate(usual | changes)


async def test_a_repeat_after_the_mapping_was_changed_is_still_a_repeat(
    http: Http, app: FastAPI, token: MakeToken
) -> None:
    forms = {"cti": a_mapping()}
    app.state.shelf = forms
    said = {"id": uuid4().hex, "what": "卡钞", "phone": "13800001234"}
    cti = await token(Role.INTAKE, "cti")
    assert (await http.post("/inbound/cti", json=said, headers=cti)).status_code == 201
    forms["cti"] = a_mapping(
        defaults={"agent": "98", "kind": "consultation", "region": "广东", "customer.name": "y"},
        fixed={"channel": "chat", "category": "software", "product_line": "KIOSK"},
    )
    assert (await http.post("/inbound/cti", json=said, headers=cti)).status_code == 200


async def test_what_only_a_condition_of_the_mapping_reads_is_said_as_well(
    http: Http, app: FastAPI, token: MakeToken
) -> None:
    app.state.shelf = {"cti": a_mapping(when=[{"if": "vip", "set": {"severity": "major"}}])}
    said = {"id": uuid4().hex, "what": "卡钞", "phone": "13800001234", "vip": False}
    cti = await token(Role.INTAKE, "cti")
    assert (await http.post("/inbound/cti", json=said, headers=cti)).status_code == 201
    answer = await http.post("/inbound/cti", json=said | {"vip": True}, headers=cti)
    assert refused(answer)["differs"] == ["severity"]


def test_what_they_say_is_what_hangs_on_their_message() -> None:
    form = a_mapping(when=[{"if": "vip", "set": {"severity": "major"}}])
    assert form.said == {"reference", "title", "customer.phone", "severity"}


# Actions ------------------------------------------------------------------------------------------


@pytest.fixture
async def place(http: Http, web: dict[str, str]) -> str:
    """Where an issue is."""
    answer = await http.post("/issues", json=an_intake(), headers=web)
    return str(answer.headers["location"])


async def test_the_same_key_with_another_body_is_refused_and_told_what_differs(
    http: Http, lead: dict[str, str], place: str
) -> None:
    sent = lead | {"Idempotency-Key": "k-1"}
    said = {"reason": "the branch opens tomorrow"}
    once = await http.post(f"{place}/escalate", json=said, headers=sent)
    assert once.status_code == 200, once.text
    other = await http.post(f"{place}/escalate", json={"reason": "it smokes"}, headers=sent)
    why = refused(other)
    assert why["differs"] == ["reason"]
    assert (why["number"], why["stage"]) == (once.json()["number"], once.json()["stage"])
    assert "escalate" in why["allowed"]
    assert other.headers["location"] == f"/issues/{why['number']}"
    for text in ("it smokes", "the branch opens"):
        assert text not in other.text
    again = await http.post(f"{place}/escalate", json=said, headers=sent)
    assert (again.status_code, again.json()) == (200, once.json())


async def test_a_completion_that_is_signalled_again_with_another_result_is_refused(
    http: Http, lead: dict[str, str], place: str, running_desk: RunningDesk
) -> None:
    number = (await http.post(f"{place}/accept", json={}, headers=lead)).json()["number"]
    said = {"result": "reset"}
    assert (await http.post(f"{place}/complete", json=said, headers=lead)).status_code == 202
    while not (await running_desk.desk.show(number)).results:
        await asyncio.sleep(0)
    assert (await http.post(f"{place}/complete", json=said, headers=lead)).status_code == 202
    other = await http.post(f"{place}/complete", json={"result": "replaced"}, headers=lead)
    assert refused(other)["differs"] == ["result"]


async def test_the_same_key_for_another_action_or_another_issue_is_done_for_itself(
    http: Http, lead: dict[str, str], web: dict[str, str], place: str
) -> None:
    sent = lead | {"Idempotency-Key": "k-1"}
    said = {"reason": "the branch opens tomorrow"}
    escalated = await http.post(f"{place}/escalate", json=said, headers=sent)
    accepted = await http.post(f"{place}/accept", json={}, headers=sent)
    assert [each.status_code for each in (escalated, accepted)] == [200, 200]
    assert [step["action"] for step in accepted.json()["steps"]][-2:] == ["escalate", "accept"]
    other = (await http.post("/issues", json=an_intake(), headers=web)).headers["location"]
    there = await http.post(f"{other}/escalate", json={"reason": "it smokes"}, headers=sent)
    assert (there.status_code, there.json()["escalation_level"]) == (200, 1)


# Words added to an issue --------------------------------------------------------------------------


async def test_words_are_added_to_an_issue_and_the_same_once(
    http: Http, web: dict[str, str], lead: dict[str, str], place: str
) -> None:
    said = {"subject": "另一台也坏了", "body": "二楼的那台刚才也开始吞卡。"}
    first = await http.post(f"{place}/words", json=said, headers=web)
    again = await http.post(f"{place}/words", json=said, headers=web)
    assert (first.status_code, first.json()["new"]) == (201, True)
    assert (again.status_code, again.json()["new"]) == (200, False)
    assert (await http.post(f"{place}/words", json={"body": "又"}, headers=web)).status_code == 201
    kept = (await http.get(f"{place}/words", headers=lead)).json()["items"]
    assert [(each["subject"], each["body"], each["sender"]) for each in kept] == [
        (said["subject"], said["body"], "web"),
        ("", "又", "web"),
    ]
    assert {(each["door"], each["why"]) for each in kept} == {("api", "added")}


@pytest.mark.parametrize("said", [{}, {"body": " "}, {"body": "a\0b"}, {"body": "x", "by": "y"}])
async def test_words_that_are_none_are_refused(
    http: Http, web: dict[str, str], place: str, said: dict[str, str]
) -> None:
    answer = await http.post(f"{place}/words", json=said, headers=web)
    assert answer.status_code == 422, answer.text


# Too many at once ---------------------------------------------------------------------------------


async def test_forty_acts_on_one_issue_at_once_are_all_done(
    http: Http, lead: dict[str, str], place: str, running_desk: RunningDesk
) -> None:
    await http.post(f"{place}/accept", json={}, headers=lead)
    doors = f"http://127.0.0.1:{running_desk.settings.http_port}"  # those of `yinuo up`
    async with Http(base_url=doors, headers=lead, timeout=PATIENCE) as real:
        answers = await asyncio.gather(
            *(real.post(f"{place}/report_progress", json={"note": f"第 {n} 次"}) for n in range(40))
        )
    assert {each.status_code for each in answers} == {200}
    seen = await running_desk.desk.show(answers[0].json()["number"])
    noted = "SELECT count(*) FROM issue_events WHERE issue_id = $1 AND action = 'report_progress'"
    assert await running_desk.pool.fetchval(noted, seen.id) == 40


async def test_whoever_comes_when_it_is_too_much_is_told_when_to_come_again(
    http: Http, lead: dict[str, str], place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def crowded(*_: Any, **__: Any) -> None:
        raise Busy("the desk has too much to do at once")

    monkeypatch.setattr(Desk, "act", crowded)
    answer = await http.post(f"{place}/{ActionName.ACCEPT}", json={}, headers=lead)
    assert (answer.status_code, answer.json()["type"]) == (429, "urn:yinuo:Busy")
    assert int(answer.headers["retry-after"]) > 0
    assert json.loads(answer.text)["status"] == 429
