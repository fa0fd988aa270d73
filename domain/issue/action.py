"""An action: its form, the rule that says who may take it and when, and what it brings about. Each
part of the regulation has its own; ``actions`` is the table of all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypedDict, TypeVar

from domain.errors import Refused
from domain.issue.act import Act, ActionName
from domain.issue.forms import Form
from domain.issue.state import Assignment, CallbackRecord, Handling, Issue, NotificationRequest
from domain.sla.promise import Promise, PromiseKind
from domain.vocabulary import Actor, Outcome, Role, Severity, Stage


class Changes(TypedDict, total=False):
    """What an effect changes of the step that ``lifecycle.decide`` makes, by its fields."""

    stage: Stage
    stage_if_assigned: Stage
    outcome: Outcome | None
    generation: int
    severity: Severity
    level: int
    content: dict[str, Any]
    promises: tuple[Promise, ...]
    make: tuple[PromiseKind, ...]
    attempt: int
    resume: bool
    replan: str
    assignment: Assignment | None
    department: str
    first_contact: bool
    ends_as: Outcome
    queue: str | None
    taken_by: str | None
    handling: Handling
    callback: CallbackRecord
    forms: tuple[Form, ...]
    dissatisfied: bool
    hand_over: tuple[str, ...]
    tell: tuple[NotificationRequest, ...]


def nothing(_: Issue, __: Actor) -> None:
    """Nothing hinders it."""


@dataclass(frozen=True)
class Rule:
    """In which stages an action makes sense and which roles may take it.

    ``own`` means an engineer only on an issue that is theirs; supervisors act on any. ``hindrance``
    is what else stands in the way whatever would be said, by the issue and the person.
    """

    stages: frozenset[Stage]
    roles: frozenset[Role]
    own: bool = False
    hindrance: Callable[[Issue, Actor], Refused | None] = nothing


F = TypeVar("F", bound=Act)


@dataclass(frozen=True)
class Action(Generic[F]):
    """One action. ``effect`` says what it brings about at that instant; it raises ``Refused`` for
    what is said only, or for when. What is kept of it may say more than its ``form``. What is
    ``aside`` of the work stands in no way of an earlier deed that is reported later.
    """

    name: ActionName
    form: type[F]
    rule: Rule
    effect: Callable[[Issue, F, datetime], Changes]
    keeps: type[F] | None = None
    aside: bool = False

    @property
    def kept(self) -> type[F]:
        """The model of what is kept of it."""
        return self.keeps or self.form

    def refusal(self, issue: Issue, by: Actor) -> Refused | None:
        """Say why somebody may not take it, in a stage that has a place for it; None: they may."""
        rule = self.rule
        if by.role not in rule.roles:
            roles = ", ".join(sorted(rule.roles))
            return Refused("NotYours", f"{self.name} is for {roles}; {by.id} acts as {by.role}")
        if rule.own and by.role is Role.ENGINEER and not issue.is_with(by):
            holder = issue.engineer.id if issue.engineer else "nobody yet"
            return Refused(
                "NotYours",
                f"{issue.number} is with {holder}, not with {by.id}; a lead can reassign it",
            )
        return rule.hindrance(issue, by)
