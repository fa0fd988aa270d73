"""The life of an issue as a pure function: (issue, action, now) to the next step, or a refusal.

Who may do what in which stage is the table ``RULES``; what an action brings about is in
``effects``. Update validators and handlers use the same ``decide``, so a refused action writes no
history.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from domain.errors import Refused
from domain.issue.actions import Accept, Act, ActionName, ReportProgress
from domain.issue.common import ASSIGNED, STATIONS, Changes
from domain.issue.complaints import filed, received
from domain.issue.effects import EFFECTS
from domain.issue.intake import CLOCK_SKEW, Intake
from domain.issue.state import Assignment, Issue, Recorded, Step, Tell
from domain.sla.promise import Promise, PromiseKind
from domain.vocabulary import (
    SUPERVISORS,
    Actor,
    Audience,
    Kind,
    Model,
    Outcome,
    Role,
    Stage,
)


class Rule(Model):
    """In which stages an action makes sense and which roles may take it.

    ``own`` means an engineer only on an issue that is theirs; supervisors act on any.
    """

    stages: frozenset[Stage]
    roles: frozenset[Role]
    own: bool = False


_UNASSIGNED = frozenset({Stage.REGISTERED, Stage.REOPENED})
_WORKING = frozenset({Stage.ASSIGNED, Stage.IN_PROGRESS, Stage.WAITING})
_HANDLING = _WORKING | frozenset(STATIONS.values())
_OPEN = _UNASSIGNED | _HANDLING
_AFTER = frozenset({Stage.RESOLVED, Stage.REPLIED, Stage.CALLBACK})
_ANY = _OPEN | _AFTER
_HANDLERS = SUPERVISORS | {Role.ENGINEER}
_STAFF = _HANDLERS | {Role.AGENT}
_CUSTOMERS = frozenset({Role.CUSTOMER, Role.AGENT, Role.CLERK, Role.INTAKE})
"""The customer, and those who write down for them."""
_DESK = frozenset({Role.SYSTEM})

RULES: Mapping[ActionName, Rule] = {
    ActionName.ANSWER: Rule(
        stages=_UNASSIGNED | {Stage.ASSIGNED}, roles=SUPERVISORS | {Role.AGENT}
    ),
    ActionName.REPORT_TEST: Rule(stages=_AFTER, roles=SUPERVISORS | _CUSTOMERS),
    ActionName.VERIFY: Rule(stages=frozenset({Stage.VERIFYING}), roles=_HANDLERS, own=True),
    ActionName.ACCEPT: Rule(stages=_UNASSIGNED | {Stage.ASSIGNED}, roles=_HANDLERS, own=True),
    ActionName.REPORT_PROGRESS: Rule(stages=_HANDLING, roles=_HANDLERS, own=True),
    ActionName.WAIT_FOR_CUSTOMER: Rule(
        stages=frozenset({Stage.IN_PROGRESS, Stage.VERIFYING, Stage.SURVEYING}),
        roles=_HANDLERS,
        own=True,
    ),
    ActionName.RESUME: Rule(stages=frozenset({Stage.WAITING}), roles=_STAFF, own=True),
    ActionName.TRANSFER: Rule(stages=_OPEN, roles=_STAFF, own=True),
    ActionName.REASSIGN: Rule(stages=_OPEN, roles=_STAFF | _DESK, own=True),
    ActionName.CONSULT: Rule(stages=_OPEN, roles=_HANDLERS),
    ActionName.SURVEY: Rule(stages=frozenset({Stage.SURVEYING}), roles=_HANDLERS, own=True),
    ActionName.QUOTE: Rule(
        stages=frozenset({Stage.QUOTING, Stage.CONFIRMING}), roles=_HANDLERS, own=True
    ),
    ActionName.CONFIRM: Rule(
        stages=frozenset({Stage.CONFIRMING}), roles=_HANDLERS | _CUSTOMERS, own=True
    ),
    ActionName.APPROVE: Rule(
        stages=frozenset({Stage.APPROVING}), roles=frozenset({Role.MANAGER, Role.GM_OFFICE})
    ),
    ActionName.RESOLVE: Rule(stages=_WORKING, roles=_HANDLERS, own=True),
    ActionName.RECORD_CALLBACK: Rule(stages=_AFTER, roles=SUPERVISORS | {Role.CLERK, Role.AGENT}),
    ActionName.EVALUATE: Rule(
        stages=frozenset({Stage.REPLIED, Stage.CALLBACK, Stage.CLOSED}),
        roles=SUPERVISORS | _CUSTOMERS,
    ),
    ActionName.RATE_DIFFICULTY: Rule(
        stages=_AFTER | {Stage.CLOSED}, roles=frozenset({Role.MANAGER})
    ),
    ActionName.ESCALATE: Rule(stages=_OPEN, roles=_STAFF | {Role.INTAKE, Role.CLERK}),
    ActionName.WITHDRAW: Rule(stages=_ANY, roles=SUPERVISORS | _CUSTOMERS),
    ActionName.REPLAN: Rule(stages=_ANY, roles=_DESK),
    ActionName.ASSIGN: Rule(stages=_OPEN, roles=_DESK),
    ActionName.THRESHOLD: Rule(stages=frozenset(Stage), roles=_DESK),
    ActionName.REPLIED: Rule(stages=_AFTER, roles=_DESK),
    ActionName.HAND_OVER: Rule(stages=frozenset(Stage), roles=_DESK),
    ActionName.COMPLAINT_RAISED: Rule(stages=frozenset(Stage), roles=_DESK),
    ActionName.CANCEL: Rule(stages=frozenset(Stage), roles=_DESK),
    ActionName.CANCELLATION_ASKED: Rule(stages=_ANY, roles=_DESK),
    ActionName.REPAIR: Rule(stages=frozenset(Stage), roles=_DESK),
}

_AT_ONCE = (PromiseKind.RESPONSE, PromiseKind.RESOLUTION)
PROMISED: Mapping[Kind, tuple[PromiseKind, ...]] = dict.fromkeys(Kind, _AT_ONCE) | {
    Kind.COMPLAINT: (*_AT_ONCE, PromiseKind.VERIFICATION),
    Kind.PAID_SERVICE: (*_AT_ONCE, PromiseKind.SURVEY),
}
"""What a customer is promised when they tell us, as far as the policy has it (R11-R19)."""
_AFTERWARDS: Mapping[Outcome, tuple[PromiseKind, ...]] = {
    Outcome.SOLVED: (PromiseKind.EVALUATION, PromiseKind.DIFFICULTY),
    Outcome.NOT_REACHED: (PromiseKind.DIFFICULTY,),
}
"""What follows the closing: the customer scores us (R26), the manager rates the repair (R18)."""


def register(intake: Intake, now: datetime) -> Step:
    """Decide the first step: the issue is registered, promised and assigned at once (R1-R5, R10),
    unless the agent tries to answer it first (R8), for which a complaint never waits (R19). A
    complex one is the lead's to know at once.

    Every clock starts when the customer told us, not when the desk got to it.

    Raises:
        Refused: ``Invalid`` if a date of the intake cannot be true.
    """
    if impossible := intake.impossible_date(now):
        raise Refused("Invalid", impossible)
    by = Actor(id=intake.agent, role=Role.AGENT)
    at = min(intake.reported_at, now)
    held = (PromiseKind.HAND_OVER,) if _held(intake) else ()
    return Step(
        issue_id=intake.issue_id,
        key=ActionName.REGISTERED,
        seq=1,
        action=ActionName.REGISTERED,
        by=by,
        at=at,
        recorded_at=now,
        stage_before=None,
        stage=Stage.REGISTERED,
        stage_if_assigned=Stage.ASSIGNED,
        generation=1,
        severity=intake.severity,
        level=1 if intake.complex else 0,
        intake=intake,
        make=(*PROMISED[intake.kind], *held),
        assignment=None if _held(intake) else Assignment(),
        forms=received(intake, by, at),
        tell=tuple(_told_at_first(intake)),
    )


def _held(intake: Intake) -> bool:
    return intake.answering and intake.kind is not Kind.COMPLAINT


def _told_at_first(intake: Intake) -> Iterator[Tell]:
    """R10, R16, R20: the customer, whoever is to handle it, and who watches over such issues."""
    yield Tell(template="registered", to=Audience.CUSTOMER)
    if not _held(intake):
        yield from ASSIGNED
    if intake.complex:
        yield Tell(template="complex", to=Audience.LEAD)
    if intake.kind is Kind.COMPLAINT:
        yield Tell(template="complaint_received", to=Audience.GM_OFFICE)


def registered(intake: Intake, recorded: Recorded) -> Issue:
    """Return the issue as it begins, once its registration stands in the register."""
    step = recorded.step
    return Issue(
        intake=intake,
        number=recorded.number,
        department=recorded.department,
        centre=recorded.centre,
        zone=recorded.zone,
        severity=step.severity,
        stage=step.stage,
        registered_at=step.recorded_at,
        last_at=step.at,
    ).after(recorded)


def decide(issue: Issue, name: ActionName, act: Act, now: datetime, key: str = "") -> Step:
    """Decide what ``act`` brings about at ``now``; ``key`` names its cause.

    Raises:
        Refused: ``NotAllowed`` if the stage has no place for it, ``NotYours`` if the person has
            no right to it, ``Invalid`` if what it says cannot be.
    """
    _check_stage(issue, name)
    _check_person(issue, name, act.by)
    at = _when(issue, act, now)
    _check_expectation(act, now)
    changes = EFFECTS[name](issue, act, at)
    changes = changes | {"promises": _passed_on(issue, changes, at)}
    if changes.get("stage") is Stage.CLOSED:
        changes = changes | _closing(issue, changes, at)
    facts: dict[str, Any] = {
        "issue_id": issue.id,
        "key": key,
        "seq": issue.seq + 1,
        "action": name,
        "by": act.by,
        "at": at,
        "recorded_at": now,
        "stage_before": issue.stage,
        "stage": issue.stage,
        "outcome": issue.outcome,
        "generation": issue.generation,
        "severity": issue.severity,
        "level": issue.level,
        "first_contact": issue.first_contact,
        "ends_as": issue.ends_as,
        "content": act.model_dump(mode="json", exclude={"by", "at"}, exclude_none=True),
    }
    step = Step(**(facts | changes))
    return step.model_copy(update={"forms": (*step.forms, *filed(issue, act, step))})


def allowed(stage: Stage) -> tuple[ActionName, ...]:
    """List what people can do with an issue in that stage."""
    return tuple(
        name for name, rule in RULES.items() if stage in rule.stages and rule.roles != _DESK
    )


def _check_stage(issue: Issue, name: ActionName) -> None:
    if issue.stage in RULES[name].stages:
        return
    can = ", ".join(() if issue.over else allowed(issue.stage)) or "nothing any more"
    raise Refused(
        "NotAllowed",
        f"{name} is not possible while {issue.number} is {issue.stage}; possible now: {can}",
    )


def _check_person(issue: Issue, name: ActionName, by: Actor) -> None:
    rule = RULES[name]
    if by.role not in rule.roles:
        roles = ", ".join(sorted(rule.roles))
        raise Refused("NotYours", f"{name} is for {roles}; {by.id} acts as {by.role}")
    if rule.own and by.role is Role.ENGINEER and not issue.is_with(by):
        holder = issue.engineer.id if issue.engineer else "nobody yet"
        raise Refused(
            "NotYours",
            f"{issue.number} is with {holder}, not with {by.id}; a lead can reassign it",
        )


def _when(issue: Issue, act: Act, now: datetime) -> datetime:
    """Take the actor's word for when it happened, within what can be."""
    if act.at is None:
        return max(now, issue.last_at)
    if act.at > now + CLOCK_SKEW:
        raise Refused("Invalid", f"at: {act.at.isoformat()} lies in the future")
    if act.at < issue.last_at:
        raise Refused(
            "Invalid",
            f"at: {act.at.isoformat()} lies before the last step of {issue.number} "
            f"({issue.last_at.isoformat()})",
        )
    return min(act.at, now)  # somebody's clock is a little fast: nothing happens later than now


