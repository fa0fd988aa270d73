"""What is true of every issue, whatever happened to it."""

from __future__ import annotations

from collections import Counter
from typing import Any

import asyncpg

from domain.view import IssueView
from domain.vocabulary import Outcome, Stage
from store import reading
from tests.workflows.harness import StoryDesk

_REPEATABLE = {
    *("waiting", "progress", "assigned", "unassigned", "accepted", "relieved"),
    *("quotation", "acceptance", "answered", "thin"),
}
"""Wordings that may come again word for word, since somebody did the same thing again."""


async def assert_all_sound(desk: StoryDesk) -> None:
    """Check every issue of the desk's register, and what its channels carried."""
    issues = await desk.pool.fetch("SELECT id FROM issues ORDER BY id")
    for row in issues:
        await assert_sound(desk.pool, row["id"], await _at_rest(desk, row["id"]))
    delivered = await desk.pool.fetch(
        "SELECT address, subject, body FROM outbox WHERE status = 'delivered'"
    )
    assert Counter(map(tuple, delivered)) == Counter(desk.mailbox.arrived)


async def _at_rest(desk: StoryDesk, issue_id: str) -> IssueView:
    """See an issue while no step of it is under way: its clock may ring at any moment."""
    handle = desk.env.client.get_workflow_handle(issue_id)
    while True:
        lived = await desk.view(handle)
        written = await reading.issue(desk.pool, issue_id)
        if written and written.steps == lived.steps:
            return lived


async def assert_sound(pool: asyncpg.Pool[Any], issue_id: str, lived: IssueView) -> None:
    """Check one issue: the register knows what its workflow knows, and every form is there once."""
    written = await reading.issue(pool, issue_id)
    assert written is not None
    assert _comparable(written) == _comparable(lived)
    await _events_follow_each_other(pool, issue_id)
    await _promises_end_with_the_issue(pool, issue_id, lived)
    await _forms_are_complete(pool, issue_id, lived)
    await _nobody_is_told_twice(pool, issue_id)


def _comparable(view: IssueView) -> dict[str, Any]:
    """Promises by key: the register lists them in an order of its own."""
    shown = view.model_dump()
    return shown | {"promises": {promise["key"]: promise for promise in shown["promises"]}}


async def _events_follow_each_other(pool: asyncpg.Pool[Any], issue_id: str) -> None:
    rows = await pool.fetch("SELECT * FROM issue_events WHERE issue_id = $1 ORDER BY seq", issue_id)
    assert [row["seq"] for row in rows] == list(range(1, len(rows) + 1))
    stages = [row["stage"] for row in rows]
    assert [row["stage_before"] for row in rows] == [None, *stages[:-1]]
    recorded = [row["recorded_at"] for row in rows]
    assert recorded == sorted(recorded)


async def _promises_end_with_the_issue(
    pool: asyncpg.Pool[Any], issue_id: str, lived: IssueView
) -> None:
    rows = await pool.fetch("SELECT * FROM promises WHERE issue_id = $1", issue_id)
    kinds = Counter(row["kind"] for row in rows if row["ended_at"] is None)
    assert set(kinds.values()) <= {1}, "two promises of one kind run at once"
    if lived.outcome is None:
        return
    assert not kinds
    assert {row["outcome"] for row in rows} <= {"kept", "broken", "withdrawn"}
    assert all(row["paused_at"] is None for row in rows)
    if lived.outcome in {Outcome.SOLVED, Outcome.NOT_REACHED}:
        assert lived.answered, "closed without an answer (R6)"


async def _forms_are_complete(pool: asyncpg.Pool[Any], issue_id: str, lived: IssueView) -> None:
    forms = await pool.fetch(
        "SELECT * FROM handling_forms WHERE issue_id = $1 ORDER BY generation", issue_id
    )
    consulted = await pool.fetch(
        "SELECT * FROM consultation_records WHERE issue_id = $1", issue_id
    )
    by_hotline = {record["generation"] for record in consulted}
    last = lived.reopen_count + 1
    has_form = {form["generation"] for form in forms} | by_hotline
    if lived.stage is not Stage.REGISTERED:  # the hotline may still be at it
        assert has_form == set(range(1, last + 1))
    done = lived.outcome in {Outcome.SOLVED, Outcome.NOT_REACHED}
    for form in forms:
        if form["generation"] in by_hotline or (form["generation"] == last and not done):
            continue
        assert form["result"]
        assert form["engineer"]
        assert form["accepted_at"] is None or form["accepted_at"] <= form["resolved_at"]
    called = await pool.fetch("SELECT * FROM callback_records WHERE issue_id = $1", issue_id)
    recorded = await pool.fetchval(
        "SELECT count(*) FROM issue_events WHERE issue_id = $1 AND action = 'record_callback'",
        issue_id,
    )
    assert len(called) == recorded
    assert all(row["running"] is not None for row in called if row["reached"])


async def _nobody_is_told_twice(pool: asyncpg.Pool[Any], issue_id: str) -> None:
    rows = await pool.fetch("SELECT * FROM outbox WHERE issue_id = $1", issue_id)
    assert len({row["key"] for row in rows}) == len(rows)
    told = Counter(
        (row["recipient"], row["subject"], row["body"])
        for row in rows
        if row["template"] not in _REPEATABLE
    )
    assert not [text for text, times in told.items() if times > 1]
    assert all(row["handed_to"] for row in rows if row["status"] == "handed_over")
