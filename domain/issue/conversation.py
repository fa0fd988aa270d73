"""What a customer writes about their issue, by whichever door: it reaches whoever is to read it,
and means what the issue's stage makes of it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import Field

from domain.errors import Refused
from domain.issue.act import Act, ActionName
from domain.issue.action import Action, Changes, Rule
from domain.issue.common import ALWAYS, DONE, FOR_THE_CUSTOMER, REMEDIES, TO_BE_HEARD, local_time
from domain.issue.handling import goes_on
from domain.issue.hotline import ReportTest, report_test
from domain.issue.intake import Intake
from domain.issue.state import Issue, NotificationRequest
from domain.sla.promise import PromiseKind
from domain.terms import Terms
from domain.vocabulary import (
    SUPERVISORS,
    Actor,
    Audience,
    Behaviour,
    Code,
    Line,
    Means,
    Stage,
    Words,
)


class CustomerWrote(Act):
    """The customer wrote, or said on the telephone, something about their issue: one that waited
    for them goes on (R15), one that has its answer is looked at again before it closes (R9, R24).
    """

    words: Words = Field(description="the customer's, as they came")
    means: Means = Field(
        default=Means.WORDS,
        description="words; done: their part is, go on; more_time: they need it; fits, "
        "does_not_fit: the announced time; not_solved: opens an issue again that has its answer",
    )
    sender: Line | None = Field(default=None, description="address or name, as it came")
    known: bool = Field(
        default=True,
        description="false: nobody knows whose words these are, so that no clock moves by them",
    )
    of: Code | None = Field(
        default=None,
        description="number of the issue whose customer wrote, where that was merged into this one",
    )


def _over(issue: Issue, _: Actor) -> Refused | None:
    if not issue.over:
        return None
    return Refused("NotAllowed", f"{issue.number} is over: what is written now is another issue")


def customer_wrote(issue: Issue, act: CustomerWrote, at: datetime) -> Changes:
    """R15, R24: whoever has the issue reads the words; after the answer that is the agent, whom the
    customer knows (R34). It waits for its own customer, not for one whose issue was merged into it
    (R6). Words alone decide nothing that has an action of its own, such as the yes to a quotation
    (R17); but who wrote has not been silent, so that it does not lapse before somebody has seen to
    them.
    """
    if act.of and act.of not in issue.merged:
        raise Refused("Invalid", f"of: {act.of} was not merged into {issue.number}")
    if issue.closed and issue.reopens_until and at > issue.reopens_until:
        until = local_time(issue, issue.reopens_until)
        raise Refused(
            "NotAllowed",
            f"{issue.number} could be opened again until {until}: what is written now is another "
            "issue",
        )
    if not act.known:
        return _told(_STRANGER_WROTE, issue)
    if issue.stage is Stage.WAITING and not act.of:
        moved = _more_time(issue, at) if act.means is Means.MORE_TIME else goes_on(issue, at)
        return moved | _told(_WROTE, issue)
    if issue.stage in DONE:
        return _after_the_answer(issue, act, at)
    if issue.stage is Stage.CONFIRMING:
        return _told(_WROTE, issue) | _to_be_seen_to(issue)
    return _told(_WROTE, issue)


_WROTE = NotificationRequest(template="customer_wrote", to=Audience.HANDLER)
_STRANGER_WROTE = NotificationRequest(template="stranger_wrote", to=Audience.HANDLER)
_DID_IT_HELP = NotificationRequest(template="did_it_help", to=Audience.AGENT)


def _told(wording: NotificationRequest, issue: Issue) -> Changes:
    """Tell the handler, or the agent who has the answer in hand or has given it."""
    agents = issue.stage in DONE or issue.promise(PromiseKind.HAND_OVER)
    to = Audience.AGENT if agents else wording.to
    return {"tell": (wording.model_copy(update={"to": to}),)}


def _more_time(issue: Issue, at: datetime) -> Changes:
    """R15: it is still the customer's turn, and the time they are reminded after begins anew."""
    waits = issue.promise(PromiseKind.WAITING)
    return {
        "promises": (waits.give_up(at),) if waits else (),
        "make": (PromiseKind.WAITING,),
        "attempt": issue.waits + 1,
    }


def _after_the_answer(issue: Issue, act: CustomerWrote, at: datetime) -> Changes:
    """R9, R24: it is opened again if they say that it is not solved. Whatever else they say, the
    agent is asked whether it did not help, and until then no silence closes it.
    """
    # With a remedy that is still to come it would be closed by now.
    heard = issue.closed or any(issue.promise(kind) for kind in (*TO_BE_HEARD, *REMEDIES))
    if act.means is Means.NOT_SOLVED and heard:
        return report_test(issue, ReportTest(by=act.by, worked=False, words=act.words), at)
    return _told(_DID_IT_HELP, issue) | _to_be_seen_to(issue)


def _to_be_seen_to(issue: Issue) -> Changes:
    """Promise that somebody reads it; once, however often they write meanwhile."""
    if issue.promise(PromiseKind.FEEDBACK):
        return {}
    return {"make": (PromiseKind.FEEDBACK,), "attempt": issue.next_attempt(PromiseKind.FEEDBACK)}


_OF_OLD = Terms()
_SAID_NOW = (
    *("source", "reference", "channel", "agent", "title", "description", "reported_at"),
    *("answering", "consent", "consent_words"),
)


def following(first: Intake, wrote: Intake, terms: Terms = _OF_OLD) -> Intake:
    """What the customer of an issue writes when that is over, as one of its own that arises from
    it: about the same machine, for the same people, in the words of now (R24); of the same kind,
    unless it is a complaint or the policy has no such kind any more.
    """
    now: dict[str, object] = {name: getattr(wrote, name) for name in _SAID_NOW}
    gone = any(terms.unknown(first.kind, first.category))
    if gone or wrote.behaviour is Behaviour.COMPLAINT:
        now |= {name: getattr(wrote, name) for name in ("kind", "behaves", "category", "outside")}
    before: dict[str, object] = {"occurred_at": None, "ring_seconds": None, "complex": False}
    before["agitated"] = False
    return first.model_copy(update=before | now | {"arises_from": first.issue_id})


ACTIONS: tuple[Action[Any], ...] = (
    Action(
        ActionName.CUSTOMER_WROTE,
        CustomerWrote,
        Rule(ALWAYS, SUPERVISORS | FOR_THE_CUSTOMER, hindrance=_over),
        customer_wrote,
    ),
)
