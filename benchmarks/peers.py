"""One adapter per library, each set up and asked the way its own documentation shows.

``take`` brings a question into the form the library wants and ``instant``, ``seconds`` and ``day``
bring an answer back; neither is timed. Every adapter is first given the facts as its documentation
gives them. Those that know holidays but no make-up workdays are tried again with ``listed`` facts:
a seven-day week and every closed day of it, weekends included, listed as a holiday.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any, Protocol, runtime_checkable
from zoneinfo import ZoneInfo

import businesstimedelta
import holidays
import numpy as np
import pandas as pd
import pytz
from business_duration import businessDuration
from workalendar.asia import China
from workalendar.core import Calendar

from benchmarks.cases import EVERY_DAY, Facts
from domain.calendars.calendar import Due

AS_DOCUMENTED = "as documented"
LISTED = "every closed day listed"


class Library(Protocol):
    """What a row of the tables says about a library."""

    package: str
    licence: str
    intervals: str
    zones: str
    makeup: str
    setup: str


@runtime_checkable
class FindsDue(Library, Protocol):
    """Finds when working hours have passed."""

    def take(self, at: datetime) -> Any: ...
    def due(self, start: Any, hours: int) -> Any: ...
    def instant(self, answer: Any) -> datetime: ...


@runtime_checkable
class MeasuresElapsed(Library, Protocol):
    """Measures the working time between two instants."""

    def take(self, at: datetime) -> Any: ...
    def elapsed(self, start: Any, end: Any) -> Any: ...
    def seconds(self, answer: Any) -> float: ...


@runtime_checkable
class CountsDays(Library, Protocol):
    """Finds the n-th working day after a day, and counts those between two days, both included."""

    def take_day(self, day: date) -> Any: ...
    def nth_working_day(self, day: Any, n: int) -> Any: ...
    def working_days(self, first: Any, last: Any) -> Any: ...
    def day(self, answer: Any) -> date: ...


class Ours:
    package = "yinuo"
    licence = "Apache-2.0"
    intervals = "any, to 24:00"
    zones = "IANA, exact"
    makeup = "yes"

    def __init__(self, facts: Facts) -> None:
        self.setup = AS_DOCUMENTED
        self._calendar = facts.calendar()
        self._zone = ZoneInfo(facts.zone)

    def take(self, at: datetime) -> datetime:
        return at

    def due(self, start: datetime, hours: int) -> Due:
        return self._calendar.due_after(start, timedelta(hours=hours))

    def instant(self, answer: Due) -> datetime:
        return answer.at

    def elapsed(self, start: datetime, end: datetime) -> timedelta:
        return self._calendar.working_between(start, end)

    def seconds(self, answer: timedelta) -> float:
        return answer.total_seconds()

    def take_day(self, day: date) -> datetime:
        return datetime.combine(day, time(12), self._zone)

    def nth_working_day(self, day: datetime, n: int) -> Due:
        return self._calendar.close_of_working_day(day, n)

    def working_days(self, first: datetime, last: datetime) -> int:
        return self._calendar.working_days(first.date(), last.date())

    def day(self, answer: Due) -> date:
        return answer.at.astimezone(self._zone).date()


class BusinessTimeDelta:
    package = "businesstimedelta"
    licence = "MIT"
    intervals = "any, as rules"
    zones = "pytz"
    makeup = "as closed days"

    def __init__(self, facts: Facts, *, listed: bool = False) -> None:
        self.setup = LISTED if listed else AS_DOCUMENTED
        zone = pytz.timezone(facts.zone)
        weekdays = sorted(EVERY_DAY if listed else facts.weekdays)
        rules = [
            businesstimedelta.WorkDayRule(start, end, weekdays, tz=zone)
            for start, end in facts.times()
        ]
        # Without any holiday its HolidayRule fails, after looking five years ahead for one.
        if closed := facts.closed_days() if listed else facts.holidays | _next_new_year(facts):
            rules.append(businesstimedelta.HolidayRule(closed, tz=zone))
        self._rules = businesstimedelta.Rules(rules)

    def take(self, at: datetime) -> datetime:
        return at

    def due(self, start: datetime, hours: int) -> Any:
        return start + businesstimedelta.BusinessTimeDelta(self._rules, hours=hours)

    def instant(self, answer: datetime) -> datetime:
        return answer.astimezone(UTC)

    def elapsed(self, start: datetime, end: datetime) -> Any:
        return self._rules.difference(start, end)

    def seconds(self, answer: Any) -> Any:
        return answer.timedelta.total_seconds()


def _next_new_year(facts: Facts) -> frozenset[date]:
    """A holiday after the last question: businesstimedelta fails when it finds no later one."""
    if not facts.holidays:
        return frozenset()
    return frozenset({date(max(facts.holidays).year + 1, 1, 1)})


class BusinessDuration:
    package = "business-duration"
    licence = "MIT"
    intervals = "one; two calls added"
    zones = "no: local times"
    makeup = "as closed days"

    def __init__(self, facts: Facts, *, listed: bool = False) -> None:
        self.setup = LISTED if listed else AS_DOCUMENTED
        self._zone = ZoneInfo(facts.zone)
        self._times = facts.times()
        self._weekend = sorted(EVERY_DAY - (EVERY_DAY if listed else facts.weekdays))
        self._holidays = facts.closed_days() if listed else facts.holidays

    def take(self, at: datetime) -> Any:
        return pd.Timestamp(at.astimezone(self._zone).replace(tzinfo=None))

    def elapsed(self, start: Any, end: Any) -> Any:
        return sum(
            businessDuration(
                startdate=start,
                enddate=end,
                starttime=opening,
                endtime=closing,
                weekendlist=self._weekend,
                holidaylist=self._holidays,
                unit="sec",
            )
            for opening, closing in self._times
        )

    def seconds(self, answer: float) -> float:
        return answer


class PandasBusinessHour:
    package = "pandas"
    licence = "BSD-3-Clause"
    intervals = "any, to 23:59"
    zones = "IANA, wall clock"
    makeup = "as closed days"

    def __init__(self, facts: Facts, *, listed: bool = False) -> None:
        self.setup = LISTED if listed else AS_DOCUMENTED
        self._zone = facts.zone
        opening, closing = zip(*facts.times(), strict=True)
        offset = pd.offsets.CustomBusinessHour(
            start=list(opening),
            end=list(closing),
            weekmask=_weekmask(EVERY_DAY if listed else facts.weekdays),
            holidays=sorted(facts.closed_days() if listed else facts.holidays),
        )
        # An offset carries its number of hours. It is made once, as other libraries' rules are.
        self._of_hours = cache(lambda hours: offset * hours)

    def take(self, at: datetime) -> Any:
        return pd.Timestamp(at).tz_convert(self._zone)

    def due(self, start: Any, hours: int) -> Any:
        return start + self._of_hours(hours)

    def instant(self, answer: Any) -> Any:
        return answer.to_pydatetime().astimezone(UTC)


def _weekmask(weekdays: frozenset[int]) -> str:
    return "".join(str(int(number in weekdays)) for number in range(7))


class NumpyBusday:
    package = "numpy"
    licence = "BSD-3-Clause"
    intervals = "days only"
    zones = "no"
    makeup = "as closed days"

    def __init__(self, facts: Facts, *, listed: bool = False) -> None:
        self.setup = LISTED if listed else AS_DOCUMENTED
        self._calendar = np.busdaycalendar(
            weekmask=_weekmask(EVERY_DAY if listed else facts.weekdays),
            holidays=sorted(facts.closed_days() if listed else facts.holidays),
        )

    def take_day(self, day: date) -> Any:
        return np.datetime64(day)

    def nth_working_day(self, day: Any, n: int) -> Any:
        # From a closed day the count begins at the working day before it.
        return np.busday_offset(day, n, roll="backward", busdaycal=self._calendar)

    def working_days(self, first: Any, last: Any) -> Any:
        return np.busday_count(first, last + 1, busdaycal=self._calendar)

    def day(self, answer: Any) -> Any:
        return answer.item()


class HolidaysChina:
    package = "holidays"
    licence = "MIT"
    intervals = "days only"
    zones = "no"
    makeup = "yes"

    def __init__(self, facts: Facts) -> None:
        del facts  # it has the notices itself
        self.setup = "its own China"
        self._calendar = holidays.country_holidays("CN")

    def take_day(self, day: date) -> date:
        return day

    def nth_working_day(self, day: date, n: int) -> Any:
        return self._calendar.get_nth_working_day(day, n)

    def working_days(self, first: date, last: date) -> Any:
        return self._calendar.get_working_days_count(first, last)

    def day(self, answer: date) -> date:
        return answer


class WorkalendarChina:
    package = "workalendar"
    licence = "MIT"
    intervals = "days only"
    zones = "no"
    makeup = "yes"

    def __init__(self, facts: Facts) -> None:
        del facts  # it has the notices itself, to 2023
        self.setup = "its own China"
        self._calendar = China()

    def take_day(self, day: date) -> date:
        return day

    def nth_working_day(self, day: date, n: int) -> Any:
        return self._calendar.add_working_days(day, n)

    def working_days(self, first: date, last: date) -> Any:
        return self._calendar.get_working_days_delta(first, last, include_start=True)

    def day(self, answer: date) -> date:
        return answer


class WorkalendarCustom(WorkalendarChina):
    """A calendar of one's own, with the two lists its methods take for exceptions."""

    def __init__(self, facts: Facts) -> None:
        self.setup = "a calendar of one's own"
        self._calendar = _with_holidays(facts)
        self._extra = sorted(facts.makeup_workdays)

    def nth_working_day(self, day: date, n: int) -> Any:
        return self._calendar.add_working_days(day, n, extra_working_days=self._extra)

    def working_days(self, first: date, last: date) -> Any:
        return self._calendar.get_working_days_delta(
            first, last, include_start=True, extra_working_days=self._extra
        )


def _with_holidays(facts: Facts) -> Any:
    class National(Calendar):  # type: ignore[misc]
        WEEKEND_DAYS = tuple(EVERY_DAY - facts.weekdays)

        def get_variable_days(self, year: int) -> list[tuple[date, str]]:
            return [(day, "notice") for day in sorted(facts.holidays) if day.year == year]

    return National()


def with_hours(facts: Facts) -> list[Library]:
    """Every library that knows hours, ours first; set up again where listing days helps."""
    libraries: list[Library] = [Ours(facts)]
    for adapter in (BusinessTimeDelta, BusinessDuration, PandasBusinessHour):
        libraries.append(adapter(facts))
        if facts.makeup_workdays:
            libraries.append(adapter(facts, listed=True))
    return libraries


def with_days(facts: Facts) -> list[Library]:
    """Every library that counts days, ours first."""
    return [
        Ours(facts),
        NumpyBusday(facts),
        NumpyBusday(facts, listed=True),
        HolidaysChina(facts),
        WorkalendarChina(facts),
        WorkalendarCustom(facts),
    ]
