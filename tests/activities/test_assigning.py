"""Who gets an issue, by the roster of that day, on real PostgreSQL (R15, R16, R19). Local times are
Shanghai's; in Guangzhou technical service has ``liang.jiahao`` by day and ``deng.wei`` by night.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from temporalio.exceptions import ApplicationError

from activities.recording import Recording
from domain.issue.actions import ActionName, Reassign
from domain.issue.lifecycle import decide, register, registered
from domain.issue.state import Assignment, Issue
from domain.issue.step import Recorded, Step
from domain.sla.policy import ReliefRule, Standby
from domain.sla.rulebook import Rulebook
from domain.staff.duty import DutyException
from domain.staff.roster import Certification, Member
from domain.vocabulary import Actor, Role
from inbound.files.roster import read_roster
from runtime import rulebook
from runtime.settings import ROOT
from store import duty, issue_writer, roster, rulebooks
from store.connection import Pool
from tests.support.builders import LINKS, an_intake

EXAMPLE = read_roster(ROOT / "examples" / "roster")
STANDARD = rulebook.load(ROOT / "policies" / "standard.toml")
BY_DAY, BY_NIGHT, LEAD, MANAGER = "liang.jiahao", "deng.wei", "zhou.jianguo", "sun.li"
CORE = Standby.model_validate({"share": "20%", "departments": ["technical_service"]})
MAJOR = ReliefRule.model_validate({"name": "major", "for": {"severity": ["major"]}})


def at(text: str) -> datetime:
    zone = ZoneInfo("Asia/Shanghai")
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)


@dataclass
class Place:
    """A desk that has a roster and a policy, and one that takes steps on it."""

    pool: Pool
    recording: Recording

    async def people(self, *changed: Member, without: str = "") -> None:
        """Keep only Guangzhou's two engineers of technical service, and the superiors."""
        new = {member.id: member for member in changed}
        kept = [
            new.pop(m.id, m)
            for m in EXAMPLE.members
            if m.role is not Role.ENGINEER
            or m.department != "technical_service"
            or m.id in {BY_DAY, BY_NIGHT}
        ]
        members = (*(m for m in kept if m.id != without), *new.values())
        async with self.pool.acquire() as connection, connection.transaction():
            await roster.replace(
                connection, EXAMPLE.model_copy(update={"members": members, "exceptions": None})
            )

    async def off(self, person: str, first: str, until: str, shift: str = "off") -> None:
        exception = DutyException.model_validate(
            {"person": person, "from": first, "until": until, "shift": shift, "reason": "leave"}
        )
        async with self.pool.acquire() as connection, connection.transaction():
            await duty.enter(connection, exception, by=person)

    async def open(self, when: str, reference: str = "r-1", **changes: Any) -> Issue:
        intake = an_intake(
            reference=reference, reported_at=at(when), occurred_at=None, region="广东", **changes
        )
        step = register(intake, at(when)).model_copy(update={"run": "run-1"})
        return registered(intake, await self.recording.record_step(step))

    async def assign(self, issue: Issue, when: str, **wanted: Any) -> Recorded:
        return await self.recording.record_step(self.step(issue, when, **wanted))

    def step(self, issue: Issue, when: str, department: str | None = None, **wanted: Any) -> Step:
        act = Reassign(by=Actor(id=LEAD, role=Role.LEAD), reason="a reason")
        step = decide(issue, ActionName.REASSIGN, act, at(when), f"u-{issue.seq}")
        return step.model_copy(
            update={
                "run": "run-1",
                "assignment": Assignment.model_validate(wanted),
                "department": department,
            }
        )


@pytest.fixture
async def place(database: Pool) -> Place:
    policy = STANDARD.policy.model_copy(update={"reliefs": (MAJOR,), "standby": Standby()})
    return await a_place(database, STANDARD.with_policy(policy))


async def a_place(database: Pool, current: Rulebook) -> Place:
    place = Place(database, Recording(database, LINKS))
    await place.people()
    async with database.acquire() as connection, connection.transaction():
        await rulebooks.adopt(connection, current, by="test", note="")
    return place


def example(id_: str, **changes: Any) -> Member:
    found = next(member for member in EXAMPLE.members if member.id == id_)
    return found.model_copy(update=changes)


def holder(recorded: Recorded | Issue) -> str | None:
    return recorded.engineer.id if recorded.engineer else None


# --- Away and not certified any more -------------------------------------------------------------


