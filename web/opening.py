"""Registering for whoever is at a door: a repeat shows nobody an issue that they may not see."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from datetime import datetime
from hashlib import sha256

from domain.errors import Refused
from domain.issue.intake import SAID, Intake
from domain.issue.view import IssueView
from domain.staff.access import Reach, Right, may, reach
from starter.client import Kept, Opened, OtherContent, Why
from web.audit import Deed
from web.auth.identity import Visitor, require
from web.context import Doors
from web.problems import not_yours


async def registered(
    here: Doors, who: Visitor, intake: Intake, deed: Deed, said: AbstractSet[str] = SAID
) -> Opened:
    """Register an issue, or find it registered already; ``deed`` gets to know its number. A repeat
    is told by what they ``said``: what the door filled in may differ.

    Whoever sends a reference of an issue that is not theirs to see hears that it is taken. That is
    no success: what they sent was not registered, and its customer must not be forgotten.

    Raises:
        Problem: 403.
        OtherContent: the reference is that of an issue of which something else was told.
        Refused: ``Invalid``; ``Taken``.
        Unavailable: no answer in time.
    """
    require(who, Right.OPEN)
    caller = who.caller
    if reach(caller.role, Right.OPEN) is Reach.OWN and intake.source != caller.id:
        raise not_yours(f"source: {caller.id} registers under its own source only", Right.OPEN)
    try:
        opened = await here.desk.register(intake, said)
    except OtherContent as other:
        deed.is_about(other.stands.number if other.stands else intake.issue_id)
        if other.stands and not may(caller, Right.SEE, other.stands):
            raise _taken(intake) from other
        raise
    deed.is_about(opened.view.number if opened.view else intake.issue_id)
    if opened.view and not opened.new and not may(caller, Right.SEE, opened.view):
        raise _taken(intake)
    return opened


def added(
    issue: IssueView, *, at: datetime, door: str, sender: str, subject: str, body: str
) -> Kept:
    """Make of words that somebody wants added to an issue what is kept; the same are kept once."""
    said = sha256(f"{issue.id}\n{subject}\n{body}".encode(errors="surrogatepass")).hexdigest()
    return Kept(
        key=f"added:{said}",
        issue_id=issue.id,
        at=at,
        door=door,
        sender=sender,
        subject=subject,
        body=body,
        why=Why.ADDED,
    )


def _taken(intake: Intake) -> Refused:
    return Refused(
        "Taken",
        f"{intake.source} {intake.reference} is the reference of an issue that is not among "
        "yours: send it under another one",
    )
