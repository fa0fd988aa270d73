"""How often everybody may ask, and how often a key may not fit."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from http import HTTPStatus

from fastapi import Request
from limits import RateLimitItem, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from web.auth import sessions
from web.auth.identity import Doorkeeper
from web.context import Doors, address_of, network
from web.middleware.common import UNCOUNTED, refuse
from web.problems import Problem

_LINKS = ("/l/", "/login/oidc")
_GUESSED = frozenset({"/login", "/evaluate"})
"""To which strangers may send something."""
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


@dataclass
class RateLimits:
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
        if scope["type"] != "http" or scope["path"].startswith(UNCOUNTED):
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
        if path.startswith(_LINKS) or (request.method == "POST" and path in _GUESSED):
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
        await refuse(wrong, *asgi)


def _failed(kind: str, status: int) -> bool:
    """Say whether an answer means that a key did not fit."""
    if kind == "link":
        return status in {400, 401, 403, 404, 410}
    return status == HTTPStatus.UNAUTHORIZED
