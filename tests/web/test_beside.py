"""Notes and corrections (R44) at the doors: pages, HTTP interface, and the links that were sent."""

from __future__ import annotations

import re
from html import unescape
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from domain.errors import Refused
from domain.issue.actions import ActionName, AddNote
from domain.links import Purpose
from domain.vocabulary import Actor, Role
from tests.support.staff_at_pages import AtDesk, pool_of, sign_in
from tests.web.conftest import PEOPLE, MakeToken
from tests.web.test_link_pages import LEAD, Sent, opened
from web.context import Doors

AGENT = Actor(id="07", role=Role.AGENT)
_FORM = r'<form method="post" action="[^"]*/{}">(.*?)</form>'
_INPUT = re.compile(r'<input [^>]*?name="([\w.-]+)" value="([^"]*)"')


@pytest.fixture
async def sent(doors: Doors) -> Sent:
    return await opened(doors)


async def form_of(person: AtDesk, path: str, action: str = "amend") -> dict[str, str]:
    """Read a form as a browser would send it untouched."""
    page = await person.get(path)
    assert page.status_code == 200, page.text
    found = re.search(_FORM.format(action), page.text, re.DOTALL)
    assert found, page.text
    return {name: unescape(value) for name, value in _INPUT.findall(found[1])}


async def row_of(sent: Sent) -> dict[str, Any]:
    row = await pool_of(sent.doors).fetchrow("SELECT * FROM issues WHERE number = $1", sent.number)
    assert row is not None
    return dict(row)


@pytest.mark.parametrize(("role", "room"), [(Role.AGENT, "intake"), (Role.GM_OFFICE, "board")])
async def test_what_stands_is_corrected_in_place_and_only_what_somebody_changed(
    doors: Doors, http: httpx2.AsyncClient, sent: Sent, role: Role, room: str
) -> None:
    person = await sign_in(doors, http, role, PEOPLE[role])
    path = f"/{room}/{sent.number}"
    form = await form_of(person, path)
    assert form["name"] == sent.customer["name"]
    assert "see_customer" in {entry.what for entry in await person.trail()}
    # Meanwhile somebody else corrects something else.
    await sent.act(ActionName.AMEND, AGENT, site="三楼")
    changed = form | {"phone": "139 0000 0002", "organisation": " ", "reason": "来电更正"}
    answer = await person.post(f"{path}/amend", changed)
    assert answer.status_code == 303, answer.text
    row = await row_of(sent)
    assert (row["phone"], row["organisation"], row["site"]) == ("+8613900000002", None, "三楼")
    again = await person.post(f"{path}/amend", changed)
    assert again.status_code == 303, "sent twice it is done once"
    assert len(await sent.steps(ActionName.AMEND)) == 2


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"phone": "13800000001 或 13900000002"}, "只写一个号码"),
        ({"phone": "一楼"}, "这里没有电话号码"),
        ({"email": "none"}, "这不是电子邮件地址"),
        ({"phone": "", "email": ""}, "请保留一个电话或电子邮件"),
        ({"name": ""}, "请填写"),
        ({}, "没有要更正的内容"),
    ],
)
async def test_what_cannot_be_is_said_beside_its_field_and_what_was_written_stays(
    doors: Doors, http: httpx2.AsyncClient, sent: Sent, changes: dict[str, str], says: str
) -> None:
    agent = await sign_in(doors, http, Role.AGENT, PEOPLE[Role.AGENT])
    path = f"/intake/{sent.number}"
    form = await form_of(agent, path) | {"reason": "客户说的"} | changes
    answer = await agent.post(f"{path}/amend", form)
    assert answer.status_code == 422
    assert says in answer.text
    assert "客户说的" in answer.text
    assert not await sent.steps(ActionName.AMEND)


async def test_a_link_that_went_to_a_wrong_number_opens_nothing_once_that_is_corrected(
    http: httpx2.AsyncClient, sent: Sent
) -> None:
    before = await sent.link(Purpose.PROGRESS)
    assert (await http.get(before)).status_code == 200
    await sent.act(ActionName.AMEND, AGENT, phone="+8613900000002")
    closed = await http.get(before)
    assert closed.status_code == 410
    assert "此链接已失效" in closed.text
    assert not [private for private in sent.private if private in closed.text]
    assert sent.number not in closed.text
    after = await sent.link(Purpose.PROGRESS)
    assert after != before
    assert (await http.get(after)).status_code == 200


