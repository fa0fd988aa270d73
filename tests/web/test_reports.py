"""The reports at the doors (R27): the same figures as data, on pages, in spreadsheets, on paper."""

from __future__ import annotations

import re
from dataclasses import replace
from io import BytesIO

import httpx2
import openpyxl
import pytest

from domain.reports.counted import Counted
from domain.reports.definitions import REPORTS
from domain.reports.editions import Change, Edition
from domain.reports.periods import Cadence, Period
from domain.vocabulary import Role
from store import door_log
from store.reports import editions
from tests.support.counted_reports import AT, made
from tests.support.running_desk import RunningDesk
from tests.support.staff_at_pages import sign_in
from tests.web.conftest import MakeToken
from tests.web.test_clerk_pages import from_shanghai, repaired
from web.context import Doors

OFFICE = (Role.GM_OFFICE, "tian.hui")
NAME, PHONE, WORDS = "钱报表", "+86 137 0000 0027", "师傅很好，就是慢了些"


@pytest.fixture
def week(doors: Doors) -> str:
    return Period.around(Cadence.WEEK, doors.now().astimezone(doors.settings.zone).date()).name


async def test_r27_a_report_has_the_same_figures_in_every_form_and_names_no_customer(
    http: httpx2.AsyncClient,
    doors: Doors,
    token: MakeToken,
    running_desk: RunningDesk,
    week: str,
) -> None:
    number = await repaired(doors, {"name": NAME, "phone": PHONE})
    said = {"reached": True, "running": True, "satisfied": True, "words": WORDS}
    clerk, office = await token(Role.CLERK), await token(Role.GM_OFFICE)
    called = await http.post(f"/issues/{number}/record_callback", json=said, headers=clerk)
    assert called.status_code == 200, called.text
    at = f"/reports/callbacks/{week}"

    told = (await http.get(at, headers=office)).json()
    whole = told["counted"]["sections"][0]
    made = whole["rows"][-1]["values"]["called"]["value"]
    assert made >= 1
    assert number in {each["issue"] for each in whole["words"]}
    assert told["counted"]["over"] is False
    behind = (await http.get(f"{at}/all/called", headers=office)).json()
    assert behind["facts"] == made
    assert number in {each["number"] for each in behind["issues"]}
    named = {each["figure"]: each for each in told["figures"]}
    assert named["called"]["rule"]["zh"].startswith("期内")

    manager = await sign_in(doors, http, *OFFICE)
    page = (await manager.get(at)).text
    for shown in ("回访核实报告", "本期尚未结束", WORDS, f'href="/find/{number}"', 'role="img"'):
        assert shown in page, shown
    assert _figure(page, "called") == f"{made:,}"
    opened = (await manager.get(f"{at}/all/called")).text
    assert f'href="/find/{number}"' in opened
    assert NAME not in opened
    english = (await replace(manager, english=True).get(at)).text
    assert "Callback verification" in english
    assert "not over yet" in english
    assert NAME not in page + english
    assert PHONE[-4:] not in re.sub(r"<[^>]*>", "", page + english)

    book = openpyxl.load_workbook(BytesIO((await http.get(f"{at}.xlsx", headers=office)).content))
    lines = {row[0].value: row[1].value for row in book.worksheets[0].iter_rows(5)}
    assert lines["Calls made" if "Calls made" in lines else "回访电话"] == made
    paper = await http.get(f"{at}.pdf", headers=office)
    assert paper.content.startswith(b"%PDF-")
    assert paper.headers["content-disposition"].startswith(
        f'attachment; filename="callbacks-{week}.pdf"'
    )
    seen = await door_log.entries(running_desk.pool, number=number)
    assert ("tian.hui", "read_reports", "seen") in {(e.person, e.what, e.outcome) for e in seen}

    without = (await http.get(at, headers=await token(Role.AUDITOR))).json()
    assert not any(each["words"] for each in without["counted"]["sections"])


async def test_r27_the_list_leads_to_the_newest_periods_of_the_reports_one_reads(
    http: httpx2.AsyncClient, doors: Doors, week: str
) -> None:
    lead = await sign_in(doors, http, Role.LEAD, "zhou.jianguo")
    page = (await lead.get("/reports")).text
    assert f'href="/reports/effectiveness/{week}"' in page
    assert 'aria-current="page">报表<' in page
    assert (await lead.get(f"/reports/effectiveness/{week}")).status_code == 200


