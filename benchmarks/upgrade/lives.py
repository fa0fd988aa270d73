"""What issues there are at the upgrade: every kind, in every stage, by every way there.

As data that any version understands: an intake, and what was done about it by the door's own words.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from benchmarks.chaos.plan import chance

SOURCE = "web"
"""The intake system that everything comes from."""
AGENT = "07"


class Deed(NamedTuple):
    """Something that somebody does: ``who``, which action, what they say, and in which field a word
    that is their ``own``.
    """

    who: str
    name: str
    own: str
    said: Mapping[str, Any] = {}


class Life(NamedTuple):
    """How an issue comes to where it is at the upgrade."""

    intake: Mapping[str, Any]
    deeds: Sequence[Deed] = ()


class Fate(StrEnum):
    """What Temporal has of an issue when the power is back."""

    KNOWN = "known"
    """All of it."""
    BEHIND = "behind"
    """Not its last step."""
    EMPTY = "empty"
    """A workflow that was started and knows nothing of the intake."""
    LOST = "lost"
    """Nothing."""


class Planned(NamedTuple):
    """An issue to be made: its life, its fate, and how many seconds ago it was reported."""

    name: str
    life: Life
    fate: Fate
    ago: float

    @property
    def reference(self) -> str:
        """The intake system's own."""
        return f"upgrade-{self.name}"

    @property
    def issue_id(self) -> str:
        """Workflow and row."""
        return f"issue:{SOURCE}:{self.reference}"


_FAULT = {"kind": "fault", "category": "technical"}
_COMPLAINT = {"kind": "complaint", "category": "service"}
_PAID = {"kind": "paid_service", "category": "technical"}
_QUESTION = {"kind": "consultation", "category": "technical"}
_HELD = {**_QUESTION, "answering": True}

ACCEPT = Deed("handler", "accept", "expected_at")
RESOLVE = Deed("handler", "resolve", "result")
COMPLETE = Deed("handler", "complete", "result")
VERIFY = Deed("handler", "verify", "findings", {"verdict": "general"})
SURVEY = Deed("handler", "survey", "findings")
QUOTE = Deed("handler", "quote", "work", {"amount": "5000.00"})
CONFIRM = Deed("agent", "confirm", "words", {"agreed": True})
APPROVE = Deed("gm_office", "approve", "reason", {"approved": True})
RESUME = Deed("handler", "resume", "note")
BRING = Deed("agent", "contact_customer", "words", {"reached": True, "told": "it is done"})
CALL = Deed("clerk", "record_callback", "words", {"reached": True, "running": True})
TESTED = Deed("agent", "report_test", "words", {"worked": True})
_PROGRESS = Deed("handler", "report_progress", "note")
_WAIT = Deed("handler", "wait_for_customer", "reason")
_CONSULT = Deed("handler", "consult", "question")
_TRANSFER = Deed("agent", "transfer", "reason", {"to": "software_development"})
_REASSIGN = Deed("agent", "reassign", "reason")
_ESCALATE = Deed("agent", "escalate", "reason")
_WITHDRAW = Deed("agent", "withdraw", "reason")
_ANSWER = Deed("agent", "answer", "solution", {"test": True})
_DEAR = QUOTE._replace(said={"amount": "30000.00"})
_MAJOR = VERIFY._replace(said={"verdict": "major"})
_UNFOUNDED = VERIFY._replace(said={"verdict": "unfounded"})
_DECLINE = CONFIRM._replace(said={"agreed": False})
_FAILED = CALL._replace(said={"reached": True, "running": False})
_NOT_REACHED = CALL._replace(said={"reached": False})
_CONFLICT = CALL._replace(said={"reached": True, "running": True, "conflict": True})
_REFUSED = TESTED._replace(said={"worked": False})
_DONE = (ACCEPT, RESOLVE)
_QUOTED = (ACCEPT, SURVEY, QUOTE)
_DEARLY = (ACCEPT, SURVEY, _DEAR, CONFIRM)

