"""What all pages share: language, header, times, problems told to people, and forms of fields."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import httpx2
import pytest
from starlette.datastructures import FormData, UploadFile

from domain.errors import Refused
from domain.issue.actions import PUBLIC_ACTIONS, Accept, ActionName, Consult, Quote, Resolve
from domain.links import Purpose
from domain.vocabulary import Actor, Role
from tests.support.staff_at_pages import sign_in
from web.context import Doors
from web.forms import actions, intake
from web.forms.actions import of_action
from web.forms.form import Filled, InvalidForm
from web.rendering import HERE, Language, remaining, rooms

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
BY = Actor(id="liang.jiahao", role=Role.ENGINEER)
ASKED = [each for each in ActionName if each in PUBLIC_ACTIONS and each is not ActionName.REPLAN]


def written(action: ActionName, **said: str | list[str]) -> Filled:
    pairs: list[tuple[str, str | UploadFile]] = [
        (name, each)
        for name, value in said.items()
        for each in ([value] if isinstance(value, str) else value)
    ]
    return of_action(action).filled(FormData(pairs))


# All pages ----------------------------------------------------------------------------------------


async def test_a_page_is_chinese_unless_the_browser_wants_english_rather(
    doors: Doors, http: httpx2.AsyncClient
) -> None:
    engineer = await sign_in(doors, http, Role.ENGINEER, "liang.jiahao")
    assert "我的问题" in (await engineer.get("/my")).text
    for accepts, lang in (("", "zh-CN"), ("en;q=0.5, zh", "zh-CN"), ("en-GB, zh;q=0.5", "en")):
        page = await http.get("/my", headers={"Accept-Language": accepts, "Accept": "text/html"})
        assert f'<html lang="{lang}">' in page.text
    assert "My issues" in page.text
    # Names, and what customers wrote, are as they are.
    ours = re.sub(r'<ul.*?</ul>|<span class="person.*', "", page.text, flags=re.DOTALL)
    assert not re.search(r"[\u4e00-\u9fff]", ours)


async def test_the_header_says_who_one_is_and_how_to_leave(
    doors: Doors, http: httpx2.AsyncClient
) -> None:
    engineer = await sign_in(doors, http, Role.ENGINEER, "liang.jiahao")
    page = (await engineer.get("/my")).text
    header = page[page.index("<header>") : page.index("</header>")]
    for said in (
        "· 技术支持工程师",
        'href="/my" aria-current="page"',
        'action="/logout"',
        'name="csrf"',
    ):
        assert said in header
    assert "/calls" not in header


def test_everybody_is_led_to_the_pages_of_their_role() -> None:
    paths = {role: [path for path, _ in rooms(role)] for role in Role}
    assert paths[Role.ENGINEER] == ["/my"]
    assert paths[Role.AGENT] == ["/intake", "/queue", "/evaluations", "/calls"]
    assert paths[Role.CLERK] == ["/evaluations", "/calls"]
    of_supervisors = ["/board", "/approvals", "/my", "/reading", "/evaluations", "/reports"]
    assert paths[Role.LEAD] == paths[Role.GM_OFFICE] == of_supervisors
    assert paths[Role.AUDITOR] == ["/reports"]
    assert paths[Role.INTAKE] == []


async def test_a_person_reads_a_page_where_a_program_gets_problem_details(
    doors: Doors, http: httpx2.AsyncClient
) -> None:
    clerk = await sign_in(doors, http, Role.CLERK, "fan.meiling")
    page = await clerk.get("/my")
    assert (page.status_code, page.headers["content-type"]) == (403, "text/html; charset=utf-8")
    assert "这不在您的权限之内" in page.text
    told = await http.get("/my", headers={"Accept": "*/*"})
    assert (told.status_code, told.json()["status"]) == (403, 403)
    asked = await clerk.get("/issues/CTS2000-0000")
    assert asked.headers["content-type"] == "application/problem+json"
    nowhere = await clerk.get("/nowhere")
    assert (nowhere.status_code, "没有这个页面" in nowhere.text) == (404, True)


def test_no_page_has_script_or_style_of_its_own_which_browsers_are_told_to_refuse() -> None:
    for template in (HERE / "templates").iterdir():
        text = template.read_text()
        assert not re.search(r"<style|\sstyle=|\son\w+=|hx-on|<script(?! src=)", text), template


@pytest.mark.parametrize(
    ("ahead", "zh", "en"),
    [
        (timedelta(seconds=65), "还剩 1 分 05 秒", "1 min 05 s left"),
        (timedelta(hours=2, minutes=5), "还剩 2 小时 05 分", "2 h 05 min left"),
        (timedelta(days=3, hours=1), "还剩 3 天 1 小时", "3 d 1 h left"),
        (-timedelta(hours=1), "已逾期 1 小时 00 分", "overdue by 1 h 00 min"),
    ],
)
def test_what_is_left_is_said_before_any_script_runs(ahead: timedelta, zh: str, en: str) -> None:
    languages: tuple[Language, ...] = ("zh", "en")
    assert [remaining(NOW + ahead, NOW, lang) for lang in languages] == [zh, en]


# Forms of fields ----------------------------------------------------------------------------------


@pytest.mark.parametrize("action", ASKED)
def test_every_field_of_every_action_can_be_put_in(action: ActionName) -> None:
    asked = {each.name for each in of_action(action).fields}
    known = {"by", "call", "person", "known", "of", "proposal"}
    emptied = {"remove"}  # what stood in a field that comes back empty
    assert asked == PUBLIC_ACTIONS[action].model_fields.keys() - known - emptied


def test_each_field_has_the_input_that_fits_it() -> None:
    kinds = {
        (action, each.name): each.kind for action in ASKED for each in of_action(action).fields
    }
    assert kinds[ActionName.RESOLVE, "result"] == "text"
    assert kinds[ActionName.RESOLVE, "known_solution"] == "box"
    assert kinds[ActionName.TRANSFER, "to"] == "line"
    assert kinds[ActionName.ACCEPT, "expected_at"] == "instant"
    assert kinds[ActionName.QUOTE, "amount"] == "number"
    assert kinds[ActionName.VERIFY, "verdict"] == "choice"
    assert kinds[ActionName.RECORD_CALLBACK, "satisfied"] == "yes_no"
    assert kinds[ActionName.CONSULT, "experts"] == "several"


def test_what_can_be_chosen_is_offered_by_name() -> None:
    offered = of_action(ActionName.TRANSFER).offering({"to": [("software", "软件部")]})
    to = next(each for each in offered if each.name == "to")
    assert (to.kind, to.options) == ("choice", (("software", ("软件部", "软件部")),))


def test_a_form_becomes_its_action_and_times_are_of_the_zone() -> None:
    filled = written(ActionName.ACCEPT, expected_at="2026-11-24T09:00")
    said = of_action(ActionName.ACCEPT).read(filled, "Asia/Shanghai", by=BY)
    assert said == Accept(by=BY, expected_at=datetime(2026, 11, 24, 1, tzinfo=UTC))
    filled = written(ActionName.RESOLVE, result=" 修好了 ", known_solution="yes", by="boss", at="")
    said = of_action(ActionName.RESOLVE).read(filled, "Asia/Shanghai", by=BY)
    assert said == Resolve(by=BY, result="修好了", known_solution=True)
    filled = written(ActionName.CONSULT, question="为何", experts=["a", "b"], advice="")
    said = of_action(ActionName.CONSULT).read(filled, "Asia/Shanghai", by=BY)
    assert said == Consult(by=BY, question="为何", experts=("a", "b"))
    filled = written(ActionName.QUOTE, work="换屏", amount="12800.50")
    assert of_action(ActionName.QUOTE).read(filled, "UTC", by=BY) == Quote(
        by=BY, work="换屏", amount="12800.50"
    )


@pytest.mark.parametrize(
    ("action", "said", "fields_wrong"),
    [
        (ActionName.RESOLVE, {"result": "  "}, {"result"}),
        (ActionName.ACCEPT, {"expected_at": "明天"}, {"expected_at"}),
        (ActionName.REPORT_PROGRESS, {"note": "", "at": "gestern"}, {"note", "at"}),
        (ActionName.QUOTE, {"work": "换屏", "amount": "很多"}, {"amount"}),
        (ActionName.QUOTE, {"work": "换屏", "amount": "-1"}, {"amount"}),
        (ActionName.CONSULT, {}, {"question"}),
        (ActionName.CONFIRM, {"agreed": "perhaps"}, {"agreed"}),
        (ActionName.APPROVE, {"approved": "no"}, {"reason"}),
        (ActionName.VERIFY, {"verdict": "?", "findings": "x"}, {"verdict"}),
    ],
)
def test_what_is_wrong_is_said_by_field(
    action: ActionName, said: dict[str, str], fields_wrong: set[str]
) -> None:
    with pytest.raises(InvalidForm) as wrong:
        of_action(action).read(written(action, **said), "Asia/Shanghai", by=BY)
    assert set(wrong.value.reasons) == fields_wrong


def test_what_the_desk_refuses_stands_at_its_field() -> None:
    form = of_action(ActionName.TRANSFER)
    refused = form.refused(Refused("Invalid", "to: no department x; known: a, b"))
    assert refused["to"][1] == "no department x; known: a, b"
    assert set(form.refused(Refused("Invalid", "nothing of that"))) == {"form"}
    assert "closed" in form.refused(Refused("NotAllowed", "it is closed"))["form"][0]


def test_a_form_keeps_the_key_it_was_made_with_and_takes_no_other() -> None:
    key = "0123456789abcdef" * 2
    assert written(ActionName.ACCEPT, key=key).key == key
    assert written(ActionName.ACCEPT, key="x' OR 1").key != "x' OR 1"
    assert Filled().key != Filled().key


def intake_form(**said: str) -> Filled:
    usual = {
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
        "reference": "0123456789abcdef" * 2,
    }
    return intake.FORM.filled(FormData(list((usual | said).items())))


def test_a_model_with_parts_is_one_form() -> None:
    filled = intake_form(existing="on", occurred_at="2026-11-23T15:00", organisation=" ")
    found = intake.intake(filled, "07", NOW, ZoneInfo("Asia/Shanghai"))
    assert (found.customer.name, found.customer.organisation) == ("钱多", None)
    assert (found.customer.existing, found.answering) == (True, False)
    assert found.reference == filled.key == "0123456789abcdef" * 2
    assert found.occurred_at == datetime(2026, 11, 23, 7, tzinfo=UTC)
    assert found.reported_at == NOW
    marked = intake.intake(intake_form(case="C-0001"), "07", NOW, ZoneInfo("UTC"))
    assert (marked.answering, marked.customer.existing) == (True, False)


@pytest.mark.parametrize(
    ("said", "wrong"),
    [
        ({"phone": "", "title": " "}, {"phone", "title"}),
        ({"email": "at home", "occurred_at": "gestern"}, {"email", "occurred_at"}),
        ({"kind": "?", "region": "two/words"}, {"kind", "region"}),
    ],
)
def test_what_is_wrong_with_a_part_stands_beside_its_input(
    said: dict[str, str], wrong: set[str]
) -> None:
    with pytest.raises(InvalidForm) as error:
        intake.intake(intake_form(**said), "07", NOW, ZoneInfo("UTC"))
    assert set(error.value.reasons) == wrong
    assert all(chinese != english for chinese, english in error.value.reasons.values())


@pytest.mark.parametrize("purpose", actions.ASKED)
def test_a_link_asks_for_less_than_the_page_and_in_the_order_of_the_action(
    purpose: Purpose,
) -> None:
    form = actions.of_link(purpose)
    assert form is not None
    assert {each.name for each in form.fields} == set(actions.ASKED[purpose])
    assert not form.filled(FormData([("at", "2026-11-23T09:00"), ("by", "boss")]))["at"]


def test_a_link_that_only_shows_has_no_form() -> None:
    assert actions.of_link(Purpose.PROGRESS) is None
