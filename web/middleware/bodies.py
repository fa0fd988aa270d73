"""How much of a body is taken in."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import NamedTuple

from fastapi import Request
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_ALLOWED = "body_limit"


class Allowed(NamedTuple):
    """How many bytes of a body are let in, and how more is refused."""

    limit: int
    refused: Exception


@dataclass
class BodyLimit:
    """Takes in no more of a body than it must. What nobody reads is nobody's to refuse."""

    app: ASGIApp
    limit: int

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        state[_ALLOWED] = Allowed(self.limit, _too_large(self.limit))
        said = Headers(scope=scope).get("content-length", "")
        announced = int(said) if said.isdecimal() else 0
        taken = 0

        async def counted() -> Message:
            nonlocal taken
            allowed: Allowed = state[_ALLOWED]
            if announced > allowed.limit:
                raise allowed.refused
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > allowed.limit:  # whoever reads the body passes this one on
                raise allowed.refused
            return message

        await self.app(scope, counted, send)


def let_in(request: Request, limit: int, refused: Exception | None = None) -> None:
    """Let so many bytes of this request in, before the first of them is read: whoever is allowed to
    send a file sends more than others. ``refused`` says no to more.
    """
    setattr(request.state, _ALLOWED, Allowed(limit, refused or _too_large(limit)))


def _too_large(limit: int) -> HTTPException:
    return HTTPException(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"the body is larger than {limit} bytes: send less"
    )
