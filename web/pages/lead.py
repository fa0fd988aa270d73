"""The lead's room: what the department has open, who has how much of it, and who gets it next."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import model_validator

from domain.errors import Refused
from domain.issue.actions import ActionName
from domain.issue.view import IssueView, PromiseView
from domain.sla.promise import CUSTOMERS
from domain.staff.access import Reach, Right, may, reach
from domain.staff.duty import Duty
from domain.staff.qualification import Ending, ending
from domain.staff.roster import Member
from domain.vocabulary import SUPERVISORS, Code, Model, Role, Stage
from starter.register import Filter, Place
from starter.registers import Load
from web import album, threads
from web.auth.identity import SignedIn, Visitor, require, saw
from web.context import Doors, Here
from web.forms import submitting
from web.forms.actions import of_action
from web.forms.form import Filled
from web.forms.submitting import Acted
from web.pages import beside
from web.pages.beside import BESIDE
from web.pages.issue import ASKED, asked
from web.pages.people import departments, priced
from web.pages.policy import adopted
from web.problems import Problem, not_yours, refusal
from web.rendering import Form, render, terms_of

router = APIRouter(include_in_schema=False)

_AT_ONCE = 60
"""Issues on one page of the board."""
_DECIDED = (ActionName.APPROVE, ActionName.RATE_DIFFICULTY, ActionName.CONFIRM)
_HERE = (*_DECIDED, ActionName.REASSIGN, ActionName.ESCALATE, ActionName.WITHDRAW)
"""What a lead does from here; the rest of their rights they have at the other doors."""
_IN_THE_ROW = frozenset({ActionName.REASSIGN, ActionName.ESCALATE})
_NARROWS = {"kind", "category", "engineer", "stage", "overdue", "unassigned"}
"""What somebody asks for beside the department."""


class Wanted(Model):
    """What of the board somebody wants to see; a filter that is left empty does not filter."""

    department: Code | None = None
    kind: Code | None = None
    category: Code | None = None
    engineer: Code | None = None
    stage: Stage | None = None
    overdue: bool = False
    unassigned: bool = False
    after: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _empty_means_all(cls, said: Any) -> Any:
        return {name: value for name, value in said.items() if value not in {"", None}}

    @property
    def query(self) -> str:
        """Write it down for an address, without the page."""
        said = self.model_dump(mode="json", exclude_defaults=True, exclude={"after"})
        return urlencode({name: "true" if value is True else value for name, value in said.items()})


@dataclass(frozen=True)
class Colleague:
    """An engineer, with what they have open. ``next_duty`` is None on duty, and if nobody knows.
    ``ending`` is what of their papers counts no more, or not much longer (R46).
    """

    member: Member
    load: Load
    on_duty: bool
    next_duty: datetime | None
    ending: Sequence[Ending]


@dataclass(frozen=True)
class _Staff:
    """Who is there to give issues to, and what is open with nobody."""

    colleagues: Sequence[Colleague]
    loads: Sequence[Load]
    zone: str
    today: date
    centres: Mapping[str, str]

    def of(self, department: str) -> list[Colleague]:
        """Return a department's engineers: on duty first, those with the least before others."""
        found = (each for each in self.colleagues if each.member.department == department)
        return sorted(found, key=lambda c: (not c.on_duty, c.load.open, c.member.id))

    @property
    def counts(self) -> Mapping[str, int]:
        """Count what is open, overdue, and with nobody."""
        return {
            "open": sum(each.open for each in self.loads),
            "overdue": sum(each.overdue for each in self.loads),
            "unassigned": sum(each.open for each in self.loads if each.engineer is None),
        }


def supervising(who: SignedIn) -> Visitor:
    """Let in whoever answers for a department, or for all.

    Raises:
        Problem: 403.
    """
    if who.caller.role not in SUPERVISORS:
        raise not_yours("the board is for leads, managers and the GM office")
    return who


Supervisor = Annotated[Visitor, Depends(supervising)]
Chosen = Annotated[Wanted, Query()]


# What is seen -------------------------------------------------------------------------------------


@router.get("/board")
async def board_page(request: Request, here: Here, who: Supervisor, wanted: Chosen) -> Response:
    """Show the department's open issues by due time, and who has how many."""
    return await _board(request, here, who, wanted)


@router.get("/board/{number}")
async def issue_page(
    request: Request, here: Here, who: Supervisor, number: str, before: str | None = None
) -> Response:
    """Show one issue with its customer and its thread; the look is recorded."""
    return await _issue(request, here, who, await here.desk.show(number), before=before)


@router.get("/board/{number}/colleagues")
async def colleagues_part(request: Request, here: Here, who: Supervisor, number: str) -> Response:
    """Show whom an issue can be given to, for the form of its row."""
    seen = await here.desk.show(number)
    require(who, Right.SEE, seen)
    staff = await _staff(here, seen.department)
    return render(request, "lead_colleagues.html", who=who, issue=seen, staff=staff)


# What is done -------------------------------------------------------------------------------------


@router.post("/board/{number}/{action}")
async def act(
    request: Request,
    here: Here,
    who: Supervisor,
    form: Form,
    number: str,
    action: ActionName,
    wanted: Chosen,
) -> Response:
    """Do it; the same form sent twice does it once. ``from`` says on which page it stands."""
    offered = (*_HERE, *BESIDE, *ASKED)
    acted = await submitting.act(here, who, number, action, form, offered)
    tried = acted if acted.result.error else None
    if form.get("from") == "issue":
        if tried is None:
            return RedirectResponse(f"/board/{acted.issue.number}", HTTPStatus.SEE_OTHER)
        return await _issue(request, here, who, acted.issue, tried)
    if "hx-request" in request.headers and action in _IN_THE_ROW:
        return await _row(request, here, who, await here.desk.show(number), wanted, tried)
    if tried is None:
        return RedirectResponse(f"/board?{wanted.query}".rstrip("?"), HTTPStatus.SEE_OTHER)
    return await _board(request, here, who, wanted, tried)


