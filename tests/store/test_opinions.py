"""Evaluations without a link on PostgreSQL (R26): found to be somebody's or not, counted once."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from domain.errors import Refused
from domain.opinions import FromAnybody, FromStaff
from domain.vocabulary import Actor, Role
from store import opinions
from store.connection import Pool
from tests.store.test_registers import read
from tests.support.filled import DAY, MONDAY, an_issue, insert

SHANGHAI = ZoneInfo("Asia/Shanghai")
NUMBER = "20261123-07-0001"
CLERK = Actor(id="fan.meiling", role=Role.CLERK)
BY_NUMBER = {"number": NUMBER, "phone": "13800001234", "assessor": "张伟"}
BY_MONTH = {"unit": "珠江商业银行", "month": "2026-11", "project": "网点改造", "assessor": "王芳"}
CLOSED = {"stage": "closed", "outcome": "solved", "answered": True, "closed_at": MONDAY + DAY}


def scores(*items: str, technical: int = 120) -> list[dict[str, Any]]:
    return [{"item": each, "technical": technical, "attitude": 90} for each in items]


async def said(database: Pool, key: str, about: dict[str, str], *items: str, **more: Any) -> None:
    form = FromAnybody.model_validate(about | {"scores": scores(*items or ("after_sales",))} | more)
    await opinions.from_website(database, key, form, MONDAY + 2 * DAY, SHANGHAI)


async def written(database: Pool, key: str, about: dict[str, str], **more: Any) -> None:
    form = {"way": "paper", "scores": scores("project")} | about | more
    read_ = FromStaff.model_validate({n: s for n, s in form.items() if n != "phone"})
    await opinions.from_staff(database, key, read_, CLERK, MONDAY + 2 * DAY, SHANGHAI)


async def counted(database: Pool) -> list[tuple[str, str, str | None]]:
    rows = await read(database, "evaluations")
    return [(row["item"], row["counting"], row["number"]) for row in rows]


async def test_r26_several_items_count_at_once_if_number_and_telephone_are_an_issues(
    database: Pool,
) -> None:
    await an_issue(database, NUMBER, **CLOSED, engineer="li.na", engineer_name="李娜")
    await said(database, "a", BY_NUMBER, "after_sales", "project", place="广州市", opinions="好")
    assert await counted(database) == [
        ("after_sales", "counts", NUMBER),
        ("project", "counts", NUMBER),
    ]
    row, _ = await read(database, "evaluations")
    assert (row["engineer"], row["department"]) == ("li.na", "technical_service")
    assert (row["assessor"], row["place"], row["opinions"]) == ("张伟", "广州市", "好")
    assert (row["scored_on"], row["technical"], row["way"]) == (date(2026, 11, 25), 120, "website")


@pytest.mark.parametrize(
    ("about", "issue"),
    [
        (BY_NUMBER | {"phone": "13900000000"}, CLOSED),
        (BY_NUMBER | {"number": "20261123-07-0002"}, CLOSED),
        (BY_NUMBER, {}),  # the customer has no answer yet
        (BY_MONTH, CLOSED),
    ],
)
async def test_r26_what_is_nobodys_is_kept_and_not_counted_until_a_person_says_so(
    database: Pool, about: dict[str, str], issue: dict[str, Any]
) -> None:
    await an_issue(database, NUMBER, **issue)
    await said(database, "a", about, "after_sales", "project")
    assert [standing for _, standing, _ in await counted(database)] == ["unverified"] * 2
    (waits,) = await opinions.waiting(database)
    assert [str(each.item) for each in waits.opinion.scores] == ["after_sales", "project"]
    for _ in range(2):
        await opinions.settle(
            database, "a", CLERK, MONDAY, counts=True, department="customer_service"
        )
    assert [standing for _, standing, _ in await counted(database)] == ["counts"] * 2
    assert await opinions.waiting(database) == []
    with pytest.raises(Refused, match="decided otherwise"):
        await opinions.settle(database, "a", CLERK, MONDAY, counts=False, department=None)
    with pytest.raises(Refused, match="no such evaluation"):
        await opinions.settle(database, "b", CLERK, MONDAY, counts=True, department=None)


async def test_r26_what_a_person_settles_belongs_to_the_issue_it_names(database: Pool) -> None:
    other = "20261123-07-0002"
    for number in (NUMBER, other):
        await an_issue(database, number, **CLOSED, engineer="li.na", engineer_name="李娜")
        await said(database, f"of {number}", BY_NUMBER | {"number": number, "phone": "13999999999"})
    for number in (NUMBER, other):
        await opinions.settle(
            database, f"of {number}", CLERK, MONDAY, counts=True, department="sales"
        )
    assert await counted(database) == [
        ("after_sales", "counts", NUMBER),
        ("after_sales", "counts", other),
    ]
    assert {row["department"] for row in await read(database, "evaluations")} == {
        "technical_service"
    }


async def test_r26_once_a_case_and_person_by_whichever_way(database: Pool) -> None:
    issue = await an_issue(database, NUMBER, **CLOSED)
    await asyncio.gather(*(said(database, f"at once {n}", BY_NUMBER) for n in range(3)))
    again = BY_NUMBER | {"assessor": "张先生"}  # the same telephone is the same customer
    await said(database, "again", again)
    standings = [standing for _, standing, _ in await counted(database)]
    assert sorted(standings) == ["counts", "repeated", "repeated", "repeated"]
    await said(database, "again", again)  # the same form
    assert len(await counted(database)) == 4
    linked = {"technical": 100, "attitude": 100, "comment": "", "department": "technical_service"}
    customers = {"person": "customer", "written_by": "customer", "at": MONDAY, "issue_id": issue}
    await insert(database, "evaluations", item="project", **customers, **linked)
    await said(database, "by link before", BY_NUMBER, "project")
    assert ("project", "repeated", NUMBER) in await counted(database)


async def test_r26_a_month_and_project_are_scored_once_however_they_are_written(
    database: Pool,
) -> None:
    await said(database, "a", BY_MONTH)
    await said(database, "b", BY_MONTH | {"unit": "珠江 商业银行"})
    for key in ("a", "b"):
        await opinions.settle(database, key, CLERK, MONDAY, counts=True, department=None)
    assert [standing for _, standing, _ in await counted(database)] == ["counts", "repeated"]


async def test_r26_staff_write_down_what_they_hear_and_it_counts_at_once(database: Pool) -> None:
    await an_issue(database, NUMBER)
    for _ in range(2):
        await written(database, "a", BY_NUMBER)
    await written(database, "b", BY_MONTH, scored_on="2026-11-20")
    assert await counted(database) == [("project", "counts", NUMBER), ("project", "counts", None)]
    with pytest.raises(Refused, match="张伟 has scored project of this before"):
        await written(database, "c", BY_NUMBER, scores=scores("pre_sales", "project"))
    with pytest.raises(Refused, match="number: there is no issue 1-2-3"):
        await written(database, "d", BY_NUMBER | {"number": "1-2-3"})
    assert len(await counted(database)) == 2
