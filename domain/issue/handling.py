"""What handlers do (R11-R16): take it on, work on it, wait, pass it on, ask experts, solve it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import Field, model_validator

from domain.errors import Refused
from domain.issue.act import FAULT, Act, ActionName, ToCustomer
from domain.issue.action import Action, Changes, Rule
from domain.issue.common import (
    ANSWERED_THEN,
    ASSIGNED,
    DONE,
    HANDLERS,
    HANDLING,
    OPEN,
    PASSED_ON,
    STAFF,
    THE_DESK,
    UNASSIGNED,
    WORKING,
    answer,
    by_the_agent,
    close,
    end,
    heard_but_for,
    nobody,
    not_ready,
    station,
    time_to_answer,
)
from domain.issue.consent import PassingOn, kept, not_agreed
from domain.issue.forms import ExpertPanel
from domain.issue.state import Assignment, Handling, Issue, NotificationRequest
from domain.sla.promise import PromiseKind
from domain.vocabulary import (
    Actor,
    Audience,
    Behaviour,
    Code,
    Instant,
    Line,
    Role,
    Stage,
    Text,
    Words,
    repeated,
)

STANDING = frozenset({Stage.WAITING, Stage.CONFIRMING, Stage.APPROVING})
"""It is somebody else's turn, whoever has the issue."""
_PAUSED = (PromiseKind.RESOLUTION, PromiseKind.VERIFICATION, PromiseKind.SURVEY)
"""What stands still while the customer has to do something (R15)."""


class Accept(Act):
    """The handler takes the issue on and the customer hears from us (R11)."""

    expected_at: Instant | None = Field(default=None, description="told to the customer (R14)")


def accept(issue: Issue, act: Accept, at: datetime) -> Changes:
    """R11: the handler has it and the customer hears from us. A supervisor who accepts an issue
    that is with nobody, or with somebody else, becomes its handler.
    """
    return {
        "stage": station(issue),
        "promises": end(issue, at, PromiseKind.RESPONSE),
        "assignment": None if issue.is_with(act.by) else Assignment(to=act.by.id),
        "handling": Handling(accepted_at=at, expected_at=act.expected_at),
        "tell": (NotificationRequest(template="accepted", to=Audience.CUSTOMER),),
    }


class ReportProgress(Act):
    """How far the work is; with a reason and an expected time if it takes longer (R13, R14)."""

    note: Words = Field(description="for colleagues")
    expected_at: Instant | None = Field(default=None, description="told to the customer (R14)")
    told: ToCustomer = ""


_AGENT_HEARS = NotificationRequest(template="progress_staff", to=Audience.AGENT, when="agent")


def report_progress(_: Issue, act: ReportProgress, __: datetime) -> Changes:
    """R13, R14: the agent hears of it, and the customer when there is a new expected time, or
    something to tell.
    """
    changes: Changes = {"tell": (_AGENT_HEARS,)}
    if act.expected_at:
        changes["handling"] = Handling(expected_at=act.expected_at)
    if act.expected_at or act.told:
        told = NotificationRequest(template="progress", to=Audience.CUSTOMER)
        changes["tell"] = (told, _AGENT_HEARS)
    return changes


class WaitForCustomer(Act):
    """The resolution clock stands still while the customer has to do something (R15)."""

    reason: Words = Field(description="for colleagues")
    ask: ToCustomer = Field(
        default="", description="what the customer is asked to do, in words for them"
    )


def wait_for_customer(issue: Issue, _: WaitForCustomer, at: datetime) -> Changes:
    """R15: the clock of the work stands still, and the customer knows that it is their turn."""
    paused = tuple(p.pause(at) for p in issue.running if p.kind in _PAUSED and not p.paused_at)
    return {
        "stage": Stage.WAITING,
        "promises": paused,
        "make": (PromiseKind.WAITING,),
        "attempt": issue.waits + 1,
        "tell": (NotificationRequest(template="waiting", to=Audience.CUSTOMER),),
    }


class Resume(Act):
    """The customer did it: the resolution clock runs on (R15). Of an issue that has its answer:
    what its customer wrote was no objection, and it goes on to its end. Of one whose quotation
    waits: it was neither a yes nor a no, and they have the time to answer anew (R17).
    """

    note: Text = ""


def _goes_on_by_itself(issue: Issue, _: Actor) -> Refused | None:
    if issue.stage is Stage.WAITING or issue.promise(PromiseKind.FEEDBACK):
        return None
    return Refused(
        "NotAllowed",
        f"{issue.number} waits for nobody: its customer wrote nothing that is not seen to",
    )


