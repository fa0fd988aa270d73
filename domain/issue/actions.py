"""What can be done to an issue: one model per action of the contract.

``by`` says who acts. ``at`` says when it happened if that was earlier than now (a field engineer
reporting in the evening); it may not lie before the issue's last step nor in the future, and both
instants are kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Annotated

from pydantic import Field, model_validator

from domain.vocabulary import (
    Actor,
    Code,
    Instant,
    Model,
    ServiceItem,
    Text,
    Verdict,
    Words,
    repeated,
)


class ActionName(StrEnum):
    """Every transition an issue can make, by people (first) or by the desk itself (last)."""

    REGISTERED = "registered"
    ANSWER = "answer"
    REPORT_TEST = "report_test"
    VERIFY = "verify"
    ACCEPT = "accept"
    REPORT_PROGRESS = "report_progress"
    WAIT_FOR_CUSTOMER = "wait_for_customer"
    RESUME = "resume"
    TRANSFER = "transfer"
    REASSIGN = "reassign"
    CONSULT = "consult"
    SURVEY = "survey"
    QUOTE = "quote"
    CONFIRM = "confirm"
    APPROVE = "approve"
    RESOLVE = "resolve"
    RECORD_CALLBACK = "record_callback"
    EVALUATE = "evaluate"
    RATE_DIFFICULTY = "rate_difficulty"
    ESCALATE = "escalate"
    WITHDRAW = "withdraw"
    REPLAN = "replan"
    ASSIGN = "assign"
    THRESHOLD = "threshold"
    REPLIED = "replied"
    HAND_OVER = "hand_over"
    COMPLAINT_RAISED = "complaint_raised"
    CANCEL = "cancel"
    CANCELLATION_ASKED = "cancellation_asked"
    REPAIR = "repair"


class Act(Model):
    """Base of the actions."""

    by: Actor
    at: Instant | None = Field(default=None, description="when it happened; now if left out")


class Answer(Act):
    """The hotline knows the answer: first-contact resolution (R8). Nobody is dispatched, and the
    customer may have to try it (R9).
    """

    solution: Words = Field(description="what the customer was told, in words they can read")
    case: Code | None = Field(default=None, description="the known case it was taken from (R29)")
    on_the_line: bool = Field(
        default=True, description="they heard it already; otherwise it is sent to them"
    )
    test: bool = Field(default=True, description="the customer has to try it and report (R9)")


class ReportTest(Act):
    """The customer tried the answer (R9), or the work that was paid for (R17)."""

    worked: bool = Field(description="it is solved; if not, somebody is sent to it again")
    words: Text = Field(default="", description="the customer's, as said")


class Verify(Act):
    """A complaint was looked into (R19): unfounded ones are explained to the customer, general ones
    solved by the department, major ones taken by its lead.
    """

    verdict: Verdict = Field(description="whether it is justified, and how grave")
    findings: Words = Field(description="what was found; the customer reads it")


class Accept(Act):
    """The handler takes the issue on and the customer hears from us (R11)."""

    expected_at: Instant | None = Field(default=None, description="told to the customer (R14)")


class ReportProgress(Act):
    """How far the work is; with a reason and an expected time if it takes longer (R13, R14)."""

    note: Words
    expected_at: Instant | None = Field(default=None, description="told to the customer (R14)")


class WaitForCustomer(Act):
    """The resolution clock stands still while the customer has to do something (R15)."""

    reason: Words


class Resume(Act):
    """The customer did it: the resolution clock runs on (R15)."""

    note: Text = ""


class Transfer(Act):
    """Pass it on to the right department: the form travels, the clocks do not restart (R15)."""

    to: Code = Field(description="a department of the roster")
    reason: Words


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


Amount = Annotated[Decimal, Field(ge=0, max_digits=12, decimal_places=2)]
"""Yuan, to the fen."""


class Survey(Act):
    """The site was surveyed: what is to be done there (R17)."""

    findings: Words


class Quote(Act):
    """The quotation for a paid service, sent to the customer (R17). A new one replaces the last."""

    work: Words = Field(description="what is offered, in words the customer can read")
    amount: Amount = Field(description="price in yuan: 12800.00")


class Confirm(Act):
    """The customer's yes or no to the quotation (R17)."""

    agreed: bool = Field(description="the customer wants it at this price")
    words: Text = Field(default="", description="the customer's, as said")


class Approve(Act):
    """The manager's yes or no, where the price needs it (R17)."""

    approved: bool = Field(description="the work may begin")
    reason: Text = Field(default="", description="the customer reads why not")

    @model_validator(mode="after")
    def _a_no_has_a_reason(self) -> Approve:
        if not self.approved and not self.reason:
            msg = "reason: say why it is not approved, the customer is told"
            raise ValueError(msg)
        return self


class Reassign(Act):
    """Give the issue to ``to``, or let the desk choose again if nobody is named (R15, R16)."""

    to: Code | None = Field(default=None, description="left out: the desk chooses")
    reason: Words


