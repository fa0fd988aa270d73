"""Calls of other systems in their own words, put into ours by a mapping file."""

from __future__ import annotations

import json
from hashlib import sha256
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response

from domain.issue.actions import ActionName
from domain.issue.conversation import following
from domain.issue.intake import SAID
from domain.issue.view import IssueView
from domain.letters import own_words
from domain.staff.access import Right
from domain.vocabulary import Role
from inbound.belonging import Belonging, Belongs, Wrote, links_in
from inbound.mapping import About, Ignored, Unusable, fitted
from inbound.shelf import Shelf
from web.api.document import LOCATION, OTHER_CONTENT, told
from web.api.shapes import Pending, opened_as
from web.audit import written
from web.auth.identity import Authenticated, Visitor, require
from web.context import Doors, Here
from web.opening import registered
from web.problems import Problem, not_yours, place
from web.sent import FORM, content_type, form_of, text

router = APIRouter()

_ANYTHING = {
    "content": {
        kind: {"schema": {"type": "object", "additionalProperties": True}}
        for kind in ("application/json", "application/x-www-form-urlencoded")
    },
    "required": True,
}


@router.post(
    "/inbound/{name}",
    operation_id="inbound",
    summary="来函 Take what another system sends, by its mapping file",
    tags=["issues"],
    status_code=HTTPStatus.CREATED,
    openapi_extra={"requestBody": _ANYTHING},
    responses={
        201: told("registered: number, assignee and promises", IssueView),
        200: told("registered before: the issue as it is now", IssueView),
        202: told("accepted while PostgreSQL is away: number follows", Pending),
        409: OTHER_CONTENT | {"headers": LOCATION},
        415: {"description": "a form in an encoding that is not known here"},
        204: {
            "description": "not about an issue: nothing was done; with `Location`: added to the "
            "issue that it names",
            "headers": LOCATION,
        },
    },
)
async def inbound(
    name: Annotated[str, Path(max_length=64, pattern=r"^[a-z0-9][a-z0-9_-]*$")],
    request: Request,
    here: Here,
    who: Authenticated,
) -> Response:
    """Safe to repeat: their reference names the issue. The token is the system's own: its person
    is the mapping's source.
    """
    require(who, Right.OPEN)
    shelf: Shelf = request.app.state.shelf
    form = shelf.get(name)
    if form is None:
        raise Problem(
            HTTPStatus.NOT_FOUND, f"there is no mapping {name}", type_="urn:yinuo:NotFound"
        )
    if who.caller.role is not Role.INTAKE or who.caller.id != form.source:
        raise not_yours(f"{name} is for the intake system {form.source}")
    theirs = await _sent(request)
    try:
        about = form.about(theirs)
        belongs = await _belongs(here, form.source, about) if about else None
        if belongs and await _is_added(here, who, *belongs):
            where = place(belongs[1].issue.number)
            return Response(status_code=HTTPStatus.NO_CONTENT, headers={"Location": where})
        intake = form.read(theirs, here.now())
    except Ignored:
        return Response(status_code=HTTPStatus.NO_CONTENT)
    except Unusable as unusable:
        raise _problem(str(unusable), unusable.wrong) from None
    if belongs and belongs[1].known and (over := await here.desk.record(belongs[1].issue.id)):
        intake = following(over.intake, intake, await here.desk.terms())
    async with written(here, who, Right.OPEN) as deed:
        opened = await registered(here, who, intake, deed, form.said & SAID)
    return opened_as(opened, intake, who.caller)


async def _belongs(here: Doors, source: str, about: About) -> tuple[Wrote, Belongs] | None:
    """Find the issue that they name, if there is one of that number."""
    told = sha256(f"{source}\n{about.reference}\n{about.words}".encode(errors="surrogatepass"))
    wrote = Wrote(
        key=f"inbound:{told.hexdigest()[:32]}",
        words=about.words,
        numbers=about.numbers,
        sender=" ".join(filter(None, (about.name, about.email or about.phone))),
        email=about.email,
        phone=about.phone,
        links=links_in(about.words, here.signer, here.now()),
    )
    found = await _belonging(here, source).found(wrote)
    return (wrote, found) if found else None


async def _is_added(here: Doors, who: Visitor, wrote: Wrote, to: Belongs) -> bool:
    """Add what they sent to the issue that it names; if that is over, this is another."""
    async with written(here, who, ActionName.CUSTOMER_WROTE) as deed:
        deed.is_about(to.issue.number)
        own = wrote._replace(words=fitted(own_words(wrote.words, to.issue.told)))
        return await _belonging(here, who.caller.id).add(own, to) is not None


def _belonging(here: Doors, source: str) -> Belonging:
    return Belonging(here.desk, here.registers.correspondents, source)


async def _sent(request: Request) -> dict[str, Any]:
    kind, named = content_type(request)
    if kind == FORM:
        return {key: str(value) for key, value in (await form_of(request)).items()}
    body = await request.body()
    other = named is not None and not named.startswith("utf")  # those JSON tells by itself
    try:
        theirs = json.loads(text(body, named) if other and named else body)
    except ValueError:
        raise _problem("the body is not JSON", [("", "the body is not JSON")]) from None
    except RecursionError:
        raise _problem("the body is too deep", [("", "the body is too deep")]) from None
    if not isinstance(theirs, dict):
        raise _problem("the body is no object", [("", "the body is no object")])
    return theirs


def _problem(detail: str, wrong: list[tuple[str, str]]) -> Problem:
    return Problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        detail,
        type_="urn:yinuo:Invalid",
        errors=[{"field": field, "reason": reason} for field, reason in wrong],
    )
