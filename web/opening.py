"""Registering for whoever is at a door: a repeat shows nobody an issue that they may not see."""

from __future__ import annotations

from domain.errors import Refused
from domain.issue.intake import Intake
from domain.staff.access import Reach, Right, may, reach
from starter.client import Opened
from web.audit import Deed
from web.auth.identity import Visitor, require
from web.context import Doors
from web.problems import not_yours


async def registered(here: Doors, who: Visitor, intake: Intake, deed: Deed) -> Opened:
    """Register an issue, or find it registered already; ``deed`` gets to know its number.

    Whoever sends a reference of an issue that is not theirs to see hears that it is taken. That is
    no success: what they sent was not registered, and its customer must not be forgotten.

    Raises:
        Problem: 403.
        Refused: ``Invalid``; ``Taken``.
        Unavailable: no answer in time.
    """
    require(who, Right.OPEN)
    caller = who.caller
    if reach(caller.role, Right.OPEN) is Reach.OWN and intake.source != caller.id:
        raise not_yours(f"source: {caller.id} registers under its own source only", Right.OPEN)
    opened = await here.desk.register(intake)
    deed.is_about(opened.view.number if opened.view else intake.issue_id)
    if opened.view and not opened.new and not may(caller, Right.SEE, opened.view):
        raise Refused(
            "Taken",
            f"{intake.source} {intake.reference} is the reference of an issue that is not among "
            "yours: send it under another one",
        )
    return opened
