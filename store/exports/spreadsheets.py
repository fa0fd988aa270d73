"""Writing a table of registers as a spreadsheet, CSV or XLSX, row by row.

Customers' words stand in these cells. Whatever they wrote stays text: none of it becomes a formula
in anybody's spreadsheet, nor a part of the file itself.

The format of a workbook is a library's affair; a table that is there whole or not at all, and takes
no formula, is ours: no library does that.
"""

from __future__ import annotations

import csv
import re
import shutil
import sys
import tempfile
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from xlsxwriter import Workbook
from xlsxwriter.exceptions import XlsxWriterException

from domain.errors import InputError, OutputError
from store.exports.columns import Column, Holds

MOST_ROWS = 1_048_576
"""Rows of an XLSX sheet, the headings' included."""
LONGEST_TEXT = 32_767
"""UTF-16 units of a cell. A spreadsheet cuts off what is longer, or calls the file broken."""

_WIDTHS_FROM = 500
_WIDEST = 60
_UNREADABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_STARTS_FORMULA = tuple("=+-@＝＋－＠")
_NUMBERS = {
    Holds.INSTANT: "yyyy-mm-dd hh:mm:ss",
    Holds.DAY: "yyyy-mm-dd",
    Holds.NUMBER: "0",
    Holds.MONEY: "#,##0.00",
    Holds.SHARE: "0.0%",
    Holds.DURATION: "[h]:mm:ss",
}
_YES_NO = {True: ("是", "yes"), False: ("否", "no")}


class Format(StrEnum):
    """What kind of file."""

    CSV = "csv"
    XLSX = "xlsx"


@dataclass(frozen=True)
class Look:
    """What a table looks like: its name, its columns, in which language, and whose clock."""

    title: str
    columns: tuple[Column, ...]
    zone: ZoneInfo
    english: bool = False

    @property
    def headings(self) -> list[str]:
        """One a column."""
        return [column.en if self.english else column.zh for column in self.columns]

    def plain(self, column: Column, value: Any) -> Any:
        """Turn what the register holds into what a reader reads: words for codes, local times."""
        if value is None:
            return None
        match column.holds:
            case Holds.TEXT | Holds.PERSON:
                return readable(value)
            case Holds.CODE:
                return self._word(column, value)
            case Holds.YES_NO:
                return _YES_NO[value][self.english]
            case Holds.INSTANT:
                return _local(value, self.zone)
        return value

    def _word(self, column: Column, code: str) -> str:
        """Say a code: in Chinese beside it, for programs; in English as itself, for it is a word,
        or as the desk calls it where it is the desk's.
        """
        zh, en = column.codes.get(code, ("", ""))
        if not self.english:
            return f"{zh} {code}".strip()
        return en if en and column.term else code.replace("_", " ")


class Sheet(Protocol):
    """A spreadsheet that is being written."""

    rows: int
    """Without the headings."""

    def add(self, values: Sequence[Any]) -> None:
        """Write the next row, one value a column, as the register holds them.

        Raises:
            OutputError: it cannot be written.
            InputError: it has too many rows.
        """


@contextmanager
def writing(
    out: Path | None, format_: Format, look: Look | Callable[[], Look], *, force: bool
) -> Iterator[Sheet]:
    """Make a file, or write to stdout; nothing of it is there before all of it is. What it looks
    like may be asked for once there is a place for it.

    It is readable by its owner alone, since it may hold customers' data (R30).

    Raises:
        InputError: it cannot be made there, or there is one that ``force`` does not replace, also
            one that somebody else made meanwhile.
        OutputError: the disk refused.
    """
    with _room(out, force=force) as room:
        draft = room / f"draft.{format_}"
        draft.touch(mode=0o600)
        shown = look if isinstance(look, Look) else look()
        sheet = _Csv(draft, shown) if format_ is Format.CSV else _Xlsx(draft, shown)
        try:
            yield sheet
        except BaseException:
            with suppress(InputError, OutputError):
                sheet.close()
            raise
        sheet.close()
        if out:
            with _told():
                _publish(draft, out, force=force)
        else:
            with draft.open("rb") as finished:
                shutil.copyfileobj(finished, sys.stdout.buffer)
            sys.stdout.buffer.flush()


@contextmanager
def _room(out: Path | None, *, force: bool) -> Iterator[Path]:
    """Make a directory for drafts, beside what is to be, so that it can be moved there at once."""
    if out:
        if out.is_dir():
            raise InputError(f"--out: {out} is a directory: name a file in it")
        if out.exists() and not (force and out.is_file()):
            raise InputError(
                f"--out: there is {out} already: give --force to replace it, or another --out"
                if out.is_file()
                else f"--out: {out} is no file that could be replaced"
            )
    try:
        room = tempfile.TemporaryDirectory(dir=out.parent if out else None, prefix=".yinuo-")
    except OSError as error:
        raise InputError(f"--out: {out}: cannot be written there: {error.strerror}") from None
    with room as directory:
        yield Path(directory)


def _publish(draft: Path, out: Path, *, force: bool) -> None:
    """Move it to its place, whose name an empty file claims first, also against who just came."""
    try:
        if not force:
            out.touch(exist_ok=False)
        draft.replace(out)
    except FileExistsError:
        raise InputError(f"--out: there is {out} by now: not replaced") from None


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except (OSError, XlsxWriterException) as error:
        raise OutputError(f"The spreadsheet cannot be written: {error}") from error


