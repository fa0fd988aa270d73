"""What every request and every answer goes through, at a small app of its own and at the doors."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
import structlog
import uvicorn
from fastapi import APIRouter, FastAPI, Request, Response
from structlog.testing import capture_logs

from domain.staff.access import Caller
from domain.vocabulary import Role
from runtime.embedded.ports import free_ports
from runtime.settings import Settings
from runtime.signing import signer
from store.tokens import Admitted
from tests.web.conftest import MakeToken
from web import problems
from web.app import build
from web.auth import sessions
from web.auth.identity import _Known, digest
from web.context import Doors, address_of
from web.middleware import request_log

ROOM = APIRouter()


@ROOM.get("/l/{signed}/tested")
async def refuse_link(signed: str) -> None:
    raise (LookupError(f"陈红 {signed}") if signed == "broken" else problems.not_yours("no"))


@ROOM.get("/l/{signed}/opened")
async def open_link(signed: str) -> str:
    return signed


LOOKED_UP: list[str] = []


@ROOM.get("/whence")
async def whence(request: Request) -> str:
    return address_of(request)


@ROOM.get("/who")
async def refuse_everybody(request: Request) -> None:
    LOOKED_UP.append(request.headers.get("authorization", ""))
    raise problems.not_let_in("nobody knows you")


@ROOM.get("/look")
async def look() -> str:
    return "seen"


@ROOM.post("/echo")
@ROOM.post("/inbound/web/tested")
async def echo(request: Request) -> int:
    return len(await request.body())


Knock = httpx2.AsyncClient


def _app(**changes: Any) -> FastAPI:
    """The doors with one more room, without any server: none of it is needed here."""
    own = Settings(secret="x" * 32, **changes)
    nobody: Any = None
    app = build(Doors(*(nobody,) * 6, own, signer(own)))
    app.include_router(ROOM)
    return app


def _knock(app: FastAPI, address: str = "192.0.2.7", base: str = "http://127.0.0.1:8080") -> Knock:
    # A fault of ours is answered by the app itself, or not at all.
    transport = httpx2.ASGITransport(app=app, client=(address, 5000))
    return Knock(transport=transport, base_url=base)


@pytest.fixture
async def bare() -> AsyncIterator[Knock]:
    async with _knock(_app()) as client:
        yield client


@pytest.mark.parametrize(
    ("path", "status"),
    [("/healthz", 200), ("/nowhere", 404), ("/who", 401), ("/l/broken/tested", 500)],
)
async def test_every_answer_tells_browsers_what_they_must_not_do(
    bare: Knock, path: str, status: int
) -> None:
    answer = await bare.get(path)
    assert answer.status_code == status
    policy = answer.headers["content-security-policy"]
    for rule in ("default-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"):
        assert rule in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert answer.headers["cache-control"] == "no-store"
    assert "strict-transport-security" not in answer.headers


async def test_a_desk_behind_tls_is_to_be_reached_by_tls_only() -> None:
    app = _app(public_url="https://desk.example.com")
    async with _knock(app, base="https://desk.example.com") as client:
        answer = await client.get("/healthz")
    assert answer.headers["strict-transport-security"] == "max-age=31536000"


@pytest.mark.parametrize(
    ("name", "kept"),
    [("htmx-2.0.11.min.js", "max-age=31536000, immutable"), ("desk.css", "max-age=300")],
)
async def test_what_never_changes_under_its_name_is_kept_by_browsers(
    bare: Knock, name: str, kept: str
) -> None:
    answer = await bare.get(f"/static/{name}")
    assert answer.headers["cache-control"] == f"public, {kept}"


async def test_a_desk_listens_to_its_own_name_only() -> None:
    app = _app(public_url="https://desk.example.com")
    async with _knock(app, base="https://evil.example.com") as client:
        assert (await client.get("/look")).status_code == 421
        assert (await client.get("/healthz")).status_code == 200
    async with _knock(app, base="https://desk.example.com:443") as client:
        assert (await client.get("/look")).status_code == 200


@pytest.mark.parametrize("size", [1024, 1025])
async def test_a_body_is_limited_whether_it_says_its_size_or_not(size: int) -> None:
    async def stream() -> AsyncIterator[bytes]:
        for _ in range(size // 25):
            yield b"x" * 25
        yield b"x" * (size % 25)

    wanted = 200 if size == 1024 else 413
    async with _knock(_app(body_limit=1024)) as client:
        said = await client.post("/echo", content=b"x" * size)
        streamed = await client.post("/echo", content=stream())
        unread = await client.post("/nowhere", content=b"x" * size)
    assert (said.status_code, streamed.status_code) == (wanted, wanted)
    assert unread.status_code == 404
    if wanted == 413:
        for answer in (said, streamed):
            assert answer.headers["content-type"] == "application/problem+json"
            assert "1024 bytes" in answer.json()["detail"]


@pytest.fixture
def a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let all be asked in the same instant, however slow the machine: the minute never turns."""
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now)


