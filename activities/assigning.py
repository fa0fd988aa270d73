"""Assignment: who gets an issue, found in the transaction that records it (R15, R16, R19)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from temporalio.exceptions import ApplicationError

from domain.issue.state import Assignment, Person
from domain.issue.step import Step
from domain.staff.duty import Duty
from domain.staff.roster import Member, Need, choose
from domain.staff.staffing import below_standby, hindrance, responsible
from domain.vocabulary import ESCALATION, Role
from store import duty as duty_store
from store import roster
from store.connection import Connection
from store.issue_writer import IssueContext
from store.rulebooks import Current


def invalid(message: str) -> ApplicationError:
    """Refuse a step for good: what it names is not on the roster, or counts no more."""
    return ApplicationError(message, type="Invalid", non_retryable=True)


class _Found(NamedTuple):
    """Who has the issue now, and when that is to be looked at again."""

    handler: Person | None = None
    again_at: datetime | None = None


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
    people: Sequence[Member],
    current: Current,
) -> Holding:
    """R16: whoever was named, or whoever the roster has; the lead oversees, or holds it. With a
    transfer (R15) that is the other department's.

    Raises:
        ApplicationError: ``Invalid``: whoever or whatever was named cannot have it.
    """
    case = _transferred(step, case, people)
    if step.assignment is None:
        return Holding(case.department, case.engineer, case.lead)
    duty = Duty(current.rulebook)
    lead = responsible(people, case.department, 1, duty, step.recorded_at)
    found = await _found(connection, step, step.assignment, case, people, duty)
    handler = _member(people, found.handler.id) if found.handler else None
    return Holding(
        department=case.department,
        engineer=found.handler,
        lead=lead.person if lead else None,
        assign_again_at=found.again_at,
        below_standby=await _fell_below(connection, step, handler, duty) if handler else None,
    )


def _transferred(step: Step, case: IssueContext, people: Sequence[Member]) -> IssueContext:
    """R15: the form travels to another department, if the roster has one of that name."""
    if step.department is None:
        return case
    departments = sorted({member.department for member in people})
    if step.department not in departments:
        raise invalid(
            f"to: {step.department} is no department of the roster; "
            f"there are: {', '.join(departments)}"
        )
    return case.model_copy(update={"department": step.department})


async def _found(
    connection: Connection,
    step: Step,
    wanted: Assignment,
    case: IssueContext,
    people: Sequence[Member],
    duty: Duty,
) -> _Found:
    at = step.recorded_at
    if wanted.to:
        member = _named(people, wanted.to, case, duty, at)
        return _Found(member.person, _relieved_at(step, case, member, duty))
    if wanted.level:
        found = responsible(people, case.department, wanted.level, duty, at)
        return _Found(found.person if found else None)
    centre = await roster.centre(connection, case.facts.centre)
    need = Need(
        department=case.department,
        product_line=case.facts.product_line,
        centres=(case.facts.centre, *(centre.nearest if centre else ())),
        prefer=wanted.prefer,
    )
    candidates = await roster.candidates(connection, need.department, need.centres)
    choice = choose(candidates, need, duty, at)
    if choice.member:
        member = choice.member
        return _Found(member.person, _relieved_at(step, case, member, duty))
    return _Found(case.engineer if wanted.keep else None, choice.again_at)


def _relieved_at(step: Step, case: IssueContext, member: Member, duty: Duty) -> datetime | None:
    """R16: when an issue that does not wait for a shift changes hands; what a superior has taken
    stays theirs.
    """
    now = {name: getattr(step, name) for name in ("severity", "generation", "first_contact")}
    facts = case.facts.model_copy(update=now)
    if member.role is not Role.ENGINEER or not duty.policy.relieved(facts):
        return None
    return duty.duty_ends(member, step.recorded_at)


def _named(
    people: Sequence[Member], id_: str, case: IssueContext, duty: Duty, at: datetime
) -> Member:
    """R16: only somebody certified for the product line and not away; or a superior."""
    member = _member(people, id_)
    if member is None or member.role not in ESCALATION:
        raise invalid(f"to: {id_} is not an engineer or superior on the roster")
    if member.role is not Role.ENGINEER:
        return member
    if member.department != case.department:
        raise invalid(f"to: {id_} works in {member.department}, this is for {case.department}")
    if hindered := hindrance(member, case.facts.product_line, duty, at):
        raise invalid(f"to: {id_} {hindered}")
    return member


async def _fell_below(
    connection: Connection, step: Step, handler: Member, duty: Duty
) -> str | None:
    """R16: name the core group that has too few on stand-by with this issue, once a day."""
    standby, department, centre = duty.policy.standby, handler.department, handler.centre
    if handler.role is not Role.ENGINEER or department not in standby.departments:
        return None
    group = [
        each.model_copy(update={"open_issues": each.open_issues + (each.member.id == handler.id)})
        for each in await roster.group(connection, department, centre, apart_from=step.issue_id)
    ]
    day = duty.day(step.recorded_at)
    if not below_standby(group, standby, duty, step.recorded_at):
        return None
    new = await duty_store.raise_alarm(connection, department, centre, day)
    return f"{department}/{centre}" if new else None


def _member(people: Sequence[Member], id_: str) -> Member | None:
    return next((member for member in people if member.id == id_), None)
