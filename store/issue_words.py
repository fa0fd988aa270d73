"""By which words an issue is found: the terms of what was said in each step of it and beside it,
and who may find it by them. Written in the statement that writes the step.

Terms are cut as those of the case library (``domain/knowledge/search_terms.py``); what was said in
a step, and who reads it, is the thread's to say (``domain/issue/thread.py``).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from time import monotonic
from typing import Any, NamedTuple

from domain.issue.actions import ActionName
from domain.issue.entries import made_of
from domain.issue.folding import column_of
from domain.issue.intake import Intake
from domain.issue.notes import first
from domain.issue.step import Recorded
from domain.issue.thread import INTAKE, Holds, Said, Sort, Visibility
from domain.knowledge.search_terms import stored_terms
from domain.staff.access import Right
from store.connection import Connection, Pool

COLUMNS = ("issue_id", "seq", "kept", "takes", "search")
_MOST = 4_000
"""Terms by which one text is found: PostgreSQL takes a megabyte of them, a step should not."""
_CUSTOMERS = ("customer_name", "organisation", "contact_person")
_MACHINES = ("serial_number", "site")
_IN_THE_CLEAR = ("reference", "model")
_CORRECTED = {
    **dict.fromkeys(("name", "organisation", "contact"), Right.SEE_CUSTOMER),
    **dict.fromkeys(_MACHINES, Right.READ_CONVERSATION),
    "model": Right.SEE,
}
"""What is corrected of customer and machine (R44): found by what it is and by what it was."""

Row = dict[str, Any]


class Spoken(NamedTuple):
    """A text of an issue, and the right it takes to find the issue by it."""

    takes: Right
    field: str
    text: str


def takes(said: Said) -> Right:
    """Say which right it takes to read something of a thread."""
    if said.visibility is Visibility.INTERNAL:
        return Right.READ_INTERNAL
    if said.visibility is Visibility.STAFF:
        return Right.READ_WORK
    return Right.READ_CONVERSATION if said.confidential else Right.SEE


def of_entry(sort: Sort, row: Mapping[str, Any]) -> Iterator[Spoken]:
    """Return what was said in words, in a row as the thread reads it, and what a file is called."""
    spoken = Holds.NAME if sort is Sort.ATTACHMENT else Holds.TEXT
    for said in made_of(sort, row, {}).said:
        if said.holds is spoken and isinstance(said.value, str):
            yield Spoken(takes(said), said.field, said.value)
    if sort is Sort.ACT and row["action"] == ActionName.AMEND:
        for field, right in _CORRECTED.items():
            if said_instead := row["content"].get(field):
                yield Spoken(right, field, said_instead)


def of_intake(row: Mapping[str, Any]) -> Iterator[Spoken]:
    """Return by what an issue is found besides the words of its registration: its customer and
    their machine.
    """
    named = dict.fromkeys(_CUSTOMERS, Right.SEE_CUSTOMER)
    named |= dict.fromkeys(_MACHINES, Right.READ_CONVERSATION) | dict.fromkeys(
        _IN_THE_CLEAR, Right.SEE
    )
    for field, right in named.items():
        if row[field]:
            yield Spoken(right, field, row[field])


def of_step(recorded: Recorded, intake: Intake | None) -> list[Row]:
    """Write by what an issue is found since a step of it."""
    step = recorded.step
    told = {name: getattr(intake, name) for name in INTAKE} if intake else dict.fromkeys(INTAKE)
    row = {
        "number": recorded.number,
        "seq": step.seq,
        "key": step.key,
        "action": step.action,
        "actor": step.by.id,
        "role": step.by.role,
        "at": step.at,
        "recorded_at": step.recorded_at,
        "content": step.content,
        "stage": step.stage,
        "engineer": None,
        "channel": None,
    } | told
    spoken = [*of_entry(Sort.ACT, row)]
    if intake:
        customer = intake.customer
        spoken += of_intake(
            {
                **{name: getattr(intake, name) for name in (*_MACHINES, *_IN_THE_CLEAR)},
                "customer_name": customer.name,
                "organisation": customer.organisation,
                "contact_person": customer.contact,
            }
        )
    return rows(step.issue_id, spoken, seq=step.seq)


def rows(issue_id: str, spoken: Iterable[Spoken], *, seq: int = 0, kept: str = "") -> list[Row]:
    """Write the terms of what was said, a row for each right."""
    found: defaultdict[Right, dict[str, None]] = defaultdict(dict)
    for each in spoken:
        found[each.takes] |= dict.fromkeys(stored_terms(each.text))
    return [
        {"issue_id": issue_id, "seq": seq, "kept": kept, "takes": right, "search": _vector(terms)}
        for right, terms in found.items()
        if terms
    ]


def _vector(terms: Iterable[str]) -> str:
    """Write a tsvector: terms hold letters and digits only, nothing in them ends the quotation."""
    return " ".join(f"'{term}'" for term in list(terms)[:_MOST])


# What was said before anybody could find it -------------------------------------------------------

AT_A_TIME = 20
"""Issues whose words are written in one transaction."""
_BEHIND = """
    SELECT id FROM issues WHERE worded < seq ORDER BY registered_at DESC LIMIT $1
