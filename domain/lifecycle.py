"""The life of an issue as a pure function: (issue, action, now) to the next step, or a refusal.

Who may do what in which stage is the table ``RULES``; what an action brings about is in
``effects``. Update validators and handlers use the same ``decide``, so a refused action writes no
history.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from domain.actions import Accept, Act, ActionName, ReportProgress
from domain.effects import ASSIGNED, EFFECTS
from domain.intake import CLOCK_SKEW, Intake
from domain.issue import Assignment, Issue, Recorded, Step, Tell
from domain.promises import Promise, PromiseKind
from domain.refusal import Refused
from domain.vocabulary import SUPERVISORS, Actor, Audience, Model, Role, Stage


class Rule(Model):
    """In which stages an action makes sense and which roles may take it.

    ``own`` means an engineer only on an issue that is theirs; supervisors act on any.
    """

    stages: frozenset[Stage]
    roles: frozenset[Role]
    own: bool = False


_UNASSIGNED = frozenset({Stage.REGISTERED, Stage.REOPENED})
_HANDLING = frozenset({Stage.ASSIGNED, Stage.IN_PROGRESS, Stage.WAITING})
_OPEN = _UNASSIGNED | _HANDLING
_AFTER = frozenset({Stage.RESOLVED, Stage.REPLIED, Stage.CALLBACK})
_ANY = _OPEN | _AFTER
_HANDLERS = SUPERVISORS | {Role.ENGINEER}
_STAFF = _HANDLERS | {Role.AGENT}
_DESK = frozenset({Role.SYSTEM})

RULES: Mapping[ActionName, Rule] = {
    ActionName.ACCEPT: Rule(stages=_UNASSIGNED | {Stage.ASSIGNED}, roles=_HANDLERS, own=True),
    ActionName.REPORT_PROGRESS: Rule(stages=_HANDLING, roles=_HANDLERS, own=True),
    ActionName.WAIT_FOR_CUSTOMER: Rule(
        stages=frozenset({Stage.IN_PROGRESS}), roles=_HANDLERS, own=True
    ),
    ActionName.RESUME: Rule(stages=frozenset({Stage.WAITING}), roles=_STAFF, own=True),
    ActionName.REASSIGN: Rule(stages=_OPEN, roles=_STAFF | _DESK, own=True),
    ActionName.RESOLVE: Rule(stages=_HANDLING, roles=_HANDLERS, own=True),
    ActionName.RECORD_CALLBACK: Rule(stages=_AFTER, roles=SUPERVISORS | {Role.CLERK, Role.AGENT}),
    ActionName.ESCALATE: Rule(stages=_OPEN, roles=_STAFF | {Role.INTAKE, Role.CLERK}),
    ActionName.WITHDRAW: Rule(
        stages=_ANY, roles=SUPERVISORS | {Role.AGENT, Role.INTAKE, Role.CLERK}
    ),
    ActionName.REPLAN: Rule(stages=_ANY, roles=_DESK),
    ActionName.ASSIGN: Rule(stages=_UNASSIGNED | {Stage.WAITING}, roles=_DESK),
    ActionName.THRESHOLD: Rule(stages=_ANY, roles=_DESK),
    ActionName.REPLIED: Rule(stages=_AFTER, roles=_DESK),
    ActionName.HAND_OVER: Rule(stages=frozenset(Stage), roles=_DESK),
    ActionName.CANCEL: Rule(stages=_ANY, roles=_DESK),
}


def register(intake: Intake, now: datetime) -> Step:
    """Decide the first step: the issue is registered, promised and assigned at once (R1-R5, R10).

    Every clock starts when the customer told us, not when the desk got to it.

    Raises:
        Refused: ``Invalid`` if a date of the intake cannot be true.
    """
    if impossible := intake.impossible_date(now):
        raise Refused("Invalid", impossible)
    return Step(
        issue_id=intake.issue_id,
        key=ActionName.REGISTERED,
        seq=1,
        action=ActionName.REGISTERED,
        by=Actor(id=intake.agent, role=Role.AGENT),
        at=min(intake.reported_at, now),
        recorded_at=now,
        stage_before=None,
        stage=Stage.REGISTERED,
        stage_if_assigned=Stage.ASSIGNED,
        generation=1,
        severity=intake.severity,
        level=0,
        intake=intake,
        make=(PromiseKind.RESPONSE, PromiseKind.RESOLUTION),
        assignment=Assignment(),
        tell=(Tell(template="registered", to=Audience.CUSTOMER), *ASSIGNED),
    )


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
    if changes.get("stage") is Stage.CLOSED:
        changes = changes | {"promises": _nothing_left(issue, changes.get("promises", ()), at)}
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
        "content": act.model_dump(mode="json", exclude={"by", "at"}, exclude_none=True),
    }
    return Step(**(facts | changes))


def allowed(stage: Stage) -> tuple[ActionName, ...]:
    """List what people can do with an issue in that stage."""
    return tuple(
        name for name, rule in RULES.items() if stage in rule.stages and rule.roles != _DESK
    )


def _check_stage(issue: Issue, name: ActionName) -> None:
    if issue.stage in RULES[name].stages:
        return
    can = ", ".join(allowed(issue.stage)) or "nothing any more"
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
    return act.at


def _nothing_left(issue: Issue, ended: tuple[Promise, ...], at: datetime) -> tuple[Promise, ...]:
    """A closed issue owes nothing: what still runs is given up."""
    keys = {promise.key for promise in ended}
    return (*ended, *(p.give_up(at) for p in issue.running if p.key not in keys))


def _check_expectation(act: Act, now: datetime) -> None:
    """R14: a time told to the customer lies ahead."""
    expected_at = act.expected_at if isinstance(act, Accept | ReportProgress) else None
    if expected_at is not None and expected_at <= now:
        raise Refused("Invalid", f"expected_at: {expected_at.isoformat()} is over already")
