"""What browsers must not do with an answer."""

from __future__ import annotations

import re
from dataclasses import dataclass

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_VERSIONED = re.compile(r"-\d+(\.\d+)+\.")
_ALWAYS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; base-uri 'none';"
    " form-action 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    # Not "no-referrer": browsers then send our own forms with `Origin: null`.
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_OVER_TLS = {"Strict-Transport-Security": "max-age=31536000"}


@dataclass
class SecurityHeaders:
    """Tells browsers what they must not do with an answer."""

    app: ASGIApp
    over_tls: bool

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        static = scope["type"] == "http" and scope["path"].startswith("/static/")
        always = _ALWAYS | (_OVER_TLS if self.over_tls else {})
        kept = _kept(scope["path"]) if static else "no-store"

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in (always | {"Cache-Control": kept}).items():
                    headers.setdefault(name, value)  # a door may be stricter
            await send(message)

        await self.app(scope, receive, answer)


def _kept(path: str) -> str:
    if _VERSIONED.search(path):
        return "public, max-age=31536000, immutable"
    return "public, max-age=300"
