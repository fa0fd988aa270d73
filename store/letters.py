"""Letters as they came, with the issues that were made of them or that they are about."""

from __future__ import annotations

import asyncio
import zlib
from datetime import datetime
from hashlib import sha256

from domain.vocabulary import Instant, Model
from store.connection import Pool

_ID_LENGTH = 16


class KeptLetter(Model):
    """One letter of an issue; ``size`` in bytes."""

    id: str
    received_at: Instant
    size: int


async def keep(pool: Pool, issue_id: str, raw: bytes, at: datetime) -> str:
    """Keep a letter with an issue, which need not be in the register yet, and return what it is
    known by there. The same letter is kept once.
    """
    id_ = _id(raw)
    packed = await asyncio.to_thread(zlib.compress, raw)
    await pool.execute(
        """
        INSERT INTO letters (issue_id, id, received_at, size, packed) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT DO NOTHING
        """,
        *(issue_id, id_, at, len(raw), packed),
    )
    return id_


async def has(pool: Pool, issue_id: str, raw: bytes) -> bool:
    """Say whether that very letter is kept with an issue."""
    known = "SELECT EXISTS (SELECT FROM letters WHERE issue_id = $1 AND id = $2)"
    return bool(await pool.fetchval(known, issue_id, _id(raw)))


async def of_issue(pool: Pool, issue_id: str) -> list[KeptLetter]:
    """List what is kept of an issue's letters, in the order they came."""
    rows = await pool.fetch(
        "SELECT id, received_at, size FROM letters WHERE issue_id = $1 ORDER BY received_at, id",
        issue_id,
    )
    return [KeptLetter.model_validate(dict(row)) for row in rows]


async def read(pool: Pool, issue_id: str, id_: str) -> bytes | None:
    """Return a letter as it came; None: it is not kept (any more)."""
    packed = await pool.fetchval(
        "SELECT packed FROM letters WHERE issue_id = $1 AND id = $2", issue_id, id_
    )
    return None if packed is None else await asyncio.to_thread(zlib.decompress, packed)


async def forget(pool: Pool, before: datetime) -> int:
    """Keep no longer what came before an instant, and say how many letters that was."""
    done = await pool.execute("DELETE FROM letters WHERE received_at < $1", before)
    return int(done.rpartition(" ")[2])


def _id(raw: bytes) -> str:
    return sha256(raw).hexdigest()[:_ID_LENGTH]
