"""When somebody is on duty (R16, R33). Local times are Shanghai's."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.sla.clock import Rehearsal
from domain.staff.duty import FOR_GOOD, OFF, Duty, DutyException, overlapping, shift_on
from domain.staff.roster import Member
from runtime.rulebook import load
from runtime.settings import ROOT

STANDARD = load(ROOT / "policies" / "standard.toml")
DUTY = Duty(STANDARD)
SHANGHAI = ZoneInfo("Asia/Shanghai")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI).astimezone(UTC)


def local(instant: datetime | None) -> str | None:
    return f"{instant.astimezone(SHANGHAI):%m-%d %H:%M}" if instant else None


def exception(first: str, until: str, shift: str = OFF, person: str = "li") -> DutyException:
    return DutyException.model_validate(
        {"person": person, "from": first, "until": until, "shift": shift, "reason": "a reason"}
    )


def somebody(shift: str = "desk", *exceptions: DutyException) -> Member:
    return Member.model_validate(
        {
            "person": "li",
            "name": "li",
            "role": "engineer",
            "department": "technical_service",
            "centre": "guangzhou",
            "shift": shift,
            "contacts": [{"channel": "sms", "address": "1"}],
            "exceptions": exceptions,
        }
    )


LEAVE = exception("2026-11-24", "2026-11-26")  # Tuesday to Thursday
NIGHTS = exception("2026-11-24", "2026-11-25", "night")


# --- Now, next, and until when -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("who", "when", "next_duty", "ends"),
    [
        (somebody(), "2026-11-23 10:00", "11-23 10:00", "11-23 18:00"),
        (somebody(), "2026-11-23 12:30", "11-23 13:30", "11-23 18:00"),
        (somebody(), "2026-11-23 18:00", "11-24 09:00", "11-24 18:00"),
        (somebody("night"), "2026-11-23 03:00", "11-23 03:00", "11-23 08:00"),
        (somebody("night"), "2026-11-23 21:00", "11-23 21:00", "11-24 08:00"),
        (somebody("desk", LEAVE), "2026-11-23 18:30", "11-27 09:00", "11-27 18:00"),
        (somebody("desk", LEAVE), "2026-11-25 10:00", "11-27 09:00", "11-27 18:00"),
        (somebody("night", LEAVE), "2026-11-23 23:00", "11-23 23:00", "11-24 00:00"),
        (somebody("desk", NIGHTS), "2026-11-24 10:00", "11-24 20:00", "11-25 08:00"),
        (somebody("desk", NIGHTS), "2026-11-25 21:00", "11-25 21:00", "11-26 00:00"),
        (somebody(OFF, NIGHTS), "2026-11-25 09:00", "11-25 20:00", "11-26 00:00"),
        (somebody(OFF, NIGHTS), "2026-11-26 09:00", None, None),
        (somebody(OFF), "2026-11-23 10:00", None, None),
        (somebody("moon"), "2026-11-23 10:00", None, None),
        (somebody("always"), "2026-11-23 10:00", "11-23 10:00", None),
        (somebody("always", LEAVE), "2026-11-23 10:00", "11-23 10:00", "11-24 00:00"),
    ],
)
def test_duty_follows_the_shift_of_the_day(
    who: Member, when: str, next_duty: str | None, ends: str | None
) -> None:
    now = at(when)
    assert local(DUTY.next_duty(who, now)) == next_duty
    assert local(DUTY.duty_ends(who, now)) == ends
    assert DUTY.on_duty(who, now) is (DUTY.next_duty(who, now) == now)


def test_two_exceptions_that_meet_are_one_duty() -> None:
    day = exception("2026-11-24", "2026-11-24", "always")
    who = somebody(OFF, day, exception("2026-11-25", "2026-11-25", "night"))
    assert local(DUTY.duty_ends(who, at("2026-11-24 15:00"))) == "11-25 08:00"


@pytest.mark.parametrize(
    ("who", "when", "last"),
    [
        (somebody(), "2026-11-23 20:00", None),
        (somebody(), "2026-11-21 10:00", None),  # a Saturday is no absence
        (somebody(OFF), "2026-11-23 10:00", FOR_GOOD),
        (somebody("desk", LEAVE), "2026-11-23 10:00", None),
        (somebody("desk", LEAVE), "2026-11-24 00:00", date(2026, 11, 26)),
        (somebody("desk", LEAVE), "2026-11-25 10:00", date(2026, 11, 26)),
        (somebody("desk", LEAVE), "2026-11-26 10:00", None),  # back tomorrow
        (somebody(OFF, NIGHTS), "2026-11-23 10:00", None),  # at work tomorrow
        (somebody(OFF, NIGHTS), "2026-11-22 10:00", date(2026, 11, 23)),
        (
            somebody("desk", LEAVE, exception("2026-11-27", "2026-11-30")),
            "2026-11-24 10:00",
            date(2026, 11, 30),
        ),
    ],
)
def test_who_is_off_for_longer_than_today_is_off_until_a_day(
    who: Member, when: str, last: date | None
) -> None:
    assert DUTY.off_until(who, at(when)) == last


def test_the_hours_of_a_day_are_those_of_its_shift_and_end_with_it() -> None:
    who = somebody("desk", NIGHTS)
    hours = {
        day: [(local(a), local(b)) for a, b in DUTY.hours_on(who, date(2026, 11, day))]
        for day in (23, 24, 26, 28)
    }
    assert hours == {
        23: [("11-23 09:00", "11-23 12:00"), ("11-23 13:30", "11-23 18:00")],
        24: [("11-24 00:00", "11-24 08:00"), ("11-24 20:00", "11-25 00:00")],
        26: [("11-26 09:00", "11-26 12:00"), ("11-26 13:30", "11-26 18:00")],
        28: [],
    }


# --- In a rehearsal ------------------------------------------------------------------------------


def test_in_a_rehearsal_duty_is_asked_in_the_storys_time_and_answered_in_real_time() -> None:
    begins = at("2030-01-01 00:00")
    rehearsal = Rehearsal(story_begins=at("2026-11-24 17:00"), really_begins=begins, speed=3600)
    policy = STANDARD.policy.model_copy(update={"rehearsal": rehearsal})
    duty = Duty(STANDARD.with_policy(policy))
    who = somebody("desk", exception("2026-11-25", "2026-11-26"))
    assert duty.day(begins) == date(2026, 11, 24)
    assert duty.on_duty(who, begins)
    assert duty.duty_ends(who, begins) == begins + timedelta(seconds=1)
    evening = begins + timedelta(seconds=2)
    assert duty.next_duty(who, evening) == begins + timedelta(seconds=64)
    assert duty.off_until(who, begins + timedelta(seconds=8)) == date(2026, 11, 26)


# --- Laws ----------------------------------------------------------------------------------------

_SHIFTS = (OFF, "desk", "night", "everyday", "always", "west")
_FIRST = date(2026, 9, 21)


@st.composite
def rostered(draw: st.DrawFn) -> Member:
    days = sorted(draw(st.sets(st.integers(0, 40), max_size=6)))
    exceptions = [
        exception(
            str(_FIRST + first * DAY),
            str(_FIRST + (following - 1) * DAY),
            draw(st.sampled_from(_SHIFTS)),
        )
        for first, following in list(pairwise(days))[:: draw(st.integers(1, 2))]
    ]
    return somebody(draw(st.sampled_from(_SHIFTS)), *exceptions)


minutes = st.integers(-2 * 1440, 45 * 1440).map(
    lambda n: at("2026-09-21 00:00") + timedelta(minutes=n)
)
speeds = st.sampled_from([None, 1, 3600, 777.7])


def duty_at(speed: float | None) -> Duty:
    if speed is None:
        return DUTY
    rehearsal = Rehearsal(
        story_begins=at("2026-09-21 00:00"), really_begins=at("2026-09-21 00:00"), speed=speed
    )
    return Duty(STANDARD.with_policy(STANDARD.policy.model_copy(update={"rehearsal": rehearsal})))


@given(rostered(), minutes, speeds)
def test_the_next_duty_is_duty_and_its_end_is_not_and_lies_ahead(
    who: Member, now: datetime, speed: float | None
) -> None:
    duty = duty_at(speed)
    opening = duty.next_duty(who, now)
    if opening is None:
        assert not duty.on_duty(who, now)
        assert duty.duty_ends(who, now) is None
        return
    assert opening >= now
    assert duty.on_duty(who, opening)
    assert (opening == now) is duty.on_duty(who, now)
    if ends := duty.duty_ends(who, now):
        assert ends > now
        assert ends > opening
        assert not duty.on_duty(who, ends)


@given(rostered(), minutes)
def test_nobody_is_on_duty_before_the_next_duty(who: Member, now: datetime) -> None:
    opening = DUTY.next_duty(who, now) or now + 3 * DAY
    for minute in range(0, min(4320, int((opening - now).total_seconds()) // 60), 7):
        assert not DUTY.on_duty(who, now + timedelta(minutes=minute))


@given(rostered(), st.integers(0, 42))
def test_the_hours_of_a_day_are_when_somebody_is_on_duty(who: Member, number: int) -> None:
    day = _FIRST + number * DAY
    begins = at(f"{day} 00:00")
    hours = DUTY.hours_on(who, day)
    for half_hour in range(48):
        now = begins + half_hour * HOUR / 2
        assert DUTY.on_duty(who, now) is any(a <= now < b for a, b in hours)


@given(rostered(), minutes)
def test_who_is_off_until_a_day_has_no_duty_up_to_it(who: Member, now: datetime) -> None:
    last = DUTY.off_until(who, now)
    today = DUTY.day(now)
    if last is None:
        assert shift_on(who, today) != OFF or shift_on(who, today + DAY) != OFF
        return
    assert last > today
    assert all(shift_on(who, today + n * DAY) == OFF for n in range(min(99, (last - today).days)))
    assert last == FOR_GOOD or shift_on(who, last + DAY) != OFF


# --- What may be entered -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"until": "2026-11-23"}, "until"),
        ({"from": "1999-12-31"}, "from"),
        ({"until": "3026-11-25"}, "until"),
        ({"from": "24.11.2026"}, "from"),
        ({"reason": " "}, "reason"),
        ({"shift": "day shift"}, "shift"),
        ({"person": ""}, "person"),
        ({"why": "leave"}, "why"),
    ],
)
def test_a_day_that_cannot_be_is_refused_by_its_field(changes: dict[str, Any], field: str) -> None:
    right = {
        "person": "li",
        "from": "2026-11-24",
        "until": "2026-11-26",
        "shift": OFF,
        "reason": "leave",
    }
    assert DutyException.model_validate(right).covers(date(2026, 11, 26))
    with pytest.raises(ValidationError) as refused:
        DutyException.model_validate(right | changes)
    assert [each["loc"] for each in refused.value.errors()] == [(field,)]


@pytest.mark.parametrize(
    ("exceptions", "found"),
    [
        ([], None),
        ([LEAVE], None),
        ([LEAVE, exception("2026-11-27", "2026-11-28")], None),
        ([LEAVE, exception("2026-11-24", "2026-11-26", person="wu")], None),
        ([LEAVE, exception("2026-11-26", "2026-11-28")], ("2026-11-24", "2026-11-26")),
        ([exception("2026-11-25", "2026-11-25"), LEAVE], ("2026-11-24", "2026-11-25")),
    ],
)
def test_one_person_has_one_shift_a_day(
    exceptions: Sequence[DutyException], found: tuple[str, str] | None
) -> None:
    both = overlapping(exceptions)
    assert (both and tuple(str(each.first) for each in both)) == found
