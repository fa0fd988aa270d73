"""Where national working days come from: a country's file of notices, or else PyPI's holidays."""

import json
import re
from collections.abc import Iterable
from datetime import date
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import holidays
from holidays import PUBLIC, HolidayBase
from pydantic import ValidationError

from domain.calendars.national_days import NationalDays, NationalYear
from domain.errors import SetupError
from runtime.textfiles import findings, read_utf8

FIRST_YEAR, LAST_YEAR = 2024, 2035
"""What is asked of the library. Fixed: the same version has to say the same in every year."""

_COUNTRY = re.compile(r"[A-Z]{2}(-\w+)?", re.ASCII)


class NationalDaysError(SetupError):
    """A file of notices cannot be used; the message names file and place, and what is expected."""


def national_days(country: str, folders: Iterable[Path]) -> NationalDays:
    """Find the national days of ``"CN"``, or of a subdivision such as ``"DE-BY"`` (R32).

    ``cn_workdays.json`` in the first of the ``folders`` that has one, or else what the holidays
    library says: its public holidays, and the weekend days worked instead where it has any.

    Raises:
        ValueError: nothing is known of that country; the sentence says what to write.
        NationalDaysError: there is a file, and it cannot be used.
    """
    require_country(country)
    name = f"{country.lower()}_workdays.json"
    places = [folder / name for folder in dict.fromkeys(folders)]
    path = next((place for place in places if place.is_file()), None)
    if path is None:
        return _from_library(country)
    days = read_notices(path)
    if days.country != country:
        raise NationalDaysError(f'{path}: country: is "{days.country}": write "{country}"')
    return days


def require_country(written: object) -> None:
    """Refuse what cannot be the name of a country; ``ValueError`` says what to write."""
    if not isinstance(written, str) or not _COUNTRY.fullmatch(written):
        found = f'"{written}"' if isinstance(written, str) else written
        raise ValueError(
            f'{found} is no country: write its two letters, such as "CN", '
            'and where its parts differ the part, such as "DE-BY"'
        )


def read_notices(path: Path) -> NationalDays:
    """Read a file such as ``policies/cn_workdays.json``.

    Raises:
        NationalDaysError: it is missing, unreadable, or says something that cannot be.
    """
    text = read_utf8(path, NationalDaysError)
    try:
        return NationalDays.model_validate(json.loads(text))
    except json.JSONDecodeError as error:
        raise NationalDaysError(
            f"{path}, line {error.lineno}: no valid JSON: {error.msg}"
        ) from None
    except ValidationError as error:
        found = (f"{path}: {each}" for each in findings(error))
        raise NationalDaysError("\n".join(found)) from None


@cache
def _from_library(country: str) -> NationalDays:
    """Take the library's word for the years in which it knows, and as a forecast beyond."""
    known = _ask_library(country)
    off = _by_year(known)
    worked = _by_year(known.weekend_workdays)
    last = _last_known_year(known)
    if last < FIRST_YEAR:
        raise ValueError(
            f'the holidays library can only estimate the national days of "{country}": '
            f"write {country.lower()}_workdays.json beside the policy"
        )
    notice = f"PyPI holidays {version('holidays')}"
    return NationalDays(
        country=country,
        source=f"{notice}, public holidays of {country}",
        years={
            year: NationalYear(notice=notice, holidays=off[year], makeup_workdays=worked[year])
            for year in range(FIRST_YEAR, last + 1)
        },
        statutory={year: off[year] for year in range(last + 1, LAST_YEAR + 1)},
        statutory_source=notice,
    )


def _ask_library(country: str) -> HolidayBase:
    nation, _, part = country.partition("-")
    parts = holidays.list_supported_countries(include_aliases=False)
    if nation not in parts:
        raise ValueError(
            f'no national days of "{nation}" are known: put {country.lower()}_workdays.json '
            'beside the policy, or write a country that PyPI\'s holidays knows, such as "DE"'
        )
    if part and part not in parts[nation]:
        there_are = ", ".join(parts[nation]) or "none"
        raise ValueError(
            f'"{nation}" has no part "{part}" of its own holidays; there are: {there_are}'
        )
    supported = holidays.country_holidays(nation).get_supported_options()
    marks: dict[str, Any] = {name: True for name in supported if name.endswith("_show_estimated")}
    return holidays.country_holidays(
        nation,
        subdiv=part or None,
        years=range(FIRST_YEAR, LAST_YEAR + 1),
        categories=PUBLIC,
        language="en_US",  # or its names, and the mark of an estimate, follow the machine's locale
        **marks,
    )


def _last_known_year(known: HolidayBase) -> int:
    """Find the last year before the first date marked as an estimate; and where working days are
    moved to weekends, which takes a decree each year, the last in which one was.
    """
    estimated = (day.year - 1 for day, name in known.items() if "estimated" in name)
    moved = (day.year for day in known.weekend_workdays if day.year >= FIRST_YEAR)
    return min(min(estimated, default=LAST_YEAR), max(moved, default=LAST_YEAR))


def _by_year(days: Iterable[date]) -> dict[int, frozenset[date]]:
    wanted = range(FIRST_YEAR, LAST_YEAR + 1)
    every = frozenset(days)
    return {year: frozenset(day for day in every if day.year == year) for year in wanted}
