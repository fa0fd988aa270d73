"""The hotline agent's pages on the running desk: who calls, what is known, what they are told."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import uuid4

import httpx2
import pytest

from domain.issue.actions import Act, ActionName, Answer, CustomerWrote, ReportTest
from domain.issue.intake import Intake
from domain.issue.view import IssueView
from domain.telephone import shown
from domain.terms import Category, Department, Kind
from domain.vocabulary import Actor, Behaviour, Named, Role, Stage
from starter.client import Desk, Opened, Unavailable
from store import rulebooks
from store.issue_list import Filter
from tests.store.test_cases import a_draft, approved, propose
from tests.support.builders import an_intake
from tests.support.staff_at_pages import AtDesk, addresses, hidden, pool_of, sign_in
from tests.web.conftest import BASE, PEOPLE
from web.app import build
from web.context import Doors


class Caller(NamedTuple):
    """A customer of this test's own."""

    name: str
    organisation: str
    phone: str

    @property
    def customer(self) -> dict[str, Any]:
        return self._asdict()


@pytest.fixture
def caller() -> Caller:
    own = uuid4()
    digits = f"{own.int % 10**8:08}"
    return Caller(
        f"客户{own.hex[:6]}", f"单位{own.hex[6:12]}", f"+86 139 {digits[:4]} {digits[4:]}"
    )


@pytest.fixture
async def agent(doors: Doors, http: httpx2.AsyncClient) -> AtDesk:
    return await sign_in(doors, http, Role.AGENT, "07")


async def reported(doors: Doors, caller: Caller, **changes: Any) -> IssueView:
    """Let a customer have reported something by another door."""
    usual = {
        "reference": uuid4().hex,
        "region": "上海",
        "agent": "12",
        "occurred_at": None,
        "reported_at": datetime.now(UTC),
        "customer": caller.customer,
    }
    return await doors.desk.open(an_intake(**(usual | changes)))


def a_form(caller: Caller, **changes: str) -> dict[str, str]:
    usual = {
        **caller.customer,
        "type": "enterprise",
        "existing": "on",
        "title": "出钞口卡钞",
        "description": "今天早上起",
        "product_line": "ATM",
        "region": "广东",
        "severity": "general",
        "kind": "fault",
        "category": "technical",
        "channel": "telephone",
    }
    return usual | changes


async def sent(agent: AtDesk, form: dict[str, str]) -> httpx2.Response:
    return await agent.post("/intake", await agent.hidden("/intake") | form)


# Found while typing -------------------------------------------------------------------------------


@pytest.mark.parametrize("field", ["phone", "organisation", "name"])
async def test_a_customer_is_found_while_any_of_their_data_is_typed(
    doors: Doors, agent: AtDesk, caller: Caller, field: str
) -> None:
    issue = await reported(doors, caller)
    form = await agent.hidden("/intake") | {field: caller.customer[field][-10:]}
    found = await agent.post("/intake/customers", form, htmx=True, typed=field)
    assert found.status_code == 200
    for said in (*caller, issue.number, "已派工", "SN-4711"):
        assert said in found.text
    assert "<html" not in found.text


async def test_the_field_that_is_being_typed_counts_before_the_others(
    doors: Doors, agent: AtDesk, caller: Caller
) -> None:
    await reported(doors, caller)
    other = Caller("另一位", f"别处{uuid4().hex[:6]}", "021 5550 0199")
    await reported(doors, other)
    form = await agent.hidden("/intake") | caller.customer | {"organisation": other.organisation}
    found = await agent.post("/intake/customers", form, htmx=True, typed="organisation")
    assert other.name in found.text
    assert caller.name not in found.text


