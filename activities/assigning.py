"""Assignment: who gets an issue, found in the transaction that records it (R15, R16, R19)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from temporalio.exceptions import ApplicationError

from domain.issue import Recorded, Step
from domain.roster import Member, Need, choose, superior
from domain.vocabulary import ESCALATION
from store import roster
from store.register import Case, Connection
from store.rulebooks import Current


def invalid(message: str) -> ApplicationError:
    """Refuse a step for good: what it names is not on the roster, or counts no more."""
    return ApplicationError(message, type="Invalid", non_retryable=True)


async def assigned(
    connection: Connection, step: Step, case: Case, people: Sequence[Member], current: Current
) -> Recorded:
    """R16: whoever was named, or whoever the roster has; the lead oversees, or holds it."""
    same = Recorded(
        step=step.model_copy(update={"intake": None}),
        number=case.number,
        department=case.department,
        centre=case.facts.centre,
        zone=case.zone,
        engineer=case.engineer,
        lead=case.lead,
    )
    if step.assignment is None:
        return same
    lead = superior(people, case.department, 1)
    changes: dict[str, Any] = {"lead": lead.person if lead else None}
    if step.assignment.to:
        member = _named(people, step.assignment.to, case)
        return same.model_copy(update=changes | {"engineer": member.person})
    centre = await roster.centre(connection, case.facts.centre)
    need = Need(
        department=case.department,
        product_line=case.facts.product_line,
        centres=(case.facts.centre, *(centre.nearest if centre else ())),
        prefer=step.assignment.prefer,
    )
    candidates = await roster.candidates(connection, need.department, need.centres)
    choice = choose(candidates, need, current.rulebook, step.recorded_at)
    changes["engineer"] = choice.member.person if choice.member else None
    return same.model_copy(update=changes | {"assign_again_at": choice.again_at})


def _named(people: Sequence[Member], id_: str, case: Case) -> Member:
    """R16: only somebody certified for the product line, unless a superior takes it on."""
    member = next((member for member in people if member.id == id_), None)
    if member is None or member.role not in ESCALATION:
        raise invalid(f"to: {id_} is not an engineer or superior on the roster")
    if member.role is not ESCALATION[0]:
        return member
    if member.department != case.department:
        raise invalid(f"to: {id_} works in {member.department}, this is for {case.department}")
    lines = sorted(certified.product_line for certified in member.certified)
    if case.facts.product_line not in lines:
        raise invalid(
            f"to: {id_} is not certified for {case.facts.product_line}, "
            f"only for {', '.join(lines) or 'nothing'}"
        )
    return member
