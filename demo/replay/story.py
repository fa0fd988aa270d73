"""From the rows of the log to what staff did: steps that a desk with our stages allows.

The log records states, not acts, and skips some: an incident goes from ``New`` to ``Resolved``
although somebody must have taken it first. `derive` puts in what must have happened in between,
at the instant of the row that implies it, and counts every such repair.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from demo.replay.log import SHANGHAI, IncidentState, LogRow, opened_on
from domain.vocabulary import Instant, Model, Stage


class Act(StrEnum):
    """What somebody at the desk did."""

    ACCEPT = "accept"
    WAIT = "wait"
    RESUME = "resume"
    REASSIGN = "reassign"
    RESOLVE = "resolve"
    REOPEN = "reopen"
    """The customer was reached and the fault was still there (R24)."""
    CLOSE = "close"
    """The customer was reached and all was well (R24)."""


class LogRepair(StrEnum):
    """What of the log had to be put right before our desk could follow it."""

    ACCEPT_IMPLIED = "waited or resolved before anybody had accepted: accepted at that instant"
    RESUME_IMPLIED = "resolved while awaiting: resumed at that instant"
    RESOLVE_IMPLIED = "closed without having been resolved: resolved at that instant"
    NOT_NEW_AT_FIRST = "the first row is not New: opened as New"
    BEFORE_OPENED = "updated before it was opened: moved to the opening"
    OUT_OF_ORDER = "updated before its last update: moved to that update"
    STATE_UNKNOWN = "state unknown (-100 or ?): the last state kept"
    CLOSED_TOO_EARLY = "reopened after it was closed: not closed then"
    REASSIGNED_WHEN_DONE = "reassigned when already resolved: left out"
    FACT_MISSING = "no category or no location at the opening"


class StaffStep(Model):
    """One act, when it was done, and the state that the log gives after it (why it waits, say)."""

    at: Instant
    act: Act
    state: IncidentState


class Incident(Model):
    """One incident as it was known when it was opened, and what was done about it afterwards.

    ``impact``, ``urgency`` and ``priority`` run from 1, the highest. Facts the log lacks are None.
    ``steps`` are in the order they happened and never earlier than ``opened_at``.
    """

    reference: str
    opened_at: Instant
    contact_type: str | None
    category: str | None
    location: str | None
    impact: int | None
    urgency: int | None
    priority: int | None
    assignment_group: str | None
    steps: tuple[StaffStep, ...]


class Derived(Model):
    """Incidents in the order they were opened, and how often what was repaired."""

    incidents: tuple[Incident, ...]
    repairs: dict[LogRepair, int]


_STAGES = {
    IncidentState.NEW: Stage.ASSIGNED,
    IncidentState.ACTIVE: Stage.IN_PROGRESS,
    IncidentState.AWAITING_USER_INFO: Stage.WAITING,
    IncidentState.AWAITING_VENDOR: Stage.WAITING,
    IncidentState.AWAITING_PROBLEM: Stage.WAITING,
    IncidentState.AWAITING_EVIDENCE: Stage.WAITING,
    IncidentState.RESOLVED: Stage.RESOLVED,
    IncidentState.CLOSED: Stage.CLOSED,
}
_OVER = frozenset({Stage.RESOLVED, Stage.CLOSED})

_FROM_ASSIGNED = {
    Stage.ASSIGNED: (),
    Stage.IN_PROGRESS: (Act.ACCEPT,),
    Stage.WAITING: (Act.ACCEPT, Act.WAIT),
    Stage.RESOLVED: (Act.ACCEPT, Act.RESOLVE),
    Stage.CLOSED: (Act.ACCEPT, Act.RESOLVE, Act.CLOSE),
}
_FROM_IN_PROGRESS = {
    # Back to New undoes nothing at our desk: who accepted stays the handler.
    Stage.ASSIGNED: (),
    Stage.IN_PROGRESS: (),
    Stage.WAITING: (Act.WAIT,),
    Stage.RESOLVED: (Act.RESOLVE,),
    Stage.CLOSED: (Act.RESOLVE, Act.CLOSE),
}
_FROM_WAITING = {
    Stage.ASSIGNED: (Act.RESUME,),
    Stage.IN_PROGRESS: (Act.RESUME,),
    Stage.WAITING: (),
    Stage.RESOLVED: (Act.RESUME, Act.RESOLVE),
    Stage.CLOSED: (Act.RESUME, Act.RESOLVE, Act.CLOSE),
}
_REOPENED = {stage: (Act.REOPEN, *acts) for stage, acts in _FROM_ASSIGNED.items()}
_PATHS: dict[Stage, dict[Stage, tuple[Act, ...]]] = {
    Stage.ASSIGNED: _FROM_ASSIGNED,
    Stage.IN_PROGRESS: _FROM_IN_PROGRESS,
    Stage.WAITING: _FROM_WAITING,
    Stage.RESOLVED: _REOPENED | {Stage.RESOLVED: (), Stage.CLOSED: (Act.CLOSE,)},
    # Resolved right after Closed is the same incident, still done.
    Stage.CLOSED: _REOPENED | {Stage.RESOLVED: (), Stage.CLOSED: ()},
}
"""What must be done to get from one stage (first key) to another (second key)."""

_LEADS_TO = {
    Act.ACCEPT: Stage.IN_PROGRESS,
    Act.WAIT: Stage.WAITING,
    Act.RESUME: Stage.IN_PROGRESS,
    Act.RESOLVE: Stage.RESOLVED,
    Act.REOPEN: Stage.ASSIGNED,
    Act.CLOSE: Stage.CLOSED,
}
_IMPLIED = {
    Act.ACCEPT: LogRepair.ACCEPT_IMPLIED,
    Act.RESUME: LogRepair.RESUME_IMPLIED,
    Act.RESOLVE: LogRepair.RESOLVE_IMPLIED,
}


class _Story:
    """One incident while its rows are read."""

    def __init__(self, first: LogRow, repairs: Counter[LogRepair]) -> None:
        self.first = first
        self.repairs = repairs
        self.stage = Stage.ASSIGNED
        self.said = Stage.ASSIGNED
        self.at = first.opened_at
        self.reassignments = 0
        self.steps: list[StaffStep] = []
        repairs[LogRepair.NOT_NEW_AT_FIRST] += first.state is not IncidentState.NEW
        repairs[LogRepair.FACT_MISSING] += None in (first.category, first.location)

    def follow(self, row: LogRow) -> None:
        self._advance(row.updated_at)
        target = _STAGES.get(row.state)
        if target is None:
            self.repairs[LogRepair.STATE_UNKNOWN] += 1
            target = self.said
        acts = self._acts(row, target)
        if Act.REOPEN in acts and self.stage is Stage.CLOSED:
            self._was_not_closed()
        for act in acts:
            self.steps.append(StaffStep(at=self.at, act=act, state=row.state))
            self.stage = self._stage_after(act)
        self.said = target

    def _advance(self, updated_at: datetime) -> None:
        """Time never runs backwards here, though in some cases of the log it does."""
        if updated_at < self.first.opened_at:
            self.repairs[LogRepair.BEFORE_OPENED] += 1
        elif updated_at < self.at:
            self.repairs[LogRepair.OUT_OF_ORDER] += 1
        self.at = max(self.at, updated_at)

    def _was_not_closed(self) -> None:
        """A closed issue is over at our desk; a callback that only later found it was not well
        can have been no more than a callback that had not happened yet.
        """
        self.repairs[LogRepair.CLOSED_TOO_EARLY] += 1
        self.steps.pop()

    def _acts(self, row: LogRow, target: Stage) -> tuple[Act, ...]:
        acts = _PATHS[self.stage][target]
        if self._reassigned(row, target):
            reopened = acts[:1] if Act.REOPEN in acts else ()
            stage = self.stage if self.stage is Stage.WAITING else Stage.ASSIGNED
            # A row that changes nothing else is the handing over: the new handler takes the
            # incident with the next row, if it is not handed on again.
            taken = () if target is self.said else _PATHS[stage][target]
            acts = (*reopened, Act.REASSIGN, *taken)
        self.repairs.update(_IMPLIED[act] for act in acts[:-1] if act in _IMPLIED)
        return acts

    def _reassigned(self, row: LogRow, target: Stage) -> bool:
        """Reassigned means that the log's own counter grew while the work was going on.

        Neither ``assigned_to`` nor ``assignment_group`` says it as well: both are often missing,
        and a name after ``?`` may be the first assignment or not.
        """
        grew = row.reassignment_count > self.reassignments
        self.reassignments = max(self.reassignments, row.reassignment_count)
        if grew and self.stage in _OVER and target in _OVER:
            self.repairs[LogRepair.REASSIGNED_WHEN_DONE] += 1
            return False
        return grew

    def _stage_after(self, act: Act) -> Stage:
        if act is Act.REASSIGN:
            return self.stage if self.stage is Stage.WAITING else Stage.ASSIGNED
        return _LEADS_TO[act]

    def told(self) -> Incident:
        return Incident(
            reference=self.first.number,
            opened_at=self.first.opened_at,
            contact_type=self.first.contact_type,
            category=self.first.category,
            location=self.first.location,
            impact=self.first.impact,
            urgency=self.first.urgency,
            priority=self.first.priority,
            assignment_group=self.first.assignment_group,
            steps=tuple(self.steps),
        )


def derive(rows: Iterable[LogRow], day: date, zone: ZoneInfo = SHANGHAI) -> Derived:
    """Tell what staff did about each incident opened on ``day``, a day of ``zone``.

    Raises:
        LogError: no incident was opened on that day.
    """
    return tell(opened_on(rows, day, zone))


def tell(rows: Iterable[LogRow]) -> Derived:
    """Tell what staff did about the incidents of these rows.

    Rows of one minute keep the order of the file. Updates that changed neither the state nor the
    handler are left out.
    """
    repairs: Counter[LogRepair] = Counter()
    stories: dict[str, _Story] = {}
    for row in rows:
        if row.number not in stories:
            stories[row.number] = _Story(row, repairs)
        stories[row.number].follow(row)
    told = sorted((story.told() for story in stories.values()), key=lambda i: i.opened_at)
    return Derived(incidents=tuple(told), repairs={r: repairs[r] for r in LogRepair if repairs[r]})
