"""What the reports (R27) say of whatever was played on a desk of its own: nothing else is in it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

from domain.reports.counted import Counted
from domain.reports.definitions import Report
from domain.reports.figures import FIGURES, When
from domain.reports.periods import Cadence, Period
from domain.sla.policy import Policy
from store.connection import Pool
from store.reports import counting

_TOTALS = "all"
"""The section of what all issues come to together."""


async def counted(
    pool: Pool, reports: Iterable[Report], policy: Policy, now: datetime
) -> list[Counted]:
    """Count reports of the week so far, after those of the week before: a play may be longer than
    its Sunday.
    """
    zone = ZoneInfo(policy.zone)
    week = Period.around(Cadence.WEEK, now.astimezone(zone).date())
    several = tuple(reports)
    return [
        await counting.count(pool, report, each, zone=zone, terms=policy.terms, now=now)
        for each in (week.before, week)
        for report in several
    ]


def said(reports: Iterable[Counted], figure: str) -> int:
    """Add up what a figure counted, week by week; of what stands at the end take the newest."""
    values = (each.value(_TOTALS, figure) for each in reports)
    found = [value.n for value in values if value is not None]
    return sum(found[-1:] if FIGURES[figure].when is When.AT_END else found)
