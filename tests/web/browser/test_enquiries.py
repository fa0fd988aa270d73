"""What comes in by web and mail, what customers say of us, and why a promise is due then: in a real
browser (R26, R36, R41).
"""

from __future__ import annotations

import re
from uuid import uuid4

import pytest
from playwright.async_api import expect

from domain.issue.actions import ActionName
from domain.vocabulary import Role
from tests.support.people_at_browsers import House, fill, fits, send, speaks
from tests.support.running_desk import RunningDesk
from tests.web.browser.conftest import Device, Language, OpenPage, Show
from tests.web.browser.test_customer import engineer_does, registered

ON_PHONE_AND_DESK = pytest.mark.parametrize(
    ("device", "language"), [("phone", "zh"), ("desk", "en"), ("desk", "zh"), ("phone", "en")]
)


@pytest.fixture
def house(running_desk: RunningDesk) -> House:
    return House(running_desk)


@ON_PHONE_AND_DESK
async def test_an_agent_takes_what_came_by_mail_and_answers_it(
    house: House, somebody: OpenPage, picture: Show, device: Device, language: Language
) -> None:
    title = f"怎么换打印纸 {uuid4().hex[:6]}"
    number = await registered(house, channel="email", kind="consultation", title=title)
    page = await somebody(device, language)
    await house.sign_in(page, Role.AGENT, "07")
    await page.goto(house.at("/queue"))
    await speaks(page, language)
    row = page.locator("li", has_text=number)
    await expect(row).to_contain_text(title)
    await expect(row.locator("[role=timer]")).to_be_visible()
    await fits(page)
    await picture(page, f"queue-{device}-{language}")

    await send(row.locator("button"))
    await page.wait_for_url(f"**/intake/{number}")
    await expect(page.locator(".script.passing_on")).to_be_visible()
    await fits(page)
    answer = page.locator(f"form[action='/intake/{number}/answer']")
    await answer.locator("[name=solution]").fill("拉下拉杆再放入纸卷")
    await send(answer.locator("button"))
    seen = await house.desk.desk.show(number)
    assert (seen.taken_by, seen.first_contact) == ("07", True)


@ON_PHONE_AND_DESK
async def test_an_agent_sees_whom_to_call_and_writes_down_what_was_told(
    house: House, somebody: OpenPage, picture: Show, device: Device, language: Language
) -> None:
    title = f"大堂三台机器都取不出钱 {uuid4().hex[:6]}"
    number = await registered(house, severity="major", title=title)
    await engineer_does(house, number, ActionName.ACCEPT)
    await engineer_does(house, number, ActionName.RESOLVE, result="三台读卡器都已更换")
    page = await somebody(device, language)
    await house.sign_in(page, Role.AGENT, "07")
    await page.goto(house.at("/intake"))
    await speaks(page, language)
    calls = page.locator("#calls")
    row = calls.locator("li", has_text=number)
    await expect(row).to_contain_text("林先生")
    await expect(row.locator("a[href^='tel:']")).to_be_visible()
    due = row.locator("time[data-shown]")  # by script what the server wrote
    assert await due.get_attribute("title") == f"{await due.text_content()} Asia/Shanghai"
    await expect(row.locator("[role=timer]")).to_be_visible()
    await fits(page)
    await picture(page, f"calls-{device}-{language}")

    await row.locator("a[href$='#contact_customer']").first.click()
    await page.wait_for_url(f"**/intake/{number}#contact_customer")
    form = page.locator(f"form[action='/intake/{number}/contact_customer']")
    await form.locator("[name=reached][value=yes]").check()
    await form.locator("[name=told]").fill("读卡器已全部更换，请放心使用")
    await picture(page, f"call-{device}-{language}")
    await send(form.locator("button"))
    assert (await house.desk.desk.show(number)).answered
    await page.goto(house.at("/intake"))
    await expect(page.locator(f"a[href='/intake/{number}#contact_customer']")).to_have_count(0)


@ON_PHONE_AND_DESK
async def test_a_customer_without_a_link_scores_us_and_the_manager_reads_the_words(
    house: House, somebody: OpenPage, picture: Show, device: Device, language: Language
) -> None:
    digits = f"138{uuid4().int % 10**8:08}"
    number = await registered(house, customer={"name": "林先生", "phone": digits})
    await engineer_does(house, number, ActionName.ACCEPT)
    await engineer_does(house, number, ActionName.RESOLVE, result="读卡器已更换", cause="传感器脏")
    await house.replied(number)
    customer = await somebody(device, language)
    await customer.goto(house.at("/evaluate"))
    await speaks(customer, language)
    words = f"太差了，等了三天 {uuid4().hex[:6]}"
    await fill(customer, number=number, phone=digits, assessor="林先生", comment=words)
    await fill(customer, after_sales_technical="60", after_sales_attitude="90")
    await fits(customer)
    await picture(customer, f"evaluate-{device}-{language}")
    await send(customer.locator("form.card button"))
    await expect(customer.locator("[role=status]")).to_be_visible()

    manager = await somebody(device, language)
    await house.sign_in(manager, Role.GM_OFFICE, "tian.hui")
    await manager.goto(house.at("/reading"))
    said = manager.locator("article", has_text=words)
    await expect(said.locator("mark").first).to_be_visible()
    await fits(manager)
    await picture(manager, f"reading-{device}-{language}")
    await send(said.locator("button.danger"))
    await expect(manager.locator("article", has_text=words).locator("a").last).to_have_text(
        re.compile(r"\d{8}-")
    )


@ON_PHONE_AND_DESK
async def test_an_engineer_reads_why_a_promise_is_due_then(
    house: House, somebody: OpenPage, picture: Show, device: Device, language: Language
) -> None:
    number = await registered(house)
    await engineer_does(house, number, ActionName.ACCEPT)
    await engineer_does(house, number, ActionName.WAIT_FOR_CUSTOMER, reason="等客户寄回")
    await engineer_does(house, number, ActionName.RESUME)
    page = await somebody(device, language)
    await house.sign_in(page, Role.GM_OFFICE, "tian.hui")
    await page.goto(house.at(f"/board/{number}"))
    await page.locator(f"a[href='/why/{number}']").first.click()
    await page.wait_for_url(f"**/why/{number}")
    await speaks(page, language)
    await expect(page.locator("#resolution\\.1 .notice.good")).to_be_visible()
    await expect(page.locator("#resolution\\.1 table")).to_have_count(3)
    await fits(page)
    await picture(page, f"why-{device}-{language}")
