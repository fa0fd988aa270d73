"""When promises are due, by the standard policy, in the China of 2026: local times are Shanghai's.

The desk works Monday to Friday 09:00-12:00 and 13:30-18:00; 1 to 7 October 2026 are holidays,
Saturday 10 October, Sunday 20 September and Saturday 14 February are make-up workdays.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.sla.clock import Rehearsal, Stop
from domain.sla.planning import Planner
from domain.sla.promise import DUE, Promise, PromiseKind
from domain.sla.rulebook import Rulebook
from domain.terms import KINDS
from domain.vocabulary import Audience, Channel, Severity
from runtime.rulebook import load
from tests.support.rulebooks import facts

SHANGHAI = ZoneInfo("Asia/Shanghai")
POLICIES = Path(__file__).parents[2] / "policies"
STANDARD = load(POLICIES / "standard.toml")
RESPONSE = PromiseKind.RESPONSE
RESOLUTION = PromiseKind.RESOLUTION
CALLBACK = PromiseKind.CALLBACK
HOUR = timedelta(hours=1)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI).astimezone(UTC)


def local(instant: datetime) -> str:
    return instant.astimezone(SHANGHAI).strftime("%m-%d %H:%M")


def planner(rulebook: Rulebook = STANDARD, calendar: str = "desk", **changes: Any) -> Planner:
    return Planner(rulebook, facts(**changes), calendar)


def promised(what: PromiseKind, when: str, **changes: Any) -> Promise:
    promise = planner(**changes).make(what, at(when))
    assert promise is not None
    return promise


def marks(promise: Promise) -> dict[str, str]:
    return {mark.name: local(mark.at) for mark in promise.marks}


# --- Response (R11) ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reported", "due"),
    [
        ("2026-11-23 09:00", "11-23 11:00"),
        ("2026-11-23 10:00", "11-23 12:00"),  # used up at closing time: due then
        ("2026-11-23 11:00", "11-23 14:30"),  # over lunch
        ("2026-11-20 17:30", "11-23 10:30"),  # Friday, over the weekend
        ("2026-11-21 03:00", "11-23 11:00"),  # Saturday night
        ("2026-09-30 17:30", "10-08 10:30"),  # over the National Day week
        ("2026-10-09 17:30", "10-10 10:30"),  # Friday, into the make-up Saturday
        ("2026-09-18 17:30", "09-20 10:30"),  # Friday, into the make-up Sunday
        ("2026-02-14 17:30", "02-24 10:30"),  # make-up Saturday, over the Spring Festival
    ],
)
def test_a_general_fault_is_answered_within_two_working_hours(reported: str, due: str) -> None:
    assert local(promised(RESPONSE, reported).due_at) == due


@pytest.mark.parametrize("kind", ["fault", "complaint"])
def test_what_is_major_is_answered_within_half_an_hour_day_and_night(kind: str) -> None:
    promise = promised(RESPONSE, "2026-10-03 23:45", kind=kind, severity="major")
    assert local(promise.due_at) == "10-04 00:15"
    assert promise.clock == "elapsed"


def test_a_general_complaint_is_answered_within_two_hours_on_a_sunday_too() -> None:
    assert local(promised(RESPONSE, "2026-11-22 22:30", kind="complaint").due_at) == "11-23 00:30"


def test_a_centre_answers_in_its_own_hours() -> None:
    saturday = "2026-11-21 09:00"
    assert local(promised(RESPONSE, saturday, calendar="everyday").due_at) == "11-21 11:00"
    assert local(promised(RESPONSE, saturday, calendar="west").due_at) == "11-23 12:00"


def test_thresholds_are_counted_in_working_hours_before_and_after_the_due_instant() -> None:
    promise = promised(RESPONSE, "2026-11-20 17:30")
    assert marks(promise) == {
        "75%": "11-23 10:00",
        "100%": "11-23 10:30",
        "+2h": "11-23 14:00",
        "+1 working day": "11-24 18:00",
    }
    assert [mark.level for mark in promise.marks] == [0, 1, 2, 3]
    assert Audience.CUSTOMER in promise.marks[1].tell


def test_thresholds_of_an_elapsed_promise_do_not_wait_for_morning() -> None:
    promise = promised(RESPONSE, "2026-10-03 23:40", severity="major")
    assert marks(promise) == {
        "75%": "10-04 00:02",
        "100%": "10-04 00:10",
        "+30min": "10-04 00:40",
        "+2h": "10-04 02:10",
    }


# --- Resolution (R12) ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reported", "due"),
    [
        ("2026-11-23 00:01", "11-26 18:00"),  # the day it starts is not counted, however early
        ("2026-11-23 23:59", "11-26 18:00"),
        ("2026-11-20 10:00", "11-25 18:00"),  # Friday
        ("2026-11-21 10:00", "11-25 18:00"),  # Saturday
        ("2026-09-30 10:00", "10-10 18:00"),  # National Day; the make-up Saturday is the third day
        ("2026-10-08 10:00", "10-12 18:00"),
        ("2026-02-11 10:00", "02-14 18:00"),
    ],
)
def test_a_result_is_due_at_close_of_the_third_working_day(reported: str, due: str) -> None:
    promise = promised(RESOLUTION, reported)
    assert local(promise.due_at) == due
    assert promise.target == "3 working days"


def test_three_quarters_of_three_working_days_are_counted_in_working_hours() -> None:
    # Friday 10:00 to Wednesday 18:00 are 29 working hours; 21 h 45 min of them end here.
    assert marks(promised(RESOLUTION, "2026-11-20 10:00")) == {
        "75%": "11-25 09:15",
        "100%": "11-25 18:00",
        "+2h": "11-26 11:00",
        "+1 working day": "11-26 18:00",
    }


@pytest.mark.parametrize(
    ("reported", "due", "provisional"),
    [
        ("2026-12-22 10:00", "2026-12-25", False),
        # Four days of December the notice for the next year has moved before.
        ("2026-12-23 10:00", "2026-12-28", True),
        ("2026-12-28 10:00", "2026-12-31", True),
        # New Year's Day is off by law; no notice says yet which weekend pays for a longer break.
        ("2026-12-29 10:00", "2027-01-04", True),
        ("2026-12-31 10:00", "2027-01-06", True),
    ],
)
def test_a_deadline_in_a_year_without_a_notice_is_provisional(
    *, reported: str, due: str, provisional: bool
) -> None:
    promise = promised(RESOLUTION, reported)
    assert promise.due_at.astimezone(SHANGHAI).date().isoformat() == due
    assert promise.provisional is provisional


# --- Callback (R22, R25) -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("resolved", "day"),
    [
        ("2026-11-23 09:10", "11-24"),
        ("2026-11-20 16:00", "11-23"),  # Friday
        ("2026-09-30 16:00", "10-08"),  # before National Day
        ("2026-10-09 16:00", "10-10"),  # before the make-up Saturday
    ],
)
def test_repaired_today_called_back_on_the_next_day_the_callback_desk_is_open(
    resolved: str, day: str
) -> None:
    promise = promised(CALLBACK, resolved)
    assert promise.opens_at is not None
    assert (local(promise.opens_at), local(promise.due_at)) == (f"{day} 09:30", f"{day} 18:00")
    assert (promise.attempt, promise.attempts) == (1, 3)


@pytest.mark.parametrize("kind", list(KINDS))
def test_faults_and_complaints_are_called_back_and_nothing_else(kind: str) -> None:
    promise = planner(kind=kind).make(CALLBACK, at("2026-11-23 10:00"))
    assert (promise is not None) is (kind in {"fault", "complaint"})


@pytest.mark.parametrize("kind", list(KINDS))
def test_whoever_is_not_called_back_has_time_to_try_the_result_or_to_accept_the_work(
    kind: str,
) -> None:
    tried = planner(kind=kind).make(PromiseKind.CUSTOMER_TEST, at("2026-11-23 10:00"))
    assert (tried is None) is (kind in {"fault", "complaint"})


def test_the_next_attempt_is_made_on_the_next_day() -> None:
    promise = planner().make(CALLBACK, at("2026-11-24 10:00"), attempt=2)
    assert promise is not None
    assert promise.opens_at == at("2026-11-25 09:30")
    assert promise.key == "callback.1.2"


def test_a_callback_in_a_reopened_issue_belongs_to_the_new_generation() -> None:
    assert promised(CALLBACK, "2026-11-24 10:00", generation=2).key == "callback.2"


def test_the_opening_of_a_working_day_is_provisional_beyond_the_notice() -> None:
    desk = STANDARD.calendar("desk")
    assert desk.opening_of_working_day(at("2026-10-09 17:00"), 1) == (
        at("2026-10-10 09:00"),
        False,
    )
    assert desk.opening_of_working_day(at("2026-12-31 17:00"), 2) == (
        at("2027-01-05 09:00"),
        True,
    )
    with pytest.raises(ValueError, match="give 1 or more"):
        desk.opening_of_working_day(at("2026-10-09 17:00"), 0)


# --- Pause and resume (R15) ----------------------------------------------------------------------


def test_a_pause_moves_everything_ahead_by_the_working_time_it_took() -> None:
    promise = promised(RESOLUTION, "2026-11-20 10:00").pause(at("2026-11-23 15:00"))
    resumed = planner().resume(promise, at("2026-11-24 10:00"))  # 3 h on Monday, 1 h on Tuesday
    assert marks(resumed) == {
        "75%": "11-25 14:45",
        "100%": "11-26 14:30",
        "+2h": "11-26 16:30",
        "+1 working day": "11-27 14:30",
    }
    assert local(resumed.due_at) == "11-26 14:30"
    assert resumed.paused_at is None


def test_a_pause_outside_business_hours_moves_nothing() -> None:
    promise = promised(RESOLUTION, "2026-11-20 10:00")
    paused = promise.pause(at("2026-11-20 18:00"))
    resumed = planner().resume(paused, at("2026-11-23 09:00"))
    stop = Stop(begin=at("2026-11-20 18:00"), end=at("2026-11-23 09:00"))
    assert resumed == promise.model_copy(update={"pauses": 1, "stops": (stop,)})


def test_a_pause_never_skips_a_threshold_that_would_have_passed_meanwhile() -> None:
    promise = promised(RESOLUTION, "2026-11-20 10:00").pause(at("2026-11-24 17:00"))
    resumed = planner().resume(promise, at("2026-12-21 10:00"))
    assert [mark.name for mark in resumed.marks] == [mark.name for mark in promise.marks]
    assert all(mark.at > at("2026-12-21 10:00") for mark in resumed.marks)
    assert resumed.next_threshold is not None
    assert resumed.next_threshold.name == "75%"


def test_a_threshold_already_reached_stays_where_it_was() -> None:
    promise = promised(RESOLUTION, "2026-11-20 10:00").reach().pause(at("2026-11-25 10:00"))
    resumed = planner().resume(promise, at("2026-11-25 11:00"))
    assert marks(resumed)["75%"] == "11-25 09:15"
    assert local(resumed.due_at) == "11-26 10:00"


def test_a_broken_promise_stays_due_when_it_was_and_only_its_alarms_move() -> None:
    promise = promised(RESOLUTION, "2026-11-20 10:00").reach().reach()
    resumed = planner().resume(promise.pause(at("2026-11-26 09:00")), at("2026-11-26 11:00"))
    assert local(resumed.due_at) == "11-25 18:00"
    assert marks(resumed)["+2h"] == "11-26 14:30"
    assert resumed.overdue


def test_a_pause_into_the_next_year_makes_the_deadline_provisional() -> None:
    promise = promised(RESOLUTION, "2026-12-22 10:00")
    assert not promise.provisional
    resumed = planner().resume(promise.pause(at("2026-12-23 10:00")), at("2026-12-30 10:00"))
    assert resumed.provisional


def test_a_promise_that_does_not_stand_still_is_not_moved() -> None:
    promise = promised(RESOLUTION, "2026-11-20 10:00")
    assert planner().resume(promise, at("2026-11-24 10:00")) is promise


hours = st.integers(0, 200).map(lambda n: n * HOUR)


@given(
    made=st.datetimes(datetime(2026, 1, 1), datetime(2026, 10, 31)),  # noqa: DTZ001
    pauses=st.lists(st.tuples(hours, hours), max_size=4),
)
def test_however_often_it_is_paused_a_promise_leaves_its_whole_working_time(
    made: datetime, pauses: list[tuple[timedelta, timedelta]]
) -> None:
    desk = STANDARD.calendar("desk")
    now = made.replace(tzinfo=SHANGHAI).astimezone(UTC)
    plan = planner()
    promise = plan.make(RESOLUTION, now)
    assert promise is not None
    whole = desk.working_between(now, promise.due_at)
    consumed = timedelta()
    for worked, waited in pauses:
        paused = now + worked
        if paused >= promise.due_at:
            break
        consumed += desk.working_between(now, paused)
        now = paused + waited
        promise = plan.resume(promise.pause(paused), now)
    assert consumed + desk.working_between(now, promise.due_at) == whole
    assert [m.at for m in promise.marks] == sorted(m.at for m in promise.marks)


# --- Demo and rehearsal --------------------------------------------------------------------------


def test_the_demo_policy_promises_the_same_in_seconds_at_any_hour() -> None:
    demo = load(POLICIES / "demo.toml")
    channels = (Channel.TELEPHONE, Channel.EMAIL, Channel.CHAT)
    for kind, severity, category, channel, first_contact in product(
        STANDARD.policy.terms.kinds, Severity, STANDARD.policy.routing, channels, (True, False)
    ):
        issue = {"kind": kind, "severity": severity, "category": category, "channel": channel}
        slow, fast = (
            [
                promise and [(mark.tell, mark.level) for mark in promise.marks]
                for promise in (
                    planner(book, **issue, first_contact=first_contact).make(
                        promised, at("2026-10-03 03:00")
                    )
                    for promised in PromiseKind
                )
            ]
            for book in (STANDARD, demo)
        )
        assert slow == fast, issue
    for figures in (
        *("routes", "reliefs", "queues", "standby", "paid_service", "evaluations", "quality"),
    ):
        assert getattr(demo.policy, figures) == getattr(STANDARD.policy, figures)
    response = planner(demo).make(RESPONSE, at("2026-10-03 03:00"))
    assert response is not None
    assert response.due_at - response.made_at < timedelta(seconds=10)
    assert response.clock == "elapsed"


def test_an_elapsed_promise_is_paused_in_elapsed_time() -> None:
    plan = planner(load(POLICIES / "demo.toml"))
    promise = plan.make(RESOLUTION, at("2026-11-21 03:00"))
    assert promise is not None
    paused = at("2026-11-21 03:00") + timedelta(seconds=1)
    resumed = plan.resume(promise.pause(paused), paused + timedelta(seconds=4))
    assert resumed.due_at - promise.due_at == timedelta(seconds=4)
    assert {
        after.at - before.at for before, after in zip(promise.marks, resumed.marks, strict=True)
    } == {timedelta(seconds=4)}


def test_a_rehearsal_asks_the_calendar_in_the_storys_time_and_runs_in_real_time() -> None:
    really = datetime(2026, 11, 22, 11, 0, tzinfo=UTC)
    rehearsal = Rehearsal(story_begins=at("2026-11-20 17:30"), really_begins=really, speed=3600)
    policy = STANDARD.policy.model_copy(update={"rehearsal": rehearsal})
    plan = planner(STANDARD.with_policy(policy))

    response = plan.make(RESPONSE, really)
    assert response is not None
    # The story's Friday 17:30 to Monday 10:30 are 65 hours.
    assert response.due_at == really + timedelta(seconds=65)
    assert next(m.at for m in response.marks if m.name == DUE) == response.due_at
    assert response.made_at == really

    callback = plan.make(CALLBACK, really)
    assert callback is not None
    assert callback.opens_at == really + timedelta(seconds=64)  # Monday 09:30

    resolution = plan.make(RESOLUTION, really)
    assert resolution is not None
    waited = plan.resume(
        resolution.pause(really + timedelta(seconds=64)), really + timedelta(seconds=65)
    )
    # An hour of Monday morning later than Wednesday 18:00: Thursday 10:00, 16 hours on.
    assert waited.due_at - resolution.due_at == timedelta(seconds=16)
