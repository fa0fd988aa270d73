"""What the management reads of the desk, as files over HTTP (R27): a spreadsheet, and paper.

Browsers follow links to them, so they are told apart from pages by their ending.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Response

from domain.reports.counted import Counted
from domain.reports.layout import laid_out
from domain.vocabulary import Language as Spoken
from printing.files import PDF, XLSX, Kind, called
from starter.reports import Asked, Edition
from web.api.document import NO_REPORT
from web.auth.identity import Authenticated
from web.context import Here
from web.rendering import Lang
from web.reports import WhichEdition, read, wanted_by_program

router = APIRouter()

_FILE = {"schema": {"type": "string", "format": "binary"}}


def _file(description: str, kind: Kind) -> dict[int | str, dict[str, Any]]:
    content = {kind.media_type: _FILE}
    return {200: {"description": description, "content": content}, 404: NO_REPORT}


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
    return await _printed(asked, await read(here, who, asked, edition), lang, XLSX)


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
    return await _printed(asked, await read(here, who, asked, edition), lang, PDF)


async def _printed(
    asked: Asked, found: tuple[Counted, Edition | None], lang: Lang, kind: Kind
) -> Response:
    """Print a report as a file of a kind: in a thread, for it takes a while."""
    counted, issued = found
    edition = issued.edition if issued else None
    sheets = laid_out(asked.report, counted, Spoken(lang), edition)
    content = await asyncio.to_thread(kind.printed, sheets)
    name = quote(called(sheets, asked.period.name, edition or 1, kind))
    headers = {
        "Content-Disposition": f'attachment; filename="{asked.report.name}-{asked.period.name}.'
        f"{kind.ending}\"; filename*=UTF-8''{name}",
        "Content-Language": lang,
        "Vary": "Accept-Language, Cookie",
        "Cache-Control": "no-store",
    }
    return Response(content, HTTPStatus.OK.value, headers, kind.media_type)
