"""The figures as tables for a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import version

from rich import box
from rich.table import Table

from benchmarks.cases import YEAR
from benchmarks.measuring import Figure, Task
from benchmarks.peers import CountsDays, FindsDue, Library, MeasuresElapsed
from benchmarks.sweep import Swept


def abilities(libraries: Sequence[Library]) -> Table:
    """What each library can be told, and asked."""
    table = _table(
        "What they can do",
        ["library", "version", "licence", "intervals a day", "zone", "make-up workdays"],
        ["due instant", "elapsed", "days"],
    )
    for library in {library.package: library for library in libraries}.values():
        can = (isinstance(library, kind) for kind in (FindsDue, MeasuresElapsed, CountsDays))
        table.add_row(
            library.package,
            version(library.package),
            library.licence,
            library.intervals,
            library.zones,
            library.makeup,
            *("yes" if able else "–" for able in can),
        )
    return table


def results(task: Task, figures: Sequence[Figure]) -> Table:
    """One task, library by library; ours is the first."""
    table = _table(
        task.title,
        ["library", "set up"],
        ["µs a call", "× ours", f"wrong of {len(task.questions)}", "of these by make-up days"],
        ["first wrong answer"],
    )
    ours = figures[0].seconds
    for figure in figures:
        seconds = figure.seconds
        table.add_row(
            figure.library.package,
            figure.library.setup,
            f"{seconds * 1e6:,.2f}" if seconds else "–",
            f"{seconds / ours:,.1f}" if seconds and ours else "–",
            f"{figure.wrong} (raises)" if figure.raised else str(figure.wrong),
            str(figure.for_makeup),
            figure.first_wrong,
        )
    return table


def changes(tasks: Sequence[Task], figures: Sequence[Sequence[Figure]]) -> Table:
    """Wrong answers only: one column a task, one row a library."""
    table = _table(
        f"Wrong answers of {len(tasks[0].questions)} when the clock changes: {tasks[0].facts.name}",
        ["library"],
        [task.title for task in tasks],
        ["first wrong answer"],
    )
    for package in dict.fromkeys(f.library.package for row in figures for f in row):
        its = [next((f for f in row if f.library.package == package), None) for row in figures]
        table.add_row(
            package,
            *("–" if figure is None else str(figure.wrong) for figure in its),
            next((figure.first_wrong for figure in its if figure and figure.wrong), ""),
        )
    return table


def sweeps(swept: Sequence[Swept]) -> Table:
    """Every minute of the year."""
    table = _table(
        f"Every minute of {YEAR} against the minute walk: is_open, next_opening, due_after, "
        "due_before, working_between",
        ["calendar"],
        ["minutes", "answers checked", "errors", "seconds"],
        ["first error"],
    )
    for one in swept:
        table.add_row(
            one.name,
            f"{one.minutes:,}",
            f"{one.checks:,}",
            str(one.errors),
            f"{one.seconds:.1f}",
            one.first_error,
        )
    return table


def cold(figures: Mapping[str, float]) -> Table:
    """How long the first answer takes, and a rulebook of calendars."""
    table = _table("Ours, cold and five at once", ["what"], ["µs"])
    for what, seconds in figures.items():
        table.add_row(what, f"{seconds * 1e6:,.1f}")
    return table


def _table(title: str, words: list[str], numbers: list[str], last: Sequence[str] = ()) -> Table:
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    for heading in words:
        table.add_column(heading, no_wrap=True)
    for heading in numbers:
        table.add_column(heading, justify="right")
    for heading in last:
        table.add_column(heading, overflow="fold")
    return table
