"""`POST /issues`: registered once, however often and by however many it is sent."""

import asyncio
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from domain.staff.access import Right
from domain.vocabulary import Role
from tests.support.running_desk import RunningDesk
from tests.web.conftest import MakeToken
from web.api.examples import INTAKE


def an_intake(**changes: Any) -> dict[str, Any]:
    """What the web form sends, as the interface's own description shows it, of a customer of its
    own: who writes very often is answered by a person, and several tests would be that customer.
    """
    own = uuid4()
    reach = {"phone": f"+86138{own.int % 10**8:08d}", "email": f"{own.hex}@customer.example"}
    said = dict(INTAKE) | {"reference": own.hex, "customer": INTAKE["customer"] | reach} | changes
    return {name: value for name, value in said.items() if value is not None}


async def test_the_first_is_created_and_the_same_again_is_found(
    http: httpx2.AsyncClient, token: MakeToken
) -> None:
    web, said = await token(Role.INTAKE), an_intake()
    first = await http.post("/issues", json=said, headers=web)
    again = await http.post("/issues", json=said, headers=web)
    assert (first.status_code, again.status_code) == (201, 200), first.text + again.text
    issue = first.json()
    assert issue["engineer"]
    assert {promise["kind"] for promise in issue["promises"]} == {"response", "resolution"}
    assert again.json()["number"] == issue["number"]
    assert first.headers["location"] == again.headers["location"] == f"/issues/{issue['number']}"
    shown = await http.get(first.headers["location"], headers=web)
    assert shown.json()["reference"] == said["reference"]


@pytest.mark.parametrize("key", ["W-1.{}", "Straße 12 / {}\xff"], ids=["a code", "any text"])
async def test_a_key_stands_in_for_the_reference(
    http: httpx2.AsyncClient, token: MakeToken, key: str
) -> None:
    written = key.format(uuid4().hex).encode("latin-1")
    shown = {name.encode(): value.encode() for name, value in (await token(Role.INTAKE)).items()}
    sent = {**shown, b"Idempotency-Key": written}
    said = an_intake(reference=None)
    first = await http.post("/issues", json=said, headers=sent)
    again = await http.post("/issues", json=said, headers=sent)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["number"] == again.json()["number"]


async def test_a_reference_in_the_body_wins_over_the_key(
    http: httpx2.AsyncClient, token: MakeToken
) -> None:
    said = an_intake()
    sent = await token(Role.INTAKE) | {"Idempotency-Key": uuid4().hex}
    assert (await http.post("/issues", json=said, headers=sent)).json()["reference"] == said[
        "reference"
    ]


async def test_the_door_knows_an_agents_number_and_an_intake_systems_source(
    http: httpx2.AsyncClient, token: MakeToken
) -> None:
    by_agent = await http.post(
        "/issues", json=an_intake(agent=None), headers=await token(Role.AGENT)
    )
    assert by_agent.json()["steps"][0]["by"].startswith("07")
    by_web = await http.post(
        "/issues", json=an_intake(source=None), headers=await token(Role.INTAKE)
    )
    assert by_web.json()["source"] == "web"


async def test_an_intake_system_registers_under_its_own_source_only(
    http: httpx2.AsyncClient, token: MakeToken
) -> None:
    answer = await http.post(
        "/issues", json=an_intake(source="hotline"), headers=await token(Role.INTAKE)
    )
    assert answer.status_code == 403
    assert "source" in answer.json()["detail"]


async def test_those_who_send_the_same_at_once_are_one_and_one_of_them_is_first(
    http: httpx2.AsyncClient, token: MakeToken
) -> None:
    web, said = await token(Role.INTAKE), an_intake()
    answers = await asyncio.gather(
        *(http.post("/issues", json=said, headers=web) for _ in range(20))
    )
    assert sorted(each.status_code for each in answers) == [200] * 19 + [201]
    assert len({each.json()["number"] for each in answers}) == 1


