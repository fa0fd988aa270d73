"""What an intake system hands in (R1-R5) and what of it may be wrong."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Annotated

from pydantic import BeforeValidator, Field, StringConstraints, model_validator

from domain import telephone
from domain.terms import Terms, behaviour_of, is_outside
from domain.vocabulary import (
    LONGEST_TEXT,
    Behaviour,
    Channel,
    Code,
    Consent,
    CustomerType,
    Instant,
    Language,
    Line,
    Model,
    Severity,
    Text,
)

OLDEST_REPORT = timedelta(days=366)
"""A report older than this is a typing error, not an issue."""
CLOCK_SKEW = timedelta(minutes=5)
"""How far somebody's clock may run ahead of ours, and nobody speaks of it."""
AHEAD = timedelta(days=1)
"""How far at most: one that is wrong, or set to another zone. Whatever it says is taken as now, and
kept beside it; more is a typing error.
"""
CLOCK_AHEAD = "来报时钟超前，按收到时间登记 Clock ahead of ours, registered as now"
"""Begins what is kept of it: the end of a description."""

Phone = Annotated[str, StringConstraints(pattern=r"^\+?[0-9][0-9 ()-]{4,24}$")]
EMAIL = r"^[^@\s\x00-\x1f]+@[^@\s\x00-\x1f]+\.[^@\s\x00-\x1f]+$"
Email = Annotated[str, StringConstraints(max_length=254, pattern=EMAIL)]


def _without_blanks(name: object) -> object:
    return "".join(name.split()) if isinstance(name, str) else name


Region = Annotated[Code, BeforeValidator(_without_blanks)]
"""What a region is called, however it is spaced: ``广东 省``."""


class Customer(Model):
    """Who is promised something (R2). Confidential (R30): never in a search attribute or a log."""

    name: Line
    type: CustomerType = CustomerType.ENTERPRISE
    existing: bool = True
    organisation: Line | None = None
    contact: Line | None = Field(default=None, description="contact person, if not the customer")
    phone: Phone | None = None
    email: Email | None = None
    language: Language | None = Field(
        default=None,
        description="what they are written to in; as the desk writes, if left out",
        # Left out, it is as if there was no such field: the digests of before still hold.
        exclude_if=lambda said: said is None,
    )

    @model_validator(mode="after")
    def _can_be_reached(self) -> Customer:
        if self.phone is None and self.email is None:
            msg = "contact missing: give a phone or an email, every issue gets a reply (R6)"
            raise ValueError(msg)
        return self


