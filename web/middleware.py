"""What every request goes through before a door opens, and every answer on its way out.

Plain ASGI around the whole app, so that not even an answer about a fault of ours goes without.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from http import HTTPStatus
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from secrets import token_hex
from urllib.parse import urlsplit

import structlog
from fastapi import Request
from limits import RateLimitItem, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from web.auth import sessions
from web.auth.identity import Doorkeeper
from web.context import Doors, address_of, network, read_address
from web.operations.metrics import Metrics
from web.problems import Problem, answer, not_yours

log = structlog.get_logger("doors")

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_UNCOUNTED = ("/static/", "/healthz", "/readyz")
_LINKS = ("/l/", "/login/oidc")
_INBOUND = "/inbound/"
_REQUEST_ID = re.compile(r"[\w.-]{8,64}", re.ASCII)
_VERSIONED = re.compile(r"-\d+(\.\d+)+\.")

_ALWAYS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; base-uri 'none';"
    " form-action 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    # Not "no-referrer": browsers then send our own forms with `Origin: null`.
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_OVER_TLS = {"Strict-Transport-Security": "max-age=31536000"}

SHARES: Mapping[str, float] = {
    "token": 1,
    "session": 1 / 10,
    "address": 1 / 50,
    "link": 1 / 100,
    "failure": 1 / 200,
    "guess": 1,
}
"""Of `calls_per_minute`: a system that sends a storm of intakes has all of it, a person at the
pages a tenth. Whoever names neither is counted by address, the more strictly where guessing
might pay: signing in and links. A key that fits is served whatever else comes from its address;
one that does not hears no more, after so many failures, than that it came too often, and after
so many guesses is not even looked up.
"""


def around(app: ASGIApp, here: Doors, metrics: Metrics, keeper: Doorkeeper) -> ASGIApp:
    """Put the app behind all of it; the last named is met first."""
    app = _SameSite(app, urlsplit(here.settings.base_url).netloc)
    app = _Rates(app, here, keeper)
    app = _Bodies(app, here.settings.body_limit)
    if here.settings.public_url:
        app = _Hosts(app, frozenset({_host(here.settings.base_url), here.settings.http_host}))
    app = _Headers(app, over_tls=here.settings.base_url.startswith("https://"))
    return _Proxies(_Entrance(app, metrics), here.settings.proxies)


@dataclass
class _Proxies:
    """Tells the caller's address from that of a reverse proxy: what trusted ones say of it counts
    (`X-Forwarded-For`), read from the nearest on to the first that is not one of them. Whatever is
    no address there may be anybody's words, and then the peer's own counts.

    `Forwarded` (RFC 7239) is not read: most proxies write one of the two and pass the other on as
    their caller sent it.
    """

    app: ASGIApp
    trusted: tuple[IPv4Network | IPv6Network, ...]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["client"] and self.trusted:
            peer, port = scope["client"]
            scope["client"] = (self._caller(peer, Headers(scope=scope)), port)
        await self.app(scope, receive, send)

    def _caller(self, peer: str, headers: Headers) -> str:
        nearest = read_address(peer)
        said = ",".join(headers.getlist("x-forwarded-for"))
        for hop in reversed(said.split(",") if said else []):
            if not self._trusts(nearest):
                break
            nearest = read_address(hop)
            if nearest is None:
                return peer
        return str(nearest) if nearest else peer

    def _trusts(self, address: IPv4Address | IPv6Address | None) -> bool:
        return address is not None and any(address in each for each in self.trusted)


@dataclass
class _Entrance:
    """Names every request, writes down how it went, and swallows nothing silently."""

    app: ASGIApp
    metrics: Metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        asked = Headers(scope=scope).get("x-request-id", "")
        known = asked if _REQUEST_ID.fullmatch(asked) else token_hex(8)
        began = time.perf_counter()
        status = HTTPStatus.INTERNAL_SERVER_ERROR.value

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = int(message["status"])
                MutableHeaders(scope=message)["X-Request-ID"] = known
            await send(message)

        with structlog.contextvars.bound_contextvars(request=known):
            try:
                await self.app(scope, receive, answer)
            except Exception as error:  # noqa: BLE001  answered already, see app.py
                log.error("a fault of ours", error=type(error).__name__, at=_frames(error))  # noqa: TRY400  the message may quote a customer (R30)
            seconds = time.perf_counter() - began
            method, route = scope["method"], _route(scope)
            self.metrics.note(method, route, status, seconds)
            tell = log.debug if scope["path"].startswith(_UNCOUNTED) else log.info
            tell(
                "request",
                method=method,
                route=route,
                **_named(scope),
                status=status,
                ms=round(seconds * 1000, 1),
            )


def _route(scope: Scope) -> str:
    if scope["path"].startswith("/static/"):
        return "/static"
    return str(getattr(scope.get("route"), "path", "none"))


def _named(scope: Scope) -> dict[str, str]:
    """Tell which issue it was about, and who asked; a link's text is as good as a key, so no."""
    named = {"number": scope.get("path_params", {}).get("number")}
    named["person"] = scope.get("state", {}).get("person")
    return {name: value for name, value in named.items() if value is not None}


def _frames(error: BaseException) -> list[str]:
    frames = []
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        frames.append(f"{code.co_filename}:{trace.tb_lineno} {code.co_qualname}")
        trace = trace.tb_next
    return frames[-8:]


