"""Reading registers and forms for export: any of them, of a period, or what a form said before.

Rows come through a cursor on the server, as of one instant, so that a register of any size can be
written out. What a reader may not see is never asked for (R30).
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, TypeAlias

import asyncpg
from pydantic import Field

from domain.terms import Terms
from domain.vocabulary import Instant, Model, Zone
from store.connection import Pool
from store.exports.columns import Column, Register
from store.exports.forms import FORMS, REPLACED
from store.exports.oversight import OVERSIGHT
from store.exports.telephone import CALLS, TELEPHONE

Rows: TypeAlias = "AsyncIterable[asyncpg.Record]"

REGISTERS: Mapping[str, Register] = {
    each.name: each for each in (*FORMS, *OVERSIGHT, TELEPHONE, CALLS)
}
"""All there are, by name."""

_PREFETCH = 1000
"""Rows that are in memory at a time."""


class Asked(Model):
    """Which rows: those of the register's own date from ``since`` up to, not including, ``until``.

    Days of the telephone statistics are those of ``zone``; a call is answered in time if it rang no
    longer than ``ring_seconds`` (R7).
    """

    since: Instant | None = None
    until: Instant | None = None
    zone: Zone
    ring_seconds: int = Field(default=20, ge=0)


class RegisterSize(Model):
    """How many rows a register has; ``earlier`` what its forms said before, if that is kept."""

    name: str
    zh: str
    en: str
    rows: int
    earlier: int | None


def named(written: str) -> Register:
    """Find a register by its name, as commands or as the regulation write it.

    Raises:
        LookupError: naming all there are.
    """
    wanted = written.strip("《》 ").replace("-", "_")
    for register in REGISTERS.values():
        if wanted in {register.name, register.zh}:
            return register
    raise LookupError(f"there is no register {written}; there are: {', '.join(REGISTERS)}")


def in_terms_of(register: Register, terms: Terms) -> Register:
    """Call kinds, categories and departments as a desk does (R37); the telephone statistics count
    by its kinds.
    """
    made = register.by_terms(terms) if register.by_terms else register.columns
    return replace(register, columns=tuple(column.in_terms_of(terms) for column in made))


def without_customers(register: Register) -> Register:
    """Leave out who the customer is and what they said (R30)."""
    columns = tuple(column for column in register.columns if not column.customers)
    return replace(register, columns=columns)


def history(register: Register) -> Register:
    """Return what the forms said before they were changed, oldest change first: their own columns,
    and who replaced them by which step. Its date is that of the change.

    Raises:
        LookupError: none of it is kept. Registers change with the steps of their issues, and those
            stay in the events; cases have a register of their revisions.
    """
    if not register.history:
        kept = ", ".join(each.name for each in REGISTERS.values() if each.history)
        raise LookupError(f"of {register.name} none is kept; there is one of: {kept}")
    own = tuple(c for c in register.columns if c.key == "number" or "f." in c.found)
    return replace(
        register,
        zh=f"{register.zh}（历史）",
        en=f"{register.en}, history",
        table="form_history",
        rows="",
        alias="h",
        date="h.replaced_at",
        order="h.id",
        join=f"""CROSS JOIN LATERAL jsonb_populate_record(NULL::{register.table}, h.was) f
            {register.join}
            LEFT JOIN issue_events e ON e.issue_id = h.issue_id AND e.seq = h.replaced_by""",
        where=f"h.form = '{register.table}'",
        columns=(*own[:1], *REPLACED, *own[1:]),
    )


@asynccontextmanager
async def reading(pool: Pool, register: Register, asked: Asked) -> AsyncIterator[Rows]:
    """Open a register, for as long as its rows are read; keys are those of its columns."""
    async with (
        pool.acquire() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        query = f"{_select(register, register.columns)} ORDER BY {register.order}"
        yield connection.cursor(query, *_values(asked), prefetch=_PREFETCH)


async def held(pool: Pool, zone: str) -> list[RegisterSize]:
    """Count what is in every register, as of one instant."""
    asked = Asked(zone=zone)
    async with (
        pool.acquire() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):

        async def count(register: Register) -> int:
            rows = _select(register, register.columns[:1])
            found: int = await connection.fetchval(
                f"SELECT count(*) FROM ({rows}) AS r",  # noqa: S608
                *_values(asked),
            )
            return found

        return [
            RegisterSize(
                name=each.name,
                zh=each.zh,
                en=each.en,
                rows=await count(each),
                earlier=await count(history(each)) if each.history else None,
            )
            for each in REGISTERS.values()
        ]


def _select(register: Register, columns: tuple[Column, ...]) -> str:
    """Write the query; all of it is ours, values are parameters."""
    shown = ",\n".join(f'{column.found} AS "{column.key}"' for column in columns)
    return f"""
        WITH asked AS (
            SELECT coalesce($1::timestamptz, '-infinity') AS since,
                coalesce($2::timestamptz, 'infinity') AS until,
                $3::text AS zone, $4::int AS ring_seconds
        )
        SELECT {shown}
        FROM {register.rows or register.table} {register.alias} {register.join} CROSS JOIN asked
        WHERE {register.date} >= asked.since AND {register.date} < asked.until
            AND {register.where}
        {f"GROUP BY {register.group}" if register.group else ""}
    """  # noqa: S608 - the pieces are those of registers


def _values(asked: Asked) -> tuple[Any, ...]:
    return (asked.since, asked.until, asked.zone, asked.ring_seconds)
