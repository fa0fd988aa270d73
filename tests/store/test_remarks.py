"""Customers' words about the service in one list on PostgreSQL (R41)."""

from __future__ import annotations

from store import remarks
from store.connection import Pool
from tests.store.test_opinions import BY_MONTH, said, scores, written
from tests.support.filled import DAY, MONDAY, a_person, an_issue, one_of_each


async def test_r41_words_of_evaluations_and_callbacks_are_listed_unread_ones_first(
    database: Pool,
) -> None:
    await one_of_each(database)
    await said(database, "a", BY_MONTH, "after_sales", "project", comment="等了三天", opinions="差")
    found = await remarks.listed(database, None)
    assert [(each.sort, each.text) for each in found] == [
        ("opinion", "差\n等了三天"),  # the newest; the others are of one instant
        ("callback", "还是卡。"),
        ("evaluation", "来得快, 修不好。"),
    ]
    newest = found[0]
    assert (newest.unit, newest.number, newest.worst) == ("珠江商业银行", None, 90)
    await a_person(database, "sun.li", "孙丽")
    for reader in ("sun.li", "tian.hui"):  # whoever was first stays
        await remarks.read(database, newest.key, reader, MONDAY + DAY)
    *unread, last = await remarks.listed(database, None)
    assert (last.key, last.read_by, last.reader) == (newest.key, "sun.li", "孙丽")
    assert len(unread) == 2
    assert [each.key for each in await remarks.listed(database, None, unread=True)] == [
        each.key for each in unread
    ]


async def test_r41_a_department_reads_its_own_and_what_nobody_knows_the_department_of(
    database: Pool,
) -> None:
    await one_of_each(database)
    await said(database, "a", BY_MONTH, comment="等了三天")
    theirs = await remarks.listed(database, "technical_service")
    others = await remarks.listed(database, "sales")
    assert ({each.sort for each in theirs}, [each.sort for each in others]) == (
        {"evaluation", "callback", "opinion"},
        ["opinion"],
    )


async def test_r21_r41_a_low_score_without_a_word_is_read_too_and_a_good_one_is_not(
    database: Pool,
) -> None:
    about = {"assessor": "王芳", "unit": "珠江商业银行", "month": "2026-11"}
    for key, technical in (("good", 100), ("bad", -20)):
        await written(
            database, key, about | {"project": key}, scores=scores("project", technical=technical)
        )
    found = await remarks.listed(database, None, low=60)
    assert [(each.key, each.text, each.worst) for each in found] == [("opinion/bad", "", -20)]


async def test_r41_what_words_became_stays_with_them(database: Pool) -> None:
    await one_of_each(database)
    complaint = await an_issue(database, "20261124-07-0009", kind="complaint")
    (said_,) = (each for each in await remarks.listed(database, None) if each.sort == "callback")
    await remarks.read(database, said_.key, "sun.li", MONDAY)
    await remarks.read(database, said_.key, "sun.li", MONDAY, complaint)
    await remarks.read(database, said_.key, "sun.li", MONDAY)
    now = await remarks.one(database, said_.key)
    assert now is not None
    assert now.complaint == "20261124-07-0009"