async def test_every_look_is_recorded_before_it_is_shown_and_not_what_was_typed(
    doors: Doors, agent: AtDesk, caller: Caller
) -> None:
    issue = await reported(doors, caller)
    before = len(await agent.trail("find_customers"))
    form = await agent.hidden("/intake")
    await agent.post("/intake/customers", form | {"phone": caller.phone}, htmx=True)
    await agent.post("/intake/customers", form | {"name": f"没有{uuid4().hex}"}, htmx=True)
    looks = await agent.trail("find_customers")
    assert [(look.number, look.outcome) for look in looks[: len(looks) - before]] == [
        (None, "seen"),
        (issue.number, "seen"),
    ]
    everything = repr(await agent.trail())
    assert not [said for said in (*caller, caller.phone[-4:] + "'", "没有") if said in everything]


async def test_choosing_a_customer_fills_the_form_and_keeps_what_was_written(
    doors: Doors, agent: AtDesk, caller: Caller
) -> None:
    issue = await reported(doors, caller)
    form = await agent.hidden("/intake") | {"title": "屏幕不亮", "product_line": "KIOSK"}
    seen = len(await agent.trail("find_customers"))
    chosen = await agent.post("/intake/customer", form | {"choose": issue.number}, htmx=True)
    for field, said in {**caller.customer, "title": "屏幕不亮", "product_line": "KIOSK"}.items():
        assert value(chosen.text, field) == said
    assert value(chosen.text, "region") == "上海"
    assert value(chosen.text, "serial_number") == ""
    assert len(await agent.trail("find_customers")) == seen + 1


async def test_choosing_a_machine_fills_in_that_too(
    doors: Doors, agent: AtDesk, caller: Caller
) -> None:
    issue = await reported(doors, caller)
    form = await agent.hidden("/intake") | {"product_line": "KIOSK", "machine": issue.number}
    chosen = await agent.post("/intake/customer", form, htmx=True)
    assert value(chosen.text, "serial_number") == "SN-4711"
    assert value(chosen.text, "product_line") == "ATM"
    assert "已在处理" in chosen.text, "it is open on this machine already"
    assert f'href="/intake/{issue.number}"' in chosen.text


async def test_what_is_open_on_the_same_product_is_told_while_it_is_typed(
    doors: Doors, agent: AtDesk, caller: Caller
) -> None:
    issue = await reported(doors, caller)
    form = await agent.hidden("/intake") | {"chosen": issue.number}
    same = await agent.post("/intake/cases", form | {"product_line": "atm"}, htmx=True)
    assert "已在处理" in same.text
    assert issue.number in same.text
    other = await agent.post("/intake/cases", form | {"product_line": "KIOSK"}, htmx=True)
    assert "已在处理" not in other.text


async def test_known_solutions_are_found_while_typing_if_they_are_approved(
    doors: Doors, agent: AtDesk
) -> None:
    word = uuid4().hex[:8]
    (number,) = await approved(pool_of(doors), a_draft(f"错误 {word}", solution="重启两次"))
    await propose(pool_of(doors), a_draft(f"错误 {word}", solution="还没有审核"))
    form = await agent.hidden("/intake") | {"title": f"机器报 {word}", "case": number}
    found = await agent.post("/intake/cases", form, htmx=True)
    assert "重启两次" in found.text
    assert "还没有审核" not in found.text
    assert f'value="{number}" checked' in found.text


async def test_without_script_a_button_looks_up_both_and_keeps_what_was_typed(
    doors: Doors, agent: AtDesk, caller: Caller
) -> None:
    issue = await reported(doors, caller)
    form = await agent.hidden("/intake") | a_form(caller, title="三个 <b>字</b>")
    for path in ("/intake/customers", "/intake/cases"):
        page = await agent.post(path, form)
        assert page.status_code == 200
        assert "</html>" in page.text
        assert issue.number in page.text
        assert value(page.text, "title") == "三个 &lt;b&gt;字&lt;/b&gt;"
        assert value(page.text, "reference") == form["reference"]
    chosen = await agent.post("/intake/customer", form | {"choose": issue.number})
    assert value(chosen.text, "chosen") == issue.number
    assert "</html>" in chosen.text


# Registering --------------------------------------------------------------------------------------


