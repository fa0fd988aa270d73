"""Words on their way, in a real browser: from whoever said them to everybody who needs them, and to
nobody else.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from playwright.async_api import Locator, Page, expect

from domain.issue.actions import ActionName
from domain.links import Purpose
from domain.vocabulary import Outcome, Role, Stage
from inbound.mail import LetterBox, LetterFate
from runtime import signing
from tests.support import hostile_files as files
from tests.support.letters import form, letter
from tests.support.people_at_browsers import House, choose, fits, send, speaks
from tests.support.running_desk import RunningDesk
from tests.web.browser.conftest import Device, Language, OpenPage, Show
from tests.web.browser.test_customer import engineer_does, registered

AGENT, LEAD = "07", "zhou.jianguo"
ON_PHONE_AND_DESK = pytest.mark.parametrize("device", ["phone", "desk"])
IN_BOTH = pytest.mark.parametrize("language", ["zh", "en"])
WAITING = {"reason": "主任不在，进不去", "ask": "请打开机房，并留一位同事在场"}


@pytest.fixture
def house(running_desk: RunningDesk) -> House:
    return House(running_desk)


def an_address() -> str:
    """An address of this test's own, for nobody may write too many letters."""
    return f"lin@{uuid4().hex[:8]}.example.com"


async def by_mail(house: House, number: str, sender: str, words: str) -> None:
    """Let somebody answer one of our letters, or what looks like one."""
    desk = house.desk
    box = LetterBox(
        *(desk.desk, desk.pool, form(), desk.attachments), signer=signing.signer(desk.settings)
    )
    raw = letter(words, From=f"林先生 <{sender}>", Subject=f"回复：{number} 等您配合").as_bytes()
    outcome = await box.take(raw, "192.0.2.7")
    assert (outcome.fate, outcome.said) == (LetterFate.ADDED, number)


async def waits(house: House, **changes: Any) -> str:
    """It is the customer's turn; return the issue's number."""
    number = await registered(house, **changes)
    await engineer_does(house, number, ActionName.ACCEPT)
    await engineer_does(house, number, ActionName.WAIT_FOR_CUSTOMER, **WAITING)
    return number


async def handler(house: House, number: str) -> str:
    seen = await house.desk.desk.show(number)
    assert seen.engineer
    return seen.engineer.id


async def staff_at(
    house: House, somebody: OpenPage, number: str, device: Device, language: Language
) -> dict[str, Page]:
    """Engineer, agent and lead, each at their page of an issue."""
    people = {
        "/my": (Role.ENGINEER, await handler(house, number)),
        "/intake": (Role.AGENT, AGENT),
        "/board": (Role.LEAD, LEAD),
    }
    pages = {}
    for room, (role, person) in people.items():
        page = await somebody(device, language)
        await house.sign_in(page, role, person)
        await page.goto(house.at(f"{room}/{number}"))
        await speaks(page, language)
        pages[room] = page
    return pages


def on_top(page: Page) -> Locator:
    """What waits for somebody to act."""
    return page.locator("#open-words")


async def is_above_all(words: Locator, page: Page) -> None:
    """Whether nothing that is done stands before what was said."""
    first = page.locator("main form, main .card").first
    place, other = await words.bounding_box(), await first.bounding_box()
    assert place
    assert other
    assert place["y"] < other["y"]


@IN_BOTH
@ON_PHONE_AND_DESK
async def test_the_words_of_a_failed_test_stand_on_top_until_somebody_acts_on_them(
    house: House, somebody: OpenPage, picture: Show, device: Device, language: Language
) -> None:
    said = "换了以后还是每三次卡一次，昨晚十点又停了"
    number = await registered(house)
    await engineer_does(house, number, ActionName.RESOLVE, result="更换出钞模块，测试正常")
    await house.replied(number)
    customer = await somebody(device, language)
    await customer.goto(await house.link(number, Purpose.TEST))
    await choose(customer, worked="no")
    await customer.locator("form#test [name=words]").fill(said)
    await send(customer.locator("form#test button.primary"))
    await house.until(number, lambda issue: issue.reopen_count == 1 and issue.engineer is not None)

    pages = await staff_at(house, somebody, number, device, language)
    for room, page in pages.items():
        await expect(on_top(page)).to_contain_text(said)
        await is_above_all(on_top(page), page)
        await fits(page)
        await picture(page, f"failed{room.replace('/', '-')}-{device}-{language}")
    await send(pages["/my"].locator("form[action$='/accept'] button"))
    await house.until(number, lambda issue: issue.stage is Stage.IN_PROGRESS)
    for page in pages.values():
        await page.reload()
        await expect(on_top(page)).to_have_count(0)
        await expect(page.locator("#thread")).to_contain_text(said)


