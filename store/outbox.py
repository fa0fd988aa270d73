"""The outbox: every message once, under a key that says what it is about.

``pending`` waits for its channel, ``sending`` is on its way, ``delivered`` arrived. A message whose
fate cannot be known, or that no channel can or will take, is ``unknown``: it is never sent again,
since nothing is said twice, but ``handed_over`` to a person. Messages of one issue to one person on
one channel go in the order of its steps, unless an earlier one has failed. Each command is one
transaction unless it takes a connection; then it belongs to the caller's.

Ours and no library's: a queue would have to join a step's transaction, never repeat what may have
gone out, and give each channel evenly spaced slots in its order.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

import asyncpg

from domain.reports.editions import Enclosed
from domain.vocabulary import Audience, Instant, Model
from store import standing
from store.connection import Connection, Pool

UNDELIVERED = ("unknown", "handed_over")
"""How messages stand that did not reach their recipient by their channel, and are a person's."""

SLOT_LAPSES_AFTER = timedelta(seconds=15)
"""A slot not used by then is lost, or a desk that was down would use all it missed at once."""

INTERRUPTED = "the worker ended while this was being sent: it may have arrived"
_MISSED = 5
"""Messages that somebody who is reached at last is shown."""
NO_WAY = "the roster has no channel and address for this recipient"


class Message(Model):
    """One message to one recipient: a member's id, or ``customer``. Confidential (R30). What is
    about no issue, such as a report, has neither ``issue_id`` nor step (``seq`` 0).
    """

    key: str
    issue_id: str | None
    seq: int
    template: str
    audience: Audience
    recipient: str
    channel: str | None
    address: str | None
    subject: str
    body: str
    created_at: Instant
    not_before: Instant | None = None
    full_text: str | None = None
    """All there was to say, where ``body`` is short and leads to it by a link."""
    for_issue: str | None = None
    """Whose customer it goes to, if that is not its own: of an issue merged into it."""
    last_error: str | None = None
    """Why it did not reach its recipient, or no channel is to take it; None: that is not known."""
    encloses: Enclosed | None = None
    """What goes along with it as files, where its channel takes any: of what is about no issue."""

    @property
    def may_be_spoken(self) -> bool:
        """Whether nothing else can bring it than a call: no channel has an address for it."""
        return self.channel is None and self.last_error is None


class Posting(Model):
    """A message that may be sent now: ``url`` is its channel's, with ``{to}`` for the address.

    A letter ``answers`` the customer's letter of that Message-ID, and ``follows`` what the same
    reader was told of the issue before, by the keys, oldest first. What it ``encloses`` is for its
    ``recipient`` alone: a letter to a mailbox that all share encloses nothing.
    """

    key: str
    channel: str
    url: str
    address: str
    subject: str
    body: str
    revision: int = 0
    """How often it was written anew; another one is another message."""
    answers: str | None = None
    follows: tuple[str, ...] = ()
    recipient: str = ""
    encloses: Enclosed | None = None


class Queue(Model):
    """What may be sent now, in order, and when the next of those that wait may be."""

    ready: tuple[Posting, ...] = ()
    behind: tuple[Posting, ...] = ()
    """Those that wait for an earlier message of the issue to the same person on the same channel,
    which was not tried yet or is on its way.
    """
    wait_until: Instant | None = None
    unprepared: bool = False
    """``prepare`` has something to do first, for one of them at least."""
    given_up: bool = False
    """One of them at least is not to be sent any more, and not settled either."""


class Result(Model):
    """What became of a message that was sent; see ``delivered``, ``failed``, ``put_off``,
    ``refused`` and ``lost``.
    """

    key: str
    status: Literal["delivered", "pending", "unknown"]
    settled_at: Instant | None = None
    error: str | None = None


def delivered(key: str, now: datetime) -> Result:
    """It arrived: settled, also if it was already given up for lost but not handed over."""
    return Result(key=key, status="delivered", settled_at=now)


def failed(key: str, error: str) -> Result:
    """It did not go out, and is to be tried again, with a slot of its own."""
    return Result(key=key, status="pending", error=error)


