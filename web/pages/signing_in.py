"""Signing in and out, with a token or by the company's own provider (OpenID Connect)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from http import HTTPStatus
from typing import Annotated, Any

import structlog
from authlib.integrations.base_client import OAuthError
from authlib.integrations.starlette_client import OAuth
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse
from httpx2 import HTTPError
from joserfc.errors import JoseError

from domain.staff.access import Reach, Right, reach
from domain.vocabulary import Role
from runtime.settings import Settings
from starter.client import Unavailable
from starter.registers import Admitted
from web.audit import Strangers, written
from web.auth import sessions
from web.auth.identity import Doorkeeper, SignedIn, Visitor
from web.context import Here, address_of
from web.problems import Problem
from web.rendering import Form, Reason, render
from web.sent import form_of

router = APIRouter(include_in_schema=False)
log = structlog.get_logger("doors.signing_in")

ROOMS: Mapping[Role, str] = {
    Role.ENGINEER: "/my",
    Role.AGENT: "/intake",
    Role.CLERK: "/calls",
    Role.LEAD: "/board",
    Role.MANAGER: "/board",
    Role.GM_OFFICE: "/board",
}
"""Where somebody finds their work."""
_PERSON = re.compile(r"[\w.+-]{1,64}")
"""What an id on the roster is of: anything else a provider may claim is none."""
_CALLS: Mapping[Right, tuple[str, Reason]] = {
    Right.OPEN: ("POST /issues", ("登记问题", "register issues")),
    Right.SEE: ("GET /issues", ("查询问题", "look at issues")),
    Right.READ_AUDIT_TRAIL: ("GET /audit", ("查阅审计记录", "read the audit trail")),
    Right.READ_METRICS: ("GET /metrics", ("查看运行指标", "read the desk's metrics")),
}
"""What those without pages do over the HTTP interface."""
Next = Annotated[str, Query(alias="next", max_length=200)]


def _local(path: str) -> str:
    """Return where to go after signing in: never to another house."""
    own = path.startswith("/") and not path.startswith(("//", "/\\"))
    return path if own and path.isprintable() else "/"


def provider(own: Settings) -> OAuth | None:
    """Make what asks the company's provider; None if the desk has none."""
    if not (own.oidc_issuer and own.oidc_client_id):
        return None
    oauth = OAuth()
    secret = own.oidc_client_secret
    oauth.register(
        "company",
        server_metadata_url=f"{own.oidc_issuer.rstrip('/')}/.well-known/openid-configuration",
        client_id=own.oidc_client_id,
        client_secret=secret.get_secret_value() if secret else None,
        client_kwargs={"scope": "openid profile", "code_challenge_method": "S256"},
    )
    return oauth


@router.get("/")
async def home(request: Request, who: SignedIn) -> Response:
    """Lead everybody to their work."""
    if room := ROOMS.get(who.caller.role):
        return RedirectResponse(room, HTTPStatus.SEE_OTHER)
    calls = [call for right, call in _CALLS.items() if reach(who.caller.role, right) != Reach.NONE]
    return render(request, "home.html", who=who, calls=calls)


@router.get("/login")
async def ask(request: Request, after: Next = "/") -> Response:
    """Ask who somebody is."""
    return _asked(request, after=_local(after))


@router.post("/login")
async def sign_in(request: Request, here: Here) -> Response:
    """Sign somebody in by their token."""
    form = await form_of(request)
    after, token = _local(str(form.get("next", "/"))), str(form.get("token", "")).strip()
    keeper: Doorkeeper = request.app.state.doorkeeper
    admitted = await keeper.by_token(here, token) if token else None
    if admitted is None:
        if token:
            await _strangers(request).note(request, by="sign-in page", why="NotLetIn")
        return _asked(request, HTTPStatus.UNAUTHORIZED, after=after, wrong="token")
    answer = RedirectResponse(after, HTTPStatus.SEE_OTHER)
    async with written(here, _at_the_door(request, admitted), "sign_in"):
        sessions.begin(answer, here, token=admitted.token)
    return answer


@router.post("/logout")
async def sign_out(request: Request, here: Here, _: Form) -> Response:
    """Sign somebody out: their cookie counts no more, nor does a copy of it."""
    keeper: Doorkeeper = request.app.state.doorkeeper
    answer = RedirectResponse("/login", HTTPStatus.SEE_OTHER)
    sessions.end(answer, here)
    if session := sessions.read(request, here):
        admitted = None
        with suppress(Unavailable):
            admitted = await keeper.by_session(here, session)
        await keeper.end(here, session)
        if admitted:
            async with written(here, _at_the_door(request, admitted), "sign_out"):
                pass
    return answer


@router.get("/login/oidc")
async def go_to_provider(request: Request, here: Here, after: Next = "/") -> Response:
    """Send somebody to the company's own sign-in."""
    company = _provider(request).company
    request.session["after"] = _local(after)
    try:
        back = f"{here.settings.base_url}/login/oidc/callback"
        answer: Response = await company.authorize_redirect(request, back)
    except (HTTPError, OAuthError) as error:
        log.warning("the provider does not answer", error=type(error).__name__)
        return _asked(request, HTTPStatus.BAD_GATEWAY, wrong="provider")
    return answer


@router.get("/login/oidc/callback")
async def come_back(request: Request, here: Here) -> Response:
    """Sign in whom the provider knows, if they are on the roster."""
    try:
        told: dict[str, Any] = await _provider(request).company.authorize_access_token(request)
    except (HTTPError, OAuthError, JoseError, ValueError) as error:
        log.warning("not signed in by the provider", error=type(error).__name__)
        await _strangers(request).note(request, by="company", why="NotLetIn")
        return _asked(request, HTTPStatus.UNAUTHORIZED, wrong="provider")
    person = str((told.get("userinfo") or {}).get(here.settings.oidc_person_claim, ""))
    known = bool(_PERSON.fullmatch(person))
    admitted = await here.registers.admission.by_person(person) if known else None
    if admitted is None:
        named = {"person": person} if known else {}
        await _strangers(request).note(request, by="company", why="NotOnTheRoster", **named)
        return _asked(request, HTTPStatus.FORBIDDEN, wrong="roster")
    # A redirect from here would still count as begun elsewhere, and go without the strict cookie.
    answer = render(request, "signed_in.html", after=request.session.pop("after", "/"))
    async with written(here, _at_the_door(request, admitted), "sign_in"):
        sessions.begin(answer, here, person=person)
    return answer


def _strangers(request: Request) -> Strangers:
    found: Strangers = request.app.state.strangers
    return found


def _at_the_door(request: Request, admitted: Admitted) -> Visitor:
    """Write for the audit trail by what somebody was let in."""
    via = f"token {admitted.token}" if admitted.token else "company"
    return Visitor(admitted.caller, via, address_of(request))


def _asked(
    request: Request, status: int = HTTPStatus.OK, *, after: str = "/", wrong: str = ""
) -> Response:
    return render(
        request,
        "login.html",
        int(status),
        after=after,
        wrong=wrong,
        by_company=request.app.state.provider is not None,
    )


def _provider(request: Request) -> Any:
    found = request.app.state.provider
    if found is None:
        raise Problem(HTTPStatus.NOT_FOUND, "this desk has no OpenID Connect provider")
    return found
