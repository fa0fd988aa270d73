"""Those who call, and those who work: one life of an issue each, as its seed has it.

They look before they act, repeat what was not answered, are refused what the stage does not allow,
do several things at once, and some of them never come back.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from benchmarks.chaos.asking import Asking, GaveUp, Patience
from benchmarks.chaos.plan import chance
from domain.errors import Refused
from domain.issue.actions import PUBLIC_ACTIONS, ActionName, Resolve
from domain.issue.intake import Intake
from domain.issue.view import IssueView, call_due
from domain.vocabulary import Actor, Role, Stage, Verdict

AT_DOOR, AT_CLIENT = "web", "switchboard"
"""The intake systems: one sends over HTTP, one has a client of its own."""
_CLERK = Actor(id="fan.meiling", role=Role.CLERK)
_CUSTOMER = Actor(id="customer", role=Role.CUSTOMER)
_DEPARTMENTS = ("technical_service", "software_development", "customer_service")
_WORKING = frozenset({Stage.ASSIGNED, Stage.IN_PROGRESS, Stage.WAITING})
_GENERATIONS = 3
_FLURRY = 12.0
"""Seconds within which several people come: longer than the heartbeat of a workflow task."""
_PACES = (2.0, 2.0, 8.0)
"""Seconds a handler takes at most before they do the next thing: some are late, and alarms ring."""
_TURNS = 6
"""How often a handler comes back to an issue before they give it up."""


async def live_all(asking: Asking, seed: int, issues: int, seconds: float, patience: float) -> None:
    """Let all issues come in within ``seconds``, and everybody do what they do; returns when the
    last caller has nothing more to do. Nobody asks again for longer than ``patience`` seconds.
    """
    instants = chance(seed, "arrivals")
    async with asyncio.TaskGroup() as group:
        for place in range(issues):
            life = Life(asking, seed, place, patience)
            group.create_task(life.live(instants.uniform(0, seconds)))


class Life:
    """One issue, from whoever reports it to whoever closes it."""

    def __init__(self, asking: Asking, seed: int, place: int, patience: float) -> None:
        self._asking = asking
        self._chance = chance(seed, "life", place)
        self._name = f"{seed}-{place}"
        self._words = 0
        self._patience = Patience(
            answer=self._chance.choice((5.0, 12.0, 35.0)),
            lasts=patience * self._chance.choice((0, 1 / 3, 1, 1)),
        )
        self._intake = reported(self._name, self._chance)

    async def live(self, after: float) -> None:
        """Live it, from ``after`` so many seconds on."""
        await asyncio.sleep(after)
        with suppress(GaveUp, Refused):
            await self._open()
            for _ in range(_GENERATIONS):
                if not await self._handled():
                    break
                await self._brought()
                if not await self._heard_of_again():
                    break

    async def _open(self) -> None:
        intake = self._intake.model_copy(update={"reported_at": datetime.now(UTC)})
        by_door = intake.source == AT_DOOR
        repeats = self._chance.choice((1, 1, 1, 2, 3))
        ask = self._asking.open
        views = await asyncio.gather(
            *(ask(intake, self._patience, self._chance, by_door=by_door) for _ in range(repeats)),
            return_exceptions=True,
        )
        seen = [view for view in views if isinstance(view, IssueView)]
        if not seen:
            raise GaveUp
        self._view = seen[0]

    async def _look(self) -> IssueView:
        self._view = await self._asking.look(self._view.number, self._patience, self._chance)
        return self._view

    async def _handled(self) -> bool:
        """Work on it until it is resolved; False if nobody does."""
        if self._chance.random() < 0.06:
            return False
        detours = self._chance.choices(_DETOURS, k=self._chance.choice((0, 1, 1, 2)))
        for _ in range(_TURNS):
            await self._pause(0.2, self._chance.choice(_PACES))
            view = await self._look()
            if view.stage in {Stage.RESOLVED, Stage.REPLIED, Stage.CALLBACK, Stage.CLOSED}:
                return view.stage is not Stage.CLOSED
            with suppress(Refused):  # somebody was quicker: look again
                if Stage.ASSIGNED is view.stage or view.stage in {Stage.REGISTERED, Stage.REOPENED}:
                    await self._accept()
                elif view.stage is Stage.VERIFYING:
                    await self._verify()
                elif view.stage is Stage.WAITING:
                    await self._do(ActionName.RESUME, note=self._word())
                elif detours:
                    await self._detour(detours.pop())
                else:
                    await self._resolve()
        return False

    async def _accept(self) -> None:
        expected = datetime.now(UTC) + timedelta(hours=1)
        await self._do(ActionName.ACCEPT, expected_at=expected)

    async def _verify(self) -> None:
        await self._do(ActionName.VERIFY, verdict=Verdict.GENERAL, findings=self._word())

    async def _resolve(self) -> None:
        await self._pause(0.5, 6)
        word = self._word()
        if self._chance.random() < 0.3:
            act = Resolve(by=_handler(self._view), result=word)
            await self._asking.complete(self._view, act, word, self._patience, self._chance)
            await self._pause(1, 2)  # nobody tells what became of it
        else:
            await self._do(ActionName.RESOLVE, result=word)

    async def _detour(self, name: str) -> None:
        match name:
            case "progress":
                await self._do(ActionName.REPORT_PROGRESS, note=self._word())
            case "wait":
                await self._do(ActionName.WAIT_FOR_CUSTOMER, reason=self._word())
                await self._pause(0.5, 8)
            case "transfer":
                to = self._chance.choice([d for d in _DEPARTMENTS if d != self._view.department])
                await self._do(ActionName.TRANSFER, to=to, reason=self._word())
            case "reassign":
                await self._do(ActionName.REASSIGN, reason=self._word())
            case _:
                await self._flurry()

    async def _flurry(self) -> None:
        """Several people at the same issue, nobody of whom waits for another."""
        agent = Actor(id=self._intake.agent, role=Role.AGENT)
        deeds = (
            (ActionName.REPORT_PROGRESS, {"note": self._word()}),
            (ActionName.ESCALATE, {"reason": self._word(), "by": agent}),
            (ActionName.REPORT_PROGRESS, {"note": self._word()}),
            (ActionName.REASSIGN, {"reason": self._word(), "by": agent}),
        )

        async def one(name: ActionName, said: dict[str, Any]) -> None:
            await self._pause(0, _FLURRY)
            await self._do(name, **said)

        await asyncio.gather(*(one(*deed) for deed in deeds), return_exceptions=True)

    async def _brought(self) -> None:
        """The agent calls with the result, where the policy wants that (R34); some forget it."""
        view = await self._look()
        if call_due(view) is None or self._chance.random() < 0.1:
            return
        await self._pause(0.2, 2)
        agent = Actor(id=self._intake.agent, role=Role.AGENT)
        with suppress(Refused):  # somebody was quicker
            said = {"reached": True, "told": "已处理完毕", "words": self._word()}
            await self._do(ActionName.CONTACT_CUSTOMER, by=agent, **said)

    async def _heard_of_again(self) -> bool:
        """Let the customer say how it is; True if somebody has to go there again."""
        if self._intake.kind == "consultation":
            if self._chance.random() < 0.6:
                worked = self._chance.random() < 0.7
                await self._tested(worked=worked)
                return not worked
            return False
        if self._chance.random() < 0.15:
            await self._tested(worked=False)
            return True
        return await self._called()

    async def _tested(self, *, worked: bool) -> None:
        await self._pause(0, 2)
        said = {"worked": worked, "words": self._word()}
        await self._do(ActionName.REPORT_TEST, by=_CUSTOMER, **said)

    async def _called(self) -> bool:
        if self._chance.random() < 0.1:
            return False
        for _ in range(_TURNS):
            view = await self._look()
            call = next((p for p in view.promises if p.kind == "callback" and not p.ended_at), None)
            if call is None:
                return view.stage in _WORKING | {Stage.REGISTERED, Stage.REOPENED}
            opens = call.opens_at or call.made_at
            await asyncio.sleep(max(0.0, (opens - datetime.now(UTC)).total_seconds()))
            said = self._chance.choices(_CALLS, weights=(5, 2, 2, 2))[0]
            with suppress(Refused):
                await self._do(ActionName.RECORD_CALLBACK, by=_CLERK, words=self._word(), **said)
        return False

    async def _do(self, name: ActionName, *, by: Actor | None = None, **said: Any) -> None:
        """Take an action; its words, or its time, are said by nobody else."""
        act = PUBLIC_ACTIONS[name].model_validate({"by": by or _handler(self._view), **said})
        own = next(said[field] for field in _OWN_WORDS if field in said)
        word = own if isinstance(own, str) else own.isoformat().replace("+00:00", "Z")
        self._view = await self._asking.act(
            self._view, name, act, word, patience=self._patience, chance=self._chance
        )

    def _word(self) -> str:
        self._words += 1
        return f"word-{self._name}-{self._words}."

    async def _pause(self, least: float, most: float) -> None:
        await asyncio.sleep(self._chance.uniform(least, most))


_DETOURS = ("progress", "wait", "transfer", "reassign", *["flurry"] * 4)
_CALLS = (
    {"reached": True, "running": True, "satisfied": True},
    {"reached": True, "running": False},
    {"reached": True, "running": True, "conflict": True},
    {"reached": False},
)
_OWN_WORDS = ("words", "note", "reason", "result", "findings", "expected_at")


def _handler(view: IssueView) -> Actor:
    if view.engineer:
        return Actor(id=view.engineer.id, role=Role.ENGINEER)
    if view.lead:
        return Actor(id=view.lead.id, role=Role.LEAD)
    raise GaveUp


def reported(name: str, drawn: random.Random) -> Intake:
    """Make up what somebody reports; a customer who has only an e-mail address among them."""
    kind, severity = drawn.choices(_KINDS, weights=(6, 2, 2, 2))[0]
    contact = drawn.choice(({"phone": "+86 138 0000 0001"}, {"email": "chen.hong@example.com"}))
    return Intake.model_validate(
        {
            "source": drawn.choice((AT_DOOR, AT_CLIENT)),
            "reference": f"chaos-{name}",
            "channel": "website",
            "kind": kind,
            "severity": severity,
            "category": "service" if kind == "complaint" else "technical",
            "product_line": drawn.choice(("ATM", "KIOSK")),
            "region": drawn.choice(_REGIONS),
            "agent": drawn.choice(("07", "12")),
            "customer": {"name": "陈红", **contact},
            "title": f"出钞口卡钞 {name}",
            "reported_at": datetime.now(UTC),
        }
    )


_KINDS = (
    ("fault", "general"),
    ("fault", "major"),
    ("consultation", "general"),
    ("complaint", "general"),
)
_REGIONS: Sequence[str] = ("广东", "上海", "湖北")
