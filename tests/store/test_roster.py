"""The roster in the register: replaced as a whole, and what becomes of whoever is missing (R16)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import pytest

from activities.recording import Recording
from domain.issue.lifecycle import register
from domain.staff.duty import DutyException
from domain.staff.roster import Roster
from inbound.files.roster import read_roster
from runtime import rulebook
from runtime.settings import ROOT
from store import duty, roster, rulebooks
from store.connection import Pool
from store.duty import Overlapping
from tests.support.builders import LINKS, an_intake

FILED = read_roster(ROOT / "examples" / "roster")
EXAMPLE = FILED.model_copy(update={"exceptions": None})
MONDAY = datetime.fromisoformat("2026-11-23T10:00+08:00")


def exception(first: str, until: str, shift: str = "off", person: str = "li.na") -> DutyException:
    return DutyException.model_validate(
        {"person": person, "from": first, "until": until, "shift": shift, "reason": "leave"}
    )


async def replace(database: Pool, wanted: Roster) -> None:
    async with database.acquire() as connection, connection.transaction():
        await roster.replace(connection, wanted)


async def enter(database: Pool, wanted: DutyException, by: str | None = "zhou.jianguo") -> None:
    async with database.acquire() as connection, connection.transaction():
        await duty.enter(connection, wanted, by)


async def days_of(database: Pool, person: str) -> list[tuple[str, str, str]]:
    async with database.acquire() as connection:
        member = await roster.member(connection, person)
    assert member is not None
    return [(str(e.first), str(e.until), e.shift) for e in member.exceptions]


def without(*people: str) -> Roster:
    members = tuple(member for member in EXAMPLE.members if member.id not in people)
    return EXAMPLE.model_copy(update={"members": members})


async def an_open_issue(database: Pool) -> str:
    """Register an issue of Guangdong, and say who has it."""
    async with database.acquire() as connection, connection.transaction():
        current = rulebook.load(ROOT / "policies" / "standard.toml")
        await rulebooks.adopt(connection, current, by="test", note="")
    intake = an_intake(reported_at=MONDAY, region="广东")
    step = register(intake, MONDAY).model_copy(update={"run": "run-1"})
    recorded = await Recording(database, LINKS).record_step(step)
    assert recorded.engineer
    return recorded.engineer.id


# --- Whoever leaves ------------------------------------------------------------------------------


async def test_whoever_is_missing_and_has_no_open_issue_is_gone(database: Pool) -> None:
    await replace(database, EXAMPLE)
    await replace(database, without("li.na"))
    assert not await database.fetchval("SELECT count(*) FROM members WHERE id = 'li.na'")


async def test_whoever_leaves_with_open_issues_stays_on_record_until_these_are_closed(
    database: Pool,
) -> None:
    await replace(database, EXAMPLE)
    who = await an_open_issue(database)
    await enter(database, exception("2026-12-01", "2026-12-02", person=who))
    await replace(database, without(who))
    left = await database.fetchrow("SELECT * FROM members WHERE id = $1", who)
    assert left is not None
    assert left["left_at"] is not None
    assert (left["shift"], left["contacts"]) == (
        "off",
        [{"channel": "wecom", "address": "guangzhou"}],
    )
    async with database.acquire() as connection:
        assert await roster.member(connection, who) is None
        assert who not in {member.id for member in await roster.members(connection)}
        assert who not in {each.member.id for each in await roster.engineers(connection)}
        chosen_from = (await roster.staff(connection)).engineers("technical_service", ["guangzhou"])
        assert who not in {each.id for each in chosen_from}
        (issue,) = await roster.open_issues(connection)
    assert issue.engineer
    assert (issue.engineer.id, issue.member) == (who, None)
    since = left["left_at"]
    await replace(database, without(who))
    assert await database.fetchval("SELECT left_at FROM members WHERE id = $1", who) == since

    await database.execute(
        "UPDATE issues SET stage = 'closed', closed_at = now(), outcome = 'withdrawn'"
    )
    await replace(database, without(who))
    assert not await database.fetchval("SELECT count(*) FROM members WHERE id = $1", who)


async def test_whoever_comes_back_is_on_the_staff_again(database: Pool) -> None:
    await replace(database, EXAMPLE)
    who = await an_open_issue(database)
    await replace(database, without(who))
    await replace(database, EXAMPLE)
    async with database.acquire() as connection:
        member = await roster.member(connection, who)
    assert member == next(m for m in EXAMPLE.members if m.id == who)


async def test_a_centre_can_close_whose_people_left_with_open_issues(database: Pool) -> None:
    await replace(database, EXAMPLE)
    who = await an_open_issue(database)
    elsewhere = [m.model_copy(update={"centre": "shenzhen"}) for m in without(who).members]
    centres = tuple(
        centre.model_copy(update={"nearest": ()})
        for centre in EXAMPLE.centres
        if centre.id != "guangzhou"
    )
    await replace(
        database, EXAMPLE.model_copy(update={"members": tuple(elsewhere), "centres": centres})
    )
    row = await database.fetchrow("SELECT left_at, centre FROM members WHERE id = $1", who)
    assert row is not None
    assert (row["left_at"] is not None, row["centre"]) == (True, None)


# --- Another shift -------------------------------------------------------------------------------


async def test_what_the_files_say_takes_the_place_of_what_they_said(database: Pool) -> None:
    await replace(database, FILED)
    assert await days_of(database, "li.na") == [("2030-02-04", "2030-02-08", "off")]
    assert await days_of(database, "deng.wei") == [("2030-02-09", "2030-02-10", "everyday")]
    new = exception("2030-02-08", "2030-02-09", "night")
    await replace(database, EXAMPLE.model_copy(update={"exceptions": (new,)}))
    assert await days_of(database, "li.na") == [("2030-02-08", "2030-02-09", "night")]
    assert await days_of(database, "deng.wei") == []


async def test_without_the_file_everything_stays_and_what_was_entered_stays_anyhow(
    database: Pool,
) -> None:
    await replace(database, FILED)
    await enter(database, exception("2026-12-01", "2026-12-02"))
    both = [("2026-12-01", "2026-12-02", "off"), ("2030-02-04", "2030-02-08", "off")]
    await replace(database, EXAMPLE)
    assert await days_of(database, "li.na") == both
    await replace(database, EXAMPLE.model_copy(update={"exceptions": ()}))
    assert await days_of(database, "li.na") == both[:1]


async def test_a_file_that_contradicts_what_was_entered_changes_nothing(database: Pool) -> None:
    await replace(database, EXAMPLE)
    await enter(database, exception("2030-02-08", "2030-02-12", "night"))
    with pytest.raises(Overlapping) as refused:
        await replace(database, FILED)
    assert str(refused.value) == (
        "duty of li.na from 2030-02-04: overlaps with "
        "night from 2030-02-08 until 2030-02-12 (leave)"
    )
    assert await days_of(database, "li.na") == [("2030-02-08", "2030-02-12", "night")]
    assert await days_of(database, "deng.wei") == []


@pytest.mark.parametrize(
    ("first", "until", "fits"),
    [
        ("2026-11-30", "2026-11-30", "yes"),
        ("2026-11-30", "2026-12-01", "no"),
        ("2026-12-02", "2026-12-02", "no"),
        ("2026-11-30", "2026-12-09", "no"),
        ("2026-12-03", "2026-12-09", "no"),
        ("2026-12-04", "2026-12-09", "yes"),
    ],
)
async def test_one_person_cannot_have_two_shifts_on_one_day(
    database: Pool, first: str, until: str, fits: str
) -> None:
    await replace(database, EXAMPLE)
    await enter(database, exception("2026-12-01", "2026-12-03"))
    await enter(database, exception(first, until, person="deng.wei"))
    if fits == "yes":
        await enter(database, exception(first, until))
        return
    with pytest.raises(Overlapping, match="off from 2026-12-01 until 2026-12-03"):
        await enter(database, exception(first, until))
    assert await days_of(database, "li.na") == [("2026-12-01", "2026-12-03", "off")]


async def test_of_two_who_enter_the_same_days_at_once_one_is_refused(database: Pool) -> None:
    await replace(database, EXAMPLE)
    answers: Sequence[Any] = await asyncio.gather(
        *(enter(database, exception("2026-12-01", f"2026-12-{2 + n:02}")) for n in range(6)),
        return_exceptions=True,
    )
    assert [type(answer) for answer in answers if answer] == [Overlapping] * 5
    assert len(await days_of(database, "li.na")) == 1


async def test_nothing_can_be_entered_for_somebody_who_is_not_on_the_roster(
    database: Pool,
) -> None:
    await replace(database, EXAMPLE)
    with pytest.raises(LookupError, match="nobody is not on the roster"):
        await enter(database, exception("2026-12-01", "2026-12-01", person="nobody"))


@pytest.mark.parametrize(
    ("day", "left"),
    [
        ("2026-12-01", []),
        ("2026-12-02", [("2026-12-01", "2026-12-01", "off")]),
        ("2026-12-03", [("2026-12-01", "2026-12-02", "off")]),
        ("2026-12-04", None),
        ("2026-11-30", None),
    ],
)
async def test_somebody_can_be_back_before_the_days_are_over(
    database: Pool, day: str, left: list[tuple[str, str, str]] | None
) -> None:
    await replace(database, EXAMPLE)
    entered = exception("2026-12-01", "2026-12-03")
    await enter(database, entered)
    async with database.acquire() as connection, connection.transaction():
        ended = await duty.take_back(connection, "li.na", date.fromisoformat(day))
    if left is None:
        assert ended is None
        left = [("2026-12-01", "2026-12-03", "off")]
    else:
        assert ended == entered
    assert await days_of(database, "li.na") == left


# --- Its version ---------------------------------------------------------------------------------


async def version(database: Pool) -> str:
    found: str = await database.fetchval("SELECT version::text FROM roster_version")
    return found


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE members SET shift = 'off' WHERE id = 'li.na'",
        "UPDATE members SET left_at = now(), shift = 'off' WHERE id = 'li.na'",
        "UPDATE centres SET nearest = '{}'",
        "UPDATE channels SET url = 'json://127.0.0.1:9/{to}'",
        "DELETE FROM channels",
        (
            "INSERT INTO duty_exceptions (person, first, until, shift, reason)"
            " VALUES ('li.na', '2026-12-01', '2026-12-01', 'off', 'leave')"
        ),
        "DELETE FROM duty_exceptions",
        (
            "INSERT INTO centres (id, name, regions, zone, calendar)"
            " VALUES ('lhasa', '拉萨', '{西藏}', 'Asia/Shanghai', 'desk')"
        ),
    ],
)
async def test_whatever_changes_the_roster_gives_it_another_version(
    database: Pool, change: str
) -> None:
    await replace(database, FILED)
    before = await version(database)
    await database.execute(change)
    assert await version(database) != before


@pytest.mark.parametrize(
    "change",
    ["UPDATE members SET idle_since = now()", "UPDATE channels SET next_slot = now()"],
)
async def test_what_steps_and_messages_write_is_no_change_of_the_roster(
    database: Pool, change: str
) -> None:
    await replace(database, FILED)
    before = await version(database)
    await database.execute(change)
    assert await version(database) == before


async def test_the_roster_is_read_once_a_version_and_never_of_an_older_one(database: Pool) -> None:
    await replace(database, FILED)
    known = roster.KnownStaff()
    async with database.acquire() as connection:
        now = await version(database)
        first = await known.get(connection, now)
        assert await known.get(connection, now) is first
        assert first.members.keys() == {member.id for member in FILED.members}
        assert first.centre_of("广东") == next(c for c in FILED.centres if "广东" in c.regions)
        assert list(first.channels) == list(FILED.channels)
        await replace(database, without("li.na"))
        assert "li.na" not in (await known.get(connection, await version(database))).members
