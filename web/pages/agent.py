"""The hotline agent's room: who is calling, what is known of it already, and what they are told."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from http import HTTPStatus
from typing import Any, NamedTuple

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from starlette.datastructures import FormData

from domain.attachments import ShownTo
from domain.issue.actions import ActionName
from domain.issue.intake import Customer
from domain.issue.view import IssueView, PromiseView, call_due
from domain.knowledge.cases import KnownCase
from domain.scripts import Script
from domain.sla.promise import PromiseKind
from domain.staff.access import Right, may
from domain.vocabulary import Behaviour, Channel, Consent, CustomerType, Language, Severity, Stage
from starter.client import Opened, OtherContent, Unavailable
from starter.register import Filter
from starter.registers import Found, Known, Reported
from web import album, threads
from web.album import FilesForm
from web.audit import Deed
from web.auth.identity import SignedIn, Visitor, has, require, saw
from web.context import Doors, Here
from web.forms import intake as intake_form
from web.forms import submitting
from web.forms.form import Filled
from web.forms.submitting import Acted, submit
from web.forms.wording import SAID as CALLED
from web.opening import added, registered
from web.pages import beside
from web.pages.beside import BESIDE
from web.pages.faults import fault_codes
from web.pages.issue import ASKED, asked
from web.pages.people import priced
from web.pages.spoken import Scripts, lines, speaker
from web.rendering import Form, Reason, render, terms_of

router = APIRouter(include_in_schema=False)

_CALLED = ("phone", "organisation", "name", "contact")
"""Fields that tell who is calling, the surest first."""
_CASES = 5
_CASE = re.compile(r"C-\d+")
ON_THE_LINE = (
    *(ActionName.TAKE, ActionName.ANSWER, ActionName.REASSIGN, ActionName.REPORT_TEST),
    ActionName.RESUME,
    *(ActionName.ESCALATE, ActionName.WITHDRAW),
)
"""What an agent does for a customer who is on the line."""
_SAID_AT_INTAKE = (
    *(Script.GREETING, Script.COMPLAINT, Script.SEARCHING),
    *(Script.PASSING_ON, Script.PUTTING_THROUGH),
)
_CHOICES = {
    "types": CustomerType,
    "languages": Language,
    "severities": Severity,
    "channels": Channel,
}
_TELL: Mapping[PromiseKind, Reason] = {
    PromiseKind.HAND_OVER: (
        "热线答复您，或转给专人，最迟",
        "The hotline answers it, or passes it on, by",
    ),
    PromiseKind.RESPONSE: ("我们与您联系，最迟", "We contact you by"),
    PromiseKind.VERIFICATION: ("投诉核实完毕，最迟", "Your complaint is looked into by"),
    PromiseKind.SURVEY: ("上门勘察，最迟", "The site is surveyed by"),
    PromiseKind.QUOTATION: ("给您报价，最迟", "You have our quotation by"),
    PromiseKind.APPROVAL: ("给您最后确认，最迟", "We confirm it by"),
    PromiseKind.RESOLUTION: ("给您结果，最迟", "You have the result by"),
    PromiseKind.REPLY: ("打电话告诉您结果，最迟", "We call you with the result by"),
    PromiseKind.CALLBACK: ("我们回访您，最迟", "We call you back by"),
    PromiseKind.CUSTOMER_TEST: ("请您告诉我们结果，至", "Please tell us how it is by"),
    PromiseKind.CONFIRMATION: ("请您确认报价，至", "Please confirm the quotation by"),
    PromiseKind.WAITING: ("等您的消息，至", "We wait for you until"),
}
"""What a customer is told of a promise that runs; an instant follows."""
_KEPT_BACK: Reason = ("热线答复您，最迟", "The hotline answers it by")
"""What is told to one who does not want that it is passed on (R35)."""


class ToCall(NamedTuple):
    """Whom this agent is to call about which issue, by which promise (R13, R34)."""

    issue: IssueView
    promise: PromiseView
    customer: Customer


# The form, and what is found for it ---------------------------------------------------------------


@router.get("/intake")
async def intake_page(request: Request, here: Here, who: SignedIn) -> Response:
    """Show an empty form, and what this agent has open."""
    require(who, Right.FIND_CUSTOMERS)
    return await _page(request, here, who, intake_form.blank())


@router.post("/intake/customers")
async def find_customers(request: Request, here: Here, who: SignedIn, form: Form) -> Response:
    """Show who may be calling, by what is written already; the field being written counts first."""
    require(who, Right.FIND_CUSTOMERS)
    filled = intake_form.FORM.filled(form)
    if not _by_htmx(request):
        return await _page(request, here, who, filled, look=True)
    typed = request.headers.get("hx-trigger-name", "")
    found = await _find(here, who, filled, typed)
    return render(request, "agent_customers.html", filled=filled, customers=found)


@router.post("/intake/customer")
async def choose_customer(request: Request, here: Here, who: SignedIn, form: Form) -> Response:
    """Fill in the customer of an issue, and their machine if that was asked for."""
    require(who, Right.FIND_CUSTOMERS)
    machine = str(form.get("machine", ""))
    known = await here.registers.customers.of_issue(machine or str(form.get("choose", "")))
    filled = intake_form.FORM.filled(form)
    if known is not None:
        await _seen(here, who, [known])
        filled = intake_form.with_customer(filled, known, machine=bool(machine))
    if not _by_htmx(request):
        return await _page(request, here, who, filled, look=True)
    already = await _already(here, who, filled)
    lists = await _lists(here)
    return render(request, "agent_chosen.html", filled=filled, already=already, oob=True, **lists)


@router.post("/intake/cases")
async def find_cases(request: Request, here: Here, who: SignedIn, form: Form) -> Response:
    """Show approved solutions for what is written already (R8), and what is open on it. Customers
    are looked for only for those who may find them.
    """
    require(who, Right.SEARCH_CASES)
    filled = intake_form.FORM.filled(form)
    if not _by_htmx(request):
        return await _page(request, here, who, filled, look=True)
    found, already = await _cases(here, who, filled), await _already(here, who, filled)
    said = await _scripts(request, here, who, filled)
    question = intake_form.question(filled)
    facts = {"question": question, "cases": found, "already": already, "scripts": said}
    return render(request, "agent_cases.html", filled=filled, **facts, oob=True)


@router.post("/intake")
async def register(request: Request, here: Here, who: SignedIn, form: FilesForm) -> Response:
    """Register the issue, and attach what was sent with it; the same form sent twice is one issue
    (R1, R2). Sent twice with something else in it, whoever wrote it is asked whether that is
    another issue.
    """
    filled = intake_form.FORM.filled(form)

    async def do(deed: Deed) -> Opened:
        require(who, Right.OPEN)
        zone = here.settings.zone
        intake = intake_form.intake(filled, who.caller.id, here.now(), zone)
        return await registered(here, who, intake, deed, intake_form.WRITTEN)

    result = await submit(here, who, Right.OPEN, intake_form.FORM, filled, do)
    if isinstance(result.error, OtherContent):
        return await _ask_which(request, here, who, filled, result.error)
    if result.done is None:
        # While the desk is away, there is nothing to be looked up.
        look = result.status is not HTTPStatus.SERVICE_UNAVAILABLE
        return await _page(request, here, who, result.form, look=look, status=result.status)
    if result.done.view is None:
        return await _page(request, here, who, filled, status=HTTPStatus.ACCEPTED)
    if not_taken := await _attached(request, here, who, form, result.done.view):
        return not_taken
    marked = f"?case={filled['case']}" if _CASE.fullmatch(filled["case"]) else ""
    return RedirectResponse(f"/intake/{result.done.view.number}{marked}", HTTPStatus.SEE_OTHER)


async def _attached(
    request: Request, here: Doors, who: Visitor, form: FormData, issue: IssueView
) -> Response | None:
    """Attach what was sent with a form, and say what was not taken, if anything was not."""
    _, left = await album.take(here, who, issue, form, "page", ShownTo.STAFF)
    shown = await album.album(here, who, issue, "/intake") if left else None
    return album.answered(request, shown, left, who=who) if shown else None


@router.post("/intake/words/{number}")
async def add_words(
    request: Request, here: Here, who: SignedIn, form: FilesForm, number: str
) -> Response:
    """Add what is written in the form to the issue that it was sent for before: it is no other."""
    filled = intake_form.FORM.filled(form)

    async def do(deed: Deed) -> IssueView:
        first = await here.desk.show(number)
        deed.is_about(first.number)
        require(who, Right.ADD_WORDS, first)
        now = here.now()
        intake = intake_form.intake(filled, who.caller.id, now, here.settings.zone)
        written = intake_form.written_out(intake, first.zone, terms_of(request))
        await here.desk.keep(
            added(
                first, at=now, door="page", sender=who.caller.id, subject=intake.title, body=written
            )
        )
        return first

    result = await submit(here, who, Right.ADD_WORDS, intake_form.FORM, filled, do)
    if result.done is None:
        return await _page(request, here, who, result.form, status=result.status)
    if not_taken := await _attached(request, here, who, form, result.done):
        return not_taken
    return RedirectResponse(f"/intake/{result.done.number}", HTTPStatus.SEE_OTHER)


async def _ask_which(
    request: Request, here: Doors, who: Visitor, filled: Filled, other: OtherContent
) -> Response:
    """Ask whether it is another issue: the form is there with all that is written, to be registered
    under a reference of its own or added to the first.
    """
    first = other.stands.number if other.stands else ""
    asked = replace(filled, key=Filled().key).saying({intake_form.FIRST: first})
    return await _page(request, here, who, asked, status=HTTPStatus.CONFLICT, other=other)


async def _page(
    request: Request,
    here: Doors,
    who: Visitor,
    filled: Filled,
    *,
    look: bool = False,
    status: HTTPStatus = HTTPStatus.OK,
    other: OtherContent | None = None,
) -> Response:
    """Show the whole page; with ``look``, also what is found for what is written."""
    found: dict[str, Any] = {"customers": None, "cases": None, "already": []}
    mine: list[IssueView] = []
    calls: list[ToCall] = []
    with suppress(Unavailable):  # the form is of use without all of that
        if look:
            found["customers"] = await _find(here, who, filled, "")
            found["cases"] = await _cases(here, who, filled)
            found["already"] = await _already(here, who, filled)
        mine = await _mine(here, who)
        calls = await _to_call(here, who)
    return render(
        request,
        "agent_intake.html",
        status.value,
        who=who,
        filled=filled,
        mine=mine,
        calls=calls,
        question=intake_form.question(filled),
        away=status is HTTPStatus.SERVICE_UNAVAILABLE,
        pending=status is HTTPStatus.ACCEPTED,
        numbered=intake_form.is_agent(who.caller.id),
        other=other,
        called=CALLED,
        album=await album.blank(here),
        scripts=await _scripts(request, here, who, filled),
        **found,
        **await _lists(here),
    )


async def _scripts(request: Request, here: Doors, who: Visitor, filled: Filled) -> Scripts:
    """What is said while the form is filled in, in the language that was chosen there (R40)."""
    chosen = next((each for each in Language if each == filled["language"]), None)
    return lines(await speaker(request, here, who), chosen, *_SAID_AT_INTAKE)


async def _find(here: Doors, who: Visitor, filled: Filled, typed: str) -> list[Known]:
    """Find who may be calling, for those who may know. Every look is recorded, not what was asked
    (R30).
    """
    if not has(who, Right.FIND_CUSTOMERS):
        return []
    first = [typed] if typed in _CALLED else []
    for name in dict.fromkeys((*first, *_CALLED)):
        if found := await here.registers.customers.find(filled[name]):
            break
    else:
        found = []
    await _seen(here, who, found)
    return found


async def _seen(here: Doors, who: Visitor, found: Sequence[Known]) -> None:
    """Write down the look before it is shown: by the issues the data are from."""
    numbers: list[str | None] = [each.origin.number for each in found]
    entries = (who.entry(Right.FIND_CUSTOMERS, "seen", number) for number in numbers or [None])
    await here.registers.audit_trail.note(*entries)


async def _cases(here: Doors, who: Visitor, filled: Filled) -> list[Found]:
    asked = intake_form.question(filled)
    if not asked or not has(who, Right.SEARCH_CASES):
        return []
    line = filled["product_line"].strip() or None
    return await here.registers.cases.search(asked, line, _CASES)


async def _already(here: Doors, who: Visitor, filled: Filled) -> list[Reported]:
    """What the chosen customer has open on the same product: perhaps it is the same issue."""
    product = filled["product_line"].strip().casefold()
    if not (filled["chosen"] and product and has(who, Right.FIND_CUSTOMERS)):
        return []
    known = await here.registers.customers.of_issue(filled["chosen"])
    issues = known.issues if known else ()
    return [each for each in issues if each.open and each.product_line.casefold() == product]


async def _lists(here: Doors) -> dict[str, Any]:
    """What can be chosen from."""
    regions: list[str] = []
    products: set[str] = set()
    with suppress(Unavailable):
        regions, members = (
            await here.registers.staff.regions(),
            await here.registers.staff.members(),
        )
        products = {each.product_line for member in members for each in member.certified}
    return {**_CHOICES, "regions": regions, "products": sorted(products)}


async def _mine(here: Doors, who: Visitor) -> list[IssueView]:
    found = await here.desk.issues(Filter(agent=who.caller.id, or_written_to=True))
    return [each for each in found if may(who.caller, Right.SEE, each)]


async def _to_call(here: Doors, who: Visitor) -> list[ToCall]:
    """List whom they are to call, the nearest due first. The look is written down (R30)."""
    found = await here.desk.issues(Filter(agent=who.caller.id, calls=True))
    seen = [each for each in found if may(who.caller, Right.SEE_CUSTOMER, each)]
    of = await here.registers.customers.of([each.number for each in seen]) if seen else {}
    entries = (who.entry(Right.SEE_CUSTOMER, "seen", number) for number in of)
    await here.registers.audit_trail.note(*entries)
    owed = [(each, promise) for each in seen if (promise := call_due(each))]
    calls = [ToCall(each, promise, of[each.number]) for each, promise in owed]
    return sorted(calls, key=lambda call: call.promise.due_at)


# An issue, while its customer is on the line ------------------------------------------------------


@router.get("/intake/{number}")
async def told_page(
    request: Request,
    here: Here,
    who: SignedIn,
    number: str,
    case: str = "",
    before: str | None = None,
) -> Response:
    """Show what to tell the customer, and what can be done for them at once."""
    seen = await here.desk.show(number)
    return await _told(request, here, who, seen, case=case, before=before)


@router.post("/intake/{number}/{action}")
async def act(
    request: Request, here: Here, who: SignedIn, form: Form, number: str, action: ActionName
) -> Response:
    """Do it for the customer on the line; the same form sent twice does it once."""
    acted = await submitting.act(here, who, number, action, form, (*ON_THE_LINE, *ASKED, *BESIDE))
    if acted.result.done:
        return RedirectResponse(f"/intake/{acted.issue.number}", HTTPStatus.SEE_OTHER)
    return await _told(request, here, who, acted.issue, acted, case=acted.result.form["case"])


async def _told(
    request: Request,
    here: Doors,
    who: Visitor,
    seen: IssueView,
    tried: Acted | None = None,
    *,
    case: str = "",
    before: str | None = None,
) -> Response:
    require(who, Right.SEE, seen)
    can, now = _possible(who, seen), here.now()
    open_ = [p for p in seen.promises if p.ended_at is None and p.kind in _TELL]
    corrects = beside.sees_customer(who, seen)
    attached = await album.album(here, who, seen, "/intake")
    if corrects or (attached and attached.shows):
        await saw(here, who, Right.SEE_CUSTOMER, seen.number)
    record = await here.desk.record(seen.id) if corrects else None
    speaks = await speaker(request, here, who)
    return render(
        request,
        "agent_issue.html",
        (tried.result.status if tried else HTTPStatus.OK).value,
        who=who,
        issue=seen,
        tell=[(_sentence(seen, p.kind), p) for p in open_ if p.due_at > now],
        late=[p.kind for p in open_ if p.due_at <= now],
        can=can,
        asked=asked(who, seen, tried),
        case=await _case(here, who, case),
        faults=await fault_codes(here, seen),
        album=attached,
        talk=await threads.read(here, who, seen, before, written_down=corrects),
        theirs=may(who.caller, Right.SEE_CUSTOMER, seen),
        **await priced(here, who, seen),
        scripts=lines(
            speaks,
            record.intake.customer.language if record else None,
            *_said_about(seen, can),
            department=terms_of(request).department(seen.department),
        ),
        beside=await beside.offered(here, who, seen, record.intake if record else None, tried),
        doing_at="/intake",
        related=await here.desk.related(seen.id),
        forms={each: tried.form(seen, each) if tried else Filled() for each in can},
        refused=tried.result.form.wrong if tried else {},
    )


def _sentence(seen: IssueView, kind: PromiseKind) -> Reason:
    kept = kind is PromiseKind.HAND_OVER and seen.consent is Consent.NO
    return _KEPT_BACK if kept else _TELL[kind]


def _possible(who: Visitor, seen: IssueView) -> list[ActionName]:
    """Return what can be done for a customer who is on the line."""
    return [each for each in ON_THE_LINE if each in seen.can and may(who.caller, each, seen)]


def _said_about(seen: IssueView, can: Sequence[ActionName]) -> list[Script]:
    """Say what is said to a customer who is on the line about an issue (R40)."""
    said = [Script.COMPLAINT] if seen.behaviour is Behaviour.COMPLAINT else []
    if ActionName.ANSWER in can:
        said += [Script.SEARCHING, Script.PASSING_ON]
    if seen.stage is not Stage.CLOSED:
        said.append(Script.PUTTING_THROUGH)
    return said


async def _case(here: Doors, who: Visitor, number: str) -> KnownCase | None:
    """Return a case that may be told to customers (R29)."""
    if not number or not has(who, Right.SEARCH_CASES):
        return None
    return await here.registers.cases.approved(number)


def _by_htmx(request: Request) -> bool:
    return "hx-request" in request.headers
