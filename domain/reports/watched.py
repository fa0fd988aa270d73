"""The figures of the reports as numbers for whoever watches the desk from afar (R27): over which
periods, by which names, whose they are to read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from domain.reports.access import reach_of
from domain.reports.counted import Counted
from domain.reports.definitions import REPORTS, Report, Section
from domain.reports.figures import FIGURES, Figure, Holds
from domain.reports.periods import Cadence, Period
from domain.staff.access import Caller, Reach

ALL = ""
"""What stands for a department where all are counted together."""
GOAL = "yinuo_report_goal"
_UNITS: Mapping[Holds, str] = {
    Holds.COUNT: "",
    Holds.SHARE: "_ratio",
    Holds.SECONDS: "_seconds",
    Holds.SCORE: "_percent",
    Holds.MONEY: "_yuan",
    Holds.POINTS: "_points",
}


class Window(StrEnum):
    """A period by where it lies from today, so that whoever draws it need not know its date."""

    WEEK = "week"
    LAST_WEEK = "last_week"
    MONTH = "month"
    LAST_MONTH = "last_month"

    @property
    def cadence(self) -> Cadence:
        """How long it is."""
        return Cadence.WEEK if self in {Window.WEEK, Window.LAST_WEEK} else Cadence.MONTH

    def around(self, today: date) -> Period:
        """Return the period under way on a local day, or the last one that is over then."""
        now = Period.around(self.cadence, today)
        return now if self in {Window.WEEK, Window.MONTH} else now.before


def _watched(cadence: Cadence) -> Report:
    there = (
        each for report in REPORTS.values() if cadence in report.cadences for each in report.figures
    )
    figures = tuple(dict.fromkeys(each.key for each in there))
    by_department = Section("departments", "按部门", "By department", figures, by="department")
    return Report(
        "watched", "监控指标", "What is watched", (cadence,), (by_department,), headline=()
    )


WATCHED: Mapping[Cadence, Report] = MappingProxyType(
    {each: _watched(each) for each in (Cadence.WEEK, Cadence.MONTH)}
)
"""All figures of the reports that are made for such a period: of each department, and together."""


class Number(NamedTuple):
    """What a figure is over a window, in a department or in ``ALL``. One without data is none."""

    figure: str
    window: Window
    department: str
    value: float


@dataclass(frozen=True)
class Watched:
    """What was counted at one moment. ``goals`` are what the policy asks of figures."""

    counted_at: datetime
    numbers: Sequence[Number]
    goals: Mapping[str, float]


def watched(counted: Mapping[Window, Counted], now: datetime) -> Watched:
    """Make numbers of what was counted over each window. What the policy asks of each person alone
    is no goal of a department.
    """
    aims = {key: aim for each in counted.values() for key, aim in each.aims.items()}
    return Watched(
        now,
        [number for window, each in counted.items() for number in _numbers(window, each)],
        {
            key: value
            for key, value in aims.items()
            if (aim := FIGURES[key].aim) and not aim.a_month
        },
    )


def _numbers(window: Window, counted: Counted) -> Iterator[Number]:
    for section in counted.sections:
        for row in section.rows:
            for figure, found in row.values.items():
                if found.value is not None:
                    yield Number(figure, window, row.of or ALL, float(found.value))


def read_by(caller: Caller, numbers: Iterable[Number]) -> Iterator[Number]:
    """Leave those that somebody reads in some report: all, or their own department's (R30)."""
    reached = {key: reach_of(caller, figure) for key, figure in FIGURES.items()}
    for each in numbers:
        match reached[each.figure]:
            case Reach.ALL:
                yield each
            case Reach.DEPARTMENT if each.department == caller.department:
                yield each


def metric(figure: Figure) -> str:
    """Name a figure as Prometheus does: with its unit at the end."""
    return f"yinuo_report_{figure.key}{_UNITS[figure.holds]}"


def about(figure: Figure) -> str:
    """Say what it is and how it is counted, in a line."""
    return f"{figure.zh} {figure.en}: {figure.rule_zh} {figure.rule_en}"
