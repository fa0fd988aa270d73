"""The two sides of a benchmark: what callers do at the desk, and the same at the bare workflow.

Each remembers what it was asked for, and says in the end what was lost or doubled of it.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from time import monotonic
from typing import NamedTuple, Protocol

from temporalio.client import Client

from benchmarks.accounts import Lived, Message, bare_wrong, issues_wrong, messages_wrong
from benchmarks.bare import calls
from benchmarks.bare.shape import Name
from benchmarks.bare.workflow import Done, Told
from benchmarks.intakes import a_fault, a_question
from benchmarks.surroundings import for_each
from demo.stage import Theatre
from domain.errors import SetupError
from domain.issue.act import Act, ActionName
from domain.issue.actions import Accept, ReportTest, Resolve
from domain.issue.intake import Intake, issue_id
from domain.issue.view import IssueView
from domain.vocabulary import Actor, Role
from starter.client import Unavailable
from store.connection import Pool

_SOURCE = "benchmark"
_CUSTOMER = Actor(id="customer", role=Role.CUSTOMER)
_LIFE = ("registered", "accept", "resolve", "replied", "report_test")
_RUNG = ("registered", "threshold")
_LOOKS = 0.05
"""Seconds between two looks into the register for issues that are replied."""
_ASKED_AT_ONCE = 10
_PATIENCE = 90.0
"""Seconds until what was not registered, or a bare workflow did not do, counts as lost."""


class Late(NamedTuple):
    """How many seconds after its instant each alarm was decided, and each message of it arrived."""

    decision: Sequence[float]
    message: Sequence[float]


class Side(Protocol):
    """Who is measured. Names are of the caller's choice, each to be used once."""

    @property
    def workers(self) -> Sequence[int]:
        """The processes that work for it."""

    def workflow_id(self, name: str) -> str:
        """Return the id of what was registered by that name."""

    async def register(self, name: str, due: datetime | None = None) -> None:
        """Register one, whose first alarm is due then, or much later."""

    async def live(self, name: str) -> None:
        """Lead a whole life."""

    async def late(self, names: Sequence[str], due: datetime) -> Late:
        """Look how late those were that have rung by now."""

    async def wrong(self) -> list[str]:
        """Say what was lost or doubled."""


class DeskSide:
    """The desk ``on`` its stage, as the client of an intake system and people's tools calls it."""

    def __init__(self, on: Theatre, workers: Sequence[int]) -> None:
        self.workers = workers
        self.replies = Replies(on.servers.pool)
        self._on = on
        self._pool = on.servers.pool
        self._expected: dict[str, Sequence[str]] = {}
        self._notice = timedelta()

    async def prepare(self) -> None:
        """Find out how long after its report an issue's first alarm is due."""
        reported = datetime.now(UTC)
        first = await self._open(a_fault(_SOURCE, "first", reported), ("registered",))
        (due,) = await first_alarms(self._pool, [first.id])
        self._notice = due - reported

    def workflow_id(self, name: str) -> str:
        """Return its issue's id."""
        return issue_id(_SOURCE, name)

    async def register(self, name: str, due: datetime | None = None) -> None:
        """Register a fault. One that is due is reported as long ago as its promise wants it."""
        if due is None:
            await self._open(a_fault(_SOURCE, name), ("registered",))
        else:
            await self._open(a_fault(_SOURCE, name, due - self._notice), _RUNG)

    async def live(self, name: str) -> None:
        """Lead a question from its registration to the customer who tried the answer."""
        view = await self._open(a_question(_SOURCE, name), _LIFE)
        if view.engineer is None:
            raise RuntimeError(f"nobody is there for {view.number}")
        handler = Actor(id=view.engineer.id, role=Role.ENGINEER)
        act = partial(self._act, view.number)
        await act(ActionName.ACCEPT, Accept(by=handler))
        await act(ActionName.RESOLVE, Resolve(by=handler, result="已更换读卡器 reader replaced"))
        await self.replies.arrived(view.id)
        await act(ActionName.REPORT_TEST, ReportTest(by=_CUSTOMER, worked=True))

    async def _open(self, intake: Intake, expected: Sequence[str]) -> IssueView:
        self._expected[intake.issue_id] = expected
        until = monotonic() + _PATIENCE
        while monotonic() < until:
            with suppress(Unavailable):  # it is accepted: a busy machine takes its time
                return await self._on.desk.open(intake)
        raise SetupError(f"{intake.reference} was not registered within {_PATIENCE:.0f} s")

    async def _act(self, number: str, action: ActionName, act: Act) -> None:
        await self._on.desk.act(number, action, act)

    async def late(self, names: Sequence[str], due: datetime) -> Late:
        """Look into the register, and at what came in at the receiver."""
        ids = [self.workflow_id(name) for name in names]
        if (planned := await first_alarms(self._pool, ids)) != {due}:
            raise RuntimeError(f"they were to ring at {due}, and are planned for {planned}")
        decided = await self._pool.fetch(_DECIDED, ids)
        written = {Message(*row.values()) for row in await self._pool.fetch(_TOLD, ids)}
        arrived = [at for message, at in self._heard() if message in written]
        return Late(
            [(row["recorded_at"] - due).total_seconds() for row in decided],
            [(at - due).total_seconds() for at in arrived],
        )

    async def wrong(self) -> list[str]:
        """Compare the register with what was asked for, and its messages with what came in."""
        lived = [Lived(*row.values()) for row in await self._pool.fetch(_LIVED)]
        rows = await self._pool.fetch(_MESSAGES)
        written = Counter(Message(*row.values()) for row in rows)
        heard = Counter(message for message, _ in self._heard())
        return [*issues_wrong(lived, self._expected), *messages_wrong(written, heard)]

    def _heard(self) -> Iterator[tuple[Message, datetime]]:
        for one in self._on.receiver.received:
            yield Message(one.channel, one.to, one.title, one.body), one.at