def put_off(key: str) -> Result:
    """It did not go out for no fault of its own, and waits as if it had not been tried."""
    return Result(key=key, status="pending")


def refused(key: str, error: str) -> Result:
    """It did not go out, and never will: it is given up."""
    return Result(key=key, status="unknown", error=error)


def lost(key: str, error: str) -> Result:
    """It may have gone out or not: it is given up."""
    return Result(key=key, status="unknown", error=error)


async def add(connection: Connection, message: Message) -> None:
    """Let somebody be told what is no step of an issue; the same is told once."""
    columns = ", ".join(Message.model_fields)
    places = ", ".join(f"${place}" for place, _ in enumerate(Message.model_fields, start=1))
    await connection.execute(
        f"INSERT INTO outbox ({columns}) VALUES ({places}) ON CONFLICT (key) DO NOTHING",  # noqa: S608  columns are the model's
        *message.model_dump().values(),
    )


async def is_there(connection: Connection, key: str) -> bool:
    """Say whether there is such a message, however it stands."""
    found: bool = await connection.fetchval(
        "SELECT EXISTS (SELECT FROM outbox WHERE key = $1)", key
    )
    return found


async def left_of(
    connection: Connection, issue_id: str
) -> list[tuple[str, datetime | None, Audience]]:
    """List an issue's messages that are neither delivered nor handed to a person: their keys,
    before when they are not to be sent, and for whom they are.
    """
    rows = await connection.fetch(
        "SELECT key, not_before, audience FROM outbox WHERE issue_id = $1 AND settled_at IS NULL"
        " ORDER BY created_at, seq, key",
        issue_id,
    )
    return [(row["key"], row["not_before"], Audience(row["audience"])) for row in rows]


async def given_up(connection: Connection, issue_id: str, before: datetime) -> list[str]:
    """List those of them that may have arrived, or were due before that instant."""
    rows = await connection.fetch(
        """
        SELECT key FROM outbox WHERE issue_id = $1 AND settled_at IS NULL
            AND (status IN ('sending', 'unknown') OR greatest(created_at, not_before) < $2)
        ORDER BY created_at, seq, key
        """,
        *(issue_id, before),
    )
    return [row["key"] for row in rows]


async def look(pool: Pool, batches: Sequence[Sequence[str]], now: datetime) -> list[Queue]:
    """See what of each batch of keys may be sent at ``now``; see ``prepare``.

    Raises:
        Held, Unproved: the register may not be worked on; see ``store.standing``.
    """
    rows = await pool.fetch(
        """
        SELECT s.state = 'open' AND s.proof = this_server() AS open,
            o.key, o.status, o.channel, c.url, o.address, o.subject, o.body, o.revision,
            o.recipient,
            CASE WHEN c.url LIKE 'mailto%{to}%' THEN o.encloses END AS encloses,
            o.status = 'sending' OR o.status = 'pending' AND (
                o.address IS NULL OR c.id IS NULL
                OR c.per_minute IS NOT NULL AND (o.slot_at IS NULL OR o.slot_at < $3)
            ) AS unprepared,
            CASE WHEN c.per_minute IS NOT NULL AND o.slot_at > $2 THEN o.slot_at END AS wait,
            CASE WHEN c.url LIKE 'mailto%' AND o.audience = 'customer' THEN (
                SELECT l.message_id FROM letter_senders l
                WHERE l.issue_id = coalesce(o.for_issue, o.issue_id)
            ) END AS answers,
            CASE WHEN c.url LIKE 'mailto%' THEN ARRAY(
                SELECT key FROM (
                    SELECT b.key, b.seq FROM outbox b
                    WHERE b.issue_id = o.issue_id AND b.recipient = o.recipient
                        AND b.for_issue IS NOT DISTINCT FROM o.for_issue
                        AND b.channel = o.channel AND b.status = 'delivered' AND b.seq < o.seq
                    ORDER BY b.seq DESC, b.key LIMIT 3
                ) latest ORDER BY seq, key
            ) ELSE '{}' END AS follows,
            EXISTS (
                SELECT FROM outbox e WHERE e.issue_id = o.issue_id AND e.seq < o.seq
                    AND e.channel = o.channel AND e.address = o.address
                    AND e.status IN ('pending', 'sending') AND e.last_error IS NULL
                    AND (e.not_before IS NULL OR e.not_before <= $2)
            ) AS behind
        FROM standing s
        LEFT JOIN outbox o ON o.key = ANY($1) AND o.settled_at IS NULL
        LEFT JOIN channels c ON c.id = o.channel
        """,
        *([key for keys in batches for key in keys], now, now - SLOT_LAPSES_AFTER),
    )
    if not (rows and rows[0]["open"]):
        await standing.require(pool)
    found = {row["key"]: row for row in rows}
    return [_queue([found[key] for key in keys if key in found]) for keys in batches]