def resume(issue: Issue, _: Resume, at: datetime) -> Changes:
    """R15: what was left of the clock when it stopped is planned anew. R9: what was written was no
    objection; where silence has meant consent meanwhile, the issue is done. R17: what was written
    to a quotation has its reply, and it is the customer's turn again.
    """
    if issue.stage is Stage.CONFIRMING:
        return time_to_answer(issue, at)
    return _seen_to(issue, at) if issue.stage in DONE else goes_on(issue, at)


def _seen_to(issue: Issue, at: datetime) -> Changes:
    done = issue.stage is Stage.REPLIED and heard_but_for(issue, PromiseKind.FEEDBACK)
    seen: Changes = {"promises": end(issue, at, PromiseKind.FEEDBACK)}
    return seen | (close(issue) if done else {})


def goes_on(issue: Issue, at: datetime) -> Changes:
    """R15: it is not the customer's turn any more."""
    return {
        "stage": station(issue) if issue.engineer else nobody(issue),
        "promises": (
            *(p for p in issue.running if p.paused_at),
            *end(issue, at, PromiseKind.WAITING),
        ),
        "resume": True,
    }


class Reassign(PassingOn):
    """Give the issue to ``to``, or let the desk choose again if nobody is named (R15, R16)."""

    to: Code | None = Field(default=None, description="left out: the desk chooses")
    reason: Words


def reassign(issue: Issue, act: Reassign, _: datetime) -> Changes:
    """R15: the form travels, the clocks do not restart. What the hotline held is passed on with it,
    and the customer knows (R10), unless they do not want that it is passed on (R35).
    """
    if (stays := kept(issue, act)) is not None:
        return stays
    changes = _passed_on(issue, Assignment(to=act.to))
    told = (PASSED_ON,) if issue.promise(PromiseKind.HAND_OVER) else ()
    changes["tell"] = (*told, *changes["tell"])
    return changes


class Transfer(PassingOn):
    """Pass it on to the right department: the form travels, the clocks do not restart (R15)."""

    to: Code = Field(description="a department of the roster")
    reason: Words


class Transferred(Transfer):
    """With the department that had it."""

    from_: Code | None = Field(default=None, alias="from")


