"""Lists of issues: which, in which order, page by page; and what they need not read."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import asyncpg

from domain.sla.promise import CUSTOMERS, OVERSIGHT, PAST_DUE, PromiseEnd, PromiseKind
from store import issue_reader, workload
from store.connection import Pool
from store.issue_list import Filter, Place
from tests.support.filled import DAY, MONDAY, an_issue, insert

HOUR = timedelta(hours=1)
UNLIKE = (
    *(PromiseKind.RESPONSE, PromiseKind.RESOLUTION, PromiseKind.FEEDBACK),
    *(PromiseKind.WAITING, PromiseKind.EVALUATION, PromiseKind.DIFFICULTY),
)
"""Kinds that lists do not treat alike, however many kinds there are."""


class Running(NamedTuple):
    kind: PromiseKind
    due_at: datetime
    paused: bool = False
    ended: bool = False
    end: PromiseEnd = PromiseEnd.OPEN
    provisional: bool = False

    @property
    def moving(self) -> bool:
        return not self.ended and not self.paused and self.kind not in CUSTOMERS


class Row(NamedTuple):
    id: str
    registered_at: datetime
    closed: bool
    engineer: str | None
    department: str
    promises: Sequence[Running]

    @property
    def next_due_at(self) -> datetime | None:
        return min((each.due_at for each in self.promises if each.moving), default=None)

    @property
    def written_to(self) -> bool:
        return any(each.moving and each.kind is PromiseKind.FEEDBACK for each in self.promises)

    @property
    def overdue(self) -> bool:
        return any(
            each.end in PAST_DUE and not each.ended and each.kind not in OVERSIGHT
            for each in self.promises
        )

    @property
    def provisional(self) -> bool:
        return any(each.provisional and not each.ended for each in self.promises)

    @property
    def place(self) -> tuple[datetime, float, str]:
        late = MONDAY + 999 * DAY
        return self.next_due_at or late, -self.registered_at.timestamp(), self.id


def _promises(drawn: random.Random) -> list[Running]:
    """Some of such kinds, each once; few instants, so that many are due at the same."""
    return [
        Running(
            kind,
            MONDAY + drawn.randrange(4) * HOUR,
            paused=drawn.random() < 0.3,
            ended=drawn.random() < 0.3,
            end=drawn.choice([PromiseEnd.OPEN, PromiseEnd.OPEN, *sorted(PAST_DUE)]),
            provisional=drawn.random() < 0.2,
        )
        for kind in drawn.sample(UNLIKE, drawn.randrange(4))
    ]


async def _filled(pool: Pool, issues: int, seed: int = 1) -> list[Row]:
    drawn = random.Random(seed)  # noqa: S311  no secret
    rows = []
    for number in range(issues):
        closed = drawn.random() < 0.4
        engineer = drawn.choice([None, "li.na", "hu.bin"])
        row: dict[str, Any] = {
            "registered_at": MONDAY - drawn.randrange(5) * HOUR,
            "engineer": engineer,
            "engineer_name": engineer,
            "department": drawn.choice(["technical_service", "legal"]),
        }
        if closed:
            end = {"stage": "closed", "outcome": "solved", "answered": True, "closed_at": MONDAY}
            row |= end
        id_ = await an_issue(pool, f"20261123-07-{number:04}", **row)
        promises = _promises(drawn)
        for each in promises:
            await _write(pool, id_, each)
        rows.append(Row(id_, row["registered_at"], closed, engineer, row["department"], promises))
    return rows


async def _write(pool: Pool, issue_id: str, promise: Running) -> None:
    plain: dict[str, Any] = {"generation": 1, "attempt": 1, "attempts": 1, "target": "2h"}
    plain |= {"clock": "working", "calendar": "desk", "rulebook": "book", "made_at": MONDAY}
    await insert(
        pool,
        "promises",
        issue_id=issue_id,
        kind=promise.kind,
        due_at=promise.due_at,
        provisional=promise.provisional,
        paused_at=MONDAY if promise.paused else None,
        ended_at=MONDAY if promise.ended else None,
        outcome=promise.end,
        pauses=0,
        reached=0,
        **plain,
    )


async def _ids(pool: Pool, wanted: Filter) -> list[str]:
    """Go through a list page by page."""
    found: list[str] = []
    after: Place | None = None
    while True:
        shown, after = await issue_reader.page(pool, wanted, after)
        assert len(shown) <= wanted.limit
        found += [each.id for each in shown]
        if after is None:
            return found
        assert len(found) < 1000, "it comes to an end"
        assert len(shown) == wanted.limit


WANTED: Sequence[tuple[dict[str, Any], Callable[[Row], bool]]] = (
    ({}, lambda row: not row.closed),
    ({"open_only": False}, lambda _: True),
    ({"or_written_to": True}, lambda row: not row.closed or row.written_to),
    ({"or_written_to": True, "open_only": False}, lambda _: True),
    (
        {"or_written_to": True, "overdue": True},
        lambda row: row.overdue and (not row.closed or row.written_to),
    ),
    ({"overdue": True}, lambda row: row.overdue and not row.closed),
    ({"overdue": True, "open_only": False}, lambda row: row.overdue),
    ({"provisional": True}, lambda row: row.provisional and not row.closed),
    ({"unassigned": True}, lambda row: row.engineer is None and not row.closed),
    ({"engineer": "li.na", "open_only": False}, lambda row: row.engineer == "li.na"),
    (
        {"engineer": "hu.bin", "department": "legal"},
        lambda row: (row.engineer, row.department, row.closed) == ("hu.bin", "legal", False),
    ),
    ({"stage": "closed", "open_only": False}, lambda row: row.closed),
)


async def test_a_list_has_what_is_wanted_once_by_what_is_due_and_then_the_newest(
    database: Pool,
) -> None:
    rows = await _filled(database, 60)
    assert any(row.next_due_at is None for row in rows), "there is a second part"
    assert any(row.closed and row.written_to for row in rows)
    for wanted, fits in WANTED:
        expected = [row.id for row in sorted(rows, key=lambda each: each.place) if fits(row)]
        assert expected, wanted
        for limit in (1, 3, 7, 1000):
            assert await _ids(database, Filter(**wanted, limit=limit)) == expected, wanted


async def test_a_page_may_begin_behind_an_issue_that_is_not_there_any_more(database: Pool) -> None:
    rows = sorted(await _filled(database, 20), key=lambda each: each.place)
    due = next(row for row in rows if row.next_due_at)
    gone = Place(next_due_at=due.next_due_at, registered_at=due.registered_at, id=due.id + "-")
    shown, _ = await issue_reader.page(database, Filter(open_only=False, limit=20), gone)
    assert [each.id for each in shown] == [row.id for row in rows if row.place > due.place]


async def test_a_page_reads_no_more_of_what_runs_than_it_shows(
    database: Pool, owner: asyncpg.Connection[Any]
) -> None:
    issues = 2_000
    id_ = await an_issue(database, "20261123-07-0001")
    for kind in (PromiseKind.RESPONSE, PromiseKind.RESOLUTION):
        await _write(database, id_, Running(kind, MONDAY))
    await _again(database, "issues", "id", issues)
    await _again(database, "promises", "issue_id", issues)
    await owner.execute("ANALYZE issues, promises")
    first, after = await issue_reader.page(database, Filter(limit=20))
    for wanted in (Filter(limit=20), Filter(limit=20, department=first[0].department)):
        for place in (None, after):
            before = await _entries_read(database, "promises")
            shown, _ = await issue_reader.page(database, wanted, place)
            assert len(shown) == 20
            assert await _entries_read(database, "promises") - before < 20 * 12


async def _again(pool: Pool, table: str, id_: str, times: int) -> None:
    """Repeat the rows of a table for other issues, each due an hour later than the one before."""
    own = {id_: f"{id_} || n", "number": "left(number, -4) || n", "reference": "reference || n"}
    own["due_at"] = "due_at + n * interval '1 hour'"
    columns = await pool.fetch(
        "SELECT attname AS name FROM pg_attribute"
        " WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped",
        table,
    )
    names = [f'"{each["name"]}"' for each in columns]
    values = [own.get(each["name"], name) for each, name in zip(columns, names, strict=True)]
    await pool.execute(
        f"INSERT INTO {table} ({', '.join(names)}) SELECT {', '.join(values)}"  # noqa: S608
        f" FROM {table}, generate_series(1001, 1000 + {times}) AS n"
    )


async def test_who_has_how_much_counts_an_issue_once_however_many_of_its_promises_are_broken(
    database: Pool,
) -> None:
    rows = [row for row in await _filled(database, 60) if not row.closed]
    found = {each.engineer: each for each in await workload.loads(database, None)}
    for engineer in (None, "li.na", "hu.bin"):
        theirs = [row for row in rows if row.engineer == engineer]
        counted = found[engineer].open, found[engineer].overdue
        assert counted == (len(theirs), sum(row.overdue for row in theirs))


async def test_what_was_not_delivered_is_found_without_reading_what_was(database: Pool) -> None:
    id_ = await an_issue(database)
    await database.execute(
        """
        INSERT INTO outbox (key, issue_id, seq, template, audience, recipient, subject, body,
                            status, settled_at, handed_to, not_before, created_at)
        SELECT 'key-' || n, $1, 1, 't', 'handler', '07', 's', 'b', status,
               CASE WHEN status NOT IN ('pending', 'unknown') THEN $2::timestamptz END,
               CASE WHEN status = 'handed_over' THEN 'lead' END, NULL,
               $2::timestamptz + n * interval '1 second'
        FROM generate_series(1, 3000) AS n CROSS JOIN LATERAL (SELECT CASE n
            WHEN 7 THEN 'handed_over' WHEN 9 THEN 'unknown' WHEN 2 THEN 'pending'
            ELSE 'delivered' END AS status) AS stands
        """,
        *(id_, MONDAY),
    )
    await database.execute("ANALYZE outbox")
    before = await _rows_read(database, "outbox")
    found = await issue_reader.undelivered(database)
    assert [each.key for each in found] == ["key-2", "key-7", "key-9"], "the oldest first"
    assert await _rows_read(database, "outbox") == before


async def _rows_read(pool: Pool, table: str) -> int:
    """Rows of a table that were read one after the other, without an index."""
    return await _counted(
        pool, "SELECT seq_tup_read FROM pg_stat_user_tables WHERE relname = $1", table
    )


async def _entries_read(pool: Pool, table: str) -> int:
    """These, and entries of its indexes."""
    entries = "SELECT sum(idx_tup_read)::bigint FROM pg_stat_user_indexes WHERE relname = $1"
    return await _rows_read(pool, table) + await _counted(pool, entries, table)


async def _counted(pool: Pool, statistics: str, table: str) -> int:
    async with pool.acquire() as connection:
        await connection.execute("SELECT pg_stat_force_next_flush()")
        found: int = await connection.fetchval(statistics, table)
    return found
