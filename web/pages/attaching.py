"""Photographs and files that come in at the pages: staff's, whichever page of an issue they are on,
and customers', at the page that any of their links opens.
"""

from __future__ import annotations

from contextlib import suppress
from hashlib import sha256

from fastapi import APIRouter, Request
from fastapi.responses import Response

from domain.attachments import Attachment, ShownTo
from domain.errors import Refused
from domain.for_customers.turn import FILES
from domain.issue.actions import ActionName, CustomerWrote
from domain.issue.view import view
from domain.staff.access import Right
from domain.vocabulary import LONGEST_TEXT, Language
from runtime.signing import LinkRefused
from web import album
from web.album import FilesForm
from web.audit import written
from web.auth.identity import SignedIn, require, saw
from web.context import Doors, Here, address_of
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
from web.rendering import language
from web.sent import form_of

router = APIRouter(include_in_schema=False)

_ROOMS = ("/my", "/board", "/intake", "/find")
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
    _, left = await album.take(here, who, issue, form, "page", for_customer)
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
        taken, left = await album.take(here, found.who, issue, form, "link", ShownTo.CUSTOMER)
    finally:
        await request.close()
    if taken:
        await _tell(request, here, found, taken)
    shown = await album.customers_album(here, found.who, found.issue, signed)
    return album.answered(request, shown, left, lang=_language(request, found))


async def _tell(request: Request, here: Doors, found: Opened, taken: list[Attachment]) -> None:
    """Let whoever has the issue know, as of words, once of all that came together and however often
    they are sent; so a photograph that was waited for lets the issue go on (R15).

    Raises:
        Unavailable: it is not known whether they do: the same is to be sent again.
    """
    spoken = Language(_language(request, found) or language(request))
    said = FILES.said(spoken).format(names=", ".join(each.name for each in taken))
    together = sha256(" ".join(sorted(each.id for each in taken)).encode()).hexdigest()[:32]
    key = f"{found.key}:files:{together}"
    if not await here.registers.links.admit(key, found.link, here.now(), address_of(request)):
        return  # they have been told often enough
    act = CustomerWrote(by=found.who.caller.by, words=said[:LONGEST_TEXT])
    with suppress(Refused):  # it closed meanwhile: what came is there, and on its page
        async with written(here, found.who, ActionName.CUSTOMER_WROTE, found.link.number):
            await here.desk.act(found.issue.id, ActionName.CUSTOMER_WROTE, act, key=key)


def _language(request: Request, found: Opened) -> str | None:
    """Return what the customer reads; None: what their browser says."""
    return asked_language(request) or found.issue.intake.customer.language
