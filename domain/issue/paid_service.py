"""Paid service (R17): survey, quotation, the customer's yes or no, the manager's, then the work."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import Field, model_validator

from domain.issue.act import Act, ActionName
from domain.issue.action import Action, Changes, Rule
from domain.issue.common import FOR_THE_CUSTOMER, HANDLERS, answer, end, nobody, time_to_answer
from domain.issue.forms import PaidService
from domain.issue.state import Issue, NotificationRequest
from domain.sla.promise import PromiseKind
from domain.vocabulary import Amount, Audience, Outcome, Role, Stage, Text, Words


class Survey(Act):
    """The site was surveyed: what is to be done there (R17)."""

    findings: Words


def survey(issue: Issue, act: Survey, at: datetime) -> Changes:
    """R17: the site is surveyed, the quotation is next."""
    form = PaidService(
        generation=issue.generation, surveyed_by=act.by.id, surveyed_at=at, findings=act.findings
    )
    return {
        "stage": Stage.QUOTING,
        "promises": end(issue, at, PromiseKind.SURVEY),
        "make": (PromiseKind.QUOTATION,),
        "forms": (form,),
    }


class Quote(Act):
    """The quotation for a paid service, sent to the customer (R17). A new one replaces the last."""

    work: Words = Field(description="what is offered, in words the customer can read")
    amount: Amount = Field(description="price in yuan: 12800.00")


def quote(issue: Issue, act: Quote, at: datetime) -> Changes:
    """R17: it is the customer's turn. A new quotation takes the place of one not answered yet."""
    number = issue.quotations + 1
    form = PaidService(
        generation=issue.generation,
        quoted_by=act.by.id,
        quoted_at=at,
        quotation=number,
        work=act.work,
        amount=act.amount,
    )
    return time_to_answer(issue, at) | {
        "stage": Stage.CONFIRMING,
        "forms": (form,),
        "tell": (NotificationRequest(template="quotation", to=Audience.CUSTOMER),),
    }


_ANSWERED = (PromiseKind.CONFIRMATION, PromiseKind.FEEDBACK)
"""What a yes or no to a quotation keeps, and what they wrote before it is seen to with it."""


class Confirm(Act):
    """The customer's yes or no to the quotation (R17)."""

    agreed: bool = Field(description="the customer wants it at this price")
    words: Text = Field(default="", description="the customer's, as said")


class Confirmed(Confirm):
    """With what was offered, which the register knows."""

    work: Text | None = None
    amount: Amount | None = None


def confirm(issue: Issue, act: Confirm, at: datetime) -> Changes:
    """R17: a no ends it, kindly; a yes goes to the manager if the price needs it, else to work."""
    form = PaidService(
        generation=issue.generation,
        confirmed_by=act.by.id,
        confirmed_at=at,
        agreed=act.agreed,
        words=act.words,
    )
    if not act.agreed:
        return not_wanted(issue, at, Outcome.DECLINED) | {"forms": (form,)}
    changes: Changes = {"promises": end(issue, at, *_ANSWERED), "forms": (form,)}
    if not issue.needs_approval:
        return changes | _work_begins(issue)
    return changes | {
        "stage": Stage.APPROVING,
        "make": (PromiseKind.APPROVAL,),
        "tell": (
            NotificationRequest(template="approval_wanted", to=Audience.MANAGER),
            NotificationRequest(template="confirmed", to=Audience.HANDLER, when="assigned"),
        ),
    }


class Approve(Act):
    """The manager's yes or no, where the price needs it (R17)."""

    approved: bool = Field(description="the work may begin")
    reason: Text = Field(default="", description="the customer reads why not")

    @model_validator(mode="after")
    def _a_no_has_a_reason(self) -> Approve:
        if not self.approved and not self.reason:
            msg = "reason: say why it is not approved, the customer is told"
            raise ValueError(msg)
        return self


def approve(issue: Issue, act: Approve, at: datetime) -> Changes:
    """R17: where the price needs it, the manager says whether the work may begin."""
    form = PaidService(
        generation=issue.generation,
        approved_by=act.by.id,
        approved_at=at,
        approved=act.approved,
        reason=act.reason,
    )
    decided = (PromiseKind.APPROVAL,)
    if not act.approved:
        refused = answer(issue, at, "not_approved", ends_as=Outcome.NOT_APPROVED, fulfilled=decided)
        return refused | {"forms": (form,)}
    return {"promises": end(issue, at, *decided), "forms": (form,)} | _work_begins(issue)


def not_wanted(issue: Issue, at: datetime, ends_as: Outcome) -> Changes:
    """R17: the customer said no, or nothing (``LAPSED``); they read that it is over, and so does
    the handler.
    """
    said = _ANSWERED if ends_as is Outcome.DECLINED else ()
    changes = answer(issue, at, str(ends_as), ends_as=ends_as, fulfilled=said)
    over = NotificationRequest(template="quotation_over", to=Audience.HANDLER, when="assigned")
    return changes | {"tell": (*changes["tell"], over)}


def _work_begins(issue: Issue) -> Changes:
    return {
        "stage": Stage.IN_PROGRESS if issue.engineer else nobody(issue),
        "make": (PromiseKind.RESOLUTION,),
        "tell": (
            NotificationRequest(template="approved", to=Audience.CUSTOMER),
            NotificationRequest(template="confirmed", to=Audience.HANDLER, when="assigned"),
        ),
    }


ACTIONS: tuple[Action[Any], ...] = (
    Action(
        ActionName.SURVEY, Survey, Rule(frozenset({Stage.SURVEYING}), HANDLERS, own=True), survey
    ),
    Action(
        ActionName.QUOTE,
        Quote,
        Rule(frozenset({Stage.QUOTING, Stage.CONFIRMING}), HANDLERS, own=True),
        quote,
    ),
    Action(
        ActionName.CONFIRM,
        Confirm,
        Rule(frozenset({Stage.CONFIRMING}), HANDLERS | FOR_THE_CUSTOMER, own=True),
        confirm,
        Confirmed,
    ),
    Action(
        ActionName.APPROVE,
        Approve,
        Rule(frozenset({Stage.APPROVING}), frozenset({Role.MANAGER, Role.GM_OFFICE})),
        approve,
    ),
)
