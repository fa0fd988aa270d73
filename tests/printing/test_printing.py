"""Reports as files: spreadsheets read back, paper by what is written in it."""

from __future__ import annotations

import re
from io import BytesIO, StringIO

import openpyxl
import pytest
from openpyxl.utils import get_column_letter
from rich.console import Console

from cli.reports import pictures
from domain.reports.definitions import REPORTS
from domain.reports.layout import Sheets, laid_out
from domain.vocabulary import Language
from printing.paper import paper
from printing.spreadsheet import spreadsheet
from store.exports.spreadsheets import width_of
from tests.support.counted_reports import SAID, made

CALLBACKS = REPORTS["callbacks"]


def sheets(language: Language = Language.ZH, *, empty: bool = False) -> Sheets:
    return laid_out(CALLBACKS, made(CALLBACKS, empty=empty), language)


def test_a_spreadsheet_has_a_sheet_a_section_with_figures_as_numbers_ready_to_print() -> None:
    shown = sheets()
    book = openpyxl.load_workbook(BytesIO(spreadsheet(shown)))
    first, words, *sections, rules = book.sheetnames
    assert (first, words, rules) == ("总体情况", "总体情况·客户意见", "统计口径")
    assert sections == [each.zh for each in CALLBACKS.sections[1:]]
    people, table = book["按技术支持工程师"], shown.tables[1]
    headings = [cell.value for cell in people[4]]
    at = headings.index("接通率")
    reached = next(i for i, each in enumerate(table.headings) if each.figure == "reached")
    for line, row in enumerate(table.rows, start=5):
        cell, value = people.cell(line, at + 1), row.cells[reached].value
        assert cell.value == (value.value if value and value.value is not None else "无数据")
        assert value is None or value.value is None or cell.number_format == "0.0%"
    assert people.page_setup.orientation == "landscape"
    assert people.print_title_rows == "$4:$4"
    assert people.sheet_properties.pageSetUpPr.fitToPage
    assert people.page_setup.fitToHeight == 0


@pytest.mark.parametrize("language", Language)
def test_headings_stand_above_their_figures_whole_however_long_they_are(
    language: Language,
) -> None:
    report = REPORTS["complaints"]
    shown = laid_out(report, made(report), language, edition=2)
    book = openpyxl.load_workbook(BytesIO(spreadsheet(shown)))
    assert {Language.ZH: "第 2 版", Language.EN: "edition 2"}[language] in book.worksheets[0][
        "A2"
    ].value
    for sheet in book.worksheets[:-1]:
        high = sheet.row_dimensions[4].height
        for cell in sheet[4]:
            wide = sheet.column_dimensions[get_column_letter(cell.column)].width
            assert width_of(cell.value) <= wide * high / 16, (sheet.title, cell.value)
            assert max(map(len, re.findall("[!-~]+", cell.value)), default=0) < wide
            assert cell.alignment.horizontal == ("left" if cell.column == 1 else "right")


def test_what_customers_say_in_several_lines_is_seen_whole() -> None:
    book = openpyxl.load_workbook(BytesIO(spreadsheet(sheets())))
    assert SAID.count("\n") == 1
    assert book["总体情况·客户意见"].row_dimensions[5].height >= 2 * 16


def test_what_a_customer_said_stays_text_in_a_spreadsheet() -> None:
    book = openpyxl.load_workbook(BytesIO(spreadsheet(sheets())))
    cell = book["总体情况·客户意见"]["C5"]
    assert (cell.value, cell.data_type) == (SAID, "s")


@pytest.mark.parametrize(
    ("language", "said"), [("zh", "另有 {} 条未列出"), ("en", "{} more are not")]
)
def test_a_spreadsheet_and_a_terminal_say_how_much_they_do_not_list(
    language: str, said: str
) -> None:
    counted = made(CALLBACKS)
    more = {"more_rows": 12, "more_words": 34}
    longer = [each.model_copy(update=more) for each in counted.sections]
    report = counted.model_copy(update={"sections": tuple(longer)})
    shown = laid_out(CALLBACKS, report, Language(language))
    book = openpyxl.load_workbook(BytesIO(spreadsheet(shown)))
    assert said.format(34) in book.worksheets[1].cell(book.worksheets[1].max_row, 1).value
    assert said.format(12) in book.worksheets[2].cell(book.worksheets[2].max_row, 1).value
    with StringIO() as terminal:
        Console(file=terminal, width=200).print(
            *pictures.report(CALLBACKS, report, Language(language), rules=False)
        )
        assert said.format(12) in terminal.getvalue()
        assert said.format(34) in terminal.getvalue()


def test_without_data_a_spreadsheet_says_so_and_holds_no_number() -> None:
    book = openpyxl.load_workbook(BytesIO(spreadsheet(sheets(Language.EN, empty=True))))
    found = {cell.value for row in book["All together"].iter_rows(5) for cell in row[1:2]}
    assert found == {"no data"}


@pytest.mark.parametrize("language", Language)
def test_the_same_report_is_the_same_paper_which_names_its_language_and_chinese_font(
    language: Language,
) -> None:
    printed = paper(sheets(language))
    assert printed == paper(sheets(language))
    assert printed.startswith(b"%PDF-")
    assert b"/STSong-Light" in printed
    assert b"/UniGB-UCS2-H" in printed
    lang = {Language.ZH: b"zh-CN", Language.EN: b"en"}[language]
    assert b"/Lang (" + lang + b")" in printed


def test_paper_is_printed_also_of_characters_its_font_does_not_have_and_of_no_data() -> None:
    assert paper(sheets(empty=True)).startswith(b"%PDF-")


def test_a_years_worth_of_rows_has_its_headings_on_every_page() -> None:
    report = CALLBACKS
    counted = made(report)
    (section,) = (each for each in counted.sections if each.key == "engineers")
    (first, *_) = section.rows
    many = tuple(first.model_copy(update={"of": f"p{n}", "zh": f"工程师{n}"}) for n in range(200))
    longer = counted.model_copy(update={"sections": (section.model_copy(update={"rows": many}),)})
    printed = paper(laid_out(report, longer, Language.ZH))
    assert printed.count(b"/Type /Page\n") > 3
