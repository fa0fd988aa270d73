"""Who may do and see what, role by action, over HTTP: as docs/access.md has it, and no more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from importlib import import_module
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from domain.access import CALLERS, Caller, Reach, Right, may, reach
from domain.actions import PEOPLE as ACTIONS
from domain.actions import ActionName
from domain.view import IssueView
from domain.vocabulary import Role
from starter.doors.api_examples import SAID
from starter.doors.app import _ROOMS
from starter.doors.context import Doors
from starter.doors.pages import checked_form
from starter.doors.who import signed_in, visitor
from tests import access_page
from tests.starter.conftest import RunningDesk
from tests.starter.doors.at_desk import hidden, sign_in
from tests.starter.doors.conftest import PEOPLE, MakeToken
from tests.starter.doors.test_api_opening import an_intake
from tests.starter.doors.test_clerk_pages import repaired

_NOWHERE = {"to": "nowhere", "reason": "not theirs"}
BODIES: Mapping[ActionName, dict[str, Any]] = {name: dict(said) for name, said in SAID.items()} | {
    # Nothing moves to another department: who may is asked of all.
    ActionName.TRANSFER: _NOWHERE,
    ActionName.REASSIGN: _NOWHERE,
    # Any expert may advise; only whoever has an issue asks.
    ActionName.CONSULT: {"advice": "measure the voltage first"},
}
"""What is said with each action."""


@dataclass(frozen=True)
class Place:
    """Two issues: one of a web form that Liang Jiahao has, and one of quite other people."""

    http: httpx2.AsyncClient
    desk: RunningDesk
    near: str
    far: str

    async def issue(self, number: str) -> IssueView:
        return await self.desk.desk.show(number)


@pytest.fixture
async def place(http: httpx2.AsyncClient, token: MakeToken, running_desk: RunningDesk) -> Place:
    office = await token(Role.GM_OFFICE)
    near = (await http.post("/issues", json=an_intake(), headers=office)).json()["number"]
    other = an_intake() | {"source": "chat", "kind": "fault", "category": "software"}
    far = (await http.post("/issues", json=other, headers=office)).json()
    said = {"to": PEOPLE[Role.ENGINEER], "reason": "knows the place"}
    answer = await http.post(f"/issues/{near}/reassign", json=said, headers=office)
    assert answer.json()["engineer"]["id"] == PEOPLE[Role.ENGINEER]
    assert far["department"] != answer.json()["department"]
    return Place(http, running_desk, near, far["number"])


def caller_of(role: Role) -> Caller:
    supervises = role in {Role.LEAD, Role.MANAGER}
    department = "technical_service" if supervises else None
    return Caller(id=PEOPLE[role], role=role, name=role, department=department)


def expect(answer: httpx2.Response, *, allowed: bool, about: str) -> None:
    """Whether the stage has a place for it is another matter; whether somebody may is ours."""
    status = HTTPStatus(answer.status_code)
    assert status is not HTTPStatus.UNAUTHORIZED, about
    assert not answer.is_server_error, f"{about}: {answer.text}"
    assert (status is not HTTPStatus.FORBIDDEN) == allowed, f"{about}: {status} {answer.text}"


def test_the_page_shows_the_table_as_it_is() -> None:
    written = access_page.PAGE.read_text("utf-8")
    assert written == access_page.page(), "run `python -m tests.access_page`"


OPEN = {
    *("/login", "/login/oidc", "/login/oidc/callback", "/logout"),
    *("/healthz", "/readyz", "/auditz", "/openapi.json"),
    "/l/{signed}",  # the link says who it is
    "/inbound/{name}",  # its mapping file says whose it is, and with which token
}
"""Doors that ask nobody who they are."""


@pytest.mark.parametrize("room", _ROOMS)
def test_every_other_door_asks_who_is_there_and_every_page_takes_forms_of_ours_only(
    room: str,
) -> None:
    doors = import_module(f"starter.doors.{room}").router.routes
    assert doors
    for door in doors:
        assert isinstance(door, APIRoute)
        if door.path in OPEN:
            continue
        asked = set(_asked(door.dependant))
        assert asked & {visitor, signed_in}, door.path
        if signed_in in asked and door.methods != {"GET"}:
            assert checked_form in asked, door.path


def _asked(dependant: Dependant) -> Iterator[Any]:
    for each in dependant.dependencies:
        yield each.call
        yield from _asked(each)


@pytest.mark.parametrize("role", CALLERS)
async def test_everybody_acts_on_the_issues_they_may_act_on_and_on_no_others(
    place: Place, token: MakeToken, role: Role
) -> None:
    headers, caller = await token(role), caller_of(role)
    for name in BODIES:
        for number in (place.near, place.far):
            allowed = may(caller, name, await place.issue(number))
            answer = await place.http.post(
                f"/issues/{number}/{name}", json=BODIES[name], headers=headers
            )
            expect(answer, allowed=allowed, about=f"{role} {name} {number}")


def test_every_action_of_people_is_among_them() -> None:
    assert BODIES.keys() == ACTIONS.keys() - {ActionName.REPLAN}


@pytest.mark.parametrize("role", CALLERS)
async def test_everybody_sees_the_issues_and_customers_they_may_see_and_no_others(
    place: Place, token: MakeToken, role: Role
) -> None:
    headers, caller = await token(role), caller_of(role)
    for number in (place.near, place.far):
        issue = await place.issue(number)
        for what, path in ((Right.SEE, ""), (Right.SEE_CUSTOMER, "/customer")):
            answer = await place.http.get(f"/issues/{number}{path}", headers=headers)
            expect(answer, allowed=may(caller, what, issue), about=f"{role} {what} {number}")


async def test_r22_a_clerk_sees_the_customer_while_the_callback_is_due(
    doors: Doors, http: httpx2.AsyncClient, token: MakeToken
) -> None:
    number = await repaired(doors, {"name": "陈红", "phone": "+86 137 0000 0022"})
    answer = await http.get(f"/issues/{number}/customer", headers=await token(Role.CLERK))
    assert (answer.status_code, answer.json()["name"]) == (200, "陈红")


@pytest.mark.parametrize("role", CALLERS)
async def test_a_list_shows_nobody_more_than_they_may_see(
    place: Place, token: MakeToken, role: Role
) -> None:
    found = await place.http.get("/issues?limit=200", headers=await token(role))
    expect(found, allowed=reach(role, Right.SEE) is not Reach.NONE, about=role)
    issues = [IssueView.model_validate(each) for each in found.json()["items"]]
    assert issues
    assert all(may(caller_of(role), Right.SEE, issue) for issue in issues)


@pytest.mark.parametrize("role", CALLERS)
async def test_who_may_register_an_issue_and_under_which_source(
    http: httpx2.AsyncClient, token: MakeToken, role: Role
) -> None:
    headers, reached = await token(role), reach(role, Right.OPEN)
    for source, own in (("web", role is Role.INTAKE), ("chat", False)):
        answer = await http.post("/issues", json=an_intake() | {"source": source}, headers=headers)
        allowed = reached is Reach.ALL or (reached is Reach.OWN and own)
        expect(answer, allowed=allowed, about=f"{role} opens under {source}")


@pytest.mark.parametrize("role", CALLERS)
@pytest.mark.parametrize(
    ("what", "path"),
    [
        (Right.SEARCH_CASES, "/cases?q=卡钞"),
        (Right.READ_AUDIT_TRAIL, "/audit"),
        (Right.READ_METRICS, "/metrics"),
    ],
)
async def test_what_belongs_to_no_issue_is_for_those_who_need_it(
    http: httpx2.AsyncClient, token: MakeToken, role: Role, what: Right, path: str
) -> None:
    answer = await http.get(path, headers=await token(role))
    expect(answer, allowed=reach(role, what) is Reach.ALL, about=f"{role} {what}")


@pytest.mark.parametrize("role", CALLERS)
async def test_lists_of_customers_are_for_those_who_call_them(
    doors: Doors, http: httpx2.AsyncClient, role: Role
) -> None:
    person = await sign_in(doors, http, role, PEOPLE[role])
    calls = await person.get("/calls")
    expect(calls, allowed=reach(role, Right.LIST_CALLBACKS) is Reach.ALL, about=f"{role} calls")
    page = await person.get("/intake")
    finds = reach(role, Right.FIND_CUSTOMERS) is Reach.ALL
    expect(page, allowed=finds, about=f"{role} intake")
    if finds:
        form = {"csrf": hidden(page.text)["csrf"], "customer.name": "天河"}
        assert (await person.post("/intake/customers", form)).is_success


async def test_nobody_is_let_in_without_a_token_or_by_one_made_up(http: httpx2.AsyncClient) -> None:
    said = an_intake(reference=uuid4().hex)
    for headers in ({}, {"Authorization": "Bearer yn_made-up"}, {"Authorization": "Basic eA=="}):
        answer = await http.post("/issues", json=said, headers=headers)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
