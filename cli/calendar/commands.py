"""`yinuo calendar`: look at working time, ask when something is due and why, load notices."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from pydantic import ValidationError

from cli import tables
from cli.asked import YEARS, PolicyFile, asked_calendar, asked_instant, asked_rulebook
from cli.calendar import pictures as calendar_pictures
from cli.console import AsJson, write_json
from cli.loading import DryRun, Note, load
from domain.calendars.calendar import WEEKDAYS, CalendarExhausted, WorkingCalendar
from domain.calendars.national_days import NationalDays
from domain.calendars.periods import Ends, Period, WorkingDays, read_period
from domain.errors import InputError
from domain.sla import account
from domain.sla.clock import Clock, Counting
from domain.sla.feasibility import LONGEST, least
from domain.sla.rulebook import Rulebook
from runtime import rulebook, settings
from runtime.textfiles import findings

app = typer.Typer(no_args_is_help=True)

_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])", re.ASCII)

NoticesOrCalendars = Annotated[
    Path,
    typer.Argument(
        metavar="FILE",
        help="a country's notices (.json), calendars or a whole policy (.toml)",
        show_default=False,
    ),
]


@app.command()
def show(
    name: Annotated[str | None, typer.Argument(help="a calendar; none: list them all")] = None,
    *,
    month: Annotated[
        str | None, typer.Option(metavar="YYYY-MM", help="the first to show \\[default: this one]")
    ] = None,
    months: Annotated[int, typer.Option(min=1, max=120, help="how many")] = 1,
    policy: PolicyFile = None,
    json: AsJson = False,
) -> None:
    """Picture a month of a calendar, or list all calendars.

    Example: yinuo calendar show desk --month 2026-10
    """
    rulebook = asked_rulebook(policy)
    if name is None:
        if json:
            raise InputError("--json shows one calendar: name it")
        calendars = {each: rulebook.calendar(each) for each in rulebook.calendars}
        tables.show(calendar_pictures.listing(calendars, rulebook.policy.promises))
        return

    calendar = asked_calendar(rulebook, name)
    shown = [account.month(calendar, first) for first in _firsts(month, months, calendar.zone)]
    write_json(shown) if json else tables.show(calendar_pictures.months(calendar, shown))


def _firsts(month: str | None, count: int, zone: str) -> list[date]:
    """First days of so many months, from the month written, or the present one of ``zone``."""
    written = month or f"{datetime.now(ZoneInfo(zone)):%Y-%m}"
    found = _MONTH.fullmatch(written)
    if not found or int(found[1]) not in YEARS:
        raise InputError(f'--month: "{written}" is no month: write it like "2026-10"')
    first = int(found[1]) * 12 + int(found[2]) - 1
    return [date(number // 12, number % 12 + 1, 1) for number in range(first, first + count)]


@app.command()
def due(
    *,
    calendar: Annotated[str, typer.Option(metavar="NAME", help="one of `yinuo calendar show`")],
    within: Annotated[str, typer.Option(metavar="PERIOD", help='"2h", "1d", "3 working days"')],
    from_: Annotated[
        str | None,
        typer.Option("--from", metavar="TIME", help="local to the calendar \\[default: now]"),
    ] = None,
    clock: Annotated[Counting, typer.Option(help="what a period in hours counts")] = "working",
    ends: Annotated[Ends, typer.Option(help="when the last working day is over")] = "close",
    policy: PolicyFile = None,
    json: AsJson = False,
) -> None:
    """Say when something is due, and why: every day and interval that was counted.

    Example: yinuo calendar due --calendar desk --from "2026-09-30 17:00" --within "3 working days"
    """
    period = _period(within, ends)
    hours = asked_calendar(asked_rulebook(policy), calendar)
    start = asked_instant(from_, hours.zone, "--from")
    _refuse_endless(Clock(hours, clock), start, period, ends)
    found = account.account(hours, start, period, clock, ends)
    write_json(found) if json else tables.show(calendar_pictures.due(found))


def _period(within: str, ends: Ends) -> Period:

    try:
        period = read_period(within)
    except ValueError as wrong:
        raise InputError(f"--within: {wrong}") from None
    if ends != "close" and not isinstance(period, WorkingDays):
        raise InputError(f'--ends: "{ends}" is for working days, not for "{period}"')
    return period


def _refuse_endless(clock: Clock, start: datetime, period: Period, ends: Ends) -> None:
    """Every day will be listed: refuse more of them than anybody reads."""
    if least(period) > LONGEST:
        raise InputError(f'--within: "{period}" is more than ten years: ask for less')
    try:
        due = clock.after(start, period, ends).at
    except (CalendarExhausted, OverflowError) as beyond:
        raise InputError(f"--within: {period} from {start:%Y-%m-%d}: {beyond}") from None
    if due - start > LONGEST:
        raise InputError(
            f"--within: {period} is over on {due:%Y-%m-%d}: ask for less than ten years, "
            "every day is listed"
        )


# Notices and calendars out of files ---------------------------------------------------------------


@app.command()
def check(file: NoticesOrCalendars) -> None:
    """Read notices or calendars and say what they hold, or what is wrong. Needs no servers.

    Example: yinuo calendar check policies/cn_workdays.json
    """
    found = _read(file, settings.load().zone.key)
    if isinstance(found, NationalDays):
        tables.show(calendar_pictures.notices(found, _working_days(found)))
    else:
        tables.show(calendar_pictures.listing(found))


@app.command("import")
def import_(file: NoticesOrCalendars, *, dry_run: DryRun = False, note: Note = "") -> None:
    """Take notices or calendars into the desk's rulebook, and plan open promises again by it.

    Notices join those that the desk has: an older file makes it forget none, and where two differ
    the one looked up later ("dated") counts. Of a whole policy only the calendars are taken: for
    the rest there is `yinuo policy import`.

    Example: yinuo calendar import cn_workdays.json --dry-run
    """
    _read(file, settings.load().zone.key)  # what is wrong with it is told without the desk

    def changed(current: Rulebook) -> Rulebook:
        found = _read(file, current.policy.zone)
        try:
            if isinstance(found, NationalDays):
                learned = current.learning(found)
                _say_what_is_kept(found, learned.national[found.country])
                return learned
            return current.with_calendars(found)
        except ValidationError as wrong:
            raise InputError(f"{file}: {'; '.join(findings(wrong))}") from None
        except ValueError as wrong:
            raise InputError(f"{file}: {wrong}") from None

    load(changed, note or f"calendar import {file.name}", dry_run=dry_run)


def _say_what_is_kept(written: NationalDays, learned: NationalDays) -> None:
    kept = [str(year) for year, each in written.years.items() if learned.years[year] != each]
    if kept:
        typer.echo(
            f"Kept as the desk has it, for that was looked up later ({learned.dated}): "
            f"the notice for {', '.join(kept)}.",
            err=True,
        )


@app.command()
def forget(
    year: Annotated[int, typer.Argument(metavar="YEAR", help="the first or the last known")],
    *,
    country: Annotated[str, typer.Option(metavar="CN", help="whose notice")] = "CN",
    dry_run: DryRun = False,
    note: Note = "",
) -> None:
    """Forget a year's notice that was loaded by mistake, and plan open promises again without it.

    Look at what would move first: what was promised for that year becomes provisional.

    Example: yinuo calendar forget 2027 --dry-run
    """

    def changed(current: Rulebook) -> Rulebook:
        try:
            return current.forgetting(country, year)
        except ValueError as wrong:
            raise InputError(f"YEAR: {wrong}") from None

    load(changed, note or f"calendar forget {country} {year}", dry_run=dry_run)


def _read(file: Path, zone: str) -> NationalDays | dict[str, WorkingCalendar]:
    """Read notices (JSON) or calendars (TOML; ``zone`` is for those that name none)."""
    try:
        if file.suffix == ".json":
            return rulebook.load_notices(file)
        if file.suffix == ".toml":
            return rulebook.load_calendars(file, zone, datetime.now(UTC))
    except rulebook.RulebookError as error:
        raise InputError(str(error)) from None
    raise InputError(f"{file}: give notices in a .json file, or calendars in a .toml file")


def _working_days(days: NationalDays) -> dict[int, int]:
    """Count the working days of each year for whoever works Monday to Friday."""
    week = dict.fromkeys(WEEKDAYS[:5], ("00:00-24:00",))
    plain = WorkingCalendar.model_validate({"name": days.country, "zone": "UTC", "week": week})
    working = days.applied_to(plain)
    return {
        year: working.working_days(date(year, 1, 1), date(year, 12, 31))
        for year in sorted({*days.years, *days.statutory})
    }
