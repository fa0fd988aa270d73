"""The page of their issue, for a customer who holds any link that we sent them: where it stands,
who has it, when they hear, what was said, and what they can do now.
"""

from __future__ import annotations

from http import HTTPStatus

from fastapi import Request
from fastapi.responses import Response
from starlette.datastructures import FormData

from domain.errors import Refused
from domain.for_customers.hearing import hears
from domain.for_customers.situation import where_it_stands, who_has_it
from domain.for_customers.turn import DECISIONS, Offer, Turn, asked_by, turns
from domain.issue.view import IssueView, local
from domain.links import PURPOSES, Link
from domain.staff.access import Right
from domain.vocabulary import Language, ServiceItem
from starter.client import Busy, Unavailable
from web import audit
from web.audit import Deed
from web.context import Doors
from web.forms import actions
from web.forms.form import WHOLE, Filled
from web.forms.submitting import submit
from web.pages.opened import (
    AWAY,
    BUSY,
    NOT_NOW,
    REOPENED,
    WRONG,
    Notice,
    Opened,
    Sent,
    asked_language,
    closed,
    opened,
    used_up,
)
from web.rendering import language, render

FORM = "form"
"""The field that says which of a page's forms it is; of a link that is for one thing, that one."""
QUOTED = "quoted"
"""The field that says which quotation was read when it was answered."""

_OLDER = Notice(
    HTTPStatus.FORBIDDEN,
    "为了稳妥，这一步请用我们后来发给您的消息中的链接来做，或者致电我们。",
    "To be on the safe side, please do this by the link in our later message, or call us.",
    "OlderLink",
)
_NOTHING = Notice(HTTPStatus.METHOD_NOT_ALLOWED, "没有收到内容。", "Nothing was sent.", "OnlyShows")
_ANOTHER_QUOTATION = Notice(
    HTTPStatus.CONFLICT,
    "报价刚刚换成了新的，您的答复没有记录。请看下面的新报价，再答复一次。",
    "The quotation has just been replaced, so your answer was not recorded. Please see the new one"
    " below, and answer again.",
    "AnotherQuotation",
)
_REOPENED = Notice(
    HTTPStatus.OK,
    "这个链接发出以后，问题已经重新处理。下面是现在的情况。",
    "The issue was taken up again after this link was sent. This is how it stands now.",
)
_MOVED_ON = Notice(
    HTTPStatus.OK,
    "这个链接要您做的，现在不必做了。下面是现在的情况。",
    "What this link asked of you is not needed any more. This is how it stands now.",
)
_DONE = {
    Turn.TEST: ("谢谢您告诉我们。", "Thank you for telling us."),
    Turn.CONFIRM: ("谢谢您的答复。", "Thank you for your answer."),
    Turn.EVALUATE: ("谢谢您的评分。", "Thank you for your score."),
}


def sent(link: Link, form: FormData) -> Sent:
    """Read which form of the page was sent, and what was written in it."""
    said = str(form.get(FORM, link.purpose))
    name = said if said in set(Turn) else ""
    return Sent(name, actions.of_turn(Turn(name)).filled(form)) if name else Sent("", Filled())


async def answer(request: Request, here: Doors, found: Opened, given: Sent | None) -> Response:
    """Show the page, or do what was sent and show what became of it."""
    if given is None:
        return await _page(request, here, found, _welcome(found))
    if not given.form:
        return await _refused(request, here, found, _NOTHING, given)
    turn = Turn(given.form)
    if obstacle := _obstacle(found, turn, given):
        return await _refused(request, here, found, obstacle, given)
    return await _act(request, here, found, turn, given)


def _offers(found: Opened) -> tuple[Offer, ...]:
    return turns(found.issue, found.link, used=found.used is not None)


def _welcome(found: Opened) -> Notice | None:
    """Say what came of a link that was sent for something that is not to be done by it now."""
    link, issue = found.link, found.issue
    if link.terms.action is None or link.purpose in {
        DECISIONS[offer.turn] for offer in _offers(found)
    }:
        return None
    if found.used_at:
        at = local(found.used_at, issue.zone)
        return Notice(
            HTTPStatus.OK,
            f"您已在 {at} 用这个链接答复过，谢谢。下面是现在的情况。",
            f"You answered by this link on {at}, thank you. This is how it stands now.",
        )
    return _REOPENED if link.generation != issue.generation else _MOVED_ON


