"""What the benchmarks beside the bare workflow make of what they measured, and what they notice."""

from __future__ import annotations

import ast
import asyncio
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent

from benchmarks import figures
from benchmarks.accounts import Lived, Message, bare_wrong, issues_wrong, messages_wrong
from benchmarks.bare.shape import Name
from benchmarks.bare.workflow import Done, Told
from benchmarks.beside import in_turn, write_policy
from benchmarks.figures import BARE, DESK, Aim, exit_status, percentile, spread
from benchmarks.surroundings import for_each
from benchmarks.tally import cloud_actions, shape
from domain.calendars.periods import TimeBudget
from runtime import rulebook
from runtime.settings import ROOT

NOW = datetime(2026, 3, 10, 2, tzinfo=UTC)


# How figures are made


@pytest.mark.parametrize(
    ("values", "share", "is_"),
    [
        (range(1, 101), 0.50, 50),
        (range(1, 101), 0.99, 99),
        (range(1, 1001), 0.99, 990),
        ([3.0, 1.0, 2.0], 0.50, 2),
        ([1.0, 2.0], 0.50, 1),
        ([1.0, 2.0], 0.99, 2),  # never beyond what was measured
        ([7.0], 0.50, 7),
        ([], 0.99, 0),
    ],
)
def test_a_percentile_is_a_measured_value_that_so_many_do_not_exceed(
    values: Sequence[float], share: float, is_: float
) -> None:
    assert percentile(values, share) == is_


def test_a_spread_says_of_how_many_it_is() -> None:
    assert spread([4.0, 1.0, 2.0, 3.0]) == {"count": 4, "p50": 2.0, "p95": 4.0, "p99": 4.0}


def test_a_ratio_is_the_desks_median_of_the_bare_ones() -> None:
    rounds = {
        DESK: [{"a_second": 6.0, "postgres": 20.0}, {"a_second": 8.0, "postgres": 22.0}],
        BARE: [{"a_second": 14.0, "postgres": 0.0}, {"a_second": 14.0, "postgres": 0.0}],
    }
    found = figures.beside(rounds)
    assert found[DESK] == {"a_second": 7.0, "postgres": 21.0}
    assert found[BARE] == {"a_second": 14.0, "postgres": 0.0}
    assert found["ratio"] == {"a_second": 0.5}  # of nothing there is no ratio


def test_one_round_that_went_astray_does_not_move_a_median() -> None:
    assert figures.medians([{"ms": 10.0}, {"ms": 900.0}, {"ms": 12.0}]) == {"ms": 12.0}


def test_each_round_begins_with_the_other_side() -> None:
    assert in_turn(2) == [(0, DESK), (0, BARE), (1, BARE), (1, DESK)]


@pytest.mark.parametrize(
    ("aim", "met"),
    [
        (Aim("CPU", 1.6, 1.6), True),
        (Aim("CPU", 1.61, 1.6), False),
        (Aim("a second", 0.8, 0.8, at_least=True), True),
        (Aim("a second", 0.79, 0.8, at_least=True), False),
    ],
)
def test_an_aim_is_met_at_its_bound_and_says_so(aim: Aim, met: bool) -> None:  # noqa: FBT001
    assert aim.met is met
    assert ("MISSED" in str(aim)) is not met


def test_a_missed_aim_is_a_failure_only_if_asked_for_but_a_loss_is_always_one() -> None:
    missed = [Aim("CPU", 3.0, 1.6)]
    assert exit_status(missed, [], strict=False) == 0
    assert exit_status(missed, [], strict=True) == 1
    assert exit_status([], [], strict=True) == 0
    assert exit_status([], ["an issue is lost"], strict=False) == 1


@pytest.mark.parametrize("name", ["alarms", "calendars", "intake", "life", "open", "scale"])
def test_each_benchmark_says_what_it_would_take_to_fail(name: str) -> None:
    code = (ROOT / "benchmarks" / f"{name}.py").read_text("utf-8")
    said = figures.would_fail(ast.get_docstring(ast.parse(code)))
    assert said.startswith("Exits 1 if ")
    assert said.endswith(".")


# What a history costs


def event(kind: str, **attributes: Mapping[str, object]) -> HistoryEvent:
    return HistoryEvent(event_type=EventType.Value(f"EVENT_TYPE_{kind}"), **attributes)  # type: ignore[arg-type]


def marker(task: int, name: str = "core_local_activity") -> HistoryEvent:
    told = json.dumps({"activity_type": "close_issue", "attempt": 1}).encode()
    attributes = {
        "marker_name": name,
        "workflow_task_completed_event_id": task,
        "details": {"data": {"payloads": [{"data": told}]}},
    }
    return event("MARKER_RECORDED", marker_recorded_event_attributes=attributes)


def upsert(label: str) -> HistoryEvent:
    attributes: Mapping[str, object] = {"search_attributes": {"indexed_fields": {label: {}}}}
    return event(
        "UPSERT_WORKFLOW_SEARCH_ATTRIBUTES",
        upsert_workflow_search_attributes_event_attributes=attributes,
    )


def tried(attempt: int) -> HistoryEvent:
    return event(
        "ACTIVITY_TASK_STARTED", activity_task_started_event_attributes={"attempt": attempt}
    )


