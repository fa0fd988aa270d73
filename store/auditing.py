"""What the deep audit asks the register, and where it keeps what it found."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import asyncpg

from domain.findings import AuditReport, Finding, FindingKind, Heartbeat
from domain.issue.actions import Amended
from domain.issue.folding import Standing, corrected_columns
from domain.issue.intake import Intake
from domain.issue.notes import as_told, first
from domain.issue.step import Recorded
from domain.webhooks import State
from store import issue_reader, serials, webhooks
from store.connection import Connection, Pool

LATELY = timedelta(days=2)
"""Issues that took a step within this time are compared with their events, open or not."""
_KEPT = timedelta(days=366)


async def seqs(connection: Connection, id_: str) -> frozenset[int]:
    """Say in which places an issue has events."""
    found = await connection.fetch("SELECT seq FROM issue_events WHERE issue_id = $1", id_)
    return frozenset(row["seq"] for row in found)


async def lock(connection: Connection, id_: str) -> None:
    """Let nobody write an issue until the transaction ends; it need not be in the register."""
    await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", id_)
    await connection.execute("SELECT FROM issues WHERE id = $1 FOR UPDATE", id_)


async def ids_of(pool: Pool, named: Collection[str]) -> dict[str, str]:
    """Find issues by number or id: what was named, and the id it has."""
    found = await pool.fetch(
        "SELECT named, id FROM unnest($1::text[]) named JOIN issues ON named IN (number, id)",
        list(named),
    )
    return {row["named"]: row["id"] for row in found}


async def owners(pool: Pool, numbers: Collection[str]) -> dict[str, str]:
    """Find which issues have these numbers by the register."""
    found = await pool.fetch(
        "SELECT number, id FROM issues WHERE number = ANY($1::text[])", list(numbers)
    )
    return {row["number"]: row["id"] for row in found}


async def lately(pool: Pool, since: datetime) -> list[str]:
    """List the issues to be compared with their events: open ones, and those of late."""
    found = await pool.fetch(
        "SELECT id FROM issues WHERE closed_at IS NULL OR updated_at > $1 ORDER BY id", since
    )
    return [row["id"] for row in found]


async def missed(pool: Pool, before: datetime) -> list[Finding]:
    """Find promises whose next threshold lies before that instant: nobody rang. Several that passed
    at once count as one, as they do for whoever is told.
    """
    found = await pool.fetch(
        """
        SELECT i.id, i.number, p.kind, p.generation, p.attempt, m.mark->>'name' AS mark,
               (m.mark->>'at')::timestamptz AS at
        FROM promises p JOIN issues i ON i.id = p.issue_id
            CROSS JOIN LATERAL (SELECT p.marks->p.reached AS mark) m
        WHERE p.ended_at IS NULL AND p.paused_at IS NULL
            AND p.reached < jsonb_array_length(p.marks)
            AND (m.mark->>'at')::timestamptz < $1
        ORDER BY at
        """,
        before,
    )
    return [
        Finding(
            kind=FindingKind.ALARM_MISSED,
            issue_id=row["id"],
            number=row["number"],
            about=f"{row['kind']}.{row['generation']}.{row['attempt']}:{row['mark']}",
            seen=f"{row['kind']} {row['mark']} was due at {row['at']:%Y-%m-%d %H:%M:%S} UTC",
        )
        for row in found
    ]


class Lying(NamedTuple):
    """Messages of an issue that were due to be said before some instant, and were not."""

    id: str
    number: str
    keys: tuple[str, ...]
    since: datetime


async def lying(pool: Pool, before: datetime) -> list[Lying]:
    """Find messages that neither arrived nor were handed to a person."""
    found = await pool.fetch(
        """
        SELECT i.id, i.number, array_agg(o.key ORDER BY o.created_at, o.key) AS keys,
               min(greatest(o.created_at, o.not_before)) AS since
        FROM outbox o JOIN issues i ON i.id = o.issue_id
        WHERE o.settled_at IS NULL AND greatest(o.created_at, o.not_before) < $1
        GROUP BY i.id, i.number ORDER BY since
        """,
        before,
    )
    return [Lying(row["id"], row["number"], tuple(row["keys"]), row["since"]) for row in found]


async def serials_behind(pool: Pool, known: Collection[str]) -> list[Finding]:
    """Find agents and days whose next number was given out before; ``known``: Temporal's."""
    return [
        Finding(
            kind=FindingKind.SERIALS_BEHIND,
            about=f"{each.day:%Y%m%d}-{each.agent}",
            seen=f"{each.day:%Y%m%d}-{each.agent} counts {each.counted}, given out are "
            f"{each.given_out}",
        )
        for each in await serials.behind(pool, known)
    ]


async def receivers_failed(pool: Pool) -> list[Finding]:
    """Find receivers of events that the desk disabled."""
    return [
        Finding(
            kind=FindingKind.WEBHOOK_FAILED,
            about=each.endpoint.id,
            seen=f"{each.endpoint.label or each.endpoint.id}: {each.endpoint.why}"[:300],
        )
        for each in await webhooks.listed(pool)
        if each.endpoint.state is State.FAILED
    ]


# Registers against events -------------------------------------------------------------------------

