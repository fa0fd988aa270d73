"""The audit trail of what people do at the doors (R30): one row for each, however it went."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import structlog
from pydantic import ValidationError

from runtime.aio import within
from starter.client import Refused
from starter.doors.context import Doors
from starter.doors.problems import Problem
from starter.doors.who import Visitor
from store import AWAY, door_log
from store.door_log import Entry

_PATIENCE = 2.0
"""Seconds that writing a row may hold up an answer."""
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
    case it may be done all the same. Goes into the log while PostgreSQL is away.
    """
    deed = Deed(number)
    try:
        yield deed
        deed.outcome = "done"
    except (Problem, Refused) as refused:
        deed.outcome = f"refused: {refused.type.rpartition(':')[2]}"
        raise
    except ValidationError:
        deed.outcome = "refused: Invalid"
        raise
    finally:
        await _write(here, who.entry(what, deed.outcome, deed.number))


async def _write(here: Doors, entry: Entry) -> None:
    try:
        await within(_PATIENCE, door_log.note(here.pool, entry))
    except AWAY:
        log.warning("not in the register's trail", **entry.model_dump(mode="json"))
