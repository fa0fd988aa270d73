"""The working calendar: China's years as published, other zones, and laws that hold for any."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise, takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.calendar import WEEKDAYS, CalendarExhausted, Due, Span, WorkingCalendar
from domain.national_days import NationalDays

if TYPE_CHECKING:
    from collections.abc import Callable

NOTICES = Path(__file__).parents[2] / "policies" / "cn_workdays.json"
CHINA = NationalDays.model_validate_json(NOTICES.read_text(encoding="utf-8"))
SHANGHAI = "Asia/Shanghai"
OFFICE = ["09:00-12:00", "13:30-18:00"]
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def calendar(
    zone: str = SHANGHAI, hours: list[str] | None = None, days: int = 5, **fields: Any
) -> WorkingCalendar:
    """Open ``hours`` on the first ``days`` days of the week."""
    week = dict.fromkeys(WEEKDAYS[:days], OFFICE if hours is None else hours)
    return WorkingCalendar.model_validate({"name": "test", "zone": zone, "week": week} | fields)


def at(text: str, zone: str = SHANGHAI, fold: int = 0) -> datetime:
    """Read a local time of ``zone`` as the UTC instant."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC)


OFFICE_HOURS = calendar(**CHINA.fields())
AROUND_THE_CLOCK = calendar(hours=["00:00-24:00"], days=7)


# --- China, as published -------------------------------------------------------------------------


@pytest.mark.parametrize(("year", "working_days"), [(2024, 251), (2025, 248), (2026, 248)])
def test_a_chinese_year_has_the_published_number_of_working_days(
    year: int, working_days: int
) -> None:
    days = [date(year, 1, 1) + timedelta(days=n) for n in range(366)]
    assert sum(OFFICE_HOURS.is_working_day(day) for day in days if day.year == year) == working_days


@pytest.mark.parametrize(
    ("first", "last", "works"),
    [
        ("2024-02-04", "2024-02-04", True),  # Sunday before the Spring Festival
        ("2024-02-05", "2024-02-09", True),
        ("2024-02-10", "2024-02-17", False),
        ("2024-02-18", "2024-02-18", True),  # Sunday after
        ("2025-01-26", "2025-01-27", True),
        ("2025-01-28", "2025-02-04", False),
        ("2025-02-08", "2025-02-08", True),
        ("2025-09-28", "2025-09-30", True),
        ("2025-10-01", "2025-10-08", False),
        ("2025-10-11", "2025-10-11", True),
        ("2026-02-14", "2026-02-14", True),  # Saturday before the Spring Festival
        ("2026-02-15", "2026-02-23", False),
        ("2026-02-28", "2026-02-28", True),
        ("2026-09-20", "2026-09-20", True),
        ("2026-10-01", "2026-10-07", False),
        ("2026-10-08", "2026-10-10", True),  # Saturday 10 October made up
        ("2026-10-11", "2026-10-11", False),
    ],
)
def test_breaks_are_closed_and_make_up_days_are_worked(
    first: str, last: str, *, works: bool
) -> None:
    day = date.fromisoformat(first)
    while day <= date.fromisoformat(last):
        assert OFFICE_HOURS.is_working_day(day) is works, day
        day += timedelta(days=1)


@pytest.mark.parametrize(
    ("made_on", "due_on"),
    [
        ("2025-09-25", "2025-09-29"),  # Sunday 28 September is worked
        ("2025-09-26", "2025-09-30"),
        ("2025-09-27", "2025-09-30"),
        ("2025-09-28", "2025-10-09"),
        ("2025-09-29", "2025-10-10"),
        ("2025-09-30", "2025-10-11"),
        *((f"2025-10-{day:02}", "2025-10-11") for day in range(1, 9)),
        ("2025-10-09", "2025-10-13"),
        ("2025-10-10", "2025-10-14"),
        ("2025-10-11", "2025-10-15"),
        ("2025-10-12", "2025-10-15"),
        ("2026-09-24", "2026-09-30"),  # Mid-Autumn, 25 to 27 September
        *((f"2026-09-{day}", "2026-09-30") for day in range(25, 28)),
        ("2026-09-28", "2026-10-08"),
        ("2026-09-29", "2026-10-09"),
        ("2026-09-30", "2026-10-10"),
        *((f"2026-10-{day:02}", "2026-10-10") for day in range(1, 8)),
        ("2026-10-08", "2026-10-12"),
        ("2026-10-09", "2026-10-13"),
        ("2026-10-10", "2026-10-14"),
        ("2026-10-11", "2026-10-14"),
    ],
)
@pytest.mark.parametrize("hour", ["00:00", "10:15", "23:59"])
def test_three_working_days_end_at_close_of_business_whatever_the_hour_of_the_start(
    made_on: str, due_on: str, hour: str
) -> None:
    due = OFFICE_HOURS.close_of_working_day(at(f"{made_on}T{hour}"), 3)
    assert due == Due(at(f"{due_on}T18:00"), provisional=False)