class _Csv:
    """UTF-8 with a byte order mark, or Excel takes Chinese for something else."""

    def __init__(self, path: Path, look: Look) -> None:
        self.rows = 0
        self._look = look
        with _told():
            self._file = path.open("w", encoding="utf-8-sig", newline="")
            self._writer = csv.writer(self._file)
            self._writer.writerow(look.headings)

    def add(self, values: Sequence[Any]) -> None:
        pairs = zip(self._look.columns, values, strict=True)
        with _told():
            self._writer.writerow([_csv_cell(c.holds, self._look.plain(c, v)) for c, v in pairs])
        self.rows += 1

    def close(self) -> None:
        with _told():
            self._file.close()


def _csv_cell(holds: Holds, value: Any) -> str:
    match value:
        case None:
            return ""
        case str():
            return _no_formula(value)
        case datetime():
            return value.isoformat()
        case timedelta():
            minutes, seconds = divmod(round(value.total_seconds()), 60)
            return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"
    return f"{value:.1%}" if holds is Holds.SHARE else str(value)


class _Xlsx:
    """One sheet, of which only the row being written is in memory.

    Text is written by ``write_string`` alone: ``write`` would make formulas and links of it.
    """

    def __init__(self, path: Path, look: Look) -> None:
        self.rows = 0
        self._look = look
        with _told():
            self._book = Workbook(path, {"constant_memory": True, "tmpdir": str(path.parent)})
            self._sheet = self._book.add_worksheet(look.title)
            heading = self._book.add_format({"bold": True, "bg_color": "#DDE6F0", "bottom": 1})
            for place, name in enumerate(look.headings):
                self._sheet.write_string(0, place, name, heading)
        # Room for the button of the filter.
        self._widths = [width_of(name) + 3 for name in look.headings]
        self._as = {
            holds: self._book.add_format({"num_format": number})
            for holds, number in _NUMBERS.items()
        }
        self._not_formula = self._book.add_format({"quote_prefix": True})

    def add(self, values: Sequence[Any]) -> None:
        row = self.rows + 1
        if row >= MOST_ROWS:
            raise InputError(
                f"--format: there are more than the {MOST_ROWS - 1} rows that XLSX can hold: "
                "narrow --from and --until, or take csv",
            )
        with _told():
            for place, (column, value) in enumerate(zip(self._look.columns, values, strict=True)):
                plain = self._look.plain(column, value)
                if plain is None or plain == "":
                    continue
                shown = self._write(row, place, column.holds, plain)
                if row <= _WIDTHS_FROM:
                    self._widths[place] = max(self._widths[place], width_of(shown))
        self.rows = row

    def _write(self, row: int, place: int, holds: Holds, value: Any) -> str:
        """Write a cell, and say about what is seen of it."""
        if isinstance(value, date) and value.year < 1900:  # before a spreadsheet's first day
            value = value.isoformat()
        if isinstance(value, str):
            looks = self._not_formula if _no_formula(value) != value else None
            self._sheet.write_string(row, place, without_markup(value), looks)
        elif isinstance(value, datetime):
            self._sheet.write_datetime(row, place, value.replace(tzinfo=None), self._as[holds])
        elif isinstance(value, date | timedelta):
            self._sheet.write_datetime(row, place, value, self._as[holds])
        else:
            self._sheet.write_number(row, place, value, self._as[holds])
        return str(value)[: len("2026-11-23 09:00:00")] if holds is Holds.INSTANT else str(value)

    def close(self) -> None:
        last = len(self._widths) - 1
        with _told():
            self._sheet.freeze_panes(1, 1)
            self._sheet.autofilter(0, 0, self.rows, last)
            self._sheet.ignore_errors({"number_stored_as_text": f"A1:XFD{MOST_ROWS}"})
            for place, width in enumerate(self._widths):
                self._sheet.set_column(place, place, min(width + 1, _WIDEST))
            self._book.set_properties(
                {"title": self._look.title, "comments": f"Times are in {self._look.zone.key}."}
            )
            self._book.close()


def readable(text: str) -> str:
    """Take out what no spreadsheet can hold; where much is cut off, the cell says how much."""
    text = _UNREADABLE.sub("\ufffd", text.replace("\r\n", "\n").replace("\r", "\n"))
    units = text.encode("utf-16-le")
    most = 2 * (LONGEST_TEXT - 1)  # one is left for a sign of ours, see below
    if len(units) <= most:
        return text
    kept = units[: most - 100].decode("utf-16-le", errors="ignore")
    return f"{kept}…（另有 {len(text) - len(kept)} 字未导出 more characters）"


def _no_formula(text: str) -> str:
    """An apostrophe makes a text of what a spreadsheet would calculate when it opens a CSV."""
    starts = text.lstrip().startswith(_STARTS_FORMULA) or text.startswith(("\t", "\n"))
    return f"'{text}" if starts else text


def without_markup(text: str) -> str:
    """XlsxWriter takes a text between these tags for finished XML, and does not escape it."""
    return f"{text} " if text.startswith("<r>") and text.endswith("</r>") else text


def _local(at: datetime, zone: ZoneInfo) -> datetime:
    """To the second; the last hours of the calendar have no local time in the east."""
    with suppress(OverflowError):
        at = at.astimezone(zone)
    return at.replace(microsecond=0)


def width_of(text: str) -> int:
    """Columns the first line takes: a Chinese character is as wide as two letters."""
    line = text[: 2 * _WIDEST].partition("\n")[0]
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in line)
