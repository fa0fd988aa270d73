"""What the check finds, and the evidence in order: by issue."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import NamedTuple

from benchmarks.chaos.asking import Acknowledged
from benchmarks.chaos.evidence import EventRow, Evidence, IssueRow, PromiseRow
from benchmarks.chaos.plan import Kind

CLOSED = "closed"


class Count(StrEnum):
    """What is counted; all of it is to be 0."""

    ORPHANS = "orphans"
    WEDGED = "wedged"
    LOST = "lost"
    DOUBLED = "doubled"
    ALARMS_MISSED = "alarms missed"
    ALARMS_TWICE = "alarms twice"
    MESSAGES = "messages left"
    OUT_OF_STEP = "out of step"


class Finding(NamedTuple):
    """One thing that is wrong: of what kind, with which issue, and what exactly."""

    kind: Count
    issue: str
    what: str


@dataclass(frozen=True)
class Files:
    """The evidence, put in order by issue."""

    evidence: Evidence

    @cached_property
    def issues(self) -> Mapping[str, IssueRow]:
        return {row.id: row for row in self.evidence.issues}

    @cached_property
    def events(self) -> Mapping[str, list[EventRow]]:
        sorted_ = defaultdict(list)
        for event in self.evidence.events:
            sorted_[event.issue_id].append(event)
        return sorted_

    @cached_property
    def promises(self) -> Mapping[str, list[PromiseRow]]:
        sorted_ = defaultdict(list)
        for promise in self.evidence.promises:
            sorted_[promise.issue_id].append(promise)
        return sorted_

    def lives(self, issue: IssueRow) -> bool:
        """Whether a workflow has to live it: it is open, or still to be scored and rated."""
        owed = any(promise.ended_at is None for promise in self.promises.get(issue.id, ()))
        return issue.stage != CLOSED or owed

    def forgotten(self, said: Acknowledged) -> bool:
        """Whether Temporal alone had it, and lost it with the power: nobody could know of it."""
        cuts = (w for w in self.evidence.faults if w.kind is Kind.POWER_CUT and w.cut)
        return any(cut.begin <= said.at <= cut.end for cut in cuts)
