"""A report in a browser: from the list to the issue behind a figure, on screen and on paper."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from playwright.async_api import expect

from domain.reports.editions import Edition, changes
from domain.reports.periods import Cadence, Period
from domain.vocabulary import Role
from store.reports import editions
from tests.support.builders import an_intake
from tests.support.counted_reports import AT, called
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
    await fits(page)
    await picture(page, f"report-behind-{device}-{language}")
    await page.locator(f'a[href="/find/{number}"]').click()
    await expect(page.locator("main")).to_contain_text("吞卡")


_FIRST = {"梁家豪": 43, "陈志强": 51, "高远": 38, "叶子涵": 26}
_LATE = {**_FIRST, "高远": 41}
_SAID = ("师傅来得快，修得也好", "等了两天才有人来，希望提前说一声")


@pytest.mark.parametrize(("device", "language"), [("desk", "zh"), ("desk", "en"), ("phone", "zh")])
async def test_r27_a_later_edition_shows_what_came_in_late_on_screen_in_the_dark_and_on_paper(
    house: House, somebody: OpenPage, picture: Show, device: Device, language: Language
) -> None:
    first, late = called(_FIRST, _SAID[:1]), called(_LATE, _SAID)
    async with house.desk.pool.acquire() as connection, connection.transaction():
        await editions.lock(connection, "callbacks", "2026-W47")
        if await editions.newest(connection, "callbacks", "2026-W47") is None:
            for number, counted in enumerate((first, late), start=1):
                edition = Edition(
                    report="callbacks",
                    period="2026-W47",
                    edition=number,
                    counted=counted,
                    changes=changes(first, counted),
                    reason="周五的三个回访周一补录" if number == 2 else None,
                    issued_at=AT + timedelta(hours=3 * number),
                )
                await editions.add(connection, edition)
    page = await somebody(device, language)
    await house.sign_in(page, Role.GM_OFFICE, "tian.hui")
    await page.goto(house.at("/reports/callbacks/2026-W47"))
    await speaks(page, language)
    await fits(page)
    await expect(page.locator(".editions")).to_contain_text("周五的三个回访周一补录")
    await picture(page, f"report-edition-{device}-{language}")
    late_ones = page.locator("details.changes")
    await late_ones.locator("summary").click()
    await expect(late_ones).to_contain_text("高远")
    called_up = {"zh": ("合计", "回访电话"), "en": ("All", "Calls made")}[language]
    totals = late_ones.locator(f'tr:has(bdi:text-is("{called_up[0]}"))')
    totals = totals.filter(has_text=called_up[1])
    await expect(totals).to_have_count(1)  # it stands below several tables
    await expect(totals).to_contain_text("158")
    await picture(page, f"report-edition-open-{device}-{language}")
    await page.emulate_media(color_scheme="dark")
    await picture(page, f"report-edition-dark-{device}-{language}")
    await page.emulate_media(media="print", color_scheme="light")
    await picture(page, f"report-edition-print-{device}-{language}")
    await page.emulate_media(media="screen")
    await page.get_by_role("link", name={"zh": "第 1 版", "en": "edition 1"}[language]).click()
    await expect(page.locator(".editions")).not_to_contain_text("补录")