@dataclass
class _Headers:
    """Tells browsers what they must not do with an answer."""

    app: ASGIApp
    over_tls: bool

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        static = scope["type"] == "http" and scope["path"].startswith("/static/")
        kept = _kept(scope["path"]) if static else "no-store"

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(_ALWAYS | (_OVER_TLS if self.over_tls else {}))
                headers.setdefault("Cache-Control", kept)
            await send(message)

        await self.app(scope, receive, answer)


def _kept(path: str) -> str:
    if _VERSIONED.search(path):
        return "public, max-age=31536000, immutable"
    return "public, max-age=300"


@dataclass
class _Hosts:
    """Listens to its own name only; whoever asks how it is may use any."""

    app: ASGIApp
    names: frozenset[str]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not scope["path"].startswith(_UNCOUNTED):
            asked = _host(f"//{Headers(scope=scope).get('host', '')}")
            if asked not in self.names:
                wrong = Problem(
                    HTTPStatus.MISDIRECTED_REQUEST, "the desk is not to be found by this host name"
                )
                await _refuse(wrong, scope, receive, send)
                return
        await self.app(scope, receive, send)


@dataclass
class _Bodies:
    """Takes in no more of a body than it must."""

    app: ASGIApp
    limit: int

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        said = Headers(scope=scope).get("content-length", "")
        if said.isdecimal() and int(said) > self.limit:
            await _refuse(Problem(*self._too_large), scope, receive, send)
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


@dataclass
class _Rates:
    """Counts what everybody asks for, and which addresses try keys that do not fit.

    Whether a key fits is only known afterwards. So what is failed counts against nobody but those
    who fail: the answer to one failure too many is turned into another.
    """

    app: ASGIApp
    here: Doors
    keeper: Doorkeeper
    counted: SlidingWindowCounterRateLimiter = field(
        # Two counts a caller, not every request of the last minute.
        default_factory=lambda: SlidingWindowCounterRateLimiter(MemoryStorage())
    )
    allowed: dict[str, RateLimitItem] = field(init=False)

    def __post_init__(self) -> None:
        calls = self.here.settings.calls_per_minute
        self.allowed = {
            kind: RateLimitItemPerMinute(max(1, round(calls * share)))
            for kind, share in SHARES.items()
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(_UNCOUNTED):
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        address = network(address_of(request))
        kind, who = self._whose(request, address)
        if not (self.counted.test(self.allowed["guess"], "guess", address) or self._knows(request)):
            await self._refuse("guess", address, (scope, receive, send))
            return
        # Where many share an address, the wrong keys of one must not use up the others' share.
        count = self.counted.test if kind == "link" else self.counted.hit
        if not count(self.allowed[kind], kind, who):
            await self._refuse(kind, who, (scope, receive, send))
            return
        swallowed = False

        async def answer(message: Message) -> None:
            nonlocal swallowed
            if message["type"] == "http.response.start":
                swallowed = self._too_many(kind, message["status"], who, address)
                if swallowed:
                    await self._refuse("failure", address, (scope, receive, send))
            if not swallowed:
                await send(message)

        await self.app(scope, receive, answer)

    def _too_many(self, kind: str, status: int, who: str, address: str) -> bool:
        """Count an answer; say whether it is one failure too many."""
        if not _failed(kind, status):
            if kind == "link":
                self.counted.hit(self.allowed[kind], kind, who)
            return False
        self.counted.hit(self.allowed["guess"], "guess", address)
        return not self.counted.hit(self.allowed["failure"], "failure", address)

    def _knows(self, request: Request) -> bool:
        """Say whether somebody is known without looking anything up."""
        token = request.headers.get("authorization", "").partition(" ")[2]
        return self.keeper.knows(token) or sessions.read(request, self.here) is not None

    def _whose(self, request: Request, address: str) -> tuple[str, str]:
        path, given = request.url.path, request.headers.get("authorization")
        if path.startswith(_LINKS) or (path, request.method) == ("/login", "POST"):
            return "link", address
        if given is not None:  # one that is made up is a failure of its address
            return "token", sha256(given.encode()).hexdigest()
        if session := sessions.read(request, self.here):
            return "session", session.id
        return "address", address

    async def _refuse(self, kind: str, who: str, asgi: tuple[Scope, Receive, Send]) -> None:
        item = self.allowed[kind]
        resets = self.counted.get_window_stats(item, kind, who).reset_time
        after = max(1, math.ceil(resets - time.time()))
        detail = f"more than {item.amount} a minute: ask again in {after} s"
        wrong = Problem(HTTPStatus.TOO_MANY_REQUESTS, detail, headers={"Retry-After": str(after)})
        await _refuse(wrong, *asgi)


def _failed(kind: str, status: int) -> bool:
    """Say whether an answer means that a key did not fit."""
    if kind == "link":
        return status in {400, 401, 403, 404, 410}
    return status == HTTPStatus.UNAUTHORIZED


@dataclass
class _SameSite:
    """Lets other sites' pages send nothing here in the name of whoever looks at them (CSRF).

    Programs send neither header. A bearer token no browser sends by itself; and a web form that
    posts to a webhook may well stand on the company's own site.
    """

    app: ASGIApp
    own: str

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] not in _SAFE and self._foreign(scope):
            wrong = not_yours("another site may not send this: do it on our own page")
            await _refuse(wrong, scope, receive, send)
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


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


async def _refuse(problem: Problem, scope: Scope, receive: Receive, send: Send) -> None:
    await answer(Request(scope), problem)(scope, receive, send)