def _queue(rows: Sequence[asyncpg.Record]) -> Queue:
    sendable = [row for row in rows if row["status"] == "pending" and not row["unprepared"]]
    postings = [
        (Posting(**{name: row[name] for name in Posting.model_fields}), row["behind"])
        for row in sendable
        if row["wait"] is None
    ]
    return Queue(
        ready=tuple(posting for posting, behind in postings if not behind),
        behind=tuple(posting for posting, behind in postings if behind),
        wait_until=min((row["wait"] for row in sendable if row["wait"]), default=None),
        unprepared=any(row["unprepared"] for row in rows),
        given_up=len(sendable) < len(rows),
    )


async def prepare(pool: Pool, keys: Sequence[str], now: datetime) -> None:
    """Reserve slots on channels with a rate limit. A message keeps its slot, and so its place in
    the channel's queue, until it is used or lapses.

    What an earlier attempt left half-sent becomes ``unknown``, and so does what nobody can send.

    Raises:
        Held, Unproved: the register may not be worked on; see ``store.standing``.
    """
    keys = list(keys)
    async with pool.acquire() as connection, connection.transaction():
        await standing.require(connection)
        await connection.execute(
            "SELECT FROM outbox WHERE key = ANY($1) ORDER BY key FOR UPDATE", keys
        )
        await connection.execute(
            "UPDATE outbox SET status = 'unknown', last_error = $2"
            " WHERE key = ANY($1) AND status = 'sending'",
            *(keys, INTERRUPTED),
        )
        await connection.execute(
            """
            UPDATE outbox o SET status = 'unknown',
                last_error = CASE WHEN attempts = 0 THEN coalesce(last_error, $2) ELSE $2 END
            WHERE key = ANY($1) AND status = 'pending'
                AND (address IS NULL OR NOT EXISTS (SELECT FROM channels WHERE id = o.channel))
            """,
            *(keys, NO_WAY),
        )
        await _reserve_slots(connection, keys, now)


async def _reserve_slots(connection: Connection, keys: list[str], now: datetime) -> None:
    """Space the messages of a channel evenly: one every ``60 s / per_minute``, never in a burst."""
    lapsed = now - SLOT_LAPSES_AFTER
    # Locked first: the statement that counts must see what the others reserved.
    await connection.execute(
        """
        SELECT FROM channels WHERE per_minute IS NOT NULL AND id IN (
            SELECT channel FROM outbox WHERE key = ANY($1) AND status = 'pending'
                AND (slot_at IS NULL OR slot_at < $2))
        ORDER BY id FOR UPDATE
        """,
        *(keys, lapsed),
    )
    await connection.execute(
        """
        WITH wanted AS (
            SELECT o.key, c.id, make_interval(secs => 60.0 / c.per_minute) AS gap,
                greatest(c.next_slot, $3) AS first,
                row_number() OVER (PARTITION BY c.id ORDER BY array_position($1, o.key)) AS place
            FROM outbox o JOIN channels c ON c.id = o.channel
            WHERE o.key = ANY($1) AND o.status = 'pending' AND c.per_minute IS NOT NULL
                AND (o.slot_at IS NULL OR o.slot_at < $2)
        ), reserved AS (
            UPDATE channels c SET next_slot = w.first + w.gap * w.places
            FROM (SELECT id, first, gap, max(place) AS places FROM wanted GROUP BY id, first, gap) w
            WHERE c.id = w.id
        )
        UPDATE outbox o SET slot_at = w.first + w.gap * (w.place - 1)
        FROM wanted w WHERE o.key = w.key
        """,
        *(keys, lapsed, now),
    )


