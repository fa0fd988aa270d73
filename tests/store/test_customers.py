"""Finding customers among the issues they reported, on PostgreSQL (R2, R30)."""

from __future__ import annotations

import pytest

from store import customers
from store.connection import Pool
from store.customers import MOST, Known
from tests.support.filled import DAY, MONDAY, an_issue

WANG = "021 5555 0101"
ZHANG = "+86 138 0000 1234"


@pytest.fixture
async def desk(database: Pool) -> Pool:
    """Zhang Wei called twice, from a bank; Wang Qiang once, from a hospital."""
    await an_issue(database, "1", phone=ZHANG, registered_at=MONDAY)
    await an_issue(database, "2", phone="13800001234", registered_at=MONDAY + DAY)
    await an_issue(
        database,
        "3",
        phone=WANG,
        customer_name="王强",
        organisation="Ｎｏ．６人民医院",
        contact_person="Lily Wang",
        registered_at=MONDAY - DAY,
    )
    return database


def names(found: list[Known]) -> list[str]:
    return [each.customer.name for each in found]


@pytest.mark.parametrize(
    "asked",
    [
        "13800001234",
        "+86 138 0000 1234",
        "0086-138-0000-1234",
        "086 13800001234",
        "１３８００００１２３４",
        "1380",
        "+86 (0) 1380",
        "1234",
        "0000 1234",
    ],
)
async def test_a_telephone_number_is_found_however_it_is_written(desk: Pool, asked: str) -> None:
    (found,) = await customers.find(desk, asked)
    assert found.customer.name == "张伟"
    assert {each.number for each in found.issues} == {"1", "2"}


@pytest.mark.parametrize("asked", ["2155550101", "02155550101", "+86 21 5555", "0101"])
async def test_a_landline_is_found_with_and_without_its_zero(desk: Pool, asked: str) -> None:
    assert names(await customers.find(desk, asked)) == ["王强"]


@pytest.fixture
async def switchboard(desk: Pool) -> Pool:
    """Two people behind one switchboard, one of them written down before extensions were kept."""
    await an_issue(desk, "4", phone="+862055500101(801)", customer_name="林一")
    await an_issue(desk, "5", phone="020-55500101 802", customer_name="林二")
    return desk


@pytest.mark.parametrize(
    "asked",
    ["020-55500101", "（020）5550-0101", "+86 20 5550", "2055500101.0", "tel:+862055500101"],
)
async def test_everybody_behind_a_switchboard_is_found_by_its_number(
    switchboard: Pool, asked: str
) -> None:
    assert set(names(await customers.find(switchboard, asked))) == {"林一", "林二"}


@pytest.mark.parametrize(
    ("asked", "first"),
    [("020-55500101转801", "林一"), ("+862055500101(802)", "林二"), ("020 55500101-802", "林二")],
)
async def test_whoever_has_the_extension_comes_first(
    switchboard: Pool, asked: str, first: str
) -> None:
    assert names(await customers.find(switchboard, asked))[0] == first


async def test_the_last_digits_of_a_switchboard_find_who_is_behind_it(switchboard: Pool) -> None:
    assert "林一" in names(await customers.find(switchboard, "00101"))


async def test_all_spellings_of_an_extension_are_one_customer(switchboard: Pool) -> None:
    for number, phone in enumerate(("+862055500101(801)", "+86 20 5550-0101 801"), start=6):
        await an_issue(switchboard, str(number), phone=phone, customer_name="林一")
    known = await customers.known(switchboard, "4")
    assert known
    assert {each.number for each in known.issues} == {"4", "6", "7"}


async def test_of_two_numbers_in_one_field_of_before_the_first_is_the_customers(desk: Pool) -> None:
    await an_issue(desk, "4", phone="13800001234 13900000001", customer_name="张伟")
    known = await customers.known(desk, "4")
    assert known
    assert {each.number for each in known.issues} == {"1", "2", "4"}


async def test_a_short_number_at_home_that_begins_with_86_keeps_its_digits(desk: Pool) -> None:
    await an_issue(desk, "4", phone="86123456", customer_name="林一")
    assert names(await customers.find(desk, "8612 3456")) == ["林一"]


async def test_a_number_abroad_is_found_by_its_country(desk: Pool) -> None:
    await an_issue(desk, "4", phone="001 415 555 0199", customer_name="Ann")
    assert names(await customers.find(desk, "+1 415 555")) == ["Ann"]


