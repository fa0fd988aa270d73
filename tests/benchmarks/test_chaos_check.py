"""The check of the chaos run finds what it is for: each thing it counts, made wrong on purpose."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.chaos.check import check
from benchmarks.chaos.faults import Window
from benchmarks.chaos.findings import Count
from benchmarks.chaos.plan import Kind
from tests.support.chaos_evidence import (
    BEGIN,
    OPEN,
    OVER,
    Change,
    after,
    altered,
    both,
    event,
    evidence,
    mark,
    message,
    no_workflow,
    promise,
    said,
    with_row,
    without,
    workflow,
)

RUNG = {"promise": "response.1", "threshold": "75%", "skipped": []}
CONFLICT = {"words": "word-3.", "conflict": True}
HEARD_TWICE = evidence().heard[0]

WRONG: dict[str, tuple[Count, Change]] = {
    "an acknowledged intake without a row": (
        Count.ORPHANS,
        with_row("acknowledged", said("intake", "issue:web:gone", number="20261123-07-0009")),
    ),
    "an accepted intake without a row": (
        Count.ORPHANS,
        with_row("acknowledged", said("accepted", "issue:web:gone")),
    ),
    "an open row that Temporal knows nothing of": (Count.ORPHANS, no_workflow(OPEN)),
    "an open row whose workflow has ended": (Count.ORPHANS, workflow(OPEN, running=False)),
    "an open row whose workflow knows no intake": (Count.ORPHANS, workflow(OPEN, view=None)),
    "a closed row that is still to be rated, without a workflow": (
        Count.ORPHANS,
        with_row("promises", promise(OVER, "difficulty", marks=(mark("100%", 90),))),
    ),
    "an issue that the desk closed as terminated": (
        Count.ORPHANS,
        altered("issues", 0, outcome="terminated"),
    ),
    "a workflow without a row": (Count.ORPHANS, workflow("issue:web:nobody")),
    "a workflow task that is tried again and again": (Count.WEDGED, workflow(OPEN, attempt=4)),
    "a workflow that does not answer": (Count.WEDGED, workflow(OPEN, silent="no answer in time")),
    "a history that does not replay": (Count.WEDGED, workflow(OVER, unfit="other commands")),
    "a task that failed for other commands": (Count.WEDGED, workflow(OVER, failures=("event 9",))),
    "an acknowledged act without an event": (
        Count.LOST,
        with_row("acknowledged", said("act", OPEN, key="resolve-9")),
    ),
    "an acknowledged act under another action": (
        Count.LOST,
        altered("events", 6, action="reassign"),
    ),
    "an acknowledged word that the event does not say": (
        Count.LOST,
        altered("events", 6, content={"expected_at": "word-5."}),
    ),
    "an intake with another title": (Count.LOST, altered("issues", 1, title="something else")),
    "a signal that never came in": (
        Count.LOST,
        with_row("acknowledged", said("signal", OPEN, key="", word="word-8.")),
    ),
    "a signal neither recorded nor refused": (
        Count.LOST,
        both(
            with_row("acknowledged", said("signal", OPEN, key="", word="word-8.")),
            workflow(OPEN, signals=('{"result": "word-8."}',)),
        ),
    ),
    "a conflict without a complaint": (Count.LOST, altered("events", 3, content=CONFLICT)),
    "a message that was delivered and not heard": (Count.LOST, without("heard", 0)),
    "two rows for one reference": (
        Count.DOUBLED,
        with_row("issues", evidence().issues[0]._replace(number="20261123-07-0009")),
    ),
    "a number given out twice": (
        Count.DOUBLED,
        altered("issues", 1, number="20261123-07-0001"),
    ),
    "another number than was told": (
        Count.DOUBLED,
        altered("acknowledged", 0, number="20261123-07-0009"),
    ),
    "two events with one key": (
        Count.DOUBLED,
        altered("events", 2, key="accept-2", content={"result": "word-2."}),
    ),
    "a gap between events": (Count.DOUBLED, altered("events", 6, seq=4)),
    "a last event that is missing": (Count.DOUBLED, without("events", 3)),
    "an act under two keys": (
        Count.DOUBLED,
        both(
            altered("issues", 1, seq=4),
            with_row("events", event(OPEN, 4, "accept", "in_progress", content={"to": "word-4."})),
        ),
    ),
    "a message heard twice": (Count.DOUBLED, with_row("heard", HEARD_TWICE)),
    "a threshold of a running promise that nobody rang": (
        Count.ALARMS_MISSED,
        with_row("promises", promise(OPEN, "verification")),
    ),
    "a threshold that passed before the promise ended": (
        Count.ALARMS_MISSED,
        with_row("promises", promise(OVER, "survey", ended_at=after(50))),
    ),
    "a threshold that passed before a pause": (
        Count.ALARMS_MISSED,
        with_row("promises", promise(OPEN, "survey", paused_at=after(50))),
    ),
    "a threshold ticked off that no event rang": (
        Count.ALARMS_MISSED,
        altered("promises", 2, reached=1),
    ),
    "a threshold rung twice": (
        Count.ALARMS_TWICE,
        both(
            altered("issues", 1, seq=4),
            with_row("events", event(OPEN, 4, "threshold", "in_progress", content=RUNG)),
        ),
    ),
    "a message that nobody waits for": (
        Count.MESSAGES,
        with_row("outbox", message(OPEN, "m3", status="pending", settled_at=None)),
    ),
    "a message heard that nobody wrote": (Count.MESSAGES, without("outbox", 0)),
    "a workflow at another stage": (
        Count.OUT_OF_STEP,
        workflow(OPEN, view={"stage": "assigned", "number": "20261123-07-0002"}),
    ),
    "a workflow with another number": (
        Count.OUT_OF_STEP,
        workflow(OPEN, view={"stage": "in_progress", "number": "20261123-07-0009"}),
    ),
    "a workflow behind the register": (Count.OUT_OF_STEP, workflow(OPEN, seq=2)),
    "a workflow that goes on after the end": (
        Count.OUT_OF_STEP,
        workflow(OVER, running=True, view={"stage": "closed", "number": "20261123-07-0001"}),
    ),
}


def test_nothing_is_found_where_nothing_is_wrong() -> None:
    assert check(evidence()) == []


@pytest.mark.parametrize("name", WRONG)
def test_it_finds(name: str) -> None:
    count, change = WRONG[name]
    found = check(change(evidence()))
    assert count in {finding.kind for finding in found}
    assert all(finding.what for finding in found)


def test_everything_that_is_counted_was_made_wrong() -> None:
    assert {count for count, _ in WRONG.values()} == set(Count)


def test_what_passed_in_the_dark_may_end_without_an_alarm() -> None:
    dark = Window(Kind.WORKER_FROZEN, after(25), after(50))
    ended = with_row("promises", promise(OVER, "survey", ended_at=after(50)))
    assert check(replace(ended(evidence()), faults=[dark])) == []


def test_what_is_still_running_is_rung_however_long_it_was_dark() -> None:
    dark = Window(Kind.WORKER_FROZEN, after(25), after(50))
    runs = with_row("promises", promise(OPEN, "survey"))
    found = check(replace(runs(evidence()), faults=[dark]))
    assert {finding.kind for finding in found} == {Count.ALARMS_MISSED}


def test_a_skipped_threshold_is_owed_to_nobody() -> None:
    marks = (mark("75%", 30, skipped=True), mark("100%", 90))
    planned_again = with_row("promises", promise(OPEN, "survey", marks=marks, reached=1))
    assert check(planned_again(evidence())) == []


def test_several_thresholds_that_passed_at_once_count_as_one_alarm() -> None:
    both_marks = (mark("75%", 1), mark("100%", 2))
    rung = {"promise": "survey.1", "threshold": "100%", "skipped": ["75%"]}
    rang = both(
        both(
            with_row("promises", promise(OPEN, "survey", marks=both_marks, reached=2)),
            with_row("events", event(OPEN, 4, "threshold", "in_progress", content=rung)),
        ),
        both(altered("issues", 1, seq=4), workflow(OPEN, seq=4)),
    )
    assert check(rang(evidence())) == []


def test_what_had_passed_before_an_issue_was_registered_is_told_with_its_registration() -> None:
    marks = (mark("75%", 1), mark("100%", 2))
    ticked_off = with_row("promises", promise(OPEN, "survey", marks=marks, reached=2))
    assert check(ticked_off(evidence()))
    place = next(n for n, e in enumerate(evidence().events) if e.issue_id == OPEN and e.seq == 1)
    told = altered("events", place, content={"missed": {"survey.1": ["75%", "100%"]}})
    assert check(both(ticked_off, told)(evidence())) == []


def test_a_pause_takes_an_alarm_back_and_it_may_ring_again() -> None:
    paused = event(OPEN, 4, "wait_for_customer", "waiting")
    rung_again = event(OPEN, 5, "threshold", "waiting", content=RUNG)
    rang = both(
        both(with_row("events", paused), with_row("events", rung_again)),
        both(
            altered("issues", 1, seq=5, stage="waiting"),
            workflow(OPEN, seq=5, view={"stage": "waiting", "number": "20261123-07-0002"}),
        ),
    )
    assert check(rang(evidence())) == []


def test_an_act_that_another_quotes_was_done_once() -> None:
    quoting = event(OPEN, 4, "report_progress", "in_progress", content={"work": "word-4."})
    quoted = both(
        with_row("events", quoting), both(altered("issues", 1, seq=4), workflow(OPEN, seq=4))
    )
    assert check(quoted(evidence())) == []


def test_a_signal_that_was_refused_is_not_lost() -> None:
    late = said("signal", OVER, at=after(3.5), key="", word="word-8.")
    signals = ('{"result": "word-2."}', '{"result": "word-8."}')
    refused = both(with_row("acknowledged", late), workflow(OVER, signals=signals))
    assert check(refused(evidence())) == []


def test_what_temporal_alone_had_and_forgot_with_the_power_is_not_the_desks() -> None:
    cut = Window(Kind.POWER_CUT, BEGIN, after(10), cut=after(5))
    forgotten = both(
        with_row("acknowledged", said("accepted", "issue:web:gone")),
        with_row("acknowledged", said("signal", OPEN, key="", word="word-8.")),
    )
    assert check(replace(forgotten(evidence()), faults=[cut])) == []
