"""Who reads which report, and how much of it (R27, R30): what the table of readers comes to."""

from __future__ import annotations

from collections.abc import Iterable

from domain.errors import Refused
from domain.reports.definitions import REPORTS, Report
from domain.reports.figures import Figure
from domain.staff.access import Caller, Reach, Right, reach
from domain.vocabulary import Role


def not_readers(report: Report, roles: Iterable[Role]) -> tuple[Role, ...]:
    """Name those of some roles whose people read nothing of a report."""
    return tuple(each for each in roles if _reach(each, report) is Reach.NONE)


def _reach(role: Role, report: Report) -> Reach:
    if reach(role, Right.READ_REPORTS) is Reach.NONE:
        return Reach.NONE
    return report.readers.get(role, Reach.NONE)


def reach_into(caller: Caller, report: Report) -> Reach:
    """Say how much of a report somebody reads: all of it, their department's part, or nothing."""
    found = _reach(caller.role, report)
    return Reach.NONE if found is Reach.DEPARTMENT and caller.department is None else found


def readable(caller: Caller) -> list[Report]:
    """List the reports that somebody reads."""
    return [each for each in REPORTS.values() if reach_into(caller, each) is not Reach.NONE]


def reach_of(caller: Caller, figure: Figure) -> Reach:
    """Say how much of a figure somebody reads, in whichever report has it."""
    found = {reach_into(caller, each) for each in REPORTS.values() if figure in each.figures}
    return next((each for each in (Reach.ALL, Reach.DEPARTMENT) if each in found), Reach.NONE)


def department_for(caller: Caller, report: Report, asked: str | None) -> str | None:
    """Say of which department somebody reads a report who asked for one, or for none; None: of all.

    Raises:
        Refused: ``NotYours``.
    """
    match reach_into(caller, report):
        case Reach.ALL:
            return asked
        case Reach.DEPARTMENT if asked in {None, caller.department}:
            return caller.department
        case Reach.DEPARTMENT:
            raise Refused("NotYours", f"department: {caller.id} reads {caller.department} only")
        case _:
            raise Refused("NotYours", f"the report {report.name} is not for {caller.role}")


def reads_words(caller: Caller) -> bool:
    """Say whether somebody reads in a report what customers said (R30, R41): as on the page of
    opinions, and there too of their own department only unless they read all.
    """
    return reach(caller.role, Right.READ_OPINIONS) is not Reach.NONE
