"""Laws that hold for any calendar, and agreement with a walk minute by minute."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, time, timedelta
from importlib import import_module
from itertools import islice, pairwise, takewhile
from threading import Barrier
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from domain.calendars.calendar import Due
from domain.calendars.timeline import Timeline, first_instant
from tests.support.calendars import CHINA, DAY, HOUR, MINUTE, Drawn, calendar, drawn_calendars, walk
from tests.support.profiles import share

MICROSECOND = timedelta.resolution
offsets = st.integers(0, 6 * 86_400 * 10**6).map(lambda n: n * MICROSECOND)
amounts = st.integers(1, 60 * 3600 * 10**6).map(lambda n: n * MICROSECOND)


@given(drawn_calendars(), offsets, amounts)
def test_exactly_the_budget_is_worked_until_it_is_due(
    drawn: Drawn, offset: timedelta, working: timedelta
) -> None:
    centre, start = drawn.calendar, drawn.midnight + offset
    due = centre.due_after(start, working).at
    assert centre.working_between(start, due) == working
    assert centre.working_between(start, due - MICROSECOND) < working


@given(drawn_calendars(), offsets, amounts)
def test_counting_backwards_is_the_mirror_image(
    drawn: Drawn, offset: timedelta, working: timedelta
) -> None:
    centre, start = drawn.calendar, drawn.midnight + offset
    due = centre.due_after(start, working).at
    begun = centre.due_before(due, working).at
    assert begun >= start
    assert centre.working_between(start, begun) == timedelta()
    assert centre.working_between(begun, due) == working
    assert centre.working_between(begun + MICROSECOND, due) < working
    assert centre.due_after(begun, working).at == due


@given(drawn_calendars(), st.lists(offsets, min_size=3, max_size=3), amounts)
def test_open_time_adds_up_and_a_later_start_is_due_no_earlier(
    drawn: Drawn, three: list[timedelta], working: timedelta
) -> None:
    centre = drawn.calendar
    a, b, c = sorted(drawn.midnight + offset for offset in three)
    between = centre.working_between
    assert between(a, c) == between(a, b) + between(b, c)
    assert timedelta() <= between(a, b) <= b - a
    assert centre.due_after(a, working).at <= centre.due_after(b, working).at
    assert centre.due_before(b, working).at <= centre.due_before(c, working).at


@given(drawn_calendars(), offsets, amounts, amounts)
def test_a_budget_split_at_any_point_is_due_at_the_same_instant(
    drawn: Drawn, offset: timedelta, first: timedelta, second: timedelta
) -> None:
    centre, start = drawn.calendar, drawn.midnight + offset
    whole = centre.due_after(start, first + second).at
    assert centre.due_after(centre.due_after(start, first).at, second).at == whole
    assert centre.due_after(start, first).at < whole


@given(drawn_calendars(), offsets, amounts, offsets, offsets)
def test_a_pause_shifts_the_due_instant_by_the_open_time_it_lasted(
    drawn: Drawn, offset: timedelta, working: timedelta, until: timedelta, lasting: timedelta
) -> None:
    centre, start = drawn.calendar, drawn.midnight + offset
    paused = start + until
    consumed = centre.working_between(start, paused)
    assume(consumed < working)
    resumed = paused + lasting
    due = centre.due_after(start, working).at
    shifted = centre.due_after(due, centre.working_between(paused, resumed)).at
    assert shifted == centre.due_after(resumed, working - consumed).at


@given(drawn_calendars(), offsets)
def test_open_spans_are_in_order_and_agree_with_is_open(drawn: Drawn, offset: timedelta) -> None:
    centre, start = drawn.calendar, drawn.midnight + offset
    horizon = start + 20 * DAY
    spans = list(takewhile(lambda span: span[0] < horizon, centre.open_spans(start)))
    assert all(opening < closing for opening, closing in spans)
    assert all(left[1] <= right[0] for left, right in pairwise(spans))
    assert all(centre.is_open(opening) for opening, _ in spans)
    assert all(centre.is_open(closing - MICROSECOND) for _, closing in spans)
    assert all(centre.is_open(a[1]) is (a[1] == b[0]) for a, b in pairwise(spans))
    opening = centre.next_opening(start).at
    assert (opening == start) is centre.is_open(start)
    assert opening == next(centre.open_spans(start))[0]


# --- the walk ------------------------------------------------------------------------------------


@settings(max_examples=share(0.6))
@given(drawn_calendars(), st.integers(0, 4 * 1440), st.integers(1, 1440))
def test_the_engine_agrees_with_a_walk_minute_by_minute(
    drawn: Drawn, begin: int, budget: int
) -> None:
    centre, midnight = drawn
    walked = [minute.is_open for minute in walk(drawn)]
    start = midnight + begin * MINUTE
    end = midnight + len(walked) * MINUTE
    assert centre.working_between(start, end) == sum(walked[begin:]) * MINUTE
    looks = range(0, len(walked), 15)
    assert [centre.is_open(midnight + n * MINUTE) for n in looks] == [walked[n] for n in looks]
    open_minutes = [n for n in range(begin, len(walked)) if walked[n]]
    if open_minutes:
        assert centre.next_opening(start).at == midnight + open_minutes[0] * MINUTE
    if budget <= len(open_minutes):
        due = centre.due_after(start, budget * MINUTE).at
        assert due == midnight + (open_minutes[budget - 1] + 1) * MINUTE
        begun = centre.due_before(end, budget * MINUTE).at
        assert begun == midnight + open_minutes[-budget] * MINUTE


@settings(max_examples=share(0.6))
@given(drawn_calendars(), st.integers(0, 4 * 1440), st.integers(1, 3))
def test_the_nth_working_day_is_the_one_that_a_walk_comes_to(
    drawn: Drawn, begin: int, n: int
) -> None:
    centre, midnight = drawn
    minutes = walk(drawn)
    start = midnight + begin * MINUTE
    wall = start.astimezone(ZoneInfo(centre.zone))
    last = minutes[-1].shown.date()  # not the whole of it may have been walked
    opened: dict[date, list[int]] = {}
    for k, minute in enumerate(minutes):
        if minute.is_open and minute.shown.date() < last:
            opened.setdefault(minute.shown.date(), []).append(k)
    ahead = [day for day in opened if day > wall.date()]
    assume(len(ahead) >= n)
    day = ahead[n - 1]
    assert centre.opening_of_working_day(start, n).at == midnight + opened[day][0] * MINUTE
    assert centre.close_of_working_day(start, n).at == midnight + (opened[day][-1] + 1) * MINUTE
    assert centre.working_days(wall.date() + DAY, day) == n
    walked = {minute.shown.date() for minute in minutes} - {last}
    assert {each for each in walked if centre.is_working_day(each)} == set(opened)

    # The same time: the minute in which the clock shows it, or a later time, on that day first;
    # where that is shut the end of the last open minute before, or else the first open one.
    then = datetime.combine(day, wall.time())
    come = next(k for k, minute in enumerate(minutes) if minute.shown >= then)
    until = [k + 1 for k in opened[day] if k < come]
    due = come if come in opened[day] else (until or opened[day][:1])[-1]
    assert centre.same_time_on_working_day(start, n).at == midnight + due * MINUTE


# --- longer than a week --------------------------------------------------------------------------


def test_years_of_working_time_are_what_the_days_add_up_to() -> None:
    centre = calendar(**CHINA.fields(), overrides={"2031-08-09": ["10:00-10:07"]})
    begin = date(2025, 11, 3)
    ends: dict[date, timedelta] = {}
    total = timedelta()
    for n in range(9000):
        day = begin + n * DAY
        total += sum(end - start for start, end in centre.hours_of(day)) * MINUTE
        ends[day] = total
    start = datetime(2025, 11, 2, 16, tzinfo=UTC)  # midnight in Shanghai
    for day, worked in list(ends.items())[::97]:
        midnight = start + (day + DAY - begin)
        assert centre.working_between(start, midnight) == worked
        assert centre.due_before(midnight, worked).at == start + 9 * HOUR
    for hours in (8, 2_000, 40_000):
        due = centre.due_after(start, hours * HOUR).at
        assert ends[centre.local_day(due) - DAY] < hours * HOUR <= ends[centre.local_day(due)]
        assert centre.working_between(start, due) == hours * HOUR


def test_threads_that_ask_a_new_calendar_at_once_are_told_the_same() -> None:
    start = datetime(2026, 9, 29, 7, 30, tzinfo=UTC)
    budgets = [n * HOUR for n in (1, 22, 300, 5_000)] * 4
    expected = [calendar(**CHINA.fields()).due_after(start, each) for each in budgets]
    shared = calendar(**CHINA.fields())
    together = Barrier(len(budgets))

    def ask(budget: timedelta) -> Due:
        together.wait()
        return shared.due_after(start, budget)

    with ThreadPoolExecutor(len(budgets)) as pool:
        assert list(pool.map(ask, budgets)) == expected


# --- what compiling a year relies on -------------------------------------------------------------


def test_no_zone_changes_its_clock_twice_within_three_days() -> None:
    """A day is taken for an ordinary one when the zone is as far from UTC at the UTC midnights
    around it; a change and its reversal between two of them would be missed.
    """
    known: Any = import_module("zoneinfo._zoneinfo")  # the public one does not tell its changes
    for name in sorted(available_timezones()):
        zone = known.ZoneInfo.no_cache(name)
        rule = zone._tz_after
        by_rule = rule.transitions(2040) if hasattr(rule, "transitions") else ()
        for changes in (zone._trans_utc, sorted(by_rule)):
            apart = [later - earlier for earlier, later in pairwise(changes)]
            assert min(apart, default=10**9) > 3 * 86_400, name


def test_every_midnight_of_every_zone_is_found_by_the_same_rule() -> None:
    days = [date(2011, 1, 1) + n * DAY for n in range(366)]  # Apia had no 30 December
    for name in sorted(available_timezones()):
        zone = ZoneInfo(name)
        midnights = [first_instant(datetime.combine(day, time()), zone) for day in days]
        # A day that the zone has skipped has no open time.
        expected = [(a, b) for a, b in pairwise(midnights) if a < b]
        found = Timeline(zone, lambda _: [(0, 1440)]).intervals(midnights[0])
        assert list(islice(found, len(expected))) == expected, name
