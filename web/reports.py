"""Which report somebody asks for, at whichever door, and reading it for them (R27, R30)."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Query
from pydantic import BeforeValidator

from domain.reports.counted import Counted
from domain.staff.access import Right
from domain.vocabulary import Code
from starter.reports import NOW, Asked, Edition
from web.auth.identity import Authenticated, SignedIn, Visitor, require
from web.context import Doors, Here

ReportName = Annotated[str, Path(description="a report by its name in addresses")]
PeriodName = Annotated[str, Path(description="2026-W47, 2026-11, 2026-Q4 or 2026")]
OfDepartment = Annotated[
    Code | None,
    BeforeValidator(lambda said: said or None),  # a form that is sent without one says nothing
    Query(description="of this department only; leads and managers: their own"),
]


async def wanted_by_program(
    here: Here,
    who: Authenticated,
    name: ReportName,
    period: PeriodName,
    department: OfDepartment = None,
) -> Asked:
    """Read which report is asked for, of what of it the caller reads.

    Raises:
        Refused: there is no such report, period or department, or it is not for them.
        Problem: 403.
    """
    require(who, Right.READ_REPORTS)
    return await here.registers.reports.asked(who.caller, name, period, department)


async def wanted_at_page(
    here: Here,
    who: SignedIn,
    name: ReportName,
    period: PeriodName,
    department: OfDepartment = None,
) -> Asked:
    """Read the same of somebody at a page, who is sent to sign in if they have not."""
    return await wanted_by_program(here, who, name, period, department)


_WRITTEN = r"^[^\x00]*$"  # PostgreSQL knows every character but this one
SectionName = Annotated[str, Path(description="a section of the report, by its key")]
FigureName = Annotated[str, Path(description="a figure of that section, by its key")]
OfRow = Annotated[
    str | None,
    Query(
        max_length=200,
        pattern=_WRITTEN,
        description="of the row of this code; otherwise of all together",
    ),
]
After = Annotated[
    str | None,
    Query(
        max_length=40,
        pattern=_WRITTEN,
        description="the number of an issue: list those behind it",
    ),
]


WhichEdition = Annotated[
    int | None,
    Query(
        ge=NOW,
        lt=2**31,
        description="as it was issued under this number, otherwise in its newest edition; counted "
        "now for 0, or if it was not issued",
    ),
]


async def read(
    here: Doors, who: Visitor, asked: Asked, edition: int | None
) -> tuple[Counted, Edition | None]:
    """Read a report; a look at what customers said is written down before it is shown (R30).

    Raises:
        Refused: there is no such edition, or it cannot be counted so.
    """
    now = here.now()
    counted, issued = await here.registers.reports.read(who.caller, asked, edition, now)
    said = {each.issue for section in counted.sections for each in section.words}
    if said:
        looks = [who.entry(Right.READ_REPORTS, "seen", number) for number in sorted(said)]
        await here.registers.audit_trail.note(*looks)
    return counted, issued
