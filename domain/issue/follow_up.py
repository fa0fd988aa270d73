"""Callback, evaluation and rating (R18, R22-R26): what the customer says of it, and the manager."""

from __future__ import annotations

from datetime import datetime

from domain.errors import Refused
from domain.issue.actions import Evaluate, RateDifficulty, RecordCallback
from domain.issue.common import TO_BE_HEARD, Changes, close, end, local_time, open_again
from domain.issue.forms import DifficultyRating, Evaluation
from domain.issue.hotline import tested
from domain.issue.state import CallbackRecord, Issue, Tell
from domain.sla.promise import Promise, PromiseKind
from domain.vocabulary import Audience, Outcome, Role, Stage


def record_callback(issue: Issue, act: RecordCallback, at: datetime) -> Changes:
    """R22-R25: one call a day; good closes, bad reopens, not reached is tried again. A customer who
    has time to try the answer (R9) may call by themselves.
    """
    promise = issue.promise(PromiseKind.CALLBACK) or issue.promise(PromiseKind.CUSTOMER_TEST)
    if promise is None or (promise.kind is PromiseKind.CUSTOMER_TEST and not act.reached):
        raise Refused("NotAllowed", f"no callback is due for {issue.number}")
    if promise.opens_at and at < promise.opens_at:
        opens = local_time(issue, promise.opens_at)
        raise Refused(
            "NotAllowed",
            f"the callback of {issue.number} may be made from {opens} on: "
            "nobody is called twice about one fault on one day (R22)",
        )
    record = CallbackRecord(
        generation=promise.generation,
        attempt=promise.attempt,
        reached=act.reached,
        running=act.running,
        satisfied=act.satisfied,
        words=act.words,
        conflict=act.conflict,
        call=act.call,
    )
    heard = TO_BE_HEARD if act.reached else (promise.kind,)
    changes: Changes = {"callback": record, "promises": end(issue, at, *heard)} | (
        _not_reached(issue, promise)
        if not act.reached
        else close(issue)
        if act.running
        else _repair_failed(issue)
    )
    if act.running is not None:
        changes |= {"forms": tested(issue, at, worked=act.running, words=act.words)}
    if act.conflict:
        told = Tell(template="conflict", to=Audience.LEAD)
        changes |= {"dissatisfied": True, "tell": (*changes.get("tell", ()), told)}
    return changes


def _not_reached(issue: Issue, promise: Promise) -> Changes:
    """R25: tried again as often as the policy says, then the customer is written to. The last
    attempt is not the last while the reply is still under way: nothing closes unanswered (R6).
    """
    if promise.attempt < promise.attempts or not issue.answered:
        return {
            "stage": Stage.CALLBACK,
            "make": (PromiseKind.CALLBACK,),
            "attempt": promise.attempt + 1,
        }
    return {
        "stage": Stage.CLOSED,
        "outcome": Outcome.NOT_REACHED,
        "tell": (Tell(template="not_reached", to=Audience.CUSTOMER),),
    }


def _repair_failed(issue: Issue) -> Changes:
    """R24: apology, back to an engineer at once, with higher urgency."""
    told = (
        Tell(template="reopened", to=Audience.CUSTOMER),
        Tell(template="repair_failed", to=Audience.LEAD),
    )
    return open_again(issue, told, urgent=True)


def evaluate(issue: Issue, act: Evaluate, at: datetime) -> Changes:
    """R26: once per case, item and person, while there is time to. Whether it shows strong
    dissatisfaction (R21) is the policy's to say.
    """
    offered = next((p for p in issue.promises if p.kind is PromiseKind.EVALUATION), None)
    if offered and not offered.running:
        raise Refused(
            "NotAllowed",
            f"{issue.number} could be scored until {local_time(issue, offered.due_at)}",
        )
    if act.by.role is not Role.CUSTOMER and act.person is None:
        raise Refused("Invalid", "person: say who scores it, you write it down for them")
    if f"{act.item}:{act.scored_by}" in issue.evaluated:
        raise Refused(
            "NotAllowed", f"{act.scored_by} has scored {act.item} of {issue.number} already"
        )
    form = Evaluation(
        item=act.item,
        person=act.scored_by,
        written_by=act.by.id,
        at=at,
        engineer=issue.engineer.id if issue.engineer else None,
        department=issue.department,
        technical=act.technical,
        attitude=act.attitude,
        comment=act.comment,
    )
    return {"forms": (form,)}


def rate_difficulty(issue: Issue, act: RateDifficulty, at: datetime) -> Changes:
    """R18: pay and appraisal use it. What the hotline answered was no repair."""
    if issue.first_contact:
        raise Refused("NotAllowed", f"{issue.number} was answered by the hotline: nothing to rate")
    form = DifficultyRating(
        generation=issue.generation,
        engineer=issue.engineer.id if issue.engineer else None,
        difficulty=act.difficulty,
        note=act.note,
        rated_by=act.by.id,
        rated_at=at,
    )
    return {"promises": end(issue, at, PromiseKind.DIFFICULTY), "forms": (form,)}
