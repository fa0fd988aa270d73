"""Signing in with a token, at the company's own provider, and out again."""

from __future__ import annotations

import asyncio
import secrets
import socket
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Annotated, Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
import uvicorn
from fastapi import FastAPI, Form
from fastapi.responses import JSONResponse
from joserfc import jwt
from joserfc.jwk import RSAKey

from domain.vocabulary import Role
from runtime.settings import Settings
from store import door_log, tokens
from store.tokens import Token
from tests.support.staff_at_pages import hidden, pool_of
from tests.web.conftest import BASE, MakeToken
from web.app import build
from web.auth.identity import PREFIX, digest
from web.context import Doors

PAGE = {"Accept": "text/html"}


@pytest.fixture
async def lead(token: MakeToken) -> str:
    return (await token(Role.LEAD))["Authorization"].removeprefix("Bearer ")


async def test_a_page_sends_whoever_is_not_signed_in_to_sign_in_and_back(
    http: httpx2.AsyncClient, lead: str
) -> None:
    away = await http.get("/board?stage=assigned", headers=PAGE)
    assert (away.status_code, away.headers["location"]) == (303, "/login?next=/board")
    page = await http.get(away.headers["location"], headers=PAGE)
    assert hidden(page.text)["next"] == "/board"
    back = await http.post("/login", data={"token": lead, "next": "/board"})
    assert (back.status_code, back.headers["location"]) == (303, "/board")
    assert (await http.get("/", headers=PAGE)).headers["location"] == "/board"


async def test_the_cookie_is_kept_from_scripts_and_from_other_sites_and_holds_no_token(
    http: httpx2.AsyncClient, lead: str
) -> None:
    answer = await http.post("/login", data={"token": lead})
    cookie = answer.headers["set-cookie"]
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= set(cookie.split("; "))
    assert lead not in cookie


async def test_over_tls_the_cookie_goes_nowhere_else(doors: Doors, lead: str) -> None:
    public = doors.settings.model_copy(update={"public_url": "https://desk.example"})
    app = build(replace(doors, settings=public))
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="https://desk.example") as http:
        cookie = (await http.post("/login", data={"token": lead})).headers["set-cookie"]
    assert cookie.startswith("__Host-yinuo=")
    assert "Secure" in cookie


@pytest.mark.parametrize("wrong", ["", "yn_made-up", "口令", "x" * 5000])
async def test_a_wrong_token_is_told_so_and_lets_nobody_in(
    http: httpx2.AsyncClient, wrong: str
) -> None:
    answer = await http.post("/login", data={"token": wrong}, headers={"Accept-Language": "en"})
    assert answer.status_code == 401
    assert "unknown, revoked or expired" in answer.text
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("elsewhere", ["//evil.example", "https://evil.example", "/\\evil.example"])
async def test_signing_in_leads_to_no_other_house(
    http: httpx2.AsyncClient, lead: str, elsewhere: str
) -> None:
    answer = await http.post("/login", data={"token": lead, "next": elsewhere})
    assert answer.headers["location"] == "/"


@pytest.mark.parametrize(
    "elsewhere", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}]
)
async def test_no_other_site_signs_anybody_in(
    http: httpx2.AsyncClient, lead: str, elsewhere: dict[str, str]
) -> None:
    answer = await http.post("/login", data={"token": lead}, headers=elsewhere)
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


async def test_whose_token_is_revoked_is_signed_out(doors: Doors, http: httpx2.AsyncClient) -> None:
    written, id_ = PREFIX + secrets.token_urlsafe(32), secrets.token_hex(4)
    given = Token(id=id_, role=Role.LEAD, person="zhou.jianguo", created_at=datetime.now(UTC))
    async with pool_of(doors).acquire() as connection:
        await tokens.create(connection, given, digest(written))
        await http.post("/login", data={"token": written})
        assert (await http.get("/", headers=PAGE)).headers["location"] == "/board"
        assert await tokens.revoke(connection, id_, datetime.now(UTC))
    app = build(doors)  # one that remembers nobody: ten seconds are long in a test
    later = httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=app), base_url=BASE, cookies=http.cookies
    )
    async with later:
        assert (await later.get("/", headers=PAGE)).headers["location"].startswith("/login")


