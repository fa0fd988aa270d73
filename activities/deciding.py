"""A remedy that is proposed (R42): what the desk calls it; by the policy's limit, who decides."""

from __future__ import annotations

from activities.assigning import invalid
from domain.issue.actions import ActionName, RemedyProposed
from domain.issue.forms import Form, Remedy
from domain.issue.remedy import WANTED
from domain.issue.step import Step
from domain.sla.policy import Policy, Remedies
from domain.vocabulary import Audience, Role


def proposed(step: Step, policy: Policy) -> Step:
    """Say of a proposal which kind of remedy it is, and who decides; that is who is told of it.

    Raises:
        ApplicationError: ``Invalid``: the policy has no such kind, or it is none without an amount.
    """
    if step.action is not ActionName.PROPOSE_REMEDY:
        return step
    forms = tuple(_completed(form, policy) for form in step.forms)
    (form,) = (form for form in forms if isinstance(form, Remedy))
    decider = form.decider or Role.MANAGER
    known = {"remedy_name": form.remedy_name, "decider": decider}
    said = RemedyProposed.model_validate({**step.content, **known, "by": step.by})
    tell = tuple(
        each.model_copy(update={"to": Audience(decider)}) if each == WANTED else each
        for each in step.tell
    )
    return step.model_copy(update={"forms": forms, "tell": tell, "content": said.content()})


def _completed(form: Form, policy: Policy) -> Form:
    if not isinstance(form, Remedy):
        return form
    remedies = policy.remedies
    kind = remedies.kinds.get(form.remedy or "")
    if kind is None:
        known = ", ".join(f"{code} {kind.zh}" for code, kind in remedies.kinds.items())
        raise invalid(f"remedy: {form.remedy} is no kind of remedy; the policy has: {known}")
    if kind.priced and form.amount is None:
        raise invalid(f"amount: {kind.zh} {kind.en} needs an amount, in yuan")
    decider = Role.GM_OFFICE if _above(form, remedies) else form.decider
    named = {"remedy_name": kind.said(policy.desk.language), "decider": decider}
    return form.model_copy(update=named)


def _above(form: Remedy, remedies: Remedies) -> bool:
    limit = remedies.manager_up_to
    return limit is not None and form.amount is not None and form.amount > limit
