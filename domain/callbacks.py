"""The callback clerk's list for a day (R22, R23): each customer once, with what to read first.

Customers' data are in here on purpose, the clerk needs them; they go to no log (R30).
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from pydantic import Field

from domain import telephone
from domain.errors import Refused
from domain.issue.actions import RecordCallback
from domain.issue.follow_up import unasked
from domain.issue.intake import Customer
from domain.issue.state import Person
from domain.sla.promise import PromiseKind
from domain.terms import behaviour_of
from domain.vocabulary import Actor, Behaviour, Code, Instant, Model, Severity, repeated


class Attempt(Model):
    """An earlier call about an issue; ``words`` are the customer's, as said (R23)."""

    called_at: Instant
    clerk: str
    reached: bool
    running: bool | None
    satisfied: bool | None
    words: str


class Missed(Model):
    """A promise that was broken: what the clerk may have to apologise for. ``ended_at`` is when it
    was fulfilled after all.
    """

    kind: PromiseKind
    target: str
    due_at: Instant
    ended_at: Instant | None


class CaseSummary(Model):
    """What the clerk reads before the call about one issue (R22); ``result`` and ``cause`` are what
    the customer was told last, ``first_contact`` that the hotline did on the line. This is the
    ``attempt``-th of at most ``attempts`` calls (R25).
    """

    number: str
    kind: Code
    severity: Severity
    title: str
    description: str
    product_line: str
    model: str | None
    serial_number: str | None
    site: str | None
    customer: Customer
    reported_at: Instant
    answered: bool
    handler: Person | None
    result: str | None
    cause: str | None
    first_contact: bool = False
    resolved_at: Instant | None
    reopen_count: int
    attempt: int
    attempts: int
    opens_at: Instant | None
    due_at: Instant
    overdue: bool
    earlier: tuple[Attempt, ...] = ()
    missed: tuple[Missed, ...] = ()
    behaves: Behaviour | None = Field(default=None, description="as ever of its kind, if left out")

    @property
    def behaviour(self) -> Behaviour:
        """What is done about an issue of its kind (R37)."""
        return self.behaves or behaviour_of(self.kind)


class CalledToday(Model):
    """The customer was called about an issue on that day already."""

    number: str
    called_at: Instant
    clerk: str
    reached: bool


class Call(Model):
    """One customer to be called, about all their issues at once (R22), the nearest due first.
    ``key`` tells customers apart. About an issue in ``called_today`` they are not called again.
    """

    key: str
    customer: Customer
    due_at: Instant
    cases: tuple[CaseSummary, ...]
    called_today: tuple[CalledToday, ...] = ()

    @property
    def done_today(self) -> bool:
        """Nothing is left to call about on that day."""
        return {case.number for case in self.cases} <= {each.number for each in self.called_today}


def grouped(
    cases: Iterable[CaseSummary], called: Iterable[tuple[Customer, CalledToday]] = ()
) -> list[Call]:
    """Make one call of all the issues of a customer; ``called`` are the calls of that day. The
    nearest due comes first.
    """
    of: defaultdict[str, list[CaseSummary]] = defaultdict(list)
    for case in sorted(cases, key=lambda case: (case.due_at, case.number)):
        of[identity(case.customer)].append(case)
    heard: defaultdict[str, list[CalledToday]] = defaultdict(list)
    for customer, call in called:
        heard[identity(customer)].append(call)
    return [
        Call(
            key=key,
            customer=theirs[0].customer,
            due_at=theirs[0].due_at,
            cases=tuple(theirs),
            called_today=tuple(sorted(heard[key], key=lambda c: (c.called_at, c.number))),
        )
        for key, theirs in of.items()
    ]


def identity(customer: Customer) -> str:
    """Tell customers apart as a telephone does: by their number, else by e-mail, else by name and
    organisation.
    """
    if phone := telephone.read(customer.phone):
        return f"phone {phone}"
    if customer.email:
        return f"email {customer.email.strip().casefold()}"
    named = (customer.name, customer.organisation or "")
    return f"name {' | '.join(' '.join(part.casefold().split()) for part in named)}"


class Called(Model):
    """An issue that somebody wants to record a call about; ``recorded_by`` if that was done."""

    number: str
    behaves: Behaviour
    customer: Customer
    recorded_by: str | None


def about(
    by: Actor, running: Mapping[str, bool | None], *, conflict: bool, **said: Any
) -> dict[str, RecordCallback]:
    """Write down what was said for each issue, by number; ``running`` says of each whether that
    machine runs. A conflict becomes one complaint, from the first (R21).

    Raises:
        Refused: ``Invalid``: the customer was reached, and not a word of theirs is written down
            (R23).
        ValidationError: it cannot have been so.
    """
    first = next(iter(running), None)
    acts = {
        number: RecordCallback(by=by, running=runs, conflict=conflict and number == first, **said)
        for number, runs in running.items()
    }
    if any(act.reached and not act.words for act in acts.values()):
        raise Refused("Invalid", "words: write down what the customer said, as said (R23)")
    return acts


def check_one_customer(numbers: Sequence[str], issues: Mapping[str, Called]) -> None:
    """Refuse a call about issues that are not there, or not of one customer (R22); ``issues`` by
    number, as far as there are such.

    Raises:
        Refused: ``NotFound`` or ``Invalid``.
    """
    if missing := [number for number in numbers if number not in issues]:
        raise Refused("NotFound", f"there is no issue {', '.join(missing)}")
    if twice := repeated(issues[number].number for number in numbers):
        raise Refused("Invalid", f"NUMBER: {twice} is named twice")
    customers = {identity(issue.customer) for issue in issues.values()}
    if len(customers) > 1:
        raise Refused(
            "Invalid",
            f"NUMBER: {', '.join(numbers)} are of {len(customers)} customers: "
            "record a call to each",
        )


def check_what_was_asked(acts: Mapping[str, RecordCallback], issues: Mapping[str, Called]) -> None:
    """Refuse a call in which it was not asked whether a fault is gone (R24); ``issues`` by number.

    Raises:
        Refused: ``Invalid``.
    """
    for number, act in acts.items():
        if missing := unasked(act, issues[number].behaves):
            raise Refused(missing.type, f"{missing.message} ({issues[number].number})")


def share_of(clerk: str, clerks: Iterable[str], calls: Iterable[Call], day: date) -> list[Call]:
    """Return a clerk's part of the list. Each customer is one clerk's on a day, whoever looks and
    whatever comes in meanwhile, so that no two call them; if a clerk drops out, only their
    customers go to others.
    """
    on_duty = sorted({*clerks, clerk})

    def whose(call: Call) -> str:
        return min(on_duty, key=lambda each: _digest(f"{day}\n{each}\n{call.key}"))

    return [call for call in calls if whose(call) == clerk]


def call_code(day: date, said: Mapping[str, RecordCallback]) -> str:
    """Name a call by its day and what was said about each issue: the same record, sent again, is
    the same call.
    """
    content = sorted((number, act.model_dump_json()) for number, act in said.items())
    return f"{day:%Y%m%d}-{_digest(repr(content))[:12]}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
