"""`yinuo policy`: check a policy, explain what it promises on an issue and why, load one."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from cli import tables
from cli.asked import (
    PolicyFile,
    a_file_instead,
    adopted,
    asked_calendar,
    asked_instant,
    read_rulebook,
)
from cli.connections import registers
from cli.console import AsJson, write_json
from cli.loading import DryRun, Note, load
from cli.policy import pictures as policy_pictures
from domain.calendars.calendar import CalendarExhausted
from domain.errors import InputError
from domain.sla import explanation
from domain.sla.explanation import Explanation
from domain.sla.policy import Facts
from domain.sla.rulebook import Rulebook
from domain.staff.roster import Centre
from domain.vocabulary import Channel, CustomerType, Severity
from runtime import aio
from store import roster

app = typer.Typer(no_args_is_help=True)

File = Annotated[Path, typer.Argument(metavar="FILE", help="a policy (.toml)", show_default=False)]


@app.command()
def check(file: File) -> None:
    """Read a policy and say what it holds, or what is wrong with it. Needs no servers.

    Example: yinuo policy check policies/standard.toml
    """
    rulebook = read_rulebook(file, to_be_planned=True)

    tables.show(policy_pictures.summary(rulebook))


@app.command("import")
def import_(file: File, *, dry_run: DryRun = False, note: Note = "") -> None:
    """Make this the desk's policy, and plan open promises again by it.

    Notices that the desk has already and this policy does not know yet are kept.

    Example: yinuo policy import policies/standard.toml --dry-run
    """
    wanted = read_rulebook(file, to_be_planned=True)
    load(
        wanted.keeping_notices_of,
        note or f"policy import {file.name}",
        dry_run=dry_run,
        file=wanted.version,
    )


@app.command()
def explain(  # noqa: PLR0913  an option each
    *,
    kind: Annotated[
        str, typer.Option(metavar="CODE", help="what the customer wants, a kind of the policy")
    ],
    product_line: Annotated[str, typer.Option(metavar="LINE", help="such as ATM")],
    region: Annotated[str, typer.Option(help="where the customer is")],
    severity: Severity = Severity.GENERAL,
    category: Annotated[str, typer.Option(metavar="CODE", help="what it is about")] = "technical",
    customer: CustomerType = CustomerType.ENTERPRISE,
    existing: Annotated[
        bool, typer.Option("--existing/--prospect", help="a customer already, or not yet")
    ] = True,
    first_contact: Annotated[
        bool, typer.Option("--first-contact", help="the hotline answered it")
    ] = False,
    channel: Annotated[Channel, typer.Option(help="how it came in")] = Channel.TELEPHONE,
    in_writing: Annotated[
        bool,
        typer.Option(
            "--in-writing/--by-call", help="its customer can be written to, or only be called"
        ),
    ] = True,
    centre: Annotated[
        str | None, typer.Option(metavar="CENTRE", help="\\[default: the region's, by the roster]")
    ] = None,
    calendar: Annotated[
        str | None, typer.Option(metavar="NAME", help="the centre's \\[default: by the roster]")
    ] = None,
    generation: Annotated[int, typer.Option(min=1, help="2 after the first reopening")] = 1,
    at: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="when the clocks start, local \\[default: now]"),
    ] = None,
    policy: PolicyFile = None,
    json: AsJson = False,
) -> None:
    """Say what is promised on such an issue: which rule is taken, why, and when it would be due.

    With --policy no roster is asked: name --centre and its --calendar, if it matters.

    Example: yinuo policy explain --kind fault --severity major --product-line ATM --region 广东
    """
    if policy:
        rulebook, home = read_rulebook(policy, to_be_planned=True), None
    else:
        rulebook, home = aio.run(_asked(region, centre))
    facts = Facts(
        kind=kind,
        severity=severity,
        category=category,
        product_line=product_line,
        region=region,
        centre=home.id if home else centre or "",
        customer=customer,
        existing=existing,
        first_contact=first_contact,
        generation=generation,
        channel=channel,
        in_writing=in_writing,
    )
    start = asked_instant(at, rulebook.policy.zone, "--at")
    found = _explained(rulebook, facts, calendar or (home.calendar if home else None), start)
    if json:
        write_json(found.model_dump(mode="json", by_alias=True))  # a rule as policies write it
    else:
        tables.show(policy_pictures.explained(found))


async def _asked(region: str, centre: str | None) -> tuple[Rulebook, Centre]:
    """Return the desk's rulebook and the service centre, by its id or else the region's."""
    with a_file_instead():
        async with registers() as pool:
            rulebook = await adopted(pool)
            async with pool.acquire() as connection:
                if centre is None:
                    home = await roster.centre_of(connection, region)
                else:
                    home = await roster.centre(connection, centre)
    if home is None:
        wrong = f"--centre: there is no service centre {centre}"
        if centre is None:
            wrong = f"--region: no service centre serves {region}"
        raise InputError(f"{wrong}: see the roster's centres.csv")
    return rulebook, home


def _explained(rulebook: Rulebook, facts: Facts, calendar: str | None, at: datetime) -> Explanation:
    if unknown := tuple(rulebook.policy.terms.unknown(facts.kind, facts.category)):
        raise InputError("\n".join(f"--{each}" for each in unknown))
    if calendar is not None:
        asked_calendar(rulebook, calendar)
    try:
        return explanation.explain(rulebook, facts, calendar, at)
    except (CalendarExhausted, OverflowError) as beyond:
        raise InputError(f"--at: {at:%Y-%m-%d}: {beyond}") from None
