"""At the hotline (R8, R9, R36): an agent takes what came in in writing, knows the answer, and the
customer tries it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import Field

from domain.errors import Refused
from domain.issue.act import FAULT, Act, ActionName
from domain.issue.action import Action, Changes, Rule
from domain.issue.common import (
    DONE,
    FOR_THE_CUSTOMER,
    REMEDIES,
    TO_BE_HEARD,
    UNASSIGNED,
    answer,
    close,
    end,
    not_ready,
    open_again,
)
from domain.issue.forms import ConsultationRecord, PaidService
from domain.issue.state import Issue, NotificationRequest
from domain.sla.promise import PromiseKind
from domain.vocabulary import (
    SUPERVISORS,
    Actor,
    Audience,
    Behaviour,
    Code,
    Line,
    Role,
    Stage,
    Text,
    Words,
)


class Take(Act):
    """An agent takes an enquiry out of the queue (R36): it is theirs from now on, to answer or to
    pass on.
    """


def _not_to_be_taken(issue: Issue, by: Actor) -> Refused | None:
    """R36: one of those who reach for it at once gets it, the others hear who did."""
    if not issue.queued:
        return Refused("NotAllowed", f"{issue.number} is in no queue: nobody has to take it")
    if issue.taken_by not in {None, by.id}:
        return Refused("NotAllowed", f"{issue.number} was taken by {issue.taken_by} already")
    return None


def take(_: Issue, act: Take, __: datetime) -> Changes:
    """R36: taken once more by whoever has it, it stays theirs."""
    return {"taken_by": act.by.id}


class Answer(Act):
    """The hotline knows the answer: first-contact resolution (R8). Nobody is dispatched, and the
    customer may have to try it (R9).
    """

    solution: Words = Field(description="what the customer was told, in words they can read")
    case: Code | None = Field(default=None, description="the known case it was taken from (R29)")
    on_the_line: bool = Field(
        default=True, description="they heard it already; otherwise it is sent to them"
    )
    test: bool = Field(default=True, description="the customer has to try it and report (R9)")
    fault: Code | None = Field(default=None, description=FAULT)


class AnswerGiven(Answer):
    """With what the desk calls the fault (R43)."""

    fault_name: Line | None = None


def _unverified(issue: Issue, by: Actor) -> Refused | None:
    """R19: a complaint is looked into first."""
    return not_ready(issue, by) if issue.promise(PromiseKind.VERIFICATION) else None


def answered(issue: Issue, act: Answer, at: datetime) -> Changes:
    """R8, R9: nobody is sent; the customer may have to try it. R22: a fault that was solved on the
    line is called back as well, if the policy says so.
    """
    question = f"{issue.intake.title}\n{issue.intake.description}".strip()
    record = ConsultationRecord(
        generation=issue.generation,
        agent=act.by.id,
        answered_at=at,
        question=question,
        answer=act.solution,
        known_case=act.case,
        on_the_line=act.on_the_line,
        to_be_tested=act.test,
        fault=act.fault,
    )
    changes = answer(issue, at, "answered")
    told = NotificationRequest(template="answered_staff", to=Audience.HANDLER, when="assigned")
    return changes | {
        "first_contact": True,
        "make": (PromiseKind.CALLBACK, *((PromiseKind.CUSTOMER_TEST,) if act.test else ())),
        "forms": (record,),
        "tell": (*changes["tell"], told),
    }


class ReportTest(Act):
    """The customer tried the answer (R9), or the work that was paid for (R17)."""

    worked: bool = Field(description="it is solved; if not, somebody is sent to it again")
    words: Text = Field(default="", description="the customer's, as said")


def _not_awaited(issue: Issue, _: Actor) -> Refused | None:
    if any(issue.promise(kind) for kind in TO_BE_HEARD):
        return None
    return Refused("NotAllowed", f"no test is awaited for {issue.number}")


def report_test(issue: Issue, act: ReportTest, at: datetime) -> Changes:
    """R9, R17: it works and is done; or somebody is sent, to work that failed with more urgency.
    A customer who is to be called may say so before: that it works is noted, and they are called
    all the same (R22).
    """
    written: Changes = {"forms": tested(issue, at, worked=act.worked, words=act.words)}
    if not act.worked:
        return written | _tried_in_vain(issue, at)
    accepted = issue.promise(PromiseKind.CUSTOMER_TEST) and not issue.first_contact
    to_be_called = issue.promise(PromiseKind.CALLBACK) and not accepted
    if issue.closed or to_be_called:
        heard = (PromiseKind.CUSTOMER_TEST, PromiseKind.FEEDBACK)
        return written | {"promises": end(issue, at, *heard)}
    return written | {"promises": end(issue, at, *TO_BE_HEARD)} | close(issue)


def _tried_in_vain(issue: Issue, at: datetime) -> Changes:
    """R9, R24: of a closed issue, what was still to be scored and rated is given up."""
    changes: Changes = {
        "outcome": None,
        "promises": tuple(
            p.fulfil(at) if p.kind in TO_BE_HEARD else p.give_up(at)
            for p in issue.running
            if p.kind not in REMEDIES
        ),
    }
    if issue.first_contact:
        told = (NotificationRequest(template="dispatched", to=Audience.CUSTOMER),)
        return changes | open_again(issue, told, urgent=False)
    refused = (
        NotificationRequest(template="reopened", to=Audience.CUSTOMER),
        NotificationRequest(template="work_refused", to=Audience.LEAD),
    )
    return changes | open_again(issue, refused, urgent=True)


def tested(
    issue: Issue, at: datetime, *, worked: bool, words: str
) -> tuple[ConsultationRecord | PaidService, ...]:
    """Write down how the answer did, or whether the work was accepted, however we heard of it."""
    generation = issue.generation
    if issue.first_contact:
        return (
            ConsultationRecord(generation=generation, worked=worked, tested_at=at, words=words),
        )
    if issue.intake.behaviour is Behaviour.PAID_SERVICE:
        return (PaidService(generation=generation, accepted=worked, accepted_at=at),)
    return ()


ACTIONS: tuple[Action[Any], ...] = (
    Action(
        ActionName.TAKE,
        Take,
        Rule(
            frozenset({Stage.REGISTERED}),
            SUPERVISORS | {Role.AGENT},
            hindrance=_not_to_be_taken,
        ),
        take,
    ),
    Action(
        ActionName.ANSWER,
        Answer,
        Rule(UNASSIGNED | {Stage.ASSIGNED}, SUPERVISORS | {Role.AGENT}, hindrance=_unverified),
        answered,
        AnswerGiven,
    ),
    Action(
        ActionName.REPORT_TEST,
        ReportTest,
        Rule(DONE, SUPERVISORS | FOR_THE_CUSTOMER, hindrance=_not_awaited),
        report_test,
    ),
)
