"""How a step of an issue begins: what it goes by is read in one statement, under locks that let
none of it change before the step is written.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

import asyncpg

from domain.issue.step import Recorded, Step
from domain.standing import Standing
from domain.vocabulary import Model, Outcome
from store import issue_writer, roster, rulebooks, standing
from store.connection import Connection, Pool
from store.issue_writer import IssueContext

_BEGIN = f"""
    BEGIN;
    SELECT pg_advisory_xact_lock_shared({roster.LOCK}),
        pg_advisory_xact_lock_shared({rulebooks.LOCK})
"""
_READ = f"""
    WITH issue AS ({issue_writer.CASE} FOR UPDATE)
    SELECT s.reason AS held_because, s.since AS held_since,
        s.proof IS NOT DISTINCT FROM this_server() AS proved,
        (SELECT version FROM adoptions ORDER BY id DESC LIMIT 1) AS rulebook_now,
        (SELECT version::text FROM roster_version) AS roster_now,
        e.recorded,
        e.recorded IS NOT NULL AND issue.closed_at IS NOT NULL AND NOT EXISTS (
            SELECT FROM promises p WHERE p.issue_id = issue.id AND p.ended_at IS NULL
        ) AS over,
        issue.*
    FROM standing s
    LEFT JOIN issue ON true LEFT JOIN issue_events e ON e.issue_id = issue.id AND e.seq = $2
"""  # noqa: S608  our own text


class Before(Model):
    """What was recorded in a step's place before: by the workflow ``run``, in an issue that is
    ``over`` or not.

    That is usually this very step, whose answer was lost. If a crash cut a workflow task off, its
    causes may come again in another order: then it is another step, which the workflow is to catch
    up with first.
    """

    recorded: Recorded
    run: str
    outcome: Outcome | None
    over: bool


class Beginning(NamedTuple):
    """What a step goes by: what stands in its place, if anything does; the issue as the register
    has it, unless this is its registration; and the versions of rulebook and roster that count.
    """

    before: Before | None
    case: IssueContext | None
    rulebook: str
    roster: str


@asynccontextmanager
async def step(pool: Pool) -> AsyncIterator[Connection]:
    """One transaction, begun and under its locks in one round trip: neither the rulebook nor the
    roster that counts becomes another while it lasts. An issue registered by an older rulebook just
    after open ones were planned again would be forgotten, and who is just leaving be chosen.
    """
    async with pool.acquire() as connection:
        try:
            await connection.execute(_BEGIN)  # begun it is also if it waits for a lock in vain
            yield connection
        except BaseException:
            if not connection.is_closed():
                await connection.execute("ROLLBACK")
            raise
        await connection.execute("COMMIT")


async def read(connection: Connection, step: Step) -> Beginning:
    """Read what a step goes by, and lock its issue until the transaction ends.

    Raises:
        Held, Unproved: the register may not be worked on; see ``store.standing``.
        LookupError: the desk has no policy yet.
    """
    row = await connection.fetchrow(_READ, step.issue_id, step.seq)
    if row is None:
        raise LookupError(standing.EMPTY)
    standing.check(
        Standing(proved=row["proved"], reason=row["held_because"], since=row["held_since"])
    )
    if row["rulebook_now"] is None:
        raise LookupError(rulebooks.NO_POLICY)
    return Beginning(
        before=_before(row) if row["recorded"] is not None else None,
        case=issue_writer.context(row) if row["id"] is not None else None,
        rulebook=row["rulebook_now"],
        roster=row["roster_now"],
    )


def _before(row: asyncpg.Record) -> Before:
    return Before(**{name: row[name] for name in Before.model_fields})
