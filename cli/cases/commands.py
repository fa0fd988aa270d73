"""`yinuo case`: the library of known solutions: search it, fill it, review what was proposed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from cli import tables
from cli.cases import tables as case_tables
from cli.connections import registers
from cli.console import AsJson, ExitCode, Failed, refusal, write_json
from domain.knowledge.cases import (
    CaseStatus,
    Change,
    Content,
    Correction,
    Draft,
    KnownCase,
    Ruling,
    unusable_titles,
)
from domain.texts import unseen
from inbound.files.cases import FoundCase, read_cases
from runtime import aio, settings
from starter.client import Register
from store import cases
from store.cases import Found, Version

app = typer.Typer(no_args_is_help=True)

CaseNumber = Annotated[
    str, typer.Argument(metavar="NUMBER", help="like C-0001", show_default=False)
]
By = Annotated[str, typer.Option(metavar="PERSON", help="who acts", show_default=False)]
Limit = Annotated[int, typer.Option(min=1, max=1000)]
Word = Annotated[str | None, typer.Option()]
Product = Annotated[
    str | None, typer.Option("--product", metavar="LINE", help="a product line, like ATM")
]
Keywords = Annotated[
    list[str] | None, typer.Option("--keyword", metavar="WORD", help="may be repeated")
]
ForAll = Annotated[bool, typer.Option("--for-all", help="for all product lines from now on")]


# Looking ------------------------------------------------------------------------------------------


@app.command()
def search(
    words: Annotated[
        list[str], typer.Argument(metavar="WORDS", help="in any words", show_default=False)
    ],
    *,
    product: Product = None,
    limit: Limit = 10,
    json: AsJson = False,
) -> None:
    """Find approved cases for what a customer says, best first.

    Example: yinuo case search 取款时钞票卡住了 --product ATM
    """
    found = aio.run(_search(" ".join(words), product, limit))
    write_json(found) if json else tables.show(case_tables.results(found))


async def _search(words: str, product: str | None, limit: int) -> list[Found]:

    async with registers() as pool:
        return await cases.search(pool, words, product, limit)


@app.command()
def show(number: CaseNumber, *, json: AsJson = False) -> None:
    """Show one case of any status, with all that became of it.

    Example: yinuo case show C-0001
    """
    case, versions = aio.run(_show(number.upper()))
    if json:
        history = [each.model_dump(mode="json") for each in versions]
        write_json(case.model_dump(mode="json") | {"history": history})
    else:
        tables.show(case_tables.page(case, versions, _zone()))


async def _show(number: str) -> tuple[KnownCase, list[Version]]:

    async with registers() as pool:
        found = await cases.get(pool, number)
        return _there(found, number), await cases.history(pool, number)


@app.command("list")
def list_cases(
    *, status: CaseStatus | None = None, limit: Limit = 50, json: AsJson = False
) -> None:
    """List cases, what changed last first; with --status proposed, what is to be reviewed.

    Example: yinuo case list --status proposed
    """
    _answer(aio.run(_list(status, limit)), json=json)


async def _list(status: CaseStatus | None, limit: int) -> list[KnownCase]:

    async with registers() as pool:
        return await cases.cases(pool, status, limit)


# Filling ------------------------------------------------------------------------------------------


@app.command()
def add(  # noqa: PLR0913  an option each
    *,
    by: By,
    file: Annotated[
        Path | None, typer.Option(metavar="JSON", help="many: an array of objects")
    ] = None,
    title: Word = None,
    question: Annotated[str | None, typer.Option(help="what customers report")] = None,
    solution: Annotated[str | None, typer.Option(help="what helps")] = None,
    product: Product = None,
    keyword: Keywords = None,
    approve: Annotated[
        bool, typer.Option("--approve", help="approve at once, as a lead or a manager")
    ] = False,
    json: AsJson = False,
) -> None:
    """Add a case, or all of a file, for review. If one is bad, none is added.

    Many: yinuo case add --file examples/cases.json --by sun.li --approve

    One: yinuo case add --by 07 --product ATM --title 出钞口卡钞 --question 钞票半露
    --solution 清洁出钞口皮带
    """
    given = _given(title, question, solution, product, keyword)
    if file and given:
        raise typer.BadParameter("give a --file, or the fields of one case")

    entries = read_cases(file) if file else [FoundCase("", Content.model_validate(given))]
    added = aio.run(_add(entries, by, approve=approve))
    _answer(added if file else added[0], json=json)


async def _add(entries: Sequence[FoundCase], by: str, *, approve: bool) -> list[KnownCase]:
    """Add all or none."""
    now = datetime.now(UTC)
    async with registers() as pool:
        actor = await Register(pool).actor(by)
        async with pool.acquire() as connection, connection.transaction():
            known = await cases.titles(connection, [each.content.title for each in entries])
            wrong = unusable_titles(((each.where, each.content.title) for each in entries), known)
            wrong += (f"{e.where}{said}" for e in entries for said in unseen(e.content))
            if wrong:
                raise refusal("Invalid", "\n".join(wrong))
            numbers = []
            for _, content in entries:
                draft = Draft(**content.model_dump(), proposed_by=by, proposed_at=now)
                numbers.append(await cases.propose(connection, draft))
                if approve:
                    ruling = Ruling(change=Change.APPROVE, by=actor, at=now)
                    await cases.rule(connection, numbers[-1], ruling)
        return [_there(await cases.get(pool, number), number) for number in numbers]


@app.command()
def propose(
    issue: Annotated[
        str, typer.Argument(metavar="ISSUE", help="number or workflow id", show_default=False)
    ],
    *,
    by: By,
    json: AsJson = False,
) -> None:
    """Propose what solved an issue, out of its forms and without the customer's own data.

    Example: yinuo case propose 20261122-07-0003 --by zhou.jianguo
    """
    _answer(aio.run(_propose(issue, by)), json=json)


async def _propose(issue: str, by: str) -> KnownCase:

    async with registers() as pool:
        register = Register(pool)
        await register.actor(by)
        async with pool.acquire() as connection, connection.transaction():
            solved = await cases.solved(connection, issue)
            if solved:
                number = await cases.propose(connection, solved.draft(by, datetime.now(UTC)))
        if not solved:
            seen = await register.show(issue)
            raise Failed(
                ExitCode.NOT_ALLOWED,
                f"{seen.number} is {seen.outcome or seen.stage}: no solution stands in its forms",
            )
        return _there(await cases.get(pool, number), number)


# Reviewing ----------------------------------------------------------------------------------------


@app.command()
def review(  # noqa: PLR0913  an option each
    number: CaseNumber,
    *,
    approve: Annotated[
        bool, typer.Option("--approve/--reject", help="agents find it; or why not, in --note")
    ],
    by: By,
    note: Annotated[str, typer.Option(help="why; needed to reject")] = "",
    title: Word = None,
    question: Word = None,
    solution: Word = None,
    product: Product = None,
    for_all: ForAll = False,
    keyword: Keywords = None,
    json: AsJson = False,
) -> None:
    """Approve a proposed case, perhaps in better words, or reject it. A lead or a manager does.

    Example: yinuo case review C-0001 --approve --by sun.li --title 出钞口卡钞，钞票半露
    """
    fields = _given(title, question, solution, product, keyword)
    correction = Correction(**fields, for_all=for_all)
    change = Change.APPROVE if approve else Change.REJECT
    _answer(aio.run(_rule(number.upper(), change, by, note, correction)), json=json)


@app.command()
def revise(  # noqa: PLR0913  an option each
    number: CaseNumber,
    *,
    by: By,
    note: Annotated[str, typer.Option(help="why")] = "",
    title: Word = None,
    question: Word = None,
    solution: Word = None,
    product: Product = None,
    for_all: ForAll = False,
    keyword: Keywords = None,
    json: AsJson = False,
) -> None:
    """Put a case into other words; what it said stays in its history. A lead or a manager does.

    Example: yinuo case revise C-0001 --by sun.li --keyword 卡钞 --keyword 夹钞
    """
    fields = _given(title, question, solution, product, keyword)
    correction = Correction(**fields, for_all=for_all)
    _answer(aio.run(_rule(number.upper(), Change.REVISE, by, note, correction)), json=json)


@app.command()
def retire(
    number: CaseNumber,
    *,
    by: By,
    reason: Annotated[str, typer.Option(help="why agents shall not tell it", show_default=False)],
    json: AsJson = False,
) -> None:
    """Take an approved case out of the search; it stays in the register. A lead or a manager does.

    Example: yinuo case retire C-0001 --by sun.li --reason 该型号已全部退役
    """
    case = aio.run(_rule(number.upper(), Change.RETIRE, by, reason, Correction()))
    _answer(case, json=json)


async def _rule(
    number: str, change: Change, by: str, note: str, correction: Correction
) -> KnownCase:

    if wrong := "\n".join(unseen(correction)):
        raise refusal("Invalid", wrong)
    async with registers() as pool:
        actor = await Register(pool).actor(by)
        ruling = Ruling(
            change=change, by=actor, at=datetime.now(UTC), note=note, correction=correction
        )
        async with pool.acquire() as connection, connection.transaction():
            return _there(await cases.rule(connection, number, ruling), number)


# What they share ----------------------------------------------------------------------------------


def _given(
    title: str | None,
    question: str | None,
    solution: str | None,
    product: str | None,
    keywords: list[str] | None,
) -> dict[str, Any]:
    """Name the fields as a case has them, those that were given."""
    fields = {
        "title": title,
        "question": question,
        "solution": solution,
        "product_line": product,
        "keywords": keywords or None,
    }
    return {name: value for name, value in fields.items() if value is not None}


def _there(case: KnownCase | None, number: str) -> KnownCase:
    if case is None:
        raise Failed(ExitCode.NOT_FOUND, f"there is no case {number}")
    return case


def _answer(cases: KnownCase | Sequence[KnownCase], *, json: bool) -> None:

    if json:
        write_json(cases)
        return
    several = [cases] if isinstance(cases, KnownCase) else cases
    tables.show(case_tables.listing(several, _zone()))


def _zone() -> str:

    return settings.load().zone.key
