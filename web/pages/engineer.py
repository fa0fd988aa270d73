"""The engineer's room: my issues by next due, and what can be done with each, on a phone."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from domain.issue.actions import ActionName
from domain.issue.view import IssueView, PromiseView
from domain.staff.access import Right, may
from domain.vocabulary import Stage
from starter.register import Filter
from web.auth.identity import SignedIn, require
from web.context import Here
from web.pages import issue as issue_page
from web.problems import not_yours
from web.rendering import Form, handles, render

router = APIRouter(include_in_schema=False)

_AT_MOST = 200
_OTHERS_TURN = frozenset({Stage.WAITING, Stage.CONFIRMING, Stage.APPROVING})
"""Somebody else is to do something before the engineer goes on."""
_RESOLVED = frozenset({Stage.RESOLVED, Stage.REPLIED, Stage.CALLBACK})


@router.get("/my")
async def my_issues(request: Request, here: Here, who: SignedIn) -> Response:
    """Show the open issues of whoever looks, nearest due first."""
    require(who, Right.SEE)
    if not handles(who.caller.role):
        raise not_yours(f"{who.caller.role} has no issues of their own")
    found = await here.desk.issues(Filter(engineer=who.caller.id, limit=_AT_MOST))
    mine = [each for each in found if may(who.caller, Right.SEE, each)]
    waiting = [each for each in mine if each.stage in _OTHERS_TURN and not each.unread]
    resolved = [each for each in mine if each.stage in _RESOLVED]
    apart = {each.id for each in (*waiting, *resolved)}
    return render(
        request,
        "engineer_list.html",
        who=who,
        mine=[each for each in mine if each.id not in apart],
        waiting=waiting,
        resolved=resolved,
        next_of=next_of,
    )


@router.get("/my/{number}")
async def my_issue(
    request: Request, here: Here, who: SignedIn, number: str, before: str | None = None
) -> Response:
    """Show one issue, its customer, its thread, and the forms for what can be done now."""
    return await issue_page.show(request, here, who, number, "/my", before=before)


@router.post("/my/{number}/{action}")
async def act(
    request: Request, here: Here, who: SignedIn, form: Form, number: str, action: ActionName
) -> Response:
    """Do it; the same form sent twice does it once."""
    return await issue_page.act(request, here, who, number, action, form, "/my")


def next_of(seen: IssueView) -> PromiseView | None:
    """Return the promise that is due next: what is to be done by then."""
    return next(
        (p for p in seen.promises if p.ended_at is None and p.due_at == seen.next_due_at), None
    )
