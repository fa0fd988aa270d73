"""Beside other libraries, on the same questions: ``python -m benchmarks.calendars``.

A brute-force walk over the minutes judges every answer. Exits 1 if an answer of ours is wrong.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from rich.console import Console

from benchmarks import tables
from benchmarks.cases import (
    AT_THE_CHANGE,
    CHANGES,
    DESK,
    HOURS,
    LORD_HOWE,
    RULEBOOK,
    YEAR,
    Facts,
    Questions,
)
from benchmarks.figures import would_fail
from benchmarks.measuring import (
    Ask,
    Figure,
    Task,
    due,
    elapsed,
    judge,
    nth_working_day,
    seconds_a_call,
    working_days,
)
from benchmarks.oracle import MinuteWalk, year_walk
from benchmarks.peers import Library, Ours, with_days, with_hours
from benchmarks.sweep import sweep

WHOLE_DAYS = 15  # hours: two of the desk's days, so the budget ends with a closing
NO_CHANGES = (date(YEAR, 3, 8), date(YEAR, 11, 15))


@dataclass(frozen=True)
class Effort:
    """How much is asked, how much of that is timed, how often; every how many minutes is swept."""

    questions: int
    timed: int
    repeats: int
    step: int


FULL = Effort(questions=500, timed=50, repeats=25, step=1)
QUICK = Effort(questions=60, timed=20, repeats=5, step=61)


def hour_tasks(facts: Facts, count: int) -> list[Task]:
    """What the desk asks all day, with the hours of the centre."""
    ask = Questions(facts)
    whole_days = f"Due at closing time: {WHOLE_DAYS} working hours (two whole days) from an evening"
    return [
        _task(
            f"Due instant: {HOURS} working hours from a random instant",
            due,
            facts,
            [(at, HOURS) for at in ask.instants(count)],
        ),
        _task(
            "Elapsed: working time between two instants 1 to 8 months apart",
            elapsed,
            facts,
            ask.pairs(count),
        ),
        _task(whole_days, due, facts, [(at, WHOLE_DAYS) for at in ask.closed_instants(count)]),
    ]


def change_tasks(facts: Facts, count: int) -> list[Task]:
    """The same shift across a change of the clock and, to compare, across none."""
    ask, tasks = Questions(facts), []
    for place, days in (("across a change", CHANGES), ("no change near", NO_CHANGES)):
        pairs = [pair for day in days for pair in ask.near(day, count // 2)]
        starts = [(start, HOURS) for start, _ in pairs]
        tasks.append(_task(f"due, {place}", due, facts, starts))
        tasks.append(_task(f"elapsed, {place}", elapsed, facts, pairs))
    return tasks


def day_tasks(facts: Facts, count: int) -> list[Task]:
    """What libraries without hours can be asked."""
    ask = Questions(facts)
    return [
        _task(
            "N-th working day after a day, N from 1 to 15", nth_working_day, facts, ask.days(count)
        ),
        _task(
            "Working days from a day to a day 1 to 8 months later",
            working_days,
            facts,
            ask.day_pairs(count),
        ),
    ]


_TRUTH: dict[Ask, Callable[..., Any]] = {
    due: lambda walk, at, hours: walk.due_after(at, timedelta(hours=hours)),
    elapsed: MinuteWalk.working_between,
    nth_working_day: MinuteWalk.nth_working_day,
    working_days: MinuteWalk.working_days,
}


def _task(title: str, ask: Ask, facts: Facts, questions: Sequence[tuple[Any, ...]]) -> Task:
    walk = year_walk(facts)
    without_makeup = year_walk(replace(facts, makeup_workdays=frozenset()))
    return Task(
        title,
        ask,
        facts,
        questions,
        truths=[_TRUTH[ask](walk, *question) for question in questions],
        without_makeup=[_TRUTH[ask](without_makeup, *question) for question in questions],
    )


def cold_figures(repeats: int) -> dict[str, float]:
    """Seconds for calendars that have never been asked anything, medians of fresh ones."""
    start, end = datetime(YEAR, 3, 3, 2, 7, tzinfo=UTC), datetime(YEAR, 8, 3, 2, 7, tzinfo=UTC)
    questions = Questions(DESK)
    starts, pairs = questions.instants(100), questions.pairs(100)
    rulebook = [Ours(facts) for facts in RULEBOOK]

    def first_of(call: str, *arguments: Any) -> float:
        return median(_seconds(getattr(Ours(DESK), call), *arguments) for _ in range(repeats))

    def five_asked_once() -> None:
        for facts in RULEBOOK:
            Ours(facts).due(start, HOURS)

    def all_due(at: datetime) -> None:
        for library in rulebook:
            library.due(at, HOURS)

    def all_elapsed(a: datetime, b: datetime) -> None:
        for library in rulebook:
            library.elapsed(a, b)

    return {
        "read and check a calendar": median(_seconds(Ours, DESK) for _ in range(repeats)),
        "its first due instant": first_of("due", start, HOURS),
        "its first elapsed, five months": first_of("elapsed", start, end),
        "five calendars, each read, checked and asked once": median(
            _seconds(five_asked_once) for _ in range(repeats)
        ),
        "five calendars in turn, a due instant of each": seconds_a_call(
            all_due, [(at,) for at in starts], repeats
        ),
        "five calendars in turn, an elapsed of each": seconds_a_call(all_elapsed, pairs, repeats),
    }


def _seconds(call: Any, *arguments: Any) -> float:
    began = perf_counter()
    call(*arguments)
    return perf_counter() - began


def machine() -> dict[str, Any]:
    """Where the figures come from."""
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
    }


def written(task: Task, figures: Sequence[Figure]) -> list[dict[str, Any]]:
    """Figures as they are kept in the JSON file."""
    return [
        {
            "task": task.title,
            "calendar": task.facts.name,
            "library": figure.library.package,
            "version": version(figure.library.package),
            "set_up": figure.library.setup,
            "seconds": figure.seconds,
            "asked": figure.asked,
            "wrong": figure.wrong,
            "wrong_by_makeup_days": figure.for_makeup,
            "first_wrong": figure.first_wrong,
        }
        for figure in figures
    ]


def run(effort: Effort, console: Console) -> dict[str, Any]:
    """Measure and print everything; give it back for the JSON file."""
    hours, days = with_hours(DESK), with_days(DESK)
    console.print(tables.abilities([*hours, *days]))
    kept: list[dict[str, Any]] = []

    def figures_of(task: Task, libraries: Sequence[Library], timed: int) -> list[Figure]:
        figures = [judge(task, one, timed=timed, repeats=effort.repeats) for one in libraries]
        able = [figure for figure in figures if figure]
        kept.extend(written(task, able))
        return able

    for tasks, libraries in (
        (hour_tasks(DESK, effort.questions), hours),
        (day_tasks(DESK, effort.questions), days),
    ):
        for task in tasks:
            console.print(tables.results(task, figures_of(task, libraries, effort.timed)))
    for facts in AT_THE_CHANGE:
        tasks = change_tasks(facts, effort.questions)
        figures = [figures_of(task, with_hours(facts), 0) for task in tasks]
        console.print(tables.changes(tasks, figures))
    cold = cold_figures(effort.repeats)
    console.print(tables.cold(cold))
    swept = [sweep(facts, effort.step) for facts in (DESK, LORD_HOWE)]
    console.print(tables.sweeps(swept))
    return {
        "machine": machine(),
        "tasks": kept,
        "cold": cold,
        "sweeps": [vars(one) for one in swept],
    }


def errors_of_ours(outcome: dict[str, Any]) -> int:
    """Our own wrong answers, of every task and sweep."""
    tasks = sum(one["wrong"] for one in outcome["tasks"] if one["library"] == Ours.package)
    return int(tasks + sum(one["errors"] for one in outcome["sweeps"]))


def main() -> int:
    """Run it; the exit status says whether every answer of ours was right."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer questions, a coarser sweep")
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep the figures in FILE, too")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")  # workalendar's own, on every use of its China
    console = Console()
    # Where there is no terminal to measure, rich would fold the tables at 80 columns.
    if not console.is_terminal:
        console = Console(width=150)
    where = machine()
    console.print(f"Python {where['python']}, {where['system']}, {where['cores']} cores")
    outcome = run(QUICK if arguments.quick else FULL, console)
    if arguments.json:
        text = json.dumps(outcome, ensure_ascii=False, indent=1)
        arguments.json.write_text(text + "\n", encoding="utf-8")
    errors = errors_of_ours(outcome)
    console.print(would_fail(__doc__), style="dim")
    console.print(f"Wrong answers of ours: {errors}")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
