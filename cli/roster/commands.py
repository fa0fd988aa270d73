"""`yinuo roster`: who works where, when and on what; who is off, and what that leaves undone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated, TypeVar
from zoneinfo import ZoneInfo

import typer

from cli import tables
from cli.asked import adopted, asked_day, read_rulebook
from cli.connections import registers, servers
from cli.console import AsJson, ExitCode, Failed, write_json
from cli.roster import tables as roster_tables
from domain.calendars.timeline import midnight
from domain.errors import InputError
from domain.sla.policy import Qualification
from domain.sla.rulebook import Rulebook
from domain.staff.duty import OFF, Duty, DutyException
from domain.staff.roster import Member, Roster
from domain.staff.staffing import Findings, Qualified, Stranded, Watch, look_over, qualified
from inbound.files.roster import RosterError, read_roster
from runtime import aio
from runtime import settings as environment
from starter.client import Desk
from store import cases, duty, roster, rulebooks
from store.connection import Connection

T = TypeVar("T")

app = typer.Typer(no_args_is_help=True)

_FILES = "holds centres.csv, people.csv, channels.csv, perhaps duty.csv, examinations.csv"
Directory = Annotated[Path, typer.Argument(help=_FILES, show_default=False)]
Who = Annotated[str, typer.Argument(metavar="PERSON", show_default=False)]
From = Annotated[str, typer.Option("--from", metavar="DAY", help="first day", show_default=False)]
Until = Annotated[str, typer.Option(metavar="DAY", help="last day", show_default=False)]
Reason = Annotated[str, typer.Option(metavar="TEXT", help="why, for the record")]
By = Annotated[
    str | None, typer.Option(metavar="PERSON", help="who enters it \\[default: they themselves]")
]


# --- As files -------------------------------------------------------------------------------------


@app.command("import")
def import_(directory: Directory) -> None:
    """Make this the roster, as a whole; then hand over what its people cannot go on with.

    Whoever is missing has left: their open issues go to others. With duty.csv, its exceptions take
    the place of those of the last import; what was entered by command stays.

    Example: yinuo roster import examples/roster
    """

    async def replaced(connection: Connection, current: Rulebook) -> Roster:

        wanted = checked(directory, current)
        try:
            await roster.replace(connection, wanted)
        except duty.Overlapping as overlapping:
            raise InputError(f"{directory / 'duty.csv'}: {overlapping}") from None
        return wanted

    imported, handed_over = aio.run(_changed(replaced))
    typer.echo(f"Imported: {content(imported)}.")
    _tell(handed_over)


def checked(directory: Path, current: Rulebook) -> Roster:
    """Read a roster that goes with the rulebook.

    Raises:
        InputError: naming file, line and reason.
    """
    try:
        found = read_roster(directory)
        found.check_against(current)
    except RosterError as error:
        raise InputError(str(error)) from None
    except ValueError as error:
        raise InputError(f"{directory}: {error} (policy {current.policy.name})") from None
    return found


def content(found: Roster) -> str:
    """Say in numbers what a roster holds."""
    parts = {
        "centres": len(found.centres),
        "people": len(found.members),
        "channels": len(found.channels),
        "duty exceptions": len(found.exceptions or ()),
    }
    return ", ".join(f"{count} {what}" for what, count in parts.items() if count)


# --- Who is on duty -------------------------------------------------------------------------------


@app.command()
def off(
    person: Who,
    *,
    from_: From,
    until: Until,
    reason: Reason,
    by: By = None,
) -> None:
    """Take somebody off duty for some days, both counted: leave, sickness.

    Example: yinuo roster off li.na --from 2026-12-01 --until 2026-12-04 --reason "病假 sick leave"
    """
    _enter(person, OFF, (from_, until), reason, by)


@app.command()
def shift(
    person: Who,
    to: Annotated[
        str, typer.Argument(metavar="SHIFT", help="a calendar of the policy", show_default=False)
    ],
    *,
    from_: From,
    until: Until,
    reason: Reason = "换班 another shift",
    by: By = None,
) -> None:
    """Give somebody another shift for some days, both counted.

    Example: yinuo roster shift li.na night --from 2026-12-05 --until 2026-12-06
    """
    _enter(person, to, (from_, until), reason, by)


@app.command()
def back(
    person: Who,
    *,
    on: Annotated[
        str | None,
        typer.Option(metavar="DAY", help="the first usual day again \\[default: today]"),
    ] = None,
) -> None:
    """Give somebody their usual shift back before the entered days are over.

    Example: yinuo roster back li.na --on 2026-12-03
    """

    async def taken_back(connection: Connection, current: Rulebook) -> tuple[date, DutyException]:

        await _on_the_roster(connection, person)
        day = _day_of_the_desk(on, "--on", current)
        ended = await duty.take_back(connection, person, day)
        if ended is None:
            raise Failed(ExitCode.NOT_FOUND, f"{person} has the usual shift on {day} already")
        return day, ended

    (day, ended), handed_over = aio.run(_changed(taken_back))
    typer.echo(f"{person} has the usual shift from {day} on; entered was {ended.said}.")
    _tell(handed_over)


def _enter(person: str, shift: str, days: tuple[str, str], reason: str, by: str | None) -> None:

    first, until = (
        asked_day(day, name) for day, name in zip(days, ("--from", "--until"), strict=True)
    )
    wanted = DutyException.model_validate(
        {"person": person, "from": first, "until": until, "shift": shift, "reason": reason}
    )

    async def entered(connection: Connection, current: Rulebook) -> None:

        for each in dict.fromkeys((person, by or person)):
            await _on_the_roster(connection, each)
        known = sorted((*current.calendars, OFF))
        if wanted.shift not in known:
            raise InputError(f"shift: there is no {shift}; there are: {', '.join(known)}")
        try:
            await duty.enter(connection, wanted, by or person)
        except duty.Overlapping as overlapping:
            raise Failed(
                ExitCode.NOT_ALLOWED, f"{overlapping}. End that first: `yinuo roster back`"
            ) from None

    _, handed_over = aio.run(_changed(entered))
    typer.echo(f"Entered for {person}: {wanted.said}.")
    _tell(handed_over)


@app.command("hand-over")
def hand_over() -> None:
    """Look for somebody else for every issue whose handler left, is off or not certified any more.

    Every change of the roster does it by itself. What comes by the day (the first of a leave, the
    last of a certification) the audit finds within ten minutes.
    """

    async def nothing(_: Connection, __: Rulebook) -> None:
        """The roster stays as it is."""

    _, handed_over = aio.run(_changed(nothing))
    _tell(handed_over)
    if not handed_over:
        typer.echo("Every open issue is in good hands.")


@app.command()
def show(
    *,
    day: Annotated[
        str | None, typer.Option(metavar="DAY", help="of the desk \\[default: today]")
    ] = None,
    json: AsJson = False,
) -> None:
    """Show who is on duty when on one day.

    Example: yinuo roster show --day 2026-12-05
    """

    async def asked() -> tuple[date, Duty, Sequence[Member]]:

        async with registers() as pool:
            current = await adopted(pool)
            async with pool.acquire() as connection:
                members = await roster.members(connection)
        return _day_of_the_desk(day, "--day", current), Duty(current), members

    when, duty, members = aio.run(asked())
    rows = roster_tables.duties(members, duty, when)
    if json:
        write_json({"day": when.isoformat(), "people": [row._asdict() for row in rows]})
    else:
        tables.show(roster_tables.day(rows, when, duty.policy.zone))


# --- What is wrong --------------------------------------------------------------------------------


@app.command()
def check(
    directory: Annotated[
        Path | None, typer.Argument(help=f"{_FILES} [default: the desk's roster]")
    ] = None,
    *,
    within: Annotated[
        int, typer.Option(min=0, max=3650, metavar="DAYS", help="how far certifications look ahead")
    ] = 30,
    json: AsJson = False,
) -> None:
    """Say what is wrong with the desk's roster today, or with the files of one, without servers.

    Of the desk: certificates and tests that end soon, agents with too few skills, core groups
    without their stand-by share, issues that need somebody else, product lines for which a region
    has nobody.

    Example: yinuo roster check examples/roster
    """
    if directory is None:
        _check_desk(timedelta(days=within), json=json)
        return

    policy = environment.load().policy
    rulebook = read_rulebook(policy)
    found = checked(directory, rulebook)
    typer.echo(f"The roster is good for policy {policy.name}: {content(found)}.")


def _check_desk(within: timedelta, *, json: bool) -> None:

    found = aio.run(_looked_over(within))
    if json:
        write_json(found)
    else:
        tables.show(roster_tables.findings(found, within))


async def _looked_over(within: timedelta) -> Findings:

    async with registers() as pool:
        duty = Duty(await adopted(pool))
        async with (
            pool.acquire() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            watch = Watch(
                centres=tuple(await roster.centres(connection)),
                members=tuple(await roster.members(connection)),
                engineers=tuple(await roster.engineers(connection)),
                issues=tuple(await roster.open_issues(connection)),
                within=within,
            )
    return look_over(watch, duty, datetime.now(UTC))


@app.command()
def skills(
    *,
    month: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m"], metavar="MONTH", help="of the cases \\[default: this one]"),
    ] = None,
    json: AsJson = False,
) -> None:
    """Show what agents and engineers have shown that they know, and what agents gave to the case
    library.

    Example: yinuo roster skills --month 2026-11
    """
    found, asked, first = aio.run(_qualified(month.date() if month else None))
    if json:
        write_json(found)
    else:
        tables.show(roster_tables.qualifications(found, asked, first))


async def _qualified(month: date | None) -> tuple[list[Qualified], Qualification, date]:

    async with registers() as pool:
        current = await adopted(pool)
        duty, zone = Duty(current), ZoneInfo(current.policy.zone)
        today = duty.day(datetime.now(UTC))
        first = (month or today).replace(day=1)
        after = (first + timedelta(days=31)).replace(day=1)
        asked = current.policy.qualification
        async with pool.acquire() as connection:
            members = await roster.members(connection)
            given = await cases.contributed(
                connection, midnight(first, zone), midnight(after, zone)
            )
    return qualified(members, given, asked, today), asked, first


# --- What the commands share ----------------------------------------------------------------------


async def _changed(
    change: Callable[[Connection, Rulebook], Awaitable[T]],
) -> tuple[T, list[Stranded]]:
    """Change the roster in one transaction, then have the desk hand over what that leaves undone.
    ``change`` gets the rulebook that counts: that of the policy file before the first is adopted.
    """
    settings = environment.load()
    async with servers(settings) as (client, pool):
        async with pool.acquire() as connection, connection.transaction():
            current = await rulebooks.current(connection) or read_rulebook(settings.policy)
            changed = await change(connection, current)
        return changed, await Desk(client, pool).hand_over_stranded()


def _tell(handed_over: Sequence[Stranded]) -> None:
    waiting = sum(each.engineer is None for each in handed_over)
    if waiting:
        typer.echo(f"{waiting} issue{'s were' if waiting > 1 else ' was'} waiting; asked again.")
    for each in handed_over:
        if each.engineer:
            typer.echo(f"Handed over: {each.number}, {each.reason}.")


async def _on_the_roster(connection: Connection, person: str) -> None:

    if await roster.member(connection, person) is None:
        raise Failed(ExitCode.NOT_FOUND, f"{person} is not on the roster")


def _day_of_the_desk(written: str | None, option: str, current: Rulebook) -> date:
    """Read a day of the desk; today if there is none."""
    return asked_day(written, option) if written else Duty(current).day(datetime.now(UTC))
