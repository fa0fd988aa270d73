"""The reports (R27) for whoever is at a door: which they read, counted now, and what is behind."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from domain.errors import Refused
from domain.issue.view import IssueView
from domain.reports import definitions
from domain.reports.access import department_for, reads_words
from domain.reports.counted import Counted
from domain.reports.definitions import Report
from domain.reports.editions import Edition
from domain.reports.periods import Period
from domain.reports.watched import Watched
from domain.staff.access import Caller, Right, may
from domain.terms import Terms
from starter.answering import OnRegisters, Unavailable, answered
from store import issue_reader
from store.connection import Pool
from store.reports import behind, counting, editions, watching
from store.reports.behind import Behind, BehindIssue, Cell
from store.reports.editions import Heading
from store.rulebooks import Rulebooks

__all__ = [
    "NOW",
    "Asked",
    "Behind",
    "BehindIssue",
    "Cell",
    "Edition",
    "Heading",
    "Reports",
    "Watched",
]

NOW = 0
"""Whoever asks for this edition wants what the register says now."""


@dataclass(frozen=True)
class Asked:
    """Which report somebody wants of which period, as far as they read it."""

    report: Report
    period: Period
    department: str | None
    zone: ZoneInfo
    terms: Terms


class Reports(OnRegisters):
    """What the management reads of the desk."""

    def __init__(self, pool: Pool) -> None:
        super().__init__(pool)
        self._rulebooks = Rulebooks()

    async def zone(self) -> ZoneInfo:
        """Say by whose days periods begin and end."""
        zone, _ = await self._goes_by()
        return zone

    async def counted(self, who: Caller, asked: Asked, now: datetime) -> Counted:
        """Count a report; what customers said is left out for whoever may not read it (R30)."""
        found = await answered(
            counting.count(
                self._pool,
                asked.report,
                asked.period,
                zone=asked.zone,
                terms=asked.terms,
                now=now,
                department=asked.department,
            )
        )
        return found if reads_words(who) else found.without_words()

    async def read(
        self, who: Caller, asked: Asked, edition: int | None, now: datetime
    ) -> tuple[Counted, Edition | None]:
        """Read a report as it was issued under a number, or in its newest edition; counted now if
        there is none, or if ``NOW`` is asked for.

        Raises:
            Refused: ``NotFound``: there is no such edition; ``Invalid``: as ``counted``.
        """
        found = None if edition == NOW else await self._edition(asked, edition)
        if found is None:
            return await self.counted(who, asked, now), None
        counted = found.for_department(asked.department)
        return counted if reads_words(who) else counted.without_words(), found

    async def editions(self, asked: Asked) -> list[Heading]:
        """List the editions there are of what somebody reads, the newest first."""
        return await answered(
            editions.headings(
                self._pool,
                report=asked.report.name,
                period=asked.period.name,
                department=asked.department,
            )
        )

    async def _edition(self, asked: Asked, edition: int | None) -> Edition | None:
        about = asked.report.name, asked.period.name
        async with self._connected() as connection:
            if edition is None:
                found = await editions.newest(connection, *about)
            else:
                found = await editions.numbered(connection, *about, edition)
        if found and found.part(asked.department):
            return found
        if edition is None:
            return None
        there = ", ".join(str(each.edition) for each in await self.editions(asked)) or "none"
        of = f" of {asked.department}" if asked.department else ""
        raise Refused("NotFound", f"there is no edition {edition}{of}; there are: {there}")

    async def behind(
        self, who: Caller, asked: Asked, cell: Cell, after: str | None, now: datetime
    ) -> Behind:
        """List the issues that a figure was counted of, by number, a page at a time; what they are
        about of those that somebody sees.

        Raises:
            Refused: ``Invalid``: the report has no such section or figure, or as ``counted``.
        """
        found = await answered(
            behind.issues(
                self._pool,
                cell,
                asked.period,
                zone=asked.zone,
                terms=asked.terms,
                now=now,
                department=asked.department,
                after=after,
            )
        )
        numbers = [each.number for each in found.issues]
        issues = await answered(issue_reader.numbered(self._pool, numbers))
        seen = {each.number: each for each in issues if may(who, Right.SEE, each)}
        told = tuple(_about(each, seen.get(each.number)) for each in found.issues)
        return found.model_copy(update={"issues": told})

    async def watched(self, now: datetime) -> Watched:
        """Count what is watched from afar; it takes one connection, and PostgreSQL a second or so.

        Raises:
            Unavailable: also if it takes too long.
        """
        zone, terms = await self._goes_by()
        return await answered(watching.count(self._pool, zone=zone, terms=terms, now=now))

    async def asked(self, who: Caller, name: str, period: str, department: str | None) -> Asked:
        """Read which report is wanted.

        Raises:
            Refused: ``NotFound``: there is no such report; ``Invalid``: no such period;
                ``NotYours``: it is not for them, or not of that department.
        """
        try:
            report = definitions.named(name)
        except LookupError as error:
            raise Refused("NotFound", str(error.args[0])) from None
        whose = department_for(who, report, department)
        try:
            wanted = Period.named(period)
        except ValueError as error:
            raise Refused("Invalid", f"period: {error}") from None
        zone, terms = await self._goes_by()
        return Asked(report, wanted, whose, zone, terms)

    async def _goes_by(self) -> tuple[ZoneInfo, Terms]:
        async with self._connected() as connection:
            current = await self._rulebooks.newest(connection)
        if current is None:
            raise Unavailable("the desk has no policy yet")
        return ZoneInfo(current.policy.zone), current.policy.terms


def _about(counts: BehindIssue, issue: IssueView | None) -> BehindIssue:
    if issue is None:
        return counts
    about = {"title": issue.title, "kind": issue.kind, "stage": issue.stage}
    return counts.model_copy(update=about)
