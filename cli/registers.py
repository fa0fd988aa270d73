"""`yinuo register`: the regulation's registers and forms, listed and exported as spreadsheets."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import typer
from rich import box
from rich.table import Table

from cli import tables
from cli import trail as command_trail
from cli.asked import asked_day
from cli.connections import registers
from cli.console import AsJson, tell, write_json
from domain.calendars.timeline import midnight
from domain.errors import InputError
from domain.sla.policy import Policy
from runtime import aio, settings
from store import rulebooks
from store.exports import registers as found
from store.exports.columns import Register
from store.exports.registers import Asked, RegisterSize, held, reading
from store.exports.spreadsheets import Format, Look, Sheet, writing

app = typer.Typer(no_args_is_help=True)

_STDOUT = Path("-")


@app.command("list")
def list_registers(*, json: AsJson = False) -> None:
    """List the registers and forms there are, with how many rows each has."""
    found = aio.run(_held(settings.load().zone.key))
    if json:
        write_json(found)
        return

    shown = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for heading in ("名称\nName", "登记表\nRegister", "\nIn English"):
        shown.add_column(heading, no_wrap=True)
    for heading in ("行数\nRows", "历史\nHistory"):
        shown.add_column(heading, justify="right")
    for each in found:
        earlier = "—" if each.earlier is None else str(each.earlier)
        shown.add_row(each.name, each.zh, each.en, str(each.rows), earlier)
    tables.show(shown)


async def _held(zone: str) -> list[RegisterSize]:

    async with registers() as pool:
        return await held(pool, zone)


@app.command()
def export(  # noqa: PLR0913  an option each
    name: Annotated[str, typer.Argument(help="one of `yinuo register list`", show_default=False)],
    *,
    format_: Annotated[
        Literal["csv", "xlsx"] | None,
        typer.Option("--format", help="if left out: as --out ends, or xlsx"),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="- is stdout; if left out: by register and period"),
    ] = None,
    from_: Annotated[
        str | None, typer.Option("--from", metavar="DAY", help="first day, like 2026-11-01")
    ] = None,
    until: Annotated[
        str | None, typer.Option(metavar="DAY", help="last day, like 2026-11-30")
    ] = None,
    history: Annotated[
        bool, typer.Option("--history", help="what its forms said before, and who replaced that")
    ] = False,
    english: Annotated[bool, typer.Option("--english", help="headings and words")] = False,
    without_customers: Annotated[
        bool, typer.Option("--without-customers", help="not who they are, nor what they said")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="replace a file that is there")] = False,
) -> None:
    """Write a register or form to a spreadsheet: all of it, or a period of its own date.

    Days and times are in the desk's zone. The file is readable by you alone: keep it so (R30). That
    you made it stands in the audit trail.

    Example: yinuo register export complaints --from 2026-11-01 --until 2026-11-30
    """
    zone = settings.load().zone
    asked = _asked(from_, until, zone)
    register = _register(name, history=history, without_customers=without_customers)
    format__ = _format(format_, out)
    if out is None:
        since, last = from_ and f"from_{from_}", until and f"until_{until}"
        parts = (
            register.name,
            "history" if history else None,
            "without_customers" if without_customers else None,
            since,
            last,
        )
        out = Path(f"{'_'.join(filter(None, parts))}.{format__}")
    exported = _exported(register, history, without_customers, from_, until)
    called = _Called(register, asked, english=english)
    with writing(None if out == _STDOUT else out, format__, called.look, force=force) as sheet:
        aio.run(_fill(sheet, called.register, called.asked, exported))
    rows = f"{sheet.rows} row{'' if sheet.rows == 1 else 's'}"
    if not sheet.rows:
        rows = "nothing in that period" if asked.since or asked.until else "nothing there yet"
        rows += ", headings only"
    tell(f"{register.zh} {register.en}: {rows}. Times are in {zone.key}.")
    if sheet.rows and any(column.customers for column in register.columns):
        tell("It holds customers' data: only for those who need them (R30).")
    if out != _STDOUT:
        typer.echo(out)


def _exported(
    register: Register,
    history: bool,  # noqa: FBT001  as the option is
    without_customers: bool,  # noqa: FBT001
    from_: str | None,
    until: str | None,
) -> str:
    """Say for the audit trail what is exported."""
    parts = (
        *("export", register.name),
        "history" if history else None,
        "without customers" if without_customers else None,
        from_ and f"from {from_}",
        until and f"until {until}",
    )
    return " ".join(filter(None, parts))


class _Called:
    """A register as the desk's policy, if it has one yet, calls and counts what is in it."""

    def __init__(self, register: Register, asked: Asked, *, english: bool) -> None:
        self.register = register
        self.asked = asked
        self._english = english

    def look(self) -> Look:
        """Ask for the policy, and say what the table looks like."""
        if policy := aio.run(_policy()):
            self.register = found.in_terms_of(self.register, policy.terms)
            limit = policy.telephone.within_seconds
            self.asked = self.asked.model_copy(update={"ring_seconds": limit})
        title = self.register.en if self._english else self.register.zh
        zone = ZoneInfo(self.asked.zone)
        return Look(title, self.register.columns, zone, english=self._english)


async def _policy() -> Policy | None:
    async with registers() as pool, pool.acquire() as connection:
        current = await rulebooks.current(connection)
    return current.policy if current else None


async def _fill(sheet: Sheet, register: Register, asked: Asked, exported: str) -> None:

    async with registers() as pool:
        await command_trail.seen(pool, exported)
        async with reading(pool, register, asked) as rows:
            async for row in rows:
                sheet.add(tuple(row.values()))


def _register(name: str, *, history: bool, without_customers: bool) -> Register:

    try:
        register = found.named(name)
    except LookupError as unknown:
        raise InputError(f"NAME: {unknown}") from None
    try:
        register = found.history(register) if history else register
    except LookupError as not_kept:
        raise InputError(f"--history: {not_kept}") from None
    return found.without_customers(register) if without_customers else register


def _asked(from_: str | None, until: str | None, zone: ZoneInfo) -> Asked:
    """Both days belong to the period, as local days."""
    first = None if from_ is None else asked_day(from_, "--from")
    last = None if until is None else asked_day(until, "--until")
    if first and last and last < first:
        raise InputError(f"--until: {last} is before {first}, the day of --from")
    return Asked(
        since=midnight(first, zone) if first else None,
        until=midnight(last + timedelta(days=1), zone) if last else None,
        zone=zone.key,
    )


def _format(wanted: str | None, out: Path | None) -> Format:
    """What --format says, or else the name of the file."""
    ending = out.suffix.lower().removeprefix(".") if out else ""
    if out == _STDOUT:
        if wanted == Format.XLSX:
            raise InputError("--out: - is for csv: name a file for xlsx")
        return Format.CSV
    if ending in set(Format):
        if wanted not in {None, ending}:
            raise InputError(f"--format: {wanted} is not what {out} is called")
        return Format(ending)
    if out and wanted is None:
        raise InputError(f"--out: {out}: end it in .csv or .xlsx, or say --format")
    return Format(wanted or Format.XLSX)
