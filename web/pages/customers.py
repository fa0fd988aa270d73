"""The page of their issue, for a customer who holds any link that we sent them: where it stands,
who has it, when they hear, what was said, and what they can do now.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from http import HTTPStatus

from fastapi import Request
from fastapi.responses import Response
from starlette.datastructures import FormData

from domain.errors import Refused
from domain.for_customers.hearing import at_length, hears
from domain.for_customers.saying import Both
from domain.for_customers.situation import where_it_stands, who_has_it
from domain.for_customers.turn import (
    DECISIONS,
    THANKS,
    WRITINGS,
    Known,
    Offer,
    Turn,
    asked_by,
    turns,
)
from domain.instants import both
from domain.issue.actions import Act, ActionName
from domain.issue.conversation import following
from domain.issue.thread import Entry, Holds, Said, Sort, for_customer, is_theirs
from domain.issue.view import IssueView
from domain.links import PURPOSES, Link
from domain.staff.access import Right
from domain.texts import can_be_seen
from domain.vocabulary import Channel, Language, Means, Role
from starter.client import Busy, Unavailable
from web import album, audit
from web.audit import Deed
from web.context import Doors, address_of
from web.forms import actions
from web.forms.form import WHOLE, Filled, InvalidForm
from web.forms.submitting import Submitted, submit
from web.forms.wording import CHOOSE
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
from web.rendering import language, render, terms_of

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
    Turn.TEST: Both("谢谢您告诉我们。", "Thank you for telling us."),
    Turn.CONFIRM: Both("谢谢您的答复。", "Thank you for your answer."),
    Turn.EVALUATE: Both("谢谢您的评分。", "Thank you for your score."),
}
_ACTION: Mapping[Turn, ActionName] = {
    **dict.fromkeys(WRITINGS, ActionName.CUSTOMER_WROTE),
    **{turn: did for turn, purpose in DECISIONS.items() if (did := PURPOSES[purpose].action)},
}
_SOURCE = "link"
"""The source of what is written by a link about an issue that is over: it is one of its own."""
_NO_WORDS = ("请写一下您想说的。", "Please write what you would like to say.")
_ANOTHER_ISSUE = Both(
    "那件事已经结束，您写的已登记为新的问题 {number}，我们会尽快与您联系。",
    "That issue is over, so what you wrote is now issue {number}. We will contact you soon.",
)
_TOO_OFTEN = Notice(
    HTTPStatus.TOO_MANY_REQUESTS,
    "一小时内写得太多，这一条还没有收下。您写的还在下面：请稍后再发，或者致电我们。",
    "That was too much within an hour, and this is not taken yet. What you wrote is still below:"
    " please send it later, or call us.",
    "TooOften",
)


_TALK = 60
"""Entries of the thread, the newest, of which those are shown that are the customer's to read."""

_SHOWN = {Holds.TEXT, Holds.AMOUNT, Holds.INSTANT, Holds.YES_NO, Holds.NUMBER}
"""What of an entry is words, or a figure, to its customer."""


class TooOften(Refused):
    """So much was written about the issue by links that no more is taken now."""

    def __init__(self) -> None:
        super().__init__("NotAllowed", "too much was written by links within the hour")


def sent(link: Link, form: FormData) -> Sent:
    """Read which form of the page was sent, and what was written in it."""
    said = str(form.get(FORM, link.purpose))
    name = said if said in set(Turn) else ""
    return Sent(name, actions.of_turn(Turn(name)).filled(form)) if name else Sent("", Filled())


async def answer(request: Request, here: Doors, found: Opened, given: Sent | None) -> Response:
    """Show the page, or do what was sent and show what became of it."""
    if given is None:
        return await _page(request, here, found, _welcome(here, found))
    if not given.form:
        return await _refused(request, here, found, _NOTHING, given)
    turn = Turn(given.form)
    if obstacle := _obstacle(here, found, turn, given):
        return await _refused(request, here, found, obstacle, given)
    if turn in DECISIONS:
        return await _decide(request, here, found, turn, given)
    return await _write(request, here, found, turn, given)


def _offers(here: Doors, found: Opened) -> tuple[Offer, ...]:
    told = found.told
    announced = None if told.time_answered else told.expected_at
    known = Known(here.now(), used=found.used is not None, announced=announced)
    return turns(found.issue, found.link, known)


