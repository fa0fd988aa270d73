"""National days: China's notices as shipped, beside two other sources, and how they are applied."""

from datetime import date
from typing import Any

import chinese_calendar
import holidays
import pytest
from pydantic import ValidationError

from domain.calendars.calendar import WorkingCalendar
from domain.calendars.national_days import NationalDays
from tests.support.calendars import CHINA, DAY, OFFICE_HOURS, calendar

KNOWN = CHINA.model_dump(mode="json")
LIBRARY = holidays.country_holidays("CN", years=range(2024, 2031), language="en_US")


def changed(**fields: Any) -> dict[str, Any]:
    return KNOWN | fields


# --- the shipped file ----------------------------------------------------------------------------


def test_every_announced_day_is_what_two_other_sources_say() -> None:
    day = CHINA.announced_from
    assert (day, CHINA.announced_until) == (date(2024, 1, 1), date(2026, 12, 31))
    while day <= CHINA.announced_until:
        works = OFFICE_HOURS.is_working_day(day)
        assert works is chinese_calendar.is_workday(day), day
        assert works is LIBRARY.is_working_day(day), day
        day += DAY


def test_every_make_up_workday_is_a_weekend_day_and_known_to_the_library() -> None:
    assert all(day.weekday() > 4 for day in CHINA.makeup_workdays)
    theirs = {day for day in LIBRARY.weekend_workdays if day >= CHINA.announced_from}
    assert theirs == CHINA.makeup_workdays


@pytest.mark.parametrize("year", [2027, 2028, 2029, 2030])
def test_the_days_fixed_by_law_are_those_of_the_lunar_and_the_solar_calendar(year: int) -> None:
    fixed = {day for day, name in LIBRARY.items() if day.year == year and "observed" not in name}
    assert CHINA.statutory[year] == fixed
    # 13 days a year; in 2028 Mid-Autumn is on 3 October, National Day's third.
    assert len(fixed) == (12 if year == 2028 else 13)


@pytest.mark.parametrize("year", [2027, 2028, 2029, 2030])
def test_a_day_off_on_a_weekend_is_made_up_on_the_next_working_day(year: int) -> None:
    # Article 6. Which working day it is, the notice says; the library expects the next one, too.
    assert CHINA.by_law(year) == {day for day in LIBRARY if day.year == year}
    off = [day for day in CHINA.by_law(year) if day.weekday() < 5]
    assert len(off) == len(CHINA.statutory[year])


@pytest.mark.parametrize(("year", "weekdays"), [(2027, 261), (2028, 260), (2029, 261), (2030, 261)])
def test_by_the_law_alone_a_year_has_its_weekdays_less_the_days_off(
    year: int, weekdays: int
) -> None:
    first, last = date(year, 1, 1), date(year, 12, 31)
    assert calendar().working_days(first, last) == weekdays
    assert OFFICE_HOURS.working_days(first, last) == weekdays - len(CHINA.statutory[year]) == 248


def test_without_such_a_law_a_day_off_on_a_weekend_is_lost() -> None:
    plain = NationalDays.model_validate(changed(made_up=False))
    assert plain.by_law(2027) == CHINA.statutory[2027]


@pytest.mark.parametrize("year", [2025, 2026])
def test_a_notice_grants_at_least_the_days_fixed_by_law(year: int) -> None:
    added = ("observed", "substituted")
    fixed = {
        day
        for day, name in LIBRARY.items()
        if day.year == year and not any(word in name for word in added)
    }
    assert fixed <= CHINA.years[year].holidays


def test_make_up_workdays_are_announced_and_never_foretold() -> None:
    assert max(CHINA.makeup_workdays) == date(2026, 10, 10)
    assert max(CHINA.holidays) == date(2030, 10, 3)


def test_every_notice_and_the_law_say_where_they_are_published() -> None:
    published = [*(year.notice for year in CHINA.years.values()), CHINA.statutory_source or ""]
    assert all("https://www.gov.cn/" in place for place in published)


