"""Finding an issue, from every page: by number, telephone, name, or any words of its thread.

What is looked for may be a customer's: it stands in no address. It is kept in a cookie of this page
alone, so that whoever comes back to what was found still finds it there.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response
from itsdangerous import BadData

from domain.finding import LONGEST, Answer
from domain.issue.actions import ActionName
from domain.staff.access import Right
from domain.vocabulary import SUPERVISORS, Role
from web.auth.identity import SignedIn, Visitor, has, require
from web.context import Doors, Here
from web.pages import issue as issue_page
from web.problems import not_yours
from web.rendering import Form, render, rooms

router = APIRouter(include_in_schema=False)

_PATH = "/find"
_COOKIE = "yinuo_find"
_REMEMBERED = 3600
"""Seconds."""


def searching(who: SignedIn) -> Visitor:
    """Let in whoever works at pages, and sees issues.

    Raises:
        Problem: 403.
    """
    require(who, Right.SEE)
    if not rooms(who.caller.role):
        raise not_yours("whoever has no pages finds issues by `GET /issues?find=`")
    return who


Searching = Annotated[Visitor, Depends(searching)]


@router.post(_PATH)
async def look_for(here: Here, who: Searching, form: Form) -> Response:
    """Take what is looked for, and go to what is found."""
    text = str(form.get("q", ""))[:LONGEST]
    answer = RedirectResponse(_PATH, HTTPStatus.SEE_OTHER)
    answer.set_cookie(
        _COOKIE,
        here.signer.timed("find").dumps([who.caller.id, text]),
        max_age=_REMEMBERED,
        path=_PATH,
        secure=here.settings.base_url.startswith("https://"),
        httponly=True,
        samesite="strict",
    )
    return answer


@router.get(_PATH)
async def found_page(request: Request, here: Here, who: Searching) -> Response:
    """Show what was found last; looks at customers are recorded before."""
    text = _asked(request, here, who)
    answer = await here.registers.finding.find(who.caller, text) if text else None
    if answer:
        await _seen(here, who, answer)
    return render(request, "find.html", who=who, text=text, answer=answer, at=_at(who))


@router.get(_PATH + "/{number}")
async def issue(request: Request, here: Here, who: Searching, number: str) -> Response:
    """Show one issue to whoever has no other page for it."""
    return await issue_page.show(request, here, who, number, _PATH)


@router.post(_PATH + "/{number}/{action}")
async def act(
    request: Request, here: Here, who: Searching, form: Form, number: str, action: ActionName
) -> Response:
    """Do it; the same form sent twice does it once."""
    return await issue_page.act(request, here, who, number, action, form, _PATH)


def _asked(request: Request, here: Doors, who: Visitor) -> str:
    """Read what this person looked for last."""
    try:
        said = here.signer.timed("find").loads(request.cookies.get(_COOKIE, ""), _REMEMBERED)
        person, text = said
    except (BadData, TypeError, ValueError):
        return ""
    return str(text) if person == who.caller.id else ""


def _at(who: Visitor) -> str:
    """Say where somebody looks at an issue."""
    if who.caller.role in SUPERVISORS:
        return "/board"
    return {Role.AGENT: "/intake", Role.ENGINEER: "/my"}.get(who.caller.role, _PATH)


async def _seen(here: Doors, who: Visitor, answer: Answer) -> None:
    """Write down the look, by the issues whose customers are shown (R30); not what was asked."""
    if not has(who, Right.SEE_CUSTOMER):
        return
    numbers: list[str | None] = [each.number for each in answer.found if each.private]
    entries = (who.entry(Right.SEE_CUSTOMER, "seen", number) for number in numbers or [None])
    await here.registers.audit_trail.note(*entries)