class Intake(Model):
    """One customer issue as an intake system knows it. ``source`` and ``reference`` identify it:
    the same pair is the same issue, however often it comes in.
    """

    source: Code = Field(description="the intake system: hotline, web, …")
    reference: Code = Field(description="that system's own reference (R2)")
    channel: Channel
    kind: Code = Field(description="one of the kinds of the policy (R3)")
    category: Code = Field(description="one of the categories of the policy (R4)")
    severity: Severity = Severity.GENERAL
    product_line: Code
    region: Region = Field(description="a region some service centre of the roster serves")
    agent: Annotated[str, StringConstraints(pattern=r"^[0-9]{2,4}$")] = Field(
        description="the hotline agent's number, second part of the issue number"
    )
    customer: Customer
    title: Line
    description: Text = ""
    model: Line | None = None
    serial_number: Line | None = None
    site: Line | None = None
    occurred_at: Instant | None = None
    reported_at: Instant = Field(description="when the customer told us: every clock starts here")
    ring_seconds: Annotated[int, Field(ge=0, le=3600)] | None = Field(
        default=None, description="how long the telephone rang before it was answered (R7)"
    )
    answering: bool = Field(
        default=False,
        description="the agent tries to answer it first: nobody is sent yet (R8, R10)",
    )
    complex: bool = Field(
        default=False, description="beyond one engineer: the lead hears of it at once (R10)"
    )
    agitated: bool = Field(
        default=False,
        description="of a complaint: whoever answers for that calms the customer first (R47)",
        # Left out, it is as if there was no such field: the digests of before still hold.
        exclude_if=lambda said: not said,
    )
    consent: Consent | None = Field(
        default=None,
        description="what the customer says to it that this is passed on; with a no it stays with "
        "the hotline (R35)",
        exclude_if=lambda said: said is None,
    )
    consent_words: Text = Field(
        default="",
        description="the customer's, as said to that",
        exclude_if=lambda said: not said,
    )
    arises_from: str | None = Field(
        default=None,
        max_length=200,
        pattern=r"^[^\x00-\x1f]*$",
        description="id of the issue whose callback or evaluation it came from (R21), or that was "
        "over when its customer wrote again",
    )
    behaves: Behaviour | None = Field(
        default=None,
        description="what the policy says of its kind; left out where that was always so",
        exclude_if=lambda said: said is None,
    )
    outside: bool | None = Field(
        default=None,
        description="whether the policy says that its category is not ours; likewise",
        exclude_if=lambda said: said is None,
    )

    @model_validator(mode="before")
    @classmethod
    def _as_always_is_not_said(cls, said: object) -> object:
        """What is the same as before policies said it is left out: the digests of before hold."""
        if not isinstance(said, Mapping) or not {"behaves", "outside"} & said.keys():
            return said
        kept = dict(said)
        if kept.get("behaves") == behaviour_of(str(kept.get("kind"))):
            kept["behaves"] = None
        if kept.get("outside") == is_outside(str(kept.get("category"))):
            kept["outside"] = None
        return kept

    @property
    def behaviour(self) -> Behaviour:
        """What is done about an issue of its kind, by what the policy said when it came in."""
        return self.behaves or behaviour_of(self.kind)

    @property
    def out_of_scope(self) -> bool:
        """Whether it is not ours to solve, by what the policy said when it came in (R4)."""
        return is_outside(self.category) if self.outside is None else self.outside

    def as_complaint(self, terms: Terms) -> Intake:
        """Make it a complaint about our service, as a policy calls these (R21)."""
        called = {"kind": terms.complaint, "category": terms.about_service}
        return self.model_copy(update=called).in_terms_of(terms)

    def in_terms_of(self, terms: Terms) -> Intake:
        """Say what a policy says of its kind and category. What it does not have, and what says so
        already, stays.
        """
        kind, category = terms.kinds.get(self.kind), terms.categories.get(self.category)
        told = {
            "behaves": self.behaves if kind is None else kind.behaves,
            "outside": self.outside if category is None else category.outside,
        }
        same = self.model_dump() | told
        return Intake.model_validate(same)

    @property
    def issue_id(self) -> str:
        """Workflow id and primary key in the register."""
        return issue_id(self.source, self.reference)

    @property
    def digest(self) -> str:
        """Tell this intake from another of the same reference."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:16]

    def impossible_date(self, now: datetime) -> str | None:
        """Say which date cannot be true at ``now``, or None."""
        for name, at in self._times():
            if at > now + AHEAD:
                return f"{name}: {at.isoformat()} lies in the future, by more than a day"
        if self.reported_at < now - OLDEST_REPORT:
            return (
                f"reported_at: {self.reported_at.isoformat()} is more than "
                f"{OLDEST_REPORT.days} days ago"
            )
        occurred, reported = self.occurred_at or self.reported_at, min(self.reported_at, now)
        if min(occurred, now) > reported + CLOCK_SKEW:
            return "occurred_at: an issue cannot be reported before it occurred"
        return None

    def as_heard(self, now: datetime) -> Intake:
        """Take what a clock ahead of ours says for ``now``, and note what it said with what the
        customer said: what is possible by ``impossible_date``, at whichever door it came in.
        """
        ahead = {name: at for name, at in self._times() if now + CLOCK_SKEW < at <= now + AHEAD}
        if not ahead:
            return self
        said = ", ".join(f"{name} {at.isoformat(timespec='seconds')}" for name, at in ahead.items())
        noted = f"{self.description}\n\n{CLOCK_AHEAD}: {said}".strip()
        changes: dict[str, object] = dict.fromkeys(ahead, now)
        if len(noted) <= LONGEST_TEXT:  # no word of the customer's is given up for it
            changes["description"] = noted
        return self.model_copy(update=changes)

    def _times(self) -> Iterator[tuple[str, datetime]]:
        yield "reported_at", self.reported_at
        if self.occurred_at is not None:
            yield "occurred_at", self.occurred_at


def issue_id(source: str, reference: str) -> str:
    """Build the one id of an issue: ``issue:{source}:{reference}``."""
    return f"issue:{source}:{reference}"


# The same reference again -------------------------------------------------------------------------

_CUSTOMER = "customer"
_NOT_SAID = frozenset(
    {"source", "reference", "reported_at", "ring_seconds", "answering", "behaves", "outside"}
)
"""What names an intake, what a door measures or fills in, what the policy says, and what the
register does not keep.
"""
SAID = frozenset(Intake.model_fields) - _NOT_SAID - {_CUSTOMER} | {
    f"{_CUSTOMER}.{name}" for name in Customer.model_fields
}
"""The fields by which a repeat is told from another message under the same reference."""


def differing(first: Intake, again: Intake) -> tuple[str, ...]:
    """Name the fields in which two intakes of one reference say something else, in their order.

    What is only written otherwise is the same: an intake system may send it again years later, and
    doors may have learnt meanwhile to write it better. Where a clock ran ahead of ours, what it
    said was taken as now, and that is another now each time.
    """
    stands, comes = dict(_said(first)), dict(_said(again))
    if any(CLOCK_AHEAD in intake.description for intake in (first, again)):
        stands |= {"occurred_at": comes["occurred_at"]}
    return tuple(name for name in stands if stands[name] != comes[name])


def said_digest(intake: Intake) -> str:
    """Name what an intake says: all that differ in nothing have one name."""
    return hashlib.sha256(json.dumps(dict(_said(intake))).encode()).hexdigest()[:32]


def _said(intake: Intake) -> Iterator[tuple[str, object]]:
    for name, value in intake:
        if isinstance(value, Customer):
            yield from ((f"{_CUSTOMER}.{part}", _plain(part, said)) for part, said in value)
        elif name in SAID:
            yield name, _plain(name, value)


def _plain(name: str, value: object) -> object:
    """Write a value in one way, whatever its spelling."""
    if isinstance(value, datetime):
        return value.isoformat()
    if not isinstance(value, str):
        return value
    if name == "description":
        value = value.partition(CLOCK_AHEAD)[0]
    if name == "phone" and (number := telephone.read(value)):
        return str(number)
    shown = (" " if each.isspace() else each for each in unicodedata.normalize("NFKC", value))
    seen = "".join(each for each in shown if unicodedata.category(each)[0] != "C")
    return " ".join(seen.split()).casefold() or None