@IN_BOTH
@ON_PHONE_AND_DESK
async def test_an_answer_by_mail_lets_a_waiting_issue_go_on_and_its_engineer_reads_it(
    house: House, somebody: OpenPage, picture: Show, device: Device, language: Language
) -> None:
    said, address = "钥匙已经放在保安处，随时可以来。", an_address()
    customer = {"name": "林先生", "organisation": "越秀支行", "email": address}
    number = await waits(house, customer=customer)
    engineer = await somebody(device, language)
    await house.sign_in(engineer, Role.ENGINEER, await handler(house, number))
    await engineer.goto(house.at(f"/my/{number}"))
    await expect(engineer.locator("form[action$='/resume']")).to_have_count(1)

    await by_mail(house, number, address, said)
    await house.until(number, lambda issue: issue.stage is Stage.IN_PROGRESS)
    await engineer.reload()
    await expect(on_top(engineer)).to_contain_text(said)
    await expect(engineer.locator("#thread")).to_contain_text(said)
    await expect(engineer.locator("form[action$='/resume']")).to_have_count(0)
    await fits(engineer)
    await picture(engineer, f"mail-engineer-{device}-{language}")

    page = await somebody(device, language)
    await page.goto(await house.link(number, Purpose.PROGRESS))
    await expect(page.locator("main")).to_contain_text(said)
    await expect(page.locator("form#waiting")).to_have_count(0)
    await fits(page)
    await picture(page, f"mail-customer-{device}-{language}")


@IN_BOTH
@ON_PHONE_AND_DESK
async def test_a_strangers_reply_is_shown_as_such_moves_no_clock_and_its_customer_does_not_see_it(
    house: House, somebody: OpenPage, picture: Show, device: Device, language: Language
) -> None:
    said = "机器我们自己修好了，不用来了。"
    customer = {"name": "林先生", "organisation": "越秀支行", "email": an_address()}
    number = await waits(house, customer=customer)
    before = await house.desk.desk.show(number)
    stranger = f"someone@{uuid4().hex[:8]}.example.org"
    await by_mail(house, number, stranger, said)

    now = await house.desk.desk.show(number)
    assert (now.stage, now.promises) == (Stage.WAITING, before.promises)
    warned = {"zh": "不是登记的客户", "en": "not known to be the customer"}[language]
    for room, page in (await staff_at(house, somebody, number, device, language)).items():
        for part in (on_top(page), page.locator("#thread")):
            wrote = part.locator(
                ":is(.entry, li)", has_text=said
            ).last  # what tells us stands before
            await expect(wrote).to_contain_text(warned)
            await expect(wrote).to_contain_text(stranger)
        await fits(page)
        await picture(page, f"stranger{room.replace('/', '-')}-{device}-{language}")
    page = await somebody(device, language)
    await page.goto(await house.link(number, Purpose.PROGRESS))
    await expect(page.locator("form#waiting")).to_have_count(1)
    for private in (said, stranger):
        await expect(page.locator("body")).not_to_contain_text(private)


@IN_BOTH
@ON_PHONE_AND_DESK
async def test_a_corrected_number_is_written_to_from_now_on_and_staff_see_what_it_was(
    house: House, somebody: OpenPage, picture: Show, device: Device, language: Language
) -> None:
    wrong, right = (f"13{uuid4().int % 10**9:09}" for _ in range(2))
    number = await registered(house, customer={"name": "林先生", "phone": f"+86{wrong}"})
    agent = await somebody(device, language)
    await house.sign_in(agent, Role.AGENT, AGENT)
    await agent.goto(house.at(f"/intake/{number}"))
    await agent.locator("#amend > summary").click()
    correcting = agent.locator("form[action$='/amend']")
    await expect(correcting.locator("[name=phone]")).to_have_value(f"+86{wrong}")
    await correcting.locator("[name=phone]").fill(right)
    await correcting.locator("[name=reason]").fill("客户来电说号码记错了")
    await fits(agent)
    await picture(agent, f"amend-{device}-{language}")
    await correcting.locator("button").click()
    await expect(agent.locator("#thread")).to_contain_text(right)

    await engineer_does(house, number, ActionName.ACCEPT)
    sent = await house.desk.pool.fetch(
        "SELECT o.template, o.address FROM outbox o JOIN issues i ON i.id = o.issue_id"
        " WHERE i.number = $1 AND o.recipient = 'customer' ORDER BY o.seq DESC",
        number,
    )
    assert (sent[0]["template"], sent[0]["address"]) == ("accepted", f"+86{right}")
    for room, page in (await staff_at(house, somebody, number, device, language)).items():
        corrected = page.locator(
            "#thread li", has_text={"zh": "原电话", "en": "Former telephone"}[language]
        ).first
        await expect(corrected).to_contain_text(wrong)
        await expect(corrected).to_contain_text(right)
        await fits(page)
        await picture(page, f"amended{room.replace('/', '-')}-{device}-{language}")
    page = await somebody(device, language)
    await page.goto(await house.link(number, Purpose.PROGRESS))
    await expect(page.locator("body")).not_to_contain_text(wrong)