async def test_an_issue_is_registered_and_the_agent_reads_what_to_tell(
    agent: AtDesk, caller: Caller
) -> None:
    urgent = a_form(caller, severity="major")  # due first: the page of a busy agent has it, too
    answer = await sent(agent, urgent)
    assert answer.status_code == 303, answer.text
    where = answer.headers["location"]
    number = where.removeprefix("/intake/")
    assert re.fullmatch(r"\d{8}-07-\d{4}", number)
    page = await agent.get(where)
    issue = await agent.doors.desk.show(number)
    assert issue.engineer
    for said in (number, issue.engineer.name, "我们与您联系，最迟", "给您结果，最迟"):
        assert said in page.text
    thread = page.text[page.text.index('id="thread"') :]
    assert "今天早上起" in thread, "all that was said"
    assert (issue.source, issue.title) == ("hotline", "出钞口卡钞")
    (done, *_) = await agent.trail("open")
    assert (done.number, done.outcome, done.via) == (number, "done", "session")
    assert number in (await agent.get("/intake")).text, "among my customers' open issues"


async def test_a_customer_is_written_to_in_the_language_that_the_form_says(
    agent: AtDesk, caller: Caller
) -> None:
    page = (await agent.get("/intake")).text
    assert re.search(r'<select name="language".*?<option value="">.*?value="en"', page, re.DOTALL)
    for language, stored in (("", None), ("en", "en")):
        form = await agent.hidden("/intake") | a_form(caller, language=language)
        answer = await agent.post("/intake", form)
        number = answer.headers["location"].removeprefix("/intake/")
        found = await pool_of(agent.doors).fetchval(
            "SELECT language FROM issues WHERE number = $1", number
        )
        assert found == stored


async def test_a_form_that_is_sent_twice_is_one_issue(agent: AtDesk, caller: Caller) -> None:
    form = await agent.hidden("/intake") | a_form(caller)
    first = await agent.post("/intake", form)
    second = await agent.post("/intake", form)
    assert (second.status_code, second.headers["location"]) == (303, first.headers["location"])
    assert await issues_of(agent, caller) == 1


async def issues_of(agent: AtDesk, caller: Caller) -> int:
    counted = "SELECT count(*) FROM issues WHERE customer_name = $1"
    return int(await pool_of(agent.doors).fetchval(counted, caller.name))


BACK = {"title": "又一台", "description": "键盘失灵", "kind": "complaint", "site": "二楼<b>"}
"""What is written instead once a browser went back to a form that was sent."""


async def test_a_form_that_is_sent_again_with_something_else_in_it_is_asked_about(
    agent: AtDesk, caller: Caller
) -> None:
    form = await agent.hidden("/intake") | a_form(caller)
    first = (await agent.post("/intake", form)).headers["location"].removeprefix("/intake/")
    asked = await agent.post("/intake", form | BACK)
    assert asked.status_code == 409, asked.text
    for said in (
        "这张表已登记为",
        first,
        "补充到该问题，或另行登记",
        "一句话、",
        "客户原话",
        "安装地点",
    ):
        assert said in asked.text
    assert value(asked.text, "title") == BACK["title"]
    assert value(asked.text, "site") == "二楼&lt;b&gt;"
    assert value(asked.text, "phone") == caller.phone
    assert await issues_of(agent, caller) == 1
    (refused, *_) = await agent.trail("open")
    assert (refused.number, refused.outcome) == (first, "refused: OtherContent")
    english = replace(agent, english=True)
    assert "register it as another" in (await english.post("/intake", form | BACK)).text


async def test_what_differs_may_be_registered_as_another_issue(
    agent: AtDesk, caller: Caller
) -> None:
    form = await agent.hidden("/intake") | a_form(caller)
    first = await agent.post("/intake", form)
    asked = await agent.post("/intake", form | BACK)
    again = form | BACK | hidden(asked.text[asked.text.index("<main") :])
    second = await agent.post("/intake", again)
    assert second.status_code == 303, second.text
    assert second.headers["location"] != first.headers["location"]
    assert (await agent.post("/intake", again)).headers["location"] == second.headers["location"]
    assert await issues_of(agent, caller) == 2


