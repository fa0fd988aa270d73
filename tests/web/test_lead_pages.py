"""The lead's board on the running desk: what is open, with whom, and who gets it next."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from domain.issue.actions import Act, ActionName
from domain.issue.view import IssueView
from domain.vocabulary import Role
from starter.client import Desk, Unavailable
from store import workload
from tests.support.builders import an_intake
from tests.support.known_lines import lapsed
from tests.support.staff_at_pages import AtDesk, addresses, hidden, pool_of, sign_in
from tests.web.conftest import BASE, PEOPLE
from web.app import build
from web.context import Doors
from web.pages import lead as lead_pages

CUSTOMER = {"name": "钱不多", "organisation": "看板银行", "phone": "+86 139 7777 0001"}


@pytest.fixture
async def lead(doors: Doors, http: httpx2.AsyncClient) -> AtDesk:
    return await sign_in(doors, http, Role.LEAD, PEOPLE[Role.LEAD])


@pytest.fixture(autouse=True)
def _one_long_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """The desk is full of other tests' issues: those of a test are not to be on the next page."""
    monkeypatch.setattr(lead_pages, "_AT_ONCE", 1000)


async def opened(doors: Doors, **changes: Any) -> IssueView:
    usual = {
        "reference": uuid4().hex,
        "region": "上海",
        "agent": "12",
        "occurred_at": None,
        "reported_at": datetime.now(UTC),
        "customer": CUSTOMER,
    }
    return await doors.desk.open(an_intake(**(usual | changes)))


async def software(doors: Doors) -> IssueView:
    return await opened(doors, category="software", region="广东")


def row(text: str, number: str) -> str:
    """Return the row of an issue."""
    found = re.search(rf'<tr id="i-{number}".*?</tr>', text, re.DOTALL)
    assert found, f"{number} is not on the board"
    return found[0]


def numbers(text: str) -> list[str]:
    return re.findall(r'<tr id="i-([\d-]+)"', text)


def form_for(text: str, number: str, action: str) -> dict[str, str]:
    """Return what the form of a row carries unseen."""
    (_, _, rest) = row(text, number).partition(f'action="/board/{number}/{action}')
    return hidden(rest[: rest.index("</form>")])


async def at_board(somebody: AtDesk, issue: IssueView, action: str = "reassign") -> dict[str, str]:
    page = await somebody.get(f"/board?engineer={issue.engineer.id if issue.engineer else ''}")
    assert page.status_code == 200, page.text
    return form_for(page.text, issue.number, action)


def other(issue: IssueView) -> str:
    assert issue.engineer
    return "xu.jing" if issue.engineer.id != "xu.jing" else "chen.zhiqiang"


# What is seen -------------------------------------------------------------------------------------


async def test_the_board_is_sorted_by_what_is_due_next(doors: Doors, lead: AtDesk) -> None:
    slow = await opened(doors)
    urgent = await opened(doors, severity="major")
    page = await lead.get("/board")
    assert page.status_code == 200
    dues = [(await doors.desk.show(each)).next_due_at for each in numbers(page.text)]
    known = [each for each in dues if each]
    assert known == sorted(known)
    assert dues[: len(known)] == known, "what is not due comes last"
    shown = numbers((await lead.get(f"/board?engineer={urgent.engineer.id}")).text)  # type: ignore[union-attr]
    assert urgent.number in shown
    if slow.number in shown:
        assert shown.index(urgent.number) < shown.index(slow.number)


async def test_a_row_says_what_a_lead_decides_by(doors: Doors, lead: AtDesk) -> None:
    issue = await opened(doors, severity="major")
    assert issue.engineer
    text = row((await lead.get(f"/board?engineer={issue.engineer.id}")).text, issue.number)
    for said in (
        *(issue.title, issue.product_line, "上海 / 上海维修中心", issue.engineer.name),
        *("重大", "已派工", "响应", "还剩", "未升级 · 0"),
    ):
        assert said in text


async def test_whom_an_issue_can_be_given_to_is_told_when_somebody_opens_its_form(
    doors: Doors, lead: AtDesk
) -> None:
    issue = await opened(doors)
    assert issue.engineer
    board = (await lead.get(f"/board?engineer={issue.engineer.id}")).text
    (_, _, form) = row(board, issue.number).partition('<select name="to"')
    (asked, _, _) = form.partition("</select>")
    assert asked.count("<option") == 1, "hundreds of people are not in each of sixty rows"
    told = await lead.get(f"/board/{issue.number}/colleagues")
    people = re.findall(r'<option value="([^"]+)"', told.text)
    assert other(issue) in people
    assert issue.engineer.id not in people
    staff = await lead_pages._staff(doors, issue.department)
    least = [each.member.id for each in staff.of(issue.department)]
    assert people == [each for each in least if each != issue.engineer.id], "as the page has them"


