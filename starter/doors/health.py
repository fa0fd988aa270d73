"""Whether the doors live, are ready, and how the desk does."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST
from temporalio.service import RPCError

from domain.access import Right
from domain.vocabulary import Model
from runtime.errors import SetupError
from runtime.migrate import require_head
from starter.doors.context import Here
from starter.doors.metrics import Metrics
from starter.doors.problems import RETRY_AFTER, Problem
from starter.doors.who import Who, require
from store import AWAY, gauges

PATIENCE = 2.0
"""Seconds within which a server must answer to count as there."""
_GONE: tuple[type[Exception], ...] = (TimeoutError, SetupError, RPCError, RuntimeError, *AWAY)

router = APIRouter(tags=["health"])


class Ready(Model):
    """Which servers answer."""

    postgresql: bool
    temporal: bool


@router.get("/healthz", summary="Whether this process lives")
async def alive() -> PlainTextResponse:
    """Answer; that is all there is to it."""
    return PlainTextResponse("ok\n")


@router.get(
    "/readyz",
    summary="Whether the servers answer",
    responses={503: {"description": "one does not: `postgresql` and `temporal` say which"}},
)
async def ready(here: Here) -> Ready:
    """Ask PostgreSQL, which must be of this version, and Temporal.

    Raises:
        Problem: 503.
    """
    database, temporal = await asyncio.gather(
        _answers(require_head(here.pool)), _answers(here.desk.client.service_client.check_health())
    )
    found = Ready(postgresql=database, temporal=temporal)
    if database and temporal:
        return found
    away = " and ".join(name for name, there in found if not there)
    raise Problem(
        HTTPStatus.SERVICE_UNAVAILABLE,
        f"{away}: no answer within {PATIENCE:g} s, or not prepared by `yinuo migrate`",
        type_="urn:yinuo:Unavailable",
        headers={"Retry-After": str(RETRY_AFTER)},
        **found.model_dump(),
    )


async def _answers(asking: Coroutine[Any, Any, object]) -> bool:
    try:
        async with asyncio.timeout(PATIENCE):
            return await asking is not False
    except _GONE:
        return False


@router.get("/metrics", summary="Numbers for Prometheus", response_class=PlainTextResponse)
async def metrics(request: Request, here: Here, who: Who) -> Response:
    """Write down the traffic at the doors, and what is open, running and unsaid; no names."""
    require(who, Right.READ_METRICS)
    try:
        async with asyncio.timeout(PATIENCE):
            now = await gauges.read(here.pool)
    except _GONE:
        now = None
    kept: Metrics = request.app.state.metrics
    return Response(kept.exposition(now), media_type=CONTENT_TYPE_LATEST)
