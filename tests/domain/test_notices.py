"""China's notices, day by day: what three working days mean around the breaks (R12, R31, R32).

The tables are written out from the State Council's notices, not from what the calendar answers. A
period in working days does not count the day it starts on, and ends at close of business.
"""

from datetime import UTC, date, datetime

import pytest

from domain.calendars.calendar import DayReason, Due
from domain.calendars.national_days import NationalDays, NationalYear
from tests.support.calendars import CHINA, DAY, HOUR, MINUTE, OFFICE_HOURS, at, calendar

Row = tuple[str, str]


def table(year: int, *lines: str) -> list[Row]:
    """Read ``"02-10 … 02-17 -> 02-20"``: made on any of these days, due on that one."""
    rows = []
    for line in lines:
        made, due = line.split(" -> ")
        first, _, last = made.partition(" … ")
        day = date.fromisoformat(f"{year}-{first}")
        while day <= date.fromisoformat(f"{year}-{last or first}"):
            rows.append((str(day), f"{year}-{due}"))
            day += DAY
    return rows


SPRING_FESTIVAL_2024 = table(
    2024,  # 10 to 17 February off; Sunday the 4th and Sunday the 18th worked
    "02-01 -> 02-05",  # 2, 4, 5: from Thursday over the worked Sunday
    "02-02 … 02-03 -> 02-06",  # 4, 5, 6
    "02-04 -> 02-07",
    "02-05 -> 02-08",
    "02-06 -> 02-09",
    "02-07 -> 02-18",  # 8, 9, and Sunday the 18th
    "02-08 -> 02-19",
    "02-09 … 02-17 -> 02-20",  # 18, 19, 20
    "02-18 -> 02-21",
    "02-19 -> 02-22",
    "02-20 -> 02-23",
    "02-21 -> 02-26",  # 22, 23, and after a plain weekend 26
    "02-22 -> 02-27",
    "02-23 … 02-25 -> 02-28",
)
AUTUMN_2024 = table(
    2024,  # 15 to 17 September off, Saturday the 14th worked; 1 to 7 October off,
    # Sunday 29 September and Saturday 12 October worked
    "09-11 -> 09-14",  # 12, 13, 14
    "09-12 -> 09-18",  # 13, 14, 18
    "09-13 -> 09-19",
    "09-14 … 09-17 -> 09-20",
    "09-18 -> 09-23",  # 19, 20, 23
    "09-19 -> 09-24",
    "09-20 … 09-22 -> 09-25",
    "09-23 -> 09-26",
    "09-24 -> 09-27",
    "09-25 -> 09-29",  # 26, 27, 29
    "09-26 -> 09-30",
    "09-27 … 09-28 -> 10-08",  # 29, 30, 8
    "09-29 -> 10-09",
    "09-30 … 10-07 -> 10-10",  # 8, 9, 10
    "10-08 -> 10-11",
    "10-09 -> 10-12",  # 10, 11, 12
    "10-10 -> 10-14",  # 11, 12, 14
    "10-11 -> 10-15",
    "10-12 … 10-13 -> 10-16",
    "10-14 -> 10-17",
)
SPRING_FESTIVAL_2025 = table(
    2025,  # 28 January to 4 February off; Sunday 26 January and Saturday 8 February worked
    "01-21 -> 01-24",
    "01-22 -> 01-26",  # 23, 24, 26
    "01-23 -> 01-27",
    "01-24 … 01-25 -> 02-05",  # 26, 27, 5
    "01-26 -> 02-06",
    "01-27 … 02-04 -> 02-07",  # 5, 6, 7
    "02-05 -> 02-08",  # 6, 7, 8
    "02-06 -> 02-10",  # 7, 8, 10
    "02-07 -> 02-11",
    "02-08 … 02-09 -> 02-12",
    "02-10 -> 02-13",
)
NATIONAL_DAY_2025 = table(
    2025,  # 1 to 8 October off; Sunday 28 September and Saturday 11 October worked
    "09-23 -> 09-26",
    "09-24 -> 09-28",  # 25, 26, 28
    "09-25 -> 09-29",
    "09-26 … 09-27 -> 09-30",  # 28, 29, 30
    "09-28 -> 10-09",
    "09-29 -> 10-10",
    "09-30 … 10-08 -> 10-11",  # 9, 10, 11
    "10-09 -> 10-13",  # 10, 11, 13
    "10-10 -> 10-14",
    "10-11 … 10-12 -> 10-15",
    "10-13 -> 10-16",
)
SPRING_FESTIVAL_2026 = table(
    2026,  # 15 to 23 February off; Saturdays the 14th and the 28th worked
    "02-09 -> 02-12",
    "02-10 -> 02-13",
    "02-11 -> 02-14",  # 12, 13, 14
    "02-12 -> 02-24",  # 13, 14, 24
    "02-13 -> 02-25",
    "02-14 … 02-23 -> 02-26",  # 24, 25, 26
    "02-24 -> 02-27",
    "02-25 -> 02-28",  # 26, 27, 28
    "02-26 -> 03-02",  # 27, 28, 2
    "02-27 -> 03-03",
    "02-28 … 03-01 -> 03-04",
    "03-02 -> 03-05",
)
AUTUMN_2026 = table(
    2026,  # 25 to 27 September off, Sunday the 20th worked; 1 to 7 October off,
    # Saturday the 10th worked
    "09-15 -> 09-18",
    "09-16 -> 09-20",  # 17, 18, 20
    "09-17 -> 09-21",
    "09-18 … 09-19 -> 09-22",
    "09-20 -> 09-23",
    "09-21 -> 09-24",
    "09-22 -> 09-28",  # 23, 24, 28
    "09-23 -> 09-29",
    "09-24 … 09-27 -> 09-30",  # 28, 29, 30
    "09-28 -> 10-08",  # 29, 30, 8
    "09-29 -> 10-09",
    "09-30 … 10-07 -> 10-10",  # 8, 9, 10
    "10-08 -> 10-12",  # 9, 10, 12
    "10-09 -> 10-13",
    "10-10 … 10-11 -> 10-14",
    "10-12 -> 10-15",
)
YEAR_ENDS: list[Row] = [
    # Wednesday 1 January 2025 off, and nothing else.
    ("2024-12-26", "2024-12-31"),  # 27, 30, 31
    *((f"2024-12-{day}", "2025-01-02") for day in (27, 28, 29)),  # 30, 31, 2
    ("2024-12-30", "2025-01-03"),
    ("2024-12-31", "2025-01-06"),  # 2, 3, 6
    ("2025-01-01", "2025-01-06"),
    ("2025-01-02", "2025-01-07"),
    # Thursday 1 to Saturday 3 January 2026 off, Sunday the 4th worked for it.
    ("2025-12-25", "2025-12-30"),  # 26, 29, 30
    *((f"2025-12-{day}", "2025-12-31") for day in (26, 27, 28)),  # 29, 30, 31
    ("2025-12-29", "2026-01-04"),  # 30, 31, 4
    ("2025-12-30", "2026-01-05"),
    ("2025-12-31", "2026-01-06"),  # 4, 5, 6
    *((f"2026-01-{day:02}", "2026-01-06") for day in (1, 2, 3)),
    ("2026-01-04", "2026-01-07"),
]


