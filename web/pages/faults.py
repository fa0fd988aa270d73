"""Which fault codes a page offers with a result (R43)."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from domain.issue.view import IssueView
from domain.sla import faults
from domain.sla.policy import Facts
from domain.vocabulary import CustomerType
from starter.client import Unavailable
from web.context import Doors
from web.forms.form import Field
from web.rendering import Reason

Codes = Sequence[tuple[str, Reason]]


async def fault_codes(here: Doors, seen: IssueView) -> Codes:
    """Return the codes of an issue's list, as far as the policy is known; none: none is asked."""
    rulebook = None
    with suppress(Unavailable):
        rulebook = await here.registers.staff.rulebook()
    return faults.offered(rulebook.policy, _facts(seen)) if rulebook else ()


def asking(inputs: Sequence[Field], codes: Codes) -> list[Field]:
    """Return the inputs of a form, with the code as a choice of the list; without, it is none."""
    return [
        each.chosen_from(codes) if each.name == "fault" else each
        for each in inputs
        if each.name != "fault" or codes
    ]


def _facts(seen: IssueView) -> Facts:
    """Say of an issue what a list of faults may ask; its customer is in none."""
    asked = {name: getattr(seen, name) for name in Facts.model_fields if hasattr(seen, name)}
    return Facts.model_validate(asked | {"customer": CustomerType.ENTERPRISE})
