"""What handlers do (R11-R16), how an issue ends otherwise, and what the desk records by itself: one
function an action, named after the regulation's word.
"""

from __future__ import annotations

from datetime import datetime

from domain.errors import Refused
from domain.issue.actions import (
    Accept,
    Assign,
    Cancel,
    CancellationAsked,
    ComplaintRaised,
    Consult,
    Escalate,
    HandOver,
    Reassign,
    Repair,
    Replied,
    ReportProgress,
    Resolve,
    Resume,
    Transfer,
    WaitForCustomer,
    Withdraw,
)
from domain.issue.common import (
    ASSIGNED,
    PASSED_ON,
    TO_BE_HEARD,
    Changes,
    answer,
    check_done_before,
    close,
    end,
    nobody,
    station,
)
from domain.issue.forms import ExpertPanel
from domain.issue.state import Assignment, Handling, Issue, Tell
from domain.sla.promise import PromiseKind
from domain.vocabulary import ESCALATION, Audience, Kind, Outcome, Role, Stage

STANDING = frozenset({Stage.WAITING, Stage.CONFIRMING, Stage.APPROVING})
"""It is somebody else's turn, whoever has the issue."""
_PAUSED = (PromiseKind.RESOLUTION, PromiseKind.VERIFICATION, PromiseKind.SURVEY)
"""What stands still while the customer has to do something (R15)."""


def accept(issue: Issue, act: Accept, at: datetime) -> Changes:
    """R11: the handler has it and the customer hears from us. A supervisor who accepts an issue
    that is with nobody, or with somebody else, becomes its handler.
    """
    return {
        "stage": station(issue),
        "promises": end(issue, at, PromiseKind.RESPONSE),
        "assignment": None if issue.is_with(act.by) else Assignment(to=act.by.id),
        "handling": Handling(accepted_at=at, expected_at=act.expected_at),
        "tell": (Tell(template="accepted", to=Audience.CUSTOMER),),
    }


def report_progress(_: Issue, act: ReportProgress, __: datetime) -> Changes:
    """R13, R14: the customer is told when there is a new expected time."""
    if act.expected_at is None:
        return {}
    return {
        "handling": Handling(expected_at=act.expected_at),
        "tell": (Tell(template="progress", to=Audience.CUSTOMER),),
    }


def wait_for_customer(issue: Issue, _: WaitForCustomer, at: datetime) -> Changes:
    """R15: the clock of the work stands still, and the customer knows that it is their turn."""
    paused = tuple(p.pause(at) for p in issue.running if p.kind in _PAUSED and not p.paused_at)
    return {
        "stage": Stage.WAITING,
        "promises": paused,
        "make": (PromiseKind.WAITING,),
        "attempt": issue.waits + 1,
        "tell": (Tell(template="waiting", to=Audience.CUSTOMER),),
    }


def resume(issue: Issue, _: Resume, at: datetime) -> Changes:
    """R15: what was left of the clock when it stopped is planned anew."""
    return {
        "stage": station(issue) if issue.engineer else nobody(issue),
        "promises": (
            *(p for p in issue.running if p.paused_at),
            *end(issue, at, PromiseKind.WAITING),
        ),
        "resume": True,
    }


def reassign(issue: Issue, act: Reassign, _: datetime) -> Changes:
    """R15: the form travels, the clocks do not restart. What the hotline held is passed on with it,
    and the customer knows (R10).
    """
    changes = _passed_on(issue, Assignment(to=act.to))
    told = (PASSED_ON,) if issue.promise(PromiseKind.HAND_OVER) else ()
    return changes | {"tell": (*told, *changes["tell"])}


def transfer(issue: Issue, act: Transfer, _: datetime) -> Changes:
    """R15, R10: another department has it from now on, and the customer knows."""
    if act.to == issue.department:
        raise Refused("Invalid", f"to: {issue.number} is with {act.to} already")
    changes = _passed_on(issue, Assignment())
    told = (
        PASSED_ON,
        Tell(template="transferred_staff", to=Audience.LEAD),
    )
    return changes | {
        "department": act.to,
        "content": {"to": act.to, "from": issue.department, "reason": act.reason},
        "tell": (*told, *changes["tell"]),
    }


def _passed_on(issue: Issue, to: Assignment) -> Changes:
    standing = issue.stage in STANDING
    return {
        "stage": issue.stage if standing else nobody(issue),
        "stage_if_assigned": issue.stage if standing else Stage.ASSIGNED,
        "assignment": to,
        "tell": ASSIGNED,
    }


def assign(issue: Issue, _: Assign, __: datetime) -> Changes:
    """R16: somebody may have come on duty. The lead knows already if not. Where somebody has it,
    and their shift is over, whoever is on duty takes it as it stands.
    """
    if issue.engineer:
        return {
            "assignment": Assignment(prefer=issue.engineer.id, keep=True),
            "tell": (Tell(template="relieved", to=Audience.HANDLER, when="changed"),),
        }
    standing = issue.stage in STANDING
    return {
        "stage_if_assigned": issue.stage if standing else Stage.ASSIGNED,
        "assignment": Assignment(),
        "tell": tuple(tell for tell in ASSIGNED if tell.when != "unassigned"),
    }