async def test_what_differs_may_be_added_to_the_first_issue_and_is_read_there(
    agent: AtDesk, caller: Caller
) -> None:
    form = await agent.hidden("/intake") | a_form(caller)
    first = (await agent.post("/intake", form)).headers["location"].removeprefix("/intake/")
    asked = await agent.post("/intake", form | BACK)
    again = form | BACK | hidden(asked.text[asked.text.index("<main") :])
    assert f'formaction="/intake/words/{first}"' in asked.text
    for _ in range(2):  # pressed twice it is added once
        added = await agent.post(f"/intake/words/{first}", again)
        assert (added.status_code, added.headers["location"]) == (303, f"/intake/{first}")
    page = (await agent.get(f"/intake/{first}")).text
    thread = page[page.index('id="thread"') :]
    assert thread.count("键盘失灵") == 1
    assert page.count("键盘失灵") == 2, "and above all else, until somebody acts on it"
    assert "补充说明" in page
    issue = await agent.doors.desk.show(first)
    (kept,) = await agent.doors.desk.kept_words(issue.id)
    assert (kept.subject, kept.sender, kept.door) == ("又一台", "07", "page")
    for said in (
        "客户原话：键盘失灵",
        "类型：投诉",
        f"电话：{shown(caller.phone)}",
        "安装地点：二楼<b>",
    ):
        assert said in kept.body
    assert await issues_of(agent, caller) == 1
    (done, *_) = await agent.trail("add_words")
    assert (done.number, done.outcome) == (first, "done")


async def test_what_cannot_be_added_stays_in_the_form(agent: AtDesk, caller: Caller) -> None:
    issue = await reported(agent.doors, caller)
    form = await agent.hidden("/intake") | a_form(caller, title="") | {"first": issue.number}
    kept = await agent.post(f"/intake/words/{issue.number}", form)
    assert (kept.status_code, "今天早上起" in kept.text) == (422, True)
    assert f'formaction="/intake/words/{issue.number}"' in kept.text
    assert not await agent.doors.desk.kept_words(issue.id)
    unknown = await agent.post("/intake/words/20991231-07-0001", form | {"title": "卡钞"})
    assert unknown.status_code == 404


async def test_nothing_of_a_customer_is_in_any_address(
    doors: Doors, agent: AtDesk, caller: Caller
) -> None:
    issue = await reported(doors, caller)
    form = await agent.hidden("/intake") | a_form(caller)
    pages = [
        await agent.post("/intake/customers", form),
        await agent.post("/intake/customer", form | {"machine": issue.number}),
        await agent.post("/intake", form | {"title": ""}),
        await agent.post("/intake", form),
    ]
    written = [each for page in pages for each in addresses(page.text)]
    written += [str(page.headers.get("location", "")) for page in pages]
    assert len(written) > 30
    assert not [each for each in written for said in caller if said in each]
    assert {each for each in written if "?" in each} == set()


@pytest.mark.parametrize(
    ("field", "wrong", "chinese", "english"),
    [
        ("name", "", "请填写", "fill it in"),
        ("phone", "about five", "这里没有电话号码", "holds no telephone number"),
        ("phone", "", "请填写电话或电子邮件", "give a phone or an e-mail"),
        ("email", "at home", "不是电子邮件地址", "is no e-mail address"),
        ("title", " ", "请填写", "fill it in"),
        ("title", "长" * 201, "太长了", "shorten it"),
        ("product_line", "two words", "不含空格", "without spaces"),
        ("severity", "dire", "请从列表中选择", "choose one of the list"),
        ("region", "火星", "没有服务中心负责这个地区", "no service centre serves"),
        ("reported_at", "yesterday", "请写成", "write it like"),
        ("reported_at", "2000-01-01T09:00", "不能早于一年前", "days ago"),
        ("occurred_at", "2999-01-01T09:00", "不能晚于客户报告的时间", "more than a day"),
    ],
)
async def test_what_is_wrong_is_said_beside_its_field_and_all_is_kept(
    agent: AtDesk, caller: Caller, field: str, wrong: str, chinese: str, english: str
) -> None:
    form = await agent.hidden("/intake") | a_form(caller, model="ST-100") | {field: wrong}
    for browser, expected in ((agent, chinese), (replace(agent, english=True), english)):
        page = await browser.post("/intake", form)
        assert page.status_code == 422
        (reason,) = re.findall(rf'<span class="wrong" id="wrong-{field}">(.+?)</span>', page.text)
        assert expected in reason
        for name in ("name", "model", "title", "phone", "reference"):
            assert value(page.text, name) == form[name]