async def answered_then_wrote(house: House, said: str) -> str:
    """They have our answer, and wrote once more; return the issue's number."""
    address = an_address()
    number = await registered(house, customer={"name": "林先生", "email": address})
    await engineer_does(house, number, ActionName.RESOLVE, result="更换出钞模块，测试正常")
    await house.replied(number)
    await by_mail(house, number, address, said)
    return number


@IN_BOTH
@ON_PHONE_AND_DESK
async def test_the_agent_is_asked_whether_it_did_not_help_and_opens_it_again_in_one_click(
    house: House, somebody: OpenPage, picture: Show, device: Device, language: Language
) -> None:
    said = "今天早上又卡了两次。"
    number = await answered_then_wrote(house, said)
    agent = await somebody(device, language)
    await house.sign_in(agent, Role.AGENT, AGENT)
    await agent.goto(house.at(f"/intake/{number}"))
    await expect(on_top(agent)).to_contain_text(said)
    await expect(agent.locator("#asked button")).to_have_count(3)
    await fits(agent)
    await picture(agent, f"asked-{device}-{language}")

    telephone = await somebody(device, language)
    await telephone.goto(await house.link(number, Purpose.REOPEN))
    await speaks(telephone, language)
    await expect(on_top(telephone)).to_contain_text(said)
    await fits(telephone)
    await picture(telephone, f"link-reopen-{device}-{language}")
    await send(telephone.locator("button[name=worked][value=no]"))
    await house.until(number, lambda issue: issue.reopen_count == 1 and issue.engineer is not None)
    await expect(telephone.locator("main form")).to_have_count(0)
    await fits(telephone)
    await picture(telephone, f"link-reopened-{device}-{language}")
    await agent.reload()
    await expect(agent.locator("#asked")).to_have_count(0)
    engineer = (await staff_at(house, somebody, number, device, language))["/my"]
    await expect(on_top(engineer)).to_contain_text(said)


@pytest.mark.parametrize("answer", ["report_test", "resume"], ids=["solved", "something else"])
async def test_once_the_agent_has_answered_the_question_no_words_stand_on_top(
    house: House, somebody: OpenPage, answer: str
) -> None:
    said = "请问发票什么时候寄？"
    number = await answered_then_wrote(house, said)
    agent = await somebody("phone", "zh")
    await house.sign_in(agent, Role.AGENT, AGENT)
    await agent.goto(house.at(f"/intake/{number}"))
    await agent.locator(f"#asked form[action$='/{answer}'] button").last.click()
    await expect(agent.locator("#asked")).to_have_count(0)
    await expect(on_top(agent)).to_have_count(0)
    await expect(agent.locator("#thread")).to_contain_text(said)


async def opens(page: Page, action: ActionName, **values: str) -> None:
    """Open the form of something that is done beside the work, fill it in and send it."""
    await page.locator(f"#{action} > summary").click()
    form = page.locator(f"form[action$='/{action}']")
    for name, value in values.items():
        await form.locator(f"[name={name}]").fill(value)
    await form.locator("button").click()


