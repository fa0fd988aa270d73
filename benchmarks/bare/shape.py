"""What an issue does in Temporal, transition by transition: the bare workflow's shape."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

BARE = "bare"
"""Task queue of the bare workflow and its local activities."""
BARE_NOTIFICATIONS = "bare-notifications"
"""Task queue of its deliveries."""


class Name(StrEnum):
    """A transition of an issue's life; all but the last two are asked for by an update."""

    REGISTERED = "registered"
    ACCEPT = "accept"
    RESOLVE = "resolve"
    TESTED = "tested"
    REPLIED = "replied"
    """The delivery of the answer brings it about."""
    THRESHOLD = "threshold"
    """A timer brings it about."""


class Timer(StrEnum):
    """A clock that runs for an issue."""

    RESPONSE = "response"
    RESOLUTION = "resolution"
    TEST = "test"
    EVALUATION = "evaluation"


class Transition(NamedTuple):
    """What a transition does: its local activities (its name, its record), the timers it ends and
    begins, its deliveries. Each has one upsert.
    """

    local_activities: int = 2
    ends: tuple[Timer, ...] = ()
    begins: tuple[Timer, ...] = ()
    deliveries: int = 0


LIFE: Mapping[Name, Transition] = {
    # A registration has nobody beside it, and needs no name written down before it.
    Name.REGISTERED: Transition(
        local_activities=1, begins=(Timer.RESPONSE, Timer.RESOLUTION), deliveries=1
    ),
    Name.ACCEPT: Transition(ends=(Timer.RESPONSE,), deliveries=1),
    Name.RESOLVE: Transition(ends=(Timer.RESOLUTION,), begins=(Timer.TEST,), deliveries=1),
    Name.REPLIED: Transition(),
    Name.TESTED: Transition(ends=(Timer.TEST,), begins=(Timer.EVALUATION,), deliveries=1),
    # The clock goes on to its next threshold.
    Name.THRESHOLD: Transition(begins=(Timer.RESPONSE,), deliveries=1),
}
