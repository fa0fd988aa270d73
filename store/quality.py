"""Quality samples, what was found in them, and what customers said in the same period (R28)."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import asyncpg

from domain import quality
from domain.calendars.timeline import midnight
from domain.errors import Refused
from domain.quality import (
    Check,
    Closed,
    Days,
    Ended,
    Finding,
    Heard,
    Lot,
    Report,
    Sample,
    Sampled,
)
from domain.sla.promise import CUSTOMERS, PromiseEnd
from domain.vocabulary import Actor, Instant, Model
from store.connection import Connection, Pool
from store.rulebooks import Rulebooks


class SampleLine(Model):
    """A sample in a list, with how far its checks are."""

    number: int
    days: Days
    seed: str
    share: float
    drawn_by: str
    drawn_at: Instant
    records: int
    drawn: int
    checked: int


async def draw(pool: Pool, lot: Lot, by: Actor, now: datetime) -> tuple[int, bool]:
    """Draw a sample of what was closed in a period; its number, and whether it is new: the same
    period and seed are the same sample, whenever it is drawn again.

    Raises:
        Refused: ``Invalid`` if the period is not over or there is nothing to draw, by the records
            or by the policy.
        LookupError: no rulebook was ever adopted.
    """
    async with pool.acquire() as connection, connection.transaction():
        current = await Rulebooks().current(connection)
        policy = current.rulebook.policy
        lot.check_over(now.astimezone(ZoneInfo(policy.zone)).date())
        if known := await _number(connection, lot):
            return known, False
        if not policy.quality.sample:
            raise Refused("Invalid", "quality.sample: by the policy no records are checked")
        records = await _closed(connection, lot, policy.zone)
        if not records:
            raise Refused("Invalid", f"from: nothing was closed from {lot.first} to {lot.last}")
        number = await connection.fetchval(
            """
            INSERT INTO quality_samples (first_day, last_day, zone, seed, share, rulebook,
                population, drawn_by, drawn_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING RETURNING number
            """,
            *(lot.first, lot.last, policy.zone, lot.seed, policy.quality.sample, current.version),
            *(Counter(record.handler for record in records), by.id, now),
        )
        if number is None:  # somebody drew it a moment ago
            return await _number(connection, lot) or 0, False
        await connection.executemany(
            "INSERT INTO quality_records (sample, issue_id, handler) VALUES ($1, $2, $3)",
            [
                (number, record.issue_id, record.handler)
                for record in quality.draw(records, policy.quality.sample, lot.seed)
            ],
        )
    return number, True


async def _number(connection: Connection, lot: Lot) -> int | None:
    number: int | None = await connection.fetchval(
        "SELECT number FROM quality_samples WHERE first_day = $1 AND last_day = $2 AND seed = $3",
        *(lot.first, lot.last, lot.seed),
    )
    return number


async def _closed(connection: Connection, days: Days, zone: str) -> list[Closed]:
    """What was closed, and whose it is: of what nobody ever handled, the lead's who was told, or
    the agent's who took it.
    """
    rows = await connection.fetch(
        """
        SELECT id, CASE WHEN first_contact THEN coalesce(taken_by, agent)
            ELSE coalesce(engineer, lead, taken_by, agent) END
            AS handler
        FROM issues WHERE closed_at >= $1 AND closed_at < $2
        """,
        *_bounds(days, zone),
    )
    return [Closed(issue_id=row["id"], handler=row["handler"]) for row in rows]


async def sample(pool: Pool, number: int) -> Sample | None:
    """Read a sample with all that was found in it; None if there is none of that number."""
    async with (
        pool.acquire() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        return await _sample(connection, number)


async def samples(pool: Pool) -> list[SampleLine]:
    """List the samples, newest first."""
    rows = await pool.fetch(
        """
        SELECT s.*, count(*) AS drawn,
            (SELECT sum(records::int) FROM jsonb_each_text(s.population) AS p (person, records))
                AS records,
            count(*) FILTER (WHERE EXISTS (
                SELECT FROM quality_checks c
                WHERE c.sample = r.sample AND c.issue_id = r.issue_id
            )) AS checked
        FROM quality_samples s JOIN quality_records r ON r.sample = s.number
        GROUP BY s.number ORDER BY s.number DESC
        """
    )
    same = SampleLine.model_fields.keys() - {"days"}
    return [SampleLine(days=_days(row), **{name: row[name] for name in same}) for row in rows]


async def check(pool: Pool, number: int, issue_id: str, made: Check, now: datetime) -> Finding:
    """Write down a check; the last one of each checker counts, and the same again changes nothing.
    Whether ``made.by`` may check it is the caller's to ask.
    """
    async with pool.acquire() as connection, connection.transaction():
        # Two at once by one checker take turns, or both would be the same revision. The row itself
        # cannot be locked: it is kept for ever, and the application has no right to change it.
        await connection.execute(
            "SELECT pg_advisory_xact_lock($1, hashtext($2))", number, f"quality {issue_id}"
        )
        row = await connection.fetchrow(
            """
            SELECT * FROM quality_checks WHERE sample = $1 AND issue_id = $2 AND checker = $3
            ORDER BY revision DESC LIMIT 1
            """,
            *(number, issue_id, made.by.id),
        )
        last = _finding(row) if row else None
        if last and last.error == made.error:
            return last
        finding = Finding(
            checker=made.by.id,
            error=made.error,
            revision=last.revision + 1 if last else 1,
            checked_at=now,
        )
        await connection.execute(
            """
            INSERT INTO quality_checks (sample, issue_id, checker, error, revision, checked_at)
            VALUES ($1, $2, $3, $4, $5, $6)
            """,
            *(number, issue_id, finding.checker, finding.error, finding.revision, now),
        )
    return finding


async def report(pool: Pool, number: int) -> Report | None:
    """Add a sample up, by the figures of the rulebook it was drawn under, with what customers said
    in callbacks and how promises ended in the same days; None if there is none of that number.
    """
    async with (
        pool.acquire() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        drawn = await _sample(connection, number)
        if drawn is None:
            return None
        rulebook = await Rulebooks().get(connection, drawn.rulebook)
        heard = await connection.fetchrow(
            """
            SELECT count(satisfied) AS asked, count(*) FILTER (WHERE satisfied) AS satisfied
            FROM callback_records WHERE called_at >= $1 AND called_at < $2
            """,
            *_bounds(drawn.days, drawn.zone),
        )
        ended = await connection.fetchrow(
            """
            SELECT count(*) FILTER (WHERE outcome = $3) AS kept,
                count(*) FILTER (WHERE outcome = $4) AS broken,
                count(own_word_at) FILTER (WHERE outcome = $3) AS by_own_word
            FROM promises WHERE ended_at >= $1 AND ended_at < $2 AND kind <> ALL($5)
            """,
            *_bounds(drawn.days, drawn.zone),
            *(PromiseEnd.KEPT, PromiseEnd.BROKEN, sorted(CUSTOMERS)),
        )
    figures = rulebook.policy.quality
    return quality.report(drawn, figures, Heard(**dict(heard or {})), Ended(**dict(ended or {})))


async def _sample(connection: Connection, number: int) -> Sample | None:
    row = await connection.fetchrow("SELECT * FROM quality_samples WHERE number = $1", number)
    if row is None:
        return None
    records = await connection.fetch(
        """
        SELECT i.number, i.title, i.kind, i.product_line, i.closed_at, r.issue_id, r.handler,
            m.name AS handler_name, ARRAY(
                SELECT hand FROM (
                    SELECT unnest(ARRAY[r.handler, i.engineer, i.agent, i.taken_by]) AS hand
                    UNION SELECT engineer FROM handling_forms WHERE issue_id = i.id
                    UNION SELECT clerk FROM callback_records WHERE issue_id = i.id
                ) h WHERE hand IS NOT NULL
            ) AS hands, ARRAY(
                SELECT jsonb_build_object(
                    'at', c.at, 'talk_seconds', c.talk_seconds, 'recording', c.recording)
                FROM calls c
                WHERE c.issue_id = i.id AND c.recording IS NOT NULL AND c.talk_seconds IS NOT NULL
                ORDER BY c.at
            ) AS calls
        FROM quality_records r JOIN issues i ON i.id = r.issue_id
        LEFT JOIN members m ON m.id = r.handler
        WHERE r.sample = $1
        """,
        number,
    )
    found = await connection.fetch(
        """
        SELECT DISTINCT ON (issue_id, checker) * FROM quality_checks WHERE sample = $1
        ORDER BY issue_id, checker, revision DESC
        """,
        number,
    )
    findings: dict[str, tuple[Finding, ...]] = {}
    for each in found:
        findings[each["issue_id"]] = (*findings.get(each["issue_id"], ()), _finding(each))
    drawn = [Sampled(findings=findings.get(r["issue_id"], ()), **dict(r)) for r in records]
    same = Sample.model_fields.keys() - {"days", "records"}
    return Sample(
        days=_days(row),
        records=tuple(sorted(drawn, key=lambda each: quality.rank(row["seed"], each.issue_id))),
        **{name: row[name] for name in same},
    )


def _finding(row: asyncpg.Record) -> Finding:
    return Finding(**{name: row[name] for name in Finding.model_fields})


def _days(row: asyncpg.Record) -> Days:
    return Days(first=row["first_day"], last=row["last_day"])


def _bounds(days: Days, zone: str) -> tuple[datetime, datetime]:
    """When the local days begin and when they are over (UTC)."""
    where = ZoneInfo(zone)
    return midnight(days.first, where), midnight(days.last + timedelta(days=1), where)
