"""Which reports there are (R27), by name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from domain.reports.any_time import ANSWERED, SATISFACTION
from domain.reports.monthly import (
    COMPLAINTS,
    CONTRIBUTIONS,
    DIFFICULTY,
    EVALUATIONS,
    PAY,
    QUALITY,
    TELEPHONE,
)
from domain.reports.report import Picture, Report, Section, Span
from domain.reports.weekly import CALLBACKS, EFFECTIVENESS

__all__ = ["REPORTS", "Picture", "Report", "Section", "Span", "named"]

_ALL = (
    *(CALLBACKS, EFFECTIVENESS),
    *(DIFFICULTY, EVALUATIONS, COMPLAINTS, QUALITY, CONTRIBUTIONS, PAY, TELEPHONE),
    *(ANSWERED, SATISFACTION),
)
REPORTS: Mapping[str, Report] = MappingProxyType({each.name: each for each in _ALL})
"""All there are, by name."""


def named(written: str) -> Report:
    """Find a report by its name, as commands or as the regulation write it.

    Raises:
        LookupError: naming all there are.
    """
    wanted = written.strip("《》 ").replace("-", "_")
    for report in REPORTS.values():
        if wanted in {report.name, report.zh}:
            return report
    raise LookupError(f"there is no report {written[:40]}; there are: {', '.join(REPORTS)}")
