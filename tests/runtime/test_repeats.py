"""A trouble is told once, and then how often; what is new is told at once, whatever repeats."""

import io
import json
import logging
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import asyncpg
import pytest
import structlog

from runtime import logs
from runtime.repeats import Once

ACTIVITY = "temporalio.activity"


class Log:
    """What was written since it was last looked at."""

    def __init__(self) -> None:
        self.stream = io.StringIO()
        logs.configure("json", "INFO", self.stream)
        (self.once,) = logging.getLogger().handlers
        assert isinstance(self.once, Once)

    def a_minute_later(self) -> list[dict[str, Any]]:
        assert isinstance(self.once, Once)
        self.once.sum_up()
        return self.lines()

    def lines(self) -> list[dict[str, Any]]:
        written = [json.loads(line) for line in self.stream.getvalue().splitlines()]
        self.stream.truncate(0)
        self.stream.seek(0)
        return written


@pytest.fixture
def log() -> Iterator[Log]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    log = Log()
    yield log
    log.once.close()
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


async def refused() -> None:
    """Nobody is there: what every activity meets while PostgreSQL is away."""
    await asyncpg.connect("postgresql://desk@/desk?host=/nowhere")


async def fail(with_: Any, workflow: str = "issue:web:1", logger: str = ACTIVITY) -> None:
    """Log as Temporal's library does of an activity that failed."""
    try:
        await with_()
    except Exception:
        about = {"workflow_id": workflow}
        logging.getLogger(logger).warning(
            "Completing activity as failed", exc_info=True, extra={"temporal_activity": about}
        )


async def test_a_server_that_is_away_is_one_line_and_a_count(log: Log) -> None:
    for n in range(300):
        await fail(refused, f"issue:web:{n % 20}")
    (first,) = log.lines()
    assert "PostgreSQL is away (FileNotFoundError)" in first["event"]
    assert "No such file" in first["event"]
    assert "exception" not in first
    (counted,) = log.a_minute_later()
    assert "PostgreSQL is away (FileNotFoundError): the same 299 times" in counted["event"]
    assert (counted["workflows"], len(counted["some"])) == (20, 3)
    (over,) = log.a_minute_later()
    assert "over, after 300 times" in over["event"]
    assert log.a_minute_later() == []
    await fail(refused)
    assert len(log.lines()) == 1, "when it comes again it is told again"


async def test_another_trouble_of_the_same_server_is_told_too(log: Log) -> None:
    async def shutting_down() -> None:
        raise asyncpg.CannotConnectNowError("the database system is shutting down")

    for _ in range(3):
        await fail(refused)
        await fail(shutting_down)
    assert ["FileNotFound" in line["event"] for line in log.lines()] == [True, False]


async def test_what_is_new_is_told_while_something_repeats(log: Log) -> None:
    async def broken(n: int) -> None:
        raise ValueError(f"field {n}")

    async def elsewhere() -> None:
        raise ValueError("field 1")

    for _ in range(5):
        await fail(refused)
        await fail(lambda: broken(1))
        await fail(lambda: broken(2))
        await fail(elsewhere)
        await fail(elsewhere, logger="temporalio.worker")
    told = log.lines()
    assert len(told) == 5
    assert all("exception" in line for line in told[1:]), "a fault of ours shows its place"
    assert [line["event"].split(": ")[-1] for line in log.a_minute_later()] == [
        "the same 4 times in the last 60 s"
    ] * 5


async def test_a_fault_that_was_met_once_is_not_told_of_again(log: Log) -> None:
    async def broken() -> None:
        raise KeyError("x")

    await fail(broken)
    assert len(log.lines()) == 1
    assert log.a_minute_later() == []


async def test_what_is_no_failure_is_never_held_back(log: Log) -> None:
    for _ in range(3):
        logging.getLogger("elsewhere").warning("refused")
        structlog.get_logger("desk").info("recorded")
        structlog.get_logger("desk").error("undelivered", address="x")
    assert [line["event"] for line in log.lines()] == ["refused", "recorded", "undelivered"] * 3


async def test_failures_that_structlog_tells_of_are_counted_as_well(log: Log) -> None:
    def gone() -> None:
        raise ConnectionResetError("gone")

    def fails() -> None:
        try:
            gone()
        except ConnectionResetError:
            structlog.get_logger("desk").exception("could not", issue="1")

    for _ in range(4):
        fails()
    (told,) = log.lines()
    assert told["exception"][0]["exc_type"] == "ConnectionResetError"
    assert "the same 3 times" in log.a_minute_later()[0]["event"]


async def test_what_was_counted_is_told_when_the_program_ends(log: Log) -> None:
    for _ in range(8):
        await fail(refused)
    log.lines()
    log.once.close()
    assert "the same 7 times" in log.lines()[0]["event"]


@dataclass
class CoreLog:
    """As Temporal's library hands it over."""

    fields: dict[str, Any]


def told_by_the_core(said: str, **fields: Any) -> None:
    core = logging.getLogger("temporalio.core")
    record = core.makeRecord(core.name, logging.WARNING, "(sdk-core)", 0, said, (), None)
    record.temporal_log = CoreLog(fields)
    core.handle(record)


async def test_calls_that_temporals_library_tries_again_are_one_line(log: Log) -> None:
    for n in range(6, 40):
        for call in ("poll_workflow_task_queue", "poll_activity_task_queue"):
            refused = "Status { code: Unavailable, message: … }"
            told_by_the_core(f"gRPC call {call} retried {n} times", error=refused)
    (told,) = log.lines()
    assert told["event"].endswith("retried 6 times: Temporal is away (Unavailable)")
    assert told["core"] == {"error": "Status { code: Unavailable, message: … }"}
    assert "the same 67 times" in log.a_minute_later()[0]["event"]


async def test_what_the_core_says_of_many_workflows_is_one_line_for_each_thing_said(
    log: Log,
) -> None:
    for n in range(5):
        run = uuid.uuid4()
        told_by_the_core(f"[TMPRL1104] {run}:{n}:1 Task duration exceeded", payload_size=1, n=2)
        told_by_the_core(f"[TMPRL1100] {run}: Task duration exceeded")
    first, second = log.lines()
    assert (first["core"], "1104" in first["event"]) == ({"n": 2}, True)
    assert "1100" in second["event"]
