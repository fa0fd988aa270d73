"""What several of them know: who is not counted, and how a request is turned away."""

from __future__ import annotations

from fastapi import Request
from starlette.types import Receive, Scope, Send

from web.problems import Problem, answer

UNCOUNTED = ("/static/", "/healthz", "/readyz")
"""Whatever begins so is asked for often, and by anybody: neither logged nor limited."""


async def refuse(problem: Problem, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer in place of the app."""
    await answer(Request(scope), problem)(scope, receive, send)
