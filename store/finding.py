"""Finding issues: by number, telephone, customer, and by the words of their threads; only those
that the searcher reaches, and only by what they may read.

**Words** are looked for in three ways, each only if those before had too few. What nearly every
issue has is found at a glance at the newest open ones. The index is quick for whatever few issues
have, and then names them all. What is common, and not that common, is looked for in the newest
issues that somebody reaches, in the very order in which they are shown. So all have their bounds,
and what is not found whole is said to be a part (``Answer.partly``).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

import asyncpg

from domain.finding import (
    Answer,
    Found,
    FoundBy,
    Hit,
    Passage,
    Question,
    passage,
    read,
)
from domain.issue.actions import ActionName
from domain.issue.thread import Sort
from domain.knowledge.search_terms import stands_alone
from domain.sla.promise import PromiseKind
from domain.staff.access import Caller, Reach, Right, reach
from domain.vocabulary import Role
from store import customers, issue_words
from store.connection import Connection, Pool
from store.issue_writer import customer_of, person

MOST = 20
"""Issues of an answer, unless others are asked for."""
_AT_A_GLANCE = 150
"""Open issues looked through before anything else: what many have is found there at once."""
_NEWEST = 500
"""Issues looked through one by one, of the open ones and of the closed ones."""
_CANDIDATES = 2_000
"""Places that the index may name before a word counts as common."""
_PATIENCE_MS = 2_000
"""A statement that takes longer is cut off: nobody waits, and nobody else is kept waiting."""
_HITS = 2
"""Passages shown of an issue."""
_SHOWN_ANYWAY = {"title", "customer_name", "name", "organisation", "contact_person", "contact"}
"""What stands beside every issue that is found."""
_WORDS_OF = (Right.SEE, Right.READ_WORK, Right.READ_CONVERSATION, Right.READ_INTERNAL)


class Searcher(NamedTuple):
    """Who looks for issues: how far each right of theirs reaches."""

    id: str
    role: Role | None
    department: str
    reaches: Mapping[Right, Reach]

    @classmethod
    def of(cls, caller: Caller) -> Searcher:
        """Return somebody at a door."""
        rights = {right: reach(caller.role, right) for right in (*_WORDS_OF, Right.SEE_CUSTOMER)}
        return cls(caller.id, caller.role, caller.department or "", rights)

    @classmethod
    def operator(cls) -> Searcher:
        """Return whoever runs the desk, at its command line."""
        rights = dict.fromkeys((*_WORDS_OF, Right.SEE_CUSTOMER), Reach.ALL)
        return cls("", None, "", rights)


class _Values:
    """The values of a statement, as its text comes to need them."""

    def __init__(self) -> None:
        self.given: list[object] = []

    def __call__(self, value: object) -> str:
        self.given.append(value)
        return f"${len(self.given)}"


def _within(who: Searcher, right: Right, values: _Values) -> str:
    """Write which issues a right of theirs reaches: as ``domain.staff.access.within`` has it."""
    match who.reaches[right]:
        case Reach.ALL:
            return "true"
        case Reach.DEPARTMENT:
            return f"i.department = {values(who.department)}"
        case Reach.OWN:
            column = "source" if who.role is Role.INTAKE else "engineer"
            return f"i.{column} = {values(who.id)}"
        case Reach.TO_CALL:
            return (
                "EXISTS (SELECT FROM promises p WHERE p.issue_id = i.id AND p.ended_at IS NULL"
                f" AND p.kind = '{PromiseKind.CALLBACK}')"
            )
        case _:
            return "false"


def _readable(who: Searcher, values: _Values) -> str:
    """Write which words ``w`` of an issue ``i`` somebody may find it by."""
    taking: defaultdict[Reach, list[Right]] = defaultdict(list)
    for right, reached in who.reaches.items():
        taking[reached].append(right)
    return " OR ".join(
        f"w.takes = ANY({values([str(right) for right in rights])})"
        + ("" if reached is who.reaches[Right.SEE] else f" AND {_within(who, rights[0], values)}")
        for reached, rights in taking.items()
        if reached is not Reach.NONE
    )


async def find(pool: Pool, who: Searcher, typed: str, limit: int = MOST) -> Answer:
    """Find issues by what somebody typed: the very number first, then open ones, then the newest.
    What takes too long is told as far as it went.
    """
    asked = read(typed)
    if asked.short or who.reaches[Right.SEE] is Reach.NONE:
        return Answer(short=asked.short)
    async with pool.acquire() as connection:
        search = _Search(connection, who, asked, limit)
        try:
            async with connection.transaction(readonly=True):
                # What is quickest depends on what is asked.
                await connection.execute(
                    "SET LOCAL plan_cache_mode = force_custom_plan;"
                    f" SET LOCAL statement_timeout = {_PATIENCE_MS}; SET LOCAL jit = off"
                )
                return await search.answer()
        except asyncpg.QueryCanceledError:
            return search.so_far()


_SHOWN = """
    i.id, i.number, i.title, i.stage, i.outcome, i.kind, i.severity, i.department, i.region,
    i.product_line, i.zone, i.engineer, i.engineer_name, i.registered_at, i.closed_at,
    i.customer_name, i.customer_type, i.customer_existing, i.organisation, i.contact_person,
    i.phone, i.email, i.language
