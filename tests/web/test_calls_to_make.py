"""The calls that an agent owes customers: on their page and over HTTP, until made (R13, R34)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx2
import pytest

from domain.issue.actions import Accept, ActionName, Resolve
from domain.issue.view import IssueView
from domain.staff.access import Right
from domain.vocabulary import Actor, Role
from tests.support.builders import an_intake
from tests.support.staff_at_pages import AtDesk, sign_in
from tests.web.conftest import MakeToken
from web.context import Doors

CUSTOMER = {"name": "苏木支行", "contact": "其其格", "phone": "+86 471 5550 0130"}


@pytest.fixture
async def agent(doors: Doors, http: httpx2.AsyncClient) -> AtDesk:
    return await sign_in(doors, http, Role.AGENT, "07")


async def resolved(doors: Doors, *, before: timedelta = timedelta(), agent: str = "07") -> str:
    """A major fault whose result the agent is to bring; it was repaired so long ``before``."""
    now = datetime.now(UTC)
    issue = await doors.desk.open(
        an_intake(
            reference=uuid4().hex,
            severity="major",
            region="上海",
            agent=agent,
            customer=CUSTOMER,
            occurred_at=None,
            reported_at=now - before - timedelta(minutes=1),
        )
    )
    assert issue.engineer
    by = Actor(id=issue.engineer.id, role=Role.ENGINEER)
    await doors.desk.act(issue.number, ActionName.ACCEPT, Accept(by=by, at=now - before))
    done = Resolve(by=by, at=now - before, result="已更换读卡器")
    await doors.desk.act(issue.number, ActionName.RESOLVE, done)
    return issue.number


async def owed(doors: Doors, number: str) -> IssueView:
    return await doors.desk.show(number)


async def test_r34_an_agent_reads_whom_to_call_why_and_by_when_the_nearest_due_first(
    doors: Doors, agent: AtDesk
) -> None:
    later = await resolved(doors)
    sooner = await resolved(doors, before=timedelta(minutes=9))
    others = await resolved(doors, agent="12")
    page = (await agent.get("/intake")).text
    calls = page[page.index('id="calls"') : page.index("</section>", page.index('id="calls"'))]
    assert calls.index(sooner) < calls.index(later)
    assert others not in calls
    assert f'href="/intake/{later}#contact_customer"' in calls
    assert "其其格" in calls
    assert 'href="tel:+8647155500130"' in calls
    assert "已有结果，告知并解释" in calls
    seen = {entry.number for entry in await agent.trail(Right.SEE_CUSTOMER)}
    assert {later, sooner} <= seen, "every look at a customer is written down (R30)"


async def test_r34_one_click_leads_to_the_form_and_what_was_called_is_on_the_list_no_more(
    doors: Doors, agent: AtDesk
) -> None:
    number = await resolved(doors)
    where = f"/intake/{number}"
    own = (await agent.get(where)).text
    assert '<details class="card doing" id="contact_customer" open>' in own
    said = {"reached": "yes", "told": "读卡器已更换，可以正常使用", "words": "好的，谢谢"}
    hidden = await agent.hidden(where) | {"key": uuid4().hex}
    nothing = await agent.post(f"{where}/contact_customer", hidden | {"reached": "yes", "told": ""})
    assert (nothing.status_code, "请写下告诉了客户什么" in nothing.text) == (422, True)
    done = await agent.post(f"{where}/contact_customer", hidden | said)
    assert done.status_code == 303, done.text
    assert (await owed(doors, number)).answered
    page = (await agent.get("/intake")).text
    assert f"{number}#contact_customer" not in page


async def test_r34_programs_list_whom_to_call(
    doors: Doors, http: httpx2.AsyncClient, token: MakeToken
) -> None:
    number = await resolved(doors)
    waiting = await doors.desk.open(
        an_intake(reference=uuid4().hex, region="上海", reported_at=datetime.now(UTC))
    )
    headers = await token(Role.AGENT)
    listed = await http.get("/issues?calls=true&limit=200", headers=headers)
    numbers = [each["number"] for each in listed.json()["items"]]
    assert number in numbers
    assert waiting.number not in numbers
