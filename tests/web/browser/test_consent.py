"""An agent asks whether a call may be passed on, in a real browser (R35)."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Page, expect

from domain.vocabulary import Consent, Role
from tests.support.people_at_browsers import House, fill, fits, send, speaks
from tests.support.running_desk import RunningDesk
from tests.web.browser.conftest import Device, Language, OpenPage, Show
from tests.web.browser.test_customer import registered

ON_PHONE_AND_DESK = pytest.mark.parametrize(
    ("device", "language"), [("phone", "zh"), ("desk", "en"), ("desk", "zh"), ("phone", "en")]
)
WORDS = "不用派人，你们告诉我怎么弄就行"


@pytest.fixture
def house(running_desk: RunningDesk) -> House:
    return House(running_desk)


async def takes_a_call(house: House, page: Page, consent: Consent) -> str:
    """Fill in what a customer says who called before, ask them, and register it."""
    await page.goto(house.at("/intake"))
    await expect(page.locator(".script.greeting")).to_be_visible()
    await page.locator("[name=phone]").fill("13800007799")
    await page.locator("#customers button[name=choose]").first.click()
    await expect(page.locator("[name=organisation]")).to_have_value("海珠支行")
    await fill(page, product_line="ATM", region="广东", title="出钞口卡钞")
    asked = page.locator("fieldset.consent")
    await expect(asked.locator(".script.passing_on")).to_be_visible()
    await asked.locator(f"[value={consent}]").check()
    await asked.locator("[name=consent_words]").fill(WORDS)
    return page.url


@ON_PHONE_AND_DESK
async def test_the_agent_asks_before_passing_on_and_keeps_what_is_not_to_be(
    house: House, somebody: OpenPage, picture: Show, device: Device, language: Language
) -> None:
    customer = {"name": "林先生", "organisation": "海珠支行", "phone": "13800007799"}
    await registered(house, customer=customer)
    page = await somebody(device, language)
    await house.sign_in(page, Role.AGENT, "07")
    await takes_a_call(house, page, Consent.NO)
    await speaks(page, language)
    await fits(page)
    await picture(page, f"consent-intake-{device}-{language}")
    await page.locator(".send button.main").click()
    await page.wait_for_url(re.compile(r"/intake/\d"))
    number = page.url.rpartition("/")[2]
    await expect(page.locator(".notice[role=status]")).to_be_visible()
    seen = await house.desk.desk.show(number)
    assert (seen.consent, seen.engineer, seen.taken_by) == (Consent.NO, None, "07")
    await fits(page)
    await picture(page, f"consent-refused-{device}-{language}")

    form = page.locator("form#reassign")
    await form.locator("[name=reason]").fill("客户同意了")
    await send(form.locator("button"))
    await expect(form.locator("#wrong-consent")).to_be_visible()
    await form.locator("[name=consent][value=yes]").check()
    await form.locator("[name=reason]").fill("客户同意了")
    await send(form.locator("button"))
    seen = await house.desk.desk.show(number)
    assert seen.consent is Consent.YES
    assert seen.engineer or seen.lead
    await expect(form).to_have_count(0) if seen.engineer else None
    await fits(page)
    await picture(page, f"consent-passed-on-{device}-{language}")
