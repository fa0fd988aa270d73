"""The doors as one ASGI app."""

from __future__ import annotations

from importlib import import_module

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from starter.doors import problems
from starter.doors.context import Doors
from starter.doors.pages import HERE
from starter.doors.who import Doorkeeper

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


def build(doors: Doors) -> FastAPI:
    """Put the doors together."""
    app = FastAPI(title="Yinuo 一诺", version="1", docs_url=None, redoc_url=None)
    app.state.doors = doors
    app.state.doorkeeper = Doorkeeper()
    problems.install(app)
    for room in _ROOMS:
        app.include_router(import_module(f"starter.doors.{room}").router)
    app.mount("/static", StaticFiles(directory=HERE / "static"), name="static")
    return app