async def test_department_centre_and_level_are_called_by_their_names(
    doors: Doors, lead: AtDesk
) -> None:
    names = await doors.registers.staff.centre_names()
    issue = await opened(doors)
    assert issue.engineer
    board = (await lead.get(f"/board?engineer={issue.engineer.id}")).text
    for text in (row(board, issue.number), (await lead.get(f"/board/{issue.number}")).text):
        assert f"{issue.region} / {names[issue.centre]}" in text
        assert "未升级" in text
    assert "技术服务部</span></h1>" in board
    assert names[issue.centre] != issue.centre


async def test_a_lead_sees_only_their_department(doors: Doors, lead: AtDesk) -> None:
    own, foreign = await opened(doors), await software(doors)
    page = await lead.get("/board")
    assert own.department == "technical_service" != foreign.department
    assert foreign.number not in page.text
    assert "gao.yuan" not in page.text, "nor do their engineers matter here"
    assert (await lead.get(f"/board/{foreign.number}")).status_code == 403
    assert (await lead.get("/board?department=software_development")).status_code == 403
    form = await at_board(lead, own)
    tried = await lead.post(f"/board/{foreign.number}/reassign", form | {"reason": "给我"})
    assert tried.status_code == 403
    assert (await doors.desk.show(foreign.number)).engineer == foreign.engineer


async def test_the_gm_office_sees_all_departments_or_one(
    doors: Doors, http: httpx2.AsyncClient
) -> None:
    gm = await sign_in(doors, http, Role.GM_OFFICE, PEOPLE[Role.GM_OFFICE])
    one, two = await opened(doors), await software(doors)
    for issue in (one, two):
        assert issue.engineer
        seen = numbers((await gm.get(f"/board?engineer={issue.engineer.id}")).text)
        assert issue.number in seen
    only = await gm.get("/board?department=software_development")
    departments = {(await doors.desk.show(each)).department for each in numbers(only.text)}
    assert departments == {"software_development"}
    assert "liang.jiahao" not in only.text


@pytest.mark.parametrize("role", [Role.ENGINEER, Role.AGENT, Role.CLERK])
async def test_the_board_is_for_those_who_answer_for_a_department(
    doors: Doors, http: httpx2.AsyncClient, role: Role
) -> None:
    issue = await opened(doors)
    somebody = await sign_in(doors, http, role, PEOPLE[role])
    for path in ("/board", f"/board/{issue.number}"):
        assert (await somebody.get(path)).status_code == 403


async def test_filters_narrow_the_board_and_an_empty_one_does_not(
    doors: Doors, lead: AtDesk
) -> None:
    issue = await opened(doors)
    assert issue.engineer
    everything = numbers((await lead.get("/board?engineer=&stage=&department=")).text)
    assert everything
    theirs = numbers((await lead.get(f"/board?engineer={issue.engineer.id}&stage=assigned")).text)
    assert issue.number in theirs
    for number in theirs:
        seen = await doors.desk.show(number)
        assert (seen.engineer, seen.stage) == (issue.engineer, "assigned")
    assert issue.number not in numbers((await lead.get("/board?stage=in_progress")).text)
    assert issue.number not in numbers((await lead.get("/board?overdue=true")).text)
    assert issue.number not in numbers((await lead.get("/board?unassigned=true")).text)
    assert (await lead.get("/board?stage=nowhere")).status_code == 422
    for asked in ("kind=fault", "category=technical"):
        page = (await lead.get(f"/board?{asked}&engineer={issue.engineer.id}")).text
        assert issue.number in numbers(page)
        assert f'value="{asked.partition("=")[2]}" selected' in page
    assert issue.number not in numbers((await lead.get("/board?category=service")).text)
    unheard = await lead.get("/board?category=wish")
    assert unheard.status_code == 422
    assert "technical (技术质量)" in unheard.text
    assert (await lead.get("/board?after=nowhere")).status_code == 422


async def test_what_nobody_has_stands_out_and_can_be_filtered(doors: Doors, lead: AtDesk) -> None:
    line = f"DROPPED{uuid4().hex[:4]}"
    async with lapsed(pool_of(doors), line):
        issue = await opened(doors, product_line=line)
    assert issue.engineer is None
    page = await lead.get("/board?unassigned=true")
    assert "无人" in row(page.text, issue.number)
    for number in numbers(page.text):
        assert (await doors.desk.show(number)).engineer is None