def _passed_on(issue: Issue, changes: Changes, at: datetime) -> tuple[Promise, ...]:
    """R10: with whatever assigns an issue, the hotline has passed it on."""
    ended: tuple[Promise, ...] = changes.get("promises", ())
    held = issue.promise(PromiseKind.HAND_OVER)
    if held is None or not changes.get("assignment") or held.key in (p.key for p in ended):
        return ended
    return (*ended, held.fulfil(at))


def _closing(issue: Issue, changes: Changes, at: datetime) -> Changes:
    """A closed issue owes nothing: what still runs is given up. It is scored and rated."""
    ended: tuple[Promise, ...] = changes.get("promises", ())
    keys = {promise.key for promise in ended}
    after = [
        kind
        for kind in _AFTERWARDS.get(changes["outcome"], ())
        if kind is not PromiseKind.DIFFICULTY
        or (not issue.first_contact and issue.rated < issue.generation)
    ]
    thanks = Tell(template="thanks", to=Audience.CUSTOMER, when="invited")
    return {
        "promises": (*ended, *(p.give_up(at) for p in issue.running if p.key not in keys)),
        "make": tuple(after),
        "tell": (*changes.get("tell", ()), *((thanks,) if after else ())),
    }


def _check_expectation(act: Act, now: datetime) -> None:
    """R14: a time told to the customer lies ahead."""
    expected_at = act.expected_at if isinstance(act, Accept | ReportProgress) else None
    if expected_at is not None and expected_at <= now:
        raise Refused("Invalid", f"expected_at: {expected_at.isoformat()} is over already")
