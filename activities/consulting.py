"""What is passed to a business unit is on the consultation record, too (R38). Which departments are
business units is the policy's to say.
"""

from __future__ import annotations

from domain.issue.actions import ActionName, Resolve
from domain.issue.forms import ConsultationRecord
from domain.issue.intake import Intake
from domain.issue.step import Step
from domain.sla.policy import Policy
from domain.sla.promise import PromiseKind
from domain.vocabulary import Role
from store import issue_reader
from store.connection import Connection
from store.issue_writer import IssueContext


async def consulted(
    connection: Connection,
    step: Step,
    intake: Intake | None,
    case: IssueContext,
    department: str,
    policy: Policy,
) -> Step:
    """Add the record of a question that is passed to a business unit with this step, or that one
    answers; ``department`` has the issue once the step is taken, ``intake`` is what it registers.
    """
    act = step.act
    answers = act if isinstance(act, Resolve) else None
    if not (answers or _is_passed_on(step)):
        return step
    if not policy.is_consultation(case.facts_with(step), department):
        return step
    record = ConsultationRecord(
        generation=step.generation,
        question=await _question(connection, step.issue_id, intake),
        passed_to=department,
    )
    by_us = step.by.role is not Role.CUSTOMER  # who the customer is stands elsewhere (R30)
    says: dict[str, object] = {"passed_by": step.by.id if by_us else None, "passed_at": step.at}
    if answers:
        says = {"agent": step.by.id, "answered_at": step.at, "answer": answers.result}
    return step.model_copy(update={"forms": (*step.forms, record.model_copy(update=says))})


def _is_passed_on(step: Step) -> bool:
    """Whether somebody else than the hotline has it now, or another department than before."""
    held = any(p.kind is PromiseKind.HAND_OVER and p.ended_at for p in step.promises)
    first = step.action in {ActionName.REGISTERED, ActionName.TRANSFER}
    return step.assignment is not None and (first or held or step.reopens)


async def _question(connection: Connection, issue_id: str, intake: Intake | None) -> str:
    asked = intake or await issue_reader.intake(connection, issue_id)
    return f"{asked.title}\n{asked.description}".strip() if asked else ""