# --- a notice takes the place of the law ---------------------------------------------------------


def test_a_year_with_a_notice_no_longer_goes_by_the_law() -> None:
    notice = {"notice": "invented for a test", "holidays": ["2027-01-01"], "makeup_workdays": []}
    days = NationalDays.model_validate(changed(years=KNOWN["years"] | {"2027": notice}))
    assert {day for day in days.holidays if day.year == 2027} == {date(2027, 1, 1)}
    assert {day for day in days.holidays if day.year == 2028} == CHINA.by_law(2028)
    assert (days.announced_until, days.firm_until) == (date(2027, 12, 31), date(2027, 12, 27))


# --- applied to a calendar -----------------------------------------------------------------------


def test_national_days_join_those_a_calendar_has_of_its_own() -> None:
    own = calendar(
        national="CN",
        holidays=["2026-11-06"],
        makeup_workdays=["2026-11-07"],
        overrides={"2026-10-01": ["10:00-11:00"]},
    )
    applied = CHINA.applied_to(own)
    assert applied.national == "CN"
    assert applied.holidays == CHINA.holidays | {date(2026, 11, 6)}
    assert applied.makeup_workdays == CHINA.makeup_workdays | {date(2026, 11, 7)}
    assert (applied.announced_from, applied.announced_until) == (
        date(2024, 1, 1),
        date(2026, 12, 27),
    )
    assert applied.is_working_day(date(2026, 10, 1))
    assert own.announced_until is None


def test_applied_days_and_fields_make_the_same_calendar() -> None:
    assert CHINA.applied_to(calendar()) == calendar(**CHINA.fields()) == OFFICE_HOURS


def test_a_calendar_of_another_country_is_refused_with_what_to_write() -> None:
    with pytest.raises(ValueError, match='follows DE-BY, not CN: write national = "CN"'):
        CHINA.applied_to(calendar(national="DE-BY"))


def test_a_calendar_with_its_own_holiday_on_a_make_up_workday_is_refused() -> None:
    with pytest.raises(ValidationError, match="2026-10-10 is both"):
        CHINA.applied_to(calendar(holidays=["2026-10-10"]))


def test_a_calendar_with_national_days_survives_json() -> None:
    assert WorkingCalendar.model_validate_json(OFFICE_HOURS.model_dump_json()) == OFFICE_HOURS
    assert NationalDays.model_validate_json(CHINA.model_dump_json()) == CHINA


# --- refusals ------------------------------------------------------------------------------------

YEARS = KNOWN["years"]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        (
            {"years": {y: YEARS[y] for y in YEARS if y != "2025"}},
            "2025 is missing between 2024 and",
        ),
        ({"years": {2025: YEARS["2024"]}}, "years: 2024-01-01 stands under 2025"),
        ({"years": {}}, "at least 1 item"),
        ({"years": {2026: YEARS["2026"] | {"makeup_workdays": ["2026-01-01"]}}}, "01-01 is both"),
        ({"statutory": {2028: ["2027-12-31"]}}, "statutory: 2027-12-31 stands under 2028"),
        ({"country": ""}, "country"),
        ({"sauce": "gov.cn"}, "sauce"),
    ],
)
def test_notices_that_cannot_be_are_refused_in_words(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        NationalDays.model_validate(changed(**fields))


def test_a_new_years_break_may_begin_in_the_december_before() -> None:
    # As in the notice for 2019: Saturday 29 December 2018 worked, Monday the 31st off.
    notice = {
        "notice": "https://www.gov.cn/zhengce/zhengceku/2018-12/06/content_5346276.htm",
        "holidays": ["2018-12-30", "2018-12-31", "2019-01-01"],
        "makeup_workdays": ["2018-12-29"],
    }
    days = NationalDays.model_validate(changed(years={2019: notice}, statutory={}))
    desk = days.applied_to(calendar())
    assert desk.working_days(date(2018, 12, 28), date(2019, 1, 2)) == 3
