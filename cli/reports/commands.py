"""`yinuo report`: which reports there are, and any of them of any period, counted now."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated
from uuid import uuid4
from zoneinfo import ZoneInfo

import typer
from pydantic import ValidationError

from cli import tables
from cli.asked import adopted
from cli.connections import registers, servers
from cli.console import AsJson, ExitCode, Failed, tell, write_json
from cli.reports import pictures
from domain.errors import InputError
from domain.reports import definitions
from domain.reports.counted import Counted
from domain.reports.definitions import REPORTS, Report
from domain.reports.editions import Issued, Order
from domain.reports.periods import Period
from domain.vocabulary import Language
from runtime import aio, settings
from starter.issuing import ordered
from store.reports import counting, editions

app = typer.Typer(no_args_is_help=True)


@app.command("list")
def list_reports(*, json: AsJson = False) -> None:
    """List the reports there are, with the periods each is made for."""
    if json:
        write_json({each.name: pictures.described(each) for each in REPORTS.values()})
        return
    tables.show(pictures.listing(REPORTS.values()))


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="one of `yinuo report list`", show_default=False)],
    *,
    period: Annotated[
        str | None,
        typer.Option(
            metavar="PERIOD",
            help="2026-W47, 2026-11, 2026-Q4 or 2026; left out: the last that is over",
        ),
    ] = None,
    department: Annotated[
        str | None, typer.Option(metavar="DEPARTMENT", help="of one department only")
    ] = None,
    english: Annotated[bool, typer.Option("--english", help="headings and words")] = False,
    rules: Annotated[bool, typer.Option("--rules", help="how each figure is counted")] = False,
    json: AsJson = False,
) -> None:
    """Count a report of a period, as the register is now.

    A period that is not over is counted as far as it is, and says so. What customers said stands in
    it, and no customer is named.

    Example: yinuo report show effectiveness --period 2026-W47
    """
    report = _named(name)
    counted = aio.run(_counted(report, _period(period), department))
    if json:
        write_json(counted)
        return
    language = Language.EN if english else Language.ZH
    tables.show(*pictures.report(report, counted, language, rules=rules))
    if counted.empty:
        tell(f"There is no data of {counted.period}.")


Name = Annotated[
    str, typer.Argument(help="one of `yinuo report list`", show_default=False, metavar="NAME")
]
Over = Annotated[
    str,
    typer.Argument(metavar="PERIOD", help="2026-W47, 2026-11, 2026-Q4 or 2026", show_default=False),
]


@app.command()
def make(
    name: Name,
    period: Over,
    *,
    reason: Annotated[
        str | None, typer.Option(help="why, for whoever reads what changed", metavar="WORDS")
    ] = None,
    json: AsJson = False,
) -> None:
    """Issue a report of a period, or another edition of it if something came in late.

    Whoever the policy names is told. If nothing differs from the last edition, it stays that.

    Example: yinuo report make callbacks 2026-W47 --reason "三次回访补录"
    """
    order = _order(name, period, reason=reason)
    issued = aio.run(_ordered(order))
    if json:
        write_json(issued)
    elif not issued.new:
        tell(f"Nothing differs from edition {issued.edition} of {order.period}.")
    else:
        changed = f", {issued.changed} figures differ from the one before" if issued.changed else ""
        tell(f"Edition {issued.edition} of {order.period} is issued{changed}; {_told(issued)}.")


@app.command()
def send(name: Name, period: Over, *, json: AsJson = False) -> None:
    """Send the newest edition of a report once more to whoever the policy names.

    Example: yinuo report send callbacks 2026-W47
    """
    order = _order(name, period, again=True)
    issued = aio.run(_ordered(order))
    if json:
        write_json(issued)
    else:
        tell(f"Edition {issued.edition} of {order.period} goes out again; {_told(issued)}.")


def _told(issued: Issued) -> str:
    return f"{len(issued.keys)} are told" if issued.keys else "the policy names nobody to be told"


def _order(name: str, period: str, *, again: bool = False, reason: str | None = None) -> Order:
    report = _named(name)
    try:
        over = Period.named(period)
    except ValueError as error:
        raise InputError(f"PERIOD: {error}") from None
    if over.cadence not in report.cadences:
        made_for = ", ".join(report.cadences)
        raise InputError(f"PERIOD: {report.name} is made for: {made_for}")
    try:
        return Order(
            report=report.name, period=over.name, request=uuid4().hex, again=again, reason=reason
        )
    except ValidationError:
        raise InputError("--reason: write one line of at most 200 characters") from None


async def _ordered(order: Order) -> Issued:
    async with registers() as pool:
        zone = ZoneInfo((await adopted(pool)).policy.zone)
        period = Period.named(order.period)
        if not period.is_over(datetime.now(UTC), zone):
            raise InputError(f"PERIOD: {order.period} is not over: `yinuo report show` counts it")
        async with pool.acquire() as connection:
            begun = await editions.begun(connection)
        if begun is None or period.is_over(begun, zone):
            raise InputError(f"PERIOD: {order.period} ended before the desk's first issue came in")
        if order.again and not await editions.headings(
            pool, report=order.report, period=order.period, limit=1
        ):
            about = f"{order.report} {order.period}"
            raise Failed(
                ExitCode.NOT_FOUND,
                f"{about} was not issued yet: run `yinuo report make {about}`",
            )
    async with servers(settings.load()) as (client, _):
        return await ordered(client, order)


def _named(name: str) -> Report:
    try:
        return definitions.named(name)
    except LookupError as error:
        raise Failed(ExitCode.NOT_FOUND, str(error.args[0])) from None


def _period(written: str | None) -> Period | None:
    try:
        return Period.named(written) if written is not None else None
    except ValueError as error:
        raise InputError(f"--period: {error}") from None


async def _counted(report: Report, period: Period | None, department: str | None) -> Counted:
    async with registers() as pool:
        policy = (await adopted(pool)).policy
        zone, now = ZoneInfo(policy.zone), datetime.now(UTC)
        today = now.astimezone(zone).date()
        return await counting.count(
            pool,
            report,
            period or Period.around(report.cadences[0], today).before,
            zone=zone,
            terms=policy.terms,
            now=now,
            department=department,
        )
