"""How much of a body is taken in."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from web.middleware.common import refuse
from web.problems import Problem


@dataclass
class BodyLimit:
    """Takes in no more of a body than it must."""

    app: ASGIApp
    limit: int

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        said = Headers(scope=scope).get("content-length", "")
        if said.isdecimal() and int(said) > self.limit:
            await refuse(Problem(*self._too_large), scope, receive, send)
            return
        taken = 0

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > self.limit:  # whoever reads the body passes this one on
                raise HTTPException(*self._too_large)
            return message

        await self.app(scope, counted, send)

    @property
    def _too_large(self) -> tuple[HTTPStatus, str]:
        return (
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            f"the body is larger than {self.limit} bytes: send less",
        )
