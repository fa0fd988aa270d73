"""What several actions have in common: the stages and people of their rules, how promises end, how
an issue comes to its end, how it is opened again.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from domain.errors import Refused
from domain.issue.action import Changes
from domain.issue.consent import OF_WHO_HANDLES_IT, STAYS
from domain.issue.state import Assignment, Issue, NotificationRequest
from domain.sla.promise import Promise, PromiseKind
from domain.vocabulary import (
    SUPERVISORS,
    Actor,
    Audience,
    Behaviour,
    Outcome,
    Role,
    Severity,
    Stage,
)

ASSIGNED = (
    NotificationRequest(template="assigned", to=Audience.HANDLER, when="assigned"),
    NotificationRequest(template="unassigned", to=Audience.LEAD, when="unassigned"),
    NotificationRequest(template="thin", to=Audience.MANAGER, when="thin"),
)
PASSED_ON = NotificationRequest(template="transferred", to=Audience.CUSTOMER)
TO_BE_HEARD = (PromiseKind.CALLBACK, PromiseKind.CUSTOMER_TEST, PromiseKind.FEEDBACK)
"""While one of these runs, the customer may yet say that it is not solved (R9, R22), or has written
what nobody has seen to.
"""

REMEDIES = frozenset({PromiseKind.REMEDY_APPROVAL, PromiseKind.REMEDY})
"""What a complainant is still to have goes on whatever becomes of their complaint (R42)."""

ANSWERED_THEN = (PromiseKind.CALLBACK, PromiseKind.CUSTOMER_TEST)
"""What begins when the customer has the answer, as far as the policy has it (R9, R17, R22)."""

PRE_WORK_STAGES: Mapping[PromiseKind, Stage] = {
    PromiseKind.VERIFICATION: Stage.VERIFYING,
    PromiseKind.SURVEY: Stage.SURVEYING,
    PromiseKind.QUOTATION: Stage.QUOTING,
    PromiseKind.CONFIRMATION: Stage.CONFIRMING,
    PromiseKind.APPROVAL: Stage.APPROVING,
}
"""What comes before the work itself: while that promise runs, the issue is at that station (R17,
R19). Whether an issue has any is the policy's to say.
"""

UNASSIGNED = frozenset({Stage.REGISTERED, Stage.REOPENED})
WORKING = frozenset({Stage.ASSIGNED, Stage.IN_PROGRESS, Stage.WAITING})
HANDLING = WORKING | frozenset(PRE_WORK_STAGES.values())
OPEN = UNASSIGNED | HANDLING
AFTER = frozenset({Stage.RESOLVED, Stage.REPLIED, Stage.CALLBACK})
UNCLOSED = OPEN | AFTER
ALWAYS = frozenset(Stage)

HANDLERS = SUPERVISORS | {Role.ENGINEER}
STAFF = HANDLERS | {Role.AGENT}
FOR_THE_CUSTOMER = frozenset({Role.CUSTOMER, Role.AGENT, Role.CLERK, Role.INTAKE})
"""The customer, and those who write down for them."""
THE_DESK = frozenset({Role.SYSTEM})
DONE = AFTER | {Stage.CLOSED}
"""Where an issue has its result."""

_BY_AN_ANSWER = (PromiseKind.HAND_OVER, PromiseKind.RESPONSE, PromiseKind.RESOLUTION)


def end(issue: Issue, at: datetime, *kinds: PromiseKind) -> tuple[Promise, ...]:
    """End these promises, if they run, by what was promised."""
    return tuple(p.fulfil(at) for p in issue.running if p.kind in kinds)


def local_time(issue: Issue, at: datetime) -> str:
    """Write an instant as the desk's people read it: local, with its offset."""
    return at.astimezone(ZoneInfo(issue.zone)).isoformat(timespec="minutes")


def nobody(issue: Issue) -> Stage:
    """Where an issue is while nobody has it."""
    return Stage.REOPENED if issue.generation > 1 else Stage.REGISTERED


def station(issue: Issue) -> Stage:
    """Where an issue is while somebody works on it."""
    running = (PRE_WORK_STAGES[p.kind] for p in issue.running if p.kind in PRE_WORK_STAGES)
    return next(running, Stage.IN_PROGRESS)


def heard_but_for(issue: Issue, *kinds: PromiseKind) -> bool:
    """Whether nothing else than these is awaited before an answered issue is done."""
    return not any(issue.promise(kind) for kind in TO_BE_HEARD if kind not in kinds)


def not_ready(issue: Issue, _: Actor) -> Refused | None:
    """Refuse a result while something that comes before the work is still to be done, naming it."""
    before = next((p.kind for p in issue.running if p.kind in PRE_WORK_STAGES), None)
    if before is None:
        return None
    return Refused(
        "NotAllowed",
        f"{issue.number} is not ready for a result: the {before} comes first; accept the "
        "issue, and take it from there",
    )


