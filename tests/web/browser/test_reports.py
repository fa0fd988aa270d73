"""A report in a browser: from the list to the issue behind a figure, on screen and on paper."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from playwright.async_api import expect

from domain.reports.periods import Cadence, Period
from domain.vocabulary import Role
from tests.support.builders import an_intake
from tests.support.people_at_browsers import House, fits, speaks
from tests.support.running_desk import RunningDesk
from tests.web.browser.conftest import Device, Language, OpenPage, Show


@pytest.fixture
def house(running_desk: RunningDesk) -> House:
    return House(running_desk)


@pytest.mark.parametrize(("device", "language"), [("desk", "zh"), ("phone", "en")])
async def test_r27_from_the_list_of_reports_one_comes_to_the_issue_behind_a_figure(
    house: House, somebody: OpenPage, picture: Show, device: Device, language: Language
) -> None:
    now = datetime.now(UTC)
    intake = an_intake(
        reference=uuid4().hex, region="上海", occurred_at=None, reported_at=now, title="吞卡"
    )
    number = (await house.desk.desk.open(intake)).number
    week = Period.around(Cadence.WEEK, now.astimezone(house.desk.settings.zone).date()).name
    page = await somebody(device, language)
    await house.sign_in(page, Role.GM_OFFICE, "tian.hui")
    await page.locator('nav a[href="/reports"]').click()
    await speaks(page, language)
    await fits(page)
    await picture(page, f"reports-{device}-{language}")
    await page.locator(f'a[href="/reports/effectiveness/{week}"]').click()
    title = {"zh": "服务效能报告", "en": "Service effectiveness"}[language]
    await expect(page.locator("h1")).to_contain_text(title)
    await speaks(page, language)
    await fits(page)
    drawn = {"zh": "积压时间", "en": "Age of the backlog"}[language]
    await expect(page.get_by_role("img", name=drawn)).to_be_visible()
    await page.emulate_media(media="print", color_scheme="dark")
    ground = await page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == "rgb(255, 255, 255)", "paper is white, whatever the screen is"
    await page.emulate_media(media="screen")
    await page.locator('a[href$="/all/registered"]').click()
    await speaks(page, language)
    await page.locator(f'a[href="/find/{number}"]').click()
    await expect(page.locator("main")).to_contain_text("吞卡")
