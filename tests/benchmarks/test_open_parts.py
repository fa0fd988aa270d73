"""What the benchmarks of open issues and of more workers make of what they weigh, and the large
register they read.
"""

from __future__ import annotations

import random
import sqlite3
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import asyncpg
import httpx2
import pytest

from benchmarks.figures import Measured
from benchmarks.reads.asking import LARGE, SMALL, aims, answers_wrong, list_wrong
from benchmarks.reads.multiply import Administrator, multiply
from benchmarks.reads.plan import SLOWED, Seed, planned
from benchmarks.reads.questions import QUESTIONS, Asked, Known, Sort
from benchmarks.scale import full, stops
from benchmarks.weights import NOTHING, Weights, heaviest, line, of_executions
from runtime.embedded.servers import ADMINISTRATOR, APPLICATION
from starter.registers import Registers
from store.connection import Pool
from store.issue_list import Place
from tests.support.filled import DAY, MONDAY, a_person, a_step, an_issue, insert

NOW = datetime(2026, 11, 29, 4, tzinfo=UTC)
ZONE = ZoneInfo("Asia/Shanghai")
HOUR = timedelta(hours=1)


# What is weighed


def test_what_an_issue_costs_is_the_slope_and_not_what_is_there_anyhow() -> None:
    each, bend = line([(0, 5_000.0), (100, 5_800.0), (300, 7_400.0)])
    assert (round(each, 6), round(bend, 6)) == (8.0, 0.0)


def test_how_far_it_is_from_a_line_is_told_as_a_share_of_the_heaviest() -> None:
    steady, jumps = line([(0, 0), (1, 10), (2, 20)]), line([(0, 0), (1, 0), (2, 20)])
    assert steady.bend < 1e-9
    assert 0.1 < jumps.bend < 0.5
    assert line([(0, 0.0), (5, 0.0)]) == (0.0, 0.0)


def test_what_came_on_top_is_added_up_name_by_name() -> None:
    before = Weights({"issues": 8.0}, {"history": 4.0}, {"worker": 100.0})
    after = Weights({"issues": 24.0, "outbox": 8.0}, {"history": 2.0}, {"worker": 130.0})
    grown = NOTHING.and_(after.since(before)).and_(after.since(before))
    assert grown == Weights({"issues": 32.0, "outbox": 16.0}, {"history": -4.0}, {"worker": 60.0})


def test_temporals_file_is_weighed_by_table_with_its_indexes_while_it_is_written(
    tmp_path: Path,
) -> None:
    file = tmp_path / "temporal.db"
    with closing(sqlite3.connect(file)) as writing:
        writing.execute("PRAGMA journal_mode = wal")
        writing.execute("CREATE TABLE history (node blob)")
        writing.execute("CREATE INDEX of_history ON history (node)")
        writing.execute("CREATE TABLE little (n)")
        writing.commit()
        before = of_executions(file)
        writing.executemany("INSERT INTO history VALUES (?)", [(b"x" * 900,)] * 200)
        writing.commit()
        after = of_executions(file)
        writing.execute("INSERT INTO history VALUES ('not committed')")
        assert of_executions(file) == after
    grown = {name: after[name] - before[name] for name in after}
    assert grown["history"] > 2 * 200 * 900, "its index weighs as much"
    assert grown["little"] == 0


def test_the_heaviest_is_named_first_and_what_weighs_little_not_at_all() -> None:
    weighed = {"a": 70.0, "b": 4_000.0, "c": 20.0}
    assert heaviest(weighed, least=50) == [("b", 4_000.0), ("a", 70.0)]


# Where more workers stop


def used(a_second: float, others: float = 0.0, **cores: float) -> Measured:
    none = {"worker": 0.0, "postgres": 0.0, "temporal": 0.0, "caller": 0.0}
    return {**none, **cores, "a_second": a_second, "machine": sum(cores.values()) + others}


