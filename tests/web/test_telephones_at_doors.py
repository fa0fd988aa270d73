"""A telephone number is read alike at every door, kept in one spelling, and refused with the
reason (R2, R22).
"""

from __future__ import annotations

import json
import re
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from fastapi import FastAPI

from domain.vocabulary import Role
from inbound.shelf import Shelf
from runtime.settings import ROOT
from tests.support.running_desk import RunningDesk
from tests.support.staff_at_pages import AtDesk, sign_in
from tests.web.conftest import MakeToken
from web.api.examples import INTAKE
from web.context import Doors

EXAMPLES = ROOT / "examples" / "inbound"

SPELLINGS = [
    ("（020）5550-0101", "+862055500101"),
    ("(020) 5550 0101", "+862055500101"),
    ("０２０－５５５００１０１", "+862055500101"),
    ("020-55500101转801", "+862055500101(801)"),
    ("(86)20-55500101", "+862055500101"),
    ("tel:+862055500101", "+862055500101"),
    ("tel:+862055500101;ext=801", "+862055500101(801)"),
    ("13800000001.0", "+8613800000001"),
    ("1.3800000001E+10", "+8613800000001"),
    ("13800000001/13900000001", "+8613800000001"),
    ("13800000001、13900000001", "+8613800000001"),
    ("400-666-0199 转 12", "+864006660199(12)"),
    ("95588", "95588"),
    ("+44 (0)20 7946 0018", "+442079460018"),
]
REFUSED = [
    ("call me", "holds no telephone number", "这里没有电话号码"),
    ("8.6139E+12", "a spreadsheet has rounded it", "末几位已丢失"),
    ("110", "too few or too many digits", "位数不对"),
    ("1" * 22, "too few or too many digits", "位数不对"),
]


@pytest.fixture(autouse=True)
def shelf(app: FastAPI) -> None:
    app.state.shelf = Shelf(EXAMPLES)


@pytest.fixture
async def agent(doors: Doors, http: httpx2.AsyncClient) -> AtDesk:
    return await sign_in(doors, http, Role.AGENT, "07")


async def customer_of(desk: RunningDesk, number: str) -> tuple[str | None, str]:
    record = await desk.desk.record((await desk.desk.show(number)).id)
    assert record
    return record.intake.customer.phone, record.intake.description


def event(phone: object) -> dict[str, Any]:
    """What the example call centre sends, of a call of its own."""
    said: dict[str, Any] = json.loads((EXAMPLES / "cti.json").read_text("utf-8"))
    call, caller = said["call"] | {"id": uuid4().hex}, said["caller"] | {"callback": phone}
    return said | {"call": call, "caller": caller}


def an_intake(phone: object) -> dict[str, Any]:
    return dict(INTAKE) | {"reference": uuid4().hex, "customer": {"name": "张伟", "phone": phone}}


async def form(agent: AtDesk, phone: str) -> dict[str, str]:
    said = {"name": "张伟", "type": "enterprise", "title": "卡钞", "product_line": "ATM"}
    chosen = {"region": "广东", "severity": "general", "kind": "fault", "category": "technical"}
    return await agent.hidden("/intake") | said | chosen | {"channel": "telephone", "phone": phone}


async def told_by_programs(
    http: httpx2.AsyncClient, token: MakeToken, phone: str
) -> tuple[httpx2.Response, httpx2.Response]:
    """Send it by a mapping, and as an intake."""
    return (
        await http.post("/inbound/cti", json=event(phone), headers=await token(Role.INTAKE, "cti")),
        await http.post("/issues", json=an_intake(phone), headers=await token(Role.INTAKE)),
    )


@pytest.mark.parametrize(("written", "kept"), SPELLINGS)
async def test_every_door_takes_every_spelling_and_keeps_one(
    http: httpx2.AsyncClient,
    token: MakeToken,
    running_desk: RunningDesk,
    agent: AtDesk,
    written: str,
    kept: str,
) -> None:
    by_mapping, by_program = await told_by_programs(http, token, written)
    by_page = await agent.post("/intake", await form(agent, written))
    assert (by_mapping.status_code, by_program.status_code) == (201, 201), by_program.text
    assert by_page.status_code == 303, by_page.text
    numbers = (by_mapping.json()["number"], by_program.json()["number"])
    for number in (*numbers, by_page.headers["location"].split("/")[2].split("?")[0]):
        phone, description = await customer_of(running_desk, number)
        assert phone == kept
        assert (written in description) is ("13900000001" in written), "a second number is kept"


