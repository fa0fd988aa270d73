"""The agent who took an issue in has its customer's side to the end (R13, R34): they bring the
result by telephone where the policy wants that, call when a promise is broken, and ask the handler
how far it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from pydantic import Field, model_validator

from domain.errors import Refused
from domain.issue.act import Act, ActionName
from domain.issue.action import Action, Changes, Rule
from domain.issue.common import ANSWERED_THEN, OPEN, end, the_answer_in_writing
from domain.issue.state import Issue, NotificationRequest
from domain.sla.promise import CALLS, Promise, PromiseKind
from domain.vocabulary import SUPERVISORS, Actor, Audience, Outcome, Role, Stage, Text, Words


class ContactCustomer(Act):
    """A call to the customer: with the result, which is the reply (R34), or because something is
    late (R13). ``words`` are written down as said.
    """

    reached: bool = Field(description="the customer was on the line")
    told: Text = Field(default="", description="what the customer was told, in words for them")
    words: Text = Field(default="", description="the customer's, as said")

    @model_validator(mode="after")
    def _only_a_reached_customer_is_told(self) -> ContactCustomer:
        if self.reached and not self.told:
            msg = "told: write down what the customer was told"
            raise ValueError(msg)
        if not self.reached and (self.told or self.words):
            msg = "reached: a customer who was not reached was told nothing and said nothing"
            raise ValueError(msg)
        return self


class Contacted(ContactCustomer):
    """With the result that was to be told, where the call is the reply."""

    result: Text = ""


def call_owed(issue: Issue) -> Promise | None:
    """Return the agent's promise to call, of which there is never more than one."""
    return next((p for p in issue.running if p.kind in CALLS), None)


def _no_call_owed(issue: Issue, _: Actor) -> Refused | None:
    return None if call_owed(issue) else _none_is_due(issue)


def _none_is_due(issue: Issue) -> Refused:
    return Refused("NotAllowed", f"no call to the customer of {issue.number} is due: add a note")


def contact_customer(issue: Issue, act: ContactCustomer, at: datetime) -> Changes:
    """R34, R13: with the call the customer has the answer, or has heard how far it is. Not reached,
    the promise goes on with its thresholds; after as many calls as the policy says they are written
    to instead.
    """
    promise = call_owed(issue)
    if promise is None:
        raise _none_is_due(issue)
    if not act.reached and not _in_vain(issue, promise):
        return {}
    ended: Changes = {"promises": end(issue, at, promise.kind)}
    if promise.kind is PromiseKind.CONTACT:
        return ended | ({} if act.reached else {"tell": (_MISSED,)})
    # What follows the answer begins with it: to be tried, to be called about (R9, R22).
    ended["make"] = tuple(_begins_now(issue))
    if act.reached:
        return ended | {"stage": Stage.REPLIED, "tell": (_TOLD,)}
    return ended | {"tell": (the_answer_in_writing(issue),)}


def _in_vain(issue: Issue, promise: Promise) -> bool:
    """Whether one more call that does not reach them is the last of those that the policy wants;
    somebody who can only be called is called until they are reached.
    """
    return 0 < promise.attempts <= issue.called_in_vain + 1


def _begins_now(issue: Issue) -> Iterator[PromiseKind]:
    for kind in _THEN.get(issue.ends_as, ()):
        if not (kind is PromiseKind.CUSTOMER_TEST and issue.needs_no_test):
            yield kind


_THEN: Mapping[Outcome, tuple[PromiseKind, ...]] = {
    Outcome.SOLVED: ANSWERED_THEN,
    Outcome.OUT_OF_SCOPE: ANSWERED_THEN,
    Outcome.UNFOUNDED: (PromiseKind.CALLBACK,),
}
"""What follows the answer by how the issue ends; nothing, where no work was done."""
_TOLD = NotificationRequest(template="told_by_call", to=Audience.CUSTOMER)
_MISSED = NotificationRequest(template="missed_call", to=Audience.CUSTOMER)


class Chase(Act):
    """The agent asks the handler how far it is (R13)."""

    asks: Words = Field(description="what the handler is asked, for colleagues")


def chase(_: Issue, __: Chase, ___: datetime) -> Changes:
    """R13: it stands in the issue that the handler was asked. No clock moves by it."""
    return {"tell": (NotificationRequest(template="chased", to=Audience.HANDLER),)}


_AGENTS = SUPERVISORS | {Role.AGENT}

ACTIONS: tuple[Action[Any], ...] = (
    Action(
        ActionName.CONTACT_CUSTOMER,
        ContactCustomer,
        Rule(OPEN | {Stage.RESOLVED}, _AGENTS, hindrance=_no_call_owed),
        contact_customer,
        keeps=Contacted,
    ),
    Action(ActionName.CHASE, Chase, Rule(OPEN, _AGENTS), chase, aside=True),
)