@pytest.mark.parametrize(
    ("by_workers", "cores", "said"),
    [
        (
            {1: used(7, worker=0.95, temporal=0.6), 2: used(7.5, worker=1.1, temporal=0.8)},
            2,
            "2 workers bring no more than 1; full: the machine",
        ),
        (
            {1: used(7, worker=0.95), 2: used(7, worker=1.0), 4: used(7, worker=1.0)},
            8,
            "2 workers bring no more than 1; full: the workers",
        ),
        (
            {1: used(7, worker=0.5), 2: used(7, worker=0.5)},
            8,
            "2 workers bring no more than 1; full: nothing, so they wait for each other",
        ),
        (
            {1: used(7, worker=0.4), 2: used(7, worker=0.4, others=1.6)},
            2,
            "2 workers bring no more than 1; full: the machine",
        ),
        (
            {1: used(7, worker=0.9), 2: used(13, worker=1.8, caller=0.95), 4: used(14, caller=1)},
            8,
            "4 workers bring no more than 2; full: the callers",
        ),
        (
            {1: used(7, worker=0.95), 2: used(13, worker=1.85)},
            8,
            "up to 2 workers more bring more; full: the workers",
        ),
    ],
)
def test_it_stops_where_more_workers_bring_nothing_and_what_was_full_then_is_named(
    by_workers: Mapping[int, Measured], cores: int, said: str
) -> None:
    assert stops(by_workers, cores) == said


def test_the_callers_are_one_process_and_so_full_with_one_core() -> None:
    assert full(used(1, caller=0.95, worker=1.0), workers=2, cores=4) == ["the callers"]
    assert full(used(1, caller=0.5, worker=1.9, temporal=1.5), 2, 4) == [
        "the machine",
        "the workers",
    ]


# The large register


def a_seed(number: int, *, fresh: bool, brief: bool = False) -> Seed:
    begun = NOW - timedelta(seconds=200 - number)
    name = f"issue:x:{number}"
    return Seed(name, f"20261129-07-{number:04}", begun, begun + timedelta(seconds=20 + number),
                fresh=fresh, open=fresh, brief=brief)  # fmt: skip


SEEDS = [
    *(a_seed(number, fresh=False) for number in range(20)),
    *(a_seed(number, fresh=True) for number in range(20, 30)),
    a_seed(30, fresh=True, brief=True),
]


def test_a_register_has_as_many_issues_as_asked_for_and_a_tenth_of_them_open() -> None:
    copies = list(planned(SEEDS, 5_000, NOW, ZONE))
    open_ = [each for each in copies if int(each.seed.rpartition(":")[2]) >= 20]
    assert 5_000 <= len(copies) < 5_000 + len(SEEDS)
    assert 0.08 < len(open_) / len(copies) < 0.12
    briefly = sum(each.seed == "issue:x:30" for each in open_)
    assert 0 < briefly < sum(each.seed == "issue:x:29" for each in open_) / 5


def test_issues_come_in_one_after_the_other_and_nothing_they_lived_lies_in_the_future() -> None:
    lived = {each.id: each.updated_at - each.registered_at for each in SEEDS}
    copies = list(planned(SEEDS, 2_000, NOW, ZONE))
    assert [each.origin for each in copies] == sorted(each.origin for each in copies)
    assert all(each.origin + lived[each.seed] * SLOWED <= NOW for each in copies)


def test_numbers_are_the_days_and_agents_own_without_gaps() -> None:
    numbers = [each.number for each in planned(SEEDS, 2_000, NOW, ZONE)]
    assert len(set(numbers)) == len(numbers)
    by_place: dict[str, list[int]] = {}
    for number in numbers:
        place, _, serial = number.rpartition("-")
        by_place.setdefault(place, []).append(int(serial))
    assert all(serials == list(range(1, len(serials) + 1)) for serials in by_place.values())


def test_the_same_seed_is_the_same_register_and_another_one_is_not() -> None:
    one, same, other = (list(planned(SEEDS, 500, NOW, ZONE, seed)) for seed in (1, 1, 2))
    assert one == same != other


@pytest.fixture
async def administrator(postgres_url: str) -> AsyncIterator[Administrator]:
    connection = await asyncpg.connect(postgres_url.replace(APPLICATION, ADMINISTRATOR, 1))
    yield connection
    await connection.close()


async def _a_life(pool: Pool, number: str, source: str, **row: object) -> str:
    """Write an issue with an event, a promise, a message and a form."""
    id_ = await an_issue(pool, number, source=source, engineer="li.na", **row)
    await a_step(pool, id_, 1, "accept", "li.na")
    plain = {"attempts": 1, "target": "2h", "clock": "working", "calendar": "desk"}
    plain |= {"generation": 1, "attempt": 1, "rulebook": "book", "provisional": False}
    mark = {"at": "2026-11-23T02:00:00Z", "name": "75%", "tell": [], "level": 0, "skipped": False}
    ended = {"outcome": "kept", "ended_at": MONDAY} if row else {"outcome": "open"}
    made = {"kind": "resolution", "made_at": MONDAY, "due_at": MONDAY + DAY, "marks": [mark]}
    running = {"pauses": 0, "reached": 0, **plain, **ended}
    await insert(pool, "promises", issue_id=id_, **made, **running)
    said = {"template": "t", "audience": "handler", "recipient": "li.na", "subject": "", "body": ""}
    sent = {"status": "delivered", "created_at": MONDAY, "settled_at": MONDAY + HOUR / 3_600}
    await insert(pool, "outbox", key=f"{number}:1:accepted", issue_id=id_, seq=1, **said, **sent)
    form = {"generation": 1, "engineer": "li.na", "handed_over_at": MONDAY}
    await insert(pool, "handling_forms", issue_id=id_, **form)
    return id_


