"""Evaluations without a link (R26): the open page of customers, and what staff write down for them.

Whoever comes to the open page hears the same, whether a number exists or not.
"""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from domain.errors import Refused
from domain.issue.actions import ActionName
from domain.opinions import FromAnybody, FromStaff
from domain.staff.access import Right
from domain.vocabulary import ServiceItem
from starter.client import Unavailable
from web.audit import Deed
from web.auth.identity import SignedIn, has, require
from web.context import Doors, Here
from web.forms import evaluation
from web.forms.form import WHOLE, Filled
from web.forms.submitting import submit
from web.forms.wording import AWAY
from web.pages.opened import asked_language
from web.rendering import Form, Reason, render
from web.sent import form_of

router = APIRouter(include_in_schema=False)

OPEN = evaluation.form_of(FromAnybody)
OURS = evaluation.form_of(FromStaff)
_THANKS: Reason = (
    "收到了，谢谢您的评价。我们核对之后计入当月的统计。",
    "We have it, thank you. It counts for the month once we have checked it.",
)
_KEPT: Reason = ("评价已经记下。", "The evaluation is written down.")


# Customers ----------------------------------------------------------------------------------------


@router.get("/evaluate")
async def evaluate_page(request: Request, here: Here) -> Response:
    """Show the form to whoever comes."""
    return await _open(request, here, Filled())


@router.post("/evaluate")
async def evaluate(request: Request, here: Here) -> Response:
    """Keep what was filled in. The answer is the same for any number."""
    filled = OPEN.filled(await form_of(request))
    try:
        said = evaluation.read(OPEN, filled)
        zone = here.settings.zone
        await here.registers.opinions.from_website(filled.key, said, here.now(), zone)
    except Refused as wrong:
        refused = filled.but(OPEN.refused(wrong))
        return await _open(request, here, refused, HTTPStatus.UNPROCESSABLE_ENTITY)
    except Unavailable:
        unsent = filled.but({WHOLE: AWAY})
        return await _open(request, here, unsent, HTTPStatus.SERVICE_UNAVAILABLE)
    return await _open(request, here, Filled(), thanks=_THANKS)


async def _open(
    request: Request,
    here: Doors,
    filled: Filled,
    status: HTTPStatus = HTTPStatus.OK,
    *,
    thanks: Reason | None = None,
) -> Response:
    return render(
        request,
        "evaluate.html",
        status.value,
        filled=filled,
        thanks=thanks,
        inputs={each.name: each for each in OPEN.fields},
        items=tuple(ServiceItem),
        lang=asked_language(request),
        desk=await here.registers.staff.letterhead(),
    )


# Staff --------------------------------------------------------------------------------------------


@router.get("/evaluations")
async def evaluations_page(request: Request, here: Here, who: SignedIn, done: str = "") -> Response:
    """Show the form of what customers say by telephone or on paper, and what is to be settled."""
    require(who, Right.RECORD_OPINIONS)
    return await _ours(request, here, who, Filled(), thanks=_KEPT if done else None)


@router.post("/evaluations")
async def record(request: Request, here: Here, who: SignedIn, form: Form) -> Response:
    """Write an evaluation down; the same form sent twice does it once."""
    filled = OURS.filled(form)

    async def do(_: Deed) -> bool:
        require(who, Right.RECORD_OPINIONS)
        said = evaluation.read(OURS, filled)
        if said.number:
            try:
                require(who, ActionName.EVALUATE, await here.desk.show(said.number))
            except Refused:
                raise Refused("Invalid", f"number: there is no issue {said.number}") from None
        now, zone = here.now(), here.settings.zone
        await here.registers.opinions.from_staff(filled.key, said, who.caller.by, now, zone)
        return True

    result = await submit(here, who, Right.RECORD_OPINIONS, OURS, filled, do)
    if result.done:
        return RedirectResponse("/evaluations?done=1", HTTPStatus.SEE_OTHER)
    return await _ours(request, here, who, result.form, result.status)


@router.post("/evaluations/settle")
async def settle(request: Request, here: Here, who: SignedIn, form: Form) -> Response:
    """Say whether an evaluation from the open door counts."""
    key, counts = str(form.get("evaluation", "")), form.get("counts") == "yes"

    async def do(_: Deed) -> bool:
        require(who, Right.SETTLE_OPINIONS)
        await here.registers.opinions.settle(key, who.caller, here.now(), counts=counts)
        return True

    result = await submit(here, who, Right.SETTLE_OPINIONS, OURS, Filled(), do)
    if result.done:
        return RedirectResponse("/evaluations#waiting", HTTPStatus.SEE_OTHER)
    return await _ours(request, here, who, Filled(wrong=result.form.wrong), result.status)


async def _ours(
    request: Request,
    here: Doors,
    who: SignedIn,
    filled: Filled,
    status: HTTPStatus = HTTPStatus.OK,
    *,
    thanks: Reason | None = None,
) -> Response:
    waiting = []
    away = status is HTTPStatus.SERVICE_UNAVAILABLE  # what is written in the form stays
    if has(who, Right.SETTLE_OPINIONS) and not away:
        waiting = await here.registers.opinions.waiting()
    if waiting:
        await here.registers.audit_trail.note(who.entry(Right.SETTLE_OPINIONS, "seen"))
    return render(
        request,
        "evaluations.html",
        status.value,
        who=who,
        filled=filled,
        thanks=thanks,
        inputs={each.name: each for each in OURS.fields},
        items=tuple(ServiceItem),
        waiting=waiting,
        zone=here.settings.zone.key,
    )
