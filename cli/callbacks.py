"""`yinuo callback`: whom to call today and what to read first; what came of a call."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import date, datetime, timedelta
from typing import Annotated, Any, NamedTuple
from zoneinfo import ZoneInfo

import typer
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from cli import tables
from cli import trail as command_trail
from cli.asked import YEARS, adopted
from cli.connections import registers, servers
from cli.console import AsJson, ExitCode, Failed, refusal, tell, write_json
from cli.tables import plain
from domain import telephone
from domain.calendars.timeline import midnight
from domain.callbacks import Attempt, Call, CaseSummary, about, call_code, share_of
from domain.errors import InputError, Refused
from domain.issue.intake import Customer
from domain.issue.thread import Door
from domain.issue.view import IssueView, local
from domain.scripts import UNWORDED, Script, Speaker
from domain.sla.rulebook import Rulebook
from domain.staff.access import Right
from domain.staff.duty import Duty
from domain.staff.staffing import working
from domain.vocabulary import Role, Severity, repeated
from runtime import aio, settings
from starter import calls
from starter.calls import OneRecorded
from starter.client import Desk
from store import callbacks, roster
from store.connection import Pool
from store.wordings import Wordings

app = typer.Typer(no_args_is_help=True)

_STATES = {"running": True, "not-running": False}


# The list -----------------------------------------------------------------------------------------


class _Day(NamedTuple):
    """The calls of a local day of the desk's zone."""

    day: date
    zone: str
    calls: list[Call]
    says: Speaker


@app.command("list")
def list_calls(
    *,
    day: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], metavar="DAY", help="left out: today"),
    ] = None,
    clerk: Annotated[
        str | None, typer.Option(metavar="PERSON", help="only this clerk's part of the list")
    ] = None,
    json: AsJson = False,
) -> None:
    """List whom to call, the nearest due first.

    Each customer is there once, with all their issues and what to read before the call. It holds
    customers' data: it is for the clerk alone.

    With --clerk the customers are shared out among the clerks who work that day, so that no two
    call the same one.

    Example: yinuo callback list --clerk fan.meiling
    """
    found = aio.run(_list(day.date() if day else None, clerk))
    if json:
        write_json(found.calls)
        return

    tables.show(*_page(found))


def _today(zone: ZoneInfo) -> date:
    return datetime.now(zone).date()


async def _list(day: date | None, clerk: str | None) -> _Day:

    async with registers() as pool:
        rulebook = await adopted(pool)
        zone = ZoneInfo(rulebook.policy.zone)
        day = day or _today(zone)
        if day.year not in YEARS:
            raise refusal("Invalid", f"--day: {day}: give a year from {YEARS[0]} to {YEARS[-1]}")
        clerks = await _clerks(pool, rulebook, clerk, day) if clerk else ()
        calls = await callbacks.todays(pool, midnight(day + timedelta(days=1), zone), zone)
        if clerk:
            calls = share_of(clerk, clerks, calls, day)
        numbers = [case.number for call in calls for case in call.cases]
        await command_trail.seen(pool, Right.LIST_CALLBACKS, numbers)
        says = await _speaker(pool, rulebook, clerk)
    return _Day(day, zone.key, calls, says)


async def _speaker(pool: Pool, rulebook: Rulebook, clerk: str | None) -> Speaker:
    """Say by which words calls are made (R40), and by whom if that was asked."""
    async with pool.acquire() as connection:
        wording = await Wordings().newest(connection) or UNWORDED
        members = await roster.members(connection) if clerk else ()
    person = next((each.person for each in members if each.id == clerk), None)
    return Speaker(wording, rulebook.policy.desk, person)


async def _clerks(pool: Pool, rulebook: Rulebook, clerk: str, day: date) -> list[str]:
    """Who makes calls on that day; ``clerk`` has to be one of them."""
    async with pool.acquire() as connection:
        members = {member.id: member for member in await roster.members(connection)}
    if clerk not in members:
        raise Failed(ExitCode.NOT_FOUND, f"--clerk: {clerk} is not on the roster")
    if members[clerk].role is not Role.CLERK:
        raise refusal("Invalid", f"--clerk: {clerk} is {members[clerk].role}, not a clerk")
    at_work = [each.id for each in working(members.values(), Role.CLERK, Duty(rulebook), day)]
    if clerk not in at_work:
        others = ", ".join(at_work) or "nobody"
        raise refusal("Invalid", f"--clerk: {clerk} does not work on {day}; who does: {others}")
    return at_work


