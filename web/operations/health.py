"""Whether the doors live, are ready, and how the desk does."""

from __future__ import annotations

import asyncio
from http import HTTPStatus

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST

from domain.staff.access import Right
from domain.vocabulary import Model
from web.auth.identity import Authenticated, require
from web.context import Doors, Here
from web.operations.figures import Figures
from web.operations.metrics import Metrics, OfReports
from web.problems import RETRY_AFTER, Problem

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
            self._asking = asyncio.create_task(here.condition.troubles())
        return await asyncio.shield(self._asking)


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
async def metrics(request: Request, here: Here, who: Authenticated) -> Response:
    """Write down the traffic at the doors, what is open, running and unsaid, and what the caller
    reads of the reports' figures (R27); no names.
    """
    require(who, Right.READ_METRICS)
    kept: Metrics = request.app.state.metrics
    figures: Figures = request.app.state.figures
    known = figures.newest(here)
    age = (here.now() - known.counted_at).total_seconds() if known else 0.0
    of_reports = OfReports(who.caller, known, age, figures.failures).exposition()
    told = kept.exposition(await here.condition.gauges()) + of_reports
    return Response(told, media_type=CONTENT_TYPE_LATEST)