def _obstacle(found: Opened, turn: Turn, given: Sent) -> Notice | None:
    """Say why something is not done by this link now; None: it is."""
    purpose = DECISIONS[turn]
    if purpose is found.link.purpose and found.used:
        return found.used
    offer = next((each for each in _offers(found) if each.turn is turn), None)
    if offer is None:
        return REOPENED if found.link.generation != found.issue.generation else NOT_NOW
    if not offer.by_this_link:
        return _OLDER
    read = given.filled[QUOTED]
    return _ANOTHER_QUOTATION if read and read != _quotation(found) else None


def _quotation(found: Opened) -> str:
    asked = asked_by(found.issue, DECISIONS[Turn.CONFIRM])
    return asked.key if asked else ""


def _key(found: Opened, turn: Turn) -> str:
    """Name a decision, so that it is taken once by this link, however often it is sent."""
    purpose = DECISIONS[turn]
    asked = asked_by(found.issue, purpose)
    if purpose is found.link.purpose or asked is None:
        return found.key
    return f"{found.key}:{turn}:{asked.key}"


async def _act(request: Request, here: Doors, found: Opened, turn: Turn, given: Sent) -> Response:
    form, link = actions.of_turn(turn), found.link
    action = PURPOSES[DECISIONS[turn]].action
    assert action  # noqa: S101  what decides is an action

    async def do(_: Deed) -> IssueView:
        act = form.read(given.filled, found.issue.zone, by=found.who.caller.by)
        return await here.desk.act(found.issue.id, action, act, key=_key(found, turn))

    result = await submit(here, found.who, action, form, given.filled, do, link.number)
    match result.error:
        case Unavailable() as error:
            busy = isinstance(error, Busy)
            return await closed(request, here, BUSY if busy else AWAY, link, given)
        case Refused() if WHOLE not in result.form.wrong:
            return await _page(request, here, found, WRONG, given._replace(filled=result.form))
        case Refused():
            notice = NOT_NOW
        case None:
            if DECISIONS[turn] is link.purpose:
                await used_up(request, here, found)
            notice = Notice(HTTPStatus.OK, *_DONE[turn])
    now = await opened(request, here, request.path_params["signed"], link)
    again = now if isinstance(now, Opened) else found
    return await _page(request, here, again, notice, given if notice.bad else None)


async def _refused(
    request: Request, here: Doors, found: Opened, notice: Notice, given: Sent
) -> Response:
    """Say why it is not done, once that is written down."""
    turn = Turn(given.form) if given.form else None
    what = PURPOSES[DECISIONS[turn]].action if turn else None
    await audit.refused(here, found.who, what or Right.SEE, notice.why, found.link.number)
    return await _page(request, here, found, notice, given)


async def _page(
    request: Request,
    here: Doors,
    found: Opened,
    notice: Notice | None,
    given: Sent | None = None,
) -> Response:
    issue, told, desk = found.issue, found.told, await here.registers.staff.letterhead()
    chosen = asked_language(request) or issue.intake.customer.language or language(request)
    spoken = Language(chosen)
    offers = _offers(found)
    written = {given.form: given.filled} if given else {}
    return render(
        request,
        "customer_issue.html",
        (notice.status if notice else HTTPStatus.OK).value,
        lang=spoken.value,
        desk=desk,
        notice=notice,
        # What was written where it cannot be sent any more.
        left_over=given.filled if given and given.form not in {o.turn for o in offers} else None,
        issue=issue,
        told=told,
        stands=where_it_stands(issue, spoken),
        who_has_it=who_has_it(issue, spoken),
        hears=hears(issue, here.now(), spoken, told.expected_at),
        offers=[(o, written.get(o.turn) or actions.blank(DECISIONS[o.turn])) for o in offers],
        quotation=_quotation(found),
        items=ServiceItem,
    )
