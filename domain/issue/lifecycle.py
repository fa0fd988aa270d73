"""The life of an issue as a pure function: (issue, action, now) to the next step, or a refusal.

Who may do what in which stage, and what it brings about, is the table ``ACTIONS``. Update
validators and handlers use the same ``decide``, so a refused action writes no history; and what is
offered to people is what it would not refuse.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache
from typing import Any

from domain.errors import Refused
from domain.issue.action import Action, Changes
from domain.issue.actions import ACTIONS, PUBLIC_ACTIONS, Accept, Act, ActionName, ReportProgress
from domain.issue.calming import WANTED, to_be_calmed
from domain.issue.common import ASSIGNED
from domain.issue.complaints import filed, received
from domain.issue.consent import (
    KEPT_BACK,
    OF_WHO_HANDLES_IT,
    STAYS,
    first_with,
    is_kept_back,
)
from domain.issue.intake import AHEAD, CLOCK_SKEW, Intake
from domain.issue.lateness import by_own_word
from domain.issue.remedy import kept_open
from domain.issue.state import Assignment, Issue, NotificationRequest
from domain.issue.step import Recorded, Step
from domain.sla.promise import Promise, PromiseKind
from domain.vocabulary import Actor, Audience, Behaviour, Outcome, Role, Severity, Stage

_AT_ONCE = (PromiseKind.RESPONSE, PromiseKind.RESOLUTION)
PROMISED: Mapping[Behaviour, tuple[PromiseKind, ...]] = dict.fromkeys(Behaviour, _AT_ONCE) | {
    Behaviour.COMPLAINT: (*_AT_ONCE, PromiseKind.VERIFICATION),
    Behaviour.PAID_SERVICE: (*_AT_ONCE, PromiseKind.SURVEY),
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
    complex one is the lead's to know at once. With a customer who does not want that it is passed
    on it stays with the hotline (R35).

    Every clock starts when the customer told us, not when the desk got to it.

    Raises:
        Refused: ``Invalid`` if a date of the intake cannot be true.
    """
    if impossible := intake.impossible_date(now):
        raise Refused("Invalid", impossible)
    by = Actor(id=intake.agent, role=Role.AGENT)
    at = min(intake.reported_at, now)
    kept = is_kept_back(intake)
    owed = (kind for kind in PROMISED[intake.behaviour] if not (kept and kind in OF_WHO_HANDLES_IT))
    held = (PromiseKind.HAND_OVER,) if _held(intake) else ()
    calming = (PromiseKind.CALMING,) if to_be_calmed(intake) and not kept else ()
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
        make=(*owed, *held, *calming),
        assignment=None if _held(intake) else Assignment(),
        queue=KEPT_BACK if kept else None,
        taken_by=first_with(intake) if kept else None,
        forms=received(intake, by, at),
        tell=tuple(_told_at_first(intake)),
    )


def _held(intake: Intake) -> bool:
    tried_first = intake.answering and intake.behaviour is not Behaviour.COMPLAINT
    return tried_first or is_kept_back(intake)


def queued(step: Step, queue: str) -> Step:
    """R36: let what is registered wait in a queue until an agent takes it, answers it or passes it
    on. Whoever is to handle it then has the time of the response from then on (R11). A complaint
    (R19), what is major (R5) or complex (R10), and what an agent has in hand already wait for
    nobody; what is not to be passed on waits already (R35).
    """
    intake = step.intake
    if intake is None or not _can_wait(intake):
        return step
    made = (kind for kind in step.make if kind is not PromiseKind.RESPONSE)
    return step.model_copy(
        update={
            "queue": queue,
            "make": (*made, PromiseKind.HAND_OVER),
            "assignment": None,
            "tell": tuple(tell for tell in step.tell if tell not in ASSIGNED),
        }
    )


def _can_wait(intake: Intake) -> bool:
    urgent = intake.severity is Severity.MAJOR or intake.complex
    return not (_held(intake) or urgent or intake.behaviour is Behaviour.COMPLAINT)


