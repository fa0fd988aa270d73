"""`POST /inbound/{name}`: other systems call in their own words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import httpx2
import pytest
from fastapi import FastAPI

from domain.staff.access import Right
from domain.vocabulary import Role, Stage
from inbound.shelf import Shelf
from runtime.settings import ROOT
from store import door_log, issue_reader
from tests.inbound.test_belonging import OWN, over, said, waiting
from tests.support.builders import an_intake
from tests.support.running_desk import RunningDesk
from tests.web.conftest import MakeToken

EXAMPLES = ROOT / "examples" / "inbound"


@pytest.fixture(autouse=True)
def shelf(app: FastAPI) -> None:
    app.state.shelf = Shelf(EXAMPLES)


def web_form(**changes: str) -> dict[str, str]:
    """What the example form sends, with a number of its own."""
    said: dict[str, str] = json.loads((EXAMPLES / "webform.json").read_text("utf-8"))
    return said | {"表单编号": f"W{uuid4().hex}"} | changes


def event(**changes: Any) -> dict[str, Any]:
    """What the example call centre sends, of a call of its own."""
    said: dict[str, Any] = json.loads((EXAMPLES / "cti.json").read_text("utf-8"))
    return said | {"call": said["call"] | {"id": f"CC1/{uuid4().hex}"}} | changes


async def test_the_first_call_registers_and_the_same_again_finds(
    http: httpx2.AsyncClient, token: MakeToken, running_desk: RunningDesk
) -> None:
    cti, said = await token(Role.INTAKE, "cti"), event()
    first = await http.post("/inbound/cti", json=said, headers=cti)
    again = await http.post("/inbound/cti", json=said, headers=cti)
    assert (first.status_code, again.status_code) == (201, 200), first.text + again.text
    number = first.json()["number"]
    assert again.json()["number"] == number
    assert first.headers["location"] == f"/issues/{number}"
    shown = await running_desk.desk.show(number)
    assert (shown.source, shown.title) == ("cti", "出钞口卡钞，无法出钞")


async def test_a_form_may_come_as_the_browser_sends_it(
    http: httpx2.AsyncClient, token: MakeToken
) -> None:
    web, said = await token(Role.INTAKE, "web"), web_form()
    as_form = await http.post("/inbound/webform", data=said, headers=web)
    as_json = await http.post("/inbound/webform", json=said, headers=web)
    assert (as_form.status_code, as_json.status_code) == (201, 200), as_form.text
    assert as_form.json()["title"] == "自助缴费机：打印凭条时卡纸"
    assert as_json.json()["number"] == as_form.json()["number"]


FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("named", "inside"),
    [("; charset=GBK", {}), ("", {"_charset_": "gbk"})],
    ids=["header", "field"],
)
async def test_a_form_is_read_in_the_encoding_that_it_is_in(
    http: httpx2.AsyncClient,
    token: MakeToken,
    running_desk: RunningDesk,
    named: str,
    inside: dict[str, str],
) -> None:
    headers = await token(Role.INTAKE, "web") | {"Content-Type": f"{FORM}{named}"}
    body = urlencode(web_form(问题简述="大厅闸机打不开") | inside, encoding="gbk")
    answer = await http.post("/inbound/webform", content=body, headers=headers)
    assert answer.status_code == 201, answer.text
    assert answer.json()["title"] == "自助缴费机：大厅闸机打不开"
    kept = await running_desk.desk.record(answer.json()["number"])
    assert kept
    assert kept.intake.customer.contact is None
    assert kept.intake.customer.name == "刘女士"


@pytest.mark.parametrize(("named", "status"), [("", 422), ("; charset=klingon", 415)])
async def test_a_form_that_cannot_be_read_is_refused_and_nothing_is_made_of_it(
    http: httpx2.AsyncClient,
    token: MakeToken,
    running_desk: RunningDesk,
    named: str,
    status: int,
) -> None:
    headers = await token(Role.INTAKE, "web") | {"Content-Type": f"{FORM}{named}"}
    said = web_form()
    body = urlencode(said, encoding="gbk")
    answer = await http.post("/inbound/webform", content=body, headers=headers)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert await issue_reader.by_reference(running_desk.pool, "web", said["表单编号"]) is None


async def test_json_in_another_encoding_is_read_in_it_if_it_says_so(
    http: httpx2.AsyncClient, token: MakeToken
) -> None:
    headers = await token(Role.INTAKE, "web")
    body = json.dumps(web_form(问题简述="卡钞"), ensure_ascii=False).encode("gb18030")
    for charset, status in (("gb18030", 201), ("utf-8", 422), ("klingon", 415)):
        sent = headers | {"Content-Type": f"application/json; charset={charset}"}
        answer = await http.post("/inbound/webform", content=body, headers=sent)
        assert answer.status_code == status, answer.text


async def test_the_trail_has_the_system_its_address_and_the_issue(
    http: httpx2.AsyncClient, token: MakeToken, running_desk: RunningDesk
) -> None:
    cti = await token(Role.INTAKE, "cti")
    made = (await http.post("/inbound/cti", json=event(), headers=cti)).json()
    [entry] = await door_log.entries(running_desk.pool, number=made["number"])
    assert (entry.person, entry.role, entry.what) == ("cti", Role.INTAKE, Right.OPEN)
    assert (entry.address, entry.outcome) == ("127.0.0.1", "done")


async def test_an_event_that_is_not_about_an_issue_does_nothing(
    http: httpx2.AsyncClient, token: MakeToken, running_desk: RunningDesk
) -> None:
    said = event(event="hangup")
    answer = await http.post("/inbound/cti", json=said, headers=await token(Role.INTAKE, "cti"))
    assert (answer.status_code, answer.content) == (204, b"")


@pytest.mark.parametrize(
    ("role", "person"),
    [(Role.INTAKE, "web"), (Role.AGENT, "07"), (Role.AUDITOR, "cti")],
)
async def test_a_mapping_is_for_its_own_system_only(
    http: httpx2.AsyncClient, token: MakeToken, role: Role, person: str
) -> None:
    answer = await http.post("/inbound/cti", json=event(), headers=await token(role, person))
    assert answer.status_code == 403, answer.text


async def test_nobody_comes_in_without_a_token(http: httpx2.AsyncClient) -> None:
    assert (await http.post("/inbound/cti", json=event())).status_code == 401


async def test_a_mapping_that_is_not_there_is_not_found(
    http: httpx2.AsyncClient, token: MakeToken
) -> None:
    web = await token(Role.INTAKE, "web")
    answer = await http.post("/inbound/fax", json=web_form(), headers=web)
    assert (answer.status_code, answer.json()["type"]) == (404, "urn:yinuo:NotFound")


async def test_what_is_wrong_is_named_by_field_and_nothing_is_made(
    http: httpx2.AsyncClient, token: MakeToken, running_desk: RunningDesk
) -> None:
    said = web_form(产品类型="秘密机器", 联系电话="", 电子邮箱="")
    answer = await http.post("/inbound/webform", json=said, headers=await token(Role.INTAKE, "web"))
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    wrong = {each["field"]: each["reason"] for each in answer.json()["errors"]}
    assert "give a phone or an email" in wrong["customer"]
    assert "刘女士" not in answer.text
    assert await issue_reader.by_reference(running_desk.pool, "web", said["表单编号"]) is None


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"{", "not JSON"),
        (b"\xff", "not JSON"),
        (b"[1]", "no object"),
        (b"[" * 100_000, "too deep"),
    ],
)
async def test_a_body_that_is_no_object_is_refused(
    http: httpx2.AsyncClient, token: MakeToken, body: bytes, said: str
) -> None:
    cti = await token(Role.INTAKE, "cti") | {"Content-Type": "application/json"}
    answer = await http.post("/inbound/cti", content=body, headers=cti)
    assert (answer.status_code, said in answer.json()["detail"]) == (422, True), answer.text


# --- about an issue that they name ----------------------------------------------------------------


@pytest.fixture
def naming(app: FastAPI, tmp_path: Path) -> None:
    """The example form, with a field for the number of an issue."""
    text = (EXAMPLES / "webform.toml").read_text("utf-8")
    named = text.replace('source = "web"\n', 'source = "web"\nissue = "\\"问题编号\\""\n')
    assert named != text
    (tmp_path / "webform.toml").write_text(named, "utf-8")
    app.state.shelf = Shelf(tmp_path)


@pytest.mark.usefixtures("naming")
async def test_what_names_an_issue_is_added_to_it_once_and_says_where(
    http: httpx2.AsyncClient, token: MakeToken, running_desk: RunningDesk
) -> None:
    theirs = await waiting(running_desk)
    web = await token(Role.INTAKE, "web")
    answer = {"表单编号": f"W{uuid4().hex}", "问题编号": f"【{theirs.number}】", "问题描述": OWN}
    answer |= {"电子邮箱": theirs.email.upper(), "联系人": "王芳"}
    for _ in range(2):
        taken = await http.post("/inbound/webform", json=answer, headers=web)
        assert taken.status_code == 204, taken.text
        assert taken.headers["location"] == f"/issues/{theirs.number}"
    (content,) = await said(running_desk, theirs.number)
    assert (content["words"], content["known"]) == (OWN, True)
    assert content["sender"] == f"王芳 {theirs.email.upper()}"
    assert (await running_desk.desk.show(theirs.number)).stage is Stage.IN_PROGRESS
    (entry, *_) = await door_log.entries(running_desk.pool, number=theirs.number)
    assert (entry.person, entry.what, entry.outcome) == ("web", "customer_wrote", "done")


@pytest.mark.usefixtures("naming")
async def test_who_gives_another_address_is_a_stranger(
    http: httpx2.AsyncClient, token: MakeToken, running_desk: RunningDesk
) -> None:
    theirs = await waiting(running_desk)
    web = await token(Role.INTAKE, "web")
    answer = {"表单编号": f"W{uuid4().hex}", "问题编号": theirs.number, "问题描述": OWN}
    answer |= {"电子邮箱": "who@else.example.org"}
    taken = await http.post("/inbound/webform", json=answer, headers=web)
    assert taken.status_code == 204, taken.text
    (content,) = await said(running_desk, theirs.number)
    assert content["known"] is False
    assert (await running_desk.desk.show(theirs.number)).stage is Stage.WAITING


@pytest.mark.usefixtures("naming")
@pytest.mark.parametrize("number", ["20200101-07-0001", "none", ""])
async def test_what_names_no_issue_of_ours_becomes_one(
    http: httpx2.AsyncClient, token: MakeToken, number: str
) -> None:
    web = await token(Role.INTAKE, "web")
    taken = await http.post("/inbound/webform", json=web_form(问题编号=number), headers=web)
    assert taken.status_code == 201, taken.text


@pytest.mark.usefixtures("naming")
async def test_what_names_an_issue_that_is_over_becomes_one_that_arises_from_it(
    http: httpx2.AsyncClient, token: MakeToken, running_desk: RunningDesk
) -> None:
    theirs = await over(running_desk)
    web = await token(Role.INTAKE, "web")
    form = web_form(问题编号=theirs.number, 电子邮箱=theirs.email)
    taken = await http.post("/inbound/webform", json=form, headers=web)
    assert taken.status_code == 201, taken.text
    record = await running_desk.desk.record(taken.json()["number"])
    assert record
    assert record.intake.arises_from == theirs.issue.id
    assert record.intake.site == an_intake().site


@pytest.mark.usefixtures("naming")
async def test_words_about_an_issue_need_a_reference_too(
    http: httpx2.AsyncClient, token: MakeToken, running_desk: RunningDesk
) -> None:
    theirs = await waiting(running_desk)
    web = await token(Role.INTAKE, "web")
    answer = {"问题编号": theirs.number, "问题描述": OWN}
    taken = await http.post("/inbound/webform", json=answer, headers=web)
    assert taken.status_code == 422
    assert taken.json()["errors"][0]["field"] == "reference"
    assert await said(running_desk, theirs.number) == []
