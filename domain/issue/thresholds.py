"""What the clocks bring about (R9, R10, R13, R17, R32): warnings, apologies, escalation, what
silence means, and planning again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from domain.errors import Refused
from domain.issue.actions import Replan, Threshold
from domain.issue.common import ASSIGNED, PASSED_ON, Changes, close
from domain.issue.paid_service import not_wanted
from domain.issue.state import Assignment, Issue, Tell
from domain.sla.promise import CUSTOMERS, DUE, OVERSIGHT, Mark, Promise, PromiseEnd, PromiseKind
from domain.vocabulary import Audience, Outcome, Stage


def threshold(issue: Issue, act: Threshold, at: datetime) -> Changes:
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
    told = dict.fromkeys(audience for mark in passed for audience in mark.tell)
    changes: Changes = {
        "promises": (promise,),
        "level": max(issue.level, *(mark.level for mark in passed)),
        "tell": tuple(Tell(template=_alarm(promise, last, to), to=to) for to in told),
        "content": {
            "promise": promise.key,
            "threshold": last.name,
            "skipped": [mark.name for mark in passed[:-1]],
        },
    }
    time_is_up = _TIME_IS_UP.get(promise.kind)
    last_word = promise.next_mark is None if promise.kind in OVERSIGHT else _due(passed)
    if time_is_up is None or not last_word:
        return changes
    following_from_it = time_is_up(issue, promise, at)
    return (
        changes
        | following_from_it
        | {"tell": (*changes["tell"], *following_from_it.get("tell", ()))}
    )


def _due(passed: Sequence[Mark]) -> bool:
    return DUE in (mark.name for mark in passed)


def _untried(issue: Issue, promise: Promise, at: datetime) -> Changes:
    """R9, R17: silence counts as solved, but only once the customer has the answer (R6), and not
    while a call is still to be made (R22).
    """
    heard = issue.promise(PromiseKind.CALLBACK) is None
    over: Changes = close(issue) if heard and issue.stage is Stage.REPLIED else {}
    return {"promises": (promise.give_up(at),)} | over


def _unconfirmed(issue: Issue, promise: Promise, at: datetime) -> Changes:
    """R17: a quotation that the customer never answered lapses, and they are told."""
    changes = not_wanted(issue, at, Outcome.LAPSED)
    others = (ended for ended in changes["promises"] if ended.key != promise.key)
    return changes | {"promises": (promise.give_up(at), *others)}


def _unanswered(_: Issue, promise: Promise, at: datetime) -> Changes:
    """R10: what the hotline neither answered nor passed on in time is passed on by the desk."""
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


def _alarm(promise: Promise, mark: Mark, to: Audience) -> str:
    """Choose the wording of an alarm by who reads it and whether the promise is broken yet."""
    broken = promise.due_at <= mark.at and promise.kind not in CUSTOMERS
    if to is Audience.CUSTOMER:
        return "apology" if broken else _REMINDERS.get(promise.kind, "progress")
    if promise.kind in _OWN_WORDS:
        return _OWN_WORDS[promise.kind]
    if to in {Audience.HANDLER, Audience.CLERK, Audience.AGENT}:
        return "overdue" if broken else "reminder"
    return "alarm" if broken else "warning"


def replan(issue: Issue, act: Replan, _: datetime) -> Changes:
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
