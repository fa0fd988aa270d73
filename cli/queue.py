"""`yinuo queue`: what came in by web, mail or chat and waits for an agent (R36)."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from cli.asked import terms
from cli.connections import registers
from cli.console import AsJson, write_json
from cli.tables import plain, show
from domain.issue.view import IssueView, due
from domain.sla.promise import PromiseKind
from domain.terms import Terms
from domain.words import both_of
from runtime import aio
from starter.register import Register
from store.issue_list import Filter

_MOST = 200


def queue(*, json: AsJson = False) -> None:
    """List what came in by web, mail or chat and waits for an agent.

    The nearest due comes first, with who took it, if somebody did.
    Take one with `yinuo issue take NUMBER --by AGENT`; then answer it, or pass it on.

    Example: yinuo queue
    """
    found, own = aio.run(_queued())
    write_json(found) if json else show(listing(found, own))


async def _queued() -> tuple[list[IssueView], Terms]:
    async with registers() as pool:
        found = await Register(pool).issues(Filter(queued=True, limit=_MOST))
        return found, await terms(pool)


def listing(found: Sequence[IssueView], own: Terms) -> RenderableType:
    """One line an issue, its kind as the desk calls it."""
    if not found:
        return Text("Nothing waits in the queue.")
    table = Table(box=None, padding=(0, 2, 0, 0))
    heads = ("编号\nNumber", "类型\nKind", "期限\nDue", "认领人\nTaken by", "标题\nTitle")
    for head in heads:
        table.add_column(head)
    for each in found:
        kind = both_of(own.kind(each.kind).both)
        table.add_row(each.number, kind, _due(each), each.taken_by or "—", plain(each.title))
    return table


def _due(each: IssueView) -> str:
    held = (p for p in each.promises if p.kind is PromiseKind.HAND_OVER and p.ended_at is None)
    return next((due(promise, each.zone) for promise in held), "—")
