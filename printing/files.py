"""Reports as files that people keep: of which kinds there are some, and what they are called."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from domain.reports.layout import Sheets
from domain.vocabulary import Language
from printing.paper import paper
from printing.spreadsheet import spreadsheet


@dataclass(frozen=True)
class Kind:
    """A kind of file: how its names end, its media type, and who prints it."""

    ending: str
    media_type: str
    printed: Callable[[Sheets], bytes]


XLSX = Kind(
    "xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", spreadsheet
)
PDF = Kind("pdf", "application/pdf", paper)
KINDS = (XLSX, PDF)


def called(sheets: Sheets, period: str, edition: int, kind: Kind) -> str:
    """Name the file of a report in its own language, by the period's code: such as
    ``服务效能报告-2026-W47.xlsx``; a later ``edition`` than the first one says which.
    """
    later = {Language.ZH: f"-第{edition}版", Language.EN: f"-edition-{edition}"}[sheets.language]
    return f"{sheets.title}-{period}{later if edition > 1 else ''}.{kind.ending}"
