"""The reading list (R41) for whoever answers for the service: read it, make a complaint of it."""

from __future__ import annotations

from datetime import datetime

from domain.errors import Refused
from domain.issue import complaints
from domain.issue.actions import ActionName, LinkTo
from domain.opinions import Remark, Source, reference
from domain.sla.policy import Policy
from domain.staff.access import Caller, Reach, Right, reach
from domain.vocabulary import LOWEST_SCORE
from starter.answering import OnRegisters, answered
from starter.client import Desk
from store import remarks
from store.rulebooks import Rulebooks

_WHY = "由客户的意见转为投诉 Out of what the customer said"


class ReadingList(OnRegisters):
    """What customers said, as far as somebody reaches it."""

    async def listed(self, who: Caller, *, unread: bool = False) -> list[Remark]:
        """List what nobody has read first, then the newest: a look to be written down before it is
        shown (R30).
        """
        policy = await self._policy()
        low = policy.evaluations.low if policy else LOWEST_SCORE
        return await answered(remarks.listed(self._pool, _theirs(who), low=low, unread=unread))

    async def strong(self) -> tuple[str, ...]:
        """Return the words that the policy finds strong."""
        policy = await self._policy()
        return policy.opinions.strong if policy else ()

    async def read(self, who: Caller, key: str, now: datetime) -> Remark:
        """Write down that somebody has read a remark; whoever was first stays.

        Raises:
            Refused: ``NotFound``.
        """
        found = await self._one(who, key)
        await answered(remarks.read(self._pool, key, who.id, now))
        return found

    async def become_complaint(self, desk: Desk, who: Caller, key: str, now: datetime) -> str:
        """Register what was said as a complaint of its own, linked with the issue it was said
        about both ways (R21); return its number. Asked again, it is the same.

        Raises:
            Refused: ``NotFound``; ``NotAllowed``: it is about no issue, so nobody knows whom to
                answer.
        """
        remark = await self._one(who, key)
        if remark.complaint:
            await answered(remarks.read(self._pool, key, who.id, now))
            return remark.complaint
        issue = await desk.record(remark.number) if remark.number else None
        if issue is None:
            raise Refused(
                "NotAllowed",
                "this was said about no issue of the register: register the complaint with its "
                "customer at the intake page",
            )
        name = reference(issue.number, key)
        called = remark.sort is Source.CALLBACK
        intake = complaints.told(issue, name, remark.text, now, called=called)
        opened = await desk.open(intake)
        link = LinkTo(by=who.by, to=issue.number, reason=_WHY)
        await desk.act(opened.number, ActionName.LINK, link, key=f"page:{name}")
        await answered(remarks.read(self._pool, key, who.id, now, opened.id))
        return opened.number

    async def _policy(self) -> Policy | None:
        async with self._connected() as connection:
            current = await Rulebooks().newest(connection)
        return current.policy if current else None

    async def _one(self, who: Caller, key: str) -> Remark:
        found = await answered(remarks.one(self._pool, key))
        theirs = _theirs(who)
        if found is None or (theirs and found.department not in {None, theirs}):
            raise Refused("NotFound", "there is no such remark among yours")
        return found


def _theirs(who: Caller) -> str | None:
    """Say whose remarks somebody reads; None: all."""
    everywhere = reach(who.role, Right.READ_OPINIONS) is Reach.ALL
    return None if everywhere else who.department or ""
