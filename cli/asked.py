"""What commands are asked about: which rulebook, which calendar, which moment, which day."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from cli.connections import registers
from cli.console import ExitCode, Failed
from domain.calendars.calendar import WorkingCalendar
from domain.calendars.timeline import first_instant
from domain.errors import InputError
from domain.sla.rulebook import Rulebook
from domain.terms import Terms
from runtime import aio, rulebook
from store import rulebooks
from store.connection import Pool

YEARS = range(1900, 3000)
"""Far enough from the ends of what Python can count for any period a policy may have."""

PolicyFile = Annotated[
    Path | None,
    typer.Option(
        "--policy", metavar="FILE", help="ask this file, without servers \\[default: ask the desk]"
    ),
]


def asked_rulebook(policy: Path | None) -> Rulebook:
    """Return the desk's current rulebook, or that of a policy file.

    Raises:
        InputError: the file cannot be used.
        Failed: the desk does not answer, or has adopted no rulebook yet.
    """
    return read_rulebook(policy) if policy else aio.run(_current_or_a_file())


def read_rulebook(path: Path, *, to_be_planned: bool = False) -> Rulebook:
    """Read a policy file; ``InputError`` names file, line and reason. One that is to be planned by
    is refused if from now on it could not be.
    """
    try:
        return rulebook.load(path, datetime.now(UTC) if to_be_planned else None)
    except rulebook.RulebookError as error:
        raise InputError(str(error)) from None


def asked_calendar(rulebook: Rulebook, name: str) -> WorkingCalendar:
    """Return a calendar by name; ``InputError`` lists those there are."""
    try:
        return rulebook.calendar(name)
    except KeyError:
        there_are = ", ".join(sorted(rulebook.calendars))
        raise InputError(f"there is no calendar {name}; there are: {there_are}") from None


def asked_instant(written: str | None, zone: str, option: str) -> datetime:
    """Read a time (UTC), local to ``zone`` if it names none itself; without one, this second."""
    if written is None:
        return datetime.now(UTC).replace(microsecond=0)
    try:
        at = datetime.fromisoformat(written)
    except ValueError:
        raise InputError(
            f'{option}: "{written}" is no time: write it like "2026-09-30 17:00"'
        ) from None
    if at.year not in YEARS:
        raise InputError(f"{option}: {written}: give a year from {YEARS[0]} to {YEARS[-1]}")
    return at.astimezone(UTC) if at.tzinfo else first_instant(at, ZoneInfo(zone))


def asked_day(written: str, option: str) -> date:
    """Read a local day; ``InputError`` says how to write one."""
    try:
        day = date.fromisoformat(written)
    except ValueError:
        raise InputError(f'{option}: "{written}" is no day: write it like "2026-11-30"') from None
    if day.year not in YEARS:
        raise InputError(f"{option}: {written}: give a year from {YEARS[0]} to {YEARS[-1]}")
    return day


async def current() -> Rulebook:
    """Return the desk's current rulebook.

    Raises:
        Failed: the desk does not answer, or has adopted no rulebook yet.
    """
    async with registers() as pool:
        return await adopted(pool)


async def adopted(pool: Pool) -> Rulebook:
    """Return the rulebook that new promises are made under; ``Failed`` if there is none yet."""
    async with pool.acquire() as connection:
        found = await rulebooks.current(connection)
    if found is None:
        raise Failed(ExitCode.NOT_FOUND, rulebooks.NO_POLICY)
    return found


async def terms(pool: Pool) -> Terms:
    """Return what the desk calls its own (R37); before its first policy, what is usual."""
    async with pool.acquire() as connection:
        found = await rulebooks.current(connection)
    return found.policy.terms if found else Terms()


@contextmanager
def a_file_instead() -> Iterator[None]:
    """Add to whatever keeps the desk from answering that a file can be asked."""
    try:
        yield
    except Failed as failure:
        if failure.code not in {ExitCode.UNAVAILABLE, ExitCode.NOT_FOUND}:
            raise
        raise Failed(
            failure.code, f"{failure}\nWithout the desk, --policy FILE asks a policy file instead."
        ) from failure


async def _current_or_a_file() -> Rulebook:
    with a_file_instead():
        return await current()
