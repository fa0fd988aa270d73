"""`yinuo quality`: draw records fairly, write down what was found in them, see who is retrained."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from cli import tables
from cli.asked import adopted
from cli.connections import registers
from cli.console import AsJson, ExitCode, Failed, Number, refusal, write_json
from cli.tables import plain, table_of
from domain import quality
from domain.issue.view import local
from domain.quality import (
    Check,
    Finding,
    Lot,
    Punctuality,
    Report,
    Sample,
    Sampled,
    Satisfaction,
    Standing,
)
from domain.texts import unseen
from domain.vocabulary import DESK, Actor
from runtime import aio
from starter.client import Register
from store import quality as samples
from store.connection import Pool
from store.quality import SampleLine

app = typer.Typer(no_args_is_help=True)

_DAY = ["%Y-%m-%d"]
SampleNumber = Annotated[
    int,
    typer.Argument(metavar="SAMPLE", min=1, max=2**31 - 1, help="its number", show_default=False),
]


@app.command()
def draw(
    *,
    from_: Annotated[
        datetime,
        typer.Option("--from", formats=_DAY, metavar="DAY", help="first day", show_default=False),
    ],
    until: Annotated[
        datetime,
        typer.Option(formats=_DAY, metavar="DAY", help="last day, included", show_default=False),
    ],
    seed: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT",
            help="what chance hangs on, such as numbers of a lottery; left out: the period",
        ),
    ] = None,
    by: Annotated[
        str | None, typer.Option(metavar="PERSON", help="who draws; left out: the desk itself")
    ] = None,
    json: AsJson = False,
) -> None:
    """Draw a sample of the issues closed in a period.

    It is by chance, and at least the policy's share of every handler's. The same period and seed
    are the same sample, however often it is drawn.

    Anyone can draw it again: of a handler's records those come first that have the smallest
    SHA-256 of seed, line feed and issue id.

    Example: yinuo quality draw --from 2026-10-01 --until 2026-10-31 --by sun.li
    """
    first, last = from_.date(), until.date()
    lot = Lot(first=first, last=last, seed=seed or quality.usual_seed(first, last))
    drawn, new = aio.run(_draw(lot, by))
    if not (new or json):
        typer.echo("This was drawn before; it stays as it was.")
    _answer(drawn, _page, json=json)


async def _draw(lot: Lot, by: str | None) -> tuple[Sample, bool]:

    async with registers() as pool:
        who = await _person(pool, by) if by else DESK
        if by:
            quality.check_supervisor(who)
        await adopted(pool)  # says how a desk without a policy gets one
        number, new = await samples.draw(pool, lot, who, datetime.now(UTC))
        return await _sample(pool, number), new


@app.command("list")
def list_samples(*, json: AsJson = False) -> None:
    """List the samples, newest first."""
    _answer(aio.run(_list()), _listing, json=json)


async def _list() -> list[SampleLine]:

    async with registers() as pool:
        return await samples.samples(pool)


@app.command()
def show(sample: SampleNumber, *, json: AsJson = False) -> None:
    """Show the records of a sample, and what was found in them."""
    _answer(aio.run(_show(sample)), _page, json=json)


async def _show(number: int) -> Sample:
    async with registers() as pool:
        return await _sample(pool, number)


@app.command()
def check(
    sample: SampleNumber,
    number: Number,
    *,
    by: Annotated[str, typer.Option(metavar="PERSON", help="who checked", show_default=False)],
    ok: Annotated[bool, typer.Option("--ok", help="nothing is wrong with the record")] = False,
    error: Annotated[str | None, typer.Option(metavar="TEXT", help="what is wrong")] = None,
    json: AsJson = False,
) -> None:
    """Write down what was found in a record.

    Nobody checks their own. Checking it again corrects that, and what was written before is kept.

    Example: yinuo quality check 3 20261023-07-0001 --by sun.li --error "the cause is missing"
    """
    if ok == (error is not None):
        raise typer.BadParameter("give either --ok, or --error with what is wrong")
    found = aio.run(_check(sample, number, by, error))
    _answer(found, lambda each: _found(number, each), json=json)


async def _check(number: int, issue: str, by: str, error: str | None) -> Finding:

    async with registers() as pool:
        made = Check(by=await _person(pool, by), error=error)
        if wrong := "\n".join(unseen(made)):
            raise refusal("Invalid", wrong)
        record = (await _sample(pool, number)).record(issue)
        if record is None:
            raise Failed(
                ExitCode.NOT_FOUND,
                f"{issue} is not in sample {number}: see `yinuo quality show {number}`",
            )
        quality.check_checker(record, made.by)
        return await samples.check(pool, number, record.issue_id, made, datetime.now(UTC))


@app.command()
def report(sample: SampleNumber, *, json: AsJson = False) -> None:
    """Add a sample up: error rates, who is to be retrained, how satisfied customers are.

    Satisfaction is what they said in the callbacks of the same days.
    """
    _answer(aio.run(_report(sample)), _summary, json=json)


async def _report(number: int) -> Report:

    async with registers() as pool:
        found = await samples.report(pool, number)
    if found is None:
        raise _no_sample(number)
    return found


# What all have in common --------------------------------------------------------------------------


async def _person(pool: Pool, id_: str) -> Actor:

    return await Register(pool).actor(id_)


async def _sample(pool: Pool, number: int) -> Sample:

    found = await samples.sample(pool, number)
    if found is None:
        raise _no_sample(number)
    return found


def _no_sample(number: int) -> Failed:
    return Failed(
        ExitCode.NOT_FOUND, f"there is no sample {number}: `yinuo quality list` lists them"
    )


def _answer(found: Any, picture: Callable[[Any], RenderableType], *, json: bool) -> None:
    if json:
        write_json(found)
        return

    tables.show(picture(found))


# How it is shown ----------------------------------------------------------------------------------


def _listing(found: Sequence[SampleLine]) -> RenderableType:

    if not found:
        return Text("No sample was drawn yet: `yinuo quality draw` draws one.")
    table = table_of("抽检\nSample", "期间\nPeriod", "抽样人\nDrawn by")
    for header in ("记录\nRecords", "抽取\nDrawn", "已查\nChecked"):
        table.add_column(header, justify="right", no_wrap=True)
    for each in found:
        period = f"{each.days.first} – {each.days.last}"
        counts = map(str, (each.records, each.drawn, each.checked))
        table.add_row(str(each.number), period, each.drawn_by, *counts)
    return table


def _page(sample: Sample) -> RenderableType:

    table = table_of("编号\nNumber", "处理人\nHandled by", "关闭\nClosed", "检查\nChecked")
    table.add_column("标题\nTitle", no_wrap=True, overflow="ellipsis", ratio=1)
    for record in sample.records:
        table.add_row(
            record.number,
            plain(_named(record.handler, record.handler_name)),
            local(record.closed_at, sample.zone) if record.closed_at else "重新打开 reopened",
            _standing(record),
            plain(record.title),
        )
    head = (
        f"抽检 Sample {sample.number} · {sample.days.first} – {sample.days.last} · "
        f"{len(sample.records)} of {sum(sample.population.values())} records"
    )
    how = (
        f"At least {_figure(sample.share)} of every handler's, by SHA-256 of the seed "
        f'"{plain(sample.seed)}". Drawn by {sample.drawn_by}, '
        f"{local(sample.drawn_at, sample.zone)} ({sample.zone})."
    )
    errors = [Text(plain(line)) for record in sample.records for line in _errors(record)]
    calls = [
        Text(plain(f"{record.number} · {local(call.at, sample.zone)} · {call.recording}"))
        for record in sample.records
        for call in record.calls
    ]
    heard = (Text("录音 Recordings", style="bold"), *calls) if calls else ()
    return Group(Text(head, style="bold"), table, *errors, *heard, Text(how, style="dim"))


def _standing(record: Sampled) -> Text:
    if not record.findings:
        return Text("—", style="dim")
    return Text("✗ 差错", style="bold red") if record.in_error else Text("✓ 合格", style="green")


def _errors(record: Sampled) -> Iterator[str]:
    return (f"✗ {record.number} · {f.checker}: {f.error}" for f in record.findings if f.error)


def _found(number: str, finding: Finding) -> RenderableType:
    said = "差错 error" if finding.error else "合格 ok"
    times = f", check {finding.revision} of theirs" if finding.revision > 1 else ""
    return Text(f"{number}: {said}, by {finding.checker}{times}.")


def _summary(found: Report) -> RenderableType:

    table = table_of("处理人\nHandled by")
    for header in ("记录\nRecords", "抽取\nDrawn", "已查\nChecked", "差错\nErrors", "差错率\nRate"):
        table.add_column(header, justify="right", no_wrap=True)
    table.add_column("培训\nRetraining", no_wrap=True)
    for each in found.people:
        table.add_row(plain(_named(each.person, each.name)), *_figures(each))
    table.add_section()
    table.add_row("合计 All", *_figures(found.total))
    return Group(
        Text(f"抽检 Sample {found.sample} · {found.days.first} – {found.days.last}", style="bold"),
        table,
        _satisfaction(found.satisfaction),
        _punctuality(found.punctuality),
        Text(f"Retraining: over {_figure(found.error_limit)} of what was checked.", style="dim"),
    )


def _figures(of: Standing) -> tuple[RenderableType, ...]:
    counts = map(str, (of.records, of.drawn, of.checked, of.errors))
    retraining = Text("需培训 yes", style="bold red") if of.retraining else Text("—", style="dim")
    return (*counts, _per_cent(of.error_rate), retraining)


def _satisfaction(said: Satisfaction) -> RenderableType:
    verdict, style = {
        None: ("nobody was asked", "dim"),
        True: (f"goal of {_figure(said.goal)} reached", "green"),
        False: (f"under the goal of {_figure(said.goal)}", "bold red"),
    }[said.reached]
    counted = f"{_per_cent(said.rate)} ({said.satisfied} of {said.asked})"
    return Text.assemble(f"满意率 Satisfied in callbacks: {counted}, ", (verdict, style))


def _punctuality(of: Punctuality) -> RenderableType:
    ended = of.kept + of.broken
    counted = f"承诺兑现 Promises kept: {_per_cent(of.rate)} ({of.kept} of {ended})"
    theirs = f"凭本人陈述 by own word {_per_cent(of.own_word_rate)} ({of.by_own_word})"
    return Text(f"{counted}; of these {theirs}")


def _named(person: str, name: str | None) -> str:
    return f"{name} ({person})" if name else person


def _per_cent(rate: float | None) -> str:
    return "—" if rate is None else f"{rate:.1%}"


def _figure(share: float) -> str:
    """Write a figure of the policy: ``15 %``, ``2.5 %``."""
    return f"{share * 100:g} %"
