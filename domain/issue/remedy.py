"""A remedy for a complainant (R42): whoever handles the complaint proposes it, somebody above
decides, and what became of it is written down. As long as one is undecided or owed, the complaint
is not closed by the desk.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from pydantic import Field, model_validator

from domain.errors import Refused
from domain.issue.act import Act, ActionName
from domain.issue.action import Action, Changes, Rule
from domain.issue.common import REMEDIES, UNCLOSED, close, end, heard_but_for
from domain.issue.forms import Form, Remedy
from domain.issue.state import Issue, NotificationRequest
from domain.sla.promise import PromiseKind
from domain.vocabulary import (
    Actor,
    Amount,
    Audience,
    Behaviour,
    Code,
    Line,
    Outcome,
    Role,
    Stage,
    Text,
    Words,
)

WANTED = NotificationRequest(template="remedy_wanted", to=Audience.MANAGER)
"""To whom it goes in truth, the limit says."""


class ProposeRemedy(Act):
    """Something for a complainant that makes up for what happened: money, an exchange, a service
    for nothing, an apology in person (R42). It is decided by the manager of the department; what a
    manager proposes, and what is above the policy's limit, by the GM office.
    """

    remedy: Code = Field(description="which kind, by its code in the policy: money, exchange …")
    what: Words = Field(description="what the complainant is to get, in words they will read")
    amount: Amount | None = Field(
        default=None, description="in yuan, where it is money or has a price: 300.00"
    )
    reason: Words = Field(description="why, for colleagues")


class RemedyProposed(ProposeRemedy):
    """With what the desk calls it, and who decides."""

    remedy_name: Line | None = None
    decider: Role = Role.MANAGER


class DecideRemedy(Act):
    """Yes or no to the remedy that was proposed (R42). With a yes the complainant is told."""

    approved: bool = Field(description="the complainant is to have it")
    reason: Text = Field(default="", description="why not, for whoever proposed it")
    proposal: int | None = Field(
        default=None, description="which proposal of the issue; if left out, the last"
    )

    @model_validator(mode="after")
    def _a_no_has_a_reason(self) -> DecideRemedy:
        if not self.approved and not self.reason:
            msg = "reason: say why it is not approved, whoever proposed it is told"
            raise ValueError(msg)
        return self


class RemedyDecided(DecideRemedy):
    """With what was proposed."""

    what: Text = ""
    amount: Amount | None = None


class RecordRemedy(Act):
    """What became of a remedy that was agreed (R42): it was given, or the complainant does not want
    it.
    """

    accepted: bool = Field(description="the complainant has it; no: they do not want it")
    receipt: Text = Field(default="", description="how it was given, with its receipt")
    words: Text = Field(default="", description="the customer's, as said")

    @model_validator(mode="after")
    def _it_is_said_how(self) -> RecordRemedy:
        if self.accepted and not self.receipt:
            msg = "receipt: write down how it was given, with its receipt"
            raise ValueError(msg)
        if not self.accepted and not self.words:
            msg = "words: write down what the customer said"
            raise ValueError(msg)
        return self


def following(remedy: Remedy | None, forms: Iterable[Form]) -> Remedy | None:
    """Say how the last remedy stands after these forms."""
    for form in forms:
        if isinstance(form, Remedy):
            same = remedy is not None and remedy.proposal == form.proposal
            remedy = remedy.model_copy(update=dict(_said(form))) if remedy and same else form
    return remedy


def _said(form: Remedy) -> Iterable[tuple[str, object]]:
    return ((name, said) for name, said in form if said is not None)


def _only_complaints(issue: Issue, _: Actor) -> Refused | None:
    if issue.intake.behaviour is not Behaviour.COMPLAINT:
        return Refused("NotAllowed", f"{issue.number} is no complaint: nothing to make up for")
    if issue.remedy and issue.remedy.open:
        what = "decided" if issue.remedy.undecided else "recorded as given, or as not wanted"
        return Refused("NotAllowed", f"the remedy of {issue.number} is to be {what} first")
    return None


def propose(issue: Issue, act: ProposeRemedy, at: datetime) -> Changes:
    """R42: whoever decides is told at once; no clock of the complaint stops for it."""
    number = issue.remedy.proposal + 1 if issue.remedy else 1
    form = Remedy(
        proposal=number,
        remedy=act.remedy,
        what=act.what,
        amount=act.amount,
        reason=act.reason,
        proposed_by=act.by.id,
        proposed_at=at,
        # Nobody says yes to what they propose themselves.
        decider=Role.GM_OFFICE if act.by.role is Role.MANAGER else Role.MANAGER,
    )
    return {
        "forms": (form,),
        "make": (PromiseKind.REMEDY_APPROVAL,),
        "attempt": number,
        "tell": (WANTED,),
    }


def _not_theirs_to_decide(issue: Issue, by: Actor) -> Refused | None:
    remedy = issue.remedy
    if remedy is None or not remedy.undecided:
        return Refused("NotAllowed", f"no remedy of {issue.number} waits to be decided")
    if remedy.proposed_by == by.id:
        return Refused("NotYours", f"{by.id} proposed it: somebody else decides on it")
    if remedy.decider is Role.GM_OFFICE and by.role is not Role.GM_OFFICE:
        return Refused("NotYours", f"the remedy of {issue.number} is for the GM office to decide")
    return None


def decide(issue: Issue, act: DecideRemedy, at: datetime) -> Changes:
    """R42: with a yes the complainant is told what they get and until when; with a no it is as if
    it had not been proposed, and whoever handles the complaint knows why.
    """
    remedy = issue.remedy
    if remedy is None or act.proposal not in {None, remedy.proposal}:
        raise Refused("NotAllowed", f"another remedy of {issue.number} was proposed since: look")
    _after(remedy.proposed_at, at)
    form = Remedy(
        proposal=remedy.proposal,
        approved=act.approved,
        decided_by=act.by.id,
        decided_at=at,
        decision=act.reason,
    )
    proposed = {"what": remedy.what, "amount": remedy.amount}
    changes: Changes = {
        "promises": end(issue, at, PromiseKind.REMEDY_APPROVAL),
        "forms": (form,),
        "content": RemedyDecided(**dict(act) | proposed).content(),
    }
    if not act.approved:
        return changes | {"tell": _to_both(_REJECTED)} | _done(issue)
    told = NotificationRequest(template="remedy_agreed", to=Audience.CUSTOMER)
    return changes | {
        "make": (PromiseKind.REMEDY,),
        "attempt": remedy.proposal,
        "tell": (told, *_to_both(_TO_GIVE)),
    }


def _not_owed(issue: Issue, _: Actor) -> Refused | None:
    if issue.remedy and issue.remedy.owed:
        return None
    return Refused("NotAllowed", f"no remedy of {issue.number} is agreed and still to be given")


def record(issue: Issue, act: RecordRemedy, at: datetime) -> Changes:
    """R42: it was given, or the complainant does not want it, which whoever decided is to know."""
    remedy = issue.remedy
    if remedy is None:
        raise Refused("NotAllowed", f"no remedy of {issue.number} is agreed")
    _after(remedy.decided_at, at)
    form = Remedy(
        proposal=remedy.proposal,
        accepted=act.accepted,
        recorded_by=act.by.id,
        recorded_at=at,
        receipt=act.receipt,
        words=act.words,
    )
    changes: Changes = {"forms": (form,)} | _done(issue)
    if act.accepted:
        return changes | {"promises": end(issue, at, PromiseKind.REMEDY)}
    given_up = (p.give_up(at) for p in issue.running if p.kind is PromiseKind.REMEDY)
    decider = Audience(remedy.decider or Role.MANAGER)
    told = NotificationRequest(template="remedy_declined", to=decider)
    return changes | {"promises": tuple(given_up), "tell": (told,)}


def _after(before: datetime | None, at: datetime) -> None:
    """Refuse what is said to have happened before what it follows from."""
    if before is not None and at < before:
        msg = f"at: {at.isoformat()} lies before what came first ({before.isoformat()})"
        raise Refused("Invalid", msg)


_TO_GIVE = NotificationRequest(template="remedy_to_give", to=Audience.HANDLER)
_REJECTED = NotificationRequest(template="remedy_rejected", to=Audience.HANDLER)


def _to_both(told: NotificationRequest) -> tuple[NotificationRequest, ...]:
    """Tell whoever handles the complaint, and the agent who speaks with its customer (R34)."""
    return (told, told.model_copy(update={"to": Audience.AGENT}))


def _done(issue: Issue) -> Changes:
    """R42: what waited for nothing but the remedy is closed."""
    return close(issue) if issue.stage is Stage.REPLIED and heard_but_for(issue) else {}


_ANYHOW = frozenset({Outcome.WITHDRAWN, Outcome.MERGED, Outcome.CANCELLED})
"""How an issue ends whatever is owed."""


def kept_open(issue: Issue, changes: Changes) -> Changes:
    """R42: what the desk would close stays open as long as it is promised that a remedy is decided
    on, or given; it ends then as it would have now.
    """
    outcome = changes["outcome"]
    closes = changes["stage"] is Stage.CLOSED and not issue.closed
    if not closes or outcome is None or outcome in _ANYHOW:
        return {}
    ended = {p.key for p in changes.get("promises", ()) if not p.running}
    if not any(p.kind in REMEDIES and p.key not in ended for p in issue.running):
        return {}
    return {"stage": Stage.REPLIED, "outcome": None, "ends_as": outcome}


_PROPOSERS = frozenset({Role.ENGINEER, Role.AGENT, Role.LEAD, Role.MANAGER})

ACTIONS: tuple[Action[Any], ...] = (
    Action(
        ActionName.PROPOSE_REMEDY,
        ProposeRemedy,
        Rule(UNCLOSED, _PROPOSERS, own=True, hindrance=_only_complaints),
        propose,
        RemedyProposed,
        aside=True,
    ),
    Action(
        ActionName.DECIDE_REMEDY,
        DecideRemedy,
        Rule(
            UNCLOSED,
            frozenset({Role.MANAGER, Role.GM_OFFICE}),
            hindrance=_not_theirs_to_decide,
        ),
        decide,
        RemedyDecided,
        aside=True,
    ),
    Action(
        ActionName.RECORD_REMEDY,
        RecordRemedy,
        Rule(UNCLOSED, _PROPOSERS | {Role.GM_OFFICE}, own=True, hindrance=_not_owed),
        record,
        aside=True,
    ),
)
