"""What planning again does to open promises, counted (R32)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from domain.sla.planning import Planner
from domain.sla.policy import Facts
from domain.sla.promise import Promise, PromiseEnd
from domain.sla.rulebook import Rulebook
from domain.vocabulary import Model

PER_SECOND = 5.0
"""Issues planned again a second: a pace at which those who call at the same time hardly notice."""


class Replanned(NamedTuple):
    """A promise before and after it was planned again."""

    before: Promise
    after: Promise


class Tally(Model):
    """How many promises planning again changed, and how. A promise that became firm may have moved
    too. ``changed`` counts other thresholds or figures as well.
    """

    issues: int = 0
    changed: int = 0
    earlier: int = 0
    later: int = 0
    firm: int = 0
    provisional: int = 0
    skipped: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            **{name: getattr(self, name) + getattr(other, name) for name in Tally.model_fields}
        )


def replanned(
    rulebook: Rulebook, facts: Facts, calendar: str, promises: Iterable[Promise], now: datetime
) -> tuple[Replanned, ...]:
    """Plan an issue's promises again; what comes out the same is left out. ``calendar`` is its
    centre's.
    """
    planner = Planner(rulebook, facts, calendar)
    pairs = (Replanned(promise, planner.replan(promise, now)) for promise in promises)
    return tuple(pair for pair in pairs if pair.before != pair.after)


def tally(pairs: Iterable[Replanned]) -> Tally:
    """Count what became of the promises of one issue; nothing is nothing."""
    pairs = tuple(pairs)
    return Tally(
        issues=int(bool(pairs)),
        changed=len(pairs),
        earlier=sum(after.due_at < before.due_at for before, after in pairs),
        later=sum(after.due_at > before.due_at for before, after in pairs),
        firm=sum(before.provisional and not after.provisional for before, after in pairs),
        provisional=sum(after.provisional for _, after in pairs),
        skipped=sum(after.end is PromiseEnd.SKIPPED for _, after in pairs),
    )


class Order(Model):
    """Which adoption to carry through, at how many issues a second."""

    adoption: int
    per_second: float


class Report(Model):
    """What a rulebook that was loaded did to the open issues, or would do: then ``looked`` says at
    how many. ``left`` still go by an older one, ``numbers`` names the first of them.
    """

    adoption: int
    version: str
    superseded: bool = False
    tally: Tally = Tally()
    looked: int = 0
    left: int = 0
    numbers: tuple[str, ...] = ()