@pytest.mark.parametrize("asked", ["", " ", "1", "138", "+86 138", "0000", "张", "l", "- - - -"])
async def test_too_little_finds_nobody(desk: Pool, asked: str) -> None:
    found = await customers.find(desk, asked)
    assert found == []


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("张伟", ["张伟"]),
        ("商业银", ["张伟"]),
        ("王芳", ["张伟"]),
        ("医院", ["王强"]),
        ("no.6", ["王强"]),
        ("ILY", ["王强"]),
        ("银行 张", ["张伟"]),
        ("银行 王强", []),
        ("%%", []),
        ("__", []),
        ("伟珠", []),
    ],
)
async def test_words_are_found_anywhere_in_name_organisation_and_contact_person(
    desk: Pool, asked: str, expected: list[str]
) -> None:
    assert names(await customers.find(desk, asked)) == expected


async def test_who_reported_last_comes_first_and_once(desk: Pool) -> None:
    await an_issue(desk, "4", phone=WANG, customer_name="李强", registered_at=MONDAY + 2 * DAY)
    await an_issue(desk, "5", phone=ZHANG, registered_at=MONDAY - 3 * DAY)
    await an_issue(desk, "6", phone=WANG, customer_name="王强", registered_at=MONDAY)
    found = await customers.find(desk, "强")
    assert found == []
    found = await customers.find(desk, "5555 0101")
    assert names(found) == ["李强", "王强"], "two people at one telephone are two"


async def test_what_is_open_comes_before_what_is_newer_and_closed(desk: Pool) -> None:
    for number in range(4, 10):
        await an_issue(
            desk,
            str(number),
            stage="closed",
            outcome="solved",
            answered=True,
            closed_at=MONDAY + 9 * DAY,
            registered_at=MONDAY + number * DAY,
        )
    (found,) = await customers.find(desk, ZHANG)
    assert [each.number for each in found.issues] == ["2", "1", "9", "8", "7"]
    assert [each.open for each in found.issues] == [True, True, False, False, False]
    assert found.origin.number == "9"


async def test_an_answer_is_a_few_customers(desk: Pool) -> None:
    for number in range(10, 10 + MOST + 2):
        await an_issue(
            desk, str(number), phone=f"1390000{number:04}", customer_name=f"客户{number}"
        )
    assert len(await customers.find(desk, "1390")) == MOST


async def test_the_customer_of_an_issue_comes_with_what_else_they_reported(desk: Pool) -> None:
    known = await customers.known(desk, "1")
    assert known
    assert (known.customer.phone, known.origin.number) == (ZHANG, "1")
    assert [each.number for each in known.issues] == ["2", "1"]
    assert await customers.known(desk, "9999") is None


async def test_a_customer_without_a_telephone_is_known_by_their_mail(desk: Pool) -> None:
    mails = {"phone": None, "email": "li@example.com", "customer_name": "李 四"}
    await an_issue(desk, "4", **mails)
    await an_issue(desk, "5", **mails)
    await an_issue(desk, "6", **(mails | {"email": "other@example.com"}))
    known = await customers.known(desk, "4")
    assert known
    assert {each.number for each in known.issues} == {"4", "5"}


@pytest.mark.parametrize("asked", ["13800001234", "张伟"])
async def test_a_search_needs_not_read_all_issues(desk: Pool, asked: str) -> None:
    await desk.execute(
        """
        INSERT INTO issues SELECT (jsonb_populate_record(i, jsonb_build_object(
            'id', 'issue:bulk:' || n, 'number', 'bulk-' || n, 'source', 'bulk', 'reference', n,
            'phone', '021' || 20000000 + n, 'customer_name', chr(20000 + n) || chr(30000 + n),
            'organisation', NULL, 'contact_person', NULL))).*
        FROM issues i, generate_series(1, 3000) n WHERE i.number = '1'
        """
    )
    await desk.execute("ANALYZE issues")
    before = await _rows_read(desk)
    assert names(await customers.find(desk, asked)) == ["张伟"]
    assert await _rows_read(desk) == before


async def _rows_read(pool: Pool) -> int:
    """Rows of issues that were read one after the other, without an index."""
    async with pool.acquire() as connection:
        await connection.execute("SELECT pg_stat_force_next_flush()")
        read: int = await connection.fetchval(
            "SELECT seq_tup_read FROM pg_stat_user_tables WHERE relname = 'issues'"
        )
    return read
