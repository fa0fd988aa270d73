"""A promise: what was due to whom until when, and how it ended.

The ledger of promises is the desk's heart; every report is computed from it. Instants are UTC and
absolute: calendars were consulted when the promise was planned, never here.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from pydantic import Field

from domain.sla.clock import Counting, Stop
from domain.vocabulary import Audience, Instant, Model


class PromiseKind(StrEnum):
    """What is promised: to pass on what the hotline does not answer (R10), to answer (R11), to
    solve (R12), to calm a customer (R47), to look into a complaint (R19), to survey, quote and
    approve (R17), to advise (R15), to decide on a remedy and to give it (R42), to call when
    something is late (R13) and with the result (R34), to call the next day (R22), to see to
    what a customer wrote after our answer (R24), to rate the repair (R18); and what the
    customer has time for: to do their part (R15), to try the answer (R9) or the work (R17), to
    confirm the quotation (R17), to score us (R26).
    """

    HAND_OVER = "hand_over"
    RESPONSE = "response"
    CALMING = "calming"
    VERIFICATION = "verification"
    SURVEY = "survey"
    QUOTATION = "quotation"
    CONFIRMATION = "confirmation"
    APPROVAL = "approval"
    RESOLUTION = "resolution"
    PANEL = "panel"
    REMEDY_APPROVAL = "remedy_approval"
    REMEDY = "remedy"
    WAITING = "waiting"
    CONTACT = "contact"
    REPLY = "reply"
    CALLBACK = "callback"
    CUSTOMER_TEST = "customer_test"
    FEEDBACK = "feedback"
    EVALUATION = "evaluation"
    DIFFICULTY = "difficulty"


CUSTOMERS = frozenset(
    {
        *(PromiseKind.WAITING, PromiseKind.CUSTOMER_TEST),
        *(PromiseKind.CONFIRMATION, PromiseKind.EVALUATION),
    }
)
"""What the customer has time for; nobody breaks a promise when that is over."""
THEIR_SAY = frozenset({PromiseKind.CUSTOMER_TEST, PromiseKind.CONFIRMATION})
"""What a customer says by being silent (R9, R17); who wrote was not."""
CALLS = frozenset({PromiseKind.CONTACT, PromiseKind.REPLY})
"""Calls that the agent who took the issue in owes its customer (R13, R34)."""
OVERSIGHT = frozenset({PromiseKind.EVALUATION, PromiseKind.DIFFICULTY})
"""What begins when an issue is closed."""

OF_REPAIRS = frozenset({PromiseKind.CALLBACK, PromiseKind.DIFFICULTY})
"""What follows a repair; and an answer on the line, if the policy says so (R18, R22)."""


class PromiseEnd(StrEnum):
    """How a promise stands in the ledger. ``skipped``: planned again, its due instant came to lie
    in the past, so it can be called neither kept nor broken.
    """

    OPEN = "open"
    KEPT = "kept"
    BROKEN = "broken"
    WITHDRAWN = "withdrawn"
    SKIPPED = "skipped"


class Threshold(Model):
    """A threshold of a promise: at that instant these people are told, and perhaps the issue rises.

    ``name`` is as the policy has it: ``75%``, ``100%``, ``+2h``, ``+1 working day``. ``skipped``:
    it lay in the past when it was planned again, and nobody was told.
    """

    name: str
    at: Instant
    tell: tuple[Audience, ...] = ()
    level: int = 0
    skipped: bool = False


DUE = "100%"
COUNTS_BACK = timedelta(hours=12)
"""How far back somebody's own word counts, unless the policy says otherwise: a day in the field."""
PAST_DUE = frozenset({PromiseEnd.BROKEN, PromiseEnd.SKIPPED})
"""How a promise stands whose due instant is past."""


def _is_none(value: object) -> bool:
    return value is None


