"""An issue from the telephone to the customer's score, at the pages, as its people see them."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from playwright.async_api import expect

from domain.links import Purpose
from domain.vocabulary import Outcome, Role, Stage
from tests.support.people_at_browsers import House, choose, fill, fits, send, speaks
from tests.support.running_desk import RunningDesk
from tests.web.browser.conftest import Device, Language, OpenPage, Show


@pytest.fixture
def house(running_desk: RunningDesk) -> House:
    return House(running_desk)


async def registered(house: House, somebody: OpenPage, device: Device, language: Language) -> str:
    """An agent takes a call; return the issue's number."""
    page = await somebody(device, language)
    await house.sign_in(page, Role.AGENT, "07")
    await page.wait_for_url("**/intake")
    await speaks(page, language)
    await fill(page, phone="+86 138 0000 7788", name="林先生", organisation="越秀支行")
    await fill(page, product_line="ATM", region="广东", title="出钞口卡钞")
    await fill(page, description="今早开始，每取三次卡一次。", site="中山六路 12 号")
    await fits(page)
    await page.locator(".send button").click()
    await page.wait_for_url(re.compile(r"/intake/\d"))
    number = page.url.rpartition("/")[2].partition("?")[0]
    await expect(page.locator("main")).to_contain_text(number)
    await fits(page)
    return number


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("device", ["phone", "desk"])
async def test_from_the_call_to_the_score(
    house: House, somebody: OpenPage, picture: Show, device: Device, language: Language
) -> None:
    number = await registered(house, somebody, device, language)

    engineer = await somebody(device, language)
    await engineer.goto(await house.link(number, Purpose.ACCEPT))
    await speaks(engineer, language)
    await expect(engineer.locator("main")).to_contain_text("越秀支行")
    await fits(engineer)
    await picture(engineer, f"link-accept-{device}-{language}")
    await send(engineer.locator("main form button.primary"))
    await house.until(number, lambda issue: issue.stage is Stage.IN_PROGRESS)

    await engineer.goto(await house.link(number, Purpose.COMPLETE))
    await fill(engineer, result="更换出钞模块，测试正常", cause="皮带老化")
    await fits(engineer)
    await send(engineer.locator("main form button.primary"))
    await house.replied(number)

    customer = await somebody(device, language)
    await customer.goto(await house.link(number, Purpose.PROGRESS))
    await expect(customer.locator("main")).to_contain_text("更换出钞模块")
    await expect(customer.locator("main")).not_to_contain_text("皮带老化")
    await fits(customer)
    await picture(customer, f"customer-{device}-{language}")

    clerk = await somebody(device, language)
    await house.sign_in(clerk, Role.CLERK, "fan.meiling")
    await clerk.wait_for_url("**/calls")
    card = clerk.locator("article.call", has_text=number)
    await picture(clerk, f"calls-{device}-{language}")
    await fits(clerk)
    # All faults of one customer are asked about in one call (R22).
    for each in await card.locator("[name^='running.'][value=yes]").all():
        await each.check()
    await card.locator("[name=reached][value=yes]").check()
    await card.locator("[name=satisfied][value=yes]").check()
    await card.locator("[name=words]").fill("好了，谢谢")
    await card.locator("button").click()
    issue = await house.until(number, lambda issue: issue.stage is Stage.CLOSED)
    assert issue.outcome is Outcome.SOLVED

    await customer.goto(await house.link(number, Purpose.EVALUATE))
    await speaks(customer, language)
    await choose(customer, item="after_sales")
    await fill(customer, technical="120", attitude="150", comment="来得快，修得好")
    await fits(customer)
    await picture(customer, f"evaluation-{device}-{language}")
    await customer.locator("form#evaluate button.primary").click()
    await expect(customer.locator("form#evaluate")).to_have_count(0)
    scores = await house.desk.pool.fetch(
        """
        SELECT technical, attitude FROM evaluations e JOIN issues i ON i.id = e.issue_id
        WHERE i.number = $1
        """,
        number,
    )
    assert [tuple(score) for score in scores] == [(120, 150)]


