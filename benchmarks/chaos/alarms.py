"""Checks of every threshold of every promise: rung once if its instant passed while it ran (R13).

What passed while servers were away is rung when they are back, several at once as one. A promise
that ended before anybody could ring has nothing to ring for any more.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from benchmarks.chaos.evidence import EventRow, PromiseRow
from benchmarks.chaos.findings import Count, Files, Finding

RECOVERY = timedelta(seconds=20)
"""After a fault: a workflow task of the dead is given to others after ten, a call is retried."""
GRACE = timedelta(seconds=5)
"""How late a healthy desk may be on a busy machine."""


def alarms(files: Files) -> Iterator[Finding]:
    """Compare the marks of every promise with the alarms that were rung."""
    dark = _dark(files)
    for id_, promises in files.promises.items():
        rung = _rung(files.events.get(id_, ()))
        for promise in promises:
            for why in _missed(files, promise, rung, dark):
                yield Finding(Count.ALARMS_MISSED, id_, f"{promise.key} {why}")
            for name, steps in _twice(files, promise, rung):
                what = f"{promise.key} {name} was rung in steps {steps}"
                yield Finding(Count.ALARMS_TWICE, id_, what)


Spans = Sequence[tuple[datetime, datetime]]
Rung = Mapping[tuple[str, str], list[EventRow]]
"""The events that rang, by promise and threshold."""


def _rung(events: Iterable[EventRow]) -> Rung:
    rung = defaultdict(list)
    for event in events:
        if event.action == "threshold":
            for name in (*event.content["skipped"], event.content["threshold"]):
                rung[event.content["promise"], name].append(event)
        for promise, names in event.content.get("missed", {}).items():  # before it was registered
            for name in names:
                rung[promise, name].append(event)
    return rung


def _missed(files: Files, promise: PromiseRow, rung: Rung, dark: Spans) -> Iterator[str]:
    until = promise.ended_at or promise.paused_at
    for place, mark in enumerate(promise.marks):
        if mark["skipped"] or (promise.key, mark["name"]) in rung:
            continue
        at = datetime.fromisoformat(mark["at"])
        if until is None:
            missed = at < files.evidence.as_of - GRACE
        else:
            missed = at < until and _light(dark, at, until) > GRACE
        if missed:
            yield f"{mark['name']} of {at:%H:%M:%S}: its instant passed, nobody was told"
        elif place < promise.reached:
            yield f"{mark['name']}: ticked off, nobody was told"


def _dark(files: Files) -> Spans:
    """When the desk could not ring: servers were away, or it was late with another alarm, too."""
    spans = [(fault.begin, fault.end + RECOVERY) for fault in files.evidence.faults]
    for id_, promises in files.promises.items():
        rung = _rung(files.events.get(id_, ()))
        for promise in promises:
            for mark in promise.marks:
                at = datetime.fromisoformat(mark["at"])
                events = rung.get((promise.key, mark["name"]), ())
                spans += [(at, e.recorded_at) for e in events if e.recorded_at > at + GRACE]
    return sorted(spans)


def _light(dark: Spans, begin: datetime, end: datetime) -> timedelta:
    """How long of that time the desk could have rung."""
    light, at = timedelta(), begin
    for dusk, dawn in dark:
        light += max(timedelta(), min(dusk, end) - at)
        at = max(at, dawn)
    return light + max(timedelta(), end - at)


def _twice(files: Files, promise: PromiseRow, rung: Rung) -> Iterator[tuple[str, list[int]]]:
    """A pause reported later than an alarm takes it back, and then it is rung again (R15)."""
    pauses = [
        event.seq
        for event in files.events.get(promise.issue_id, ())
        if event.action == "wait_for_customer"
    ]
    for mark in promise.marks:
        steps = [event.seq for event in rung.get((promise.key, mark["name"]), ())]
        again = [
            (first, second)
            for first, second in pairwise(steps)
            if not any(first < seq < second for seq in pauses)
        ]
        if again:
            yield mark["name"], steps


PARTS = (alarms,)
