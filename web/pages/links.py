"""What people do by a link in a message: no sign-in, one thing, once.

The link is the key: whoever sends its form has it, so no other site can, and nothing else shows
that a form is ours.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus

import structlog
from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.datastructures import FormData

from domain.errors import Refused
from domain.issue.state import Issue
from domain.issue.view import IssueView, local, view
from domain.links import BETWEEN_OURSELVES, CUSTOMER, Link, Purpose, sensible
from domain.sla.promise import Promise
from domain.staff.access import Caller, Right, may
from domain.vocabulary import Audience, Role, ServiceItem
from runtime.signing import LinkRefused, link_id
from starter.client import Busy, Unavailable
from starter.register import Outlook
from web import audit
from web.audit import Deed
from web.auth.identity import Visitor, saw
from web.context import Doors, Here, address_of
from web.forms import actions
from web.forms.form import WHOLE, Filled
from web.forms.submitting import submit
from web.rendering import render
from web.sent import form_of

router = APIRouter(include_in_schema=False)

_PATIENCE = 5.0
"""Seconds within which the register says what a link is about."""
_LONG_AGO = datetime.min.replace(tzinfo=UTC)
"""When no link had expired."""
_SILENT = (Unavailable, TimeoutError)
log = structlog.get_logger("doors.links")


@dataclass(frozen=True)
class Notice:
    """What a page says above all else, with its status; Chinese and English."""

    status: HTTPStatus
    zh: str
    en: str
    why: str = ""
    """For the audit trail."""

    @property
    def bad(self) -> bool:
        """Whether it is not what its reader wanted."""
        return self.status is not HTTPStatus.OK


_FORGED = Notice(
    HTTPStatus.NOT_FOUND,
    "没有这个链接。请核对消息中的地址是否完整。",
    "There is no such link. Please see that the address is copied from the message as a whole.",
    "Forged",
)
_EXPIRED = Notice(
    HTTPStatus.GONE,
    "此链接已过期。请使用最新消息中的链接，或者致电我们。",
    "This link has expired. Please use the one in our latest message, or call us.",
    "Expired",
)
_AWAY = Notice(
    HTTPStatus.SERVICE_UNAVAILABLE,
    "系统暂时没有回应。什么也没有丢失：请稍后再按一次。",
    "The desk does not answer now. Nothing is lost: please press again in a moment.",
)
_BUSY = Notice(
    HTTPStatus.TOO_MANY_REQUESTS,
    "此刻操作太多，还没有做。什么也没有丢失：请稍后再按一次。",
    "Too much is being done at once, and this is not done yet: please press again in a moment.",
)
_REOPENED = Notice(
    HTTPStatus.CONFLICT,
    "此链接发出以后问题已重新处理，请使用最新消息中的链接。",
    "The issue was opened again after this link was sent: please use that of the latest message.",
    "Reopened",
)
_NOT_NOW = Notice(
    HTTPStatus.CONFLICT,
    "问题的情况已有变化，这一步现在不能做或不必做了。",
    "The issue has moved on: this cannot or need not be done now.",
    "NotAllowed",
)
_NOT_HERE = Notice(
    HTTPStatus.NOT_FOUND,
    "登记簿中没有此链接所指的问题。请致电我们。",
    "The issue that this link was sent about is not in the register. Please call us.",
    "NotFound",
)
_NOT_YOURS = Notice(
    HTTPStatus.FORBIDDEN, "问题已不由您处理。", "The issue is not with you any more.", "NotYours"
)
_WRONG = Notice(
    HTTPStatus.UNPROCESSABLE_ENTITY,
    "还没有做成：请看下面标出的地方。",
    "Not done yet: please see what is marked below.",
)
_ONLY_SHOWS = Notice(
    HTTPStatus.METHOD_NOT_ALLOWED,
    "此链接只能查看。",
    "This link only shows how far it is.",
    "OnlyShows",
)
_REFUSED = {"NotAllowed": _NOT_NOW, "NotYours": _NOT_YOURS}
_DONE = {
    Purpose.ACCEPT: ("已受理，客户会收到通知。", "Accepted; the customer is told."),
    Purpose.COMPLETE: (
        "结果已记录，正在答复客户。",
        "The result is recorded and on its way to the customer.",
    ),
    Purpose.TEST: ("谢谢您告诉我们。", "Thank you for telling us."),
    Purpose.CONFIRM: ("谢谢您的答复。", "Thank you for your answer."),
    Purpose.EVALUATE: ("谢谢您的评分。", "Thank you for your score."),
}


@dataclass(frozen=True)
class _Opened:
    """A link that is ours, its issue as it is now, and who holds it."""

    id: str
    link: Link
    who: Visitor
    issue: Issue
    told: Outlook
    used_at: datetime | None

    @property
    def for_customer(self) -> bool:
        return self.link.terms.audience is Audience.CUSTOMER

    @property
    def theirs(self) -> bool:
        """Whether its holder may see the issue's customer."""
        return self.for_customer or may(self.who.caller, Right.SEE_CUSTOMER, view(self.issue))

    @property
    def promises(self) -> list[Promise]:
        """The promises that concern the reader."""
        between = BETWEEN_OURSELVES if self.for_customer else frozenset()
        now = (p for p in self.issue.promises if p.generation == self.issue.generation)
        return [promise for promise in now if promise.kind not in between]

    def obstacle(self) -> Notice | None:
        """Say why what the link is for cannot be done now; None: it can."""
        link, issue = self.link, self.issue
        if link.terms.action is None:
            return None
        if self.used_at:
            at = local(self.used_at, issue.zone)
            return Notice(
                HTTPStatus.GONE,
                f"此链接已在 {at} 用过，只能用一次。",
                f"This link was used on {at}; it works once.",
                "Used",
            )
        if link.generation != issue.generation:
            return _REOPENED
        if not self.for_customer and not may(self.who.caller, link.terms.action, view(issue)):
            return _NOT_YOURS
        running = {promise.kind for promise in issue.running}
        return None if sensible(link.purpose, issue.stage, running) else _NOT_NOW


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
            return await _turned_away(request, _FORGED)
        return await _turned_away(request, _EXPIRED, here.signer.read_link(signed, _LONG_AGO))
    asked = actions.of_link(link.purpose)
    filled = asked.filled(form) if asked and form else Filled()
    try:
        opened = await _opened(request, here, signed, link)
        if isinstance(opened, Notice):
            return await _turned_away(request, opened, link)
        if form is None:
            blank = actions.blank(link.purpose)
            return await _page(request, here, opened, opened.obstacle(), blank)
        return await _act(request, here, opened, filled)
    except _SILENT as error:
        log.warning("away", error=type(error).__name__)
        return _closed(request, _AWAY, link, filled)