async def test_without_javascript_a_link_does_what_it_is_for_and_does_it_once(
    house: House, somebody: OpenPage
) -> None:
    number = await registered(house, somebody, "desk", "zh")
    page = await somebody("phone", "zh", script=False)
    address = await house.link(number, Purpose.ACCEPT)
    await page.goto(address)
    await send(page.locator("main form button.primary"))
    await house.until(number, lambda issue: issue.stage is Stage.IN_PROGRESS)
    await page.goto(address)
    await expect(page.locator("main form")).to_have_count(0)


async def test_with_the_keyboard_alone_an_engineer_accepts_their_issue(
    house: House, somebody: OpenPage
) -> None:
    number = await registered(house, somebody, "desk", "zh")
    issue = await house.desk.desk.show(number)
    assert issue.engineer
    page = await somebody("desk", "zh")
    await house.sign_in(page, Role.ENGINEER, issue.engineer.id)
    await page.goto(house.at(f"/my/{number}"))
    button = page.locator("form[action$='/accept'] button")
    for _ in range(60):
        if await button.evaluate("each => each === document.activeElement"):
            break
        await page.keyboard.press("Tab")
    else:
        pytest.fail("the keyboard does not reach the button")
    await page.keyboard.press("Enter")
    await house.until(number, lambda issue: issue.stage is Stage.IN_PROGRESS)


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("device", ["phone", "desk"])
async def test_an_engineer_sees_what_is_due_and_counts_down(
    house: House, somebody: OpenPage, picture: Show, device: Device, language: Language
) -> None:
    number = await registered(house, somebody, "desk", "zh")
    issue = await house.desk.desk.show(number)
    assert issue.engineer
    page = await somebody(device, language)
    await house.sign_in(page, Role.ENGINEER, issue.engineer.id)
    await page.wait_for_url("**/my")
    await page.clock.install(time=datetime.now(UTC))
    await page.reload()
    await speaks(page, language)
    await expect(page.locator("main")).to_contain_text(number)
    counted = page.locator(".card", has_text=number).locator("[data-due]")
    before = await counted.inner_text()
    assert before
    await page.clock.fast_forward("03:00")
    await expect(counted).not_to_have_text(before)
    await fits(page)
    await picture(page, f"engineer-{device}-{language}")
    await page.goto(house.at(f"/my/{number}"))
    await expect(page.locator("a[href^='tel:']")).to_have_count(1)
    await fits(page)
    await picture(page, f"issue-{device}-{language}")


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("device", ["phone", "desk"])
async def test_a_lead_sees_the_board_and_gives_an_issue_to_somebody_else(
    house: House, somebody: OpenPage, picture: Show, device: Device, language: Language
) -> None:
    number = await registered(house, somebody, "desk", "zh")
    before = await house.desk.desk.show(number)
    assert before.engineer
    page = await somebody(device, language)
    await house.sign_in(page, Role.LEAD, "zhou.jianguo")
    await page.wait_for_url("**/board")
    await speaks(page, language)
    await fits(page)
    await picture(page, f"board-{device}-{language}")
    form = page.locator(f"form[action='/board/{number}/reassign']").first
    shut = page.locator("details", has=form)
    if await shut.count() and not await form.locator("[name=to]").is_visible():
        await shut.last.locator("summary").first.click()
    other = next(id_ for id_ in ("deng.wei", "liang.jiahao") if id_ != before.engineer.id)
    await form.locator(f"[name=to] option[value='{other}']").wait_for(state="attached")
    await picture(page, f"board-giving-{device}-{language}")
    await form.locator("[name=to]").select_option(other)
    await form.locator("[name=reason]").fill("换夜班")
    await form.locator("button").first.click()
    await house.until(number, lambda issue: f"id='{other}'" in repr(issue.engineer))
