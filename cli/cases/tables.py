"""How known cases are shown to people in a terminal. Times are in the desk's zone."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from cli.tables import plain, table_of
from domain.issue.view import local
from domain.knowledge.cases import CaseStatus, KnownCase
from domain.knowledge.search_terms import as_written
from store.cases import Found, Version

_STATUS = {
    CaseStatus.PROPOSED: ("待审 proposed", "yellow"),
    CaseStatus.APPROVED: ("已审 approved", "green"),
    CaseStatus.RETIRED: ("停用 retired", "dim"),
}
_ALL = "全部 all"


def results(found: Sequence[Found]) -> RenderableType:
    """What a question found, best first."""
    if not found:
        return Text("No known case fits. Try other words, or only the most telling ones.")
    table = table_of("编号\nNumber")
    table.add_column("案例\nCase", overflow="fold", ratio=3)
    table.add_column("符合\nMatched", overflow="fold", ratio=1)
    for each in found:
        case = Text.assemble((plain(each.case.title), "bold"), "\n", plain(each.case.solution))
        words = Text(" ".join(as_written(each.matched)))
        words.append(f"\n{len(each.matched)}/{each.asked}", "dim")
        table.add_row(Text(each.case.number, style="bold"), case, words)
    return table


def listing(cases: Sequence[KnownCase], zone: str) -> RenderableType:
    """One line a case."""
    if not cases:
        return Text("No such cases.")
    table = table_of("编号\nNumber", "状态\nStatus", "产品\nProduct")
    table.add_column("标题\nTitle", no_wrap=True, overflow="ellipsis", ratio=1)
    table.add_column("用过\nUsed", justify="right", no_wrap=True)
    table.add_column("更改\nChanged", no_wrap=True)
    for case in cases:
        table.add_row(
            Text(case.number, style="bold"),
            Text(*_STATUS[case.status]),
            case.product_line or _ALL,
            plain(case.title),
            str(case.used),
            local(case.changed_at, zone),
        )
    return table


def page(case: KnownCase, versions: Sequence[Version], zone: str) -> RenderableType:
    """One case: what it says, where it came from, what became of it."""
    said = (("问题 Question", case.question), ("解决办法 Solution", case.solution))
    parts: list[RenderableType] = [
        Text(f"{case.number} · {plain(case.title)}", style="bold"),
        Padding(_facts(case, zone), (1, 0, 0, 0)),
    ]
    for name, text in said:
        parts += (Text(f"\n{name}", style="bold"), Padding(Text(plain(text)), (0, 0, 0, 2)))
    parts += (Text("\n经过 History", style="bold"), Padding(_history(versions, zone), (0, 0, 0, 2)))
    return Group(*parts, Text(f"\nTimes are in {zone}.", style="dim"))


def _facts(case: KnownCase, zone: str) -> Table:
    used = f"{case.used}"
    if case.last_used_at:
        used += f", last {local(case.last_used_at, zone)}"
    grid = Table.grid(padding=(0, 2, 0, 0))
    for name, value in (
        ("状态 Status", Text(*_STATUS[case.status])),
        ("产品 Product", Text(case.product_line or _ALL)),
        ("关键词 Keywords", Text(plain("、".join(case.keywords)) or "—")),
        ("来自 From issue", Text(case.issue_number or "—")),
        ("用过 Used", Text(used)),
    ):
        grid.add_row(Text(name, style="dim"), value)
    return grid


def _history(versions: Sequence[Version], zone: str) -> Table:
    grid = Table.grid(padding=(0, 2, 0, 0))
    for each in versions:
        who = Text.assemble(each.change, (f" · {each.changed_by}", "dim"))
        grid.add_row(Text(local(each.changed_at, zone), style="dim"), who, plain(each.note))
    return grid
