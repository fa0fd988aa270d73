"""Which other site may send something here: none (CSRF)."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from web.middleware.common import refuse
from web.problems import not_yours

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_INBOUND = "/inbound/"


@dataclass
class SameSite:
    """Lets other sites' pages send nothing here in the name of whoever looks at them (CSRF).

    Programs send neither header. A bearer token no browser sends by itself; and a web form that
    posts to a webhook may well stand on the company's own site.
    """

    app: ASGIApp
    own: str

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] not in _SAFE and self._foreign(scope):
            wrong = not_yours("another site may not send this: do it on our own page")
            await refuse(wrong, scope, receive, send)
            return
        await self.app(scope, receive, send)

    def _foreign(self, scope: Scope) -> bool:
        headers = Headers(scope=scope)
        if "authorization" in headers or scope["path"].startswith(_INBOUND):
            return False
        if site := headers.get("sec-fetch-site"):
            return site not in {"same-origin", "none"}
        origin = headers.get("origin")
        # A proxy may or may not pass on the host that the browser asked for.
        known = {self.own, headers.get("host")}
        return origin is not None and origin.partition("://")[2] not in known