"""
_LOCKED = """
    SELECT * FROM issues WHERE id = ANY($1) AND worded < seq ORDER BY id FOR UPDATE SKIP LOCKED
"""
_EVENTS = """
    SELECT t.issue_id, i.number, t.seq, t.key, t.action, t.actor, t.role, t.at, t.recorded_at,
        t.content, t.stage, NULL AS engineer, NULL AS channel,
        CASE WHEN t.seq = 1 THEN i.title END AS title,
        CASE WHEN t.seq = 1 THEN i.description END AS description,
        CASE WHEN t.seq = 1 THEN i.consent END AS consent,
        CASE WHEN t.seq = 1 THEN i.consent_words END AS consent_words
    FROM issue_events t JOIN issues i ON i.id = t.issue_id
    WHERE t.issue_id = ANY($1) ORDER BY t.issue_id, t.seq
"""
_BESIDE: Mapping[Sort, str] = {
    Sort.WORDS: """
        SELECT t.*, i.number FROM kept_words t JOIN issues i ON i.id = t.issue_id
        WHERE t.issue_id = ANY($1)
    """,
    Sort.ATTACHMENT: """
        SELECT t.*, t.id AS key, i.number FROM attachments t JOIN issues i ON i.id = t.issue_id
        WHERE t.issue_id = ANY($1)
    """,
}
"""What is kept beside the steps, each under its key."""
WRITE = f"""
    INSERT INTO issue_words ({", ".join(COLUMNS)})
    SELECT {", ".join(COLUMNS)}
    FROM jsonb_populate_recordset(NULL::issue_words, ${{place}}) ON CONFLICT DO NOTHING
"""  # noqa: S608  the columns are ours
"""What writes rows that are given as JSON at that place."""


async def behind(pool: Pool) -> int:
    """Count the issues of which not all words are found yet: of before there was such a search, or
    of a worker of before.
    """
    return int(await pool.fetchval("SELECT count(*) FROM issues WHERE worded < seq"))


async def catch_up(pool: Pool, within: timedelta) -> int:
    """Let issues be found by words of before, the newest first, for about so long; return how many
    issues that were. Nobody waits for it: an issue that takes a step just now comes another time.
    """
    until, done = monotonic() + within.total_seconds(), 0
    while monotonic() < until:
        async with pool.acquire() as connection:
            ids = [row["id"] for row in await connection.fetch(_BEHIND, 10 * AT_A_TIME)]
            if not ids:
                break
            before = done
            for first in range(0, len(ids), AT_A_TIME):
                async with connection.transaction():
                    done += await _catch_up(connection, ids[first : first + AT_A_TIME])
                if monotonic() >= until:
                    break
            if done == before:
                break
    return done


async def _catch_up(connection: Connection, ids: list[str]) -> int:
    issues = await connection.fetch(_LOCKED, ids)
    ids = [row["id"] for row in issues]
    found: defaultdict[tuple[str, int], list[Spoken]] = defaultdict(list)
    corrections: defaultdict[str, list[Mapping[str, str | None]]] = defaultdict(list)
    for event in await connection.fetch(_EVENTS, ids):
        found[event["issue_id"], event["seq"]] += of_entry(Sort.ACT, event)
        if event["action"] == ActionName.AMEND:
            corrections[event["issue_id"]].append(event["content"]["was"])
    for issue in issues:
        was = {column_of(name): said for name, said in first(corrections[issue["id"]]).items()}
        found[issue["id"], 1] += of_intake({**issue, **was})
    words = [row for (id_, seq), said in found.items() for row in rows(id_, said, seq=seq)]
    for sort, read in _BESIDE.items():
        for kept in await connection.fetch(read, ids):
            words += rows(kept["issue_id"], of_entry(sort, kept), kept=kept["key"])
    await connection.execute(WRITE.format(place=1), words)
    await connection.execute("UPDATE issues SET worded = seq WHERE id = ANY($1)", ids)
    return len(ids)
