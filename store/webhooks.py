"""Receivers of events, and what waits for them.

A receiver has a cursor in the log of events, and a row for each event that was looked out for it
and is not accepted yet: so nothing is lost between the two, whoever dies when. One worker at a time
tells a receiver; what it holds is free again soon after it was last heard of.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import asyncpg
from pydantic import Field

from domain.vocabulary import Instant, Model
from domain.webhooks import Endpoint, NewEndpoint, State, Waiting
from store import event_log, standing
from store.connection import Connection, Pool
from store.event_log import Position, Whose

LEASE = timedelta(seconds=20)
"""So long a worker holds a receiver after it was last heard of."""


class Served(Endpoint):
    """A receiver as whoever tells it has to know it. Secrets are sealed."""

    secret: str = Field(repr=False)
    former: str | None = Field(default=None, repr=False)


class Parcel(NamedTuple):
    """An event that is to be brought to a receiver now."""

    id: int
    event_id: str
    issue_id: str
    seq: int
    body: str
    attempts: int
    """So far."""
    first_at: datetime | None
    """When it was first tried."""


class Failed(NamedTuple):
    """What was not accepted: why, and when it is tried again."""

    id: int
    at: datetime
    error: str
    again: datetime


class Fortunes(Model):
    """How a receiver does after some deliveries; see ``Endpoint``."""

    failures: int
    rests_until: Instant | None
    tried_at: Instant | None
    taken_at: Instant | None
    last_error: str | None


# Who is told --------------------------------------------------------------------------------------


async def add(
    connection: Connection, wanted: NewEndpoint, id_: str, secret: str, at: datetime
) -> Endpoint:
    """Tell a receiver of what is written down from now on; its secret is sealed."""
    cursor = await event_log.now(connection)
    row = wanted.model_dump() | {
        "id": id_,
        "secret": secret,
        "created_at": at,
        "cursor": cursor.text,
    }
    places = ", ".join(f"${place}" for place in range(1, len(row) + 1))
    await connection.execute(
        f"INSERT INTO webhook_endpoints ({', '.join(row)}) VALUES ({places})",  # noqa: S608  columns are the model's
        *row.values(),
    )
    return Endpoint(**wanted.model_dump(), id=id_, created_at=at)


async def change(connection: Connection, id_: str, wanted: NewEndpoint) -> bool:
    """Have a receiver elsewhere, or tell it something else, as soon as whoever tells it looks again
    at whom they hold. What was looked out for it before stays so. False: there is none of that id.
    """
    row = wanted.model_dump()
    changes = ", ".join(f"{name} = ${place}" for place, name in enumerate(row, start=2))
    changed = await connection.execute(
        f"UPDATE webhook_endpoints SET {changes} WHERE id = $1",  # noqa: S608  columns are the model's
        *(id_, *row.values()),
    )
    return str(changed) == "UPDATE 1"


async def served(connection: Connection, id_: str) -> Served | None:
    """Return a receiver with its secrets; None: there is none."""
    row = await connection.fetchrow("SELECT * FROM webhook_endpoints WHERE id = $1", id_)
    return _served(row) if row else None


async def listed(pool: Pool) -> list[Waiting]:
    """List all receivers, the oldest first, and what waits for each."""
    rows = await pool.fetch(
        """
        SELECT e.*, d.waiting, d.since FROM webhook_endpoints e CROSS JOIN LATERAL (
            SELECT count(*)::int AS waiting, min(first_at) AS since FROM webhook_deliveries
            WHERE endpoint = e.id
        ) d ORDER BY created_at, id
        """
    )
    return [
        Waiting(endpoint=_endpoint(row), waiting=row["waiting"], since=row["since"]) for row in rows
    ]


async def rotate(connection: Connection, id_: str, secret: str, former_until: datetime) -> bool:
    """Give a receiver another secret; the one it had signs as well until then. False: there is
    none of that id.
    """
    changed = await connection.execute(
        """
        UPDATE webhook_endpoints SET secret = $2, former = secret, former_until = $3 WHERE id = $1
        """,
        *(id_, secret, former_until),
    )
    return str(changed) == "UPDATE 1"


async def enable(connection: Connection, id_: str) -> bool:
    """Tell a receiver again, from where it was left; what waits is tried as if for the first time.
    False: there is none of that id.
    """
    changed = await connection.execute(
        """
        UPDATE webhook_endpoints SET state = 'on', why = NULL, failures = 0, rests_until = NULL
        WHERE id = $1
        """,
        id_,
    )
    await connection.execute(
        "UPDATE webhook_deliveries SET attempts = 0, first_at = NULL, next_at = '-infinity'"
        " WHERE endpoint = $1",
        id_,
    )
    return str(changed) == "UPDATE 1"


async def disable(connection: Connection, id_: str, state: State, why: str) -> bool:
    """Tell a receiver no more; what comes waits for it. False: it is not told, or is not there."""
    changed = await connection.execute(
        """
        UPDATE webhook_endpoints SET state = $2, why = $3, held_by = NULL, held_until = NULL
        WHERE id = $1 AND state = 'on'
        """,
        *(id_, state, why),
    )
    return str(changed) == "UPDATE 1"


async def remove(connection: Connection, id_: str) -> bool:
    """Forget a receiver and what waits for it; False: there is none of that id."""
    gone = await connection.execute("DELETE FROM webhook_endpoints WHERE id = $1", id_)
    return str(gone) == "DELETE 1"


async def mute(connection: Connection) -> None:
    """Tell nobody: this desk is a drill's."""
    await connection.execute(
        "UPDATE webhook_endpoints SET state = 'off', why = 'restored for a drill'"
    )


