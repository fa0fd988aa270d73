"""What is true of every issue, whatever happened to it: laws over its papers."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from domain.issue.actions import ACTIONS, ActionName
from domain.issue.common import DONE, REMEDIES
from domain.issue.intake import CLOCK_SKEW
from domain.issue.view import IssueView
from domain.sla.promise import CUSTOMERS, DUE, OVERSIGHT, Promise, PromiseEnd, PromiseKind
from domain.vocabulary import Means, Stage
from store import issue_reader
from store.connection import Pool
from tests.support.harness import StoryDesk
from tests.support.papers import Papers, Row, read

pytest.register_assert_rewrite("tests.support.filing")

from tests.support import filing  # noqa: E402

_REPEATABLE = {
    *("waiting", "progress", "assigned", "unassigned", "accepted", "relieved"),
    *("quotation", "acceptance", "answered", "thin", "transferred"),
    *("note", "note_staff", "amended", "chased", "progress_staff", "contact_wanted"),
    *("customer_wrote", "did_it_help", "stranger_wrote"),
}
"""Wordings that may come again word for word, since somebody did the same thing again."""


async def assert_all_sound(desk: StoryDesk) -> None:
    """Check every issue of the desk's register, and what its channels carried."""
    rows = await desk.pool.fetch("SELECT id FROM issues ORDER BY id")
    lived = {row["id"]: await _at_rest(desk, row["id"]) for row in rows}
    for papers in await read(desk.pool, lived):
        check(papers)
    await assert_channels_carried_what_the_outbox_says(desk)


async def assert_sound(pool: Pool, issue_id: str, lived: IssueView) -> None:
    """Check one issue."""
    for papers in await read(pool, {issue_id: lived}):
        check(papers)


def check(papers: Papers) -> None:
    for law in LAWS:
        law(papers)


async def assert_channels_carried_what_the_outbox_says(desk: StoryDesk) -> None:
    delivered = await desk.pool.fetch(
        "SELECT address, subject, body FROM outbox WHERE status = 'delivered'"
    )
    assert Counter(map(tuple, delivered)) == Counter(desk.mailbox.arrived)


async def _at_rest(desk: StoryDesk, issue_id: str) -> IssueView:
    """See an issue while no step of it is under way: its clock may ring at any moment."""
    handle = desk.env.client.get_workflow_handle(issue_id)
    while True:
        lived = await desk.view(handle)
        written = await issue_reader.issue(desk.pool, issue_id)
        if written and written.steps == lived.steps:
            return lived


# The laws -----------------------------------------------------------------------------------------


def the_register_knows_what_the_workflow_knows(papers: Papers) -> None:
    assert _comparable(papers.written) == _comparable(papers.lived)


def _comparable(view: IssueView) -> dict[str, Any]:
    """Promises by key: the register lists them in an order of its own."""
    shown = view.model_dump()
    return shown | {"promises": {promise["key"]: promise for promise in shown["promises"]}}


def events_follow_each_other(papers: Papers) -> None:
    events = papers.events
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    stages = [event["stage"] for event in events]
    assert [event["stage_before"] for event in events] == [None, *stages[:-1]]
    assert stages[-1] == papers.issue["stage"]
    recorded = [event["recorded_at"] for event in events]
    assert recorded == sorted(recorded)
    assert all(event["at"] <= event["recorded_at"] + CLOCK_SKEW for event in events)
    deeds = [
        event["at"]
        for event, recorded in zip(events, papers.steps, strict=True)
        if recorded.step.counts
    ]
    assert deeds == sorted(deeds), "somebody was believed who came before the last"


def nobody_did_what_was_not_theirs(papers: Papers) -> None:
    """Every step was one of its stage, by somebody with a right to it."""
    for event in papers.events[1:]:
        rule = ACTIONS[ActionName(event["action"])].rule
        assert event["stage_before"] in rule.stages
        assert event["role"] in rule.roles


def generations_count_the_reopenings(papers: Papers) -> None:
    reopened = 0
    for event, recorded in zip(papers.events, papers.steps, strict=True):
        reopened += _failed(event)
        assert recorded.step.generation == reopened + 1
    assert papers.issue["generation"] == reopened + 1


def _failed(event: Row) -> bool:
    """Whether the customer says that it does not work."""
    said = event["content"]
    match event["action"]:
        case ActionName.REPORT_TEST:
            return not said["worked"]
        case ActionName.RECORD_CALLBACK:
            return said.get("running") is False
        case ActionName.CUSTOMER_WROTE:
            done = event["stage_before"] in DONE and event["stage"] not in DONE
            assert not done or (said["known"] and said["means"] == Means.NOT_SOLVED)
            return done
    return False


def nothing_closes_unanswered(papers: Papers) -> None:
    """R6, by our own account of what the customer was told, not by what the desk makes of it."""
    answered = False
    for event in papers.events:
        said = event["content"]
        match event["action"]:
            case ActionName.REPLIED:
                _the_reply_is_out(papers, event)
                answered = True
            case _ if _is_told(event):
                answered = True
            case ActionName.REPORT_TEST:
                answered = said["worked"]
            case ActionName.CUSTOMER_WROTE if _failed(event):
                answered = False
            case ActionName.RECORD_CALLBACK if said["reached"] and "running" in said:
                answered = said["running"]  # asked about faults only (R24)
        if event["stage"] == Stage.CLOSED and event["stage_before"] != Stage.CLOSED:
            assert answered or papers.broken_off, "closed without an answer (R6)"
    assert papers.issue["answered"] == answered


def _is_told(event: Row) -> bool:
    """Whether they hear the answer on the telephone."""
    said = event["content"]
    at_once = event["action"] == ActionName.ANSWER and said["on_the_line"]
    return bool(at_once or (_brings_the_result(event) and said["reached"]))