COSTS: Sequence[tuple[HistoryEvent, int]] = (
    (event("WORKFLOW_EXECUTION_STARTED"), 1),
    (event("WORKFLOW_TASK_SCHEDULED"), 0),
    (event("WORKFLOW_EXECUTION_UPDATE_ACCEPTED"), 1),
    (marker(4), 1),
    (marker(4), 0),  # another of the same workflow task
    (marker(4, "core_patch"), 0),
    (marker(9), 1),
    (upsert("IssueStep"), 1),
    (upsert("TemporalChangeVersion"), 0),
    (event("WORKFLOW_EXECUTION_UPDATE_COMPLETED"), 0),
    (event("TIMER_STARTED"), 1),
    (event("TIMER_CANCELED"), 0),
    (event("TIMER_FIRED"), 0),
    (event("ACTIVITY_TASK_SCHEDULED"), 0),
    (tried(1), 1),
    (event("ACTIVITY_TASK_COMPLETED"), 0),
    (tried(3), 3),  # two retries, of which history does not tell else
    (event("WORKFLOW_EXECUTION_SIGNALED"), 1),
)


def test_temporal_clouds_actions_are_counted_as_its_documentation_says() -> None:
    for length in range(1, len(COSTS) + 1):
        events, costs = zip(*COSTS[:length], strict=True)
        assert cloud_actions(events) == sum(costs), events[-1]


def test_the_shape_of_a_history_is_what_was_asked_in_order_without_what_the_server_adds() -> None:
    events = [
        *(event("WORKFLOW_EXECUTION_STARTED"), event("WORKFLOW_TASK_SCHEDULED")),
        *(event("WORKFLOW_EXECUTION_UPDATE_ACCEPTED"), marker(4), marker(4, "core_patch")),
        *(upsert("TemporalChangeVersion"), upsert("IssueStep"), event("TIMER_CANCELED")),
        *(event("TIMER_STARTED"), event("ACTIVITY_TASK_SCHEDULED"), tried(1)),
        *(event("TIMER_FIRED"), event("WORKFLOW_EXECUTION_SIGNALED")),
    ]
    assert shape(events) == [
        *("update", "local activity", "upsert", "timer cancelled", "timer started", "activity"),
        *("timer fired", "signal"),
    ]


# What is noticed

ASKED = {"issue:a": ("registered", "accept"), "issue:b": ("registered",)}
LIVED = (Lived("issue:a", "1", ("registered", "accept")), Lived("issue:b", "2", ("registered",)))
SAID = Message("sms", "+86", "登记", "...")


def test_a_register_that_has_what_was_asked_for_has_nothing_wrong() -> None:
    assert not list(issues_wrong(LIVED, ASKED))
    assert not list(messages_wrong(Counter([SAID]), Counter([SAID])))


@pytest.mark.parametrize(
    ("lived", "said"),
    [
        (LIVED[:1], "issue:b is not in the register"),
        ((*LIVED, Lived("issue:c", "3", ("registered",))), "nobody registered issue:c"),
        ((LIVED[0]._replace(actions=("registered",)), LIVED[1]), "issue:a lived registered"),
        ((LIVED[0], LIVED[1]._replace(number="1")), "2 issues are 1"),
    ],
)
def test_an_issue_that_is_missing_too_many_or_lived_otherwise_is_noticed(
    lived: Sequence[Lived], said: str
) -> None:
    assert list(issues_wrong(lived, ASKED)) == [said]


@pytest.mark.parametrize(("written", "heard"), [(1, 0), (1, 2), (0, 1)])
def test_a_message_heard_more_or_less_often_than_written_is_noticed(
    written: int, heard: int
) -> None:
    (said,) = messages_wrong(Counter([SAID] * written), Counter([SAID] * heard))
    assert said == f"written {written}, heard {heard} times: 登记"


RUNG = {Name.REGISTERED, Name.THRESHOLD}


@pytest.mark.parametrize(
    ("taken", "delivered", "said"),
    [
        (["registered", "threshold"], ["registered", "threshold"], ""),
        (["registered"], ["registered"], "took registered"),
        (
            ["registered", "threshold", "threshold"],
            ["registered", "threshold", "threshold"],
            "took registered, threshold, threshold",
        ),
        (["registered", "threshold"], ["registered"], "delivered for registered"),
        (["registered", "threshold"], [], "delivered for nothing"),
    ],
)
def test_a_bare_workflow_that_did_something_not_once_is_noticed(
    taken: Sequence[str], delivered: Sequence[str], said: str
) -> None:
    done, brought = ([Done(Name(name), NOW) for name in names] for names in (taken, delivered))
    assert bare_wrong(Told(done, brought), RUNG) == said


# What they measure under


def test_under_the_benchmarks_policy_nothing_falls_due_by_itself_at_whatever_hour(
    tmp_path: Path,
) -> None:
    book = rulebook.load(write_policy(tmp_path))
    for rule in book.policy.promises:
        assert isinstance(rule.within, TimeBudget)
        assert rule.within.span >= timedelta(days=3), rule.name
        assert rule.clock == "elapsed"
    for calendar in book.calendars.values():
        assert all(calendar.is_open(NOW + timedelta(hours=hour)) for hour in range(7 * 24))


async def test_so_many_callers_are_at_it_and_whoever_is_done_takes_the_next() -> None:
    called: list[int] = []
    at_it: set[int] = set()
    most = 0

    async def call(number: int) -> None:
        nonlocal most
        at_it.add(number)
        most = max(most, len(at_it))
        for _ in range(number % 3):
            await asyncio.sleep(0)
        at_it.remove(number)
        called.append(number)

    await for_each(range(20), call, at_once=4)
    assert sorted(called) == list(range(20))
    assert most == 4
