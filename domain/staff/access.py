"""Who may do and see what (R30): one table for the HTTP interface, the pages and their tests.

Which action a role may take at all is the regulation's (``actions.ACTIONS``); here it is said on
which issues. People act as who they are: nobody says in a request who they would like to be.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from domain.issue.actions import ACTIONS, PUBLIC_ACTIONS, ActionName
from domain.issue.thread import Reader
from domain.issue.view import IssueView
from domain.sla.promise import PromiseKind
from domain.staff.roster import Member
from domain.vocabulary import Actor, Code, Line, Model, Role


class Reach(StrEnum):
    """On which issues somebody may do something."""

    NONE = "none"
    OWN = "own"
    """An engineer's: those they have. An intake system's: those it registered."""
    TO_CALL = "to_call"
    """Those whose callback is due or running."""
    TO_ADVISE = "to_advise"
    """An engineer's own, and any that a panel sits on (R15)."""
    DEPARTMENT = "department"
    ALL = "all"


class Right(StrEnum):
    """What somebody may do besides the actions of the contract."""

    OPEN = "open"
    """Register an issue; an intake system under its own source only."""
    SEE = "see"
    """Look at issues, which hold no customer data."""
    SEE_CUSTOMER = "see_customer"
    """Look at an issue's customer; every look is recorded (R30)."""
    READ_CONVERSATION = "read_conversation"
    """Read in an issue's thread what the customer said and was told; every look is recorded (R30).
    Who registered an issue for them reads it as they do.
    """
    READ_WORK = "read_work"
    """Read there what staff write of their work."""
    READ_INTERNAL = "read_internal"
    """Read there what those who work on it say among each other."""
    ADD_WORDS = "add_words"
    """Add to an issue what else was said about it."""
    ATTACH = "attach"
    """Attach photographs and files to an issue."""
    FIND_CUSTOMERS = "find_customers"
    """Look up who is calling; every look is recorded (R30)."""
    SEARCH_CASES = "search_cases"
    LIST_CALLBACKS = "list_callbacks"
    """The clerk's day, with customers; every look is recorded (R22, R30)."""
    RECORD_CALLS = "record_calls"
    """Hand in what a telephone system recorded, under one's own name as its source (R45)."""
    RECORD_OPINIONS = "record_opinions"
    """Write down an evaluation that a customer gave by telephone or on paper (R26)."""
    SETTLE_OPINIONS = "settle_opinions"
    """See evaluations from the open door, and say whether they count (R26)."""
    READ_OPINIONS = "read_opinions"
    """Read what customers said of the service, and make a complaint of it (R41)."""
    READ_REPORTS = "read_reports"
    """Read what the management reads of the desk (R27); each report names its readers."""
    READ_AUDIT_TRAIL = "read_audit_trail"
    READ_METRICS = "read_metrics"
    MANAGE_RECEIVERS = "manage_receivers"
    """Say which other systems are told of events, and have their secrets."""


_STAFF = (Role.AGENT, Role.ENGINEER, Role.CLERK, Role.LEAD, Role.MANAGER, Role.GM_OFFICE)
_SEE: Mapping[Role, Reach] = {
    Role.INTAKE: Reach.OWN,
    Role.AGENT: Reach.ALL,
    Role.ENGINEER: Reach.OWN,
    Role.CLERK: Reach.ALL,
    Role.LEAD: Reach.DEPARTMENT,
    Role.MANAGER: Reach.DEPARTMENT,
    Role.GM_OFFICE: Reach.ALL,
    Role.AUDITOR: Reach.ALL,
}
_WORK_ON: Mapping[Role, Reach] = {
    Role.AGENT: Reach.ALL,
    Role.ENGINEER: Reach.OWN,
    Role.CLERK: Reach.TO_CALL,
    Role.LEAD: Reach.DEPARTMENT,
    Role.MANAGER: Reach.DEPARTMENT,
    Role.GM_OFFICE: Reach.ALL,
}
"""Who needs to know whose issue it is."""

