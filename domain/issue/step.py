"""A step: one transition, decided; and what the register answers when it stands there."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, TypedDict

from pydantic import Field

from domain.issue.act import Act, ActionName
from domain.issue.actions import (
    ACTIONS,
    ASIDE,
    Absorbed,
    Amended,
    Answer,
    ComplaintRaised,
    Consult,
    ContactCustomer,
    CustomerWrote,
    Evaluate,
    Merge,
    Merged,
    Quote,
    RateDifficulty,
    RecordCallback,
    Replied,
    ReportTest,
    WaitForCustomer,
)
from domain.issue.common import DONE
from domain.issue.consent import PassingOn
from domain.issue.forms import ConsultationRecord, Evaluation, Form
from domain.issue.intake import Intake
from domain.issue.lateness import Registered
from domain.issue.notes import corrected, first
from domain.issue.remedy import following
from domain.issue.state import (
    KEYS_KEPT,
    STEPS_KEPT,
    Assignment,
    CallbackRecord,
    Called,
    Handling,
    Issue,
    NotificationRequest,
    Person,
    note_of,
)
from domain.sla.promise import CALLS, Promise, PromiseKind
from domain.vocabulary import (
    Actor,
    Audience,
    Consent,
    Instant,
    Model,
    Outcome,
    Role,
    Severity,
    Stage,
)


class Step(Model):
    """One transition, decided and ready to be recorded: everything the registers need to know.

    ``key`` says what gave cause to it: an update's id, a threshold's name. The same cause is never
    recorded twice.

    ``at`` is when it happened, ``recorded_at`` when the desk heard of it. Where somebody is wanted
    the issue comes to ``stage_if_assigned`` if the roster has someone, else to ``stage``.
    """

    issue_id: str
    run: str = Field(default="", description="first execution run id of the workflow")
    key: str = ""
    seq: int
    action: ActionName
    by: Actor
    at: Instant
    recorded_at: Instant
    stage_before: Stage | None
    stage: Stage
    stage_if_assigned: Stage | None = None
    outcome: Outcome | None = None
    generation: int
    severity: Severity
    level: int
    content: dict[str, Any] = Field(default_factory=dict)
    intake: Intake | None = Field(default=None, description="with the registration only")
    promises: tuple[Promise, ...] = Field(default=(), description="those this step changed")
    make: tuple[PromiseKind, ...] = Field(default=(), description="to be planned, from ``at``")
    attempt: int = 1
    resume: bool = Field(default=False, description="``promises`` run on from ``at``")
    replan: str | None = Field(
        default=None, description="the rulebook ``promises`` are planned again by"
    )
    assignment: Assignment | None = None
    department: str | None = Field(default=None, description="it is transferred to this one")
    first_contact: bool = False
    queue: str | None = Field(
        default=None,
        description="with the registration: the queue it waits in (R36)",
        exclude_if=lambda name: name is None,
    )
    taken_by: str | None = Field(
        default=None,
        description="the agent whose it is from now on (R36)",
        exclude_if=lambda agent: agent is None,
    )
    ends_as: Outcome = Outcome.SOLVED
    handling: Handling | None = None
    callback: CallbackRecord | None = None
    forms: tuple[Form, ...] = ()
    dissatisfied: bool = Field(default=False, description="a complaint of its own (R21)")
    hand_over: tuple[str, ...] = ()
    tell: tuple[NotificationRequest, ...] = ()

    @property
    def act(self) -> Act:
        """What was said, as ``content`` keeps it; a registration is none of the actions."""
        action = ACTIONS.get(self.action)
        kept: type[Act] = action.kept if action else Registered
        return kept.model_validate({**self.content, "by": self.by})

    @property
    def answered(self) -> bool | None:
        """Whether the customer is answered with this step (R6), in writing or by phone; a repair
        that failed leaves them without an answer again. None: it changes nothing.
        """
        match self.act:
            case RecordCallback(reached=True) as call:
                return call.running is not False
            case ReportTest() as test:
                return test.worked
            case CustomerWrote() if self.reopens:
                return False
            case Answer(on_the_line=True) | Replied():
                return True
            case ContactCustomer(reached=True) if self.replies:
                return True
        return None

    @property
    def counts(self) -> bool:
        """Whether no act may lie before it: neither what the desk does by itself stands in the way
        of an earlier deed, nor what is aside of the work, nor a customer's words by which nothing
        has moved.
        """
        moved = self.promises or self.make or self.stage is not self.stage_before
        aside = self.action in ASIDE or (self.action is ActionName.CUSTOMER_WROTE and not moved)
        return self.by.role is not Role.SYSTEM and not aside

    @property
    def cause(self) -> str:
        """What gave cause to it; of registrations, which have one key, with the intake."""
        return f"{self.key}:{self.intake.digest}" if self.intake else self.key

    @property
    def reopens(self) -> bool:
        """Whether it opens an issue again that had its answer (R9, R24)."""
        return self.stage is Stage.REOPENED and self.stage_before in DONE

    @property
    def replies(self) -> bool:
        """Whether its messages bring the customer the answer (R6), or have it in writing for who
        was told by telephone (R34).
        """
        comes = self.stage is Stage.RESOLVED and self.stage_before is not Stage.RESOLVED
        return comes or self.ends_the_call_with_it

    @property
    def ends_the_call_with_it(self) -> bool:
        """Whether the agent's call with the answer was made, or given up as in vain (R34)."""
        of_calls = self.action is ActionName.CONTACT_CUSTOMER
        return of_calls and any(p.kind is PromiseKind.REPLY for p in self.promises)

    @property
    def result(self) -> str | None:
        """What the customer is told was done, or the hotline's answer."""
        if self.handling:
            return self.handling.result
        return next(
            (f.answer for f in self.forms if isinstance(f, ConsultationRecord) and f.answer), None
        )

    def stage_with(self, engineer: Person | None) -> Stage:
        """Return the stage the issue comes to, now that it is known who has it."""
        return self.stage_if_assigned if engineer and self.stage_if_assigned else self.stage


