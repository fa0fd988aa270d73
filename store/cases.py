"""The case library (R8, R29): proposing, ruling on and using cases, and finding the right one.

Full-text search needs nothing but core PostgreSQL: domain/knowledge/search_terms.py says by
which terms a text is found, here they become a ``tsvector`` with a GIN index (see
docs/case-library.md).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import asyncpg
from pydantic import Field

from domain.knowledge.cases import (
    CaseStatus,
    Change,
    Content,
    Draft,
    KnownCase,
    Ruling,
    Solved,
    ruled,
)
from domain.knowledge.search_terms import asked_terms, enough, stands_alone, stored_terms
from domain.vocabulary import Instant, Model, Outcome
from store.connection import Connection, Pool

_COLUMNS = ", ".join(
    f"c.{name}" if name != "issue_number" else "i.number AS issue_number"
    for name in KnownCase.model_fields
)
_CASES = f"SELECT {_COLUMNS} FROM known_cases c LEFT JOIN issues i ON i.id = c.issue_id"  # noqa: S608  columns are the model's, the status is how the index knows what to look through
_SAID = tuple(Content.model_fields)


class Found(Model):
    """A case that fits a question, the better the earlier it comes."""

    case: KnownCase
    matched: tuple[str, ...] = Field(description="the question's terms it has, as they were asked")
    asked: int = Field(description="how many terms the question has")
    rank: float = Field(description="ts_rank_cd, between cases with as many terms")


class Version(Model):
    """A case as one change left it."""

    revision: int
    change: Change
    changed_by: str
    changed_at: Instant
    note: str
    said: dict[str, Any]


# What the desk does, inside the caller's transaction ----------------------------------------------


async def propose(connection: Connection, draft: Draft) -> str:
    """Put a draft into the library, for review; return its number. The same issue and generation
    is proposed once: asked again, the first one's number is the answer.
    """
    row = draft.model_dump() | {
        "revision": 1,
        "status": CaseStatus.PROPOSED,
        "change": Change.PROPOSE,
        "changed_by": draft.proposed_by,
        "changed_at": draft.proposed_at,
        "note": "",
    }
    places = ", ".join(f"${place}" for place in range(2, len(row) + 2))
    number: str | None = await connection.fetchval(
        f"""
        INSERT INTO known_cases (number, search, {", ".join(row)})
        VALUES ('C-' || to_char(nextval('known_case_numbers'), 'FM99999990000'), $1::text::tsvector,
                {places})
        ON CONFLICT (issue_id, generation) DO NOTHING RETURNING number
        """,  # noqa: S608  columns are the model's, the status is how the index knows what to look through, values always parameters
        _vector(draft),
        *row.values(),
    )
    if number is None:
        number = await connection.fetchval(
            "SELECT number FROM known_cases WHERE issue_id = $1 AND generation = $2",
            draft.issue_id,
            draft.generation,
        )
    assert number is not None  # noqa: S101  only such a conflict keeps it out, and cases stay
    return number


async def solved(connection: Connection, number_or_id: str) -> Solved | None:
    """Read what the forms of an issue say of its solution: the handler's result, or the hotline's
    answer if it worked and is no known case already. None while its last generation has none.
    """
    row = await connection.fetchrow(
        """
        SELECT i.id AS issue_id, i.generation, i.product_line, i.title, i.description,
               coalesce(h.result, a.answer) AS result, coalesce(h.cause, '') AS cause,
               array_remove(ARRAY[i.customer_name, i.organisation, i.contact_person, i.phone,
                                  i.email, i.site, i.serial_number], NULL) AS private
        FROM issues i
        LEFT JOIN handling_forms h
            ON h.issue_id = i.id AND h.generation = i.generation AND h.result IS NOT NULL
        LEFT JOIN consultation_records a
            ON a.issue_id = i.id AND a.generation = i.generation AND i.outcome = $2
            AND a.known_case IS NULL AND a.worked IS NOT FALSE
        WHERE (i.number = $1 OR i.id = $1) AND (h.result IS NOT NULL OR a.answer IS NOT NULL)
        """,
        number_or_id,
        Outcome.SOLVED,
    )
    return Solved.model_validate(dict(row)) if row else None


async def approved(connection: Connection, number: str) -> KnownCase | None:
    """Return a case that may be told to customers; None for any other, and for no case."""
    row = await connection.fetchrow(
        f"{_CASES} WHERE c.number = $1 AND c.status = $2", number, CaseStatus.APPROVED
    )
    return _case(row) if row else None


async def used(connection: Connection, number: str, at: datetime) -> None:
    """Count that a case was told to a customer (R8). No change of the case: it has no history.

    Raises:
        LookupError: there is no such case.
    """
    counted = await connection.execute(
        """
        UPDATE known_cases SET used = used + 1, last_used_at = greatest(last_used_at, $2)
        WHERE number = $1
        """,
        number,
        at,
    )
    if counted != "UPDATE 1":
        raise LookupError(f"there is no case {number}")


async def rule(connection: Connection, number: str, ruling: Ruling) -> KnownCase | None:
    """Approve, reject, revise or retire a case; None if there is none. Of two who rule at once the
    second sees what the first made of it.

    Raises:
        Refused: as ``domain.knowledge.cases.ruled``; nothing is changed.
    """
    locked = await connection.fetchrow(f"{_CASES} WHERE c.number = $1 FOR UPDATE OF c", number)
    if locked is None:
        return None
    case = ruled(_case(locked), ruling)
    changed = case.model_dump(
        include={
            *("revision", "status", "reviewed_by", "reviewed_at"),
            *("change", "changed_by", "changed_at", "note", *_SAID),
        }
    )
    places = ", ".join(f"{name} = ${at}" for at, name in enumerate(changed, start=3))
    await connection.execute(
        f"UPDATE known_cases SET search = $2::text::tsvector, {places} WHERE number = $1",  # noqa: S608
        number,
        _vector(case),
        *changed.values(),
    )
    return case


async def titles(connection: Connection, wanted: Sequence[str]) -> dict[str, str]:
    """Find which of these titles a case has that is not retired, with its number."""
    rows = await connection.fetch(
        "SELECT title, min(number) AS number FROM known_cases"
        " WHERE title = ANY($1) AND status <> $2 GROUP BY title",
        list(wanted),
        CaseStatus.RETIRED,
    )
    return {row["title"]: row["number"] for row in rows}


# What people look at ------------------------------------------------------------------------------


_SEARCH = f"""
    WITH asked AS (
        SELECT term, query::tsquery FROM unnest($1::text[], $2::text[]) AS t (term, query)
    ), hits AS (
        SELECT c.number, count(*) AS found, array_agg(a.term) AS matched
        FROM asked a JOIN known_cases c ON c.search @@ a.query
            AND c.status = '{CaseStatus.APPROVED}'
        WHERE $4::text IS NULL OR c.product_line IS NULL OR c.product_line = $4
        GROUP BY c.number HAVING count(*) >= $5
        ORDER BY found DESC FETCH FIRST $6 ROWS WITH TIES
    )
    SELECT {_COLUMNS}, h.matched, ts_rank_cd(c.search, $3::tsquery)::float8 AS rank
    FROM hits h JOIN known_cases c USING (number) LEFT JOIN issues i ON i.id = c.issue_id
    ORDER BY h.found DESC, rank DESC, c.used DESC, c.number LIMIT $6
