"""Assignment: who gets an issue, found in the transaction that records it (R15, R16, R19)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from temporalio.exceptions import ApplicationError

from domain.issue.state import Assignment, Person
from domain.issue.step import Step
from domain.staff.duty import Duty
from domain.staff.roster import Candidate, Choice, Member, Need, choose, next_on_duty, shortlist
from domain.staff.staffing import below_standby, hindrance, responsible
from domain.vocabulary import ESCALATION, Role
from store import duty as duty_store
from store import roster
from store.connection import Connection
from store.issue_writer import IssueContext
from store.roster import Load, Staff
from store.rulebooks import Current


def invalid(message: str) -> ApplicationError:
    """Refuse a step for good: what it names is not on the roster, or counts no more."""
    return ApplicationError(message, type="Invalid", non_retryable=True)


class Holding(NamedTuple):
    """Who has an issue, when that is to be looked at again, and which core group has too few on
    stand-by with it.
    """

    department: str
    engineer: Person | None = None
    lead: Person | None = None
    assign_again_at: datetime | None = None
    below_standby: str | None = None


async def assigned(
    connection: Connection,
    step: Step,
    case: IssueContext,
    staff: Staff,
    current: Current,
) -> Holding:
    """R16: whoever was named, or whoever the roster has; the lead oversees, or holds it. With a
    transfer (R15) that is the other department's.

    Raises:
        ApplicationError: ``Invalid``: whoever or whatever was named cannot have it.
    """
    case = _transferred(step, case, staff)
    if step.assignment is None:
        return Holding(case.department, case.engineer, case.lead)
    duty = Duty(current.rulebook)
    lead = responsible(staff.members.values(), case.department, 1, duty, step.recorded_at)
    search = _Search(connection, step, case, staff, duty)
    found = await search.whoever_is(step.assignment)
    return Holding(
        department=case.department,
        engineer=found.handler,
        lead=lead.person if lead else None,
        assign_again_at=found.again_at,
        below_standby=await search.fell_below(found.handler) if found.handler else None,
    )


def _transferred(step: Step, case: IssueContext, staff: Staff) -> IssueContext:
    """R15: the form travels to another department, if the roster has one of that name."""
    if step.department is None:
        return case
    departments = sorted({member.department for member in staff.members.values()})
    if step.department not in departments:
        raise invalid(
            f"to: {step.department} is no department of the roster; "
            f"there are: {', '.join(departments)}"
        )
    return case.model_copy(update={"department": step.department})


class _Found(NamedTuple):
    """Who has the issue now, and when that is to be looked at again."""

    handler: Person | None = None
    again_at: datetime | None = None


class _Search:
    """The search for whoever is to have an issue."""

    def __init__(
        self,
        connection: Connection,
        step: Step,
        case: IssueContext,
        staff: Staff,
        duty: Duty,
    ) -> None:
        self._connection = connection
        self._step = step
        self._case = case
        self._staff = staff
        self._duty = duty
        self._loads: dict[str, Load] = {}

    async def whoever_is(self, wanted: Assignment) -> _Found:
        """R16: the one named, whoever answers at a level, or the best of those on duty.

        Raises:
            ApplicationError: ``Invalid``: whoever was named cannot have it.
        """
        at, people = self._step.recorded_at, self._staff.members
        if wanted.to:
            member = self._named(wanted.to)
            return _Found(member.person, self._relieved_at(member))
        if wanted.level:
            found = responsible(
                people.values(), self._case.department, wanted.level, self._duty, at
            )
            return _Found(found.person if found else None)
        choice = await self._best(wanted)
        if choice.member:
            return _Found(choice.member.person, self._relieved_at(choice.member))
        return _Found(self._case.engineer if wanted.keep else None, choice.again_at)

    async def _best(self, wanted: Assignment) -> Choice:
        facts = self._case.facts
        centre = self._staff.centres.get(facts.centre)
        need = Need(
            department=self._case.department,
            product_line=facts.product_line,
            centres=(facts.centre, *(centre.nearest if centre else ())),
            prefer=wanted.prefer,
        )
        engineers = self._staff.engineers(need.department, need.centres)
        at = self._step.recorded_at
        short = shortlist(engineers, need, self._duty, at)
        if len(short) == 1:
            return Choice(member=short[0])
        if not short:
            return Choice(again_at=next_on_duty(engineers, need, self._duty, at))
        loads = await self._loads_of(self._group(short[0].id))
        carrying = [_carrying(each, loads[each.id], loads[each.id].open_issues) for each in short]
        return choose(carrying, need, self._duty, at)

    def _relieved_at(self, member: Member) -> datetime | None:
        """R16: when an issue that does not wait for a shift changes hands; what a superior has
        taken stays theirs.
        """
        step = self._step
        facts = self._case.facts_with(step)
        if member.role is not Role.ENGINEER or not self._duty.policy.relieved(facts):
            return None
        return self._duty.duty_ends(member, step.recorded_at)

    def _named(self, id_: str) -> Member:
        """R16: only somebody certified for the product line and not away; or a superior."""
        member, case = self._staff.members.get(id_), self._case
        if member is None or member.role not in ESCALATION:
            raise invalid(f"to: {id_} is not an engineer or superior on the roster")
        if member.role is not Role.ENGINEER:
            return member
        if member.department != case.department:
            raise invalid(f"to: {id_} works in {member.department}, this is for {case.department}")
        at = self._step.recorded_at
        if hindered := hindrance(member, case.facts.product_line, self._duty, at):
            raise invalid(f"to: {id_} {hindered}")
        return member

    async def fell_below(self, handler: Person) -> str | None:
        """R16: name the core group that has too few on stand-by with this issue, once a day."""
        group = self._group(handler.id)
        standby, at = self._duty.policy.standby, self._step.recorded_at
        if not group or group[0].department not in standby.departments:
            return None
        department, centre = group[0].department, group[0].centre
        loads = await self._loads_of(group)
        with_it = [
            _carrying(each, loads[each.id], loads[each.id].others + (each.id == handler.id))
            for each in group
        ]
        if not below_standby(with_it, standby, self._duty, at):
            return None
        day = self._duty.day(at)
        new = await duty_store.raise_alarm(self._connection, department, centre, day)
        return f"{department}/{centre}" if new else None

    def _group(self, engineer: str) -> list[Member]:
        """The engineers of the department and centre of one of them; none of anybody else's."""
        member = self._staff.members.get(engineer)
        if member is None or member.role is not Role.ENGINEER:
            return []
        return self._staff.engineers(member.department, [member.centre])

    async def _loads_of(self, people: Sequence[Member]) -> Mapping[str, Load]:
        """Read what a group has to do, and let it get nothing else meanwhile. It is one group for
        any issue, so nobody waits for somebody who waits for them.
        """
        if not all(each.id in self._loads for each in people):
            self._loads |= await roster.loads(self._connection, people, self._step.issue_id)
        return self._loads


def _carrying(member: Member, load: Load, open_issues: int) -> Candidate:
    return Candidate(member=member, open_issues=open_issues, idle_since=load.idle_since)
