"""The calls that agents owe customers, as a terminal shows them (R13, R34)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rich.console import RenderableType
from rich.text import Text

from cli import trail as command_trail
from cli.connections import registers
from cli.tables import plain, table_of
from domain.issue.intake import Customer
from domain.issue.view import IssueView, PromiseView, call_due, due
from domain.sla.promise import PAST_DUE
from domain.staff.access import Right
from domain.words import CALLS, both
from starter.register import Register
from store import customers
from store.issue_list import Filter


class ToCall(NamedTuple):
    """Whom to call about which issue, by which promise."""

    issue: IssueView
    promise: PromiseView
    customer: Customer


async def to_make(wanted: Filter) -> list[ToCall]:
    """List the calls that are owed, the nearest due first. The look stands in the audit trail."""
    async with registers() as pool:
        found = await Register(pool).issues(wanted)
        owed = [(each, promise) for each in found if (promise := call_due(each))]
        of = await customers.of(pool, [each.number for each, _ in owed])
        await command_trail.seen(pool, Right.SEE_CUSTOMER, list(of))
    calls = [ToCall(each, promise, of[each.number]) for each, promise in owed]
    return sorted(calls, key=lambda call: call.promise.due_at)


def listing(calls: Sequence[ToCall]) -> RenderableType:
    """One line a call."""
    if not calls:
        return Text("Nobody is to be called.")
    table = table_of("编号\nNumber", "电话\nTelephone", "期限\nDue")
    for column in table.columns:
        column.no_wrap = True
    table.add_column("客户\nCustomer")
    table.add_column("为什么\nWhy", overflow="fold")
    for issue, promise, customer in calls:
        table.add_row(
            issue.number,
            plain(customer.phone or "—"),
            Text(due(promise, issue.zone), style="red" if promise.end in PAST_DUE else ""),
            plain(customer.contact or customer.name),
            both(CALLS, promise.kind),
        )
    return table
