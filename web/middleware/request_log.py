"""A name for every request, and how it went: in the log and in the metrics."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from http import HTTPStatus
from secrets import token_hex

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from web.middleware.common import UNCOUNTED
from web.operations.metrics import Metrics

log = structlog.get_logger("doors")
_REQUEST_ID = re.compile(r"[\w.-]{8,64}", re.ASCII)


@dataclass
class RequestLog:
    """Names every request, writes down how it went, and swallows nothing silently."""

    app: ASGIApp
    metrics: Metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        asked = Headers(scope=scope).get("x-request-id", "")
        known = asked if _REQUEST_ID.fullmatch(asked) else token_hex(8)
        began = time.perf_counter()
        status = HTTPStatus.INTERNAL_SERVER_ERROR.value

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = int(message["status"])
                MutableHeaders(scope=message)["X-Request-ID"] = known
            await send(message)

        with structlog.contextvars.bound_contextvars(request=known):
            try:
                await self.app(scope, receive, answer)
            except Exception as error:  # noqa: BLE001  answered already, see app.py
                log.error("a fault of ours", error=type(error).__name__, at=_frames(error))  # noqa: TRY400  the message may quote a customer (R30)
            seconds = time.perf_counter() - began
            method, route = scope["method"], _route(scope)
            self.metrics.note(method, route, status, seconds)
            tell = log.debug if scope["path"].startswith(UNCOUNTED) else log.info
            tell(
                "request",
                method=method,
                route=route,
                **_named(scope),
                status=status,
                ms=round(seconds * 1000, 1),
            )


def _route(scope: Scope) -> str:
    if scope["path"].startswith("/static/"):
        return "/static"
    return str(getattr(scope.get("route"), "path", "none"))


def _named(scope: Scope) -> dict[str, str]:
    """Tell which issue it was about, and who asked; a link's text is as good as a key, so no."""
    named = {"number": scope.get("path_params", {}).get("number")}
    named["person"] = scope.get("state", {}).get("person")
    return {name: value for name, value in named.items() if value is not None}


def _frames(error: BaseException) -> list[str]:
    frames = []
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        frames.append(f"{code.co_filename}:{trace.tb_lineno} {code.co_qualname}")
        trace = trace.tb_next
    return frames[-8:]