@pytest.mark.usefixtures("a_minute")
async def test_a_token_may_ask_so_often_a_minute_and_hears_when_to_ask_again() -> None:
    async with _knock(_app(calls_per_minute=5)) as client:
        mine, yours = ({"Authorization": f"Bearer {name}"} for name in ("mine", "yours"))
        codes = [(await client.get("/look", headers=mine)).status_code for _ in range(5)]
        refused = await client.get("/look", headers=mine)
        other = await client.get("/look", headers=yours)
    assert codes == [200] * 5
    assert refused.status_code == 429
    assert refused.headers["content-type"] == "application/problem+json"
    assert 1 <= int(refused.headers["retry-after"]) <= 120
    assert other.status_code == 200


@pytest.mark.usefixtures("a_minute")
async def test_a_person_may_ask_a_tenth_and_an_address_a_fiftieth_of_that() -> None:
    app = _app(calls_per_minute=500)
    here = app.state.doors
    response = Response()
    sessions.begin(response, here, person="zhou.jianguo")
    cookie = {"Cookie": response.headers["set-cookie"].partition(";")[0]}
    async with _knock(app) as client:
        as_person = [(await client.get("/look", headers=cookie)).status_code for _ in range(51)]
        as_nobody = [(await client.get("/look")).status_code for _ in range(11)]
        forged = await client.get("/look", headers={"Cookie": "yinuo=made.up"})
        static = await client.get("/static/desk.css")
        alive = await client.get("/healthz")
    assert as_person == [200] * 50 + [429]
    assert as_nobody == [200] * 10 + [429]
    assert forged.status_code == 429
    assert (static.status_code, alive.status_code) == (200, 200)


@pytest.mark.usefixtures("a_minute")
async def test_neighbours_in_one_network_of_ipv6_are_one_address() -> None:
    app = _app(calls_per_minute=50)
    for address, code in (("2001:db8::1", 200), ("2001:db8::2", 429), ("2001:db8:0:1::1", 200)):
        async with _knock(app, address) as client:
            assert (await client.get("/look")).status_code == code


@pytest.mark.usefixtures("a_minute")
@pytest.mark.parametrize("path", ["/who", "/l/forged/tested"])
async def test_whoever_guesses_hears_soon_no_more_than_that_it_is_too_often(path: str) -> None:
    app = _app(calls_per_minute=2000)
    async with _knock(app) as client:
        for guess in range(10):
            made_up = {"Authorization": f"Bearer {guess}"}
            assert (await client.get(path, headers=made_up)).status_code in {401, 403}
        after = await client.get(path, headers={"Authorization": "Bearer 11"})
        fits = await client.get("/look", headers={"Authorization": "Bearer fits"})
        other_link = await client.get("/l/good/opened")
    assert (after.status_code, fits.status_code, other_link.status_code) == (429, 200, 200)
    assert after.json()["status"] == 429
    assert int(after.headers["retry-after"]) > 0
    async with _knock(app, "192.0.2.8") as other:
        assert (await other.get(path, headers=made_up)).status_code in {401, 403}


@pytest.mark.usefixtures("a_minute")
async def test_many_guesses_are_not_even_looked_up_and_whoever_is_known_is_let_through() -> None:
    app = _app(calls_per_minute=20)
    here, keeper = app.state.doors, app.state.doorkeeper
    caller = Caller(id="web", role=Role.INTAKE, name="web")
    keeper._known[digest("known")] = _Known(Admitted(caller=caller), 0, 0)
    response = Response()
    sessions.begin(response, here, person="zhou.jianguo")
    cookie = {"Cookie": response.headers["set-cookie"].partition(";")[0]}
    LOOKED_UP.clear()
    async with _knock(app) as client:
        for guess in range(40):
            await client.get("/who", headers={"Authorization": f"Bearer {guess}"})
        known = await client.get("/look", headers={"Authorization": "Bearer known"})
        session = await client.get("/look", headers=cookie)
    assert len(LOOKED_UP) == 20
    assert (known.status_code, session.status_code) == (200, 200)


@pytest.mark.usefixtures("a_minute")
async def test_wrong_keys_use_up_nothing_of_those_who_sign_in_from_the_same_address() -> None:
    app = _app(calls_per_minute=500)
    async with _knock(app) as client:
        codes = [(await client.get("/l/forged/tested")).status_code for _ in range(20)]
        right = [(await client.get("/l/good/opened")).status_code for _ in range(6)]
    assert set(codes) == {403, 429}
    assert right == [200] * 5 + [429]


