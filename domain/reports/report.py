"""What a report is: its sections, the periods it is made for, and who reads it."""

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
    """Over which time a section counts: the report's period, or the last weeks until its end, or
    until today if it is not over.
    """

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

    @property
    def figures(self) -> tuple[Figure, ...]:
        """All its figures, once each, in the order in which its sections have them."""
        return tuple(dict.fromkeys(each for section in self.sections for each in section.counted))

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


WEEKLY = (Cadence.WEEK, Cadence.MONTH, Cadence.QUARTER, Cadence.YEAR)
MONTHLY = WEEKLY[1:]

ALL_LEVELS: Mapping[Role, Reach] = MappingProxyType(
    {
        Role.GM_OFFICE: Reach.ALL,
        Role.MANAGER: Reach.DEPARTMENT,
        Role.LEAD: Reach.DEPARTMENT,
        Role.AUDITOR: Reach.ALL,
    }
)
"""Who reads what the management reads; leads and managers their own department's."""
MANAGERS: Mapping[Role, Reach] = MappingProxyType(
    {role: reach for role, reach in ALL_LEVELS.items() if role is not Role.LEAD}
)
"""What is about people's pay, leads do not read."""
