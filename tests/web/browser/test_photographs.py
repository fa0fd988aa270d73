"""A photograph from whoever took it to whoever needs it, and hostile files in a real browser."""

from __future__ import annotations

import re
from contextlib import suppress
from email.policy import SMTP
from pathlib import Path
from uuid import uuid4

import pytest
from playwright.async_api import Error, Page, expect

from domain.links import Purpose
from domain.vocabulary import Role
from inbound.mail import LetterBox
from tests.support import hostile_files as files
from tests.support.builders import an_intake
from tests.support.letters import form, letter
from tests.support.people_at_browsers import House, fill, fits
from tests.support.running_desk import RunningDesk
from tests.web.browser.conftest import Device, Language, OpenPage, Show


@pytest.fixture
def house(running_desk: RunningDesk) -> House:
    return House(running_desk)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What somebody has on their machine."""
    (tmp_path / "出钞口.jpg").write_bytes(files.photograph(size=(1600, 1200)))
    (tmp_path / "故障代码.png").write_bytes(files.picture("PNG"))
    (tmp_path / "报告.pdf").write_bytes(files.PDF)
    (tmp_path / "图纸.svg").write_text(files.SVG)
    (tmp_path / "page.html").write_text(files.PAGE)
    (tmp_path / "report.hta").write_bytes(files.PDF + files.PAGE.encode())
    return tmp_path


async def opened(house: House) -> tuple[str, str]:
    """Have an issue; return its number, and who has it."""
    issue = await house.desk.desk.open(an_intake(reference=uuid4().hex, region="广东", agent="07"))
    assert issue.engineer
    return issue.number, issue.engineer.id


async def drawn(page: Page, count: int) -> None:
    """Wait until so many photographs are seen: a browser that cannot read one shows no size."""
    pictures = page.locator(".pictures img")
    await expect(pictures).to_have_count(count)
    for each in await pictures.all():
        await each.scroll_into_view_if_needed()
        await expect(each).not_to_have_js_property("naturalWidth", 0)


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("device", ["phone", "desk"])
async def test_a_photograph_goes_from_the_intake_to_the_engineer(
    house: House,
    somebody: OpenPage,
    picture: Show,
    folder: Path,
    device: Device,
    language: Language,
) -> None:
    agent = await somebody(device, language)
    await house.sign_in(agent, Role.AGENT, "07")
    await agent.wait_for_url("**/intake")
    await fill(agent, phone="+86 138 0000 7788", name="林先生", product_line="ATM", region="广东")
    await fill(agent, title="出钞口卡钞", description="今早开始")
    await agent.locator("input[type=file][multiple]").set_input_files(
        [folder / "出钞口.jpg", folder / "报告.pdf"]
    )
    await fits(agent)
    await agent.locator(".send button").click()
    await agent.wait_for_url(re.compile(r"/intake/\d"))
    number = agent.url.rpartition("/")[2].partition("?")[0]
    await drawn(agent, 1)
    await expect(agent.locator("#attachments")).to_contain_text("报告.pdf")

    issue = await house.desk.desk.show(number)
    assert issue.engineer
    engineer = await somebody(device, language)
    await house.sign_in(engineer, Role.ENGINEER, issue.engineer.id)
    await engineer.goto(house.at(f"/my/{number}"))
    await drawn(engineer, 1)
    await fits(engineer)
    await picture(engineer, f"photographs-{device}-{language}")
    async with engineer.context.expect_page() as opening:
        await engineer.locator(".pictures a").first.click()
    larger = await opening.value
    await expect(larger.locator("img")).not_to_have_js_property("naturalWidth", 0)


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
async def test_a_photograph_that_a_customer_takes_is_on_the_engineers_page(
    house: House, somebody: OpenPage, picture: Show, folder: Path, *, script: bool
) -> None:
    number, handler = await opened(house)
    customer = await somebody("phone", "zh", script=script)
    await customer.goto(await house.link(number, Purpose.PROGRESS))
    camera = customer.locator("#attachments input[capture]")
    await camera.set_input_files(folder / "出钞口.jpg")
    if not script:
        await customer.locator("#attachments button").click()
    await drawn(customer, 1)
    await fits(customer)
    await picture(customer, "customers-photograph")
    engineer = await somebody("phone", "zh")
    await house.sign_in(engineer, Role.ENGINEER, handler)
    await engineer.goto(house.at(f"/my/{number}"))
    await drawn(engineer, 1)


async def test_a_photograph_in_a_letter_is_on_the_engineers_page(
    house: House, somebody: OpenPage
) -> None:
    desk = house.desk
    message = letter("请看照片")
    message.add_attachment(files.photograph(), maintype="image", subtype="jpeg", filename="a.jpg")
    box = LetterBox(desk.desk, desk.pool, form(), desk.attachments)
    number = (await box.take(message.as_bytes(policy=SMTP), "192.0.2.7")).said
    lead = await somebody("desk", "zh")
    await house.sign_in(lead, Role.AGENT, "07")
    await lead.goto(house.at(f"/intake/{number}"))
    await drawn(lead, 1)


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
async def test_files_are_sent_several_at_once_and_each_that_is_not_taken_says_why(
    house: House, somebody: OpenPage, folder: Path, *, script: bool
) -> None:
    number, engineer = await opened(house)
    page = await somebody("phone", "zh", script=script)
    await house.sign_in(page, Role.ENGINEER, engineer)
    await page.goto(house.at(f"/my/{number}"))
    words = page.locator("textarea:visible").first
    if script:
        await page.locator("details").evaluate_all("all => all.forEach(each => each.open = true)")
        await words.fill("写了一半的话")
    await page.locator("#attachments input[multiple]").set_input_files(
        [folder / "出钞口.jpg", folder / "图纸.svg", folder / "故障代码.png"]
    )
    if not script:
        await page.locator("#attachments button").click()
    await expect(page.locator("main")).to_contain_text("这种文件不收")
    await expect(page.locator("main")).to_contain_text("图纸.svg")
    await drawn(page, 2)
    await fits(page)
    if script:
        await expect(words).to_have_value("写了一半的话")


async def test_no_script_of_a_file_runs_in_our_place(
    house: House, somebody: OpenPage, folder: Path
) -> None:
    number, engineer = await opened(house)
    page = await somebody("desk", "zh")
    await house.sign_in(page, Role.ENGINEER, engineer)
    await page.goto(house.at(f"/my/{number}"))
    hostile = folder / 'x"><script>window.yinuo_hostile_ran=1<script>.jpg'
    hostile.write_bytes(files.photograph() + files.PAGE.encode())
    chosen = ["图纸.svg", "page.html", "report.hta", hostile.name]
    await page.locator("#attachments input[multiple]").set_input_files(
        [folder / name for name in chosen]
    )
    await drawn(page, 1)
    await expect(page.locator("#attachments .plain")).to_contain_text(["report.hta.pdf"])
    await expect(page.locator("[data-sending] .error")).to_have_count(2)

    addresses = await page.locator("#attachments a").evaluate_all("all => all.map(a => a.href)")
    assert len(addresses) == 3  # the photograph, larger and as it came, and what begins as a PDF
    for address in addresses:
        visitor = await page.context.new_page()
        with suppress(Error):  # a download is no page to go to
            await visitor.goto(address)
        assert await ran(visitor) is False
        shown = visitor.url != "about:blank"
        assert shown is ("/large" in address)
        await visitor.close()
    assert await ran(page) is False


async def ran(page: Page) -> bool:
    return bool(await page.evaluate(f"Boolean(window.{files.RAN})"))
