"""Playing a day: incidents come in and steps are taken, each when its scaled instant comes."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from demo.replay.people import Crew, intake
from demo.replay.story import Incident
from domain.errors import InputError, Refused
from domain.issue.actions import Act, ActionName
from domain.issue.view import IssueView
from domain.sla.clock import Rehearsal
from starter.client import Desk, Unavailable

AT_ONCE = 16
"""Calls under way at a time. More would only wait longer inside the servers."""
ATTEMPTS = 5
"""How often a call is sent that the desk does not answer; the same call is done once."""

FASTEST = 600_000
"""Times: a minute is 100 microseconds then."""
_MINUTE = timedelta(minutes=1)


def rehearsal(story_begins: datetime, really_begins: datetime, speed: float) -> Rehearsal:
    """Return a clock about ``speed`` times as fast on which each minute of the log, which has
    nothing finer, is a whole number of microseconds: no verdict hangs on rounding.

    Raises:
        InputError: at that speed a minute is over before a computer notices, or stands still.
    """
    if not 1 <= speed <= FASTEST:
        raise InputError(f"speed: {speed:g} is not between 1 and {FASTEST}")
    minute = timedelta(microseconds=round(_MINUTE / timedelta(microseconds=1) / speed))
    return Rehearsal(story_begins=story_begins, really_begins=really_begins, speed=_MINUTE / minute)


class Failure(NamedTuple):
    """A call that the desk refused or never answered; what came after it was not tried."""

    reference: str
    what: str
    reason: str


@dataclass
class Progress:
    """What was done so far. Times are seconds."""

    incidents: int
    steps: int
    opened: int = 0
    acted: int = 0
    answers: list[float] = field(default_factory=list)
    """How long each call took, from sending to answer."""
    behind: list[float] = field(default_factory=list)
    """How long after its instant each call was answered."""
    failures: list[Failure] = field(default_factory=list)


class Play:
    """One replay of ``incidents`` on ``desk``, up to and with the real instant ``horizon``."""

    def __init__(
        self,
        desk: Desk,
        crew: Crew,
        incidents: Sequence[Incident],
        clock: Rehearsal,
        horizon: datetime,
    ) -> None:
        self._desk = desk
        self._crew = crew
        self._clock = clock
        self._incidents = [
            _until(incident, clock, horizon)
            for incident in incidents
            if clock.to_reality(incident.opened_at) <= horizon
        ]
        self._room = asyncio.Semaphore(AT_ONCE)
        self.progress = Progress(
            incidents=len(self._incidents),
            steps=sum(len(incident.steps) for incident in self._incidents),
        )

    @property
    def references(self) -> list[str]:
        """The incidents that come in."""
        return [incident.reference for incident in self._incidents]

    async def run(self) -> None:
        """Play to the end. What the desk does not take stands in ``progress.failures``."""
        async with asyncio.TaskGroup() as group:
            for incident in self._incidents:
                group.create_task(self._follow(incident))

    async def _follow(self, incident: Incident) -> None:
        """Take one incident's steps in order: each is sent when the one before is answered."""
        doing = "opened"
        try:
            at = self._clock.to_reality(incident.opened_at)
            taken_in = intake(incident, at)
            issue = await self._at(at, lambda: self._desk.open(taken_in))
            self.progress.opened += 1
            for number, step in enumerate(incident.steps, start=1):
                doing = f"step {number}, {step.act}"
                at = self._clock.to_reality(step.at)
                name, act = self._crew.act(step, issue, at)
                call = _call(self._desk, issue.number, name, act, f"{incident.reference}-{number}")
                issue = await self._at(at, call)
                self.progress.acted += 1
        except (Refused, Unavailable) as error:
            self.progress.failures.append(Failure(incident.reference, doing, str(error)))

    async def _at(self, at: datetime, call: Callable[[], Awaitable[IssueView]]) -> IssueView:
        await _until_instant(at)
        async with self._room:
            sent = time.monotonic()
            issue = await _answered(call)
            self.progress.answers.append(time.monotonic() - sent)
            self.progress.behind.append((datetime.now(UTC) - at).total_seconds())
        return issue


def _call(
    desk: Desk, number: str, name: ActionName, act: Act, key: str
) -> Callable[[], Awaitable[IssueView]]:
    return lambda: desk.act(number, name, act, key=key)


def _until(incident: Incident, clock: Rehearsal, horizon: datetime) -> Incident:
    """Forget what had not happened at the horizon."""
    steps = tuple(step for step in incident.steps if clock.to_reality(step.at) <= horizon)
    return incident.model_copy(update={"steps": steps})


async def _until_instant(at: datetime) -> None:
    while (left := (at - datetime.now(UTC)).total_seconds()) > 0:
        await asyncio.sleep(left)


async def _answered(call: Callable[[], Awaitable[IssueView]]) -> IssueView:
    """Send the same again while the desk is too busy to answer.

    Raises:
        Refused: it said no.
        Unavailable: it did not answer often enough.
    """
    for _ in range(ATTEMPTS - 1):
        try:
            return await call()
        except Unavailable:
            continue
    return await call()
