"""Why a promise is due then, on a page: days, pauses and reminders on the running desk."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import httpx2
import pytest

from domain.issue.actions import Accept, ActionName, Resume, WaitForCustomer
from domain.vocabulary import Role
from domain.words import length, threshold
from tests.support.staff_at_pages import AtDesk, sign_in
from tests.web.test_engineer_pages import BY, ENGINEER, LEAD, PHONE, given
from web.context import Doors


@pytest.fixture
async def engineer(doors: Doors, http: httpx2.AsyncClient) -> AtDesk:
    return await sign_in(doors, http, Role.ENGINEER, ENGINEER)


async def test_each_promise_says_its_days_its_pauses_and_its_reminders_in_the_readers_language(
    doors: Doors, engineer: AtDesk
) -> None:
    issue = await given(doors, title="期限从哪来")
    await doors.desk.act(issue.number, ActionName.ACCEPT, Accept(by=BY))
    waits = WaitForCustomer(by=BY, reason="等客户寄回")
    await doors.desk.act(issue.number, ActionName.WAIT_FOR_CUSTOMER, waits)
    await doors.desk.act(issue.number, ActionName.RESUME, Resume(by=LEAD))
    linked = (await engineer.get(f"/my/{issue.number}")).text
    assert f'href="/why/{issue.number}"' in linked
    page = (await engineer.get(f"/why/{issue.number}")).text
    solved = page[page.index('id="resolution.1"') :]
    solved = solved[: solved.index("</details>")]
    last = threshold("100%")[0]
    for said in ("3个工作日", "第 3 个工作日", "暂停", "期限改为", last, "重新计算，与登记一致"):
        assert said in solved, said
    kept = page[page.index('id="response.1"') :]
    kept = kept[: kept.index("</details>")]
    for section, state, other in ((solved, "未到", "不再需要"), (kept, "不再需要", "未到")):
        assert state in section
        assert other not in section, "nobody is reminded of what is done"
    english = (await replace(engineer, english=True).get(f"/why/{issue.number}")).text
    for said in ("3 working days", "day 3", "It stood still", "Worked out again: as it is kept"):
        assert said in english, said
    assert PHONE not in page + english, "no customer is on it (R30)"


async def test_whoever_may_not_see_an_issue_may_not_see_why(doors: Doors, engineer: AtDesk) -> None:
    issue = await given(doors, to="chen.zhiqiang", title="别人的")
    assert (await engineer.get(f"/why/{issue.number}")).status_code == 403
    assert (await engineer.get("/why/20991231-07-0001")).status_code == 404


@pytest.mark.parametrize(
    ("of", "said"),
    [
        (timedelta(0), ("0分", "0 min")),
        (timedelta(hours=3, minutes=30), ("3小时30分", "3 h 30 min")),
        (timedelta(days=2, seconds=5), ("48小时5秒", "48 h 5 s")),
        (timedelta(minutes=59, seconds=59.6), ("1小时", "1 h")),
    ],
)
def test_a_length_of_time_is_said_by_what_it_has(of: timedelta, said: tuple[str, str]) -> None:
    assert length(of) == said
