"""Who attached what to which issue. The contents lie elsewhere (``runtime/contents.py``), under
their digests; a row is written when its content is there.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from datetime import datetime

import asyncpg

from domain.attachments import Attachment, Extent, Limits, Standing
from domain.issue.thread import Sort
from store import issue_words
from store.connection import Connection, Pool

_COLUMNS = ", ".join(Attachment.model_fields)
_PLACES = ", ".join(f"${place}" for place in range(1, len(Attachment.model_fields) + 1))
_SELECT = f"SELECT {_COLUMNS} FROM attachments"  # noqa: S608  the columns are the model's


async def add(connection: Connection, new: Attachment, limits: Limits) -> Attachment:
    """Attach something, within the caller's transaction; the same content under the same name is
    attached to an issue once, and what stands is returned.

    Raises:
        NotTaken: the issue has no room for more.
    """
    await connection.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended('attachments ' || $1, 0))", new.issue_id
    )
    known = await connection.fetchrow(
        f"{_SELECT} WHERE issue_id = $1 AND digest = $2 AND name = $3",
        *(new.issue_id, new.digest, new.name),
    )
    if known:
        return _attachment(known)
    limits.require_room(await extent(connection, new.issue_id), new.size)
    called = issue_words.of_entry(Sort.ATTACHMENT, {**new.model_dump(), "number": new.issue_id})
    await connection.execute(
        f"""
        WITH attached AS (INSERT INTO attachments ({_COLUMNS}) VALUES ({_PLACES}))
        {issue_words.WRITE.format(place=len(Attachment.model_fields) + 1)}
        """,  # noqa: S608  the columns are the model's
        *new.model_dump().values(),
        issue_words.rows(new.issue_id, called, kept=new.id),
    )
    return new


async def extent(connection: Connection | Pool, issue_id: str) -> Extent:
    """Say how much is attached to an issue; what was removed does not count."""
    row = await connection.fetchrow(
        "SELECT count(*), coalesce(sum(size), 0)::bigint FROM attachments"
        " WHERE issue_id = $1 AND standing <> $2",
        *(issue_id, Standing.REMOVED),
    )
    return Extent(*row) if row else Extent()


async def of_issue(pool: Connection | Pool, issue_id: str) -> list[Attachment]:
    """List what is attached to an issue, oldest first."""
    rows = await pool.fetch(f"{_SELECT} WHERE issue_id = $1 ORDER BY at, id", issue_id)
    return [_attachment(row) for row in rows]


async def of_issues(pool: Pool, ids: Collection[str]) -> list[Attachment]:
    """List what is attached to these issues and not removed."""
    rows = await pool.fetch(
        f"{_SELECT} WHERE issue_id = ANY($1::text[]) AND standing <> $2 ORDER BY at, id",
        *(list(ids), Standing.REMOVED),
    )
    return [_attachment(row) for row in rows]


async def number_of(pool: Pool, issue_id: str) -> str | None:
    """Say which number an issue has, if it is in the register."""
    number: str | None = await pool.fetchval("SELECT number FROM issues WHERE id = $1", issue_id)
    return number


async def find(pool: Connection | Pool, id_: str) -> Attachment | None:
    """Find one by its id."""
    row = await pool.fetchrow(f"{_SELECT} WHERE id = $1", id_)
    return _attachment(row) if row else None


async def of_content(pool: Pool, digest: str) -> list[Attachment]:
    """List what has that content, wherever it is attached."""
    rows = await pool.fetch(
        f"{_SELECT} WHERE digest = $1 AND standing <> $2 ORDER BY at, id",
        *(digest, Standing.REMOVED),
    )
    return [_attachment(row) for row in rows]


async def stands(connection: Connection | Pool, id_: str, standing: Standing) -> None:
    """Write down that one can be had by now, or not any more."""
    await connection.execute("UPDATE attachments SET standing = $2 WHERE id = $1", id_, standing)


async def waiting(pool: Pool, limit: int) -> list[Attachment]:
    """List what waits for the scanner, longest first."""
    rows = await pool.fetch(
        f"{_SELECT} WHERE standing = $1 ORDER BY at LIMIT $2", Standing.WAITING, limit
    )
    return [_attachment(row) for row in rows]


async def forget(pool: Pool, before: datetime) -> int:
    """Keep no longer what was attached before an instant to issues that were closed before it, and
    say how many that was; nor is anything found by what it was called. Their contents are the deep
    audit's to remove.
    """
    return int(
        await pool.fetchval(
            """
            WITH forgotten AS (
                DELETE FROM attachments a WHERE a.at < $1 AND NOT EXISTS (
                    SELECT FROM issues i
                    WHERE i.id = a.issue_id AND (i.closed_at IS NULL OR i.closed_at >= $1))
                RETURNING a.issue_id, a.id
            ), words AS (
                DELETE FROM issue_words w USING forgotten f
                WHERE w.issue_id = f.issue_id AND w.seq = 0 AND w.kept = f.id
            )
            SELECT count(*) FROM forgotten
            """,
            before,
        )
    )


# Contents and rows --------------------------------------------------------------------------------


async def hold(connection: Connection, digest: str, *, alone: bool = False) -> None:
    """Until the transaction ends, nobody removes that content (``alone``: nor attaches it)."""
    lock = "pg_advisory_xact_lock" if alone else "pg_advisory_xact_lock_shared"
    await connection.execute(f"SELECT {lock}(hashtextextended('content ' || $1, 0))", digest)


async def spoken_of(connection: Connection | Pool, digests: Collection[str]) -> set[str]:
    """Say of which of these contents some row speaks."""
    rows = await connection.fetch(
        "SELECT DISTINCT digest FROM attachments WHERE digest = ANY($1::text[]) AND standing <> $2",
        *(list(digests), Standing.REMOVED),
    )
    return {row["digest"] for row in rows}


async def in_shard(pool: Pool, shard: str) -> list[Attachment]:
    """List whose digest begins with these hex digits, and whose content should be there."""
    rows = await pool.fetch(
        f"{_SELECT} WHERE digest >= $1 AND digest < $1 || 'g' AND standing <> $2 ORDER BY digest",
        *(shard, Standing.REMOVED),
    )
    return [_attachment(row) for row in rows]


async def every_digest(connection: Connection) -> AsyncIterator[str]:
    """Give the digest of each attachment that should have a content, however many there are; within
    the caller's transaction.
    """
    wanted = "SELECT digest FROM attachments WHERE standing <> $1"
    async for row in connection.cursor(wanted, Standing.REMOVED, prefetch=1000):
        yield row["digest"]


def _attachment(row: asyncpg.Record) -> Attachment:
    return Attachment.model_validate(dict(row))