class DeliveryBatch(Model):
    """The messages one step wrote, ``to`` whom, to be delivered, and how long that is tried.

    ``reply`` is the generation of the issue that they answer the customer about (R6), else 0.
    ``not_before`` is when whoever they are for is at work again.
    """

    keys: tuple[str, ...]
    to: tuple[Audience, ...] = Field(default=(), exclude_if=lambda audiences: not audiences)
    reply: int = 0
    not_before: Instant | None = None
    give_up_after: timedelta
    first_retry: timedelta
    longest_retry: timedelta


class Recorded(Model):
    """What the register answers: the facts a workflow may not find out by itself. ``promises`` are
    new, moved or measured ones; ``later`` are batches for people who are not at work.

    ``step`` is the one that stands in the register at that place. After a crash it may be another
    than the one sent: one that had been recorded when the workflow was told of both.
    """

    step: Step

    number: str
    department: str
    centre: str
    zone: str
    promises: tuple[Promise, ...] = ()
    engineer: Person | None = None
    lead: Person | None = None
    assign_again_at: Instant | None = None
    called: Called | None = Field(
        default=None,
        description="with an assignment: what the desk calls what it is, and where",
        exclude_if=lambda names: names is None,
    )
    thin: str | None = Field(
        default=None, description="the core group that fell under its stand-by share (R16)"
    )
    needs_approval: bool = Field(default=False, description="the price is above the limit (R17)")
    complaint: bool = Field(default=False, description="a complaint is to be raised (R21)")
    dissatisfied: bool = Field(
        default=False,
        description="the scores show dissatisfaction, and no complaint (R24)",
        exclude_if=lambda found: not found,
    )
    errand: DeliveryBatch | None = None
    later: tuple[DeliveryBatch, ...] = ()
    closed_as: Outcome | None = Field(
        default=None, description="set if this issue had ended before: nothing was recorded"
    )
    intake_digest: str | None = Field(
        default=None, description="of the intake it was registered with, at the registration"
    )
    counts_back: timedelta | None = Field(
        default=None,
        description="how far somebody's own word does, by the policy",
        exclude_if=lambda span: span is None,
    )
    reopens_until: Instant | None = Field(
        default=None,
        description="with the closing: until when its customer's words open it again",
        exclude_if=lambda until: until is None,
    )
    adopted: bool = Field(
        default=False, description="another workflow had it, which is lost: catch up with it"
    )

    @property
    def batches(self) -> tuple[DeliveryBatch, ...]:
        """Everything to be delivered."""
        return (self.errand, *self.later) if self.errand else self.later

    def to_deliver(self, batches: Sequence[DeliveryBatch]) -> Recorded:
        """Return it with everything to be delivered: at most one of it at once."""
        at_once = next((each for each in batches if each.not_before is None), None)
        later = tuple(each for each in batches if each.not_before)
        return self.model_copy(update={"errand": at_once, "later": later})

    def applied_to(self, issue: Issue) -> Issue:
        """Return the issue as it is now that the step stands in the register."""
        step = self.step
        changed = {p.key: p for p in (*step.promises, *self.promises)}
        kept = tuple(changed.pop(p.key, p) for p in issue.promises)
        assigned = step.assignment is not None
        note = note_of(step.action, step.by.id, step.at, step.content)
        return issue.model_copy(
            update={
                "seq": step.seq,
                "stage": step.stage_with(self.engineer),
                "outcome": step.outcome,
                "severity": step.severity,
                "level": step.level,
                "generation": step.generation,
                "last_at": step.at if step.counts else issue.last_at,
                "department": self.department,
                "centre": self.centre,
                "engineer": self.engineer if assigned else issue.engineer,
                "lead": self.lead if assigned else issue.lead,
                "called": self.called or issue.called,
                "assign_again_at": self.assign_again_at if assigned else issue.assign_again_at,
                "answered": issue.answered if step.answered is None else step.answered,
                "first_contact": step.first_contact,
                "ends_as": step.ends_as,
                "queue": step.queue or issue.queue,
                "taken_by": step.taken_by or issue.taken_by,
                "results": (*issue.results, step.result) if step.result else issue.results,
                "promises": (*kept, *changed.values()),
                "remedy": following(issue.remedy, step.forms),
                "panel_sits": issue.panel_sits and not step.replies,
                "counts_back": self.counts_back or issue.counts_back,
                "called_in_vain": _called_in_vain(issue, self),
                "needs_no_test": _needs_no_test(issue, step),
                "reopens_until": self.reopens_until or issue.reopens_until,
                "steps": (*issue.steps, note)[-STEPS_KEPT:],
                "seen": (*issue.seen, step.key)[-KEYS_KEPT:],
            }
            | {**_noted(issue, self), **_told_of(issue, self)}
        )


