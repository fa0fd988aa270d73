"""What an action brings about: one function each, named after the regulation's word, which says
what changes of the step that ``lifecycle.decide`` makes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from domain.actions import (
    Accept,
    ActionName,
    Assign,
    Cancel,
    Escalate,
    HandOver,
    Reassign,
    RecordCallback,
    Replan,
    Replied,
    ReportProgress,
    Resolve,
    Resume,
    Threshold,
    WaitForCustomer,
    Withdraw,
)
from domain.issue import Assignment, CallbackRecord, Handling, Issue, Tell
from domain.promises import DUE, Mark, Promise, PromiseEnd, PromiseKind
from domain.refusal import Refused
from domain.vocabulary import ESCALATION, Audience, Outcome, Severity, Stage

ASSIGNED = (
    Tell(template="assigned", to=Audience.HANDLER, when="assigned"),
    Tell(template="unassigned", to=Audience.LEAD, when="unassigned"),
)


_SOLVED = {"stage": Stage.CLOSED, "outcome": Outcome.SOLVED}
_TO_BE_HEARD = (PromiseKind.CALLBACK, PromiseKind.CUSTOMER_TEST)
"""While one of these runs, the customer may yet say that it is not solved (R9, R22)."""


def _end(issue: Issue, at: datetime, *kinds: PromiseKind) -> tuple[Promise, ...]:
    return tuple(p.fulfil(at) for p in issue.running if p.kind in kinds)


def _nobody(issue: Issue) -> Stage:
    """Where an issue is while nobody has it."""
    return Stage.REOPENED if issue.generation > 1 else Stage.REGISTERED


def _accept(issue: Issue, act: Accept, at: datetime) -> dict[str, Any]:
    """R11: the handler has it and the customer hears from us. A supervisor who accepts an issue
    that is with nobody, or with somebody else, becomes its handler.
    """
    return {
        "stage": Stage.IN_PROGRESS,
        "stage_if_assigned": Stage.IN_PROGRESS,
        "promises": _end(issue, at, PromiseKind.RESPONSE),
        "assignment": None if issue.is_with(act.by) else Assignment(to=act.by.id),
        "handling": Handling(accepted_at=at, expected_at=act.expected_at),
        "tell": (Tell(template="accepted", to=Audience.CUSTOMER),),
    }


def _report_progress(_: Issue, act: ReportProgress, __: datetime) -> dict[str, Any]:
    """R13, R14: the customer is told when there is a new expected time."""
    if act.expected_at is None:
        return {}
    return {
        "handling": Handling(expected_at=act.expected_at),
        "tell": (Tell(template="progress", to=Audience.CUSTOMER),),
    }


def _wait_for_customer(issue: Issue, _: WaitForCustomer, at: datetime) -> dict[str, Any]:
    """R15: the resolution clock stands still, and the customer knows that it is their turn."""
    paused = tuple(
        p.pause(at) for p in issue.running if p.kind is PromiseKind.RESOLUTION and not p.paused_at
    )
    return {
        "stage": Stage.WAITING,
        "promises": paused,
        "tell": (Tell(template="waiting", to=Audience.CUSTOMER),),
    }


def _resume(issue: Issue, _: Resume, __: datetime) -> dict[str, Any]:
    """R15: what was left of the clock when it stopped is planned anew."""
    return {
        "stage": Stage.IN_PROGRESS if issue.engineer else _nobody(issue),
        "promises": tuple(p for p in issue.running if p.paused_at),
        "resume": True,
    }


def _reassign(issue: Issue, act: Reassign, _: datetime) -> dict[str, Any]:
    """R15: the form travels, the clocks do not restart."""
    waiting = issue.stage is Stage.WAITING
    return {
        "stage": Stage.WAITING if waiting else _nobody(issue),
        "stage_if_assigned": Stage.WAITING if waiting else Stage.ASSIGNED,
        "assignment": Assignment(to=act.to),
        "tell": ASSIGNED,
    }


def _assign(issue: Issue, _: Assign, __: datetime) -> dict[str, Any]:
    """R16: somebody may have come on duty. The lead knows already if not."""
    return {
        "stage_if_assigned": Stage.WAITING if issue.stage is Stage.WAITING else Stage.ASSIGNED,
        "assignment": Assignment(),
        "tell": ASSIGNED[:1],
    }


def _resolve(issue: Issue, act: Resolve, at: datetime) -> dict[str, Any]:
    """R12, R6: the result is there and goes to the customer; R22: tomorrow they are called, or
    they have some time to try it (R9), as the policy says.
    """
    return {
        "stage": Stage.RESOLVED,
        "promises": _end(issue, at, PromiseKind.RESPONSE, PromiseKind.RESOLUTION),
        "make": (PromiseKind.CALLBACK, PromiseKind.CUSTOMER_TEST),
        "handling": Handling(resolved_at=at, result=act.result, cause=act.cause),
        "tell": (Tell(template="resolved", to=Audience.CUSTOMER),),
    }


def _replied(issue: Issue, _: Replied, __: datetime) -> dict[str, Any]:
    """R6: the customer has the answer. Where they need not be heard any more the issue is done."""
    if not any(issue.promise(kind) for kind in _TO_BE_HEARD):
        return _SOLVED
    return {"stage": Stage.REPLIED} if issue.stage is Stage.RESOLVED else {}


def _record_callback(issue: Issue, act: RecordCallback, at: datetime) -> dict[str, Any]:
    """R22-R25: one call a day; good closes, bad reopens, not reached is tried again. A customer who
    has time to try the answer (R9) may call by themselves.
    """
    promise = issue.promise(PromiseKind.CALLBACK) or issue.promise(PromiseKind.CUSTOMER_TEST)
    if promise is None or (promise.kind is PromiseKind.CUSTOMER_TEST and not act.reached):
        raise Refused("NotAllowed", f"no callback is due for {issue.number}")
    if promise.opens_at and at < promise.opens_at:
        raise Refused(
            "NotAllowed",
            f"the callback of {issue.number} may be made from {promise.opens_at.isoformat()} on: "
            "nobody is called twice about one fault on one day (R22)",
        )
    record = CallbackRecord(
        generation=promise.generation,
        attempt=promise.attempt,
        reached=act.reached,
        running=act.running,
        satisfied=act.satisfied,
        words=act.words,
    )
    heard = _TO_BE_HEARD if act.reached else (promise.kind,)
    return {"callback": record, "promises": _end(issue, at, *heard)} | (
        _not_reached(issue, promise)
        if not act.reached
        else _SOLVED
        if act.running
        else _reopen(issue)
    )


def _not_reached(issue: Issue, promise: Promise) -> dict[str, Any]:
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


def _reopen(issue: Issue) -> dict[str, Any]:
    """R24: apology, back to an engineer at once, with higher urgency: major, or if it was that
    already under the lead's eyes. The engineer who knows the case goes first.
    """
    was_major = issue.severity is Severity.MAJOR
    return {
        "stage": Stage.REOPENED,
        "stage_if_assigned": Stage.ASSIGNED,
        "generation": issue.generation + 1,
        "severity": Severity.MAJOR,
        "level": max(issue.level, 1) if was_major else issue.level,
        "make": (PromiseKind.RESPONSE, PromiseKind.RESOLUTION),
        "assignment": Assignment(prefer=issue.engineer.id if issue.engineer else None),
        "tell": (
            Tell(template="reopened", to=Audience.CUSTOMER),
            *ASSIGNED,
            Tell(template="repair_failed", to=Audience.LEAD),
        ),
    }


def _escalate(issue: Issue, _: Escalate, __: datetime) -> dict[str, Any]:
    """R10, R13: one level up, by hand."""
    level = issue.level + 1
    if level >= len(ESCALATION):
        raise Refused("NotAllowed", f"{issue.number} is with the GM office already: no level above")
    return {
        "level": level,
        "tell": (Tell(template="escalated", to=Audience(ESCALATION[level])),),
    }


def _withdraw(_: Issue, __: Withdraw, ___: datetime) -> dict[str, Any]:
    return {
        "stage": Stage.CLOSED,
        "outcome": Outcome.WITHDRAWN,
        "tell": (
            Tell(template="withdrawn", to=Audience.CUSTOMER),
            Tell(template="withdrawn_staff", to=Audience.HANDLER, when="assigned"),
        ),
    }


def _cancel(_: Issue, __: Cancel, ___: datetime) -> dict[str, Any]:
    """An operator ended the workflow: what was open is recorded as given up, the lead is told."""
    return {
        "stage": Stage.CLOSED,
        "outcome": Outcome.CANCELLED,
        "tell": (Tell(template="cancelled", to=Audience.LEAD),),
    }


def _threshold(issue: Issue, act: Threshold, at: datetime) -> dict[str, Any]:
    """R13: warn before, apologise and ask for progress when overdue, then upward.

    If the desk was away while several thresholds passed, they count as one: whoever should have
    been told is told, once, and of the last.
    """
    promise = next((p for p in issue.running if p.key == act.promise), None)
    mark = promise.next_mark if promise else None
    if promise is None or mark is None or mark.name != act.threshold:
        raise Refused("NotAllowed", f"{act.promise} of {issue.number} no longer waits for this")
    passed = [mark]
    promise = promise.reach()
    while (following := promise.next_mark) and following.at <= at:
        passed.append(following)
        promise = promise.reach()
    last = passed[-1]
    silent = promise.kind is PromiseKind.CUSTOMER_TEST and DUE in (mark.name for mark in passed)
    told = dict.fromkeys(audience for mark in passed for audience in mark.tell)
    return {
        "promises": (promise.give_up(at) if silent else promise,),
        "level": max(issue.level, *(mark.level for mark in passed)),
        "tell": tuple(Tell(template=_alarm(promise, last, to), to=to) for to in told),
        "content": {
            "promise": promise.key,
            "threshold": last.name,
            "skipped": [mark.name for mark in passed[:-1]],
        },
    } | (_silence(issue) if silent else {})


def _silence(issue: Issue) -> dict[str, Any]:
    """R9: silence counts as solved, but only once the customer has the answer (R6), and not while a
    call is still to be made (R22).
    """
    heard = issue.promise(PromiseKind.CALLBACK) is None
    return _SOLVED if heard and issue.stage is Stage.REPLIED else {}


def _alarm(promise: Promise, mark: Mark, to: Audience) -> str:
    """Choose the wording of an alarm by who reads it and whether the promise is broken yet."""
    broken = promise.due_at <= mark.at
    if to is Audience.CUSTOMER:
        return "apology" if broken else "progress"
    if to in {Audience.HANDLER, Audience.CLERK}:
        return "overdue" if broken else "reminder"
    return "alarm" if broken else "warning"


def _replan(issue: Issue, act: Replan, _: datetime) -> dict[str, Any]:
    """R32: what is still open is planned again; whoever counts on an instant is told the new one.
    What is kept or broken is left as it is.
    """
    return {
        "promises": tuple(p for p in issue.running if p.end is PromiseEnd.OPEN),
        "replan": act.version,
        "tell": (
            Tell(template="replanned", to=Audience.CUSTOMER, when="later"),
            Tell(template="replanned_staff", to=Audience.HANDLER, when="moved"),
        ),
    }


def _hand_over(_: Issue, act: HandOver, __: datetime) -> dict[str, Any]:
    """Nobody answers on that channel: a person above is to bring the message (R6)."""
    return {"hand_over": act.messages, "tell": (Tell(template="undelivered", to=Audience.LEAD),)}


EFFECTS: Mapping[ActionName, Callable[[Issue, Any, datetime], dict[str, Any]]] = {
    ActionName.ACCEPT: _accept,
    ActionName.REPORT_PROGRESS: _report_progress,
    ActionName.WAIT_FOR_CUSTOMER: _wait_for_customer,
    ActionName.RESUME: _resume,
    ActionName.REASSIGN: _reassign,
    ActionName.RESOLVE: _resolve,
    ActionName.RECORD_CALLBACK: _record_callback,
    ActionName.ESCALATE: _escalate,
    ActionName.WITHDRAW: _withdraw,
    ActionName.REPLAN: _replan,
    ActionName.ASSIGN: _assign,
    ActionName.THRESHOLD: _threshold,
    ActionName.REPLIED: _replied,
    ActionName.HAND_OVER: _hand_over,
    ActionName.CANCEL: _cancel,
}