async def _turned_away(request: Request, notice: Notice, link: Link | None = None) -> Response:
    """Say why a link opens nothing, once it is written down whose it was, if that is known."""
    known: dict[str, str] = {}
    if link is not None:
        acts = request.method == "POST" and link.terms.action
        known = {"what": acts or Right.SEE, "person": link.person, "number": link.number}
    strangers: audit.Strangers = request.app.state.strangers
    await strangers.note(request, by="link", why=notice.why, **({"what": "link"} | known))
    return _closed(request, notice)


async def _opened(request: Request, here: Doors, signed: str, link: Link) -> _Opened | Notice:
    """Look up what a link is about, unless who was sent it is not on the roster any more, or the
    issue is not in this register: another's number may be the same.
    """
    async with asyncio.timeout(_PATIENCE):
        caller = await _holder(here, link)
        issue = await here.desk.record(link.number)
        if caller is None:
            return _NOT_YOURS
        if issue is None or not link.is_of(issue.id, issue.registered_at):
            return _NOT_HERE
        request.state.person = caller.id
        name = link_id(signed)
        used_at = await here.registers.links.used_at(name)
        return _Opened(
            id=name,
            link=link,
            who=Visitor(caller, "link", address_of(request)),
            issue=issue,
            told=await here.desk.told(issue.id, issue.generation),
            # Its answer may have been lost, and with it the note of its use.
            used_at=used_at or await here.desk.taken_at(issue.id, _key(name)),
        )


