"""What planning again does to open promises, counted (R32)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

from pydantic import Field

from domain.sla.planning import Planner
from domain.sla.policy import Facts
from domain.sla.promise import Promise, PromiseEnd, PromiseKind
from domain.sla.rulebook import Rulebook
from domain.vocabulary import Instant, Model

PER_SECOND = 5.0
"""Issues planned again a second: a pace at which those who call at the same time hardly notice."""


class Replanned(NamedTuple):
    """A promise before and after it was planned again."""

    before: Promise
    after: Promise


class Move(Model):
    """What becomes of one promise of an issue; ``key`` names it, ``resolution.1``. Where ``after``
    is ``before`` only its thresholds move, or it becomes firm or provisional.
    """

    number: str
    promise: PromiseKind
    key: str
    before: Instant
    after: Instant
    was_provisional: bool
    provisional: bool
    skipped: bool = Field(description="due in the past by the new plan: neither kept nor broken")


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


def moves(number: str, pairs: Iterable[Replanned]) -> Iterator[Move]:
    """Say of an issue's promises what becomes of each."""
    for before, after in pairs:
        yield Move(
            number=number,
            promise=before.kind,
            key=before.key,
            before=before.due_at,
            after=after.due_at,
            was_provisional=before.provisional,
            provisional=after.provisional,
            skipped=after.end is PromiseEnd.SKIPPED,
        )


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
    how many, and ``moves`` what becomes of each promise. ``left`` still go by an older one,
    ``numbers`` names the first of them.
    """

    adoption: int
    version: str
    superseded: bool = False
    tally: Tally = Tally()
    looked: int = 0
    left: int = 0
    numbers: tuple[str, ...] = ()
    moves: tuple[Move, ...] = ()
