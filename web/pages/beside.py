"""What is done about an issue beside its course, alike on every page of it: the agent's calls to
the customer and questions to the handler (R13, R34), remedies for a complainant (R42), what the
customer says, notes, corrections (R44).

A page shows ``_beside.html``, and lets its own address take these actions, too.
"""

from __future__ import annotations

from contextlib import suppress
from typing import NamedTuple

from domain.issue.actions import ActionName
from domain.issue.intake import Intake
from domain.issue.view import IssueView
from domain.staff.access import Right, may
from domain.vocabulary import Stage
from starter.client import Unavailable
from web.auth.identity import Visitor
from web.context import Doors
from web.forms.actions import correcting, of_action
from web.forms.form import Choices, Field, Filled
from web.forms.submitting import Acted

BESIDE = (
    *(ActionName.CONTACT_CUSTOMER, ActionName.CHASE),
    *(ActionName.DECIDE_REMEDY, ActionName.RECORD_REMEDY, ActionName.PROPOSE_REMEDY),
    *(ActionName.CUSTOMER_WROTE, ActionName.ADD_NOTE, ActionName.AMEND),
    *(ActionName.LINK, ActionName.MERGE),
)


class Beside(NamedTuple):
    """One of them: its inputs, and what is written in them."""

    action: ActionName
    inputs: list[Field]
    filled: Filled


async def offered(
    here: Doors, who: Visitor, seen: IssueView, intake: Intake | None, tried: Acted | None = None
) -> list[Beside]:
    """Return the forms of what somebody may do; ``intake`` is what they may see of the customer,
    once that look is written down, and what is corrected.
    """
    can = [each for each in BESIDE if _possible(each, seen) and may(who.caller, each, seen)]
    choices = await _kinds_of_remedies(here) if ActionName.PROPOSE_REMEDY in can else {}
    return [
        Beside(each, of_action(each).offering(choices), _filled(each, seen, intake, tried))
        for each in can
        if each is not ActionName.AMEND or intake
    ]


def sees_customer(who: Visitor, seen: IssueView) -> bool:
    """Say whether what may be corrected is shown."""
    amends = ActionName.AMEND in seen.can and may(who.caller, ActionName.AMEND, seen)
    return amends and may(who.caller, Right.SEE_CUSTOMER, seen)


async def _kinds_of_remedies(here: Doors) -> Choices:
    """Return which kinds of remedies the policy has (R42), as far as it is known."""
    rulebook = None
    with suppress(Unavailable):
        rulebook = await here.registers.staff.rulebook()
    if rulebook is None:
        return {}
    kinds = rulebook.policy.remedies.kinds
    return {"remedy": [(code, (kind.zh, kind.en)) for code, kind in kinds.items()]}


def _possible(action: ActionName, seen: IssueView) -> bool:
    """A late word about an issue that is over is kept with it."""
    late = action is ActionName.ADD_NOTE and seen.stage is Stage.CLOSED
    return action in seen.can or late


def _filled(
    action: ActionName, seen: IssueView, intake: Intake | None, tried: Acted | None
) -> Filled:
    written = tried.form(seen, action) if tried else Filled()
    if action is ActionName.AMEND and intake and not written.sent:
        return correcting(intake)
    return written
