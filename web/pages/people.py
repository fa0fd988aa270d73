"""What people are called on pages, by their names, and what they asked and offered for a service
that is paid for (R17), or propose for a complainant (R42).
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from domain.issue.view import IssueView
from domain.sla.promise import PromiseKind
from domain.staff.access import Right, may
from domain.vocabulary import Behaviour, Role
from starter.client import Unavailable
from starter.register import Papers
from web.auth.identity import Visitor
from web.context import Doors

_PAID = frozenset(
    {
        *(PromiseKind.SURVEY, PromiseKind.QUOTATION),
        *(PromiseKind.CONFIRMATION, PromiseKind.APPROVAL),
    }
)


async def called(here: Doors) -> Callable[[str], str]:
    """Return what names somebody by their id; whoever is not on the roster, by the id itself."""
    names: dict[str, str] = {}
    with suppress(Unavailable):
        names = {each.id: each.name for each in await here.registers.staff.members()}
    return lambda id_: names.get(id_, id_)


async def priced(here: Doors, who: Visitor, seen: IssueView) -> dict[str, Any]:
    """Return what ``_paid.html`` and ``_remedy.html`` show of an issue: nothing of one that nobody
    pays for, or complains with; and of a remedy, whose reasons are between those who work on it,
    nothing to others (R30).
    """
    round_ = seen.reopen_count + 1
    is_paid = any(each.kind in _PAID and each.generation == round_ for each in seen.promises)
    complains = seen.behaviour is Behaviour.COMPLAINT and may(who.caller, Right.READ_INTERNAL, seen)
    papers = await here.desk.papers(seen.id, round_) if is_paid or complains else Papers()
    return {
        "paid": papers.paid if is_paid else None,
        "remedy": papers.remedy if complains else None,
        "called": await called(here),
    }


async def departments(here: Doors) -> list[str]:
    """List the departments that somebody works on issues in."""
    members = await here.registers.staff.members()
    return sorted({each.department for each in members if each.role is Role.ENGINEER})