@pytest.mark.parametrize(
    ("made_on", "due_on"),
    [
        *SPRING_FESTIVAL_2024,
        *AUTUMN_2024,
        *SPRING_FESTIVAL_2025,
        *NATIONAL_DAY_2025,
        *SPRING_FESTIVAL_2026,
        *AUTUMN_2026,
        *YEAR_ENDS,
    ],
)
def test_three_working_days_end_at_close_of_business_whatever_the_hour_of_the_start(
    made_on: str, due_on: str
) -> None:
    for hour in ("00:00", "10:15", "23:59"):
        due = OFFICE_HOURS.close_of_working_day(at(f"{made_on}T{hour}"), 3)
        assert due == Due(at(f"{due_on}T18:00"), provisional=False)


@pytest.mark.parametrize(("made_on", "due_on"), [*NATIONAL_DAY_2025, *SPRING_FESTIVAL_2026])
@pytest.mark.parametrize(
    ("made_at", "due_at"),
    [
        ("08:00", "09:00"),  # before the doors open: as they open
        ("09:00", "09:00"),
        ("11:20", "11:20"),
        ("12:45", "12:00"),  # at lunch: as it begins
        ("13:30", "13:30"),
        ("18:00", "18:00"),
        ("22:10", "18:00"),  # in the evening: as they close
    ],
)
def test_the_same_time_on_the_third_working_day_is_a_time_at_which_somebody_works(
    made_on: str, made_at: str, due_on: str, due_at: str
) -> None:
    due = OFFICE_HOURS.same_time_on_working_day(at(f"{made_on}T{made_at}"), 3)
    assert due == Due(at(f"{due_on}T{due_at}"), provisional=False)


