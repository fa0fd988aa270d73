"""A link that was opened: whose it is, what it is about; and why one opens nothing."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import NamedTuple

from fastapi import Request
from fastapi.responses import Response

from domain.for_customers.turn import WRITINGS
from domain.instants import both
from domain.issue.actions import ActionName
from domain.issue.state import Issue
from domain.issue.view import view
from domain.links import CUSTOMER, Link, Purpose, sensible
from domain.staff.access import Caller, Reach, Right, may, reach
from domain.vocabulary import Audience, Role
from runtime.signing import link_id
from starter.client import Unavailable
from starter.register import Outlook
from web import audit
from web.auth.identity import Visitor
from web.context import Doors, address_of
from web.forms.form import Filled
from web.rendering import Language, render

_PATIENCE = 5.0
"""Seconds within which the register says what a link is about."""
SILENT = (Unavailable, TimeoutError)


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


FORGED = Notice(
    HTTPStatus.NOT_FOUND,
    "没有这个链接。请核对消息中的地址是否完整。",
    "There is no such link. Please see that the address is copied from the message as a whole.",
    "Forged",
)
EXPIRED = Notice(
    HTTPStatus.GONE,
    "此链接已过期。请使用最新消息中的链接，或者致电我们。",
    "This link has expired. Please use the one in our latest message, or call us.",
    "Expired",
)
AWAY = Notice(
    HTTPStatus.SERVICE_UNAVAILABLE,
    "系统暂时没有回应。什么也没有丢失：请稍后再按一次。",
    "The desk does not answer now. Nothing is lost: please press again in a moment.",
)
BUSY = Notice(
    HTTPStatus.TOO_MANY_REQUESTS,
    "此刻操作太多，还没有做。什么也没有丢失：请稍后再按一次。",
    "Too much is being done at once, and this is not done yet: please press again in a moment.",
)
REOPENED = Notice(
    HTTPStatus.CONFLICT,
    "此链接发出以后问题已重新处理，请使用最新消息中的链接。",
    "The issue was opened again after this link was sent: please use that of the latest message.",
    "Reopened",
)
NOT_NOW = Notice(
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
_REDIRECTED = Notice(
    HTTPStatus.GONE,
    "此链接已失效：请使用我们最近一条消息中的链接，或致电我们。",
    "This link opens nothing any more: please use that of our latest message, or call us.",
    "Redirected",
)
NOT_YOURS = Notice(
    HTTPStatus.FORBIDDEN, "问题已不由您处理。", "The issue is not with you any more.", "NotYours"
)
WRONG = Notice(
    HTTPStatus.UNPROCESSABLE_ENTITY,
    "还没有做成：请看下面标出的地方。",
    "Not done yet: please see what is marked below.",
)


class Sent(NamedTuple):
    """What was written in one of the forms of a page, by its name: what it is for."""

    form: str
    filled: Filled


@dataclass(frozen=True)
class Opened:
    """A link that is ours, its issue as it is now, and who holds it."""

    id: str
    link: Link
    who: Visitor
    issue: Issue
    told: Outlook
    used_at: datetime | None

    @property
    def key(self) -> str:
        """Name what the link does, so that it is done once however often it is asked for."""
        return _key(self.id)

    @property
    def for_customer(self) -> bool:
        return self.link.terms.audience is Audience.CUSTOMER

    @property
    def theirs(self) -> bool:
        """Whether its holder may see the issue's customer."""
        return self.for_customer or may(self.who.caller, Right.SEE_CUSTOMER, view(self.issue))

    @property
    def used(self) -> Notice | None:
        """Say when it did what it was sent for."""
        if self.used_at is None:
            return None
        zh, en = both(self.used_at, self.issue.zone)
        return Notice(
            HTTPStatus.GONE,
            f"此链接已在{zh}用过，只能用一次。",
            f"This link was used on {en}; it works once.",
            "Used",
        )

    def _may(self, action: ActionName) -> bool:
        """Whether its holder may do this by now; who was asked by name, on any issue."""
        caller = self.who.caller
        if self.link.terms.by_name:
            return reach(caller.role, action) is not Reach.NONE
        return may(caller, action, view(self.issue))

    def obstacle(self) -> Notice | None:
        """Say why what the link is for cannot be done now; None: it can."""
        link, issue = self.link, self.issue
        if link.terms.action is None:
            return None
        if self.used:
            return self.used
        if link.generation != issue.generation:
            return REOPENED
        if not self.for_customer and not self._may(link.terms.action):
            return NOT_YOURS
        if link.purpose is Purpose.REMEDY and _proposed_since(issue, link):
            return NOT_NOW
        running = {promise.kind for promise in issue.running}
        return None if sensible(link.purpose, issue.stage, running) else NOT_NOW


