"""What planning again did, in a terminal."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from domain.sla.replanning import Report


def replanned(report: Report) -> RenderableType:
    """What planning again did, or would do."""
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
    elif report.looked:
        parts.append(Text(f"Nothing was changed; open issues looked at: {report.looked}.", "dim"))
    elif report.left:
        numbers = ", ".join(report.numbers) + (" …" if report.left > len(report.numbers) else "")
        parts.append(Text(f"Did not answer, still by the older rulebook: {numbers}", "yellow"))
    return Group(*parts)