async def test_a_time_is_local_at_the_desk(agent: AtDesk, caller: Caller) -> None:
    zone = agent.doors.settings.zone
    at = datetime.now(zone).replace(second=0, microsecond=0, tzinfo=None)
    answer = await sent(agent, a_form(caller, occurred_at=f"{at:%Y-%m-%dT%H:%M}"))
    assert answer.status_code == 303, answer.text
    occurred = "SELECT occurred_at FROM issues WHERE customer_name = $1"
    found = await pool_of(agent.doors).fetchval(occurred, caller.name)
    assert found == at.replace(tzinfo=zone)


async def test_a_page_is_in_the_language_of_the_browser(agent: AtDesk) -> None:
    assert "登记问题" in (await agent.get("/intake")).text
    page = await replace(agent, english=True).get("/intake")
    assert "Register an issue" in page.text
    assert "登记" not in page.text


async def test_r37_pages_call_kinds_categories_and_departments_as_the_policy_does(
    caller: Caller, doors: Doors
) -> None:
    view = await reported(doors, caller)
    pool = pool_of(doors)
    # Doors that were opened now: others go by the names that they read some seconds ago.
    opened = replace(doors, desk=Desk(doors.desk.client, pool))
    transport = httpx2.ASGITransport(app=build(opened))
    async with pool.acquire() as connection, connection.transaction():
        book = await rulebooks.current(connection)
        assert book
        grievance = Kind(name=Named(zh="客诉", en="grievance"), behaves=Behaviour.COMPLAINT)
        idea = Kind(name=Named(zh="金点子", en="idea"), behaves=Behaviour.SUGGESTION)
        vaults = Category(name=Named(zh="金库", en="vaults"), department=view.department)
        jam = Kind(name=Named(zh="柜员机报修", en="jam"))
        technical = Department(name=Named(zh="金库部", en="vaults"))
        own = {
            "kinds": {**book.policy.kinds, view.kind: jam, "own": grievance, "suggestion": idea},
            "categories": {**book.policy.categories, "vaults": vaults},
            "departments": {**book.policy.departments, view.department: technical},
        }
        policy = book.policy.model_copy(update=own)
        await rulebooks.adopt(connection, book.with_policy(policy), by="test", note="")
    try:
        async with httpx2.AsyncClient(transport=transport, base_url=BASE) as http:
            agent = await sign_in(opened, http, Role.AGENT, "07")
            form = (await agent.get("/intake")).text
            page = (await agent.get(f"/intake/{view.number}")).text
            lead = await sign_in(opened, http, Role.GM_OFFICE, "tian.hui")
            board = (await lead.get(f"/board/{view.number}")).text
            boards = (await lead.get("/board")).text
    finally:
        async with pool.acquire() as connection, connection.transaction():
            await rulebooks.adopt(connection, book, by="test", note="")
    assert '<option value="own" data-behaves="complaint">客诉</option>' in form
    assert '<option value="vaults">金库</option>' in form
    assert ('value="suggestion"' in form, "金点子" in form) == (True, True)
    assert "柜员机报修" in page
    assert "柜员机报修" in board
    assert f'<option value="{view.department}">金库部</option>' in boards


# The desk is away ---------------------------------------------------------------------------------