# A call -------------------------------------------------------------------------------------------


@app.command()
def record(  # noqa: PLR0913  an option each
    numbers: Annotated[
        list[str],
        typer.Argument(
            metavar="NUMBER[=STATE]",
            help="issues of one customer; STATE is running or not-running",
            show_default=False,
        ),
    ],
    *,
    by: Annotated[str, typer.Option(metavar="PERSON", help="who called", show_default=False)],
    reached: Annotated[bool, typer.Option("--reached/--not-reached", show_default=False)],
    running: Annotated[
        bool | None,
        typer.Option("--running/--not-running", help="of every issue that names no STATE"),
    ] = None,
    satisfied: Annotated[bool | None, typer.Option("--satisfied/--not-satisfied")] = None,
    words: Annotated[str, typer.Option(metavar="TEXT", help="the customer's, as said")] = "",
    conflict: Annotated[
        bool,
        typer.Option(
            "--conflict", help="they complain: one complaint is made, from the first NUMBER"
        ),
    ] = False,
    call: Annotated[
        str | None, typer.Option(metavar="CODE", help="names the call; left out: made up")
    ] = None,
) -> None:
    """Record one call to a customer, about one issue or several.

    It is safe to repeat: what was recorded of a call is not recorded twice.

    If one machine runs and another does not, say so with the number:

    yinuo callback record 20261123-07-0001 20261123-07-0002=not-running --by fan.meiling
    --reached --running --not-satisfied --words "取款机好了，另一台还是黑屏"
    """
    states = _states(numbers)
    aio.run(
        _record(
            by,
            {number: running if state is None else state for number, state in states.items()},
            reached=reached,
            satisfied=satisfied,
            words=words,
            conflict=conflict,
            call=call,
        )
    )


def _states(written: Sequence[str]) -> dict[str, bool | None]:
    """Read ``NUMBER=not-running``: whether each machine runs, if that is said of it alone."""
    parts = [each.partition("=") for each in written]
    if twice := repeated(number for number, _, _ in parts):
        raise InputError(f"NUMBER: {twice} is named twice")
    for number, named, state in parts:
        if named and state not in _STATES:
            raise InputError(f'{number}: "{state}" is no state: write running or not-running')
    return {number: _STATES.get(state) for number, _, state in parts}


async def _record(
    by: str, running: Mapping[str, bool | None], *, call: str | None, **said: Any
) -> None:
    """Record the call, telling of each issue as it is done.

    Raises:
        Failed: some were not recorded; the others are.
    """
    async with _desk() as (at, pool):
        acts = about(await at.actor(by), running, call=call, **said)
        today = _today(ZoneInfo((await adopted(pool)).policy.zone))
        code = call or call_code(today, acts)
        failed = []
        async for each in calls.record(at, acts, code, Door.COMMAND_LINE):
            if each.recorded_by:
                typer.echo(f"✓ {each.number} was recorded before, by {each.recorded_by}")
            elif each.view:
                typer.echo(f"✓ {each.number} {_stage(each.view)}")
            else:
                failed.append(_why(each))
                tell(f"✗ {each.number}: {failed[-1]}")
    if failed:
        raise Failed(
            failed[0].code,
            f"{len(failed)} of {len(acts)} not recorded. To try again, repeat the command with "
            f"--call {code}: nothing is recorded twice.",
        )
    typer.echo(f"Call {code}.")


def _why(each: OneRecorded) -> Failed:

    if isinstance(each.failure, Refused):
        return refusal(each.failure.type, each.failure.message)
    return Failed(ExitCode.UNAVAILABLE, str(each.failure))


@asynccontextmanager
async def _desk() -> AsyncIterator[tuple[Desk, Pool]]:

    async with servers(settings.load()) as (client, pool):
        yield Desk(client, pool), pool


def _stage(view: IssueView) -> str:
    return f"{view.stage} ({view.outcome})" if view.outcome else view.stage


# How the list is shown ----------------------------------------------------------------------------