# How it is shown ----------------------------------------------------------------------------------


async def _board(
    request: Request, here: Doors, who: Visitor, wanted: Wanted, tried: Acted | None = None
) -> Response:
    mine = _department(who, wanted)
    asked = Filter(
        department=mine, limit=_AT_ONCE, or_written_to=True, **wanted.model_dump(include=_NARROWS)
    )
    place = _place(wanted.after)
    staff, (found, following) = await asyncio.gather(
        _staff(here, mine), here.desk.page(asked, place)
    )
    if not found and place is None and (wrong := asked.unheard(terms_of(request))):
        raise refusal(Refused("Invalid", "\n".join(wrong)))
    return _render(
        request,
        "lead_board.html",
        who,
        tried,
        issues=found,
        following=following.text if following else None,
        staff=staff,
        colleagues=staff.of(mine) if mine else staff.colleagues,
        departments=await departments(here) if _sees_all(who) else [],
        wanted=wanted,
        in_row=_IN_THE_ROW,
    )


async def _row(
    request: Request,
    here: Doors,
    who: Visitor,
    seen: IssueView,
    wanted: Wanted,
    tried: Acted | None,
) -> Response:
    """Show one row, in place of the one a form was sent from; ``X-Part`` says that it is one. An
    issue that is not theirs any more has none.
    """
    if not may(who.caller, Right.SEE, seen):
        return Response(headers={"X-Part": "row"})
    staff = await _staff(here, seen.department)
    page = _render(
        request,
        "lead_row.html",
        who,
        tried,
        issue=seen,
        staff=staff,
        wanted=wanted,
        done=tried is None,
        in_row=_IN_THE_ROW,
    )
    page.headers["X-Part"] = "row"
    return page


async def _issue(
    request: Request,
    here: Doors,
    who: Visitor,
    seen: IssueView,
    tried: Acted | None = None,
    *,
    before: str | None = None,
) -> Response:
    require(who, Right.SEE, seen)
    customer = None
    if may(who.caller, Right.SEE_CUSTOMER, seen):
        await saw(here, who, Right.SEE_CUSTOMER, seen.number)
        known = await here.desk.record(seen.id)
        customer = known.intake if known else None
    return _render(
        request,
        "lead_issue.html",
        who,
        tried,
        issue=seen,
        intake=customer,
        album=await album.album(here, who, seen, "/board"),
        talk=await threads.read(here, who, seen, before, written_down=customer is not None),
        **await priced(here, who, seen),
        given=await here.desk.handed_over(seen.id, seen.reopen_count + 1),
        deciding=[(each, of_action(each).fields) for each in _DECIDED],
        asked=asked(who, seen, tried),
        staff=await _staff(here, seen.department),
        in_row=[each for each in _HERE if each not in _DECIDED],
        beside=await beside.offered(here, who, seen, customer, tried),
        doing_at="/board",
        related=await here.desk.related(seen.id),
    )


def _render(
    request: Request, template: str, who: Visitor, tried: Acted | None, **facts: Any
) -> Response:
    return render(
        request,
        template,
        (tried.result.status if tried else HTTPStatus.OK).value,
        who=who,
        filled=tried.form if tried else lambda *_: Filled(),
        can=lambda issue, action: action in issue.can and may(who.caller, action, issue),
        next_promise=_next_promise,
        **facts,
    )


def _next_promise(seen: IssueView) -> PromiseView | None:
    """Return the promise that is due next; what the customer has to do is none of ours."""
    running = [
        each
        for each in seen.promises
        if each.ended_at is None and not each.paused and each.kind not in CUSTOMERS
    ]
    return min(running, key=lambda each: each.due_at, default=None)


def _sees_all(who: Visitor) -> bool:
    return reach(who.caller.role, Right.SEE) is Reach.ALL


def _department(who: Visitor, wanted: Wanted) -> str | None:
    """Return whose issues are shown; None: everybody's.

    Raises:
        Problem: 403, they asked for another department's.
    """
    if _sees_all(who):
        return wanted.department
    own = who.caller.department or ""
    if wanted.department not in {None, own}:
        raise not_yours(f"the issues of {wanted.department} are not for {who.caller.id}")
    return own


def _place(text: str | None) -> Place | None:
    if text is None:
        return None
    try:
        return Place.read(text)
    except ValueError:
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "after: begin with the first page") from None


async def _staff(here: Doors, department: str | None) -> _Staff:
    """Say who is on duty and what they have open, in a department or in all."""
    now = here.now()
    staff = here.registers.staff
    loads, members, rulebook = (
        await staff.loads(department),
        await staff.members(),
        await adopted(here),
    )
    duty, by_engineer = Duty(rulebook), {each.engineer: each for each in loads}
    today, asked = duty.day(now), rulebook.policy.qualification
    told_by = today + timedelta(days=asked.told_days_before)
    colleagues = [
        Colleague(
            each,
            by_engineer.get(each.id, Load(engineer=each.id, open=0, overdue=0)),
            on_duty := duty.on_duty(each, now),
            None if on_duty else duty.next_duty(each, now),
            tuple(ending(each.certified, each.tests, today, told_by, asked)),
        )
        for each in members
        if each.role is Role.ENGINEER and department in {None, each.department}
    ]
    centres = await staff.centre_names()
    return _Staff(colleagues, loads, rulebook.policy.zone, today, centres)
