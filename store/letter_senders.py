"""Who wrote which letter when: a sender who writes more in an hour than the policy allows is a
robot, or needs a person. Counted in the register, so that it holds for all processes and after a
restart.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from domain.sla.policy import Letters
from domain.vocabulary import Instant, Model
from store.connection import Connection, Pool
from store.kept_words import KeptWith, Why

HOUR = timedelta(hours=1)
_LETTERS = 0x4C455454
"""``LETT``, with a sender: two letters of one at once would both be the last that is allowed."""


class Written(Model):
    """A letter that is to become this issue, or belongs to the one it is ``about``; ``sender`` as
    mailboxes are compared, ``words`` the same for letters that say the same.
    """

    issue_id: str
    message_id: str | None
    sender: str
    words: str
    at: Instant
    about: str | None = None


class Named(Model):
    """An issue that somebody's words name, by what its customer is known, and what they were told
    lately. Confidential (R30).
    """

    id: str
    number: str
    registered_at: Instant
    redirected: int
    email: str | None
    phone: str | None
    opened_from: str | None
    """The mailbox of the letter that became this issue."""
    told: tuple[str, ...]


class TooMany(Exception):
    """Its sender wrote as many letters as they may. ``first`` is the issue of the first of them, to
    keep this one with; None: none of them is in the register yet.
    """

    def __init__(self, first: KeptWith | None) -> None:
        super().__init__()
        self.first = first


async def admit(pool: Pool, letter: Written, allowed: Letters) -> None:
    """Let a letter become an issue; one that was let before always may.

    Raises:
        TooMany: it may not.
    """
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(
            "SELECT pg_advisory_xact_lock($1, hashtext($2))", _LETTERS, letter.sender
        )
        if await _known(connection, letter.issue_id):
            return
        hour = await connection.fetch(
            """
            SELECT i.id, i.number, l.words
            FROM letter_senders l LEFT JOIN issues i ON i.id = coalesce(l.about, l.issue_id)
            WHERE l.sender = $1 AND l.at > $2 ORDER BY l.at, l.issue_id
            """,
            *(letter.sender, letter.at - HOUR),
        )
        alike = [row for row in hour if row["words"] == letter.words]
        for before, most in ((alike, allowed.alike), (hour, allowed.per_hour)):
            if len(before) >= most:
                first = next((row for row in before if row["id"]), None)
                raise TooMany(first and KeptWith(first["id"], first["number"], Why.TOO_MANY))
        columns = ", ".join(Written.model_fields)
        await connection.execute(
            f"INSERT INTO letter_senders ({columns}) VALUES ($1, $2, $3, $4, $5, $6)",  # noqa: S608
            *letter.model_dump().values(),
        )


async def forget(pool: Pool, issue_id: str) -> None:
    """Take back that a letter becomes an issue, unless it did: the desk refused it."""
    await pool.execute(
        "DELETE FROM letter_senders WHERE issue_id = $1"
        " AND NOT EXISTS (SELECT FROM issues WHERE id = $1)",
        issue_id,
    )


async def named(pool: Pool, numbers: Sequence[str]) -> list[Named]:
    """Find the issues of these numbers, in their order: those there are; then those that were
    merged into them, whose customers know by which number they are answered.
    """
    rows = await pool.fetch(
        """
        SELECT i.id, i.number, i.registered_at, i.redirected, i.email, i.phone,
            l.sender AS opened_from, ARRAY(
            SELECT o.body FROM outbox o
            WHERE o.issue_id = i.id AND o.audience = 'customer' ORDER BY o.seq DESC LIMIT 20
        ) AS told
        FROM issues i LEFT JOIN letter_senders l ON l.issue_id = i.id
        WHERE i.number = ANY($1) OR i.id IN (
            SELECT p.party_id FROM issue_parties p JOIN issues s ON s.id = p.issue_id
            WHERE s.number = ANY($1)
        ) ORDER BY array_position($1, i.number), i.number
        """,
        list(numbers),
    )
    return [Named(**dict(row)) for row in rows]


async def _known(connection: Connection, issue_id: str) -> bool:
    """Say whether a letter was let before, or became an issue before senders were counted."""
    return bool(
        await connection.fetchval(
            "SELECT EXISTS (SELECT FROM letter_senders WHERE issue_id = $1)"
            " OR EXISTS (SELECT FROM issues WHERE id = $1)",
            issue_id,
        )
    )