# Whose address counts -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("trusted", "peer", "said", "counts"),
    [
        ("", "127.0.0.1", "192.0.2.7", "127.0.0.1"),
        ("10.0.0.5", "127.0.0.1", "192.0.2.7", "127.0.0.1"),
        ("10.0.0.5", "10.0.0.5", "192.0.2.7", "192.0.2.7"),
        ("10.0.0.5", "10.0.0.5", "", "10.0.0.5"),
        ("10.0.0.5", "10.0.0.5", "203.0.113.9, 192.0.2.7", "192.0.2.7"),
        ("10.0.0.0/8", "10.0.0.5", "203.0.113.9, 192.0.2.7, 10.1.1.1", "192.0.2.7"),
        ("10.0.0.0/8", "10.0.0.5", "10.2.2.2, 10.1.1.1", "10.2.2.2"),
        ("10.0.0.5", "10.0.0.5", "<b>陈红</b>", "10.0.0.5"),
        ("10.0.0.5", "10.0.0.5", "call 13800001111", "10.0.0.5"),
        ("10.0.0.5", "10.0.0.5", "fe80::1%陈红 was here", "10.0.0.5"),
        ("10.0.0.5", "10.0.0.5", "192.0.2.7:4711", "10.0.0.5"),
        ("10.0.0.0/8", "10.0.0.5", "anything, 10.1.1.1", "10.0.0.5"),
        ("10.0.0.5", "10.0.0.5", "anything, 192.0.2.7", "192.0.2.7"),
        ("10.0.0.5", "::ffff:10.0.0.5", "2001:DB8::7", "2001:db8::7"),
        ("2001:db8::/32", "2001:db8::1", "::ffff:192.0.2.7", "192.0.2.7"),
        ("10.0.0.5", "10.0.0.5", ",", "10.0.0.5"),
    ],
)
async def test_a_callers_address_is_what_trusted_proxies_say_and_never_words(
    trusted: str, peer: str, said: str, counts: str
) -> None:
    app = _app(trusted_proxies=trusted)
    headers = [(b"X-Forwarded-For", said.encode())]
    async with _knock(app, peer) as client:
        assert (await client.get("/whence", headers=headers)).json() == counts
        assert (await client.get("/whence", headers={"Forwarded": "for=192.0.2.1"})).json() in {
            peer,
            peer.removeprefix("::ffff:"),
        }


async def test_a_header_that_comes_in_parts_is_read_as_one() -> None:
    app = _app(trusted_proxies="10.0.0.0/8")
    parts = [(b"X-Forwarded-For", each) for each in (b"203.0.113.9", b"192.0.2.7", b"10.0.0.6")]
    async with _knock(app, "10.0.0.5") as client:
        assert (await client.get("/whence", headers=parts)).json() == "192.0.2.7"


def test_nobody_is_trusted_unless_named_and_whoever_is_named_is_an_address() -> None:
    assert Settings().trusted_proxies == ""
    for wrong in ("*", "localhost", "10.0.0.1/8", "10.0.0.1 10.0.0.2"):
        with pytest.raises(ValueError, match="name the addresses or networks of your proxies"):
            Settings(trusted_proxies=wrong)


FROM = "http://127.0.0.1:8080"


@pytest.mark.parametrize(
    ("headers", "path", "status"),
    [
        ({}, "/echo", 200),
        ({"Sec-Fetch-Site": "same-origin"}, "/echo", 200),
        ({"Sec-Fetch-Site": "none"}, "/echo", 200),
        ({"Sec-Fetch-Site": "cross-site"}, "/echo", 403),
        ({"Sec-Fetch-Site": "same-site"}, "/echo", 403),
        ({"Sec-Fetch-Site": "cross-site", "Origin": FROM}, "/echo", 403),
        ({"Origin": FROM}, "/echo", 200),
        ({"Origin": "https://evil.example.com"}, "/echo", 403),
        ({"Origin": "null"}, "/echo", 403),
        ({"Origin": "https://evil.example.com", "Authorization": "Bearer x"}, "/echo", 200),
        ({"Origin": "https://www.example.com"}, "/inbound/web/tested", 200),
    ],
)
async def test_another_site_sends_nothing_in_a_persons_name(
    bare: Knock, headers: dict[str, str], path: str, status: int
) -> None:
    assert (await bare.post(path, headers=headers)).status_code == status


async def test_a_page_of_ours_may_send_though_a_proxy_hides_our_name() -> None:
    app = _app(public_url="https://desk.example.com")
    async with _knock(app) as client:
        for origin, status in (("https://desk.example.com", 200), ("https://example.com", 403)):
            assert (await client.post("/echo", headers={"Origin": origin})).status_code == status


