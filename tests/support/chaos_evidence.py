"""Evidence of a sound desk, made up: one issue that is over, one that somebody works on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from benchmarks.chaos.asking import Acknowledged
from benchmarks.chaos.evidence import (
    EventRow,
    Evidence,
    IssueRow,
    OutboxRow,
    PromiseRow,
    Seen,
)
from demo.receiver import Received

BEGIN = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
OVER, OPEN = "issue:web:over", "issue:web:open"
R = TypeVar("R")


def after(seconds: float) -> datetime:
    return BEGIN + timedelta(seconds=seconds)


def event(issue_id: str, seq: int, action: str, stage: str, **more: Any) -> EventRow:
    row = EventRow(
        issue_id=issue_id,
        seq=seq,
        key=f"{action}-{seq}",
        action=action,
        actor="liang.jiahao",
        at=after(seq),
        recorded_at=after(seq),
        stage=stage,
        content={},
        gives=False,
        given_to=None,
    )
    return row._replace(**more)


def mark(name: str, seconds: float, *, skipped: bool = False) -> dict[str, Any]:
    at = after(seconds).isoformat().replace("+00:00", "Z")
    return {"name": name, "at": at, "tell": ["handler"], "level": 0, "skipped": skipped}


def message(issue_id: str, key: str, **more: Any) -> OutboxRow:
    row = OutboxRow(
        key=key,
        issue_id=issue_id,
        channel="wecom",
        address="guangzhou",
        subject=f"about {key}",
        body=f"what {key} says",
        status="delivered",
        not_before=None,
        settled_at=after(3),
    )
    return row._replace(**more)


def heard(row: OutboxRow) -> Received:
    return Received(str(row.channel), str(row.address), row.subject, row.body, after(3))


def said(deed: Any, issue_id: str, **more: Any) -> Acknowledged:
    row = Acknowledged(
        deed=deed,
        at=after(2.5),
        issue_id=issue_id,
        number=None,
        name="accept",
        by="liang.jiahao",
        key="accept-2",
        word="word-1.",
    )
    return row._replace(**more)


def promise(issue_id: str, kind: str, **more: Any) -> PromiseRow:
    row = PromiseRow(
        issue_id=issue_id,
        kind=kind,
        generation=1,
        attempt=1,
        made_at=BEGIN,
        marks=(mark("75%", 30), mark("100%", 40)),
        reached=0,
        outcome="open",
        paused_at=None,
        ended_at=None,
    )
    return row._replace(**more)


def evidence() -> Evidence:
    over = IssueRow(OVER, "r", "20261123-07-0001", "web", "over", "o", "closed", "solved", 4, None)
    still = IssueRow(
        OPEN, "r", "20261123-07-0002", "web", "open", "t", "in_progress", None, 3, None
    )
    rung = {"promise": "response.1", "threshold": "75%", "skipped": []}
    events = [
        event(OVER, 1, "registered", "assigned", gives=True, given_to="liang.jiahao"),
        event(OVER, 2, "accept", "in_progress", content={"expected_at": "word-1."}),
        event(OVER, 3, "resolve", "resolved", content={"result": "word-2."}),
        event(OVER, 4, "record_callback", "closed", content={"words": "word-3."}),
        event(OPEN, 1, "registered", "assigned", gives=True, given_to="liang.jiahao"),
        event(OPEN, 2, "threshold", "assigned", content=rung, key="response.1:75%:0"),
        event(OPEN, 3, "accept", "in_progress", content={"expected_at": "word-4."}),
    ]
    outbox = [message(OVER, "m1"), message(OPEN, "m2")]
    return Evidence(
        as_of=after(60),
        acknowledged=[
            said("intake", OVER, number=over.number, name="registered", key="", word="o"),
            said("act", OVER),
            said("signal", OVER, name="complete", key="", word="word-2."),
            said("intake", OPEN, number=still.number, name="registered", key="", word="t"),
            said("act", OPEN, key="accept-3", word="word-4."),
        ],
        issues=[over, still],
        events=events,
        promises=[
            promise(OVER, "response", ended_at=after(2), outcome="kept"),
            promise(
                OPEN,
                "response",
                marks=(mark("75%", 1.5), mark("100%", 90)),
                reached=1,
                ended_at=after(3),
                outcome="kept",
            ),
            promise(OPEN, "resolution", marks=(mark("75%", 90), mark("100%", 120))),
        ],
        outbox=outbox,
        workflows={
            OVER: Seen(OVER, running=False, view=None, seq=4, signals=('{"result": "word-2."}',)),
            OPEN: Seen(
                OPEN,
                running=True,
                view={"stage": "in_progress", "number": still.number},
                seq=3,
            ),
        },
        heard=[heard(row) for row in outbox],
        faults=[],
    )


Change = Callable[[Evidence], Evidence]


def without(table: str, place: int) -> Change:
    """Take a row away."""

    def change(of: Evidence) -> Evidence:
        rows = list(getattr(of, table))
        del rows[place]
        changed: Any = {table: rows}
        return replace(of, **changed)

    return change


def with_row(table: str, row: Any) -> Change:
    """Add a row."""

    def change(of: Evidence) -> Evidence:
        changed: Any = {table: [*getattr(of, table), row]}
        return replace(of, **changed)

    return change


def altered(table: str, place: int, **more: Any) -> Change:
    """Alter a row."""

    def change(of: Evidence) -> Evidence:
        rows = list(getattr(of, table))
        rows[place] = rows[place]._replace(**more)
        changed: Any = {table: rows}
        return replace(of, **changed)

    return change


def workflow(id_: str, **more: Any) -> Change:
    """Alter what Temporal has."""

    def change(of: Evidence) -> Evidence:
        seen = of.workflows.get(id_) or Seen(id_, running=True, view=None)
        return replace(of, workflows={**of.workflows, id_: replace(seen, **more)})

    return change


def no_workflow(id_: str) -> Change:
    """Let Temporal know nothing of it."""
    return lambda of: replace(
        of, workflows={key: seen for key, seen in of.workflows.items() if key != id_}
    )


def both(first: Change, second: Change) -> Change:
    return lambda of: second(first(of))
