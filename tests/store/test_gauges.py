from datetime import timedelta
from typing import Any

import pytest

from store import gauges
from store.connection import Pool
from tests.support.filled import MONDAY, an_issue, insert


async def _promise(pool: Pool, issue_id: str, kind: str, **changes: Any) -> None:
    made: dict[str, Any] = {
        "issue_id": issue_id,
        "kind": kind,
        "generation": 1,
        "attempt": 1,
        "attempts": 1,
        "target": "2h",
        "clock": "working",
        "calendar": "desk",
        "rulebook": "book",
        "made_at": MONDAY,
        "due_at": MONDAY,
        "provisional": False,
        "pauses": 0,
        "reached": 0,
        "outcome": "open",
    }
    await insert(pool, "promises", **(made | changes))


@pytest.mark.parametrize(
    ("promises", "state"),
    [
        ({}, "on_time"),
        ({"resolution": {}}, "on_time"),
        ({"resolution": {"reached": 1}}, "at_risk"),
        ({"resolution": {"reached": 1}, "acceptance": {"paused_at": MONDAY}}, "paused"),
        ({"resolution": {"outcome": "broken"}, "acceptance": {"paused_at": MONDAY}}, "overdue"),
        ({"resolution": {"outcome": "skipped"}}, "overdue"),
        ({"resolution": {"outcome": "broken", "ended_at": MONDAY}}, "on_time"),
        ({"difficulty": {"outcome": "broken"}}, "on_time"),
    ],
)
async def test_an_open_issue_counts_by_its_stage_and_its_worst_running_promise(
    database: Pool, promises: dict[str, dict[str, Any]], state: str
) -> None:
    issue_id = await an_issue(database)
    closed = {"stage": "closed", "outcome": "solved", "answered": True, "closed_at": MONDAY}
    await an_issue(database, "20261123-07-0002", **closed)
    for kind, changes in promises.items():
        await _promise(database, issue_id, kind, **changes)
    found = await gauges.read(database)
    (count,) = found.issues
    assert (count.what, count.state, count.count) == ("in_progress", state, 1)


async def test_running_promises_count_by_kind_and_how_they_stand(database: Pool) -> None:
    for number in (1, 2, 3):
        issue_id = await an_issue(database, f"20261123-07-000{number}")
        await _promise(database, issue_id, "resolution", outcome="broken" if number < 3 else "open")
        await _promise(database, issue_id, "acceptance", outcome="kept", ended_at=MONDAY)
    found = await gauges.read(database)
    assert {(each.what, each.state): each.count for each in found.promises} == {
        ("resolution", "overdue"): 2,
        ("resolution", "on_time"): 1,
    }


async def test_messages_count_once_they_are_due_and_the_oldest_tells_its_age(
    database: Pool,
) -> None:
    assert (await gauges.read(database)).oldest_unsettled == 0
    issue_id = await an_issue(database)
    now = await database.fetchval("SELECT now()")
    hour = timedelta(hours=1)
    for key, row in {
        "said": {"status": "delivered", "created_at": now - 9 * hour, "settled_at": now},
        "lost": {
            "status": "handed_over",
            "handed_to": "lead",
            "created_at": now - 9 * hour,
            "settled_at": now,
        },
        "waits": {"created_at": now - 2 * hour},
        "slept": {"created_at": now - 9 * hour, "not_before": now - hour},
        "sleeps": {"created_at": now - 9 * hour, "not_before": now + hour},
    }.items():
        fixed = {"seq": 1, "template": "t", "audience": "handler", "recipient": "07"}
        said = {"subject": "s", "body": "b"}
        await insert(database, "outbox", key=key, issue_id=issue_id, **fixed, **said, **row)
    found = await gauges.read(database)
    assert (found.undelivered, found.unsettled) == (1, 2)
    assert 7200 <= found.oldest_unsettled < 7260