async def test_the_counts_and_loads_are_those_of_the_department(doors: Doors, lead: AtDesk) -> None:
    issue = await opened(doors)
    assert issue.engineer
    loads = {each.engineer: each for each in await workload.loads(pool_of(doors), issue.department)}
    counted = "SELECT count(*) FROM issues WHERE closed_at IS NULL AND department = $1"
    total = await pool_of(doors).fetchval(counted, issue.department)
    theirs = await pool_of(doors).fetchval(
        f"{counted} AND engineer = $2", issue.department, issue.engineer.id
    )
    assert (sum(each.open for each in loads.values()), loads[issue.engineer.id].open) == (
        total,
        theirs,
    )
    text = (await lead.get("/board")).text
    assert re.search(rf"<strong>{total}</strong>\s*未结", text)
    load = text[text.index('id="load"') :]
    (theirs_shown,) = re.findall(
        rf'engineer={re.escape(issue.engineer.id)}".*?<td[^>]*>(\d+)</td>', load, re.DOTALL
    )
    assert int(theirs_shown) == theirs
    assert "在岗" in load


async def test_no_customer_is_on_the_board_nor_in_any_address(doors: Doors, lead: AtDesk) -> None:
    issue = await opened(doors)
    before = len(await lead.trail("see_customer"))
    page = await lead.get("/board")
    assert not [said for said in CUSTOMER.values() if said in page.text]
    assert len(await lead.trail("see_customer")) == before
    one = await lead.get(f"/board/{issue.number}")
    assert not [said for said in CUSTOMER.values() for each in addresses(one.text) if said in each]


async def test_an_issue_is_shown_with_its_customer_and_the_look_is_recorded(
    doors: Doors, lead: AtDesk
) -> None:
    issue = await opened(doors)
    page = await lead.get(f"/board/{issue.number}")
    assert page.status_code == 200
    for said in (*CUSTOMER.values(), issue.title, "响应", "来往记录", "登记"):
        assert said in page.text
    (look, *_) = await lead.trail("see_customer")
    assert (look.number, look.outcome) == (issue.number, "seen")


async def test_a_browser_that_wants_english_gets_it(doors: Doors, http: httpx2.AsyncClient) -> None:
    lead = await sign_in(doors, http, Role.LEAD, PEOPLE[Role.LEAD], english=True)
    issue = await opened(doors)
    page = await lead.get("/board")
    for said in ('lang="en"', "the desk chooses", "Next due", "on duty"):
        assert said in page.text
    assert "由系统选择" not in page.text
    assert "Thread" in (await lead.get(f"/board/{issue.number}")).text


async def test_the_list_looks_again_by_itself_and_its_forms_do_not_inherit_how(
    lead: AtDesk,
) -> None:
    text = (await lead.get("/board?overdue=true")).text
    (how,) = re.findall(r'<section id="list"[^>]*>', text)
    for said in (
        *('hx-get="/board?overdue=true"', 'hx-trigger="every 60s"', 'hx-select="#list"'),
        'hx-disinherit="*"',
    ):
        assert said in how


# What is done -------------------------------------------------------------------------------------


async def test_reassigned_in_its_row_an_issue_shows_who_has_it_now(
    doors: Doors, lead: AtDesk
) -> None:
    issue = await opened(doors)
    to = other(issue)
    form = await at_board(lead, issue) | {"to": to, "reason": "离得近"}
    for _ in range(2):
        answer = await lead.post(f"/board/{issue.number}/reassign", form, htmx=True)
        assert answer.status_code == 200, answer.text
        assert answer.text.lstrip().startswith("<tr"), "the row alone"
    seen = await doors.desk.show(issue.number)
    assert seen.engineer
    assert seen.engineer.id == to
    assert seen.engineer.name in row(answer.text, issue.number)
    done = [step for step in seen.steps if step.action == ActionName.REASSIGN]
    assert len(done) == 1, "a double click is one action"
    (entry, *_) = await lead.trail("reassign")
    assert (entry.number, entry.outcome) == (issue.number, "done")


async def test_without_script_the_board_comes_back_as_it_was_filtered(
    doors: Doors, lead: AtDesk
) -> None:
    issue = await opened(doors)
    form = await at_board(lead, issue) | {"to": "", "reason": "请系统再选"}
    where = f"/board/{issue.number}/reassign?stage=assigned&overdue=true"
    answer = await lead.post(where, form)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/board?stage=assigned&overdue=true"


@pytest.mark.parametrize("htmx", [True, False])
async def test_a_missing_reason_is_asked_for_and_keeps_who_was_chosen(
    doors: Doors, lead: AtDesk, *, htmx: bool
) -> None:
    issue = await opened(doors)
    to = other(issue)
    form = await at_board(lead, issue) | {"to": to, "reason": "  "}
    answer = await lead.post(
        f"/board/{issue.number}/reassign?engineer={issue.engineer.id if issue.engineer else ''}",
        form,
        htmx=htmx,
    )
    assert answer.status_code == 422
    text = row(answer.text, issue.number)
    assert "请填写" in text
    assert f'value="{to}" selected' in text
    assert "<details open>" in text
    assert ("</html>" in answer.text) is not htmx
    assert (await doors.desk.show(issue.number)).engineer == issue.engineer


