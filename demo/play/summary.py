"""What a demonstration came to, computed from the ledger in PostgreSQL."""

from collections import Counter
from collections.abc import Mapping, Sequence

from rich import box
from rich.columns import Columns
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from demo.play.branches import Taken
from demo.play.checks import Claim
from demo.play.ledger import Ledger
from demo.play.words import KINDS, LEVELS, OUTCOMES, PROMISES
from domain.sla.promise import PromiseEnd, PromiseKind
from domain.vocabulary import Outcome

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
    beside = (_messages(ledger), _escalations(ledger), _numbers(ledger))
    return Group(_promises(ledger), _issues(ledger), Columns(beside, padding=(0, 2)))


def branches(found: Mapping[str, Sequence[Taken]]) -> RenderableType:
    """The branches of the regulation that were taken, by groups, and by how many issues."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    for group, several in found.items():
        grid.add_row("", Text(group, style="bold"))
        for each in several:
            _finding(grid, each, Text(f"×{each.times}", style="cyan"))
    return Group(Text("分支 Branches", style="bold"), grid)


def findings(checks: Sequence[Claim]) -> RenderableType:
    """The checks, and what speaks against those that fail."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    for check in checks:
        _finding(grid, check)
    return Group(Text("核对 Checks", style="bold"), grid)


def _finding(grid: Table, found: Claim | Taken, *more: Text) -> None:
    good = not found.problems
    mark = Text("✓" if good else "✗", style="green" if good else "bold red")
    grid.add_row(mark, found.chinese, found.english, *more)
    for problem in found.problems[:_SHOWN]:
        grid.add_row("", "", Text(problem, style="red"))
    if len(found.problems) > _SHOWN:
        grid.add_row("", "", Text(f"… and {len(found.problems) - _SHOWN} more", style="red"))


def _promises(ledger: Ledger) -> Table:
    ends = [end for end in _ENDS if any(each.outcome is end for each in ledger.promises)]
    table = _table("承诺 Promises", *(_ENDS[end][0] for end in ends), "守诺率 Kept")
    for kind in PromiseKind:
        counts = Counter(each.outcome for each in ledger.promises if each.kind is kind)
        if not counts:
            continue
        due = counts[PromiseEnd.KEPT] + counts[PromiseEnd.BROKEN]
        share = f"{counts[PromiseEnd.KEPT] / due:.0%}" if due else "—"
        table.add_row(PROMISES[kind], *(_number(counts[e], _ENDS[e][1]) for e in ends), share)
    return table


def _issues(ledger: Ledger) -> Table:
    kinds = [kind for kind in KINDS if any(issue.kind == kind for issue in ledger.issues)]
    table = _table("问题 Issues", *(KINDS[kind] for kind in kinds), "合计 All")

    def row(name: str, counts: Counter[str], style: str = "") -> None:
        numbers = (_number(counts[kind], style) for kind in kinds)
        table.add_row(name, *numbers, Text(str(counts.total()), style="bold"))

    for outcome in Outcome:
        counts = Counter(issue.kind for issue in ledger.issues if issue.outcome is outcome)
        if counts:
            row(OUTCOMES[outcome], counts)
    table.add_section()
    row("合计 all", Counter(issue.kind for issue in ledger.issues))
    reopened: Counter[str] = Counter()
    for issue in ledger.issues:
        reopened[issue.kind] += issue.generation - 1
    row("重开 reopened", reopened, "yellow")
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
        table.add_column(name.replace(" ", "\n"), justify="right", no_wrap=True)
    return table


def _number(count: int, style: str = "") -> Text:
    return Text(str(count), style) if count else Text("·", "dim")
