"""What the issues of one intake system came to: counted from the registers and the ledger, whatever
they say, so that somebody else's figures can be held against it.
"""

from __future__ import annotations

from collections.abc import Mapping

from domain.issue.actions import ActionName
from domain.issue.common import DONE
from domain.sla.promise import DUE, PromiseEnd, PromiseKind
from domain.vocabulary import Model
from store.connection import Pool


class IssueCounts(Model):
    """Numbers of issues as they stand. One that is done counts as in time or late by its first
    promise of a resolution; one that was only handed to whoever had it was not reassigned.
    """

    opened: int
    reassigned: int
    waited: int
    resolved_in_time: int
    resolved_late: int
    reopened: int
    still_open: int
    closed: int


class Lag(Model):
    """How late something was, in seconds; None where it never happened."""

    count: int
    p95: float | None
    longest: float | None


class Alarms(Model):
    """How long after a promise's due instant that was recorded, and the last recipient told."""

    recorded: Lag
    told: Lag


async def tally(pool: Pool, source: str) -> IssueCounts:
    """Count the issues that ``source`` opened."""
    row = await pool.fetchrow(
        """
        WITH steps AS (
            SELECT e.issue_id, e.action, e.recorded -> 'engineer' ->> 'id' AS engineer,
                lag(e.recorded -> 'engineer' ->> 'id') OVER (
                    PARTITION BY e.issue_id ORDER BY e.seq
                ) AS engineer_before
            FROM issue_events e JOIN issues i ON i.id = e.issue_id WHERE i.source = $1
        ), acts AS (
            SELECT issue_id,
                bool_or(action = $2 AND engineer IS DISTINCT FROM engineer_before) AS reassigned,
                bool_or(action = $3) AS waited
            FROM steps GROUP BY issue_id
        )
        SELECT
            count(*) AS opened,
            count(*) FILTER (WHERE a.reassigned) AS reassigned,
            count(*) FILTER (WHERE a.waited) AS waited,
            count(*) FILTER (WHERE i.stage = ANY($4) AND p.outcome = $5) AS resolved_in_time,
            count(*) FILTER (WHERE i.stage = ANY($4) AND p.outcome = $6) AS resolved_late,
            count(*) FILTER (WHERE i.generation > 1) AS reopened,
            count(*) FILTER (WHERE i.stage <> ALL($4)) AS still_open,
            count(*) FILTER (WHERE i.closed_at IS NOT NULL) AS closed
        FROM issues i
        LEFT JOIN acts a ON a.issue_id = i.id
        LEFT JOIN promises p
            ON p.issue_id = i.id AND p.kind = $7 AND p.generation = 1 AND p.attempt = 1
        WHERE i.source = $1
        """,
        *(source, ActionName.REASSIGN, ActionName.WAIT_FOR_CUSTOMER, sorted(DONE)),
        *(PromiseEnd.KEPT, PromiseEnd.BROKEN, PromiseKind.RESOLUTION),
    )
    return IssueCounts(**dict(row or {}))


async def references(pool: Pool, source: str) -> list[str]:
    """List the references under which ``source`` has an issue, one entry an issue."""
    rows = await pool.fetch("SELECT reference FROM issues WHERE source = $1", source)
    return [row["reference"] for row in rows]


async def steps(pool: Pool, source: str) -> Mapping[str, int]:
    """Count the recorded steps of each action."""
    rows = await pool.fetch(
        """
        SELECT e.action, count(*) AS steps FROM issue_events e JOIN issues i ON i.id = e.issue_id
        WHERE i.source = $1 GROUP BY e.action
        """,
        source,
    )
    return {row["action"]: row["steps"] for row in rows}


async def messages(pool: Pool, source: str) -> Mapping[str, int]:
    """Count the messages by how they stand."""
    rows = await pool.fetch(
        """
        SELECT o.status, count(*) AS messages FROM outbox o JOIN issues i ON i.id = o.issue_id
        WHERE i.source = $1 GROUP BY o.status
        """,
        source,
    )
    return {row["status"]: row["messages"] for row in rows}


async def outstanding(pool: Pool, source: str) -> int:
    """Count what the desk itself still has to do: messages to bring, alarms that are due."""
    count: int = await pool.fetchval(
        """
        SELECT (
            SELECT count(*) FROM outbox o JOIN issues i ON i.id = o.issue_id
            WHERE i.source = $1 AND o.settled_at IS NULL
        ) + (
            SELECT count(*) FROM promises p JOIN issues i ON i.id = p.issue_id
            WHERE i.source = $1 AND p.ended_at IS NULL AND p.paused_at IS NULL
                AND p.outcome = $2 AND p.due_at <= now()
        )
        """,
        source,
        PromiseEnd.OPEN,
    )
    return count


async def alarms(pool: Pool, source: str) -> Alarms:
    """Measure how late the desk noticed that promises were due, and told people so."""
    rows = await pool.fetch(
        """
        WITH alarms AS (
            SELECT e.recorded_at - p.due_at AS recorded, max(o.settled_at) - p.due_at AS told
            FROM issue_events e
            JOIN issues i ON i.id = e.issue_id
            JOIN promises p ON p.issue_id = e.issue_id AND e.content ->> 'promise' =
                concat_ws('.', p.kind, p.generation, CASE WHEN p.attempt > 1 THEN p.attempt END)
            LEFT JOIN outbox o ON o.issue_id = e.issue_id AND o.seq = e.seq
            WHERE i.source = $1 AND e.action = $2 AND e.content ->> 'threshold' = $3
            GROUP BY e.issue_id, e.seq, e.recorded_at, p.due_at
        ), lags AS (
            SELECT what, extract(epoch FROM lag)::float8 AS seconds
            FROM alarms, LATERAL (VALUES ('recorded', recorded), ('told', told)) AS v (what, lag)
        )
        SELECT what, count(seconds) AS count, max(seconds) AS longest,
            percentile_cont(0.95) WITHIN GROUP (ORDER BY seconds) AS p95
        FROM lags GROUP BY what
        """,
        *(source, ActionName.THRESHOLD, DUE),
    )
    never = Lag(count=0, p95=None, longest=None)
    lags = {
        row["what"]: Lag(count=row["count"], p95=row["p95"], longest=row["longest"]) for row in rows
    }
    return Alarms(recorded=lags.get("recorded", never), told=lags.get("told", never))
