"""What people of the desk do beside the issues: adopt solutions, tell cases, go on leave."""

import asyncio
from datetime import UTC, date, datetime, timedelta

from domain.knowledge.cases import CaseStatus, Change, Ruling
from domain.staff.duty import OFF, DutyException
from domain.staff.roster import Member, Roster
from domain.vocabulary import Actor, Role
from starter.client import Desk
from store import cases, duty
from store.connection import Pool

AWAY = timedelta(days=6)


class Office:
    """One for all; ``pool`` stays the caller's to close."""

    def __init__(self, desk: Desk, pool: Pool, roster: Roster) -> None:
        self._desk = desk
        self._pool = pool
        self._members = roster.members
        self._adopted: dict[str, str] = {}
        self._numbers: dict[str, str] = {}
        self._changed = asyncio.Condition()

    def who(self, role: Role, department: str | None = None) -> Member:
        """Name somebody of that role.

        Raises:
            StopIteration: the roster has nobody.
        """
        return next(
            member
            for member in self._members
            if member.role is role and department in {None, member.department}
        )

    def colleague(self, product_line: str, day: date, *, of: str, besides: str) -> Member | None:
        """Name an engineer who knows the product and works elsewhere than in department ``of``."""
        return next(
            (
                member
                for member in self._members
                if member.role is Role.ENGINEER
                and member.department != of
                and member.id != besides
                and any(each.covers(product_line, day) for each in member.certified)
            ),
            None,
        )

    async def adopt(self, reference: str, issue_id: str, by: Actor) -> None:
        """R29: a lead approves what was proposed out of an issue; the hotline may tell it."""
        proposed = await cases.cases(self._pool, CaseStatus.PROPOSED, limit=1000)
        number = next(case.number for case in proposed if case.issue_id == issue_id)
        ruling = Ruling(change=Change.APPROVE, by=by, at=datetime.now(UTC))
        async with self._pool.acquire() as connection, connection.transaction():
            await cases.rule(connection, number, ruling)
        await self._note(self._adopted, reference, number)

    async def case_of(self, reference: str) -> str:
        """Wait until that issue's solution is in the library, and return its number."""
        return await self._known(self._adopted, reference)

    async def registered(self, reference: str, number: str) -> None:
        """Let it be known which number an issue has."""
        await self._note(self._numbers, reference, number)

    async def number_of(self, reference: str) -> str:
        """Wait until that issue is registered, and return its number."""
        return await self._known(self._numbers, reference)

    async def _note(self, where: dict[str, str], reference: str, found: str) -> None:
        async with self._changed:
            where[reference] = found
            self._changed.notify_all()

    async def _known(self, where: dict[str, str], reference: str) -> str:
        async with self._changed:
            await self._changed.wait_for(lambda: reference in where)
            return where[reference]

    async def leaves(self, person: str, today: date) -> None:
        """R16: somebody is off from now on; what they have goes to others."""
        off = {"person": person, "from": today, "until": today + AWAY, "shift": OFF}
        exception = DutyException.model_validate(off | {"reason": "病假 sick leave"})
        async with self._pool.acquire() as connection, connection.transaction():
            await duty.enter(connection, exception, by=person)
        await self._desk.hand_over_stranded()
