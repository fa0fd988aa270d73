"""The SQL of figures: one statement counts all that go over the same rows of one view."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from domain.reports.dimensions import Dimension
from domain.reports.figures import Figure, How, When
from domain.reports.periods import Cadence, Period
from domain.reports.report import TRAIL_WEEKS, Section, Span
from domain.reports.views import View

_GIVEN = re.compile(r"(?<![:\w]):([a-z]+)")
_TYPES: Mapping[str, str] = {
    "since": "timestamptz",
    "until": "timestamptz",
    "asof": "timestamptz",
    "zone": "text",
    "within": "int",
    "department": "text",
    "code": "text",
    "after": "text",
    "most": "int",
    "codes": "text[]",
}
NOBODY_SQL = "'-'"
_MADE: Mapping[How, str] = {
    How.AVERAGE: "avg({})",
    How.SUM: "sum({})",
    How.LONGEST: "max({})",
    How.MEDIAN: "percentile_cont(0.5) WITHIN GROUP (ORDER BY {})",
}


class Statement(NamedTuple):
    """A statement with the values it asks for."""

    sql: str
    values: tuple[Any, ...]


class Asked(NamedTuple):
    """What is counted: a period in a zone, as it is ``now``, of one department or of all; a call is
    answered in time ``within`` so many seconds.
    """

    period: Period
    zone: ZoneInfo
    now: datetime
    within: int
    department: str | None = None

    def between(self, when: When, span: Span) -> tuple[datetime, datetime]:
        """Say from when until when (UTC) facts are looked at."""
        since, until = self.period.instants(self.zone)
        if when is When.NEXT:
            return self.period.after.instants(self.zone)
        if span is Span.TRAIL:
            begins = self.period.last - timedelta(weeks=TRAIL_WEEKS - 1)
            since = Period.around(Cadence.WEEK, begins).instants(self.zone)[0]
        return since, until

    def given(self, figure: Figure, span: Span) -> dict[str, Any]:
        """Name the values that its pieces of SQL may ask for."""
        since, until = self.between(figure.when, span)
        return {
            "since": since,
            "until": until,
            "asof": min(self.period.instants(self.zone)[1], self.now),
            "zone": self.zone.key,
            "within": self.within,
            "department": self.department,
        }


def written(sql: str, given: Mapping[str, Any]) -> Statement:
    """Number the values that a statement names, each with its type."""
    names = list(dict.fromkeys(_GIVEN.findall(sql)))
    places = {name: f"${place}::{_TYPES[name]}" for place, name in enumerate(names, 1)}
    return Statement(
        _GIVEN.sub(lambda found: places[found[1]], sql), tuple(given[name] for name in names)
    )


def together(figures: Iterable[Figure]) -> list[list[Figure]]:
    """Sort figures into those that one statement counts: over the same rows at the same time."""
    groups: dict[tuple[View, str, When], list[Figure]] = {}
    for figure in figures:
        groups.setdefault((figure.view, figure.at, figure.when), []).append(figure)
    return list(groups.values())


def counting(figures: Sequence[Figure], section: Section, asked: Asked) -> Statement:
    """Count figures of the same rows, by the section's dimension and all together: a row has the
    code in ``code``, ``total`` if it is of all, and of each figure value, ``_n`` and ``_of``.
    """
    first, by = figures[0], section.dimension
    columns = ",\n".join(column for figure in figures for column in _columns(figure))
    grouped = "GROUP BY GROUPING SETS ((v.code), ())" if by else ""
    which = "v.code, grouping(v.code) = 1" if by else "NULL::text AS code, true"
    sql = f"""
        SELECT {which} AS total, {columns}
        FROM (SELECT v.*, {code_of(by, first)} AS code FROM {first.view} v
              WHERE {time_of(first)} {_of_department(asked)}) v
        {grouped}
    """  # noqa: S608  the pieces are those of figures and dimensions
    return written(sql, asked.given(first, section.span))


def code_of(by: Dimension | None, figure: Figure) -> str:
    """Write what tells the rows of a figure apart."""
    return f"coalesce({by.found(figure.view, figure.at)}, {NOBODY_SQL})" if by else "NULL::text"


def time_of(figure: Figure) -> str:
    """Write which rows are looked at by their instant."""
    if figure.when is When.AT_END:
        return f"v.{figure.at} < :asof"
    return f"v.{figure.at} >= :since AND v.{figure.at} < :until"


def _of_department(asked: Asked) -> str:
    return "AND v.department = :department" if asked.department else ""


def _columns(figure: Figure) -> tuple[str, str, str]:
    key, condition = figure.key, figure.condition
    n = f'count(*) FILTER (WHERE {condition}) AS "{key}_n"'
    if figure.how:
        made = _MADE[figure.how].format(figure.measured)
        return f'{made} FILTER (WHERE {condition}) AS "{key}"', n, f'NULL::int AS "{key}_of"'
    of = f"count(*) FILTER (WHERE {figure.among})" if figure.among else "NULL::int"
    return f'NULL::int AS "{key}"', n, f'{of} AS "{key}_of"'


def behind(figure: Figure, section: Section, asked: Asked, code: str | None) -> str:
    """Write which issues a figure was counted of, with how many facts of each; of the row of
    ``:code``, or of all.
    """
    by = section.dimension
    of_row = f"AND {code_of(by, figure)} = :code" if by and code is not None else ""
    return f"""
        SELECT v.issue, count(*)::int AS facts FROM {figure.view} v
        WHERE {time_of(figure)} AND {figure.condition} {of_row} {_of_department(asked)}
        GROUP BY v.issue
    """  # noqa: S608  the pieces are those of figures and dimensions
