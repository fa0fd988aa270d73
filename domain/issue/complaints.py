"""Complaints (R19-R21): looked into, filed from the apology to the archive, and born of others."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import Field

from domain.issue.act import Act, ActionName
from domain.issue.action import Action, Changes, Rule
from domain.issue.common import ALWAYS, HANDLERS, THE_DESK, answer, by_the_agent, end
from domain.issue.follow_up import Evaluate, RecordCallback
from domain.issue.forms import ComplaintForm
from domain.issue.handling import Resolve
from domain.issue.hotline import Answer
from domain.issue.intake import Intake
from domain.issue.state import Assignment, Issue, NotificationRequest
from domain.sla.promise import PromiseKind
from domain.terms import ABOUT_SERVICE, COMPLAINT
from domain.vocabulary import (
    Actor,
    Audience,
    Behaviour,
    Channel,
    Code,
    Outcome,
    Severity,
    Stage,
    Text,
    Verdict,
    Words,
)

SOURCE = "desk"
"""The source of the complaints that the desk registers by itself."""


class Verify(Act):
    """A complaint was looked into (R19): unfounded ones are explained to the customer, general ones
    solved by the department, major ones taken by its lead.
    """

    verdict: Verdict = Field(description="whether it is justified, and how grave")
    findings: Words = Field(description="what was found; the customer reads it")


def verify(issue: Issue, act: Verify, at: datetime) -> Changes:
    """R19: unfounded, it is explained to the customer; general, the department solves it; major,
    its lead takes it.
    """
    form = ComplaintForm(
        verified_by=act.by.id, verified_at=at, verdict=act.verdict, findings=act.findings
    )
    looked_into = (PromiseKind.RESPONSE, PromiseKind.VERIFICATION)
    if act.verdict is Verdict.UNFOUNDED:
        explained = answer(issue, at, "unfounded", ends_as=Outcome.UNFOUNDED, fulfilled=looked_into)
        return by_the_agent(explained | {"forms": (form,), "make": (PromiseKind.CALLBACK,)})
    told = (NotificationRequest(template="verified", to=Audience.CUSTOMER),)
    changes: Changes = {"promises": end(issue, at, *looked_into), "forms": (form,)}
    if act.verdict is Verdict.GENERAL:
        return changes | {
            "stage": Stage.IN_PROGRESS,
            "severity": Severity.GENERAL,
            "tell": told,
        }
    return changes | {
        "stage": Stage.REGISTERED,
        "stage_if_assigned": Stage.ASSIGNED,
        "severity": Severity.MAJOR,
        "level": max(issue.level, 1),
        "make": (PromiseKind.RESPONSE,),
        "attempt": 2,  # the lead's own: the first was the handler's
        "assignment": Assignment(level=1),
        "tell": (
            *told,
            NotificationRequest(template="taken", to=Audience.HANDLER, when="assigned"),
        ),
    }


def received(intake: Intake, by: Actor, at: datetime) -> tuple[ComplaintForm, ...]:
    """R19: registered with an apology."""
    if intake.behaviour is not Behaviour.COMPLAINT:
        return ()
    return (ComplaintForm(received_by=by.id, apologised_at=at),)


def filed(
    issue: Issue, act: Act, at: datetime, *, answered: bool | None, stage: Stage
) -> tuple[ComplaintForm, ...]:
    """R19: whatever happens to a complaint goes on its form; it is at ``stage`` now."""
    if issue.intake.behaviour is not Behaviour.COMPLAINT:
        return ()
    says: dict[str, object] = {}
    if isinstance(act, Resolve):
        says = {"handled_by": act.by.id, "result": act.result, "result_at": at}
    elif isinstance(act, Answer):
        says = {"handled_by": act.by.id, "result": act.solution, "result_at": at}
    elif isinstance(act, RecordCallback) and act.reached:
        says = {"called_at": at, "satisfied": act.satisfied}
    if answered and not issue.answered:
        says["told_at"] = at
    if stage is Stage.CLOSED and not issue.closed:
        says["archived_at"] = at
    return (ComplaintForm.model_validate(says),) if says else ()


def arising(issue: Issue, act: Act, seq: int, at: datetime) -> Intake:
    """R21: what a customer said in a callback or an evaluation, as a complaint of its own. A
    conflict is major: whoever is responsible hears of it at once (R24).
    """
    called, said = False, ""
    match act:
        case RecordCallback(words=words):
            called, said = True, words
        case Evaluate(comment=comment):
            said = comment
    return told(issue, f"{issue.number}-{seq}", said, at, called=called)


def told(issue: Issue, reference: str, said: str, at: datetime, *, called: bool) -> Intake:
    """R21: make a complaint of its own of what a customer said about an issue, under a reference
    that names those words; ``called``: it was said on the telephone.
    """
    return issue.intake.model_copy(
        update={
            "source": SOURCE,
            "reference": reference,
            "channel": Channel.TELEPHONE if called else Channel.WEBSITE,
            "kind": COMPLAINT,
            "behaves": None,
            "category": ABOUT_SERVICE,
            "outside": None,
            "severity": Severity.MAJOR if called else Severity.GENERAL,
            "title": f"对 {issue.number} 的投诉 Complaint about {issue.number}",
            "description": said,
            "occurred_at": None,
            "reported_at": at,
            "ring_seconds": None,
            "answering": False,
            "complex": False,
            "agitated": False,
            "consent": None,
            "consent_words": "",
            "arises_from": issue.id,
        }
    )


class ComplaintRaised(Act):
    """What the customer said became a complaint of its own (R21), or could not be registered."""

    number: Code | None = None
    reason: Text = Field(default="", description="why it could not")


def complaint_raised(_: Issue, act: ComplaintRaised, __: datetime) -> Changes:
    """R21: the complaint has a number of its own; or a person has to see to it."""
    if act.number:
        return {}
    return {"tell": (NotificationRequest(template="complaint_failed", to=Audience.GM_OFFICE),)}


ACTIONS: tuple[Action[Any], ...] = (
    Action(
        ActionName.VERIFY, Verify, Rule(frozenset({Stage.VERIFYING}), HANDLERS, own=True), verify
    ),
    Action(ActionName.COMPLAINT_RAISED, ComplaintRaised, Rule(ALWAYS, THE_DESK), complaint_raised),
)