class _Away(Desk):
    """A desk whose Temporal does not answer, or has taken the intake on without a number yet."""

    def __init__(self, doors: Doors, answer: Opened | None) -> None:
        super().__init__(doors.desk.client, pool_of(doors))
        self.answer = answer
        self.asked: list[Intake] = []

    async def register(self, intake: Intake, *_: Any) -> Opened:
        self.asked.append(intake)
        if self.answer is None:
            raise Unavailable("the desk does not answer now")
        return self.answer


@pytest.mark.parametrize(
    ("answer", "status", "said"),
    [(None, 503, "系统暂时没有回应"), (Opened(None, new=True), 202, "已接收")],
)
async def test_while_the_desk_has_no_number_the_form_is_kept_and_stays_one_issue(
    doors: Doors, caller: Caller, answer: Opened | None, status: int, said: str
) -> None:
    away = _Away(doors, answer)
    app = build(replace(doors, desk=away))
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url=BASE) as http:
        agent = await sign_in(doors, http, Role.AGENT, "07")
        form = await agent.hidden("/intake") | a_form(caller)
        page = await agent.post("/intake", form)
        await agent.post("/intake", form)
    assert page.status_code == status
    assert said in page.text
    for name, written in form.items():
        if name not in {"csrf", "existing", "type", "description"} | _CHOSEN:
            assert value(page.text, name) == written
    assert {each.reference for each in away.asked} == {form["reference"]}


_CHOSEN = {"severity", "kind", "category", "channel"}


# What the agent can do ----------------------------------------------------------------------------


async def test_a_known_solution_that_was_marked_becomes_the_answer(
    doors: Doors, agent: AtDesk, caller: Caller
) -> None:
    (case,) = await approved(pool_of(doors), a_draft(solution="长按复位键十秒"))
    answer = await sent(agent, a_form(caller, case=case))
    where, _, marked = answer.headers["location"].partition("?")
    assert marked == f"case={case}"
    page = await agent.get(answer.headers["location"])
    assert "长按复位键十秒" in page.text
    form = await agent.hidden(answer.headers["location"])
    said = form | {"solution": "长按复位键十秒", "case": case, "on_the_line": "on"}
    for _ in range(2):
        done = await agent.post(f"{where}/answer", said)
        assert (done.status_code, done.headers.get("location")) == (303, where)
    issue = await doors.desk.show(where.removeprefix("/intake/"))
    assert issue.first_contact
    assert [step.action for step in issue.steps].count(ActionName.ANSWER) == 1
    used = "SELECT used FROM known_cases WHERE number = $1"
    assert await pool_of(doors).fetchval(used, case) == 1


async def test_r43_what_is_answered_on_the_line_may_have_a_fault_code(
    agent: AtDesk, caller: Caller
) -> None:
    answer = await sent(agent, a_form(caller))
    page = (await agent.get(answer.headers["location"])).text
    begin = page.index('id="answer"')
    assert '<option value="A06">A06 通信中断</option>' in page[begin : page.index("</form>", begin)]


async def test_the_agent_writes_down_how_the_customers_test_went(
    doors: Doors, agent: AtDesk, caller: Caller
) -> None:
    where = (await sent(agent, a_form(caller, answering="on"))).headers["location"]
    form = await agent.hidden(where)
    assert "report_test" not in (await agent.get(where)).text, "there is nothing to try yet"
    said = {"solution": "重启", "on_the_line": "on", "test": "on"}
    await agent.post(f"{where}/answer", form | said)
    assert "请您告诉我们结果" in (await agent.get(where)).text
    nothing = await agent.post(f"{where}/report_test", form | {"words": "不知道", "key": ""})
    assert nothing.status_code == 422
    assert "不知道" in nothing.text
    tested = await agent.post(f"{where}/report_test", form | {"worked": "yes", "key": ""})
    assert tested.status_code == 303, tested.text
    issue = await doors.desk.show(where.removeprefix("/intake/"))
    assert (issue.stage, issue.outcome) == ("replied", None), "they are called all the same (R22)"
    theirs = [e for e in await agent.trail() if e.number == issue.number]
    looks = {e.what for e in theirs if e.outcome == "seen"}
    assert looks <= {"read_conversation", "see_customer"}
    assert [e.what for e in theirs if e.outcome != "seen"] == [
        *("report_test", "report_test", "answer", "open")
    ]


