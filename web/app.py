"""The doors as one ASGI app."""

from __future__ import annotations

from functools import cache
from http import HTTPStatus

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.staticfiles import StaticFiles
from starlette.middleware.sessions import SessionMiddleware
from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from inbound.shelf import Shelf
from web import audit, problems, rendering
from web.api import (
    attachments,
    cases,
    evaluations,
    events,
    issues,
    receivers,
    report_files,
    telephone,
    vocabulary,
    webhooks,
)
from web.api import audit as api_audit
from web.api import document as api_document
from web.api import reading as api_reading
from web.api import reports as api_reports
from web.auth.identity import Doorkeeper
from web.context import Doors
from web.middleware.stack import around
from web.operations import health, heartbeat
from web.operations.figures import Figures
from web.operations.health import Readiness
from web.operations.metrics import Metrics
from web.pages import (
    agent,
    approvals,
    attaching,
    clerk,
    engineer,
    find,
    lead,
    links,
    pictures,
    queue,
    reading,
    reports,
    signing_in,
    why,
)
from web.pages import evaluations as evaluation_pages
from web.pages.signing_in import provider

PROGRAMS = (
    *(issues, vocabulary, events, attachments, cases, api_audit, webhooks, receivers, telephone),
    *(evaluations, api_reading, report_files, api_reports),
    *(health, heartbeat),
)
BEFORE = (signing_in,)
"""Whoever is not known yet is told no names, and comes in while the register is away."""
PAGES = (
    *(links, engineer, lead, approvals, agent, queue, clerk, find, attaching, pictures),
    *(evaluation_pages, reading, why, reports),
)
"""Rooms of people: their pages call things as the desk does (R37)."""
ROOMS = (*PROGRAMS, *BEFORE, *PAGES)
"""Each has the routes of its own."""


class _Guarded(FastAPI):
    """Has the middleware around all of it, the answers about faults of ours included."""

    def build_middleware_stack(self) -> ASGIApp:
        inside, mine = super().build_middleware_stack(), self.state
        return around(inside, mine.doors, mine.metrics, mine.doorkeeper)


def _remember_who_was_sent(app: FastAPI, doors: Doors) -> None:
    """Keep what shows that whoever comes back from the company's sign-in was sent there by us."""
    app.add_middleware(
        SessionMiddleware,
        secret_key=doors.signer.secret_for("oidc"),
        session_cookie="yinuo_oidc",
        max_age=600,
        path="/login",
        same_site="lax",  # they come back from elsewhere
        https_only=doors.settings.base_url.startswith("https://"),
    )


@cache
def _rooms() -> tuple[BaseRoute, ...]:
    """Put the rooms side by side. FastAPI looks through the forms of all of them when the first
    request comes, which takes it a second: once a process, however many apps have the rooms.
    """
    side_by_side = APIRouter()
    for room in (*PROGRAMS, *BEFORE):
        side_by_side.include_router(room.router)
    for room in PAGES:
        side_by_side.include_router(room.router, dependencies=[Depends(rendering.with_terms)])
    return tuple(side_by_side.routes)


def build(doors: Doors) -> FastAPI:
    """Put the doors together."""
    app = _Guarded(title="Yinuo 一诺", version="1", docs_url=None, redoc_url=None)
    app.state.doors = doors
    app.state.doorkeeper = Doorkeeper()
    app.state.metrics = Metrics()
    app.state.readiness = Readiness()
    app.state.figures = Figures()
    app.state.shelf = Shelf(doors.settings.inbound)
    app.state.provider = provider(doors.settings)
    if app.state.provider:
        _remember_who_was_sent(app, doors)
    problems.install(app, rendering.problem)
    audit.install(app)
    app.add_exception_handler(Exception, _own_fault)
    api_document.install(app)
    app.router.routes.extend(_rooms())
    app.mount("/static", StaticFiles(directory=rendering.HERE / "static"), name="static")
    return app


async def _own_fault(request: Request, _error: Exception) -> Response:
    said = "a fault of ours: it is in the log, under the X-Request-ID of this answer"
    return problems.answer(request, problems.Problem(HTTPStatus.INTERNAL_SERVER_ERROR, said))