async def test_a_register_of_seeds_becomes_a_large_one_that_holds_together_and_can_be_read(
    database: Pool,
    administrator: Administrator,
) -> None:
    await a_person(database, "li.na", "李娜")
    await database.execute('UPDATE members SET contacts = \'[{"channel": "sms", "address": "1"}]\'')
    closed = {"stage": "closed", "outcome": "solved", "answered": True, "closed_at": MONDAY}
    first = await _a_life(database, "20261123-07-0001", "closed", **closed)
    await _a_life(database, "20261123-07-0002", "closed", arises_from=first, **closed)
    await _a_life(
        database, "20261123-07-0003", "open", registered_at=MONDAY + DAY, updated_at=MONDAY + DAY
    )
    more = await multiply(administrator, 100, ZONE)
    assert more >= 100
    for table in ("issue_events", "promises", "outbox", "handling_forms"):
        rows = await database.fetchval(f"SELECT count(DISTINCT issue_id) FROM {table}")  # noqa: S608
        assert rows == more + 3, table
        lost = f"SELECT count(*) FROM {table} WHERE issue_id NOT IN (SELECT id FROM issues)"  # noqa: S608
        assert await database.fetchval(lost) == 0, table
    torn = "SELECT count(*) FROM issues WHERE arises_from NOT IN (SELECT id FROM issues)"
    assert await database.fetchval(torn) == 0
    apart = """
        SELECT DISTINCT (marks->0->>'at')::timestamptz - made_at FROM promises
        WHERE made_at = (SELECT max(made_at) FROM promises)
    """
    assert await database.fetchval(apart) == HOUR * SLOWED, "thresholds move along"
    assert await answers_wrong(database) == []
    await database.execute("INSERT INTO adoptions (version, loaded_by) VALUES ('book', 'test')")
    known, chance = await Known.of(database, ZONE), random.Random(1)  # noqa: S311
    async with httpx2.AsyncClient() as nobody:
        asked = Asked(database, known, chance, Registers.on(database), nobody)
        for question in QUESTIONS:
            if "board" not in question.name:  # for those there is no rulebook here
                await question.ask(asked)


def a_place(number: int) -> Place:
    return Place(next_due_at=NOW + number * DAY, registered_at=NOW, id=str(number))


@pytest.mark.parametrize(
    ("listed", "open_", "counted", "said"),
    [
        ([1, 2, 3], 3, 3, ""),
        ([1, 3], 3, 3, "2 issues are listed, 3 are open"),
        ([1, 2, 2, 3], 3, 3, "4 rows of 3 issues are listed"),
        ([2, 1, 3], 3, 3, "the list is out of order"),
        ([1, 2, 3], 3, 4, "the gauges count 4, 3 are open"),
    ],
)
def test_a_list_that_misses_an_issue_has_it_twice_or_out_of_order_is_noticed(
    listed: Sequence[int], open_: int, counted: int, said: str
) -> None:
    wrong = list_wrong([a_place(number) for number in listed], open_, counted)
    assert wrong == ([said] if said else [])


def test_the_slowest_page_and_the_slowest_search_are_what_is_judged() -> None:
    times = {
        name: {question.name: {"p50": 1.0, "p99": 2.0} for question in QUESTIONS}
        for name in (SMALL, LARGE)
    }
    times[LARGE]["my issues"]["p99"] = 101.0
    times[LARGE]["search: a name"]["p99"] = 99.0
    times[LARGE]["export, all issues"]["p99"] = 5_000.0
    page, search = aims({"times": times})
    assert (page.ratio, page.met, search.ratio, search.met) == (101.0, False, 99.0, True)
    assert "my issues" in page.what
    assert any(question.sort is Sort.REPORT for question in QUESTIONS)
