"""What is said about an issue beside its course: customers write and send a photograph, the hotline
takes notes, corrects a telephone number, and sees which issues are about the same.
"""

from __future__ import annotations

from collections.abc import Mapping

from demo.play import lines
from demo.play.acting import Acting
from demo.play.doors import ByDoors
from demo.play.office import Office
from demo.play.samples import SampleIssue
from domain.issue.actions import ActionName
from domain.issue.view import IssueView
from domain.links import CUSTOMER as ID
from domain.vocabulary import Actor, Means, Role
from runtime.settings import ROOT

CUSTOMER = Actor(id=ID, role=Role.CUSTOMER)
_Said = Mapping[str, object]
PHOTOGRAPH = ROOT / "examples" / "photograph.jpg"


class Conversation:
    """The customer of one issue, and the agent who took it."""

    def __init__(self, sample: SampleIssue, acting: Acting, doors: ByDoors, office: Office) -> None:
        self._sample = sample
        self._script = sample.script
        self._acting = acting
        self._doors = doors
        self._office = office
        self._agent = Actor(id=sample.intake.agent, role=Role.AGENT)

    async def begin(self, issue: IssueView) -> IssueView:
        """What is found out as soon as it is registered (R44)."""
        script = self._script
        if script.phone:
            said = {"phone": script.phone, "reason": lines.MISHEARD}
            issue = await self._says(issue, ActionName.AMEND, said)
        if script.link:
            to = {"to": await self._office.number_of(script.link), "reason": lines.SAME}
            issue = await self._says(issue, ActionName.LINK, to)
        if script.photograph:
            await self._doors.add_photograph(issue.number, PHOTOGRAPH)
        return issue

    async def merge(self, issue: IssueView) -> IssueView:
        """Let the other issue speak for it (R6)."""
        into = await self._office.number_of(self._script.merge or "")
        said = {"into": into, "reason": lines.SAME_MATTER}
        return await self._says(issue, ActionName.MERGE, said)

    async def note(self, issue: IssueView) -> IssueView:
        """Write down what colleagues should know, and what the customer is to read."""
        issue = await self._says(issue, ActionName.ADD_NOTE, {"words": lines.NOTED})
        told = {"words": lines.TOLD_MEANWHILE, "for_customer": True}
        return await self._says(issue, ActionName.ADD_NOTE, told)

    async def reply(self, issue: IssueView) -> IssueView:
        """R15: the customer did their part and says so."""
        if self._script.reply == "letter":
            sender = self._sample.intake.customer.email or ""
            return await self._doors.write_letter(issue.number, sender, lines.DONE_NOW)
        return await self._writes(issue, lines.DONE_NOW, Means.DONE)

    async def ask(self, issue: IssueView) -> IssueView:
        """R9: what the customer writes after the answer is no objection, as the agent sees."""
        await self._acting.pause(0.3, 0.8)
        issue = await self._writes(issue, lines.ASKS, Means.WORDS)
        return await self._says(issue, ActionName.RESUME, {"note": lines.SEEN_TO})

    async def _writes(self, issue: IssueView, words: str, means: Means) -> IssueView:
        said = {"words": words, "means": means}
        return await self._acting.do(issue, ActionName.CUSTOMER_WROTE, said, by=CUSTOMER)

    async def _says(
        self, issue: IssueView, name: ActionName, said: Mapping[str, object]
    ) -> IssueView:
        await self._acting.pause(0.2, 0.6)
        return await self._acting.do(issue, name, said, by=self._agent)