async def test_whoever_is_on_leave_is_not_chosen_and_waited_for(place: Place) -> None:
    await place.off(BY_DAY, "2026-11-23", "2026-11-25")
    issue = await place.open("2026-11-23 10:00")
    assert (holder(issue), issue.assign_again_at) == (None, at("2026-11-23 20:00"))


async def test_whoever_is_on_leave_or_lapsed_cannot_be_named(place: Place, database: Pool) -> None:
    issue = await place.open("2026-11-23 10:00")
    await place.off(BY_NIGHT, "2026-11-23", "2026-11-25")
    lapsed = (Certification(product_line="ATM", until=date(2026, 11, 22)),)
    await place.people(example(BY_DAY, certified=lapsed))
    before = await database.fetchval("SELECT count(*) FROM issue_events")
    for who, why in {
        BY_NIGHT: "to: deng.wei is off duty until 2026-11-25",
        BY_DAY: "to: liang.jiahao is not certified for ATM any more: that ended on 2026-11-22",
        "jin.lan": "to: jin.lan works in legal, this is for technical_service",
        "fan.meiling": "to: fan.meiling is not an engineer or superior on the roster",
    }.items():
        with pytest.raises(ApplicationError) as refused:
            await place.assign(issue, "2026-11-23 10:05", to=who)
        assert (refused.value.type, refused.value.message) == ("Invalid", why)
    assert await database.fetchval("SELECT count(*) FROM issue_events") == before
    named = await place.assign(issue, "2026-11-26 10:00", to=BY_NIGHT)
    assert holder(named) == BY_NIGHT


# --- Shift relief --------------------------------------------------------------------------------


async def test_a_major_issue_is_looked_at_again_when_its_handlers_duty_ends(place: Place) -> None:
    major = await place.open("2026-11-23 10:00", severity="major")
    general = await place.open("2026-11-23 10:00", "r-2")
    assert (holder(major), major.assign_again_at) == (BY_DAY, at("2026-11-23 18:00"))
    assert (holder(general), general.assign_again_at) == (BY_DAY, None)
    named = await place.assign(major, "2026-11-23 10:30", to=BY_NIGHT)
    assert (holder(named), named.assign_again_at) == (BY_NIGHT, at("2026-11-24 08:00"))


async def test_whoever_is_on_duty_takes_over_from_whoever_is_not(place: Place) -> None:
    issue = await place.open("2026-11-23 10:00", severity="major")
    evening = await place.assign(issue, "2026-11-23 20:00", keep=True, prefer=BY_DAY)
    assert (holder(evening), evening.assign_again_at) == (BY_NIGHT, at("2026-11-24 08:00"))


async def test_with_nobody_on_duty_they_keep_it_until_somebody_comes(place: Place) -> None:
    issue = await place.open("2026-11-23 10:00", severity="major")
    kept = await place.assign(issue, "2026-11-23 18:00", keep=True, prefer=BY_DAY)
    assert (holder(kept), kept.assign_again_at) == (BY_DAY, at("2026-11-23 20:00"))
    let_go = await place.assign(kept.applied_to(issue), "2026-11-23 18:30")
    assert (holder(let_go), let_go.assign_again_at) == (None, at("2026-11-23 20:00"))


async def test_whoever_is_on_duty_again_keeps_it(place: Place) -> None:
    issue = await place.open("2026-11-23 10:00", severity="major")
    await place.off(BY_NIGHT, "2026-11-23", "2026-11-30")
    evening = await place.assign(issue, "2026-11-23 18:00", keep=True, prefer=BY_DAY)
    assert evening.assign_again_at == at("2026-11-24 09:00")
    issue = evening.applied_to(issue)
    morning = await place.assign(issue, "2026-11-24 09:00", keep=True, prefer=BY_DAY)
    assert (holder(morning), morning.assign_again_at) == (BY_DAY, at("2026-11-24 18:00"))


async def test_what_a_superior_has_taken_stays_theirs(place: Place) -> None:
    issue = await place.open("2026-11-23 10:00", severity="major")
    named = await place.assign(issue, "2026-11-23 10:30", to=LEAD)
    assert (holder(named), named.assign_again_at) == (LEAD, None)


# --- Upwards, and to another department ----------------------------------------------------------


@pytest.mark.parametrize(("level", "who"), [(1, LEAD), (2, MANAGER), (3, "tian.hui")])
async def test_a_superior_takes_it_at_their_level(place: Place, level: int, who: str) -> None:
    issue = await place.open("2026-11-23 10:00", severity="major")
    taken = await place.assign(issue, "2026-11-23 10:30", level=level)
    assert (holder(taken), taken.assign_again_at) == (who, None)
    assert taken.lead
    assert taken.lead.id == LEAD


