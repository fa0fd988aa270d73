"""What the clocks bring about (R9, R10, R13, R17, R32): warnings, apologies, escalation, what
silence means, and planning again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import Field

from domain.errors import Refused
from domain.issue.act import Act, ActionName
from domain.issue.action import Action, Changes, Rule
from domain.issue.common import (
    ALWAYS,
    ASSIGNED,
    DONE,
    OPEN,
    PASSED_ON,
    STAFF,
    THE_DESK,
    UNCLOSED,
    close,
    heard_but_for,
)
from domain.issue.paid_service import not_wanted
from domain.issue.state import Assignment, Issue, NotificationRequest
from domain.sla.promise import (
    CUSTOMERS,
    DUE,
    OVERSIGHT,
    THEIR_SAY,
    Promise,
    PromiseEnd,
    PromiseKind,
    Threshold,
)
from domain.vocabulary import ESCALATION, Actor, Audience, Code, Outcome, Role, Stage, Words


class ThresholdReached(Act):
    """A clock reached one of its thresholds."""

    promise: str
    threshold: str


class ThresholdsPassed(ThresholdReached):
    """The last of the thresholds that had passed, with those before it."""

    skipped: tuple[str, ...] = ()


def threshold(issue: Issue, act: ThresholdReached, at: datetime) -> Changes:
    """R13: warn before, apologise and ask for progress when overdue, then upward.

    If the desk was away while several thresholds passed, they count as one: whoever should have
    been told is told, once, and of the last.
    """
    promise = next((p for p in issue.running if p.key == act.promise), None)
    mark = promise.next_threshold if promise else None
    if promise is None or mark is None or mark.name != act.threshold:
        raise Refused("NotAllowed", f"{act.promise} of {issue.number} no longer waits for this")
    passed = [mark]
    promise = promise.reach()
    while (following := promise.next_threshold) and following.at <= at:
        passed.append(following)
        promise = promise.reach()
    last = passed[-1]
    told = dict.fromkeys(_hears(issue, promise, to) for mark in passed for to in mark.tell)
    changes: Changes = {
        "promises": (promise,),
        "level": max(issue.level, *(mark.level for mark in passed)),
        "tell": tuple(
            NotificationRequest(template=_alarm(promise, last, to), to=to) for to in told if to
        ),
        "content": ThresholdsPassed(
            by=act.by,
            promise=promise.key,
            threshold=last.name,
            skipped=tuple(mark.name for mark in passed[:-1]),
        ).content(),
    }
    if promise.kind in OWED_TO_THE_CUSTOMER and _due(passed):
        changes |= _agent_is_to_call(issue, changes)
    time_is_up = _TIME_IS_UP.get(promise.kind)
    last_word = promise.next_threshold is None if promise.kind in OVERSIGHT else _due(passed)
    if time_is_up is None or not last_word:
        return changes
    following_from_it = time_is_up(issue, promise, at)
    return (
        changes
        | following_from_it
        | {"tell": tuple(dict.fromkeys((*changes["tell"], *following_from_it.get("tell", ()))))}
    )


def _hears(issue: Issue, promise: Promise, to: Audience) -> Audience | None:
    """Say who hears an alarm in the place of whom the policy names. R42: what is not the manager's
    to decide, whoever decides it. R17: what was written to a quotation is seen to by who made it.
    None: nobody, as a customer who wrote is not reminded to say something.
    """
    match promise.kind, to:
        case PromiseKind.REMEDY_APPROVAL, Audience.MANAGER:
            above = issue.remedy is not None and issue.remedy.decider is Role.GM_OFFICE
            return Audience.GM_OFFICE if above else to
        case PromiseKind.FEEDBACK, Audience.AGENT if issue.stage not in DONE:
            return Audience.HANDLER
        case kind, Audience.CUSTOMER if kind in THEIR_SAY and issue.promise(PromiseKind.FEEDBACK):
            return None
    return to


OWED_TO_THE_CUSTOMER = frozenset(
    {
        *(PromiseKind.RESPONSE, PromiseKind.RESOLUTION, PromiseKind.VERIFICATION),
        *(PromiseKind.SURVEY, PromiseKind.QUOTATION, PromiseKind.APPROVAL),
    }
)
"""What the customer waits for, whoever works on it; the agent calls them when it is late (R13)."""


def _agent_is_to_call(issue: Issue, changes: Changes) -> Changes:
    """R13: whoever took the issue in asks the handler for progress and calls the customer, by a
    promise of their own; they have one such task at a time.
    """
    if issue.promise(PromiseKind.CONTACT):
        return {}
    told = NotificationRequest(template="contact_wanted", to=Audience.AGENT, when="overdue")
    return {
        "make": (PromiseKind.CONTACT,),
        "attempt": issue.next_attempt(PromiseKind.CONTACT),
        "tell": (*changes["tell"], told),
    }


def _due(passed: Sequence[Threshold]) -> bool:
    return DUE in (mark.name for mark in passed)


def _untried(issue: Issue, promise: Promise, at: datetime) -> Changes:
    """R9, R17: silence counts as solved, but only once the customer has the answer (R6), and not
    while a call is still to be made (R22), nor while nobody has seen to what they wrote.
    """
    heard = heard_but_for(issue, PromiseKind.CUSTOMER_TEST)
    over: Changes = close(issue) if heard and issue.stage is Stage.REPLIED else {}
    return {"promises": (promise.give_up(at),)} | over


def _unconfirmed(issue: Issue, promise: Promise, at: datetime) -> Changes:
    """R17: a quotation that the customer never answered lapses, and they are told; not while nobody
    has seen to what they wrote.
    """
    if issue.promise(PromiseKind.FEEDBACK):
        return {}
    changes = not_wanted(issue, at, Outcome.LAPSED)
    others = (ended for ended in changes["promises"] if ended.key != promise.key)
    return changes | {"promises": (promise.give_up(at), *others)}


def _unanswered(issue: Issue, promise: Promise, at: datetime) -> Changes:
    """R10: what the hotline neither answered nor passed on in time is passed on by the desk. R35:
    what its customer leaves to the hotline stays there, and the lead sees to it.
    """
    if issue.kept_back:
        return {"tell": (NotificationRequest(template="alarm", to=Audience.LEAD),)}
    return {
        "promises": (promise.give_up(at),),
        "stage_if_assigned": Stage.ASSIGNED,
        "assignment": Assignment(),
        "tell": (PASSED_ON, *ASSIGNED),
    }


def _scored(issue: Issue, promise: Promise, at: datetime) -> Changes:
    """R26: the time to score us is over, whether anybody did or not."""
    end = promise.fulfil(promise.due_at) if issue.evaluated else promise.give_up(at)
    return {"promises": (end,)}


def _unrated(_: Issue, promise: Promise, at: datetime) -> Changes:
    """R18: what nobody rates, however often they were asked, stays without a rating."""
    return {"promises": (promise.give_up(at),)}


_TIME_IS_UP: Mapping[PromiseKind, Callable[[Issue, Promise, datetime], Changes]] = {
    PromiseKind.CUSTOMER_TEST: _untried,
    PromiseKind.CONFIRMATION: _unconfirmed,
    PromiseKind.HAND_OVER: _unanswered,
    PromiseKind.EVALUATION: _scored,
    PromiseKind.DIFFICULTY: _unrated,
}
"""What follows by itself when these fall due, or after their last threshold if the issue is closed;
all others only ring.
"""
SILENCE = frozenset(_TIME_IS_UP)
"""Whose passing brings something about, whoever hears of it."""


_REMINDERS: Mapping[PromiseKind, str] = {
    PromiseKind.CUSTOMER_TEST: "test_reminder",
    PromiseKind.CONFIRMATION: "quotation_reminder",
    PromiseKind.WAITING: "waiting_reminder",
}
"""What the customer is reminded of; of what the desk owes they hear how far it is."""
_OWN_WORDS: Mapping[PromiseKind, str] = {
    PromiseKind.DIFFICULTY: "rating_wanted",
    PromiseKind.WAITING: "still_waiting",
}
"""What the desk's people hear of these has words of its own: nobody is late with it."""