def _proposed_since(issue: Issue, link: Link) -> bool:
    """Whether another remedy is proposed now than the link was sent about (R42)."""
    at = issue.remedy.proposed_at if issue.remedy else None
    return at is not None and at.replace(microsecond=0) > link.sent_at


async def opened(request: Request, here: Doors, signed: str, link: Link) -> Opened | Notice:
    """Look up what a link is about, unless who was sent it is not on the roster any more, or the
    issue is not in this register: another's number may be the same.

    Raises:
        Unavailable, TimeoutError: the register does not answer.
    """
    async with asyncio.timeout(_PATIENCE):
        caller = await _holder(here, link)
        issue = await here.desk.record(link.number)
        if caller is None:
            return NOT_YOURS
        if issue is None or not link.is_of(issue.id, issue.registered_at, issue.redirected):
            astray = issue and link.went_astray(issue.id, issue.redirected)
            return _REDIRECTED if astray else _NOT_HERE
        request.state.person = caller.id
        name = link_id(signed)
        used_at = await here.registers.links.used_at(name)
        return Opened(
            id=name,
            link=link,
            who=Visitor(caller, "link", address_of(request)),
            issue=issue,
            told=await here.desk.told(issue.id, issue.generation),
            # Its answer may have been lost, and with it the note of its use.
            used_at=used_at or await here.desk.taken_at(issue.id, _key(name)),
        )


def _key(name: str) -> str:
    return f"link:{name}"


async def _holder(here: Doors, link: Link) -> Caller | None:
    if link.terms.audience is Audience.CUSTOMER:
        return Caller(id=CUSTOMER, role=Role.CUSTOMER, name=CUSTOMER)
    admitted = await here.registers.admission.by_person(link.person)
    return admitted.caller if admitted else None


async def turned_away(
    request: Request, here: Doors, notice: Notice, link: Link | None = None
) -> Response:
    """Say why a link opens nothing, once it is written down whose it was, if that is known."""
    known: dict[str, str] = {}
    if link is not None:
        acts = request.method == "POST" and link.terms.action
        known = {"what": acts or Right.SEE, "person": link.person, "number": link.number}
    strangers: audit.Strangers = request.app.state.strangers
    await strangers.note(request, by="link", why=notice.why, **({"what": "link"} | known))
    return await closed(request, here, notice)


async def closed(
    request: Request,
    here: Doors,
    notice: Notice,
    link: Link | None = None,
    sent: Sent | None = None,
) -> Response:
    """Say it without looking the issue up; what was written is still there to be sent again, and
    whom to call is said all the same.
    """
    return render(
        request,
        "link_closed.html",
        notice.status.value,
        notice=notice,
        link=link,
        lang=asked_language(request),
        sent=sent if sent and sent.filled.values else None,
        writings=WRITINGS,
        desk=await here.registers.staff.letterhead(),
    )


def asked_language(request: Request) -> Language | None:
    """Return the language that the reader chose on the page, if they did."""
    asked = request.query_params.get("lang")
    return next((each for each in ("zh", "en") if each == asked), None)


async def used_up(request: Request, here: Doors, found: Opened) -> None:
    """Write down that a link did what it is for. Not written down, it still does the same action
    only, and that is done.
    """
    with suppress(*SILENT):
        await here.registers.links.use(found.id, found.link, here.now(), address_of(request))
