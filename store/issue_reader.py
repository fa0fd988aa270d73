"""Read models: an issue, lists of issues, what did not arrive of their messages, straight from the
registers, which every step updates in its own transaction.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

import asyncpg

from domain.issue.act import KeptAct
from domain.issue.actions import ASIDE, ActionName
from domain.issue.forms import Remedy
from domain.issue.intake import Intake
from domain.issue.notes import as_told, first
from domain.issue.state import STEPS_KEPT, Issue, StepNote, note_of
from domain.issue.step import Recorded
from domain.issue.view import IssueView, view
from domain.sla.promise import Promise, PromiseKind
from domain.vocabulary import Instant, Means, Model, Role, Severity, Stage
from store import issue_list
from store.connection import Connection, Pool
from store.issue_list import Filter, Place
from store.issue_writer import customer_of, person


async def issue(pool: Pool, number_or_id: str) -> IssueView | None:
    """Show one issue by its number or workflow id; None if there is none."""
    which = "SELECT * FROM issues WHERE number = $1 OR id = $1"
    return next(map(view, await _issues(pool, which, number_or_id)), None)


async def state(pool: Pool, id_: str) -> Issue | None:
    """Rebuild an issue from the registers."""
    return next(iter(await _issues(pool, "SELECT * FROM issues WHERE id = $1", id_)), None)


async def intake(connection: Connection, id_: str) -> Intake | None:
    """Read what an issue was registered with, whatever of it was corrected since; whether the
    hotline tried to answer it first is not kept. How severe it was then stands with its
    registration, for that may rise.
    """
    row = await connection.fetchrow(
        f"""
        SELECT i.*, coalesce(e.recorded #>> '{{step,severity}}', i.severity) AS severity_then,
            ARRAY(
                SELECT content->'was' FROM issue_events
                WHERE issue_id = i.id AND action = '{ActionName.AMEND}' ORDER BY seq
            ) AS amended
        FROM issues i LEFT JOIN issue_events e ON e.issue_id = i.id AND e.seq = 1 WHERE i.id = $1
        """,  # noqa: S608  our own text
        id_,
    )
    if row is None:
        return None
    told = as_told(intake_of(row), first(row["amended"]))
    return told.model_copy(update={"severity": Severity(row["severity_then"])})


def intake_of(row: asyncpg.Record) -> Intake:
    """Read it out of the register's row."""
    fields = set(Intake.model_fields) - {"customer", "answering"}
    return Intake(customer=customer_of(row), **{name: row[name] for name in fields})


async def workflow_id(pool: Pool, number: str) -> str | None:
    """Find the workflow of an issue by its number, or by its workflow id."""
    found: str | None = await pool.fetchval(
        "SELECT id FROM issues WHERE number = $1 OR id = $1", number
    )
    return found


async def run_of(pool: Pool, id_: str) -> str | None:
    """Find the first execution run of the workflow that has an issue."""
    run: str | None = await pool.fetchval("SELECT run FROM issues WHERE id = $1", id_)
    return run


async def steps_of(pool: Pool, id_: str) -> int:
    """Count the steps that an issue took."""
    return int(await pool.fetchval("SELECT seq FROM issues WHERE id = $1", id_) or 0)


async def by_reference(pool: Pool, source: str, reference: str) -> IssueView | None:
    """Show the issue an intake system knows under its own reference."""
    which = "SELECT * FROM issues WHERE source = $1 AND reference = $2"
    return next(map(view, await _issues(pool, which, source, reference)), None)


async def issues(pool: Pool, wanted: Filter) -> list[IssueView]:
    """List issues."""
    return (await page(pool, wanted))[0]


async def page(
    pool: Pool, wanted: Filter, after: Place | None = None
) -> tuple[list[IssueView], Place | None]:
    """List issues from a place on, and say where the next page begins; None: this was the last.
    While nobody acts every issue comes once; one that moves meanwhile may come twice or not at all.
    """
    async with _one_instant(pool) as connection:
        places = await issue_list.places(connection, wanted, after)
        shown = places[: wanted.limit]
        rows = await connection.fetch(
            "SELECT i.* FROM unnest($1::text[]) WITH ORDINALITY AS shown (id, place)"
            " JOIN issues i USING (id) ORDER BY place",
            [each.id for each in shown],
        )
        found = [view(each) for each in await _read(connection, rows)]
    return found, shown[-1] if len(places) > wanted.limit else None


async def numbered(pool: Pool, numbers: Sequence[str]) -> list[IssueView]:
    """Show these issues, in that order."""
    which = (
        "SELECT i.* FROM unnest($1::text[]) WITH ORDINALITY AS wanted (number, place)"
        " JOIN issues i USING (number) ORDER BY place"
    )
    return [view(each) for each in await _issues(pool, which, list(numbers))]


class Unsettled(Model):
    """A message that did not reach its recipient, and who was asked to see to it; the ``number`` is
    empty where it is about no issue.
    """

    key: str
    number: str
    audience: str
    recipient: str
    channel: str | None
    status: str
    attempts: int
    last_error: str | None
    handed_to: str | None
    created_at: Instant


async def undelivered(pool: Pool, limit: int = 100) -> list[Unsettled]:
    """List the messages not delivered by their channel, oldest first. No addresses, no texts."""
    rows = await pool.fetch(
        """
        SELECT o.key, coalesce(i.number, '') AS number, o.audience, o.recipient, o.channel,
               o.status, o.attempts, o.last_error, o.handed_to, o.created_at
        FROM (
            (SELECT * FROM outbox
             WHERE settled_at IS NULL AND coalesce(not_before <= now(), true)
             ORDER BY created_at LIMIT $1)
            UNION ALL
            (SELECT * FROM outbox WHERE handed_to IS NOT NULL ORDER BY created_at LIMIT $1)
        ) o LEFT JOIN issues i ON i.id = o.issue_id
        ORDER BY o.created_at LIMIT $1
        """,
        limit,
    )
    return [Unsettled(**dict(row)) for row in rows]


async def unsettled(pool: Pool, id_: str) -> list[str]:
    """Keys of an issue's messages that are neither delivered nor handed to a person."""
    rows = await pool.fetch(
        "SELECT key FROM outbox WHERE issue_id = $1 AND settled_at IS NULL ORDER BY key", id_
    )
    return [row["key"] for row in rows]


class Outlook(Model):
    """When the handler expects to be done; what the customer was asked to do last (R15); what was
    offered last, and its price in yuan.
    """

    expected_at: Instant | None = None
    time_answered: bool = False
    """They said whether that suits them."""
    asked: str | None = None
    work: str | None = None
    amount: Decimal | None = None
    said: tuple[str, ...] = ()
    """What the customer was written to in short since it was last opened; the last first."""


async def outlook(pool: Pool, issue_id: str, generation: int) -> Outlook:
    """Say what a customer was told besides the promises of one generation (R14, R17)."""
    row = await pool.fetchrow(
        """
        SELECT h.expected_at, p.work, p.amount, (
            SELECT e.content->>'ask' FROM issue_events e
            WHERE e.issue_id = i.id AND e.action = $3 ORDER BY e.seq DESC LIMIT 1
        ) AS asked, EXISTS (
            SELECT FROM issue_events e WHERE e.issue_id = i.id AND e.action = $4
                AND e.content->>'means' = ANY($5) AND e.seq > (
                    SELECT max(seq) FROM issue_events
                    WHERE issue_id = i.id AND content ? 'expected_at'
                )
        ) AS time_answered, array(
            SELECT full_text FROM (
                SELECT o.full_text, o.created_at, o.seq
                FROM outbox o JOIN issue_events e USING (issue_id, seq)
                WHERE o.issue_id = i.id AND o.for_issue IS NULL AND o.full_text IS NOT NULL
                    AND e.recorded #>> '{step,generation}' = $2::int::text
                UNION ALL
                SELECT full_text, created_at, seq FROM outbox
                WHERE for_issue = i.id AND full_text IS NOT NULL
            ) told ORDER BY created_at DESC, seq DESC LIMIT 5
        ) AS said
        FROM issues i
        LEFT JOIN handling_forms h ON h.issue_id = i.id AND h.generation = $2
        LEFT JOIN paid_services p ON p.issue_id = i.id AND p.generation = $2
        WHERE i.id = $1
        """,
        *(issue_id, generation, ActionName.WAIT_FOR_CUSTOMER),
        *(ActionName.CUSTOMER_WROTE, [Means.FITS, Means.DOES_NOT_FIT]),
    )
    return Outlook(**dict(row)) if row else Outlook()


async def taken_at(pool: Pool, issue_id: str, key: str) -> datetime | None:
    """Say when the step was recorded that this cause brought about; None: it was not."""
    at: datetime | None = await pool.fetchval(
        "SELECT recorded_at FROM issue_events WHERE issue_id = $1 AND key = $2", issue_id, key
    )
    return at


async def kept_under(pool: Pool, issue_id: str, key: str) -> KeptAct | None:
    """Return what was done under a cause, as it is kept; None: nothing."""
    row = await pool.fetchrow(
        "SELECT action, actor AS by, at, recorded_at, content FROM issue_events"
        " WHERE issue_id = $1 AND key = $2",
        issue_id,
        key,
    )
    return KeptAct(**{**row, "action": ActionName(row["action"])}) if row else None


async def recorded(connection: Connection, issue_id: str, seqs: Collection[int]) -> list[Recorded]:
    """Return these steps of an issue as they were recorded."""
    rows = await connection.fetch(
        "SELECT recorded FROM issue_events WHERE issue_id = $1 AND seq = ANY($2) ORDER BY seq",
        *(issue_id, list(seqs)),
    )
    return [Recorded.model_validate(row["recorded"]) for row in rows]


class Living(NamedTuple):
    """An issue as audits look at it: its workflow's first execution run, how many steps it took by
    the register and when the last; ``open`` if a workflow should be living it.
    """

    id: str
    number: str
    run: str
    seq: int
    updated_at: datetime
    open: bool


_LIVING = """
    SELECT id, number, run, seq, updated_at, closed_at IS NULL OR EXISTS (
        SELECT FROM promises p WHERE p.issue_id = i.id AND p.ended_at IS NULL
    ) AS open FROM issues i
"""


async def living(pool: Pool) -> list[Living]:
    """List every issue that the register holds open, or still to be scored and rated."""
    rows = await pool.fetch(
        f"""
        {_LIVING} WHERE closed_at IS NULL
            OR id IN (SELECT issue_id FROM promises WHERE ended_at IS NULL)
        ORDER BY id
        """  # noqa: S608  the text is ours
    )
    return [Living(*row) for row in rows]


async def lived(pool: Pool, ids: Collection[str]) -> dict[str, Living]:
    """Look at these issues, living or not: those there are."""
    rows = await pool.fetch(f"{_LIVING} WHERE id = ANY($1)", list(ids))
    return {row["id"]: Living(*row) for row in rows}


async def over(pool: Pool, ids: Collection[str]) -> list[Living]:
    """List those of these issues that no workflow should be living any more."""
    return [each for each in (await lived(pool, ids)).values() if not each.open]


async def _issues(pool: Pool, which: str, *arguments: object) -> list[Issue]:
    """Read issues with all that belongs to them, as they stood at one instant."""
    async with _one_instant(pool) as connection:
        return await _read(connection, await connection.fetch(which, *arguments))


@asynccontextmanager
async def _one_instant(pool: Pool) -> AsyncIterator[Connection]:
    async with (
        pool.acquire() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        yield connection


_NOTED = (
    *(ActionName.COMPLAINT_RAISED, ActionName.AMEND),
    *(ActionName.MERGE, ActionName.MERGED, ActionName.ABSORB),
)
"""Steps of which an issue has to know all its life."""


async def _read(connection: Connection, rows: Sequence[asyncpg.Record]) -> list[Issue]:
    ids = [row["id"] for row in rows]
    promises = await connection.fetch(
        """
        SELECT * FROM promises WHERE issue_id = ANY($1)
        ORDER BY generation, array_position($2::text[], kind), attempt
        """,
        ids,
        list(PromiseKind),
    )
    steps = await connection.fetch(
        """
        SELECT e.* FROM unnest($1::text[]) AS shown (id) CROSS JOIN LATERAL (
            SELECT issue_id, seq, action, actor, role, at, content FROM issue_events
            WHERE issue_id = shown.id ORDER BY seq DESC LIMIT $2
        ) e ORDER BY issue_id, seq
        """,
        ids,
        STEPS_KEPT,
    )
    results = await connection.fetch(
        """
        SELECT issue_id, generation, result FROM handling_forms
        WHERE issue_id = ANY($1) AND result IS NOT NULL
        UNION ALL
        SELECT issue_id, generation, answer FROM consultation_records
        WHERE issue_id = ANY($1) AND on_the_line IS NOT NULL -- else it is a handler's result
        ORDER BY generation
        """,
        ids,
    )
    noted = await connection.fetch(
        """
        SELECT issue_id, action, content FROM issue_events
        WHERE issue_id = ANY($1) AND action = ANY($2)
        ORDER BY seq
        """,
        ids,
        list(_NOTED),
    )
    closings = await connection.fetch(
        """
        SELECT DISTINCT ON (issue_id) issue_id, recorded ->> 'reopens_until' AS until
        FROM issue_events
        WHERE issue_id = ANY($1) AND stage = 'closed' AND stage_before IS DISTINCT FROM 'closed'
        ORDER BY issue_id, seq DESC
        """,
        [row["id"] for row in rows if row["stage"] == Stage.CLOSED],
    )
    remedies = await connection.fetch(
        """
        SELECT DISTINCT ON (issue_id) * FROM remedies
        WHERE issue_id = ANY($1) ORDER BY issue_id, proposal DESC
        """,
        ids,
    )
    remedy_of = {row["issue_id"]: _remedy(row) for row in remedies}
    until_of = {row["issue_id"]: row["until"] for row in closings}
    promises_of, steps_of, results_of, noted_of = map(_by_issue, (promises, steps, results, noted))
    return [
        _issue(
            row,
            promises=[promise(p) for p in promises_of[row["id"]]],
            steps=steps_of[row["id"]],
            results=[r["result"] for r in results_of[row["id"]]],
            noted=noted_of[row["id"]],
            reopens_until=until_of.get(row["id"]),
            remedy=remedy_of.get(row["id"]),
        )
        for row in rows
    ]


def _by_issue(rows: Sequence[asyncpg.Record]) -> Mapping[str, list[asyncpg.Record]]:
    grouped: defaultdict[str, list[asyncpg.Record]] = defaultdict(list)
    for row in rows:
        grouped[row["issue_id"]].append(row)
    return grouped


def _issue(
    row: asyncpg.Record,
    promises: list[Promise],
    steps: list[asyncpg.Record],
    results: list[str],
    noted: list[asyncpg.Record],
    reopens_until: str | None,
    remedy: Remedy | None,
) -> Issue:
    deeds = (s["at"] for s in steps if s["role"] != Role.SYSTEM and s["action"] not in ASIDE)
    said = {action: [n["content"] for n in noted if n["action"] == action] for action in _NOTED}
    same_fields = {"number", "department", "centre", "zone", "severity", "stage", "registered_at"}
    same_fields |= {"outcome", "seq", "generation", "answered", "first_contact", "redirected"}
    same_fields |= {"queue", "taken_by", "consent_since"}
    return Issue(
        intake=intake_of(row),
        **{name: row[name] for name in same_fields},
        last_at=max(deeds, default=row["reported_at"]),
        level=row["escalation_level"],
        engineer=person(row["engineer"], row["engineer_name"]),
        lead=person(row["lead"], row["lead_name"]),
        results=tuple(results),
        complaints=tuple(c["number"] for c in said[ActionName.COMPLAINT_RAISED] if "number" in c),
        was=first(content["was"] for content in said[ActionName.AMEND]),
        merging=_merging(said[ActionName.MERGE], said[ActionName.MERGED]),
        merged_into=next(
            (each["into"] for each in said[ActionName.MERGED] if each.get("survivor")), None
        ),
        merged=tuple(each["number"] for each in said[ActionName.ABSORB]),
        others=tuple(each["number"] for each in said[ActionName.ABSORB] if each.get("others")),
        promises=tuple(promises),
        remedy=remedy,
        steps=tuple(_step(step) for step in steps),
        reopens_until=datetime.fromisoformat(reopens_until) if reopens_until else None,
    )


def _merging(asked: Sequence[Mapping[str, Any]], settled: Sequence[object]) -> str | None:
    """Say into which issue one is just being merged: each time that is asked it is settled."""
    return str(asked[-1]["into"]) if len(asked) > len(settled) else None


def _remedy(row: asyncpg.Record) -> Remedy:
    return Remedy(**{name: said for name, said in row.items() if name != "issue_id"})


_OF_A_PROMISE = Promise.model_fields.keys() - {"end"}


def promise(row: asyncpg.Record) -> Promise:
    """Read a promise out of the ledger."""
    return Promise(end=row["outcome"], **{name: row[name] for name in _OF_A_PROMISE})


def _step(row: asyncpg.Record) -> StepNote:
    return note_of(row["action"], row["actor"], row["at"], row["content"])
