"""Whose issues somebody sees in a list."""

from __future__ import annotations

from domain.staff.access import Caller, Reach, Right, reach
from domain.vocabulary import Role
from web.problems import not_yours


def own(caller: Caller) -> dict[str, str]:
    """Name the column of an issue that says whether somebody may see it, and what it then holds;
    nothing: they see all.

    Raises:
        Problem: 403, there is nothing that they see.
    """
    match reach(caller.role, Right.SEE):
        case Reach.ALL:
            return {}
        case Reach.OWN:
            field, held = "source" if caller.role is Role.INTAKE else "engineer", caller.id
        case _:
            field, held = "department", caller.department or ""
    if not held:
        raise not_yours(f"{field}: {caller.id} sees the issues of nobody")
    return {field: held}
