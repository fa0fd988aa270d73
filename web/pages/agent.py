"""The hotline agent's room: who is calling, what is known of it already, and what they are told."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import ValidationError

from domain.errors import Refused
from domain.issue.actions import PUBLIC_ACTIONS, ActionName
from domain.issue.view import IssueView
from domain.knowledge.cases import KnownCase
from domain.sla.promise import PromiseKind
from domain.staff.access import Right, may
from domain.vocabulary import Category, Channel, CustomerType, Kind, Severity
from starter.client import Unavailable
from store import AWAY, cases, customers, door_log, roster
from store.cases import Found
from store.customers import Known, Reported
from store.issue_reader import Filter
from web import audit
from web.auth.identity import Signed, Visitor, has, require
from web.context import Doors, Here
from web.forms import intake as intake_form
from web.forms.intake import Reason, Sheet, Wrong
from web.opening import registered
from web.problems import RETRY_AFTER, Problem, refusal
from web.rendering import Form, render

router = APIRouter(include_in_schema=False)

_CALLED = ("phone", "organisation", "name", "contact")
"""Fields that tell who is calling, the surest first."""
_CASES = 5
_KEY = re.compile(r"[0-9a-f]{32}")
_AWAY: Reason = (
    "系统暂时没有回应：内容都还在，请稍后再次提交",
    "The desk does not answer just now: nothing is lost, send it again in a moment",
)
_CASE = re.compile(r"C-\d+")
ON_THE_LINE = (
    *(ActionName.ANSWER, ActionName.REPORT_TEST),
    *(ActionName.ESCALATE, ActionName.WITHDRAW),
)
"""What an agent does for a customer who is on the line."""
_CHOICES = {
    "types": CustomerType,
    "severities": Severity,
    "kinds": Kind,
    "categories": Category,
    "channels": Channel,
}
_TELL: Mapping[PromiseKind, Reason] = {
    PromiseKind.HAND_OVER: (
        "热线答复您，或转给工程师，最迟",
        "The hotline answers it, or gives it to an engineer, by",
    ),
    PromiseKind.RESPONSE: ("工程师与您联系，最迟", "An engineer contacts you by"),
    PromiseKind.VERIFICATION: ("投诉核实完毕，最迟", "Your complaint is looked into by"),
    PromiseKind.SURVEY: ("上门勘察，最迟", "The site is surveyed by"),
    PromiseKind.QUOTATION: ("给您报价，最迟", "You have our quotation by"),
    PromiseKind.APPROVAL: ("内部审批完毕，最迟", "It is approved or not by"),
    PromiseKind.RESOLUTION: ("问题解决，最迟", "It is solved by"),
    PromiseKind.CALLBACK: ("我们回访您，最迟", "We call you back by"),
    PromiseKind.CUSTOMER_TEST: ("请您试用并告诉我们结果，至", "Please try it and tell us by"),
    PromiseKind.CONFIRMATION: ("请您确认报价，至", "Please confirm the quotation by"),
    PromiseKind.WAITING: ("等您的消息，至", "We wait for you until"),
}
"""What a customer is told of a promise that runs; an instant follows."""


# The form, and what is found for it ---------------------------------------------------------------


@router.get("/intake")
async def intake_page(request: Request, here: Here, who: Signed) -> Response:
    """Show an empty form, and what this agent has open."""
    require(who, Right.FIND_CUSTOMERS)
    return await _page(request, here, who, intake_form.blank())


@router.post("/intake/customers")
async def find_customers(request: Request, here: Here, who: Signed, form: Form) -> Response:
    """Show who may be calling, by what is written already; the field being written counts first."""
    require(who, Right.FIND_CUSTOMERS)
    sheet = intake_form.written(form)
    if not _by_htmx(request):
        return await _page(request, here, who, sheet, look=True)
    typed = request.headers.get("hx-trigger-name", "")
    found = await _find(here, who, sheet, typed)
    return render(request, "agent_customers.html", sheet=sheet, customers=found)


@router.post("/intake/customer")
async def choose_customer(request: Request, here: Here, who: Signed, form: Form) -> Response:
    """Fill in the customer of an issue, and their machine if that was asked for."""
    require(who, Right.FIND_CUSTOMERS)
    machine = str(form.get("machine", ""))
    known = await customers.known(here.pool, machine or str(form.get("choose", "")))
    sheet = intake_form.written(form)
    if known is not None:
        await _seen(here, who, [known])
        sheet = sheet.of_customer(known, machine=bool(machine))
    if not _by_htmx(request):
        return await _page(request, here, who, sheet, look=True)
    already = await _already(here, who, sheet)
    lists = await _lists(here)
    return render(request, "agent_chosen.html", sheet=sheet, already=already, oob=True, **lists)


@router.post("/intake/cases")
async def find_cases(request: Request, here: Here, who: Signed, form: Form) -> Response:
    """Show approved solutions for what is written already (R8), and what is open on it. Customers
    are looked for only for those who may find them.
    """
    require(who, Right.SEARCH_CASES)
    sheet = intake_form.written(form)
    if not _by_htmx(request):
        return await _page(request, here, who, sheet, look=True)
    found, already = await _cases(here, who, sheet), await _already(here, who, sheet)
    return render(request, "agent_cases.html", sheet=sheet, cases=found, already=already, oob=True)


@router.post("/intake")
async def register(request: Request, here: Here, who: Signed, form: Form) -> Response:
    """Register the issue; the same form sent twice is one issue (R1, R2)."""
    require(who, Right.OPEN)
    sheet = intake_form.written(form)
    try:
        intake = intake_form.intake(sheet, who.caller.id, here.now(), here.settings.zone)
        async with audit.written(here, who, Right.OPEN) as deed:
            opened = await registered(here, who, intake, deed)
    except Wrong as wrong:
        return await _again(request, here, who, sheet.but(wrong.reasons))
    except Refused as refused:
        return await _again(request, here, who, sheet.but(intake_form.refused(refused)))
    except Unavailable:
        return await _away(request, here, who, sheet)
    if opened.view is None:
        return await _page(request, here, who, sheet, status=HTTPStatus.ACCEPTED)
    marked = f"?case={sheet['case']}" if _CASE.fullmatch(sheet["case"]) else ""
    return RedirectResponse(f"/intake/{opened.view.number}{marked}", HTTPStatus.SEE_OTHER)


async def _again(request: Request, here: Doors, who: Visitor, sheet: Sheet) -> Response:
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    return await _page(request, here, who, sheet, look=True, status=status)


async def _away(request: Request, here: Doors, who: Visitor, sheet: Sheet) -> Response:
    """Keep what is written, with its reference: sent again, it is still one issue."""
    status = HTTPStatus.SERVICE_UNAVAILABLE
    page = await _page(request, here, who, sheet, status=status)
    page.headers["Retry-After"] = str(RETRY_AFTER)
    return page


async def _page(
    request: Request,
    here: Doors,
    who: Visitor,
    sheet: Sheet,
    *,
    look: bool = False,
    status: HTTPStatus = HTTPStatus.OK,
) -> Response:
    """Show the whole page; with ``look``, also what is found for what is written."""
    found: dict[str, Any] = {"customers": None, "cases": None, "already": []}
    mine: list[IssueView] = []
    with suppress(*AWAY, Unavailable):  # the form is of use without all of that
        if look:
            found["customers"] = await _find(here, who, sheet, "")
            found["cases"] = await _cases(here, who, sheet)
            found["already"] = await _already(here, who, sheet)
        mine = await _mine(here, who)
    return render(
        request,
        "agent_intake.html",
        status.value,
        who=who,
        sheet=sheet,
        mine=mine,
        away=status is HTTPStatus.SERVICE_UNAVAILABLE,
        pending=status is HTTPStatus.ACCEPTED,
        numbered=intake_form.is_agent(who.caller.id),
        **found,
        **await _lists(here),
    )


async def _find(here: Doors, who: Visitor, sheet: Sheet, typed: str) -> list[Known]:
    """Find who may be calling, for those who may know. Every look is recorded, not what was asked
    (R30).
    """
    if not has(who, Right.FIND_CUSTOMERS):
        return []
    first = [typed] if typed in _CALLED else []
    for name in dict.fromkeys((*first, *_CALLED)):
        if found := await customers.find(here.pool, sheet[name]):
            break
    else:
        found = []
    await _seen(here, who, found)
    return found


async def _seen(here: Doors, who: Visitor, found: Sequence[Known]) -> None:
    """Write down the look before it is shown: by the issues the data are from."""
    numbers: list[str | None] = [each.origin.number for each in found]
    entries = (who.entry(Right.FIND_CUSTOMERS, "seen", number) for number in numbers or [None])
    await door_log.note(here.pool, *entries)


async def _cases(here: Doors, who: Visitor, sheet: Sheet) -> list[Found]:
    if not sheet.question or not has(who, Right.SEARCH_CASES):
        return []
    return await cases.search(
        here.pool, sheet.question, sheet["product_line"].strip() or None, _CASES
    )


async def _already(here: Doors, who: Visitor, sheet: Sheet) -> list[Reported]:
    """What the chosen customer has open on the same product: perhaps it is the same issue."""
    product = sheet["product_line"].strip().casefold()
    if not (sheet["chosen"] and product and has(who, Right.FIND_CUSTOMERS)):
        return []
    known = await customers.known(here.pool, sheet["chosen"])
    issues = known.issues if known else ()
    return [each for each in issues if each.open and each.product_line.casefold() == product]


async def _lists(here: Doors) -> dict[str, Any]:
    """What can be chosen from."""
    regions: list[str] = []
    products: set[str] = set()
    with suppress(*AWAY):
        async with here.pool.acquire() as connection:
            regions = await roster.regions(connection)
            members = await roster.members(connection)
        products = {each.product_line for member in members for each in member.certified}
    return {**_CHOICES, "regions": regions, "products": sorted(products)}


async def _mine(here: Doors, who: Visitor) -> list[IssueView]:
    found = await here.desk.issues(Filter(agent=who.caller.id))
    return [each for each in found if may(who.caller, Right.SEE, each)]


# An issue, while its customer is on the line ------------------------------------------------------


@router.get("/intake/{number}")
async def told_page(
    request: Request, here: Here, who: Signed, number: str, case: str = ""
) -> Response:
    """Show what to tell the customer, and what can be done for them at once."""
    seen = await here.desk.show(number)
    return await _told(request, here, who, seen, {"case": case} if case else {})


@router.post("/intake/{number}/{action}")
async def act(
    request: Request, here: Here, who: Signed, form: Form, number: str, action: ActionName
) -> Response:
    """Do it for the customer on the line; the same form sent twice does it once."""
    seen = await here.desk.show(number)
    if action not in ON_THE_LINE:
        raise Problem(HTTPStatus.NOT_FOUND, f"{action} is not done here")
    require(who, action, seen)
    values = {name: str(value) for name, value in form.items()}
    try:
        said = PUBLIC_ACTIONS[action].model_validate(_said(action, values) | {"by": who.caller.by})
        async with audit.written(here, who, action, seen.number):
            await here.desk.act(seen.number, action, said, key=_key(values))
    except ValidationError as error:
        wrong: Mapping[str, Reason] = intake_form.reasons(error)
        status = HTTPStatus.UNPROCESSABLE_ENTITY
    except Refused as refused:
        wrong, status = intake_form.refused(refused), refusal(refused).status
        values.pop("key", None)  # under the same key the desk would only say the same again
    except Unavailable:
        wrong, status = {"form": _AWAY}, HTTPStatus.SERVICE_UNAVAILABLE
    else:
        return RedirectResponse(f"/intake/{seen.number}", HTTPStatus.SEE_OTHER)
    return await _told(request, here, who, seen, values, action, wrong, status)


def _said(action: ActionName, values: Mapping[str, str]) -> dict[str, Any]:
    """Read a form as the fields of its action: an empty box means no, an empty text nothing."""
    said: dict[str, Any] = {}
    for name, field in PUBLIC_ACTIONS[action].model_fields.items():
        if field.annotation is bool and not field.is_required():
            said[name] = name in values
        elif values.get(name, "").strip():
            said[name] = values[name]
    return said


async def _told(  # noqa: PLR0913, PLR0917  all that is on it
    request: Request,
    here: Doors,
    who: Visitor,
    seen: IssueView,
    values: Mapping[str, str],
    action: ActionName | None = None,
    wrong: Mapping[str, Reason] = MappingProxyType({}),
    status: HTTPStatus = HTTPStatus.OK,
) -> Response:
    require(who, Right.SEE, seen)
    return render(
        request,
        "agent_issue.html",
        status.value,
        who=who,
        issue=seen,
        tell=[(_TELL[p.kind], p) for p in seen.promises if p.ended_at is None and p.kind in _TELL],
        can=_possible(who, seen),
        case=await _case(here, who, values.get("case", "")),
        values=values,
        action=action,
        wrong=wrong,
        key=_key(values),
    )


def _possible(who: Visitor, seen: IssueView) -> list[ActionName]:
    """Return what can be done for a customer who is on the line."""
    return [each for each in ON_THE_LINE if each in seen.can and may(who.caller, each, seen)]


async def _case(here: Doors, who: Visitor, number: str) -> KnownCase | None:
    """Return a case that may be told to customers (R29)."""
    if not number or not has(who, Right.SEARCH_CASES):
        return None
    async with here.pool.acquire() as connection:
        return await cases.approved(connection, number)


def _key(values: Mapping[str, str]) -> str:
    """Return what makes a form that was sent twice one action: made with the form, or new."""
    key = values.get("key", "")
    return key if _KEY.fullmatch(key) else secrets.token_hex(16)


def _by_htmx(request: Request) -> bool:
    return "hx-request" in request.headers
