"""Who may work on what (R16, R46): certificates, quarterly tests, and what the desk asks of them.

Days are the desk's. What the roster does not say of somebody is asked only if the policy requires
it: a plain list of product lines means what it always meant.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Annotated, NamedTuple

from pydantic import Field, ValidationInfo, field_validator

from domain.sla.policy import Mark, Qualification
from domain.vocabulary import Code, Model

_Day = Annotated[date, Field(ge=date(2000, 1, 1), le=date(2999, 12, 31))]


class Certification(Model):
    """The right to work on a product line, perhaps until a last day (R16); with the day and the
    score of its examination if the roster has them (上岗证, R46).
    """

    product_line: Code
    until: date | None = None
    passed_on: date | None = None
    score: Mark | None = None

    def covers(self, product_line: str, day: date) -> bool:
        """Say whether it allows work on that line on that local day."""
        return self.product_line == product_line and (self.until is None or day <= self.until)


class KnowledgeTest(Model):
    """A quarterly test of what somebody knows (R46)."""

    on: date
    score: Mark

    @property
    def counts_until(self) -> date:
        """The last day of the quarter after: by then the next one is taken."""
        months = self.on.year * 12 + (self.on.month - 1) // 3 * 3 + 6
        return date(months // 12, months % 12 + 1, 1) - timedelta(days=1)


class Examination(Model):
    """A line of ``examinations.csv``: for a product line it is that certificate, without one the
    quarterly test.
    """

    person: Code
    product_line: Code | None = None
    on: _Day
    score: Mark
    until: _Day | None = None

    @field_validator("until")
    @classmethod
    def _ends_after_it_begins(cls, until: date | None, info: ValidationInfo) -> date | None:
        on = info.data.get("on")
        if until and on and until < on:
            raise ValueError(f"{until} is before {on}, the day of the examination")
        if until and "product_line" in info.data and info.data["product_line"] is None:
            raise ValueError("a quarterly test has no last day of its own: leave it empty")
        return until

    def __str__(self) -> str:
        """Name it, as findings do."""
        return f"examination of {self.person} on {self.on}"

    @property
    def certificate(self) -> Certification | None:
        """The certificate that it is; None: it is a quarterly test."""
        if self.product_line is None:
            return None
        return Certification(
            product_line=self.product_line, until=self.until, passed_on=self.on, score=self.score
        )


def lacks(
    certified: Sequence[Certification],
    tests: Sequence[KnowledgeTest],
    product_line: str,
    day: date,
    asked: Qualification,
) -> str | None:
    """Say what keeps somebody from a product line on a day, as what follows their name; None: they
    may work on it.
    """
    return _uncertified(certified, product_line, day, asked) or _untested(tests, day, asked)


def _uncertified(
    certified: Sequence[Certification], product_line: str, day: date, asked: Qualification
) -> str | None:
    valid = [certificate for certificate in certified if certificate.covers(product_line, day)]
    if not valid:
        return _without_certificate(certified, product_line)
    if any(each.score is not None and each.score >= asked.certificate for each in valid):
        return None
    examined = [each.score for each in valid if each.score is not None]
    if examined:
        return (
            f"is not certified for {product_line}: the examination was {max(examined)},"
            f" {asked.certificate} is asked"
        )
    return f"has no examination for {product_line} on the roster" if asked.required else None


def _without_certificate(certified: Sequence[Certification], product_line: str) -> str:
    ended = [c.until for c in certified if c.product_line == product_line and c.until]
    if ended:
        return f"is not certified for {product_line} any more: that ended on {max(ended)}"
    lines = ", ".join(sorted({c.product_line for c in certified})) or "nothing"
    return f"is not certified for {product_line}, only for {lines}"


def _untested(tests: Sequence[KnowledgeTest], day: date, asked: Qualification) -> str | None:
    if not asked.knowledge:
        return None
    newest = newest_test(tests, day)
    if newest and newest.score < asked.knowledge:
        return f"got {newest.score} in the test of {newest.on}, {asked.knowledge} is asked"
    if not asked.required or (newest and day <= newest.counts_until):
        return None
    return f"took no test since {newest.on}" if newest else "has no quarterly test on the roster"


def newest_test(tests: Sequence[KnowledgeTest], day: date) -> KnowledgeTest | None:
    """Return the last test that was taken by a day."""
    taken = [test for test in tests if test.on <= day]
    return max(taken, key=lambda test: test.on, default=None)


class Ending(NamedTuple):
    """The last day of a certificate, or of a quarterly test (no product line)."""

    product_line: str | None
    last: date


def ending(
    certified: Sequence[Certification],
    tests: Sequence[KnowledgeTest],
    day: date,
    until: date,
    asked: Qualification,
) -> Iterator[Ending]:
    """Name what of somebody's papers has ended, or ends by a day to come."""
    for line in sorted({c.product_line for c in certified}):
        last = max(c.until or date.max for c in certified if c.product_line == line)
        if last <= until:
            yield Ending(line, last)
    newest = newest_test(tests, day)
    if asked.knowledge and newest and newest.counts_until <= until:
        yield Ending(None, newest.counts_until)


def lapsing(
    certified: Sequence[Certification],
    tests: Sequence[KnowledgeTest],
    day: date,
    until: date,
    asked: Qualification,
) -> Iterator[str]:
    """Say what of somebody's papers has ended, ends by a day to come, or does not suffice."""
    ends = dict(ending(certified, tests, day, until, asked))
    for line in sorted({c.product_line for c in certified}):
        if last := ends.get(line):
            yield f"{line} {'ended' if last < day else 'ends'} on {last}"
        elif asked.certificate and (reason := _uncertified(certified, line, day, asked)):
            yield reason
    if reason := _untested(tests, day, asked):
        yield reason
    elif last := ends.get(None):
        yield f"the quarterly test {'counted' if last < day else 'counts'} until {last}"