async def claim(
    pool: Pool, keys: Sequence[str], revisions: Sequence[int] | None = None
) -> set[str]:
    """Take messages for sending, to be called before anything leaves the building; return the keys
    of those that are to be sent, and by nobody else. ``revisions`` are those that were looked at:
    what was written anew since is left to be looked at again.

    Raises:
        Held, Unproved: the register may not be worked on; see ``store.standing``.
    """
    rows = await pool.fetch(
        """
        WITH may AS (
            SELECT state = 'open' AND proof = this_server() AS open FROM standing
        ), waiting AS (
            SELECT o.key FROM outbox o
            JOIN unnest($1::text[], $2::text[]) AS seen (key, revision)
                ON seen.key = o.key AND seen.revision = o.revision::text, may
            WHERE o.status = 'pending' AND may.open
            ORDER BY o.key FOR UPDATE OF o
        ), taken AS (
            UPDATE outbox o SET status = 'sending', attempts = attempts + 1
            FROM waiting w WHERE o.key = w.key RETURNING o.key
        )
        SELECT may.open, taken.key FROM may LEFT JOIN taken ON true
        """,
        *(list(keys), list(map(str, revisions or (0,) * len(keys)))),
    )
    if rows and rows[0]["open"]:
        return {row["key"] for row in rows if row["key"] is not None}
    await standing.require(pool)
    return await claim(pool, keys, revisions)  # it was opened just now


async def still_waiting(pool: Pool, keys: Sequence[str]) -> set[str]:
    """Return those of ``keys`` that nobody has taken yet."""
    rows = await pool.fetch(
        "SELECT key FROM outbox WHERE key = ANY($1) AND status = 'pending'", list(keys)
    )
    return {row["key"] for row in rows}


async def settle(pool: Pool, results: Sequence[Result]) -> set[str]:
    """Write down what became of messages that were sent; return the keys of those that nobody else
    had settled first.
    """
    rows = await pool.fetch(
        """
        WITH sent AS (
            SELECT o.key, r.status, r.settled_at, r.error
            FROM jsonb_to_recordset($1)
                AS r(key text, status text, settled_at timestamptz, error text)
            JOIN outbox o ON o.key = r.key
            WHERE o.status = 'sending' OR o.status = 'unknown' AND r.status = 'delivered'
            ORDER BY o.key FOR UPDATE OF o
        )
        UPDATE outbox o SET status = s.status, settled_at = s.settled_at, last_error = s.error,
            slot_at = CASE WHEN s.status <> 'pending' THEN o.slot_at END
        FROM sent s WHERE o.key = s.key RETURNING o.key
        """,
        [result.model_dump(mode="json") for result in results],
    )
    return {row["key"] for row in rows}


async def learn(connection: Connection, key: str, arrived_at: datetime | None, doubt: str) -> None:
    """Write down what another source knows of a message that is not settled: when it arrived; None:
    it may have, and is never sent again.
    """
    if arrived_at:
        await connection.execute(
            "UPDATE outbox SET status = 'delivered', settled_at = $2, last_error = NULL"
            " WHERE key = $1 AND settled_at IS NULL",
            *(key, arrived_at),
        )
    else:
        await connection.execute(
            "UPDATE outbox SET status = 'unknown', last_error = $2"
            " WHERE key = $1 AND status IN ('pending', 'sending')",
            *(key, doubt),
        )


async def unsettled(pool: Pool, keys: Sequence[str]) -> list[str]:
    """Return those of ``keys`` that were neither delivered nor handed over, in their order."""
    rows = await pool.fetch(
        "SELECT key FROM outbox WHERE key = ANY($1) AND settled_at IS NULL"
        " ORDER BY array_position($1, key)",
        list(keys),
    )
    return [row["key"] for row in rows]


async def not_delivered(connection: Connection, keys: Sequence[str]) -> list[Message]:
    """Return the messages that ``bring_by_hand`` would hand over, and lock them until it does."""
    rows = await connection.fetch(
        f"""
        SELECT {", ".join(Message.model_fields)} FROM outbox
        WHERE key = ANY($1) AND settled_at IS NULL ORDER BY key FOR UPDATE
        """,  # noqa: S608 - the columns are the model's fields
        list(keys),
    )
    return [Message(**row) for row in rows]


