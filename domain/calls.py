"""Calls that a telephone system recorded (R45): who rang whom, how long they talked, and where the
recording lies. The sound itself stays where it was recorded.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints

from domain.issue.arrival import Number
from domain.vocabulary import Code, Instant, Line, Model

_DAY = 24 * 60 * 60
Seconds = Annotated[int, Field(ge=0, le=_DAY)]
"""How long part of a call took."""
Recording = Annotated[
    str, StringConstraints(min_length=1, max_length=1000, pattern=r"^[^\x00-\x1f\x7f]*$")
]
"""What the recording system calls it: its address there, or an id."""
MOST = 1000
"""Calls that are sent at once."""


class Direction(StrEnum):
    """Who rang: the customer, or we."""

    INCOMING = "incoming"
    OUTGOING = "outgoing"


class PhoneCall(Model):
    """One call as the telephone system has it. ``id`` is its own name there: the same id is the
    same call, and what was not known the first time may be added.
    """

    id: Line = Field(description="the telephone system's own id of the call")
    at: Instant = Field(description="when it began to ring")
    direction: Direction = Direction.INCOMING
    number: Number = Field(default=None, description="the customer's; left out if it was withheld")
    ring_seconds: Seconds | None = Field(default=None, description="until it was answered, or lost")
    talk_seconds: Seconds | None = Field(
        default=None, description="left out: nobody answered, the call was lost"
    )
    agent: Code | None = Field(default=None, description="who talked, by the roster or the hotline")
    recording: Recording | None = Field(default=None, description="where the recording is")
    issue: Code | None = Field(
        default=None,
        description="the number of the issue; left out: the one that the customer's number has",
    )

    @property
    def lost(self) -> bool:
        """Whether a customer rang and nobody answered (呼损)."""
        return self.direction is Direction.INCOMING and self.talk_seconds is None


_CORRECTED = "issue"
"""May be said otherwise later: which issue a call was about, people find out."""


def differing(stands: PhoneCall, said: PhoneCall) -> list[str]:
    """Name what a repeat says otherwise than it stands; what either leaves out is no difference."""
    both = ((name, getattr(stands, name), getattr(said, name)) for name in PhoneCall.model_fields)
    return [
        name
        for name, was, now in both
        if name != _CORRECTED and was is not None and now is not None and was != now
    ]


def completed(stands: PhoneCall, said: PhoneCall) -> PhoneCall:
    """Add to a call what a repeat knows more of it, or better."""
    known = said.model_dump(exclude_none=True)
    return stands.model_copy(update=known)


class Told(Model):
    """What became of calls that were sent: how many are new, and how many were there before."""

    new: int
    known: int
