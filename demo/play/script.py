"""What customers and staff do about a sample issue, as data; `examples/README.md` explains it."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from domain.issue.intake import Phone
from domain.vocabulary import Amount, Code, Model, Score, Verdict

Test = Literal["worked", "failed", "silence"]
"""What the customer says of an answer or of paid work, once they tried it (R9, R17)."""
Call = Literal["good", "bad", "conflict", "not_reached"]
"""What a callback brings (R23-R25)."""


class Quotation(Model):
    """R17: the price, in yuan, what the customer says to it, and the manager, if they are asked."""

    amount: Amount
    customer: Literal["agrees", "declines", "silence"] = "agrees"
    manager: Literal["approves", "refuses"] | None = None


class Script(Model):
    """What happens to an issue; what is left out goes well. Without ``tests`` and ``callback``
    customers are content where the policy has them asked.
    """

    hotline: Literal["answers", "sends", "holds"] | None = None
    case: Code | None = None
    accept: Literal["on_time", "late", "never"] = "on_time"
    resolve: Literal["on_time", "late", "signal"] = "on_time"
    wait: Annotated[float, Field(gt=0, le=30)] | None = None
    reply: Literal["page", "letter"] | None = None
    progress: bool = False
    reassign: bool = False
    transfer: Code | None = None
    panel: bool = False
    leave: bool = False
    verify: Verdict | None = None
    quotation: Quotation | None = None
    known: bool = False
    photograph: bool = False
    phone: Phone | None = None
    notes: bool = False
    asks: bool = False
    link: Code | None = None
    merge: Code | None = None
    tests: tuple[Test, ...] | None = None
    callback: tuple[Call, ...] | None = None
    scores: tuple[Score, Score] | None = None
    difficulty: Annotated[int, Field(ge=1, le=5)] = 2
    withdraw: Literal["registered", "in_progress"] | None = None
    duplicate: bool = False

    @model_validator(mode="after")
    def _a_case_is_told(self) -> "Script":
        if self.case and self.hotline not in {"answers", "sends"}:
            raise ValueError(f'case: {self.case} is told by the hotline: hotline = "answers"')
        return self

    @model_validator(mode="after")
    def _what_is_said_has_its_place(self) -> "Script":
        if self.reply and not self.wait:
            raise ValueError("reply: nobody waits for them: give the seconds as wait")
        if self.merge and self.withdraw:
            raise ValueError("merge: it is withdrawn: one of the two")
        return self
