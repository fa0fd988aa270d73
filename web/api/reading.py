"""What customers say of the service, over HTTP (R41)."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Body, Query, Response
from pydantic import BaseModel, Field

from domain.opinions import Remark
from domain.staff.access import Right
from domain.vocabulary import Line, Model
from web.api.document import NO_REMARK, told
from web.api.shapes import answer
from web.audit import written
from web.auth.identity import Authenticated, require
from web.context import Here

router = APIRouter()


class Remarks(BaseModel):
    """What nobody has read first, then the newest."""

    items: list[Remark]
    strong: list[str] = Field(description="words that the policy finds strong")


class Which(Model):
    """One remark, by its key in the list."""

    key: Line


class BecameComplaint(BaseModel):
    """The complaint that it became."""

    number: str


_WHICH = Body(openapi_examples={"usual": {"value": {"key": "callback/issue:web:W-1/1/1"}}})


@router.get(
    "/opinions",
    operation_id="list_opinions",
    summary="客户意见 What customers said in evaluations and callbacks",
    tags=["evaluations"],
    responses={200: told("what nobody has read first, then the newest", Remarks)},
)
async def list_opinions(
    here: Here,
    who: Authenticated,
    *,
    unread: Annotated[bool, Query(description="only what nobody has read yet")] = False,
) -> Response:
    """A lead's or manager's department; for the general manager's office all. Every look is
    recorded (R30).
    """
    require(who, Right.READ_OPINIONS)
    found = await here.registers.reading.listed(who.caller, unread=unread)
    numbers = dict.fromkeys(each.number for each in found)
    looks = [who.entry(Right.READ_OPINIONS, "seen", number) for number in numbers]
    if looks:
        await here.registers.audit_trail.note(*looks)
    return answer(Remarks(items=found, strong=[*await here.registers.reading.strong()]))


@router.post(
    "/opinions/read",
    operation_id="read_opinion",
    summary="客户意见 Write down that somebody has read it",
    tags=["evaluations"],
    status_code=HTTPStatus.NO_CONTENT,
    responses={204: {"description": "written down; whoever was first stays"}, 404: NO_REMARK},
)
async def read_opinion(which: Annotated[Which, _WHICH], here: Here, who: Authenticated) -> None:
    """Safe to repeat."""
    async with written(here, who, Right.READ_OPINIONS):
        require(who, Right.READ_OPINIONS)
        await here.registers.reading.read(who.caller, which.key, here.now())


@router.post(
    "/opinions/complaint",
    operation_id="make_complaint",
    summary="客户意见 Make a complaint of its own of it",
    tags=["evaluations"],
    responses={
        200: told("its number, also when it was made before", BecameComplaint),
        404: NO_REMARK,
    },
)
async def make_complaint(
    which: Annotated[Which, _WHICH], here: Here, who: Authenticated
) -> Response:
    """Safe to repeat: the same words are one complaint. It is linked with the issue they were said
    about, and what was said about no issue cannot become one here.
    """
    async with written(here, who, Right.READ_OPINIONS) as deed:
        require(who, Right.READ_OPINIONS)
        number = await here.registers.reading.become_complaint(
            here.desk, who.caller, which.key, here.now()
        )
        deed.is_about(number)
    return answer(BecameComplaint(number=number))
