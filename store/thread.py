"""An issue's thread out of the tables that have a part of it, in one statement and in one order;
what an entry says, and to whom, is ``domain.issue.thread``'s.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

import asyncpg
from pydantic import Field

from domain.issue.entries import made_of
from domain.issue.thread import ACTED, ASK_NOTHING, ASKING, Entry, Sort, open_words
from domain.vocabulary import Instant
from store.connection import Connection
from store.cursors import Cursor

MOST = 200
"""Entries of a page."""
_MOST_OPEN = 50
"""Words that wait for somebody: the newest of them."""


class Source(NamedTuple):
    """A table that has entries: when they came in, by what they are told apart (without a ``key``,
    by their ``seq``), and what is read of one. ``t`` is its row, ``i`` its issue's, which its
    column ``issue`` names.
    """

    sort: Sort
    table: str
    at: str
    seq: str
    key: str
    row: str
    issue: str = "issue_id"


_MESSAGE = """
    t.key, t.template, t.audience, t.recipient, t.channel, t.status, t.handed_to,
    t.settled_at, t.created_at, t.subject, t.body, t.full_text
"""
_OTHERS = "(SELECT number FROM issues WHERE id = t.for_issue)"
SOURCES = (
    Source(
        Sort.ACT,
        "issue_events",
        at="t.recorded_at",
        seq="t.seq",
        key="",
        row="""
            t.seq, t.key, t.action, t.actor, t.role, t.at, t.recorded_at, t.content, t.stage,
            CASE WHEN t.recorded #>> '{step,assignment}' IS NOT NULL
                THEN t.recorded->'engineer' END AS engineer,
            CASE WHEN t.seq = 1 THEN i.channel END AS channel,
            CASE WHEN t.seq = 1 THEN i.title END AS title,
            CASE WHEN t.seq = 1 THEN i.description END AS description,
            CASE WHEN t.seq = 1 THEN i.consent END AS consent,
            CASE WHEN t.seq = 1 THEN i.consent_words END AS consent_words
        """,
    ),
    Source(
        Sort.WORDS,
        "kept_words",
        at="t.at",
        seq="0",
        key="t.key",
        row="t.key, t.at, t.door, t.sender, t.subject, t.body, t.why",
    ),
    Source(
        Sort.LETTER,
        "letters",
        at="t.received_at",
        seq="0",
        key="t.id",
        row="t.id, t.received_at, t.size",
    ),
    Source(
        Sort.ATTACHMENT,
        "attachments",
        at="t.at",
        seq="0",
        key="t.id",
        row="t.id, t.at, t.actor, t.role, t.door, t.name, t.kind, t.size, t.shown_to",
    ),
    Source(
        Sort.MESSAGE,
        "outbox",
        at="t.created_at",
        seq="t.seq",
        key="t.key",
        row=f"{_MESSAGE}, t.seq, {_OTHERS} AS others",
    ),
    # What the issue that speaks for this one told its customer; the step is the other's.
    Source(
        Sort.MESSAGE,
        "outbox",
        at="t.created_at",
        seq="t.seq",
        key="t.key",
        row=f"{_MESSAGE}, NULL AS seq, NULL AS others",
        issue="for_issue",
    ),
    Source(
        Sort.CALL,
        "calls",
        at="t.heard_at",
        seq="0",
        key="concat(t.source, ' ', t.id)",
        row="""
            concat(t.source, ' ', t.id) AS key, t.at, t.heard_at, t.direction, t.ring_seconds,
            t.talk_seconds, t.agent, t.recording
        """,
    ),
)
"""All that a thread is made of; those of one instant come in this order."""


class Place(Cursor):
    """An entry's place in its thread."""

    at: Instant
    rank: int
    seq: int
    key: str = Field(max_length=1000, pattern=r"^[^\x00]*$")


class Page(NamedTuple):
    """Some entries of a thread, oldest first, and from where it goes on in the direction in which
    they were asked for; None: there are no more.
    """

    entries: list[Entry]
    next: Place | None


async def after(
    connection: Connection, issue: str, people: Mapping[str, str], place: Place | None, limit: int
) -> Page:
    """Read a thread from its beginning, or from behind a place on."""
    rows = await _read(connection, [issue], place, limit, newest=False)
    return _page(rows, people, limit, newest=False)


async def before(
    connection: Connection, issue: str, people: Mapping[str, str], place: Place | None, limit: int
) -> Page:
    """Read the end of a thread, or what comes before a place."""
    rows = await _read(connection, [issue], place, limit, newest=True)
    return _page(rows, people, limit, newest=True)


async def ends(
    connection: Connection, numbers: Sequence[str], people: Mapping[str, str], limit: int
) -> dict[str, list[Entry]]:
    """Read the end of several threads, by the numbers of their issues."""
    found = await connection.fetch(
        "SELECT id, number FROM issues WHERE number = ANY($1)", list(numbers)
    )
    of: defaultdict[str, list[asyncpg.Record]] = defaultdict(list)
    for row in await _read(connection, [each["id"] for each in found], None, limit, newest=True):
        of[row["thread"]].append(row)
    return {
        each["number"]: _page(of[each["id"]], people, limit, newest=True).entries for each in found
    }


