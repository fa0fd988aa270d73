"""A customer's turn, in a real browser: on a phone and on a desk, in both languages."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from playwright.async_api import expect

from domain.issue.actions import PUBLIC_ACTIONS, ActionName
from domain.links import Purpose
from domain.vocabulary import Actor, Role, Stage
from tests.support.builders import an_intake
from tests.support.people_at_browsers import House, choose, fits, send, speaks
from tests.support.running_desk import RunningDesk
from tests.web.browser.conftest import Device, Language, OpenPage, Show


@pytest.fixture
def house(running_desk: RunningDesk) -> House:
    return House(running_desk)


async def registered(house: House, **changes: Any) -> str:
    """A customer called; return the issue's number."""
    customer = {"name": "林先生", "phone": f"137{uuid4().int % 10**8:08}"}
    usual: dict[str, Any] = {
        "reference": uuid4().hex,
        "channel": "telephone",
        "region": "广东",
        "customer": customer,
        "title": "出钞口卡钞",
        "description": "今早开始，每取三次卡一次。",
        "occurred_at": None,
        "reported_at": datetime.now(UTC),
    }
    return (await house.desk.desk.open(an_intake(**usual | changes))).number


async def engineer_does(house: House, number: str, name: ActionName, **said: Any) -> None:
    seen = await house.desk.desk.show(number)
    assert seen.engineer
    by = Actor(id=seen.engineer.id, role=Role.ENGINEER)
    act = PUBLIC_ACTIONS[name].model_validate({"by": by} | said)
    await house.desk.desk.act(number, name, act)


async def events(house: House, number: str, action: ActionName) -> list[dict[str, Any]]:
    rows = await house.desk.pool.fetch(
        "SELECT e.role, e.content FROM issue_events e JOIN issues i ON i.id = e.issue_id"
        " WHERE i.number = $1 AND e.action = $2 ORDER BY e.seq",
        *(number, action),
    )
    return [dict(row) for row in rows]


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("device", ["phone", "desk"])
async def test_a_quotation_is_read_and_answered(
    house: House, somebody: OpenPage, picture: Show, device: Device, language: Language
) -> None:
    number = await registered(house, kind="paid_service", title="加装一台自助缴费终端")
    await engineer_does(house, number, ActionName.ACCEPT)
    await engineer_does(house, number, ActionName.SURVEY, findings="要走明线")
    work = "加装一台自助缴费终端，含布线两条"
    await engineer_does(house, number, ActionName.QUOTE, work=work, amount="12800.50")
    page = await somebody(device, language)
    await page.goto(await house.link(number, Purpose.CONFIRM))
    await speaks(page, language)
    main = page.locator("main")
    await expect(main).to_contain_text("12,800.50")
    await expect(main).to_contain_text(work)
    await expect(main).not_to_contain_text("要走明线")
    await expect(page.locator("a[href='tel:4008001234']").first).to_be_visible()
    await fits(page)
    await picture(page, f"quotation-{device}-{language}")
    await choose(page, agreed="yes")
    await page.locator("form#confirm [name=words]").fill("请尽快开始")
    await send(page.locator("form#confirm button.primary"))
    await house.until(number, lambda issue: issue.stage is Stage.IN_PROGRESS)
    await expect(page.locator("[role=status]")).to_be_visible()
    await expect(page.locator("form#confirm")).to_have_count(0)
    (said,) = await events(house, number, ActionName.CONFIRM)
    assert (said["role"], said["content"]["words"]) == ("customer", "请尽快开始")


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("device", ["phone", "desk"])
async def test_it_failed_again_and_why_is_written(
    house: House, somebody: OpenPage, picture: Show, device: Device, language: Language
) -> None:
    number = await registered(house)
    await engineer_does(house, number, ActionName.RESOLVE, result="更换出钞模块，测试正常")
    await house.replied(number)
    page = await somebody(device, language)
    await page.goto(await house.link(number, Purpose.TEST))
    await expect(page.locator("main")).to_contain_text("更换出钞模块")
    await fits(page)
    await picture(page, f"test-{device}-{language}")
    await choose(page, worked="no")
    await page.locator("form#test [name=words]").fill("换了以后还是每三次卡一次")
    await send(page.locator("form#test button.primary"))
    issue = await house.until(number, lambda issue: issue.reopen_count == 1)
    assert issue.severity == "major"
    await expect(page.locator("form#test")).to_have_count(0)
    (said,) = await events(house, number, ActionName.REPORT_TEST)
    assert said["content"]["words"] == "换了以后还是每三次卡一次"
    await fits(page)


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("device", ["phone", "desk"])
async def test_whose_turn_it_is_asks_for_time_then_says_it_is_done_and_the_handler_hears_so(
    house: House, somebody: OpenPage, picture: Show, device: Device, language: Language
) -> None:
    number = await registered(house)
    await engineer_does(house, number, ActionName.ACCEPT)
    said = {"reason": "主任不在，进不去", "ask": "请打开机房，并留一位同事在场"}
    await engineer_does(house, number, ActionName.WAIT_FOR_CUSTOMER, **said)
    page = await somebody(device, language)
    link = await house.link(number, Purpose.PROGRESS)
    await page.goto(link)
    await speaks(page, language)
    await expect(page.locator("main")).to_contain_text("请打开机房，并留一位同事在场")
    await expect(page.locator("main")).not_to_contain_text("主任不在")
    await fits(page)
    await picture(page, f"waiting-{device}-{language}")
    await page.locator("form#waiting button[value=more_time]").click()
    await expect(page.locator("[role=status]")).to_be_visible()
    assert (await house.desk.desk.show(number)).stage is Stage.WAITING
    await page.locator("form#waiting [name=words]").fill("钥匙放在前台了")
    await send(page.locator("form#waiting button[value=done]"))
    await house.until(number, lambda issue: issue.stage is Stage.IN_PROGRESS)
    await expect(page.locator("form#waiting")).to_have_count(0)
    await fits(page)
    more, done = await events(house, number, ActionName.CUSTOMER_WROTE)
    assert (more["content"]["means"], done["content"]["means"]) == ("more_time", "done")
    assert done["content"]["words"] == "钥匙放在前台了"
    told = await house.desk.pool.fetch(
        "SELECT o.body FROM outbox o JOIN issues i ON i.id = o.issue_id"
        " WHERE i.number = $1 AND o.template = 'customer_wrote'",
        number,
    )
    assert "钥匙放在前台了" in "".join(row["body"] for row in told)


async def test_without_javascript_and_in_the_other_language_at_a_touch(
    house: House, somebody: OpenPage
) -> None:
    number = await registered(house)
    page = await somebody("phone", "zh", script=False)
    await page.goto(await house.link(number, Purpose.PROGRESS))
    await speaks(page, "zh")
    await page.locator("a.switch").click()
    await speaks(page, "en")
    await expect(page.locator("main")).to_contain_text("How it stands")
    await page.locator("a.switch").click()
    await speaks(page, "zh")
    small = [
        box
        for each in await page.locator("main a, main button, header a").all()
        if (box := await each.bounding_box()) and min(box["width"], box["height"]) < 40
    ]
    assert not small, "too small for a thumb"
