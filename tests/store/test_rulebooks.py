"""Which rulebook counts: kept once, adopted in order, and never one the desk cannot work by."""

from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any

import asyncpg
import pytest

from domain.sla.rulebook import Rulebook
from domain.terms import CATEGORIES, DEPARTMENTS, KINDS
from inbound.files.roster import read_roster
from runtime import rulebook
from runtime.settings import ROOT
from store import roster, rulebooks
from store.connection import Pool
from store.rulebooks import Adoption, Rulebooks, Unfit
from tests.support.rulebooks import policy

STANDARD = rulebook.load(ROOT / "policies" / "standard.toml")
CLOSED = STANDARD.with_calendars(
    {"desk": STANDARD.calendars["desk"].model_copy(update={"overrides": {date(2026, 11, 24): ()}})}
)

Adopt = Callable[..., Awaitable[Adoption | None]]


@pytest.fixture
def adopt(database: Pool) -> Adopt:
    async def adopted(book: Rulebook, file: str | None = None) -> Adoption | None:
        async with database.acquire() as connection, connection.transaction():
            return await rulebooks.adopt(connection, book, by="me", note="why", file=file)

    return adopted


def without(name: str) -> Rulebook:
    calendars = {key: each for key, each in STANDARD.calendars.items() if key != name}
    return Rulebook(policy=STANDARD.policy, calendars=calendars, national=STANDARD.national)


async def test_the_rulebook_adopted_last_counts_whoever_asks(database: Pool, adopt: Adopt) -> None:
    known = Rulebooks()
    for book in (STANDARD, CLOSED, STANDARD):
        adoption = await adopt(book)
        assert adoption is not None
        assert (adoption.version, adoption.loaded_by, adoption.note) == (book.version, "me", "why")
        async with database.acquire() as connection:
            assert await known.current(connection) == (book.version, book)
            assert await rulebooks.current(connection) == book
    assert await database.fetchval("SELECT count(*) FROM rulebooks") == 2
    assert await database.fetchval("SELECT count(*) FROM adoptions") == 3


async def test_what_counts_already_is_not_adopted_again(database: Pool, adopt: Adopt) -> None:
    assert await adopt(STANDARD)
    assert await adopt(STANDARD) is None
    assert await database.fetchval("SELECT count(*) FROM adoptions") == 1


async def test_no_other_rulebook_is_adopted_in_the_middle_of_a_step(
    database: Pool, adopt: Adopt
) -> None:
    await adopt(STANDARD)
    known = Rulebooks()
    async with database.acquire() as stepping, database.acquire() as loading:
        async with stepping.transaction():
            await known.current(stepping)
            async with database.acquire() as another, another.transaction():
                assert (await known.current(another)).rulebook == STANDARD  # steps do not wait
            await loading.execute("SET lock_timeout = '50ms'")
            with pytest.raises(asyncpg.LockNotAvailableError):
                await rulebooks.adopt(loading, CLOSED, by="me", note="")
        async with loading.transaction():
            assert await rulebooks.adopt(loading, CLOSED, by="me", note="")


async def test_a_desk_without_any_rulebook_says_how_it_gets_one(database: Pool) -> None:
    async with database.acquire() as connection:
        assert await rulebooks.current(connection) is None
        with pytest.raises(LookupError, match="run `yinuo migrate`"):
            await Rulebooks().current(connection)


async def test_a_policy_file_is_known_by_the_version_it_was_read_as(
    database: Pool, adopt: Adopt
) -> None:
    await adopt(CLOSED, file="as-read")
    async with database.acquire() as connection:
        assert await rulebooks.was_loaded(connection, "as-read")
        assert not await rulebooks.was_loaded(connection, CLOSED.version)


@pytest.mark.parametrize("table", ["rulebooks", "adoptions"])
@pytest.mark.parametrize("change", ["DELETE FROM {}", "UPDATE {} SET version = 'x'"])
async def test_no_version_is_ever_changed_or_forgotten(
    owner: "asyncpg.Connection[Any]", adopt: Adopt, table: str, change: str
) -> None:
    await adopt(STANDARD)
    with pytest.raises(asyncpg.IntegrityConstraintViolationError, match="append-only"):
        await owner.execute(change.format(table))


