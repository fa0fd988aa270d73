"""Whether the doors live, are ready, and how the desk does."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from http import HTTPStatus
from typing import Any

import asyncpg
from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST
from temporalio.client import Client
from temporalio.service import RPCError

from domain.errors import SetupError
from domain.staff.access import Right
from domain.vocabulary import Model
from runtime.migrate import require_head
from starter.polling import not_taken
from store import AWAY, gauges, heartbeat, standing
from store.connection import Pool
from web.auth.identity import Who, require
from web.context import Doors, Here
from web.operations.metrics import Metrics
from web.problems import RETRY_AFTER, Problem

PATIENCE = 2.0
"""Seconds within which a server must answer to count as there."""
_GONE: tuple[type[Exception], ...] = (TimeoutError, SetupError, RPCError, RuntimeError, *AWAY)
_SECOND = 1.0

router = APIRouter(tags=["health"])


class Ready(Model):
    """What the desk needs to keep what it promises."""

    postgresql: bool
    """It answers, and its tables are of this version."""
    temporal: bool
    """It answers."""
    writable: bool
    """The register can be written: it is no standby, and its disk has room."""
    open: bool
    """The register may be worked on: it is not older than Temporal."""
    working: bool
    """Workers take issues and notifications."""


class Readiness:
    """Finds out how the desk is; once for all who ask in the same second."""

    def __init__(self) -> None:
        self._asked_at = -_SECOND
        self._asking: asyncio.Task[dict[str, str]] | None = None

    async def why_not(self, here: Doors) -> dict[str, str]:
        """What is not well, by the names of ``Ready``, and why."""
        now = asyncio.get_running_loop().time()
        if self._asking is None or now - self._asked_at >= _SECOND:
            self._asked_at = now
            self._asking = asyncio.create_task(_troubles(here))
        return await asyncio.shield(self._asking)


async def _troubles(here: Doors) -> dict[str, str]:
    client = here.desk.client
    asked: dict[str, Coroutine[Any, Any, object]] = {
        "postgresql": require_head(here.pool),
        "temporal": client.service_client.check_health(),
        "writable": heartbeat.beat(here.pool),
        "open": _require_open(here.pool),
        "working": _require_workers(client),
    }
    found = await asyncio.gather(*map(_trouble, asked.values()))
    return {name: said for name, said in zip(asked, found, strict=True) if said}


async def _require_open(pool: Pool) -> None:
    now = await standing.standing(pool)
    if now.held:  # not why: the reason names issues
        since = f"{now.since:%Y-%m-%d %H:%M} UTC"
        raise SetupError(f"the register is older than Temporal since {since}: run `yinuo repair`")


async def _require_workers(client: Client) -> None:
    if waiting := await not_taken(client):
        raise SetupError(f"no worker takes {', '.join(waiting)}: start `yinuo worker`.")


async def _trouble(asking: Coroutine[Any, Any, object]) -> str | None:
    """Say why it is not well; nothing of where servers are, for anybody may ask."""
    try:
        async with asyncio.timeout(PATIENCE):
            return None if await asking is not False else "it is not serving"
    except SetupError as error:
        return str(error).removesuffix(".")
    except _GONE:
        return f"no answer within {PATIENCE:g} s"
    except asyncpg.DiskFullError:
        return "PostgreSQL's disk is full"
    except asyncpg.ReadOnlySQLTransactionError:
        return "PostgreSQL takes no writes: it is a standby, or was set to read only"
    except asyncpg.PostgresError as error:
        return type(error).__name__


@router.get("/healthz", summary="Whether this process lives")
async def alive() -> PlainTextResponse:
    """Answer; that is all there is to it."""
    return PlainTextResponse("ok\n")


@router.get(
    "/readyz",
    summary="Whether issues are taken in, written down and worked on",
    responses={503: {"description": "not so: the same names say what, `detail` says why"}},
)
async def ready(request: Request, here: Here) -> Ready:
    """Ask PostgreSQL, which must be of this version and take a write, and Temporal, whether it
    answers and workers ask it for work. A worker that died is missed after 90 seconds.

    Raises:
        Problem: 503.
    """
    kept: Readiness = request.app.state.readiness
    why_not = await kept.why_not(here)
    found = Ready(**{name: name not in why_not for name in Ready.model_fields})
    if not why_not:
        return found
    raise Problem(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "; ".join(f"{name}: {said}" for name, said in why_not.items()),
        type_="urn:yinuo:Unavailable",
        headers={"Retry-After": str(RETRY_AFTER)},
        **found.model_dump(),
    )


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
