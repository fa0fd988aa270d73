"""Checks of every issue's workflow: that there is one, that it goes on, that it knows what the
register knows, and that it brings out what was to be said.
"""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.chaos.evidence import IssueRow, Seen
from benchmarks.chaos.findings import Count, Files, Finding

ATTEMPTS = 3
"""Of a workflow task: more than these, and it does not get any further."""
_BY_OPERATORS = frozenset({"cancelled", "terminated"})
"""How issues end that somebody ended in Temporal; here nobody does."""


def orphans(files: Files) -> Iterator[Finding]:
    """An acknowledged intake without an issue; an issue that no workflow lives; and the reverse."""
    for said in files.evidence.acknowledged:
        if said.deed not in {"intake", "accepted"} or said.issue_id in files.issues:
            continue
        if said.deed == "intake" or not files.forgotten(said):
            what = f"acknowledged ({said.deed}, {said.number}) at {said.at}, not in the register"
            yield Finding(Count.ORPHANS, said.issue_id, what)
    for issue in files.issues.values():
        if why := _orphaned(files, issue):
            yield Finding(Count.ORPHANS, issue.id, f"{issue.number}, {issue.stage}: {why}")
    for seen in files.evidence.workflows.values():
        if seen.running and seen.id not in files.issues:
            yield Finding(Count.ORPHANS, seen.id, "a workflow without a row in the register")


def _orphaned(files: Files, issue: IssueRow) -> str:
    if issue.outcome in _BY_OPERATORS:
        return f"closed as {issue.outcome}, and nobody had ended it"
    if not files.lives(issue):
        return ""
    seen = files.evidence.workflows.get(issue.id)
    if seen is None:
        return "Temporal knows no such workflow"
    if not seen.running:
        return "its workflow has ended"
    if seen.view is None and not seen.silent:
        return "its workflow knows nothing of the intake"
    return ""


def wedged(files: Files) -> Iterator[Finding]:
    """A workflow that can never go on, or whose history is not what its code does."""
    for seen in files.evidence.workflows.values():
        for why in _stuck(seen):
            yield Finding(Count.WEDGED, seen.id, why)


def _stuck(seen: Seen) -> Iterator[str]:
    if seen.attempt > ATTEMPTS:
        yield f"its workflow task is at attempt {seen.attempt}"
    if seen.silent:
        yield f"it does not answer a query: {seen.silent}"
    if seen.unfit:
        yield f"its history does not replay: {seen.unfit}"
    for failure in seen.failures:
        yield f"a workflow task failed: {failure}"


def out_of_step(files: Files) -> Iterator[Finding]:
    """A workflow that believes something else of its issue than the register says."""
    for issue in files.issues.values():
        seen = files.evidence.workflows.get(issue.id)
        if seen is None:
            continue
        if seen.view and seen.view["stage"] != issue.stage:
            what = f"the workflow is at {seen.view['stage']}, the register at {issue.stage}"
            yield Finding(Count.OUT_OF_STEP, issue.id, what)
        if seen.view and seen.view["number"] != issue.number:
            what = f"the workflow calls it {seen.view['number']}, the register {issue.number}"
            yield Finding(Count.OUT_OF_STEP, issue.id, what)
        if seen.running and seen.view and seen.seq != issue.seq:
            what = f"the workflow knows step {seen.seq}, the register {issue.seq}"
            yield Finding(Count.OUT_OF_STEP, issue.id, what)
        if seen.running and not files.lives(issue):
            what = f"{issue.number} is over, and its workflow still runs"
            yield Finding(Count.OUT_OF_STEP, issue.id, what)


def messages(files: Files) -> Iterator[Finding]:
    """A message that is neither settled nor waited for; one that was settled and never came, or
    that came and was never written.
    """
    evidence = files.evidence
    came = {(one.channel, one.to, one.title, one.body) for one in evidence.heard}
    written = {(row.channel, row.address, row.subject, row.body) for row in evidence.outbox}
    for row in evidence.outbox:
        seen = evidence.workflows.get(row.issue_id)
        waits = seen is not None and seen.running and seen.delivers
        later = row.not_before is not None and row.not_before > evidence.as_of
        if row.settled_at is None and not (waits or (later and seen and seen.running)):
            yield Finding(Count.MESSAGES, row.issue_id, f"{row.key} is {row.status}")
        heard = (row.channel, row.address, row.subject, row.body) in came
        if row.status == "delivered" and not heard:
            yield Finding(Count.LOST, row.issue_id, f"{row.key} was delivered, nobody heard it")
    for one in evidence.heard:
        if (one.channel, one.to, one.title, one.body) not in written:
            what = f"heard by {one.to} over {one.channel} and in no outbox: {one.title}"
            yield Finding(Count.MESSAGES, "", what)


PARTS = (orphans, wedged, out_of_step, messages)
