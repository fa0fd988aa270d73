"""Lives of issues led at random, side by side on one desk under one clock that skips. Each has a
seed of its own, by which it can be led again.
"""

from __future__ import annotations

import asyncio
import heapq
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from itertools import count, cycle
from random import Random
from typing import Any

from temporalio.client import (
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from domain.issue.actions import ACTIONS, PUBLIC_ACTIONS, Act, ActionName, Resolve
from domain.issue.state import Issue
from domain.issue.view import IssueView
from domain.staff.roster import Roster
from domain.vocabulary import Actor, Role, Stage
from store import issue_reader
from tests.support.harness import AGENT, Handle, StoryDesk, refusal
from tests.support.patience import PATIENCE
from tests.support.people import (
    CUSTOMERS_TURN,
    DAY,
    HOUR,
    SAID,
    Said,
    likely,
    pause,
    wants,
    weighted,
)

EVERY = HOUR
"""A new customer calls about so often."""
OUTAGE = 60
"""With every so manieth customer the next of these channels dies for a while."""
OUTAGES = (
    *(("sms", 26 * HOUR), ("wecom", 3 * HOUR), ("email", 5 * HOUR)),
    *(("dingtalk", 2 * HOUR), ("feishu", 9 * HOUR)),
)
"""A message is given up after a day; until then it is tried some fifty times, which takes long."""
RESIGNED = 3 * DAY
"""When nobody has done anything for so long the customers withdraw what is still open."""
FORGOTTEN = -9
"""So often somebody still tries to end an issue when all have lost patience."""
LAST_CLOCKS = 60 * DAY
"""By then every clock has rung, and every message is brought out."""

_ACTS = [name for name in PUBLIC_ACTIONS if name is not ActionName.REPLAN]
_STILL_ALIVE = """
    SELECT id FROM issues WHERE closed_at IS NULL
    UNION SELECT issue_id FROM promises WHERE ended_at IS NULL
    UNION SELECT issue_id FROM outbox WHERE settled_at IS NULL
"""
_ALIKE = """
    SELECT number FROM issues
    WHERE closed_at IS NULL AND department = $1 AND kind = $2 AND number <> $3 ORDER BY number
"""
_OTHERS = "SELECT number FROM issues WHERE number <> $1 ORDER BY number"
_CLERK = Actor(id="fan.meiling", role=Role.CLERK)
_CUSTOMER = Actor(id="customer", role=Role.CUSTOMER)
_LEAD = Actor(id="zhou.jianguo", role=Role.LEAD)
_GM_OFFICE = Actor(id="tian.hui", role=Role.GM_OFFICE)
_TO_THE_ANSWER: dict[ActionName, tuple[Actor, Said]] = {
    ActionName.VERIFY: (_LEAD, {"verdict": "unfounded", "findings": "it was in time"}),
    ActionName.RESOLVE: (_LEAD, {"result": "done"}),
    ActionName.ACCEPT: (_LEAD, {}),
    ActionName.CONTACT_CUSTOMER: (AGENT, {"reached": True, "told": "it is done"}),
    ActionName.ANSWER: (AGENT, {"solution": "it is done"}),  # what its customer leaves to us
    ActionName.RECORD_CALLBACK: (_CLERK, {"reached": True, "running": True}),
    ActionName.REPORT_TEST: (_CUSTOMER, {"worked": True}),
    ActionName.DECIDE_REMEDY: (_GM_OFFICE, {"approved": False, "reason": "it is over"}),
    ActionName.RECORD_REMEDY: (_LEAD, {"accepted": True, "receipt": "receipt 0017"}),
}
REFUSALS = {"NotAllowed", "NotYours", "Invalid"}


@dataclass
class Life:
    """One issue and those who act on it. ``name`` is its seed; that of a complaint born of another
    life is that one's, and a number. ``patience`` is how often anybody still comes back to it.
    """

    name: str
    id: str = ""
    children: int = 0
    chance: Random = field(init=False)
    patience: int = field(init=False)

    def __post_init__(self) -> None:
        self.chance = Random(self.name)  # noqa: S311  no secret
        self.patience = self.chance.choice([0, 2, 6, 10, 12, 15, 20])

    @property
    def leaves_quotations(self) -> bool:
        """Say whether this customer lets a quotation lapse: of patience, or by a chance of its own,
        so that all else stays as it is drawn.
        """
        return self.patience <= 0 or self._by_a_chance_of_its_own("leaves") < 0.4

    @property
    def is_about_the_same(self) -> bool:
        """Say whether whoever takes it down links it with the one before, by a chance of its own
        as well.
        """
        return self._by_a_chance_of_its_own("links") < 0.2

    @property
    def is_told_twice(self) -> bool:
        """Say whether whoever takes it down finds it told already, likewise: what is merged later
        needs company that depends on how the others have fared.
        """
        return self._by_a_chance_of_its_own("merges") < 0.25

    def _by_a_chance_of_its_own(self, what: str) -> float:
        return Random(f"{self.name} {what}").random()  # noqa: S311


class Lives:
    """Leads lives on a desk, one act after another. ``refused`` counts refusals by their type."""

    def __init__(self, desk: StoryDesk, roster: Roster, seeds: Sequence[int]) -> None:
        self.desk = desk
        self.of: dict[str, Life] = {}
        self.refused: Counter[str] = Counter()
        self._roster = roster
        self._seeds = seeds
        self._agenda: list[tuple[datetime, int, Callable[[], Awaitable[None]]]] = []
        self._order = count()

    async def lead(self) -> None:
        """Let everybody live, until nobody owes anybody anything."""
        begin = await self._now()
        outages = cycle(OUTAGES)
        for place, seed in enumerate(self._seeds):
            life = Life(str(seed))
            arrives = begin + EVERY * (place + life.chance.random())
            self._on(arrives, partial(self._arrives, life))
            if place % OUTAGE == OUTAGE // 6:
                self._on(arrives, partial(self._channel_dies, *next(outages)))
        await self._follow_the_agenda()
        await self._until(await self._now() + RESIGNED)
        await self._withdraw_the_rest()
        await self._until_all_is_quiet()

    # The clock --------------------------------------------------------------------------------

    def _on(self, when: datetime, turn: Callable[[], Awaitable[None]]) -> None:
        heapq.heappush(self._agenda, (when, next(self._order), turn))

    async def _now(self) -> datetime:
        return await self.desk.env.get_current_time()

    async def _until(self, when: datetime) -> None:
        left = when - await self._now()
        if left > timedelta(0):
            async with _answering(f"the clock on its way to {self.desk.story(when)}"):
                await self.desk.passes(left)

    async def _follow_the_agenda(self) -> None:
        while self._agenda:
            when, _, turn = heapq.heappop(self._agenda)
            await self._until(when)
            await turn()
            await self._enrol_complaints()

    async def _withdraw_the_rest(self) -> None:
        await self._enrol_complaints()
        for life in list(self.of.values()):
            view = await self._view(life)
            if view and ActionName.WITHDRAW in view.can and view.stage is not Stage.CONFIRMING:
                await self._send(life, ActionName.WITHDRAW, _CUSTOMER, reason="nobody cares")
            elif view and view.stage is Stage.CLOSED and ActionName.RESUME in view.can:
                await self._send(life, ActionName.RESUME, AGENT, note="it was no objection")
            elif view and view.merged and view.stage is not Stage.CLOSED:
                await self._is_answered(life, view)

    async def _is_answered(self, life: Life, view: IssueView) -> None:
        """What answers others, too, cannot be withdrawn: somebody brings it on to its answer."""
        for name, (by, said) in _TO_THE_ANSWER.items():
            if name in view.can:
                await self._send(life, name, by, **said)
                return

    async def _until_all_is_quiet(self) -> None:
        """What the last steps of others gave birth to is withdrawn too."""
        end = await self._now() + LAST_CLOCKS
        while left := {row["id"] for row in await self.desk.pool.fetch(_STILL_ALIVE)}:
            names = [life.name for life in self.of.values() if life.id in left]
            assert await self._now() < end, f"these lives never end: {names}"
            await self._until(await self._now() + DAY)
            await self._withdraw_the_rest()
        await self.desk.settle()

    # Turns ------------------------------------------------------------------------------------

    async def _arrives(self, life: Life) -> None:
        wanted = wants(life.chance, await self._now(), life.name, self._roster)
        intake = await self.desk.intake(**wanted)
        life.id = intake.issue_id
        self.of[life.id] = life
        async with _answering(f"the registration of {life.name}"):
            _, view = await self.desk.register(intake)
            if life.chance.random() < 0.1:
                _, again = await self.desk.register(intake)
                assert again.number == view.number, f"{life.name} was registered twice"
        others = await self.desk.pool.fetch(_OTHERS, view.number)
        if life.is_about_the_same and others:
            await self._send(life, ActionName.LINK, AGENT, to=others[-1]["number"])
        if life.is_told_twice and (alike := await self._alike(view)):
            await self._send(life, ActionName.MERGE, AGENT, into=alike[-1], reason="told twice")
        await self._comes_back_to(life)

    async def _enrol_complaints(self) -> None:
        """What was born of other lives leads one of its own."""
        born = await self.desk.pool.fetch(
            "SELECT id, arises_from FROM issues WHERE arises_from IS NOT NULL ORDER BY number"
        )
        for row in born:
            if row["id"] not in self.of:
                parent = self.of[row["arises_from"]]
                parent.children += 1
                life = Life(f"{parent.name}/{parent.children}", row["id"])
                self.of[life.id] = life
                await self._comes_back_to(life)

    async def _channel_dies(self, channel: str, span: timedelta) -> None:
        self.desk.mailbox.dead.add(channel)

        async def lives_again() -> None:
            self.desk.mailbox.dead.discard(channel)

        self._on(await self._now() + span, lives_again)

    async def _comes_back_to(self, life: Life) -> None:
        """Somebody will, and when all have lost patience, only those who try to end it."""
        view = await self._view(life)
        if view is None or (view.stage is Stage.CONFIRMING and life.leaves_quotations):
            return
        await self._comes_back_in(life, pause(life.chance, view.stage))

    async def _comes_back_in(self, life: Life, span: timedelta) -> None:
        turn = self._turn if life.patience > 0 else self._gives_up
        life.patience -= 1
        self._on(await self._now() + span, partial(turn, life))

    async def _gives_up(self, life: Life) -> None:
        """The customer withdraws it, or is never reached again; some issues are just forgotten."""
        view = await self._view(life)
        if view is None or life.patience < FORGOTTEN:
            return
        if view.stage in CUSTOMERS_TURN:
            await self._send(life, ActionName.RECORD_CALLBACK, _CLERK, reached=False)
            await self._comes_back_in(life, DAY)
        elif ActionName.WITHDRAW in view.can and life.chance.random() < 0.9:
            await self._send(life, ActionName.WITHDRAW, _CUSTOMER, reason="it takes too long")

    async def _turn(self, life: Life) -> None:
        view = await self._view(life)
        if view is None:
            return
        turns = {
            self._what_fits: 80,
            self._anything: 12,
            self._at_an_impossible_time: 3,
            self._two_at_once: 4,
            self._signal: 4 if view.stage in ACTIONS[ActionName.RESOLVE].rule.stages else 0.3,
            self._operator_cancels: 0.8,
        }
        await weighted(life.chance, turns)(life, view)
        await self._comes_back_to(life)

    async def _what_fits(self, life: Life, view: IssueView) -> None:
        name, by, said = await self._fitting(life, view)
        update_id = f"{name}-{life.chance.randrange(10**9)}"
        done = await self._send(life, name, by, update_id, **said)
        if done and life.chance.random() < 0.08:
            again = await self._send(life, name, by, update_id, **said)
            assert again == done, f"{life.name}: sent again, it was done again"

    async def _anything(self, life: Life, view: IssueView) -> None:
        """Anybody tries anything: whether it is allowed is the desk's to say."""
        name = life.chance.choice(_ACTS)
        by = self._person(life.chance, life.chance.choice(list(Role)), view)
        await self._send(life, name, by, **await self._said(life, name, view))

    async def _at_an_impossible_time(self, life: Life, view: IssueView) -> None:
        name, by, said = await self._fitting(life, view)
        wrong = life.chance.choice([view.reported_at - HOUR, await self._now() + 25 * HOUR])
        done = await self._send(life, name, by, **said | {"at": wrong})
        assert done is None, f"{life.name}: {name} cannot have been at {wrong}"

    async def _two_at_once(self, life: Life, view: IssueView) -> None:
        acts = [await self._fitting(life, view) for _ in range(2)]
        await asyncio.gather(
            *(self._send(life, name, by, alone=False, **said) for name, by, said in acts)
        )

    async def _signal(self, life: Life, view: IssueView) -> None:
        by = self._person(life.chance, Role.ENGINEER, view)
        said = await self._said(life, ActionName.RESOLVE, view)
        with suppress(RPCError):  # it has ended
            await self.desk.complete(self._handle(life), Resolve(by=by, **said))

    async def _operator_cancels(self, life: Life, _: IssueView) -> None:
        with suppress(RPCError):
            await self.desk.cancel(self._handle(life))

    # What they do in their turn ---------------------------------------------------------------

    def _handle(self, life: Life) -> Handle:
        return self.desk.env.client.get_workflow_handle(life.id)

    async def _view(self, life: Life) -> IssueView | None:
        """See the issue as the register has it; None if nothing can be done any more."""
        view = await issue_reader.issue(self.desk.pool, life.id)
        return view if view and view.can else None

    async def _fitting(self, life: Life, view: IssueView) -> tuple[ActionName, Actor, Said]:
        """Choose something that the stage allows, and somebody with a right to it."""
        name = likely(life.chance, view)
        roles = dict.fromkeys(sorted(ACTIONS[name].rule.roles - {Role.SYSTEM}), 1.0)
        if Role.ENGINEER in roles:
            roles[Role.ENGINEER] = 8 if view.engineer else 0.2
        by = self._person(life.chance, weighted(life.chance, roles), view)
        return name, by, await self._said(life, name, view)

    async def _said(self, life: Life, name: ActionName, view: IssueView) -> Said:
        now = await self._now()
        said = SAID[name](life.chance, now, self._roster, view)
        if name is ActionName.MERGE and (alike := await self._alike(view)):
            said |= {"into": life.chance.choice([*alike, said["into"]])}
        earlier = timedelta(minutes=life.chance.choice([0, 0, 0, 20, -4]))
        return said | ({"at": now - earlier} if earlier else {})

    async def _alike(self, view: IssueView) -> list[str]:
        """List which issues one may be merged into, as who does has looked."""
        found = await self.desk.pool.fetch(_ALIKE, view.department, view.kind, view.number)
        return [row["number"] for row in found]

    def _person(self, chance: Random, role: Role, view: IssueView) -> Actor:
        if role is Role.ENGINEER and view.engineer and chance.random() < 0.95:
            return Actor(id=view.engineer.id, role=role)
        there = [m for m in self._roster.members if m.role == role]
        near = [m for m in there if m.department == view.department] or there
        return Actor(id=chance.choice(near).id if near else str(role), role=role)

    async def _send(
        self,
        life: Life,
        name: ActionName,
        by: Actor,
        update_id: str | None = None,
        *,
        alone: bool = True,
        **said: Any,
    ) -> IssueView | None:
        """Send an update; None if it was refused, and then nothing has changed."""
        act: Act = PUBLIC_ACTIONS[name].model_validate({"by": by} | said)
        before = await issue_reader.state(self.desk.pool, life.id)
        try:
            async with _answering(f"{name} of {life.name}"):
                return await self.desk.act(self._handle(life), name, act, update_id)
        except WorkflowUpdateFailedError as error:
            self._count(refusal(error), f"{life.name}: {name}")
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:  # it has ended
                raise
        if alone:
            await self._check_unchanged(life, before)
        return None

    def _count(self, refused: ApplicationError, what: str) -> None:
        assert refused.type in REFUSALS, f"{what}: {refused}"
        self.refused[refused.type] += 1

    async def _check_unchanged(self, life: Life, before: Issue | None) -> None:
        """The desk's own clock may have gone on meanwhile."""
        assert before
        after = await issue_reader.state(self.desk.pool, life.id)
        roles = await self.desk.pool.fetch(
            "SELECT role FROM issue_events WHERE issue_id = $1 AND seq > $2", life.id, before.seq
        )
        assert after == before or {row["role"] for row in roles} == {Role.SYSTEM}, (
            f"{life.name}: what was refused changed something"
        )


@asynccontextmanager
async def _answering(what: str) -> AsyncIterator[None]:
    """Fail if the server stands still."""
    try:
        async with asyncio.timeout(PATIENCE):
            yield
    except (TimeoutError, WorkflowUpdateRPCTimeoutOrCancelledError):
        raise AssertionError(f"no answer within {PATIENCE:g} s: {what}") from None
