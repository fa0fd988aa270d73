"""`yinuo issue`, first part: open issues and look at them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from uuid import uuid4

import typer
from pydantic import Field

from cli import trail as command_trail
from cli.asked import terms
from cli.connections import desk, explained, register, registers
from cli.console import AsJson, ExitCode, Failed, Number, refusal, tell, write_json
from cli.issues import acting, attachments, tables
from cli.issues import why as why_pictures
from cli.issues.calls import listing, to_make
from cli.names import Names, names
from cli.tables import show
from domain.errors import InputError, OutputError, Refused
from domain.finding import Answer
from domain.issue.arrival import arrived
from domain.issue.forms import PaidService
from domain.issue.intake import Intake
from domain.issue.thread import Entry
from domain.issue.view import IssueView
from domain.sla.why import Why
from domain.staff.access import Right
from domain.vocabulary import Channel, Consent, CustomerType, Language, Severity, Stage
from inbound.files.intakes import FoundIntake, read_intakes
from runtime import aio
from starter.client import Desk
from starter.register import Kept, Register
from starter.registers import Letters
from store import finding
from store.issue_list import Filter
from store.issue_reader import Unsettled

app = typer.Typer(no_args_is_help=True)
app.add_typer(acting.app)
app.add_typer(attachments.app)

_LATELY = 8
"""Entries of a thread that an issue is shown with."""
_AT_ONCE = 10
"""Intakes of a file that are under way at the same time."""

Instant = Annotated[str | None, typer.Option(metavar="TIME", help="like 2026-11-23T10:00+08:00")]
Word = Annotated[str | None, typer.Option()]


# Opening ------------------------------------------------------------------------------------------


@app.command("open")
def open_issues(  # noqa: PLR0913  an option each
    file: Annotated[
        Path | None,
        typer.Argument(help="intakes as JSON: one, an array, or one a line; - reads stdin"),
    ] = None,
    *,
    now: Annotated[bool, typer.Option("--now", help="set reported_at where it is missing")] = False,
    source: Word = None,
    reference: Annotated[str | None, typer.Option(help="same reference: same issue")] = None,
    channel: Channel | None = None,
    kind: Annotated[str | None, typer.Option(metavar="CODE", help="a kind of the policy")] = None,
    category: Annotated[
        str | None, typer.Option(metavar="CODE", help="a category of the policy")
    ] = None,
    severity: Severity | None = None,
    product_line: Word = None,
    region: Annotated[str | None, typer.Option(help="one that a centre serves")] = None,
    agent: Annotated[str | None, typer.Option(help="the hotline agent's number")] = None,
    title: Word = None,
    description: Word = None,
    model: Word = None,
    serial_number: Word = None,
    site: Word = None,
    customer: Word = None,
    customer_type: CustomerType | None = None,
    existing: Annotated[
        bool | None, typer.Option("--existing/--prospect", help="a customer already, or not yet")
    ] = None,
    organisation: Word = None,
    contact: Word = None,
    phone: Word = None,
    email: Word = None,
    language: Annotated[
        Language | None, typer.Option(help="what the customer is written to in")
    ] = None,
    occurred_at: Instant = None,
    reported_at: Instant = None,
    ring_seconds: Annotated[
        int | None, typer.Option(help="how long the telephone rang before it was answered")
    ] = None,
    answering: Annotated[
        bool | None,
        typer.Option("--answering", help="the agent tries to answer it first: nobody is sent yet"),
    ] = None,
    complex: Annotated[  # noqa: A002  as the field is called
        bool | None,
        typer.Option("--complex", help="beyond one engineer: the lead hears of it at once"),
    ] = None,
    agitated: Annotated[
        bool | None,
        typer.Option("--agitated", help="of a complaint: the customer has to be calmed first"),
    ] = None,
    consent: Annotated[
        Consent | None,
        typer.Option(help="what the customer says to it that this is passed on; no: it stays here"),
    ] = None,
    consent_words: Annotated[str | None, typer.Option(help="as they said it")] = None,
    json: AsJson = False,
) -> None:
    """Open issues from a file, or one by hand. If one intake is bad, none is opened.

    By hand it is a technical fault, reported now by telephone, unless you say otherwise.
    With --json: an array for a file, an object by hand.

    A file: yinuo issue open intakes.jsonl

    By hand: yinuo issue open --kind fault --category technical --product-line ATM --region 广东
    --title 出钞口卡钞 --customer 天河支行 --phone "+86 20 5550 0101"
    """
    # Options are called as the fields are, so that none has to be named a third time.
    given = {name: value for name, value in locals().items() if value is not None}
    fields = given.keys() & (Intake.model_fields.keys() | _CUSTOMER.keys())
    if file is None:
        opened = aio.run(_open(_by_hand({name: given[name] for name in fields})))
        acting.answer(opened, json=json)
    elif fields:
        raise typer.BadParameter("give a FILE, or the fields of one issue")
    else:
        _open_file(file, datetime.now(UTC) if now else None, json=json)


_CUSTOMER = {
    "customer": "name",
    "customer_type": "type",
    "existing": "existing",
    "organisation": "organisation",
    "contact": "contact",
    "phone": "phone",
    "email": "email",
    "language": "language",
}
"""What of an intake is the customer's, by option."""


