"""Evaluations that customers gave by telephone or on paper, over HTTP (R26)."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated
from uuid import uuid4

from fastapi import APIRouter, Body

from domain.errors import Refused
from domain.issue.actions import ActionName
from domain.opinions import FromStaff
from domain.staff.access import Right
from web.api.examples import EVALUATION
from web.api.shapes import Key
from web.audit import written
from web.auth.identity import Authenticated, require
from web.context import Here

router = APIRouter()


@router.post(
    "/evaluations/records",
    operation_id="record_evaluation",
    summary="评价 Write down what a customer scored by telephone or on paper",
    tags=["evaluations"],
    status_code=HTTPStatus.NO_CONTENT,
    responses={204: {"description": "written down, or it was before under that key"}},
)
async def record_evaluation(
    said: Annotated[FromStaff, Body(openapi_examples={"usual": {"value": EVALUATION}})],
    here: Here,
    who: Authenticated,
    key: Key = None,
) -> None:
    """Safe to repeat with an `Idempotency-Key`. About an issue that the caller may write
    evaluations for, or about a month and a project. The same person scores each item once.
    """
    async with written(here, who, Right.RECORD_OPINIONS) as deed:
        require(who, Right.RECORD_OPINIONS)
        if said.number:
            deed.is_about(said.number)
            try:
                issue = await here.desk.show(said.number)
            except Refused:
                raise Refused("Invalid", f"number: there is no issue {said.number}") from None
            require(who, ActionName.EVALUATE, issue)
        await here.registers.opinions.from_staff(
            f"{who.caller.id}:{key or uuid4().hex}",
            said,
            who.caller.by,
            here.now(),
            here.settings.zone,
        )