@pytest.mark.parametrize(
    ("start", "hours", "due"),
    [
        ("2024-02-09T17:00", 8.5, "2024-02-18T18:00"),  # an hour of Friday, all of Sunday
        ("2024-09-30T17:00", 22, "2024-10-10T16:30"),  # 1 + 7.5 + 7.5 + 6
        ("2025-01-27T15:30", 10, "2025-02-05T18:00"),  # 2.5 + 7.5: due at closing
        ("2025-09-30T09:00", 30.5, "2025-10-13T09:30"),  # 4 days and half an hour
        ("2026-02-14T13:30", 12, "2026-02-24T18:00"),  # Saturday afternoon, all of Tuesday
        ("2026-09-29T15:30", 22, "2026-10-09T15:00"),  # 2.5 + 7.5 + 7.5 + 4.5
        ("2026-10-09T17:30", 8, "2026-10-10T18:00"),  # half an hour, and all of Saturday
    ],
)
def test_a_budget_of_hours_skips_the_break_and_uses_the_make_up_days(
    start: str, hours: float, due: str
) -> None:
    assert OFFICE_HOURS.due_after(at(start), hours * HOUR) == Due(at(due), provisional=False)
    assert OFFICE_HOURS.working_between(at(start), at(due)) == hours * HOUR


@pytest.mark.parametrize(
    ("first", "last", "count"),
    [
        ("2024-01-01", "2024-12-31", 251),
        ("2025-01-01", "2025-12-31", 248),
        ("2026-01-01", "2026-12-31", 248),
        ("2024-01-01", "2026-12-31", 747),
        ("2026-02-14", "2026-02-28", 6),  # the two Saturdays and 24 to 27
        ("2026-10-01", "2026-10-07", 0),
        ("2026-10-10", "2026-10-10", 1),
        ("2025-12-29", "2026-01-04", 4),
    ],
)
def test_working_days_are_counted_as_published(first: str, last: str, count: int) -> None:
    counted = OFFICE_HOURS.working_days(date.fromisoformat(first), date.fromisoformat(last))
    assert counted == count


def test_each_day_says_which_rule_decided_it() -> None:
    centre = calendar(**CHINA.fields(), overrides={"2026-10-01": ["10:00-11:00"]})
    reasons = {
        "2026-09-20": DayReason.MAKEUP_WORKDAY,
        "2026-09-30": DayReason.WEEKDAY,
        "2026-10-01": DayReason.OVERRIDE,
        "2026-10-02": DayReason.HOLIDAY,
        "2026-10-03": DayReason.HOLIDAY,  # a Saturday, too
        "2026-10-11": DayReason.WEEKDAY,
    }
    assert {day: centre.reason(date.fromisoformat(day)) for day in reasons} == reasons


def test_the_local_day_of_the_start_counts_not_the_utc_day() -> None:
    # 23:30 UTC on Sunday is Monday morning in Shanghai: Monday is not counted.
    due = OFFICE_HOURS.close_of_working_day(datetime(2026, 11, 1, 23, 30, tzinfo=UTC), 1)
    assert due.at == at("2026-11-03T18:00")