def _brings_the_result(event: Row) -> bool:
    """Whether it is the agent's call with it (R34)."""
    call = event["action"] == ActionName.CONTACT_CUSTOMER
    return bool(call and event["stage_before"] == Stage.RESOLVED)


def _the_reply_is_out(papers: Papers, replied: Row) -> None:
    last = max(
        (
            event
            for event in papers.events[: replied["seq"]]
            if event["stage"] == Stage.RESOLVED != event["stage_before"]
            or _brings_the_result(event)
        ),
        key=lambda event: event["seq"],
    )
    if _brings_the_result(last) and last["content"]["reached"]:
        return  # they have it; what follows is the same in writing
    replies = [
        message
        for message in papers.of("outbox")
        if message["seq"] == last["seq"] and message["audience"] == "customer"
    ]
    assert replies, "nothing was written to the customer"
    for reply in replies:
        assert reply["status"] in {"delivered", "handed_over"}
        assert reply["settled_at"] <= replied["recorded_at"]


def one_promise_of_a_kind_runs_and_only_of_this_generation(papers: Papers) -> None:
    for recorded, stood in zip(papers.steps, papers.history, strict=True):
        running = [promise for promise in stood.values() if promise.running]
        assert len({promise.kind for promise in running}) == len(running)
        generations = {promise.generation for promise in running if promise.kind not in REMEDIES}
        assert generations <= {recorded.step.generation}


def what_is_closed_only_waits_to_be_scored_and_rated(papers: Papers) -> None:
    """Unless its customer wrote once more, which is still to be seen to."""
    for event, stood in zip(papers.events, papers.history, strict=True):
        closed = event["stage"] == Stage.CLOSED
        running = {p.kind for p in stood.values() if p.running} - {PromiseKind.FEEDBACK}
        assert all((kind in OVERSIGHT) == closed for kind in running)


def the_ledger_is_complete(papers: Papers) -> None:
    """Every promise ever made is in it as it stands; what was made is not taken back."""
    ledger = {promise.key: promise for promise in map(issue_reader.promise, papers.of("promises"))}
    assert ledger == papers.history[-1]
    if not papers.lived.can:
        assert all(promise.ended_at for promise in ledger.values())


def promises_end_as_they_were_kept(papers: Papers) -> None:
    for promise in papers.history[-1].values():
        if promise.ended_at is None:
            continue
        done = _clock_stopped_at(promise)
        assert promise.paused_at is None
        assert promise.consumed is not None
        match promise.end:
            case PromiseEnd.KEPT:
                assert done <= promise.due_at or promise.kind in CUSTOMERS
            case PromiseEnd.BROKEN:
                rung = [mark.name for mark in promise.marks[: promise.reached]]
                assert done >= promise.due_at or DUE in rung  # word of the end came after it
                assert promise.kind not in CUSTOMERS, "a customer breaks no promise"
            case end:
                assert end is PromiseEnd.WITHDRAWN


def _clock_stopped_at(promise: Promise) -> datetime:
    """When it ended, or stood still for the last time before that."""
    assert promise.ended_at
    last = promise.stops[-1] if promise.stops else None
    return last.begin if last and last.end == promise.ended_at else promise.ended_at


def thresholds_ring_once_in_order_and_not_too_early(papers: Papers) -> None:
    rung: dict[tuple[str, int], list[str]] = defaultdict(list)
    for event, recorded in zip(papers.events, papers.steps, strict=True):
        if event["action"] != ActionName.THRESHOLD:
            continue
        promise = recorded.step.promises[0]
        said = event["content"]
        assert promise.key == said["promise"]
        names = [*said["skipped"], said["threshold"]]
        at = {mark.name: mark.at for mark in promise.marks}
        assert all(at[name] <= event["at"] for name in names)
        rung[promise.key, promise.pauses] += names
    for (key, _), names in rung.items():
        order = [mark.name for mark in papers.history[-1][key].marks]
        assert names == sorted(set(names), key=order.index), f"{key} rang {names}"


def nobody_is_told_twice(papers: Papers) -> None:
    messages = papers.of("outbox")
    assert len({message["key"] for message in messages}) == len(messages)
    told = Counter(
        (message["recipient"], message["subject"], message["body"])
        for message in messages
        if message["template"] not in _REPEATABLE
    )
    assert not [text for text, times in told.items() if times > 1]
    in_one_step = Counter(
        (message["seq"], message["recipient"], message["template"], message["for_issue"])
        for message in messages
    )
    assert set(in_one_step.values()) <= {1}


def every_message_arrives_or_a_person_brings_it(papers: Papers) -> None:
    messages = papers.of("outbox")
    assert all(message["handed_to"] for message in messages if message["status"] == "handed_over")
    if not papers.lived.can:  # what is told in working hours may still wait for them
        left = [m for m in messages if m["status"] not in {"delivered", "handed_over"}]
        assert all(message["not_before"] for message in left)


Law = Callable[[Papers], None]
LAWS: tuple[Law, ...] = (
    the_register_knows_what_the_workflow_knows,
    events_follow_each_other,
    nobody_did_what_was_not_theirs,
    generations_count_the_reopenings,
    nothing_closes_unanswered,
    one_promise_of_a_kind_runs_and_only_of_this_generation,
    what_is_closed_only_waits_to_be_scored_and_rated,
    the_ledger_is_complete,
    promises_end_as_they_were_kept,
    thresholds_ring_once_in_order_and_not_too_early,
    nobody_is_told_twice,
    every_message_arrives_or_a_person_brings_it,
    *filing.LAWS,
)
