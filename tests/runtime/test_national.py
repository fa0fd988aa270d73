"""National days out of a file of notices, or out of PyPI's holidays."""

import json
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import holidays
import pytest

from domain.calendars.calendar import WEEKDAYS, WorkingCalendar
from runtime.national import (
    FIRST_YEAR,
    LAST_YEAR,
    NationalDaysError,
    _from_library,
    national_days,
    read_notices,
)
from runtime.settings import ROOT

OWN = ROOT / "policies"


def desk(country: str) -> WorkingCalendar:
    week = {day: ["09:00-17:00"] for day in WEEKDAYS[:5]}
    written = {"name": "desk", "zone": "UTC", "week": week, "national": country}
    return national_days(country, [OWN]).applied_to(WorkingCalendar.model_validate(written))


def notices(folder: Path, **fields: Any) -> Path:
    """Write notices of an imaginary land, "XA"."""
    year = {"notice": "gazette 7", "holidays": ["2026-03-03"], "makeup_workdays": ["2026-03-07"]}
    usual = {"country": "XA", "dated": "2026-01-01", "source": "gazette", "years": {"2026": year}}
    path = folder / "xa_workdays.json"
    path.write_text(json.dumps(usual | fields), encoding="utf-8")
    return path


# --- files ---------------------------------------------------------------------------------------


def test_chinas_days_are_the_desks_own_file_not_the_librarys() -> None:
    china = national_days("CN", [OWN])
    assert china.dated is not None
    assert "gov.cn" in china.source
    assert china.statutory[2027]


def test_the_first_folder_with_notices_goes_before_the_others(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for folder, source in ((first, "newer"), (second, "older")):
        folder.mkdir()
        notices(folder, source=source)
    assert national_days("XA", [tmp_path, first, second]).source == "newer"
    assert national_days("XA", [tmp_path, second, first]).source == "older"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"country": "XB"}, r'xa_workdays\.json: country: is "XB": write "XA"'),
        ({"years": {}}, r"xa_workdays\.json: years: may not be empty"),
        ({"sauce": "gazette"}, r"xa_workdays\.json: sauce: is not known here"),
        ({"statutory": {"2028": ["2027-01-01"]}}, r"\.json: statutory: 2027-01-01 stands under"),
        ({"statutory": {"2028": ["New Year"]}}, r"\.json: statutory\.2028\.0: .*found 'New Year'"),
    ],
)
def test_notices_that_cannot_be_are_named_with_file_and_place(
    tmp_path: Path, fields: dict[str, Any], words: str
) -> None:
    notices(tmp_path, **fields)
    with pytest.raises(NationalDaysError, match=words):
        national_days("XA", [tmp_path])


def test_a_file_that_is_no_json_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "xa_workdays.json"
    path.write_text('{\n  "country": "XA",\n  years: {}\n}\n', encoding="utf-8")
    with pytest.raises(NationalDaysError, match=r"xa_workdays\.json, line 3: no valid JSON"):
        read_notices(path)


# --- the library ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("country", "day", "works"),
    [
        ("DE", "2026-01-06", True),
        ("DE-BY", "2026-01-06", False),  # Epiphany, in the south only
        ("DE", "2026-04-03", False),  # Good Friday
        ("DE", "2026-12-24", True),  # a half holiday by custom, not by law
        ("DE", "2035-05-03", False),  # Ascension Day, 39 days after Easter on 25 March
        ("JP", "2026-09-21", False),
        ("JP", "2026-09-22", False),  # between two holidays, so one itself
        ("JP", "2026-09-23", False),
        ("JP", "2026-09-24", True),
        ("HU", "2026-01-02", False),
        ("HU", "2026-01-10", True),  # Saturday worked for it
        ("HU", "2026-01-17", False),
        ("HU", "2026-08-21", False),
        ("HU", "2026-08-08", True),
    ],
)
def test_other_countries_have_the_days_off_and_worked_that_their_law_gives_them(
    country: str, day: str, *, works: bool
) -> None:
    assert desk(country).is_working_day(date.fromisoformat(day)) is works


@pytest.mark.parametrize("country", ["DE", "DE-BY", "JP"])
def test_holidays_that_the_law_fixes_for_ever_are_announced_as_far_as_they_were_asked(
    country: str,
) -> None:
    days = national_days(country, [])
    assert (days.announced_from.year, days.announced_until.year) == (FIRST_YEAR, LAST_YEAR)
    assert days.statutory == {}
    assert days.source == f"PyPI holidays {version('holidays')}, public holidays of {country}"
    assert days.dated is None


@pytest.mark.parametrize("country", ["HU", "LV", "CN"])
def test_where_working_days_are_moved_by_decree_nothing_is_announced_beyond_the_last_one(
    country: str,
) -> None:
    days = national_days(country, [])
    assert days.announced_until.year == max(days.makeup_workdays).year < LAST_YEAR
    assert {day.year for day in days.holidays} == set(range(FIRST_YEAR, LAST_YEAR + 1))


@pytest.mark.parametrize("country", ["ID", "SA", "SG", "TR"])
def test_no_estimate_is_announced_and_the_year_before_the_first_is(country: str) -> None:
    entity = getattr(holidays, country)
    shown = {name: True for name in entity.get_supported_options() if "estimated" in name}
    known = entity(years=range(FIRST_YEAR, LAST_YEAR + 1), language="en_US", **shown)
    estimated = [day for day, name in known.items() if "estimated" in name]
    assert estimated
    days = national_days(country, [])
    assert days.announced_until.year == min(estimated).year - 1
    assert min(estimated) in days.statutory[min(estimated).year]


def test_what_the_library_says_does_not_depend_on_the_machines_language(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    expected = _from_library("TR")
    monkeypatch.setenv("LANGUAGE", "tr")
    assert _from_library.__wrapped__("TR") == expected


@pytest.mark.parametrize(
    ("country", "words"),
    [
        ("XX", 'no national days of "XX" are known: put xx_workdays.json beside the policy'),
        ("DE-XX", 'no part "XX" of its own holidays; there are: BB, BE, BW, BY'),
        ("de", '"de" is no country: write its two letters, such as "CN"'),
        ("Germany", '"Germany" is no country'),
        ("../DE", "is no country"),
        ("", "is no country"),
        ("DZ", 'can only estimate the national days of "DZ": write dz_workdays.json'),
    ],
)
def test_a_country_that_is_not_known_is_refused_with_what_to_write(
    country: str, words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        national_days(country, [OWN])