async def test_what_is_wrong_is_named_by_field_and_not_quoted(
    http: httpx2.AsyncClient, token: MakeToken
) -> None:
    said = an_intake(kind="a wish", customer={"name": "张伟", "phone": "call me"}, colour="red")
    said.pop("agent")
    answer = await http.post("/issues", json=said, headers=await token(Role.INTAKE))
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    fields = {each["field"] for each in answer.json()["errors"]}
    assert fields == {"kind", "customer.phone", "colour"}
    assert "call me" not in answer.text


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"region": "Mars"}, "region"),
        ({"agent": None}, "agent"),
        ({"reference": None}, "reference"),
        ({"occurred_at": "2999-01-01T00:00:00Z"}, "occurred_at"),
        ({"occurred_at": "2026-01-01T00:00:00"}, "occurred_at"),
    ],
)
async def test_what_the_desk_refuses_names_its_field(
    http: httpx2.AsyncClient, token: MakeToken, changes: dict[str, Any], field: str
) -> None:
    said = an_intake(**changes)
    answer = await http.post("/issues", json=said, headers=await token(Role.INTAKE))
    assert answer.status_code == 422, answer.text
    assert [each["field"] for each in answer.json()["errors"]] == [field]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"null",
        b"[]",
        b"9" * 5000,
        b"1e999",
        b"[" * 900 + b"]" * 900,
        b'{"\\ud800": "\\udfff"}',
        b'{"title": "\\u0000"}',
    ],
    ids=lambda body: repr(body[:12]),
)
async def test_a_body_that_makes_no_sense_is_a_problem_of_the_caller(
    http: httpx2.AsyncClient, token: MakeToken, body: bytes
) -> None:
    headers = await token(Role.INTAKE) | {"Content-Type": "application/json"}
    answer = await http.post("/issues", content=body, headers=headers)
    assert answer.status_code in (400, 422), answer.text
    assert answer.json()["status"] == answer.status_code


@pytest.mark.parametrize(
    "changes",
    [
        {"arises_from": "a\0b"},
        {"customer": {"name": "张伟", "email": "a\0@customer.example"}},
        {"description": "a\0b"},
    ],
    ids=["arises_from", "email", "description"],
)
async def test_what_postgresql_cannot_keep_is_refused_at_the_door(
    http: httpx2.AsyncClient, token: MakeToken, changes: dict[str, Any]
) -> None:
    answer = await http.post("/issues", json=an_intake(**changes), headers=await token(Role.INTAKE))
    assert answer.status_code == 422, answer.text


async def test_who_opened_what_is_written_down_and_so_is_who_was_refused(
    http: httpx2.AsyncClient, token: MakeToken, running_desk: RunningDesk
) -> None:
    mine = await token(Role.INTAKE)
    number = (await http.post("/issues", json=an_intake(), headers=mine)).json()["number"]
    trail = "SELECT person, what, outcome, address FROM door_log WHERE number = $1"
    done = [tuple(row) for row in await running_desk.pool.fetch(trail, number)]
    assert done == [("web", Right.OPEN, "done", "127.0.0.1")]
    clerk = await http.post("/issues", json=an_intake(), headers=await token(Role.CLERK))
    assert clerk.status_code == 403
    last = "SELECT outcome FROM door_log WHERE what = $1 ORDER BY id DESC LIMIT 1"
    assert await running_desk.pool.fetchval(last, Right.OPEN) == "refused: NotYours"


@pytest.mark.parametrize("role", [Role.LEAD, Role.MANAGER])
async def test_a_reference_of_an_issue_that_is_not_theirs_is_taken_and_nothing_is_shown(
    http: httpx2.AsyncClient, token: MakeToken, running_desk: RunningDesk, role: Role
) -> None:
    other = an_intake(category="software", title="绝密的标题")
    first = await http.post("/issues", json=other, headers=await token(Role.GM_OFFICE))
    guessed = an_intake(reference=other["reference"])
    answer = await http.post("/issues", json=guessed, headers=await token(role))
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:yinuo:Taken")
    assert "location" not in answer.headers
    assert answer.json().keys() == {"type", "title", "status", "detail"}
    for told in (first.json()["number"], "绝密的标题", first.json()["department"]):
        assert told not in answer.text
    row = await running_desk.pool.fetchrow(
        "SELECT outcome, role FROM door_log WHERE number = $1 ORDER BY id DESC LIMIT 1",
        first.json()["number"],
    )
    assert row
    assert tuple(row) == ("refused: Taken", role)


async def test_a_repeat_is_answered_with_the_issue_if_it_is_theirs(
    http: httpx2.AsyncClient, token: MakeToken
) -> None:
    lead, said = await token(Role.LEAD), an_intake()
    first = await http.post("/issues", json=said, headers=lead)
    again = await http.post("/issues", json=said, headers=lead)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json()["number"] == first.json()["number"]