async def test_who_is_not_on_the_roster_is_refused_and_the_next_try_is_not_the_same_one(
    doors: Doors, lead: AtDesk
) -> None:
    issue = await opened(doors)
    form = await at_board(lead, issue) | {"to": "nobody.here", "reason": "换一位"}
    refused = await lead.post(f"/board/{issue.number}/reassign", form, htmx=True)
    assert refused.status_code == 422
    assert refused.headers["x-part"] == "row"
    text = row(refused.text, issue.number)
    assert "换一位" in text, "the words are kept"
    assert "error" in text
    (entry, *_) = await lead.trail("reassign")
    assert entry.outcome.startswith("refused")
    again = form_for(refused.text, issue.number, "reassign") | {"to": other(issue), "reason": "换"}
    done = await lead.post(f"/board/{issue.number}/reassign", again, htmx=True)
    assert done.status_code == 200, done.text


async def test_an_issue_that_went_on_meanwhile_is_shown_as_it_is(
    doors: Doors, lead: AtDesk
) -> None:
    issue = await opened(doors)
    form = await at_board(lead, issue) | {"to": other(issue), "reason": "太忙"}
    page = f"/board/{issue.number}"
    detail = hidden((await lead.get(page)).text) | {"reason": "客户不要了"}
    gone = await lead.post(f"{page}/withdraw", detail | {"from": "issue"})
    assert (gone.status_code, gone.headers["location"]) == (303, page)
    assert (await doors.desk.show(issue.number)).outcome == "withdrawn"
    late = await lead.post(f"{page}/reassign", form, htmx=True)
    assert late.status_code == 409
    assert "撤回" in row(late.text, issue.number)


async def test_an_issue_is_escalated_from_its_row(doors: Doors, lead: AtDesk) -> None:
    issue = await opened(doors)
    form = await at_board(lead, issue, "escalate") | {"reason": "客户明天开业"}
    answer = await lead.post(f"/board/{issue.number}/escalate", form, htmx=True)
    assert answer.status_code == 200, answer.text
    assert (await doors.desk.show(issue.number)).escalation_level == 1
    assert "组长 · 0" in row(answer.text, issue.number)


async def test_a_form_that_is_not_ours_is_refused(doors: Doors, lead: AtDesk) -> None:
    issue = await opened(doors)
    form = {"to": other(issue), "reason": "x", "csrf": "made up"}
    assert (await lead.post(f"/board/{issue.number}/reassign", form)).status_code == 403
    assert (await doors.desk.show(issue.number)).engineer == issue.engineer


async def test_only_what_the_board_offers_is_done_at_it(doors: Doors, lead: AtDesk) -> None:
    issue = await opened(doors)
    form = await at_board(lead, issue)
    assert (await lead.post(f"/board/{issue.number}/accept", form)).status_code == 404


class _Away(Desk):
    """A desk whose Temporal does not answer."""

    async def act(
        self, number: str, name: ActionName, act: Act, *, key: str | None = None
    ) -> IssueView:
        raise Unavailable(f"{number} {name} {act} {key}")


async def test_while_the_desk_is_away_the_form_stays_and_is_still_one_action(doors: Doors) -> None:
    issue = await opened(doors)
    app = build(replace(doors, desk=_Away(doors.desk.client, pool_of(doors))))
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url=BASE) as http:
        lead = await sign_in(doors, http, Role.LEAD, PEOPLE[Role.LEAD])
        form = await at_board(lead, issue) | {"to": other(issue), "reason": "离得近"}
        answer = await lead.post(f"/board/{issue.number}/reassign", form, htmx=True)
    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    assert "离得近" in answer.text
    assert form_for(answer.text, issue.number, "reassign")["key"] == form["key"]


async def test_r46_a_lead_sees_whose_certificate_ended_or_ends_soon(
    lead: AtDesk, doors: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def shown(person: str) -> str:
        page = (await lead.get("/board")).text
        (found,) = re.findall(rf"engineer={person}\">.*?</th>", page, re.DOTALL)
        return " ".join(re.sub("<[^>]+>", " ", found).split())

    assert "ATM 上岗证 已于 2025-12-31 到期" in await shown("ou.zixuan")
    assert "上岗证" not in await shown("huang.minyi")
    month_before = datetime(2030, 6, 1, tzinfo=UTC)
    monkeypatch.setattr(Doors, "now", lambda _: month_before)
    board = await lead_pages._staff(doors, None)
    (hers,) = [each for each in board.colleagues if each.member.id == "huang.minyi"]
    assert [(each.product_line, f"{each.last}") for each in hers.ending] == [
        ("SECURITY", "2030-06-30")
    ]