LIVES: Sequence[Life] = (
    Life(_HELD),
    Life(_FAULT),
    Life({**_FAULT, "severity": "major"}),
    Life({**_FAULT, "complex": True}),
    Life({"kind": "suggestion", "category": "service"}),
    Life({"kind": "sales", "category": "commerce"}),
    Life(_COMPLAINT),
    Life(_FAULT, (ACCEPT,)),
    Life(_QUESTION, (ACCEPT,)),
    Life(_FAULT, (ACCEPT, _PROGRESS)),
    Life(_FAULT, (ACCEPT, _WAIT)),
    Life(_FAULT, (ACCEPT, _WAIT, RESUME)),
    Life(_FAULT, (ACCEPT, _CONSULT)),
    Life(_FAULT, (_TRANSFER,)),
    Life(_FAULT, (_REASSIGN, ACCEPT)),
    Life(_FAULT, (_ESCALATE,)),
    Life(_FAULT, _DONE),
    Life(_FAULT, (ACCEPT, COMPLETE)),
    Life(_FAULT, (*_DONE, _NOT_REACHED)),
    Life(_FAULT, (*_DONE, _FAILED)),
    Life(_FAULT, (*_DONE, _CONFLICT)),
    Life(_FAULT, (*_DONE, CALL)),
    Life(_FAULT, (ACCEPT, _WITHDRAW)),
    Life(_QUESTION, _DONE),
    Life(_QUESTION, (*_DONE, TESTED)),
    Life(_HELD, (_ANSWER,)),
    Life(_HELD, (_ANSWER, _REFUSED)),
    Life(_COMPLAINT, (ACCEPT,)),
    Life(_COMPLAINT, (ACCEPT, VERIFY)),
    Life(_COMPLAINT, (ACCEPT, VERIFY, RESOLVE)),
    Life(_COMPLAINT, (ACCEPT, _MAJOR)),
    Life(_COMPLAINT, (ACCEPT, _UNFOUNDED)),
    Life(_PAID),
    Life(_PAID, (ACCEPT,)),
    Life(_PAID, (ACCEPT, SURVEY)),
    Life(_PAID, _QUOTED),
    Life(_PAID, (*_QUOTED, CONFIRM)),
    Life(_PAID, (*_QUOTED, CONFIRM, RESOLVE)),
    Life(_PAID, (*_QUOTED, _DECLINE)),
    Life(_PAID, _DEARLY),
    Life(_PAID, (*_DEARLY, APPROVE)),
)
LONGEST_AGO = 100.0
HELD_AGO = 50.0
"""No threshold has passed by then: an alarm of before the registration is nobody's to miss."""


def planned(seed: int, issues: int) -> list[Planned]:
    """Plan so many issues: each life in turn, each fate evenly mixed."""
    drawn = chance(seed, "lives")
    plan = []
    for place in range(issues):
        life = LIVES[place % len(LIVES)]
        longest = HELD_AGO if "answering" in life.intake else LONGEST_AGO
        fates = [Fate.KNOWN] * 3 + [Fate.EMPTY, Fate.LOST] + [Fate.BEHIND] * 2 * bool(life.deeds)
        plan.append(
            Planned(f"{seed}-{place}", life, drawn.choice(fates), drawn.uniform(0, longest))
        )
    return plan


_PACE = {"resolution": 10, "verification": 10, "survey": 10, "evaluation": 8, "difficulty": 10}
_PACE_OF_OTHERS = 30
_PROMISE = re.compile(r'(promise = "(\w+)".*?within = ")(\d+)(s")', re.DOTALL)
_AFTER = re.compile(r'(at = "\+)(\d+)(s")')


def slower(policy: str) -> str:
    """Let a policy with seconds for hours take so much longer that issues stay where they are over
    an upgrade, and alarms fall before, into and after it.
    """

    def within(found: re.Match[str]) -> str:
        seconds = int(found[3]) * _PACE.get(found[2], _PACE_OF_OTHERS)
        return f"{found[1]}{seconds}{found[4]}"

    later = _AFTER.sub(lambda found: f"{found[1]}{int(found[2]) * 10}{found[3]}", policy)
    return _PROMISE.sub(within, later)
