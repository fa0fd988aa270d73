"""By which host name the desk may be asked."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from web.middleware.common import UNCOUNTED, refuse
from web.problems import Problem


@dataclass
class OwnHosts:
    """Listens to its own name only; whoever asks how it is may use any."""

    app: ASGIApp
    names: frozenset[str]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not scope["path"].startswith(UNCOUNTED):
            asked = host_of(f"//{Headers(scope=scope).get('host', '')}")
            if asked not in self.names:
                wrong = Problem(
                    HTTPStatus.MISDIRECTED_REQUEST, "the desk is not to be found by this host name"
                )
                await refuse(wrong, scope, receive, send)
                return
        await self.app(scope, receive, send)


def host_of(url: str) -> str:
    """Return the host of an address; empty: it has none."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