def _by_hand(given: dict[str, Any]) -> Intake:
    now = datetime.now(UTC)
    usual = {
        "source": "cli",
        "reference": f"{now:%Y%m%d-%H%M%S}-{uuid4().hex[:6]}",
        "channel": Channel.TELEPHONE,
        "kind": "fault",
        "category": "technical",
        "agent": "00",
        "reported_at": now,
    }
    customer = {_CUSTOMER[option]: given.pop(option) for option in given.keys() & _CUSTOMER.keys()}
    return arrived(usual | given | {"customer": customer})


async def _open(intake: Intake) -> acting.Done:
    async with desk() as at:
        return acting.Done(await at.open(intake), await at.terms())


def _open_file(file: Path, now: datetime | None, *, json: bool) -> None:

    found = read_intakes(file, now)
    opened, failed = aio.run(_open_all(found))
    if json:
        write_json(opened)
    else:
        show(tables.listing(opened))
    for where, failure in failed[1:]:
        tell(f"{where}: {failure}")
    if failed:
        where, failure = failed[0]
        raise Failed(failure.code, f"{where}: {failure}")


async def _open_all(
    found: Sequence[FoundIntake],
) -> tuple[list[IssueView], list[tuple[str, Failed]]]:
    """Check all, then open all; what came of each, in the file's order."""
    places = asyncio.Semaphore(_AT_ONCE)

    async def opened(at: Desk, each: FoundIntake) -> IssueView | tuple[str, Failed]:
        try:
            async with places, explained():
                return await at.open(each.intake)
        except Failed as failure:
            return each.where, failure

    async with desk() as at:
        await _check_all(at, found)
        answers = await asyncio.gather(*(opened(at, each) for each in found))
    views = [answer for answer in answers if not isinstance(answer, tuple)]
    return views, [answer for answer in answers if isinstance(answer, tuple)]


async def _check_all(at: Desk, found: Sequence[FoundIntake]) -> None:

    wrong: list[str] = []
    for where, intake in found:
        try:
            await at.check(intake)
            await at.compare(intake)
        except Refused as refused:
            wrong.append(f"{where}: {refused.message}")
    if wrong:
        raise refusal("Invalid", "\n".join(wrong))


# Looking ------------------------------------------------------------------------------------------


