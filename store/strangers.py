"""What is known of the addresses that open doors take, and how often those of strangers heard of us
(``domain.strangers``). Everything here belongs to the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from domain.issue.act import ActionName
from domain.letters import mailbox
from domain.strangers import VOUCHING, Acquaintance
from domain.vocabulary import Outcome, Role
from store.connection import Connection

HOUR = timedelta(hours=1)


async def acquaintance(
    connection: Connection, issue_id: str, address: str, open_doors: Collection[str]
) -> Acquaintance:
    """Say what the register knows of a customer's address, a telephone number or e-mail, for which
    this issue came in; ``open_doors`` are the channels at which nobody is spoken with.
    """
    row = await connection.fetchrow(
        f"""
        WITH theirs AS NOT MATERIALIZED (
            SELECT id, channel, outcome FROM issues WHERE {_same(address)} AND id <> $1
        )
        SELECT
            EXISTS (
                SELECT FROM issue_events WHERE issue_id = $1 AND role = ANY($3)
                    AND action <> '{ActionName.REGISTERED}'
            ) AS taken_up,
            EXISTS (SELECT FROM theirs WHERE channel <> ALL($4)) AS spoken_with,
            EXISTS (SELECT FROM theirs WHERE outcome = '{Outcome.SOLVED}') AS solved,
            EXISTS (
                SELECT FROM theirs t JOIN issue_events e ON e.issue_id = t.id
                WHERE e.role = '{Role.CUSTOMER}'
            ) AS answered
        """,  # noqa: S608  our own text
        *(issue_id, address, list(VOUCHING), list(open_doors)),
    )
    return Acquaintance(**dict(row)) if row else Acquaintance()


def _same(address: str) -> str:
    return "lower(email) = lower($2)" if "@" in address else "dialled(phone) = dialled($2)"


async def may_hear(connection: Connection, address: str, at: datetime, per_hour: int) -> bool:
    """Say whether a stranger's address may be written to once more within the hour, and count it.
    Who asks at the same moment waits for the other.
    """
    asked = await connection.fetchval(
        """
        INSERT INTO told_strangers AS t (address, told)
        VALUES (CASE WHEN $4 THEN $1 ELSE dialled($1) END, ARRAY[$2::timestamptz])
        ON CONFLICT (address) DO UPDATE SET told = ARRAY(
            SELECT each FROM unnest(t.told) AS each WHERE each > $2::timestamptz - $5::interval
        ) || $2::timestamptz
        WHERE (
            SELECT count(*) FROM unnest(t.told) AS each
            WHERE each > $2::timestamptz - $5::interval
        ) < $3
        RETURNING true
        """,
        *(mailbox(address) if "@" in address else address, at, per_hour, "@" in address, HOUR),
    )
    return bool(asked)
