"""Whether the desk is manned (R16): who can go on, who is on stand-by, what will be missing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.issue.state import Person
from domain.sla.policy import Standby
from domain.sla.rulebook import Rulebook
from domain.staff.duty import Duty, DutyException
from domain.staff.roster import Candidate, Centre, Member
from domain.staff.staffing import (
    Findings,
    OpenIssue,
    Watch,
    below_standby,
    hindrance,
    look_over,
    standby_share,
    stranded,
    working,
)
from domain.vocabulary import Role
from tests.domain.test_assignment import IDLE, MONDAY, STANDARD, SUNDAY, at, candidate, member

DUTY = Duty(STANDARD)
SHARE = Standby.model_validate({"share": "20%", "departments": ["technical_service"]})


def off(first: str, until: str) -> DutyException:
    return DutyException.model_validate(
        {"person": "li", "from": first, "until": until, "shift": "off", "reason": "leave"}
    )


# --- Who is at work -------------------------------------------------------------------------------


def test_r22_calls_are_shared_out_among_the_clerks_who_are_there_that_day() -> None:
    here = member(person="fan", role="clerk", shift="callback")
    on_leave = member(
        person="jiang", role="clerk", shift="callback", exceptions=[off("2026-11-23", "2026-11-24")]
    )
    gone = member(person="tan", role="clerk", shift="off")
    people = [member(), here, on_leave, gone]
    monday = MONDAY.date()
    assert working(people, Role.CLERK, DUTY, monday) == [here]
    assert working(people, Role.CLERK, DUTY, monday + timedelta(days=2)) == [here, on_leave]
    sunday = monday + timedelta(days=6)
    assert working([here], Role.CLERK, DUTY, sunday) == []


# --- Who can go on -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("who", "why"),
    [
        (member(), None),
        (member(shift="night"), None),
        (member(exceptions=[off("2026-11-23", "2026-11-23")]), None),
        (member(exceptions=[off("2026-11-24", "2026-12-01")]), None),
        (
            member(exceptions=[off("2026-11-23", "2026-12-01")]),
            "is off duty until 2026-12-01",
        ),
        (member(shift="off"), "is off duty until the roster says otherwise"),
        (
            member(certified=[{"product_line": "ATM", "until": "2026-11-22"}]),
            "is not certified for ATM any more: that ended on 2026-11-22",
        ),
        (member(certified=[{"product_line": "ATM", "until": "2026-11-23"}]), None),
        (
            member(certified=[{"product_line": "VEHICLE"}, {"product_line": "KIOSK"}]),
            "is not certified for ATM, only for KIOSK, VEHICLE",
        ),
        (member(certified=[]), "is not certified for ATM, only for nothing"),
        (member(role="clerk"), "handles no issues as clerk"),
        (member(role="lead", certified=[]), None),
        (
            member(role="lead", exceptions=[off("2026-11-20", "2026-11-30")]),
            "is off duty until 2026-11-30",
        ),
    ],
)
def test_who_cannot_go_on_with_an_issue_is_told_with_the_reason(
    who: Member, why: str | None
) -> None:
    assert hindrance(who, "ATM", DUTY, MONDAY) == why


def an_issue(engineer: str | None, who: Member | None = None) -> OpenIssue:
    return OpenIssue(
        id="issue:web:1",
        number="20261123-07-0001",
        seq=3,
        product_line="ATM",
        engineer=Person(id=engineer, name=engineer) if engineer else None,
        member=who,
    )


def test_an_issue_is_stranded_with_nobody_with_who_left_and_with_who_cannot_go_on() -> None:
    away = member(exceptions=[off("2026-11-23", "2026-12-01")])
    issues = [an_issue(None), an_issue("wu"), an_issue("li", away), an_issue("li", member())]
    found = stranded(issues, DUTY, MONDAY)
    assert [(each.engineer, each.reason) for each in found] == [
        (None, "nobody has it"),
        ("wu", "wu has left"),
        ("li", "li is off duty until 2026-12-01"),
    ]
    assert {(each.id, each.number, each.seq) for each in found} == {
        ("issue:web:1", "20261123-07-0001", 3)
    }


# --- Who is on stand-by --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("loads", "off_duty", "share", "verdict"),
    [
        ([], 0, None, "enough"),
        ([], 9, None, "enough"),
        ([1], 0, 0.0, "thin"),
        ([0], 0, 1.0, "enough"),
        ([2, 0], 0, 0.5, "enough"),
        ([1, 1, 1, 1, 0], 0, 0.2, "enough"),  # exactly the share is enough
        ([1, 1, 1, 1, 1, 0], 0, 1 / 6, "thin"),
        ([1, 1, 1, 1, 3], 5, 0.0, "thin"),  # who is off duty is not on stand-by
    ],
)
def test_of_those_on_duty_the_share_without_an_issue_counts(
    loads: list[int], off_duty: int, share: float | None, verdict: str
) -> None:
    group = [candidate(f"e{n}", load) for n, load in enumerate(loads)]
    group += [candidate(f"off{n}", 0, shift="night") for n in range(off_duty)]
    assert standby_share(group, DUTY, MONDAY) == share
    assert below_standby(group, SHARE, DUTY, MONDAY) is (verdict == "thin")


groups = st.lists(
    st.builds(
        lambda load, shift: candidate("e", load, shift=shift),
        st.integers(0, 3),
        st.sampled_from(["desk", "everyday", "night", "off"]),
    ),
    max_size=12,
)


@given(groups, st.integers(0, 100))
def test_one_more_issue_never_makes_a_thin_group_strong(
    group: list[Candidate], percent: int
) -> None:
    standby = Standby.model_validate({"share": f"{percent}%"})
    busier = (
        [group[0].model_copy(update={"open_issues": group[0].open_issues + 1})] if group else []
    )
    if below_standby(group, standby, DUTY, MONDAY):
        assert below_standby([*busier, *group[1:]], standby, DUTY, MONDAY)


@given(groups, st.integers(0, 100))
def test_a_group_is_thin_if_fewer_than_the_share_are_idle_counted_in_whole_people(
    group: list[Candidate], percent: int
) -> None:
    standby = Standby.model_validate({"share": f"{percent}%"})
    there = [each for each in group if each.member.shift in {"desk", "everyday"}]
    idle = sum(each.open_issues == 0 for each in there)
    assert below_standby(group, standby, DUTY, MONDAY) is (100 * idle < percent * len(there))


@given(groups)
def test_whoever_is_off_duty_makes_no_difference(group: list[Candidate]) -> None:
    there = [each for each in group if DUTY.on_duty(each.member, SUNDAY)]
    assert standby_share(group, DUTY, SUNDAY) == standby_share(there, DUTY, SUNDAY)


# --- What is about to be missing -----------------------------------------------------------------


def centre(id_: str, region: str, *nearest: str) -> Centre:
    return Centre(
        centre=id_,
        name=id_,
        regions=(region,),
        zone="Asia/Shanghai",
        calendar="desk",
        nearest=nearest,
    )


def watched(*people: Member, loads: int = 0, **changes: Any) -> Watch:
    usual: dict[str, Any] = {
        "centres": (centre("guangzhou", "广东", "shenzhen"), centre("shenzhen", "深圳")),
        "members": people,
        "engineers": [Candidate(member=m, open_issues=loads, idle_since=IDLE) for m in people],
        "issues": (),
    }
    return Watch.model_validate(usual | changes)


def only_technical_service(**standby: Any) -> Duty:
    policy = STANDARD.policy.model_copy(
        update={
            "routing": dict.fromkeys(STANDARD.policy.routing, "technical_service"),
            "routes": (),
            "standby": Standby.model_validate(standby),
        }
    )
    return Duty(Rulebook(policy=policy, calendars=STANDARD.calendars, national=STANDARD.national))


def certified(**until: str | None) -> list[dict[str, Any]]:
    return [{"product_line": line, "until": last} for line, last in until.items()]


def test_a_roster_that_has_all_it_needs_has_no_findings() -> None:
    found = look_over(
        watched(member(), member("wu", centre="shenzhen")), only_technical_service(), MONDAY
    )
    assert found == Findings(certifications=(), standby=(), stranded=(), uncovered=())
    assert not found


def test_certifications_that_ended_or_end_within_the_days_are_found() -> None:
    people = (
        member("a", certified=certified(ATM="2026-11-22")),
        member("b", certified=certified(ATM="2026-12-23", KIOSK="2026-12-24")),
        member("c", certified=certified(ATM=None)),
        member("d", certified=[*certified(ATM="2026-11-22"), *certified(ATM="2027-11-22")]),
    )
    found = look_over(watched(*people), only_technical_service(), MONDAY)
    assert found.certifications == ("a: ATM ended on 2026-11-22", "b: ATM ends on 2026-12-23")
    today = look_over(watched(*people, within=timedelta()), only_technical_service(), MONDAY)
    assert today.certifications == ("a: ATM ended on 2026-11-22",)


def test_core_groups_are_looked_at_by_department_and_centre() -> None:
    duty = only_technical_service(share="20%", departments=["technical_service"])
    people = (member("a"), member("b", centre="shenzhen"), member("c", department="legal"))
    watch = watched(*people, loads=1)
    assert look_over(watch, duty, MONDAY).standby == (
        "technical_service/guangzhou: 0% on stand-by, 20% wanted",
        "technical_service/shenzhen: 0% on stand-by, 20% wanted",
    )
    assert look_over(watch, duty, at("2026-11-23 20:00")).standby == ()


def test_a_product_line_for_which_a_region_has_nobody_is_found() -> None:
    people = (member(), member("wu", certified=certified(KIOSK="2026-11-22")))
    found = look_over(watched(*people), only_technical_service(), MONDAY)
    assert found.uncovered == (
        "technical_service: nobody certified for ATM serves 深圳",
        "technical_service: nobody certified for KIOSK serves any region",
    )


def test_a_department_without_engineers_that_issues_go_to_is_found() -> None:
    found = look_over(watched(member(department="legal")), only_technical_service(), MONDAY)
    assert found.uncovered == ("technical_service: issues go there, and no engineer works there",)


def test_stranded_issues_are_found_with_their_number() -> None:
    found = look_over(watched(issues=[an_issue("wu")]), only_technical_service(), MONDAY)
    assert found.stranded == ("20261123-07-0001: wu has left",)
    assert found
