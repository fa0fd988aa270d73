"""The log's incidents led on a register, each step at the instant that the log gives it.

In a replay (``yinuo demo --incidents``) Temporal's clock runs faster than the log's, and weeks are
minutes. So Temporal is left out here: steps are derived from the log as there, decided and recorded
as a workflow would, alarms fall due as its timers do, and messages arrive at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from heapq import heappop, heappush
from itertools import count
from typing import NamedTuple

from activities.recording import Recording
from demo.replay.people import Crew, intake
from demo.replay.story import Incident, StaffStep
from domain.issue import lifecycle
from domain.issue.actions import ACTIONS, Act, ActionName, Replied, ThresholdReached
from domain.issue.state import Issue
from domain.issue.step import Recorded, Step
from domain.issue.view import view
from domain.vocabulary import DESK
from runtime.signing import Links, Signer
from store.connection import Pool

_LINKS = Links(Signer("signs what nobody is sent"), "https://desk.example")
_RUN = "led-without-temporal"


class _Alarm(NamedTuple):
    promise: str
    mark: str
    at: datetime


class Led:
    """What is led on one register, by one crew."""

    def __init__(self, pool: Pool, crew: Crew) -> None:
        self._recording = Recording(pool, _LINKS)
        self._crew = crew
        self._issues: dict[str, Issue] = {}
        self._steps: dict[str, Iterator[StaffStep]] = {}
        self._coming: list[tuple[datetime, int, str, StaffStep | _Alarm | Incident]] = []
        self._order = count()
        self.recorded = 0

    async def lead(self, incidents: Iterable[Incident], until: datetime) -> None:
        """Let everything happen that happens before an instant, one after the other.

        Raises:
            Refused: the desk does not take a step of the log.
        """
        for incident in incidents:
            self._comes(incident.opened_at, incident.reference, incident)
        while self._coming and self._coming[0][0] < until:
            at, _, reference, what = heappop(self._coming)
            match what:
                case Incident():
                    await self._open(what)
                case StaffStep():
                    await self._act(reference, what)
                case _Alarm() if self._rings(reference, what):
                    act = ThresholdReached(by=DESK, promise=what.promise, threshold=what.mark)
                    await self._take(reference, ActionName.THRESHOLD, act, at)

    def _comes(self, at: datetime, reference: str, what: StaffStep | _Alarm | Incident) -> None:
        heappush(self._coming, (at, next(self._order), reference, what))

    async def _open(self, incident: Incident) -> None:
        said, at = intake(incident, incident.opened_at), incident.opened_at
        recorded = await self._record(lifecycle.register(said, at))
        self._issues[incident.reference] = lifecycle.registered(said, recorded)
        self._steps[incident.reference] = iter(incident.steps)
        await self._goes_on(incident.reference, recorded, at)
        self._next_step(incident.reference)

    async def _act(self, reference: str, step: StaffStep) -> None:
        name, act = self._crew.act(step, view(self._issues[reference]), step.at)
        await self._take(reference, name, act, step.at)
        self._next_step(reference)

    def _next_step(self, reference: str) -> None:
        if step := next(self._steps[reference], None):
            self._comes(step.at, reference, step)

    async def _take(self, reference: str, name: ActionName, act: Act, at: datetime) -> None:
        issue = self._issues[reference]
        step = lifecycle.decide(issue, name, act, at, key=f"{name}-{issue.seq}")
        recorded = await self._record(step)
        self._issues[reference] = recorded.applied_to(issue)
        await self._goes_on(reference, recorded, at)

    async def _record(self, step: Step) -> Recorded:
        self.recorded += 1
        return await self._recording.record_step(step.model_copy(update={"run": _RUN}))

    async def _goes_on(self, reference: str, recorded: Recorded, at: datetime) -> None:
        """Begin what a step gives rise to: its reply arrives, its promises are watched."""
        issue = self._issues[reference]
        for promise in issue.running:
            if mark := promise.next_threshold:
                self._comes(mark.at, reference, _Alarm(promise.key, mark.name, mark.at))
        answers = any(batch.reply == issue.generation for batch in recorded.batches)
        if answers and issue.stage in ACTIONS[ActionName.REPLIED].rule.stages:
            await self._take(reference, ActionName.REPLIED, Replied(by=DESK), at)

    def _rings(self, reference: str, alarm: _Alarm) -> bool:
        """Say whether a promise still waits for it: it may have ended, or been moved."""
        for promise in self._issues[reference].running:
            mark = promise.next_threshold
            if mark and (promise.key, mark.name, mark.at) == alarm:
                return True
        return False
