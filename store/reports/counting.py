"""Counting a report (R27): every figure by its one definition, at one moment of the register."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg

from domain.errors import Refused
from domain.reports.counted import NOBODY, Counted, CountedRow, CountedSection, Quoted, Value
from domain.reports.definitions import Report, Section, Span
from domain.reports.dimensions import Dimension, Known
from domain.reports.figures import Book, Figure, How, When
from domain.reports.periods import Cadence, Period
from domain.sla.policy import Policy
from domain.terms import Term, Terms, listed
from domain.vocabulary import Role
from store import rulebooks
from store.connection import Connection, Pool
from store.reports.statements import Asked, counting, scans

MOST_WORDS = 200
"""So many of customers' words stand in a report; how many more there are it says."""
MOST_ROWS = 1000
"""So many rows a section has; how many are left out it says, and the last row counts them all."""
_BEGAN: Mapping[Book, str] = {
    Book.DESK: "SELECT min(registered_at) FROM issues",
    Book.TELEPHONE: "SELECT min(at) FROM calls",
}
"""Since when anything is known."""
_ALL = ("合计", "All")
_NOBODY = ("未指明", "nobody named")
_Figures = dict[str, Value]
_Place = tuple[str, Span, str | None]
"""A figure, over which time, and by which dimension; None: all together."""
_Names = Mapping[str, tuple[str, str]]


