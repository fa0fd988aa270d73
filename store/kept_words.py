"""Words that are no issue of their own, kept with the issue they belong to: nothing that somebody
wrote vanishes behind a success. Confidential, as the customer is (R30).
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from domain.issue.thread import Sort
from domain.vocabulary import Instant, Model
from store import issue_words
from store.connection import Connection, Pool


class Why(StrEnum):
    """Why words did not become an issue of their own."""

    SAME_ID = "same_id"
    """They came under the id of an issue that says something else."""
    TOO_MANY = "too_many"
    """Their sender wrote more in an hour than the policy allows."""
    ADDED = "added"
    """Whoever wrote them wanted them added."""
    NOTE = "note"
    """Somebody of ours noted them when the issue was over."""
    PASSED_ON = "passed_on"
    """Their customer wrote them, and the issue that speaks for this one has them."""
    NOT_ATTACHED = "not_attached"
    """They tell which files of a letter were not taken, and why."""


class Kept(Model):
    """What was written, by whom, at which door. The same ``key`` is the same words, however often
    they come.
    """

    key: str
    issue_id: str
    at: Instant
    door: str
    sender: str = ""
    subject: str = ""
    body: str
    why: Why


class KeptWith(NamedTuple):
    """The issue that words are kept with."""

    issue_id: str
    number: str
    why: Why


_COLUMNS = ", ".join(Kept.model_fields)
_PLACES = ", ".join(f"${place}" for place in range(1, len(Kept.model_fields) + 1))


async def keep(connection: Connection | Pool, kept: Kept) -> bool:
    """Keep words with their issue; False if these were kept before.

    Raises:
        asyncpg.ForeignKeyViolationError: the register has no such issue (yet).
    """
    said = issue_words.of_entry(Sort.WORDS, {**kept.model_dump(), "number": kept.issue_id})
    new = await connection.fetchval(
        f"""
        WITH kept AS (
            INSERT INTO kept_words ({_COLUMNS}) VALUES ({_PLACES})
            ON CONFLICT (key) DO NOTHING RETURNING 1
        ), worded AS ({issue_words.WRITE.format(place=len(Kept.model_fields) + 1)})
        SELECT count(*) FROM kept
        """,  # noqa: S608  the columns are the models'
        *kept.model_dump().values(),
        issue_words.rows(kept.issue_id, said, kept=kept.key),
    )
    return bool(new)


async def of_issue(connection: Connection | Pool, issue_id: str) -> list[Kept]:
    """List what is kept with an issue, oldest first."""
    rows = await connection.fetch(
        f"SELECT {_COLUMNS} FROM kept_words WHERE issue_id = $1 ORDER BY at, key",  # noqa: S608
        issue_id,
    )
    return [Kept(**dict(row)) for row in rows]


async def kept_with(pool: Pool, key: str) -> KeptWith | None:
    """Say with which issue words are kept; None: they are not."""
    row = await pool.fetchrow(
        "SELECT i.id, i.number, k.why FROM kept_words k JOIN issues i ON i.id = k.issue_id"
        " WHERE k.key = $1",
        key,
    )
    return KeptWith(row["id"], row["number"], Why(row["why"])) if row else None
