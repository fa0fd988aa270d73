"""Customers and staff, played by a script: they see what the desk shows and act through its client.

Nobody is told in advance whom the desk will choose. Everybody says when they did something, so a
promise is not broken by a machine that is slow to write it down.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import uuid4
from zoneinfo import ZoneInfo

from domain.actions import (
    Accept,
    Act,
    ActionName,
    Reassign,
    RecordCallback,
    ReportProgress,
    Resolve,
    Resume,
    WaitForCustomer,
    Withdraw,
)
from domain.intake import Intake
from domain.promises import PromiseEnd, PromiseKind
from domain.roster import OFF, Member, Roster
from domain.view import IssueView, PromiseView
from domain.vocabulary import Actor, Kind, Role, Stage
from starter.client import Desk, Refused, Unavailable
from starter.demo.script import Call, Sample
from store.reading import Filter

PATIENCE = 90.0
"""Seconds after which a script that did not come to its end is given up."""
_LOOKS = 0.25
_TRIES = 3
_AT_BEST = 0.35
_PER_LAG = 3.0
_AT_WORST = 1.5
_FADES = 0.9

_RESULTS = {
    Kind.CONSULTATION: "已电话说明操作方法，并发送图文指南。",
    Kind.FAULT: "已更换故障部件，连续测试一小时正常。",
    Kind.COMPLAINT: "已当面致歉并说明原因，补偿办法经客户同意。",
    Kind.SUGGESTION: "建议已采纳，列入下一版本计划。",
    Kind.SALES: "已发送报价单和产品资料，并约定面谈时间。",
    Kind.PAID_SERVICE: "已完成施工并验收，客户签字确认。",
}
_CALLS: dict[Call, dict[str, object]] = {
    "good": {"reached": True, "running": True, "satisfied": True, "words": "现在正常了，谢谢。"},
    "bad": {"reached": True, "running": False, "satisfied": False, "words": "早上又坏了。"},
    "not_reached": {"reached": False, "words": ""},
}


class Board:
    """What the desk shows of all issues, looked at several times a second."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._changed = asyncio.Condition()
        self.views: dict[str, IssueView] = {}

    async def watch(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            seen = await self._desk.issues(Filter(open_only=False, limit=1000))
            async with self._changed:
                self.views = {view.id: view for view in seen}
                self._changed.notify_all()
            await asyncio.sleep(_LOOKS)

    async def until(self, id_: str, condition: Callable[[IssueView], bool]) -> IssueView:
        """Wait until the board shows that of the issue."""
        async with self._changed:
            await self._changed.wait_for(lambda: id_ in self.views and condition(self.views[id_]))
            return self.views[id_]


class Pace:
    """How fast issues come in: a busy machine gets them more slowly, so that staff who are told at
    once can still be on time.
    """

    def __init__(self) -> None:
        self._lag = 0.0

    @contextmanager
    def measured(self) -> Iterator[None]:
        """Take the time of one call of the desk."""
        began = time.monotonic()
        yield
        self._lag = max(time.monotonic() - began, _FADES * self._lag)

    @property
    def interval(self) -> float:
        """Seconds until the next issue."""
        return min(max(_AT_BEST, _PER_LAG * self._lag), _AT_WORST)


class Played:
    """What came of one script as its players saw it."""

    def __init__(self, sample: Sample) -> None:
        self.sample = sample
        self.numbers: list[str] = []
        """What each call of the intake system was answered."""
        self.trouble: str | None = None
        """Why the script was not played to its end."""


class Players:
    """Everybody around the desk."""

    def __init__(self, desk: Desk, board: Board, roster: Roster) -> None:
        self._desk = desk
        self._board = board
        self._roster = roster
        self.pace = Pace()

    async def play(self, sample: Sample) -> Played:
        """Play one script to its end; what goes wrong is in the answer."""
        played = Played(sample)
        script = _Script(self._desk, self._board, self._roster, self.pace, played)
        try:
            async with asyncio.timeout(PATIENCE):
                await script.play()
        except TimeoutError:
            played.trouble = f"did not come to its end within {PATIENCE:g} s"
        except Refused as refused:
            played.trouble = f"{refused.type}: {refused.message}"
        except Unavailable as error:
            played.trouble = str(error)
        return played


class _Script:
    """One issue and the people who have to do with it."""

    def __init__(
        self, desk: Desk, board: Board, roster: Roster, pace: Pace, played: Played
    ) -> None:
        self._desk = desk
        self._board = board
        self._roster = roster
        self._pace = pace
        self._played = played
        self._sample = played.sample
        self._script = played.sample.script
        # The same people take the same time in every demonstration.
        self._chance = Random(played.sample.intake.reference)  # noqa: S311

    async def play(self) -> None:
        issue = await self._report()
        if self._script.withdraw == "registered":
            await self._withdraw(issue)
            return
        issue = await self._take_on(issue)
        if self._script.withdraw:
            await self._withdraw(issue)
            return
        issue = await self._resolve(await self._work_on(issue))
        for call in self._sample.calls:
            issue = await self._call_back(issue, call)
            if issue.stage not in {Stage.CALLBACK, Stage.CLOSED}:  # it did not help: once more
                issue = await self._accept(issue)
                await self._pause(0.8, 1.5)
                issue = await self._do(issue, ActionName.RESOLVE, self._result(issue))
        await self._board.until(issue.id, lambda seen: seen.stage is Stage.CLOSED)

    # What they do -----------------------------------------------------------------------------

    async def _report(self) -> IssueView:
        """R1: the customer calls; an intake system that is not sure sends it twice."""
        intake = self._sample.intake.model_copy(update={"reported_at": datetime.now(UTC)})
        times = 2 if self._script.duplicate else 1
        answers = await asyncio.gather(*(self._open(intake) for _ in range(times)))
        self._played.numbers += (answer.number for answer in answers)
        return answers[0]

    async def _take_on(self, issue: IssueView) -> IssueView:
        """R11, R13: the engineer answers in time, or late, or the lead has to step in."""
        if self._script.accept == "late":
            issue = await self._overdue(issue, PromiseKind.RESPONSE)
        elif self._script.accept == "never":
            issue = await self._board.until(issue.id, lambda seen: seen.escalation_level > 0)
            await self._pause(0.2, 0.5)
            issue = await self._hand_on(issue, _lead(issue), "没有按时受理，改派。")
        return await self._accept(issue)

    async def _accept(self, issue: IssueView) -> IssueView:
        await self._pause(0.2, 0.8)
        return await self._do(issue, ActionName.ACCEPT, Accept(by=_handler(issue), at=_now()))

    async def _work_on(self, issue: IssueView) -> IssueView:
        """R14, R15: whatever happens between the acceptance and the result."""
        by = _handler(issue)
        if self._script.reassign:
            await self._pause(0.3, 0.6)
            issue = await self._hand_on(issue, by, "需要熟悉该型号的同事。")
            issue = await self._accept(issue)
            by = _handler(issue)
        if self._script.wait:
            await self._pause(0.3, 0.6)
            wait = WaitForCustomer(by=by, at=_now(), reason="等待客户安排现场时间。")
            await self._do(issue, ActionName.WAIT_FOR_CUSTOMER, wait)
            await asyncio.sleep(self._script.wait)
            issue = await self._do(issue, ActionName.RESUME, Resume(by=by, at=_now()))
        if self._script.progress:
            await self._pause(0.3, 0.6)
            soon = _now() + timedelta(seconds=8)
            note = ReportProgress(by=by, at=_now(), note="备件已在途。", expected_at=soon)
            issue = await self._do(issue, ActionName.REPORT_PROGRESS, note)
        return issue

    async def _resolve(self, issue: IssueView) -> IssueView:
        """R12: the result, in time or late, by an update or by a signal."""
        if self._script.resolve == "late":
            await self._overdue(issue, PromiseKind.RESOLUTION)
        await self._pause(0.8, 2.0)
        if self._script.resolve == "signal":
            await self._desk.complete(issue.number, self._result(issue))
            return await self._board.until(issue.id, lambda seen: bool(seen.results))
        return await self._do(issue, ActionName.RESOLVE, self._result(issue))

    async def _call_back(self, issue: IssueView, call: Call) -> IssueView:
        """R22-R25: a clerk calls as soon as that may be done."""
        promise = _promise(issue, PromiseKind.CALLBACK)
        if promise.opens_at:
            await asyncio.sleep((promise.opens_at - _now()).total_seconds())
        await self._pause(0.2, 0.8)
        clerk = next(member for member in self._roster.members if member.role is Role.CLERK)
        record = RecordCallback.model_validate({"by": _actor(clerk), "at": _now(), **_CALLS[call]})
        return await self._do(issue, ActionName.RECORD_CALLBACK, record)

    async def _withdraw(self, issue: IssueView) -> None:
        await self._pause(0.4, 1.0)
        agent = Actor(id=self._sample.intake.agent, role=Role.AGENT)
        act = Withdraw(by=agent, at=_now(), reason="客户来电：已自行恢复，不再需要。")
        await self._do(issue, ActionName.WITHDRAW, act)

    async def _hand_on(self, issue: IssueView, by: Actor, reason: str) -> IssueView:
        """R15, R16: to a colleague who knows the product, or to the lead if there is none."""
        to = self._colleague(issue) or _lead(issue).id
        act = Reassign(by=by, at=_now(), to=to, reason=reason)
        return await self._do(issue, ActionName.REASSIGN, act)

    # How they do it ---------------------------------------------------------------------------

    def _result(self, issue: IssueView) -> Resolve:
        return Resolve(by=_handler(issue), at=_now(), result=_RESULTS[issue.kind])

    def _colleague(self, issue: IssueView) -> str | None:
        today = _now().astimezone(ZoneInfo(issue.zone)).date()
        fit = [
            member
            for member in self._roster.members
            if member.role is Role.ENGINEER
            and member.department == issue.department
            and member.shift != OFF
            and any(each.covers(issue.product_line, today) for each in member.certified)
            and (issue.engineer is None or member.id != issue.engineer.id)
        ]
        nearest = min(fit, key=lambda member: member.centre != issue.centre, default=None)
        return nearest.id if nearest else None

    async def _overdue(self, issue: IssueView, kind: PromiseKind) -> IssueView:
        """Wait until the desk itself shows that promise as broken."""
        return await self._board.until(
            issue.id, lambda seen: _promise(seen, kind).end is PromiseEnd.BROKEN
        )

    async def _pause(self, least: float, most: float) -> None:
        await asyncio.sleep(self._chance.uniform(least, most))

    async def _open(self, intake: Intake) -> IssueView:
        return await self._insist(lambda: self._desk.open(intake))

    async def _do(self, issue: IssueView, name: ActionName, act: Act) -> IssueView:
        key = uuid4().hex
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


def _now() -> datetime:
    return datetime.now(UTC)


def _actor(member: Member) -> Actor:
    return Actor(id=member.id, role=member.role)


def _handler(issue: IssueView) -> Actor:
    """Whoever has the issue. Where nobody was free that is the lead."""
    if issue.engineer and issue.lead and issue.engineer.id == issue.lead.id:
        return _lead(issue)
    return Actor(id=issue.engineer.id, role=Role.ENGINEER) if issue.engineer else _lead(issue)


def _lead(issue: IssueView) -> Actor:
    if issue.lead is None:
        raise Refused("NotYours", f"{issue.number} has no lead to see to it")
    return Actor(id=issue.lead.id, role=Role.LEAD)


def _promise(issue: IssueView, kind: PromiseKind) -> PromiseView:
    """The latest promise of that kind."""
    return max(
        (promise for promise in issue.promises if promise.kind is kind),
        key=lambda promise: (promise.generation, promise.attempt),
    )
