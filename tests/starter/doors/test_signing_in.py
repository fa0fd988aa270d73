"""Signing in with a token, at the company's own provider, and out again."""

from __future__ import annotations

import asyncio
import secrets
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import uvicorn
from fastapi import FastAPI, Form
from fastapi.responses import JSONResponse
from joserfc import jwt
from joserfc.jwk import RSAKey

from domain.vocabulary import Role
from runtime.settings import Settings
from starter.doors.app import build
from starter.doors.context import Doors
from starter.doors.who import PREFIX, digest
from store import tokens
from store.tokens import Token
from tests.starter.doors.at_desk import hidden
from tests.starter.doors.conftest import BASE, MakeToken

PAGE = {"Accept": "text/html"}


@pytest.fixture
async def lead(token: MakeToken) -> str:
    return (await token(Role.LEAD))["Authorization"].removeprefix("Bearer ")


async def test_a_page_sends_whoever_is_not_signed_in_to_sign_in_and_back(
    http: httpx.AsyncClient, lead: str
) -> None:
    away = await http.get("/board?stage=assigned", headers=PAGE)
    assert (away.status_code, away.headers["location"]) == (303, "/login?next=/board")
    page = await http.get(away.headers["location"], headers=PAGE)
    assert hidden(page.text)["next"] == "/board"
    back = await http.post("/login", data={"token": lead, "next": "/board"})
    assert (back.status_code, back.headers["location"]) == (303, "/board")
    assert (await http.get("/", headers=PAGE)).headers["location"] == "/board"


async def test_the_cookie_is_kept_from_scripts_and_from_other_sites_and_holds_no_token(
    http: httpx.AsyncClient, lead: str
) -> None:
    answer = await http.post("/login", data={"token": lead})
    cookie = answer.headers["set-cookie"]
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= set(cookie.split("; "))
    assert lead not in cookie


async def test_over_tls_the_cookie_goes_nowhere_else(doors: Doors, lead: str) -> None:
    public = doors.settings.model_copy(update={"public_url": "https://desk.example"})
    app = build(replace(doors, settings=public))
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="https://desk.example") as http:
        cookie = (await http.post("/login", data={"token": lead})).headers["set-cookie"]
    assert cookie.startswith("__Host-yinuo=")
    assert "Secure" in cookie


@pytest.mark.parametrize("wrong", ["", "yn_made-up", "口令", "x" * 5000])
async def test_a_wrong_token_is_told_so_and_lets_nobody_in(
    http: httpx.AsyncClient, wrong: str
) -> None:
    answer = await http.post("/login", data={"token": wrong}, headers={"Accept-Language": "en"})
    assert answer.status_code == 401
    assert "unknown, revoked or expired" in answer.text
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("elsewhere", ["//evil.example", "https://evil.example", "/\\evil.example"])
async def test_signing_in_leads_to_no_other_house(
    http: httpx.AsyncClient, lead: str, elsewhere: str
) -> None:
    answer = await http.post("/login", data={"token": lead, "next": elsewhere})
    assert answer.headers["location"] == "/"


async def test_whose_token_is_revoked_is_signed_out(doors: Doors, http: httpx.AsyncClient) -> None:
    written, id_ = PREFIX + secrets.token_urlsafe(32), secrets.token_hex(4)
    given = Token(id=id_, role=Role.LEAD, person="zhou.jianguo", created_at=datetime.now(UTC))
    async with doors.pool.acquire() as connection:
        await tokens.create(connection, given, digest(written))
        await http.post("/login", data={"token": written})
        assert (await http.get("/", headers=PAGE)).headers["location"] == "/board"
        assert await tokens.revoke(connection, id_, datetime.now(UTC))
    app = build(doors)  # one that remembers nobody: ten seconds are long in a test
    later = httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app), base_url=BASE, cookies=http.cookies
    )
    async with later:
        assert (await later.get("/", headers=PAGE)).headers["location"].startswith("/login")


async def test_signing_out_takes_a_form_of_ours(http: httpx.AsyncClient, lead: str) -> None:
    await http.post("/login", data={"token": lead})
    assert (await http.post("/logout", data={})).status_code == 403
    page = await http.get("/board", headers=PAGE)
    out = await http.post("/logout", data={"csrf": hidden(page.text)["csrf"]})
    assert (out.status_code, out.headers["location"]) == (303, "/login")
    assert (await http.get("/", headers=PAGE)).headers["location"].startswith("/login")


async def test_an_intake_system_has_no_room_but_a_page_that_says_so(
    http: httpx.AsyncClient, token: MakeToken
) -> None:
    web = (await token(Role.INTAKE))["Authorization"].removeprefix("Bearer ")
    await http.post("/login", data={"token": web})
    assert "OpenAPI" in (await http.get("/", headers=PAGE)).text