def transfer(issue: Issue, act: Transfer, _: datetime) -> Changes:
    """R15, R10: another department has it from now on, and the customer knows, unless they do not
    want that (R35).
    """
    if act.to == issue.department:
        raise Refused("Invalid", f"to: {issue.number} is with {act.to} already")
    if (stays := kept(issue, act)) is not None:
        return stays
    changes = _passed_on(issue, Assignment())
    told = (
        PASSED_ON,
        NotificationRequest(template="transferred_staff", to=Audience.LEAD),
    )
    return changes | {
        "department": act.to,
        "content": Transferred.model_validate(
            {**act.content(), "by": act.by, "from": issue.department}
        ).content(),
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


class Assign(Act):
    """The desk looks again for an engineer on duty (R16)."""


def assign(issue: Issue, _: Assign, __: datetime) -> Changes:
    """R16: somebody may have come on duty. The lead knows already if not. Where somebody has it,
    and their shift is over, whoever is on duty takes it as it stands.
    """
    if issue.engineer:
        return {
            "assignment": Assignment(prefer=issue.engineer.id, keep=True),
            "tell": (
                NotificationRequest(template="relieved", to=Audience.HANDLER, when="changed"),
            ),
        }
    standing = issue.stage in STANDING
    return {
        "stage_if_assigned": issue.stage if standing else Stage.ASSIGNED,
        "assignment": Assignment(),
        "tell": tuple(tell for tell in ASSIGNED if tell.when != "unassigned"),
    }


class Consult(Act):
    """Ask an expert panel, or write down what it advised (R15). The clocks run on."""

    question: Text = Field(default="", description="what the panel is asked")
    experts: tuple[Code, ...] = Field(
        default=(), max_length=20, description="people of the roster; else the lead chooses"
    )
    advice: Text = Field(default="", description="what the panel advised")

    @model_validator(mode="after")
    def _asks_or_advises(self) -> Consult:
        if bool(self.question) == bool(self.advice):
            msg = "question: give either the question for the panel, or its advice"
            raise ValueError(msg)
        if self.advice and self.experts:
            msg = "experts: they are named with the question, not with the advice"
            raise ValueError(msg)
        if twice := repeated(self.experts):
            msg = f"experts: {twice} is named twice"
            raise ValueError(msg)
        return self


def _not_a_handler(issue: Issue, by: Actor) -> Refused | None:
    """R15: an engineer may ask about their own issues, and advise on any that a panel sits on."""
    if by.role is not Role.ENGINEER or issue.panel_sits or issue.is_with(by):
        return None
    return Refused("NotYours", f"{issue.number} is not with {by.id}: its handler asks a panel")


def consult(issue: Issue, act: Consult, at: datetime) -> Changes:
    """R15: experts are asked, and what they advise is written down. The clocks run on."""
    if act.advice:
        return _advised(issue, act, at)
    if issue.panel_sits:
        raise Refused(
            "NotAllowed", f"a panel is asked about {issue.number} already: its advice first"
        )
    panel = issue.panels + 1
    form = ExpertPanel(
        panel=panel, asked_by=act.by.id, asked_at=at, question=act.question, experts=act.experts
    )
    experts = (
        NotificationRequest(template="panel_asked", to=Audience.EXPERT, person=expert)
        for expert in act.experts
    )
    return {
        "make": (PromiseKind.PANEL,),
        "attempt": panel,
        "forms": (form,),
        "tell": (NotificationRequest(template="panel_asked", to=Audience.LEAD), *experts),
    }


def _advised(issue: Issue, act: Consult, at: datetime) -> Changes:
    if not issue.panel_sits:
        raise Refused("NotAllowed", f"no panel is asked about {issue.number}: ask one first")
    form = ExpertPanel(panel=issue.panels, advised_by=act.by.id, advised_at=at, advice=act.advice)
    return {
        "promises": end(issue, at, PromiseKind.PANEL),
        "forms": (form,),
        "tell": (NotificationRequest(template="panel_advised", to=Audience.HANDLER),),
    }


class Resolve(Act):
    """The handler returns the result; the customer gets it as the reply (R6, R12)."""

    result: Words = Field(description="what was done, in words the customer can read")
    cause: Text = ""
    known_solution: bool = Field(default=False, description="propose it for the case library (R29)")
    fault: Code | None = Field(default=None, description=FAULT)


class Resolved(Resolve):
    """With what the desk calls the fault (R43)."""

    fault_name: Line | None = None


def resolve(issue: Issue, act: Resolve, at: datetime) -> Changes:
    """R12, R6: the result is there and goes to the customer, in writing or by their agent's call
    (R34); R22: tomorrow they are called, or they have some time to try it (R9, R17), as the policy
    says.
    """
    paid = issue.intake.behaviour is Behaviour.PAID_SERVICE
    changes = answer(issue, at, "acceptance" if paid else "resolved") | {
        "make": ANSWERED_THEN,
        "handling": Handling(resolved_at=at, result=act.result, cause=act.cause, fault=act.fault),
    }
    return by_the_agent(changes)


ACTIONS: tuple[Action[Any], ...] = (
    Action(
        ActionName.ACCEPT,
        Accept,
        Rule(UNASSIGNED | {Stage.ASSIGNED}, HANDLERS, own=True, hindrance=not_agreed),
        accept,
    ),
    Action(
        ActionName.REPORT_PROGRESS,
        ReportProgress,
        Rule(HANDLING, HANDLERS, own=True),
        report_progress,
    ),
    Action(
        ActionName.WAIT_FOR_CUSTOMER,
        WaitForCustomer,
        Rule(frozenset({Stage.IN_PROGRESS, Stage.VERIFYING, Stage.SURVEYING}), HANDLERS, own=True),
        wait_for_customer,
    ),
    Action(
        ActionName.RESUME,
        Resume,
        Rule(
            DONE | {Stage.WAITING, Stage.CONFIRMING},
            STAFF,
            own=True,
            hindrance=_goes_on_by_itself,
        ),
        resume,
    ),
    Action(ActionName.TRANSFER, Transfer, Rule(OPEN, STAFF, own=True), transfer, Transferred),
    Action(ActionName.REASSIGN, Reassign, Rule(OPEN, STAFF | THE_DESK, own=True), reassign),
    Action(ActionName.ASSIGN, Assign, Rule(OPEN, THE_DESK), assign),
    Action(ActionName.CONSULT, Consult, Rule(OPEN, HANDLERS, hindrance=_not_a_handler), consult),
    Action(
        ActionName.RESOLVE,
        Resolve,
        Rule(WORKING, HANDLERS, own=True, hindrance=not_ready),
        resolve,
        Resolved,
    ),
)
