"""Whoever acts on a page does so in one way: it is in the audit trail however it went, and a form
that is not done is kept. And while PostgreSQL is away every page says so.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from fastapi.routing import APIRoute

from domain.issue.actions import Accept, Act, ActionName, Reassign, Resolve
from domain.issue.view import IssueView
from domain.links import Purpose
from domain.vocabulary import Actor, Role
from starter.client import Desk, Unavailable
from store import door_log
from tests.support.builders import an_intake
from tests.support.running_desk import RunningDesk
from tests.support.staff_at_pages import AtDesk, hidden, sign_in
from tests.web.conftest import BASE
from tests.web.test_link_pages import Sent, opened
from web.app import ROOMS, build
from web.context import Doors

LEAD = Actor(id="zhou.jianguo", role=Role.LEAD)
UNKNOWN = "20991231-07-0001"


@dataclass(frozen=True)
class Page:
    """A page of an issue at which somebody acts: what cannot be meant, and what is refused."""

    room: str
    role: Role
    person: str
    wrong: tuple[str, dict[str, str]]
    refused: tuple[str, dict[str, str]]
    why: str

    @property
    def path(self) -> str:
        return f"{self.room}/{{number}}/{{action}}"


PAGES = (
    Page(
        "/my",
        Role.ENGINEER,
        "liang.jiahao",
        wrong=("resolve", {"result": "  "}),
        refused=("transfer", {"to": "nowhere", "reason": "x"}),
        why="Invalid",
    ),
    Page(
        "/board",
        Role.LEAD,
        LEAD.id,
        wrong=("reassign", {"to": "xu.jing", "reason": ""}),
        refused=("reassign", {"to": "nobody.here", "reason": "x"}),
        why="Invalid",
    ),
    Page(
        "/intake",
        Role.AGENT,
        "07",
        wrong=("escalate", {"reason": " "}),
        refused=("report_test", {"worked": "yes"}),
        why="NotAllowed",
    ),
)
ELSEWHERE = {
    *("/approvals", "/attach/{number}", "/l/{signed}/files"),
    *("/evaluate", "/evaluations", "/evaluations/settle", "/reading", "/queue/{number}/{action}"),
    *("/intake", "/intake/words/{number}", "/calls", "/l/{signed}", "/find/{number}/{action}"),
}
"""Pages that act, each tested by itself."""
LOOKING = {
    *("/intake/customers", "/intake/customer", "/intake/cases", "/find"),
    *("/login", "/logout"),
}
"""What is sent without acting on anything."""
page = pytest.mark.parametrize("page", PAGES, ids=[each.room for each in PAGES])


def test_every_page_that_acts_is_among_them() -> None:
    sent = {
        route.path
        for room in ROOMS
        for route in room.router.routes
        if isinstance(route, APIRoute)
        and "POST" in (route.methods or ())
        and not route.include_in_schema
    }
    assert sent - LOOKING == {each.path for each in PAGES} | ELSEWHERE


async def reported(doors: Doors) -> IssueView:
    """Let an issue be with the engineer of these tests."""
    own = uuid4()
    usual: dict[str, Any] = {
        "reference": own.hex,
        "region": "上海",
        "agent": "07",
        "occurred_at": None,
        "reported_at": datetime.now(UTC),
        "customer": {"name": f"客户{own.hex[:6]}", "phone": f"137{own.int % 10**8:08}"},
    }
    seen = await doors.desk.open(an_intake(**usual))
    given = Reassign(by=LEAD, to="liang.jiahao", reason="试验")
    return await doors.desk.act(seen.number, ActionName.REASSIGN, given)


async def forms(at: AtDesk, page: Page, number: str) -> dict[str, str]:
    shown = await at.get(f"{page.room}/{number}")
    assert shown.status_code == 200, shown.text
    return hidden(shown.text) | {"from": "issue"}


async def outcomes(running: RunningDesk, number: str, *persons: str) -> list[tuple[str, str]]:
    """Return what was done to an issue and how it went, but for looks at it."""
    trail = await door_log.entries(running.pool, number=number)
    return [(e.what, e.outcome) for e in trail if e.person in persons and e.outcome != "seen"]


# An action on an issue ----------------------------------------------------------------------------


@page
async def test_r30_a_form_that_cannot_be_is_kept_and_in_the_trail(
    doors: Doors, http: httpx2.AsyncClient, running_desk: RunningDesk, page: Page
) -> None:
    issue, at = await reported(doors), await sign_in(doors, http, page.role, page.person)
    action, said = page.wrong
    form = await forms(at, page, issue.number)
    answer = await at.post(f"{page.room}/{issue.number}/{action}", form | said)
    assert answer.status_code == 422
    assert form["key"] in answer.text, "put right, it is still the same action"
    rows = await outcomes(running_desk, issue.number, page.person)
    assert rows == [(action, "refused: Invalid")]


@page
async def test_r30_what_the_desk_refuses_is_in_the_trail_and_sent_again_it_is_another(
    doors: Doors, http: httpx2.AsyncClient, running_desk: RunningDesk, page: Page
) -> None:
    issue, at = await reported(doors), await sign_in(doors, http, page.role, page.person)
    action, said = page.refused
    form = await forms(at, page, issue.number) | {"key": uuid4().hex}
    answer = await at.post(f"{page.room}/{issue.number}/{action}", form | said)
    assert answer.status_code in {409, 422}, answer.text
    assert form["key"] not in answer.text
    rows = await outcomes(running_desk, issue.number, page.person)
    assert rows == [(action, f"refused: {page.why}")]


@page
async def test_r30_what_a_page_does_not_offer_is_not_done_and_in_the_trail(
    doors: Doors, http: httpx2.AsyncClient, running_desk: RunningDesk, page: Page
) -> None:
    issue, at = await reported(doors), await sign_in(doors, http, page.role, page.person)
    form = await forms(at, page, issue.number)
    assert (await at.post(f"{page.room}/{issue.number}/evaluate", form)).status_code == 404
    rows = await outcomes(running_desk, issue.number, page.person)
    assert rows == [("evaluate", "refused: NotFound")]


@page
async def test_r30_an_act_on_an_issue_that_is_not_there_is_in_the_trail(
    doors: Doors, http: httpx2.AsyncClient, running_desk: RunningDesk, page: Page
) -> None:
    issue, at = await reported(doors), await sign_in(doors, http, page.role, page.person)
    action, said = page.wrong
    before = await outcomes(running_desk, UNKNOWN, page.person)
    form = await forms(at, page, issue.number)
    assert (await at.post(f"{page.room}/{UNKNOWN}/{action}", form | said)).status_code == 404
    rows = await outcomes(running_desk, UNKNOWN, page.person)
    assert rows == [(action, "refused: NotFound"), *before]


@pytest.mark.parametrize("page", PAGES[:2], ids=["/my", "/board"])  # agents reach all issues
async def test_r30_an_act_on_an_issue_that_is_not_theirs_is_in_the_trail_once(
    doors: Doors, http: httpx2.AsyncClient, running_desk: RunningDesk, page: Page
) -> None:
    issue = await reported(doors)
    at = await sign_in(doors, http, page.role, page.person)
    form = await forms(at, page, issue.number)
    foreign = await doors.desk.open(
        an_intake(
            reference=uuid4().hex,
            category="software",
            region="广东",
            agent="12",
            occurred_at=None,
            reported_at=datetime.now(UTC),
        )
    )
    action, said = page.wrong
    assert (await at.post(f"{page.room}/{foreign.number}/{action}", form | said)).status_code == 403
    rows = await outcomes(running_desk, foreign.number, page.person)
    assert rows == [(action, "refused: NotYours")]


class _Silent(Desk):
    """A desk whose Temporal does not answer."""

    async def act(
        self, number: str, name: ActionName, act: Act, *, key: str | None = None
    ) -> IssueView:
        raise Unavailable(f"{number} {name} {act} {key}")


@page
async def test_r30_what_is_not_answered_is_in_the_trail_and_stays_the_same_action(
    doors: Doors, running_desk: RunningDesk, page: Page
) -> None:
    issue = await reported(doors)
    away = replace(doors, desk=_Silent(running_desk.client, running_desk.pool))
    transport = httpx2.ASGITransport(app=build(away))
    async with httpx2.AsyncClient(transport=transport, base_url=BASE) as http:
        at = await sign_in(doors, http, page.role, page.person)
        action = page.wrong[0]
        said = {"result": "好了", "reason": "着急"}
        form = await forms(at, page, issue.number)
        answer = await at.post(f"{page.room}/{issue.number}/{action}", form | said)
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert form["key"] in answer.text
    assert said["result"] in answer.text or said["reason"] in answer.text
    rows = await outcomes(running_desk, issue.number, page.person)
    assert rows == [(action, "unanswered")]


# The other pages ----------------------------------------------------------------------------------


@pytest.mark.parametrize("changes", [{"title": ""}, {"region": "火星"}], ids=["wrong", "refused"])
async def test_r30_an_intake_that_is_refused_is_in_the_trail(
    doors: Doors, http: httpx2.AsyncClient, changes: dict[str, str]
) -> None:
    agent = await sign_in(doors, http, Role.AGENT, "07")
    form = await agent.hidden("/intake") | {
        "name": "钱多",
        "phone": "+86 139 0000 0009",
        "type": "enterprise",
        "title": "卡钞",
        "product_line": "ATM",
        "region": "上海",
        "severity": "general",
        "kind": "fault",
        "category": "technical",
        "channel": "telephone",
    }
    before = len(await agent.trail("open"))
    assert (await agent.post("/intake", form | changes)).status_code == 422
    (row, *others) = await agent.trail("open")
    assert (row.outcome, len(others)) == ("refused: Invalid", before)


async def _resolved(doors: Doors) -> str:
    seen = await reported(doors)
    await doors.desk.act(seen.number, ActionName.ACCEPT, Accept(by=LEAD))
    await doors.desk.act(seen.number, ActionName.RESOLVE, Resolve(by=LEAD, result="好了"))
    return seen.number


async def test_r30_a_call_that_is_refused_is_in_the_trail_of_each_of_its_issues(
    doors: Doors, http: httpx2.AsyncClient, running_desk: RunningDesk
) -> None:
    clerk = await sign_in(doors, http, Role.CLERK, "fan.meiling")
    numbers = [await _resolved(doors), await _resolved(doors)]  # of two customers
    form = hidden((await clerk.get("/calls")).text) | {"number": numbers}
    said = {f"running.{each}": "yes" for each in numbers} | {"reached": "yes", "words": "好"}
    for said_now in ({}, said):
        assert (await clerk.post("/calls", form | said_now)).status_code == 422
    for number in numbers:
        rows = await outcomes(running_desk, number, "fan.meiling")
        assert rows == [("record_callback", "refused: Invalid")] * 2


async def test_r30_a_call_about_an_issue_that_is_not_there_is_in_the_trail(
    doors: Doors, http: httpx2.AsyncClient, running_desk: RunningDesk
) -> None:
    clerk = await sign_in(doors, http, Role.CLERK, "fan.meiling")
    before = await outcomes(running_desk, UNKNOWN, "fan.meiling")
    await _resolved(doors)
    form = hidden((await clerk.get("/calls")).text) | {"number": [UNKNOWN, "<b>no number</b>"]}
    answer = await clerk.post("/calls", form | {"reached": "no"})
    assert answer.status_code == 404
    rows = await outcomes(running_desk, UNKNOWN, "fan.meiling")
    assert rows == [("record_callback", "refused: NotFound"), *before]


@pytest.fixture
async def sent(doors: Doors) -> Sent:
    return await opened(doors)


async def test_r30_what_cannot_be_by_a_link_is_in_the_trail(
    sent: Sent, http: httpx2.AsyncClient, running_desk: RunningDesk
) -> None:
    engineer = await sent.engineer()
    link = await sent.link(Purpose.COMPLETE)
    assert (await http.post(link, data={"result": " "})).status_code == 422
    rows = await outcomes(running_desk, sent.number, engineer.id)
    assert rows == [("resolve", "refused: Invalid")]
    accept = await sent.link(Purpose.ACCEPT)
    past = {"expected_at": "2020-01-01T09:00"}
    assert (await http.post(accept, data=past)).status_code == 422
    rows = await outcomes(running_desk, sent.number, engineer.id)
    assert rows[0] == ("accept", "refused: Invalid")
