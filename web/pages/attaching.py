"""Photographs and files that come in at the pages: staff's, whichever page of an issue they are on,
and customers', at the page that any of their links opens.
"""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from domain.attachments import ShownTo
from domain.issue.view import view
from domain.staff.access import Right
from runtime.signing import LinkRefused
from web import album
from web.album import FilesForm
from web.auth.identity import SignedIn, require, saw
from web.context import Here
from web.pages.opened import (
    AWAY,
    EXPIRED,
    FORGED,
    NOT_NOW,
    NOT_YOURS,
    SILENT,
    Notice,
    Opened,
    asked_language,
    closed,
    opened,
    turned_away,
)
from web.problems import not_yours
from web.sent import form_of

router = APIRouter(include_in_schema=False)

_ROOMS = ("/my", "/board", "/intake")
"""Where there are pages of issues."""


@router.post("/attach/{number}")
async def attach(
    request: Request, here: Here, who: SignedIn, form: FilesForm, number: str
) -> Response:
    """Attach what was chosen, each file by itself; who sent it sees at once what was not taken."""
    issue = await here.desk.show(number)
    require(who, Right.ATTACH, issue)
    require(who, Right.SEE_CUSTOMER, issue)
    room = str(form.get("back", "")).removesuffix(f"/{issue.number}")
    for_customer = ShownTo.CUSTOMER if form.get("for_customer") else ShownTo.STAFF
    left = await album.take(here, who, issue, form, "page", for_customer)
    await saw(here, who, Right.SEE_CUSTOMER, issue.number)
    shown = await album.album(here, who, issue, room if room in _ROOMS else _ROOMS[0])
    if shown is None:
        raise not_yours("its customer is not yours to see", Right.SEE_CUSTOMER, issue.number)
    return album.answered(request, shown, left, who=who)


@router.post("/l/{signed}/files")
async def attach_by_link(request: Request, here: Here, signed: str) -> Response:
    """Attach what a customer chose on their page: the link is the key. Nothing comes in before it
    is known to be theirs.
    """
    try:
        link = here.signer.read_link(signed, here.now())
    except LinkRefused as refused:
        return await turned_away(request, here, FORGED if refused.why == "forged" else EXPIRED)
    try:
        found = await opened(request, here, signed, link)
        if isinstance(found, Notice):
            return await turned_away(request, here, found, link)
        if not found.for_customer or found.issue.closed:
            notice = NOT_NOW if found.for_customer else NOT_YOURS
            return await turned_away(request, here, notice, link)
        return await _from_customer(request, here, found, signed)
    except SILENT:
        return await closed(request, here, AWAY, link)


async def _from_customer(request: Request, here: Here, found: Opened, signed: str) -> Response:
    await album.let_files_in(request, here)
    try:
        form = await form_of(request)
        issue = view(found.issue)
        left = await album.take(here, found.who, issue, form, "link", ShownTo.CUSTOMER)
    finally:
        await request.close()
    shown = await album.customers_album(here, found.who, found.issue, signed)
    return album.answered(request, shown, left, lang=_language(request, found))


def _language(request: Request, found: Opened) -> str | None:
    """Return what the customer reads; None: what their browser says."""
    return asked_language(request) or found.issue.intake.customer.language