_FORM_KEYS = """
    SELECT issue_id, ARRAY['handling_forms', generation::text] AS key FROM handling_forms
    UNION ALL SELECT issue_id, ARRAY['callback_records', generation::text, attempt::text]
        FROM callback_records
    UNION ALL SELECT issue_id, ARRAY['consultation_records', generation::text]
        FROM consultation_records
    UNION ALL SELECT issue_id, ARRAY['complaint_forms'] FROM complaint_forms
    UNION ALL SELECT issue_id, ARRAY['remedies', proposal::text] FROM remedies
    UNION ALL SELECT issue_id, ARRAY['paid_services', generation::text] FROM paid_services
    UNION ALL SELECT issue_id, ARRAY['expert_panels', panel::text] FROM expert_panels
    UNION ALL SELECT issue_id, ARRAY['evaluations', item, person] FROM evaluations
    UNION ALL SELECT issue_id, ARRAY['issue_links', other] FROM issue_links
    UNION ALL SELECT issue_id, ARRAY['issue_parties', number] FROM issue_parties
    UNION ALL SELECT issue_id, ARRAY['difficulty_ratings', generation::text]
        FROM difficulty_ratings
"""
_FACTS = (
    *("seq", "stage", "outcome", "severity", "generation", "escalation_level", "answered"),
    *("first_contact", "department", "centre", "engineer", "lead", "redirected"),
)


class Papers(NamedTuple):
    """An issue's events, and what the registers say of it."""

    id: str
    number: str
    intake: Intake
    recorded: tuple[Recorded, ...]
    standing: Standing


async def papers(connection: Connection, ids: Sequence[str]) -> list[Papers]:
    """Read these issues as they stood at one instant; the caller's transaction sees to that."""
    wanted = list(ids)
    found = await connection.fetch("SELECT * FROM issues WHERE id = ANY($1) ORDER BY id", wanted)
    events = _by_issue(
        await connection.fetch(
            "SELECT issue_id, seq, recorded FROM issue_events WHERE issue_id = ANY($1)"
            " ORDER BY issue_id, seq",
            wanted,
        )
    )
    promises = _by_issue(
        await connection.fetch("SELECT * FROM promises WHERE issue_id = ANY($1)", wanted)
    )
    forms = _by_issue(
        await connection.fetch(
            f"SELECT * FROM ({_FORM_KEYS}) f WHERE issue_id = ANY($1)",  # noqa: S608  ours
            wanted,
        )
    )
    return [_papers(row, events[row["id"]], promises[row["id"]], forms[row["id"]]) for row in found]


def _papers(
    row: asyncpg.Record,
    events: Sequence[asyncpg.Record],
    promises: Sequence[asyncpg.Record],
    forms: Sequence[asyncpg.Record],
) -> Papers:
    stands = issue_reader.intake_of(row)
    recorded = tuple(Recorded.model_validate(event["recorded"]) for event in events)
    acts = (each.step.act for each in recorded)
    was = first(act.was for act in acts if isinstance(act, Amended))
    return Papers(
        row["id"],
        row["number"],
        as_told(stands, was),
        recorded,
        Standing(
            facts={name: row[name] for name in _FACTS} | corrected_columns(stands),
            promises={p.key: p for p in map(issue_reader.promise, promises)},
            forms=frozenset(tuple(form["key"]) for form in forms),
            seqs=tuple(event["seq"] for event in events),
        ),
    )


def _by_issue(found: Sequence[asyncpg.Record]) -> defaultdict[str, list[asyncpg.Record]]:
    grouped: defaultdict[str, list[asyncpg.Record]] = defaultdict(list)
    for row in found:
        grouped[row["issue_id"]].append(row)
    return grouped


# What was found -----------------------------------------------------------------------------------


async def keep(pool: Pool, report: AuditReport) -> AuditReport:
    """Keep an audit of the whole desk, and no longer what is older than a year."""
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(
            "DELETE FROM audit_runs WHERE ended_at < $1", report.ended_at - _KEPT
        )
        id_ = await connection.fetchval(
            "INSERT INTO audit_runs (began_at, ended_at, issues, workflows)"
            " VALUES ($1, $2, $3, $4) RETURNING id",
            *(report.began_at, report.ended_at, report.issues, report.workflows),
        )
        await connection.executemany(
            "INSERT INTO audit_findings (run, kind, issue_id, number, about, seen)"
            " VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
            [(id_, f.kind, f.issue_id, f.number, f.about, f.seen) for f in report.findings],
        )
    return report.model_copy(update={"id": id_})


async def heartbeat(pool: Pool) -> Heartbeat:
    """Read the last audit: when, and how many of each kind it found."""
    row = await pool.fetchrow(
        """
        SELECT r.ended_at AS at, coalesce((
            SELECT jsonb_object_agg(kind, count) FROM (
                SELECT kind, count(*)::int AS count FROM audit_findings WHERE run = r.id GROUP BY 1
            ) counted), '{}') AS findings
        FROM audit_runs r ORDER BY r.ended_at DESC, r.id DESC LIMIT 1
        """
    )
    return Heartbeat.model_validate(dict(row)) if row else Heartbeat()
