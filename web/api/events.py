"""Events over HTTP: every step of the issues that the caller may see, in an order without gaps."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from domain.issue.events import Event
from domain.staff.access import Right
from domain.vocabulary import Model
from starter.registers import BEGINNING, Page, Position, Whose
from starter.registers import Events as Log
from web.api.document import told
from web.api.reach import own
from web.api.shapes import answer
from web.auth.identity import Authenticated, require
from web.context import Here
from web.problems import none_of_ours

router = APIRouter()

NOW = "now"
"""Instead of a cursor: only what comes from now on."""
_LOOK_EVERY = 0.5
"""Seconds between looks for somebody who waits."""


class Asked(Model):
    """Which events to list."""

    after: str = Field(
        default="",
        max_length=1000,
        description="`next` of the answer before, opaque; `now`: only what comes from now on; left "
        "out: from the beginning",
    )
    limit: int = Field(default=100, ge=1, le=500)
    wait: int = Field(
        default=0, ge=0, le=20, description="seconds to wait for the next one, if there is none"
    )


class Events(BaseModel):
    """Events in their order."""

    items: list[Event]
    next: str = Field(description="send it as `after`; also when there was nothing")
    more: bool = Field(description="there is more already: ask at once")


@router.get(
    "/events",
    operation_id="list_events",
    summary="事件 What happened to issues, in order, each at least once",
    tags=["events"],
    responses={200: told("what happened after that place, oldest first", Events)},
)
async def list_events(asked: Annotated[Asked, Query()], here: Here, who: Authenticated) -> Response:
    """Every step of the issues that the caller may see now: an engineer's own, a lead's or
    manager's department's, those that an intake system registered. No customer data, and no words:
    `thread` leads to them. Go on with `next`, and no event is missed; after a restore some may come
    again, under the same `id`.
    """
    require(who, Right.SEE)
    whose = Whose(**own(who.caller))
    after = await _begin(here.registers.events, asked.after)
    found = await _waited(here.registers.events, whose, after, asked)
    items = [event for _, event in found.events]
    return answer(Events(items=items, next=found.position.text, more=found.more))


async def _begin(log: Log, after: str) -> Position:
    if not after:
        return BEGINNING
    if after == NOW:
        return await log.now()
    try:
        return Position.read(after)
    except ValueError:
        raise none_of_ours("after", "send `next` of the answer before, or leave it out") from None


async def _waited(log: Log, whose: Whose, after: Position, asked: Asked) -> Page:
    """Read the next page, and wait for it as long as the caller does."""
    clock = asyncio.get_running_loop().time
    until = clock() + asked.wait
    found = await log.page(whose, after, asked.limit)
    while not found.events and clock() < until:
        if not found.more:
            await asyncio.sleep(_LOOK_EVERY)
        found = await log.page(whose, found.position, asked.limit)
    return found