def test_the_local_day_of_the_start_counts_not_the_utc_day() -> None:
    # 23:30 UTC on Sunday is Monday morning in Shanghai: Monday is not counted.
    due = OFFICE_HOURS.close_of_working_day(datetime(2026, 11, 1, 23, 30, tzinfo=UTC), 1)
    assert due.at == at("2026-11-03T18:00")


def test_a_deadline_reaching_into_an_unannounced_year_is_provisional() -> None:
    closing = OFFICE_HOURS.close_of_working_day(at("2026-12-28T10:00"), 3)
    assert closing == Due(at("2026-12-31T18:00"), provisional=False)
    assert OFFICE_HOURS.close_of_working_day(at("2026-12-28T10:00"), 4).provisional
    new_years_eve = at("2026-12-31T17:00")
    assert OFFICE_HOURS.due_after(new_years_eve, HOUR) == Due(at("2026-12-31T18:00"), False)
    assert OFFICE_HOURS.due_after(new_years_eve, HOUR + MINUTE).provisional
    assert not OFFICE_HOURS.next_opening(new_years_eve).provisional
    assert OFFICE_HOURS.next_opening(at("2026-12-31T18:00")).provisional
    assert OFFICE_HOURS.due_before(at("2027-01-04T10:00"), HOUR).provisional
    assert not OFFICE_HOURS.due_before(at("2027-01-01T00:00"), HOUR).provisional


def test_a_last_day_open_until_midnight_is_not_provisional_by_ending_at_the_new_year() -> None:
    late = calendar(hours=["09:00-24:00"], **CHINA.fields())
    due = late.due_after(at("2026-12-31T23:00"), HOUR)
    assert due == Due(at("2027-01-01T00:00"), provisional=False)


def test_a_calendar_without_notice_is_never_provisional() -> None:
    assert not AROUND_THE_CLOCK.due_after(at("2026-12-31T23:00"), 9000 * HOUR).provisional


def test_without_holidays_only_weekends_are_free() -> None:
    plain = calendar()
    assert plain.close_of_working_day(at("2026-09-30T10:00"), 3).at == at("2026-10-05T18:00")
    assert all(calendar(days=7).is_working_day(date(2026, 10, day)) for day in range(1, 32))


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


# --- zones ---------------------------------------------------------------------------------------

BERLIN, NEW_YORK, KOLKATA = "Europe/Berlin", "America/New_York", "Asia/Kolkata"


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
    with pytest.raises(TypeError, match="is an instant"):
        OFFICE_HOURS.hours_of(AWARE)


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


def test_a_notice_that_cannot_be_is_refused_in_words() -> None:
    known = CHINA.model_dump()
    gap = known | {"years": {y: d for y, d in known["years"].items() if y != 2025}}
    with pytest.raises(ValidationError, match="2025 is missing between 2024 and 2026"):
        NationalDays.model_validate(gap)
    misplaced = known | {"years": {2025: known["years"][2024]}}
    with pytest.raises(ValidationError, match="2024-01-01 stands under 2025"):
        NationalDays.model_validate(misplaced)


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


# --- laws, for any calendar ----------------------------------------------------------------------

# Around clock changes of these zones, so that the laws meet them.
MOMENTS = [
    (SHANGHAI, date(2026, 9, 28)),
    (KOLKATA, date(2026, 9, 28)),
    (BERLIN, date(2026, 3, 27)),
    (BERLIN, date(2026, 10, 23)),
    (NEW_YORK, date(2026, 3, 6)),
    (NEW_YORK, date(2026, 10, 30)),
    ("America/St_Johns", date(2006, 10, 27)),
    ("America/Sao_Paulo", date(2018, 11, 2)),
]
marks = st.lists(st.integers(0, 96), max_size=6, unique=True).map(sorted)
day_hours = marks.map(
    lambda quarters: [
        Span(a * 15, b * 15) for a, b in zip(quarters[::2], quarters[1::2], strict=False)
    ]
)


@st.composite
def calendars(draw: st.DrawFn) -> tuple[WorkingCalendar, datetime]:
    """Draw a small calendar and a local midnight shortly before something happens to it."""
    zone, day = draw(st.sampled_from(MOMENTS))
    near = st.integers(0, 6).map(lambda n: day + timedelta(days=n))
    holidays, makeup = draw(st.frozensets(near, max_size=3)), draw(st.frozensets(near, max_size=2))
    week = draw(st.dictionaries(st.sampled_from(WEEKDAYS), day_hours, min_size=1))
    assume(any(week.values()))
    drawn = WorkingCalendar.model_validate(
        {
            "name": "drawn",
            "zone": zone,
            "week": week,
            "holidays": holidays - makeup,
            "makeup_workdays": makeup,
            "makeup_hours_of": next(weekday for weekday in week if week[weekday]),
            "overrides": draw(st.dictionaries(near, day_hours, max_size=2)),
        }
    )
    return drawn, at(f"{day}T00:00", zone)


