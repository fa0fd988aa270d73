"""How customers and staff act: in their own time, and once more if the desk does not answer."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from random import Random
from typing import Protocol
from uuid import uuid4

from demo.play.board import Tempo
from domain.errors import Refused
from domain.issue.actions import PUBLIC_ACTIONS, Act, ActionName
from domain.issue.intake import Intake
from domain.issue.view import IssueView, PromiseView
from domain.sla.promise import PromiseKind
from domain.staff.roster import Member
from domain.vocabulary import Actor, Role
from starter.client import Unavailable

_TRIES = 3


class Way(Protocol):
    """A way to the desk: its client, or its doors."""

    async def open(self, intake: Intake) -> IssueView:
        """Register an issue; see ``starter.client.Desk``."""

    async def act(
        self, number: str, name: ActionName, act: Act, *, key: str | None = None
    ) -> IssueView:
        """Take an action; see ``starter.client.Desk``."""


class Acting:
    """The people around one issue; ``seed`` makes them take the same time in every play."""

    def __init__(self, desk: Way, pace: Tempo, seed: str) -> None:
        self._desk = desk
        self._pace = pace
        self._chance = Random(seed)  # noqa: S311

    async def pause(self, least: float, most: float) -> None:
        """Take that many seconds."""
        await asyncio.sleep(self._chance.uniform(least, most))

    async def open(self, intake: Intake) -> IssueView:
        """Register it (R1)."""
        return await self._insist(lambda: self._desk.open(intake))

    async def do(
        self,
        issue: IssueView,
        name: ActionName,
        said: Mapping[str, object] | None = None,
        *,
        by: Actor | None = None,
    ) -> IssueView:
        """Take an action; whoever has the issue does, if nobody is named."""
        filled = {"by": by or handler(issue), "at": now(), **(said or {})}
        act, key = PUBLIC_ACTIONS[name].model_validate(filled), uuid4().hex
        return await self._insist(lambda: self._desk.act(issue.number, name, act, key=key))

    async def _insist(self, call: Callable[[], Awaitable[IssueView]]) -> IssueView:
        """If the desk does not answer, send the same again: it takes it as one."""
        for _ in range(_TRIES - 1):
            try:
                with self._pace.measured():
                    return await call()
            except Unavailable:
                continue
        return await call()


def now() -> datetime:
    """What the clock says, in UTC."""
    return datetime.now(UTC)


def actor(member: Member) -> Actor:
    """Somebody of the roster as they act."""
    return Actor(id=member.id, role=member.role)


def handler(issue: IssueView) -> Actor:
    """Whoever has the issue. Where nobody was free that is the lead."""
    if issue.engineer and issue.lead and issue.engineer.id == issue.lead.id:
        return lead(issue)
    return Actor(id=issue.engineer.id, role=Role.ENGINEER) if issue.engineer else lead(issue)


def lead(issue: IssueView) -> Actor:
    """The lead of whoever has the issue.

    Raises:
        Refused: it has none.
    """
    if issue.lead is None:
        raise Refused("NotYours", f"{issue.number} has no lead to see to it")
    return Actor(id=issue.lead.id, role=Role.LEAD)


def latest(issue: IssueView, kind: PromiseKind) -> PromiseView:
    """The latest promise of that kind."""
    return max(
        (promise for promise in issue.promises if promise.kind is kind),
        key=lambda promise: (promise.generation, promise.attempt),
    )