RIGHTS: Mapping[Right, Mapping[Role, Reach]] = {
    Right.OPEN: {Role.INTAKE: Reach.OWN}
    | dict.fromkeys((Role.AGENT, Role.LEAD, Role.MANAGER, Role.GM_OFFICE), Reach.ALL),
    Right.SEE: _SEE,
    Right.SEE_CUSTOMER: _WORK_ON,
    Right.READ_CONVERSATION: {**_WORK_ON, Role.INTAKE: Reach.OWN},
    Right.READ_WORK: {role: found for role, found in _SEE.items() if role is not Role.INTAKE},
    Right.READ_INTERNAL: _WORK_ON,
    Right.ADD_WORDS: {
        Role.INTAKE: Reach.OWN,
        Role.AGENT: Reach.ALL,
        Role.LEAD: Reach.DEPARTMENT,
        Role.MANAGER: Reach.DEPARTMENT,
        Role.GM_OFFICE: Reach.ALL,
    },
    Right.ATTACH: {
        Role.INTAKE: Reach.OWN,
        Role.AGENT: Reach.ALL,
        Role.ENGINEER: Reach.OWN,
        Role.CLERK: Reach.TO_CALL,
        Role.LEAD: Reach.DEPARTMENT,
        Role.MANAGER: Reach.DEPARTMENT,
        Role.GM_OFFICE: Reach.ALL,
    },
    Right.FIND_CUSTOMERS: {Role.AGENT: Reach.ALL},
    Right.SEARCH_CASES: dict.fromkeys(_STAFF, Reach.ALL),
    Right.LIST_CALLBACKS: dict.fromkeys((Role.CLERK, Role.AGENT), Reach.ALL),
    Right.RECORD_CALLS: dict.fromkeys(
        (Role.INTAKE, Role.AGENT, Role.MANAGER, Role.GM_OFFICE), Reach.ALL
    ),
    Right.RECORD_OPINIONS: dict.fromkeys(
        (Role.AGENT, Role.CLERK, Role.LEAD, Role.MANAGER, Role.GM_OFFICE), Reach.ALL
    ),
    Right.SETTLE_OPINIONS: dict.fromkeys(
        (Role.CLERK, Role.LEAD, Role.MANAGER, Role.GM_OFFICE), Reach.ALL
    ),
    Right.READ_OPINIONS: {
        Role.LEAD: Reach.DEPARTMENT,
        Role.MANAGER: Reach.DEPARTMENT,
        Role.GM_OFFICE: Reach.ALL,
    },
    Right.READ_REPORTS: {
        Role.LEAD: Reach.DEPARTMENT,
        Role.MANAGER: Reach.DEPARTMENT,
        Role.GM_OFFICE: Reach.ALL,
        Role.AUDITOR: Reach.ALL,
    },
    Right.READ_AUDIT_TRAIL: dict.fromkeys((Role.AUDITOR, Role.GM_OFFICE), Reach.ALL),
    Right.READ_METRICS: dict.fromkeys((Role.AUDITOR, Role.MANAGER, Role.GM_OFFICE), Reach.ALL),
    Right.MANAGE_RECEIVERS: {Role.GM_OFFICE: Reach.ALL},
}

ACTS_ON: Mapping[Role, Reach] = {
    Role.INTAKE: Reach.OWN,
    Role.AGENT: Reach.ALL,
    Role.ENGINEER: Reach.OWN,
    Role.CLERK: Reach.ALL,
    Role.LEAD: Reach.DEPARTMENT,
    Role.MANAGER: Reach.DEPARTMENT,
    Role.GM_OFFICE: Reach.ALL,
}
"""On which issues a role takes the actions it has; customers act by the links they are sent."""

CALLERS = tuple(role for role in Role if role in ACTS_ON or role is Role.AUDITOR)
"""The roles that a token may have."""


class Caller(Model):
    """Somebody at a door: a person of the roster, an intake system by its source, or an auditor."""

    id: Code
    role: Role
    name: Line
    department: Code | None = None

    @property
    def by(self) -> Actor:
        """As whom they act on an issue."""
        return Actor(id=self.id, role=self.role)


def as_caller(member: Member) -> Caller:
    """Return somebody of the roster as they would come to a door."""
    return Caller(id=member.id, role=member.role, name=member.name, department=member.department)


def reach(role: Role, what: Right | ActionName) -> Reach:
    """Say on which issues a role may do something."""
    if isinstance(what, Right):
        return RIGHTS[what].get(role, Reach.NONE)
    if what not in PUBLIC_ACTIONS or role not in ACTIONS[what].rule.roles:
        return Reach.NONE
    if what is ActionName.CONSULT and role is Role.ENGINEER:
        return Reach.TO_ADVISE
    return ACTS_ON.get(role, Reach.NONE)


def within(found: Reach, caller: Caller, issue: IssueView) -> bool:
    """Say whether an issue is among those that somebody reaches."""
    match found:
        case Reach.OWN if caller.role is Role.INTAKE:
            return issue.source == caller.id
        case Reach.OWN:
            return issue.engineer is not None and issue.engineer.id == caller.id
        case Reach.DEPARTMENT:
            return issue.department == caller.department
        case Reach.TO_CALL:
            return _runs(issue, PromiseKind.CALLBACK)
        case Reach.TO_ADVISE:
            return within(Reach.OWN, caller, issue) or _runs(issue, PromiseKind.PANEL)
        case _:
            return found is Reach.ALL


def _runs(issue: IssueView, kind: PromiseKind) -> bool:
    return any(each.kind is kind and each.ended_at is None for each in issue.promises)


def may(caller: Caller, what: Right | ActionName, issue: IssueView) -> bool:
    """Say whether somebody may do this with this issue."""
    return within(reach(caller.role, what), caller, issue)


def reader_of(caller: Caller, issue: IssueView) -> Reader:
    """Say what somebody reads of an issue's thread."""
    return Reader(
        conversation=may(caller, Right.READ_CONVERSATION, issue),
        work=may(caller, Right.READ_WORK, issue),
        internal=may(caller, Right.READ_INTERNAL, issue),
    )
