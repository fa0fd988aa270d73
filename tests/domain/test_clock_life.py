"""A promise at random, beside a model that knows nothing of the engine: it counts the minutes that
the promise consumes, one by one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from itertools import chain, compress, islice
from typing import NamedTuple

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from domain.calendars.calendar import WorkingCalendar
from domain.calendars.periods import Ends, Period, TimeBudget, read_period
from domain.sla.clock import Counting
from domain.sla.planning import Planner
from domain.sla.promise import DUE, Promise, PromiseEnd, PromiseKind
from tests.support.calendars import DAY, HOUR, MINUTE
from tests.support.profiles import share
from tests.support.rulebooks import CALENDARS, SPRING, planner, solving

DAYS = 75
"""As far as the model's calendars go: more than a machine can let pass."""

STAGES = ("80%", DUE, "+2h", "+1 working day")


class Terms(NamedTuple):
    """What a rulebook promises, as the model reads it."""

    within: str
    counting: Counting
    calendar: str
    ends: Ends = "close"
    marks: tuple[str, ...] = STAGES


@cache
def rulebook_planner(terms: Terms) -> Planner:
    book = solving(
        terms.within,
        CALENDARS[terms.calendar],
        clock=terms.counting,
        ends=terms.ends,
        marks=terms.marks,
    )
    return planner(book)


@cache
def open_minutes(name: str) -> bytes:
    centre: WorkingCalendar = CALENDARS[name]
    return bytes(centre.is_open(SPRING + n * MINUTE) for n in range(DAYS * 1440))


ALL_MINUTES = b"\1" * (DAYS * 1440)
BUDGETS: list[tuple[str, Counting, Ends]] = [
    ("7h", "working", "close"),
    ("24h", "working", "close"),
    ("1 working day", "working", "close"),
    ("3 working days", "working", "close"),
    ("1 working day", "working", "same time"),
    ("3 working days", "working", "same time"),
    ("7h", "elapsed", "close"),
    ("2 working days", "elapsed", "close"),
]
terms_of_any_kind = st.builds(
    lambda budget, name, marks: Terms(budget[0], budget[1], name, budget[2], marks),
    st.sampled_from(BUDGETS),
    st.sampled_from(list(CALENDARS)),
    st.sampled_from([STAGES, ("50%", "80%", DUE, "+4h")]),
)


