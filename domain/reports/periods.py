"""The periods that reports are about: weeks, months, quarters and years of the desk's own days.

They are named as people write them: ``2026-W47`` (a week of ISO 8601, Monday to Sunday),
``2026-11``, ``2026-Q4``, ``2026``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import MAXYEAR, date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from domain.calendars.timeline import midnight
from domain.vocabulary import Model

_DAY = timedelta(days=1)
_MONTHS = 12
_NAMES = re.compile(
    r"(?P<year>\d{4})(?:-(?:W(?P<week>\d\d)|Q(?P<quarter>[1-4])|(?P<month>\d\d)))?", re.ASCII
)
_FIRST_YEAR, _LAST_YEAR = 1001, MAXYEAR - 2
"""Years of four figures, and those around them are there."""
_HOW = "write 2026-W47, 2026-11, 2026-Q4 or 2026"


class Cadence(StrEnum):
    """How long a period is."""

    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


_LASTS: Mapping[Cadence, int] = {Cadence.MONTH: 1, Cadence.QUARTER: 3, Cadence.YEAR: _MONTHS}
"""Months."""


class Period(Model):
    """Whole local days of the desk, first and last both in it."""

    cadence: Cadence
    first: date
    last: date

    @classmethod
    def named(cls, text: str) -> Period:
        """Read the name of a period.

        Raises:
            ValueError: it is none; says how one is written.
        """
        written = _NAMES.fullmatch(text.strip().upper())
        if written is None:
            raise ValueError(f'"{text[:40]}" is no period: {_HOW}')
        try:
            return cls._of(written)
        except (ValueError, OverflowError):
            raise ValueError(f"there is no {text.strip()}: {_HOW}") from None

    @classmethod
    def _of(cls, written: re.Match[str]) -> Period:
        year = int(written["year"])
        if not _FIRST_YEAR <= year <= _LAST_YEAR:
            raise ValueError
        if written["week"]:
            day = date.fromisocalendar(year, int(written["week"]), 1)
            return cls(cadence=Cadence.WEEK, first=day, last=day + 6 * _DAY)
        if written["month"]:
            return cls.around(Cadence.MONTH, date(year, int(written["month"]), 1))
        if written["quarter"]:
            return cls.around(Cadence.QUARTER, date(year, int(written["quarter"]) * 3, 1))
        return cls.around(Cadence.YEAR, date(year, 1, 1))

    @classmethod
    def around(cls, cadence: Cadence, day: date) -> Period:
        """Return the period that a local day is in."""
        if cadence is Cadence.WEEK:
            first = day - timedelta(days=day.weekday())
            return cls(cadence=cadence, first=first, last=first + 6 * _DAY)
        lasts = _LASTS[cadence]
        month = (day.month - 1) // lasts * lasts + 1
        later = month + lasts
        over = date(day.year + later // (_MONTHS + 1), (later - 1) % _MONTHS + 1, 1)
        return cls(cadence=cadence, first=date(day.year, month, 1), last=over - _DAY)

    @property
    def name(self) -> str:
        """Name it as ``named`` reads it."""
        match self.cadence:
            case Cadence.WEEK:
                year, week, _ = self.first.isocalendar()
                return f"{year}-W{week:02d}"
            case Cadence.MONTH:
                return f"{self.first:%Y-%m}"
            case Cadence.QUARTER:
                return f"{self.first.year}-Q{(self.first.month + 2) // 3}"
            case Cadence.YEAR:
                return str(self.first.year)

    @property
    def before(self) -> Period:
        """Return the one that ends where this begins."""
        return self.around(self.cadence, self.first - _DAY)

    @property
    def after(self) -> Period:
        """Return the one that begins where this ends."""
        return self.around(self.cadence, self.last + _DAY)

    @property
    def months(self) -> int:
        """How many months it has; 0: less than one."""
        return _LASTS.get(self.cadence, 0)

    def instants(self, zone: ZoneInfo) -> tuple[datetime, datetime]:
        """Say when it begins and when it is over (UTC): the second is in it no more."""
        return midnight(self.first, zone), midnight(self.last + _DAY, zone)

    def is_over(self, now: datetime, zone: ZoneInfo) -> bool:
        """Say whether nothing more can happen in it."""
        return now >= self.instants(zone)[1]
