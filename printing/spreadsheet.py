"""A report as XLSX: a sheet a section, figures as numbers, ready to print."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from io import BytesIO
from math import ceil
from typing import Any, Final

from xlsxwriter import Workbook

from domain.reports import telling
from domain.reports.figures import Holds
from domain.reports.layout import Cell, Sheets, Table
from domain.vocabulary import Language
from store.exports.spreadsheets import readable, width_of, without_markup

_NUMBERS: Final = {
    Holds.COUNT: "#,##0",
    Holds.SHARE: "0.0%",
    Holds.SECONDS: "[h]:mm:ss",
    Holds.SCORE: "0.0",
    Holds.POINTS: "0.0",
    Holds.MONEY: "#,##0.00",
}
_A4: Final = 9
_EDGE: Final = 0.6
"""Inches above and below: a day's hours and a month's days stand on one page."""
_NARROWEST: Final = 12
_WIDEST: Final = 48
_WIDTHS: Final = {Holds.SECONDS: 11, Holds.MONEY: 14}
"""Of a column of figures, in letters: as narrow as can be, for a report is to be read on paper."""
_WIDTH: Final = 9.5
_WORDS: Final = re.compile(r"[!-~]+")
_LINE: Final = 16
"""Points that a line of text takes: Chinese needs more than a spreadsheet program gives it."""
_SECONDS_A_DAY: Final = 86_400
_NOT_IN_A_NAME: Final = re.compile(r"[\[\]:*?/\\]")
_LONGEST_NAME: Final = 31
_ALWAYS: Final = datetime(2000, 1, 1, tzinfo=UTC).replace(tzinfo=None)
"""When a workbook says it was made: the same report is the same file."""
_ABOVE: Final = 3
"""Lines above the headings: title, period and notes, nothing."""


def spreadsheet(sheets: Sheets) -> bytes:
    """Write it. Where there is no data a cell says so, and holds no number."""
    made = BytesIO()
    book = Workbook(made, {"in_memory": True})
    book.set_properties({"title": f"{sheets.title} {sheets.period}", "created": _ALWAYS})
    writer = _Writer(book, sheets)
    for table in sheets.tables:
        writer.figures(table)
        if table.words:
            writer.words(table)
    writer.rules()
    book.close()
    return made.getvalue()


class _Writer:
    """A workbook that is being written, with what its cells look like."""

    def __init__(self, book: Workbook, sheets: Sheets) -> None:
        self._book = book
        self._sheets = sheets
        self._taken: set[str] = set()
        self._title = book.add_format({"bold": True, "font_size": 14})
        heading = {"bold": True, "bg_color": "#DDE6F0", "bottom": 1, "text_wrap": True}
        self._heading = {
            figures: book.add_format(heading | {"align": "right" if figures else "left"})
            for figures in (True, False)
        }
        self._wrapped = book.add_format({"text_wrap": True, "valign": "top"})
        last = {"bold": True, "top": 1}
        self._text = {True: book.add_format(last), False: book.add_format()}
        self._none = {
            whole: book.add_format({"align": "right", "font_color": "#555555"} | more)
            for whole, more in ((True, last), (False, {}))
        }
        self._number = {
            (holds, whole): book.add_format({"num_format": written} | more)
            for holds, written in _NUMBERS.items()
            for whole, more in ((True, last), (False, {}))
        }

    def figures(self, table: Table) -> None:
        """Write a section; a share has beside it of what it is one."""
        if table.on_end:
            self._on_end(table)
            return
        names = _wide_enough((table.names, *(row.name for row in table.rows)))
        columns: list[tuple[str, float]] = [(table.names, names)]
        for each in table.headings:
            columns.append((each.name, max(_WIDTHS.get(each.holds, _WIDTH), _longest(each.name))))
            if each.holds is Holds.SHARE:
                columns.append((self._say("件数", "of"), _WIDTH))
        sheet = self._sheet(table.title, columns, figures=True)
        for line, row in enumerate(table.rows, start=_ABOVE + 1):
            whole = row.of is None
            self._write(sheet, line, 0, row.name, self._text[whole])
            place = 1
            for heading, cell in zip(table.headings, row.cells, strict=True):
                place += self._figure(sheet, (line, place), heading.holds, cell, whole=whole)
        self._left_out(sheet, _ABOVE + 1 + len(table.rows), table.more_rows)

    def _on_end(self, table: Table) -> None:
        """Write what has one row a figure a line."""
        names, total = table.columns
        widest = _wide_enough((names, *(each.name for each in table.headings)))
        of = self._say("件数", "of")
        columns = [(names, widest), (total, _NARROWEST), (of, _NARROWEST)]
        sheet = self._sheet(table.title, columns, figures=True)
        (row,) = table.rows
        for line, (heading, cell) in enumerate(
            zip(table.headings, row.cells, strict=True), start=_ABOVE + 1
        ):
            self._write(sheet, line, 0, heading.name, self._text[False])
            self._figure(sheet, (line, 1), heading.holds, cell, whole=False)

    def words(self, table: Table) -> None:
        """Write what customers said, where they said something that readers may read."""
        title = self._say(f"{table.title}·客户意见", f"{table.title}, words")
        columns = (("问题编号", "Issue", 20), ("时间", "At", 20), ("客户的话", "Words", 80))
        said = (
            (each.issue, f"{each.at.astimezone(self._sheets.zone):%Y-%m-%d %H:%M}", each.words)
            for each in table.words
        )
        sheet = self._texts(title, [(self._say(zh, en), width) for zh, en, width in columns], said)
        self._left_out(sheet, _ABOVE + 1 + len(table.words), table.more_words)

    def rules(self) -> None:
        """Write how each figure is counted, once."""
        columns = [(self._say("指标", "Figure"), 28), (self._say("口径", "Rule"), 90)]
        rules = self._sheets.rules.items()
        self._texts(self._say("统计口径", "How it is counted"), columns, rules)

    def _texts(
        self, title: str, columns: Sequence[tuple[str, float]], rows: Iterable[tuple[str, ...]]
    ) -> Any:
        """Write a sheet of texts, as high as they need, and return it."""
        sheet = self._sheet(title, columns)
        widths = [width for _, width in columns]
        for line, row in enumerate(rows, start=_ABOVE + 1):
            sheet.set_row(line, _height(zip(row, widths, strict=True)))
            for place, text in enumerate(row):
                self._write(sheet, line, place, text, self._wrapped)
        return sheet

    def _left_out(self, sheet: Any, line: int, count: int) -> None:
        """Say below all others how many are counted, but not listed."""
        if count:
            self._write(sheet, line, 0, self._say(*telling.more(count)), None)

    def _sheet(
        self, title: str, columns: Sequence[tuple[str, float]], *, figures: bool = False
    ) -> Any:
        """Begin a sheet with columns of such names and widths; after the first of ``figures``."""
        sheet = self._book.add_worksheet(self._name(title))
        sheet.set_landscape()
        sheet.set_paper(_A4)
        sheet.fit_to_pages(1, 0)
        sheet.set_margins(top=_EDGE, bottom=_EDGE)
        sheet.repeat_rows(_ABOVE)
        sheet.freeze_panes(_ABOVE + 1, 1)
        sheet.set_footer("&L&F · &A&R&P / &N", {"scale_with_doc": False})
        sheet.set_default_row(_LINE)
        shown = self._sheets
        self._write(sheet, 0, 0, f"{shown.title} · {title}", self._title)
        above = "；" if shown.language is Language.ZH else "; "
        self._write(sheet, 1, 0, above.join((shown.period, shown.reach, *shown.notes)), None)
        sheet.set_row(0, 1.5 * _LINE)
        sheet.set_row(_ABOVE, _height(columns))
        for place, (name, width) in enumerate(columns):
            sheet.set_column(place, place, width)
            self._write(sheet, _ABOVE, place, name, self._heading[figures and place > 0])
        return sheet

    def _figure(
        self, sheet: Any, at: tuple[int, int], holds: Holds, cell: Cell, *, whole: bool
    ) -> int:
        """Write a figure, with what it is a share of; return how many cells that took."""
        line, place = at
        if cell.value is None or cell.value.value is None:
            self._write(sheet, line, place, cell.said, self._none[whole])
        else:
            number = float(cell.value.value)
            number = number / _SECONDS_A_DAY if holds is Holds.SECONDS else number
            sheet.write_number(line, place, number, self._number[holds, whole])
        if holds is not Holds.SHARE:
            return 1
        self._write(sheet, line, place + 1, cell.made_of, self._none[whole])
        return 2

    def _write(self, sheet: Any, line: int, place: int, text: str, look: Any) -> None:
        """Write a text as nothing but text; ``write`` would make formulas and links of it."""
        sheet.write_string(line, place, without_markup(readable(text)), look)

    def _say(self, zh: str, en: str) -> str:
        return zh if self._sheets.language is Language.ZH else en

    def _name(self, title: str) -> str:
        """Name a sheet as the format allows: short, and like no other."""
        plain = _NOT_IN_A_NAME.sub(" ", title).strip("' ")[:_LONGEST_NAME] or "-"
        name, again = plain, 1
        while name.casefold() in self._taken:
            again += 1
            name = f"{plain[: _LONGEST_NAME - 4]} {again}"
        self._taken.add(name.casefold())
        return name


def _wide_enough(names: Iterable[str]) -> int:
    widest = max((width_of(each) for each in names), default=0)
    return min(max(widest + 2, _NARROWEST), _WIDEST)


def _longest(name: str) -> float:
    """Say how wide a column is that parts no word of its name; Chinese is parted anywhere."""
    return max((len(word) for word in _WORDS.findall(name)), default=0) + 1.5


def _height(texts: Iterable[tuple[str, float]]) -> int:
    """Say how many points a row takes whose texts are wrapped in columns of such widths. Bold
    letters are wider, and words are not parted: a line is full a little early.
    """
    return _LINE * max(
        sum(ceil(max(width_of(line), 1) / (0.9 * width)) for line in text.split("\n"))
        for text, width in texts
    )
