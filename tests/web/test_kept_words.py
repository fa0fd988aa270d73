"""What somebody wrote that is no issue of its own is shown with the issue it is kept with (R30)."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import httpx2

from domain.vocabulary import Role
from store import door_log, kept_words
from store.kept_words import Kept, Why
from tests.support.staff_at_pages import pool_of, sign_in
from tests.web.conftest import PEOPLE, MakeToken
from tests.web.test_clerk_pages import from_shanghai
from web.context import Doors

WORDS = "<b>又卡了</b>"


async def test_what_was_kept_is_shown_to_whoever_may_see_the_customer_and_the_look_is_recorded(
    doors: Doors, http: httpx2.AsyncClient, token: MakeToken
) -> None:
    issue = await doors.desk.open(from_shanghai({"name": "陈红", "phone": "+86 137 0000 0022"}))
    kept = Kept(
        key=uuid4().hex,
        issue_id=issue.id,
        at=datetime.now(UTC),
        door="mailbox",
        sender="chen@example.com",
        subject="Re: 卡钞",
        body=WORDS,
        why=Why.SAME_ID,
    )
    await kept_words.keep(pool_of(doors), kept)

    office, auditor = await token(Role.GM_OFFICE), await token(Role.AUDITOR)
    told = await http.get(f"/issues/{issue.number}/words", headers=office)
    assert told.json()["items"] == [kept.model_dump(mode="json")]
    assert told.headers["Cache-Control"] == "no-store"
    refused = await http.get(f"/issues/{issue.number}/words", headers=auditor)
    assert refused.status_code == 403

    for role, room in ((Role.LEAD, "board"), (Role.AGENT, "intake")):
        person = await sign_in(doors, http, role, PEOPLE[role])
        page = (await person.get(f"/{room}/{issue.number}")).text
        assert "&lt;b&gt;又卡了&lt;/b&gt;" in page
        assert WORDS not in page
    looks = await door_log.entries(pool_of(doors), number=issue.number)
    seen = sorted(each.what for each in looks if each.outcome == "seen")
    assert seen == ["see_customer"] * 3


async def test_where_nothing_else_was_written_nothing_is_shown(
    doors: Doors, http: httpx2.AsyncClient
) -> None:
    issue = await doors.desk.open(from_shanghai({"name": "陈红", "phone": "+86 137 0000 0022"}))
    agent = await sign_in(doors, http, Role.AGENT, PEOPLE[Role.AGENT])
    page = (await agent.get(f"/intake/{issue.number}")).text
    assert "补充内容" not in page
    assert 'id="open-words"' not in page
