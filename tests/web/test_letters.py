"""`GET /issues/{number}/letters`: the original is there for who may see the customer."""

from __future__ import annotations

from pathlib import Path

import httpx2
import pytest

from domain.staff.access import Right
from domain.vocabulary import Role
from inbound.mail import LetterBox
from store import door_log
from tests.support.letters import FIELD, form
from tests.support.running_desk import RunningDesk, Yinuo
from tests.web.conftest import MakeToken


@pytest.fixture
async def number(running_desk: RunningDesk) -> str:
    box = LetterBox(running_desk.desk, running_desk.pool, form(), running_desk.attachments)
    return (await box.take(RAW, "192.0.2.7")).said


RAW = (FIELD / "m25-html.eml").read_bytes()


async def test_a_letter_is_downloaded_as_it_came_and_the_look_written_down(
    http: httpx2.AsyncClient, token: MakeToken, running_desk: RunningDesk, number: str
) -> None:
    agent = await token(Role.AGENT)
    [kept] = (await http.get(f"/issues/{number}/letters", headers=agent)).json()["items"]
    assert kept["size"] == len(RAW)
    found = await http.get(f"/issues/{number}/letters/{kept['id']}", headers=agent)
    assert (found.status_code, found.content) == (200, RAW)
    assert found.headers["content-type"] == "message/rfc822"
    assert found.headers["content-disposition"].startswith('attachment; filename="')
    assert found.headers["x-content-type-options"] == "nosniff"
    assert found.headers["cache-control"] == "no-store"
    seen = await door_log.entries(running_desk.pool, number=number)
    assert (seen[0].what, seen[0].outcome) == (Right.SEE_CUSTOMER, "seen")


@pytest.mark.parametrize("path", ["letters", "letters/0123456789abcdef"])
async def test_who_may_not_see_the_customer_may_not_see_the_letter(
    http: httpx2.AsyncClient, token: MakeToken, number: str, path: str
) -> None:
    found = await http.get(f"/issues/{number}/{path}", headers=await token(Role.AUDITOR))
    assert found.status_code == 403


async def test_a_letter_that_is_not_kept_is_not_found(
    http: httpx2.AsyncClient, token: MakeToken, number: str
) -> None:
    path = f"/issues/{number}/letters/0123456789abcdef"
    assert (await http.get(path, headers=await token(Role.AGENT))).status_code == 404


async def test_letters_of_one_id_are_both_kept(running_desk: RunningDesk, number: str) -> None:
    box = LetterBox(running_desk.desk, running_desk.pool, form(), running_desk.attachments)
    one, other = (FIELD / f"m21{which}-sameid.eml" for which in "ab")
    first = await box.take(one.read_bytes(), "192.0.2.7")
    await box.take(other.read_bytes(), "192.0.2.7")
    found = await running_desk.pool.fetchval(
        "SELECT count(*) FROM letters l JOIN issues i ON i.id = l.issue_id WHERE i.number = $1",
        first.said,
    )
    assert found == 2


def test_the_command_writes_the_letters_of_an_issue_and_the_look_down(
    yinuo: Yinuo, number: str, tmp_path: Path
) -> None:
    ran = yinuo("issue", "letter", number, "--into", str(tmp_path))
    [written] = tmp_path.iterdir()
    assert (ran.code, ran.out.strip()) == (0, str(written)), ran.err
    assert written.read_bytes() == RAW
    assert written.stat().st_mode & 0o077 == 0
    trail = yinuo("audit", "--number", number).out
    assert "command line" in trail
    assert Right.SEE_CUSTOMER in trail