_LIVED = """
SELECT id, number, (SELECT array_agg(action ORDER BY seq) FROM issue_events WHERE issue_id = id)
FROM issues ORDER BY id
"""
_MESSAGES = "SELECT channel, address, subject, body FROM outbox"
_DECIDED = """
SELECT recorded_at FROM issue_events WHERE action = 'threshold' AND issue_id = ANY($1)
"""
_TOLD = """
SELECT channel, address, subject, body FROM outbox JOIN issue_events USING (issue_id, seq)
WHERE action = 'threshold' AND issue_id = ANY($1)
"""
_FIRST_ALARMS = """
SELECT DISTINCT min((mark->>'at')::timestamptz) FROM promises, jsonb_array_elements(marks) AS mark
WHERE issue_id = ANY($1) GROUP BY issue_id
"""
_ARRIVED = "SELECT id FROM issues WHERE stage = 'replied' AND id = ANY($1)"


async def first_alarms(pool: Pool, ids: Sequence[str]) -> set[datetime]:
    """Return when the first threshold of each of these issues falls due."""
    return {row["min"] for row in await pool.fetch(_FIRST_ALARMS, ids)}


class Replies:
    """Customers who wait for their answer: one look into the register now and then for them all."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._waiting: dict[str, asyncio.Future[None]] = {}

    async def arrived(self, id_: str) -> None:
        """Wait until that issue is replied."""
        self._waiting[id_] = asyncio.get_running_loop().create_future()
        await self._waiting[id_]

    async def look(self) -> None:
        """Look for ever."""
        while True:
            await asyncio.sleep(_LOOKS)
            if self._waiting:
                for row in await self._pool.fetch(_ARRIVED, list(self._waiting)):
                    self._waiting.pop(row["id"]).set_result(None)


class BareSide:
    """Bare workflows."""

    def __init__(self, client: Client, workers: Sequence[int]) -> None:
        self.workers = workers
        self._client = client
        self._expected: dict[str, Collection[Name]] = {}

    def workflow_id(self, name: str) -> str:
        """Return the id of its workflow."""
        return f"bare:{name}"

    async def register(self, name: str, due: datetime | None = None) -> None:
        """Start one with its first transition."""
        id_ = self.workflow_id(name)
        self._expected[id_] = {Name.REGISTERED, Name.THRESHOLD} if due else {Name.REGISTERED}
        await calls.register(self._client, id_, due)

    async def live(self, name: str) -> None:
        """Lead it through all transitions of a life."""
        id_ = self.workflow_id(name)
        self._expected[id_] = frozenset(Name) - {Name.THRESHOLD}
        await calls.live(self._client, id_)

    async def late(self, names: Sequence[str], due: datetime) -> Late:
        """Ask each what it did, and when."""
        told = await self._told([self.workflow_id(name) for name in names])

        def after(dones: Sequence[Done]) -> list[float]:
            return [(one.at - due).total_seconds() for one in dones if one.name is Name.THRESHOLD]

        return Late(
            [late for each in told.values() for late in after(each.taken)],
            [late for each in told.values() for late in after(each.delivered)],
        )

    async def wrong(self) -> list[str]:
        """Ask every one of them whether it did just once what was asked for; those that did not are
        given the time that an attempt takes of which nobody hears.
        """
        wrong = await self._wrong(self._expected)
        until = monotonic() + _PATIENCE
        while wrong and monotonic() < until:
            await asyncio.sleep(1)
            wrong = await self._wrong(wrong)
        return [f"{id_} {why}" for id_, why in wrong.items()]

    async def _wrong(self, ids: Collection[str]) -> dict[str, str]:
        told = await self._told(ids)
        whys = {id_: bare_wrong(each, self._expected[id_]) for id_, each in told.items()}
        return {id_: why for id_, why in whys.items() if why}

    async def _told(self, ids: Collection[str]) -> dict[str, Told]:
        found: dict[str, Told] = {}

        async def ask(id_: str) -> None:
            found[id_] = await calls.told(self._client, id_)

        await for_each(ids, ask, at_once=_ASKED_AT_ONCE)
        return found
