"""Accounts: what is counted adds up to what was asked for, and ends where the calendar says."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.calendars.calendar import WEEKDAYS, CalendarExhausted, DayReason, Due, WorkingCalendar
from domain.calendars.national_days import NationalDays
from domain.calendars.periods import Ends, TimeBudget, WorkingDays, read_period
from domain.sla.account import Account, account, month

NOTICES = Path(__file__).parents[2] / "policies" / "cn_workdays.json"
CHINA = NationalDays.model_validate_json(NOTICES.read_text(encoding="utf-8"))
SHANGHAI = ZoneInfo("Asia/Shanghai")
OFFICE = ["09:00-12:00", "13:30-18:00"]
HOUR = timedelta(hours=1)


def calendar(
    zone: str = "Asia/Shanghai", hours: list[str] | None = None, days: int = 5, **fields: Any
) -> WorkingCalendar:
    week = dict.fromkeys(WEEKDAYS[:days], OFFICE if hours is None else hours)
    return WorkingCalendar.model_validate({"name": "test", "zone": zone, "week": week} | fields)


DESK = CHINA.applied_to(calendar())


def at(text: str, zone: ZoneInfo = SHANGHAI) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)


def asked(
    start: str, within: str, of: WorkingCalendar = DESK, ends: Ends = "close", **how: Any
) -> Account:
    return account(of, at(start, ZoneInfo(of.zone)), read_period(within), ends=ends, **how)


def local(instant: datetime) -> str:
    return instant.astimezone(SHANGHAI).strftime("%m-%d %H:%M")


# --- Tables --------------------------------------------------------------------------------------


def test_working_days_are_numbered_and_closed_days_say_why() -> None:
    found = asked("2026-09-30T17:00", "3 working days")
    assert local(found.due_at) == "10-10 18:00"
    assert [(line.day.day, line.reason, line.number) for line in found.lines] == [
        (30, DayReason.WEEKDAY, None),  # the day it starts is not counted (R31)
        *((day, DayReason.HOLIDAY, None) for day in range(1, 8)),
        (8, DayReason.WEEKDAY, 1),
        (9, DayReason.WEEKDAY, 2),
        (10, DayReason.MAKEUP_WORKDAY, 3),
    ]
    assert {line.counted for line in found.lines} == {None}
    assert not found.provisional


def test_working_time_is_listed_by_day_and_interval() -> None:
    found = asked("2026-10-09T17:00", "5h")
    assert [
        (
            line.day.day,
            line.counted,
            [(local(each.begin), local(each.end)) for each in line.intervals],
        )
        for line in found.lines
    ] == [
        (9, 1 * HOUR, [("10-09 17:00", "10-09 18:00")]),
        (10, 4 * HOUR, [("10-10 09:00", "10-10 12:00"), ("10-10 13:30", "10-10 14:30")]),
    ]
    assert found.total == 5 * HOUR


def test_a_day_that_is_over_when_it_begins_is_listed_with_nothing_counted() -> None:
    found = asked("2026-10-09T19:00", "3h")
    assert [line.counted for line in found.lines] == [timedelta(), 3 * HOUR]
    assert local(found.due_at) == "10-10 12:00"  # used up at closing time: due then


def test_elapsed_time_counts_nights_and_holidays() -> None:
    found = asked("2026-09-30T19:00", "30h", clock="elapsed")
    assert [(line.day.day, line.counted) for line in found.lines] == [
        (30, 5 * HOUR),
        (1, 24 * HOUR),
        (2, 1 * HOUR),
    ]


def test_elapsed_time_up_to_midnight_ends_with_the_day_before() -> None:
    found = asked("2026-10-01T00:00", "1d", clock="elapsed")
    assert [line.day for line in found.lines] == [date(2026, 10, 1)]


@pytest.mark.parametrize(("change", "hours"), [("2026-03-08", 23), ("2026-11-01", 25)])
def test_a_day_on_which_the_clock_changes_has_its_real_hours(change: str, hours: int) -> None:
    around_the_clock = calendar("America/New_York", ["00:00-24:00"], 7)
    for clock in ("working", "elapsed"):
        found = asked(f"{change}T00:00", "2d", around_the_clock, clock=clock)
        assert found.lines[0].counted == hours * HOUR
        assert found.total == 48 * HOUR


def test_the_last_day_can_end_at_the_same_time_of_day() -> None:
    found = asked("2026-09-30T17:00", "3 working days", ends="same time")
    assert local(found.due_at) == "10-10 17:00"
    assert found.lines[-1].number == 3


def test_a_provisional_account_names_the_years_that_are_to_be_announced() -> None:
    found = asked("2026-12-30T17:00", "4 working days")
    assert found.provisional
    assert found.years_to_announce == (2027,)
    assert not any(line.announced for line in found.lines)
    firm = asked("2026-12-24T17:00", "1 working day")
    assert (firm.provisional, firm.years_to_announce) == (False, ())


def test_the_last_days_of_a_year_wait_for_their_own_notice_and_for_the_next() -> None:
    assert asked("2026-12-25T17:00", "1 working day").years_to_announce == (2027,)
    assert asked("2027-12-27T17:00", "1 working day").years_to_announce == (2027, 2028)
    assert asked("2027-12-23T17:00", "1 working day").years_to_announce == (2027,)


def test_days_before_the_first_notice_are_not_announced_either() -> None:
    found = asked("2023-12-29T17:00", "1 working day")
    assert found.provisional
    assert found.years_to_announce == (2023,)


def test_whether_the_first_day_is_announced_does_not_matter_where_it_is_not_counted() -> None:
    firm = asked("2023-12-31T17:00", "1 working day")
    assert (firm.provisional, firm.years_to_announce) == (False, ())
    counted = asked("2023-12-31T17:00", "1 working day", ends="same time")
    assert (counted.provisional, counted.years_to_announce) == (True, (2023,))


def test_an_account_reads_back_from_its_json() -> None:
    found = asked("2026-12-30T17:00", "20h")
    assert Account.model_validate_json(found.model_dump_json()) == found


def test_a_calendar_that_runs_out_of_hours_has_no_account() -> None:
    one_day = calendar(days=0, overrides={"2026-10-10": OFFICE})
    assert asked("2026-01-01T00:00", "7.5h", one_day).lines[-1].day == date(2026, 10, 10)
    for within in ("8h", "2 working days"):
        with pytest.raises(CalendarExhausted):
            asked("2026-01-01T00:00", within, one_day)


def test_a_month_lists_its_days_with_hours_and_reasons() -> None:
    february = month(DESK, date(2026, 2, 1))
    assert [day.day.day for day in february.days] == list(range(1, 29))
    assert {day.day.day for day in february.days if day.reason is DayReason.HOLIDAY} == set(
        range(15, 24)
    )
    assert (february.working_days, february.working) == (16, 120 * HOUR)


def test_a_month_counts_real_hours_when_the_clock_changes() -> None:
    around_the_clock = calendar("America/New_York", ["00:00-24:00"], 7)
    assert month(around_the_clock, date(2026, 3, 1)).working == (31 * 24 - 1) * HOUR
    assert month(around_the_clock, date(2026, 12, 1)).working == 31 * 24 * HOUR


# --- Laws ----------------------------------------------------------------------------------------

ZONES = (
    "Asia/Shanghai",
    "America/New_York",
    "Europe/Berlin",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
)
HOURS = (OFFICE, ["00:00-24:00"], ["00:00-02:30", "22:00-24:00"], ["08:15-08:45"])
DAYS = st.dates(date(2026, 1, 1), date(2027, 3, 31))
STARTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 2, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds the zone


@st.composite
def calendars(draw: st.DrawFn) -> WorkingCalendar:
    holidays = draw(st.sets(DAYS, max_size=30))
    return calendar(
        zone=draw(st.sampled_from(ZONES)),
        hours=draw(st.sampled_from(HOURS)),
        days=draw(st.integers(1, 7)),
        holidays=holidays,
        makeup_workdays=draw(st.sets(DAYS, max_size=10)) - holidays,
        overrides=draw(st.dictionaries(DAYS, st.sampled_from([(), *HOURS]), max_size=10)),
        announced_from=date(2026, 1, 20),
        announced_until=date(2026, 12, 31),
    )


@given(calendars(), STARTS, st.integers(1, 60 * 60))
def test_what_is_counted_on_all_days_is_the_working_time_asked_for(
    of: WorkingCalendar, start: datetime, minutes: int
) -> None:
    span = timedelta(minutes=minutes)
    found = account(of, start, TimeBudget(span=span, written=f"{minutes}min"))
    due = of.due_after(start, span)
    assert (found.due_at, found.provisional) == due
    assert found.total == span
    last = found.lines[-1]
    assert last.intervals[-1].end == found.due_at
    assert last.day == of.local_day(found.due_at - timedelta.resolution)
    assert found.lines[0].day == of.local_day(start)
    assert_listed(found)
    assert found.provisional == bool(found.years_to_announce)
    for line in found.lines:
        length = sum((each.end - each.begin for each in line.intervals), timedelta())
        assert line.counted == length
        assert bool(length) <= bool(line.hours)


@given(calendars(), STARTS, st.integers(1, 60 * 60))
def test_what_is_counted_on_all_days_is_the_elapsed_time_asked_for(
    of: WorkingCalendar, start: datetime, minutes: int
) -> None:
    span = timedelta(minutes=minutes)
    found = account(of, start, TimeBudget(span=span, written=f"{minutes}min"), "elapsed")
    assert (found.due_at, found.provisional, found.total) == (start + span, False, span)
    assert_listed(found)
    times = [each for line in found.lines for each in line.intervals]
    assert [each.begin for each in times] == [start, *(each.end for each in times[:-1])]


@given(calendars(), STARTS, st.integers(1, 25), st.sampled_from(["close", "same time"]))
def test_the_last_of_the_numbered_days_is_the_working_day_asked_for(
    of: WorkingCalendar, start: datetime, days: int, ends: Ends
) -> None:
    found = account(of, start, WorkingDays(days=days), ends=ends)
    begins = of.next_opening(start) if ends == "same time" else Due(start, provisional=False)
    promised = of.close_of_working_day if ends == "close" else of.same_time_on_working_day
    due = promised(begins.at, days)
    assert (found.due_at, found.provisional) == (due.at, due.provisional or begins.provisional)
    numbers = [line.number for line in found.lines if line.number]
    assert numbers == list(range(1, days + 1))
    assert found.lines[-1].number == days
    assert found.lines[0].day == of.local_day(start)
    assert_listed(found)
    # What was not numbered is the start, where the period begins, or closed.
    begun = {found.lines[0].day, of.local_day(begins.at)}
    assert not any(
        of.is_working_day(line.day)
        for line in found.lines
        if not line.number and line.day not in begun
    )
    assert found.provisional == bool(found.years_to_announce)


@given(calendars(), DAYS)
def test_a_months_totals_are_those_of_its_days(of: WorkingCalendar, day: date) -> None:
    found = month(of, day.replace(day=1))
    days = [each.day for each in found.days]
    assert {(each.year, each.month) for each in days} == {(day.year, day.month)}
    assert days == sorted(set(days))
    assert (days[0].day, (days[-1] + timedelta(days=1)).day) == (1, 1)
    assert found.working_days == sum(map(of.is_working_day, days))


def assert_listed(found: Account) -> None:
    """Every day from the first to the last, once each, in order."""
    first, last = found.lines[0].day, found.lines[-1].day
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    assert [line.day for line in found.lines] == days