@pytest.mark.parametrize("action", ["escalate", "withdraw"])
async def test_what_needs_a_reason_is_not_done_without_one(
    agent: AtDesk, caller: Caller, action: str
) -> None:
    where = (await sent(agent, a_form(caller))).headers["location"]
    form = await agent.hidden(where)
    without = await agent.post(f"{where}/{action}", form)
    assert without.status_code == 422
    assert "请填写" in without.text
    done = await agent.post(f"{where}/{action}", form | {"reason": "客户着急"})
    assert (done.status_code, done.headers["location"]) == (303, where)
    (last,) = [step for step in (await _steps(agent, where)) if step == action]
    assert last == action


async def test_what_comes_too_late_is_refused_with_its_words_kept(
    agent: AtDesk, caller: Caller
) -> None:
    where = (await sent(agent, a_form(caller))).headers["location"]
    form = await agent.hidden(where)
    await agent.post(f"{where}/withdraw", form | {"reason": "好了"})
    late = await agent.post(f"{where}/withdraw", form | {"reason": "又好了", "key": ""})
    assert late.status_code == 409
    assert "没有做成" in late.text
    assert (await agent.trail("withdraw"))[0].outcome == "refused: NotAllowed"


async def _steps(agent: AtDesk, where: str) -> list[str]:
    issue = await agent.doors.desk.show(where.removeprefix("/intake/"))
    return [step.action.value for step in issue.steps]


# Who may ------------------------------------------------------------------------------------------


@pytest.fixture
async def unnumbered(doors: Doors) -> AsyncIterator[str]:
    """An agent whose id on the roster is no hotline number."""
    await pool_of(doors).execute(
        "INSERT INTO members (id, name, role, department, centre, shift, contacts)"
        " SELECT 'he.xiaotong', name, role, department, centre, shift, contacts"
        " FROM members WHERE id = '07'"
    )
    yield "he.xiaotong"
    await pool_of(doors).execute("DELETE FROM members WHERE id = 'he.xiaotong'")


async def test_an_agent_without_a_number_is_told_so_and_registers_nothing(
    doors: Doors, http: httpx2.AsyncClient, caller: Caller, unnumbered: str
) -> None:
    agent = await sign_in(doors, http, Role.AGENT, unnumbered)
    assert f"“{unnumbered}”不是热线工程师编号" in (await agent.get("/intake")).text
    refused = await sent(agent, a_form(caller))
    assert refused.status_code == 422
    assert 'id="wrong-agent"' in refused.text


@pytest.mark.parametrize("role", [Role.ENGINEER, Role.CLERK, Role.AUDITOR, Role.INTAKE])
async def test_who_is_calling_is_for_agents_alone(
    doors: Doors, http: httpx2.AsyncClient, role: Role
) -> None:
    other = await sign_in(doors, http, role, PEOPLE[role])
    assert (await other.get("/intake")).status_code == 403


async def test_a_form_of_another_site_is_refused(agent: AtDesk, caller: Caller) -> None:
    for path in ("/intake", "/intake/customers", "/intake/customer", "/intake/cases"):
        forged = await agent.post(path, a_form(caller), htmx=True)
        assert forged.status_code == 403


def value(text: str, name: str) -> str:
    """Return what is written in a field of a page, as HTML has it."""
    (field,) = re.findall(rf'<input[^>]*\bname="{name}"[^>]*>', text)
    written = re.search(r'\bvalue="([^"]*)"', field)
    assert written
    return written[1]


# What the customer wrote after the answer ---------------------------------------------------------