# Telling them -------------------------------------------------------------------------------------


async def hold(pool: Pool, worker: str) -> list[Served]:
    """Hold the receivers that this worker holds already, and those that nobody does."""
    rows = await pool.fetch(
        """
        UPDATE webhook_endpoints SET held_by = $1, held_until = now() + $2
        WHERE state = 'on' AND (held_by = $1 OR held_until IS NULL OR held_until < now())
        RETURNING *
        """,
        *(worker, LEASE),
    )
    return [_served(row) for row in rows]


async def let_go(pool: Pool, worker: str) -> None:
    """Hold nothing any more: others need not wait."""
    await pool.execute(
        "UPDATE webhook_endpoints SET held_by = NULL, held_until = NULL WHERE held_by = $1", worker
    )


async def look_out(pool: Pool, endpoint: Endpoint, worker: str, most: int, enough: int) -> bool:
    """Look out for the events after a receiver's cursor, at most so many, unless ``enough`` wait
    already; say whether there was anything. To find nothing writes nothing.

    Raises:
        Held, Unproved: the register may not be worked on.
    """
    async with pool.acquire() as connection, connection.transaction():
        await standing.require(connection)
        row = await connection.fetchrow(
            """
            SELECT cursor, (
                SELECT count(*) FROM webhook_deliveries WHERE endpoint = $1
            ) AS waiting FROM webhook_endpoints WHERE id = $1 AND held_by = $2
            """,
            *(endpoint.id, worker),
        )
        if row is None or row["waiting"] >= enough:
            return False
        whose = Whose(source=endpoint.source, department=endpoint.department)
        page = await event_log.page(connection, whose, Position.read(row["cursor"]), most)
        if page.position.text == row["cursor"]:
            return False
        moved = await connection.execute(
            """
            UPDATE webhook_endpoints SET cursor = $3
            WHERE id = $1 AND held_by = $2 AND cursor = $4
            """,
            *(endpoint.id, worker, page.position.text, row["cursor"]),
        )
        if str(moved) != "UPDATE 1":  # somebody else holds it by now
            return False
        await connection.executemany(
            """
            INSERT INTO webhook_deliveries (endpoint, event_id, issue_id, seq, body)
            VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING
            """,
            [
                (endpoint.id, each.id, each.data.id, each.data.seq, each.model_dump_json())
                for _, each in page.events
                if endpoint.wants(each)
            ],
        )
    return True


async def due(
    pool: Pool,
    endpoint: str,
    worker: str,
    under_way: Collection[str],
    now: datetime,
    most: int,
    *,
    least_refused: bool = False,
) -> list[Parcel]:
    """List what this worker is to bring to a receiver now, at most so much: of each issue the next,
    and none of those of which one is ``under_way``. So an issue's events arrive in their order.
    Those that were ``least_refused`` first, if one is tried alone: what is refused again and again
    says little of a receiver.
    """
    rows = await pool.fetch(
        """
        SELECT d.id, event_id, d.issue_id, seq, body, attempts, first_at FROM (
            SELECT DISTINCT ON (issue_id) id, next_at FROM webhook_deliveries
            WHERE endpoint = $1 AND issue_id <> ALL($2::text[]) ORDER BY issue_id, id
        ) next JOIN webhook_deliveries d USING (id)
        WHERE next.next_at <= $3 AND (SELECT state = 'open' FROM standing) AND EXISTS (
            SELECT FROM webhook_endpoints WHERE id = $1 AND state = 'on' AND held_by = $4
        )
        ORDER BY CASE WHEN $6 THEN attempts ELSE 0 END, id LIMIT $5
        """,
        *(endpoint, list(under_way), now, worker, most, least_refused),
    )
    return [Parcel(*row) for row in rows]


async def settle(
    connection: Connection,
    endpoint: str,
    fortunes: Fortunes,
    taken: Sequence[int],
    failed: Sequence[Failed],
) -> None:
    """Write down what became of some deliveries, and how the receiver does since."""
    await connection.execute("DELETE FROM webhook_deliveries WHERE id = ANY($1::bigint[])", taken)
    await connection.executemany(
        """
        UPDATE webhook_deliveries SET attempts = attempts + 1, first_at = coalesce(first_at, $2),
            last_error = $3, next_at = $4
        WHERE id = $1
        """,
        failed,
    )
    row = fortunes.model_dump()
    changes = ", ".join(f"{name} = ${place}" for place, name in enumerate(row, start=2))
    await connection.execute(
        f"UPDATE webhook_endpoints SET {changes} WHERE id = $1",  # noqa: S608  columns are the model's
        *(endpoint, *row.values()),
    )


async def unsaid(pool: Pool, template: str) -> list[str]:
    """List messages of a wording that were not brought out: no issue's workflow knows of them."""
    rows = await pool.fetch(
        "SELECT key FROM outbox WHERE settled_at IS NULL AND template = $1 ORDER BY key", template
    )
    return [row["key"] for row in rows]


_OF_ENDPOINT = tuple(Endpoint.model_fields)


def _endpoint(row: asyncpg.Record) -> Endpoint:
    return Endpoint(**{name: row[name] for name in _OF_ENDPOINT})


def _served(row: asyncpg.Record) -> Served:
    return Served(**{name: row[name] for name in Served.model_fields})
