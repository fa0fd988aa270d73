"""What the register knows of an address, and how often a stranger's hears of us."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from domain.strangers import Acquaintance
from domain.vocabulary import Channel
from store import strangers
from store.connection import Pool
from tests.support.filled import MONDAY, an_issue, insert

PHONE, EMAIL = "+86 138 0000 1234", "zhang.wei@customer.example"
OPEN = (Channel.EMAIL, Channel.WEBSITE)
NEW = "issue:web:new"


async def known(database: Pool, address: str = PHONE, issue: str = NEW) -> Acquaintance:
    async with database.acquire() as connection:
        return await strangers.acquaintance(connection, issue, address, OPEN)


async def did(database: Pool, issue: str, role: str, action: str = "escalate") -> None:
    said: dict[str, Any] = {"content": {}, "recorded": {}, "at": MONDAY, "recorded_at": MONDAY}
    said |= {"seq": 1, "key": "k", "action": action, "actor": "x", "stage": "in_progress"}
    await insert(database, "issue_events", issue_id=issue, role=role, **said)


async def test_nobody_vouches_for_an_address_that_only_came_in_by_open_doors(
    database: Pool,
) -> None:
    assert await known(database) == Acquaintance()
    await an_issue(database, channel="website")
    await an_issue(database, "20261123-07-0002", channel="email", phone="+86 138 0000 9999")
    assert await known(database) == Acquaintance()


@pytest.mark.parametrize("address", ["13800001234", "0086 138-0000-1234", EMAIL.title()])
async def test_whoever_was_spoken_with_is_known_however_the_address_is_written(
    database: Pool, address: str
) -> None:
    await an_issue(database, channel="telephone")
    assert await known(database, address) == Acquaintance(spoken_with=True)


async def test_whose_issue_was_solved_is_known_and_whose_was_withdrawn_is_not(
    database: Pool,
) -> None:
    ended: dict[str, Any] = {"channel": "website", "stage": "closed", "closed_at": MONDAY}
    await an_issue(database, **ended, outcome="withdrawn")
    assert not (await known(database)).made
    await an_issue(database, "20261123-07-0002", **ended, outcome="solved", answered=True)
    assert await known(database) == Acquaintance(solved=True)


async def test_whoever_used_a_link_is_known(database: Pool) -> None:
    await did(database, await an_issue(database, channel="website"), "customer")
    assert await known(database) == Acquaintance(answered=True)


@pytest.mark.parametrize(
    ("role", "action", "taken_up"),
    [
        ("engineer", "accept", True),
        ("agent", "escalate", True),
        ("agent", "registered", False),
        ("system", "threshold", False),
        ("intake", "escalate", False),
    ],
)
async def test_an_issue_that_somebody_of_the_desk_took_up_vouches_for_itself(
    database: Pool,
    role: str,
    action: str,
    taken_up: bool,  # noqa: FBT001
) -> None:
    issue = await an_issue(database, channel="website")
    await did(database, issue, role, action)
    assert await known(database, issue=issue) == Acquaintance(taken_up=taken_up)


async def heard(database: Pool, address: str, minutes: int = 0) -> bool:
    at = MONDAY + timedelta(minutes=minutes)
    async with database.acquire() as connection:
        return await strangers.may_hear(connection, address, at, 3)


async def test_a_stranger_hears_so_often_in_any_hour_and_no_oftener(database: Pool) -> None:
    assert [await heard(database, PHONE, minutes) for minutes in (0, 20, 40, 50, 59)] == [
        *(True, True, True, False, False)
    ]
    assert [await heard(database, PHONE, minutes) for minutes in (61, 62, 79, 81, 82)] == [
        *(True, False, False, True, False)
    ]


async def test_those_who_ask_at_once_are_counted_one_by_one(database: Pool) -> None:
    asked = await asyncio.gather(*(heard(database, EMAIL) for _ in range(9)))
    assert sum(asked) == 3


async def test_other_spellings_are_the_same_address(database: Pool) -> None:
    spelt = (EMAIL, "Zhang.Wei+1@Customer.Example", "zhang.wei+2@customer.example")
    assert [await heard(database, each) for each in (*spelt, EMAIL)] == [True, True, True, False]
    numbers = (PHONE, "13800001234", "0086 138-0000-1234", "138 0000 1234")
    assert [await heard(database, each) for each in numbers] == [True, True, True, False]
    assert await heard(database, "+86 139 0000 1234")