def consult(issue: Issue, act: Consult, at: datetime) -> Changes:
    """R15: experts are asked, and what they advise is written down. The clocks run on."""
    if act.advice:
        return _advised(issue, act, at)
    if issue.panel_sits:
        raise Refused(
            "NotAllowed", f"a panel is asked about {issue.number} already: its advice first"
        )
    if act.by.role is Role.ENGINEER and not issue.is_with(act.by):
        raise Refused(
            "NotYours", f"{issue.number} is not with {act.by.id}: its handler asks a panel"
        )
    panel = issue.panels + 1
    form = ExpertPanel(
        panel=panel, asked_by=act.by.id, asked_at=at, question=act.question, experts=act.experts
    )
    experts = (
        Tell(template="panel_asked", to=Audience.EXPERT, person=expert) for expert in act.experts
    )
    return {
        "make": (PromiseKind.PANEL,),
        "attempt": panel,
        "forms": (form,),
        "tell": (Tell(template="panel_asked", to=Audience.LEAD), *experts),
    }


def _advised(issue: Issue, act: Consult, at: datetime) -> Changes:
    if not issue.panel_sits:
        raise Refused("NotAllowed", f"no panel is asked about {issue.number}: ask one first")
    form = ExpertPanel(panel=issue.panels, advised_by=act.by.id, advised_at=at, advice=act.advice)
    return {
        "promises": end(issue, at, PromiseKind.PANEL),
        "forms": (form,),
        "tell": (Tell(template="panel_advised", to=Audience.HANDLER),),
    }


def resolve(issue: Issue, act: Resolve, at: datetime) -> Changes:
    """R12, R6: the result is there and goes to the customer; R22: tomorrow they are called, or
    they have some time to try it (R9, R17), as the policy says.
    """
    check_done_before(issue)
    paid = issue.intake.kind is Kind.PAID_SERVICE
    return answer(issue, at, "acceptance" if paid else "resolved") | {
        "make": (PromiseKind.CALLBACK, PromiseKind.CUSTOMER_TEST),
        "handling": Handling(resolved_at=at, result=act.result, cause=act.cause),
    }


def replied(issue: Issue, _: Replied, __: datetime) -> Changes:
    """R6: the customer has the answer. Where they need not be heard any more the issue is done."""
    if not any(issue.promise(kind) for kind in TO_BE_HEARD):
        return close(issue)
    return {"stage": Stage.REPLIED} if issue.stage is Stage.RESOLVED else {}


def escalate(issue: Issue, _: Escalate, __: datetime) -> Changes:
    """R10, R13: one level up, by hand."""
    level = issue.level + 1
    if level >= len(ESCALATION):
        raise Refused("NotAllowed", f"{issue.number} is with the GM office already: no level above")
    return {
        "level": level,
        "tell": (Tell(template="escalated", to=Audience(ESCALATION[level])),),
    }


def withdraw(_: Issue, __: Withdraw, ___: datetime) -> Changes:
    return {
        "stage": Stage.CLOSED,
        "outcome": Outcome.WITHDRAWN,
        "tell": (
            Tell(template="withdrawn", to=Audience.CUSTOMER),
            Tell(template="withdrawn_staff", to=Audience.HANDLER, when="assigned"),
        ),
    }


def cancel(issue: Issue, _: Cancel, at: datetime) -> Changes:
    """An operator ended the workflow: what was open is recorded as given up, and the lead is told,
    unless only the rating was left.
    """
    if issue.closed:
        return {"promises": tuple(p.give_up(at) for p in issue.running)}
    return {
        "stage": Stage.CLOSED,
        "outcome": Outcome.CANCELLED,
        "tell": (Tell(template="cancelled", to=Audience.LEAD),),
    }


def cancellation_asked(_: Issue, __: CancellationAsked, ___: datetime) -> Changes:
    """R6: no button of an operator's closes an issue that nobody has answered. The lead is asked,
    who can withdraw it with a reason; until then it goes on.
    """
    return {"tell": (Tell(template="cancellation_asked", to=Audience.LEAD),)}


def repair(_: Issue, __: Repair, ___: datetime) -> Changes:
    """Nothing changes but what had been forgotten: what is left of its messages goes out."""
    return {}


def hand_over(_: Issue, act: HandOver, __: datetime) -> Changes:
    """Nobody answers on that channel: a person above is to bring the message (R6)."""
    return {"hand_over": act.messages, "tell": (Tell(template="undelivered", to=Audience.LEAD),)}


def complaint_raised(_: Issue, act: ComplaintRaised, __: datetime) -> Changes:
    """R21: the complaint has a number of its own; or a person has to see to it."""
    if act.number:
        return {}
    return {"tell": (Tell(template="complaint_failed", to=Audience.GM_OFFICE),)}
