"""Spreadsheets: nothing a customer wrote is more than text, and no file is half-made."""

from __future__ import annotations

import gc
import os
import resource
import tracemalloc
import warnings
import zipfile
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from openpyxl import load_workbook
from openpyxl.utils.escape import unescape

from domain.errors import InputError, OutputError
from store.connection import Pool
from store.exports import registers, spreadsheets
from store.exports.columns import Column, Holds
from store.exports.registers import REGISTERS
from store.exports.spreadsheets import LONGEST_TEXT, Format, Look, readable, writing
from tests.support.filled import an_issue
from tests.support.sheets import BOM, csv_rows, names, xlsx_rows

SHANGHAI = ZoneInfo("Asia/Shanghai")

# Nothing is more than text ------------------------------------------------------------------------

TITLE = Column("title", "问题摘要", "Title")
NASTY = (
    "=1+1",
    "+86 138 0000 1234",
    "-2+3",
    "@SUM(A1)",
    "\t=1+1",
    " =1+1",
    "\r=1+1",
    "＝1+1",
    '=cmd|" /C calc"!A0',
    '=HYPERLINK("http://evil.example")',
    "http://evil.example",
    "mailto:x@evil.example",
    "<r><t>x</t></r></is></c><c r='B2'><f>1+1</f></c><c><is><r></r>",
    "_x0041_",
    "{=1+1}",
    "0012",
    "TRUE",
    'a "quoted", divided\nline',
)


def written(path: Path, *values: Any, column: Column = TITLE) -> Path:
    return write(path, values, column)


def write(path: Path, values: Iterable[Any], column: Column = TITLE) -> Path:
    look = Look("表", (column,), SHANGHAI)
    with writing(path, Format(path.suffix[1:]), look, force=False) as sheet:
        for value in values:
            sheet.add((value,))
    return path


@pytest.mark.parametrize("text", NASTY)
def test_what_a_customer_wrote_is_text_in_xlsx_and_still_says_the_same(
    text: str, tmp_path: Path
) -> None:
    path = written(tmp_path / "a.xlsx", text)
    sheet = load_workbook(path).active
    assert sheet.dimensions == "A1:A2"
    assert sheet["A2"].data_type in {"s", "inlineStr"}
    assert unescape(sheet["A2"].value).rstrip(" ") == text.replace("\r", "\n")
    with zipfile.ZipFile(path) as parts:
        xml = parts.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in xml
    assert "<hyperlink" not in xml


def test_a_phone_number_keeps_its_plus_in_xlsx(tmp_path: Path) -> None:
    sheet = load_workbook(written(tmp_path / "a.xlsx", "+86 138 0000 1234")).active
    assert sheet["A2"].value == "+86 138 0000 1234"
    assert sheet["A2"].quotePrefix  # and stays text when somebody edits the cell


@pytest.mark.parametrize("text", NASTY)
def test_what_a_customer_wrote_never_begins_a_formula_in_csv(text: str, tmp_path: Path) -> None:
    (row,) = csv_rows(written(tmp_path / "a.csv", text).read_text("utf-8"))
    cell = row["问题摘要"]
    assert cell.lstrip()[0] not in "=+-@＝\t\r"
    assert cell.removeprefix("'") == text.replace("\r", "\n")


def test_numbers_below_zero_are_no_formulas(tmp_path: Path) -> None:
    score = Column("score", "评分", "Score", Holds.NUMBER)
    assert written(tmp_path / "a.csv", -50, column=score).read_text("utf-8") == f"{BOM}评分\n-50\n"


@pytest.mark.parametrize("format_", Format)
def test_what_no_spreadsheet_can_hold_is_replaced(format_: Format, tmp_path: Path) -> None:
    path = written(tmp_path / f"a.{format_}", "a\x00b\x1bc\x7f\ufffed\ud800e\r\nf")
    rows = xlsx_rows(path) if format_ == "xlsx" else csv_rows(path.read_text("utf-8"))
    assert rows[0]["问题摘要"] == "a�b�c��d�e\nf"


@pytest.mark.parametrize("char", ["码", "😀"])
def test_a_text_too_long_for_a_cell_is_cut_and_says_so(char: str, tmp_path: Path) -> None:
    text = char * LONGEST_TEXT
    (row,) = xlsx_rows(written(tmp_path / "a.xlsx", text))
    cell = row["问题摘要"]
    assert len(cell.encode("utf-16-le")) // 2 < LONGEST_TEXT
    kept = cell.count(char)
    assert cell == f"{char * kept}…（另有 {LONGEST_TEXT - kept} 字未导出 more characters）"
    assert readable(cell) == cell


def test_the_longest_text_is_kept_whole(tmp_path: Path) -> None:
    text = "=" + "字" * (LONGEST_TEXT - 2)
    assert xlsx_rows(written(tmp_path / "a.xlsx", text))[0]["问题摘要"] == text
    (row,) = csv_rows(written(tmp_path / "a.csv", text).read_text("utf-8"))
    assert len(row["问题摘要"]) == LONGEST_TEXT


