"""Photographs and files on pages: sent with a form, shown drawn anew, and never as they came."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from html import unescape
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from PIL import Image

from domain.attachments import Attachment, ShownTo, Standing
from domain.issue.actions import ActionName
from domain.issue.view import IssueView
from domain.links import Purpose
from domain.staff.access import Caller, Right
from domain.vocabulary import Role, Stage
from starter.attachments import Attachments
from starter.client import Unavailable
from tests.support import hostile_files as files
from tests.support.builders import an_intake
from tests.support.staff_at_pages import AtDesk, pool_of, sign_in
from tests.web.conftest import BASE
from tests.web.test_link_pages import Sent, closed, opened
from web import attached
from web.app import build
from web.context import Doors

_PICTURE = re.compile(r'<img src="([^"]+)"')
_LARGER = re.compile(r'<a href="([^"]+/large[^"]+)"')
_DOWNLOAD = re.compile(r'<a href="(/attachments/[^"]+)" download')
Files = list[tuple[str, tuple[str, bytes, str]]]


def sent(*given: tuple[str, bytes]) -> Files:
    """As browsers send files: under one name, of a type that nobody believes."""
    return [("files", (name, content, "image/jpeg")) for name, content in given]


@pytest.fixture
async def agent(doors: Doors, http: httpx2.AsyncClient) -> AtDesk:
    return await sign_in(doors, http, Role.AGENT, "07")


@pytest.fixture
async def issue(doors: Doors) -> IssueView:
    return await doors.desk.open(an_intake(reference=uuid4().hex, region="广东", agent="07"))


async def post(
    agent: AtDesk, issue: IssueView, given: Files, *, script: bool = False, **more: str
) -> httpx2.Response:
    page = await agent.get(f"/intake/{issue.number}")
    csrf = re.findall(r'name="csrf" value="([^"]+)"', page.text)[-1]
    headers = agent._headers() | ({"HX-Request": "true"} if script else {})
    form = {"csrf": unescape(csrf), "back": f"/intake/{issue.number}"} | more
    return await agent.http.post(f"/attach/{issue.number}", data=form, files=given, headers=headers)


async def of(doors: Doors, issue: IssueView) -> list[Attachment]:
    return await doors.attachments.of(issue.id)


async def test_several_files_at_once_are_attached_and_seen_on_the_page(
    doors: Doors, agent: AtDesk, issue: IssueView
) -> None:
    given = sent(
        ("出钞口.jpg", files.photograph()), ("b.png", files.picture("PNG")), ("报告.pdf", files.PDF)
    )
    answer = await post(agent, issue, given)
    assert (answer.status_code, answer.headers["location"]) == (
        *(303, f"/intake/{issue.number}#attachments"),
    )
    found = await of(doors, issue)
    assert [(each.name, each.door, each.shown_to) for each in found] == [
        ("出钞口.jpg", "page", ShownTo.STAFF),
        ("b.png", "page", ShownTo.STAFF),
        ("报告.pdf", "page", ShownTo.STAFF),
    ]
    page = (await agent.get(f"/intake/{issue.number}")).text
    assert len(_PICTURE.findall(page)) == 2
    assert "报告.pdf" in page
    assert [each.outcome for each in await agent.trail(Right.ATTACH)][:3] == ["done"] * 3


async def test_photographs_are_shown_drawn_anew_and_handed_out_as_they_came(
    agent: AtDesk, issue: IssueView
) -> None:
    taken = files.photograph(size=(3000, 2000))
    await post(agent, issue, sent(("出钞口.jpg", taken)))
    page = (await agent.get(f"/intake/{issue.number}")).text
    for pattern, longest in ((_PICTURE, 320), (_LARGER, 1280)):
        shown = await agent.get(unescape(pattern.findall(page)[0]))
        assert shown.headers["content-type"] == "image/jpeg"
        assert Image.open(io.BytesIO(shown.content)).size == (longest * 2 // 3, longest)
        assert files.PLACE not in shown.content
        assert "sandbox" in shown.headers["content-security-policy"]
        assert shown.headers["x-content-type-options"] == "nosniff"
        assert shown.headers["cache-control"] == "no-store"
    original = await agent.get(unescape(_DOWNLOAD.findall(page)[0]))
    assert original.content == taken
    assert original.headers["content-disposition"].startswith("attachment")


async def test_of_several_files_those_that_are_not_taken_are_named_and_cost_no_other(
    doors: Doors, agent: AtDesk, issue: IssueView
) -> None:
    given = sent(
        ("good.jpg", files.picture()),
        ("<b>.svg", files.SVG.encode()),
        ("cut.jpg", files.picture(size=(900, 900))[:2000]),
        ("nothing.txt", b""),
        ("also good.txt", b"words"),
    )
    answer = await post(agent, issue, given)
    assert answer.status_code == 422
    assert [each.name for each in await of(doors, issue)] == ["good.jpg", "also good.txt"]
    for said in (
        "&lt;b&gt;.svg",
        "这种文件不收",
        "cut.jpg",
        "图片打不开",
        "nothing.txt",
        "文件是空的",
    ):
        assert said in answer.text
    outcomes = [each.outcome for each in await agent.trail(Right.ATTACH)][:5]
    assert sorted(outcomes) == ["done"] * 2 + ["refused: Invalid"] * 3


async def test_our_script_gets_the_part_that_changes_and_the_reason(
    agent: AtDesk, issue: IssueView
) -> None:
    good = await post(agent, issue, sent(("a.jpg", files.picture())), script=True)
    assert (good.status_code, good.headers["x-part"]) == (200, "album")
    assert len(_PICTURE.findall(good.text)) == 1
    assert "<html" not in good.text
    bad = await post(agent, issue, sent(("x.jpg", files.PAGE.encode())), script=True)
    assert (bad.status_code, bad.headers["x-part"]) == (422, "album")
    assert "x.jpg" in bad.text.partition("data-left")[2]


async def test_the_same_form_sent_twice_attaches_once(
    doors: Doors, agent: AtDesk, issue: IssueView
) -> None:
    for _ in range(2):
        await post(agent, issue, sent(("a.jpg", files.picture())))
    assert len(await of(doors, issue)) == 1


async def test_what_staff_say_is_for_the_customer_is(
    doors: Doors, agent: AtDesk, issue: IssueView
) -> None:
    await post(agent, issue, sent(("a.jpg", files.picture())), for_customer="yes")
    assert [each.shown_to for each in await of(doors, issue)] == [ShownTo.CUSTOMER]


async def test_where_contents_are_away_it_is_said_of_each_file(
    doors: Doors, issue: IssueView
) -> None:
    class Away(Attachments):
        async def add(self, *_: Any, **__: Any) -> Attachment:
            raise Unavailable("away")

    away = Away(doors.attachments._pool, doors.attachments._contents, doors.attachments._examiner)
    app = build(replace(doors, attachments=away))
    transport = httpx2.ASGITransport(app=app, client=("127.0.0.1", 5000))
    async with httpx2.AsyncClient(transport=transport, base_url=BASE) as http:
        agent = await sign_in(doors, http, Role.AGENT, "07")
        answer = await post(agent, issue, sent(("a.jpg", files.picture())))
    assert answer.status_code == 422
    assert "a.jpg" in answer.text


# Who ----------------------------------------------------------------------------------------------


async def test_whoever_may_not_see_the_issue_can_neither_send_nor_see(
    doors: Doors, agent: AtDesk, issue: IssueView
) -> None:
    await post(agent, issue, sent(("a.jpg", files.picture())))
    assert issue.engineer
    other = "liang.jiahao" if issue.engineer.id != "liang.jiahao" else "chen.zhiqiang"
    engineer = await sign_in(doors, agent.http, Role.ENGINEER, other)
    csrf = re.findall(r'name="csrf" value="([^"]+)"', (await engineer.get("/my")).text)[-1]
    answer = await engineer.http.post(
        f"/attach/{issue.number}",
        data={"csrf": unescape(csrf)},
        files=sent(("b.jpg", files.picture("PNG"))),
    )
    assert answer.status_code == 403
    assert len(await of(doors, issue)) == 1


async def test_files_from_anywhere_but_our_own_pages_are_refused(
    doors: Doors, agent: AtDesk, issue: IssueView
) -> None:
    answer = await agent.http.post(
        f"/attach/{issue.number}", files=sent(("a.jpg", files.picture()))
    )
    assert answer.status_code == 403
    assert not await of(doors, issue)


@pytest.mark.parametrize("size", ["small", "large"])
async def test_a_picture_is_had_only_by_the_address_that_a_page_made_for_it(
    doors: Doors, agent: AtDesk, issue: IssueView, size: str
) -> None:
    await post(agent, issue, sent(("a.jpg", files.picture()), ("b.png", files.picture("PNG"))))
    one, other = await of(doors, issue)
    address = attached.address(doors, one, "07", Role.AGENT)
    key = address.partition("?")[2]
    assert (await agent.get(f"/attachments/{one.id}/{size}?{key}")).status_code == 200
    for wrong in (f"/attachments/{other.id}/{size}?{key}", f"/attachments/{one.id}/{size}"):
        assert (await agent.get(wrong)).status_code == 401
    assert (await agent.get(f"/attachments/{one.id}/huge?{key}")).status_code == 422


async def test_what_waits_for_the_scanner_is_named_and_given_to_nobody(
    doors: Doors, agent: AtDesk, issue: IssueView
) -> None:
    await post(agent, issue, sent(("a.jpg", files.picture())))
    [one] = await of(doors, issue)
    key = attached.address(doors, one, "07", Role.AGENT).partition("?")[2]
    for standing, said in ((Standing.WAITING, "等待安全检查"), (Standing.REMOVED, "恶意软件")):
        await doors.attachments._pool.execute(
            "UPDATE attachments SET standing = $2 WHERE id = $1", one.id, standing
        )
        page = (await agent.get(f"/intake/{issue.number}")).text
        assert said in page
        assert not _PICTURE.findall(page)
        assert not _DOWNLOAD.findall(page)
        for path in ("", "/small", "/large"):
            refused = await agent.get(f"/attachments/{one.id}{path}?{key}")
            assert refused.status_code in (404, 409)


# Customers ----------------------------------------------------------------------------------------


@pytest.fixture
async def theirs(doors: Doors) -> Sent:
    return await opened(doors)


async def by_link(
    http: httpx2.AsyncClient, link: str, given: Files, *, script: bool = False
) -> httpx2.Response:
    headers = {"Accept": "text/html"} | ({"HX-Request": "true"} if script else {})
    return await http.post(f"{link}/files", files=given, headers=headers)


async def test_a_customer_adds_photographs_by_any_of_their_links_and_sees_them_there(
    doors: Doors, http: httpx2.AsyncClient, theirs: Sent
) -> None:
    link = await theirs.link(Purpose.PROGRESS)
    answer = await by_link(http, link, sent(("a.jpg", files.photograph()), ("b.pdf", files.PDF)))
    assert (answer.status_code, answer.headers["location"]) == (303, f"{link}#attachments")
    found = await of(doors, await theirs.show())
    assert [(each.name, each.role, each.door, each.shown_to) for each in found] == [
        ("a.jpg", Role.CUSTOMER, "link", ShownTo.CUSTOMER),
        ("b.pdf", Role.CUSTOMER, "link", ShownTo.CUSTOMER),
    ]
    page = (await http.get(link)).text
    shown = await http.get(unescape(_PICTURE.findall(page)[0]))
    assert Image.open(io.BytesIO(shown.content)).size == (240, 320)
    assert (Right.ATTACH, "customer", "done") in [
        (each.what, each.person, each.outcome) for each in await theirs.trail()
    ]


async def test_whoever_has_the_issue_is_told_of_a_customers_files_once_of_those_that_came_together(
    http: httpx2.AsyncClient, theirs: Sent
) -> None:
    engineer = await theirs.engineer()
    await theirs.act(ActionName.ACCEPT, engineer)
    ask = {"reason": "等照片", "ask": "请发一张铭牌的照片"}
    await theirs.act(ActionName.WAIT_FOR_CUSTOMER, engineer, **ask)
    link = await theirs.link(Purpose.PROGRESS)
    await by_link(http, link, sent(("x.svg", files.SVG.encode())))
    assert (await theirs.show()).stage is Stage.WAITING
    together = sent(("a.jpg", files.photograph()), ("b.pdf", files.PDF))
    for _ in range(2):
        assert (await by_link(http, link, together)).status_code == 303
    (wrote,) = await theirs.steps(ActionName.CUSTOMER_WROTE)
    assert wrote["content"]["words"] == "（发来照片或文件：a.jpg, b.pdf）"
    assert wrote["role"] == Role.CUSTOMER
    assert (await theirs.show()).stage is Stage.IN_PROGRESS
    told = "SELECT count(*) FROM outbox WHERE issue_id = $1 AND template = 'customer_wrote'"
    assert await pool_of(theirs.doors).fetchval(told, wrote["issue_id"]) == 1
    await by_link(http, link, sent(("c.jpg", files.picture())))
    assert len(await theirs.steps(ActionName.CUSTOMER_WROTE)) == 2


async def test_a_customer_is_told_of_each_file_that_is_not_taken(
    http: httpx2.AsyncClient, theirs: Sent
) -> None:
    link = await theirs.link(Purpose.PROGRESS)
    given = sent(("a.jpg", files.picture()), ("x.svg", files.SVG.encode()))
    answer = await by_link(http, link, given)
    assert answer.status_code == 422
    assert "x.svg" in answer.text
    assert "这种文件不收" in answer.text
    part = await by_link(http, link, sent(("x.svg", files.SVG.encode())), script=True)
    assert (part.status_code, part.headers["x-part"]) == (422, "album")


async def test_a_customer_sees_nothing_that_is_for_staff(
    doors: Doors, http: httpx2.AsyncClient, theirs: Sent
) -> None:
    issue = await theirs.show()
    by = Caller(id="07", role=Role.AGENT, name="07").by
    await doors.attachments.add(issue.id, "inside.jpg", files.picture(), by, "page", ShownTo.STAFF)
    page = (await http.get(await theirs.link(Purpose.PROGRESS))).text
    assert "inside.jpg" not in page
    assert not _PICTURE.findall(page)


async def test_links_of_staff_and_links_that_are_none_take_in_no_file(
    doors: Doors, http: httpx2.AsyncClient, theirs: Sent
) -> None:
    accept = await theirs.link(Purpose.ACCEPT)
    progress = await theirs.link(Purpose.PROGRESS)
    for link, status in ((accept, 403), (f"{progress[:-2]}xx", 404), ("/l/none", 404)):
        answer = await by_link(http, link, sent(("a.jpg", files.picture())))
        assert answer.status_code == status
    assert not await of(doors, await theirs.show())


async def test_nothing_is_added_to_what_is_closed(
    doors: Doors, http: httpx2.AsyncClient, theirs: Sent
) -> None:
    link = await theirs.link(Purpose.PROGRESS)
    await closed(theirs)
    answer = await by_link(http, link, sent(("a.jpg", files.picture())))
    assert answer.status_code == 409
    assert not await of(doors, await theirs.show())
    assert f"{link}/files" not in (await http.get(link)).text
