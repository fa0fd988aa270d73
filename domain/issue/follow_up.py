"""Callback, evaluation and rating (R18, R22-R26): what the customer says of it, and the manager."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field, model_validator

from domain.errors import Refused
from domain.issue.act import Act, ActionName
from domain.issue.action import Action, Changes, Rule
from domain.issue.common import (
    AFTER,
    FOR_THE_CUSTOMER,
    TO_BE_HEARD,
    close,
    end,
    local_time,
    open_again,
)
from domain.issue.forms import DifficultyRating, Evaluation
from domain.issue.hotline import tested
from domain.issue.state import CallbackRecord, Issue, NotificationRequest
from domain.sla.promise import Promise, PromiseKind
from domain.vocabulary import (
    SUPERVISORS,
    Actor,
    Audience,
    Behaviour,
    Code,
    Outcome,
    Role,
    Score,
    ServiceItem,
    Stage,
    Text,
    Words,
)


class RecordCallback(Act):
    """One attempt to call the customer (R23-R25); ``words`` are written down as said. A conflict
    becomes a complaint of its own (R21); one ``call`` may ask about several faults (R22).
    """

    reached: bool = Field(description="the customer was on the line")
    running: bool | None = Field(
        default=None,
        description="is the machine running normally; asked about faults only, of what is none: is "
        "it settled, if they said so (R24)",
    )
    satisfied: bool | None = Field(default=None, description="is the customer satisfied")
    words: Text = Field(default="", description="the customer's, as said")
    conflict: bool = Field(
        default=False, description="the customer complains, or is at odds with us (R21, R24)"
    )
    call: Code | None = Field(default=None, description="names the call, if it is about several")

    @model_validator(mode="after")
    def _only_a_reached_customer_answers(self) -> RecordCallback:
        if not self.reached and (self.running is not None or self.satisfied is not None):
            msg = "reached: a customer who was not reached cannot have answered"
            raise ValueError(msg)
        if self.conflict and not (self.reached and self.words):
            msg = "words: write down what the customer complains about, as said"
            raise ValueError(msg)
        return self


def _awaited(issue: Issue) -> Promise | None:
    """The call that is due; or else the time to try the answer, in which a customer may call."""
    return issue.promise(PromiseKind.CALLBACK) or issue.promise(PromiseKind.CUSTOMER_TEST)


def _no_call(issue: Issue) -> Refused:
    return Refused("NotAllowed", f"no callback is due for {issue.number}")


def _not_due(issue: Issue, _: Actor) -> Refused | None:
    return None if _awaited(issue) else _no_call(issue)


def record_callback(issue: Issue, act: RecordCallback, at: datetime) -> Changes:
    """R22-R25: one call a day; good closes, bad reopens, not reached is tried again. A customer who
    has time to try the answer (R9) may call by themselves.
    """
    promise = _awaited(issue)
    if promise is None or (promise.kind is PromiseKind.CUSTOMER_TEST and not act.reached):
        raise _no_call(issue)
    if missing := unasked(act, issue.intake.behaviour):
        raise missing
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
        else _repair_failed(issue)
        if act.running is False
        else close(issue)
    )
    if act.running is not None:
        changes |= {"forms": tested(issue, at, worked=act.running, words=act.words)}
    if act.conflict:
        changes |= {"dissatisfied": True}
    return changes | {"tell": (*changes.get("tell", ()), *_reported(act))}


def asks_whether_it_runs(behaves: Behaviour) -> bool:
    """R24: whether the machine runs is asked about faults only."""
    return behaves is Behaviour.FAULT


def unasked(act: RecordCallback, behaves: Behaviour) -> Refused | None:
    """Say what the customer was not asked in a call about such an issue; None: all there is."""
    if not act.reached or act.running is not None or not asks_whether_it_runs(behaves):
        return None
    msg = "running: say whether the machine runs normally when the customer was reached"
    return Refused("Invalid", msg)


def _reported(act: RecordCallback) -> tuple[NotificationRequest, ...]:
    """R24: whoever is responsible hears at once of a conflict, and of plain dissatisfaction, which
    is no complaint; that a repair failed they hear with the same words.
    """
    if act.conflict:
        return (NotificationRequest(template="conflict", to=Audience.LEAD),)
    if act.satisfied is False and act.running is not False:
        return (NotificationRequest(template="dissatisfied", to=Audience.LEAD),)
    return ()


def _not_reached(issue: Issue, promise: Promise) -> Changes:
    """R25: tried again as often as the policy says, then the customer is written to. The last
    attempt is not the last while the reply is still under way, for nothing closes unanswered (R6),
    nor while nobody has seen to what they wrote.
    """
    unread = issue.promise(PromiseKind.FEEDBACK)
    if promise.attempt < promise.attempts or not issue.answered or unread:
        return {
            "stage": Stage.CALLBACK,
            "make": (PromiseKind.CALLBACK,),
            "attempt": promise.attempt + 1,
        }
    return {
        "stage": Stage.CLOSED,
        "outcome": Outcome.NOT_REACHED,
        "tell": (NotificationRequest(template="not_reached", to=Audience.CUSTOMER),),
    }


def _repair_failed(issue: Issue) -> Changes:
    """R24: apology, back to an engineer at once, with higher urgency."""
    told = (
        NotificationRequest(template="reopened", to=Audience.CUSTOMER),
        NotificationRequest(template="repair_failed", to=Audience.LEAD),
    )
    return open_again(issue, told, urgent=True)


class Evaluate(Act):
    """The customer scores technical level and service attitude, once per case, item and person
    (R26). Below zero it becomes a complaint of its own, if the policy does not say otherwise (R21).
    """

    item: ServiceItem = Field(description="what is scored")
    technical: Score = Field(description="technical level; 100 is what was to be expected")
    attitude: Score = Field(description="service attitude; 100 is what was to be expected")
    comment: Words
    person: Code | None = Field(
        default=None, description="who scores, if somebody else writes it down"
    )

    @property
    def scored_by(self) -> str:
        """Whose opinion it is."""
        return self.person or self.by.id


def _too_late(issue: Issue, _: Actor) -> Refused | None:
    """R26: there is a time for it."""
    offered = [p for p in issue.promises if p.kind is PromiseKind.EVALUATION]
    if not offered or offered[-1].running:
        return None
    until = local_time(issue, offered[-1].due_at)
    return Refused("NotAllowed", f"{issue.number} could be scored until {until}")


def evaluate(issue: Issue, act: Evaluate, at: datetime) -> Changes:
    """R26: once per case, item and person. Whether it shows strong dissatisfaction (R21), or plain
    dissatisfaction that whoever is responsible is to hear of (R24), is the policy's to say.
    """
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
    told = NotificationRequest(template="dissatisfied", to=Audience.LEAD, when="dissatisfied")
    return {"forms": (form,), "tell": (told,)}


class RateDifficulty(Act):
    """The manager rates how difficult the repair was (R18); a later rating replaces it."""

    difficulty: Annotated[int, Field(ge=1, le=5)] = Field(description="1 easy to 5 very difficult")
    note: Text = ""


def _no_repair(issue: Issue, _: Actor) -> Refused | None:
    """R18: what the hotline answered was none, but for a fault that it solved on the line."""
    if not issue.first_contact or asks_whether_it_runs(issue.intake.behaviour):
        return None
    return Refused("NotAllowed", f"{issue.number} was answered by the hotline: nothing to rate")


def _solved_by(issue: Issue) -> str | None:
    """R18: whose work it was: the agent's, if it was solved on the line."""
    if issue.first_contact:
        return issue.agent
    return issue.engineer.id if issue.engineer else None


