r"""Quality checks (R28): a fair sample of the closed records, and what was found in it.

Anybody can draw a sample again: within each handler's records, those come first whose SHA-256 of
seed, line feed and issue id is the smallest (``printf '%s\n%s' SEED ID | sha256sum``).
"""

from __future__ import annotations

import hashlib
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from fractions import Fraction

from pydantic import Field, model_validator

from domain.errors import Refused
from domain.sla.policy import Quality
from domain.vocabulary import SUPERVISORS, Actor, Code, Instant, Line, Model, Words

LONGEST = timedelta(days=366)
"""More than a year is no period of checks but a typing error."""


class Days(Model):
    """A period in local days of the desk's zone, both included."""

    first: date
    last: date

    @model_validator(mode="after")
    def _forwards_and_not_endless(self) -> Days:
        if self.last < self.first:
            msg = f"until: {self.last} lies before from: {self.first}"
            raise ValueError(msg)
        if self.last - self.first >= LONGEST:
            msg = f"from: {self.first} to {self.last} is more than a year: draw shorter periods"
            raise ValueError(msg)
        return self

    def check_over(self, today: date) -> None:
        """Refuse a period in which more may yet be closed: that would have no chance to be drawn.

        Raises:
            Refused: ``Invalid``.
        """
        if self.last >= today:
            yesterday = today - timedelta(days=1)
            raise Refused(
                "Invalid", f"until: {self.last} is not over yet: give {yesterday} or earlier"
            )


class Lot(Days):
    """What is drawn from, and what chance hangs on."""

    seed: Line


def usual_seed(first: date, last: date) -> str:
    """Make a seed of the period: with it nobody can draw until the sample suits them."""
    return f"{first}/{last}"


# Drawing ------------------------------------------------------------------------------------------


class Closed(Model):
    """A closed issue, and whose record it is: the engineer's, or the agent's who answered it."""

    issue_id: str
    handler: str


def draw(records: Iterable[Closed], share: float, seed: str) -> tuple[Closed, ...]:
    """Draw at least that share of every handler's records; in their order the handlers do not
    count, nor does the order in which the records come.
    """
    strata: defaultdict[str, list[Closed]] = defaultdict(list)
    for record in records:
        strata[record.handler].append(record)
    drawn = (
        record
        for stratum in strata.values()
        for record in _ordered(stratum, seed)[: size(share, len(stratum))]
    )
    return tuple(_ordered(drawn, seed))


def size(share: float, records: int) -> int:
    """How many of so many records are checked: rounded up, so that everybody is looked at."""
    return math.ceil(_part(share, records))


def rank(seed: str, issue_id: str) -> str:
    """Where a record stands in the draw: 64 hex digits, as good as random and no one's choice."""
    return hashlib.sha256(f"{seed}\n{issue_id}".encode()).hexdigest()


def _ordered(records: Iterable[Closed], seed: str) -> list[Closed]:
    return sorted(records, key=lambda record: rank(seed, record.issue_id))


def _part(share: float, of: int) -> Fraction:
    """A share as it is written: 7 % of 100 are 7, not 7.000000000000001."""
    return Fraction(str(share)) * of


# Checking -----------------------------------------------------------------------------------------


class Check(Model):
    """What somebody found in a record: an error, or none. Checking again corrects it."""

    by: Actor
    error: Words | None = Field(default=None, description="what is wrong; None: nothing")


class Finding(Model):
    """A check as it stands."""

    checker: str
    error: str | None
    revision: int
    checked_at: Instant


class ToHear(Model):
    """A call about a record, for whoever checks it to listen to (R45)."""

    at: Instant
    talk_seconds: int
    recording: str


class Sampled(Model):
    """A record that was drawn; ``hands`` are those who wrote in it. No customer data (R30).
    ``closed_at`` is None while the issue is open again (R24): what was drawn stays drawn.
    """

    issue_id: str
    number: str
    title: str
    kind: Code
    product_line: str
    closed_at: Instant | None
    handler: str
    handler_name: str | None
    hands: frozenset[str] = Field(exclude=True)
    findings: tuple[Finding, ...] = ()
    calls: tuple[ToHear, ...] = ()

    @property
    def in_error(self) -> bool:
        """Somebody found an error that stands."""
        return any(finding.error for finding in self.findings)


