"""Periods as a policy writes them: ``"30min"``, ``"2h"``, ``"1d"``, ``"3 working days"`` (R31)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, PlainSerializer

from domain.vocabulary import Model

Ends = Literal["close", "same time"]
"""When the last of some working days is over: at close of business (R31), or at the time of day at
which the period began."""

_UNITS: Mapping[str, int] = {"s": 1, "min": 60, "h": 3600, "d": 86_400}
_SPAN = re.compile(r"(\d+(?:\.\d+)?) ?(s|min|h|d)", re.ASCII)
_DAYS = re.compile(r"(\d+) working days?", re.ASCII)
_DIGITS = 18
"""More of them no calendar has days for, and some not even Python reads."""
_SHOWN = 40


class WorkingDays(Model):
    """A period in working days (R31): the first is not counted, it ends at close of business."""

    days: Annotated[int, Field(gt=0)]

    def __str__(self) -> str:
        return f"{self.days} working day{'s' if self.days > 1 else ''}"


class TimeBudget(Model):
    """A period in time, from the moment itself (R31); working or elapsed is the clock's matter."""

    span: Annotated[timedelta, Field(gt=timedelta(0))]
    written: str

    def __str__(self) -> str:
        return self.written


Period = WorkingDays | TimeBudget


def read_period(text: object) -> Period:
    """Read ``"30min"``, ``"2h"``, ``"1d"`` (24 hours) or ``"3 working days"``.

    Raises:
        ValueError: it is none of these.
    """
    if isinstance(text, WorkingDays | TimeBudget):
        return text
    written = text if isinstance(text, str) else ""
    if days := _DAYS.fullmatch(written):
        if len(days[1]) > _DIGITS:
            raise ValueError(f'"{_short(written)}" is longer than any calendar: write less')
        return WorkingDays(days=int(days[1]))
    if span := _SPAN.fullmatch(written):
        return TimeBudget(span=_span(float(span[1]) * _UNITS[span[2]], written), written=written)
    found = f'"{text}"' if isinstance(text, str) else text
    raise ValueError(f'{found} is no period: write "30min", "2h", "1d" or "3 working days"')


def _span(seconds: float, written: str) -> timedelta:
    try:
        return timedelta(seconds=seconds)
    except OverflowError:
        raise ValueError(f'"{_short(written)}" is longer than any calendar: write less') from None


def _short(written: str) -> str:
    return written if len(written) <= _SHOWN else f"{written[:_SHOWN]}…"


WrittenPeriod = Annotated[
    Period, BeforeValidator(read_period), PlainSerializer(str, when_used="json")
]


def _read_elapsed(written: object) -> TimeBudget:
    period = read_period(written)
    if isinstance(period, TimeBudget):
        return period
    raise ValueError(f'"{period}" is no time: write "12h", it runs through the night')


Elapsed = Annotated[
    TimeBudget, BeforeValidator(_read_elapsed), PlainSerializer(str, when_used="json")
]
"""A time that runs day and night, as a policy writes it."""