# --- what nobody knows yet -----------------------------------------------------------------------

# Made up for these tests: nobody knows the real one.
INVENTED_NOTICE = NationalYear.model_validate(
    {
        "notice": "invented for a test",
        "holidays": [
            *("2027-01-01", "2027-01-02"),
            *(f"2027-02-{day:02}" for day in range(5, 12)),
        ],
        "makeup_workdays": ["2027-01-03", "2027-01-30", "2027-02-13"],
    }
)
WITH_INVENTED_NOTICE = CHINA.model_copy(update={"years": CHINA.years | {2027: INVENTED_NOTICE}})
AS_WRITTEN = calendar(national="CN")
FORECAST, FIRM = (days.applied_to(AS_WRITTEN) for days in (CHINA, WITH_INVENTED_NOTICE))


@pytest.mark.parametrize(
    ("made_on", "forecast", "announced"),
    [
        ("2026-12-29", "2027-01-04", "2027-01-03"),  # 30, 31, then Monday or the worked Sunday
        ("2026-12-30", "2027-01-05", "2027-01-04"),
        ("2026-12-31", "2027-01-06", "2027-01-05"),
        ("2027-01-01", "2027-01-06", "2027-01-05"),
        ("2027-01-27", "2027-02-01", "2027-01-30"),  # 28, 29, then Monday or Saturday
        (
            "2027-02-03",
            "2027-02-12",
            "2027-02-13",
        ),  # by law 5 to 8 February, 9 and 10 for the weekend
        ("2027-02-04", "2027-02-15", "2027-02-15"),
        ("2027-06-08", "2027-06-14", "2027-06-11"),  # Dragon Boat, 9 June: not in the invented one
    ],
)
def test_a_promise_reaching_into_2027_follows_the_law_and_is_firm_once_the_notice_is_out(
    made_on: str, forecast: str, announced: str
) -> None:
    start = at(f"{made_on}T10:00")
    assert FORECAST.close_of_working_day(start, 3) == Due(at(f"{forecast}T18:00"), True)
    assert FIRM.close_of_working_day(start, 3) == Due(at(f"{announced}T18:00"), False)
    assert FORECAST.same_time_on_working_day(start, 3) == Due(at(f"{forecast}T10:00"), True)
    assert FIRM.same_time_on_working_day(start, 3) == Due(at(f"{announced}T10:00"), False)


def test_the_notice_for_2026_moved_what_was_promised_at_the_end_of_2025() -> None:
    announced = {year: notice for year, notice in CHINA.years.items() if year < 2026}
    law = {2026: {"2026-01-01"}}
    before = NationalDays.model_validate(
        CHINA.model_dump() | {"years": announced, "statutory": law}
    ).applied_to(AS_WRITTEN)
    for made_on, expected, announced_later in (
        ("2025-12-26", Due(at("2025-12-31T18:00"), True), "2025-12-31"),
        ("2025-12-29", Due(at("2026-01-02T18:00"), True), "2026-01-04"),
        ("2025-12-30", Due(at("2026-01-05T18:00"), True), "2026-01-05"),
        ("2025-12-31", Due(at("2026-01-06T18:00"), True), "2026-01-06"),
    ):
        start = at(f"{made_on}T10:00")
        assert before.close_of_working_day(start, 3) == expected
        after = OFFICE_HOURS.close_of_working_day(start, 3)
        assert after == Due(at(f"{announced_later}T18:00"), False)


