"""Who is at the door: a bearer token, or a session that began with one or with the company's
sign-in. Whom a token lets in is remembered for a while: intake goes on while PostgreSQL is away.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from http import HTTPStatus
from typing import Annotated, Any, TypeAlias
from urllib.parse import quote

import structlog
from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from domain.issue.actions import ActionName
from domain.issue.view import IssueView
from domain.staff.access import Caller, Reach, Right, may, reach
from runtime.aio import within
from starter.client import Unavailable
from starter.registers import Admitted, Entry
from web.auth import sessions
from web.context import Doors, Here, address_of
from web.problems import Problem, not_let_in, not_yours

FRESH = 10.0
"""Seconds for which a token is not looked up again: a revoked one counts that long at most."""
KNOWN = 3600.0
"""Seconds for which a token goes on counting while PostgreSQL is away."""
_GLANCE = 3.0
"""Seconds within which PostgreSQL says whom a token lets in, or counts as away."""
_NEVER = -1.0
"""Sessions are asked about each time: whoever signs out does so everywhere, at once."""
_REMEMBERED = 10_000
PREFIX = "yn_"
log = structlog.get_logger("doors.auth")
_Ask: TypeAlias = Callable[[], Coroutine[Any, Any, Admitted | None]]
_bearer = HTTPBearer(auto_error=False, description="a token of `yinuo token create`")


def digest(token: str) -> bytes:
    """Return what is kept of a token: 256 random bits need no slow hash."""
    return sha256(token.encode(errors="replace")).digest()  # a form may say half a character


@dataclass(frozen=True)
class Visitor:
    """Who is asking, how they were let in, and from where."""

    caller: Caller
    via: str
    address: str

    def entry(self, what: str, outcome: str, number: str | None = None) -> Entry:
        """Write for the audit trail what they do."""
        return Entry(
            at=datetime.now(UTC),
            person=self.caller.id,
            role=self.caller.role,
            via=self.via,
            address=self.address,
            what=what,
            number=number,
            outcome=outcome,
        )


@dataclass(frozen=True)
class _Known:
    """Whom a token lets in, when that was last certain, and when it was last asked."""

    admitted: Admitted
    certain: float
    asked: float

    def lasts(self, fresh: float) -> float:
        """Say for how many seconds nobody need be asked again; while PostgreSQL is away not every
        request waits for it.
        """
        return fresh if self.asked == self.certain else FRESH


@dataclass
class Doorkeeper:
    """Remembers whom it let in lately, and nobody else: strangers cost no memory. One per app."""

    clock: Callable[[], float] = time.monotonic
    _known: dict[bytes | str, _Known] = field(default_factory=dict)
    _looking: dict[bytes | str, asyncio.Task[_Known | None]] = field(default_factory=dict)
    _ended: dict[str, float] = field(default_factory=dict)
    """Sessions that ended here, whatever PostgreSQL knows of it, and when."""
    _untold: set[str] = field(default_factory=set)
    """Those of them that it does not know of yet."""

    def knows(self, token: str) -> bool:
        """Say whether a bearer token let somebody in lately."""
        return digest(token) in self._known

    async def by_token(self, here: Doors, token: str) -> Admitted | None:
        """Say whom a bearer token lets in."""
        key = digest(token)
        return await self._look(key, lambda: here.registers.admission.by_token(key))

    async def by_session(self, here: Doors, session: sessions.Session) -> Admitted | None:
        """Say whom a session is of. They may have signed out, here or at another process; the token
        it began with may be revoked, the person gone.
        """
        if session.id in self._ended:
            return None
        found = await self._look(session.id, lambda: self._session(here, session), _NEVER)
        return None if session.id in self._ended else found

    async def _session(self, here: Doors, session: sessions.Session) -> Admitted | None:
        admission = here.registers.admission
        with suppress(Unavailable):  # it may be read all the same
            await self._tell(here)
        if await admission.is_over(session.id):
            return None
        if session.token is not None:
            return await admission.by_token_id(session.token)
        return await admission.by_person(session.person)

    async def end(self, here: Doors, session: sessions.Session) -> None:
        """Let nobody in by this session any more. While PostgreSQL is away that counts here at
        once, and elsewhere as soon as it is back and anybody asks.
        """
        now = self.clock()
        while self._ended and now - next(iter(self._ended.values())) > sessions.LASTS:
            del self._ended[next(iter(self._ended))]
        self._ended[session.id] = now
        self._known.pop(session.id, None)
        self._untold.add(session.id)
        try:
            await within(_GLANCE, self._tell(here))
        except (Unavailable, TimeoutError):
            log.warning("a session's end is not in the register yet", sessions=len(self._untold))

    async def _tell(self, here: Doors) -> None:
        """Write down which sessions ended, those of a time when PostgreSQL was away as well."""
        if told := frozenset(self._untold):
            now = datetime.now(UTC)
            over = now - timedelta(seconds=sessions.LASTS)
            await here.registers.admission.end(told, now, over)
            self._untold -= told

    async def _look(self, key: bytes | str, ask: _Ask, fresh: float = FRESH) -> Admitted | None:
        known = self._known.get(key)
        if known is None or self.clock() - known.asked > known.lasts(fresh):
            known = await self._once(key, ask)
        if known is None or _over(known.admitted):
            return None
        return known.admitted

    async def _once(self, key: bytes | str, ask: _Ask) -> _Known | None:
        """Look somebody up, once for all who wait for it; whoever goes away stops nobody else."""
        looking = self._looking.get(key)
        if looking is None:
            looking = self._looking[key] = asyncio.create_task(self._again(key, ask))
            looking.add_done_callback(lambda _: self._looking.pop(key))
        return await asyncio.shield(looking)

    async def _again(self, key: bytes | str, ask: _Ask) -> _Known | None:
        now, known = self.clock(), self._known.get(key)
        try:
            admitted = await within(_GLANCE, ask())
        except (Unavailable, TimeoutError) as error:
            if known is None or now - known.certain > KNOWN:
                raise Unavailable("who that is cannot be told now") from error
            found: _Known | None = replace(known, asked=now)
        else:
            found = _Known(admitted, now, now) if admitted else None
        self._remember(key, found)
        return found

    def _remember(self, key: bytes | str, known: _Known | None) -> None:
        self._known.pop(key, None)
        if known:
            self._known[key] = known
        if len(self._known) > _REMEMBERED:
            del self._known[next(iter(self._known))]  # whoever was looked up longest ago


def _over(admitted: Admitted) -> bool:
    return admitted.expires_at is not None and admitted.expires_at <= datetime.now(UTC)


Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]


async def visitor(request: Request, here: Here, given: Credentials) -> Visitor:
    """Let somebody in, or say what is missing.

    Raises:
        Problem: 401.
    """
    keeper: Doorkeeper = request.app.state.doorkeeper
    if given is not None:
        admitted = await keeper.by_token(here, given.credentials)
        via = f"token {admitted.token}" if admitted else ""
    elif session := sessions.read(request, here):
        admitted = await keeper.by_session(here, session)
        via = "session"
    else:
        raise not_let_in("send `Authorization: Bearer` with a token of `yinuo token create`")
    if admitted is None:
        raise not_let_in("this token is unknown, revoked or expired", "token" if given else "")
    request.state.person = admitted.caller.id  # for the log of requests
    # For the audit trail, should they be refused.
    request.state.visitor = Visitor(admitted.caller, via, address_of(request))
    return request.state.visitor  # type: ignore[no-any-return]


Authenticated = Annotated[Visitor, Depends(visitor)]


async def signed_in(request: Request, here: Here) -> Visitor:
    """Let somebody in at a page, or send them to sign in and back again.

    Raises:
        Problem: 303 to the sign-in; 401 for a part of a page, which htmx then leaves.
    """
    try:
        return await visitor(request, here, None)
    except Problem as problem:
        if problem.status is not HTTPStatus.UNAUTHORIZED:
            raise
    back = f"?next={quote(request.url.path)}" if request.method == "GET" else ""
    if request.headers.get("HX-Request"):
        headers = {"HX-Redirect": "/login"}
        raise Problem(HTTPStatus.UNAUTHORIZED, "sign in again", headers=headers)
    raise Problem(HTTPStatus.SEE_OTHER, "sign in first", headers={"Location": f"/login{back}"})


SignedIn = Annotated[Visitor, Depends(signed_in)]
"""Somebody at a page: by their session alone, so that a form needs one of ours."""


def require(who: Visitor, what: Right | ActionName, issue: IssueView | None = None) -> None:
    """Let somebody go on only if they have the right, and if the issue is one they have it for.

    Raises:
        Problem: 403.
    """
    caller = who.caller
    number = issue.number if issue else None
    if not has(who, what):
        raise not_yours(f"{what} is not for {caller.role}", what, number)
    if issue is not None and not may(caller, what, issue):
        raise not_yours(f"{what}: {number} is not among the issues of {caller.id}", what, number)


def has(who: Visitor, what: Right | ActionName) -> bool:
    """Say whether somebody has a right at all; on which issues is ``may``'s to say."""
    return reach(who.caller.role, what) is not Reach.NONE


async def saw(here: Doors, who: Visitor, what: str, number: str | None = None) -> None:
    """Write down a look at customer data, before it is shown (R30)."""
    await here.registers.audit_trail.note(who.entry(what, "seen", number))
