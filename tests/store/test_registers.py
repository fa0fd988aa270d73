"""The registers as they are handed out: every column, the right rows, no customer data (R30)."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from domain.calendars.timeline import midnight
from domain.terms import KINDS, Term, Terms
from domain.words import CLOCKS, SETS
from runtime.settings import ROOT
from store.connection import Pool
from store.exports import registers
from store.exports.columns import Holds, Register
from store.exports.forms import FORMS
from store.exports.oversight import OVERSIGHT
from store.exports.registers import REGISTERS, Asked
from store.exports.telephone import CALLS
from tests.domain.test_terms import SOFTWARE
from tests.support.filled import (
    CUSTOMERS,
    DAY,
    MONDAY,
    a_person,
    a_step,
    an_issue,
    insert,
    one_of_each,
)

TABLES = (*FORMS, *OVERSIGHT, CALLS)
SHANGHAI = ZoneInfo("Asia/Shanghai")


async def read(pool: Pool, register: Register | str, **asked: Any) -> list[dict[str, Any]]:
    if isinstance(register, str):
        register = REGISTERS[register]
    async with registers.reading(pool, register, Asked(zone=SHANGHAI.key, **asked)) as rows:
        return [dict(row) async for row in rows]


async def numbers(pool: Pool, name: str, **asked: Any) -> list[str]:
    return [row["number"] for row in await read(pool, name, **asked)]


# Nothing is forgotten -----------------------------------------------------------------------------


@pytest.mark.parametrize("table", sorted({form.table for form in TABLES}))
async def test_every_column_of_a_form_is_shown_or_left_out_for_a_reason(
    database: Pool, table: str
) -> None:
    forms = [form for form in TABLES if form.table == table]
    shown = {
        name
        for form in forms
        for column in form.columns
        for name in re.findall(r"\bf\.(\w+)", column.found)
    }
    left_out = {name for form in forms for name, reason in form.left_out.items() if reason}
    there = await database.fetch(
        "SELECT column_name FROM information_schema.columns"
        " WHERE table_schema = 'public' AND table_name = $1",
        table,
    )
    assert shown | left_out == {row["column_name"] for row in there}
    assert shown & left_out == set()


async def test_every_table_that_the_database_calls_a_form_can_be_exported(database: Pool) -> None:
    rows = await database.fetch(
        "SELECT relname, obj_description(oid, 'pg_class') AS comment FROM pg_class"
        " WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
    )
    forms = {row["relname"] for row in rows if "《" in (row["comment"] or "")}
    assert "issues" in forms
    assert forms <= {form.table for form in TABLES}


async def test_history_is_offered_of_exactly_the_forms_that_keep_one(database: Pool) -> None:
    rows = await database.fetch(
        "SELECT tgrelid::regclass::text AS kept FROM pg_trigger WHERE tgname LIKE '%\\_history'"
        " AND NOT tgisinternal"
    )
    assert {form.table for form in TABLES if form.history} == {row["kept"] for row in rows}


@pytest.mark.parametrize("register", REGISTERS.values(), ids=list(REGISTERS))
def test_no_two_columns_of_a_register_have_the_same_name(register: Register) -> None:
    shown = [register, *([registers.history(register)] if register.history else [])]
    for each in shown:
        for names in zip(*((c.key, c.zh, c.en) for c in each.columns), strict=True):
            assert len(set(names)) == len(names)


@pytest.mark.parametrize("codes", SETS, ids=lambda each: each.__name__)
def test_every_code_has_a_chinese_word_of_its_own(codes: type[StrEnum]) -> None:
    words = SETS[codes]
    assert set(words) == set(codes)
    assert len({chinese for chinese, _ in words.values()}) == len(words)
    assert all(re.fullmatch(r"[\u4e00-\u9fff]+", chinese) for chinese, _ in words.values())


def test_every_column_of_codes_knows_their_words() -> None:
    known = [*SETS.values(), CLOCKS, *(Terms().names(term) for term in Term)]
    for register in REGISTERS.values():
        for column in register.columns:
            assert (column.codes in known) == (column.holds is Holds.CODE), column.key


@pytest.mark.parametrize("register", REGISTERS.values(), ids=list(REGISTERS))
def test_every_column_is_documented_with_whether_it_is_a_customers(register: Register) -> None:
    pages = (ROOT / "docs" / "registers.md").read_text("utf-8")
    _, _, section = pages.partition(f"### 《{register.zh}》 `{register.name}`\n\n")
    columns = " · ".join(
        f"**{c.zh} {c.en}**" if c.customers else f"{c.zh} {c.en}" for c in register.columns
    )
    assert " ".join(section.partition("\n\n")[0].split()) == columns


# What is in them ----------------------------------------------------------------------------------


async def test_every_register_can_be_read_and_has_what_was_written(database: Pool) -> None:
    await one_of_each(database)
    found = {name: await read(database, name) for name in REGISTERS}
    assert {name: len(rows) for name, rows in found.items()} == {
        **dict.fromkeys(REGISTERS, 1),
        "issues": 2,
    }
    assert found["handling"][0]["engineer"] == "李娜 li.na"
    assert found["handling"][0]["result"] == "=更换读卡器"
    assert found["callbacks"][0]["clerk"] == "fan.meiling"  # not of the roster any more
    assert found["panels"][0]["experts"] == "李娜 li.na; gone.away"
    assert found["paid_services"][0]["amount"] == Decimal("12800.50")
    assert found["evaluations"][0]["technical"] == -50
    promise = found["promises"][0]
    assert promise["consumed"] == timedelta(hours=26, minutes=30)
    assert promise["stood_still"] == timedelta(hours=1, minutes=30)
    (case,), (said,) = found["cases"], found["case_history"]
    assert case["keywords"] == said["keywords"] == "卡钞; E-17"
    assert (case["issue"], said["solution"]) == ("20261123-07-0002", "清洁传感器")
    sample = found["samples"][0]
    assert (sample["population"], sample["drawn"], sample["share"]) == (7, 1, 0.15)
    assert sample["records"] == found["checks"][0]["number"] == "20261123-07-0002"
    assert all(set(row) == {c.key for c in REGISTERS[n].columns} for n in found for row in found[n])


async def test_a_complaint_is_linked_with_what_it_arose_from_both_ways(database: Pool) -> None:
    await one_of_each(database)
    (complaint,) = await read(database, "complaints")
    (form,) = await read(database, "complaint_forms")
    assert complaint["arises_from"] == form["arises_from"] == "20261123-07-0001"
    origin, _ = await read(database, "issues")
    assert origin["raised"] == complaint["number"] == "20261123-07-0002"


async def test_the_complaint_register_has_a_complaint_whose_form_is_not_begun(
    database: Pool,
) -> None:
    await an_issue(database, kind="complaint")
    await an_issue(database, "20261123-07-0002")
    assert await numbers(database, "complaints") == ["20261123-07-0001"]
    assert await numbers(database, "complaints", since=MONDAY) == ["20261123-07-0001"]
    assert await numbers(database, "complaint_forms") == []


async def test_a_period_goes_by_the_registers_own_date_and_by_local_days(database: Pool) -> None:
    issue = await an_issue(database)
    first, after = (midnight(date(2026, 11, day), SHANGHAI) for day in (24, 25))
    for attempt, called in enumerate(
        (first - timedelta.resolution, first, after - timedelta.resolution, after), start=1
    ):
        await insert(
            database,
            "callback_records",
            issue_id=issue,
            generation=1,
            attempt=attempt,
            clerk="fan.meiling",
            called_at=called,
            reached=False,
            words="",
        )

    async def attempts(**asked: datetime) -> list[int]:
        return [row["attempt"] for row in await read(database, "callbacks", **asked)]

    assert await attempts(since=first, until=after) == [2, 3]
    assert await attempts(since=first) == [2, 3, 4]
    assert await attempts(until=after) == [1, 2, 3]
    assert await numbers(database, "issues", since=first) == []  # registered the day before


# Whose they are (R30) -----------------------------------------------------------------------------


def said(rows: list[dict[str, Any]]) -> set[str]:
    """What of the customers is in there."""
    return {each for each in CUSTOMERS if each in repr(rows)}


async def test_without_customers_nothing_of_theirs_is_read(database: Pool) -> None:
    await one_of_each(database)
    for form in TABLES:
        if form.history:
            await database.execute(f"UPDATE {form.table} SET {CHANGES[form.table]}")  # noqa: S608
    found: set[str] = set()
    for register in REGISTERS.values():
        for each in [register, *([registers.history(register)] if register.history else [])]:
            found |= said(await read(database, each))
            hidden = await read(database, registers.without_customers(each))
            assert len(hidden) >= 1
            assert said(hidden) == set(), each.zh
    assert found == set(CUSTOMERS)


CHANGES = {
    "handling_forms": "cause = '磨损'",
    "callback_records": "satisfied = false",
    "consultation_records": "worked = false",
    "complaint_forms": "result = '已补偿'",
    "remedies": "receipt = '收据 0018'",
    "paid_services": "approved = true",
    "expert_panels": "advice = '换主板'",
    "evaluations": "technical = 0",
    "difficulty_ratings": "difficulty = 5",
}
"""Something else in every form; what it said before goes into its history."""


# What they said before ----------------------------------------------------------------------------


@pytest.mark.parametrize("table", CHANGES)
async def test_the_history_of_a_form_says_what_it_said_and_who_replaced_it(
    database: Pool, table: str
) -> None:
    issue = await one_of_each(database)
    await a_step(database, issue, 2, "resolve", "li.na")
    form = next(form for form in TABLES if form.table == table and form.history)
    (before,) = await read(database, form)
    await database.execute(f"UPDATE {table} SET {CHANGES[table]}")  # noqa: S608 - a test's own
    (now,) = await read(database, form)
    (was,) = await read(database, registers.history(form))
    changed = CHANGES[table].partition(" ")[0]
    assert was[changed] == before[changed] != now[changed]
    assert {key: value for key, value in before.items() if key in was} == {
        key: was[key] for key in before if key in was
    }
    assert (was["step"], was["replaced_by"], was["action"]) == (2, "李娜 li.na", "resolve")
    assert was["number"] == "20261123-07-0002"


async def test_a_period_of_history_goes_by_when_it_was_replaced(database: Pool) -> None:
    await one_of_each(database)
    await database.execute(f"UPDATE handling_forms SET {CHANGES['handling_forms']}")  # noqa: S608
    replaced = await database.fetchval("SELECT replaced_at FROM form_history")
    earlier = registers.history(REGISTERS["handling"])
    assert len(await read(database, earlier, since=replaced)) == 1
    assert await read(database, earlier, until=replaced) == []


@pytest.mark.parametrize("name", ["issues", "promises", "telephone", "complaints", "cases"])
def test_what_keeps_no_history_of_its_own_says_which_forms_do(name: str) -> None:
    with pytest.raises(LookupError, match=rf"^of {name} none is kept; .* one of: handling, "):
        registers.history(REGISTERS[name])


# The telephone (R7, R27) --------------------------------------------------------------------------


async def test_telephone_statistics_count_a_days_calls_of_an_agent(database: Pool) -> None:
    await a_person(database, "07", "何晓彤")
    rings = (5, 20, 21, None)
    for n, ring in enumerate(rings):
        await an_issue(
            database,
            f"20261123-07-000{n}",
            ring_seconds=ring,
            kind="consultation" if n < 2 else "fault",
            first_contact=n == 0,
        )
    await an_issue(database, "20261123-07-0005", channel="website", ring_seconds=None)
    await an_issue(database, "20261123-12-0001", agent="12", ring_seconds=None)
    first, second = await read(database, "telephone")
    assert (first["day"], first["agent"]) == (date(2026, 11, 23), "何晓彤 07")
    assert first["calls"] == len(rings)
    assert (first["limit"], first["in_time"], first["longest"], first["unknown"]) == (20, 2, 21, 1)
    assert first["share_in_time"] == pytest.approx(2 / 3)  # of those whose ring is known
    assert (first["first_contact"], first["share_first"]) == (1, 0.25)
    assert (first["consultation"], first["consultation_first"]) == (2, 1)
    assert (first["fault"], first["fault_first"], first["complaint"]) == (2, 0, 0)
    assert (second["agent"], second["calls"], second["share_in_time"]) == ("12", 1, None)


async def test_r37_telephone_statistics_count_by_the_kinds_of_the_desk_and_those_it_had(
    database: Pool,
) -> None:
    await a_person(database, "07", "何晓彤")
    for n, kind in enumerate(("returns", "returns", "fault")):
        await an_issue(database, f"20261123-07-000{n}", kind=kind, first_contact=n == 0)
    own = registers.in_terms_of(REGISTERS["telephone"], SOFTWARE)
    (row,) = await read(database, own)
    assert (row["returns"], row["returns_first"], row["bill"], row["claim"]) == (2, 1, 0, 0)
    assert (row["other_kinds"], row["calls"]) == (1, 3)
    assert not row.keys() & KINDS.keys()
    headings = {column.zh: column.en for column in own.columns}
    assert headings["退换货"] == "Calls: returns"


@pytest.mark.parametrize("name", ["issues", "handling", "complaints", "evaluations"])
def test_r37_forms_call_kinds_categories_and_departments_as_the_desk_does(name: str) -> None:
    own = registers.without_customers(registers.in_terms_of(REGISTERS[name], SOFTWARE))
    called = {column.term: column.codes for column in own.columns if column.term}
    assert called[Term.DEPARTMENT]["finance"] == ("财务部", "finance")
    assert Term.KIND not in called or called[Term.KIND]["fault"] == ("故障报修", "fault")
    assert all(codes.items() >= SOFTWARE.names(term).items() for term, codes in called.items())


async def test_a_call_belongs_to_the_local_day_it_was_registered_on(database: Pool) -> None:
    just_before = datetime(2026, 11, 23, 15, 59, 59, tzinfo=UTC)  # 23:59:59 in Shanghai
    await an_issue(database, "20261123-07-0001", registered_at=just_before)
    await an_issue(database, "20261124-07-0001", registered_at=just_before + timedelta(seconds=1))
    rows = await read(database, "telephone")
    assert [row["day"].day for row in rows] == [23, 24]
    midnight_ = midnight(date(2026, 11, 24), SHANGHAI)
    assert [row["day"].day for row in await read(database, "telephone", since=midnight_)] == [24]


async def test_how_long_a_telephone_may_ring_is_asked_for(database: Pool) -> None:
    await an_issue(database, ring_seconds=12)
    (row,) = await read(database, "telephone", ring_seconds=10)
    assert (row["limit"], row["in_time"]) == (10, 0)


# Finding and counting -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "written", ["paid_services", "paid-services", "有费服务单", "《有费服务单》"]
)
def test_a_register_is_found_by_either_of_its_names(written: str) -> None:
    assert registers.named(written).table == "paid_services"


def test_a_register_that_is_not_there_is_answered_with_those_that_are() -> None:
    with pytest.raises(LookupError, match="no register grudges; there are: issues, handling, "):
        registers.named("grudges")


async def test_the_list_counts_rows_and_what_was_replaced(database: Pool) -> None:
    await one_of_each(database)
    await database.execute("UPDATE complaint_forms SET satisfied = true")
    await database.execute("UPDATE complaint_forms SET satisfied = false")
    found = {each.name: each for each in await registers.held(database, SHANGHAI.key)}
    assert list(found) == list(REGISTERS)
    assert (found["issues"].rows, found["issues"].earlier) == (2, None)
    assert (found["complaint_forms"].rows, found["complaint_forms"].earlier) == (1, 2)
    assert (found["complaints"].rows, found["complaints"].earlier) == (1, None)


async def test_of_a_checkers_revisions_the_last_counts(database: Pool) -> None:
    issue = await one_of_each(database)
    check = {"sample": 1, "issue_id": issue, "checker": "tian.hui", "checked_at": MONDAY + DAY}
    await insert(database, "quality_checks", **check, revision=2, error=None)
    checks = await read(database, "checks")
    assert [(row["revision"], row["counts"]) for row in checks] == [(1, False), (2, True)]


async def test_rows_come_in_order_and_as_of_one_instant(database: Pool) -> None:
    await an_issue(database, "20261123-07-0002")
    await an_issue(database, "20261124-07-0001", registered_at=MONDAY + DAY)
    await an_issue(database, "20261123-07-0001")
    asked = Asked(zone=SHANGHAI.key)
    async with registers.reading(database, REGISTERS["issues"], asked) as rows:
        cursor = aiter(rows)
        read = [(await anext(cursor))["number"]]
        await an_issue(database, "20261123-07-0003")
        read += [row["number"] async for row in cursor]
    assert read == ["20261123-07-0001", "20261123-07-0002", "20261124-07-0001"]