class Sample(Model):
    """A sample as it was drawn, in the order of the draw."""

    number: int
    days: Days
    zone: str
    seed: Line
    share: float
    rulebook: str = Field(description="whose figures count for it")
    population: Mapping[str, int] = Field(description="records closed in the period, by handler")
    drawn_by: str
    drawn_at: Instant
    records: tuple[Sampled, ...]

    def record(self, number_or_id: str) -> Sampled | None:
        """Return a drawn record by its issue's number or id."""
        return next((r for r in self.records if number_or_id in {r.number, r.issue_id}), None)


def check_supervisor(by: Actor) -> None:
    """Quality is the business of those who lead.

    Raises:
        Refused: ``NotYours``.
    """
    if by.role not in SUPERVISORS:
        roles = ", ".join(sorted(SUPERVISORS))
        raise Refused("NotYours", f"by: quality checks are for {roles}; {by.id} is {by.role}")


def check_checker(record: Sampled, by: Actor) -> None:
    """Nobody checks a record that they wrote in themselves.

    Raises:
        Refused: ``NotYours``.
    """
    check_supervisor(by)
    if by.id in record.hands:
        raise Refused(
            "NotYours", f"by: {record.number} is {by.id}'s own work: somebody else checks it"
        )


# What came of it ----------------------------------------------------------------------------------


class Standing(Model):
    """How one person's records came off, or all of them. ``error_rate`` is of those checked, 0 to
    1; None before the first.
    """

    records: int
    drawn: int
    checked: int
    errors: int
    error_rate: float | None
    retraining: bool


class PersonStanding(Standing):
    """How one handler's records came off."""

    person: str
    name: str | None


class Heard(Model):
    """Callbacks of a period in which customers said whether they are satisfied."""

    asked: int
    satisfied: int


class Satisfaction(Heard):
    """Their share, 0 to 1, beside the goal; None if nobody said anything."""

    rate: float | None
    goal: float
    reached: bool | None


class Ended(Model):
    """Promises of the desk that ended in a period; ``by_own_word`` of the kept ones are so by what
    somebody said when they were broken already (R11, R12).
    """

    kept: int = 0
    broken: int = 0
    by_own_word: int = 0


class Punctuality(Ended):
    """The share of those kept, and of these the share by own word, 0 to 1; None if there are
    none.
    """

    rate: float | None
    own_word_rate: float | None


class Report(Model):
    """What came of a sample so far, by the figures of its rulebook."""

    sample: int
    days: Days
    share: float
    error_limit: float
    total: Standing
    people: tuple[PersonStanding, ...]
    satisfaction: Satisfaction
    punctuality: Punctuality


def report(sample: Sample, figures: Quality, heard: Heard, ended: Ended) -> Report:
    """Add a sample up. A record checked by several counts once, and as an error if one of them
    found one. Only more errors than the limit mean retraining.
    """
    of: defaultdict[str, list[Sampled]] = defaultdict(list)
    for record in sample.records:
        of[record.handler].append(record)
    return Report(
        sample=sample.number,
        days=sample.days,
        share=sample.share,
        error_limit=figures.errors,
        total=Standing(**_figures(sample.population.values(), sample.records, figures.errors)),
        people=tuple(
            PersonStanding(
                person=person,
                name=records[0].handler_name,
                **_figures([sample.population[person]], records, figures.errors),
            )
            for person, records in sorted(of.items())
        ),
        satisfaction=Satisfaction(
            asked=heard.asked,
            satisfied=heard.satisfied,
            rate=_rate(heard.satisfied, heard.asked),
            goal=figures.satisfaction,
            reached=heard.satisfied >= _part(figures.satisfaction, heard.asked)
            if heard.asked
            else None,
        ),
        punctuality=Punctuality(
            **dict(ended),
            rate=_rate(ended.kept, ended.kept + ended.broken),
            own_word_rate=_rate(ended.by_own_word, ended.kept),
        ),
    )


def _figures(
    population: Iterable[int], records: Iterable[Sampled], limit: float
) -> dict[str, int | float | bool | None]:
    drawn = tuple(records)
    checked = sum(bool(record.findings) for record in drawn)
    errors = sum(record.in_error for record in drawn)
    return {
        "records": sum(population),
        "drawn": len(drawn),
        "checked": checked,
        "errors": errors,
        "error_rate": _rate(errors, checked),
        "retraining": errors > _part(limit, checked),
    }


def _rate(part: int, of: int) -> float | None:
    return part / of if of else None
