"""Checks of every deed: that what was acknowledged is there, once, in its place."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import timedelta

from benchmarks.chaos.asking import Acknowledged
from benchmarks.chaos.evidence import EventRow
from benchmarks.chaos.findings import Count, Files, Finding

_WORKING = frozenset({"assigned", "in_progress", "waiting"})
"""Stages in which a result is taken (R12)."""
_A_MOMENT = timedelta(seconds=1)
"""Between an acknowledgement here and the clocks of the desk."""


def lost(files: Files) -> Iterator[Finding]:
    """Acts and signals that were acknowledged and are not there, or not as they were said."""
    for said in files.evidence.acknowledged:
        if said.deed == "act" and (why := _missing(files, said)):
            what = f"{said.name} by {said.by} at {said.at}: {why}"
            yield Finding(Count.LOST, said.issue_id, what)
        elif said.deed == "signal" and (why := _unheard(files, said)):
            yield Finding(Count.LOST, said.issue_id, f"signal by {said.by} at {said.at}: {why}")
        elif said.deed == "intake" and (why := _garbled(files, said)):
            yield Finding(Count.LOST, said.issue_id, why)


def _garbled(files: Files, said: Acknowledged) -> str:
    issue = files.issues.get(said.issue_id)
    if issue is None or issue.title == said.word:
        return ""
    return f"its title is {issue.title!r}, acknowledged was {said.word!r}"


def _missing(files: Files, said: Acknowledged) -> str:
    events = files.events.get(said.issue_id, ())
    event = next((event for event in events if event.key == said.key), None)
    if event is None:
        return f"acknowledged, and no event has the key {said.key}"
    if event.action != said.name:
        return f"event {event.seq} has its key and is {event.action}"
    return "" if _says(event, said.word) else f"event {event.seq} does not say {said.word!r}"


def _unheard(files: Files, said: Acknowledged) -> str:
    """A signal is recorded, or refused for a reason that the register shows."""
    events = files.events.get(said.issue_id, [])
    if any(_says(event, said.word) for event in events) or files.forgotten(said):
        return ""
    seen = files.evidence.workflows.get(said.issue_id)
    if seen is None or not any(said.word in signal for signal in seen.signals):
        return f"acknowledged, and neither in the register nor in the history: {said.word!r}"
    return "" if _refusable(events, said) else f"neither recorded nor refused: {said.word!r}"


def _refusable(events: list[EventRow], said: Acknowledged) -> bool:
    """Whether the issue was, at some time after that, in no stage for it or with somebody else."""
    holder, takes = None, False
    for event in events:
        if event.recorded_at > said.at + _A_MOMENT and not takes:
            return True
        holder = event.given_to if event.gives else holder
        takes = event.stage in _WORKING and holder == said.by
    return not takes


def untold_complaints(files: Files) -> Iterator[Finding]:
    """A conflict in a callback that did not become a complaint of its own (R21)."""
    raised = {(issue.arises_from, issue.reference) for issue in files.issues.values()}
    for event in files.evidence.events:
        if event.action != "record_callback" or not event.content.get("conflict"):
            continue
        issue = files.issues.get(event.issue_id)
        if issue and (issue.id, f"{issue.number}-{event.seq}") not in raised:
            what = f"the conflict in step {event.seq} became no complaint"
            yield Finding(Count.LOST, event.issue_id, what)


def doubled_issues(files: Files) -> Iterator[Finding]:
    """One reference with two issues or two numbers, one number with two issues."""
    references = Counter((row.source, row.reference) for row in files.evidence.issues)
    numbers = defaultdict(set)
    for row in files.evidence.issues:
        numbers[row.number].add(row.id)
        if references[row.source, row.reference] > 1:
            what = f"{row.source} {row.reference} is also {row.number}"
            yield Finding(Count.DOUBLED, row.id, what)
    for said in files.evidence.acknowledged:
        if said.number:
            numbers[said.number].add(said.issue_id)
        issue = files.issues.get(said.issue_id)
        if issue and said.number and said.number != issue.number:
            what = f"it was told to be {said.number} at {said.at}, it is {issue.number}"
            yield Finding(Count.DOUBLED, said.issue_id, what)
    for number, ids in numbers.items():
        if len(ids) > 1:
            yield Finding(Count.DOUBLED, min(ids), f"{number} was given to {sorted(ids)}")


def doubled_steps(files: Files) -> Iterator[Finding]:
    """Steps with one cause, and gaps between them."""
    for id_, events in files.events.items():
        for key in _twice(event.key for event in events):
            yield Finding(Count.DOUBLED, id_, f"two events have the key {key}")
        seqs = [event.seq for event in events]
        issue = files.issues.get(id_)
        if sorted(seqs) != list(range(1, len(seqs) + 1)) or (issue and issue.seq != len(seqs)):
            last = issue.seq if issue else None
            yield Finding(Count.DOUBLED, id_, f"a gap: steps {seqs}, the register's last {last}")


def doubled_acts(files: Files) -> Iterator[Finding]:
    """An act that was recorded under two causes. Another may quote it: a yes says to what."""
    said_by_issue = defaultdict(set)
    for said in files.evidence.acknowledged:
        if said.deed in {"act", "signal"}:
            action = "resolve" if said.deed == "signal" else said.name
            said_by_issue[said.issue_id].add((action, said.word))
    for id_, deeds in said_by_issue.items():
        for action, word in deeds:
            events = (event for event in files.events.get(id_, ()) if event.action == action)
            where = [event.seq for event in events if _says(event, word)]
            if len(where) > 1:
                yield Finding(Count.DOUBLED, id_, f"{word!r} was recorded in steps {where}")


def doubled_messages(files: Files) -> Iterator[Finding]:
    """Something that somebody heard more often than it was written."""
    rows = defaultdict(list)
    for row in files.evidence.outbox:
        rows[row.channel, row.address, row.subject, row.body].append(row)
    heard = Counter((one.channel, one.to, one.title, one.body) for one in files.evidence.heard)
    for (channel, to, title, body), times in heard.items():
        written = rows[channel, to, title, body]
        if times > max(1, len(written)):
            keys = [row.key for row in written]
            what = f"{to} heard it {times} times over {channel}: {title} ({keys})"
            yield Finding(Count.DOUBLED, written[0].issue_id if written else "", what)


def _says(event: EventRow, word: str) -> bool:
    return word in json.dumps(event.content, ensure_ascii=False)


def _twice(keys: Iterable[str]) -> list[str]:
    return [key for key, times in Counter(keys).items() if times > 1]


PARTS = (lost, untold_complaints, doubled_issues, doubled_steps, doubled_acts, doubled_messages)