async def test_a_lead_on_leave_is_passed_over_while_somebody_above_is_there(place: Place) -> None:
    issue = await place.open("2026-11-23 10:00")
    await place.off(LEAD, "2026-11-20", "2026-11-30")
    taken = await place.assign(issue, "2026-11-23 10:30", level=1)
    assert holder(taken) == MANAGER


async def test_a_transfer_finds_somebody_of_the_other_department_and_its_lead(
    place: Place, database: Pool
) -> None:
    issue = await place.open("2026-11-23 10:00")
    moved = await place.assign(issue, "2026-11-23 10:30", department="legal")
    assert (moved.department, holder(moved)) == ("legal", "jin.lan")
    assert moved.lead
    assert moved.lead.id == "mo.yan"
    assert await database.fetchval("SELECT department FROM issues") == "legal"


async def test_a_department_nobody_works_in_is_refused_with_those_there_are(
    place: Place, database: Pool
) -> None:
    issue = await place.open("2026-11-23 10:00")
    with pytest.raises(ApplicationError) as refused:
        await place.assign(issue, "2026-11-23 10:30", department="marketing")
    assert refused.value.type == "Invalid"
    assert refused.value.message == (
        "to: marketing is no department of the roster; there are: business_unit, "
        "customer_service, customer_success, general_office, human_resources, legal, "
        "partner_recruitment, sales, software_development, teaching, technical_service"
    )
    assert await database.fetchval("SELECT department FROM issues") == "technical_service"


# --- Stand-by ------------------------------------------------------------------------------------


@pytest.fixture
async def core(database: Pool) -> Place:
    policy = STANDARD.policy.model_copy(update={"standby": CORE, "reliefs": ()})
    place = await a_place(database, STANDARD.with_policy(policy))
    await place.people(*(example(BY_DAY, id=name) for name in ("a", "b", "c", "d")))
    return place


async def test_a_group_that_falls_under_its_share_is_told_once_a_day(
    core: Place, database: Pool
) -> None:
    opened = [await core.open("2026-11-23 10:00", f"r-{n}") for n in range(6)]
    people = [holder(issue) for issue in opened[:5]]
    assert len(set(people)) == 5
    noted = await database.fetch("SELECT recorded->>'thin' AS thin FROM issue_events")
    assert sorted(str(row["thin"]) for row in noted) == [
        *["None"] * 5,
        "technical_service/guangzhou",
    ]
    same_day = await core.assign(opened[4], "2026-11-23 11:00", to=people[4])
    assert same_day.thin is None
    tomorrow = await core.assign(same_day.applied_to(opened[4]), "2026-11-24 11:00", to=people[4])
    assert tomorrow.thin == "technical_service/guangzhou"
    day_after = await core.assign(opened[3], "2026-11-25 11:00", to=people[4])
    assert day_after.thin is None  # whoever gave it up is on stand-by now: one of five
    alarms = await database.fetch("SELECT department, centre, day FROM standby_alarms ORDER BY day")
    assert [tuple(row) for row in alarms] == [
        ("technical_service", "guangzhou", date(2026, 11, 23)),
        ("technical_service", "guangzhou", date(2026, 11, 24)),
    ]


async def test_what_a_superior_takes_leaves_the_core_group_as_it_is(core: Place) -> None:
    for n in range(4):
        await core.open("2026-11-23 10:00", f"r-{n}")
    issue = await core.open("2026-11-23 10:00", "r-4", product_line="VEHICLE")
    assert holder(issue) is None  # nobody by day is certified for that
    taken = await core.assign(issue, "2026-11-23 10:05", to=LEAD)
    assert (holder(taken), taken.thin) == (LEAD, None)


async def test_an_alarm_is_not_noted_if_the_step_is_not_recorded(
    core: Place, database: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(4):
        await core.open("2026-11-23 10:00", f"r-{n}")

    async def away(*_: object, **__: object) -> None:
        raise ConnectionError("the register went away")

    with monkeypatch.context() as patch:
        patch.setattr(issue_writer, "write", away)
        with pytest.raises(ConnectionError):
            await core.open("2026-11-23 10:00", "r-4")
    assert not await database.fetchval("SELECT count(*) FROM standby_alarms")
    assert holder(await core.open("2026-11-23 10:00", "r-4"))
    assert await database.fetchval("SELECT count(*) FROM standby_alarms") == 1
