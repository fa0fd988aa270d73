"""Reports as a terminal shows them: tables with small bars, wide ones in several parts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from rich import box
from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table as Shown
from rich.text import Text

from cli.tables import plain
from domain.reports import telling
from domain.reports.counted import Counted
from domain.reports.definitions import Report
from domain.reports.layout import Heading, Row, Table, laid_out
from domain.reports.periods import Cadence
from domain.vocabulary import Language

_FIGURES = 6
"""So many figures stand beside each other; more of them stand in a table below."""
_BAR = 12
"""Characters of the longest bar."""
_PERIODS = {
    Cadence.WEEK: "周",
    Cadence.MONTH: "月",
    Cadence.QUARTER: "季",
    Cadence.YEAR: "年",
}
_EIGHTHS = " ▏▎▍▌▋▊▉"


def described(report: Report) -> dict[str, Any]:
    """Describe a report to a program."""
    return {
        "zh": report.zh,
        "en": report.en,
        "cadences": [str(each) for each in report.cadences],
        "sections": {each.key: list(each.figures) for each in report.sections},
    }


def listing(reports: Iterable[Report]) -> RenderableType:
    """List reports."""
    shown = Shown(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for heading in ("名称\nName", "报表\nReport", "\nIn English", "周期\nMade for"):
        shown.add_column(heading, no_wrap=True)
    for each in reports:
        periods = "".join(_PERIODS[cadence] for cadence in each.cadences)
        shown.add_row(each.name, each.zh, each.en, periods)
    return shown


def report(
    of: Report, counted: Counted, language: Language, *, rules: bool
) -> Iterator[RenderableType]:
    """Show a counted report; ``rules`` also how its figures are counted."""
    sheets = laid_out(of, counted, language)
    yield Text(f"{sheets.title} · {sheets.period} · {sheets.reach}", style="bold")
    yield Text(" · ".join(sheets.notes), style="dim")
    for table in sheets.tables:
        yield Text(f"\n{table.title}", style="bold")
        yield from _table(table)
        yield from _left_out(table.more_rows, language)
        for said in table.words:
            yield Padding(Text(plain(f"{said.issue}  {said.words}")), (0, 0, 0, 2))
        yield from _left_out(table.more_words, language)
    if rules:
        for name, rule in sheets.rules.items():
            yield Text.assemble((f"{name}  ", "bold"), (rule, "dim"))


def _left_out(count: int, language: Language) -> Iterator[RenderableType]:
    if count:
        yield Padding(Text(telling.more(count)[language is Language.EN], style="dim"), (0, 0, 0, 2))


def _table(table: Table) -> Iterator[RenderableType]:
    if table.on_end:
        shown = Shown.grid(padding=(0, 3, 0, 0))
        shown.add_column(no_wrap=True)
        shown.add_column(justify="right", no_wrap=True)
        for line in table.lines:
            shown.add_row(*(plain(each) for each in line))
        yield Padding(shown, (0, 0, 0, 2))
        return
    for first in range(0, len(table.headings), _FIGURES):
        yield _part(table, slice(first, first + _FIGURES))


def _part(table: Table, which: slice) -> RenderableType:
    headings = table.headings[which]
    bars = _bars(table) if which.start == 0 else []
    shown = Shown(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    shown.add_column(table.names, no_wrap=True)
    for heading in headings:
        shown.add_column(heading.name, justify="right", no_wrap=True)
    if bars:
        shown.add_column("", no_wrap=True)
    for place, row in enumerate(table.rows):
        if row.of is None:
            shown.add_section()
        said = (plain(cell.whole) for cell in row.cells[which])
        shown.add_row(plain(row.name), *said, *([Text(bars[place], "cyan")] if bars else []))
    return shown


def _bars(table: Table) -> Sequence[str]:
    """Draw the first figure of each row, but of all together."""
    sizes = [_size(row, table.headings) for row in table.rows]
    longest = max((size for size in sizes if size), default=0)
    return ["" if not size else _bar(size / longest) for size in sizes] if longest else []


def _size(row: Row, headings: Sequence[Heading]) -> float:
    found = row.cells[0].value if headings and row.of is not None else None
    return max(0.0, float(found.value)) if found is not None and found.value is not None else 0.0


def _bar(share: float) -> str:
    eighths = round(share * _BAR * 8)
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()
