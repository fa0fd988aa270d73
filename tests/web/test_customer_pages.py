"""The page of their issue, as customers read it and act on it by the links they were sent."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any
from uuid import uuid4

import asyncpg
import httpx2
import pytest

from domain.attachments import ShownTo
from domain.instants import instant
from domain.issue.actions import ActionName
from domain.links import Purpose
from domain.sla.policy import Conversation
from domain.vocabulary import Actor, Language, Role, Stage
from runtime.embedded.ports import free_ports
from starter.registers import Registers
from store import door_log, rulebooks
from tests.support.hostile_files import photograph
from tests.support.running_desk import RunningDesk
from tests.support.staff_at_pages import pool_of
from tests.web.conftest import BASE
from tests.web.test_link_pages import ADDRESS, CLERK, ENGLISH, LEAD, Sent, closed, opened
from web.app import build
from web.context import Doors

HOTLINE = 'href="tel:4008001234"'


@pytest.fixture
async def http(doors: Doors) -> AsyncIterator[httpx2.AsyncClient]:
    """A telephone: no session, no token."""
    transport = httpx2.ASGITransport(app=build(doors), client=(ADDRESS, 5000))
    async with httpx2.AsyncClient(transport=transport, base_url=BASE) as client:
        yield client


@pytest.fixture
async def sent(doors: Doors) -> Sent:
    return await opened(doors)


async def by_letter(doors: Doors, **changes: Any) -> Sent:
    """An issue of a customer who is written to at length: each letter has all of its links."""
    customer = {"name": "林先生", "email": f"{uuid4().hex[:8]}@customer.example"}
    return await opened(doors, channel="telephone", customer=customer, **changes)


async def quoted(sent: Sent, amount: str = "1800.50") -> None:
    engineer = await sent.engineer()
    await sent.act(ActionName.ACCEPT, engineer)
    await sent.act(ActionName.SURVEY, engineer, findings="墙是空心的，难办")
    await sent.act(ActionName.QUOTE, engineer, work="布两条线", amount=amount)


def forms(page: str) -> set[str]:
    """Which forms a page has."""
    return set(re.findall(r'<input type="hidden" name="form" value="(\w+)">', page))


def spoken(page: str) -> str:
    """What the page itself says, without what people wrote and are called."""
    text = re.sub(r"<bdi>.*?</bdi>", "", main(page))
    text = re.sub(r'<p class="said.*?</p>', "", text, flags=re.DOTALL)
    return re.sub(r"<[^>]+>", " ", text)


def main(page: str) -> str:
    return unescape(page[page.index("<main") :])


# --- what it says ---------------------------------------------------------------------------------


async def test_the_page_says_where_it_stands_who_has_it_and_when_they_hear(
    sent: Sent, http: httpx2.AsyncClient
) -> None:
    page = await http.get(await sent.link(Purpose.PROGRESS))
    assert page.status_code == 200
    assert page.headers["cache-control"] == "no-store"
    text = main(page.text)
    seen = await sent.show()
    assert seen.engineer
    assert "已经安排专人，即将开始处理。" in text
    assert seen.engineer.name in text
    assert re.search(r"我们最迟\d+月\d+日（周.）\d\d:\d\d前与您联系。", text)
    assert HOTLINE in text
    assert sent.number in text


async def test_every_customer_link_opens_the_same_page(
    doors: Doors, http: httpx2.AsyncClient
) -> None:
    sent = await by_letter(doors)
    await sent.act(ActionName.RESOLVE, await sent.engineer(), result="读卡器已更换")
    links = [await sent.link(purpose) for purpose in (Purpose.PROGRESS, Purpose.TEST)]
    pages = [
        re.sub(rf'name="key" value="\w+"|{link}', "", main((await http.get(link)).text))
        for link in links
    ]
    assert pages[0] == pages[1]
    assert "读卡器已更换" in pages[0]


async def test_a_page_is_in_the_customers_language_and_in_the_other_at_a_touch(
    doors: Doors, http: httpx2.AsyncClient
) -> None:
    customer = {"name": "Ms Lin", "phone": f"137{uuid4().int % 10**8:08}", "language": "en"}
    sent = await opened(doors, customer=customer)
    link = await sent.link(Purpose.PROGRESS)
    chinese_browser = {"Accept-Language": "zh-CN"}
    page = await http.get(link, headers=chinese_browser)
    assert '<html lang="en">' in page.text
    assert "will start soon" in page.text
    (switch,) = re.findall(r'class="switch" href="([^"]+)"', page.text)
    assert switch == f"{link}?lang=zh"
    other = await http.get(switch, headers=chinese_browser)
    assert '<html lang="zh-CN">' in other.text
    assert "即将开始处理" in other.text
    assert not re.search(r"[一-鿿]", spoken(page.text))
    alike = r"English|MB|PDF|Office"
    assert not re.search(r"[A-Za-z]{2}", re.sub(alike, "", spoken(other.text)))
    nonsense = await http.get(f"{link}?lang=de", headers=chinese_browser)
    assert '<html lang="en">' in nonsense.text


async def test_what_an_engineer_wrote_for_colleagues_is_nowhere_on_the_page(
    doors: Doors, http: httpx2.AsyncClient
) -> None:
    sent = await by_letter(doors, kind="paid_service")
    engineer = await sent.engineer()
    await sent.act(ActionName.ACCEPT, engineer)
    await sent.act(ActionName.SURVEY, engineer, findings="现场很乱甲甲")
    await sent.act(ActionName.CONSULT, engineer, question="客户难缠甲甲")
    soon = datetime.now(UTC) + timedelta(days=1)
    said = {"note": "仓库又忘了甲甲", "expected_at": soon, "told": "备件明天到货"}
    await sent.act(ActionName.REPORT_PROGRESS, engineer, **said)
    await sent.act(ActionName.QUOTE, engineer, work="布两条线", amount="1800")
    page = main((await http.get(await sent.link(Purpose.PROGRESS))).text)
    assert "甲甲" not in page
    bodies = await pool_of(doors).fetch(
        "SELECT body FROM outbox o JOIN issues i ON i.id = o.issue_id"
        " WHERE i.number = $1 AND audience = 'customer'",
        sent.number,
    )
    written = "".join(row["body"] for row in bodies)
    assert "备件明天到货" in written
    assert "甲甲" not in written


async def test_what_people_wrote_is_text_and_has_its_own_direction(
    doors: Doors, http: httpx2.AsyncClient
) -> None:
    sent = await opened(doors, title="<b>吞卡</b>", description="<img src=x>שלום")
    page = (await http.get(await sent.link(Purpose.PROGRESS))).text
    assert "<bdi>&lt;b&gt;吞卡&lt;/b&gt;</bdi>" in page
    assert '<p class="said" dir="auto">&lt;img src=x&gt;' in page


# --- links that are used up, older, or of no use any more -----------------------------------------


async def test_a_used_link_shows_the_page_without_what_it_was_for(
    sent: Sent, http: httpx2.AsyncClient
) -> None:
    await closed(sent)
    link = await sent.link(Purpose.EVALUATE)
    score = {"item": "after_sales", "technical": "90", "attitude": "90", "comment": "好"}
    assert (await http.post(link, data=score)).status_code == 200
    page = await http.get(link)
    assert page.status_code == 200
    assert "用这个链接答复过" in page.text
    assert "问题已经解决" in page.text
    assert "evaluate" not in forms(page.text)
    assert HOTLINE in page.text
    again = await http.post(link, data=score | {"comment": "其实<b>不好</b>"})
    assert again.status_code == 410
    assert "其实&lt;b&gt;不好&lt;/b&gt;" in again.text, "what was written stays in sight"
    assert len(await sent.steps(ActionName.EVALUATE)) == 1


async def test_r24_until_when_it_is_opened_again_is_as_promised_whatever_the_policy_says_by_now(
    sent: Sent, http: httpx2.AsyncClient, running_desk: RunningDesk
) -> None:
    await closed(sent)
    promised = await sent.doors.desk.record(sent.number)
    assert promised
    assert promised.reopens_until
    async with running_desk.pool.acquire() as connection, connection.transaction():
        book = await rulebooks.current(connection)
        assert book
        shorter = Conversation.model_validate({"reopen_within": "2d"})
        policy = book.policy.model_copy(update={"conversation": shorter})
        await rulebooks.adopt(connection, book.with_policy(policy), by="test", note="")
    try:
        page = await http.get(await sent.link(Purpose.EVALUATE))
    finally:
        async with running_desk.pool.acquire() as connection, connection.transaction():
            await rulebooks.adopt(connection, book, by="test", note="")
    day = instant(promised.reopens_until, "Asia/Shanghai", Language.ZH, year=False)
    assert f"请在{day}前在这里告诉我们" in page.text
    assert promised.reopens_until - promised.last_at == book.policy.conversation.reopen_within.span


async def test_a_link_whose_time_has_passed_by_other_means_says_so_and_shows_the_page(
    sent: Sent, http: httpx2.AsyncClient
) -> None:
    await sent.act(ActionName.RESOLVE, await sent.engineer(), result="读卡器已更换")
    test = await sent.link(Purpose.TEST)
    said = {"reached": True, "running": True, "satisfied": True, "words": "好了"}
    await sent.act(ActionName.RECORD_CALLBACK, CLERK, **said)
    page = await http.get(test)
    assert page.status_code == 200
    assert "现在不必做了" in page.text
    assert "问题已经解决" in page.text
    assert (await http.post(test, data={"worked": "no", "words": "x"})).status_code == 409


async def test_an_older_link_shows_the_price_and_does_not_agree_to_it(
    doors: Doors, http: httpx2.AsyncClient
) -> None:
    sent = await by_letter(doors, kind="paid_service")
    old = await sent.link(Purpose.PROGRESS)
    link = sent.read(old)
    before = link.model_copy(update={"until": link.until - timedelta(minutes=1)})
    old = f"/l/{doors.signer.link(before)}"
    await quoted(sent)
    page = await http.get(old)
    assert page.status_code == 200
    assert "1,800.50" in page.text
    assert "confirm" not in forms(page.text)
    assert "请用我们后来发给您的消息中的链接" in page.text
    said = {"form": "confirm", "agreed": "yes"}
    assert (await http.post(old, data=said)).status_code == 403
    assert (await sent.show()).stage is Stage.CONFIRMING
    trail = [entry.outcome for entry in await sent.trail()]
    assert "refused: OlderLink" in trail


async def test_the_progress_link_of_the_quotations_letter_answers_it_once(
    doors: Doors, http: httpx2.AsyncClient
) -> None:
    sent = await by_letter(doors, kind="paid_service")
    await quoted(sent)
    progress = await sent.link(Purpose.PROGRESS)
    page = await http.get(progress)
    assert "confirm" in forms(page.text)
    (quotation,) = re.findall(r'name="quoted" value="([^"]+)"', page.text)
    said = {"form": "confirm", "agreed": "yes", "words": "尽快", "quoted": quotation}
    answers = await asyncio.gather(*(http.post(progress, data=said) for _ in range(3)))
    assert 200 in {answer.status_code for answer in answers}
    (step,) = await sent.steps(ActionName.CONFIRM)
    assert (step["role"], step["content"]["words"]) == ("customer", "尽快")
    assert "您已同意报价" in (await http.get(progress)).text


async def test_whoever_read_another_price_has_not_agreed_to_the_new_one(
    doors: Doors, http: httpx2.AsyncClient
) -> None:
    sent = await by_letter(doors, kind="paid_service")
    await quoted(sent)
    page = (await http.get(await sent.link(Purpose.CONFIRM))).text
    (read,) = re.findall(r'name="quoted" value="([^"]+)"', page)
    await sent.act(ActionName.QUOTE, await sent.engineer(), work="布三条线", amount="2600", at=None)
    said = {"form": "confirm", "agreed": "yes", "quoted": read}
    answer = await http.post(await sent.link(Purpose.CONFIRM), data=said)
    assert answer.status_code == 409
    assert "2,600.00" in answer.text
    assert "没有记录" in answer.text
    assert not await sent.steps(ActionName.CONFIRM)


async def test_expired_and_forged_links_say_whom_to_call(
    sent: Sent, http: httpx2.AsyncClient
) -> None:
    link = sent.read(await sent.link(Purpose.PROGRESS))
    over = link.model_copy(update={"until": datetime.now(UTC) - timedelta(hours=1)})
    for path, status in ((f"/l/{sent.doors.signer.link(over)}", 410), ("/l/made-up", 404)):
        page = await http.get(path)
        assert page.status_code == status
        assert HOTLINE in page.text
        assert sent.number not in page.text


async def test_whom_to_call_is_said_while_the_register_is_away(sent: Sent) -> None:
    """It was read before; without that the page comes all the same."""
    test = await sent.link(Purpose.PROGRESS)
    nowhere = f"postgresql://nobody@127.0.0.1:{free_ports(1)[0]}/yinuo"
    async with asyncpg.create_pool(nowhere, min_size=0) as pool:
        away = replace(sent.doors, registers=Registers.on(pool))
        known = await sent.doors.registers.staff.letterhead()
        away.registers.staff._letterhead = known
        transport = httpx2.ASGITransport(app=build(away))
        async with httpx2.AsyncClient(transport=transport, base_url=BASE) as http:
            page = await http.get(test, headers=ENGLISH)
    assert page.status_code == 503
    assert HOTLINE in page.text


# --- what they write ------------------------------------------------------------------------------


async def waiting(sent: Sent) -> None:
    engineer = await sent.engineer()
    await sent.act(ActionName.ACCEPT, engineer)
    said = {"reason": "主任不在", "ask": "请您打开机房"}
    await sent.act(ActionName.WAIT_FOR_CUSTOMER, engineer, **said)


async def told(sent: Sent, template: str) -> list[str]:
    """What was written to the staff by that wording."""
    rows = await pool_of(sent.doors).fetch(
        "SELECT o.body FROM outbox o JOIN issues i ON i.id = o.issue_id"
        " WHERE i.number = $1 AND o.template = $2 ORDER BY o.seq",
        *(sent.number, template),
    )
    return [row["body"] for row in rows]


def keyed(page: str, form: str, **said: str) -> dict[str, str]:
    """A form of the page as it is sent."""
    inside = page[page.index(f'name="form" value="{form}"') :]
    (key,) = re.findall(r'name="key" value="(\w+)"', inside[: inside.index("</form>")])
    return {"form": form, "key": key} | said


async def test_what_is_done_is_told_by_an_old_link_and_the_issue_goes_on(
    sent: Sent, http: httpx2.AsyncClient
) -> None:
    link = await sent.link(Purpose.PROGRESS)
    await waiting(sent)
    page = (await http.get(link)).text
    assert "请您打开机房" in page
    assert forms(page) == {"waiting"}
    said = keyed(page, "waiting", means="done", words="钥匙放在前台了")
    done = await http.post(link, data=said)
    assert done.status_code == 200
    assert "我们马上继续" in done.text
    assert (await sent.show()).stage is Stage.IN_PROGRESS
    (step,) = await sent.steps(ActionName.CUSTOMER_WROTE)
    assert (step["role"], step["content"]["means"]) == ("customer", "done")
    (body,) = await told(sent, "customer_wrote")
    assert "钥匙放在前台了" in body


async def test_a_button_says_by_itself_what_it_means_in_the_readers_language(
    sent: Sent, http: httpx2.AsyncClient
) -> None:
    link = await sent.link(Purpose.PROGRESS)
    await waiting(sent)
    page = await http.get(link, headers=ENGLISH)
    more = await http.post(
        link, data=keyed(page.text, "waiting", means="more_time", words=" "), headers=ENGLISH
    )
    assert "we will wait" in more.text
    assert (await sent.show()).stage is Stage.WAITING
    (step,) = await sent.steps(ActionName.CUSTOMER_WROTE)
    assert step["content"]["words"] == "I need more time."


@pytest.mark.parametrize("said", [{"means": "words", "words": "  "}, {"words": "钥匙在前台"}])
async def test_what_is_missing_is_said_and_what_was_written_stays(
    sent: Sent, http: httpx2.AsyncClient, said: dict[str, str]
) -> None:
    link = await sent.link(Purpose.PROGRESS)
    await waiting(sent)
    page = (await http.get(link)).text
    wrong = await http.post(link, data=keyed(page, "waiting", **said))
    assert wrong.status_code == 422
    assert len(re.findall(r'class="error"', wrong.text)) == 1
    assert said["words"].strip() in wrong.text
    assert not await sent.steps(ActionName.CUSTOMER_WROTE)


async def test_a_form_sent_twice_is_one_message_and_a_link_takes_several(
    sent: Sent, http: httpx2.AsyncClient
) -> None:
    link = await sent.link(Purpose.PROGRESS)
    for words in ("机器在二楼", "进门要登记"):
        form = keyed((await http.get(link)).text, "write", means="words", words=words)
        answers = await asyncio.gather(*(http.post(link, data=form) for _ in range(3)))
        assert {answer.status_code for answer in answers} == {200}
    steps = sorted(await sent.steps(ActionName.CUSTOMER_WROTE), key=lambda step: step["seq"])
    assert [step["content"]["words"] for step in steps] == ["机器在二楼", "进门要登记"]
    assert all(step["key"].startswith("link:") for step in steps)
    outcomes = [e.outcome for e in await sent.trail() if e.what == "customer_wrote"]
    assert set(outcomes) == {"done"}


async def test_whoever_holds_a_link_cannot_flood_an_issue_and_keeps_the_words(
    sent: Sent, http: httpx2.AsyncClient
) -> None:
    link = await sent.link(Purpose.PROGRESS)
    pool, at = pool_of(sent.doors), datetime.now(UTC)
    for n in range(20):  # by this link and others
        assert await door_log.admit(pool, f"link:{n}:{sent.number}", sent.read(link), at, "", 20)
    form = keyed((await http.get(link)).text, "write", means="words", words="还有一句<b>")
    answer = await http.post(link, data=form)
    assert answer.status_code == 429
    assert "还有一句&lt;b&gt;</textarea>" in answer.text
    assert HOTLINE in answer.text
    assert not await sent.steps(ActionName.CUSTOMER_WROTE)


async def test_that_it_failed_again_is_said_by_any_link_and_opens_the_issue_again(
    sent: Sent, http: httpx2.AsyncClient
) -> None:
    link = sent.read(await sent.link(Purpose.PROGRESS))
    before = link.model_copy(update={"until": link.until - timedelta(hours=1)})
    old = f"/l/{sent.doors.signer.link(before)}"
    await sent.act(ActionName.RESOLVE, await sent.engineer(), result="读卡器已更换")
    page = (await http.get(old)).text
    assert forms(page) == {"failed", "write"}
    said = keyed(page, "failed", means="not_solved", words="还是吞卡")
    assert (await http.post(old, data=said)).status_code == 200
    seen = await sent.show()
    assert (seen.reopen_count, seen.severity) == (1, "major")
    assert "很抱歉，上次没有真正解决" in (await http.get(old)).text


async def test_an_announced_time_is_asked_about_once(sent: Sent, http: httpx2.AsyncClient) -> None:
    link = await sent.link(Purpose.PROGRESS)
    soon = datetime.now(UTC) + timedelta(days=1)
    await sent.act(ActionName.ACCEPT, await sent.engineer(), expected_at=soon)
    page = (await http.get(link)).text
    said = keyed(page, "time", means="does_not_fit", words="")
    assert "另约时间" in (await http.post(link, data=said)).text
    assert "time" not in forms((await http.get(link)).text)
    later = soon + timedelta(days=1)
    await sent.act(
        ActionName.REPORT_PROGRESS, await sent.engineer(), note="另约", expected_at=later
    )
    assert "time" in forms((await http.get(link)).text), "that is another time"
    (body,) = await told(sent, "customer_wrote")
    assert "这个时间不方便" in body


async def test_what_is_written_about_an_issue_that_is_over_is_an_issue_of_its_own_once(
    sent: Sent, http: httpx2.AsyncClient
) -> None:
    link = await sent.link(Purpose.PROGRESS)
    await sent.act(ActionName.WITHDRAW, LEAD, reason="客户自行恢复")
    page = (await http.get(link)).text
    assert "此事已撤销" in page
    form = keyed(page, "write", means="words", words="又坏了，请派人来")
    answers = [await http.post(link, data=form) for _ in range(2)]
    numbers = {re.findall(r"登记为新的问题 (\S+)，", answer.text)[0] for answer in answers}
    assert len(numbers) == 1
    another = await sent.doors.desk.show(numbers.pop())
    was = await sent.show()
    assert another.arises_from == was.id
    kept = await sent.doors.desk.record(another.number)
    assert kept
    assert kept.intake.description == "又坏了，请派人来"
    assert kept.intake.customer.phone == sent.customer["phone"]


# --- what was said --------------------------------------------------------------------------------


async def test_what_was_said_stands_there_as_theirs_or_ours_and_nothing_between_colleagues(
    doors: Doors, http: httpx2.AsyncClient
) -> None:
    sent = await by_letter(doors, description="每取三次卡一次")
    link = await sent.link(Purpose.PROGRESS)
    engineer = await sent.engineer()
    await sent.act(ActionName.ACCEPT, engineer)
    said = {"reason": "主任不在甲甲", "ask": "请打开机房"}
    await sent.act(ActionName.WAIT_FOR_CUSTOMER, engineer, **said)
    await sent.act(ActionName.CONSULT, engineer, question="换主板吗甲甲")
    form = keyed((await http.get(link)).text, "waiting", means="done", words="钥匙在前台")
    page = (await http.post(link, data=form)).text
    talk = page[page.index('<ol class="talk"') : page.index("</ol>")]
    theirs = re.findall(r'<li class="theirs">(.*?)</li>', talk, flags=re.DOTALL)
    ours = re.findall(r'<li class="ours">(.*?)</li>', talk, flags=re.DOTALL)
    assert ["钥匙在前台" in theirs[0], "每取三次卡一次" in theirs[-1]] == [True, True]
    assert len(theirs) == 2
    assert "请打开机房" in ours[0]
    assert "甲甲" not in page


async def test_of_a_file_its_name_is_said_by_whoever_attached_it_and_nobody_says_nothing(
    doors: Doors, http: httpx2.AsyncClient
) -> None:
    sent = await by_letter(doors, title="卡钞了甲", description="")
    issue, by = await sent.show(), Actor(id="customer", role=Role.CUSTOMER)
    for who, name in ((by, "柜员机.jpg"), (await sent.engineer(), "接线图.jpg")):
        await doors.attachments.add(
            *(issue.id, name, photograph() + name.encode(), who, "page", ShownTo.CUSTOMER)
        )
    page = (await http.get(await sent.link(Purpose.PROGRESS))).text
    talk = page[page.index('<ol class="talk"') : page.index("</ol>")]
    said = re.findall(r'<li class="(\w+)">(.*?)</li>', talk, flags=re.DOTALL)
    assert ["柜员机" in text for who, text in said if who == "theirs"] == [True, False]
    assert "卡钞了甲" in said[-1][1], "where there are no other words, the title is"
    assert [who for who, text in said if "接线图" in text] == ["ours"]
    assert "字节" not in talk
