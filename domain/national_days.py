"""What a country decides about working days: holidays and make-up workdays, year by year (R32)."""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from typing import Self, TypedDict

from pydantic import Field, model_validator

from domain.calendar import Days, refuse_days_in_both
from domain.vocabulary import Code, Line, Model


class NationalFields(TypedDict):
    """The fields of a ``WorkingCalendar`` that a country decides."""

    holidays: frozenset[date]
    makeup_workdays: frozenset[date]
    announced_until: date


class NationalYear(Model):
    """What one year's notice says (R32). ``holidays`` may list weekend days of a break, too."""

    notice: Line = Field(description="where the notice is published")
    holidays: Days
    makeup_workdays: Days

    @model_validator(mode="after")
    def _no_day_is_both(self) -> Self:
        refuse_days_in_both(self.holidays, self.makeup_workdays)
        return self


class NationalDays(Model):
    """The national notices of consecutive years, as in ``policies/cn_workdays.json`` (R32)."""

    country: Code
    dated: date = Field(description="when the notices were last looked up")
    source: Line
    years: dict[int, NationalYear] = Field(min_length=1)

    @model_validator(mode="after")
    def _years_are_whole(self) -> Self:
        for earlier, later in pairwise(sorted(self.years)):
            if later != earlier + 1:
                raise ValueError(f"years: {earlier + 1} is missing between {earlier} and {later}")
        for year, days in self.years.items():
            # A New Year's break can begin in the December before.
            known = (date(year - 1, 12, 1), date(year, 12, 31))
            for day in sorted(days.holidays | days.makeup_workdays):
                if not known[0] <= day <= known[1]:
                    raise ValueError(f"years: {day} stands under {year}: move it to its own year")
        return self

    @property
    def holidays(self) -> frozenset[date]:
        """Every day off of every year."""
        return frozenset[date]().union(*(year.holidays for year in self.years.values()))

    @property
    def makeup_workdays(self) -> frozenset[date]:
        """Every make-up workday (调休上班) of every year."""
        return frozenset[date]().union(*(year.makeup_workdays for year in self.years.values()))

    @property
    def announced_until(self) -> date:
        """31 December of the last year with a notice."""
        return date(max(self.years), 12, 31)

    def fields(self) -> NationalFields:
        """For ``WorkingCalendar(name=…, zone=…, week=…, **national.fields())``."""
        return NationalFields(
            holidays=self.holidays,
            makeup_workdays=self.makeup_workdays,
            announced_until=self.announced_until,
        )
