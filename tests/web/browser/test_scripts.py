"""What is said on the telephone stands where it is said, in a real browser (R40)."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import expect

from domain.issue.actions import ActionName
from domain.vocabulary import Role
from tests.support.people_at_browsers import House, fits
from tests.support.running_desk import RunningDesk
from tests.web.browser.conftest import Device, Language, OpenPage, Show
from tests.web.browser.test_customer import engineer_does, registered

ON_PHONE_AND_DESK = pytest.mark.parametrize("device", ["phone", "desk"])
IN_BOTH = pytest.mark.parametrize("language", ["zh", "en"])
HAN = re.compile(r"[\u4e00-\u9fff]")


@pytest.fixture
def house(running_desk: RunningDesk) -> House:
    return House(running_desk)


@ON_PHONE_AND_DESK
@IN_BOTH
async def test_the_agent_reads_what_to_say_from_the_greeting_to_passing_on(
    house: House, somebody: OpenPage, picture: Show, device: Device, language: Language
) -> None:
    page = await somebody(device, language)
    await house.sign_in(page, Role.AGENT, "07")
    await page.wait_for_url("**/intake")
    greeting = page.locator(".script.greeting")
    await expect(greeting).to_contain_text("07")
    assert bool(HAN.search(await greeting.inner_text())) == (language == "zh")
    for shown in ("searching", "passing_on", "putting_through"):
        await expect(page.locator(f".script.{shown}")).to_be_visible()
    sorry = page.locator(".script.complaint")
    await expect(sorry).to_be_hidden()
    await page.locator("[name=kind]").select_option("complaint")
    await expect(sorry).to_be_visible()
    await page.locator("[name=title]").fill("出钞口卡钞")
    await expect(page.locator("#cases .script.searching")).to_be_visible()
    await fits(page)
    await picture(page, f"scripts-intake-{device}-{language}")

    number = await registered(house, kind="consultation", answering=True, agent="07")
    await page.goto(house.at(f"/intake/{number}"))
    await expect(page.locator(".script.passing_on")).to_be_visible()
    await fits(page)
    await picture(page, f"scripts-told-{device}-{language}")


@ON_PHONE_AND_DESK
@IN_BOTH
async def test_the_clerk_reads_the_opening_of_this_call_and_the_ending_that_fits(
    house: House, somebody: OpenPage, picture: Show, device: Device, language: Language
) -> None:
    number = await registered(house, model="H22N")
    await engineer_does(house, number, ActionName.ACCEPT)
    await engineer_does(house, number, ActionName.RESOLVE, result="读卡器已更换", cause="传感器脏")
    issue = await house.replied(number)
    assert issue.engineer

    page = await somebody(device, language)
    await house.sign_in(page, Role.CLERK, "fan.meiling")
    await page.wait_for_url("**/calls")
    card = page.locator("article.call", has_text=number)
    await expect(card.locator(".script.callback_greeting")).to_contain_text("范美玲")
    asks = card.locator(".script.callback_repaired")
    for said in ("H22N", issue.engineer.name):
        await expect(asks).to_contain_text(said)
    well, not_well = (card.locator(f".script.callback_{end}") for end in ("well", "not_well"))
    await expect(well).to_be_hidden()
    await expect(not_well).to_be_hidden()
    await card.locator(f"[name='running.{number}'][value=yes]").check()
    await expect(well).to_be_visible()
    await card.locator("[name=satisfied][value=no]").check()
    await expect(not_well).to_be_visible()
    await expect(well).to_be_hidden()
    await fits(page)
    await picture(page, f"scripts-calls-{device}-{language}")