"""  # noqa: S608  columns are the model's, the status is how the index knows what to look through


async def search(
    pool: Pool, words: str, product_line: str | None = None, limit: int = 10
) -> list[Found]:
    """Find approved cases for a question in anybody's words: those with the most of its terms, then
    those where they stand close together and in the title. A product line leaves out cases of
    others. Nothing comes of a question without terms, or that shares too few with every case.
    """
    terms = asked_terms(words)
    queries = [_query(term) for term in terms]
    rows = await pool.fetch(
        _SEARCH,
        terms,
        queries,
        " | ".join(queries),
        product_line,
        enough(len(terms)),
        limit,
    )
    return [
        Found(
            case=_case(row),
            matched=tuple(term for term in terms if term in row["matched"]),
            asked=len(terms),
            rank=row["rank"],
        )
        for row in rows
    ]


async def get(pool: Pool, number: str) -> KnownCase | None:
    """Return a case of any status."""
    row = await pool.fetchrow(f"{_CASES} WHERE c.number = $1", number)
    return _case(row) if row else None


async def history(pool: Pool, number: str) -> list[Version]:
    """Return what every change left a case as, the oldest first."""
    rows = await pool.fetch(
        "SELECT * FROM known_case_history WHERE number = $1 ORDER BY revision", number
    )
    return [Version(**{name: row[name] for name in Version.model_fields}) for row in rows]


async def cases(pool: Pool, status: CaseStatus | None = None, limit: int = 50) -> list[KnownCase]:
    """List cases, what changed last first; of proposals those that wait longest."""
    first = "c.proposed_at" if status is CaseStatus.PROPOSED else "c.changed_at DESC"
    rows = await pool.fetch(
        f"{_CASES} WHERE $1::text IS NULL OR c.status = $1 ORDER BY {first}, c.number LIMIT $2",
        status,
        limit,
    )
    return [_case(row) for row in rows]


def _case(row: asyncpg.Record) -> KnownCase:
    return KnownCase.model_validate({name: row[name] for name in KnownCase.model_fields})


# Terms as PostgreSQL takes them -------------------------------------------------------------------


def _vector(said: Content) -> str:
    """Write a tsvector: each term with its positions, and the weight of the field it stands in.
    Of positions after 16,383, and of more than 256 of a term, PostgreSQL keeps what it can.
    """
    fields = {"A": (said.title, *said.keywords), "B": (said.question,), "C": (said.solution,)}
    terms = (
        (term, weight)
        for weight, texts in fields.items()
        for text in texts
        for term in stored_terms(text)
    )
    places: defaultdict[str, list[str]] = defaultdict(list)
    for position, (term, weight) in enumerate(terms, start=1):
        places[term].append(f"{position}{weight}")
    return " ".join(f"'{term}':{','.join(found)}" for term, found in places.items())


def _query(term: str) -> str:
    """Terms hold letters and digits only: nothing in them ends the quotation."""
    return f"'{term}':*" if stands_alone(term) else f"'{term}'"


async def contributed(connection: Connection, begins: datetime, ends: datetime) -> dict[str, int]:
    """Count the cases that each person proposed or added from one instant until before another
    (R46).
    """
    rows = await connection.fetch(
        """
        SELECT proposed_by, count(*) AS cases FROM known_cases
        WHERE proposed_at >= $1 AND proposed_at < $2 GROUP BY proposed_by
        """,
        *(begins, ends),
    )
    return {row["proposed_by"]: row["cases"] for row in rows}