def _welcome(here: Doors, found: Opened) -> Notice | None:
    """Say what came of a link that was sent for something that is not to be done by it now."""
    link, issue = found.link, found.issue
    offered = {DECISIONS.get(offer.turn) for offer in _offers(here, found)}
    if link.terms.action is None or link.purpose in offered:
        return None
    if found.used_at:
        zh, en = both(found.used_at, issue.zone)
        return Notice(
            HTTPStatus.OK,
            f"您已在{zh}用这个链接答复过，谢谢。下面是现在的情况。",
            f"You answered by this link on {en}, thank you. This is how it stands now.",
        )
    return _REOPENED if link.generation != issue.generation else _MOVED_ON


def _obstacle(here: Doors, found: Opened, turn: Turn, given: Sent) -> Notice | None:
    """Say why something is not done by this link now; None: it is."""
    if DECISIONS.get(turn) is found.link.purpose and found.used:
        return found.used
    offer = next((each for each in _offers(here, found) if each.turn is turn), None)
    if offer is None:
        return REOPENED if found.link.generation != found.issue.generation else NOT_NOW
    if not offer.by_this_link:
        return _OLDER
    read = given.filled[QUOTED]
    return _ANOTHER_QUOTATION if read and read != _quotation(found) else None


def _quotation(found: Opened) -> str:
    asked = asked_by(found.issue, DECISIONS[Turn.CONFIRM])
    return asked.key if asked else ""


# What decides -------------------------------------------------------------------------------------


async def _decide(
    request: Request, here: Doors, found: Opened, turn: Turn, given: Sent
) -> Response:
    """Take a decision, once by this link however often it is sent."""
    purpose = DECISIONS[turn]
    asked = asked_by(found.issue, purpose)
    its_own = purpose is found.link.purpose or asked is None
    key = found.key if asked is None or its_own else f"{found.key}:{turn}:{asked.key}"
    form, action = actions.of_turn(turn), _ACTION[turn]

    async def do(_: Deed) -> IssueView:
        act = form.read(given.filled, found.issue.zone, by=found.who.caller.by)
        return await here.desk.act(found.issue.id, action, act, key=key)

    result = await submit(here, found.who, action, form, given.filled, do, found.link.number)
    if result.error is None and its_own:
        await used_up(request, here, found)
    return await _became(request, here, found, given, result, _DONE[turn])


# What is written ----------------------------------------------------------------------------------


async def _write(request: Request, here: Doors, found: Opened, turn: Turn, given: Sent) -> Response:
    """Bring what is written to whoever has the issue; to an issue of its own, if this one is over.
    Under the form's key it is one message, however often it is sent.
    """
    form, filled, spoken = actions.of_turn(turn), given.filled, _language(request, found)
    name = f"{found.key}:{filled.key}"
    button = WRITINGS[turn].button(filled["means"])

    async def do(_: Deed) -> IssueView:
        if button is None:
            raise InvalidForm({"means": CHOOSE})
        if not can_be_seen(filled["words"]):
            if button.says is None:
                raise InvalidForm({"words": _NO_WORDS})
            said = filled.saying({"words": button.says.said(spoken)})
        else:
            said = filled
        act = form.read(said, found.issue.zone, by=found.who.caller.by)
        at, address = here.now(), address_of(request)
        if not await here.registers.links.admit(name, found.link, at, address):
            raise TooOften
        return await _brought(here, found, name, act)

    action = ActionName.CUSTOMER_WROTE
    result = await submit(here, found.who, action, form, filled, do, found.link.number)
    thanks = THANKS[button.means] if button else THANKS[Means.WORDS]
    if result.done and result.done.id != found.issue.id:
        thanks = Both(*(said.format(number=result.done.number) for said in _ANOTHER_ISSUE))
    return await _became(request, here, found, given, result, thanks)


async def _brought(here: Doors, found: Opened, name: str, act: Act) -> IssueView:
    issue = found.issue
    try:
        return await here.desk.act(issue.id, ActionName.CUSTOMER_WROTE, act, key=name)
    except Refused as refused:
        if refused.type != "NotAllowed" or not issue.closed:
            raise
    wrote = issue.intake.model_copy(
        update={
            "source": _SOURCE,
            "reference": sha256(name.encode()).hexdigest()[:32],
            "channel": Channel.WEBSITE,
            "description": act.content()["words"],
            "reported_at": here.now(),
            "answering": False,
        }
    )
    wrote = following(issue.intake, wrote, await here.desk.terms())
    return await here.desk.open(wrote)


