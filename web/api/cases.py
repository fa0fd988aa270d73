"""Known solutions over HTTP (R8, R29)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel

from domain.staff.access import Right
from domain.vocabulary import Code
from starter.registers import Found
from web.api.document import told
from web.api.shapes import answer
from web.auth.identity import Authenticated, require
from web.context import Here

router = APIRouter()


class Cases(BaseModel):
    """Approved cases that fit, best first."""

    items: list[Found]


@router.get(
    "/cases",
    operation_id="search_cases",
    summary="查案例 Find known solutions for what a customer says",
    tags=["cases"],
    responses={200: told("what was found", Cases)},
)
async def search_cases(
    here: Here,
    who: Authenticated,
    q: Annotated[
        str,
        Query(
            min_length=1,
            max_length=1000,
            description="the question, in any words, Chinese or English",
            examples=["取款时钞票卡住了"],
        ),
    ],
    product_line: Annotated[Code | None, Query(description="leaves out cases of others")] = None,
    limit: Annotated[int, Query(ge=1, le=50)] = 10,
) -> Response:
    """Approved cases only, those with the most of the question's terms first."""
    require(who, Right.SEARCH_CASES)
    found = await here.registers.cases.search(q, product_line, limit)
    return answer(Cases(items=found))
