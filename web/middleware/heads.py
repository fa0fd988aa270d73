"""HEAD is GET without the body (RFC 9110, 9.3.2): who only looks whether a link is there, as those
who check letters for their readers do.
"""

from __future__ import annotations

from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_SIGNING_IN = "/login/"
"""Beneath it a GET is a step of signing in, and done once."""


@dataclass
class Heads:
    """Answers HEAD as GET would be, where a GET changes nothing."""

    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        head = scope["type"] == "http" and scope["method"] == "HEAD"
        if not head or scope["path"].startswith(_SIGNING_IN):
            await self.app(scope, receive, send)
            return

        async def without_body(message: Message) -> None:
            if message["type"] == "http.response.body":
                if message.get("more_body"):
                    return
                message = {**message, "body": b""}
            await send(message)

        as_get = {**scope, "method": "GET"}  # a copy: the server goes by its own
        try:
            await self.app(as_get, receive, without_body)
        finally:
            scope.update(as_get, method="HEAD")  # where it led, for the log
