"""What the management reads of the desk, as files over HTTP (R27): a spreadsheet, and paper.

Browsers follow links to them, so they are told apart from pages by their ending.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Response

from domain.reports.counted import Counted
from domain.reports.layout import Sheets, laid_out
from domain.vocabulary import Language as Spoken
from printing.paper import paper
from printing.spreadsheet import spreadsheet
from starter.reports import Asked, Edition
from web.api.document import NO_REPORT
from web.auth.identity import Authenticated
from web.context import Here
from web.rendering import Lang
from web.reports import WhichEdition, read, wanted_by_program

router = APIRouter()

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PDF = "application/pdf"
_FILE = {"schema": {"type": "string", "format": "binary"}}


def _file(description: str, kind: str) -> dict[int | str, dict[str, Any]]:
    return {200: {"description": description, "content": {kind: _FILE}}, 404: NO_REPORT}


@router.get(
    "/reports/{name}/{period}.xlsx",
    operation_id="show_report_spreadsheet",
    summary="报表 One report as a spreadsheet",
    tags=["reports"],
    response_class=Response,
    responses=_file("a sheet a section, figures as numbers", XLSX),
)
async def show_spreadsheet(
    here: Here,
    who: Authenticated,
    lang: Lang,
    asked: Annotated[Asked, Depends(wanted_by_program)],
    edition: WhichEdition = None,
) -> Response:
    """In Chinese, or in English if that is preferred (`Accept-Language`)."""
    shown = await read(here, who, asked, edition)
    return await _printed(asked, shown, lang, spreadsheet, ("xlsx", XLSX))


@router.get(
    "/reports/{name}/{period}.pdf",
    operation_id="show_report_paper",
    summary="报表 One report on paper",
    tags=["reports"],
    response_class=Response,
    responses=_file("A4 across, with the pictures of its page", PDF),
)
async def show_paper(
    here: Here,
    who: Authenticated,
    lang: Lang,
    asked: Annotated[Asked, Depends(wanted_by_program)],
    edition: WhichEdition = None,
) -> Response:
    """In Chinese, or in English if that is preferred (`Accept-Language`)."""
    shown = await read(here, who, asked, edition)
    return await _printed(asked, shown, lang, paper, ("pdf", PDF))


async def _printed(
    asked: Asked,
    shown: tuple[Counted, Edition | None],
    lang: Lang,
    printer: Callable[[Sheets], bytes],
    kind: tuple[str, str],
) -> Response:
    """Print a report as a file of that ending and type: in a thread, for it takes a while."""
    counted, issued = shown
    edition = issued.edition if issued else None
    sheets = laid_out(asked.report, counted, Spoken(lang), edition)
    content = await asyncio.to_thread(printer, sheets)
    ending, type_ = kind
    name = quote(f"{sheets.title} {asked.period.name}.{ending}")
    headers = {
        "Content-Disposition": f'attachment; filename="{asked.report.name}-{asked.period.name}.'
        f"{ending}\"; filename*=UTF-8''{name}",
        "Content-Language": lang,
        "Vary": "Accept-Language, Cookie",
        "Cache-Control": "no-store",
    }
    return Response(content, HTTPStatus.OK.value, headers, type_)
