"""`yinuo issue words`: what somebody wrote that is no issue of its own."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from cli.console import ExitCode
from runtime import postgres
from runtime.embedded.servers import database_url
from store import kept_words
from store.kept_words import Kept, Why
from tests.cli.test_app import BY_HAND
from tests.support.running_desk import RunningDesk, Yinuo


def test_what_was_kept_is_shown_and_the_look_recorded(
    yinuo: Yinuo, running_desk: RunningDesk
) -> None:
    issue = yinuo("issue", "open", *BY_HAND.split(), "--json").json
    assert "Nothing else" in yinuo("issue", "words", issue["number"]).out
    kept = Kept(
        key=issue["id"],
        issue_id=issue["id"],
        at=datetime.now(UTC),
        door="mailbox",
        sender="chen@example.com",
        subject="Re: 卡钞",
        body="[red]又卡了[/red]",
        why=Why.SAME_ID,
    )

    async def keep() -> None:
        async with postgres.pool(database_url(running_desk.settings), size=1) as pool:
            await kept_words.keep(pool, kept)

    asyncio.run(keep())
    assert "[red]又卡了[/red]" in yinuo("issue", "words", issue["number"]).out
    (shown,) = yinuo("issue", "words", issue["number"], "--json").json
    assert shown == kept.model_dump(mode="json")
    trail = yinuo("audit", "--number", issue["number"], "--json").json
    assert [each["what"] for each in trail if each["outcome"] == "seen"] == ["see_customer"] * 3


def test_of_no_issue_nothing_is_shown(yinuo: Yinuo) -> None:
    assert yinuo("issue", "words", "20200101-07-0001").code == ExitCode.NOT_FOUND