def _key(name: str) -> str:
    """Name what a link does, so that it is done once however often it is asked for."""
    return f"link:{name}"


async def _holder(here: Doors, link: Link) -> Caller | None:
    if link.terms.audience is Audience.CUSTOMER:
        return Caller(id=CUSTOMER, role=Role.CUSTOMER, name=CUSTOMER)
    admitted = await here.registers.admission.by_person(link.person)
    return admitted.caller if admitted else None


async def _act(request: Request, here: Doors, opened: _Opened, filled: Filled) -> Response:
    link, form = opened.link, actions.of_link(opened.link.purpose)
    if form is None or link.terms.action is None:
        return await _refused(request, here, opened, _ONLY_SHOWS, filled)
    if obstacle := opened.obstacle():
        return await _refused(request, here, opened, obstacle, filled)
    action = link.terms.action

    async def do(_: Deed) -> IssueView:
        act = form.read(filled, opened.issue.zone, by=opened.who.caller.by)
        return await here.desk.act(opened.issue.id, action, act, key=_key(opened.id))

    result = await submit(here, opened.who, action, form, filled, do, link.number)
    match result.error:
        case Unavailable() as error:
            busy = isinstance(error, Busy)
            return _closed(request, _BUSY if busy else _AWAY, link, filled)
        case Refused() if WHOLE not in result.form.wrong:
            return await _page(request, here, opened, _WRONG, result.form)
        case Refused():
            notice = _REFUSED.get(result.error.type, _NOT_NOW)
        case None:
            # Not written down, the link still does the same action only, and that is done.
            with suppress(*_SILENT):
                at, address = here.now(), address_of(request)
                await here.registers.links.use(opened.id, link, at, address)
            notice = Notice(HTTPStatus.OK, *_DONE[link.purpose])
    now = await _opened(request, here, request.path_params["signed"], link)
    return await _page(request, here, now if isinstance(now, _Opened) else opened, notice, filled)


async def _refused(
    request: Request, here: Doors, opened: _Opened, notice: Notice, filled: Filled
) -> Response:
    """Say why it is not done, once that is written down."""
    what = opened.link.terms.action or Right.SEE
    await audit.refused(here, opened.who, what, notice.why, opened.link.number)
    return await _page(request, here, opened, notice, filled)


async def _page(
    request: Request,
    here: Doors,
    opened: _Opened,
    notice: Notice | None,
    filled: Filled,
) -> Response:
    """Show the issue as its reader may see it, and the form if it can be sent now."""
    link = opened.link
    if not opened.for_customer and opened.theirs:
        await saw(here, opened.who, Right.SEE_CUSTOMER, link.number)
    asks = link.purpose in actions.ASKED and notice in (None, _WRONG)
    return render(
        request,
        "link_page.html",
        (notice.status if notice else HTTPStatus.OK).value,
        link=link,
        notice=notice,
        filled=filled,
        asks=asks,
        issue=opened.issue,
        told=opened.told,
        theirs=opened.theirs,
        customers=opened.for_customer,
        promises=opened.promises,
        items=ServiceItem,
    )


def _closed(
    request: Request, notice: Notice, link: Link | None = None, filled: Filled | None = None
) -> Response:
    """Say it without looking anything up; what was written is still there to be sent again."""
    return render(
        request,
        "link_closed.html",
        notice.status.value,
        notice=notice,
        link=link,
        filled=filled or Filled(),
        asks=filled is not None and bool(filled.values),
        items=ServiceItem,
    )
