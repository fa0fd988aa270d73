"""Customers and staff, played by a script: they see what the desk shows and act through its client.

Nobody is told in advance whom the desk will choose. Everybody says when they did something, so a
promise is not broken by a machine that is slow to write it down.
"""

import asyncio
from collections.abc import Awaitable
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from demo.play import lines
from demo.play.acting import Acting, Way, actor, handler, latest, lead, now
from demo.play.board import Board, Tempo
from demo.play.conversation import CUSTOMER, Conversation
from demo.play.course import Round
from demo.play.doors import SOURCES, ByDoors
from demo.play.office import Office
from demo.play.samples import SampleIssue, sample
from demo.play.script import Call, Quotation, Script, Test
from domain.errors import Refused
from domain.issue.actions import PUBLIC_ACTIONS, ActionName
from domain.issue.view import IssueView, call_due
from domain.sla.policy import Policy
from domain.sla.promise import PromiseEnd, PromiseKind
from domain.staff.roster import OFF, Roster
from domain.vocabulary import Actor, Channel, Consent, Role, ServiceItem, Stage, Verdict
from starter.client import Desk, Unavailable

PATIENCE = 90.0
"""Seconds after which a script that did not come to its end is given up."""


class Played:
    """What came of one script as its players saw it."""

    def __init__(self, sample: SampleIssue) -> None:
        self.sample = sample
        self.numbers: list[str] = []
        """What each call of the intake system was answered."""
        self.trouble: str | None = None
        """Why the script was not played to its end."""


class Players:
    """Everybody around the desk."""

    def __init__(
        self,
        desk: Desk,
        doors: ByDoors,
        board: Board,
        office: Office,
        roster: Roster,
        policy: Policy,
    ) -> None:
        self.desk = desk
        self.doors = doors
        self.board = board
        self.office = office
        self.roster = roster
        self.policy = policy
        self.pace = Tempo()

    def way(self, sample: SampleIssue) -> Way:
        """How everybody around this issue reaches the desk."""
        return self.doors if sample.intake.source in SOURCES else self.desk

    async def play(self, sample: SampleIssue) -> list[Played]:
        """Play one script to its end, and the complaints that arise from it (R21); what goes wrong
        is in the answer.
        """
        played = Played(sample)
        script = _Script(self, played)
        await self._played(played, script.play())
        several = [played]
        for arisen in script.arisen:
            several.append(Played(self._complaint(sample, arisen)))
            several[-1].numbers.append(arisen.number)
            await self._played(several[-1], _Script(self, several[-1]).see_through(arisen))
        return several

    async def _played(self, played: Played, scene: Awaitable[None]) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                await scene
        except TimeoutError:
            played.trouble = f"did not come to its end within {PATIENCE:g} s"
        except Refused as refused:
            played.trouble = f"{refused.type}: {refused.message}"
        except Unavailable as error:
            played.trouble = str(error)

    def _complaint(self, of: SampleIssue, arisen: IssueView) -> SampleIssue:
        """What the desk itself made of it; whoever handles it does so well."""
        intake = of.intake.model_copy(
            update={
                "source": arisen.source,
                "reference": arisen.reference,
                "kind": "complaint",
                "category": arisen.category,
                "severity": arisen.severity,
                "channel": Channel.TELEPHONE,
                "answering": False,
                "consent": None,
                "consent_words": "",
                "complex": False,
                "arises_from": of.intake.issue_id,
            }
        )
        return sample(intake, Script(), self.policy)