def _told_at_first(intake: Intake) -> Iterator[NotificationRequest]:
    """R10, R16, R20: the customer, whoever is to handle it, and who watches over such issues."""
    kept = is_kept_back(intake)
    yield from STAYS if kept else (_REGISTERED,)
    if not _held(intake):
        yield from ASSIGNED
    if intake.complex and not kept:
        yield NotificationRequest(template="complex", to=Audience.LEAD)
    if intake.behaviour is Behaviour.COMPLAINT:
        yield NotificationRequest(template="complaint_received", to=Audience.GM_OFFICE)
    if to_be_calmed(intake) and not kept:
        yield WANTED


_REGISTERED = NotificationRequest(template="registered", to=Audience.CUSTOMER)


def registered(intake: Intake, recorded: Recorded) -> Issue:
    """Return the issue as it begins, once its registration stands in the register."""
    step = recorded.step
    return recorded.applied_to(
        Issue(
            intake=intake,
            number=recorded.number,
            department=recorded.department,
            centre=recorded.centre,
            zone=recorded.zone,
            severity=step.severity,
            stage=step.stage,
            registered_at=step.recorded_at,
            last_at=step.at,
        )
    )


def decide(issue: Issue, name: ActionName, act: Act, now: datetime, key: str = "") -> Step:
    """Decide what ``act`` brings about at ``now``; ``key`` names its cause.

    Raises:
        Refused: ``NotAllowed`` if the stage has no place for it, ``NotYours`` if the person has
            no right to it, ``Invalid`` if what it says cannot be.
    """
    _check(issue, name, act.by)
    at = _when(issue, name, act, now)
    _check_expectation(act, now)
    said: Changes = {"content": act.content()}
    changes = _unchanged(issue) | said | ACTIONS[name].effect(issue, act, at)
    changes |= _out_of_the_queue(issue, act, changes)
    changes |= kept_open(issue, changes)
    changes |= {"promises": _passed_on(issue, changes, at)}
    if changes["stage"] is Stage.CLOSED and not issue.closed:
        changes |= _closing(issue, changes, at)
    if act.at is not None:
        changes |= _by_its_word(issue, act, changes, at, now)
    step = Step(
        issue_id=issue.id,
        key=key,
        seq=issue.seq + 1,
        action=name,
        by=act.by,
        at=at,
        recorded_at=now,
        stage_before=issue.stage,
        **changes,
    )
    also = filed(issue, act, at, answered=step.answered, stage=step.stage)
    return step.model_copy(update={"forms": (*step.forms, *also)})


def _unchanged(issue: Issue) -> Changes:
    return {
        "stage": issue.stage,
        "outcome": issue.outcome,
        "generation": issue.generation,
        "severity": issue.severity,
        "level": issue.level,
        "first_contact": issue.first_contact,
        "ends_as": issue.ends_as,
    }


def allowed(issue: Issue, by: Actor | None = None) -> tuple[ActionName, ...]:
    """List what somebody can do with an issue, if they say the right thing when it is time (R22);
    without ``by``, what some person can.
    """
    if issue.over:
        return ()
    people = (by,) if by else _anybody(issue)
    return tuple(
        action.name
        for action in _possible_in(issue.stage)
        if any(
            action.refusal(issue, each) is None
            for each in people
            if each.role in action.rule.roles  # before reasons are written
        )
    )


@cache
def _possible_in(stage: Stage) -> tuple[Action[Any], ...]:
    """What some person may do in a stage. Every row of a list asks for it."""
    return tuple(ACTIONS[name] for name in PUBLIC_ACTIONS if stage in ACTIONS[name].rule.stages)


_OTHERS = tuple(
    Actor(id="anybody", role=role) for role in Role if role not in {Role.SYSTEM, Role.ENGINEER}
)


def _anybody(issue: Issue) -> tuple[Actor, ...]:
    """Somebody of every other role, and whoever has the issue, who is refused the most."""
    handler = issue.engineer.id if issue.engineer else "anybody"
    return (*_OTHERS, Actor(id=handler, role=Role.ENGINEER))


