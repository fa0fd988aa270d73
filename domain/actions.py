"""What can be done to an issue: one model per action of the contract (design, section 5).

``by`` says who acts. ``at`` says when it happened if that was earlier than now (a field engineer
reporting in the evening); it may not lie before the issue's last step nor in the future, and both
instants are kept.
"""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field, model_validator

from domain.vocabulary import Actor, Code, Instant, Model, Text, Words


class ActionName(StrEnum):
    """Every transition an issue can make, by people (first) or by the desk itself (last)."""

    REGISTERED = "registered"
    ACCEPT = "accept"
    REPORT_PROGRESS = "report_progress"
    WAIT_FOR_CUSTOMER = "wait_for_customer"
    RESUME = "resume"
    REASSIGN = "reassign"
    RESOLVE = "resolve"
    RECORD_CALLBACK = "record_callback"
    ESCALATE = "escalate"
    WITHDRAW = "withdraw"
    REPLAN = "replan"
    ASSIGN = "assign"
    THRESHOLD = "threshold"
    REPLIED = "replied"
    HAND_OVER = "hand_over"
    CANCEL = "cancel"


class Act(Model):
    """Base of the actions."""

    by: Actor
    at: Instant | None = Field(default=None, description="when it happened; now if left out")


class Accept(Act):
    """The handler takes the issue on and the customer hears from us (R11)."""

    expected_at: Instant | None = Field(default=None, description="told to the customer (R14)")


class ReportProgress(Act):
    """How far the work is; with a reason and an expected time if it takes longer (R13, R14)."""

    note: Words
    expected_at: Instant | None = None


class WaitForCustomer(Act):
    """The resolution clock stands still while the customer has to do something (R15)."""

    reason: Words


class Resume(Act):
    """The customer did it: the resolution clock runs on (R15)."""

    note: Text = ""


class Reassign(Act):
    """Give the issue to ``to``, or let the desk choose again if nobody is named (R15, R16)."""

    to: Code | None = None
    reason: Words


class Resolve(Act):
    """The handler returns the result; the customer gets it as the reply (R6, R12)."""

    result: Words = Field(description="what was done, in words the customer can read")
    cause: Text = ""


class RecordCallback(Act):
    """One attempt to call the customer (R23-R25); ``words`` are written down as said."""

    reached: bool
    running: bool | None = Field(default=None, description="is the machine running normally")
    satisfied: bool | None = None
    words: Text = ""

    @model_validator(mode="after")
    def _only_a_reached_customer_answers(self) -> RecordCallback:
        if self.reached and self.running is None:
            msg = "running: say whether the machine runs normally when the customer was reached"
            raise ValueError(msg)
        if not self.reached and (self.running is not None or self.satisfied is not None):
            msg = "reached: a customer who was not reached cannot have answered"
            raise ValueError(msg)
        return self


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


class Cancel(Act):
    """An operator cancelled the workflow in Temporal."""
