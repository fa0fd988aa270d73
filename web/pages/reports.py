"""The reports on pages (R27): which there are, one of them, and the issues behind its figures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, NamedTuple
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from markupsafe import Markup

from domain.reports import telling
from domain.reports.access import reach_into, readable
from domain.reports.definitions import Report, Section
from domain.reports.editions import Change, Edition
from domain.reports.figures import FIGURES, Holds
from domain.reports.layout import laid_out
from domain.reports.periods import Period
from domain.reports.pictures.drawing import Drawing
from domain.reports.pictures.svg import svg
from domain.staff.access import Reach, Right
from domain.vocabulary import Language as Spoken
from starter.reports import Asked, Cell
from web.auth.identity import SignedIn, Visitor, require
from web.context import Doors, Here
from web.rendering import language, render
from web.reports import (
    After,
    FigureName,
    OfRow,
    SectionName,
    WhichEdition,
    read,
    wanted_at_page,
)

router = APIRouter(include_in_schema=False)


_CHANGES = 50
"""What an edition changed is listed as far as that."""


@dataclass(frozen=True)
class Offered:
    """A report that somebody reads, with the last periods that are over, of each length that it is
    made for. ``whole``: of all departments.
    """

    report: Report
    last: list[Period]
    whole: bool


class Changed(NamedTuple):
    """A figure that an edition says otherwise than the one before it: where it stands, and what it
    was and is, in both languages.
    """

    section: telling.Both
    row: telling.Both
    figure: telling.Both
    before: telling.Both
    after: telling.Both


@router.get("/reports")
async def reports_page(request: Request, here: Here, who: SignedIn) -> Response:
    """Show which reports there are for somebody, and their newest periods."""
    require(who, Right.READ_REPORTS)
    zone = await here.registers.reports.zone()
    today = here.now().astimezone(zone).date()
    offered = [
        Offered(
            each,
            [Period.around(cadence, today).before for cadence in each.cadences],
            _reads_all(who, each),
        )
        for each in readable(who.caller)
    ]
    return render(request, "reports.html", who=who, offered=offered, telling=telling)


@router.get("/reports/{name}/{period}")
async def report_page(
    request: Request,
    here: Here,
    who: SignedIn,
    asked: Annotated[Asked, Depends(wanted_at_page)],
    edition: WhichEdition = None,
) -> Response:
    """Show one report as it was issued or is now, its pictures and rules, and ways behind it."""
    counted, issued = await read(here, who, asked, edition)
    return render(
        request,
        "report.html",
        who=who,
        asked=asked,
        counted=counted,
        issued=issued,
        editions=await here.registers.reports.editions(asked),
        changes=_changes(asked, issued),
        most_changes=_CHANGES,
        sheets=laid_out(asked.report, counted, Spoken(language(request))),
        drawn=_drawn,
        periods=(asked.period.before, asked.period.after),
        telling=telling,
        departments=await _departments(here, asked) if _reads_all(who, asked.report) else [],
    )


@router.get("/reports/{name}/{period}/{section}/{figure}")
async def behind_page(  # noqa: PLR0913  what stands in its address
    request: Request,
    here: Here,
    who: SignedIn,
    asked: Annotated[Asked, Depends(wanted_at_page)],
    section: SectionName,
    figure: FigureName,
    *,
    of: OfRow = None,
    after: After = None,
) -> Response:
    """List the issues that a figure was counted of, by number. Each that the reader sees says what
    it is about, and leads to its page.
    """
    cell = Cell(asked.report, section, figure, of)
    found = await here.registers.reports.behind(who.caller, asked, cell, after, here.now())
    stands_in, counted = cell.found()
    kept = {"of": of, "department": asked.department}
    return render(
        request,
        "behind.html",
        who=who,
        asked=asked,
        section=stands_in,
        figure=counted,
        of=of,
        found=found,
        kept=urlencode({key: value for key, value in kept.items() if value}),
        in_words=telling.period(asked.period),
    )


def _changes(asked: Asked, issued: Edition | None) -> list[Changed]:
    """Say what an edition changed, to whoever reads all of it: what stands below several tables
    once.
    """
    if issued is None or asked.department is not None:
        return []
    sections = {each.key: each for each in asked.report.sections}
    whole = {
        (each.figure, str(each.before), str(each.after)): each
        for each in reversed(issued.changes)
        if each.of is None
    }
    once = [each for each in issued.changes if each.of is not None or each in whole.values()]
    return [_told(sections[each.section], each) for each in once if each.section in sections]


def _told(section: Section, change: Change) -> Changed:
    figure = FIGURES.get(change.figure)
    holds = figure.holds if figure else Holds.COUNT
    return Changed(
        (section.zh, section.en),
        (change.zh, change.en),
        (figure.zh, figure.en) if figure else telling.HOW_MANY,
        telling.whole(holds, change.before),
        telling.whole(holds, change.after),
    )


async def _departments(here: Doors, asked: Asked) -> list[str]:
    """List the departments that somebody can choose: all that have people, those at the telephone
    included, and that which is shown.
    """
    members = await here.registers.staff.members()
    return sorted({*(each.department for each in members), *filter(None, [asked.department])})


def _reads_all(who: Visitor, report: Report) -> bool:
    return reach_into(who.caller, report) is Reach.ALL


def _drawn(drawing: Drawing, key: str) -> Markup:
    """Put a picture into the page: all that came in stands in it escaped."""
    return Markup(svg(drawing, key))  # noqa: S704  see above
