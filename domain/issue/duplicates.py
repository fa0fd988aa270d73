"""Two issues about the same: linked, or one is merged into the other, which then speaks for both.

A merged issue ends without an answer of its own: its customer is answered by the surviving one,
which tells them everything that it tells its own customer, and cannot be withdrawn while it owes
somebody else that (R6). So the surviving one takes it over first, and only then it ends.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from pydantic import Field

from domain import telephone
from domain.errors import Refused
from domain.issue.act import Act, ActionName
from domain.issue.action import Action, Changes, Rule
from domain.issue.common import ALWAYS, OPEN, THE_DESK, UNCLOSED
from domain.issue.forms import IssueLink, Party
from domain.issue.state import Issue, NotificationRequest
from domain.letters import mailbox
from domain.terms import behaviour_of
from domain.vocabulary import (
    DESK,
    SUPERVISORS,
    Actor,
    Audience,
    Behaviour,
    Code,
    Model,
    Outcome,
    Role,
    Stage,
    Text,
)

_WHO = SUPERVISORS | {Role.AGENT}


class LinkTo(Act):
    """Say that another issue is about the same; each shows the other, and goes on by itself."""

    to: Code = Field(description="number of the other issue")
    reason: Text = Field(default="", description="what they have in common")


def link(issue: Issue, act: LinkTo, at: datetime) -> Changes:
    """Both show it, whoever looks at which."""
    if act.to == issue.number:
        raise Refused("Invalid", f"to: {issue.number} is this very issue")
    form = IssueLink(other=act.to, linked_by=act.by.id, linked_at=at, reason=act.reason)
    return {"forms": (form,)}


class Merge(Act):
    """Let another open issue speak for this one, which is about the same: this one ends, and its
    customer is told with the other's progress.
    """

    into: Code = Field(description="number of the issue that goes on")
    reason: Text = Field(default="", description="why they are the same")


class Merging(Merge):
    """With the id of the one that goes on, which the register knows."""

    survivor: str | None = None


def _not_to_be_merged(issue: Issue, _: Actor) -> Refused | None:
    """R35: whoever has the other issue would read and answer what is not to be passed on."""
    if issue.merging:
        return Refused("NotAllowed", f"{issue.number} is just being merged into {issue.merging}")
    if issue.kept_back:
        msg = (
            f"the customer of {issue.number} does not want that it is passed on, and with this "
            "somebody else gets it: link the two, or ask them again and pass it on with consent yes"
        )
        return Refused("NotAllowed", msg)
    if issue.remedy and issue.remedy.open:
        msg = f"the remedy of {issue.number} is to be decided and given first: link the two"
        return Refused("NotAllowed", msg)
    if issue.intake.behaviour is Behaviour.PAID_SERVICE:
        return Refused(
            "NotAllowed",
            f"{issue.number} is a paid service, offered to its own customer: link the two instead",
        )
    return None


def merge(issue: Issue, act: Merge, _: datetime) -> Changes:
    """The surviving issue is asked to take it over; until it has, everything goes on."""
    if act.into == issue.number:
        raise Refused("Invalid", f"into: {issue.number} is this very issue")
    return {}


class Absorb(Act):
    """Take over another issue, whose customer is told with this one's progress from now on."""

    issue_id: str
    number: Code
    kind: Code
    behaves: Behaviour | None = Field(default=None, exclude_if=lambda said: said is None)
    department: Code
    reason: Text = ""


class Absorbed(Absorb):
    """With whether its customer is somebody else."""

    others: bool = False


def absorb(issue: Issue, act: Absorb, at: datetime) -> Changes:
    """R6: as long as its own customer waits for the answer, others can wait for the same one."""
    if why := _hindrance(issue, act):
        raise Refused("NotAllowed", f"into: {why}")
    party = Party(number=act.number, party_id=act.issue_id, since=at)
    told = (
        NotificationRequest(template="absorbed", to=Audience.HANDLER, when="assigned"),
        NotificationRequest(template="absorbed", to=Audience.LEAD, when="unassigned"),
    )
    return {"forms": (party,), "tell": told}


