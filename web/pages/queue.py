"""The hotline's queue: what came in by web, mail or chat and waits for an agent (R36)."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from domain.issue.actions import ActionName
from domain.sla.promise import PromiseKind
from domain.staff.access import Right, may
from starter.register import Filter
from web.auth.identity import SignedIn, Visitor, require
from web.context import Doors, Here
from web.forms import submitting
from web.forms.form import Filled
from web.forms.submitting import Acted
from web.pages.people import called
from web.rendering import Form, render

router = APIRouter(include_in_schema=False)

_MOST = 200
"""Issues shown at once, the nearest due first."""


@router.get("/queue")
async def queue_page(request: Request, here: Here, who: SignedIn) -> Response:
    """Show what waits for an agent, and what an agent has taken and not answered yet."""
    require(who, ActionName.TAKE)
    return await _page(request, here, who)


@router.post("/queue/{number}/{action}")
async def act(
    request: Request, here: Here, who: SignedIn, form: Form, number: str, action: ActionName
) -> Response:
    """Take one, and go to its page; whoever comes too late reads who has it."""
    acted = await submitting.act(here, who, number, action, form, (ActionName.TAKE,))
    if acted.result.done:
        return RedirectResponse(f"/intake/{acted.issue.number}", HTTPStatus.SEE_OTHER)
    return await _page(request, here, who, acted)


async def _page(
    request: Request, here: Doors, who: Visitor, tried: Acted | None = None
) -> Response:
    found = await here.desk.issues(Filter(queued=True, limit=_MOST))
    seen = [each for each in found if may(who.caller, Right.SEE, each)]
    due = {
        issue.number: promise.due_at
        for issue in seen
        for promise in issue.promises
        if promise.kind is PromiseKind.HAND_OVER and promise.ended_at is None
    }
    return render(
        request,
        "queue.html",
        (tried.result.status if tried else HTTPStatus.OK).value,
        who=who,
        waiting=[each for each in seen if each.taken_by is None],
        taken=[each for each in seen if each.taken_by is not None],
        due=due,
        keys={each.number: Filled().key for each in seen},
        called=await called(here),
        refused=tried.result.form.wrong if tried else {},
    )
