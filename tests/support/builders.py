"""Small builders shared by all tests: an intake, a promise, an issue in any stage.

Issues are not made up: a ``Desk`` walks them to their stage through the domain's own functions,
with a register that promises fixed spans and hands out whichever engineer the test wants.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

from domain.issue.actions import ACTIONS, Act, ActionName
from domain.issue.common import PRE_WORK_STAGES
from domain.issue.forms import Remedy
from domain.issue.intake import Intake
from domain.issue.lifecycle import decide, register, registered
from domain.issue.state import Issue, Person
from domain.issue.step import Recorded, Step
from domain.sla.promise import CALLS, OF_REPAIRS, Promise, PromiseEnd, PromiseKind, Threshold
from domain.vocabulary import DESK, Actor, Audience, Role, Stage
from runtime.signing import Links, Signer

MONDAY = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
"""Monday 2026-11-23, 09:00 in Shanghai: the moment the sample customer calls."""

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

ENGINEER = Person(id="e01", name="Zhou Wei")
COLLEAGUE = Person(id="e02", name="Sun Li")
LEAD = Person(id="l01", name="Fang Min")

_SAID: dict[ActionName, dict[str, Any]] = {
    ActionName.ANSWER: {"solution": "hold the reset button for ten seconds"},
    ActionName.REPORT_TEST: {"worked": True},
    ActionName.CALM: {"spoken": "we apologised, they wait for what we find"},
    ActionName.VERIFY: {"verdict": "general", "findings": "nobody came at the time agreed"},
    ActionName.TRANSFER: {"to": "software_development", "reason": "a defect of the firmware"},
    ActionName.CONSULT: {"question": "why does it fail on humid days only?"},
    ActionName.SURVEY: {"findings": "the vault has to be opened"},
    ActionName.QUOTE: {"work": "a new vault door", "amount": "12800.00"},
    ActionName.CONFIRM: {"agreed": True},
    ActionName.APPROVE: {"approved": True},
    ActionName.PROPOSE_REMEDY: {
        "remedy": "money",
        "what": "the fare of the visit is given back",
        "amount": "300.00",
        "reason": "nobody came at the time agreed, twice",
    },
    ActionName.DECIDE_REMEDY: {"approved": True},
    ActionName.RECORD_REMEDY: {"accepted": True, "receipt": "receipt 0017, signed"},
    ActionName.EVALUATE: {
        "item": "after_sales",
        "technical": 120,
        "attitude": 150,
        "comment": "quick and friendly",
    },
    ActionName.RATE_DIFFICULTY: {"difficulty": 3},
    ActionName.COMPLAINT_RAISED: {"number": "20261124-07-0002"},
    ActionName.REPORT_PROGRESS: {"note": "the spare part is on its way"},
    ActionName.WAIT_FOR_CUSTOMER: {"reason": "the customer has to open the site"},
    ActionName.REASSIGN: {"reason": "needs somebody on site"},
    ActionName.RESOLVE: {"result": "card reader replaced", "cause": "worn out"},
    ActionName.CONTACT_CUSTOMER: {"reached": True, "told": "the card reader was replaced"},
    ActionName.CHASE: {"asks": "how far is it?"},
    ActionName.RECORD_CALLBACK: {"reached": True, "running": True, "satisfied": True},
    ActionName.ESCALATE: {"reason": "the branch opens tomorrow"},
    ActionName.WITHDRAW: {"reason": "it works again"},
    ActionName.ADD_NOTE: {"words": "the spare part comes tomorrow", "for_customer": True},
    ActionName.LINK: {"to": "20261123-07-0009"},
    ActionName.MERGE: {"into": "20261123-07-0009", "reason": "the same machine"},
    ActionName.ABSORB: {
        "issue_id": "issue:web:r-9",
        "number": "20261123-07-0009",
        "kind": "fault",
        "department": "field",
    },
    ActionName.MERGED: {"into": "20261123-07-0009", "survivor": "issue:web:r-9"},
    ActionName.AMEND: {"phone": "+8613900000002", "reason": "the customer called"},
    ActionName.CUSTOMER_WROTE: {"words": "the key is with the porter"},
    ActionName.THRESHOLD: {"promise": "response.1", "threshold": "75%"},
    ActionName.REPLAN: {"version": "0123456789ab", "adoption": 2},
    ActionName.REPAIR: {"reason": "the workflow was behind its register"},
    ActionName.HAND_OVER: {"messages": ("issue:web:r-1/1/registered/customer",)},
}

LINKS = Links(Signer("signs the links of the tests, no others"), "https://desk.example")

_SPANS = {PromiseKind.RESPONSE: 2 * HOUR, PromiseKind.RESOLUTION: 3 * DAY}


def actor(role: Role, id_: str | None = None) -> Actor:
    """Somebody of that role; an engineer is the one issues are assigned to."""
    ids = {Role.ENGINEER: ENGINEER.id, Role.LEAD: LEAD.id, Role.SYSTEM: DESK.id}
    return Actor(id=id_ or ids.get(role, f"{role}-1"), role=role)


def an_act(name: ActionName, by: Actor, /, **said: Any) -> Act:
    """Make the model of that action; what is not given is filled in with something sensible."""
    usual = _SAID.get(name, {})
    if name is ActionName.EVALUATE and by.role is not Role.CUSTOMER:
        usual = usual | {"person": "chen.hong"}
    form: type[Act] = ACTIONS[name].form
    return form.model_validate({"by": by} | usual | said)


def an_intake(**changes: Any) -> Intake:
    """One fault of an enterprise customer that came in through the website."""
    fields: dict[str, Any] = {
        "source": "web",
        "reference": "r-1",
        "channel": "website",
        "kind": "fault",
        "category": "technical",
        "product_line": "ATM",
        "region": "shanghai",
        "agent": "07",
        "customer": {
            "name": "张伟",
            "organisation": "浦江商业银行",
            "contact": "李娜",
            "phone": "+86 138 0000 1234",
            "email": "zhang.wei@customer.example",
        },
        "title": "The card reader swallows cards",
        "description": "Since this morning, every second card.",
        "model": "ST-100",
        "serial_number": "SN-4711",
        "site": "Century Avenue branch, lobby",
        "occurred_at": MONDAY - HOUR,
        "reported_at": MONDAY,
    }
    return Intake.model_validate(fields | changes)


def a_promise(kind: PromiseKind = PromiseKind.RESOLUTION, **changes: Any) -> Promise:
    """One running clock with thresholds at 75 %, 100 % and later; it rises a level with each of
    the later ones. A callback opens after 16 hours, is due after 32 and tried three times, and so
    often the agent calls.
    """
    made = changes.get("made_at", MONDAY)
    span = _SPANS.get(kind, 32 * HOUR)
    due = changes.get("due_at", made + span)
    callback = kind is PromiseKind.CALLBACK
    first = Audience.CLERK if callback else Audience.AGENT if kind in CALLS else Audience.HANDLER
    last = 3 if callback or kind in CALLS else 1
    fields: dict[str, Any] = {
        "kind": kind,
        "attempts": last,
        "target": "2h" if kind is PromiseKind.RESPONSE else "3 working days",
        "clock": "working",
        "calendar": "office",
        "made_at": made,
        "opens_at": made + 16 * HOUR if callback else None,
        "due_at": due,
        "marks": (
            Threshold(name="75%", at=made + (due - made) * 0.75, tell=(first,)),
            Threshold(name="100%", at=due, tell=(first, Audience.CUSTOMER, Audience.LEAD), level=1),
            Threshold(name="+2h", at=due + 2 * HOUR, tell=(Audience.MANAGER,), level=2),
            Threshold(name="+1 working day", at=due + DAY, tell=(Audience.GM_OFFICE,), level=3),
        ),
    }
    return Promise.model_validate(fields | changes)


@dataclass(frozen=True)
class Desk:
    """A desk in one object: decides with the domain, records with fixed answers, no I/O.

    ``engineer`` is whom the roster offers (None: nobody is on duty); ``callbacks`` whether the
    policy wants the customer called back, ``trials`` whether it gives them time to try the answer,
    ``also`` what else it promises; ``on_the_line`` whether what the hotline solved is called back
    and rated like a repair; ``needs_approval`` whether its price is above the limit.
    """

    engineer: Person | None = ENGINEER
    callbacks: bool = True
    trials: bool = False
    also: frozenset[PromiseKind] = frozenset()
    needs_approval: bool = False
    on_the_line: bool = False

    def open(self, intake: Intake | None = None, now: datetime = MONDAY) -> Issue:
        """Register an issue."""
        intake = intake or an_intake()
        return registered(intake, self.record(register(intake, now)))

    def do(
        self,
        issue: Issue,
        name: ActionName,
        by: Actor,
        now: datetime | None = None,
        **said: Any,
    ) -> Issue:
        """Let ``by`` do it at ``now`` (a minute after the last step if left out)."""
        now = now or issue.last_at + MINUTE
        step = decide(issue, name, an_act(name, by, **said), now)
        return self.record(step, issue).applied_to(issue)

    def record(self, step: Step, issue: Issue | None = None) -> Recorded:
        """Answer as the register does: promises planned, somebody found if somebody is wanted."""
        planned = tuple(
            a_promise(kind, generation=step.generation, made_at=step.at, attempt=step.attempt)
            for kind in step.make
            if kind in self._promised(step)
        )
        moved = tuple(_run_on(p, step.at) for p in step.promises) if step.resume else ()
        engineer = self._whoever(step, issue)
        nobody = step.assignment is not None and engineer is None
        return Recorded(
            step=step.model_copy(update={"intake": None}),
            number="20261123-07-0001",
            department=step.department or (issue.department if issue else "field"),
            centre="shanghai",
            zone="Asia/Shanghai",
            promises=planned + moved,
            engineer=engineer,
            lead=LEAD if nobody else None,
            assign_again_at=step.at + 8 * HOUR if nobody else None,
            needs_approval=self.needs_approval,
        )

    def _promised(self, step: Step) -> frozenset[PromiseKind]:
        kinds = {PromiseKind.RESPONSE, PromiseKind.RESOLUTION, *self.also}
        if self.callbacks:
            kinds.add(PromiseKind.CALLBACK)
        if self.trials:
            kinds.add(PromiseKind.CUSTOMER_TEST)
        if PromiseKind.SURVEY in step.make and PromiseKind.SURVEY in kinds:
            kinds.remove(PromiseKind.RESOLUTION)
        if step.first_contact and not self.on_the_line:
            kinds -= OF_REPAIRS
        if PromiseKind.REPLY in step.make and PromiseKind.REPLY in kinds:
            kinds -= {PromiseKind.CALLBACK, PromiseKind.CUSTOMER_TEST}
        return frozenset(kinds)

    def _whoever(self, step: Step, issue: Issue | None) -> Person | None:
        wanted = step.assignment
        if wanted is None:
            return None
        if wanted.to:
            return Person(id=wanted.to, name=f"Colleague {wanted.to}")
        if wanted.level:
            return LEAD
        return self.engineer or (issue.engineer if issue and wanted.keep else None)


def decided(
    issue: Issue, name: ActionName, by: Actor, now: datetime | None = None, /, **said: Any
) -> Step:
    """Decide what ``by`` does at ``now`` (a minute after the last step if left out)."""
    return decide(issue, name, an_act(name, by, **said), now or issue.last_at + MINUTE)


SOUGHT = ("assigned: handler?", "unassigned: lead!", "thin: manager when thin")
"""Whoever hears of it when somebody is wanted for an issue."""


def messages(step: Step) -> set[str]:
    """Write messages short: ``?`` if somebody was found, ``!`` if nobody was."""
    marks = {"always": "", "assigned": "?", "unassigned": "!"}
    return {
        f"{tell.template}: {tell.to}{marks.get(tell.when, f' when {tell.when}')}"
        for tell in step.tell
    }


def a_remedy(**changes: Any) -> Remedy:
    """A remedy that the engineer proposed and nobody has decided on."""
    remedy = Remedy(
        proposal=1,
        remedy="money",
        remedy_name="money",
        what="the fare of the visit is given back",
        amount=Decimal("300.00"),
        reason="nobody came at the time agreed, twice",
        proposed_by=ENGINEER.id,
        proposed_at=MONDAY,
        decider=Role.MANAGER,
    )
    return remedy.model_copy(update=changes)


def ends(issue: Issue) -> dict[str, str]:
    """Write how its promises stand; a dot after those that have ended."""
    return {p.key: f"{p.end}{'' if p.running else '.'}" for p in issue.promises}


def _run_on(promise: Promise, at: datetime) -> Promise:
    """Move everything ahead of it by the time it stood still, as planning does."""
    if promise.paused_at is None:
        return promise
    stood_still = at - promise.paused_at
    due = promise.due_at + (stood_still if promise.end is PromiseEnd.OPEN else timedelta())
    told, ahead = promise.marks[: promise.reached], promise.marks[promise.reached :]
    moved = (mark.model_copy(update={"at": mark.at + stood_still}) for mark in ahead)
    return promise.model_copy(
        update={"due_at": due, "marks": (*told, *moved), "paused_at": None},
    )


def an_issue(stage: Stage = Stage.ASSIGNED, kind: str | None = None, **changes: Any) -> Issue:
    """Walk a sample issue to ``stage`` (with ``e01``, except where nobody can have it yet), then
    set fields of it as the test wants them. It is a fault, unless only another ``kind`` ever comes
    to that stage; a complaint is verified on its way, a paid service quoted and approved.
    """
    return _walked(stage, kind or _ONLY.get(stage, "fault")).model_copy(update=changes)


_ONLY = dict.fromkeys(PRE_WORK_STAGES.values(), "paid_service") | {Stage.VERIFYING: "complaint"}
"""Whose station it is."""

_CALL = {"reached": True, "running": True, "satisfied": True}
_AWAY = {"reached": False, "running": None, "satisfied": None}
_Last = tuple[Stage, ActionName, Role, dict[str, Any]]
_WAY: dict[Stage, _Last] = {
    Stage.VERIFYING: (Stage.ASSIGNED, ActionName.ACCEPT, Role.ENGINEER, {}),
    Stage.SURVEYING: (Stage.ASSIGNED, ActionName.ACCEPT, Role.ENGINEER, {}),
    Stage.QUOTING: (Stage.SURVEYING, ActionName.SURVEY, Role.ENGINEER, {}),
    Stage.CONFIRMING: (Stage.QUOTING, ActionName.QUOTE, Role.ENGINEER, {}),
    Stage.APPROVING: (Stage.CONFIRMING, ActionName.CONFIRM, Role.CUSTOMER, {}),
    Stage.IN_PROGRESS: (Stage.ASSIGNED, ActionName.ACCEPT, Role.ENGINEER, {}),
    Stage.WAITING: (Stage.IN_PROGRESS, ActionName.WAIT_FOR_CUSTOMER, Role.ENGINEER, {}),
    Stage.RESOLVED: (Stage.IN_PROGRESS, ActionName.RESOLVE, Role.ENGINEER, {}),
    Stage.REPLIED: (Stage.RESOLVED, ActionName.REPLIED, Role.SYSTEM, {}),
    Stage.CALLBACK: (Stage.REPLIED, ActionName.RECORD_CALLBACK, Role.CLERK, _AWAY),
    Stage.REOPENED: (
        Stage.REPLIED,
        ActionName.RECORD_CALLBACK,
        Role.CLERK,
        _CALL | {"running": False, "satisfied": False},
    ),
    Stage.CLOSED: (Stage.REPLIED, ActionName.RECORD_CALLBACK, Role.CLERK, _CALL),
}
"""The last step on the way to a stage: from where, what, by whom, saying what."""
_BEFORE_THE_WORK: dict[str, _Last] = {
    "complaint": (Stage.VERIFYING, ActionName.VERIFY, Role.ENGINEER, {}),
    "paid_service": (Stage.APPROVING, ActionName.APPROVE, Role.MANAGER, {}),
}
"""How these come to be in progress."""


@cache
def _walked(stage: Stage, kind: str) -> Issue:
    desk = Desk(
        engineer=None if stage in {Stage.REGISTERED, Stage.REOPENED} else ENGINEER,
        also=frozenset(PRE_WORK_STAGES),
        needs_approval=True,
    )
    if stage not in _WAY:
        return desk.open(an_intake(kind=kind))
    last = _WAY[stage]
    if stage is Stage.IN_PROGRESS:
        last = _BEFORE_THE_WORK.get(kind, last)
    before, name, role, said = last
    issue = _walked(before, kind)
    after = DAY if name is ActionName.RECORD_CALLBACK else MINUTE
    return desk.do(issue, name, actor(role), issue.last_at + after, **said)
