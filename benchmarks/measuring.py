"""Ask a library, judge its answers, take its time."""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import median
from time import perf_counter
from typing import Any
from zoneinfo import ZoneInfo

from benchmarks.cases import Facts
from benchmarks.peers import CountsDays, FindsDue, Library, MeasuresElapsed

_SHORTEST_BATCH = 0.005  # seconds: far above the clock's grain, mostly between two interruptions
_LONG_BATCH = 0.2
_FEW = 3


@dataclass(frozen=True)
class Asked:
    """A question in a library's own form: only ``call`` is timed."""

    call: Callable[..., Any]
    arguments: Sequence[tuple[Any, ...]]
    read: Callable[[Any], Any]


Ask = Callable[[Library, Sequence[Any]], Asked | None]


def due(library: Library, questions: Sequence[tuple[datetime, int]]) -> Asked | None:
    """When have so many working hours passed?"""
    if not isinstance(library, FindsDue):
        return None
    arguments = [(library.take(at), hours) for at, hours in questions]
    return Asked(library.due, arguments, library.instant)


def elapsed(library: Library, questions: Sequence[tuple[datetime, datetime]]) -> Asked | None:
    """How much working time lies between two instants?"""
    if not isinstance(library, MeasuresElapsed):
        return None
    arguments = [(library.take(start), library.take(end)) for start, end in questions]
    return Asked(
        library.elapsed, arguments, lambda answer: timedelta(seconds=library.seconds(answer))
    )


def nth_working_day(library: Library, questions: Sequence[tuple[date, int]]) -> Asked | None:
    """Which is the n-th working day after a day?"""
    if not isinstance(library, CountsDays):
        return None
    arguments = [(library.take_day(day), n) for day, n in questions]
    return Asked(library.nth_working_day, arguments, library.day)


def working_days(library: Library, questions: Sequence[tuple[date, date]]) -> Asked | None:
    """How many working days from a day to a day?"""
    if not isinstance(library, CountsDays):
        return None
    arguments = [(library.take_day(first), library.take_day(last)) for first, last in questions]
    return Asked(library.working_days, arguments, int)


@dataclass(frozen=True)
class Task:
    """Questions and the oracle's ``truths``; ``without_makeup`` is what it says to one who has
    never heard of make-up workdays, which tells why an answer is wrong.
    """

    title: str
    ask: Ask
    facts: Facts
    questions: Sequence[tuple[Any, ...]]
    truths: Sequence[Any]
    without_makeup: Sequence[Any]

    def show(self, value: Any) -> str:
        """Write instants as the desk's wall clock shows them."""
        if isinstance(value, tuple):
            return " / ".join(map(self.show, value))
        if isinstance(value, datetime):
            return value.astimezone(ZoneInfo(self.facts.zone)).isoformat(" ")
        if isinstance(value, Exception):
            return f"{type(value).__name__}: {value}"
        return str(value)


@dataclass(frozen=True)
class Figure:
    """What came out for one library and one task; ``seconds`` is the median of one call.

    An answer that ``raised`` is wrong, too. ``for_makeup`` of the wrong ones are right to one who
    has never heard of make-up workdays.
    """

    library: Library
    asked: int
    wrong: int
    raised: int
    for_makeup: int
    first_wrong: str
    seconds: float | None


def judge(task: Task, library: Library, *, timed: int, repeats: int) -> Figure | None:
    """Ask everything once and judge it, then time the first ``timed`` questions.

    None when the library cannot do it. One that fails is not timed; a failure is a wrong answer.
    """
    asked = task.ask(library, task.questions)
    if asked is None:
        return None
    answers = [_answer(asked, arguments) for arguments in asked.arguments]
    wrong = [n for n, answer in enumerate(answers) if answer != task.truths[n]]
    first = ""
    if wrong:
        n = wrong[0]
        first = (
            f"{task.show(task.questions[n])} → {task.show(answers[n])},"
            f" right: {task.show(task.truths[n])}"
        )
    raised = sum(isinstance(answer, Exception) for answer in answers)
    return Figure(
        library,
        asked=len(answers),
        wrong=len(wrong),
        raised=raised,
        for_makeup=sum(answers[n] == task.without_makeup[n] for n in wrong),
        first_wrong=first,
        seconds=None
        if raised or not timed
        else seconds_a_call(asked.call, asked.arguments[:timed], repeats),
    )


def _answer(asked: Asked, arguments: tuple[Any, ...]) -> Any:
    try:
        return asked.read(asked.call(*arguments))
    except Exception as failure:  # noqa: BLE001 - whatever it raises is its answer
        return failure


def seconds_a_call(
    call: Callable[..., Any], arguments: Sequence[tuple[Any, ...]], repeats: int
) -> float:
    """Median of several batches, fewer if they are long, each of all ``arguments``."""
    once = _batch(call, arguments, 1)
    loops = max(1, int(_SHORTEST_BATCH / once))
    times = _FEW if once > _LONG_BATCH else repeats
    batches = [_batch(call, arguments, loops) for _ in range(times)]
    return median(batches) / loops / len(arguments)


def _batch(call: Callable[..., Any], arguments: Sequence[tuple[Any, ...]], loops: int) -> float:
    gc.collect()
    gc.disable()
    try:
        began = perf_counter()
        for _ in range(loops):
            for each in arguments:
                call(*each)
        return perf_counter() - began
    finally:
        gc.enable()
