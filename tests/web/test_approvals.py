"""What managers decide on the running desk: prices and ratings, one or several at once, at the page
and by the link of a message; and what experts answer.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import httpx2
import pytest

from domain.issue.actions import Act, ActionName
from domain.issue.view import IssueView
from domain.links import Link, Purpose, mark_of
from domain.vocabulary import Actor, Outcome, Role, Stage
from runtime.signing import Links
from starter.client import Desk, Unavailable
from tests.support.staff_at_pages import AtDesk, hidden, pool_of, sign_in
from tests.web.conftest import BASE, PEOPLE
from tests.web.test_link_pages import CLERK, ENGLISH, Sent, opened
from web.app import build
from web.context import Doors

MANAGER = Actor(id=PEOPLE[Role.MANAGER], role=Role.MANAGER)


@pytest.fixture
async def manager(doors: Doors, http: httpx2.AsyncClient) -> AtDesk:
    return await sign_in(doors, http, Role.MANAGER, PEOPLE[Role.MANAGER])


async def quoted(doors: Doors, **changes: Any) -> Sent:
    """A paid service with its price, above the limit of the policy."""
    sent = await opened(doors, kind="paid_service", **changes)
    engineer = await sent.engineer()
    await sent.act(ActionName.ACCEPT, engineer)
    await sent.act(ActionName.SURVEY, engineer, findings="要换整扇门")
    await sent.act(ActionName.QUOTE, engineer, work="换一扇库门", amount="31200.50")
    return sent


async def approving(doors: Doors, **changes: Any) -> Sent:
    sent = await quoted(doors, **changes)
    await sent.act(ActionName.CONFIRM, CUSTOMER, agreed=True, words="尽快动工")
    assert (await sent.show()).stage is Stage.APPROVING
    return sent


async def repaired(doors: Doors) -> Sent:
    sent = await opened(doors)
    await sent.act(ActionName.RESOLVE, await sent.engineer(), result="读卡器已更换", cause="进水")
    said = {"reached": True, "running": True, "satisfied": True, "words": "好了"}
    await sent.act(ActionName.RECORD_CALLBACK, CLERK, **said)
    return sent


CUSTOMER = Actor(id="customer", role=Role.CUSTOMER)


def row_of(text: str, number: str) -> str:
    found = re.search(rf'<article [^>]*id="\w+-{number}".*?</article>', text, re.DOTALL)
    assert found, f"{number} is not on the page"
    return unescape(found[0])


async def form(somebody: AtDesk, *sents: Sent) -> dict[str, str]:
    """Return what the form carries unseen for these issues."""
    page = await somebody.get("/approvals")
    assert page.status_code == 200, page.text
    found = hidden(page.text)
    numbers = {each.number for each in sents}
    return {
        name: value
        for name, value in found.items()
        if name == "csrf" or name.rpartition(".")[2] in numbers
    }


# What is seen -------------------------------------------------------------------------------------


async def test_a_manager_sees_what_they_decide_by(doors: Doors, manager: AtDesk) -> None:
    sent = await approving(doors)
    page = await manager.get("/approvals")
    row = row_of(page.text, sent.number)
    engineer = (await sent.show()).engineer
    assert engineer
    for said in ("要换整扇门", "换一扇库门", "¥ 31,200.50", "超过审批限额", "尽快动工"):
        assert said in row
    assert row.count(engineer.name) >= 2, "who handles it, and who quoted the price"
    for private in (sent.customer["name"], sent.customer["organisation"]):
        assert private in row
    assert (sent.number, "seen") in {
        (e.number, e.outcome) for e in await manager.trail("see_customer")
    }


async def test_a_lead_sees_what_waits_and_decides_what_is_theirs(
    doors: Doors, http: httpx2.AsyncClient
) -> None:
    price, asked = await approving(doors), await quoted(doors)
    lead = await sign_in(doors, http, Role.LEAD, PEOPLE[Role.LEAD])
    page = await lead.get("/approvals")
    assert "approve:yes" not in page.text
    assert f"confirm:yes:{asked.number}" in row_of(page.text, asked.number)
    assert "¥ 31,200.50" in row_of(page.text, price.number)
    said = await form(lead, asked) | {"do": f"confirm:no:{asked.number}"}
    said[f"words.confirm.{asked.number}"] = "电话里说太贵"
    answer = await lead.post("/approvals", said)
    assert answer.status_code == 200
    assert (await asked.show()).stage in {Stage.RESOLVED, Stage.CLOSED}
    (step,) = await asked.steps(ActionName.CONFIRM)
    assert (step["actor"], step["content"]["words"]) == (lead.person, "电话里说太贵")
    refused = await lead.post("/approvals", said | {"do": f"approve:yes:{price.number}"})
    assert (refused.status_code, (await price.show()).stage) == (403, Stage.APPROVING)


async def test_whoever_would_record_a_yes_is_told_that_words_wait_to_be_read(
    doors: Doors, http: httpx2.AsyncClient
) -> None:
    asked, silent = await quoted(doors), await quoted(doors)
    await asked.act(ActionName.CUSTOMER_WROTE, CUSTOMER, words="含不含旧门的拆运？")
    lead = await sign_in(doors, http, Role.LEAD, PEOPLE[Role.LEAD])
    page = (await lead.get("/approvals")).text
    assert f'href="/board/{asked.number}#asked"' in row_of(page, asked.number)
    assert "#asked" not in row_of(page, silent.number)


# What its customer wrote about a quotation --------------------------------------------------------

SEEN_TO = {
    "客户同意报价": ("confirm", {"agreed": "yes"}, Stage.APPROVING),
    "客户不要了": ("confirm", {"agreed": "no"}, Stage.RESOLVED),
    "另有所问，已回复，等客户决定": ("resume", {"note": ""}, Stage.CONFIRMING),
}


@pytest.mark.parametrize("click", SEEN_TO)
@pytest.mark.parametrize(("role", "room"), [(Role.AGENT, "/intake"), (Role.LEAD, "/board")])
async def test_what_was_written_about_a_quotation_is_seen_to_by_one_click_beside_the_words(
    doors: Doors, http: httpx2.AsyncClient, role: Role, room: str, click: str
) -> None:
    sent = await quoted(doors)
    reader, where = await sign_in(doors, http, role, PEOPLE[role]), f"{room}/{sent.number}"
    assert 'id="asked"' not in (await reader.get(where)).text
    await sent.act(ActionName.CUSTOMER_WROTE, CUSTOMER, words="含不含旧门的拆运？")
    page = (await reader.get(where)).text
    asked = page[page.index('id="asked"') :].partition("</section>")[0]
    assert page.index("含不含旧门的拆运？") < page.index('id="asked"')
    assert asked.index("客户对报价来信") < asked.index(click)
    action, said, stage = SEEN_TO[click]
    form = asked[: asked.index(click)].rpartition("<form")[2]
    assert hidden(form).items() >= said.items()
    done = await reader.post(f"{where}/{action}", hidden(form))
    assert (done.status_code, done.headers["location"]) == (303, where)
    seen = await sent.show()
    assert seen.stage in {stage, Stage.REPLIED if stage is Stage.RESOLVED else stage, Stage.CLOSED}
    assert not seen.unread
    assert 'id="asked"' not in (await reader.get(where)).text


async def test_its_handler_finds_it_among_what_is_theirs_with_yes_or_no_first(
    doors: Doors, http: httpx2.AsyncClient
) -> None:
    sent = await quoted(doors)
    by = await sent.engineer()
    engineer = await sign_in(doors, http, Role.ENGINEER, by.id)
    others = "等待客户或他人"
    mine = (await engineer.get("/my")).text
    assert mine.index(others) < mine.index(sent.number)
    await sent.act(ActionName.CUSTOMER_WROTE, CUSTOMER, words="含不含旧门的拆运？")
    mine = (await engineer.get("/my")).text
    assert mine.index(sent.number) < (mine + others).index(others)
    page = (await engineer.get(f"/my/{sent.number}")).text
    assert "含不含旧门的拆运？" in page
    assert page.index('id="confirm" open') < page.index('id="quote"') < page.index('id="resume"')


async def test_its_customer_reads_that_we_have_their_words_and_not_what_silence_would_mean(
    doors: Doors, http: httpx2.AsyncClient
) -> None:
    sent = await quoted(doors)
    link = await sent.link(Purpose.PROGRESS)
    assert "等您答复" in (await http.get(link)).text
    await sent.act(ActionName.CUSTOMER_WROTE, CUSTOMER, words="含不含旧门的拆运？")
    page = (await http.get(link)).text
    assert "我们收到了您写的话" in page
    assert "等您答复" not in page


async def test_whoever_decides_nothing_is_shown_nothing(
    doors: Doors, http: httpx2.AsyncClient
) -> None:
    engineer = await sign_in(doors, http, Role.ENGINEER, PEOPLE[Role.ENGINEER])
    assert (await engineer.get("/approvals")).status_code == 403
    assert "/approvals" not in (await engineer.get("/my")).text


@pytest.mark.parametrize("path", ["/my/", "/board/", "/intake/"])
async def test_price_and_findings_are_on_every_page_of_the_staff(
    doors: Doors, http: httpx2.AsyncClient, path: str
) -> None:
    sent = await approving(doors)
    engineer = await sent.engineer()
    who = {
        "/my/": (Role.ENGINEER, engineer.id),
        "/board/": (Role.MANAGER, PEOPLE[Role.MANAGER]),
        "/intake/": (Role.AGENT, PEOPLE[Role.AGENT]),
    }
    somebody = await sign_in(doors, http, *who[path])
    page = unescape((await somebody.get(f"{path}{sent.number}")).text)
    for said in ("要换整扇门", "换一扇库门", "¥ 31,200.50", "尽快动工"):
        assert said in page
    assert ("批准吗" in page) == (path == "/board/"), "the manager's page offers the approval"


async def test_a_clerk_reads_the_price_and_not_what_the_customer_said(
    doors: Doors, http: httpx2.AsyncClient
) -> None:
    sent = await approving(doors)
    clerk = await sign_in(doors, http, Role.CLERK, PEOPLE[Role.CLERK])
    page = (await clerk.get(f"/my/{sent.number}")).text
    assert "¥ 31,200.50" in page
    assert "尽快动工" not in page
    assert not any(private in page for private in sent.private)


# One tap, one or several --------------------------------------------------------------------------


async def test_one_tap_approves_and_the_same_tap_again_is_the_same(
    doors: Doors, manager: AtDesk
) -> None:
    sent = await approving(doors)
    said = await form(manager, sent) | {"do": f"approve:yes:{sent.number}"}
    answers = await asyncio.gather(*(manager.post("/approvals", said) for _ in range(3)))
    assert {answer.status_code for answer in answers} == {200}
    assert (await sent.show()).stage is Stage.IN_PROGRESS
    (step,) = await sent.steps(ActionName.APPROVE)
    assert (step["actor"], step["role"]) == (manager.person, "manager")
    assert all("已批准" in answer.text for answer in answers)


async def test_a_rejection_needs_a_reason_and_keeps_the_row_until_it_has_one(
    doors: Doors, manager: AtDesk
) -> None:
    sent = await approving(doors)
    said = await form(manager, sent) | {"do": f"approve:no:{sent.number}"}
    answer = await manager.post("/approvals", said)
    assert (answer.status_code, (await sent.show()).stage) == (422, Stage.APPROVING)
    assert 'role="alert"' in row_of(answer.text, sent.number)
    said[f"reason.approve.{sent.number}"] = "这个型号已停产"
    answer = await manager.post("/approvals", said)
    assert answer.status_code == 200, answer.text
    seen = await sent.show()
    assert seen.stage in {Stage.RESOLVED, Stage.CLOSED}
    (step,) = await sent.steps(ActionName.APPROVE)
    assert step["content"] == {"approved": False, "reason": "这个型号已停产"}


async def test_several_are_decided_at_once_each_under_its_own_key_and_failures_stop_no_others(
    doors: Doors, manager: AtDesk
) -> None:
    first, second, gone = [await approving(doors) for _ in range(3)]
    said: dict[str, Any] = await form(manager, first, second, gone)
    said[f"reason.approve.{gone.number}"] = "下个月再说"
    said |= {"do": "approve:yes", "pick.approve": [first.number, gone.number, second.number]}
    await gone.act(ActionName.APPROVE, MANAGER, approved=False, reason="太贵")
    answer = await manager.post("/approvals", said)
    assert answer.status_code == 200
    assert {(await each.show()).stage for each in (first, second)} == {Stage.IN_PROGRESS}
    keys = {(await each.steps(ActionName.APPROVE))[0]["key"] for each in (first, second)}
    assert len(keys) == 2
    (step,) = await gone.steps(ActionName.APPROVE)
    assert step["content"]["approved"] is False
    told = answer.text[answer.text.index('id="done"') : answer.text.index('class="approvals"')]
    assert told.count("已批准") == 2
    assert gone.number in told
    assert "下个月再说" in told, "what was written stays in sight"
    trail = [(e.number, e.outcome) for e in await manager.trail("approve")][:3]
    assert sorted(trail) == sorted(
        [(first.number, "done"), (second.number, "done"), (gone.number, "refused: NotAllowed")]
    )


async def test_nothing_marked_is_nothing_decided(doors: Doors, manager: AtDesk) -> None:
    sent = await approving(doors)
    said = await form(manager, sent)
    for do in ("approve:yes", ""):
        answer = await manager.post("/approvals", said | {"do": do})
        assert answer.status_code == 200
        assert ("请先勾选" in answer.text) == bool(do)
    assert (await manager.post("/approvals", said | {"do": "withdraw:yes"})).status_code == 422
    assert not await sent.steps(ActionName.APPROVE)


async def test_a_repair_is_rated_in_one_tap(doors: Doors, manager: AtDesk) -> None:
    sent = await repaired(doors)
    page = await manager.get("/approvals")
    assert "进水" in row_of(page.text, sent.number)
    said = await form(manager, sent) | {"do": f"rate_difficulty:4:{sent.number}"}
    said[f"note.rate_difficulty.{sent.number}"] = "没有手册"
    answer = await manager.post("/approvals", said)
    assert answer.status_code == 200, answer.text
    (step,) = await sent.steps(ActionName.RATE_DIFFICULTY)
    assert step["content"] == {"difficulty": 4, "note": "没有手册"}
    wrong = await manager.post("/approvals", said | {"do": f"rate_difficulty:9:{sent.number}"})
    assert wrong.status_code == 422


class _Away(Desk):
    """A desk that does what it is told and does not answer."""

    async def act(
        self, number: str, name: ActionName, act: Act, *, key: str | None = None
    ) -> IssueView:
        await super().act(number, name, act, key=key)
        raise Unavailable("the desk does not answer now")


async def test_what_was_not_answered_is_sent_again_and_decided_once(
    doors: Doors, manager: AtDesk
) -> None:
    sent = await approving(doors)
    said = await form(manager, sent) | {"do": f"approve:no:{sent.number}"}
    said[f"reason.approve.{sent.number}"] = "等预算"
    silent = replace(doors, desk=_Away(doors.desk.client, pool_of(doors)))
    transport = httpx2.ASGITransport(app=build(silent), client=("127.0.0.1", 5000))
    async with httpx2.AsyncClient(
        transport=transport, base_url=BASE, cookies=manager.http.cookies
    ) as http:
        away = await AtDesk(silent, http, manager.person).post("/approvals", said)
    assert away.status_code == 503
    assert "等预算" in away.text
    again = await manager.post("/approvals", said)
    assert (again.status_code, len(await sent.steps(ActionName.APPROVE))) == (200, 1)


async def test_a_page_from_before_a_reopening_decides_nothing(
    doors: Doors, manager: AtDesk
) -> None:
    sent = await approving(doors)
    said = await form(manager, sent) | {"do": f"approve:yes:{sent.number}"}
    said[f"round.approve.{sent.number}"] = "2"
    answer = await manager.post("/approvals", said)
    assert (answer.status_code, (await sent.show()).stage) == (409, Stage.APPROVING)


# By the link of a message -------------------------------------------------------------------------


@pytest.fixture
async def phone(doors: Doors) -> Any:
    """A telephone: no session, no token."""
    transport = httpx2.ASGITransport(app=build(doors), client=("203.0.113.9", 5000))
    async with httpx2.AsyncClient(transport=transport, base_url=BASE) as client:
        yield client


@pytest.mark.parametrize(
    ("answer", "stages"), [("yes", {"in_progress"}), ("no", {"resolved", "closed"})]
)
async def test_a_price_is_decided_by_the_link_of_the_message_once(
    doors: Doors, phone: httpx2.AsyncClient, answer: str, stages: set[str]
) -> None:
    sent = await approving(doors)
    link = await sent.link(Purpose.APPROVE)
    for _ in range(2):  # a mail scanner looks, and decides nothing
        page = await phone.get(link)
        assert page.status_code == 200
        assert "¥ 31,200.50" in page.text
        assert "要换整扇门" in page.text
        assert sent.customer["organisation"] in page.text
    assert not await sent.steps(ActionName.APPROVE)
    done = await phone.post(link, data={"approved": answer, "reason": "没有预算"})
    assert done.status_code == 200, done.text
    assert (await sent.show()).stage in stages
    (step,) = await sent.steps(ActionName.APPROVE)
    assert (step["actor"], step["role"]) == (MANAGER.id, "manager")
    assert (await phone.post(link, data={"approved": "yes"})).status_code == 410
    assert ("see_customer", "seen") in {(e.what, e.outcome) for e in await sent.trail()}


async def test_a_no_by_link_without_a_reason_says_so_and_uses_nothing_up(
    doors: Doors, phone: httpx2.AsyncClient
) -> None:
    sent = await approving(doors)
    link = await sent.link(Purpose.APPROVE)
    for headers, said in (({}, "请写明原因"), (ENGLISH, "Say why it is rejected")):
        wrong = await phone.post(link, data={"approved": "no", "reason": " "}, headers=headers)
        assert wrong.status_code == 422
        assert said in wrong.text
    assert (await phone.post(link, data={"approved": "yes"})).status_code == 200


async def test_whoever_is_no_manager_any_more_decides_nothing_by_their_link(
    doors: Doors, phone: httpx2.AsyncClient
) -> None:
    sent = await approving(doors)
    link = sent.read(await sent.link(Purpose.APPROVE))
    for other in (PEOPLE[Role.ENGINEER], PEOPLE[Role.LEAD], "nobody.there"):
        path = Links(doors.signer, "").address(link.model_copy(update={"person": other}))
        for answer in (await phone.get(path), await phone.post(path, data={"approved": "yes"})):
            assert answer.status_code == 403
            assert not any(private in answer.text for private in sent.private - {""}) or (
                other == PEOPLE[Role.LEAD]
            )
    assert not await sent.steps(ActionName.APPROVE)


async def test_a_repair_is_rated_by_the_link_of_the_message(
    doors: Doors, phone: httpx2.AsyncClient
) -> None:
    sent = await repaired(doors)
    link = Link(
        number=sent.number,
        purpose=Purpose.RATE,
        person=MANAGER.id,
        generation=1,
        until=datetime.now(UTC) + timedelta(days=1),
        mark=mark_of((await sent.show()).id),
    )
    path = Links(doors.signer, "").address(link)
    page = await phone.get(path)
    assert page.text.count('name="difficulty"') == 5
    assert "读卡器已更换" in page.text
    assert (await phone.post(path, data={"difficulty": "6"})).status_code == 422
    done = await phone.post(path, data={"difficulty": "2", "note": "容易"})
    assert done.status_code == 200, done.text
    (step,) = await sent.steps(ActionName.RATE_DIFFICULTY)
    assert (step["actor"], step["content"]["difficulty"]) == (MANAGER.id, 2)
    assert (await sent.show()).outcome is Outcome.SOLVED


@pytest.mark.parametrize("expert", ["deng.wei", "gao.yuan"])
async def test_an_expert_answers_by_their_link_and_sees_no_customer(
    doors: Doors, phone: httpx2.AsyncClient, expert: str
) -> None:
    """One of the department, and one of another."""
    sent = await opened(doors)
    engineer = await sent.engineer()
    await sent.act(ActionName.ACCEPT, engineer)
    await sent.act(ActionName.CONSULT, engineer, question="主板要不要换？", experts=[expert])
    rows = await pool_of(doors).fetch(
        "SELECT o.body FROM outbox o JOIN issues i ON i.id = o.issue_id"
        " WHERE i.number = $1 AND o.recipient = $2",
        *(sent.number, expert),
    )
    (path,) = re.findall(r"/l/\S+", rows[0]["body"])
    page = await phone.get(path)
    assert page.status_code == 200
    assert "主板要不要换？" in page.text
    assert "SN-4711" in page.text
    assert not any(private in page.text for private in sent.private)
    empty = await phone.post(path, data={"advice": "  "})
    assert (empty.status_code, "请写下您的意见" in empty.text) == (422, True)
    done = await phone.post(path, data={"advice": "先量电压"})
    assert done.status_code == 200, done.text
    steps = await sent.steps(ActionName.CONSULT)
    assert (steps[-1]["actor"], steps[-1]["content"]["advice"]) == (expert, "先量电压")
    again = await phone.get(path)
    assert (again.status_code, "<form" in again.text) == (410, False)


# Remedies for complainants (R42) ------------------------------------------------------------------

PROPOSED = {"remedy": "money", "what": "退还两次上门费", "reason": "两次失约"}


async def proposed(doors: Doors, amount: str = "300.00") -> Sent:
    sent = await opened(doors, kind="complaint")
    engineer = await sent.engineer()
    await sent.act(ActionName.ACCEPT, engineer)
    await sent.act(ActionName.PROPOSE_REMEDY, engineer, **PROPOSED, amount=amount)
    return sent


async def test_r42_a_remedy_is_agreed_to_in_one_tap_and_the_page_of_before_decides_no_other(
    doors: Doors, manager: AtDesk
) -> None:
    sent = await proposed(doors)
    row = row_of((await manager.get("/approvals")).text, sent.number)
    for said in ("退还两次上门费", "¥ 300.00", "两次失约", "赔偿金"):
        assert said in row
    before = await form(manager, sent)
    no = {"do": f"decide_remedy:no:{sent.number}"}
    assert (await manager.post("/approvals", before | no)).status_code == 422
    no[f"reason.decide_remedy.{sent.number}"] = "请改为减免服务费"
    assert (await manager.post("/approvals", before | no)).status_code == 200
    engineer = await sent.engineer()
    await sent.act(ActionName.PROPOSE_REMEDY, engineer, **PROPOSED, amount="200.00")
    yes = {"do": f"decide_remedy:yes:{sent.number}"}
    assert (await manager.post("/approvals", before | yes)).status_code == 409
    agreed = await manager.post("/approvals", await form(manager, sent) | yes)
    assert agreed.status_code == 200, agreed.text
    steps = await sent.steps(ActionName.DECIDE_REMEDY)
    first, second = sorted(steps, key=lambda step: int(step["seq"]))
    assert (first["content"]["approved"], second["content"]["approved"]) == (False, True)
    assert second["content"]["amount"] == "200.00"
    board = (await manager.get(f"/board/{sent.number}")).text
    assert "待兑现" in board
    assert "record_remedy" in board


async def test_r42_a_remedy_waits_to_be_decided_though_the_policy_promises_nobody_when(
    doors: Doors, manager: AtDesk
) -> None:
    sent = await proposed(doors)
    await pool_of(doors).execute(
        "UPDATE promises p SET ended_at = made_at, outcome = 'withdrawn' FROM issues i"
        " WHERE i.id = p.issue_id AND i.number = $1 AND p.kind = 'remedy_approval'",
        sent.number,
    )
    row = row_of((await manager.get("/approvals")).text, sent.number)
    assert "退还两次上门费" in row
    assert "期限" not in row
    yes = {"do": f"decide_remedy:yes:{sent.number}"}
    assert (await manager.post("/approvals", await form(manager, sent) | yes)).status_code == 200
    assert f'id="remedy_approval-{sent.number}"' not in (await manager.get("/approvals")).text


async def test_r42_above_the_limit_a_manager_sees_that_the_gm_office_decides(
    doors: Doors, manager: AtDesk
) -> None:
    sent = await proposed(doors, amount="1000.01")
    row = row_of((await manager.get("/approvals")).text, sent.number)
    assert "由总经办审批" in row
    assert "decide_remedy:yes" not in row


async def test_r42_a_remedy_is_decided_by_the_link_of_the_message_once(
    doors: Doors, phone: httpx2.AsyncClient
) -> None:
    sent = await proposed(doors)
    link = await sent.link(Purpose.REMEDY)
    page = await phone.get(link)
    assert page.status_code == 200
    assert "退还两次上门费" in page.text
    wrong = await phone.post(link, data={"approved": "no", "reason": " "})
    assert wrong.status_code == 422
    assert "同事会读到" in wrong.text
    assert (await phone.post(link, data={"approved": "yes"})).status_code == 200
    await phone.post(link, data={"approved": "yes"})
    (step,) = await sent.steps(ActionName.DECIDE_REMEDY)
    assert (step["actor"], step["content"]["approved"]) == (MANAGER.id, True)
