"""A rulebook: a policy with the calendars it speaks of and the notices these follow.

It is stored once under the hash of its content and never changed. Loading a calendar, a notice or a
policy makes a new one; every promise names the one it was planned by.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cached_property

from pydantic import Field, model_validator

from domain.calendars.calendar import WEEKDAYS, Span, WorkingCalendar
from domain.calendars.national_days import NationalDays
from domain.sla.policy import Policy
from domain.vocabulary import Code, Model

CENTRE = "centre"
"""What a rule calls the calendar of the issue's own service centre."""
_DESK = "desk"
_OFFICE = (Span(9 * 60, 18 * 60),)


class Rulebook(Model):
    """All it takes to plan a promise, now and again. ``calendars`` are as written; those that name
    a country get its ``national`` days when they are asked for (R32).
    """

    policy: Policy
    calendars: dict[Code, WorkingCalendar]
    national: dict[Code, NationalDays] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _everything_named_exists(self) -> Rulebook:
        for rule in self.policy.promises:
            if rule.calendar != CENTRE and rule.calendar not in self.calendars:
                known = ", ".join((CENTRE, *sorted(self.calendars)))
                msg = f"promise {rule.name}: no calendar {rule.calendar}; there are: {known}"
                raise ValueError(msg)
        issued_by = self.policy.reports.calendar
        if issued_by is not None and issued_by not in self.calendars:
            known = ", ".join(sorted(self.calendars))
            msg = f"reports: calendar: there is no {issued_by}; there are: {known}"
            raise ValueError(msg)
        for name, calendar in self.calendars.items():
            if calendar.national and calendar.national not in self.national:
                msg = f"calendars {name}: there are no national days of {calendar.national}"
                raise ValueError(msg)
        _ = self._with_national_days  # a make-up workday needs hours: known now, not some day
        return self

    @cached_property
    def _with_national_days(self) -> dict[str, WorkingCalendar]:
        return {
            name: self.national[calendar.national].applied_to(calendar)
            if calendar.national
            else calendar
            for name, calendar in self.calendars.items()
        }

    @cached_property
    def version(self) -> str:
        """Name it by its content: twelve hex digits of the SHA-256 of its JSON."""
        return hashlib.sha256(self.dump().encode()).hexdigest()[:12]

    def dump(self) -> str:
        """Write it so that ``Rulebook.model_validate_json`` reads the same rulebook back.

        Keys are in order, so that it is the same text, and the same version, also after ``jsonb``
        has put them into an order of its own.
        """
        content = self.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        return json.dumps(content, ensure_ascii=False, sort_keys=True)

    def calendar(self, name: str) -> WorkingCalendar:
        """Return a calendar by name, with its national days.

        Raises:
            KeyError: there is none of that name.
        """
        return self._with_national_days[name]

    @cached_property
    def reporting(self) -> WorkingCalendar:
        """Return the calendar on whose working days reports are issued (R27)."""
        named = self.policy.reports.calendar or _DESK
        if named in self.calendars:
            return self.calendar(named)
        plain = WorkingCalendar(
            name=_DESK, zone=self.policy.zone, week=dict.fromkeys(WEEKDAYS[:5], _OFFICE)
        )
        followed = sorted(self.national)
        return self.national[followed[0]].applied_to(plain) if len(followed) == 1 else plain

    def with_policy(self, policy: Policy) -> Rulebook:
        """Return one with another policy.

        Raises:
            ValueError: it names a calendar that is not here.
        """
        return Rulebook(policy=policy, calendars=self.calendars, national=self.national)

    def with_calendars(self, calendars: Mapping[str, WorkingCalendar]) -> Rulebook:
        """Return one in which these calendars are new, or stand in place of those of their name.

        Raises:
            ValueError: one names a country whose days are not here.
        """
        return Rulebook(
            policy=self.policy, calendars={**self.calendars, **calendars}, national=self.national
        )

    def with_national(self, days: NationalDays) -> Rulebook:
        """Return one that follows these notices of a country (R32).

        Raises:
            ValueError: no calendar follows that country, or one cannot with these days.
        """
        followed = {calendar.national for calendar in self.calendars.values()} - {None}
        if days.country not in followed:
            known = ", ".join(sorted(map(str, followed))) or "none"
            msg = f"country: no calendar follows {days.country}; they follow: {known}"
            raise ValueError(msg)
        return Rulebook(
            policy=self.policy,
            calendars=self.calendars,
            national={**self.national, days.country: days},
        )

    def learning(self, days: NationalDays) -> Rulebook:
        """Return one that follows these notices and still those it knew: a file that was written
        before a notice came out must not make the desk forget it.

        Raises:
            ValueError: as ``with_national``; or a year is missing between the notices.
        """
        known = self.national.get(days.country)
        return self.with_national(known.joined_with(days) if known else days)

    def forgetting(self, country: str, year: int) -> Rulebook:
        """Return one that does not know a country's notice of that year.

        Raises:
            ValueError: it has no such notice, or cannot do without.
        """
        if country not in self.national:
            known = ", ".join(sorted(self.national)) or "none"
            raise ValueError(f"there are no notices of {country}; there are those of: {known}")
        return self.with_national(self.national[country].without(year))

    def keeping_notices_of(self, older: Rulebook | None) -> Rulebook:
        """Return one that knows no less of any country than ``older``."""
        kept = self
        for country, days in self.national.items():
            if known := older and older.national.get(country):
                kept = kept.with_national(known.joined_with(days))
        return kept
