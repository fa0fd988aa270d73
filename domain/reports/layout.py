"""A counted report laid out for readers: headings, rows, figures in words, all in one language.
Pages, paper, spreadsheets and terminals show this and nothing else, so that they cannot differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from domain.reports import telling
from domain.reports.counted import Counted, CountedRow, CountedSection, Quoted, Value
from domain.reports.definitions import Report, Section
from domain.reports.figures import Holds
from domain.reports.periods import Period
from domain.reports.pictures.drawing import Drawing
from domain.reports.pictures.of_sections import drawn
from domain.vocabulary import Language


@dataclass(frozen=True)
class Heading:
    """A column: which figure, what it is called, and how it is counted."""

    figure: str
    name: str
    rule: str
    holds: Holds


@dataclass(frozen=True)
class Cell:
    """A figure: as it was counted, as it is said, and of what it is a share (``12/13``)."""

    value: Value | None
    said: str
    made_of: str

    @property
    def whole(self) -> str:
        """Say all of it: ``92.3% (12/13)``."""
        return f"{self.said} ({self.made_of})" if self.made_of else self.said


@dataclass(frozen=True)
class Row:
    """The figures of one engineer, hour, kind …; ``of`` is its code, None: of all together."""

    of: str | None
    name: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Table:
    """A section. ``names`` is what its rows are called together."""

    key: str
    title: str
    names: str
    headings: tuple[Heading, ...]
    rows: tuple[Row, ...]
    picture: Drawing | None
    words: Sequence[Quoted] = ()
    on_end: bool = False
    """It has one row, and stands on end, a figure a line: nothing is told apart."""
    of_issues: bool = False
    """Each row is an issue, called by its number."""
    more_rows: int = 0
    more_words: int = 0

    @property
    def columns(self) -> tuple[str, ...]:
        """What stands above: first above the names, then above each figure."""
        if self.on_end:
            return (self.names, self.rows[0].name)
        return (self.names, *(each.name for each in self.headings))

    @property
    def lines(self) -> list[tuple[str, ...]]:
        """Write it out: a name, and the figures in words."""
        if self.on_end:
            return [
                (heading.name, cell.whole)
                for heading, cell in zip(self.headings, self.rows[0].cells, strict=True)
            ]
        return [(row.name, *(each.whole for each in row.cells)) for row in self.rows]


@dataclass(frozen=True)
class Sheets:
    """A whole report. ``notes`` are what a reader has to know of it before its figures."""

    title: str
    period: str
    reach: str
    notes: tuple[str, ...]
    tables: tuple[Table, ...]
    zone: ZoneInfo
    language: Language

    @property
    def rules(self) -> dict[str, str]:
        """Say how each figure is counted, once, by its name."""
        return {each.name: each.rule for table in self.tables for each in table.headings}


def laid_out(
    report: Report, counted: Counted, language: Language, edition: int | None = None
) -> Sheets:
    """Lay a report out; it says which ``edition`` it is, if one is named. Sections and figures that
    the definition has by now, but the report was counted without, are left out: what was issued
    stays as it was.
    """
    sections = {each.key: each for each in report.sections}
    issued = [telling.edition(edition)] if edition else []
    return Sheets(
        title=_in(language, (report.zh, report.en)),
        period=_in(language, telling.period(Period.named(counted.period))),
        reach=_in(language, telling.reach_of(counted)),
        notes=tuple(_in(language, note) for note in (*issued, *telling.notes(counted))),
        tables=tuple(
            _table(sections[each.key], each, counted, language)
            for each in counted.sections
            if each.key in sections
        ),
        zone=ZoneInfo(counted.zone),
        language=language,
    )


def _table(section: Section, counted: CountedSection, whole: Counted, language: Language) -> Table:
    there = {key for row in counted.rows for key in row.values}
    headings = tuple(
        Heading(
            each.key,
            _in(language, (each.zh, each.en)),
            _in(language, (each.rule_zh, each.rule_en)),
            each.holds,
        )
        for each in section.counted
        if each.key in there or not there
    )
    by = section.dimension
    return Table(
        key=section.key,
        title=_in(language, (section.zh, section.en)),
        names=_in(language, (by.zh, by.en) if by else telling.FIGURE),
        headings=headings,
        rows=tuple(_row(each, headings, language) for each in counted.rows),
        picture=drawn(section, counted, whole.aims, language),
        words=counted.words,
        on_end=by is None,
        of_issues=section.by == "issue",
        more_rows=counted.more_rows,
        more_words=counted.more_words,
    )


def _row(row: CountedRow, headings: Sequence[Heading], language: Language) -> Row:
    cells = (
        Cell(value, _in(language, telling.value(each.holds, value)), telling.made_of(value))
        for each in headings
        for value in (row.values.get(each.figure),)
    )
    return Row(row.of, _in(language, (row.zh, row.en)), tuple(cells))


def _in(language: Language, both: tuple[str, str]) -> str:
    return both[language is Language.EN]
