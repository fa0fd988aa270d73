"""What a rulebook promises on an issue, and why: every rule in order; what the first match says.

For people who write policies, and for those who ask why a promise is as it is.
"""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from domain.sla.planning import Planner
from domain.sla.policy import Considered, Facts, PromiseRule, When
from domain.sla.promise import Promise, PromiseKind
from domain.sla.rulebook import CENTRE, Rulebook
from domain.vocabulary import Code, Instant, Model


class Mismatch(Model):
    """A fact that a rule is not for."""

    field: str
    wanted: tuple[str, ...]
    found: str


class Tried(Model):
    """A rule on the way to the first match. One that is not taken and has no mismatches would have
    matched, too, had none before it.
    """

    rule: Code
    taken: bool
    mismatches: tuple[Mismatch, ...]


class Explained(Model):
    """One kind of promise. ``planned`` is what it comes to if it begins at the instant asked about;
    None where it is counted by the centre's own calendar and nobody said which that is.
    """

    promise: PromiseKind
    tried: tuple[Tried, ...]
    taken: PromiseRule | None
    planned: Promise | None


class Explanation(Model):
    """All kinds of promises on one issue; ``told`` is when the people of the desk are told,
    ``relieved`` whether it changes hands at the end of its handler's shift.
    """

    policy: Code
    version: str
    zone: str
    facts: Facts
    centre_calendar: str | None
    at: Instant
    department: Code = Field(description="it is routed there (R4)")
    told: When
    relieved: bool
    promises: tuple[Explained, ...]


def explain(
    rulebook: Rulebook, facts: Facts, centre_calendar: str | None, at: datetime
) -> Explanation:
    """Explain what is promised on such an issue, were it all to begin at ``at``.

    Raises:
        KeyError: there is no such ``centre_calendar``.
        CalendarExhausted: a calendar runs out of open hours.
    """
    policy = rulebook.policy
    return Explanation(
        policy=policy.name,
        version=rulebook.version,
        zone=policy.zone,
        facts=facts,
        centre_calendar=centre_calendar,
        at=at,
        department=policy.department(facts),
        told=policy.told(facts),
        relieved=policy.relieved(facts),
        promises=tuple(
            _explained(rulebook, facts, centre_calendar, kind, at) for kind in PromiseKind
        ),
    )


def _explained(
    rulebook: Rulebook,
    facts: Facts,
    centre_calendar: str | None,
    kind: PromiseKind,
    at: datetime,
) -> Explained:
    considered = rulebook.policy.considered(kind, facts)
    taken = next((each.rule for each in considered if each.taken), None)
    planned = None
    if taken and (taken.calendar != CENTRE or centre_calendar is not None):
        planned = Planner(rulebook, facts, centre_calendar or CENTRE).make(kind, at)
    return Explained(
        promise=kind,
        tried=tuple(_tried(each, facts) for each in considered),
        taken=taken,
        planned=planned,
    )


def _tried(considered: Considered, facts: Facts) -> Tried:
    rule = considered.rule
    return Tried(
        rule=rule.name,
        taken=considered.taken,
        mismatches=tuple(
            Mismatch(
                field=field,
                wanted=tuple(sorted(map(_said, getattr(rule.select, field)))),
                found=_said(getattr(facts, field)),
            )
            for field in considered.mismatches
        ),
    )


def _said(fact: object) -> str:
    """Write a fact as people say it."""
    return {True: "yes", False: "no"}[fact] if isinstance(fact, bool) else str(fact)
