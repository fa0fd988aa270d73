"""Who gets an issue (R16), and who is above them (R13). Local times are Shanghai's."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from domain.issue.intake import Intake
from domain.sla.clock import Rehearsal
from domain.staff.duty import Duty
from domain.staff.roster import Candidate, Choice, Member, Need, Roster, choose, superior
from domain.terms import CATEGORIES, KINDS
from domain.vocabulary import Channel, CustomerType, Role, Severity
from inbound.files.roster import read_roster
from runtime.rulebook import load

ROOT = Path(__file__).parents[2]
STANDARD, DEMO = (load(ROOT / "policies" / f"{name}.toml") for name in ("standard", "demo"))
EXAMPLE = read_roster(ROOT / "examples" / "roster")
IDLE = datetime(2026, 11, 1, tzinfo=UTC)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Asia/Shanghai")).astimezone(UTC)


MONDAY = at("2026-11-23 10:00")
SUNDAY = at("2026-11-22 10:00")


def member(id_: str = "li", **changes: Any) -> Member:
    usual = {
        "person": id_,
        "name": id_,
        "role": "engineer",
        "department": "technical_service",
        "centre": "guangzhou",
        "certified": [{"product_line": "ATM"}],
        "shift": "desk",
        "contacts": [{"channel": "sms", "address": "+8613900000000"}],
    }
    return Member.model_validate(usual | changes)


def candidate(
    id_: str = "li", open_issues: int = 0, idle_since: datetime = IDLE, **changes: Any
) -> Candidate:
    return Candidate(member=member(id_, **changes), open_issues=open_issues, idle_since=idle_since)


def need(**changes: Any) -> Need:
    usual = {
        "department": "technical_service",
        "product_line": "ATM",
        "centres": ("guangzhou", "shenzhen", "wuhan"),
    }
    return Need.model_validate(usual | changes)


def chosen(*candidates: Candidate, when: datetime = MONDAY, **changes: Any) -> str | None:
    choice = choose(candidates, need(**changes), Duty(STANDARD), when)
    return choice.member.id if choice.member else None


# --- Who may -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "unfit",
    [
        {"certified": [{"product_line": "KIOSK"}]},
        {"certified": []},
        {"department": "legal"},
        {"centre": "urumqi"},
        {"role": "lead"},
        {"shift": "off"},
    ],
)
def test_whoever_is_not_certified_not_of_the_place_or_off_gets_nothing(
    unfit: dict[str, Any],
) -> None:
    assert chosen(candidate("li")) == "li"
    assert choose([candidate("li", **unfit)], need(), Duty(STANDARD), MONDAY) == Choice()


def test_a_certificate_holds_through_its_last_local_day() -> None:
    li = candidate("li", shift="always", certified=[{"product_line": "ATM", "until": "2026-11-23"}])
    assert chosen(li, when=at("2026-11-23 23:59")) == "li"
    assert chosen(li, when=at("2026-11-24 00:00")) is None


def test_an_expired_certificate_does_not_spoil_a_renewed_one() -> None:
    both = [
        {"product_line": "ATM", "until": "2025-12-31"},
        {"product_line": "ATM", "until": "2027-12-31"},
    ]
    assert chosen(candidate("li", certified=both)) == "li"


def test_r46_who_failed_the_quarterly_test_is_given_nothing() -> None:
    failed, passed = {"on": "2026-10-12", "score": 89}, {"on": "2026-11-20", "score": 90}
    busy = candidate("wu", open_issues=9)
    assert chosen(candidate("li", tests=[failed]), busy) == "wu"
    assert chosen(candidate("li", tests=[failed, passed]), busy) == "li"


def test_r46_a_certificate_counts_from_the_mark_that_the_policy_asks() -> None:
    def examined(score: int) -> Candidate:
        return candidate("li", certified=[{"product_line": "ATM", "score": score}])

    assert chosen(examined(59)) is None
    assert chosen(examined(60)) == "li"


# --- Who first -----------------------------------------------------------------------------------


def test_the_nearest_centre_comes_first_however_busy_it_is() -> None:
    here, there = candidate("li", 9), candidate("wang", centre="shenzhen")
    assert chosen(there, here) == "li"


def test_the_centres_that_help_out_are_asked_in_the_order_of_the_roster() -> None:
    far, near = candidate("hu", centre="wuhan"), candidate("wang", centre="shenzhen")
    assert chosen(far, near) == "wang"
    assert chosen(far, near, centres=("guangzhou", "wuhan", "shenzhen")) == "hu"


def test_whoever_is_on_duty_goes_before_a_nearer_one_who_is_not() -> None:
    nearer, on_duty = candidate("li"), candidate("wang", centre="shenzhen", shift="everyday")
    assert chosen(nearer, on_duty, when=SUNDAY) == "wang"


def test_in_one_centre_the_fewest_open_issues_decide_then_the_longest_idle() -> None:
    busy = candidate("a", 2, IDLE - timedelta(days=9))
    short = candidate("b", 1, IDLE)
    long = candidate("c", 1, IDLE - timedelta(days=1))
    assert chosen(busy, short, long) == "c"


def test_two_who_are_equal_in_everything_are_taken_by_their_id() -> None:
    assert chosen(candidate("b"), candidate("a")) == "a"


def test_whoever_is_preferred_goes_first_if_on_duty() -> None:
    far, near = candidate("hu", 5, centre="wuhan"), candidate("li")
    assert chosen(far, near, prefer="hu") == "hu"
    off_duty = candidate("hu", centre="wuhan", shift="night")
    assert chosen(off_duty, near, prefer="hu") == "li"


# --- Nobody --------------------------------------------------------------------------------------


def test_if_nobody_is_on_duty_it_is_tried_again_at_the_first_next_opening() -> None:
    candidates = [candidate("li"), candidate("ma", shift="west"), candidate("z", shift="off")]
    choice = choose(candidates, need(), Duty(STANDARD), at("2026-09-30 20:00"))
    assert choice == Choice(again_at=at("2026-10-08 09:00"))


def test_somebody_who_is_not_qualified_is_not_waited_for() -> None:
    other = candidate("xu", shift="everyday", certified=[{"product_line": "KIOSK"}])
    choice = choose([candidate("li"), other], need(), Duty(STANDARD), SUNDAY)
    assert choice.again_at == at("2026-11-23 09:00")


def test_in_a_rehearsal_duty_is_asked_in_the_storys_time_and_waited_for_in_real_time() -> None:
    rehearsal = Rehearsal(story_begins=SUNDAY, really_begins=MONDAY, speed=3600)
    policy = STANDARD.policy.model_copy(update={"rehearsal": rehearsal})
    rulebook = STANDARD.with_policy(policy)
    choice = choose([candidate("li")], need(), Duty(rulebook), MONDAY)
    assert choice == Choice(again_at=MONDAY + timedelta(seconds=23))


# --- Days on which a shift is another -------------------------------------------------------------


def leave(first: str, until: str, shift: str = "off") -> dict[str, Any]:
    return {"person": "li", "from": first, "until": until, "shift": shift, "reason": "leave"}


def test_whoever_is_away_that_day_gets_nothing_and_is_waited_for_until_they_are_back() -> None:
    away = candidate("li", exceptions=[leave("2026-11-23", "2026-11-25")])
    assert chosen(away, candidate("wu", 9)) == "wu"
    choice = choose([away], need(), Duty(STANDARD), MONDAY)
    assert choice == Choice(again_at=at("2026-11-26 09:00"))


def test_a_night_shift_taken_over_counts_for_these_days() -> None:
    swapped = candidate("li", exceptions=[leave("2026-11-23", "2026-11-23", "night")])
    assert chosen(swapped) is None
    assert chosen(swapped, when=at("2026-11-23 21:00")) == "li"
    assert chosen(swapped, when=at("2026-11-24 10:00")) == "li"


def test_somebody_usually_off_is_chosen_on_the_days_on_which_they_work() -> None:
    helps = candidate("li", shift="off", exceptions=[leave("2026-11-23", "2026-11-23", "desk")])
    assert chosen(helps) == "li"
    assert chosen(helps, when=at("2026-11-24 10:00")) is None


# --- Who is above --------------------------------------------------------------------------------

LEAD = member("lead", role="lead")
MANAGER = member("manager", role="manager")
OFFICE = member("office", role="gm_office", department="general_office")


@pytest.mark.parametrize(
    ("there", "levels"),
    [
        ((LEAD, MANAGER, OFFICE), ["lead", "manager", "office"]),
        ((MANAGER, OFFICE), ["manager", "manager", "office"]),
        ((LEAD, OFFICE), ["lead", "office", "office"]),
        ((OFFICE,), ["office", "office", "office"]),
        ((), [None, None, None]),
    ],
)
def test_where_nobody_answers_for_a_level_the_next_above_does(
    there: Iterable[Member], levels: list[str | None]
) -> None:
    found = [superior(there, "technical_service", level) for level in (1, 2, 3)]
    assert [m.id if m else None for m in found] == levels


def test_a_lead_answers_for_their_own_department_only() -> None:
    other = member("other", role="lead", department="legal")
    found = superior([other, LEAD, OFFICE], "technical_service", 1)
    assert found == LEAD


def test_of_two_leads_it_is_always_the_same_one() -> None:
    second = member("lead2", role="lead")
    for there in ([LEAD, second, OFFICE], [second, LEAD, OFFICE]):
        assert superior(there, "technical_service", 1) == LEAD


# --- The roster as a whole, and the example ------------------------------------------------------


def changed(**changes: Any) -> Roster:
    return Roster.model_validate(dict(EXAMPLE) | changes)


def test_a_roster_without_somebody_to_escalate_to_is_refused() -> None:
    members = EXAMPLE.members
    with pytest.raises(ValueError, match="department legal has no lead"):
        changed(members=[m for m in members if (m.department, m.role) != ("legal", Role.LEAD)])
    with pytest.raises(ValueError, match="nobody has the role gm_office"):
        changed(
            members=[m for m in members if m.department != "general_office"],
        )


def test_a_roster_that_names_what_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match=r"centre guangzhou: nearest: .* is unknown"):
        changed(centres=[c for c in EXAMPLE.centres if c.id == "guangzhou"])
    with pytest.raises(ValueError, match=r"contacts: .* is unknown"):
        changed(channels=EXAMPLE.channels[:1])
    with pytest.raises(ValueError, match="person 07 is on the roster twice"):
        changed(members=(*EXAMPLE.members, EXAMPLE.members[0]))


@pytest.mark.parametrize("rulebook", [STANDARD, DEMO], ids=["standard", "demo"])
def test_the_example_roster_fits_the_policies(rulebook: Any) -> None:
    EXAMPLE.check_against(rulebook)


def test_a_roster_with_a_shift_or_department_the_policy_does_not_know_is_refused() -> None:
    with pytest.raises(ValueError, match="person li: shift: moon is unknown"):
        changed(members=(*EXAMPLE.members, member("li", shift="moon"))).check_against(STANDARD)
    without_legal = changed(members=[m for m in EXAMPLE.members if m.department != "legal"])
    with pytest.raises(ValueError, match="routing of out_of_scope: department: legal is unknown"):
        without_legal.check_against(STANDARD)


def test_the_example_roster_has_somebody_for_every_line_department_and_region() -> None:
    lines = ("ATM", "KIOSK", "VEHICLE", "SECURITY")
    everybody = [Candidate(member=m, open_issues=0, idle_since=IDLE) for m in EXAMPLE.members]
    for centre, department, line in product(
        EXAMPLE.centres, STANDARD.policy.routing.values(), lines
    ):
        wanted = Need(
            department=department, product_line=line, centres=(centre.id, *centre.nearest)
        )
        choice = choose(everybody, wanted, Duty(DEMO), MONDAY)
        assert choice.member, (centre.id, department, line)
        assert choose(everybody, wanted, Duty(STANDARD), at("2026-10-01 03:00")) != Choice()


def test_a_major_fault_at_night_finds_an_engineer_on_duty_everywhere() -> None:
    everybody = [Candidate(member=m, open_issues=0, idle_since=IDLE) for m in EXAMPLE.members]
    for centre in EXAMPLE.centres:
        wanted = need(centres=(centre.id, *centre.nearest))
        choice = choose(everybody, wanted, Duty(STANDARD), at("2026-10-01 03:00"))
        assert choice.member is not None
        assert choice.member.id == "deng.wei"


# --- The example issues --------------------------------------------------------------------------

ISSUES = [
    json.loads(line)
    for line in (ROOT / "examples" / "issues.jsonl").read_text(encoding="utf-8").splitlines()
]


def intakes() -> list[Intake]:
    return [
        Intake.model_validate(
            {key: value for key, value in issue.items() if key != "script"}
            | {"reported_at": MONDAY}
        )
        for issue in ISSUES
    ]


def test_the_example_issues_can_be_taken_in_and_cover_what_there_is() -> None:
    issues = intakes()
    assert len({issue.issue_id for issue in issues}) == len(issues) == 57
    served = {region for centre in EXAMPLE.centres for region in centre.regions}
    agents = {m.id for m in EXAMPLE.members if m.role is Role.AGENT}
    assert {issue.region for issue in issues} <= served
    assert {issue.agent for issue in issues} == agents
    assert {issue.kind for issue in issues} == set(KINDS)
    assert {issue.channel for issue in issues} == set(Channel)
    assert {issue.severity for issue in issues} == set(Severity)
    assert {issue.category for issue in issues} == set(CATEGORIES)
    assert {issue.customer.type for issue in issues} == set(CustomerType) - {CustomerType.PARTNER}
    assert {issue.product_line for issue in issues} == {"ATM", "KIOSK", "VEHICLE", "SECURITY"}
    centres = {c.id for c in EXAMPLE.centres if set(c.regions) & {i.region for i in issues}}
    assert centres == {centre.id for centre in EXAMPLE.centres}
