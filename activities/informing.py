"""What a step's forms leave to the register and the policy: who has to approve, what becomes a
complaint, whom it is against, which case was told (R8, R15, R17, R19, R21, R29).
"""

from __future__ import annotations

from typing import NamedTuple

from activities.assigning import invalid
from domain.issue.actions import ActionName, Merge, Resolve
from domain.issue.duplicates import addresses_of, unfit
from domain.issue.forms import (
    ComplaintForm,
    ConsultationRecord,
    Evaluation,
    ExpertPanel,
    Form,
    IssueLink,
    PaidService,
    Party,
)
from domain.issue.paid_service import Confirmed
from domain.issue.step import Step
from domain.sla.policy import Policy
from domain.staff.access import Reach, reach
from store import cases, duplicates, issue_writer
from store.connection import Connection
from store.roster import Staff


class _Found(NamedTuple):
    form: Form
    needs_approval: bool = False
    complaint: bool = False
    dissatisfied: bool = False


class Informed(NamedTuple):
    """A step as it is recorded, with what follows from its forms."""

    step: Step
    needs_approval: bool
    complaint: bool
    dissatisfied: bool


async def informed(
    connection: Connection, step: Step, department: str, policy: Policy, staff: Staff
) -> Informed:
    """Complete what a step says by what only the register and the policy know; ``department`` had
    the issue before.

    Raises:
        ApplicationError: ``Invalid``: it names somebody who is not on the roster, or a case that
            may not be told.
    """
    department = step.department or department
    found = [
        await _completed(connection, step, form, department, policy, staff) for form in step.forms
    ]
    changes: dict[str, object] = {"intake": None, "forms": tuple(each.form for each in found)}
    if step.action is ActionName.CONFIRM:
        offered = await issue_writer.quotation(connection, step.issue_id, step.generation)
        confirmed = Confirmed.model_validate({**step.content, "by": step.by, **offered})
        changes["content"] = step.content | confirmed.content()
    if step.ends_the_call_with_it:
        answer = await issue_writer.answer(connection, step.issue_id, step.generation)
        changes["content"] = step.content | ({"result": answer} if answer else {})
    if step.action is ActionName.ABSORB:
        changes |= await _taken_over(connection, step)
    if step.action is ActionName.MERGE:
        changes["content"] = step.content | {"survivor": await _survivor(connection, step)}
    return Informed(
        step=step.model_copy(update=changes),
        needs_approval=any(each.needs_approval for each in found),
        complaint=step.dissatisfied or any(each.complaint for each in found),
        dissatisfied=any(each.dissatisfied for each in found),
    )


async def taught(connection: Connection, step: Step) -> None:
    """R29: propose a written result for the case library, if its handler thinks that it is worth
    knowing.
    """
    if not (isinstance(step.act, Resolve) and step.act.known_solution):
        return
    solution = await cases.solved(connection, step.issue_id)
    if solution:
        await cases.propose(connection, solution.draft(step.by.id, step.at))


async def _completed(
    connection: Connection,
    step: Step,
    form: Form,
    department: str,
    policy: Policy,
    staff: Staff,
) -> _Found:
    match form:
        case PaidService() if form.amount is not None:
            limit = policy.paid_service.approval_above
            needed = limit is not None and form.amount > limit
            return _Found(form.model_copy(update={"approval": needed}), needs_approval=needed)
        case Evaluation():
            worst = min(form.technical, form.attitude)
            complains = worst < policy.evaluations.complaint_below
            dissatisfied = worst < policy.evaluations.dissatisfied_below
            return _Found(form, complaint=complains, dissatisfied=dissatisfied and not complains)
        case ComplaintForm() if form.received_by:
            return _Found(form.model_copy(update={"against": department}))
        case ExpertPanel() if form.experts:
            _check_experts(staff, form.experts)
        case ConsultationRecord() if form.known_case:
            await _use(connection, form.known_case, step)
        case IssueLink():
            return _Found(await _linked(connection, form, step))
    return _Found(form)


async def _linked(connection: Connection, form: IssueLink, step: Step) -> IssueLink:
    """Find the other issue by its number; once is enough, whichever of the two says so."""
    other = await duplicates.standing(connection, form.other)
    if other is None:
        raise invalid(f"to: there is no issue {form.other}")
    if await duplicates.are_linked(connection, step.issue_id, other.id):
        raise invalid(f"to: it is linked with {form.other} already")
    return form.model_copy(update={"other": other.id})


async def _survivor(connection: Connection, step: Step) -> str:
    """Find the issue that is to speak for this one, and see whether it can; it is asked itself
    when this stands in the register.
    """
    act = step.act
    if not isinstance(act, Merge):
        raise TypeError(act)
    into, this = (
        await duplicates.standing(connection, act.into),
        await duplicates.standing(connection, step.issue_id),
    )
    if into is None or this is None:
        raise invalid(f"into: there is no issue {act.into}")
    if why := unfit(into, this):
        raise invalid(f"into: {why}")
    return into.id


async def _taken_over(connection: Connection, step: Step) -> dict[str, object]:
    """R6: whom it answers from now on, and whether that is somebody else than its own customer."""
    (party,) = (form for form in step.forms if isinstance(form, Party))
    parties = await duplicates.parties(connection, party)
    own = await duplicates.reached(connection, step.issue_id)
    others = any(own.isdisjoint(addresses_of(each.phone, each.email)) for each in parties)
    forms = (*(f for f in step.forms if f is not party), *parties)
    return {"forms": forms, "content": step.content | {"others": others}}


def _check_experts(staff: Staff, experts: tuple[str, ...]) -> None:
    """R15: whoever is asked has to be able to answer."""
    for expert in experts:
        member = staff.members.get(expert)
        if member is None:
            raise invalid(f"experts: {expert} is not on the roster")
        if reach(member.role, ActionName.CONSULT) is Reach.NONE:
            raise invalid(
                f"experts: {expert} is {member.role}: those who handle issues can advise on them"
            )


async def _use(connection: Connection, number: str, step: Step) -> None:
    if await cases.approved(connection, number) is None:
        raise invalid(
            f"case: {number} is no approved case; `yinuo case search` finds those that are"
        )
    await cases.used(connection, number, step.at)
