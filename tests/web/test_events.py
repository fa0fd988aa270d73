"""Events over HTTP: whose, from where on, and waiting for the next; lists of what changed since."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx2
import pytest

from domain.vocabulary import Role
from tests.web.conftest import PEOPLE, MakeToken
from tests.web.test_api_opening import an_intake


async def events(
    http: httpx2.AsyncClient, headers: dict[str, str], **asked: object
) -> dict[str, Any]:
    answer = await http.get(
        "/events", params={k: str(v) for k, v in asked.items()}, headers=headers
    )
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def opened(http: httpx2.AsyncClient, token: MakeToken, **changes: object) -> dict[str, Any]:
    headers = await token(Role.INTAKE)
    answer = await http.post("/issues", json=an_intake(**changes), headers=headers)
    issue: dict[str, Any] = answer.json()
    return issue


def numbers(found: dict[str, Any]) -> list[str]:
    return [each["data"]["number"] for each in found["items"]]


async def test_what_happens_from_now_on_is_told_in_order_and_goes_on_where_it_was_left(
    http: httpx2.AsyncClient, token: MakeToken
) -> None:
    lead = await token(Role.GM_OFFICE)
    start = await events(http, lead, after="now")
    assert (start["items"], start["more"]) == ([], False)
    issue = await opened(http, token)
    first = await events(http, lead, after=start["next"], limit=1, wait=20)
    (event,) = first["items"]
    assert (event["type"], event["data"]["number"]) == ("issue.registered", issue["number"])
    reason = {"reason": "the branch opens tomorrow"}
    await http.post(f"/issues/{issue['number']}/escalate", json=reason, headers=lead)
    found = await events(http, lead, after=first["next"], wait=20)
    assert "issue.escalated" in [each["type"] for each in found["items"]]
    again = await events(http, lead, after=start["next"])
    assert again["items"][0] == event, "a cursor is good for ever"


async def test_who_waits_hears_as_soon_as_something_happens(
    http: httpx2.AsyncClient, token: MakeToken
) -> None:
    headers = await token(Role.AGENT)
    start = await events(http, headers, after="now")
    waiting = asyncio.create_task(events(http, headers, after=start["next"], wait=20))
    issue = await opened(http, token)
    assert issue["number"] in numbers(await waiting)


@pytest.mark.parametrize(
    ("role", "person", "sees"),
    [
        (Role.INTAKE, "web", True),
        (Role.INTAKE, "crm", False),
        (Role.AGENT, None, True),
        (Role.CLERK, None, True),
        (Role.LEAD, "zhou.jianguo", True),
        (Role.LEAD, "xie.dong", False),
        (Role.GM_OFFICE, None, True),
        (Role.AUDITOR, None, True),
    ],
)
async def test_everybody_is_told_of_the_issues_that_they_may_see(
    http: httpx2.AsyncClient, token: MakeToken, role: Role, person: str | None, *, sees: bool
) -> None:
    headers = await token(role, person)
    start = await events(http, await token(Role.AUDITOR), after="now")
    issue = await opened(http, token)
    everything = await events(http, await token(Role.AUDITOR), after=start["next"], wait=20)
    assert issue["number"] in numbers(everything)
    seen = (await http.get(f"/issues/{issue['number']}", headers=headers)).status_code == 200
    assert seen is sees, "or this table is wrong"
    assert (issue["number"] in numbers(await events(http, headers, after=start["next"]))) is sees


async def test_an_engineer_is_told_of_their_own(http: httpx2.AsyncClient, token: MakeToken) -> None:
    lead = await token(Role.LEAD)
    start = await events(http, lead, after="now")
    issue = await opened(http, token)
    said = {"to": PEOPLE[Role.ENGINEER], "reason": "closest"}
    await http.post(f"/issues/{issue['number']}/reassign", json=said, headers=lead)
    mine, others = await token(Role.ENGINEER), await token(Role.ENGINEER, "chen.zhiqiang")
    assert issue["number"] in numbers(await events(http, mine, after=start["next"], wait=20))
    assert issue["number"] not in numbers(await events(http, others, after=start["next"]))


async def test_no_event_names_the_customer_or_quotes_anybody(
    http: httpx2.AsyncClient, token: MakeToken
) -> None:
    headers = await token(Role.AGENT)
    start = await events(http, headers, after="now")
    intake = an_intake()
    issue = await opened(http, token)
    found = await events(http, headers, after=start["next"], wait=20)
    assert issue["number"] in numbers(found)
    written = str(found)
    assert intake["title"] not in written
    for said in intake["customer"].values():
        assert str(said) not in written


@pytest.mark.parametrize("after", ["nothing", "eyJ0dXJuIjoxfQ.x", "e30", "now ", "%00"])
async def test_what_is_no_cursor_is_refused_by_its_name(
    http: httpx2.AsyncClient, token: MakeToken, after: str
) -> None:
    answer = await http.get("/events", params={"after": after}, headers=await token(Role.AUDITOR))
    if after == "now ":
        assert answer.status_code == 200, "people copy a space along"
        return
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "after"


async def test_events_are_for_those_who_say_who_they_are(http: httpx2.AsyncClient) -> None:
    assert (await http.get("/events")).status_code == 401


# Lists of what changed since ----------------------------------------------------------------------


async def listed(
    http: httpx2.AsyncClient, headers: dict[str, str], **asked: str
) -> tuple[list[str], str]:
    answer = await http.get("/issues", params={**asked, "limit": "200"}, headers=headers)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    return [each["number"] for each in found["items"]], found["as_of"]


async def test_a_list_says_of_when_it_is_and_later_what_changed_since(
    http: httpx2.AsyncClient, token: MakeToken
) -> None:
    headers = await token(Role.AUDITOR)
    before = await opened(http, token)
    _, as_of = await listed(http, headers)
    after = await opened(http, token)
    found, _ = await listed(http, headers, updated_since=as_of)
    assert after["number"] in found
    found, _ = await listed(http, headers, updated_since=before["registered_at"])
    assert {before["number"], after["number"]} <= set(found)
    found, _ = await listed(http, headers, updated_since="2999-01-01T00:00:00+08:00")
    assert found == []


async def test_the_cursor_of_events_is_good_for_lists_too(
    http: httpx2.AsyncClient, token: MakeToken
) -> None:
    headers = await token(Role.AUDITOR)
    start = await events(http, headers, after="now")
    issue = await opened(http, token)
    found, _ = await listed(http, headers, updated_since=start["next"])
    assert issue["number"] in found


@pytest.mark.parametrize("said", ["yesterday", "2026-11-23", "1764000000", "2026-11-23T01:00:00"])
async def test_what_is_neither_a_position_nor_an_instant_is_refused(
    http: httpx2.AsyncClient, token: MakeToken, said: str
) -> None:
    answer = await http.get(
        "/issues", params={"updated_since": said}, headers=await token(Role.AUDITOR)
    )
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "updated_since"