seconds = st.integers(0, 6 * 86_400).map(lambda n: timedelta(seconds=n))
amounts = st.integers(1, 60 * 3600).map(lambda n: timedelta(seconds=n))


@settings(deadline=None)
@given(calendars(), seconds, amounts)
def test_exactly_the_budget_is_worked_until_it_is_due(
    drawn: tuple[WorkingCalendar, datetime], offset: timedelta, working: timedelta
) -> None:
    centre, midnight = drawn
    start = midnight + offset
    due = centre.due_after(start, working).at
    assert centre.working_between(start, due) == working
    # … and not an instant earlier: due is the last instant of open time.
    assert centre.working_between(start, due - timedelta.resolution) < working
    begun = centre.due_before(due, working).at
    assert centre.working_between(begun, due) == working
    assert begun >= start
    assert centre.working_between(begun + timedelta.resolution, due) < working


@settings(deadline=None)
@given(calendars(), st.lists(seconds, min_size=3, max_size=3), amounts)
def test_open_time_adds_up_and_later_starts_are_due_no_earlier(
    drawn: tuple[WorkingCalendar, datetime], offsets: list[timedelta], working: timedelta
) -> None:
    centre, midnight = drawn
    a, b, c = sorted(midnight + offset for offset in offsets)
    assert centre.working_between(a, c) == centre.working_between(a, b) + centre.working_between(
        b, c
    )
    assert centre.working_between(a, b) <= b - a
    assert centre.due_after(a, working).at <= centre.due_after(b, working).at
    assert centre.due_after(a, working).at < centre.due_after(a, working + MINUTE).at
    # A budget split at any point is due at the same instant.
    assert (
        centre.due_after(centre.due_after(a, working).at, MINUTE).at
        == centre.due_after(a, working + MINUTE).at
    )


@settings(deadline=None)
@given(calendars(), seconds)
def test_open_spans_are_in_order_and_agree_with_is_open(
    drawn: tuple[WorkingCalendar, datetime], offset: timedelta
) -> None:
    centre, midnight = drawn
    start = midnight + offset
    horizon = start + timedelta(days=20)
    spans = list(takewhile(lambda span: span[0] < horizon, centre.open_spans(start)))
    assert all(opening < closing for opening, closing in spans)
    assert all(left[1] <= right[0] for left, right in pairwise(spans))
    assert all(centre.is_open(opening) for opening, _ in spans)
    assert all(centre.is_open(closing - timedelta.resolution) for _, closing in spans)
    opening = centre.next_opening(start)
    assert (opening.at == start) is centre.is_open(start)
    assert opening.at == next(centre.open_spans(start))[0]


def walk(centre: WorkingCalendar, midnight: datetime, days: int) -> list[bool]:
    """Ask minute by minute what a wall clock shows, one that is never put back, only held."""
    zone = ZoneInfo(centre.zone)
    shown = datetime.min  # noqa: DTZ901 - a wall clock
    result = []
    for n in range(days * 1440):
        shown = max(shown, (midnight + n * MINUTE).astimezone(zone).replace(tzinfo=None))
        minute = shown.hour * 60 + shown.minute
        hours = centre.overrides.get(shown.date())
        if hours is None:
            weekday = WEEKDAYS[shown.weekday()]
            if shown.date() in centre.makeup_workdays:
                weekday = centre.makeup_hours_of
            free = shown.date() in centre.holidays
            hours = () if free else centre.week.get(weekday, ())
        result.append(any(start <= minute < end for start, end in hours))
    return result


@settings(max_examples=50, deadline=None)
@given(calendars(), st.integers(0, 4 * 1440), st.integers(1, 1440))
def test_the_engine_agrees_with_a_walk_minute_by_minute(
    drawn: tuple[WorkingCalendar, datetime], begin: int, budget: int
) -> None:
    centre, midnight = drawn
    walked = walk(centre, midnight, days=7)
    start = midnight + begin * MINUTE
    end = midnight + len(walked) * MINUTE
    assert centre.working_between(start, end) == sum(walked[begin:]) * MINUTE
    assert [centre.is_open(midnight + n * MINUTE) for n in range(0, len(walked), 15)] == walked[
        ::15
    ]
    open_minutes = [n for n in range(begin, len(walked)) if walked[n]]
    if budget <= len(open_minutes):
        due = centre.due_after(start, budget * MINUTE).at
        assert due == midnight + (open_minutes[budget - 1] + 1) * MINUTE
        begun = centre.due_before(end, budget * MINUTE).at
        assert begun == midnight + open_minutes[-budget] * MINUTE
