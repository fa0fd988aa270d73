"""How an issue ends (R6): the customer has the answer or takes the issue back, an operator ends it;
and what the desk's own operation does on the way.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import Field

from domain.errors import Refused
from domain.issue.act import Act, ActionName, ToCustomer
from domain.issue.action import Action, Changes, Rule
from domain.issue.common import (
    AFTER,
    ALWAYS,
    FOR_THE_CUSTOMER,
    THE_DESK,
    TO_BE_HEARD,
    UNCLOSED,
    close,
)
from domain.issue.state import Issue, NotificationRequest
from domain.sla.promise import PromiseKind
from domain.vocabulary import SUPERVISORS, Actor, Audience, Outcome, Stage, Words


class Replied(Act):
    """The result reached the customer, or the person who is to bring it to them (R6)."""


def _by_call(issue: Issue, _: Actor) -> Refused | None:
    """R34: where the agent's call is the reply, no message is."""
    if issue.promise(PromiseKind.REPLY) is None:
        return None
    return Refused("NotAllowed", f"the agent is to call the customer of {issue.number} with it")


def replied(issue: Issue, _: Replied, __: datetime) -> Changes:
    """R6: the customer has the answer. Where they need not be heard any more the issue is done."""
    if not any(issue.promise(kind) for kind in TO_BE_HEARD):
        return close(issue)
    return {"stage": Stage.REPLIED} if issue.stage is Stage.RESOLVED else {}


class BringByHand(Act):
    """These messages could not be delivered: a person is to see to them."""

    messages: tuple[str, ...]


def bring_by_hand(_: Issue, act: BringByHand, __: datetime) -> Changes:
    """Nobody answers on that channel: a person above is to bring the message (R6)."""
    return {
        "hand_over": act.messages,
        "tell": (NotificationRequest(template="undelivered", to=Audience.LEAD),),
    }


def _others_wait(issue: Issue, _: Actor) -> Refused | None:
    """R6: it answers others, too, who did not take it back."""
    if not issue.others:
        return None
    return Refused(
        "NotAllowed",
        f"{issue.number} also answers the customers of {', '.join(issue.others)}, which were "
        "merged into it: it ends with an answer",
    )


class Withdraw(Act):
    """The customer does not want it any more."""

    reason: Words = Field(description="for colleagues")
    told: ToCustomer = ""


def withdraw(_: Issue, __: Withdraw, ___: datetime) -> Changes:
    return {
        "stage": Stage.CLOSED,
        "outcome": Outcome.WITHDRAWN,
        "tell": (
            NotificationRequest(template="withdrawn", to=Audience.CUSTOMER),
            NotificationRequest(template="withdrawn_staff", to=Audience.HANDLER, when="assigned"),
        ),
    }


class Cancel(Act):
    """An operator ended the workflow in Temporal."""


def cancel(issue: Issue, _: Cancel, at: datetime) -> Changes:
    """An operator ended the workflow: what was open is recorded as given up, and the lead is told,
    unless only the rating was left.
    """
    if issue.closed:
        return {"promises": tuple(p.give_up(at) for p in issue.running)}
    return {
        "stage": Stage.CLOSED,
        "outcome": Outcome.CANCELLED,
        "tell": (NotificationRequest(template="cancelled", to=Audience.LEAD),),
    }


class CancellationAsked(Act):
    """An operator asked in Temporal to cancel the workflow: that is the lead's to decide (R6)."""


def cancellation_asked(_: Issue, __: CancellationAsked, ___: datetime) -> Changes:
    """R6: no button of an operator's closes an issue that nobody has answered. The lead is asked,
    who can withdraw it with a reason; until then it goes on.
    """
    return {"tell": (NotificationRequest(template="cancellation_asked", to=Audience.LEAD),)}


class Repair(Act):
    """The operation found the issue out of step with its register, or its messages left lying: it
    catches up, and goes on.
    """

    reason: Words


def repair(_: Issue, __: Repair, ___: datetime) -> Changes:
    """Nothing changes but what had been forgotten: what is left of its messages goes out."""
    return {}


ACTIONS: tuple[Action[Any], ...] = (
    Action(ActionName.REPLIED, Replied, Rule(AFTER, THE_DESK, hindrance=_by_call), replied),
    Action(ActionName.HAND_OVER, BringByHand, Rule(ALWAYS, THE_DESK), bring_by_hand),
    Action(
        ActionName.WITHDRAW,
        Withdraw,
        Rule(UNCLOSED, SUPERVISORS | FOR_THE_CUSTOMER, hindrance=_others_wait),
        withdraw,
    ),
    Action(ActionName.CANCEL, Cancel, Rule(ALWAYS, THE_DESK), cancel),
    Action(
        ActionName.CANCELLATION_ASKED,
        CancellationAsked,
        Rule(UNCLOSED, THE_DESK),
        cancellation_asked,
    ),
    Action(ActionName.REPAIR, Repair, Rule(ALWAYS, THE_DESK), repair),
)
