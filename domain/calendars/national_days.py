"""What a country decides about working days: holidays and make-up workdays, year by year (R32)."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise
from operator import le
from typing import Self, TypedDict

from pydantic import Field, model_validator

from domain.calendars.calendar import Days, WorkingCalendar, refuse_days_in_both
from domain.vocabulary import Code, Line, Model


class NationalFields(TypedDict):
    """The fields of a ``WorkingCalendar`` that a country decides."""

    national: str
    holidays: frozenset[date]
    makeup_workdays: frozenset[date]
    announced_from: date
    announced_until: date
    foreseen_until: date


_ONE_DAY = timedelta(days=1)
_SATURDAY = 5


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
    """The national notices of consecutive years, as in ``policies/cn_workdays.json`` (R32).

    What is beyond them is not known: the ``statutory`` days off of later years make the best
    answer there is, a provisional one, until the year's own notice takes their place. Beyond these,
    ``foreseen_until``, not even that is known.
    """

    country: Code
    dated: date | None = Field(
        default=None, description="when the notices were last looked up; None: they are a library's"
    )
    source: Line
    years: dict[int, NationalYear] = Field(min_length=1)
    statutory: dict[int, Days] = Field(
        default_factory=dict,
        description="days off that the law itself fixes in years whose notice is not out yet",
    )
    statutory_source: Line | None = None
    made_up: bool | None = Field(
        default=None,
        description="a statutory day off on a weekend is made up on a working day, as China's"
        " Holiday Measures, art. 6, have it; here the next one, until a notice says which",
    )
    last_days_move: int | None = Field(
        default=None,
        ge=0,
        le=31,
        description="how many of a year's last days the next year's notice may still move",
    )

    @model_validator(mode="after")
    def _years_are_whole(self) -> Self:
        for earlier, later in pairwise(sorted(self.years)):
            if later != earlier + 1:
                raise ValueError(f"years: {earlier + 1} is missing between {earlier} and {later}")
        for year, notice in self.years.items():
            # A New Year's break can begin in the December before.
            _refuse_days_outside(
                "years", year, notice.holidays | notice.makeup_workdays, date(year - 1, 12, 1)
            )
        for year, days in self.statutory.items():
            _refuse_days_outside("statutory", year, days, date(year, 1, 1))
        return self

    @property
    def announced_from(self) -> date:
        """1 January of the first year with a notice."""
        return date(min(self.years), 1, 1)

    @property
    def announced_until(self) -> date:
        """31 December of the last year with a notice."""
        return date(max(self.years), 12, 31)

    @property
    def firm_until(self) -> date:
        """The last day that no notice to come can move: a New Year's break, and the weekend worked
        for it, may begin in the December before.
        """
        return self.announced_until - (self.last_days_move or 0) * _ONE_DAY

    @property
    def foreseen_until(self) -> date:
        """31 December of the last year of which at least the days off by law are known."""
        return date(max((*self.years, *self.statutory)), 12, 31)

    @property
    def holidays(self) -> frozenset[date]:
        """Every day off: announced, or where no notice is out yet as the law has it."""
        announced = (year.holidays for year in self.years.values())
        expected = (self.by_law(year) for year in self.statutory if year > max(self.years))
        return frozenset[date]().union(*announced, *expected)

    def by_law(self, year: int) -> frozenset[date]:
        """Days off of a year by the law alone: the ``statutory`` ones, and where these fall on a
        weekend and are ``made_up`` the next working days.
        """
        days = self.statutory[year]
        return _with_made_up(days) if self.made_up else days

    @property
    def makeup_workdays(self) -> frozenset[date]:
        """Every make-up workday (调休上班) announced; nobody can know another."""
        return frozenset[date]().union(*(year.makeup_workdays for year in self.years.values()))

    def joined_with(self, loaded: NationalDays) -> NationalDays:
        """Know what either knows, for a notice once read is not forgotten. Where they differ, what
        was looked up later counts; ``loaded`` if neither was.

        Raises:
            ValidationError: a year is missing between theirs.
        """
        looked_up = ((each.dated or date.min) for each in (self, loaded))
        older, newer = (self, loaded) if le(*looked_up) else (loaded, self)
        said = {name: value for name, value in newer if value is not None}
        return NationalDays.model_validate(
            {
                **dict(older),
                **said,
                "years": {**older.years, **newer.years},
                "statutory": {**older.statutory, **newer.statutory},
            }
        )

    def without(self, year: int) -> NationalDays:
        """Forget the notice of ``year``, the first or the last.

        Raises:
            ValueError: there is none, or others stand on either side of it, or it is the only one.
        """
        there_are = f"{min(self.years)} to {max(self.years)}"
        if year not in self.years:
            raise ValueError(f"there is no notice of {year} for {self.country}; known: {there_are}")
        if len(self.years) == 1:
            raise ValueError(f"{year} is the only notice of {self.country}: keep it")
        if year not in {min(self.years), max(self.years)}:
            raise ValueError(f"{year} lies between others, known are {there_are}: begin at an end")
        left = {each: notice for each, notice in self.years.items() if each != year}
        return self.model_copy(update={"years": left})

    def fields(self) -> NationalFields:
        """For ``WorkingCalendar(name=…, zone=…, week=…, **national.fields())``."""
        return NationalFields(
            national=self.country,
            holidays=self.holidays,
            makeup_workdays=self.makeup_workdays,
            announced_from=self.announced_from,
            announced_until=self.firm_until,
            foreseen_until=self.foreseen_until,
        )

    def applied_to(self, calendar: WorkingCalendar) -> WorkingCalendar:
        """Give ``calendar``, as it was written, these national days beside its own.

        A newer notice is applied to the calendar as written again, not to what came out of here.
        ``ValueError`` for a calendar that follows another country, or that has one of its own
        holidays on a make-up workday or the other way round.
        """
        if calendar.national not in (None, self.country):
            raise ValueError(
                f"calendar {calendar.name} follows {calendar.national}, not {self.country}: "
                f'write national = "{self.country}", or load the days of {calendar.national}'
            )
        national = self.fields()
        return calendar.model_copy(
            update={
                **national,
                "holidays": calendar.holidays | national["holidays"],
                "makeup_workdays": calendar.makeup_workdays | national["makeup_workdays"],
            }
        )


def _with_made_up(days: frozenset[date]) -> frozenset[date]:
    taken = set(days)
    for day in sorted(days):
        made_up = day
        if day.weekday() >= _SATURDAY:
            while made_up.weekday() >= _SATURDAY or made_up in taken:
                made_up += _ONE_DAY
        taken.add(made_up)
    return frozenset(taken)


def _refuse_days_outside(field: str, year: int, days: Days, first: date) -> None:
    for day in sorted(days):
        if not first <= day <= date(year, 12, 31):
            raise ValueError(f"{field}: {day} stands under {year}: move it to its own year")