def _called_in_vain(issue: Issue, recorded: Recorded) -> int:
    """R34: how often the agent tried in vain to make the call they owe; each is counted anew."""
    step = recorded.step
    if any(p.kind in CALLS for p in (*step.promises, *recorded.promises)):
        return 0
    in_vain = isinstance(act := step.act, ContactCustomer) and not act.reached
    return issue.called_in_vain + in_vain


def _needs_no_test(issue: Issue, step: Step) -> bool:
    """R9: whether the answer that the customer has, or is to hear by a call, is not to be tried."""
    if not step.replies or step.ends_the_call_with_it:
        return issue.needs_no_test
    return isinstance(act := step.act, Answer) and not act.test


class _Noted(TypedDict, total=False):
    quotations: int
    needs_approval: bool
    waits: int
    panels: int
    panel_sits: bool
    evaluated: tuple[str, ...]
    rated: int
    complaints: tuple[str, ...]
    consent_since: Consent
    intake: Intake
    was: dict[str, str | None]
    redirected: int
    merging: str | None
    merged_into: str | None
    merged: tuple[str, ...]
    others: tuple[str, ...]


def _noted(issue: Issue, recorded: Recorded) -> _Noted:
    """What a later step has to know of this one's forms."""
    noted: _Noted = {}
    match recorded.step.act:
        case Quote():
            approval = recorded.needs_approval
            noted = {"quotations": issue.quotations + 1, "needs_approval": approval}
        case WaitForCustomer() | CustomerWrote() if PromiseKind.WAITING in recorded.step.make:
            noted = {"waits": issue.waits + 1}
        case Consult(question=question):
            noted = {"panels": issue.panels + bool(question), "panel_sits": bool(question)}
        case Evaluate():
            forms = (form for form in recorded.step.forms if isinstance(form, Evaluation))
            noted = {"evaluated": (*issue.evaluated, *(f"{f.item}:{f.person}" for f in forms))}
        case RateDifficulty():
            noted = {"rated": issue.generation}
        case PassingOn(consent=Consent() as said):
            noted = {"consent_since": said}
        case ComplaintRaised(number=str(number)):
            noted = {"complaints": (*issue.complaints, number)}
    return noted


def _told_of(issue: Issue, recorded: Recorded) -> _Noted:
    """What is known from now on of the customer, and of other issues about the same."""
    noted: _Noted = {}
    match recorded.step.act:
        case Merge(into=into):
            noted = {"merging": into}
        case Merged(into=into, survivor=survivor):
            noted = {"merging": None, "merged_into": into if survivor else issue.merged_into}
        case Absorbed(number=number, others=others):
            also = (number,) if others else ()
            noted = {"merged": (*issue.merged, number), "others": (*issue.others, *also)}
        case Amended(corrections=corrections, was=was, redirects=redirects):
            noted = {
                "intake": corrected(issue.intake, corrections),
                "was": first([issue.was, was]),
                "redirected": issue.redirected + redirects,
            }
    return noted
