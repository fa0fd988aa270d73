"""What the management reads of the desk, as data over HTTP (R27)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, Field

from domain.reports import telling
from domain.reports.access import reach_into, readable
from domain.reports.counted import Counted
from domain.reports.definitions import Report
from domain.reports.periods import Cadence, Period
from domain.staff.access import Reach, Right
from domain.vocabulary import Instant
from starter.reports import Asked, Behind, Cell
from web.api.document import NO_REPORT, told
from web.api.shapes import answer
from web.auth.identity import Authenticated, require
from web.choosing import ForPrograms
from web.context import Here
from web.reports import (
    After,
    FigureName,
    OfRow,
    SectionName,
    WhichEdition,
    read,
    wanted_by_program,
)

router = APIRouter(route_class=ForPrograms)
"""What people at a browser find at the same addresses is a page (``web/pages/reports.py``)."""


class InBoth(BaseModel):
    """The same in Chinese and in English."""

    zh: str
    en: str


class KnownReport(BaseModel):
    """A report that the caller may read. The last period that is over is the newest whole one."""

    report: str = Field(description="what it is called in addresses")
    name: InBoth
    cadences: list[Cadence] = Field(description="how long the periods are that it is made for")
    reach: Reach = Field(description="whether the caller reads all of it, or their department's")
    newest: str = Field(description="the last period that is over, of the first of its cadences")


class KnownReports(BaseModel):
    """Those that the caller may read."""

    items: list[KnownReport]


class OfFigure(BaseModel):
    """What a figure is: its name, and in a sentence how it is counted."""

    figure: str
    name: InBoth
    rule: InBoth
    holds: str = Field(description="count, share (0 to 1), seconds, score, money or points")


class CountedReport(BaseModel):
    """A report of one period, with what its figures mean."""

    name: InBoth
    period: InBoth
    figures: list[OfFigure]
    edition: int | None = Field(description="which it is; null: counted now")
    issued_at: Instant | None
    counted: Counted


@router.get(
    "/reports",
    operation_id="list_reports",
    summary="报表 Which reports there are",
    tags=["reports"],
    responses={200: told("those that the caller may read", KnownReports)},
)
async def list_reports(here: Here, who: Authenticated) -> Response:
    """For leads and managers those of their department."""
    require(who, Right.READ_REPORTS)
    zone = await here.registers.reports.zone()
    today = here.now().astimezone(zone).date()
    known = [
        KnownReport(
            report=each.name,
            name=_both((each.zh, each.en)),
            cadences=list(each.cadences),
            reach=reach_into(who.caller, each),
            newest=Period.around(each.cadences[0], today).before.name,
        )
        for each in readable(who.caller)
    ]
    return answer(KnownReports(items=known))


@router.get(
    "/reports/{name}/{period}",
    operation_id="show_report",
    summary="报表 One report",
    tags=["reports"],
    responses={200: told("its figures, and what they mean", CountedReport), 404: NO_REPORT},
)
async def show_report(
    here: Here,
    who: Authenticated,
    asked: Annotated[Asked, Depends(wanted_by_program)],
    edition: WhichEdition = None,
) -> Response:
    """As issued, or counted now: a period that is not over as far as it is, and says so. A figure
    without data is null, never nought or everything. What customers said is there for whoever may
    read it, and that look is recorded (R30).
    """
    counted, issued = await read(here, who, asked, edition)
    return answer(
        CountedReport(
            name=_both((asked.report.zh, asked.report.en)),
            period=_both(telling.period(asked.period)),
            figures=_figures(asked.report),
            edition=issued.edition if issued else None,
            issued_at=issued.issued_at if issued else None,
            counted=counted,
        ),
        Cache_Control="no-store",
    )


@router.get(
    "/reports/{name}/{period}/{section}/{figure}",
    operation_id="show_behind",
    summary="报表 Which issues a figure was counted of",
    tags=["reports"],
    responses={200: told("by number; `next` is the `after` to go on with", Behind), 404: NO_REPORT},
)
async def show_behind(
    here: Here,
    who: Authenticated,
    asked: Annotated[Asked, Depends(wanted_by_program)],
    section: SectionName,
    figure: FigureName,
    *,
    of: OfRow = None,
    after: After = None,
) -> Response:
    """As the register is now: `facts` is what the figure counts. What an issue is about is told of
    those that the caller sees.
    """
    cell = Cell(asked.report, section, figure, of)
    found = await here.registers.reports.behind(who.caller, asked, cell, after, here.now())
    return answer(found)


def _figures(report: Report) -> list[OfFigure]:
    return [
        OfFigure(
            figure=each.key,
            name=_both((each.zh, each.en)),
            rule=_both((each.rule_zh, each.rule_en)),
            holds=each.holds,
        )
        for each in report.figures
    ]


def _both(said: tuple[str, str]) -> InBoth:
    return InBoth(zh=said[0], en=said[1])