async def count(
    pool: Pool,
    report: Report,
    period: Period,
    *,
    zone: ZoneInfo,
    terms: Terms,
    now: datetime,
    department: str | None = None,
) -> Counted:
    """Count a report, by the figures of the rulebook that counts now, at one moment.

    Raises:
        Refused: ``Invalid``: it is not made for such periods, or there is no such department.
        LookupError: no rulebook was ever adopted.
    """
    async with (
        pool.acquire() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        return await count_in(
            connection, report, period, zone=zone, terms=terms, now=now, department=department
        )


async def count_in(
    connection: Connection,
    report: Report,
    period: Period,
    *,
    zone: ZoneInfo,
    terms: Terms,
    now: datetime,
    department: str | None = None,
) -> Counted:
    """Count a report inside the caller's transaction; as ``count`` does."""
    await check(connection, report, period, department, terms)
    version, policy = await rule(connection)
    asked = Asked(period, zone, now, policy.telephone.within_seconds, department)
    known = {book: await connection.fetchval(_BEGAN[book]) for book in Book}
    made = _Counting(connection, asked, terms, known)
    await made.look(report.sections)
    sections = [await made.section(each) for each in report.sections]
    return Counted(
        report=report.name,
        period=period.name,
        zone=zone.key,
        rulebook=version,
        counted_at=now,
        over=period.is_over(now, zone),
        data_since=known[Book.DESK],
        department=department,
        department_name=terms.department(department).both if department else None,
        aims=_aims(report, policy, period),
        sections=tuple(sections),
    )


async def check(
    connection: Connection, report: Report, period: Period, department: str | None, terms: Terms
) -> None:
    """Refuse what cannot be counted.

    Raises:
        Refused: ``Invalid``: it is not made for such periods, or there is no such department.
    """
    if period.cadence not in report.cadences:
        made_for = ", ".join(report.cadences)
        raise Refused(
            "Invalid",
            f"period: {period.name} is a {period.cadence}; {report.name} is made for: {made_for}",
        )
    await _check_department(connection, department, terms)


async def rule(connection: Connection) -> tuple[str, Policy]:
    """Return the rulebook that counts now by its version, with its policy; and let the transaction
    count at once: PostgreSQL would compile these statements for longer than they take.

    Raises:
        LookupError: none was ever adopted.
    """
    await connection.execute("SET LOCAL jit = off")
    adopted = await rulebooks.adoption(connection)
    if adopted is None:
        raise LookupError(rulebooks.NO_POLICY)
    rulebook = await rulebooks.Rulebooks().get(connection, adopted.version)
    return adopted.version, rulebook.policy


def _aims(report: Report, policy: Policy, period: Period) -> dict[str, float]:
    found = {figure.key: figure.aim for figure in report.figures if figure.aim}
    said = {key: (aim, aim.of(policy)) for key, aim in found.items()}
    return {
        key: value * (period.months if aim.a_month else 1)
        for key, (aim, value) in said.items()
        if value is not None and not (aim.a_month and not period.months)
    }


async def _check_department(connection: Connection, department: str | None, terms: Terms) -> None:
    if department is None or department in terms.departments:
        return
    known = await connection.fetchval(
        """
        SELECT EXISTS (SELECT FROM members WHERE department = $1)
            OR EXISTS (SELECT FROM issues WHERE department = $1)
        """,
        department,
    )
    if not known:
        there = listed(terms.departments) or "those of the roster"
        raise Refused("Invalid", f"department: there is no {department[:40]}; there are: {there}")


class _Counting:
    """Counts the sections of one report."""

    def __init__(
        self,
        connection: Connection,
        asked: Asked,
        terms: Terms,
        known: Mapping[Book, datetime | None],
    ) -> None:
        self._connection = connection
        self._asked = asked
        self._terms = terms
        self._known_since = known
        self._seen: defaultdict[_Place, dict[str | None, asyncpg.Record]] = defaultdict(dict)

    async def look(self, sections: Iterable[Section]) -> None:
        """Count all that the sections of a report have, in as few statements as can be."""
        for scan in scans(sections):
            statement = counting(scan, self._asked)
            for row in await self._connection.fetch(statement.sql, *statement.values):
                by = scan.row_of(row["grouped"])
                code = row[f"by_{by}"] if by else None
                for figure in scan.figures:
                    self._seen[figure.key, scan.span, by][code] = row

    async def section(self, section: Section) -> CountedSection:
        """Make a section of what was counted."""
        rows = self._rows(section, section.by) if section.by else {}
        total = self._rows(section, None).get(None, {})
        people = await self._everybody(section)
        names = await self._called(section.dimension, rows, people)
        codes = self._in_order(section, rows, names, people)
        more_rows, codes = max(0, len(codes) - MOST_ROWS), codes[:MOST_ROWS]
        words, more = await self._words(section)
        return CountedSection(
            key=section.key,
            rows=(
                *(
                    self._row(section, code, *names.get(code, (code, code)), rows.get(code, {}))
                    for code in codes
                ),
                self._row(section, None, *_ALL, total),
            ),
            more_rows=more_rows,
            words=words,
            more_words=more,
        )

    def _row(
        self, section: Section, code: str | None, zh: str, en: str, found: _Figures
    ) -> CountedRow:
        nothing = {each.key: self._value(each, section, None, 0, 0) for each in section.counted}
        values = {key: found.get(key, none) for key, none in nothing.items()}
        return CountedRow(of=code, zh=zh, en=en, values=values)

    def _rows(self, section: Section, by: str | None) -> dict[str | None, _Figures]:
        found: defaultdict[str | None, _Figures] = defaultdict(dict)
        for figure in section.counted:
            span = section.span if figure.when is When.IN else Span.PERIOD
            key = figure.key
            for code, row in self._seen[key, span, by].items():
                made, n, of = row[key], row[f"{key}_n"], row[f"{key}_of"]
                found[code][key] = self._value(figure, section, made, n, of)
        return found

    def _value(self, figure: Figure, section: Section, made: Any, n: int, of: int | None) -> Value:
        """Make the figure; nothing is known of what lies before its book began, or ahead."""
        if figure.how:
            known = made if n else None
            if known is not None and figure.how is not How.SUM:
                known = float(known)
            return Value(value=known, n=n)
        if figure.among:
            return Value(value=n / of if of else None, n=n, of=of or 0)
        return Value(value=n if self._is_known(figure, section) else None, n=n)

    def _is_known(self, figure: Figure, section: Section) -> bool:
        since, until = self._asked.between(When.IN, section.span)
        began = self._known_since[figure.book]
        return began is not None and began < until and since <= self._asked.now

    async def _everybody(self, section: Section) -> list[str]:
        if not section.everybody:
            return []
        return await _people(self._connection, section.everybody, self._asked.department)

    def _in_order(
        self,
        section: Section,
        rows: Mapping[str | None, _Figures],
        names: _Names,
        people: Iterable[str],
    ) -> list[str]:
        by = section.dimension
        if by is None:
            return []
        codes = {
            code for code, found in rows.items() if code is not None and _counts(found, section)
        }
        codes |= set(people)
        if not by.in_order:
            first = section.figures[0]
            return sorted(codes, key=lambda c: (-_size(rows.get(c), first), names.get(c, (c, c))))
        if isinstance(by.called, Mapping):
            codes |= set(by.called)
        if by.key == "week":
            codes |= set(self._weeks(section))
        return sorted(codes)

    def _weeks(self, section: Section) -> Iterable[str]:
        since, until = self._asked.between(When.IN, section.span)
        week = Period.around(Cadence.WEEK, since.astimezone(self._asked.zone).date())
        while week.instants(self._asked.zone)[0] < until:
            yield week.name
            week = week.after

    async def _called(
        self, by: Dimension | None, rows: Iterable[str | None], people: Iterable[str]
    ) -> _Names:
        """Say what codes are called, by whoever knows."""
        if by is None:
            return {}
        codes = {*(code for code in rows if code is not None), *people}
        match by.called:
            case Known.PEOPLE | Known.CENTRES as known:
                found = await self._connection.fetch(
                    f"SELECT id, name FROM {known.value} WHERE id = ANY($1)",  # noqa: S608  ours
                    list(codes),
                )
                names = {row["id"]: (row["name"], row["name"]) for row in found}
            case Term() as term:
                names = dict(self._terms.names(term))
            case Known.SAID:
                names = {}
            case words:
                names = dict(words)
        return {NOBODY: _NOBODY, **names}

    async def _words(self, section: Section) -> tuple[tuple[Quoted, ...], int]:
        if not section.words:
            return (), 0
        since, until = self._asked.between(When.IN, section.span)
        rows = await self._connection.fetch(
            """
            WITH v AS MATERIALIZED (
                SELECT * FROM report_callbacks WHERE called_at >= $1 AND called_at < $2
                    AND ($3::text IS NULL OR department = $3)
            )
            SELECT v.issue, r.called_at AS at, r.words, v.handler AS "of", count(*) OVER () AS all
            FROM callback_records r JOIN issues i ON i.id = r.issue_id
            JOIN v ON v.issue = i.number AND v.generation = r.generation AND v.attempt = r.attempt
            WHERE r.called_at >= $1 AND r.called_at < $2 AND r.words <> ''
            ORDER BY v.conflict DESC, v.running IS NOT false, v.satisfied IS NOT false, r.called_at,
                v.issue
            LIMIT $4
            """,
            *(since, until, self._asked.department, MOST_WORDS),
        )
        said = tuple(Quoted(**{name: row[name] for name in Quoted.model_fields}) for row in rows)
        return said, (rows[0]["all"] - len(rows) if rows else 0)


async def _people(
    connection: Connection, roles: Iterable[Role], department: str | None
) -> list[str]:
    rows = await connection.fetch(
        """
        SELECT id FROM members WHERE role = ANY($1) AND left_at IS NULL
            AND ($2::text IS NULL OR department = $2)
        """,
        *(list(roles), department),
    )
    return [row["id"] for row in rows]


def _counts(found: _Figures, section: Section) -> bool:
    if section.only:
        return section.only in found and found[section.only].n > 0
    return any(value.n or value.of for value in found.values())


def _size(found: _Figures | None, figure: str) -> int:
    value = (found or {}).get(figure)
    return (value.of if value.of is not None else value.n) if value else 0
