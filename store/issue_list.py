"""Which issues a list shows: nearest due first, then those of which nothing is due, newest first.

A list is read in these two parts, each of which needs no more than it shows: what is running is few
beside what ever was, and of the rest the newest are found by their registration.
"""

from __future__ import annotations

from collections.abc import Collection

import asyncpg
from pydantic import Field

from domain.sla.promise import CALLS, CUSTOMERS, OVERSIGHT, PAST_DUE, PromiseKind
from domain.terms import Term, Terms
from domain.vocabulary import Code, Instant, Model, Stage
from store import event_log
from store.connection import Connection
from store.cursors import Cursor
from store.event_log import Position


class Narrowed(Model):
    """What an issue's column of that name is to be; what is left out does not filter."""

    stage: Stage | None = None
    engineer: Code | None = None
    department: Code | None = None
    region: Code | None = None
    kind: Code | None = None
    category: Code | None = None
    agent: Code | None = Field(default=None, description="the hotline agent's number")
    source: Code | None = Field(default=None, description="the intake system")

    def unheard(self, own: Terms) -> list[str]:
        """Say what is asked for that is none of the desk's ``own`` words (R37). Issues from before
        may have it nevertheless.
        """
        return [*own.unheard(**{term: getattr(self, term) for term in Term})]


class Filter(Narrowed):
    """Which issues to list; what is left out does not filter. Nearest due first, then newest."""

    open_only: bool = True
    or_written_to: bool = Field(
        default=False,
        description="with the open ones those closed whose customer wrote again, for a reply",
    )
    overdue: bool = Field(default=False, description="only those with a broken running promise")
    unassigned: bool = Field(default=False, description="only those that no engineer has")
    queued: bool = Field(
        default=False, description="only those in a queue of the hotline, taken or not (R36)"
    )
    calls: bool = Field(
        default=False, description="only those whose customer the agent is to call (R13, R34)"
    )
    provisional: bool = Field(
        default=False, description="only those with a promise that the next notice may move (R32)"
    )
    updated_since: Instant | Position | None = Field(
        default=None,
        description="only those of which a step was written down since; see ``event_log.since``",
    )
    limit: int = Field(default=50, gt=0, le=1000)


class Place(Cursor):
    """A row's place in the list: the next page begins behind it."""

    next_due_at: Instant | None
    registered_at: Instant
    id: str = Field(max_length=140, pattern=r"^[^\x00]*$")


async def places(connection: Connection, wanted: Filter, after: Place | None) -> list[Place]:
    """Find the places of the next page, and of the first issue behind it, if there is one; the
    caller's transaction sees to it that they are of one instant.
    """
    rows: list[asyncpg.Record] = []
    # What is quickest depends on what is asked.
    await connection.execute("SET LOCAL plan_cache_mode = force_custom_plan")
    if after is None or after.next_due_at is not None:
        query, values = _with_something_due(wanted, after)
        rows, after = await connection.fetch(query, *values), None
    if missing := wanted.limit + 1 - len(rows):
        query, values = _with_nothing_due(wanted, after, missing)
        rows += await connection.fetch(query, *values)
    return [Place(**dict(row)) for row in rows]


def _among(values: Collection[str]) -> str:
    return "IN ('" + "', '".join(sorted(values)) + "')"


def _some(which: str) -> str:
    """Write that some running promise of an issue is such."""
    running = "p.issue_id = i.id AND p.ended_at IS NULL"
    return f"EXISTS (SELECT FROM promises p WHERE {running} AND {which})"


def _issues_with(which: str) -> str:
    """Write of which issues some running promise is such, whatever else is asked of them."""
    return f"(SELECT p.issue_id FROM promises p WHERE p.ended_at IS NULL AND {which})"  # noqa: S608


def _among_those_with(which: str) -> str:
    """Write that an issue is one of these. They may be few on a good day and many on a bad one,
    which who plans a join cannot know: so it is none, for ``IS TRUE`` has each looked up.
    """
    return f"({{0}} IN {_issues_with(which)}) IS TRUE"