async def test_r27_what_was_issued_is_shown_as_it_was_and_now_only_when_asked(
    http: httpx2.AsyncClient, doors: Doors, token: MakeToken, running_desk: RunningDesk
) -> None:
    report = REPORTS["telephone"]
    first, second = made(report, seed=3), made(report, seed=4)
    period = {"period": "2026-10"}
    async with running_desk.pool.acquire() as connection:
        for number, counted in enumerate((first, second), start=1):
            edition = Edition(
                report=report.name,
                edition=number,
                counted=counted.model_copy(update=period),
                departments={"technical_service": first.model_copy(update=period)},
                changes=(_changed(first, second),) if number == 2 else (),
                reason="通话记录补交" if number == 2 else None,
                issued_at=AT,
                **period,
            )
            await editions.add(connection, edition)
    office, lead = await token(Role.GM_OFFICE), await token(Role.LEAD)
    at = "/reports/telephone/2026-10"
    for query, number, counted in (("", 2, second), ("?edition=1", 1, first)):
        told = (await http.get(f"{at}{query}", headers=office)).json()
        assert told["edition"] == number
        assert told["counted"]["sections"][0] == counted.sections[0].model_dump(mode="json")
    theirs = (await http.get(at, headers=lead)).json()
    assert theirs["counted"]["sections"][0] == first.sections[0].model_dump(mode="json")
    now = (await http.get(f"{at}?edition=0", headers=office)).json()
    assert now["edition"] is None
    missing = await http.get(f"{at}?edition=9", headers=office)
    assert (missing.status_code, "there are: 2, 1" in missing.text) == (404, True)

    of_others = f"{at}?department=software_development"
    missing = await http.get(f"{of_others}&edition=1", headers=office)
    assert (missing.status_code, "there are: none" in missing.text) == (404, True)
    assert (await http.get(of_others, headers=office)).json()["edition"] is None, "it has no part"

    manager = await sign_in(doors, http, *OFFICE)
    assert "第 2 版" not in (await manager.get(of_others)).text
    page = (await manager.get(at)).text
    for shown in (
        "第 2 版",
        "通话记录补交",
        "与上一版不同之处",
        f'href="{at}?edition=1"',
        "edition=0",
    ):
        assert shown in page, shown
    page = (await (await sign_in(doors, http, Role.LEAD, "zhou.jianguo")).get(at)).text
    assert "与上一版不同之处" not in page, "that is of all departments"


def _changed(before: Counted, after: Counted) -> Change:
    return Change(
        section="all",
        of=None,
        zh="合计",
        en="All",
        figure="calls",
        before=before.value("all", "calls"),
        after=after.value("all", "calls"),
    )


async def test_r30_what_an_issue_behind_a_figure_is_about_is_told_to_whoever_sees_it(
    http: httpx2.AsyncClient, doors: Doors, token: MakeToken, week: str
) -> None:
    """The hotline's lead reads what calls came in; what they were about, others have by now."""
    customer = {"name": NAME, "phone": PHONE}
    called = from_shanghai(customer, channel="telephone", agent="07", title="出钞口卡住")
    number = (await doors.desk.open(called)).number
    at = f"/reports/telephone/{week}/all/calls"
    for role, person, sees in ((*OFFICE, True), (Role.LEAD, "tan.rui", False)):
        told = (await http.get(at, headers=await token(role, person))).json()["issues"]
        (found,) = (each for each in told if each["number"] == number)
        assert (found["title"], found["kind"]) == (
            ("出钞口卡住", "fault") if sees else (None, None)
        )
        page = (await (await sign_in(doors, http, role, person)).get(at)).text
        assert number in page
        assert (f'href="/find/{number}"' in page, "出钞口卡住" in page) == (sees, sees)


async def test_r27_what_cannot_be_reported_is_refused_and_said_why(
    http: httpx2.AsyncClient, token: MakeToken
) -> None:
    office, lead = await token(Role.GM_OFFICE), await token(Role.LEAD)
    for path, headers, status, said in (
        ("/reports/nothing/2026-W47", office, 404, "callbacks"),
        ("/reports/callbacks/2026-W60", office, 422, "period: "),
        ("/reports/callbacks/whenever", office, 422, "write 2026-W47"),
        ("/reports/callbacks/2026-W47?department=nowhere", office, 422, "department: "),
        ("/reports/callbacks/2026-W47?department=software_development", lead, 403, "department"),
        ("/reports/callbacks/2026-W47/all/nothing", office, 422, "it has: callbacks_due"),
        ("/reports/callbacks/2026-W47/nothing/called", office, 422, "it has: all"),
        ("/reports/callbacks/2026-W47.pdf?department=nowhere", office, 422, "department: "),
        ("/reports/callbacks/2026-W47/all/called?department=nowhere", office, 422, "department: "),
        ("/reports/pay/2026-W47/people/closed", office, 422, "pay is made for: month"),
        ("/reports/callbacks/2026-W47/engineers/called?of=%00", office, 422, "of: "),
        ("/reports/callbacks/2026-W47/all/called?after=%00", office, 422, "after: "),
    ):
        answer = await http.get(path, headers=headers)
        assert (answer.status_code, said in answer.json()["detail"]) == (status, True), answer.text
    far = await http.get("/reports/callbacks/2019-W01", headers=office)
    values = far.json()["counted"]["sections"][0]["rows"][-1]["values"]
    assert {each["value"] for each in values.values()} == {None}, "no data is no figure"


async def test_whoever_reads_all_chooses_a_department_with_people_and_goes_back_to_all(
    http: httpx2.AsyncClient, doors: Doors, week: str
) -> None:
    manager = await sign_in(doors, http, *OFFICE)
    at = f"/reports/telephone/{week}?department="
    hotline = (await manager.get(f"{at}customer_service")).text
    assert '<option value="customer_service" selected>' in hotline
    everything = await manager.get(at)
    assert everything.status_code == 200, "a form sends nothing for all departments"
    assert "全部部门</span></h1>" in everything.text


async def test_whoever_asks_for_a_page_and_is_not_signed_in_is_sent_to_sign_in_and_back(
    http: httpx2.AsyncClient,
) -> None:
    at = "/reports/callbacks/2026-W47"
    page = await http.get(at, headers={"Accept": "text/html"})
    assert (page.status_code, page.headers["location"]) == (303, f"/login?next={at}")
    assert (await http.get(at)).status_code == 401


def _figure(page: str, key: str) -> str:
    found = re.search(rf'/all/{key}"[^>]*>([^<]*)</a>', page)
    assert found, key
    return found[1]
