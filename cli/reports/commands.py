"""`yinuo report`: which reports there are, and any of them of any period, counted now."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from cli import tables
from cli.asked import adopted
from cli.connections import registers
from cli.console import AsJson, ExitCode, Failed, tell, write_json
from cli.reports import pictures
from domain.errors import InputError
from domain.reports import definitions
from domain.reports.counted import Counted
from domain.reports.definitions import REPORTS, Report
from domain.reports.periods import Period
from domain.vocabulary import Language
from runtime import aio
from store.reports import counting

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
