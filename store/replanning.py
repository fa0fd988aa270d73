"""Which open issues still go by an older rulebook, and what became of those planned again.

The register is the cursor: an issue that goes by the rulebook that counts is done, whatever was
interrupted or sent twice.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Sequence

from domain.issue.actions import ActionName
from domain.sla.policy import Facts
from domain.sla.promise import Promise, PromiseEnd
from domain.sla.replanning import Replanned
from domain.staff.roster import DeliveryChannel
from domain.vocabulary import Model
from store.connection import Pool
from store.issue_reader import promise
from store.issue_writer import whole_facts
from store.roster import channels

PAGE = 50
"""Issues planned at a stretch, half a millisecond a promise: nobody else waits longer for it."""


class StaleIssue(Model):
    """An open issue that goes by an older rulebook, with all it takes to plan it again."""

    id: str
    number: str
    seq: int
    facts: Facts
    calendar: str
    promises: tuple[Promise, ...]


async def _behind(
    pool: Pool, version: str, after: str, reaching: Sequence[DeliveryChannel]
) -> list[StaleIssue]:
    rows = await pool.fetch(
        """
        SELECT * FROM issues WHERE closed_at IS NULL AND rulebook <> $1 AND id > $2
        ORDER BY id LIMIT $3
        """,
        *(version, after, PAGE),
    )
    running = defaultdict(list)
    for row in await pool.fetch(
        "SELECT * FROM promises WHERE issue_id = ANY($1) AND ended_at IS NULL",
        [row["id"] for row in rows],
    ):
        running[row["issue_id"]].append(promise(row))
    return [
        StaleIssue(
            id=row["id"],
            number=row["number"],
            seq=row["seq"],
            facts=whole_facts(row, reaching),
            calendar=row["calendar"],
            promises=tuple(running[row["id"]]),
        )
        for row in rows
    ]


async def every_behind(pool: Pool, version: str) -> AsyncIterator[list[StaleIssue]]:
    """Go through the open issues that do not go by ``version``, page by page."""
    async with pool.acquire() as connection:
        reaching = await channels(connection)
    after = ""
    while page := await _behind(pool, version, after, reaching):
        yield page
        after = page[-1].id


async def mark_unchanged(pool: Pool, version: str, issues: Sequence[StaleIssue]) -> None:
    """Let issues that come out the same go by ``version``, unless they went on meanwhile: then they
    are looked at again.
    """
    async with pool.acquire() as connection, connection.transaction():
        moved = await connection.fetch(
            """
            UPDATE issues i SET rulebook = $1
            FROM unnest($2::text[], $3::int[]) AS known (id, seq)
            WHERE i.id = known.id AND i.seq = known.seq RETURNING i.id
            """,
            *(version, [issue.id for issue in issues], [issue.seq for issue in issues]),
        )
        await connection.execute(
            """
            UPDATE promises SET rulebook = $1
            WHERE issue_id = ANY($2) AND ended_at IS NULL AND outcome = $3
            """,
            *(version, [row["id"] for row in moved], PromiseEnd.OPEN),
        )


async def replanned(pool: Pool, adoption: int) -> AsyncIterator[tuple[Replanned, ...]]:
    """Read, issue by issue, what planning again changed after an adoption."""
    async with pool.acquire() as connection, connection.transaction(readonly=True):
        async for row in connection.cursor(
            f"""
            SELECT recorded->'step'->'promises' AS before, recorded->'promises' AS after
            FROM issue_events WHERE action = '{ActionName.REPLAN}'
                AND (content->>'adoption')::int = $1
            """,  # noqa: S608  our own text, in which the index recognises its action
            adoption,
        ):
            before = {p.key: p for p in map(Promise.model_validate, row["before"])}
            after = map(Promise.model_validate, row["after"])
            yield tuple(Replanned(before[p.key], p) for p in after if p != before[p.key])


async def numbers_behind(pool: Pool, version: str, limit: int = 20) -> tuple[int, list[str]]:
    """Count the open issues that do not go by ``version``, and name the first."""
    rows = await pool.fetch(
        """
        SELECT number, count(*) OVER () AS all FROM issues
        WHERE closed_at IS NULL AND rulebook <> $1 ORDER BY number LIMIT $2
        """,
        *(version, limit),
    )
    return (rows[0]["all"] if rows else 0), [row["number"] for row in rows]
