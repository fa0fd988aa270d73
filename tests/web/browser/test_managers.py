"""A price is approved in one tap from the message, several at the page, and an expert answers."""

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
from tests.support.people_at_browsers import House, fits, send, speaks
from tests.support.running_desk import RunningDesk
from tests.web.browser.conftest import Device, Language, OpenPage, Show

CUSTOMER = Actor(id="customer", role=Role.CUSTOMER)


@pytest.fixture
def house(running_desk: RunningDesk) -> House:
    return House(running_desk)


async def act(house: House, number: str, name: ActionName, by: Actor, **said: Any) -> None:
    form = PUBLIC_ACTIONS[name].model_validate({"by": by} | said)
    await house.desk.desk.act(number, name, form)


async def opened(house: House, kind: str) -> tuple[str, Actor]:
    intake = an_intake(
        reference=uuid4().hex,
        kind=kind,
        region="广东",
        occurred_at=None,
        reported_at=datetime.now(UTC),
        title="库门打不开" if kind == "paid_service" else "潮湿天气频繁吞卡",
        customer={"name": "林先生", "organisation": "越秀支行", "phone": "+86 138 0000 7788"},
    )
    seen = await house.desk.desk.open(intake)
    assert seen.engineer
    engineer = Actor(id=seen.engineer.id, role=Role.ENGINEER)
    await act(house, seen.number, ActionName.ACCEPT, engineer)
    return seen.number, engineer


async def quoted(house: House) -> tuple[str, Actor]:
    number, engineer = await opened(house, "paid_service")
    found = "库门变形，锁舌断裂，无法修复，需要更换整扇门。"
    await act(house, number, ActionName.SURVEY, engineer, findings=found)
    offer = {"work": "更换库门一扇，含拆装与清运", "amount": "31200.50"}
    await act(house, number, ActionName.QUOTE, engineer, **offer)
    return number, engineer


async def approving(house: House) -> str:
    number, _ = await quoted(house)
    await act(house, number, ActionName.CONFIRM, CUSTOMER, agreed=True, words="请尽快动工")
    return number


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("device", ["phone", "desk"])
async def test_a_price_is_approved_in_one_tap_from_the_message(
    house: House, somebody: OpenPage, picture: Show, device: Device, language: Language
) -> None:
    number = await approving(house)
    page = await somebody(device, language)
    await page.goto(await house.link(number, Purpose.APPROVE))
    await speaks(page, language)
    for said in ("31,200.50", "锁舌断裂", "越秀支行"):
        await expect(page.locator("main")).to_contain_text(said)
    await fits(page)
    await picture(page, f"link-approve-{device}-{language}")
    await send(page.locator("button[name=approved][value=yes]"))
    await house.until(number, lambda issue: issue.stage is Stage.IN_PROGRESS)
    await expect(page.locator("main form")).to_have_count(0)


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("device", ["phone", "desk"])
async def test_what_a_customer_asks_about_a_price_is_seen_to_beside_their_words(
    house: House, somebody: OpenPage, picture: Show, device: Device, language: Language
) -> None:
    number, engineer = await quoted(house)
    asked = "价格里含旧库门的拆运吗？含的话就这么办。"
    await act(house, number, ActionName.CUSTOMER_WROTE, CUSTOMER, words=asked)
    agent, theirs = await somebody(device, language), await somebody(device, language)
    await house.sign_in(agent, Role.AGENT, "07")
    await agent.goto(house.at(f"/intake/{number}"))
    await speaks(agent, language)
    await fits(agent)
    await picture(agent, f"asked-price-agent-{device}-{language}")
    await house.sign_in(theirs, Role.ENGINEER, engineer.id)
    await theirs.goto(house.at(f"/my/{number}"))
    await speaks(theirs, language)
    await expect(theirs.locator("main")).to_contain_text(asked)
    await expect(theirs.locator("#confirm")).to_have_attribute("open", "")
    await fits(theirs)
    await picture(theirs, f"asked-price-engineer-{device}-{language}")
    await send(agent.locator("#asked form[action$='/confirm'] button").first)
    await house.until(number, lambda issue: issue.stage is Stage.APPROVING)
    await expect(agent.locator("#asked")).to_have_count(0)


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("device", ["phone", "desk"])
async def test_several_prices_are_approved_at_once_at_the_page(
    house: House, somebody: OpenPage, picture: Show, device: Device, language: Language
) -> None:
    numbers = [await approving(house), await approving(house)]
    page = await somebody(device, language)
    await house.sign_in(page, Role.MANAGER, "sun.li")
    await page.goto(house.at("/approvals"))
    await speaks(page, language)
    for number in numbers:
        await page.locator(f"[name='pick.approve'][value='{number}']").check()
    await fits(page)
    await picture(page, f"approvals-{device}-{language}")
    # Enter in a field decides nothing by accident.
    await page.locator(f"[name='pick.approve'][value='{numbers[0]}']").press("Enter")
    await page.wait_for_load_state()
    for number in numbers:
        assert (await house.desk.desk.show(number)).stage is Stage.APPROVING
        await page.locator(f"[name='pick.approve'][value='{number}']").check()
    await send(page.locator("button[value='approve:yes']"))
    for number in numbers:
        await house.until(number, lambda issue: issue.stage is Stage.IN_PROGRESS)
        await expect(page.locator("#done")).to_contain_text(number)
    await fits(page)


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("device", ["phone", "desk"])
async def test_an_expert_answers_by_the_link_they_are_sent(
    house: House, somebody: OpenPage, picture: Show, device: Device, language: Language
) -> None:
    number, engineer = await opened(house, "fault")
    question = {"question": "只在潮湿的日子吞卡，主板要不要更换？", "experts": ["gao.yuan"]}
    await act(house, number, ActionName.CONSULT, engineer, **question)
    page = await somebody(device, language)
    await page.goto(await house.link(number, Purpose.ADVISE))
    await speaks(page, language)
    await expect(page.locator("#panel")).to_contain_text("主板要不要更换")
    await page.locator("[name=advice]").fill("先量读卡器的工作电压，再换主板。")
    await fits(page)
    await picture(page, f"link-advise-{device}-{language}")
    await send(page.locator("main form button"))
    await house.until(
        number,
        lambda issue: (
            "panel" not in {each.kind for each in issue.promises if each.ended_at is None}
        ),
    )
