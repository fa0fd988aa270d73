"""Reading back what was exported, and what else there is beside it."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

from openpyxl import load_workbook

BOM = "\ufeff"


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def csv_rows(text: str) -> list[dict[str, str]]:
    assert text.startswith(BOM)
    return list(csv.DictReader(io.StringIO(text.removeprefix(BOM), newline="")))


def xlsx_rows(path: Path) -> list[dict[str, Any]]:
    headings, *rows = load_workbook(path).active.iter_rows(values_only=True)
    return [dict(zip(headings, row, strict=True)) for row in rows]