# The company's own provider -----------------------------------------------------------------------


@dataclass
class Provider:
    """An OpenID Connect provider as far as a sign-in needs one; ``person`` is at its keyboard."""

    issuer: str
    person: str = "zhou.jianguo"
    nonce: str | None = None
    """Told instead of the one that was asked with."""
    asked: dict[str, str] = field(default_factory=dict)
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "1"}))

    def app(self) -> FastAPI:
        app = FastAPI()

        @app.get("/.well-known/openid-configuration")
        async def _configuration() -> dict[str, Any]:
            return {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys",
                "id_token_signing_alg_values_supported": ["RS256"],
            }

        @app.get("/keys")
        async def _keys() -> dict[str, Any]:
            return {"keys": [self.key.as_dict(private=False)]}

        @app.post("/token")
        async def _token(code_verifier: Annotated[str, Form()]) -> JSONResponse:
            assert code_verifier
            now = datetime.now(UTC)
            claims = {
                "iss": self.issuer,
                "aud": "desk",
                "sub": "4711",
                "iat": now,
                "exp": now + timedelta(minutes=5),
                "nonce": self.nonce or self.asked["nonce"],
                "preferred_username": self.person,
            }
            id_token = jwt.encode({"alg": "RS256", "kid": "1"}, claims, self.key)
            return JSONResponse(
                {"access_token": "at", "token_type": "Bearer", "id_token": id_token}
            )

        return app


class _Server(uvicorn.Server):
    """Signals are pytest's."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    with socket.create_server(("127.0.0.1", 0)) as ear:
        made = Provider(f"http://127.0.0.1:{ear.getsockname()[1]}")
        server = _Server(uvicorn.Config(made.app(), lifespan="off", log_config=None))
        serving = asyncio.create_task(server.serve(sockets=[ear]))
        yield made
        server.should_exit = True
        await serving


@asynccontextmanager
async def desk_with(provider: Provider, doors: Doors) -> AsyncIterator[httpx.AsyncClient]:
    own: Settings = doors.settings.model_copy(
        update={"oidc_issuer": provider.issuer, "oidc_client_id": "desk", "public_url": BASE}
    )
    transport = httpx.ASGITransport(app=build(replace(doors, settings=own)))
    async with httpx.AsyncClient(transport=transport, base_url=BASE) as http:
        yield http


async def go(http: httpx.AsyncClient, provider: Provider) -> str:
    """Go to the provider; return what it was asked for as ``state``."""
    sent = await http.get("/login/oidc")
    assert sent.status_code == 302, sent.text
    asked = {k: v[0] for k, v in parse_qs(urlsplit(sent.headers["location"]).query).items()}
    assert asked["redirect_uri"] == f"{BASE}/login/oidc/callback"
    assert asked["code_challenge_method"] == "S256"
    provider.asked = asked
    return asked["state"]


async def test_whom_the_provider_knows_and_the_roster_has_is_signed_in(
    provider: Provider, doors: Doors
) -> None:
    async with desk_with(provider, doors) as http:
        assert "/login/oidc" in (await http.get("/login")).text
        state = await go(http, provider)
        back = await http.get(f"/login/oidc/callback?code=c&state={state}")
        assert back.status_code == 200, back.text
        assert (await http.get("/", headers=PAGE)).headers["location"] == "/board"


async def test_who_is_not_on_the_roster_is_told_so(provider: Provider, doors: Doors) -> None:
    provider.person = "visitor"
    async with desk_with(provider, doors) as http:
        state = await go(http, provider)
        back = await http.get(f"/login/oidc/callback?code=c&state={state}")
        assert back.status_code == 403
        assert "花名册" in back.text
        assert (await http.get("/", headers=PAGE)).headers["location"].startswith("/login")


@pytest.mark.parametrize("state", ["", "made-up"])
async def test_who_was_not_sent_by_us_is_not_let_in(
    provider: Provider, doors: Doors, state: str
) -> None:
    async with desk_with(provider, doors) as http:
        await go(http, provider)
        back = await http.get(f"/login/oidc/callback?code=c&state={state}")
        assert back.status_code == 401
        assert (await http.get("/", headers=PAGE)).headers["location"].startswith("/login")


async def test_an_answer_to_another_question_is_not_taken(provider: Provider, doors: Doors) -> None:
    provider.nonce = "somebody else's"
    async with desk_with(provider, doors) as http:
        state = await go(http, provider)
        back = await http.get(f"/login/oidc/callback?code=c&state={state}")
        assert back.status_code == 401


async def test_a_desk_without_a_provider_offers_none(http: httpx.AsyncClient) -> None:
    assert "/login/oidc" not in (await http.get("/login")).text
    assert (await http.get("/login/oidc")).status_code == 404
