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

from domain.errors import Refused
from runtime.aio import within
from store import UNWRITABLE, door_log
from store.door_log import UNKNOWN, Entry
from web.auth.identity import Visitor
from web.context import Doors, address_of, network
from web.problems import NotLetIn, NotYours, Problem, answer

_PATIENCE = 2.0
"""Seconds that writing a row may hold up an answer."""
_FROM_ONE = RateLimitItemPerMinute(10)
_FROM_ALL = RateLimitItemPerMinute(120)
"""Rows of strangers, from one network and in all: two a second are a disk's to bear for years."""
_NUMBER = pattern(r"\d{8}-\d{2,4}-\d{4,8}", ASCII)
log = structlog.get_logger("doors.trail")


@dataclass
class Deed:
    """What is being done; ``number`` may come to be known only while it is."""

    number: str | None = None
    outcome: str = "unanswered"


@asynccontextmanager
async def written(
    here: Doors, who: Visitor, what: str, number: str | None = None
) -> AsyncIterator[Deed]:
    """Write down what is done inside: ``done``, ``refused`` and why, or ``unanswered``, in which
    case it may be done all the same. Goes into the log while PostgreSQL takes nothing down.
    """
    deed = Deed(number)
    try:
        yield deed
        deed.outcome = "done"
    except (Problem, Refused) as refused:
        deed.outcome = f"refused: {refused.type.rpartition(':')[2]}"
        if isinstance(refused, NotYours):
            refused.written = True
        raise
    except ValidationError:
        deed.outcome = "refused: Invalid"
        raise
    finally:
        await _write(here, who.entry(what, deed.outcome, deed.number))


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
        number = error.number or _named(request)
        await refused(request.app.state.doors, who, what, "NotYours", number)
    return answer(request, error)


async def _not_let_in(request: Request, error: Exception) -> Response:
    assert isinstance(error, NotLetIn)  # noqa: S101  see install
    if error.by:
        await request.app.state.strangers.note(request, by=error.by, why="NotLetIn")
    return answer(request, error)


def _named(request: Request) -> str | None:
    """Return the number that was asked for, if it is one: an address may say anything."""
    said = str(request.path_params.get("number", ""))
    return said if _NUMBER.fullmatch(said) else None


async def _write(here: Doors, entry: Entry) -> None:
    try:
        await within(_PATIENCE, door_log.note(here.pool, entry))
    except UNWRITABLE:
        log.warning("not in the register's trail", **entry.model_dump(mode="json"))
