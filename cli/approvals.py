"""`yinuo approvals`: what waits for a yes (R17, R42) or a rating (R18), and what leads there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Annotated

import typer
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from cli import trail as command_trail
from cli.connections import registers
from cli.console import AsJson, write_json
from cli.names import Names, names
from cli.tables import plain, show
from domain.issue.forms import PaidService, Remedy
from domain.issue.view import local
from domain.staff.access import Right
from domain.words import PROMISES, ROLES, both
from runtime import aio
from starter.register import Register, Undecided

Department = Annotated[
    str | None, typer.Option(metavar="CODE", help="only what this department decides")
]


def approvals(*, department: Department = None, json: AsJson = False) -> None:
    """List what waits for a yes or a rating: prices, remedies, repairs, what comes there next.

    What is due first comes first, each with its price, what the survey found, and its customer.
    It holds customers' data: the look stands in the audit trail. Decide with `yinuo issue approve`,
    `decide-remedy` and `rate`, on the page /approvals, or by the link in the message.

    Example: yinuo approvals --department technical_service
    """
    found, called = aio.run(_undecided(department))
    write_json(found) if json else show(_listing(found, called))


async def _undecided(department: str | None) -> tuple[list[Undecided], Names]:
    async with registers() as pool:
        found, called = await Register(pool).undecided(department), await names(pool)
        await command_trail.seen(pool, Right.SEE_CUSTOMER, [each.number for each in found])
    return found, called


def _listing(found: Sequence[Undecided], called: Names) -> RenderableType:
    if not found:
        return Text("Nothing waits for a yes or a rating.")
    parts: list[RenderableType] = []
    for each in found:
        parts.append(Text(f"{each.number} · {plain(each.title)}", style="bold"))
        parts.append(Padding(Text("\n".join(_said(each, called))), (0, 0, 1, 2)))
    return Group(*parts)


def _said(each: Undecided, called: Names) -> list[str]:
    late = " 已逾期 overdue" if each.overdue else ""
    due = f"{local(each.due_at, each.zone)}{late}" if each.due_at else "—"
    holder = plain(each.engineer.name) if each.engineer else "—"
    customer = (each.customer.organisation, each.customer.name, each.customer.contact)
    return [
        f"{both(PROMISES, each.awaits)}: {due}",
        f"处理人 With {holder} · {plain(called.department(each.department))}",
        f"客户 Customer {plain(' · '.join(dict.fromkeys(filter(None, customer))))}",
        *(offered(each.paid, called) if each.paid else ()),
        *(proposed(each.remedy, called) if each.remedy else ()),
        *((f"结果 Result {plain(each.result)}",) if each.result else ()),
    ]


def offered(paid: PaidService, called: Names) -> list[str]:
    """Say what a survey found and what is offered at which price, a line each."""
    facts = {
        "勘察 Survey": paid.findings,
        "服务内容 Work": paid.work,
        "价格 Price": _yuan(paid.amount),
        "报价 Quoted by": called.person(paid.quoted_by),
        "驳回 Rejected": None if paid.approved in {None, True} else paid.reason,
    }
    return _lines(facts)


def proposed(remedy: Remedy, called: Names) -> list[str]:
    """Say which remedy is proposed for a complainant, why, and who decides, a line each."""
    facts = {
        "补偿方式 Kind": remedy.remedy_name,
        "补偿内容 What they get": remedy.what,
        "金额 Amount": _yuan(remedy.amount),
        "理由 Why": remedy.reason,
        "提出人 Proposed by": called.person(remedy.proposed_by),
        "由谁审批 Decided by": both(ROLES, remedy.decider) if remedy.decider else None,
    }
    return _lines(facts)


def _lines(facts: Mapping[str, str | None]) -> list[str]:
    return [f"{name} {plain(said)}" for name, said in facts.items() if said]


def _yuan(amount: Decimal | None) -> str | None:
    return f"¥ {amount:,.2f}" if amount is not None else None
