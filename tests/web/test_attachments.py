"""Attachments over HTTP: taken as they come, never more than may, and given to nobody else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
import uvicorn
from starlette.requests import ClientDisconnect

from domain.attachments import Attachment
from domain.staff.access import Right
from domain.vocabulary import Role
from runtime.embedded.ports import free_ports
from store import door_log
from tests.support.hostile_files import picture
from tests.support.running_desk import RunningDesk, Yinuo
from tests.web.conftest import MakeToken
from tests.web.test_api_opening import an_intake
from web import attached
from web.app import build
from web.context import Doors
from web.problems import PROBLEM

PHOTO = picture()
LARGEST = 20 * 1024**2


@pytest.fixture
async def number(http: httpx2.AsyncClient, token: MakeToken) -> str:
    answer = await http.post("/issues", json=an_intake(), headers=await token(Role.INTAKE))
    return str(answer.json()["number"])


def path(number: str, name: str = "卡钞.jpg") -> str:
    return str(httpx2.URL(f"/issues/{number}/attachments", params={"name": name}))


async def test_a_photograph_of_an_intake_system_is_had_by_whoever_has_the_issue(
    http: httpx2.AsyncClient, token: MakeToken, running_desk: RunningDesk, number: str
) -> None:
    web, agent = await token(Role.INTAKE), await token(Role.AGENT)
    came = await http.post(path(number), content=PHOTO, headers=web)
    one = Attachment.model_validate(came.json())
    assert (came.status_code, came.headers["location"]) == (201, f"/attachments/{one.id}")
    assert (one.name, one.kind, one.shown_to, one.role) == (
        *("卡钞.jpg", "image/jpeg", "customer", Role.INTAKE),
    )
    again = await http.post(path(number), content=PHOTO, headers=web)
    assert (again.status_code, again.json()["id"]) == (200, one.id)

    listed = await http.get(f"/issues/{number}/attachments", headers=agent)
    assert listed.json()["items"] == [came.json()]
    found = await http.get(f"/attachments/{one.id}", headers=agent)
    assert (found.status_code, found.content) == (200, PHOTO)
    seen = await door_log.entries(running_desk.pool, number=number)
    assert [(each.what, each.outcome) for each in seen if each.role is Role.AGENT] == [
        (Right.SEE_CUSTOMER, "seen")
    ] * 2
    assert (Right.ATTACH, "done") in [(each.what, each.outcome) for each in seen]


async def test_what_staff_attach_is_for_staff_unless_they_say_otherwise(
    http: httpx2.AsyncClient, token: MakeToken, number: str
) -> None:
    agent = await token(Role.AGENT)
    usual = await http.post(path(number), content=PHOTO, headers=agent)
    assert usual.json()["shown_to"] == "staff"
    said = path(number, "b.jpg") + "&shown_to=customer"
    assert (await http.post(said, content=PHOTO, headers=agent)).json()["shown_to"] == "customer"


async def test_an_answer_is_a_download_that_can_run_and_show_nothing(
    http: httpx2.AsyncClient, token: MakeToken, number: str
) -> None:
    agent = await token(Role.AGENT)
    name = '卡"; filename="x.html'
    one = (await http.post(path(number, name), content=PHOTO, headers=agent)).json()["id"]
    for ask in (http.get, http.head):
        found = await ask(f"/attachments/{one}", headers=agent)
        assert found.headers["content-type"] == "image/jpeg"
        assert found.headers["content-length"] == str(len(PHOTO))
        assert found.headers["content-disposition"] == (
            'attachment; filename="___ filename__x.html.jpg";'
            " filename*=UTF-8''%E5%8D%A1_%3B%20filename%3D_x.html.jpg"
        )
        assert found.headers["content-security-policy"] == "default-src 'none'; sandbox"
        assert found.headers["x-content-type-options"] == "nosniff"
        assert found.headers["cross-origin-resource-policy"] == "same-origin"
        assert found.headers["cache-control"] == "no-store"


async def halves(size: int) -> AsyncIterator[bytes]:
    for _ in range(2):
        yield b"%PDF-1" + bytes(size // 2 - 6)


@pytest.mark.parametrize(
    ("content", "status", "said"),
    [
        (b"", 422, "is empty"),
        (b"MZ\x90\x00", 415, "application/x-executable is not taken"),
        (PHOTO[:3] + bytes(LARGEST), 413, "larger than 20MB"),
        (halves(LARGEST + 2), 413, "larger than 20MB"),
        (halves(3 * LARGEST), 413, "larger than 20MB"),
    ],
    ids=["empty", "kind", "large", "a byte too large", "large, unannounced"],
)
async def test_what_is_not_taken_is_refused_with_the_reason_and_nothing_of_it_is_kept(
    http: httpx2.AsyncClient, token: MakeToken, number: str, content: Any, status: int, said: str
) -> None:
    agent = await token(Role.AGENT)
    refused = await http.post(path(number), content=content, headers=agent)
    assert (refused.status_code, refused.headers["content-type"]) == (status, PROBLEM)
    assert said in refused.json()["detail"]
    listed = await http.get(f"/issues/{number}/attachments", headers=agent)
    assert listed.json()["items"] == []


async def test_as_much_as_a_file_may_have_is_taken_and_nothing_else_takes_as_much(
    http: httpx2.AsyncClient, token: MakeToken, number: str
) -> None:
    agent = await token(Role.AGENT)
    assert (await http.post(path(number), content=halves(LARGEST), headers=agent)).is_success
    words = await http.post(f"/issues/{number}/words", content=halves(LARGEST), headers=agent)
    assert words.status_code == 413


async def test_of_no_issue_and_without_a_name_nothing_is_taken(
    http: httpx2.AsyncClient, token: MakeToken, number: str
) -> None:
    agent = await token(Role.AGENT)
    missing = await http.post(path("20200101-07-0001"), content=PHOTO, headers=agent)
    assert missing.status_code == 404
    nameless = await http.post(f"/issues/{number}/attachments", content=PHOTO, headers=agent)
    assert nameless.json()["errors"][0]["field"] == "name"
    assert (await http.get(f"/attachments/{'0' * 32}", headers=agent)).status_code == 404


async def test_a_signed_address_shows_one_attachment_for_some_minutes_to_whom_it_was_made_for(
    doors: Doors,
    http: httpx2.AsyncClient,
    token: MakeToken,
    number: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    agent = await token(Role.AGENT)
    one, other = [
        Attachment.model_validate(
            (await http.post(path(number, name), content=PHOTO, headers=agent)).json()
        )
        for name in ("a.jpg", "b.jpg")
    ]
    address = attached.address(doors, one, "liang.jiahao", Role.ENGINEER)
    found = await http.get(address)
    assert (found.status_code, found.content) == (200, PHOTO)
    trail = await door_log.entries(doors.registers.audit_trail._pool, number=number)
    assert (trail[0].person, trail[0].via, trail[0].outcome) == (
        *("liang.jiahao", "signed address", "seen"),
    )
    key = address.partition("?")[2]
    assert (await http.get(f"/attachments/{other.id}?{key}")).status_code == 401
    assert (await http.get(f"{address}x")).status_code == 401
    assert (await http.get(f"/attachments/{one.id}")).status_code == 401
    monkeypatch.setattr(attached, "LASTS", -1)
    assert (await http.get(address)).status_code == 410


async def test_a_caller_who_goes_away_in_the_middle_leaves_nothing(
    doors: Doors, http: httpx2.AsyncClient, token: MakeToken, number: str
) -> None:
    agent = await token(Role.AGENT)

    async def broken() -> AsyncIterator[bytes]:
        yield PHOTO
        raise ClientDisconnect

    answer = await http.post(path(number), content=broken(), headers=agent)
    assert answer.status_code == 400
    listed = await http.get(f"/issues/{number}/attachments", headers=agent)
    assert listed.json()["items"] == []


async def test_whoever_is_refused_need_not_send_the_file_first(
    doors: Doors, token: MakeToken, number: str
) -> None:
    """A server asks for the body when somebody wants it: `Expect: 100-continue`."""
    (port,) = free_ports(1)
    server = uvicorn.Server(
        uvicorn.Config(build(doors), port=port, log_config=None, lifespan="off")
    )
    serving = asyncio.create_task(server._serve())
    while not server.started:
        await asyncio.sleep(0)
    headers = await token(Role.AUDITOR) | {"Expect": "100-continue", "Content-Length": "9999999"}
    head = "".join(f"{name}: {said}\r\n" for name, said in headers.items())
    reading, writing = await asyncio.open_connection("127.0.0.1", port)
    writing.write(f"POST {path(number)} HTTP/1.1\r\nHost: 127.0.0.1\r\n{head}\r\n".encode())
    assert (await reading.readline()).startswith(b"HTTP/1.1 403")
    writing.close()
    server.should_exit = True
    await serving


def test_the_command_attaches_lists_and_gives_out_files(
    yinuo: Yinuo, number: str, tmp_path: Any
) -> None:
    photo, note = tmp_path / "卡钞.jpg", tmp_path / "note.txt"
    photo.write_bytes(PHOTO)
    note.write_text("读卡器\n", "utf-8")
    said = ("--by", "liang.jiahao")
    ran = yinuo("issue", "attach", number, str(photo), str(note), *said, "--json")
    assert [(each["name"], each["door"], each["shown_to"]) for each in ran.json] == [
        ("卡钞.jpg", "cli", "staff"),
        ("note.txt", "cli", "staff"),
    ]
    assert yinuo("issue", "attachments", number, "--json").json == ran.json
    assert "卡钞.jpg" in yinuo("issue", "attachments", number).out
    one = yinuo("issue", "attachment", ran.json[1]["id"])
    assert (one.code, one.out) == (0, "读卡器\n"), one.err
    trail = yinuo("audit", "--number", number, "--json").json
    assert [each["what"] for each in trail if each["via"] == "command line"] == ["see_customer"] * 3


def test_the_command_says_what_it_does_not_take(yinuo: Yinuo, number: str, tmp_path: Any) -> None:
    program = tmp_path / "a.exe"
    program.write_bytes(b"MZ\x90\x00")
    refused = yinuo("issue", "attach", number, str(program), "--by", "liang.jiahao")
    assert (refused.code, "is not taken" in refused.err) == (2, True)
    missing = yinuo("issue", "attach", number, str(tmp_path / "b"), "--by", "liang.jiahao")
    assert (missing.code, "there is no file" in missing.err) == (2, True)
    assert yinuo("issue", "attachment", "0" * 32).code == 3