def _page(found: _Day) -> Iterator[RenderableType]:
    if not found.calls:
        yield Text(f"Nobody is to be called on {found.day}.")
        return
    for call in found.calls:
        yield from _call(call, found)
    issues = sum(len(call.cases) for call in found.calls)
    about = f"{issues} issue{'' if issues == 1 else 's'}"
    yield Text(
        f"{len(found.calls)} to call about {about} on {found.day}. "
        f"Times are in {found.zone}. Confidential.",
        style="dim",
    )


def _call(call: Call, found: _Day) -> Iterator[RenderableType]:
    zone = found.zone
    reach = telephone.shown(call.customer.phone or "") or call.customer.email or "—"
    head = Text.assemble((f"☎ {reach}", "bold"), f"  {_named(call.customer)}")
    if call.done_today:
        head.append("  今天已回访 called today: not again", style="yellow")
    yield head
    for each in call.called_today:
        result = "reached" if each.reached else "not reached"
        yield Padding(
            Text(
                f"今天已致电 called today {local(each.called_at, zone)} about {each.number} "
                f"by {each.clerk}, {result}",
                style="yellow",
            ),
            (0, 0, 0, 2),
        )
    if greeting := found.says.say(Script.CALLBACK_GREETING, call.customer.language):
        yield Padding(Text(f"“{plain(greeting.words)}”"), (0, 0, 0, 2))
    for case in call.cases:
        yield Padding(_case(case, call.customer, found), (0, 0, 0, 2))
    yield Text("")


def _named(customer: Customer) -> str:

    parts = (customer.organisation, customer.name, customer.contact)
    return plain(" · ".join(dict.fromkeys(filter(None, parts))))


def _case(case: CaseSummary, customer: Customer, found: _Day) -> RenderableType:
    """What to read before the call about one issue (R22)."""
    major = case.severity is Severity.MAJOR
    title = Text(f"{case.number} · {plain(case.title)}", style="bold red" if major else "bold")
    grid = Table.grid(padding=(0, 2, 0, 0))
    asks = found.says.opening(case, found.day, ZoneInfo(found.zone))
    for name, value in (
        ("问 Ask", f"“{asks.words}”" if asks else ""),
        *_facts(case, customer, found.zone),
    ):
        if value:
            grid.add_row(Text(name, style="dim"), plain(value))
    return Group(title, grid)


def _facts(case: CaseSummary, customer: Customer, zone: str) -> Iterator[tuple[str, str]]:
    late = " 逾期 overdue" if case.overdue else ""
    tries = f"第 {case.attempt} 次 attempt {case.attempt} of {case.attempts}"
    yield "期限 Due", f"{local(case.due_at, zone)}{late}, {tries}"
    if case.customer != customer:
        yield "客户 Customer", _named(case.customer)
    yield "报告 Reported", f"{local(case.reported_at, zone)}  {case.description}"
    machine = (case.product_line, case.model, case.serial_number, case.site)
    yield "产品 Product", " · ".join(filter(None, machine))
    yield "处理人 Handled by", f"{case.handler.name} ({case.handler.id})" if case.handler else ""
    done = f"{local(case.resolved_at, zone)}  " if case.resolved_at else ""
    yield "结果 Result", f"{done}{case.result or ''}".strip()
    yield "原因 Cause", case.cause or ""
    yield "答复 Reply", "" if case.answered else "还没有送到 has not reached them yet"
    if case.reopen_count:
        yield "重开 Reopened", f"{case.reopen_count} x"
    for missed in case.missed:
        until = f"until {local(missed.due_at, zone)}"
        kept = f", done {local(missed.ended_at, zone)}" if missed.ended_at else ""
        yield "致歉 Apologise", f"{missed.kind} was promised {until} ({missed.target}){kept}"
    for attempt in case.earlier:
        yield "上次 Earlier call", f"{local(attempt.called_at, zone)}  {_said(attempt)}"


def _said(attempt: Attempt) -> str:
    answers = {
        "reached": attempt.reached,
        "running": attempt.running,
        "satisfied": attempt.satisfied,
    }
    told = ", ".join(
        name if yes else f"not {name}" for name, yes in answers.items() if yes is not None
    )
    words = f": “{attempt.words}”" if attempt.words else ""
    return f"{attempt.clerk}, {told}{words}"