def rate_difficulty(issue: Issue, act: RateDifficulty, at: datetime) -> Changes:
    """R18: pay and appraisal use it."""
    form = DifficultyRating(
        generation=issue.generation,
        engineer=_solved_by(issue),
        difficulty=act.difficulty,
        note=act.note,
        rated_by=act.by.id,
        rated_at=at,
    )
    return {"promises": end(issue, at, PromiseKind.DIFFICULTY), "forms": (form,)}


ACTIONS: tuple[Action[Any], ...] = (
    Action(
        ActionName.RECORD_CALLBACK,
        RecordCallback,
        Rule(AFTER, SUPERVISORS | {Role.CLERK, Role.AGENT}, hindrance=_not_due),
        record_callback,
    ),
    Action(
        ActionName.EVALUATE,
        Evaluate,
        Rule(
            frozenset({Stage.REPLIED, Stage.CALLBACK, Stage.CLOSED}),
            SUPERVISORS | FOR_THE_CUSTOMER,
            hindrance=_too_late,
        ),
        evaluate,
    ),
    Action(
        ActionName.RATE_DIFFICULTY,
        RateDifficulty,
        Rule(AFTER | {Stage.CLOSED}, frozenset({Role.MANAGER}), hindrance=_no_repair),
        rate_difficulty,
    ),
)