def _check(issue: Issue, name: ActionName, by: Actor) -> None:
    action = ACTIONS[name]
    if issue.stage not in action.rule.stages:
        what = f"{name} is not possible while {issue.number} is {issue.stage}"
        raise Refused("NotAllowed", f"{what}; {_possible_now(issue)}")
    if refusal := action.refusal(issue, by):
        if refusal.type == "NotAllowed":
            raise Refused("NotAllowed", f"{refusal.message}; {_possible_now(issue)}")
        raise refusal


def _possible_now(issue: Issue) -> str:
    return f"possible now: {', '.join(allowed(issue)) or 'nothing any more'}"


def _when(issue: Issue, name: ActionName, act: Act, now: datetime) -> datetime:
    """Take the actor's word for when it happened, within what can be and as far back as it counts;
    else it happens now. What is aside of the work may lie before the last step of it.
    """
    aside = ACTIONS[name].aside
    if act.at is None:
        return max(now, issue.last_at)
    if act.at > now + AHEAD:
        ahead = "lies in the future, by more than a day"
        raise Refused("Invalid", f"at: {act.at.isoformat()} {ahead}")
    since, what = (
        (issue.intake.reported_at, "the report") if aside else (issue.last_at, "the last step")
    )
    if act.at < since:
        raise Refused(
            "Invalid",
            f"at: {act.at.isoformat()} lies before {what} of {issue.number} ({since.isoformat()})",
        )
    if act.at < now - issue.counts_back:
        return now
    return min(act.at, now)  # somebody's clock is ahead: nothing happens later than now


def _by_its_word(issue: Issue, act: Act, changes: Changes, at: datetime, now: datetime) -> Changes:
    """Mark what becomes punctual by a word about the past; keep a word that does not count."""
    found: Changes = {}
    if at < now:
        promises, told = by_own_word(changes["promises"], issue.running, act.by, now)
        found = {"promises": promises, "tell": (*changes.get("tell", ()), *told)}
    elif act.at is not None and abs(act.at - now) > CLOCK_SKEW:
        found = {"content": changes["content"] | act.model_dump(mode="json", include={"at"})}
    return found


def _passed_on(issue: Issue, changes: Changes, at: datetime) -> tuple[Promise, ...]:
    """R10: with whatever assigns an issue, the hotline has passed it on."""
    ended = changes.get("promises", ())
    held = issue.promise(PromiseKind.HAND_OVER)
    if held is None or not changes.get("assignment") or held.key in (p.key for p in ended):
        return ended
    return (*ended, held.fulfil(at))


def _out_of_the_queue(issue: Issue, act: Act, changes: Changes) -> Changes:
    """R36: an agent who answers or passes on what nobody took has taken it with that. Passed on, it
    is promised when its handler is heard from, unless that is now (R11), and what else is theirs.
    """
    if not (issue.queued or issue.kept_back):
        return {}
    found: Changes = {}
    passed_on = changes.get("assignment") is not None
    answered = changes["stage"] is Stage.RESOLVED
    if issue.taken_by is None and act.by.role is Role.AGENT and (passed_on or answered):
        found["taken_by"] = act.by.id
    if passed_on and not isinstance(act, Accept):
        found["make"] = (*changes.get("make", ()), *_owed_now(issue))
    return found


def _owed_now(issue: Issue) -> Iterator[PromiseKind]:
    """R11, R19: what whoever handles it owes, as far as nobody was promised that before."""
    had = {promise.kind for promise in issue.promises if promise.generation == issue.generation}
    for kind in PROMISED[issue.intake.behaviour]:
        if kind in OF_WHO_HANDLES_IT - had:
            yield kind


def _closing(issue: Issue, changes: Changes, at: datetime) -> Changes:
    """A closed issue owes nothing: what still runs is given up. It is scored and rated."""
    ended = changes.get("promises", ())
    keys = {promise.key for promise in ended}
    outcome = changes["outcome"]
    after = [
        kind
        for kind in (_AFTERWARDS.get(outcome, ()) if outcome else ())
        if kind is not PromiseKind.DIFFICULTY or issue.rated < issue.generation
    ]
    thanks = NotificationRequest(template="thanks", to=Audience.CUSTOMER, when="invited")
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
