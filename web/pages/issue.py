"""One issue, for whoever works on it: what it is, what was promised, and what can be done now.

Engineers come to it from their list, leads from their board: ``back`` is where from.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from http import HTTPStatus
from secrets import token_hex
from types import MappingProxyType

from fastapi import Request
from fastapi.responses import RedirectResponse, Response
from starlette.datastructures import FormData

from domain.errors import Refused
from domain.issue.actions import ActionName
from domain.issue.intake import Intake
from domain.issue.view import IssueView
from domain.staff.access import Right, may
from domain.vocabulary import Role
from starter.client import Unavailable
from store import AWAY, cases, issue_reader, roster
from store.cases import Found
from web import audit
from web.auth.identity import Visitor, has, require, saw
from web.context import Doors
from web.forms import fields
from web.forms.fields import Choices, Field, Sheet, Wrong
from web.problems import RETRY_AFTER, Problem, refusal
from web.rendering import Reason, render

UP_FRONT = (
    *(ActionName.ACCEPT, ActionName.VERIFY, ActionName.SURVEY, ActionName.QUOTE),
    *(ActionName.APPROVE, ActionName.RESUME, ActionName.RESOLVE),
    *(ActionName.REPORT_PROGRESS, ActionName.WAIT_FOR_CUSTOMER),
)
"""What is mostly done, in the order in which it is offered: the first one is open."""
BEHIND = (
    *(ActionName.REASSIGN, ActionName.TRANSFER, ActionName.CONSULT, ActionName.CONFIRM),
    *(ActionName.ESCALATE, ActionName.WITHDRAW, ActionName.RATE_DIFFICULTY),
)
_CASES = 3
_STEPS = 8
_AWAY: Reason = (
    "系统暂时没有回应：内容都还在，请稍后再次提交，不会重复",
    "The desk does not answer just now: nothing is lost, send it again, it is done once",
)


async def show(
    request: Request,
    here: Doors,
    who: Visitor,
    number: str,
    back: str,
    sheets: Mapping[ActionName, Sheet] = MappingProxyType({}),
    status: HTTPStatus = HTTPStatus.OK,
) -> Response:
    """Show an issue, with its customer to whoever may see them; the look is recorded (R30).

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
        if each in sheets or (each in seen.can and may(who.caller, each, seen))
    ]
    choices = await _choices(here, seen)
    return render(
        request,
        "issue.html",
        status.value,
        who=who,
        back=back,
        issue=seen,
        promises=[each for each in seen.promises if each.generation == seen.reopen_count + 1],
        steps=seen.steps[-_STEPS:][::-1],
        told=await issue_reader.outlook(here.pool, seen.id, seen.reopen_count + 1),
        intake=await _intake(here, who, seen),
        known=await _known(here, who, seen),
        forms=[_form(each, choices, sheets) for each in can],
        up_front=UP_FRONT,
        refused=bool(sheets),
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
    seen = await here.desk.show(number)
    if action not in (*UP_FRONT, *BEHIND):
        raise Problem(HTTPStatus.NOT_FOUND, f"{action} is not done here")
    sheet = fields.written(action, form)
    try:
        async with audit.written(here, who, action, seen.number):
            require(who, action, seen)
            said = fields.act(action, sheet, who.caller.by, seen.zone)
            after = await here.desk.act(seen.number, action, said, key=f"page:{sheet.key}")
    except Wrong as error:
        wrong, status = error.reasons, HTTPStatus.UNPROCESSABLE_ENTITY
    except Refused as error:
        # Under the same key the desk would only say the same again.
        sheet = replace(sheet, key=token_hex(16))
        wrong, status = fields.refused(error), refusal(error).status
    except Unavailable:
        wrong, status = {"form": _AWAY}, HTTPStatus.SERVICE_UNAVAILABLE
    else:
        theirs = may(who.caller, Right.SEE, after)
        return RedirectResponse(f"{back}/{seen.number}" if theirs else back, HTTPStatus.SEE_OTHER)
    if not may(who.caller, Right.SEE, seen):  # an expert's advice on somebody else's issue (R15)
        raise Problem(status, "; ".join(english for _, english in wrong.values()))
    page = await show(request, here, who, number, back, {action: sheet.but(wrong)}, status)
    if status is HTTPStatus.SERVICE_UNAVAILABLE:
        page.headers["Retry-After"] = str(RETRY_AFTER)
    return page


def _form(
    action: ActionName, choices: Choices, sheets: Mapping[ActionName, Sheet]
) -> tuple[ActionName, list[Field], Sheet]:
    named = {"to": choices["departments" if action is ActionName.TRANSFER else "engineers"]}
    inputs = fields.form(action, {**named, "experts": choices["people"]})
    return action, inputs, sheets.get(action) or Sheet()


async def _intake(here: Doors, who: Visitor, seen: IssueView) -> Intake | None:
    """Return what the customer said and who they are, once the look is written down."""
    if not may(who.caller, Right.SEE_CUSTOMER, seen):
        return None
    await saw(here, who, Right.SEE_CUSTOMER, seen.number)
    issue = await issue_reader.state(here.pool, seen.id)
    return issue.intake if issue else None


async def _known(here: Doors, who: Visitor, seen: IssueView) -> list[Found]:
    """Find approved solutions by what the issue is called (R8)."""
    if not (seen.can and has(who, Right.SEARCH_CASES)):
        return []
    return await cases.search(here.pool, seen.title, seen.product_line, _CASES)


async def _choices(here: Doors, seen: IssueView) -> Choices:
    """Return what is chosen from: other departments, and people."""
    members = []
    with suppress(*AWAY):
        async with here.pool.acquire() as connection:
            members = await roster.members(connection)
    departments = sorted({each.department for each in members} - {seen.department})
    people = sorted(((each.id, each.name) for each in members), key=lambda each: each[1])
    engineers = [
        (each.id, each.name)
        for each in sorted(members, key=lambda each: each.name)
        if each.department == seen.department and each.role is Role.ENGINEER
    ]
    return {
        "departments": [(each, each) for each in departments],
        "engineers": engineers,
        "people": people,
    }
