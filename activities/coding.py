"""Fault codes (R43): what a result is entered with is looked up in the list that counts now."""

from __future__ import annotations

from activities.assigning import invalid
from domain.errors import Refused
from domain.issue.actions import Answer, Resolve
from domain.issue.forms import ConsultationRecord, Form
from domain.issue.step import Step
from domain.sla import faults
from domain.sla.policy import Facts, Policy


def coded(step: Step, facts: Facts, policy: Policy) -> Step:
    """Add to a result what the desk calls its fault, so that it stands though the list changes.

    Raises:
        ApplicationError: ``Invalid``: the list has no such code, or one is required.
    """
    act = step.act
    if not isinstance(act, Resolve | Answer):
        return step
    try:
        name = faults.entered(policy, facts, act.fault)
    except Refused as refused:
        raise invalid(refused.message) from None
    if name is None:
        return step
    named = {"fault_name": name}
    handling = step.handling and step.handling.model_copy(update=named)
    forms = tuple(_named(form, name) for form in step.forms)
    content = step.content | named
    return step.model_copy(update={"handling": handling, "forms": forms, "content": content})


def _named(form: Form, name: str) -> Form:
    if not isinstance(form, ConsultationRecord):
        return form
    return form.model_copy(update={"fault_name": name})
