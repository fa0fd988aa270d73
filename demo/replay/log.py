"""Reading the incident log: every row is checked, and what is wrong is named where it stands."""

import csv
import gzip
import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime
from enum import StrEnum
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

SOURCE = (
    "Incident management process enriched event log: Amaral, Fantinato, Peres (2018), "
    "UCI Machine Learning Repository 498, doi:10.24432/C57S4H, CC BY 4.0"
)
"""Whose figures these are: named wherever they are shown."""

SHANGHAI = ZoneInfo("Asia/Shanghai")
MISSING = frozenset({"", "?"})


class LogError(ValueError):
    """The log cannot be used; the message names file, line and column, and what was expected."""


class IncidentState(StrEnum):
    """What the log says an incident is in. ``-100`` and ``?`` say nothing."""

    NEW = "New"
    ACTIVE = "Active"
    AWAITING_USER_INFO = "Awaiting User Info"
    AWAITING_VENDOR = "Awaiting Vendor"
    AWAITING_PROBLEM = "Awaiting Problem"
    AWAITING_EVIDENCE = "Awaiting Evidence"
    RESOLVED = "Resolved"
    CLOSED = "Closed"
    ERROR = "-100"
    UNKNOWN = "?"


class LogRow(NamedTuple):
    """One update of one incident. Instants are UTC; facts that the log lacks are None.

    A plain tuple: the log has 140,000 of them, and each field is checked while it is read.
    """

    number: str
    state: IncidentState
    opened_at: datetime
    updated_at: datetime
    reassignment_count: int
    reopen_count: int
    contact_type: str | None
    category: str | None
    location: str | None
    impact: int | None
    urgency: int | None
    priority: int | None
    assignment_group: str | None


class _MisreadError(ValueError):
    """What a value should have been; the caller knows where it stands."""


_TIME = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4}) (\d{1,2}):(\d{2})", re.ASCII)
_RANK = re.compile(r"([1-5])( - .*)?")


@lru_cache(maxsize=8192)
def _instant(text: str, zone: ZoneInfo) -> datetime:
    if match := _TIME.fullmatch(text):
        day, month, year, hour, minute = map(int, match.groups())
        try:
            return datetime(year, month, day, hour, minute, tzinfo=zone).astimezone(UTC)
        except (ValueError, OverflowError):
            pass
    raise _MisreadError("a time as day/month/year hour:minute, such as 7/3/2016 09:05")


def _state(text: str) -> IncidentState:
    try:
        return IncidentState(text)
    except ValueError:
        raise _MisreadError(f"one of {', '.join(IncidentState)}") from None


def _count(text: str) -> int:
    if text.isascii() and text.isdigit():
        return int(text)
    raise _MisreadError("a count, 0 or more")


def _rank(text: str) -> int | None:
    """1 is the highest. The log is published both with bare ranks and as ``2 - Medium``."""
    if text in MISSING:
        return None
    if match := _RANK.fullmatch(text):
        return int(match[1])
    raise _MisreadError("a rank from 1 to 5, such as 2 or 2 - Medium, or ? for none")


def _number(text: str) -> str:
    if text in MISSING:
        raise _MisreadError("the incident's number")
    return text


def _fact(text: str) -> str | None:
    return None if text in MISSING else text


def _readers(zone: ZoneInfo) -> dict[str, Callable[[str], Any]]:
    """The columns that are read, in the order of `LogRow`; the log's others need not be there."""
    instant = partial(_instant, zone=zone)
    return {
        "number": _number,
        "incident_state": _state,
        "opened_at": instant,
        "sys_updated_at": instant,
        "reassignment_count": _count,
        "reopen_count": _count,
        "contact_type": _fact,
        "category": _fact,
        "location": _fact,
        "impact": _rank,
        "urgency": _rank,
        "priority": _rank,
        "assignment_group": _fact,
    }


def _lines(path: Path) -> Iterator[str]:
    """Decode line by line, so that a wrong encoding is reported with its line."""
    if not path.name.endswith((".csv", ".csv.gz")):
        raise LogError(f"{path}: expected a name ending in .csv or .csv.gz; unpack archives first")
    number = 0
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                yield line.decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        raise LogError(
            f"{path}, line {number}: found byte 0x{byte:02x}, expected UTF-8; "
            "save the file in that encoding"
        ) from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise LogError(f"{path}, after line {number}: not a whole gzip file: {error}") from error
    except OSError as error:
        raise LogError(f"{path}: cannot be read: {error.strerror}") from error


def _positions(path: Path, header: list[str], wanted: Iterable[str]) -> list[int]:
    names = [name.strip() for name in header]
    missing = [name for name in wanted if name not in names]
    if missing:
        raise LogError(
            f"{path}, line 1: found the columns {', '.join(names) or '(none)'}; "
            f"expected also {', '.join(missing)}, separated by commas"
        )
    return [names.index(name) for name in wanted]


def read_log(path: Path, zone: ZoneInfo = SHANGHAI) -> Iterator[LogRow]:
    """Read the rows in the order of the file, one at a time, from ``.csv`` or ``.csv.gz``.

    Raises:
        LogError: the file is missing, damaged, not UTF-8 or lacks a column; or a line has another
            number of fields than the header, or a value that cannot be understood.
    """
    readers = _readers(zone)
    lines = csv.reader(_lines(path), strict=True)
    try:
        header = next(lines, [])
        columns = list(zip(_positions(path, header, readers), readers.items(), strict=True))
        for fields in lines:
            if len(fields) != len(header):
                raise LogError(
                    f"{path}, line {lines.line_num}: found {len(fields)} fields, "
                    f"expected {len(header)} as in line 1"
                )
            values = []
            for position, (column, read) in columns:
                try:
                    values.append(read(fields[position].strip()))
                except _MisreadError as error:
                    raise LogError(
                        f"{path}, line {lines.line_num}, column {column}: "
                        f"found {fields[position]!r}, expected {error}"
                    ) from error
            yield LogRow._make(values)
    except csv.Error as error:
        raise LogError(f"{path}, line {lines.line_num}: not comma-separated: {error}") from error


def opened_on(rows: Iterable[LogRow], day: date, zone: ZoneInfo = SHANGHAI) -> list[LogRow]:
    """Keep the rows of the incidents opened on ``day``, a day of ``zone``, in their order.

    Raises:
        LogError: no incident was opened on that day.
    """
    kept = []
    first, last = date.max, date.min
    for row in rows:
        opened = row.opened_at.astimezone(zone).date()
        first, last = min(first, opened), max(last, opened)
        if opened == day:
            kept.append(row)
    if not kept:
        covered = f"from {first} to {last}" if first <= last else "on no day at all"
        raise LogError(f"no incident was opened on {day}; the log has some opened {covered}")
    return kept
