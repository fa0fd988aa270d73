"""The log of events: every step of every issue, in an order in which none is missed.

Steps are written by many transactions at once, and become visible when these commit, not in the
order of any number they were given: whoever reads on behind the highest number seen misses those of
slower transactions. So an event's place begins with the ``turn`` of the transaction that wrote it
(its id in PostgreSQL, beyond all that an earlier server can have given out), and nothing is read of
a turn that is not over: below the oldest transaction under way (``turns_over()``) nothing comes to
be any more. A transaction that stands still holds the log up; it makes it lose nothing.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, NamedTuple

from pydantic import Field

from domain.issue.events import Event, Issue, event_of
from domain.issue.step import Recorded
from domain.vocabulary import Code, Instant, Model
from store.connection import Connection
from store.cursors import Cursor

SCANNED = 2000
"""Events that are looked through for a page at most: whoever sees few of them asks more often."""
OVERLAP = "1 minute"
"""So much later what is being written down at an instant is to be seen, unless something hangs."""
_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
_ORDER = "turn, recorded_at, issue_id, seq"


class Position(Cursor):
    """An event's place in the log, or one between two: reading goes on behind it."""

    turn: Annotated[int, Field(ge=-1, lt=2**63)]
    recorded_at: Instant = _EARLIEST
    issue_id: Annotated[str, Field(max_length=140, pattern=r"^[^\x00]*$")] = ""
    seq: Annotated[int, Field(ge=0, lt=2**31)] = 0


BEGINNING = Position(turn=-1)


class Whose(Model):
    """Of which issues, by what their columns say now; what is left out does not narrow it."""

    source: Code | None = None
    department: Code | None = None
    engineer: Code | None = None


class Page(NamedTuple):
    """Events in their order. ``position`` is where to read on; ``more``: there is something."""

    events: list[tuple[Position, Event]]
    position: Position
    more: bool


async def now(connection: Connection) -> Position:
    """Say from where on nothing has been read by anybody: whatever is written later stands behind,
    and so does what is under way.
    """
    return Position(turn=await connection.fetchval("SELECT turns_over()"))


async def page(connection: Connection, whose: Whose, after: Position, limit: int) -> Page:
    """Read on behind a position, at most so many events and as far as ``SCANNED`` goes."""
    narrowed = whose.model_dump(exclude_none=True)
    conditions = [f"i.{name} = ${place}" for place, name in enumerate(narrowed, start=6)]
    scanned = await connection.fetch(
        f"""
        SELECT s.*, {" AND ".join(conditions) or "true"} AS theirs FROM (
            SELECT {_ORDER} FROM issue_events
            WHERE ({_ORDER}) > ($1, $2, $3, $4) AND turn < turns_over()
            ORDER BY {_ORDER} LIMIT $5
        ) s JOIN issues i ON i.id = s.issue_id ORDER BY {_ORDER}
        """,  # noqa: S608  the pieces are ours, values are parameters
        *(after.turn, after.recorded_at, after.issue_id, after.seq, SCANNED, *narrowed.values()),
    )
    places = [Position(**{name: row[name] for name in Position.model_fields}) for row in scanned]
    theirs = [place for place, row in zip(places, scanned, strict=True) if row["theirs"]]
    shown = theirs[:limit]
    whole = len(shown) == len(theirs)
    last = places[-1] if whole and places else shown[-1] if shown else after
    return Page(
        events=list(zip(shown, await _read(connection, shown), strict=True)),
        position=last,
        more=not whole or len(places) == SCANNED,
    )


async def _read(connection: Connection, places: list[Position]) -> list[Event]:
    if not places:
        return []
    rows = await connection.fetch(
        """
        SELECT e.recorded, i.source, i.reference, i.kind
        FROM unnest($1::text[], $2::int[]) WITH ORDINALITY AS shown (issue_id, seq, place)
        JOIN issue_events e USING (issue_id, seq) JOIN issues i ON i.id = e.issue_id
        ORDER BY place
        """,
        [place.issue_id for place in places],
        [place.seq for place in places],
    )
    return [
        event_of(
            Recorded.model_validate(row["recorded"]),
            Issue(source=row["source"], reference=row["reference"], kind=row["kind"]),
        )
        for row in rows
    ]


def since(when: Position | datetime, place: str) -> tuple[str, object]:
    """Write the condition on an event that it was written down since then, and the value of the
    parameter at ``place`` in it. A position misses nothing. An instant is compared with when the
    row was made, a moment before others see it: so it counts from a little earlier.
    """
    if isinstance(when, Position):
        return f"turn >= {place}", when.turn
    made = "greatest(written_at, recorded_at)"
    return f"{made} >= {place}::timestamptz - interval '{OVERLAP}'", when
