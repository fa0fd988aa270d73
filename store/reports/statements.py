"""The SQL of figures: one statement counts all that go over the same rows of one view."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
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
MADE: Mapping[How, str] = {
    How.AVERAGE: "avg({})",
    How.SUM: "sum({})",
    How.LONGEST: "max({})",
    How.MEDIAN: "percentile_cont(0.5) WITHIN GROUP (ORDER BY {})",
}
"""How a value is made of a measured column."""


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
            # Of a period that is not over the weeks end today: those ahead have nothing to show.
            ends = min(self.period.last, self.now.astimezone(self.zone).date())
            last = Period.around(Cadence.WEEK, max(ends, self.period.first))
            begins = last.first - timedelta(weeks=TRAIL_WEEKS - 1)
            since = Period.around(Cadence.WEEK, begins).instants(self.zone)[0]
            until = min(until, last.instants(self.zone)[1])
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


class Scan(NamedTuple):
    """What one statement counts: figures over the same rows of a view, for all sections that have
    one of them, by each of their dimensions and all together.
    """

    figures: tuple[Figure, ...]
    by: tuple[Dimension, ...]
    span: Span

    def row_of(self, grouped: int) -> str | None:
        """Say by which dimension a row was grouped, from what PostgreSQL's ``grouping`` says of it:
        a bit for each, set for those it was not; None: of all together.
        """
        for place, each in enumerate(reversed(self.by)):
            if not grouped >> place & 1:
                return each.key
        return None


def scans(sections: Iterable[Section]) -> list[Scan]:
    """Sort the figures of a report into as few statements as can be."""
    found: dict[tuple[View, str, When, Span], tuple[dict[str, Figure], dict[str, Dimension]]] = {}
    for section in sections:
        for figure in section.counted:
            span = section.span if figure.when is When.IN else Span.PERIOD
            place = (figure.view, figure.at, figure.when, span)
            figures, by = found.setdefault(place, ({}, {}))
            figures[figure.key] = figure
            if section.dimension:
                by[section.dimension.key] = section.dimension
    return [
        Scan(tuple(figures.values()), tuple(by.values()), span)
        for (_, _, _, span), (figures, by) in found.items()
    ]


def counting(scan: Scan, asked: Asked) -> Statement:
    """Count: a row has what it was grouped by in ``grouped``, its codes in ``by_…``, and of each
    figure value, ``_n`` and ``_of``.
    """
    first = scan.figures[0]
    codes = [f"{code_of(by, first)} AS by_{by.key}" for by in scan.by]
    names = [f"v.by_{by.key}" for by in scan.by]
    columns = [column for figure in scan.figures for column in _columns(figure)]
    sets = ", ".join(f"({name})" for name in (*names, ""))
    grouped = f"grouping({', '.join(names)})" if names else "0"
    sql = f"""
        SELECT {", ".join((f"{grouped} AS grouped", *names, *columns))}
        FROM (SELECT {", ".join(("v.*", *codes))} FROM {first.view} v
              WHERE {time_of(first)} {_of_department(asked)}) v
        GROUP BY GROUPING SETS ({sets})
    """  # noqa: S608  the pieces are those of figures and dimensions
    return written(sql, asked.given(first, scan.span))


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
        made = MADE[figure.how].format(figure.measured)
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
