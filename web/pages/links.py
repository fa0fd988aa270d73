"""What people do by a link in a message, without signing in: staff one thing, once; customers what
there is to do on the page of their issue.

The link is the key: whoever sends its form has it, so no other site can, and nothing else shows
that a form is ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from http import HTTPStatus

import structlog
from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.datastructures import FormData

from domain.errors import Refused
from domain.issue.thread import Entry
from domain.issue.view import IssueView, view
from domain.links import Link, Purpose
from domain.staff.access import Right
from domain.vocabulary import Audience
from runtime.signing import LinkRefused
from starter.client import Busy, Unavailable
from starter.register import Papers
from web import audit, threads
from web.audit import Deed
from web.auth.identity import saw
from web.context import Doors, Here
from web.forms import actions
from web.forms.form import WHOLE, Filled
from web.forms.submitting import submit
from web.pages import customers
from web.pages.faults import fault_codes
from web.pages.opened import (
    AWAY,
    BUSY,
    EXPIRED,
    FORGED,
    NOT_NOW,
    NOT_YOURS,
    SILENT,
    WRONG,
    Notice,
    Opened,
    Sent,
    closed,
    opened,
    turned_away,
    used_up,
)
from web.pages.people import called
from web.rendering import render
from web.sent import form_of

router = APIRouter(include_in_schema=False)

_LONG_AGO = datetime.min.replace(tzinfo=UTC)
"""When no link had expired."""
log = structlog.get_logger("doors.links")

_REFUSED = {"NotAllowed": NOT_NOW, "NotYours": NOT_YOURS}
_DONE = {
    Purpose.ACCEPT: ("已受理，客户会收到通知。", "Accepted; the customer is told."),
    Purpose.COMPLETE: (
        "结果已记录，正在答复客户。",
        "The result is recorded and on its way to the customer.",
    ),
    Purpose.APPROVE: (
        "您的决定已记录，有关各方会收到通知。",
        "Your decision is recorded; everybody concerned is told.",
    ),
    Purpose.REMEDY: (
        "您的决定已记录，有关各方会收到通知。",
        "Your decision is recorded; everybody concerned is told.",
    ),
    Purpose.RATE: ("难度已记录，谢谢。", "The rating is recorded, thank you."),
    Purpose.ADVISE: ("意见已转给处理人，谢谢。", "The handler has your advice, thank you."),
    Purpose.REOPEN: ("已记录，谢谢。", "Recorded, thank you."),
}


@router.get("/l/{signed}")
async def link_page(request: Request, here: Here, signed: str) -> Response:
    """Show what the link is about, and the form to do it."""
    return await _answer(request, here, signed)


@router.post("/l/{signed}")
async def act_by_link(request: Request, here: Here, signed: str) -> Response:
    """Do what the link is for, once: sent again, it is the same action."""
    return await _answer(request, here, signed, await form_of(request))


async def _answer(
    request: Request, here: Doors, signed: str, form: FormData | None = None
) -> Response:
    try:
        link = here.signer.read_link(signed, here.now())
    except LinkRefused as refused:
        if refused.why == "forged":
            return await turned_away(request, here, FORGED)
        return await turned_away(request, here, EXPIRED, here.signer.read_link(signed, _LONG_AGO))
    theirs = link.terms.audience is Audience.CUSTOMER
    sent = None if form is None else customers.sent(link, form) if theirs else _sent(link, form)
    answer = customers.answer if theirs else _staffs
    try:
        found = await opened(request, here, signed, link)
        if isinstance(found, Notice):
            return await turned_away(request, here, found, link)
        return await answer(request, here, found, sent)
    except SILENT as error:
        log.warning("away", error=type(error).__name__)
        return await closed(request, here, AWAY, link, sent)


def _sent(link: Link, form: FormData) -> Sent:
    asked = actions.of_link(link.purpose)
    return Sent(link.purpose, asked.filled(form) if asked else Filled())


async def _staffs(request: Request, here: Doors, found: Opened, sent: Sent | None) -> Response:
    """Show one of the staff what the link is about, or do what it is for."""
    if sent is None:
        blank = actions.blank(found.link.purpose)
        return await _page(request, here, found, found.obstacle(), blank)
    return await _act(request, here, found, sent)


async def _act(request: Request, here: Doors, found: Opened, sent: Sent) -> Response:
    link, form = found.link, actions.of_link(found.link.purpose)
    if form is None or link.terms.action is None:
        raise LookupError(f"a link of the staff that does nothing: {link.purpose}")
    if obstacle := found.obstacle():
        await audit.refused(here, found.who, link.terms.action, obstacle.why, link.number)
        return await _page(request, here, found, obstacle, sent.filled)
    action = link.terms.action

    async def do(_: Deed) -> IssueView:
        act = form.read(sent.filled, found.issue.zone, by=found.who.caller.by)
        return await here.desk.act(found.issue.id, action, act, key=found.key)

    result = await submit(here, found.who, action, form, sent.filled, do, link.number)
    match result.error:
        case Unavailable() as error:
            busy = isinstance(error, Busy)
            return await closed(request, here, BUSY if busy else AWAY, link, sent)
        case Refused() if WHOLE not in result.form.wrong:
            return await _page(request, here, found, WRONG, result.form)
        case Refused():
            notice = _REFUSED.get(result.error.type, NOT_NOW)
        case None:
            await used_up(request, here, found)
            notice = Notice(HTTPStatus.OK, *_DONE[link.purpose])
    now = await opened(request, here, request.path_params["signed"], link)
    return await _page(
        request, here, now if isinstance(now, Opened) else found, notice, sent.filled
    )


async def _page(
    request: Request, here: Doors, found: Opened, notice: Notice | None, filled: Filled
) -> Response:
    """Show the issue as its reader may see it, and the form if it can be sent now."""
    link = found.link
    if found.theirs:
        await saw(here, found.who, Right.SEE_CUSTOMER, link.number)
    now = (p for p in found.issue.promises if p.generation == found.issue.generation)
    papers = Papers()
    if notice is not NOT_YOURS:
        papers = await here.desk.papers(found.issue.id, found.issue.generation)
    completes = link.purpose is Purpose.COMPLETE
    return render(
        request,
        "link_page.html",
        (notice.status if notice else HTTPStatus.OK).value,
        link=link,
        notice=notice,
        form=link.purpose,
        filled=filled,
        asks=link.purpose in actions.ASKED and notice in (None, WRONG),
        issue=found.issue,
        told=found.told,
        theirs=found.theirs,
        promises=list(now),
        faults=await fault_codes(here, view(found.issue)) if completes else (),
        **papers._asdict(),
        called=await called(here),
        waiting=await _waiting(here, found) if found.theirs else (),
    )


async def _waiting(here: Doors, found: Opened) -> Sequence[Entry]:
    """Return the customer's words that somebody is asked about."""
    if found.link.purpose is not Purpose.REOPEN:
        return ()
    issue = view(found.issue)
    return (await threads.read(here, found.who, issue, limit=1, written_down=True)).open_words
