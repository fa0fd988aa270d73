"""What an issue's events make of it: its row, its promises and the keys of its forms. Whoever finds
that the registers say something else has found a fault.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from domain.issue import lifecycle
from domain.issue.intake import Intake
from domain.issue.notes import standing
from domain.issue.state import Issue
from domain.issue.step import Recorded
from domain.sla.promise import Promise
from domain.vocabulary import Model

Key: TypeAlias = tuple[str, ...]
"""A form's table, and the row's key in it."""

_MIGRATED = frozenset({"complaint_forms"})
"""Forms that a migration made for issues which had none: an event need not speak of them."""
_COMPARED = ("due_at", "end", "ended_at", "paused_at", "reached", "pauses")
"""What is told of a promise; the rest is how it was counted, which a migration may add to."""


class Standing(Model):
    """How the registers say that an issue stands."""

    facts: dict[str, str | int | bool | None]
    promises: dict[str, Promise]
    forms: frozenset[Key]
    seqs: tuple[int, ...]


def folded(intake: Intake, recorded: Sequence[Recorded]) -> Issue:
    """Return the issue as its events make it; there is at least the registration."""
    issue = lifecycle.registered(intake, recorded[0])
    for each in recorded[1:]:
        issue = each.applied_to(issue)
    return issue


def facts_of(issue: Issue) -> dict[str, str | int | bool | None]:
    """Return what the row of the register says of an issue, by its columns."""
    facts: dict[str, str | int | bool | None] = {
        "seq": issue.seq,
        "stage": str(issue.stage),
        "outcome": str(issue.outcome) if issue.outcome else None,
        "severity": str(issue.severity),
        "generation": issue.generation,
        "escalation_level": issue.level,
        "answered": issue.answered,
        "first_contact": issue.first_contact,
        "department": issue.department,
        "centre": issue.centre,
        "engineer": issue.engineer.id if issue.engineer else None,
        "lead": issue.lead.id if issue.lead else None,
        "redirected": issue.redirected,
    }
    return facts | corrected_columns(issue.intake)


_COLUMNS: Mapping[str, str] = {"name": "customer_name", "contact": "contact_person"}


def corrected_columns(intake: Intake) -> dict[str, str | None]:
    """Return what the row says of customer and machine, as far as it may be corrected (R44)."""
    return {column_of(name): said for name, said in standing(intake).items()}


def column_of(name: str) -> str:
    """Return the column of the register that a field of an intake stands in."""
    return _COLUMNS.get(name, name)


def forms_of(recorded: Sequence[Recorded]) -> frozenset[Key]:
    """List the forms that these steps wrote into."""
    return frozenset(key for each in recorded for key in _forms(each))


def _forms(recorded: Recorded) -> Iterator[Key]:
    step = recorded.step
    if step.assignment or step.handling:
        yield ("handling_forms", str(step.generation))
    if call := step.callback:
        yield ("callback_records", str(call.generation), str(call.attempt))
    for form in step.forms:
        yield (form.form, *(str(getattr(form, name)) for name in form.key))


def missing(seqs: Sequence[int], upto: int) -> list[int]:
    """List the places without an event."""
    return sorted(set(range(1, max(upto, *seqs, 0) + 1)) - set(seqs))


def ledger_differences(issue: Issue, standing: Standing) -> Iterator[str]:
    """Say in which columns and promises the registers differ from the events."""
    events = facts_of(issue)
    yield from (name for name in events if events[name] != standing.facts[name])
    made: Mapping[str, Promise] = {promise.key: promise for promise in issue.promises}
    for key in sorted(made.keys() | standing.promises.keys()):
        if _told(made.get(key)) != _told(standing.promises.get(key)):
            yield key


def _told(promise: Promise | None) -> tuple[object, ...]:
    return tuple(getattr(promise, name) for name in _COMPARED) if promise else ()


def form_differences(recorded: Sequence[Recorded], standing: Standing) -> Iterator[str]:
    """Say which rows of forms are missing, and which no event speaks of."""
    events = forms_of(recorded)
    yield from (f"-{'/'.join(key)}" for key in sorted(events - standing.forms))
    for key in sorted(standing.forms - events):
        if key[0] not in _MIGRATED:
            yield f"+{'/'.join(key)}"
