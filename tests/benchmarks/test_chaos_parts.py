"""What the chaos run is made of: a plan from a seed, raw histories, and power that goes."""

from __future__ import annotations

import base64
import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psutil
import pytest
from temporalio.client import WorkflowHistory

from benchmarks.chaos import power
from benchmarks.chaos.callers import reported
from benchmarks.chaos.evidence import Seen
from benchmarks.chaos.histories import read, unfit
from benchmarks.chaos.plan import Kind, chance, faults
from tests.histories.fingerprint import HISTORIES

ON_TIME = json.loads((HISTORIES / "on_time.json").read_text(encoding="utf-8"))
BY_SIGNAL = json.loads((HISTORIES / "by_signal.json").read_text(encoding="utf-8"))


def of(history: dict[str, Any]) -> WorkflowHistory:
    return WorkflowHistory.from_json("issue:made-up", json.dumps(history))


def seen() -> Seen:
    return Seen("issue:made-up", running=True, view=None)


def test_the_same_seed_plans_the_same_faults_and_callers() -> None:
    assert faults(5, list(Kind), 60) == faults(5, list(Kind), 60)
    assert faults(5, list(Kind), 60) != faults(6, list(Kind), 60)
    first, again = (reported("5-1", chance(5, "life", 1)) for _ in range(2))
    assert first.model_copy(update={"reported_at": again.reported_at}) == again


def test_a_plan_has_every_kind_at_least_once_and_only_those_asked_for() -> None:
    assert {fault.kind for fault in faults(5, list(Kind), 10)} == set(Kind)
    assert {fault.kind for fault in faults(5, [Kind.POWER_CUT], 60)} == {Kind.POWER_CUT}
    assert faults(5, [], 60) == []


async def test_a_sound_history_replays_and_tells_the_last_step() -> None:
    history = of(ON_TIME)
    assert await unfit([history]) == ""
    found = read(seen(), history.events)
    steps = [
        json.loads(base64.b64decode(details["result"]["payloads"][0]["data"]))["step"]["seq"]
        for event in ON_TIME["events"]
        if (marker := event.get("markerRecordedEventAttributes"))
        and "result" in (details := marker["details"])
    ]
    assert found.seq == steps[-1]
    assert found.failures == ()


async def test_a_history_of_other_commands_is_found_unfit() -> None:
    label = "upsertWorkflowSearchAttributesEventAttributes"
    left = (event for event in ON_TIME["events"] if label not in event)
    events = [event | {"eventId": str(place)} for place, event in enumerate(left, 1)]
    assert "ondeterminism" in await unfit([of({"events": events})])


def test_what_a_workflow_was_signalled_is_read_from_its_events() -> None:
    signals = read(seen(), of(BY_SIGNAL).events).signals
    sent = [event for event in BY_SIGNAL["events"] if "SIGNALED" in event["eventType"]]
    assert len(signals) == len(sent) > 0
    assert "result" in json.loads(signals[0])


def test_a_workflow_task_that_failed_for_other_commands_is_found() -> None:
    failed = {
        "eventId": str(len(ON_TIME["events"]) + 1),
        "eventTime": ON_TIME["events"][-1]["eventTime"],
        "eventType": "EVENT_TYPE_WORKFLOW_TASK_FAILED",
        "workflowTaskFailedEventAttributes": {
            "cause": "WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR",
            "failure": {"message": "other commands"},
        },
    }
    history = of({"events": [*ON_TIME["events"], failed]})
    (why,) = read(seen(), history.events).failures
    assert "other commands" in why


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[psutil.Process]:
    """Somebody who writes a row a moment into Temporal's file, as long as the power is there."""
    script = f"""
import sqlite3, time
file = sqlite3.connect({str(tmp_path / "temporal.db")!r}, isolation_level=None)
file.execute("PRAGMA journal_mode=wal")
file.execute("CREATE TABLE rows (place integer primary key)")
while True:
    file.execute("INSERT INTO rows DEFAULT VALUES")
    print(flush=True)
    time.sleep(0.001)
"""
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield psutil.Process(process.pid)
        process.kill()


def rows(home: Path) -> int:
    with closing(sqlite3.connect(home / "temporal.db")) as file:
        (count,) = file.execute("SELECT count(*) FROM rows").fetchone()
    return int(count)


@pytest.mark.program
def test_after_a_power_cut_there_is_what_was_on_the_disk_and_nothing_later(
    tmp_path: Path, writer: psutil.Process
) -> None:
    kept = power.what_is_on_the_disk(writer.pid, tmp_path)
    # A write that was under way is on the disk before any reader has heard of it.
    before = rows(tmp_path) + 1
    while rows(tmp_path) < before + 5:
        pass
    power.cut([writer])
    assert not writer.is_running() or writer.status() == psutil.STATUS_ZOMBIE
    later = rows(tmp_path)
    kept.put_back()
    assert 0 < rows(tmp_path) <= before < later
    assert {file.name for file in tmp_path.iterdir()} <= {
        f"temporal.db{end}" for end in ("", "-wal", "-shm")
    }
