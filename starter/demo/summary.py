"""What a demonstration came to, computed from the ledger in PostgreSQL."""

from collections import Counter
from collections.abc import Sequence

from rich import box
from rich.columns import Columns
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from domain.promises import PromiseEnd, PromiseKind
from domain.vocabulary import Kind, Outcome
from starter.demo.checks import Check
from starter.demo.words import KINDS, LEVELS, OUTCOMES, PROMISES
from store.ledger import Ledger

_ENDS = {
    PromiseEnd.KEPT: ("守诺 Kept", "green"),
    PromiseEnd.BROKEN: ("失约 Broken", "red"),
    PromiseEnd.WITHDRAWN: ("撤回 Withdrawn", "dim"),
    PromiseEnd.SKIPPED: ("跳过 Skipped", "yellow"),
    PromiseEnd.OPEN: ("未结 Open", "bold red"),
}
_SHOWN = 5
"""Problems of one check that are shown."""


def tables(ledger: Ledger) -> RenderableType:
    """The figures."""
    upper = (_promises(ledger), _messages(ledger))
    lower = (_issues(ledger), Group(_escalations(ledger), _numbers(ledger)))
    return Group(*(Columns(pair, padding=(0, 6)) for pair in (upper, lower)))


def findings(checks: Sequence[Check]) -> RenderableType:
    """The checks, and what speaks against those that fail."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    for check in checks:
        good = not check.problems
        mark = Text("✓" if good else "✗", style="green" if good else "bold red")
        grid.add_row(mark, check.chinese, check.english)
        for problem in check.problems[:_SHOWN]:
            grid.add_row("", "", Text(problem, style="red"))
        if len(check.problems) > _SHOWN:
            grid.add_row("", "", Text(f"… and {len(check.problems) - _SHOWN} more", style="red"))
    return Group(Text("核对 Checks", style="bold"), grid)


def _promises(ledger: Ledger) -> Table:
    ends = [end for end in _ENDS if any(each.outcome is end for each in ledger.promises)]
    table = _table("承诺 Promises", *(_ENDS[end][0] for end in ends), "守诺率 Kept")
    for kind in PromiseKind:
        counts = Counter(each.outcome for each in ledger.promises if each.kind is kind)
        due = counts[PromiseEnd.KEPT] + counts[PromiseEnd.BROKEN]
        share = f"{counts[PromiseEnd.KEPT] / due:.0%}" if due else "—"
        table.add_row(PROMISES[kind], *(_number(counts[e], _ENDS[e][1]) for e in ends), share)
    return table


def _issues(ledger: Ledger) -> Table:
    outcomes = [each for each in Outcome if any(i.outcome is each for i in ledger.issues)]
    heads = (*(OUTCOMES[outcome] for outcome in outcomes), "重开 Reopened", "合计 All")
    table = _table("问题 Issues", *heads)
    for kind in Kind:
        issues = [issue for issue in ledger.issues if issue.kind is kind]
        counts = Counter(issue.outcome for issue in issues)
        reopened = sum(issue.generation - 1 for issue in issues)
        table.add_row(
            KINDS[kind],
            *(_number(counts[outcome]) for outcome in outcomes),
            _number(reopened, "yellow"),
            Text(str(len(issues)), style="bold"),
        )
    return table


def _escalations(ledger: Ledger) -> Table:
    table = _table("最高升级 Highest level", "问题 Issues")
    counts = Counter(issue.escalation_level for issue in ledger.issues)
    for level, name in enumerate(LEVELS):
        table.add_row(name, _number(counts[level], "yellow" if level else ""))
    return table


def _messages(ledger: Ledger) -> Table:
    statuses = {
        "delivered": ("送达 Delivered", "green"),
        "handed_over": ("转人工 Handed over", "red"),
    }
    statuses |= {m.status: (m.status, "bold red") for m in ledger.messages} | statuses
    table = _table("渠道 Channels", *(title for title, _ in statuses.values()))
    counts = Counter((message.channel or "—", message.status) for message in ledger.messages)
    for channel in sorted({message.channel or "—" for message in ledger.messages}):
        table.add_row(
            channel, *(_number(counts[channel, s], style) for s, (_, style) in statuses.items())
        )
    return table


def _numbers(ledger: Ledger) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for name in ("编号 Numbers", "从 From", "到 To"):
        table.add_column(name, no_wrap=True)
    numbers = [issue.number for issue in ledger.issues]
    for prefix in sorted({number.rpartition("-")[0] for number in numbers}):
        own = sorted(number for number in numbers if number.rpartition("-")[0] == prefix)
        table.add_row(prefix, own[0].rpartition("-")[2], own[-1].rpartition("-")[2])
    return table


def _table(first: str, *numbers: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column(first, no_wrap=True)
    for name in numbers:
        table.add_column(name.replace(" ", "\n", 1), justify="right", no_wrap=True)
    return table


def _number(count: int, style: str = "") -> Text:
    return Text(str(count), style) if count else Text("·", "dim")