@IN_BOTH
@ON_PHONE_AND_DESK
async def test_two_issues_are_linked_and_one_is_merged_into_the_other(
    house: House, somebody: OpenPage, picture: Show, device: Device, language: Language
) -> None:
    first, like, same = [await registered(house) for _ in range(3)]
    page = await somebody(device, language)
    await house.sign_in(page, Role.AGENT, AGENT)
    await page.goto(house.at(f"/intake/{first}"))
    await opens(page, ActionName.LINK, to=like, reason="同一批机器")
    await expect(page.locator("#related")).to_contain_text(like)
    await page.locator("#related a", has_text=like).click()
    await expect(page.locator("#related")).to_contain_text(first)

    await page.goto(house.at(f"/intake/{same}"))
    await opens(page, ActionName.MERGE, into=first, reason="同一台机器，报了两次")
    merged = await house.until(same, lambda issue: issue.stage is Stage.CLOSED)
    assert merged.outcome is Outcome.MERGED
    await page.goto(house.at(f"/intake/{same}"))
    await expect(page.locator("#related")).to_contain_text(first)
    await fits(page)
    await picture(page, f"merged-{device}-{language}")
    await page.locator("#related a", has_text=first).first.click()
    for number in (like, same):
        await expect(page.locator("#related")).to_contain_text(number)
    await fits(page)
    await picture(page, f"related-{device}-{language}")


PAGES = {
    Role.AGENT: (AGENT, ("/intake", "/intake/{}", "/calls", "/find")),
    Role.ENGINEER: ("", ("/my", "/my/{}")),
    Role.LEAD: (LEAD, ("/board", "/board/{}", "/approvals", "/my")),
    Role.CLERK: ("fan.meiling", ("/calls", "/find/{}")),
}
"""Who sits where; an engineer is whoever has the issue."""


@IN_BOTH
@ON_PHONE_AND_DESK
@pytest.mark.parametrize("role", PAGES)
async def test_from_every_page_an_issue_is_found_by_whatever_one_knows_of_it(
    house: House,
    somebody: OpenPage,
    picture: Show,
    role: Role,
    device: Device,
    language: Language,
) -> None:
    name, phone = f"林{uuid4().hex[:6]}", f"137{uuid4().int % 10**8:08}"
    word = f"E{uuid4().hex[:8]}"
    number = await registered(house, customer={"name": name, "phone": f"+86{phone}"})
    # Whoever calls knows the customers who are to be called.
    await engineer_does(
        house, number, ActionName.RESOLVE, result="已更换", cause=f"屏幕显示 {word}"
    )
    await house.replied(number)
    person, rooms = PAGES[role]
    page = await somebody(device, language)
    await house.sign_in(page, role, person or await handler(house, number))
    known = (number.rpartition("-")[2], phone[-4:], name, word)
    for at, room in enumerate(rooms * (4 // len(rooms))):
        await page.goto(house.at(room.format(number)))
        await page.locator("#q").fill(known[at])
        await page.locator("#q").press("Enter")
        await page.wait_for_url("**/find")
        found = page.locator(".found li", has_text=number)
        await expect(found).to_have_count(1)
        await fits(page)
    await picture(page, f"find-{role}-{device}-{language}")
    await found.locator("a.title").click()
    await expect(page.locator("main")).to_contain_text(number)


@IN_BOTH
@ON_PHONE_AND_DESK
async def test_during_a_call_a_clerk_writes_down_what_else_is_said_and_adds_a_photograph(
    house: House,
    somebody: OpenPage,
    picture: Show,
    tmp_path: Path,
    device: Device,
    language: Language,
) -> None:
    number = await registered(house)
    await engineer_does(house, number, ActionName.RESOLVE, result="更换出钞模块，测试正常")
    await house.replied(number)
    clerk = await somebody(device, language)
    await house.sign_in(clerk, Role.CLERK, "fan.meiling")
    await clerk.wait_for_url("**/calls")
    card = clerk.locator("article.call", has_text=number)
    half = card.locator("form[action='/calls'] [name=words]")
    await half.fill("写了一半的话")
    await card.locator("details:has([hx-get]) > summary").click()
    wrote = card.locator("form[action$='/customer_wrote']")
    await card.locator("#customer_wrote > summary").click()
    await wrote.locator("[name=words]").fill("发票抬头写错了，请重开。")
    await wrote.locator("button").click()
    await expect(card.locator("#thread")).to_contain_text("发票抬头写错了")
    await card.locator("#add_note > summary").click()
    await card.locator("form[action$='/add_note'] [name=words]").fill("已转财务")
    await card.locator("form[action$='/add_note'] button").click()
    await expect(card.locator("#thread")).to_contain_text("已转财务")
    (tmp_path / "出钞口.jpg").write_bytes(files.photograph())
    await card.locator("#attachments input[multiple]").set_input_files(tmp_path / "出钞口.jpg")
    await expect(card.locator(".pictures img")).to_have_count(1)
    await expect(half).to_have_value("写了一半的话")
    assert clerk.url.endswith("/calls")
    await fits(clerk)
    await picture(clerk, f"calls-beside-{device}-{language}")
