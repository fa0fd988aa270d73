"""The hotline's queue on the running desk: seen, taken, answered (R36)."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import httpx2
import pytest

from domain.issue.actions import ActionName, Take
from domain.issue.view import IssueView
from domain.vocabulary import Actor, Role
from tests.support.builders import an_intake
from tests.support.staff_at_pages import AtDesk, sign_in
from tests.web.conftest import MakeToken
from web.context import Doors

COLLEAGUE = Actor(id="12", role=Role.AGENT)


@pytest.fixture
async def agent(doors: Doors, http: httpx2.AsyncClient) -> AtDesk:
    return await sign_in(doors, http, Role.AGENT, "07")


async def enquiry(doors: Doors, title: str = "怎么换打印纸") -> IssueView:
    return await doors.desk.open(
        an_intake(
            reference=uuid4().hex,
            channel="email",
            kind="consultation",
            region="上海",
            title=title,
            occurred_at=None,
            reported_at=datetime.now(UTC),
        )
    )


async def test_an_agent_takes_an_enquiry_from_the_queue_and_answers_it(
    doors: Doors, agent: AtDesk
) -> None:
    issue = await enquiry(doors)
    page = (await agent.get("/queue")).text
    assert issue.number in page
    assert "怎么换打印纸" in page
    assert f'action="/queue/{issue.number}/take"' in page
    form = await agent.hidden("/queue")
    taken = await agent.post(f"/queue/{issue.number}/take", form)
    assert (taken.status_code, taken.headers["location"]) == (303, f"/intake/{issue.number}")
    assert f'action="/queue/{issue.number}/take"' not in (await agent.get("/queue")).text
    where = f"/intake/{issue.number}"
    own = await agent.get(where)
    assert "转给技术支持工程师" in own.text
    said = {"solution": "拉下拉杆再放入纸卷"}
    done = await agent.post(f"{where}/answer", await agent.hidden(where) | said | {"key": ""})
    assert done.status_code == 303, done.text
    seen = await doors.desk.show(issue.number)
    assert (seen.taken_by, seen.first_contact) == ("07", True)
    assert issue.number not in (await agent.get("/queue")).text


async def test_whoever_comes_too_late_reads_who_has_it(doors: Doors, agent: AtDesk) -> None:
    issue = await enquiry(doors)
    form = await agent.hidden("/queue")
    await doors.desk.act(issue.number, ActionName.TAKE, Take(by=COLLEAGUE))
    late = await agent.post(f"/queue/{issue.number}/take", form)
    assert late.status_code == 409
    assert "was taken by 12 already" in late.text


async def test_programs_list_what_waits_and_take_it(
    doors: Doors, http: httpx2.AsyncClient, token: MakeToken
) -> None:
    issue = await enquiry(doors)
    headers = await token(Role.AGENT)
    listed = await http.get("/issues?queued=true&limit=200", headers=headers)
    assert issue.number in [each["number"] for each in listed.json()["items"]]
    taken = await http.post(f"/issues/{issue.number}/take", json={}, headers=headers)
    assert taken.json()["taken_by"] == "07", taken.text


@pytest.mark.parametrize("role", [Role.ENGINEER, Role.CLERK, Role.AUDITOR])
async def test_the_queue_is_for_those_who_may_take(
    doors: Doors, http: httpx2.AsyncClient, role: Role
) -> None:
    people = {Role.ENGINEER: "liang.jiahao", Role.CLERK: "fan.meiling", Role.AUDITOR: "audit"}
    other = await sign_in(doors, http, role, people[role])
    assert (await other.get("/queue")).status_code == 403
