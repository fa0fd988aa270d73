"""So many letters of one sender become issues in an hour, in all processes together."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from domain.sla.policy import Letters
from store import letter_senders
from store.connection import Pool
from store.kept_words import KeptWith, Why
from store.letter_senders import TooMany, Written
from tests.support.filled import MONDAY, an_issue

ALLOWED = Letters(per_hour=4, alike=2)


def written(
    number: int, words: str | None = None, minutes: int = 0, sender: str = "a@b"
) -> Written:
    return Written(
        issue_id=f"issue:hotline:{number}",
        message_id=f"<{number}@x>",
        sender=sender,
        words=words or f"w{number}",
        at=MONDAY + timedelta(minutes=minutes),
    )


async def let(database: Pool, letter: Written) -> bool:
    try:
        await letter_senders.admit(database, letter, ALLOWED)
    except TooMany:
        return False
    return True


async def test_a_sender_is_let_so_often_in_any_hour(database: Pool) -> None:
    assert [await let(database, written(n, minutes=10 * n)) for n in range(6)] == [
        *(True, True, True, True, False, False)
    ]
    assert await let(database, written(7, sender="other@b"))
    assert await let(database, written(8, minutes=61))
    assert not await let(database, written(9, minutes=61))


async def test_letters_that_say_the_same_are_let_more_rarely(database: Pool) -> None:
    assert [await let(database, written(n, "away")) for n in range(3)] == [True, True, False]
    assert await let(database, written(3))


async def test_what_was_let_once_always_is(database: Pool) -> None:
    for number in range(4):
        assert await let(database, written(number))
    assert await let(database, written(0, minutes=30))
    assert await database.fetchval("SELECT count(*) FROM letter_senders") == 4


async def test_a_letter_that_became_an_issue_before_senders_were_counted_is_let(
    database: Pool,
) -> None:
    for number in range(4):
        assert await let(database, written(number))
    old = await an_issue(database)
    letter = written(9).model_copy(update={"issue_id": old})
    assert await let(database, letter)


async def test_letters_that_come_at_once_are_counted_one_by_one(database: Pool) -> None:
    letters = [written(n) for n in range(12)]
    assert sum(await asyncio.gather(*(let(database, each) for each in letters))) == 4


async def test_what_is_too_much_is_kept_with_the_first_that_is_registered(database: Pool) -> None:
    for number in range(4):
        assert await let(database, written(number, minutes=number))
    with pytest.raises(TooMany) as refusal:
        await letter_senders.admit(database, written(5, minutes=5), ALLOWED)
    assert refusal.value.first is None
    for registered in ("2", "3"):
        await an_issue(database, registered)
    with pytest.raises(TooMany) as refusal:
        await letter_senders.admit(database, written(5, minutes=5), ALLOWED)
    assert refusal.value.first == KeptWith("issue:hotline:2", "2", Why.TOO_MANY)


async def test_what_belongs_to_an_issue_counts_too_and_the_rest_is_kept_with_that_one(
    database: Pool,
) -> None:
    issue = await an_issue(database, "7")
    for number in range(4):
        about = written(number).model_copy(update={"about": issue})
        assert await let(database, about.model_copy(update={"issue_id": f"letter:{number}"}))
    with pytest.raises(TooMany) as refusal:
        await letter_senders.admit(database, written(5), ALLOWED)
    assert refusal.value.first == KeptWith(issue, "7", Why.TOO_MANY)
    await letter_senders.forget(database, "letter:0")
    assert await let(database, written(5))


async def test_what_the_desk_refused_does_not_count(database: Pool) -> None:
    for number in range(4):
        assert await let(database, written(number))
    await letter_senders.forget(database, "issue:hotline:0")
    assert await let(database, written(5))


async def test_of_a_letter_that_is_an_issue_nothing_is_forgotten(database: Pool) -> None:
    issue = await an_issue(database, "1")
    await database.execute(
        "INSERT INTO letter_senders (issue_id, message_id, sender, words, at)"
        " VALUES ($1, '<1@x>', 'a@b', 'w', $2)",
        *(issue, MONDAY),
    )
    await letter_senders.forget(database, issue)
    assert await database.fetchval("SELECT message_id FROM letter_senders") == "<1@x>"
