"""Finding at the pages and over HTTP, on the running desk: who finds what, and what is written down
of it.
"""

from __future__ import annotations

import re
from html import unescape
from uuid import uuid4

import httpx2
import pytest

from domain.issue.actions import ActionName
from domain.vocabulary import Role
from tests.support.staff_at_pages import AtDesk, hidden, sign_in
from tests.web.conftest import PEOPLE, MakeToken
from tests.web.test_link_pages import Sent, opened
from web.context import Doors


async def look_for(somebody: AtDesk, text: str, page: str = "/find") -> httpx2.Response:
    """Write into the field of a page, as people do."""
    shown = await somebody.get(page)
    assert shown.status_code == 200, shown.text
    (field,) = re.findall(r'<form method="post" action="/find".*?</form>', shown.text, re.DOTALL)
    sent = await somebody.post("/find", hidden(field) | {"q": text})
    assert (sent.status_code, sent.headers["location"]) == (303, "/find")
    assert text not in repr(sent.headers["location"])
    return await somebody.get("/find")


async def said(doors: Doors) -> tuple[Sent, str]:
    """An issue in which a word was said that no other has."""
    word = f"xyz{uuid4().hex[:10]}"
    sent = await opened(doors, description=f"屏幕上写着 {word}")
    return sent, word


ROOMS = {
    Role.AGENT: ("/intake", "/intake/"),
    Role.CLERK: ("/calls", "/find/"),
    Role.LEAD: ("/board", "/board/"),
    Role.MANAGER: ("/approvals", "/board/"),
    Role.GM_OFFICE: ("/board", "/board/"),
    Role.ENGINEER: ("/my", "/my/"),
}


@pytest.mark.parametrize("role", ROOMS)
async def test_from_every_room_an_issue_is_found_and_opened(
    doors: Doors, http: httpx2.AsyncClient, role: Role
) -> None:
    sent, _ = await said(doors)
    engineer = await sent.engineer()
    person = engineer.id if role is Role.ENGINEER else PEOPLE[role]
    somebody = await sign_in(doors, http, role, person)
    room, place = ROOMS[role]
    page = await look_for(somebody, sent.number, room)
    assert f'href="{place}{sent.number}"' in page.text
    assert (await somebody.get(f"{place}{sent.number}")).status_code == 200
    assert 'role="search"' in page.text


async def test_words_are_found_marked_and_the_look_is_recorded_and_not_what_was_asked(
    doors: Doors, http: httpx2.AsyncClient
) -> None:
    sent, word = await said(doors)
    agent = await sign_in(doors, http, Role.AGENT, PEOPLE[Role.AGENT])
    page = await look_for(agent, word)
    assert f"<mark>{word}</mark>" in page.text
    assert page.headers["cache-control"] == "no-store"
    (look, *_) = await agent.trail("see_customer")
    assert (look.number, look.outcome) == (sent.number, "seen")
    assert word not in repr(await agent.trail())
    for name in ("organisation", "phone", "name"):
        assert sent.number in (await look_for(agent, sent.customer[name])).text


async def test_what_is_not_theirs_is_not_found_and_who_has_no_pages_has_no_search(
    doors: Doors, http: httpx2.AsyncClient
) -> None:
    sent, word = await said(doors)
    engineer = await sent.engineer()
    other = "chen.zhiqiang" if engineer.id != "chen.zhiqiang" else "xu.jing"
    somebody = await sign_in(doors, http, Role.ENGINEER, other)
    for typed in (word, sent.number, sent.customer["phone"]):
        page = await look_for(somebody, typed, "/my")
        assert "没有找到" in page.text
        assert "/my/" not in page.text
    auditor = await sign_in(doors, http, Role.AUDITOR, PEOPLE[Role.AUDITOR])
    assert sent.number in (await look_for(auditor, sent.number, "/find")).text
    for theirs in (word, sent.customer["phone"]):
        assert "没有找到" in (await look_for(auditor, theirs, "/find")).text
    program = await sign_in(doors, http, Role.INTAKE, PEOPLE[Role.INTAKE])
    assert (await program.get("/find")).status_code == 403
    assert 'role="search"' not in (await program.get("/")).text


async def test_a_clerk_finds_by_what_was_done_and_not_by_what_the_customer_said(
    doors: Doors, http: httpx2.AsyncClient
) -> None:
    sent, word = await said(doors)
    note = f"abc{uuid4().hex[:10]}"
    await sent.act(ActionName.REPORT_PROGRESS, await sent.engineer(), note=note)
    clerk = await sign_in(doors, http, Role.CLERK, PEOPLE[Role.CLERK])
    assert sent.number not in (await look_for(clerk, word)).text
    assert sent.number in (await look_for(clerk, note)).text


async def test_what_was_looked_for_is_nobody_elses(doors: Doors, http: httpx2.AsyncClient) -> None:
    sent, word = await said(doors)
    agent = await sign_in(doors, http, Role.AGENT, PEOPLE[Role.AGENT])
    await look_for(agent, word)
    clerk = await sign_in(doors, http, Role.CLERK, PEOPLE[Role.CLERK])
    page = await clerk.get("/find")
    assert word not in page.text
    assert sent.number not in page.text


@pytest.mark.parametrize("typed", ["卡", " ", "<script>alert(1)</script>卡"])
async def test_what_is_too_short_or_markup_is_said_so_and_does_nothing(
    doors: Doors, http: httpx2.AsyncClient, typed: str
) -> None:
    agent = await sign_in(doors, http, Role.AGENT, PEOPLE[Role.AGENT])
    page = await look_for(agent, typed)
    assert page.status_code == 200
    assert "<script>alert" not in page.text


async def test_over_http_issues_are_found_with_why(
    doors: Doors, http: httpx2.AsyncClient, token: MakeToken
) -> None:
    sent, word = await said(doors)
    for role in (Role.AGENT, Role.LEAD, Role.GM_OFFICE):
        answer = await http.get("/issues", params={"find": word}, headers=await token(role))
        assert answer.status_code == 200, answer.text
        (issue,) = answer.json()["items"]
        (found,) = answer.json()["found"]["found"]
        assert issue["number"] == found["number"] == sent.number
        assert found["by"] == ["words"]
        assert word in found["hits"][0]["passage"]["text"]
    auditor = await http.get("/issues", params={"find": word}, headers=await token(Role.AUDITOR))
    assert auditor.json()["items"] == []
    by_number = await http.get(
        "/issues", params={"find": sent.number}, headers=await token(Role.AUDITOR)
    )
    assert [each["number"] for each in by_number.json()["items"]] == [sent.number]
    assert "found" not in (await http.get("/issues", headers=await token(Role.AGENT))).json()
    wrong = await http.get(
        "/issues", params={"find": word, "stage": "closed"}, headers=await token(Role.AGENT)
    )
    assert wrong.status_code == 422
    assert "find: goes with limit only" in unescape(wrong.text)
    assert word not in repr(await sent.trail())
