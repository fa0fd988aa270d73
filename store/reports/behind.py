"""The issues behind a figure: every figure opens down to what it was counted of."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from domain.errors import Refused
from domain.reports.definitions import Report, Section
from domain.reports.figures import Figure
from domain.reports.periods import Period
from domain.terms import Terms
from domain.vocabulary import Code, Model, Stage
from store.connection import Pool
from store.reports.counting import check, rule
from store.reports.statements import Asked, behind, written

MOST = 200
"""Issues of a page."""


class Cell(NamedTuple):
    """Where a figure stands in a report: in the row ``of`` a section, or of all together."""

    report: Report
    section: str
    figure: str
    of: str | None = None

    def found(self) -> tuple[Section, Figure]:
        """Find its section, and the figure in it.

        Raises:
            Refused: ``Invalid``: the report has no such section, or that no such figure.
        """
        try:
            section = self.report.section(self.section)
        except KeyError as error:
            raise Refused("Invalid", f"section: {error.args[0]}") from None
        for figure in section.counted:
            if figure.key == self.figure:
                return section, figure
        known = ", ".join(section.figures)
        raise Refused(
            "Invalid", f"figure: {section.key} has no {self.figure[:40]}; it has: {known}"
        )


class BehindIssue(Model):
    """An issue that counts, with how many facts of it do: two calls about it are two. What it is
    about is told to whoever sees it (R30); to others it is a number.
    """

    number: str
    facts: int
    title: str | None = None
    kind: Code | None = None
    stage: Stage | None = None


class Behind(Model):
    """A page of issues by number; ``facts`` is what all pages have together, which is what the
    figure counts. ``without_issue`` of them belong to no issue: calls about none, evaluations of a
    month's work, cases written by hand. ``next``: the number to go on after; None: that is all.
    """

    facts: int
    without_issue: int
    issues: tuple[BehindIssue, ...]
    next: str | None = None


async def issues(  # noqa: PLR0913  counting asks as much, and from which page on
    pool: Pool,
    cell: Cell,
    period: Period,
    *,
    zone: ZoneInfo,
    terms: Terms,
    now: datetime,
    department: str | None = None,
    after: str | None = None,
) -> Behind:
    """List which issues a figure was counted of, as the register is now, a page at a time.

    Raises:
        Refused: ``Invalid``: there is no such figure, or department, or the report is not made for
            such periods.
        LookupError: no rulebook was ever adopted.
    """
    section, figure = cell.found()
    async with (
        pool.acquire() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        await check(connection, cell.report, period, department, terms)
        _, policy = await rule(connection)
        asked = Asked(period, zone, now, policy.telephone.within_seconds, department)
        statement = written(
            f"""
            WITH found AS ({behind(figure, section, asked, cell.of)})
            SELECT issue, facts, (SELECT sum(facts) FROM found)::int AS all,
                (SELECT sum(facts) FROM found WHERE issue IS NULL)::int AS without
            FROM found ORDER BY issue IS NULL,
                CASE WHEN :after IS NULL OR issue > :after THEN 0 ELSE 1 END, issue
            LIMIT :most
            """,  # noqa: S608  our own text
            asked.given(figure, section.span) | {"code": cell.of, "after": after, "most": MOST + 1},
        )
        rows = await connection.fetch(statement.sql, *statement.values)
    listed = [
        BehindIssue(number=row["issue"], facts=row["facts"])
        for row in rows
        if row["issue"] is not None and (after is None or row["issue"] > after)
    ]
    return Behind(
        facts=rows[0]["all"] if rows else 0,
        without_issue=(rows[0]["without"] or 0) if rows else 0,
        issues=tuple(listed[:MOST]),
        next=listed[MOST - 1].number if len(listed) > MOST else None,
    )
