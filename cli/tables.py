"""What tables of several commands share."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from datetime import datetime

from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from domain.issue.view import local
from domain.sla.replanning import Move, Report
from domain.words import PROMISES, both


def show(*parts: RenderableType) -> None:
    """Print to stdout. What customers and staff wrote is never taken for markup."""
    console = Console(markup=False, emoji=False, highlight=False)
    for part in parts:
        console.print(part)


def table_of(*headers: str) -> Table:
    """Begin a table as wide as the terminal."""
    table = Table(box=box.SIMPLE_HEAD, expand=True, padding=(0, 1, 0, 0), pad_edge=False)
    for header in headers:
        table.add_column(header, no_wrap=True)
    return table


def replanned(report: Report, zone: str) -> RenderableType:
    """What planning again did, or would do: then promise by promise, in the time of ``zone``."""
    tally = report.tally
    counts = Table.grid(padding=(0, 2, 0, 0))
    counts.add_column()
    counts.add_column(justify="right")
    for name, count in (
        ("改期的问题 Issues changed", tally.issues),
        ("承诺有变 Promises changed", tally.changed),
        ("提前 Earlier", tally.earlier),
        ("推后 Later", tally.later),
        ("已确定 Became firm", tally.firm),
        ("仍暂定 Still provisional", tally.provisional),
        ("跳过 Skipped: due in the past by the new plan", tally.skipped),
    ):
        counts.add_row(Text(name, style="" if count else "dim"), str(count))
    parts: list[RenderableType] = [Text(f"Rulebook {report.version}", style="bold"), counts]
    if report.superseded:
        parts.append(Text("Another was loaded since: this one plans nothing any more."))
    elif not report.adoption:
        if report.moves:
            parts.append(_moves(report.moves, zone))
        parts.append(Text(f"Nothing was changed; open issues looked at: {report.looked}.", "dim"))
    elif report.left:
        numbers = ", ".join(report.numbers) + (" …" if report.left > len(report.numbers) else "")
        parts.append(Text(f"Did not answer, still by the older rulebook: {numbers}", "yellow"))
    return Group(*parts)


def _moves(moves: Iterable[Move], zone: str) -> Table:
    """A line a promise: from when to when, and whether it is certain."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for header in ("问题 Issue", "承诺 Promise", "原定 From", "改为 To"):
        table.add_column(header, overflow="fold")
    for move in moves:
        after = "跳过 skipped" if move.skipped else _due(move.after, move.provisional, zone)
        before = _due(move.before, move.was_provisional, zone)
        if after == before:
            after = "到期不变，提醒有变 due as before, reminders move"
        table.add_row(move.number, both(PROMISES, move.promise), before, after)
    return table


def _due(at: datetime, provisional: bool, zone: str) -> str:  # noqa: FBT001
    return local(at, zone) + (" 暂定" if provisional else "")


def plain(text: str) -> str:
    """Take out what a terminal would obey."""
    return "".join(
        char if char == "\n" or unicodedata.category(char) not in {"Cc", "Cf"} else "\ufffd"
        for char in text
    )