@dataclass
class ByTheMinute:
    """A promise as somebody with a list of minutes sees it; minute 0 is the first of ``SPRING``."""

    terms: Terms
    made: int
    stops: list[tuple[int, int]] = field(default_factory=list)
    ticked_off: list[tuple[str, int]] = field(default_factory=list)
    paused: int | None = None
    end: PromiseEnd = PromiseEnd.OPEN

    def runs(self) -> bytes:
        """Minutes in which its clock runs while it is not stopped."""
        elapsed = self.terms.counting == "elapsed"
        return ALL_MINUTES if elapsed else open_minutes(self.terms.calendar)

    def minutes(self, until: int | None = None) -> Iterator[int]:
        """Every minute it consumes, in order, until then or until the calendar ends."""
        runs = self.runs()[:until]
        begins = [self.made, *(end for _, end in self.stops)]
        ends = [*(begin for begin, _ in self.stops), len(runs)]
        return chain.from_iterable(
            compress(range(begin, end), runs[begin:end])
            for begin, end in zip(begins, ends, strict=True)
        )

    def consumed(self, until: int) -> int:
        until = until if self.paused is None else min(until, self.paused)
        return len(list(self.minutes(until)))

    def when(self, consumed: int, not_before: int = 0) -> int:
        """Find the instant at which so much is consumed."""
        last = next(islice(self.minutes(), consumed - 1, None)) if consumed else self.made - 1
        found = max(last + 1, not_before)
        for begin, end in self.stops:
            found = end if begin <= found < end else found
        return found

    def budget(self) -> tuple[int, int]:
        """What it may consume, and before which minute that does not count."""
        if isinstance(period := read_period(self.terms.within), TimeBudget):
            return period.span // MINUTE, 0
        came_in = self.made
        if self.terms.ends == "same time":  # nobody saw it before they opened
            came_in = open_minutes(self.terms.calendar).find(1, self.made)
        ending = self.end_of_days(came_in, period, self.terms.ends)
        return sum(self.runs()[self.made : ending]), ending

    def end_of_days(self, start: int, period: Period, ends: Ends) -> int:
        assert not isinstance(period, TimeBudget)
        opened = open_minutes(self.terms.calendar)
        day, left = start // 1440, period.days
        while left:
            day += 1
            left -= any(opened[day * 1440 : (day + 1) * 1440])
        today = slice(day * 1440, (day + 1) * 1440)
        if ends == "same time" and opened[day * 1440 + start % 1440]:
            return day * 1440 + start % 1440
        until_then = today if ends == "close" else slice(day * 1440, day * 1440 + start % 1440)
        before = opened[until_then].rfind(1)
        return day * 1440 + (before + 1 if before >= 0 else opened[today].find(1))

    def due(self) -> int:
        return self.when(*self.budget())

    def marks(self) -> list[tuple[str, int]]:
        """Every threshold of its terms, in order of time."""
        budget, _ = self.budget()
        untouched = ByTheMinute(self.terms, self.made)
        found = []
        for name in self.terms.marks:
            if name == DUE:
                found.append((name, self.due()))
            elif name.endswith("%"):
                found.append((name, self.when(budget * int(name[:-1]) // 100)))
            elif isinstance(period := read_period(name[1:]), TimeBudget):
                found.append((name, self.when(budget + period.span // MINUTE)))
            else:
                close = self.end_of_days(untouched.due() - 1, period, "close")
                found.append((name, self.when(untouched.consumed(close))))
        return sorted(found, key=lambda mark: mark[1])

    def ahead(self) -> list[tuple[str, int]]:
        told = {name for name, _ in self.ticked_off}
        return [(name, n) for name, n in self.marks() if name not in told]

    def rings(self) -> None:
        name, n = self.ahead()[0]
        self.ticked_off.append((name, n))
        self.end = PromiseEnd.BROKEN if name == DUE else self.end

    def stops_at(self, n: int) -> None:
        self.paused = n
        due = self.due()
        self.ticked_off = [
            (name, then) for name, then in self.ticked_off if then < n or then == n != due
        ]
        late = PromiseEnd.SKIPPED if self.end is PromiseEnd.SKIPPED else PromiseEnd.BROKEN
        self.end = late if n > due else PromiseEnd.OPEN

    def runs_on_at(self, n: int) -> None:
        assert self.paused is not None
        self.stops.append((self.paused, n))
        self.paused = None

    def end_if_done_at(self, n: int) -> PromiseEnd:
        if self.end is PromiseEnd.SKIPPED:
            return PromiseEnd.SKIPPED
        n = n if self.paused is None else self.paused
        return PromiseEnd.KEPT if n <= self.due() else PromiseEnd.BROKEN

    def end_if_given_up(self) -> PromiseEnd:
        return PromiseEnd.WITHDRAWN if self.end is PromiseEnd.OPEN else self.end

    def goes_by(self, terms: Terms, until: int) -> bool:
        """Take other terms on, unless they come too late; say whether it did."""
        if self.end is not PromiseEnd.OPEN or self.due() < until:
            return False
        waiting = {name for name, n in self.ahead() if n < until}
        self.terms = terms
        late = [(name, n) for name, n in self.ahead() if n < until and name not in waiting]
        self.ticked_off += late
        self.end = PromiseEnd.SKIPPED if DUE in dict(late) else PromiseEnd.OPEN
        return True


def _minute(instant: datetime) -> int:
    return (instant - SPRING) // MINUTE


class LifeOfAPromise(RuleBasedStateMachine):
    """One promise, driven as the workflow drives it: its one timer rings for the next threshold."""

    promise: Promise
    model: ByTheMinute
    planner: Planner
    now: datetime
    last_act: datetime

    @initialize(terms=terms_of_any_kind, made=st.integers(0, 3 * 24 * 7))
    def made(self, terms: Terms, made: int) -> None:
        # Every 20 minutes: then a fifth of any budget is whole minutes.
        self.now = self.last_act = SPRING + made * 20 * MINUTE
        self.model = ByTheMinute(terms, made * 20)
        self.planner = rulebook_planner(terms)
        promise = self.planner.make(PromiseKind.RESOLUTION, self.now)
        assert promise
        self.promise = promise

    @precondition(lambda self: self.now < SPRING + 30 * DAY)
    @rule(
        span=st.sampled_from([MINUTE, 17 * MINUTE, 2 * HOUR, 9 * HOUR, DAY, 3 * DAY]),
        rings=st.sampled_from([True, True, False]),
    )
    def time_passes(self, *, span: timedelta, rings: bool) -> None:
        self.now += span
        while rings and (mark := self.promise.next_threshold) and mark.at <= self.now:
            assert self.model.ahead()[0] == (mark.name, _minute(mark.at))
            self.promise = self.promise.reach()
            self.model.rings()

    @precondition(lambda self: self.promise.next_threshold)
    @rule()
    def the_next_threshold_is_reached(self) -> None:
        assert self.promise.next_threshold
        self.time_passes(span=max(self.promise.next_threshold.at - self.now, 0 * DAY), rings=True)

    @precondition(lambda self: self.promise.paused_at is None)
    @rule(ago=st.sampled_from([0 * HOUR, 0 * HOUR, 2 * HOUR, DAY]))
    def the_clock_is_stopped(self, ago: timedelta) -> None:
        self._somebody_acts(ago)
        self.promise = self.planner.measured(self.promise.pause(self.last_act))
        self.model.stops_at(_minute(self.last_act))

    @precondition(lambda self: self.promise.paused_at is not None)
    @rule(ago=st.sampled_from([0 * HOUR, 2 * HOUR]))
    def the_clock_runs_on(self, ago: timedelta) -> None:
        self._somebody_acts(ago)
        self.promise = self.planner.resume(self.promise, self.last_act)
        self.model.runs_on_at(_minute(self.last_act))

    @rule(terms=terms_of_any_kind)
    def other_terms_are_loaded(self, terms: Terms) -> None:
        before, until = self.promise, _minute(self.promise.paused_at or self.now)
        after = rulebook_planner(terms).replan(before, self.now)
        if self.model.goes_by(terms, until):
            self.planner = rulebook_planner(terms)
            self.promise = after
            self.last_act = self.now
        else:
            assert after == before

    def _somebody_acts(self, ago: timedelta) -> None:
        self.last_act = max(self.last_act, self.now - ago)

    @invariant()
    def it_is_due_and_its_thresholds_are_reached_when_the_model_says(self) -> None:
        assert _minute(self.promise.due_at) == self.model.due()
        marks = [(mark.name, _minute(mark.at)) for mark in self.promise.marks]
        reached = self.promise.reached
        assert marks[:reached] == self.model.ticked_off
        assert marks[reached:] == self.model.ahead()

    @invariant()
    def no_threshold_is_lost_or_comes_twice(self) -> None:
        names = [mark.name for mark in self.promise.marks]
        assert len(names) == len(set(names))
        assert set(names) >= set(self.model.terms.marks)

    @invariant()
    def it_has_been_called_broken_or_skipped_if_the_model_has(self) -> None:
        assert self.promise.end is self.model.end

    @invariant()
    def standing_still_it_has_consumed_what_the_model_says(self) -> None:
        if self.promise.paused_at is None:
            assert self.promise.consumed is None
        else:
            assert self.promise.consumed == self._consumed(self.promise.paused_at)

    @invariant()
    def done_now_it_would_be_kept_or_broken_as_the_model_says_and_stay_so(self) -> None:
        done = self.planner.measured(self.promise.fulfil(self.now))
        given_up = self.planner.measured(self.promise.give_up(self.now))
        assert done.end is self.model.end_if_done_at(_minute(self.now))
        assert given_up.end is self.model.end_if_given_up()
        for ended in (done, given_up):
            assert ended.consumed == self._consumed(self.now)
            assert self.planner.replan(ended, self.now) is ended

    def _consumed(self, until: datetime) -> timedelta:
        return self.model.consumed(_minute(until)) * MINUTE

    @invariant()
    def to_be_planned_again_by_the_same_rulebook_changes_nothing(self) -> None:
        assert self.planner.replan(self.promise, self.now) == self.promise


TestTheLifeOfAPromise = LifeOfAPromise.TestCase
TestTheLifeOfAPromise.settings = settings(
    max_examples=share(1.5), stateful_step_count=30, derandomize=True
)