async def bring_by_hand(
    connection: Connection, keys: Sequence[str], handed_to: str, now: datetime
) -> list[Message]:
    """Give what was not delivered to a person, who is to bring it; return what that was."""
    messages = await not_delivered(connection, keys)
    await connection.execute(
        "UPDATE outbox SET status = 'handed_over', handed_to = $2, settled_at = $3"
        " WHERE key = ANY($1)",
        *([message.key for message in messages], handed_to, now),
    )
    return messages


class Waiting(NamedTuple):
    """A message for a customer that has not reached them: of which step, how it is on its way."""

    key: str
    seq: int
    template: str
    status: str
    channel: str | None
    address: str | None
    for_issue: str | None


async def waiting_for_customer(connection: Connection, issue_id: str) -> list[Waiting]:
    """List what an issue's customer is still to be sent, and lock it until the transaction ends."""
    rows = await connection.fetch(
        """
        SELECT key, seq, template, status, channel, address, for_issue FROM outbox
        WHERE issue_id = $1 AND audience = $2 AND status IN ('pending', 'sending')
        ORDER BY key FOR UPDATE
        """,
        *(issue_id, Audience.CUSTOMER),
    )
    return [Waiting(**dict(row)) for row in rows]


async def redirect(connection: Connection, key: str, message: Message) -> None:
    """Let a message that waits go another way, in other words; its key stays, for somebody waits
    for it by that. On its channel it is a new one.
    """
    await connection.execute(
        """
        UPDATE outbox SET recipient = $2, channel = $3, address = $4, subject = $5, body = $6,
            full_text = $7, last_error = $8, slot_at = NULL, revision = revision + 1
        WHERE key = $1 AND status = 'pending'
        """,
        *(key, message.recipient, message.channel, message.address, message.subject),
        *(message.body, message.full_text, message.last_error),
    )


async def call_back(connection: Connection, keys: Sequence[str], why: str) -> None:
    """Let nothing more be tried of messages that are just being sent: if they do not arrive, they
    are a person's.
    """
    await connection.execute(
        "UPDATE outbox SET status = 'unknown', last_error = $2"
        " WHERE key = ANY($1) AND status = 'sending'",
        *(list(keys), why),
    )


async def missed_by_customer(connection: Connection, issue_id: str) -> list[Message]:
    """Return what was for an issue's customer and did not reach them by its channel, oldest first:
    the newest few.
    """
    rows = await connection.fetch(
        f"""
        SELECT * FROM (
            SELECT {", ".join(Message.model_fields)} FROM outbox
            WHERE issue_id = $1 AND audience = $2 AND status = ANY($3) AND for_issue IS NULL
            ORDER BY created_at DESC, key LIMIT {_MISSED}
        ) newest ORDER BY created_at, key
        """,  # noqa: S608 - the columns are the model's fields
        *(issue_id, Audience.CUSTOMER, list(UNDELIVERED)),
    )
    return [Message(**row) for row in rows]


async def came_back(pool: Pool, keys: Sequence[str], says: str) -> dict[str, str | None]:
    """Give messages to a person that count as delivered and came back; ``says`` tells by what.
    Return their issues, by key; None: it is about none, and is given up, as what lies about unsaid:
    it is handed over when that is next looked through. What is known to have failed already is left
    as it is.
    """
    rows = await pool.fetch(
        """
        UPDATE outbox o SET last_error = $2,
            status = CASE WHEN o.issue_id IS NULL THEN 'unknown' ELSE 'handed_over' END,
            settled_at = CASE WHEN o.issue_id IS NOT NULL THEN o.settled_at END,
            handed_to = CASE WHEN o.issue_id IS NOT NULL THEN
                coalesce((SELECT lead FROM issues WHERE id = o.issue_id), 'nobody') END
        WHERE o.key = ANY($1) AND o.status = 'delivered'
        RETURNING o.key, o.issue_id
        """,
        *(list(keys), says),
    )
    return {row["key"]: row["issue_id"] for row in rows}
