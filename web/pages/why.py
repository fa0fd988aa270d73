"""Why the promises of an issue are due when they are: which days counted, and when they stood
still.

No customer data is on it: whoever may see the issue may see this (R30).
"""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from domain.sla.account import runs
from domain.staff.access import Right
from domain.vocabulary import ESCALATION
from web.auth.identity import SignedIn, require
from web.context import Here
from web.rendering import render

router = APIRouter(include_in_schema=False)


@router.get("/why/{number}")
async def why_page(request: Request, here: Here, who: SignedIn, number: str) -> Response:
    """Explain all promises of an issue, those that run first."""
    issue = await here.desk.show(number)
    require(who, Right.SEE, issue)
    explained = await here.desk.why(issue.number)
    return render(
        request,
        "why.html",
        who=who,
        issue=issue,
        explained=sorted(explained, key=lambda each: each.promise.ended_at is not None),
        runs=runs,
        rises_to=ESCALATION,
    )