async def test_signing_out_takes_a_form_of_ours(http: httpx2.AsyncClient, lead: str) -> None:
    await http.post("/login", data={"token": lead})
    assert (await http.post("/logout", data={})).status_code == 403
    page = await http.get("/board", headers=PAGE)
    out = await http.post("/logout", data={"csrf": hidden(page.text)["csrf"]})
    assert (out.status_code, out.headers["location"]) == (303, "/login")
    assert (await http.get("/", headers=PAGE)).headers["location"].startswith("/login")


async def test_a_copied_cookie_counts_no_more_after_signing_out_at_any_process(
    doors: Doors, http: httpx2.AsyncClient, lead: str
) -> None:
    await http.post("/login", data={"token": lead})
    name, cookie = next(iter(http.cookies.items()))
    copied = {**PAGE, "Cookie": f"{name}={cookie}"}
    transport = httpx2.ASGITransport(app=build(doors))
    async with httpx2.AsyncClient(transport=transport, base_url=BASE) as elsewhere:
        assert (await elsewhere.get("/board", headers=copied)).status_code == 200
        page = await http.get("/board", headers=PAGE)
        await http.post("/logout", data={"csrf": hidden(page.text)["csrf"]})
        http.cookies.clear()
        for process in (http, elsewhere):
            again = await process.get("/board", headers=copied)
            assert again.headers["location"] == "/login?next=/board"
            assert (await process.get("/issues", headers=copied)).status_code == 401
            act = await process.post(
                "/calls", data={"csrf": hidden(page.text)["csrf"]}, headers=copied
            )
            assert (act.status_code, act.headers["location"]) == (303, "/login")
    (out, into) = await door_log.entries(pool_of(doors), limit=2)
    assert [(each.person, each.what, each.outcome) for each in (into, out)] == [
        ("zhou.jianguo", "sign_in", "done"),
        ("zhou.jianguo", "sign_out", "done"),
    ]


@pytest.mark.parametrize(
    ("role", "does", "not_this"),
    [(Role.INTAKE, "POST /issues", "/audit"), (Role.AUDITOR, "GET /audit", "POST /issues")],
)
async def test_whoever_has_no_room_of_their_own_is_told_what_they_may_do(
    http: httpx2.AsyncClient, token: MakeToken, role: Role, does: str, not_this: str
) -> None:
    written = (await token(role))["Authorization"].removeprefix("Bearer ")
    await http.post("/login", data={"token": written})
    page = await http.get("/", headers=PAGE)
    assert does in page.text
    assert not_this not in page.text
    out = await http.post("/logout", data={"csrf": hidden(page.text)["csrf"]})
    assert out.headers["location"] == "/login"


# The company's own provider -----------------------------------------------------------------------


@dataclass
class Provider:
    """An OpenID Connect provider as far as a sign-in needs one; ``person`` is at its keyboard."""

    issuer: str
    person: str = "zhou.jianguo"
    instead: dict[str, Any] = field(default_factory=dict)
    """Told instead of what is right."""
    asked: dict[str, str] = field(default_factory=dict)
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "1"}))
    forged: bool = False
    """Signed with another key than the one that is shown."""

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
            challenge = urlsafe_b64encode(sha256(code_verifier.encode()).digest()).rstrip(b"=")
            if challenge.decode() != self.asked["code_challenge"]:
                return JSONResponse({"error": "invalid_grant"}, 400)
            now = datetime.now(UTC)
            claims = {
                "iss": self.issuer,
                "aud": "desk",
                "sub": "4711",
                "iat": now,
                "exp": now + timedelta(minutes=5),
                "nonce": self.asked["nonce"],
                "preferred_username": self.person,
            } | self.instead
            key = RSAKey.generate_key(2048, {"kid": "1"}) if self.forged else self.key
            id_token = jwt.encode({"alg": "RS256", "kid": "1"}, claims, key)
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
async def desk_with(provider: Provider, doors: Doors) -> AsyncIterator[httpx2.AsyncClient]:
    own: Settings = doors.settings.model_copy(
        update={"oidc_issuer": provider.issuer, "oidc_client_id": "desk", "public_url": BASE}
    )
    transport = httpx2.ASGITransport(app=build(replace(doors, settings=own)))
    async with httpx2.AsyncClient(transport=transport, base_url=BASE) as http:
        yield http


