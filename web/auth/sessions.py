"""Sessions of people at the pages: a signed cookie that names a token or a person, no more."""

from __future__ import annotations

import secrets

from fastapi import Request, Response
from itsdangerous import BadData, URLSafeTimedSerializer
from pydantic import ValidationError

from domain.vocabulary import Model
from web.context import Doors

LASTS = 12 * 3600
"""Seconds: a working day."""


class Session(Model):
    """Who is signed in: by which token, or as whom the company's sign-in knows them."""

    id: str
    token: str | None = None
    person: str = ""


def _name(here: Doors) -> str:
    # Browsers take a cookie of that name only over TLS, for this host, for all paths.
    return "__Host-yinuo" if _secure(here) else "yinuo"


def _secure(here: Doors) -> bool:
    return here.settings.base_url.startswith("https://")


def begin(response: Response, here: Doors, *, token: str | None = None, person: str = "") -> None:
    """Sign somebody in."""
    session = Session(id=secrets.token_urlsafe(12), token=token, person=person)
    response.set_cookie(
        _name(here),
        _sealed(here).dumps(session.model_dump()),
        max_age=LASTS,
        path="/",
        secure=_secure(here),
        httponly=True,
        samesite="strict",
    )


def end(response: Response, here: Doors) -> None:
    """Sign somebody out."""
    response.delete_cookie(
        _name(here), path="/", secure=_secure(here), httponly=True, samesite="strict"
    )


def read(request: Request, here: Doors) -> Session | None:
    """Return the session of a request, if it has one of ours that is not over."""
    cookie = request.cookies.get(_name(here))
    if cookie is None:
        return None
    try:
        return Session.model_validate(_sealed(here).loads(cookie, max_age=LASTS))
    except (BadData, ValidationError):
        return None


def _sealed(here: Doors) -> URLSafeTimedSerializer:
    return here.signer.timed("session")