def _alarm(promise: Promise, mark: Threshold, to: Audience) -> str:
    """Choose the wording of an alarm by who reads it and whether the promise is broken yet."""
    broken = promise.due_at <= mark.at and promise.kind not in CUSTOMERS
    if to is Audience.CUSTOMER:
        return "apology" if broken else _REMINDERS.get(promise.kind, "progress")
    if promise.kind in _OWN_WORDS:
        return _OWN_WORDS[promise.kind]
    if to in {Audience.HANDLER, Audience.CLERK, Audience.AGENT}:
        return "overdue" if broken else "reminder"
    return "alarm" if broken else "warning"


class Escalate(Act):
    """Take the issue one level up by hand (R10, R13)."""

    reason: Words


def _at_the_top(issue: Issue, _: Actor) -> Refused | None:
    if issue.level + 1 < len(ESCALATION):
        return None
    return Refused("NotAllowed", f"{issue.number} is with the GM office already: no level above")


def escalate(issue: Issue, _: Escalate, __: datetime) -> Changes:
    """R10, R13: one level up, by hand."""
    level = issue.level + 1
    return {
        "level": level,
        "tell": (NotificationRequest(template="escalated", to=Audience(ESCALATION[level])),),
    }


class Replan(Act):
    """Plan the open promises again: a calendar, a notice or a policy was loaded (R32). ``adoption``
    counts the loadings; the same one plans an issue once.
    """

    version: Code = Field(description="the rulebook that was loaded")
    adoption: int


def replan(issue: Issue, act: Replan, _: datetime) -> Changes:
    """R32: what is still open is planned again; whoever counts on an instant is told the new one.
    What is kept or broken is left as it is.
    """
    return {
        "promises": tuple(p for p in issue.running if p.end is PromiseEnd.OPEN),
        "replan": act.version,
        "tell": (
            NotificationRequest(template="replanned", to=Audience.CUSTOMER, when="later"),
            NotificationRequest(template="replanned_staff", to=Audience.HANDLER, when="moved"),
        ),
    }


ACTIONS: tuple[Action[Any], ...] = (
    Action(
        ActionName.THRESHOLD, ThresholdReached, Rule(ALWAYS, THE_DESK), threshold, ThresholdsPassed
    ),
    Action(
        ActionName.ESCALATE,
        Escalate,
        Rule(OPEN, STAFF | {Role.INTAKE, Role.CLERK}, hindrance=_at_the_top),
        escalate,
    ),
    Action(ActionName.REPLAN, Replan, Rule(UNCLOSED, THE_DESK), replan),
)