async def go(http: httpx2.AsyncClient, provider: Provider, after: str = "/") -> str:
    """Go to the provider; return what it was asked for as ``state``."""
    sent = await http.get("/login/oidc", params={"next": after})
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
        assert "/login/oidc?next=/my" in (await http.get("/login?next=/my")).text
        state = await go(http, provider, "/my")
        back = await http.get(f"/login/oidc/callback?code=c&state={state}")
        assert back.status_code == 200, back.text
        # No redirect: begun at the provider's, it would go without the strict cookie.
        assert '<meta http-equiv="refresh" content="0; url=/my">' in back.text
        assert (await http.get("/", headers=PAGE)).headers["location"] == "/board"
    last = (await door_log.entries(pool_of(doors), limit=1))[0]
    assert (last.person, last.via, last.what) == ("zhou.jianguo", "company", "sign_in")


async def test_what_is_kept_while_somebody_is_at_the_provider_goes_to_the_sign_in_only(
    provider: Provider, doors: Doors
) -> None:
    async with desk_with(provider, doors) as http:
        sent = await http.get("/login/oidc")
        kept = sent.headers["set-cookie"].lower().split("; ")
        assert kept[0].startswith("yinuo_oidc=")
        assert {"path=/login", "httponly", "samesite=lax", "max-age=600"} <= set(kept)
        state = parse_qs(urlsplit(sent.headers["location"]).query)["state"][0]
        assert state not in (await http.get("/login")).text


async def test_the_provider_leads_to_no_other_house(provider: Provider, doors: Doors) -> None:
    async with desk_with(provider, doors) as http:
        state = await go(http, provider, "//evil.example")
        back = await http.get(f"/login/oidc/callback?code=c&state={state}")
        assert back.status_code == 200
        assert "evil.example" not in back.text


async def test_an_answer_of_the_provider_is_taken_once(provider: Provider, doors: Doors) -> None:
    async with desk_with(provider, doors) as http:
        place = f"/login/oidc/callback?code=c&state={await go(http, provider)}"
        assert (await http.get(place)).status_code == 200
        assert (await http.get(place)).status_code == 401


@pytest.mark.parametrize("person", ["visitor", "", "zhou.jianguo\0"])
async def test_who_is_not_on_the_roster_is_told_so(
    provider: Provider, doors: Doors, person: str
) -> None:
    provider.person = person
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


@pytest.mark.parametrize(
    "instead",
    [
        {"nonce": "somebody else's"},
        {"nonce": None},
        {"aud": "another desk"},
        {"iss": "https://evil.example"},
        {"exp": datetime(2026, 1, 1, tzinfo=UTC)},
    ],
    ids=lambda instead: next(iter(instead)),
)
async def test_what_the_provider_said_to_somebody_else_or_long_ago_is_not_taken(
    provider: Provider, doors: Doors, instead: dict[str, Any]
) -> None:
    provider.instead = instead
    await _not_let_in(provider, doors)


async def test_what_another_key_signed_is_not_taken(provider: Provider, doors: Doors) -> None:
    provider.forged = True
    await _not_let_in(provider, doors)


async def test_who_did_not_go_there_from_here_has_nothing_to_show_for_it(
    provider: Provider, doors: Doors
) -> None:
    async with desk_with(provider, doors) as http:
        state = await go(http, provider)
        http.cookies.clear()
        back = await http.get(f"/login/oidc/callback?code=c&state={state}")
        assert back.status_code == 401


async def _not_let_in(provider: Provider, doors: Doors) -> None:
    async with desk_with(provider, doors) as http:
        state = await go(http, provider)
        back = await http.get(f"/login/oidc/callback?code=c&state={state}")
        assert back.status_code == 401
        assert (await http.get("/", headers=PAGE)).headers["location"].startswith("/login")


async def test_a_provider_that_is_away_leaves_the_token(doors: Doors) -> None:
    async with desk_with(Provider("http://127.0.0.1:1"), doors) as http:
        sent = await http.get("/login/oidc")
        assert sent.status_code == 502
        assert 'name="token"' in sent.text


async def test_a_desk_without_a_provider_offers_none(http: httpx2.AsyncClient) -> None:
    assert "/login/oidc" not in (await http.get("/login")).text
    assert (await http.get("/login/oidc")).status_code == 404