def _hindrance(issue: Issue, act: Absorb) -> str | None:
    """Say why an issue cannot speak for another; its stage is the rule's."""
    if act.number in issue.merged:
        return f"{issue.number} speaks for {act.number} already"
    if issue.merging:
        return f"{issue.number} is itself being merged into {issue.merging}"
    mine = Sort(issue.intake.kind, issue.intake.behaviour)
    its = Sort(act.kind, act.behaves or behaviour_of(act.kind))
    into = Side(issue.id, issue.number, issue.stage, mine, issue.department)
    this = Side(act.issue_id, act.number, issue.stage, its, act.department)
    return unfit(into, this)


class Sort(NamedTuple):
    """What sort of issue it is: its kind, and what is done about that."""

    kind: str
    behaves: Behaviour


class Side(NamedTuple):
    """What has to be known of an issue that is to be merged with another."""

    id: str
    number: str
    stage: Stage
    sort: Sort
    department: str


def unfit(into: Side, this: Side) -> str | None:
    """Say why an issue cannot speak for another; None: it can."""
    if into.id == this.id:
        return f"{this.number} is this very issue"
    if into.stage not in OPEN:
        return (
            f"{into.number} is {into.stage}, its customer has an answer: answer {this.number} the "
            "same way, or link the two"
        )
    if into.department != this.department:
        return (
            f"{into.number} is with {into.department}, {this.number} with {this.department}: "
            "transfer one of the two first"
        )
    if not _alike(into.sort, this.sort):
        kinds = f"{into.number} is a {into.sort.kind}, {this.number} a {this.sort.kind}"
        return f"{kinds}: link the two instead"
    return None


def _alike(one: Sort, other: Sort) -> bool:
    """Whether issues of these kinds can be answered by one answer (R17, R19)."""
    apart = {Behaviour.COMPLAINT, Behaviour.PAID_SERVICE}
    behave = {one.behaves, other.behaves}
    return behave == {Behaviour.COMPLAINT} or apart.isdisjoint(behave)


def addresses_of(phone: str | None, email: str | None) -> frozenset[str]:
    """Say how somebody is reached, however it is written: who has one of these in common with
    somebody is the same.
    """
    number = telephone.read(phone)
    dialled = str(number) if number else phone
    return frozenset(filter(None, (dialled, email and mailbox(email))))


class Merged(Act):
    """The surviving issue speaks for it, and it ends; or it could not be, and goes on."""

    into: Code
    survivor: str | None = None
    reason: Text = Field(default="", description="why it could not")


def merged(_: Issue, act: Merged, __: datetime) -> Changes:
    """R6: the customer hears where they are answered; what was promised them is given up."""
    if not act.survivor:
        return {"tell": (NotificationRequest(template="merge_failed", to=Audience.LEAD),)}
    return {
        "stage": Stage.CLOSED,
        "outcome": Outcome.MERGED,
        "tell": (
            NotificationRequest(template="merged", to=Audience.CUSTOMER),
            NotificationRequest(template="merged_staff", to=Audience.HANDLER, when="assigned"),
        ),
    }


class Asked(Model):
    """Which issue is asked to take over which, and by what name it knows that again."""

    survivor: str
    absorb: Absorb
    key: str


def asking(issue: Issue, act: Merging, seq: int) -> Asked:
    """Ask the surviving issue."""
    absorb = Absorb(
        by=DESK,
        issue_id=issue.id,
        number=issue.number,
        kind=issue.intake.kind,
        behaves=issue.intake.behaves,
        department=issue.department,
        reason=act.reason,
    )
    return Asked(survivor=act.survivor or "", absorb=absorb, key=f"absorb:{issue.id}:{seq}")


ACTIONS: tuple[Action[Any], ...] = (
    Action(ActionName.LINK, LinkTo, Rule(ALWAYS, _WHO), link, aside=True),
    Action(
        ActionName.MERGE,
        Merge,
        Rule(OPEN, _WHO, hindrance=_not_to_be_merged),
        merge,
        keeps=Merging,
        aside=True,
    ),
    Action(ActionName.ABSORB, Absorb, Rule(OPEN, THE_DESK), absorb, keeps=Absorbed),
    Action(ActionName.MERGED, Merged, Rule(UNCLOSED, THE_DESK), merged),
)