@app.command("list")
def list_issues(  # noqa: PLR0913  an option each
    *,
    stage: Stage | None = None,
    engineer: Annotated[str | None, typer.Option(metavar="PERSON")] = None,
    kind: Annotated[str | None, typer.Option(metavar="CODE", help="a kind of the policy")] = None,
    category: Annotated[
        str | None, typer.Option(metavar="CODE", help="a category of the policy")
    ] = None,
    department: Annotated[
        str | None, typer.Option(metavar="CODE", help="a department of the policy")
    ] = None,
    region: Word = None,
    all_: Annotated[bool, typer.Option("--all", help="closed ones too")] = False,
    overdue: Annotated[bool, typer.Option("--overdue", help="only broken promises")] = False,
    provisional: Annotated[
        bool, typer.Option("--provisional", help="only dates that the next notice may move")
    ] = False,
    calls: Annotated[
        bool, typer.Option("--calls", help="only customers whom the agent is to call, and why")
    ] = False,
    agent: Annotated[
        str | None, typer.Option(metavar="NUMBER", help="the hotline agent's number")
    ] = None,
    undelivered: Annotated[
        bool, typer.Option("--undelivered", help="messages that did not arrive, instead of issues")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
    json: AsJson = False,
) -> None:
    """List open issues, nearest due first. With --json: one array.

    Example: yinuo issue list --region 广东 --overdue
    """
    if undelivered:
        messages = aio.run(_undelivered())
        write_json(messages) if json else show(tables.unsettled(messages))
        return
    wanted = Filter(
        stage=stage,
        engineer=engineer,
        kind=kind,
        category=category,
        department=department,
        region=region,
        open_only=not all_ and stage is not Stage.CLOSED,
        agent=agent,
        overdue=overdue,
        calls=calls,
        provisional=provisional,
        limit=limit,
    )
    if calls and not json:
        show(listing(aio.run(to_make(wanted))))
        return
    views = aio.run(_list(wanted))
    write_json(views) if json else show(tables.listing(views))


async def _list(wanted: Filter) -> list[IssueView]:
    """List issues. What nobody ever heard of is refused; of old ones there may be some that the
    policy has no more.
    """
    async with registers() as pool:
        found, own = await Register(pool).issues(wanted), await terms(pool)
    if not found and (wrong := wanted.unheard(own)):
        raise InputError("\n".join(f"--{each}" for each in wrong))
    return found


async def _undelivered() -> list[Unsettled]:
    async with register() as at:
        return await at.undelivered()


class Shown(IssueView):
    """An issue as it is shown at the command line: with its price, and what was said about it."""

    paid_service: PaidService | None = Field(default=None, exclude_if=lambda paid: paid is None)
    linked: tuple[str, ...] = Field(default=(), exclude_if=lambda numbers: not numbers)
    open_words: tuple[Entry, ...] = Field(
        description="what the customer said since somebody last acted on their words"
    )
    thread: tuple[Entry, ...]


@app.command("show")
def show_issue(
    number: Number,
    *,
    thread: Annotated[
        bool, typer.Option("--thread", help="all that was said and done, not only the last of it")
    ] = False,
    json: AsJson = False,
) -> None:
    """Show one issue, open or closed, with its price if it has any, which issues are about the
    same, and what was said about it. The look stands in the audit trail.
    """
    seen, paid, linked, said, called = aio.run(_show(number, whole=thread))
    if json:
        shown = Shown.model_construct(
            **dict(seen),
            paid_service=paid,
            linked=linked,
            open_words=tuple(said.open_words),
            thread=tuple(said.entries),
        )
        write_json(shown)
        return
    show(tables.page(seen, said, called.own), *([tables.paid(paid, called)] if paid else []))
    if about := tables.same(seen, linked):
        typer.echo(about)


@app.command("why")
def explain_promises(
    number: Number,
    promise: Annotated[
        str | None, typer.Argument(metavar="PROMISE", help='"resolution" or "resolution.1"')
    ] = None,
    *,
    json: AsJson = False,
) -> None:
    """Explain when the promises of an issue are due, and why: by which policy and calendar, every
    day that was counted or not, when they stood still, who is told when.

    It is worked out again and compared with what is kept: what differs is said.

    Example: yinuo issue why 20261123-07-0001 resolution
    """
    found = aio.run(_why(number, promise))
    write_json(found) if json else show(*why_pictures.explained(found))


async def _why(number: str, promise: str | None) -> Sequence[Why]:
    async with registers() as pool:
        return await Register(pool).why(number, promise)


@app.command("find")
def find_issues(
    words: Annotated[
        list[str], typer.Argument(help="a number or its end, a telephone, a name, or any words")
    ],
    *,
    limit: Annotated[int, typer.Option(min=1, max=200)] = 20,
    json: AsJson = False,
) -> None:
    """Find issues, open and closed, by anything one knows of them. The look stands in the audit
    trail.

    The very number comes first, then open issues, then the newest.

    Example: yinuo issue find 天河支行 卡钞
    """
    found = aio.run(_find(" ".join(words), limit))
    if json:
        write_json(found)
    else:
        show(tables.found(found))


async def _find(typed: str, limit: int) -> Answer:
    async with registers() as pool:
        found = await finding.find(pool, finding.Searcher.operator(), typed, limit)
        numbers = [each.number for each in found.found if each.private]
        await command_trail.seen(pool, Right.SEE_CUSTOMER, numbers)
    return found


@app.command("words")
def show_words(number: Number, *, json: AsJson = False) -> None:
    """Show what else was written about an issue. The look stands in the audit trail."""
    kept = aio.run(_words(number))
    write_json(kept) if json else show(tables.kept(kept))


async def _words(number: str) -> list[Kept]:
    async with registers() as pool:
        at = Register(pool)
        seen = await at.show(number)
        await command_trail.seen(pool, Right.SEE_CUSTOMER, [seen.number])
        return await at.kept_words(seen.id)


async def _show(
    number: str, *, whole: bool
) -> tuple[IssueView, PaidService | None, tuple[str, ...], tables.Said, Names]:
    async with registers() as pool:
        at = Register(pool)
        seen = await at.show(number)
        await command_trail.seen(pool, Right.READ_CONVERSATION, [seen.number])
        paid = (await at.papers(seen.id, seen.reopen_count + 1)).paid
        linked = (await at.related(seen.id)).linked
        found = await at.thread(seen.id, limit=_LATELY, newest=True)
        entries = await _whole(at, seen.id) if whole else found.entries
        called = await names(pool)
    # What the customer said is in the thread.
    price = paid.model_copy(update={"words": None}) if paid else None
    return (
        seen,
        price,
        linked,
        tables.Said(entries, found.open_words, found.next is not None, whole),
        called,
    )


async def _whole(at: Register, id_: str) -> list[Entry]:
    page = await at.thread(id_)
    entries = [*page.entries]
    while page.next:
        page = await at.thread(id_, page.next)
        entries += page.entries
    return entries


@app.command("letter")
def write_letters(
    number: Number,
    *,
    into: Annotated[Path, typer.Option(metavar="FOLDER", help="where to write them")] = Path(),
) -> None:
    """Write the letters an issue was made of into files, as they came.

    The files are readable by you alone: keep them so (R30). That you looked stands in the audit
    trail.

    Example: yinuo issue letter 20261123-07-0001 --into /tmp
    """
    letters = aio.run(_letters(number))
    if not letters:
        raise Failed(ExitCode.NOT_FOUND, f"no letter of {number} is kept (any more)")
    for name, raw in letters.items():
        path = into / name
        try:
            path.touch(mode=0o600)
            path.write_bytes(raw)
        except OSError as error:
            raise OutputError(f"{path}: {error.strerror}") from None
        typer.echo(path)


async def _letters(number: str) -> dict[str, bytes]:
    async with registers() as pool:
        issue = await Register(pool).show(number)
        kept = Letters(pool)
        ids = [letter.id for letter in await kept.of_issue(issue.id)]
        if ids:
            await command_trail.seen(pool, Right.SEE_CUSTOMER, [issue.number])
        found = {id_: await kept.read(issue.id, id_) for id_ in ids}
    return {f"{issue.number}-{id_}.eml": raw for id_, raw in found.items() if raw is not None}
