"""Whether the register may be worked on: its one row of standing, and its epochs.

The row names the server for which the register was last seen not to be older than Temporal. Every
transaction that works on it compares that with the server it is on, so that a register that was
restored, or failed over, under a running worker is noticed by the first one.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from domain.standing import Epoch, Standing
from store.connection import Connection, Pool
from store.serials import never_again

EMPTY = "the table standing is empty: run `yinuo migrate`"
_FURTHER_AHEAD = (
    "greatest(turns_ahead, (SELECT coalesce(max(turn), 0) FROM issue_events)) + (1::bigint << 32)"
)
"""Turns of events go on ahead of all that a server before can have given out, or whoever reads the
log on behind one of those would miss what is written, or written again, from now on. They are ids
of transactions, of which no server loses four thousand million.
"""
DOUBTFUL = "the register was restored: this may have arrived before"


class Held(Exception):
    """The register is older than Temporal: nothing is written or sent before it is repaired."""


class Unproved(Exception):
    """Nobody has compared the register with Temporal since it is where it is."""


async def standing(connection: Connection | Pool) -> Standing:
    """Read how the register stands."""
    row = await connection.fetchrow(
        "SELECT reason, since, proof IS NOT DISTINCT FROM this_server() AS proved FROM standing"
    )
    if row is None:
        raise LookupError(EMPTY)
    return Standing(**dict(row))


async def held_because(connection: Connection | Pool) -> str | None:
    """Say in a sentence why nothing works on the register; None: it is open."""
    return _sentence(await standing(connection))


async def require(connection: Connection | Pool) -> None:
    """Go on only with a register that may be worked on.

    Raises:
        Held: it is older than Temporal.
        Unproved: it is to be compared with Temporal first.
    """
    check(await standing(connection))


def check(now: Standing) -> None:
    """Do what ``require`` does, by how the register was read to stand."""
    if why := _sentence(now):
        raise Held(why)
    if not now.proved:
        raise Unproved("the register is just being compared with Temporal: send the same again")


def _sentence(now: Standing) -> str | None:
    if now.since is None:
        return None
    since = f"{now.since:%Y-%m-%d %H:%M} UTC"
    return f"the register is older than Temporal since {since}: run `yinuo repair` ({now.reason})"


async def hold(connection: Connection, reason: str) -> bool:
    """Let nothing work on the register; False if it was held already, for the reason it has."""
    changed = await connection.execute(
        f"""
        UPDATE standing SET state = 'held', reason = $1, since = now(),
            turns_ahead = {_FURTHER_AHEAD}
        WHERE state = 'open'
        """,  # noqa: S608  our own text
        reason,
    )
    return str(changed) == "UPDATE 1"


async def release(connection: Connection, known: Iterable[str]) -> int:
    """Let a held register be worked on again, on the server it is on; the caller has caught it up.

    ``known`` are the numbers that Temporal has: none is given out again. Of messages that wait
    nobody can tell whether they went out before: they are given up for lost, and whoever waits for
    them hands them to a person. Return how many these are; none if it was not held.
    """
    since = await connection.fetchval("SELECT since FROM standing WHERE state = 'held' FOR UPDATE")
    if since is None:
        return 0
    await never_again(connection, known)
    given_up = await _give_up(connection, since)
    await connection.execute(
        f"""
        UPDATE standing SET state = 'open', reason = NULL, since = NULL, proof = this_server(),
            turns_ahead = {_FURTHER_AHEAD}
        """  # noqa: S608  our own text
    )
    return given_up


async def _give_up(connection: Connection, since: datetime) -> int:
    """Give up what waited to be said by then: it may have been, and nothing is said twice."""
    given_up = await connection.execute(
        """
        UPDATE outbox SET status = 'unknown', last_error = $2
        WHERE status IN ('pending', 'sending') AND created_at <= $1
          AND coalesce(not_before <= $1, true)
        """,
        *(since, DOUBTFUL),
    )
    return int(str(given_up).split()[1])


async def restored(connection: Connection) -> None:
    """Let a register that was just restored be compared with Temporal before it is worked on, its
    numbers go on above whatever was given out since, and what waits in it be brought by a person;
    belongs to the caller's transaction.
    """
    await never_again(connection)
    await _give_up(connection, datetime.now(UTC))
    await connection.execute("UPDATE standing SET proof = NULL")


async def extent(connection: Connection) -> dict[str, Any]:
    """Say how far the register has come, for whoever has to choose among backups."""
    row = await connection.fetchrow(
        """
        SELECT (SELECT version_num FROM alembic_version) AS revision,
               current_setting('server_version') AS postgresql,
               (SELECT count(*) FROM issues) AS issues,
               (SELECT max(updated_at) FROM issues) AS last_step_at,
               (SELECT count(*) FROM attachments WHERE standing <> 'removed') AS attachments
        """
    )
    return dict(row or {})


async def here(connection: Connection) -> str:
    """Name the server that the register is on."""
    server: str = await connection.fetchval("SELECT this_server()")
    return server


async def prove(connection: Connection, server: str) -> None:
    """Write down that the register on that server is not older than Temporal.

    Raises:
        Unproved: it is on another by now.
    """
    proved = await connection.execute(
        f"""
        UPDATE standing SET proof = $1, turns_ahead = CASE
            WHEN proof IS DISTINCT FROM $1 THEN {_FURTHER_AHEAD} ELSE turns_ahead END
        WHERE this_server() = $1
        """,  # noqa: S608  our own text
        server,
    )
    if str(proved) != "UPDATE 1":
        raise Unproved("the register moved to another server while it was compared: once more")


# Epochs -------------------------------------------------------------------------------------------


async def newest_epoch(connection: Connection, *, confirmed: bool = False) -> Epoch | None:
    """Return the register's newest epoch; the newest that Temporal was seen to have."""
    row = await connection.fetchrow(
        """
        SELECT number, begun_at FROM epochs WHERE confirmed_at IS NOT NULL OR NOT $1
        ORDER BY number DESC, begun_at DESC LIMIT 1
        """,
        confirmed,
    )
    return Epoch(**dict(row)) if row else None


async def knows(connection: Connection, epoch: Epoch) -> bool:
    """Whether the register has lived through that epoch."""
    known: bool = await connection.fetchval(
        "SELECT EXISTS (SELECT FROM epochs WHERE number = $1 AND begun_at = $2)",
        *(epoch.number, epoch.begun_at),
    )
    return known


async def begin_epoch(connection: Connection, above: int = 0) -> Epoch:
    """Begin the next epoch, above all that the register knows and ``above``."""
    await connection.execute("SELECT FROM standing FOR UPDATE")  # one at a time
    row = await connection.fetchrow(
        """
        INSERT INTO epochs (number, begun_at)
        SELECT greatest(max(number), $1, 0) + 1, clock_timestamp() FROM epochs
        RETURNING number, begun_at
        """,
        above,
    )
    return Epoch(**dict(row or {}))


async def learn_epoch(connection: Connection, epoch: Epoch) -> None:
    """Take over an epoch that Temporal lived through without the register, which has caught up."""
    await connection.execute(
        "INSERT INTO epochs (number, begun_at, confirmed_at) VALUES ($1, $2, now())"
        " ON CONFLICT DO NOTHING",
        *(epoch.number, epoch.begun_at),
    )


async def confirm_epoch(connection: Connection | Pool, epoch: Epoch) -> None:
    """Write down that Temporal has that epoch."""
    await connection.execute(
        "UPDATE epochs SET confirmed_at = now() WHERE number = $1 AND begun_at = $2",
        *(epoch.number, epoch.begun_at),
    )