def answer(
    issue: Issue,
    at: datetime,
    wording: str,
    *,
    ends_as: Outcome | None = None,
    fulfilled: tuple[PromiseKind, ...] = (),
) -> Changes:
    """Give the customer an answer: the one way to the end of an issue (R6). It is closed, as
    ``ends_as`` says, when they have it and need not be heard any more. What else was still owed is
    given up.
    """
    kept = (*_BY_AN_ANSWER, *fulfilled)
    scope = issue.intake.out_of_scope
    return {
        "stage": Stage.RESOLVED,
        "ends_as": ends_as or (Outcome.OUT_OF_SCOPE if scope else Outcome.SOLVED),
        "promises": tuple(
            p.fulfil(at) if p.kind in kept else p.give_up(at)
            for p in issue.running
            if p.kind not in REMEDIES
        ),
        "tell": (NotificationRequest(template=wording, to=Audience.CUSTOMER),),
    }


def time_to_answer(issue: Issue, at: datetime) -> Changes:
    """R17: the customer has the whole time for a yes or no, from now on; what they wrote before is
    seen to.
    """
    before = issue.promise(PromiseKind.CONFIRMATION)
    return {
        "promises": (
            *end(issue, at, PromiseKind.QUOTATION, PromiseKind.FEEDBACK),
            *((before.give_up(at),) if before else ()),
        ),
        "make": (PromiseKind.CONFIRMATION,),
        "attempt": issue.next_attempt(PromiseKind.CONFIRMATION),
    }


def by_the_agent(changes: Changes) -> Changes:
    """R34: let an answer go by the agent who took the issue in, where the policy says that their
    call is the reply; elsewhere it goes in writing, and they hear of it.
    """
    agents = (
        NotificationRequest(template="call_with_result", to=Audience.AGENT, when="by_call"),
        NotificationRequest(template="result_back", to=Audience.AGENT, when="in_writing_and_agent"),
    )
    customers = (tell.model_copy(update={"when": "in_writing"}) for tell in changes["tell"])
    return changes | {
        "make": (PromiseKind.REPLY, *changes.get("make", ())),
        "tell": (*customers, *agents),
    }


def the_answer_in_writing(issue: Issue) -> NotificationRequest:
    """Let the customer read the answer that an issue has."""
    if issue.ends_as is Outcome.UNFOUNDED:
        return NotificationRequest(template="unfounded", to=Audience.CUSTOMER)
    paid = issue.intake.behaviour is Behaviour.PAID_SERVICE
    wording = "acceptance" if paid else "resolved"
    return NotificationRequest(template=wording, to=Audience.CUSTOMER)


def close(issue: Issue) -> Changes:
    """Close an issue whose customer has the answer."""
    return {"stage": Stage.CLOSED, "outcome": issue.ends_as}


def open_again(issue: Issue, told: tuple[NotificationRequest, ...], *, urgent: bool) -> Changes:
    """Send somebody again, with clocks of a new generation. ``urgent`` (R24): as a major issue, or
    if it was that already under the lead's eyes. The engineer who knows the case goes first. What
    is to be paid for and was not offered yet, as the hotline had an answer, is surveyed now (R17).
    What the hotline keeps as its customer wants that (R35) is the agent's again, and nobody's else.
    """
    was_major = issue.severity is Severity.MAJOR
    not_offered = issue.intake.behaviour is Behaviour.PAID_SERVICE and not issue.quotations
    changes: Changes = {
        "stage": Stage.REOPENED,
        "stage_if_assigned": Stage.ASSIGNED,
        "generation": issue.generation + 1,
        "severity": Severity.MAJOR if urgent else issue.severity,
        "level": max(issue.level, 1) if urgent and was_major else issue.level,
        "first_contact": False,
        "make": (
            PromiseKind.RESPONSE,
            PromiseKind.RESOLUTION,
            *((PromiseKind.SURVEY,) if not_offered else ()),
        ),
        "assignment": Assignment(prefer=issue.engineer.id if issue.engineer else None),
        "tell": (told[0], *ASSIGNED, *told[1:]),
    }
    return changes | (_with_the_hotline(changes, told[1:]) if issue.kept_back else {})


def _with_the_hotline(changes: Changes, told: tuple[NotificationRequest, ...]) -> Changes:
    """R35: the agent hears that it was no answer, and has the time anew that they had for it."""
    owed = (kind for kind in changes["make"] if kind not in OF_WHO_HANDLES_IT)
    agent = NotificationRequest(template="kept_back_staff", to=Audience.AGENT)
    return {
        "make": (PromiseKind.HAND_OVER, *owed),
        "assignment": None,
        "tell": (*STAYS, agent, *told),
    }
