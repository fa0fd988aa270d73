"""The audit trail of what people do at the doors (R30): one row for each, however it went; and of
who was refused a look, or not let in at all.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from re import ASCII
from re import compile as pattern

import structlog
from fastapi import FastAPI, Request, Response
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter
from pydantic import ValidationError
from starlette.exceptions import HTTPException

from domain.errors import Refused
from runtime.aio import within
from starter.client import Unavailable
from starter.registers import UNKNOWN, Entry
from web.auth.identity import Visitor
from web.context import Doors, address_of, network
from web.problems import NotLetIn, NotYours, Problem, answer

_PATIENCE = 2.0
"""Seconds that writing a row may hold up an answer."""
_FROM_ONE = RateLimitItemPerMinute(10)
_FROM_ALL = RateLimitItemPerMinute(120)
"""Rows of strangers, from one network and in all: two a second are a disk's to bear for years."""
_NUMBER = pattern(r"\d{8}-\d{2,4}-\d{4,8}", ASCII)
log = structlog.get_logger("doors.audit")


@dataclass
class Deed:
    """What is being done, and to which issues, which may come to be known only while it is. Each
    gets a row: with what became of it all, or ``apart``; None: that is written down already.
    """

    numbers: list[str]
    outcome: str = "unanswered"
    apart: dict[str, str | None] = field(default_factory=dict)

    def is_about(self, number: str) -> None:
        """Name the one issue."""
        self.numbers = [number]

    def entries(self, who: Visitor, what: str) -> list[Entry]:
        """Write for the audit trail what became of it."""
        if not self.numbers:
            return [who.entry(what, self.outcome)]
        outcomes = {number: self.apart.get(number, self.outcome) for number in self.numbers}
        return [who.entry(what, said, number) for number, said in outcomes.items() if said]


@asynccontextmanager
async def written(here: Doors, who: Visitor, what: str, *numbers: str) -> AsyncIterator[Deed]:
    """Write down what is done inside: ``done``, ``refused`` and why, or ``unanswered``, in which
    case it may be done all the same. Goes into the log while PostgreSQL takes nothing down.
    """
    deed = Deed(list(numbers))
    try:
        yield deed
        deed.outcome = "done"
    except Exception as error:
        deed.outcome = outcome_of(error)
        if isinstance(error, NotYours):
            error.written = True
        raise
    finally:
        await _write(here, *deed.entries(who, what))


def outcome_of(error: Exception) -> str:
    """Say how something ended that came to an error."""
    match error:
        case Problem() | Refused():
            return f"refused: {error.type.rpartition(':')[2]}"
        case ValidationError() | HTTPException():
            return "refused: Invalid"
        case _:
            return "unanswered"


def known_number(said: str) -> tuple[str, ...]:
    """Return the number that was asked for, if it is one: an address may say anything."""
    return (said,) if _NUMBER.fullmatch(said) else ()


async def refused(
    here: Doors, who: Visitor, what: str, why: str, number: str | None = None
) -> None:
    """Write down what somebody was refused."""
    await _write(here, who.entry(what, f"refused: {why}", number))


@dataclass
class Strangers:
    """Writes down who was not let in. They may come as often as they like, so only so many rows
    are written; the next row says how many were not. One per app.
    """

    counted: SlidingWindowCounterRateLimiter = field(
        default_factory=lambda: SlidingWindowCounterRateLimiter(MemoryStorage())
    )
    unwritten: int = 0

    async def note(
        self,
        request: Request,
        *,
        by: str,
        why: str,
        what: str = "sign_in",
        person: str = UNKNOWN,
        number: str | None = None,
    ) -> None:
        """Write down that a key did not fit; ``by`` says which kind of key. Not its text."""
        address = address_of(request)
        if not (self.counted.hit(_FROM_ONE, network(address)) and self.counted.hit(_FROM_ALL)):
            self.unwritten += 1
            return
        before, self.unwritten = self.unwritten, 0
        more = f", after {before} that are not written down" if before else ""
        entry = Entry(
            at=datetime.now(UTC),
            person=person,
            role=None,
            via=by,
            address=address,
            what=what,
            number=number,
            outcome=f"refused: {why}{more}",
        )
        await _write(request.app.state.doors, entry)


def install(app: FastAPI) -> None:
    """Let the app write down who is refused, wherever that is said."""
    app.state.strangers = Strangers()
    app.add_exception_handler(NotYours, _not_yours)
    app.add_exception_handler(NotLetIn, _not_let_in)


async def _not_yours(request: Request, error: Exception) -> Response:
    assert isinstance(error, NotYours)  # noqa: S101  see install
    who: Visitor | None = getattr(request.state, "visitor", None)
    if who is not None and not error.written:
        what = error.what or f"{request.method} {request.scope['route'].path}"
        asked = known_number(str(request.path_params.get("number", "")))
        number = error.number or next(iter(asked), None)
        await refused(request.app.state.doors, who, what, "NotYours", number)
    return answer(request, error)


async def _not_let_in(request: Request, error: Exception) -> Response:
    assert isinstance(error, NotLetIn)  # noqa: S101  see install
    if error.by:
        await request.app.state.strangers.note(request, by=error.by, why="NotLetIn")
    return answer(request, error)


async def _write(here: Doors, *entries: Entry) -> None:
    try:
        await within(_PATIENCE, here.registers.audit_trail.note(*entries))
    except (Unavailable, TimeoutError):
        for entry in entries:
            log.warning("not in the register's trail", **entry.model_dump(mode="json"))
