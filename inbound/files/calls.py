"""Calls as a telephone system exports them: a CSV file with a heading (R45)."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from domain.calendars.timeline import first_instant
from domain.calls import PhoneCall
from domain.errors import InputError
from runtime.textfiles import findings, read_utf8

COLUMNS = tuple(PhoneCall.model_fields)
_NEEDED = frozenset({"id", "at"})


def read_calls(path: Path, zone: ZoneInfo) -> list[PhoneCall]:
    """Read all calls of a file. Times that name no offset are local to ``zone``; an empty cell says
    nothing.

    Raises:
        InputError: something in it cannot be; everything that is wrong is named, with its line.
    """
    rows = csv.DictReader(io.StringIO(read_utf8(path, InputError)), strict=True)
    _check(path, rows.fieldnames or ())
    good: list[PhoneCall] = []
    wrong: list[str] = []
    try:
        for row in rows:
            try:
                good.append(PhoneCall.model_validate(_said(row, zone)))
            except ValidationError as error:
                wrong += (f"{path}, line {rows.line_num}: {each}" for each in findings(error))
    except csv.Error as error:
        wrong.append(f"{path}, line {rows.line_num}: no valid CSV: {error}")
    if not (good or wrong):
        wrong.append(f"{path}: holds no call")
    if wrong:
        raise InputError("\n".join(wrong))
    return good


def _check(path: Path, heading: Sequence[str]) -> None:
    if unknown := [each for each in heading if each not in COLUMNS]:
        there_are = ", ".join(COLUMNS)
        raise InputError(f"{path}: no column {', '.join(unknown)}; there are: {there_are}")
    if missing := sorted(_NEEDED - {*heading}):
        raise InputError(f"{path}: column {', '.join(missing)} is missing")


def _said(row: Mapping[Any, Any], zone: ZoneInfo) -> dict[str, object]:
    """Read a row; cells beyond the heading are a field that no call has."""
    named = {name or "more": cell if name else "…" for name, cell in row.items()}
    said: dict[str, object] = {
        name: cell.strip() for name, cell in named.items() if cell and cell.strip()
    }
    try:
        at = datetime.fromisoformat(str(said.get("at")))
    except ValueError:
        return said  # the model says what is wrong with it
    return said | {"at": at if at.tzinfo else first_instant(at, zone)}
