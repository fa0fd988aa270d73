"""Clocks: what is consumed, and what standing still does to an instant."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.calendars.periods import read_period
from domain.issue.actions import ActionName
from domain.sla.clock import Clock, Rehearsal, Stop
from domain.sla.promise import DUE
from domain.vocabulary import Role
from tests.support.builders import Desk, actor, an_issue
from tests.support.calendars import DAY, HOUR, MINUTE, at, calendar
from tests.support.rulebooks import CALENDARS, SPRING, planner, promised, solving

OFFICE = CALENDARS["office"]
AROUND_THE_CLOCK = calendar(hours=["00:00-24:00"], days=7)
quarters = st.integers(0, 4 * 24 * 30).map(lambda n: SPRING + n * 15 * MINUTE)
moments = st.integers(0, 1440 * 30).map(lambda n: SPRING + n * MINUTE)
clocks = st.builds(
    Clock, st.sampled_from(list(CALENDARS.values())), st.sampled_from(["working", "elapsed"])
)


@st.composite
def times_it_stood_still(draw: st.DrawFn) -> tuple[Stop, ...]:
    ends = sorted(draw(st.lists(moments, max_size=8)))
    return tuple(Stop(begin=a, end=b) for a, b in zip(ends[::2], ends[1::2], strict=False))


# --- laws ----------------------------------------------------------------------------------------


@given(clocks, moments, st.integers(1, 3000), times_it_stood_still())
def test_to_stand_still_is_to_run_later_by_as_much(
    clock: Clock, begin: datetime, budget: int, stops: tuple[Stop, ...]
) -> None:
    stops = tuple(stop for stop in stops if stop.begin >= begin)
    due = clock.add(begin, budget * MINUTE).at
    moved = clock.past(due, stops).at
    counted = tuple(stop for stop in stops if stop.begin <= moved)
    assert clock.consumed(begin, moved, counted) == budget * MINUTE
    assert moved >= due
    assert not any(stop.begin <= moved < stop.end for stop in stops)


@given(clocks, moments, st.integers(0, 3000), times_it_stood_still())
def test_several_stops_are_one_stop_after_another(
    clock: Clock, begin: datetime, budget: int, stops: tuple[Stop, ...]
) -> None:
    due = moved = clock.add(begin, budget * MINUTE).at
    for stop in stops:
        moved = clock.past(moved, (stop,)).at
    assert clock.past(due, stops).at == moved


@given(clocks, moments, moments, moments, times_it_stood_still())
def test_what_is_consumed_and_what_remains_are_the_whole(
    clock: Clock, a: datetime, b: datetime, c: datetime, stops: tuple[Stop, ...]
) -> None:
    begin, now, end = sorted((a, b, c))
    whole = clock.consumed(begin, end, stops)
    assert clock.consumed(begin, now, stops) + clock.consumed(now, end, stops) == whole
    assert timedelta() <= whole <= clock.between(begin, end)


@given(clocks, moments, moments, times_it_stood_still())
def test_a_stop_outside_the_time_asked_about_does_not_matter(
    clock: Clock, a: datetime, b: datetime, stops: tuple[Stop, ...]
) -> None:
    begin, end = sorted((a, b))
    inside = tuple(stop for stop in stops if stop.end > begin and stop.begin < end)
    outside = tuple(stop for stop in stops if stop not in inside)
    assert clock.consumed(begin, end, outside) == clock.between(begin, end)
    assert clock.consumed(begin, end, stops) == clock.consumed(begin, end, inside)
    assert clock.past(end, tuple(stop for stop in stops if stop.begin > end)).at == end


@given(moments, moments, moments)
def test_a_night_clock_that_stood_still_runs_on_by_as_many_real_minutes(
    a: datetime, b: datetime, c: datetime
) -> None:
    begin, due, end = sorted((a, b, c))
    moved = Clock(OFFICE, "elapsed").past(due, (Stop(begin=begin, end=end),))
    assert moved == (due + (end - begin), False)


@given(quarters, st.sampled_from(["15min", "7h", "3 working days"]), quarters, quarters)
def test_a_rehearsal_is_the_same_story_told_faster(
    start: datetime, within: str, a: datetime, b: datetime
) -> None:
    told = Rehearsal(story_begins=SPRING, really_begins=at("2030-06-01 11:00"), speed=3600)
    for counting in ("working", "elapsed"):
        slow, fast = (Clock(OFFICE, counting, how) for how in (None, told))
        period, stop = read_period(within), Stop(begin=min(a, b), end=max(a, b))
        really = told.to_reality(start)
        due = slow.after(start, period)
        assert fast.after(really, period) == (told.to_reality(due.at), due.provisional)
        opens = slow.opening(start, period)
        assert fast.opening(really, period).at == told.to_reality(opens.at)
        faster = Stop(begin=told.to_reality(stop.begin), end=told.to_reality(stop.end))
        moved = slow.past(due.at, (stop,)).at
        assert fast.past(told.to_reality(due.at), (faster,)).at == told.to_reality(moved)
        consumed = slow.consumed(start, max(due.at, moved), (stop,))
        until = told.to_reality(max(due.at, moved))
        assert fast.consumed(really, until, (faster,)) == consumed


@given(moments, moments, st.sampled_from(["30min", "7h", "45h"]))
def test_a_promise_in_hours_that_is_created_paused_begins_when_it_runs_on(
    a: datetime, b: datetime, within: str
) -> None:
    made, runs_on = sorted((a, b))
    book = solving(within, OFFICE, marks=["75%", "100%", "+2h"])
    resumed = planner(book).resume(promised(book, made).pause(made), runs_on)
    begun = promised(book, runs_on)
    assert (resumed.due_at, resumed.marks) == (begun.due_at, begun.marks)


# --- particular cases ----------------------------------------------------------------------------


def test_a_pause_over_a_weekend_moves_a_working_clock_by_the_open_hours_of_it_only() -> None:
    weekend = (Stop(begin=at("2026-03-06 17:00"), end=at("2026-03-09 10:00")),)  # 2 h of work
    due = at("2026-03-10 11:00")
    assert Clock(OFFICE, "working").past(due, weekend).at == at("2026-03-10 14:30")
    assert Clock(OFFICE, "elapsed").past(due, weekend).at == at("2026-03-13 04:00")


def test_an_instant_at_which_the_clock_was_just_stopped_waits_until_it_runs_on() -> None:
    noon, stopped = at("2026-03-03 12:00"), at("2026-03-04 10:00")
    clock = Clock(OFFICE, "working")
    assert clock.past(noon, (Stop(begin=noon, end=stopped),)).at == stopped
    assert clock.past(noon, (Stop(begin=noon, end=noon + HOUR),)).at == noon + HOUR
    assert clock.past(noon, (Stop(begin=noon + MINUTE, end=stopped),)).at == noon


@pytest.mark.parametrize(
    ("made", "due"),
    [
        ("2026-03-06 10:20", "2026-03-09 10:20"),
        ("2026-03-06 07:00", "2026-03-09 09:00"),  # nobody saw it before they opened
        ("2026-03-06 12:30", "2026-03-09 13:30"),
        ("2026-03-06 20:00", "2026-03-10 09:00"),
        ("2026-03-07 07:00", "2026-03-10 09:00"),  # made on a Saturday: a whole day is left
    ],
)
def test_what_comes_in_while_the_desk_is_shut_has_its_whole_day_from_the_opening_on(
    made: str, due: str
) -> None:
    promise = promised(solving("1 working day", OFFICE, ends="same time"), at(made))
    assert promise.due_at == at(due)
    assert promise.marks[0].at > at("2026-03-06 10:20")


def test_a_working_day_after_midnight_is_the_day_that_begins_then() -> None:
    book = solving("1 working day", AROUND_THE_CLOCK)
    marks = {mark.name: mark.at for mark in promised(book, at("2026-03-02 08:00")).marks}
    assert marks[DUE] == at("2026-03-04 00:00")
    assert marks["+1 working day"] == at("2026-03-05 00:00")


def test_a_pause_in_closed_hours_never_makes_a_promise_due_earlier() -> None:
    # Before the day's first opening the same time is that opening, which no budget ends at.
    book = solving("1 working day", OFFICE, ends="same time")
    promise = promised(book, at("2026-03-02 08:00"))
    assert promise.due_at == at("2026-03-03 09:00")
    paused = promise.pause(at("2026-03-02 20:00"))
    assert planner(book).resume(paused, at("2026-03-02 22:00")).due_at == promise.due_at


def test_a_clock_knows_two_kinds_of_time() -> None:
    friday, monday = at("2026-03-06 17:00"), at("2026-03-09 10:00")
    assert Clock(OFFICE, "working").between(friday, monday) == 2 * HOUR
    assert Clock(OFFICE, "elapsed").between(friday, monday) == 65 * HOUR


def test_a_clock_knows_that_days_no_notice_has_announced_are_not_certain() -> None:
    known = calendar(announced_until="2026-03-06")
    stop = Stop(begin=at("2026-03-05 09:00"), end=at("2026-03-06 09:00"))
    clock = Clock(known, "working")
    assert clock.past(at("2026-03-06 17:00"), (stop,)).provisional
    assert not clock.past(at("2026-03-05 17:00"), (stop,)).provisional
    assert not Clock(known, "elapsed").past(at("2026-03-06 17:00"), (stop,)).provisional
    weekend = Stop(begin=at("2026-03-07 09:00"), end=at("2026-03-08 09:00"))
    assert clock.past(at("2026-03-06 17:00"), (stop, weekend)).provisional


def test_time_it_stood_still_until_it_ended_was_not_consumed() -> None:
    plan = planner(solving("3 working days", OFFICE))
    promise = promised(solving("3 working days", OFFICE), at("2026-03-02 10:00"))
    stopped, done = at("2026-03-03 10:00"), at("2026-03-06 17:00")
    ended = plan.measured(promise.pause(stopped).fulfil(done))
    assert ended.consumed == 7.5 * HOUR
    assert ended.stops == (Stop(begin=stopped, end=done),)
    assert plan.measured(plan.measured(promise.pause(stopped)).fulfil(done)) == ended
    assert plan.measured(promise.fulfil(done)).consumed == 35.5 * HOUR
    assert plan.measured(promise).consumed is None


def test_a_transfer_leaves_every_clock_as_it_is() -> None:
    issue = an_issue()
    moved = Desk().do(issue, ActionName.REASSIGN, actor(Role.LEAD), issue.last_at + DAY, to="e02")
    assert moved.engineer
    assert moved.engineer.id == "e02"
    assert moved.promises == issue.promises