async def test_a_calendar_of_the_roster_cannot_be_dropped(database: Pool, adopt: Adopt) -> None:
    await adopt(STANDARD)
    async with database.acquire() as connection:
        await roster.replace(connection, read_roster(ROOT / "examples" / "roster"))
    with pytest.raises(Unfit, match="centre urumqi: calendar: west is unknown"):
        await adopt(without("west"))
    async with database.acquire() as connection:
        assert await rulebooks.current(connection) == STANDARD


@pytest.mark.parametrize(
    "script",
    [
        "UPDATE issues SET calendar = 'west'",
        "UPDATE promises SET calendar = 'west' WHERE ended_at IS NULL",
    ],
)
async def test_a_calendar_that_an_open_issue_goes_by_cannot_be_dropped(
    database: Pool, adopt: Adopt, script: str
) -> None:
    await adopt(STANDARD)
    await an_open_issue(database)
    await database.execute(script)
    with pytest.raises(Unfit, match=r"open issues go by calendar west, .*: keep it"):
        await adopt(without("west"))


async def test_a_calendar_that_only_closed_issues_went_by_can_be_dropped(
    database: Pool, adopt: Adopt
) -> None:
    await adopt(STANDARD)
    await an_open_issue(database)
    await database.execute("UPDATE issues SET calendar = 'west'")
    await database.execute(
        "UPDATE issues SET closed_at = now(), stage = 'closed', outcome = 'withdrawn'"
    )
    assert await adopt(without("west"))


@pytest.mark.parametrize(
    ("table", "code", "says"),
    [
        ("kinds", "fault", "kind fault: keep it, 1 open: desk"),
        ("categories", "technical", "category technical: keep it, 1 open: desk"),
        ("departments", "legal", "department legal: keep it, 1 open: desk"),
    ],
)
async def test_r37_a_policy_without_what_open_issues_are_of_is_refused_with_their_numbers(
    database: Pool, adopt: Adopt, table: str, code: str, says: str
) -> None:
    """Whatever is closed keeps what it is of, and nothing stands in the way."""
    await adopt(STANDARD)
    await an_open_issue(database)
    known = {"kinds": KINDS, "categories": CATEGORIES, "departments": DEPARTMENTS}[table]
    kept = {name: each for name, each in known.items() if name != code}
    tables = {"categories": CATEGORIES, "departments": DEPARTMENTS, table: kept}
    less = STANDARD.with_policy(
        policy(routing=dict.fromkeys(tables["categories"], "customer_service"), **tables)
    )
    with pytest.raises(Unfit, match=says):
        await adopt(less)
    await database.execute(
        "UPDATE issues SET closed_at = now(), stage = 'closed', outcome = 'withdrawn'"
    )
    assert await adopt(less)


async def an_open_issue(database: Pool) -> None:
    """Write an issue by hand, with the columns that a rulebook has to do with."""
    texts = ("id", "run", "number", "source", "reference", "channel", "kind", "category")
    more = ("severity", "product_line", "region", "title", "description", "customer_name")
    rest = ("customer_type", "agent", "centre", "calendar", "department", "zone", "stage")
    columns = (*texts, *more, *rest)
    await database.execute(
        f"""
        INSERT INTO issues ({", ".join(columns)}, customer_existing, reported_at, registered_at,
            rulebook, seq, updated_at)
        VALUES ({", ".join("'desk'" for _ in columns)}, false, now(), now(), $1, 1, now())
        """,  # noqa: S608 - columns of ours
        STANDARD.version,
    )
    await database.execute(
        "UPDATE issues SET kind = 'fault', category = 'technical', department = 'legal'"
    )
    await database.execute(
        """
        INSERT INTO promises (issue_id, kind, generation, attempt, attempts, target, clock,
            calendar, rulebook, made_at, due_at, provisional, pauses, reached, outcome)
        VALUES ('desk', 'resolution', 1, 1, 1, '2h', 'working', 'desk', $1, now(), now(), false, 0,
            0, 'open')
        """,
        STANDARD.version,
    )