@pytest.mark.parametrize(
    "path",
    ["/look", "/healthz", "/login", "/who", "/nowhere", "/issues", "/my", "/static/desk.css"],
)
async def test_to_look_whether_something_is_there_is_to_get_it_without_its_body(
    bare: Knock, path: str
) -> None:
    got, looked = await bare.get(path), await bare.head(path)
    assert looked.status_code == got.status_code
    assert looked.content == b""
    for name in ("content-type", "content-length", "location", "www-authenticate"):
        assert looked.headers.get(name) == got.headers.get(name)


@pytest.mark.parametrize("path", ["/echo", "/login/oidc", "/login/oidc/callback"])
async def test_what_does_something_is_not_done_by_looking(bare: Knock, path: str) -> None:
    assert (await bare.head(path)).status_code == 405


@pytest.mark.usefixtures("told")
async def test_the_log_tells_that_somebody_only_looked_and_where(bare: Knock) -> None:
    with capture_logs() as entries:
        await bare.head("/l/abc/opened")
    (entry,) = (each for each in entries if each["event"] == "request")
    assert (entry["method"], entry["route"]) == ("HEAD", "/l/{signed}/opened")


async def test_a_server_takes_what_is_there_without_its_body() -> None:
    app, (port,) = _app(), free_ports(1)
    config = uvicorn.Config(app, port=port, log_config=None, lifespan="off")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server._serve())
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:
        while not server.started:
            await asyncio.sleep(0)
        for path in ("/look", "/static/desk.css", "/login"):
            answers = [await http.head(path), await http.get(path)]  # over one connection
            assert [each.status_code for each in answers] == [200, 200]
    server.should_exit = True
    await serving


async def test_a_fault_of_ours_is_a_problem_that_can_be_found_in_the_log(bare: Knock) -> None:
    answer = await bare.get("/l/broken/tested")
    assert answer.headers["content-type"] == "application/problem+json"
    assert "X-Request-ID" in answer.json()["detail"]
    assert answer.headers["x-request-id"]


async def test_a_request_keeps_the_name_it_came_with_if_it_is_a_decent_one(bare: Knock) -> None:
    named = await bare.get("/look", headers={"X-Request-ID": "from-the-proxy-1"})
    odd = await bare.get("/look", headers={"X-Request-ID": "a b; DROP"})
    assert named.headers["x-request-id"] == "from-the-proxy-1"
    assert odd.headers["x-request-id"] != "a b; DROP"
    assert len(odd.headers["x-request-id"]) == 16


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A logger that asks for its configuration anew: another test may have made one already."""
    logging.getLogger("doors").setLevel(logging.DEBUG)
    monkeypatch.setattr(request_log, "log", structlog.get_logger("doors"))


async def test_the_log_tells_the_route_and_neither_query_nor_link_nor_what_went_wrong(
    bare: Knock, told: None
) -> None:
    with capture_logs() as lines:
        await bare.get("/look", params={"phone": "+8613800000001"})
        failed = await bare.get("/l/broken/tested")
        await bare.get("/no/such/way")
    assert failed.status_code == 500
    requests = [line for line in lines if line["event"] == "request"]
    assert [(line["route"], line["status"]) for line in requests] == [
        ("/look", 200),
        ("/l/{signed}/tested", 500),
        ("none", 404),
    ]
    (fault,) = [line for line in lines if line["log_level"] == "error"]
    assert fault["error"] == "LookupError"
    assert "refuse_link" in fault["at"][-1]
    assert not any(word in str(lines) for word in ("13800000001", "broken", "陈红", "such/way"))


async def test_the_log_tells_who_asked(
    http: httpx2.AsyncClient, token: MakeToken, told: None
) -> None:
    headers = await token(Role.MANAGER)
    with capture_logs() as lines:
        assert (await http.get("/metrics", headers=headers)).status_code == 200
    (line,) = [line for line in lines if line["event"] == "request"]
    assert (line["person"], line["route"], line["status"]) == ("sun.li", "/metrics", 200)
    assert headers["Authorization"].removeprefix("Bearer ") not in str(lines)


@pytest.mark.usefixtures("a_minute")
async def test_a_person_who_asks_too_often_reads_so_on_a_page() -> None:
    app = _app(calls_per_minute=50)
    async with _knock(app) as client:
        person = {"Accept": "text/html", "Accept-Language": "en"}
        answers = [await client.get("/my", headers=person) for _ in range(3)]
    assert answers[-1].status_code == 429
    assert answers[-1].headers["content-type"].startswith("text/html")
    assert int(answers[-1].headers["retry-after"]) > 0
