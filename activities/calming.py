"""Who calms an agitated complainant (R47): by the policy and the roster, somebody with a name."""

from __future__ import annotations

from domain.issue.calming import WANTED
from domain.issue.forms import ComplaintForm, Form
from domain.issue.step import Step
from domain.sla.rulebook import Rulebook
from domain.staff.duty import Duty
from domain.staff.staffing import responsible
from domain.vocabulary import ESCALATION, Audience
from store.roster import Staff


def entrusted(step: Step, department: str, rulebook: Rulebook, staff: Staff) -> Step:
    """Say in a registration who is to calm the customer; that person is told at once."""
    if WANTED not in step.tell:
        return step
    role = rulebook.policy.calming.by
    named = responsible(
        staff.members.values(),
        department,
        ESCALATION.index(role),
        Duty(rulebook),
        step.recorded_at,
    )
    tell = tuple(
        each.model_copy(update={"to": Audience(role)}) if each == WANTED else each
        for each in step.tell
    )
    forms = tuple(_naming(form, named.id if named else None) for form in step.forms)
    return step.model_copy(update={"tell": tell, "forms": forms})


def _naming(form: Form, person: str | None) -> Form:
    if not isinstance(form, ComplaintForm):
        return form
    return form.model_copy(update={"calming_by": person})
