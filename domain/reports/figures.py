"""Every figure of the reports, defined once: what it is called, how it is counted, and in SQL."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from domain.reports.figure import Aim, Book, Figure, Holds, How, When, met
from domain.reports.of import (
    callbacks,
    calls,
    complaints,
    evaluations,
    issues,
    oversight,
    promises,
)

__all__ = ["FIGURES", "Aim", "Book", "Figure", "Holds", "How", "When", "met"]


def _by_key(figures: Iterable[Figure]) -> Mapping[str, Figure]:
    made: dict[str, Figure] = {}
    for each in figures:
        if each.key in made:
            raise ValueError(f"{each.key} is defined twice")
        made[each.key] = each
    return MappingProxyType(made)


_PARTS = (issues, calls, promises, callbacks, evaluations, complaints, oversight)
FIGURES: Mapping[str, Figure] = _by_key(each for part in _PARTS for each in part.FIGURES)
"""All there are, by key."""
