"""Leading every open issue to its end, by the client of this checkout, whatever stage it is in."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg

from benchmarks.chaos.asking import Asking, GaveUp, Patience
from benchmarks.chaos.plan import chance
from benchmarks.upgrade.lives import (
    ACCEPT,
    AGENT,
    APPROVE,
    BRING,
    CALL,
    CONFIRM,
    QUOTE,
    RESOLVE,
    RESUME,
    SURVEY,
    TESTED,
    VERIFY,
    Deed,
)
from domain.errors import Refused
from domain.issue.actions import PUBLIC_ACTIONS, ActionName
from domain.issue.view import IssueView
from domain.sla.promise import PromiseKind
from domain.vocabulary import Actor, Role, Stage

BY_STAGE: Mapping[Stage, Deed] = {
    Stage.REGISTERED: ACCEPT,
    Stage.REOPENED: ACCEPT,
    Stage.ASSIGNED: ACCEPT,
    Stage.VERIFYING: VERIFY,
    Stage.SURVEYING: SURVEY,
    Stage.QUOTING: QUOTE,
    Stage.CONFIRMING: CONFIRM,
    Stage.APPROVING: APPROVE,
    Stage.WAITING: RESUME,
    Stage.IN_PROGRESS: RESOLVE,
}
_EVALUATE = Deed(
    "customer", "evaluate", "comment", {"item": "after_sales", "technical": 100, "attitude": 100}
)
_RATE = Deed("manager", "rate_difficulty", "note", {"difficulty": 2})
BY_PROMISE: Mapping[PromiseKind, Deed] = {
    PromiseKind.REPLY: BRING,
    PromiseKind.CALLBACK: CALL,
    PromiseKind.CUSTOMER_TEST: TESTED,
    PromiseKind.EVALUATION: _EVALUATE,
    PromiseKind.DIFFICULTY: _RATE,
}
"""What ends a promise after the result."""
_PEOPLE: Mapping[str, Actor] = {
    "agent": Actor(id=AGENT, role=Role.AGENT),
    "clerk": Actor(id="fan.meiling", role=Role.CLERK),
    "customer": Actor(id="customer", role=Role.CUSTOMER),
    "manager": Actor(id="sun.li", role=Role.MANAGER),
    "gm_office": Actor(id="tian.hui", role=Role.GM_OFFICE),
}
AT_ONCE = 6
"""Who works at once: everybody's acts in one storm would make alarms wait behind them."""
_PATIENCE = Patience(answer=35.0, lasts=60.0)
_WITHIN = 150.0
_PAUSE = 0.5
_OPEN = """
SELECT number FROM issues i WHERE closed_at IS NULL OR EXISTS (
    SELECT FROM promises p WHERE p.issue_id = i.id AND p.ended_at IS NULL)
ORDER BY number
"""


class Onward:
    """Everybody at work until nothing is left to be done."""

    def __init__(self, asking: Asking, pool: asyncpg.Pool[Any], seed: int) -> None:
        self._asking = asking
        self._pool = pool
        self._seed = seed
        self._chance = chance(seed, "onward")
        self._scored: set[str] = set()
        self._words = 0
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def lead_all(self) -> None:
        """Do the next thing about every open issue, again and again; some of it takes its time."""
        until = time.monotonic() + _WITHIN
        while (numbers := await unfinished(self._pool)) and time.monotonic() < until:
            await asyncio.gather(*(self._next(number) for number in numbers))
            await asyncio.sleep(_PAUSE)

    async def _next(self, number: str) -> None:
        async with self._turns:
            with suppress(Refused, GaveUp):  # it went on meanwhile: look again
                await self._look_and_do(number)

    async def _look_and_do(self, number: str) -> None:
        view = await self._asking.look(number, _PATIENCE, self._chance)
        for deed in _deeds(view):
            if deed is not _EVALUATE or number not in self._scored:
                await self._do(view, deed)
                self._scored |= {number} if deed is _EVALUATE else set()

    async def _do(self, view: IssueView, deed: Deed) -> None:
        self._words += 1
        word = f"onward-{self._seed}-{self._words}."
        if deed.own == "expected_at":
            word = (datetime.now(UTC) + timedelta(hours=1)).isoformat().replace("+00:00", "Z")
        name = ActionName(deed.name)
        by = actor_of(deed, view)
        act = PUBLIC_ACTIONS[name].model_validate({"by": by, **deed.said, deed.own: word})
        await self._asking.act(view, name, act, word, patience=_PATIENCE, chance=self._chance)


async def unfinished(pool: asyncpg.Pool[Any]) -> list[str]:
    """List the issues that are open, or still to be scored and rated."""
    return [row["number"] for row in await pool.fetch(_OPEN)]


def _deeds(view: IssueView) -> list[Deed]:
    """Say what is to be done about an issue; nothing where it only takes time."""
    if deed := BY_STAGE.get(view.stage):
        return [deed]
    now = datetime.now(UTC)
    running = [p for p in view.promises if p.ended_at is None and (p.opens_at or now) <= now]
    return [BY_PROMISE[promise.kind] for promise in running if promise.kind in BY_PROMISE]


def actor_of(deed: Deed, view: IssueView) -> Actor:
    """Say whose deed it is in an issue."""
    return _PEOPLE.get(deed.who) or _handler(view)


def _handler(view: IssueView) -> Actor:
    """Whoever has it; where that is nobody, its lead takes it on."""
    lead = view.lead.id if view.lead else None
    if view.engineer and view.engineer.id != lead:
        return Actor(id=view.engineer.id, role=Role.ENGINEER)
    return Actor(id=lead, role=Role.LEAD) if lead else _PEOPLE["gm_office"]