class Resolve(Act):
    """The handler returns the result; the customer gets it as the reply (R6, R12)."""

    result: Words = Field(description="what was done, in words the customer can read")
    cause: Text = ""
    known_solution: bool = Field(default=False, description="propose it for the case library (R29)")


class RecordCallback(Act):
    """One attempt to call the customer (R23-R25); ``words`` are written down as said. A conflict
    becomes a complaint of its own (R21); one ``call`` may ask about several faults (R22).
    """

    reached: bool = Field(description="the customer was on the line")
    running: bool | None = Field(default=None, description="is the machine running normally")
    satisfied: bool | None = Field(default=None, description="is the customer satisfied")
    words: Text = Field(default="", description="the customer's, as said")
    conflict: bool = Field(
        default=False, description="the customer complains, or is at odds with us (R21, R24)"
    )
    call: Code | None = Field(default=None, description="names the call, if it is about several")

    @model_validator(mode="after")
    def _only_a_reached_customer_answers(self) -> RecordCallback:
        if self.reached and self.running is None:
            msg = "running: say whether the machine runs normally when the customer was reached"
            raise ValueError(msg)
        if not self.reached and (self.running is not None or self.satisfied is not None):
            msg = "reached: a customer who was not reached cannot have answered"
            raise ValueError(msg)
        if self.conflict and not (self.reached and self.words):
            msg = "words: write down what the customer complains about, as said"
            raise ValueError(msg)
        return self


Score = Annotated[int, Field(ge=-50, le=200)]
"""Per cent of what was to be expected (R26)."""


class Evaluate(Act):
    """The customer scores technical level and service attitude, once per case, item and person
    (R26). Below zero it becomes a complaint of its own, if the policy does not say otherwise (R21).
    """

    item: ServiceItem = Field(description="what is scored")
    technical: Score = Field(description="technical level; 100 is what was to be expected")
    attitude: Score = Field(description="service attitude; 100 is what was to be expected")
    comment: Words
    person: Code | None = Field(
        default=None, description="who scores, if somebody else writes it down"
    )

    @property
    def scored_by(self) -> str:
        """Whose opinion it is."""
        return self.person or self.by.id


class RateDifficulty(Act):
    """The manager rates how difficult the repair was (R18); a later rating replaces it."""

    difficulty: Annotated[int, Field(ge=1, le=5)] = Field(description="1 easy to 5 very difficult")
    note: Text = ""


class Escalate(Act):
    """Take the issue one level up by hand (R10, R13)."""

    reason: Words


class Withdraw(Act):
    """The customer does not want it any more."""

    reason: Words


class Replan(Act):
    """Plan the open promises again: a calendar, a notice or a policy was loaded (R32). ``adoption``
    counts the loadings; the same one plans an issue once.
    """

    version: Code = Field(description="the rulebook that was loaded")
    adoption: int


class Assign(Act):
    """The desk looks again for an engineer on duty (R16)."""


class Threshold(Act):
    """A clock reached one of its thresholds."""

    promise: str
    threshold: str


class Replied(Act):
    """The result reached the customer, or the person who is to bring it to them (R6)."""


class HandOver(Act):
    """These messages could not be delivered: a person is to see to them."""

    messages: tuple[str, ...]


class ComplaintRaised(Act):
    """What the customer said became a complaint of its own (R21), or could not be registered."""

    number: Code | None = None
    reason: Text = Field(default="", description="why it could not")


class Cancel(Act):
    """An operator ended the workflow in Temporal."""


class CancellationAsked(Act):
    """An operator asked in Temporal to cancel the workflow: that is the lead's to decide (R6)."""


class Repair(Act):
    """The operation found the issue out of step with its register, or its messages left lying: it
    catches up, and goes on.
    """

    reason: Words


PEOPLE: Mapping[ActionName, type[Act]] = {
    ActionName.ANSWER: Answer,
    ActionName.REPORT_TEST: ReportTest,
    ActionName.VERIFY: Verify,
    ActionName.ACCEPT: Accept,
    ActionName.REPORT_PROGRESS: ReportProgress,
    ActionName.WAIT_FOR_CUSTOMER: WaitForCustomer,
    ActionName.RESUME: Resume,
    ActionName.TRANSFER: Transfer,
    ActionName.REASSIGN: Reassign,
    ActionName.CONSULT: Consult,
    ActionName.SURVEY: Survey,
    ActionName.QUOTE: Quote,
    ActionName.CONFIRM: Confirm,
    ActionName.APPROVE: Approve,
    ActionName.RESOLVE: Resolve,
    ActionName.RECORD_CALLBACK: RecordCallback,
    ActionName.EVALUATE: Evaluate,
    ActionName.RATE_DIFFICULTY: RateDifficulty,
    ActionName.ESCALATE: Escalate,
    ActionName.WITHDRAW: Withdraw,
    ActionName.REPLAN: Replan,
}
"""What comes in as an update, each with its form; ``registered`` takes an intake."""

OPERATION: Mapping[ActionName, type[Act]] = {ActionName.REPAIR: Repair}
"""What the desk's own operation asks an issue for, as an update too; no door offers it."""
