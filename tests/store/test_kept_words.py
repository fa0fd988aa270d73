"""Words that are no issue of their own are kept with one, once, and shown to whoever may see it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from store import kept_words
from store.connection import Pool
from store.kept_words import Kept, Why
from tests.support.filled import MONDAY, an_issue


def words(issue: str, key: str = "k-1", **changes: Any) -> Kept:
    said = {"at": MONDAY, "door": "mailbox", "sender": "zhang@example.com", "subject": "卡钞"}
    return Kept(
        key=key, issue_id=issue, **{**said, "body": "又卡了", "why": Why.SAME_ID, **changes}
    )


async def test_the_same_words_are_kept_once_and_others_beside_them(database: Pool) -> None:
    issue = await an_issue(database)
    same = await asyncio.gather(*(kept_words.keep(database, words(issue)) for _ in range(5)))
    assert sorted(same) == [False] * 4 + [True]
    later = words(issue, "k-0", at=MONDAY + timedelta(minutes=1), body="第二封", why=Why.TOO_MANY)
    assert await kept_words.keep(database, later)
    assert await kept_words.of_issue(database, issue) == [words(issue), later]


async def test_words_about_no_issue_are_not_taken_for_kept(database: Pool) -> None:
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await kept_words.keep(database, words("issue:mail:nobody"))


async def test_what_is_kept_is_not_changed_by_the_application(database: Pool) -> None:
    await kept_words.keep(database, words(await an_issue(database)))
    for change in ("UPDATE kept_words SET body = ''", "DELETE FROM kept_words"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await database.execute(change)
