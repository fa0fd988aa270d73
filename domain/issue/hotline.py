"""At the hotline (R8, R9): the agent knows the answer, and the customer tries it."""

from __future__ import annotations

from datetime import datetime

from domain.errors import Refused
from domain.issue.actions import Answer, ReportTest
from domain.issue.common import (
    TO_BE_HEARD,
    Changes,
    answer,
    check_done_before,
    close,
    end,
    open_again,
)
from domain.issue.forms import ConsultationRecord, PaidService
from domain.issue.state import Issue, Tell
from domain.sla.promise import PromiseKind
from domain.vocabulary import Audience, Kind


def answered(issue: Issue, act: Answer, at: datetime) -> Changes:
    """R8, R9: nobody is sent; the customer may have to try it. A complaint is looked into first."""
    if issue.promise(PromiseKind.VERIFICATION):
        check_done_before(issue)
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
    )
    changes = answer(issue, at, "answered")
    told = Tell(template="answered_staff", to=Audience.HANDLER, when="assigned")
    return changes | {
        "first_contact": True,
        "make": (PromiseKind.CUSTOMER_TEST,) if act.test else (),
        "forms": (record,),
        "tell": (*changes["tell"], told),
    }


def report_test(issue: Issue, act: ReportTest, at: datetime) -> Changes:
    """R9, R17: it works and is done; or somebody is sent, to work that failed with more urgency.
    A customer who is to be called may say so before: that it works is noted, and they are called
    all the same (R22).
    """
    awaited = issue.promise(PromiseKind.CUSTOMER_TEST)
    if awaited is None and issue.promise(PromiseKind.CALLBACK) is None:
        raise Refused("NotAllowed", f"no test is awaited for {issue.number}")
    written = {"forms": tested(issue, at, worked=act.worked, words=act.words)}
    if awaited is None and act.worked:
        return written
    changes: Changes = written | {"promises": end(issue, at, *TO_BE_HEARD)}
    if act.worked:
        return changes | close(issue)
    if issue.first_contact:
        told = (Tell(template="dispatched", to=Audience.CUSTOMER),)
        return changes | open_again(issue, told, urgent=False)
    refused = (
        Tell(template="reopened", to=Audience.CUSTOMER),
        Tell(template="work_refused", to=Audience.LEAD),
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
    if issue.intake.kind is Kind.PAID_SERVICE:
        return (PaidService(generation=generation, accepted=worked, accepted_at=at),)
    return ()
