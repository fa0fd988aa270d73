"""What the check looks at: raw tables, what Temporal has of each workflow, what came in outside.

None of the desk's own ways to look is used: plain SQL here, raw events in ``histories.py``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, TypeVar

from benchmarks.chaos.asking import Acknowledged
from benchmarks.chaos.faults import Window
from demo.receiver import Received
from store.connection import Connection


class IssueRow(NamedTuple):
    """A row of ``issues``."""

    id: str
    run: str
    number: str
    source: str
    reference: str
    title: str
    stage: str
    outcome: str | None
    seq: int
    arises_from: str | None


class EventRow(NamedTuple):
    """A row of ``issue_events``; ``given_to`` is who has the issue if the step ``gives`` it."""

    issue_id: str
    seq: int
    key: str
    action: str
    actor: str
    at: datetime
    recorded_at: datetime
    stage: str
    content: Mapping[str, Any]
    gives: bool
    given_to: str | None


class PromiseRow(NamedTuple):
    """A row of ``promises``."""

    issue_id: str
    kind: str
    generation: int
    attempt: int
    made_at: datetime
    marks: Sequence[Mapping[str, Any]]
    reached: int
    outcome: str
    paused_at: datetime | None
    ended_at: datetime | None

    @property
    def key(self) -> str:
        """As events name it."""
        key = f"{self.kind}.{self.generation}"
        return key if self.attempt == 1 else f"{key}.{self.attempt}"


class OutboxRow(NamedTuple):
    """A row of ``outbox``."""

    key: str
    issue_id: str
    channel: str | None
    address: str | None
    subject: str
    body: str
    status: str
    not_before: datetime | None
    settled_at: datetime | None


@dataclass(frozen=True)
class Seen:
    """What Temporal knows of a workflow: all runs' events, and the answer to ``view``."""

    id: str
    running: bool
    view: Mapping[str, Any] | None
    silent: str = ""
    """Why it did not answer the query; empty if it did."""
    attempt: int = 0
    """Of its pending workflow task; 0 if none is pending."""
    delivers: bool = False
    """An activity is pending."""
    seq: int = 0
    """Of the last step it knows of by its history."""
    signals: tuple[str, ...] = ()
    """What it was signalled, as sent."""
    failures: tuple[str, ...] = ()
    """Of its workflow tasks: those that no retry mends."""
    unfit: str = ""
    """Why its history does not replay; empty if it does."""


@dataclass(frozen=True)
class Evidence:
    """Everything that is known when all is quiet, at ``as_of``."""

    as_of: datetime
    acknowledged: Sequence[Acknowledged]
    issues: Sequence[IssueRow]
    events: Sequence[EventRow]
    promises: Sequence[PromiseRow]
    outbox: Sequence[OutboxRow]
    workflows: Mapping[str, Seen]
    heard: Sequence[Received]
    faults: Sequence[Window]


R = TypeVar("R", bound=tuple[Any, ...])

_WHERE_FROM: Mapping[str, str] = {
    "gives": "coalesce(jsonb_typeof(recorded->'step'->'assignment') = 'object', false) AS gives",
    "given_to": "recorded->'engineer'->>'id' AS given_to",
}
_ROWS: Mapping[str, str] = {
    "issues": "id",
    "issue_events": "issue_id, seq",
    "promises": "issue_id, made_at",
    "outbox": "created_at, key",
}


async def rows(connection: Connection, table: str, shape: type[R]) -> list[R]:
    """Read a whole table."""
    names: Sequence[str] = shape._fields  # type: ignore[attr-defined]
    columns = ", ".join(_WHERE_FROM.get(name, name) for name in names)
    found = await connection.fetch(f"SELECT {columns} FROM {table} ORDER BY {_ROWS[table]}")  # noqa: S608
    return [shape(*row.values()) for row in found]
