"""What is done about an issue beside its course, alike on every page of it: the agent's calls to
the customer and questions to the handler (R13, R34), what the customer says, notes, corrections
(R44).

A page shows ``_beside.html``, and lets its own address take these actions, too.
"""

from __future__ import annotations

from typing import NamedTuple

from domain.issue.actions import ActionName
from domain.issue.intake import Intake
from domain.issue.view import IssueView
from domain.staff.access import Right, may
from domain.vocabulary import Stage
from web.auth.identity import Visitor
from web.forms.actions import correcting, of_action
from web.forms.form import Field, Filled
from web.forms.submitting import Acted

BESIDE = (
    *(ActionName.CONTACT_CUSTOMER, ActionName.CHASE),
    *(ActionName.CUSTOMER_WROTE, ActionName.ADD_NOTE, ActionName.AMEND),
    *(ActionName.LINK, ActionName.MERGE),
)


class Beside(NamedTuple):
    """One of them: its inputs, and what is written in them."""

    action: ActionName
    inputs: list[Field]
    filled: Filled


def offered(
    who: Visitor, seen: IssueView, intake: Intake | None, tried: Acted | None = None
) -> list[Beside]:
    """Return the forms of what somebody may do; ``intake`` is what they may see of the customer,
    once that look is written down, and what is corrected.
    """
    can = [each for each in BESIDE if _possible(each, seen) and may(who.caller, each, seen)]
    return [
        Beside(each, of_action(each).offering({}), _filled(each, seen, intake, tried))
        for each in can
        if each is not ActionName.AMEND or intake
    ]


def sees_customer(who: Visitor, seen: IssueView) -> bool:
    """Say whether what may be corrected is shown."""
    amends = ActionName.AMEND in seen.can and may(who.caller, ActionName.AMEND, seen)
    return amends and may(who.caller, Right.SEE_CUSTOMER, seen)


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
