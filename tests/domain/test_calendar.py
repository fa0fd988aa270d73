"""The working calendar: hours and overrides, zones, what it refuses, and what it is as a value."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError

from domain.calendars.calendar import CalendarExhausted, Due, Span, WorkingCalendar
from tests.support.calendars import (
    CHINA,
    DAY,
    HOUR,
    MINUTE,
    OFFICE,
    OFFICE_HOURS,
    SHANGHAI,
    at,
    calendar,
)

if TYPE_CHECKING:
    from collections.abc import Callable


BERLIN, NEW_YORK, KOLKATA = "Europe/Berlin", "America/New_York", "Asia/Kolkata"


# --- hours, overrides, edges ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "minutes", "due"),
    [
        ("2026-11-02T09:00", 180, "2026-11-02T12:00"),  # exactly the morning: at closing
        ("2026-11-02T09:00", 181, "2026-11-02T13:31"),
        ("2026-11-02T11:00", 120, "2026-11-02T14:30"),
        ("2026-11-02T12:30", 30, "2026-11-02T14:00"),
        ("2026-11-02T09:00", 450, "2026-11-02T18:00"),  # exactly the day
        ("2026-11-02T17:59", 2, "2026-11-03T09:01"),
        ("2026-11-06T18:00", 1, "2026-11-09T09:01"),  # Friday evening
        ("2026-09-30T17:30", 60, "2026-10-08T09:30"),
        ("2026-10-09T17:30", 60, "2026-10-10T09:30"),  # into the make-up Saturday
    ],
)
def test_a_budget_runs_through_several_intervals_a_day_and_ends_at_closing_time(
    start: str, minutes: int, due: str
) -> None:
    assert OFFICE_HOURS.due_after(at(start), minutes * MINUTE).at == at(due)
    assert OFFICE_HOURS.working_between(at(start), at(due)) == minutes * MINUTE


def test_a_budget_counted_backwards_begins_at_the_opening_instant() -> None:
    assert OFFICE_HOURS.due_before(at("2026-11-02T12:00"), 3 * HOUR).at == at("2026-11-02T09:00")
    assert OFFICE_HOURS.due_before(at("2026-11-02T10:00"), 2 * HOUR).at == at("2026-10-30T17:00")
    assert OFFICE_HOURS.due_before(at("2026-10-08T10:00"), 2 * HOUR).at == at("2026-09-30T17:00")


def test_a_budget_of_zero_is_due_at_its_start_even_when_closed() -> None:
    sunday = at("2026-11-01T10:00")
    assert OFFICE_HOURS.due_after(sunday, timedelta()) == Due(sunday, provisional=False)
    assert OFFICE_HOURS.due_before(sunday, timedelta()) == Due(sunday, provisional=False)


@pytest.mark.parametrize(
    ("moment", "is_open", "opens"),
    [
        ("2026-11-02T08:59:59", False, "2026-11-02T09:00"),
        ("2026-11-02T09:00", True, "2026-11-02T09:00"),
        ("2026-11-02T12:00", False, "2026-11-02T13:30"),
        ("2026-11-02T18:00", False, "2026-11-03T09:00"),
        ("2026-10-01T10:00", False, "2026-10-08T09:00"),
        ("2026-10-10T10:00", True, "2026-10-10T10:00"),
    ],
)
def test_a_closing_instant_is_closed_and_an_opening_instant_open(
    moment: str, opens: str, *, is_open: bool
) -> None:
    assert OFFICE_HOURS.is_open(at(moment)) is is_open
    assert OFFICE_HOURS.next_opening(at(moment)).at == at(opens)


def test_an_override_replaces_week_holiday_and_make_up_day() -> None:
    centre = calendar(
        **CHINA.fields(),
        overrides={"2026-10-01": ["10:00-11:00"], "2026-10-10": [], "2026-11-03": ["12:00-24:00"]},
    )
    assert centre.hours_of(date(2026, 10, 1)) == (Span(600, 660),)
    assert not centre.is_working_day(date(2026, 10, 10))
    assert centre.hours_of(date(2026, 11, 3)) == (Span(720, 1440),)
    assert centre.close_of_working_day(at("2026-09-30T10:00"), 4).at == at("2026-10-12T18:00")


def test_a_make_up_day_has_the_hours_of_the_weekday_named() -> None:
    week = {"mon": ["09:00-17:00"], "fri": ["09:00-15:00"], "sat": ["10:00-11:00"]}
    for weekday, closing in (("mon", 17 * 60), ("fri", 15 * 60)):
        centre = calendar(week=week, makeup_hours_of=weekday, **CHINA.fields())
        assert centre.hours_of(date(2026, 10, 10)) == (Span(540, closing),)
        assert centre.hours_of(date(2026, 10, 17)) == (Span(600, 660),)


def test_a_night_shift_runs_on_through_midnight() -> None:
    night = calendar(hours=["00:00-06:00", "22:00-24:00"], days=7)
    assert night.due_after(at("2026-11-02T23:00"), 3 * HOUR).at == at("2026-11-03T02:00")
    assert night.is_open(at("2026-11-03T00:00"))
    assert night.working_between(at("2026-11-02T12:00"), at("2026-11-03T12:00")) == 8 * HOUR


@pytest.mark.parametrize("zone", [SHANGHAI, "America/New_York", "UTC"])
def test_a_shift_over_new_year_is_one_stretch_on_either_side_of_utc(zone: str) -> None:
    always = calendar(zone, ["00:00-24:00"], days=7)
    for hour in range(18, 24):
        start = at(f"2026-12-31T{hour}:00", zone)
        assert always.is_open(start)
        assert always.due_after(start, 12 * HOUR).at == start + 12 * HOUR
        assert always.due_before(start + 12 * HOUR, 12 * HOUR).at == start
        assert always.working_between(start, start + 12 * HOUR) == 12 * HOUR


def test_intervals_may_meet_and_the_instant_between_is_open() -> None:
    shifts = calendar(hours=["09:00-12:00", "12:00-15:00"])
    assert shifts.is_open(at("2026-11-02T12:00"))
    assert shifts.due_after(at("2026-11-02T11:00"), 2 * HOUR).at == at("2026-11-02T13:00")


def test_open_spans_begin_at_the_instant_asked_and_go_on_without_end() -> None:
    spans = OFFICE_HOURS.open_spans(at("2026-09-30T14:00"))
    assert next(spans) == (at("2026-09-30T14:00"), at("2026-09-30T18:00"))
    assert next(spans) == (at("2026-10-08T09:00"), at("2026-10-08T12:00"))
    first_of_2050 = next(span for span in spans if span[0].year == 2050)
    assert first_of_2050[0] == at("2050-01-03T09:00")


def test_a_search_crosses_years_of_closed_days() -> None:
    closed = frozenset(date(2026, 1, 1) + timedelta(days=n) for n in range(4000))
    centre = calendar(holidays=closed)
    day = max(closed) + timedelta(days=1)
    while day.weekday() > 4:
        day += timedelta(days=1)
    assert centre.next_opening(at("2026-01-01T10:00")).at == at(f"{day}T09:00")


def test_hours_that_lie_centuries_apart_are_found_without_a_search_through_the_days() -> None:
    fair = calendar(week={}, overrides={"2026-11-02": ["09:00-12:00"], "9000-01-01": OFFICE})
    assert fair.due_after(at("1000-01-01T00:00"), 4 * HOUR).at == at("9000-01-01T10:00")
    assert fair.due_before(at("9999-01-01T00:00"), 8 * HOUR).at == at("2026-11-02T11:30")
    assert fair.close_of_working_day(at("2026-11-02T10:00"), 1).at == at("9000-01-01T18:00")
    assert fair.working_days(date(1, 1, 1), date(9999, 12, 31)) == 2


def test_at_either_end_of_pythons_years_a_calendar_is_exhausted() -> None:
    for zone in (SHANGHAI, NEW_YORK):
        always = calendar(zone, ["00:00-24:00"], days=7)
        with pytest.raises(CalendarExhausted):
            always.due_after(datetime(9999, 6, 1, tzinfo=UTC), 240 * DAY)
        with pytest.raises(CalendarExhausted):
            always.due_before(datetime(1, 6, 1, tzinfo=UTC), 240 * DAY)
        with pytest.raises(CalendarExhausted):
            always.close_of_working_day(datetime(9999, 12, 1, tzinfo=UTC), 30)
        assert always.is_open(datetime(9999, 12, 1, tzinfo=UTC))
        assert not always.is_open(datetime.max.replace(tzinfo=UTC))
        assert not always.is_open(datetime.min.replace(tzinfo=UTC))


# --- zones ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "day", "hours", "elapsed"),
    [
        (BERLIN, "2026-03-29", "00:00-24:00", 23 * HOUR),
        (BERLIN, "2026-10-25", "00:00-24:00", 25 * HOUR),
        (NEW_YORK, "2026-03-08", "00:00-24:00", 23 * HOUR),
        (NEW_YORK, "2026-11-01", "00:00-24:00", 25 * HOUR),
        ("Australia/Lord_Howe", "2026-04-05", "00:00-24:00", 24.5 * HOUR),
        (KOLKATA, "2026-03-29", "00:00-24:00", 24 * HOUR),
        (BERLIN, "2026-03-29", "02:30-05:00", 2 * HOUR),  # 02:30 is skipped: opens at the change
        (BERLIN, "2026-03-29", "01:00-02:30", HOUR),  # and what closes then closes at the change
        (BERLIN, "2026-03-29", "02:00-03:00", timedelta()),
        (BERLIN, "2026-10-25", "01:00-02:30", 1.5 * HOUR),  # closes at the first 02:30 …
        (BERLIN, "2026-10-25", "02:30-04:00", 2.5 * HOUR),  # … opens there, and runs on
        (BERLIN, "2026-10-25", "02:00-03:00", 2 * HOUR),
        ("America/St_Johns", "2006-10-28", "00:00-24:00", 24 * HOUR),  # 00:01 back to 23:01
        ("America/St_Johns", "2006-10-29", "00:00-24:00", 25 * HOUR),
        ("America/Sao_Paulo", "2018-11-04", "00:00-24:00", 23 * HOUR),  # no midnight that day
        ("Pacific/Apia", "2011-12-30", "00:00-24:00", timedelta()),  # no such day
    ],
)
def test_open_time_is_real_time_when_the_clock_changes(
    zone: str, day: str, hours: str, elapsed: timedelta
) -> None:
    centre = calendar(zone, week={}, overrides={day: [hours]})
    around = at(f"{day}T12:00", zone) - 48 * HOUR, at(f"{day}T12:00", zone) + 48 * HOUR
    assert centre.working_between(*around) == elapsed


def test_a_skipped_opening_time_opens_at_the_change_of_the_clock() -> None:
    centre = calendar(BERLIN, ["02:30-05:00"], days=7)
    opening = centre.next_opening(at("2026-03-29T00:00", BERLIN))
    assert opening.at == datetime(2026, 3, 29, 1, 0, tzinfo=UTC)


def test_a_day_whose_only_hour_is_skipped_neither_opens_nor_counts() -> None:
    centre = calendar(BERLIN, ["02:00-03:00"], days=7)
    eve = at("2026-03-28T12:00", BERLIN)
    assert centre.next_opening(eve).at == at("2026-03-30T02:00", BERLIN)
    assert centre.close_of_working_day(eve, 1).at == at("2026-03-30T03:00", BERLIN)


def test_a_day_that_the_zone_skipped_is_no_working_day() -> None:
    apia = calendar("Pacific/Apia")  # Friday 30 December 2011 was left out
    friday = date(2011, 12, 30)
    assert apia.hours_of(friday)
    assert not apia.is_working_day(friday)
    assert apia.working_days(date(2011, 12, 26), date(2012, 1, 1)) == 4


def test_the_same_time_is_what_the_clock_shows_on_either_side_of_its_change() -> None:
    always = calendar(BERLIN, ["00:00-24:00"], days=7)
    for made, due in (
        ("2026-03-27T14:15", "2026-03-29T14:15"),
        ("2026-03-27T02:30", "2026-03-29T03:00"),  # skipped: the first instant after it
        ("2026-10-23T14:15", "2026-10-25T14:15"),
        ("2026-10-23T02:30", "2026-10-25T02:30"),  # shown twice: the first time
    ):
        assert always.same_time_on_working_day(at(made, BERLIN), 2).at == at(due, BERLIN)


def test_a_budget_in_hours_is_not_stretched_by_a_change_of_the_clock() -> None:
    for zone, evening in ((BERLIN, "2026-03-28T20:00"), (NEW_YORK, "2026-10-31T20:00")):
        centre = calendar(zone, ["00:00-24:00"], days=7)
        start = at(evening, zone)
        assert centre.due_after(start, 48 * HOUR).at == start + 48 * HOUR


def test_the_minute_after_midnight_that_the_clock_takes_back_stays_open() -> None:
    zone = "America/St_Johns"  # 2006-10-29 00:01 was put back to 23:01 on the 28th
    centre = calendar(zone, week={}, overrides={"2006-10-29": ["00:00-01:00"]})
    taken_back = at("2006-10-28T23:30", zone, fold=1)
    assert centre.is_open(taken_back)
    assert not centre.is_open(at("2006-10-28T23:30", zone, fold=0))
    assert centre.due_before(taken_back, 30 * MINUTE).at == at("2006-10-29T00:00", zone)


def test_a_half_hour_zone_opens_on_its_half_hour() -> None:
    centre = calendar(KOLKATA, ["09:00-17:30"])
    assert centre.next_opening(at("2026-11-02T00:00", KOLKATA)).at == datetime(
        2026, 11, 2, 3, 30, tzinfo=UTC
    )


# --- refusals ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"hours": ["9-12"]}, "is no interval"),
        ({"hours": ["09:00-12:60"]}, "is no interval"),
        ({"hours": ["09:00-24:01"]}, "leaves the day"),
        ({"hours": ["12:00-12:00"]}, "ends before it begins"),
        ({"hours": ["22:00-06:00"]}, "split a night shift"),
        ({"hours": ["09:00-12:00", "11:59-13:00"]}, "overlap or are out of order"),
        ({"hours": ["13:00-18:00", "09:00-12:00"]}, "overlap or are out of order"),
        ({"week": {"monday": OFFICE}}, "monday"),
        ({"week": {}}, "never open"),
        ({"week": {"mon": []}, "overrides": {"2026-11-03": []}}, "never open"),
        ({"zone": "Asia/Shangai"}, "no time zone"),
        ({"zone": ""}, "no time zone"),
        ({"zone": "../etc"}, "no time zone"),
        ({"zone": "America"}, "no time zone"),
        ({"holidays": ["2026-10-10"], "makeup_workdays": ["2026-10-10"]}, "2026-10-10 is both"),
        ({"makeup_workdays": ["2026-10-10"], "makeup_hours_of": "sun"}, "sun is closed"),
        ({"holyday": ["2026-10-01"]}, "holyday"),
    ],
)
def test_a_calendar_that_cannot_be_is_refused_in_words(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        calendar(**fields)


NAIVE = datetime(2026, 11, 2, 10, 0)  # noqa: DTZ001 - the point of the test
AWARE = NAIVE.replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("argument", "call"),
    [
        ("at", lambda c: c.is_open(NAIVE)),
        ("at", lambda c: c.next_opening(NAIVE)),
        ("at", lambda c: c.open_spans(NAIVE)),
        ("at", lambda c: c.local_day(NAIVE)),
        ("start", lambda c: c.due_after(NAIVE, HOUR)),
        ("start", lambda c: c.close_of_working_day(NAIVE, 3)),
        ("start", lambda c: c.same_time_on_working_day(NAIVE, 3)),
        ("end", lambda c: c.due_before(NAIVE, HOUR)),
        ("a", lambda c: c.working_between(NAIVE, AWARE)),
        ("b", lambda c: c.working_between(AWARE, NAIVE)),
    ],
)
def test_a_naive_instant_is_refused_by_its_name(
    argument: str, call: Callable[[WorkingCalendar], object]
) -> None:
    with pytest.raises(ValueError, match=rf"^{argument}: .* has no time zone"):
        call(OFFICE_HOURS)


def test_senseless_amounts_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^working: .* is negative"):
        OFFICE_HOURS.due_after(AWARE, -HOUR)
    with pytest.raises(ValueError, match=r"^working: .* is negative"):
        OFFICE_HOURS.due_before(AWARE, -HOUR)
    with pytest.raises(ValueError, match=r"^n: 0 "):
        OFFICE_HOURS.close_of_working_day(AWARE, 0)
    with pytest.raises(ValueError, match=r"^b: .* is before a"):
        OFFICE_HOURS.working_between(AWARE, AWARE - HOUR)
    with pytest.raises(ValueError, match=r"^n: 0 "):
        OFFICE_HOURS.same_time_on_working_day(AWARE, 0)
    with pytest.raises(ValueError, match=r"^last: 2026-11-01 is before first: 2026-11-02"):
        OFFICE_HOURS.working_days(date(2026, 11, 2), date(2026, 11, 1))


def test_an_instant_is_not_taken_for_a_day() -> None:
    with pytest.raises(TypeError, match=r"^day: .* is an instant"):
        OFFICE_HOURS.hours_of(AWARE)
    with pytest.raises(TypeError, match=r"^day: .* is an instant"):
        OFFICE_HOURS.is_working_day(AWARE)
    with pytest.raises(TypeError, match=r"^last: .* is an instant"):
        OFFICE_HOURS.working_days(date(2026, 11, 2), AWARE)


def test_a_calendar_whose_only_hours_are_past_says_so_instead_of_searching_for_ever() -> None:
    fair = calendar(week={}, overrides={"2026-11-02": ["09:00-12:00"], "2026-12-01": []})
    assert fair.due_after(at("2026-11-01T00:00"), 3 * HOUR).at == at("2026-11-02T12:00")
    with pytest.raises(CalendarExhausted, match="runs out of open hours"):
        fair.due_after(at("2026-11-01T00:00"), 3 * HOUR + MINUTE)
    with pytest.raises(CalendarExhausted):
        fair.next_opening(at("2026-11-02T12:00"))
    with pytest.raises(CalendarExhausted):
        fair.close_of_working_day(at("2026-11-02T08:00"), 1)
    with pytest.raises(CalendarExhausted):
        fair.due_before(at("2026-11-02T09:00"), MINUTE)
    assert list(fair.open_spans(at("2026-11-03T00:00"))) == []


# --- a value like any other ----------------------------------------------------------------------


def test_a_calendar_survives_json_and_stays_equal_however_much_it_was_asked() -> None:
    copy = WorkingCalendar.model_validate_json(OFFICE_HOURS.model_dump_json())
    OFFICE_HOURS.due_after(AWARE, HOUR)
    assert copy == OFFICE_HOURS
    assert copy.model_dump_json() == OFFICE_HOURS.model_dump_json()
    plain = OFFICE_HOURS.model_dump(mode="json")
    assert plain["week"]["mon"] == OFFICE
    assert plain["holidays"] == sorted(plain["holidays"])


def test_a_changed_copy_does_not_remember_the_old_days() -> None:
    assert OFFICE_HOURS.is_open(at("2026-11-02T10:00"))
    changed = OFFICE_HOURS.model_copy(update={"holidays": {date(2026, 11, 2)}})
    assert not changed.is_open(at("2026-11-02T10:00"))
