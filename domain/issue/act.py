"""What can be done to an issue, by name, and what every act says."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, NamedTuple

from pydantic import Field, TypeAdapter

from domain.vocabulary import Actor, Instant, Model, Text

_instant: TypeAdapter[datetime] = TypeAdapter(Instant)


class ActionName(StrEnum):
    """Every transition an issue can make, by people (first) or by the desk itself (last)."""

    REGISTERED = "registered"
    TAKE = "take"
    ANSWER = "answer"
    REPORT_TEST = "report_test"
    CALM = "calm"
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
    PROPOSE_REMEDY = "propose_remedy"
    DECIDE_REMEDY = "decide_remedy"
    RECORD_REMEDY = "record_remedy"
    RESOLVE = "resolve"
    CONTACT_CUSTOMER = "contact_customer"
    CHASE = "chase"
    RECORD_CALLBACK = "record_callback"
    EVALUATE = "evaluate"
    RATE_DIFFICULTY = "rate_difficulty"
    ESCALATE = "escalate"
    WITHDRAW = "withdraw"
    ADD_NOTE = "add_note"
    AMEND = "amend"
    LINK = "link"
    MERGE = "merge"
    CUSTOMER_WROTE = "customer_wrote"
    REPLAN = "replan"
    ASSIGN = "assign"
    THRESHOLD = "threshold"
    REPLIED = "replied"
    HAND_OVER = "hand_over"
    COMPLAINT_RAISED = "complaint_raised"
    ABSORB = "absorb"
    MERGED = "merged"
    CANCEL = "cancel"
    CANCELLATION_ASKED = "cancellation_asked"
    REPAIR = "repair"


ToCustomer = Annotated[
    Text,
    Field(
        description="what the customer is told of it, in words for them",
        # Left out, it is as if there was no such field: so it stands in histories of before.
        exclude_if=lambda said: not said,
    ),
]
"""What an act says to the customer: nothing else of it, that was written for colleagues, is."""


FAULT = "fault code of the desk's list for the product line (R43)"
"""What is entered with a result, whoever has it."""


class KeptAct(NamedTuple):
    """What stands in the register of an act: ``at`` is when it happened, ``recorded_at`` when the
    desk heard of it.
    """

    action: ActionName
    by: str
    at: datetime
    recorded_at: datetime
    content: Mapping[str, Any]


class Act(Model):
    """Base of the actions. ``by`` says who acts. ``at`` says when it happened if that was earlier
    than now (a field engineer reporting in the evening); it may not lie before the last thing that
    somebody did to the issue, and both instants are kept.

    Somebody's word counts as far back as the policy says, and no clock is ahead of ours: what lies
    beyond happens when the desk hears of it, and what was said is kept with the step.
    """

    by: Actor
    at: Instant | None = Field(default=None, description="when it happened; now if left out")

    def content(self) -> dict[str, Any]:
        """What it says, as it is kept: by whom and when is kept beside it."""
        return self.model_dump(mode="json", exclude={"by", "at"}, exclude_none=True, by_alias=True)

    def differing(self, kept: KeptAct) -> tuple[str, ...]:
        """Name the fields in which this does not say what was kept of an act. Whoever leaves out
        when it happened says nothing of that.
        """
        form, content = type(self), kept.content
        said = {name: content[name] for name in form.model_fields if name in content}
        stands = form.model_validate({**said, "by": self.by})
        fields = [
            name
            for name, value in self
            if name not in {"by", "at"} and value != getattr(stands, name)
        ]
        # A clock that is fast was taken for ours; a word that did not count is kept beside it.
        told = _instant.validate_python(content["at"]) if "at" in content else kept.at
        fields += ["at"] if self.at not in {None, told} and not self._was_fast(kept) else []
        fields += ["by"] if self.by.id != kept.by else []
        return tuple(fields)

    def _was_fast(self, kept: KeptAct) -> bool:
        return self.at is not None and self.at > kept.recorded_at == kept.at