@pytest.mark.parametrize("phone", [13800000001, 13800000001.0])
async def test_a_number_may_be_sent_as_a_number(
    http: httpx2.AsyncClient, token: MakeToken, running_desk: RunningDesk, phone: float
) -> None:
    for path, said, person in (
        ("/inbound/cti", event(phone), "cti"),
        ("/issues", an_intake(phone), "web"),
    ):
        answer = await http.post(path, json=said, headers=await token(Role.INTAKE, person))
        assert answer.status_code == 201, answer.text
        kept, _ = await customer_of(running_desk, answer.json()["number"])
        assert kept == "+8613800000001"


@pytest.mark.parametrize(("written", "english", "chinese"), REFUSED)
async def test_every_door_refuses_what_is_no_number_with_the_reason_and_does_not_quote_it(
    http: httpx2.AsyncClient,
    token: MakeToken,
    agent: AtDesk,
    written: str,
    english: str,
    chinese: str,
) -> None:
    by_mapping, by_program = await told_by_programs(http, token, written)
    for answer in (by_mapping, by_program):
        assert answer.status_code == 422, answer.text
        (wrong,) = answer.json()["errors"]
        assert wrong["field"] == "customer.phone"
        assert english in wrong["reason"]
        assert written not in answer.text
    page = await agent.post("/intake", await form(agent, written))
    assert page.status_code == 422
    (reason,) = re.findall(r'<span class="wrong" id="wrong-phone">(.+?)</span>', page.text)
    assert chinese in reason
    assert f'value="{written}"' in page.text, "what was typed stays in the form"


async def test_a_form_that_says_there_is_no_number_is_taken_if_there_is_another_way(
    http: httpx2.AsyncClient, token: MakeToken, running_desk: RunningDesk
) -> None:
    said = json.loads((EXAMPLES / "webform.json").read_text("utf-8")) | {"联系电话": "无"}
    web = await token(Role.INTAKE, "web")
    reached = said | {"表单编号": uuid4().hex, "电子邮箱": "liu@customer.example"}
    answer = await http.post("/inbound/webform", json=reached, headers=web)
    assert answer.status_code == 201, answer.text
    assert (await customer_of(running_desk, answer.json()["number"]))[0] is None
    silent = said | {"表单编号": uuid4().hex, "电子邮箱": ""}
    answer = await http.post("/inbound/webform", json=silent, headers=web)
    assert answer.status_code == 422
    assert "give a phone or an email" in answer.text


async def test_the_same_call_in_another_spelling_is_the_same_issue(
    http: httpx2.AsyncClient, token: MakeToken
) -> None:
    web, said = await token(Role.INTAKE), an_intake("020-55500101转801")
    again = said | {"customer": {"name": "张伟", "phone": "tel:+862055500101;ext=801"}}
    answers = [await http.post("/issues", json=each, headers=web) for each in (said, again)]
    assert [each.status_code for each in answers] == [201, 200]


@pytest.mark.parametrize("typed", ["（020）5550-{}转801", "+86 20 5550 {}", "0086205550{}", "{}"])
async def test_a_customer_behind_a_switchboard_is_found_by_any_spelling_and_can_be_dialled(
    http: httpx2.AsyncClient, token: MakeToken, agent: AtDesk, typed: str
) -> None:
    last, name = f"{uuid4().int % 10**4:04}", f"客户{uuid4().hex[:6]}"
    said = an_intake(f"020-5550{last}转801") | {
        "customer": {"name": name, "phone": f"020-5550{last}转801"}
    }
    made = await http.post("/issues", json=said, headers=await token(Role.INTAKE))
    assert made.status_code == 201, made.text
    asked = await agent.hidden("/intake") | {"phone": typed.format(last)}
    found = await agent.post("/intake/customers", asked, htmx=True, typed="phone")
    assert name in found.text
    assert f'href="tel:+86205550{last};ext=801"' in found.text
    assert f"+86 20 5550 {last} 转 801" in found.text