class Promise(Model):
    """One clock of one issue. ``generation`` counts reopenings; a callback is the ``attempt``-th of
    at most ``attempts`` (R25; 0: of as many as it takes, R34) and may not be made before
    ``opens_at`` (R22).

    ``stops`` are the times it stood still, ``paused_at`` is since when it does; ``pauses`` counts
    both. ``consumed`` is how much of its time was used up, on its own clock, when it stopped or
    ended; None while it runs.

    ``own_word_at``: that it was kept, or stood still in time, somebody said only then, when it was
    broken already: it is so by their own word.
    """

    kind: PromiseKind
    generation: int = 1
    attempt: int = 1
    attempts: int = 1
    target: str
    clock: Counting
    calendar: str
    made_at: Instant
    opens_at: Instant | None = None
    due_at: Instant
    provisional: bool = False
    marks: tuple[Threshold, ...] = ()
    reached: int = 0
    paused_at: Instant | None = None
    pauses: int = 0
    stops: tuple[Stop, ...] = ()
    consumed: timedelta | None = None
    end: PromiseEnd = PromiseEnd.OPEN
    ended_at: Instant | None = None
    own_word_at: Instant | None = Field(default=None, exclude_if=_is_none)

    @property
    def key(self) -> str:
        """Name it within its issue: ``resolution.1``, ``callback.1.2``."""
        key = f"{self.kind}.{self.generation}"
        return key if self.attempt == 1 else f"{key}.{self.attempt}"

    @property
    def running(self) -> bool:
        """A clock runs until the promise is fulfilled or given up, also past its due instant."""
        return self.ended_at is None

    @property
    def overdue(self) -> bool:
        """Past due and still not fulfilled."""
        return self.running and self.end in PAST_DUE

    @property
    def by_own_word(self) -> bool:
        """Kept, as far as somebody's own word goes."""
        return self.end is PromiseEnd.KEPT and self.own_word_at is not None

    @property
    def at_risk(self) -> bool:
        """Some warning threshold is past, the due instant is not."""
        return self.running and self.reached > 0 and not self.overdue

    @property
    def next_threshold(self) -> Threshold | None:
        """The threshold its one live timer waits for; none while it stands still or has ended."""
        if not self.running or self.paused_at is not None or self.reached >= len(self.marks):
            return None
        return self.marks[self.reached]

    def overtaken(self, now: datetime) -> Promise:
        """Tick off at once all that had passed by ``now``, if it was due by then: when nobody at
        the desk knew of it yet.
        """
        promise = self
        if self.due_at <= now:
            while (mark := promise.next_threshold) and mark.at <= now:
                promise = promise.reach()
        return promise

    def heard(self, now: datetime, before: Promise) -> Promise:
        """Mark it if only a word about the past makes of ``before`` what it is: done ``now`` it
        would be broken, or was so before.
        """
        kept = self.end is PromiseEnd.KEPT and before.fulfil(now).end is PromiseEnd.BROKEN
        stopped = self.paused_at is not None and before.paused_at is None
        open_again = stopped and self.end is PromiseEnd.OPEN and now > before.due_at
        return self.model_copy(update={"own_word_at": now}) if kept or open_again else self

    def reach(self) -> Promise:
        """Tick off the next threshold; passing the due instant breaks what the desk promised."""
        mark = self.marks[self.reached]
        breaks = mark.name == DUE and self.kind not in CUSTOMERS
        end = PromiseEnd.BROKEN if breaks else self.end
        return self.model_copy(update={"reached": self.reached + 1, "end": end})

    def fulfil(self, at: datetime) -> Promise:
        """End it by doing what was promised. It is kept if that happened by the due instant, also
        when word of it came in later than the alarm.
        """
        consumed_until = at if self.paused_at is None else min(self.paused_at, at)
        in_time = consumed_until <= self.due_at or self.kind in CUSTOMERS
        end = PromiseEnd.KEPT if in_time else PromiseEnd.BROKEN
        return self._ended(at, PromiseEnd.SKIPPED if self.end is PromiseEnd.SKIPPED else end)

    def give_up(self, at: datetime) -> Promise:
        """End it because nobody wants it any more; what was broken by then stays broken."""
        return self._ended(at, self.end if self.end in PAST_DUE else PromiseEnd.WITHDRAWN)

    def pause(self, at: datetime) -> Promise:
        """Stop the clock; planning moves what is left when it runs on. Word of it may come in later
        than an alarm that fell due meanwhile: what lies after ``at`` has not been reached.
        """
        past_due = PromiseEnd.SKIPPED if self.end is PromiseEnd.SKIPPED else PromiseEnd.BROKEN
        told = self.marks[: self.reached]
        taken_back = [m for m in told if m.at > at or m.at == at == self.due_at]
        kept = tuple(mark for mark in told if mark not in taken_back)
        ahead = [m.model_copy(update={"skipped": False}) for m in taken_back]
        ahead += self.marks[self.reached :]
        return self.model_copy(
            update={
                "paused_at": at,
                "pauses": self.pauses + 1,
                "end": past_due if at > self.due_at else PromiseEnd.OPEN,
                "marks": (*kept, *sorted(ahead, key=lambda mark: mark.at)),
                "reached": len(kept),
            }
        )

    def _ended(self, at: datetime, end: PromiseEnd) -> Promise:
        changes: dict[str, object] = {"end": end, "ended_at": at, "paused_at": None}
        if self.paused_at is not None and self.paused_at <= at:
            changes["stops"] = (*self.stops, Stop(begin=self.paused_at, end=at))
        else:
            changes["consumed"] = None  # the deed lies before the pause: less was used up
        return self.model_copy(update=changes)