async def waiting(
    connection: Connection, issues: Sequence[str], people: Mapping[str, str]
) -> dict[str, tuple[Entry, ...]]:
    """Find what customers said since somebody last acted on their words, by the issues; those of
    issues merged into one wait with it, for somebody to act there.
    """
    rows = await connection.fetch(
        _WAITING,
        *(list(issues), list(ACTED), list(ASKING), _MOST_OPEN, list(ASK_NOTHING)),
    )
    of: defaultdict[str, list[Entry]] = defaultdict(list)
    for row in rows:
        of[row["thread"]].append(_entry(row, people))
    return {issue: open_words(of[issue]) for issue in issues}


async def _read(
    connection: Connection, issues: Sequence[str], place: Place | None, limit: int, *, newest: bool
) -> list[asyncpg.Record]:
    where = tuple(place.model_dump().values()) if place else (None, 0, 0, "")
    return await connection.fetch(_statement(newest=newest), list(issues), limit + 1, *where)


def _page(
    rows: Sequence[asyncpg.Record], people: Mapping[str, str], limit: int, *, newest: bool
) -> Page:
    shown = rows[:limit]
    entries = [_entry(row, people) for row in shown]
    last = shown[-1] if len(rows) > limit else None
    place = Place(**{name: last[name] for name in Place.model_fields}) if last else None
    return Page(entries[::-1] if newest else entries, place)


def _entry(row: asyncpg.Record, people: Mapping[str, str]) -> Entry:
    kept: dict[str, Any] = row["kept"]
    return made_of(SOURCES[row["rank"]].sort, kept | {"number": row["number"]}, people)


_NO_KEY = "''"


def _places() -> str:
    """Find the places of all entries of the threads: no word of what they say is read for it."""
    return " UNION ALL ".join(
        f"SELECT asked.id AS thread, asked.id AS issue, {each.at} AS at, {rank} AS rank,"  # noqa: S608
        f" {each.seq} AS seq, {each.key or _NO_KEY} AS key"
        f" FROM unnest($1::text[]) AS asked (id) JOIN {each.table} t ON t.{each.issue} = asked.id"
        for rank, each in enumerate(SOURCES)
    )


def _contents(sources: Collection[Source] = SOURCES) -> str:
    """Read what stands at a place ``p`` of the issue ``i``."""
    return " UNION ALL ".join(
        f"(SELECT to_jsonb(kept) AS kept FROM {each.table} t, LATERAL (SELECT {each.row}) kept"  # noqa: S608
        f" WHERE p.rank = {rank} AND t.{each.issue} = p.issue AND {_is_at(each)})"
        for rank, each in enumerate(SOURCES)
        if each in sources
    )


def _is_at(source: Source) -> str:
    return f"{source.key} = p.key" if source.key else f"{source.seq} = p.seq"


@cache
def _statement(*, newest: bool) -> str:
    order = "at DESC, rank DESC, seq DESC, key DESC" if newest else "at, rank, seq, key"
    beyond = "<" if newest else ">"
    return f"""
        WITH places AS ({_places()}), ordered AS (
            SELECT *, row_number() OVER (PARTITION BY thread ORDER BY {order}) AS place
            FROM places
            WHERE $3::timestamptz IS NULL
                OR (at, rank, seq, key) {beyond} ($3, $4::int, $5::int, $6::text)
        )
        SELECT p.*, i.number, content.kept
        FROM ordered p JOIN issues i ON i.id = p.issue
        CROSS JOIN LATERAL ({_contents()}) content
        WHERE p.place <= $2 ORDER BY thread, place
    """  # noqa: S608  our own text


_RANKS = {each.sort: rank for rank, each in enumerate(SOURCES)}
_ASKS = tuple(each for each in SOURCES if each.sort in {Sort.ACT, Sort.WORDS})
_WAITING = f"""
    WITH spoken_for AS (
        SELECT id AS thread, id AS issue, NULL::timestamptz AS since
        FROM unnest($1::text[]) AS asked (id)
        UNION ALL
        SELECT issue_id, party_id, since FROM issue_parties WHERE issue_id = ANY($1)
    ), acted AS (
        SELECT s.thread, s.issue, coalesce(own.seq, 0) AS seq,
            coalesce(own.recorded_at, '-infinity') AS at, coalesce((
                SELECT max(recorded_at) FROM issue_events
                WHERE issue_id = s.thread AND action = ANY($2) AND recorded_at >= s.since
            ), '-infinity') AS there
        FROM spoken_for s LEFT JOIN LATERAL (
            SELECT seq, recorded_at FROM issue_events
            WHERE issue_id = s.issue AND action = ANY($2) ORDER BY seq DESC LIMIT 1
        ) own ON true
    ), places AS (
        SELECT a.thread, a.issue, t.recorded_at AS at, {_RANKS[Sort.ACT]} AS rank,
            t.seq, '' AS key
        FROM acted a JOIN issue_events t ON t.issue_id = a.issue AND t.seq > a.seq
        WHERE t.action = ANY($3) AND t.recorded_at > a.there
        UNION ALL
        SELECT a.thread, a.issue, t.at, {_RANKS[Sort.WORDS]}, 0, t.key
        FROM acted a JOIN kept_words t ON t.issue_id = a.issue
        WHERE t.at > greatest(a.at, a.there) AND t.why <> ALL($5)
    ), ordered AS (
        SELECT *, row_number() OVER (PARTITION BY thread ORDER BY at DESC, rank, seq DESC) AS place
        FROM places
    )
    SELECT p.*, i.number, content.kept FROM ordered p JOIN issues i ON i.id = p.issue
    CROSS JOIN LATERAL ({_contents(_ASKS)}) content
    WHERE p.place <= $4 ORDER BY thread, at, rank, seq, key
"""  # noqa: S608  our own text