_OPEN = "i.closed_at IS NULL"
_WHOSE = "(i.taken_by = {0} OR (i.taken_by IS NULL AND i.queue IS NULL AND i.agent = {0}))"
"""Whose of the hotline an issue is: who took it, or took it in."""
_MOVES = f"{{0}}.paused_at IS NULL AND {{0}}.kind NOT {_among(CUSTOMERS)}"
_OURS = _MOVES.format("p")
_EARLIER = f"CASE WHEN {_OURS} THEN (p.due_at, p.kind) < (nearest.due_at, nearest.kind) END"
_NEAREST = f"""
    nearest.ended_at IS NULL AND {_MOVES.format("nearest")} AND NOT {_some(_EARLIER)}
"""
"""Of an issue's promises that are the desk's, their clock moving, there is none before it. Just
these are in the index ``promises_next_due``, by their due time; to look for an earlier one there,
and not by the issue, nobody can think of who does not see through ``CASE``.
"""
_PAST_DUE = f"p.outcome {_among(PAST_DUE)} AND p.kind NOT {_among(OVERSIGHT)}"
OVERDUE = _issues_with(_PAST_DUE)
"""The ids of the issues with a broken promise that still runs, of lists and of who has how many."""
_LATE = _among_those_with(_PAST_DUE)
_PROVISIONAL = _among_those_with("p.provisional")
_TO_CALL = _among_those_with(f"p.kind {_among(CALLS)}")
_FEEDBACK = f"p.kind = '{PromiseKind.FEEDBACK}' AND {_OURS}"
_WRITTEN_TO = f"i.id = ANY (ARRAY{_issues_with(_FEEDBACK)})"
"""Of these there are never many: so they are found beside the open ones, by an index each."""
_HELD = _some(f"p.kind = '{PromiseKind.HAND_OVER}'")
_QUEUED = f"(i.queue IS NOT NULL AND {_OPEN} AND {_HELD})"


def _of_issue(wanted: Filter, id_: str = "i.id") -> tuple[list[str], list[object]]:
    """Write what is wanted of the issue itself, whose ``id_`` is read first there. Only what is
    asked for is in the statement, so that it is planned for that.
    """
    asked = {
        name: value
        for name in Narrowed.model_fields
        if (value := getattr(wanted, name)) is not None
    }
    conditions = [
        _WHOSE.format(f"${place}") if name == "agent" else f"i.{name} = ${place}"
        for place, name in enumerate(asked, start=1)
    ]
    conditions += ["i.engineer IS NULL"] * wanted.unassigned
    conditions += [_QUEUED] * wanted.queued
    conditions += [_TO_CALL.format(id_)] * wanted.calls
    conditions += [_LATE.format(id_)] * wanted.overdue
    conditions += [_PROVISIONAL.format(id_)] * wanted.provisional
    values: list[object] = list(asked.values())
    if wanted.updated_since is not None:
        since, value = event_log.since(wanted.updated_since, f"${len(values) + 1}")
        conditions.append(f"i.id IN (SELECT issue_id FROM issue_events WHERE {since})")  # noqa: S608  ours
        values.append(value)
    return conditions, values


def _with_something_due(wanted: Filter, after: Place | None) -> tuple[str, list[object]]:
    """Write the first part. What runs is read by its due time until the page is full: each issue
    with the nearest of its promises, which no earlier one is beside.
    """
    conditions, values = _of_issue(wanted, "nearest.issue_id")
    open_ = f"({_OPEN} OR {_WRITTEN_TO})" if wanted.or_written_to else _OPEN
    conditions += [open_] * wanted.open_only
    if after:
        # Said so that whoever plans it cannot guess by all promises that ever were: hardly any of
        # them is due later, and of those that run most.
        due = f"(SELECT ${len(values) + 1}::timestamptz)"
        values.append(after.next_due_at)
        ahead = f"nearest.due_at = {due} AND NOT {_newer_first(after, values)}"
        conditions.append(f"nearest.due_at >= {due} AND NOT ({ahead})")
    conditions.append(_NEAREST)
    query = f"""
        SELECT i.id, i.registered_at, nearest.due_at AS next_due_at
        FROM promises nearest JOIN issues i ON i.id = nearest.issue_id
        WHERE {" AND ".join(conditions)}
        ORDER BY nearest.due_at, i.registered_at DESC, i.id LIMIT {wanted.limit + 1}
    """  # noqa: S608  the pieces are ours, values are parameters
    return query, values


def _with_nothing_due(wanted: Filter, after: Place | None, most: int) -> tuple[str, list[object]]:
    """Write the second part, of which no more than ``most`` are to be read; a reply that is owed is
    due, and stands in the first.
    """
    conditions, values = _of_issue(wanted)
    conditions += [_OPEN] * wanted.open_only
    conditions.append(f"NOT {_some(_OURS)}")
    conditions += [_newer_first(after, values)] if after else []
    query = f"""
        SELECT i.id, i.registered_at, NULL::timestamptz AS next_due_at FROM issues i
        WHERE {" AND ".join(conditions)}
        ORDER BY i.registered_at DESC, i.id LIMIT {most}
    """  # noqa: S608  the pieces are ours, values are parameters
    return query, values


def _newer_first(after: Place, values: list[object]) -> str:
    """Say which issues come behind a place among those that are due alike."""
    at, id_ = (f"${len(values) + n}" for n in (1, 2))
    values += [after.registered_at, after.id]
    return f"(i.registered_at < {at} OR i.registered_at = {at} AND i.id > {id_})"
