"""The audit trail over HTTP (R30)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel

from domain.staff.access import Right
from starter.registers import Entry
from web.api.document import told
from web.api.shapes import When, answer
from web.auth.identity import Authenticated, require
from web.context import Here

router = APIRouter()


class Entries(BaseModel):
    """A piece of the trail, newest first."""

    items: list[Entry]


@router.get(
    "/audit",
    operation_id="read_audit_trail",
    summary="审计记录 Who did or saw what, from which address, newest first",
    tags=["audit"],
    responses={200: told("a piece of the trail", Entries)},
)
async def read_audit_trail(
    here: Here,
    who: Authenticated,
    number: Annotated[
        str | None, Query(max_length=140, pattern=r"^[\w.+:-]+$", description="of one issue only")
    ] = None,
    before: Annotated[When | None, Query(description="only what was before then")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Response:
    """For auditors and the general manager's office. No customer data."""
    require(who, Right.READ_AUDIT_TRAIL)
    found = await here.registers.audit_trail.entries(number=number, before=before, limit=limit)
    return answer(Entries(items=found))