class _Script:
    """One issue and the people who have to do with it."""

    def __init__(self, players: Players, played: Played) -> None:
        self._players = players
        self._board = players.board
        self._office = players.office
        self._played = played
        self._sample = played.sample
        self._script = played.sample.script
        self._sent = False
        way, seed = players.way(played.sample), played.sample.intake.reference
        acting = Acting(way, players.pace, seed)
        self._do, self._pause, self._open = acting.do, acting.pause, acting.open
        self._talk = Conversation(self._sample, acting, players.doors, players.office)
        self.arisen: list[IssueView] = []

    async def play(self) -> None:
        """From the customer's call on."""
        case = await self._office.case_of(self._script.case) if self._script.case else None
        issue = await self._talk.begin(await self._report())
        if self._sample.is_taken:
            issue = await self._take(issue)
        if self._script.withdraw:
            await self._withdraw(issue)
        elif self._script.merge:
            await self._talk.merge(issue)
        if not self._sample.rounds:
            await self._board.until(issue.id, lambda seen: seen.stage is Stage.CLOSED)
            return
        await self.see_through(issue, case)

    async def see_through(self, issue: IssueView, case: str | None = None) -> None:
        """From the registration on; ``case`` is the known case the hotline tells."""
        for each in self._sample.rounds:
            if each.by_hotline:
                issue = await self._answer(issue, case)
            else:
                issue = await self._handle(issue)
            if each.by_call:
                issue = await self._bring(issue)
            issue = await self._hear(issue, each)
        issue = await self._board.until(issue.id, lambda seen: seen.stage is Stage.CLOSED)
        await self._afterwards(issue)

    # At the hotline ---------------------------------------------------------------------------

    async def _report(self) -> IssueView:
        """R1: the customer calls; an intake system that is not sure sends it twice."""
        intake = self._sample.intake.model_copy(update={"reported_at": now()})
        times = 2 if self._script.duplicate else 1
        answers = await asyncio.gather(*(self._open(intake) for _ in range(times)))
        self._played.numbers += (answer.number for answer in answers)
        await self._office.registered(intake.reference, answers[0].number)
        return answers[0]

    async def _take(self, issue: IssueView) -> IssueView:
        """R36: an agent takes it, to answer or to pass it on."""
        await self._pause(0.3, 0.8)
        issue = await self._do(issue, ActionName.TAKE, by=self._agent)
        if self._script.hotline:
            return issue
        await self._pause(0.2, 0.5)
        said = {"reason": lines.PASSED_ON, "consent": Consent.YES, "consent_words": lines.AGREED}
        return await self._do(issue, ActionName.REASSIGN, said, by=self._agent)

    async def _call(self, issue: IssueView, told: str, words: str) -> IssueView:
        """R13, R34: the agent who took it in telephones the customer."""
        await self._pause(0.3, 0.8)
        said = {"reached": True, "told": told, "words": words}
        return await self._do(issue, ActionName.CONTACT_CUSTOMER, said, by=self._agent)

    async def _bring(self, issue: IssueView) -> IssueView:
        """R34: as soon as there is a result."""
        issue = await self._board.until(
            issue.id,
            lambda seen: (call := call_due(seen)) is not None and call.kind is PromiseKind.REPLY,
        )
        return await self._call(issue, lines.EXPLAINED, lines.UNDERSTOOD)

    async def _see_to_what_is_late(self, issue: IssueView) -> IssueView:
        """R13: they ask the handler how far it is, and call the customer."""
        if not self._sample.provided.contact:
            return issue
        await self._pause(0.2, 0.5)
        await self._do(issue, ActionName.CHASE, {"asks": lines.PRESSED}, by=self._agent)
        return await self._call(issue, lines.APOLOGISED, lines.HEARD)

    async def _calm(self, issue: IssueView) -> IssueView:
        """R47: somebody with a name speaks with the customer, before all else."""
        await self._pause(0.3, 0.8)
        said = {"spoken": lines.CALMED}
        return await self._do(issue, ActionName.CALM, said, by=self._manager(issue))

    async def _answer(self, issue: IssueView, case: str | None) -> IssueView:
        """R8, R29: the agent knows it, or finds it in the case library."""
        await self._pause(0.3, 0.8)
        said = {
            "solution": lines.ANSWERS[issue.kind],
            "case": case,
            "on_the_line": self._script.hotline == "answers",
        }
        return await self._do(issue, ActionName.ANSWER, said, by=self._agent)

    async def _withdraw(self, issue: IssueView) -> None:
        if self._script.withdraw == "in_progress":
            issue = await self._take_on(issue)
        await self._pause(0.4, 1.0)
        await self._do(issue, ActionName.WITHDRAW, {"reason": lines.WITHDRAWN}, by=self._agent)

    # Handling ---------------------------------------------------------------------------------

    async def _handle(self, issue: IssueView) -> IssueView:
        """Whoever is sent; what the script has happen on the way happens the first time."""
        first, self._sent = not self._sent, True
        if first and self._script.hotline == "holds":  # the desk passes it on (R10)
            issue = await self._board.until(issue.id, lambda seen: seen.stage is Stage.ASSIGNED)
        if not first:
            issue = await self._accept(issue)
            await self._pause(0.8, 1.5)
            return await self._do(issue, ActionName.RESOLVE, self._result(issue))
        if self._sample.provided.calming:
            issue = await self._calm(issue)
        issue = await self._work_on(await self._take_on(issue))
        if self._script.verify:
            issue = await self._verify(issue, self._script.verify)
        if self._script.quotation:
            issue = await self._offer(issue, self._script.quotation)
        if issue.stage is not Stage.IN_PROGRESS:
            return issue
        return await self._resolve(issue)

    async def _take_on(self, issue: IssueView) -> IssueView:
        """R11, R13: the engineer answers in time, or late, or the lead has to step in."""
        if self._script.accept == "late":
            issue = await self._overdue(issue, PromiseKind.RESPONSE)
        elif self._script.accept == "never":
            issue = await self._overdue(issue, PromiseKind.RESPONSE)
            await self._pause(0.2, 0.5)
            issue = await self._hand_on(issue, lead(issue), "没有按时受理，改派。")
        return await self._accept(issue)

    async def _accept(self, issue: IssueView) -> IssueView:
        await self._pause(0.2, 0.8)
        return await self._do(issue, ActionName.ACCEPT)

    async def _work_on(self, issue: IssueView) -> IssueView:
        """R14-R16: whatever happens between the acceptance and the result."""
        script = self._script
        if script.reassign:
            await self._pause(0.3, 0.6)
            issue = await self._hand_on(issue, handler(issue), "需要熟悉该型号的同事。")
            issue = await self._accept(issue)
        if script.transfer:
            await self._pause(0.3, 0.6)
            to = {"to": script.transfer, "reason": lines.TRANSFERRED}
            issue = await self._accept(await self._do(issue, ActionName.TRANSFER, to))
        if script.leave:
            issue = await self._accept(await self._leave(issue))
        if script.panel:
            issue = await self._consult(issue)
        if script.notes:
            issue = await self._talk.note(issue)
        if script.wait:
            await self._pause(0.3, 0.6)
            asked = {"reason": lines.WAITING, "ask": lines.ASKED}
            await self._do(issue, ActionName.WAIT_FOR_CUSTOMER, asked)
            await asyncio.sleep(script.wait)
            issue = await (
                self._talk.reply(issue) if script.reply else self._do(issue, ActionName.RESUME)
            )
        if script.progress:
            await self._pause(0.3, 0.6)
            soon = now() + timedelta(seconds=8)
            said = {"note": lines.PROGRESS, "expected_at": soon, "told": lines.TOLD}
            issue = await self._do(issue, ActionName.REPORT_PROGRESS, said)
        return issue

    async def _leave(self, issue: IssueView) -> IssueView:
        """R16: its engineer falls ill; the desk gives it to somebody else."""
        gone = handler(issue).id
        await self._office.leaves(gone, self._today(issue))
        return await self._board.until(
            issue.id, lambda seen: seen.engineer is not None and seen.engineer.id != gone
        )

    async def _consult(self, issue: IssueView) -> IssueView:
        """R15: an expert of another department is asked, and advises."""
        product, day = issue.product_line, self._today(issue)
        expert = self._office.colleague(
            product, day, of=issue.department, besides=handler(issue).id
        )
        asked = {"question": lines.QUESTION, "experts": (expert.id,) if expert else ()}
        await self._pause(0.3, 0.6)
        issue = await self._do(issue, ActionName.CONSULT, asked)
        await self._pause(0.5, 1.0)
        by = actor(expert) if expert else lead(issue)
        return await self._do(issue, ActionName.CONSULT, {"advice": lines.ADVICE}, by=by)

    async def _verify(self, issue: IssueView, verdict: Verdict) -> IssueView:
        """R19: looked into; a major one is the lead's from then on."""
        await self._pause(0.4, 0.9)
        out_of_scope = issue.category == "out_of_scope"
        found = lines.FINDINGS_OUT_OF_SCOPE if out_of_scope else lines.FINDINGS[verdict]
        said = {"verdict": verdict, "findings": found}
        issue = await self._do(issue, ActionName.VERIFY, said)
        return await self._accept(issue) if verdict is Verdict.MAJOR else issue

    async def _offer(self, issue: IssueView, quotation: Quotation) -> IssueView:
        """R17: survey, quotation, the customer's word and the manager's."""
        await self._pause(0.3, 0.7)
        issue = await self._do(issue, ActionName.SURVEY, {"findings": lines.SURVEYED})
        await self._pause(0.3, 0.7)
        offer = {"work": lines.OFFERED, "amount": quotation.amount}
        issue = await self._do(issue, ActionName.QUOTE, offer)
        if quotation.customer == "silence":
            return issue
        await self._pause(0.5, 1.0)
        agreed = quotation.customer == "agrees"
        said = {"agreed": agreed, "words": lines.AGREED if agreed else lines.DECLINED}
        issue = await self._do(issue, ActionName.CONFIRM, said, by=CUSTOMER)
        if not quotation.manager:
            return issue
        await self._pause(0.4, 0.8)
        approved = quotation.manager == "approves"
        ruling = {"approved": approved, "reason": "" if approved else lines.NOT_APPROVED}
        return await self._do(issue, ActionName.APPROVE, ruling, by=self._manager(issue))

    async def _resolve(self, issue: IssueView) -> IssueView:
        """R12, R29: the result, in time or late, by an update or by a signal; a new solution goes
        to the case library.
        """
        for_others = len(self._sample.speaks_for)
        await self._board.until(issue.id, lambda seen: len(seen.merged) >= for_others)
        if self._script.resolve == "late":
            await self._overdue(issue, PromiseKind.RESOLUTION)
        await self._pause(0.8, 2.0)
        said = self._result(issue) | {"known_solution": self._script.known}
        if self._script.resolve == "signal":
            form = PUBLIC_ACTIONS[ActionName.RESOLVE]
            act = form.model_validate({"by": handler(issue), "at": now(), **said})
            await self._players.desk.complete(issue.number, act)  # type: ignore[arg-type]
            issue = await self._board.until(issue.id, lambda seen: bool(seen.results))
        else:
            issue = await self._do(issue, ActionName.RESOLVE, said)
        if self._script.known:
            await self._pause(0.3, 0.6)
            await self._office.adopt(self._sample.intake.reference, issue.id, lead(issue))
        return issue

    async def _hand_on(self, issue: IssueView, by: Actor, reason: str) -> IssueView:
        """R15, R16: to a colleague who knows the product, or to the lead if there is none."""
        to = self._colleague(issue) or lead(issue).id
        return await self._do(issue, ActionName.REASSIGN, {"to": to, "reason": reason}, by=by)

    # What the customer says -------------------------------------------------------------------

    async def _hear(self, issue: IssueView, each: Round) -> IssueView:
        if self._script.asks and issue.reopen_count == 0:
            await self._board.until(issue.id, lambda seen: seen.stage is Stage.REPLIED)
            issue = await self._talk.ask(issue)
        if each.test:
            issue = await self._try(issue, each.test, called=bool(each.calls))
        for call in each.calls:
            issue = await self._call_back(issue, call)
        return issue

    async def _try(self, issue: IssueView, test: Test, *, called: bool) -> IssueView:
        """R9, R17: the customer tries it and says so, or says nothing until they are ``called``."""
        if test == "silence":
            return await self._silent(issue) if called else issue
        issue = await self._board.until(issue.id, lambda seen: seen.stage is Stage.REPLIED)
        await self._pause(0.5, 1.2)
        said = {"worked": test == "worked", "words": lines.TESTED[test]}
        return await self._do(issue, ActionName.REPORT_TEST, said, by=CUSTOMER)

    async def _silent(self, issue: IssueView) -> IssueView:
        return await self._ended(issue, PromiseKind.CUSTOMER_TEST, PromiseEnd.WITHDRAWN)

    async def _call_back(self, issue: IssueView, call: Call) -> IssueView:
        """R22-R25: a clerk calls as soon as that may be done."""
        promise = latest(issue, PromiseKind.CALLBACK)
        if promise.opens_at:
            await asyncio.sleep((promise.opens_at - now()).total_seconds())
        await self._pause(0.2, 0.8)
        clerk = actor(self._office.who(Role.CLERK))
        issue = await self._do(issue, ActionName.RECORD_CALLBACK, lines.CALLS[call], by=clerk)
        if call == "conflict":
            await self._complains(issue)
        return issue

    async def _afterwards(self, issue: IssueView) -> None:
        """R18, R26: the customer scores it, the manager rates it."""
        kinds = self._sample.expected.kinds
        if self._script.scores:
            await self._pause(0.3, 0.8)
            technical, attitude = self._script.scores
            good = min(technical, attitude) >= 0
            scores = {"technical": technical, "attitude": attitude}
            said = {"item": ServiceItem.AFTER_SALES, "comment": lines.COMMENTS[good], **scores}
            issue = await self._do(issue, ActionName.EVALUATE, said, by=CUSTOMER)
            if not good:
                await self._complains(issue)
        if PromiseKind.DIFFICULTY in kinds:
            await self._pause(0.3, 0.8)
            rating = {"difficulty": self._script.difficulty}
            await self._do(issue, ActionName.RATE_DIFFICULTY, rating, by=self._manager(issue))

    async def _complains(self, issue: IssueView) -> None:
        """R21: the desk registers a complaint of its own."""
        await self._board.until(issue.id, lambda seen: len(seen.complaints) > len(self.arisen))
        number = self._board.views[issue.id].complaints[-1]
        self.arisen.append(await self._players.desk.show(number))

    # How they do it ---------------------------------------------------------------------------

    @property
    def _agent(self) -> Actor:
        return Actor(id=self._sample.intake.agent, role=Role.AGENT)

    def _manager(self, issue: IssueView) -> Actor:
        return actor(self._office.who(Role.MANAGER, issue.department))

    def _result(self, issue: IssueView) -> dict[str, object]:
        out_of_scope = issue.category == "out_of_scope"
        return {"result": lines.OUT_OF_SCOPE if out_of_scope else lines.RESULTS[issue.kind]}

    def _colleague(self, issue: IssueView) -> str | None:
        today = self._today(issue)
        fit = [
            member
            for member in self._players.roster.members
            if member.role is Role.ENGINEER
            and member.department == issue.department
            and member.shift != OFF
            and any(each.covers(issue.product_line, today) for each in member.certified)
            and (issue.engineer is None or member.id != issue.engineer.id)
        ]
        nearest = min(fit, key=lambda member: member.centre != issue.centre, default=None)
        return nearest.id if nearest else None

    async def _overdue(self, issue: IssueView, kind: PromiseKind) -> IssueView:
        """Wait until the desk itself shows that promise as broken; its agent sees to that."""
        issue = await self._ended(issue, kind, PromiseEnd.BROKEN)
        return await self._see_to_what_is_late(issue)

    async def _ended(self, issue: IssueView, kind: PromiseKind, end: PromiseEnd) -> IssueView:
        return await self._board.until(
            issue.id, lambda seen: any(p.kind is kind and p.end is end for p in seen.promises)
        )

    def _today(self, issue: IssueView) -> date:
        return now().astimezone(ZoneInfo(issue.zone)).date()
