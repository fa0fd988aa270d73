"""What a telephone system recorded, over HTTP (R45)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Response
from pydantic import Field

from domain.calls import MOST, PhoneCall, Told
from domain.staff.access import Right
from domain.vocabulary import Model
from web.api.document import told
from web.api.examples import CALLS
from web.api.shapes import answer
from web.audit import written
from web.auth.identity import Authenticated, require
from web.context import Here

router = APIRouter()


class Calls(Model):
    """Calls in any order; each is known by the telephone system's own id."""

    calls: tuple[PhoneCall, ...] = Field(min_length=1, max_length=MOST)


@router.post(
    "/telephone/calls",
    operation_id="record_calls",
    summary="通话 Hand in what a telephone system recorded",
    tags=["telephone"],
    responses={
        200: told("how many are new, and how many were there before", Told),
        409: {"description": "an id stands for a call of which something else was said"},
    },
)
async def record_calls(
    sent: Annotated[Calls, Body(openapi_examples={"usual": {"value": CALLS}})],
    here: Here,
    who: Authenticated,
) -> Response:
    """Safe to repeat: the caller and the call's `id` are the call. All are kept, or none. What was
    not known the first time, such as where the recording lies or which issue it was about, may be
    sent later. Without `issue` a call belongs to the one issue that its number has open.
    """
    async with written(here, who, Right.RECORD_CALLS):
        require(who, Right.RECORD_CALLS)
        found = await here.registers.telephone.record(who.caller.id, sent.calls, here.now())
    return answer(found)
