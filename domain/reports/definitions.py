"""Which reports there are (R27): what stands in each, over which time, and who reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType

from domain.reports.dimensions import DIMENSIONS, Dimension
from domain.reports.figures import FIGURES, Figure
from domain.reports.periods import Cadence
from domain.staff.access import Reach
from domain.vocabulary import Role

TRAIL_WEEKS = 8
"""So many weeks, the period's last one included, make a line that shows where things go."""


class Span(Enum):
    """Over which time a section counts: the report's period, or the last weeks until its end."""

    PERIOD = "period"
    TRAIL = "trail"


class Picture(Enum):
    """How a section is drawn, beside its table."""

    BARS = "bars"
    LINE = "line"


@dataclass(frozen=True)
class Section:
    """A table of a report: its figures, a row for each code of ``by``; none: one row of all.

    ``only``: rows of which that figure is nothing are left out. ``everybody``: roles whose people
    have a row each, also where there is nothing to count. ``words``: what customers said in the
    calls of the period stands below.
    """

    key: str
    zh: str
    en: str
    figures: tuple[str, ...]
    by: str | None = None
    picture: Picture | None = None
    span: Span = Span.PERIOD
    only: str | None = None
    everybody: tuple[Role, ...] = ()
    words: bool = False

    @property
    def counted(self) -> tuple[Figure, ...]:
        """Its figures, as they are defined."""
        return tuple(FIGURES[key] for key in self.figures)

    @property
    def dimension(self) -> Dimension | None:
        """By what its rows are told apart."""
        return DIMENSIONS[self.by] if self.by else None


@dataclass(frozen=True)
class Report:
    """A report: its names, the periods it is made for (the first one is the usual), its readers
    with how far each reads, and its sections. ``headline``: the figures of its message.
    """

    name: str
    zh: str
    en: str
    cadences: tuple[Cadence, ...]
    sections: tuple[Section, ...]
    headline: tuple[tuple[str, str], ...]
    readers: Mapping[Role, Reach] = field(default_factory=dict)

    def section(self, key: str) -> Section:
        """Return a section by its key.

        Raises:
            KeyError: naming those there are.
        """
        for each in self.sections:
            if each.key == key:
                return each
        raise KeyError(f"{self.name} has no section {key}; it has: {_keys(self.sections)}")


def _keys(sections: tuple[Section, ...]) -> str:
    return ", ".join(each.key for each in sections)


_ALL_LEVELS: Mapping[Role, Reach] = MappingProxyType(
    {
        Role.GM_OFFICE: Reach.ALL,
        Role.MANAGER: Reach.DEPARTMENT,
        Role.LEAD: Reach.DEPARTMENT,
        Role.AUDITOR: Reach.ALL,
    }
)
"""Who reads what the management reads; leads and managers their own department's."""
_MANAGERS: Mapping[Role, Reach] = MappingProxyType(
    {role: reach for role, reach in _ALL_LEVELS.items() if role is not Role.LEAD}
)
"""What is about people's pay, leads do not read."""
_WEEKLY = (Cadence.WEEK, Cadence.MONTH, Cadence.QUARTER, Cadence.YEAR)
_MONTHLY = (Cadence.MONTH, Cadence.QUARTER, Cadence.YEAR)

_CALLED = (
    *("callbacks_due", "callbacks_done", "called", "reached"),
    *("running", "satisfied", "not_running", "dissatisfied", "conflicts"),
)
CALLBACKS = Report(
    "callbacks",
    "回访核实报告",
    "Callback verification",
    _WEEKLY,
    (
        Section("all", "总体情况", "All together", _CALLED, words=True),
        Section("engineers", "按工程师", "By engineer", _CALLED, "person"),
        Section("departments", "按部门", "By department", _CALLED, "department"),
        Section(
            "outcomes", "回访结果", "What the calls brought", ("called",), "call", Picture.BARS
        ),
        Section(
            *("weeks", "近几周", "The last weeks", ("called", "running", "satisfied"), "week"),
            *(Picture.LINE, Span.TRAIL),
        ),
    ),
    headline=(
        *(("all", "called"), ("all", "running")),
        *(("all", "satisfied"), ("all", "conflicts")),
    ),
    readers=_ALL_LEVELS,
)

_KEPT = ("promises_kept", "kept", "broken", "own_word", "overdue")
EFFECTIVENESS = Report(
    "effectiveness",
    "服务效能报告",
    "Service effectiveness",
    _WEEKLY,
    (
        Section(
            *("all", "总体情况", "All together"),
            (
                *("registered", "closed", "merged", "given_up", "reopened", "first_contact"),
                *("handle_time", "handle_time_median", "handle_time_without_talk", "talk_time"),
                *("in_time", "incoming", "lost", "lost_share"),
                *(*_KEPT, "backlog", "backlog_oldest", "coming"),
            ),
        ),
        Section(
            *("kinds", "按类别", "By kind"),
            ("registered", "closed", "first_contact", "handle_time", "promises_kept", "backlog"),
            "kind",
        ),
        Section(
            *("channels", "按渠道", "By channel", ("registered", "first_contact", "handle_time")),
            "channel",
        ),
        Section(
            *("departments", "按部门", "By department"),
            ("registered", "closed", "handle_time", "promises_kept", "overdue", "backlog"),
            "department",
        ),
        Section(
            *("hours", "按时段", "By hour", ("registered", "calls", "in_time", "incoming", "lost")),
            *("hour", Picture.BARS),
        ),
        Section(
            *("weekdays", "按星期", "By weekday", ("registered", "calls", "in_time", "lost")),
            *("weekday", Picture.BARS),
        ),
        Section("promises", "各项时限", "Promises by kind", (*_KEPT, "coming"), "promise"),
        Section("levels", "按升级层级", "By how high they rose", ("kept", "broken"), "level"),
        Section(
            *("severities", "按严重程度", "By severity", _KEPT, "severity"),
        ),
        Section("ages", "积压时间", "Age of the backlog", ("backlog",), "age", Picture.BARS),
        Section(
            *("coming", "下一期到期", "What comes due next", ("coming",), "promise"),
        ),
        Section(
            *("weeks", "近几周", "The last weeks", ("registered", "promises_kept"), "week"),
            *(Picture.LINE, Span.TRAIL),
        ),
    ),
    headline=(
        *(("all", "registered"), ("all", "promises_kept")),
        *(("all", "first_contact"), ("all", "backlog")),
    ),
    readers=_ALL_LEVELS,
)

REPORTS: Mapping[str, Report] = MappingProxyType(
    {each.name: each for each in (CALLBACKS, EFFECTIVENESS)}
)
"""All there are, by name."""


def named(written: str) -> Report:
    """Find a report by its name, as commands or as the regulation write it.

    Raises:
        LookupError: naming all there are.
    """
    wanted = written.strip("《》 ").replace("-", "_")
    for report in REPORTS.values():
        if wanted in {report.name, report.zh}:
            return report
    raise LookupError(f"there is no report {written[:40]}; there are: {', '.join(REPORTS)}")
