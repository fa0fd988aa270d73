"""The doors as one ASGI app."""

from __future__ import annotations

from http import HTTPStatus
from importlib import import_module

from fastapi import FastAPI, Request, Response
from fastapi.staticfiles import StaticFiles
from starlette.types import ASGIApp

from starter.doors import api_document, care, problems
from starter.doors.context import Doors
from starter.doors.metrics import Metrics
from starter.doors.pages import HERE
from starter.doors.who import Doorkeeper
from starter.inbound.shelf import Shelf

_ROOMS = (
    "api_issues",
    "api_cases",
    "api_audit",
    "webhooks",
    "health",
    "signing_in",
    "link_pages",
    "engineer_pages",
    "lead_pages",
    "agent_pages",
    "clerk_pages",
)


class _Guarded(FastAPI):
    """Wraps what is asked and answered in care, the answers about faults of ours included."""

    def build_middleware_stack(self) -> ASGIApp:
        return care.around(super().build_middleware_stack(), self.state.doors, self.state.metrics)


def build(doors: Doors) -> FastAPI:
    """Put the doors together."""
    app = _Guarded(title="Yinuo 一诺", version="1", docs_url=None, redoc_url=None)
    app.state.doors = doors
    app.state.doorkeeper = Doorkeeper()
    app.state.metrics = Metrics()
    app.state.shelf = Shelf(doors.settings.inbound)
    problems.install(app)
    app.add_exception_handler(Exception, _own_fault)
    api_document.install(app)
    for room in _ROOMS:
        app.include_router(import_module(f"starter.doors.{room}").router)
    app.mount("/static", StaticFiles(directory=HERE / "static"), name="static")
    return app


async def _own_fault(_request: Request, _error: Exception) -> Response:
    said = "a fault of ours: it is in the log, under the X-Request-ID of this answer"
    return problems.respond(problems.Problem(HTTPStatus.INTERNAL_SERVER_ERROR, said))
