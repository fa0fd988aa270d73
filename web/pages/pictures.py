"""Photographs in place on a page: drawn anew, at the addresses that the page was made with."""

from __future__ import annotations

from http import HTTPStatus
from typing import Literal

from fastapi import APIRouter, Request
from fastapi.responses import Response

from domain.staff.access import Right
from starter.pictures import LARGE, SMALL
from web import attached
from web.context import Here

router = APIRouter(include_in_schema=False)

_ALONE = {
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Content-Disposition": "inline",
}


@router.get("/attachments/{attachment}/{size}")
async def picture(
    request: Request, here: Here, attachment: str, size: Literal["small", "large"], key: str = ""
) -> Response:
    """Show a photograph; a look at the larger one is written down as that of whoever has the page,
    whose own look was written down before it was shown.
    """
    look = attached.read(here, attachment, key)
    one = await here.attachments.find(attachment)
    if size == "large":
        issue = await here.desk.show(one.issue_id)
        seen = look.entry(request, Right.SEE_CUSTOMER, issue.number)
        await here.registers.audit_trail.note(seen)
    shown = await here.pictures.of(one, LARGE if size == "large" else SMALL)
    return Response(shown, HTTPStatus.OK, _ALONE, "image/jpeg")