def test_the_last_days_of_december_are_provisional_for_the_next_notice_has_moved_such() -> None:
    # The notice for 2019 made 29 December 2018, a Saturday, a working day, and the 31st one off.
    before = NationalDays.model_validate(
        {
            **dict(CHINA),
            "years": {2018: NationalYear(notice="a test", holidays=[], makeup_workdays=[])},
        }
    )
    of_2019 = NationalYear.model_validate(
        {
            "notice": "https://www.gov.cn/zhengce/zhengceku/2018-12/06/content_5346276.htm",
            "holidays": ["2018-12-30", "2018-12-31", "2019-01-01"],
            "makeup_workdays": ["2018-12-29"],
        }
    )
    after = before.model_copy(update={"years": {**before.years, 2019: of_2019}})
    start = at("2018-12-27T10:00")
    expected, known = (days.applied_to(AS_WRITTEN) for days in (before, after))
    assert expected.close_of_working_day(start, 1) == Due(at("2018-12-28T18:00"), True)
    assert expected.close_of_working_day(start, 2) == Due(at("2018-12-31T18:00"), True)
    assert known.close_of_working_day(start, 2) == Due(at("2018-12-29T18:00"), False)
    assert not expected.close_of_working_day(at("2018-12-26T10:00"), 1).provisional


def test_an_instant_is_provisional_from_the_first_working_minute_nobody_has_announced() -> None:
    last_firm = at("2026-12-25T17:00")  # a Friday; of the last four days the next notice decides
    assert OFFICE_HOURS.due_after(last_firm, HOUR) == Due(at("2026-12-25T18:00"), False)
    assert OFFICE_HOURS.due_after(last_firm, HOUR + MINUTE).provisional
    assert not OFFICE_HOURS.next_opening(last_firm).provisional
    assert OFFICE_HOURS.next_opening(at("2026-12-25T18:00")).provisional
    assert OFFICE_HOURS.due_before(at("2027-01-04T10:00"), HOUR).provisional
    assert not OFFICE_HOURS.due_before(at("2026-12-28T00:00"), HOUR).provisional
    closing = OFFICE_HOURS.close_of_working_day(at("2026-12-22T10:00"), 3)
    assert closing == Due(at("2026-12-25T18:00"), provisional=False)
    assert OFFICE_HOURS.close_of_working_day(at("2026-12-22T10:00"), 4).provisional
    assert OFFICE_HOURS.opening_of_working_day(at("2026-12-22T10:00"), 4).provisional


@pytest.mark.parametrize(
    ("made_on", "due_on", "provisional"),
    [
        ("2023-12-27", "2024-01-02", True),  # needs 28 and 29 December 2023
        ("2023-12-29", "2024-01-04", True),  # the 30th or the 31st could have been worked
        ("2023-12-30", "2024-01-04", True),
        ("2023-12-31", "2024-01-04", False),  # its own day is not counted
        ("2024-01-01", "2024-01-04", False),
        ("2024-01-02", "2024-01-05", False),
    ],
)
def test_what_needs_days_before_the_first_notice_is_provisional_too(
    made_on: str, due_on: str, *, provisional: bool
) -> None:
    due = OFFICE_HOURS.close_of_working_day(at(f"{made_on}T10:00"), 3)
    assert due == Due(at(f"{due_on}T18:00"), provisional)


def test_open_time_on_a_day_before_the_first_notice_is_provisional() -> None:
    assert OFFICE_HOURS.due_after(at("2023-12-31T23:59"), HOUR).provisional
    assert not OFFICE_HOURS.due_after(at("2024-01-01T00:00"), HOUR).provisional
    assert OFFICE_HOURS.next_opening(at("2023-12-29T10:00")).provisional
    assert OFFICE_HOURS.due_before(at("2024-01-02T09:30"), HOUR).provisional
    assert not OFFICE_HOURS.due_before(at("2024-01-02T10:00"), HOUR).provisional


def test_a_last_day_open_until_midnight_is_not_provisional_by_ending_with_the_known_days() -> None:
    late = calendar(hours=["09:00-24:00"], days=7, **CHINA.fields())
    due = late.due_after(at("2026-12-27T23:00"), HOUR)
    assert due == Due(at("2026-12-28T00:00"), provisional=False)


def test_a_calendar_without_notice_is_never_provisional() -> None:
    plain = calendar()
    assert not plain.due_after(at("2026-12-31T23:00"), 9000 * HOUR).provisional
    assert plain.close_of_working_day(at("2026-09-30T10:00"), 3).at == at("2026-10-05T18:00")