async def answered(doors: Doors, caller: Caller) -> IssueView:
    """An issue that has its answer, and whose customer wrote once more."""
    issue = await reported(doors, caller, kind="consultation", answering=True)
    agent = Actor(id="12", role=Role.AGENT)
    answer = Answer(by=agent, solution="按住复位键十秒")
    await doors.desk.act(issue.number, ActionName.ANSWER, answer)
    wrote = CustomerWrote(by=agent, words="还是不行")
    return await doors.desk.act(issue.number, ActionName.CUSTOMER_WROTE, wrote)


CLICKS = {
    "没有解决，重新处理": ("report_test", {"worked": "no"}),
    "已经解决": ("report_test", {"worked": "yes"}),
    "另有所问，照原样进行": ("resume", {"note": ""}),
}


@pytest.mark.parametrize("click", CLICKS)
async def test_the_agent_is_asked_first_of_all_whether_it_did_not_help_and_clicks_once(
    agent: AtDesk, doors: Doors, caller: Caller, click: str
) -> None:
    issue = await answered(doors, caller)
    where = f"/intake/{issue.number}"
    page = (await agent.get(where)).text
    asked = page[page.index('id="asked"') : page.index("告诉客户")]
    assert asked.index("是没有解决吗") < asked.index(click)
    action, said = CLICKS[click]
    form = asked[: asked.index(click)].rpartition("<form")[2]
    assert f'action="{where}/{action}"' in form
    assert hidden(form).items() >= said.items()
    done = await agent.post(f"{where}/{action}", hidden(form))
    assert (done.status_code, done.headers["location"]) == (303, where)
    view = await doors.desk.show(issue.number)
    assert view.reopen_count == (said.get("worked") == "no")
    assert 'id="asked"' not in (await agent.get(where)).text


async def test_what_is_closed_and_was_written_to_is_on_the_lists_of_whoever_replies(
    doors: Doors, http: httpx2.AsyncClient, caller: Caller
) -> None:
    issue = await reported(doors, caller, agent="07", kind="consultation", answering=True)
    by = Actor(id="07", role=Role.AGENT)
    listed = Filter(agent=by.id, or_written_to=True, limit=1000)
    done: Sequence[tuple[ActionName, Act]] = (
        (ActionName.ANSWER, Answer(by=by, solution="按住复位键十秒")),
        (ActionName.REPORT_TEST, ReportTest(by=by, worked=True)),
        (ActionName.CUSTOMER_WROTE, CustomerWrote(by=by, words="又不行了")),
    )
    for action, act in done:
        issue = await doors.desk.act(issue.number, action, act)
        wrote = action is ActionName.CUSTOMER_WROTE
        mine = {each.number for each in await doors.desk.issues(listed)}
        assert (issue.number in mine) == (wrote or issue.stage is not Stage.CLOSED), action
    assert issue.stage is Stage.CLOSED
    office = await sign_in(doors, http, Role.GM_OFFICE, PEOPLE[Role.GM_OFFICE])
    assert issue.number in (await office.get("/board?stage=closed")).text


async def test_who_takes_a_call_writes_down_what_the_customer_says(
    agent: AtDesk, doors: Doors, caller: Caller
) -> None:
    issue = await reported(doors, caller)
    where = f"/intake/{issue.number}"
    page = (await agent.get(where)).text
    assert 'id="asked"' not in page
    form = page[page.index('id="customer_wrote"') :].partition("</form>")[0]
    said = hidden(form) | {"words": "钥匙在保安处", "means": "done", "sender": "李经理"}
    for _ in range(2):
        done = await agent.post(f"{where}/customer_wrote", said)
        assert done.status_code == 303, done.text
    kept = "SELECT content, actor FROM issue_events WHERE issue_id = $1 AND action = $2"
    (row,) = await pool_of(doors).fetch(kept, issue.id, ActionName.CUSTOMER_WROTE)
    assert row["actor"] == "07"
    assert row["content"] == {
        "words": "钥匙在保安处",
        "means": "done",
        "sender": "李经理",
        "known": True,
    }
