"""Photographs and files of issues over HTTP: attach, list, download."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from domain.attachments import Attachment, ShownTo
from domain.staff.access import Right
from domain.vocabulary import Role
from web import attached
from web.api.document import told
from web.api.shapes import Number, answer
from web.audit import written
from web.auth.identity import Authenticated, Credentials, require, saw, visitor
from web.context import Doors, Here
from web.middleware.bodies import let_in

router = APIRouter()

_FILE = {"schema": {"type": "string", "format": "binary"}}
_SENT = {
    "required": True,
    "content": {"application/octet-stream": _FILE | {"examples": {"usual": {"value": "…"}}}},
}
_ALONE = "default-src 'none'; sandbox"
"""What a file could show or run if a browser opened it after all: nothing."""

AttachmentId = Annotated[
    str,
    Path(
        pattern=r"^[0-9a-f]{32}$",
        description="the attachment's `id` in the list",
        examples=["6f1c2a90d1e7b6854f3c2a90d1e7b685"],
    ),
]


class Attachments(BaseModel):
    """What is attached to an issue, oldest first."""

    items: list[Attachment]


@router.post(
    "/issues/{number}/attachments",
    operation_id="attach",
    summary="附件 Attach a photograph or a file: it is the body, as it is",
    tags=["issues"],
    status_code=HTTPStatus.CREATED,
    openapi_extra={"requestBody": _SENT},
    responses={
        201: told("attached", Attachment),
        200: told("attached before: the same content under the same name", Attachment),
        413: {"description": "larger than a file may be"},
        415: {"description": "of a kind that is not taken, by what is found in it"},
    },
)
async def attach(
    number: Number,
    name: Annotated[
        str, Query(min_length=1, max_length=255, description="what the file is called")
    ],
    request: Request,
    here: Here,
    who: Authenticated,
    shown_to: Annotated[
        ShownTo | None,
        Query(description="left out: the customer what an intake system sends, staff all else"),
    ] = None,
) -> Response:
    """Safe to repeat: the same content under the same name is attached once. How large, how many
    and which kinds is the policy's (`[attachments]`); nothing of a file that is refused is kept.
    """
    began = here.now()
    usual = ShownTo.CUSTOMER if who.caller.role is Role.INTAKE else ShownTo.STAFF
    async with written(here, who, Right.ATTACH, number) as deed:
        require(who, Right.ATTACH)
        issue = await here.desk.show(number)
        require(who, Right.ATTACH, issue)
        deed.is_about(issue.number)
        limits = await here.attachments.limits()
        let_in(request, limits.largest.bytes, limits.too_large())
        one = await here.attachments.add(
            issue.id, name, request.stream(), who.caller.by, "api", shown_to or usual
        )
    status = HTTPStatus.OK if one.at < began else HTTPStatus.CREATED
    return answer(one, status, Location=f"/attachments/{one.id}")


@router.get(
    "/issues/{number}/attachments",
    operation_id="list_attachments",
    summary="附件 List what is attached to an issue; every look is recorded (R30)",
    tags=["issues"],
    responses={200: told("oldest first", Attachments)},
)
async def list_attachments(number: Number, here: Here, who: Authenticated) -> Response:
    """For whoever may see the issue's customer."""
    require(who, Right.SEE_CUSTOMER)
    issue = await here.desk.show(number)
    require(who, Right.SEE_CUSTOMER, issue)
    found = await here.attachments.of(issue.id)
    await saw(here, who, Right.SEE_CUSTOMER, issue.number)
    return answer(Attachments(items=found), Cache_Control="no-store")


@router.get(
    "/attachments/{attachment}",
    operation_id="show_attachment",
    summary="附件 Download an attachment as it came; every look is recorded (R30)",
    tags=["issues"],
    response_class=Response,
    responses={200: {"description": "the file, byte for byte", "content": {"*/*": _FILE}}},
)
async def show_attachment(
    attachment: AttachmentId,
    request: Request,
    here: Here,
    given: Credentials,
    key: Annotated[
        str | None, Query(max_length=500, description="of an address that a page made")
    ] = None,
) -> Response:
    """For whoever may see the issue's customer, by token or session; or by an address of a page,
    which is good for five minutes.
    """
    if key is None:
        one = await _seen_by_caller(here, await visitor(request, here, given), attachment)
    else:
        one = await _seen_by_address(here, request, attachment, key)
    return StreamingResponse(
        await here.attachments.content(one),
        headers={
            "Content-Type": one.kind.handed_out_as,
            "Content-Length": str(one.size),
            "Content-Disposition": attached.disposition(one.name),
            "Content-Security-Policy": _ALONE,
            "Cache-Control": "no-store",
        },
    )


async def _seen_by_caller(here: Doors, who: Authenticated, id_: str) -> Attachment:
    require(who, Right.SEE_CUSTOMER)
    one = await here.attachments.find(id_)
    issue = await here.desk.show(one.issue_id)
    require(who, Right.SEE_CUSTOMER, issue)
    await saw(here, who, Right.SEE_CUSTOMER, issue.number)
    return one


async def _seen_by_address(here: Doors, request: Request, id_: str, key: str) -> Attachment:
    look = attached.read(here, id_, key)
    one = await here.attachments.find(id_)
    issue = await here.desk.show(one.issue_id)
    seen = look.entry(request, Right.SEE_CUSTOMER, issue.number)
    await here.registers.audit_trail.note(seen)
    return one
