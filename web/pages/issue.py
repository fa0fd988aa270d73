"""One issue, for whoever works on it: what it is, what was promised, and what can be done now.

Engineers come to it from their list, leads from their board: ``back`` is where from.
"""

from __future__ import annotations

from contextlib import suppress
from http import HTTPStatus

from fastapi import Request
from fastapi.responses import RedirectResponse, Response
from starlette.datastructures import FormData

from domain.for_customers.saying import in_both
from domain.issue.actions import ActionName
from domain.issue.intake import Intake
from domain.issue.view import IssueView
from domain.staff.access import Reach, Right, may, reach
from domain.terms import Terms
from domain.vocabulary import Role
from starter.client import Unavailable
from starter.registers import Found
from web import album, threads
from web.auth.identity import Visitor, has, require, saw
from web.context import Doors
from web.forms import submitting
from web.forms.actions import of_action
from web.forms.form import Choices, Field, Filled
from web.forms.submitting import Acted
from web.pages import beside
from web.pages.beside import BESIDE
from web.pages.faults import Codes, asking, fault_codes
from web.pages.people import priced
from web.problems import Problem
from web.rendering import render, terms_of

UP_FRONT = (
    *(ActionName.CALM, ActionName.ACCEPT, ActionName.VERIFY, ActionName.SURVEY),
    *(ActionName.CONFIRM, ActionName.QUOTE, ActionName.APPROVE),
    *(ActionName.RESUME, ActionName.RESOLVE),
    *(ActionName.REPORT_PROGRESS, ActionName.WAIT_FOR_CUSTOMER),
)
"""What is mostly done, in the order in which it is offered: the first one is open."""
BEHIND = (
    *(ActionName.REASSIGN, ActionName.TRANSFER, ActionName.CONSULT),
    *(ActionName.ESCALATE, ActionName.WITHDRAW, ActionName.RATE_DIFFICULTY),
)
ASKED = (ActionName.REPORT_TEST, ActionName.CONFIRM, ActionName.RESUME)
"""By which it is said what its customer meant who wrote after our answer, or to a quotation."""
_CASES = 3


async def show(
    request: Request,
    here: Doors,
    who: Visitor,
    number: str,
    back: str,
    tried: Acted | None = None,
    *,
    before: str | None = None,
) -> Response:
    """Show an issue, with its customer to whoever may see them; the look is recorded (R30). Of its
    thread the newest entries, or those ``before`` a place.

    Raises:
        Problem: 403, it is not among theirs.
        Refused: ``NotFound``.
    """
    seen = await here.desk.show(number)
    require(who, Right.SEE, seen)
    # What was refused stays, with what was written, though it may not be possible any more.
    can = [
        each
        for each in (*UP_FRONT, *BEHIND)
        if (tried and each is tried.action) or (each in seen.can and may(who.caller, each, seen))
    ]
    choices, codes = await _choices(here, seen, terms_of(request)), await fault_codes(here, seen)
    intake = await _intake(here, who, seen)
    return render(
        request,
        "issue.html",
        (tried.result.status if tried else HTTPStatus.OK).value,
        who=who,
        back=back,
        issue=seen,
        promises=[each for each in seen.promises if each.generation == seen.reopen_count + 1],
        talk=await threads.read(here, who, seen, before, written_down=intake is not None),
        told=await here.desk.told(seen.id, seen.reopen_count + 1),
        given=await here.desk.handed_over(seen.id, seen.reopen_count + 1),
        intake=intake,
        album=await album.album(here, who, seen, back),
        known=await _known(here, who, seen),
        **await priced(here, who, seen),
        centres=await _centres(here),
        forms=[_form(seen, each, choices, codes, tried) for each in can],
        beside=await beside.offered(here, who, seen, intake, tried),
        doing_at=back,
        related=await here.desk.related(seen.id),
        up_front=UP_FRONT,
        refused=tried is not None,
    )


async def act(
    request: Request,
    here: Doors,
    who: Visitor,
    number: str,
    action: ActionName,
    form: FormData,
    back: str,
) -> Response:
    """Do it, and show the issue; sent twice, it is done once. Refused, it stays as it was written.

    Raises:
        Problem: 403, 404.
    """
    offered = (*UP_FRONT, *BEHIND, *BESIDE)
    acted = await submitting.act(here, who, number, action, form, offered)
    seen, result = acted.issue, acted.result
    if result.done:
        theirs = may(who.caller, Right.SEE, result.done)
        return RedirectResponse(f"{back}/{seen.number}" if theirs else back, HTTPStatus.SEE_OTHER)
    if not may(who.caller, Right.SEE, seen):  # an expert's advice on somebody else's issue (R15)
        wrong = result.form.wrong.values()
        raise Problem(result.status, "; ".join(english for _, english in wrong))
    return await show(request, here, who, number, back, acted)


def asked(who: Visitor, seen: IssueView, tried: Acted | None) -> dict[ActionName, Filled]:
    """Return the forms by which somebody may say what its customer meant, as long as that is not
    seen to.
    """
    if not seen.unread:
        return {}
    return {
        each: tried.form(seen, each) if tried else Filled()
        for each in ASKED
        if each in seen.can and may(who.caller, each, seen)
    }


def _form(
    issue: IssueView, action: ActionName, choices: Choices, codes: Codes, tried: Acted | None
) -> tuple[ActionName, list[Field], Filled]:
    named = {"to": choices["departments" if action is ActionName.TRANSFER else "engineers"]}
    inputs = asking(of_action(action).offering({**named, "experts": choices["people"]}), codes)
    return action, inputs, tried.form(issue, action) if tried else Filled()


async def _intake(here: Doors, who: Visitor, seen: IssueView) -> Intake | None:
    """Return what the customer said and who they are, once the look is written down."""
    if not may(who.caller, Right.SEE_CUSTOMER, seen):
        return None
    await saw(here, who, Right.SEE_CUSTOMER, seen.number)
    issue = await here.desk.record(seen.id)
    return issue.intake if issue else None


async def _known(here: Doors, who: Visitor, seen: IssueView) -> list[Found]:
    """Find approved solutions by what the issue is called (R8)."""
    if not (seen.can and has(who, Right.SEARCH_CASES)):
        return []
    return await here.registers.cases.search(seen.title, seen.product_line, _CASES)


async def _centres(here: Doors) -> dict[str, str]:
    """Say what service centres are called; without the roster, their codes have to do."""
    with suppress(Unavailable):
        return await here.registers.staff.centre_names()
    return {}


async def _choices(here: Doors, seen: IssueView, terms: Terms) -> Choices:
    """Return what is chosen from: other departments, and people."""
    members = []
    with suppress(Unavailable):
        members = await here.registers.staff.members()
    departments = sorted({each.department for each in members} - {seen.department})
    experts = (each for each in members if reach(each.role, ActionName.CONSULT) is not Reach.NONE)
    people = sorted(((each.id, each.name) for each in experts), key=lambda each: each[1])
    engineers = [
        (each.id, each.name)
        for each in sorted(members, key=lambda each: each.name)
        if each.department == seen.department and each.role is Role.ENGINEER
    ]
    return {
        "departments": [(each, in_both(terms.department(each))) for each in departments],
        "engineers": engineers,
        "people": people,
    }