# What became of it --------------------------------------------------------------------------------


async def _became(
    request: Request,
    here: Doors,
    found: Opened,
    given: Sent,
    result: Submitted[IssueView],
    thanks: Both,
) -> Response:
    left = given._replace(filled=result.form)
    match result.error:
        case Unavailable() as error:
            busy = isinstance(error, Busy)
            return await closed(request, here, BUSY if busy else AWAY, found.link, given)
        case Refused() if WHOLE not in result.form.wrong:
            return await _page(request, here, found, WRONG, left)
        case Refused():
            notice = _TOO_OFTEN if isinstance(result.error, TooOften) else NOT_NOW
            left = left._replace(filled=result.form.but({}))  # the notice says it
        case None:
            notice = Notice(HTTPStatus.OK, *thanks)
    now = await opened(request, here, request.path_params["signed"], found.link)
    again = now if isinstance(now, Opened) else found
    return await _page(request, here, again, notice, left if notice.bad else None)


async def _refused(
    request: Request, here: Doors, found: Opened, notice: Notice, given: Sent
) -> Response:
    """Say why it is not done, once that is written down."""
    what = _ACTION[Turn(given.form)] if given.form else Right.SEE
    await audit.refused(here, found.who, what, notice.why, found.link.number)
    return await _page(request, here, found, notice, given)


# The page -----------------------------------------------------------------------------------------


def _language(request: Request, found: Opened) -> Language:
    """Choose the language: what is asked for on the page, else the customer's, or the browser's."""
    customers = found.issue.intake.customer.language
    return Language(asked_language(request) or customers or language(request))


async def _page(
    request: Request,
    here: Doors,
    found: Opened,
    notice: Notice | None,
    given: Sent | None = None,
) -> Response:
    issue, told, spoken = found.issue, found.told, _language(request, found)
    now, terms = here.now(), terms_of(request)
    said = await here.desk.thread(issue.id, limit=_TALK, newest=True)
    offers = _offers(here, found)
    written = {given.form: given.filled} if given else {}
    return render(
        request,
        "customer_issue.html",
        (notice.status if notice else HTTPStatus.OK).value,
        lang=spoken.value,
        desk=await here.registers.staff.letterhead(),
        notice=notice,
        # What was written where it cannot be sent any more.
        left_over=given.filled if given and given.form not in {o.turn for o in offers} else None,
        issue=issue,
        told=told,
        stands=where_it_stands(issue, spoken, terms),
        who_has_it=who_has_it(issue, spoken, terms),
        hears=hears(issue, now, spoken, told.expected_at),
        talk=[
            (each, _is_theirs(each), shown)
            for each in for_customer(said.entries)
            if (shown := _shown(each))
        ],
        at_length=lambda at: at_length(at, issue.zone, now, spoken),
        offers=[(o, written.get(o.turn) or _blank(o.turn)) for o in offers],
        writings=WRITINGS,
        quotation=_quotation(found),
        album=await album.customers_album(here, found.who, issue, request.path_params["signed"]),
    )


def _is_theirs(entry: Entry) -> bool:
    """Whether they said it, or somebody wrote it down for them; messages are ours, and so is what
    our people attached.
    """
    if entry.sort is Sort.ACT:
        return is_theirs(entry)
    if entry.sort is Sort.ATTACHMENT:
        return entry.who.role in {Role.CUSTOMER, Role.INTAKE}
    return entry.sort is not Sort.MESSAGE


def _shown(entry: Entry) -> list[Said]:
    """Return what an entry says to its customer: of a message in its short form the whole, of a
    file the name; the title stands above, and is said again where there are no other words.
    """
    beside = {"size"}
    if entry.says("full_text"):
        beside.add("body")
    if entry.says("description"):
        beside.add("title")
    return [
        each
        for each in entry.said
        if (each.holds in _SHOWN or each.field == "file") and each.field not in beside
    ]


def _blank(turn: Turn) -> Filled:
    return actions.blank(DECISIONS.get(turn, turn))
