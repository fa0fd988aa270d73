"""Which of two answers is wanted at one address: a page for people, or data for programs."""

from __future__ import annotations

from fastapi.routing import APIRoute
from starlette.datastructures import Headers
from starlette.routing import Match
from starlette.types import Scope


class ForPrograms(APIRoute):
    """A door that leaves people at a browser to the page of the same address: who asks for HTML,
    and does not say by a token that they are a program.
    """

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Say whether this door is meant."""
        match, child = super().matches(scope)
        if match is not Match.NONE and _is_person(Headers(scope=scope)):
            return Match.NONE, {}
        return match, child


def _is_person(headers: Headers) -> bool:
    return "text/html" in headers.get("accept", "") and "authorization" not in headers