async def test_a_handlers_link_still_opens_when_the_customers_number_is_corrected(
    http: httpx2.AsyncClient, sent: Sent
) -> None:
    accept = await sent.link(Purpose.ACCEPT)
    await sent.act(ActionName.AMEND, AGENT, phone="+8613900000002")
    assert (await http.get(accept)).status_code == 200


async def test_programs_correct_by_the_same_rules_and_a_repeat_is_one(
    http: httpx2.AsyncClient, token: MakeToken, sent: Sent
) -> None:
    agent = await token(Role.AGENT) | {"Idempotency-Key": uuid4().hex}
    said = {"phone": "020-55500101 转 801", "remove": ["organisation"], "reason": "来电"}
    for _ in range(2):
        answer = await http.post(f"/issues/{sent.number}/amend", json=said, headers=agent)
        assert answer.status_code == 200, answer.text
    assert (await row_of(sent))["phone"] == "+862055500101(801)"
    assert len(await sent.steps(ActionName.AMEND)) == 1
    other = said | {"phone": "13900000003"}
    clash = await http.post(f"/issues/{sent.number}/amend", json=other, headers=agent)
    assert clash.status_code == 409
    lead = await token(Role.LEAD)
    wrong = await http.post(f"/issues/{sent.number}/amend", json={"phone": "无号"}, headers=lead)
    assert wrong.status_code in {403, 422}


async def test_who_may_not_correct_is_not_offered_it(
    doors: Doors, http: httpx2.AsyncClient, token: MakeToken, sent: Sent
) -> None:
    holder = await sent.engineer()
    engineer = await sign_in(doors, http, Role.ENGINEER, holder.id)
    page = await engineer.get(f"/my/{sent.number}")
    assert 'id="amend"' not in page.text
    assert 'id="add_note"' in page.text
    answer = await http.post(
        f"/issues/{sent.number}/amend", json={"site": "x"}, headers=await token(Role.CLERK)
    )
    assert answer.status_code == 403


async def test_a_note_is_written_on_every_page_of_an_issue(
    doors: Doors, http: httpx2.AsyncClient, sent: Sent
) -> None:
    agent = await sign_in(doors, http, Role.AGENT, PEOPLE[Role.AGENT])
    form = await form_of(agent, f"/intake/{sent.number}", "add_note")
    said = {"words": "备件明天到", "for_customer": "yes"}
    answer = await agent.post(f"/intake/{sent.number}/add_note", form | said)
    assert answer.status_code == 303
    (step,) = await sent.steps(ActionName.ADD_NOTE)
    assert step["content"] == {"words": "备件明天到", "for_customer": True}
    told = await pool_of(doors).fetchval(
        "SELECT full_text FROM outbox WHERE template = 'note' AND issue_id = $1", step["issue_id"]
    )
    assert "备件明天到" in told


async def test_a_late_note_is_kept_with_an_issue_that_is_over_and_none_goes_to_the_customer(
    doors: Doors, http: httpx2.AsyncClient, sent: Sent
) -> None:
    await sent.act(ActionName.WITHDRAW, LEAD, reason="不用了")
    seen = await sent.show()
    handle = doors.desk.client.get_workflow_handle(seen.id)
    await handle.result()
    agent = await sign_in(doors, http, Role.AGENT, PEOPLE[Role.AGENT])
    form = await form_of(agent, f"/intake/{sent.number}", "add_note")
    del form["for_customer"]  # a box that nobody ticked
    for _ in range(2):
        said = form | {"words": "客户又来电询问发票"}
        answer = await agent.post(f"/intake/{sent.number}/add_note", said)
        assert answer.status_code == 303, answer.text
    (kept,) = await doors.desk.kept_words(seen.id)
    assert (kept.sender, kept.body) == ("07", "客户又来电询问发票")
    note = AddNote(by=AGENT, words="发票已寄出", for_customer=True)
    with pytest.raises(Refused, match="arises_from"):
        await doors.desk.act(sent.number, ActionName.ADD_NOTE, note)