"""
_IN_ORDER = "(i.closed_at IS NOT NULL), i.registered_at DESC, i.id"


_COMMON = """
SELECT term, share FROM pg_stats, unnest(most_common_elems::text::text[], most_common_elem_freqs)
    AS counted (term, share)
WHERE schemaname = current_schema() AND tablename = 'issue_words' AND attname = 'search'
    AND term = ANY($1::text[])
"""
"""Which share of the texts has a term, of the terms that most have."""


class _Search:
    """One question, in one transaction."""

    def __init__(self, connection: Connection, who: Searcher, asked: Question, limit: int) -> None:
        self._connection = connection
        self._who = who
        self._asked = asked
        self._wanted = limit + 1
        self._rows: dict[str, asyncpg.Record] = {}
        self._by: defaultdict[str, dict[FoundBy, None]] = defaultdict(dict)
        self._partly = False

    async def answer(self) -> Answer:
        """Look in every way that what was typed may mean."""
        asked = self._asked
        await self._by_number()
        if not (asked.number and self._rows):
            await self._by_telephone()
            await self._by_words(asked.words)
            if len(self._rows) < self._wanted:
                await self._by_part_of_a_name()
        words, nearly = asked.words, False
        if not self._rows and any(len(terms) > _EXACT for terms in words):
            nearly = True
            self._partly |= not await self._by_index(words, nearly=True)
        found = sorted(self._rows.values(), key=self._place)[: self._wanted - 1]
        return Answer(
            found=tuple(await self._told(found)),
            more=len(self._rows) >= self._wanted,  # one more than is shown
            partly=self._partly,
            nearly=nearly and bool(found),
        )

    def so_far(self) -> Answer:
        """Tell what was found until it took too long, without what is said there."""
        found = sorted(self._rows.values(), key=self._place)[: self._wanted - 1]
        return Answer(found=tuple(self._one(row, ()) for row in found), more=True, partly=True)

    def _place(self, row: asyncpg.Record) -> tuple[bool, bool, float, str]:
        asked_for = row["number"] == self._asked.number
        newest = -row["registered_at"].timestamp()
        return not asked_for, row["closed_at"] is not None, newest, row["id"]

    def _take(self, rows: Iterable[asyncpg.Record], by: FoundBy) -> None:
        for row in rows:
            self._rows[row["id"]] = row
            self._by[row["id"]][by] = None

    async def _fetch(self, query: str, values: _Values) -> list[asyncpg.Record]:
        rows: list[asyncpg.Record] = await self._connection.fetch(query, *values.given)
        return rows

    # By what an issue is called ---------------------------------------------------------------

    async def _by_number(self) -> None:
        values = _Values()
        if self._asked.number:
            which = f"i.number = {values(self._asked.number)}"
        elif self._asked.tail:
            tail = self._asked.tail[::-1] + "%"
            which = f"reverse(translate(i.number, '-', '')) LIKE {values(tail)}"
        else:
            return
        await self._found_by(FoundBy.NUMBER, which, Right.SEE, values)

    async def _by_telephone(self) -> None:
        """By the customer's, or by one that was corrected (R44): the thread shows both."""
        digits = customers.digits_of(self._asked.text)
        if digits is None or self._who.reaches[Right.SEE_CUSTOMER] is Reach.NONE:
            return
        values = _Values()
        which = customers.dialled_like(digits, values)
        await self._found_by(FoundBy.TELEPHONE, which, Right.SEE_CUSTOMER, values)
        values = _Values()
        which = f"""i.id IN (
            SELECT e.issue_id FROM issue_events e WHERE e.action = '{ActionName.AMEND}'
            AND {customers.dialled_like(digits, values, "(e.content #>> '{was,phone}')")}
        )"""  # noqa: S608  the text is ours, values are parameters
        await self._found_by(FoundBy.TELEPHONE, which, Right.READ_INTERNAL, values)

    async def _by_part_of_a_name(self) -> None:
        """By what is no word of its own: the beginning of a name, or its middle."""
        values = _Values()
        which = customers.called_like(self._asked.text, values)
        if which and self._who.reaches[Right.SEE_CUSTOMER] is not Reach.NONE:
            await self._found_by(FoundBy.CUSTOMER, which, Right.SEE_CUSTOMER, values)

    async def _found_by(self, by: FoundBy, which: str, right: Right, values: _Values) -> None:
        # Found first, then put in order: see store/customers.py.
        rows = await self._fetch(
            f"""
            WITH fitting AS MATERIALIZED (
                SELECT i.* FROM issues i WHERE {which} AND {_within(self._who, right, values)}
                LIMIT {_CANDIDATES}
            )
            SELECT {_SHOWN} FROM fitting i ORDER BY {_IN_ORDER} LIMIT {self._wanted}
            """,  # noqa: S608  the text is ours, values are parameters
            values,
        )
        self._take(rows, by)

    # By words ---------------------------------------------------------------------------------

    async def _by_words(self, words: Sequence[Sequence[str]]) -> None:
        if not words:
            return
        rows = await self._among_the_newest(words, open_=True, most=_AT_A_GLANCE)
        self._take(rows, FoundBy.WORDS)
        if len(rows) >= self._wanted or await self._by_index(words):
            return
        everything = True
        for open_ in (True, False):
            rows = await self._among_the_newest(words, open_=open_, most=_NEWEST)
            self._take(rows, FoundBy.WORDS)
            if len(rows) >= self._wanted:
                return
            everything = everything and await self._are_fewer(_NEWEST, open_=open_)
        self._partly = not everything

    async def _among_the_newest(
        self, words: Sequence[Sequence[str]], *, open_: bool, most: int
    ) -> list[asyncpg.Record]:
        """Look through the newest issues that are open, or closed, one after the other."""
        values = _Values()
        reached = _within(self._who, Right.SEE, values)
        said = self._said(words, values)
        return await self._fetch(
            f"""
            SELECT {_SHOWN} FROM (
                SELECT * FROM issues i
                WHERE i.closed_at IS {"" if open_ else "NOT"} NULL AND {reached}
                ORDER BY i.registered_at DESC LIMIT {most}
            ) i WHERE {said} ORDER BY i.registered_at DESC LIMIT {self._wanted}
            """,  # noqa: S608  the text is ours, values are parameters
            values,
        )

    async def _are_fewer(self, most: int, *, open_: bool) -> bool:
        """Say whether somebody reaches fewer issues that are open, or closed, so all were seen."""
        counted = _Values()
        reached = _within(self._who, Right.SEE, counted)
        seen: int = await self._connection.fetchval(
            f"""
            SELECT count(*) FROM (
                SELECT FROM issues i WHERE i.closed_at IS {"" if open_ else "NOT"} NULL
                AND {reached} LIMIT {most}
            ) i
            """,  # noqa: S608  the text is ours, values are parameters
            *counted.given,
        )
        return seen < most

    async def _by_index(self, words: Sequence[Sequence[str]], *, nearly: bool = False) -> bool:
        """Ask the index for the word that fewest issues have; the others are looked for there. Say
        whether it named all there are.
        """
        values = _Values()
        asked = values(_query(await self._rarest(words), nearly=nearly))
        theirs = values(
            [str(right) for right, to in self._who.reaches.items() if to is not Reach.NONE]
        )
        reached = _within(self._who, Right.SEE, values)
        said = self._said(words, values, nearly=nearly)
        rows = await self._fetch(
            f"""
            WITH hit AS MATERIALIZED (
                SELECT w.issue_id, w.takes FROM issue_words w
                WHERE w.search @@ {asked}::tsquery LIMIT {_CANDIDATES}
            )
            SELECT counted.hits, found.*
            FROM (SELECT count(*) AS hits FROM hit) counted LEFT JOIN (
                SELECT {_SHOWN} FROM issues i
                WHERE i.id IN (SELECT issue_id FROM hit WHERE takes = ANY({theirs}))
                AND {reached} AND {said}
                ORDER BY {_IN_ORDER} LIMIT {self._wanted}
            ) found ON true
            """,  # noqa: S608  the text is ours, values are parameters
            values,
        )
        self._take((row for row in rows if row["id"]), FoundBy.WORDS)
        return bool(rows[0]["hits"] < _CANDIDATES)

    async def _rarest(self, words: Sequence[Sequence[str]]) -> Sequence[str]:
        """Return the word with the rarest term, as far as PostgreSQL has counted them; of several
        that it has not, the longest.
        """
        if len(words) == 1:
            return words[0]
        terms = sorted({term for word in words for term in word})
        rows = await self._connection.fetch(_COMMON, terms)
        share = {row["term"]: row["share"] for row in rows}
        return min(words, key=lambda word: (min(share.get(t, 0.0) for t in word), -len(word)))

    def _said(
        self, words: Sequence[Sequence[str]], values: _Values, *, nearly: bool = False
    ) -> str:
        """Write that each word was said in an issue, where the searcher may read it: asked of one
        issue after the other. PostgreSQL takes terms that go together for ever so rare, and would
        rather read all that the index has of them; it may not (``IS TRUE``, ``OFFSET 0``).
        """
        readable = _readable(self._who, values)
        return " AND ".join(
            "EXISTS (SELECT FROM issue_words w WHERE w.issue_id = i.id AND (w.search @@ "
            f"{values(_query(terms, nearly=nearly))}::tsquery) IS TRUE AND ({readable}) OFFSET 0)"
            for terms in words
        )

    # What is shown ----------------------------------------------------------------------------

    async def _told(self, rows: Sequence[asyncpg.Record]) -> list[Found]:
        hits = await self._hits([row["id"] for row in rows])
        return [self._one(row, hits[row["id"]]) for row in rows]

    def _one(self, row: asyncpg.Record, hits: Sequence[Hit]) -> Found:
        by = self._by[row["id"]]
        whom = FoundBy.TELEPHONE in by or FoundBy.CUSTOMER in by
        same = (
            *("number", "stage", "outcome", "kind", "severity", "department", "region"),
            *("product_line", "zone", "registered_at"),
        )
        return Found(
            **{name: row[name] for name in same},
            by=tuple(each for each in FoundBy if each in by),
            title=passage(row["title"], self._asked.words, len(row["title"])),
            engineer=person(row["engineer"], row["engineer_name"]),
            customer=self._customer(row) if whom else None,
            hits=tuple(hits[:_HITS]),
        )

    def _customer(self, row: asyncpg.Record) -> Passage:
        customer = customer_of(row)
        said = (customer.organisation, customer.name, customer.contact, customer.phone)
        text = " · ".join(dict.fromkeys(filter(None, said)))
        return passage(text, self._asked.words, len(text))

    async def _hits(self, ids: Collection[str]) -> Mapping[str, list[Hit]]:
        """Return the passages in which the words stand: what the searcher may read of them, that
        with the most words first.
        """
        words = self._asked.words
        found: defaultdict[str, list[tuple[int, Hit]]] = defaultdict(list)
        if not words or not ids:
            return defaultdict(list)
        values = _Values()
        named, any_ = values(list(ids)), values(" | ".join(f"({_query(t)})" for t in words))
        readable = _readable(self._who, values)
        rows = await self._fetch(
            f"""
            SELECT i.id, i.number, i.title, i.description, i.consent, i.consent_words,
                i.customer_name, i.organisation,
                i.contact_person, i.serial_number, i.site, i.reference, i.model,
                w.seq, w.takes, e.key, e.action, e.actor, e.role, e.at, e.recorded_at, e.content,
                e.stage, NULL AS engineer, NULL AS channel,
                to_jsonb(k) AS kept, to_jsonb(a) AS attached
            FROM issues i JOIN issue_words w ON w.issue_id = i.id
            LEFT JOIN issue_events e ON e.issue_id = w.issue_id AND e.seq = w.seq
            LEFT JOIN kept_words k ON w.seq = 0 AND k.key = w.kept
            LEFT JOIN attachments a ON w.seq = 0 AND a.id = w.kept
            WHERE i.id = ANY({named}) AND (w.search @@ {any_}::tsquery) IS TRUE
                AND ({readable})
            """,  # noqa: S608  the text is ours, values are parameters
            values,
        )
        for row in rows:
            found[row["id"]] += self._passages(row)
            if row["takes"] == Right.SEE_CUSTOMER:
                self._by[row["id"]][FoundBy.CUSTOMER] = None
        return defaultdict(
            list,
            {
                id_: [hit for _, hit in sorted(each, key=lambda said: -said[0])]
                for id_, each in found.items()
            },
        )

    def _passages(self, row: asyncpg.Record) -> Iterable[tuple[int, Hit]]:
        beside = {Sort.WORDS: row["kept"], Sort.ATTACHMENT: row["attached"]}
        said = [
            *(issue_words.of_entry(Sort.ACT, dict(row)) if row["action"] else ()),
            *(issue_words.of_intake(dict(row)) if row["seq"] == 1 else ()),
        ]
        for sort, kept in beside.items():
            said += issue_words.of_entry(sort, kept | {"number": row["number"]}) if kept else ()
        for each in said:
            if each.takes != row["takes"] or each.field in _SHOWN_ANYWAY:
                continue
            shown = passage(" ".join(each.text.split()), self._asked.words)
            if shown.marks:
                action = ActionName(row["action"]) if row["action"] else None
                hit = Hit(action=action, field=each.field, passage=shown)
                yield sum(end - begin for begin, end in shown.marks), hit


# Terms as PostgreSQL takes them -------------------------------------------------------------------

_EXACT = 2
"""Terms of a word of which none may be missing, however nearly it is to be found."""
_TOGETHER = 5
"""Of so many neighbouring terms one may be missing, where words are to be found nearly."""


def _query(terms: Sequence[str], *, nearly: bool = False) -> str:
    """Write the terms of a word, all of which stand in one text; or nearly all, for between the
    words of a sentence without spaces there may stand something else.
    """
    lexemes = [f"'{term}':*" if stands_alone(term) else f"'{term}'" for term in terms]
    if not nearly:
        return " & ".join(lexemes)
    parts = [lexemes[at : at + _TOGETHER] for at in range(0, len(lexemes), _TOGETHER)]
    return " & ".join(f"({_but_one(part)})" for part in parts)


def _but_one(lexemes: Sequence[str]) -> str:
    if len(lexemes) <= _EXACT:
        return " & ".join(lexemes)
    others = (lexemes[:at] + lexemes[at + 1 :] for at in range(len(lexemes)))  # type: ignore[operator]
    return " | ".join(f"({' & '.join(each)})" for each in others)