@pytest.mark.parametrize(
    "at", ["0001-01-01T00:00:00+00:00", "1899-12-31T12:00:00+00:00", "9999-12-31T23:59:59+00:00"]
)
@pytest.mark.parametrize("format_", Format)
def test_instants_at_the_ends_of_the_calendar_can_be_written(
    at: str, format_: Format, tmp_path: Path
) -> None:
    column = Column("at", "时间", "At", Holds.INSTANT)
    path = written(tmp_path / f"a.{format_}", datetime.fromisoformat(at), column=column)
    rows = xlsx_rows(path) if format_ == "xlsx" else csv_rows(path.read_text("utf-8"))
    assert str(rows[0]["时间"]).startswith(at[:4])


def test_columns_are_as_wide_as_chinese_needs(tmp_path: Path) -> None:
    path = written(tmp_path / "a.xlsx", "出钞口卡钞出钞口卡钞出钞口卡钞", "短")
    assert load_workbook(path).active.column_dimensions["A"].width >= 30


# The file -----------------------------------------------------------------------------------------


def test_a_file_that_came_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    out = tmp_path / "a.csv"
    with (
        pytest.raises(InputError, match=r"there is .*a\.csv by now: not replaced"),
        writing(out, Format.CSV, Look("表", (TITLE,), SHANGHAI), force=False),
    ):
        out.write_text("theirs", "utf-8")
    assert out.read_text("utf-8") == "theirs"
    assert names(tmp_path) == ["a.csv"]


@pytest.mark.parametrize("format_", Format)
def test_what_is_interrupted_leaves_nothing(format_: Format, tmp_path: Path) -> None:
    def interrupted() -> Iterator[str]:
        yield "x"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(tmp_path / f"a.{format_}", interrupted())
    assert names(tmp_path) == []


@pytest.mark.parametrize("format_", Format)
def test_the_file_is_for_its_owner_alone(format_: Format, tmp_path: Path) -> None:
    path = written(tmp_path / f"a.{format_}", "x")
    assert path.stat().st_mode & 0o777 == 0o600


def test_more_rows_than_a_sheet_holds_are_refused_with_a_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spreadsheets, "MOST_ROWS", 3)
    assert len(xlsx_rows(written(tmp_path / "a.xlsx", "1", "2"))) == 2
    with pytest.raises(InputError, match=r"more than the 2 rows .* narrow --from and --until"):
        written(tmp_path / "b.xlsx", "1", "2", "3")
    assert names(tmp_path) == ["a.xlsx"]


@pytest.mark.parametrize("format_", Format)
def test_memory_does_not_grow_with_the_rows(format_: Format, tmp_path: Path) -> None:
    def most(rows: int) -> int:
        tracemalloc.start()
        try:
            write(tmp_path / f"{rows}.{format_}", ("出钞口卡钞" * 20 for _ in range(rows)))
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    most(10)
    assert most(10_000) < most(1_000) + 500_000


async def test_a_register_of_many_rows_comes_through_a_cursor(
    database: Pool, tmp_path: Path
) -> None:
    await an_issue(database)
    await database.execute(
        """
        INSERT INTO callback_records
            (issue_id, generation, attempt, clerk, called_at, reached, words)
        SELECT id, 1, n, 'fan.meiling', now() + n * interval '1 s', false, repeat('没人接', 100)
        FROM issues, generate_series(1, 5000) AS n
        """
    )
    callbacks = REGISTERS["callbacks"]
    look = Look(callbacks.zh, callbacks.columns, SHANGHAI)
    asked = registers.Asked(zone=SHANGHAI.key)
    with writing(tmp_path / "a.xlsx", Format.XLSX, look, force=False) as sheet:
        async with registers.reading(database, callbacks, asked) as rows:
            async for row in rows:
                sheet.add(tuple(row.values()))
                if sheet.rows == 1:
                    cursors = await database.fetchval(OPEN_CURSORS)
    assert cursors == 1
    assert [row["第几次回访"] for row in xlsx_rows(tmp_path / "a.xlsx")] == [*range(1, 5001)]


OPEN_CURSORS = """
    SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
        AND state = 'idle in transaction' AND query LIKE '%callback_records%'
"""
"""Sessions in the middle of reading callback records."""


@pytest.mark.parametrize("format_", Format)
def test_a_full_disk_is_told_as_what_it_is_and_leaves_nothing(
    format_: Format, tmp_path: Path
) -> None:
    told = ""
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    with warnings.catch_warnings():
        # XlsxWriter leaves files of its own open then, until they are collected.
        warnings.simplefilter("ignore", ResourceWarning)
        resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, usual[1]))
        try:
            write(tmp_path / f"a.{format_}", (os.urandom(5_000).hex() for _ in range(200)))
        except OutputError as failure:
            told = str(failure)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, usual)
        gc.collect()
    assert told == "The spreadsheet cannot be written: [Errno 27] File too large"
    assert names(tmp_path) == []
