"""Quality samples on PostgreSQL (R28): drawn once, never changed, added up by their own policy."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from domain import quality
from domain.errors import Refused
from domain.quality import Check, Closed, Finding, Lot, Sample, usual_seed
from domain.sla.policy import Quality
from domain.sla.rulebook import Rulebook
from domain.vocabulary import Actor, Role
from inbound.files.roster import read_roster
from runtime import rulebook
from runtime.settings import ROOT
from store import quality as samples
from store import roster, rulebooks
from store.connection import Pool

STANDARD = rulebook.load(ROOT / "policies" / "standard.toml")
MANAGER = Actor(id="sun.li", role=Role.MANAGER)
LEAD = Actor(id="zhou.jianguo", role=Role.LEAD)
NOW = datetime(2026, 11, 22, 4, tzinfo=UTC)
FIRST, LAST = date(2026, 10, 1), date(2026, 10, 31)
OCTOBER = Lot(first=FIRST, last=LAST, seed=usual_seed(FIRST, LAST))
IN_OCTOBER = datetime(2026, 10, 15, 4, tzinfo=UTC)
MOMENT = timedelta.resolution


async def insert(database: Pool, table: str, **row: Any) -> None:
    """Write one row by hand."""
    places = ", ".join(f"${n}" for n in range(1, len(row) + 1))
    await database.execute(
        f"INSERT INTO {table} ({', '.join(row)}) VALUES ({places})",  # noqa: S608 - names of ours
        *row.values(),
    )


async def an_issue(database: Pool, number: str, **changes: Any) -> str:
    """Write an issue of the register by hand, closed or not; its id."""
    closed = changes.get("closed_at") is not None
    usual = {
        "id": f"issue:web:{number}",
        "run": "run-1",
        "number": number,
        "source": "web",
        "reference": number,
        "channel": "website",
        "kind": "fault",
        "category": "technical",
        "severity": "general",
        "product_line": "ATM",
        "region": "广东",
        "title": "吞卡",
        "description": "上午起每两张卡吞一张",
        "customer_name": "张伟",
        "customer_type": "enterprise",
        "customer_existing": True,
        "phone": "+86 138 0000 1234",
        "agent": "07",
        "reported_at": IN_OCTOBER - timedelta(days=2),
        "registered_at": IN_OCTOBER - timedelta(days=2),
        "rulebook": STANDARD.version,
        "centre": "guangzhou",
        "calendar": "desk",
        "department": "technical_service",
        "zone": "Asia/Shanghai",
        "stage": "closed" if closed else "replied",
        "outcome": "solved" if closed else None,
        "answered": True,
        "engineer": "liang.jiahao",
        "engineer_name": "梁家豪",
        "seq": 5,
        "updated_at": IN_OCTOBER,
    }
    row = usual | changes
    await insert(database, "issues", **row)
    return str(row["id"])


async def a_callback(database: Pool, issue_id: str, **changes: Any) -> None:
    """Write a callback record by hand."""
    usual = {
        "issue_id": issue_id,
        "generation": 1,
        "attempt": 1,
        "clerk": "fan.meiling",
        "called_at": IN_OCTOBER,
        "reached": True,
        "running": True,
        "satisfied": True,
        "words": "好的",
    }
    await insert(database, "callback_records", **(usual | changes))


async def adopt(database: Pool, book: Rulebook) -> None:
    async with database.acquire() as connection, connection.transaction():
        await rulebooks.adopt(connection, book, by="test", note="")


def with_figures(**figures: float) -> Rulebook:
    changed = STANDARD.policy.model_copy(update={"quality": Quality(**figures)})
    return STANDARD.with_policy(changed)


@pytest.fixture
async def desk(database: Pool) -> Pool:
    """A desk with the sample roster and the standard policy, and no issues yet."""
    await adopt(database, STANDARD)
    async with database.acquire() as connection, connection.transaction():
        await roster.replace(connection, read_roster(ROOT / "examples" / "roster"))
    return database


async def closed(database: Pool, count: int, engineer: str = "liang.jiahao") -> list[Closed]:
    ids = [
        await an_issue(database, f"{engineer}-{n}", engineer=engineer, closed_at=IN_OCTOBER)
        for n in range(count)
    ]
    return [Closed(issue_id=id_, handler=engineer) for id_ in ids]


async def drawn(database: Pool, lot: Lot = OCTOBER, by: Actor = MANAGER) -> Sample:
    number, _ = await samples.draw(database, lot, by, NOW)
    sample = await samples.sample(database, number)
    assert sample is not None
    return sample


# Drawing ------------------------------------------------------------------------------------------


async def test_a_sample_is_what_anybody_would_draw_from_the_register(desk: Pool) -> None:
    population = [*await closed(desk, 30), *await closed(desk, 3, "gao.yuan")]
    sample = await drawn(desk)
    expected = quality.draw(population, STANDARD.policy.quality.sample, OCTOBER.seed)
    assert [(r.issue_id, r.handler) for r in sample.records] == [
        (r.issue_id, r.handler) for r in expected
    ]
    assert len(expected) == 6
    assert sample.population == {"liang.jiahao": 30, "gao.yuan": 3}
    assert (sample.seed, sample.share) == ("2026-10-01/2026-10-31", 0.15)
    assert (sample.drawn_by, sample.drawn_at) == ("sun.li", NOW)
    assert (sample.zone, sample.rulebook) == ("Asia/Shanghai", STANDARD.version)
    assert {r.handler: r.handler_name for r in sample.records} == {
        "liang.jiahao": "梁家豪",
        "gao.yuan": "高远",
    }


async def test_the_period_is_in_local_days_and_takes_its_last_one_in(desk: Pool) -> None:
    begins = datetime(2026, 9, 30, 16, tzinfo=UTC)  # midnight in Shanghai
    over = datetime(2026, 10, 31, 16, tzinfo=UTC)
    for number, closed_at in (
        ("too early", begins - MOMENT),
        ("first", begins),
        ("last", over - MOMENT),
        ("too late", over),
        ("open", None),
    ):
        await an_issue(desk, number, engineer=number, closed_at=closed_at)
    assert {r.number for r in (await drawn(desk)).records} == {"first", "last"}


@pytest.mark.parametrize(
    ("facts", "handler"),
    [
        ({"engineer": "li.na"}, "li.na"),
        ({"engineer": None, "first_contact": True}, "07"),
        ({"engineer": "li.na", "first_contact": True}, "07"),
        ({"engineer": None, "lead": "xie.dong"}, "xie.dong"),
        ({"engineer": None}, "07"),
    ],
)
async def test_a_record_is_the_engineers_or_the_agents_who_answered_it(
    desk: Pool, facts: dict[str, Any], handler: str
) -> None:
    await an_issue(desk, "1", closed_at=IN_OCTOBER, **facts)
    (record,) = (await drawn(desk)).records
    assert record.handler == handler


async def test_drawing_again_gives_the_same_sample_whatever_happened_since(desk: Pool) -> None:
    await closed(desk, 20)
    first = await drawn(desk)
    await closed(desk, 20, "li.na")
    await adopt(desk, with_figures(sample=0.5))
    number, new = await samples.draw(desk, OCTOBER, LEAD, NOW + timedelta(days=1))
    assert (number, new) == (first.number, False)
    assert await samples.sample(desk, number) == first
    assert await desk.fetchval("SELECT count(*) FROM quality_samples") == 1


async def test_a_sample_that_many_draw_at_once_is_drawn_once(desk: Pool) -> None:
    await closed(desk, 20)
    answers = await asyncio.gather(*(samples.draw(desk, OCTOBER, MANAGER, NOW) for _ in range(8)))
    assert len({number for number, _ in answers}) == 1
    assert [new for _, new in answers].count(True) == 1
    assert await desk.fetchval("SELECT count(*) FROM quality_records") == 3


async def test_another_seed_is_another_sample_beside_the_first(desk: Pool) -> None:
    await closed(desk, 40)
    first = await drawn(desk, OCTOBER.model_copy(update={"seed": "a"}))
    second = await drawn(desk, OCTOBER.model_copy(update={"seed": "b"}))
    assert first.number != second.number
    assert {r.number for r in first.records} != {r.number for r in second.records}
    assert [line.number for line in await samples.samples(desk)] == [second.number, first.number]


@pytest.mark.parametrize(
    ("now", "reason"),
    [
        (datetime(2026, 10, 31, 15, 59, tzinfo=UTC), "until: 2026-10-31 is not over yet"),
        (NOW, "from: nothing was closed from 2026-10-01 to 2026-10-31"),
    ],
)
async def test_what_cannot_be_drawn_is_refused_and_leaves_nothing(
    desk: Pool, now: datetime, reason: str
) -> None:
    with pytest.raises(Refused, match=reason):
        await samples.draw(desk, OCTOBER, MANAGER, now)
    assert await desk.fetchval("SELECT count(*) FROM quality_samples") == 0


async def test_a_policy_without_checks_draws_nothing(desk: Pool) -> None:
    await closed(desk, 1)
    await adopt(desk, with_figures(sample=0.0))
    with pytest.raises(Refused, match=r"quality\.sample: by the policy no records are checked"):
        await samples.draw(desk, OCTOBER, MANAGER, NOW)


@pytest.mark.parametrize("table", ["quality_samples", "quality_records", "quality_checks"])
@pytest.mark.parametrize("change", ["DELETE FROM {}", "UPDATE {} SET {} = {}"])
async def test_nothing_of_a_sample_is_ever_changed(
    desk: Pool, owner: asyncpg.Connection[Any], table: str, change: str
) -> None:
    await closed(desk, 1)
    sample = await drawn(desk)
    await samples.check(desk, sample.number, "issue:web:liang.jiahao-0", Check(by=LEAD), NOW)
    column = {"quality_samples": "seed", "quality_records": "handler"}.get(table, "error")
    with pytest.raises(asyncpg.IntegrityConstraintViolationError, match="append-only"):
        await owner.execute(change.format(table, column, column))


# Checking -----------------------------------------------------------------------------------------


async def test_checking_again_corrects_and_what_was_said_before_is_kept(desk: Pool) -> None:
    await closed(desk, 1)
    sample = await drawn(desk)
    issue_id = sample.records[0].issue_id

    async def check(by: Actor, error: str | None, minute: int) -> Finding:
        at = NOW + timedelta(minutes=minute)
        return await samples.check(desk, sample.number, issue_id, Check(by=by, error=error), at)

    await check(LEAD, "no cause", 1)
    await check(MANAGER, None, 2)
    corrected = await check(LEAD, None, 3)
    assert (corrected.revision, corrected.error) == (2, None)
    assert await check(LEAD, None, 4) == corrected  # the same again

    (record,) = (await drawn(desk)).records
    assert {(f.checker, f.revision, f.error) for f in record.findings} == {
        ("zhou.jianguo", 2, None),
        ("sun.li", 1, None),
    }
    kept = await desk.fetch("SELECT error FROM quality_checks WHERE checker = $1", LEAD.id)
    assert {row["error"] for row in kept} == {"no cause", None}
    (line,) = await samples.samples(desk)
    assert (line.records, line.drawn, line.checked) == (1, 1, 1)


async def test_a_checker_who_says_two_things_at_once_is_heard_one_after_the_other(
    desk: Pool,
) -> None:
    await closed(desk, 1)
    sample = await drawn(desk)
    issue_id = sample.records[0].issue_id
    said = [Check(by=LEAD, error=f"error {n}") for n in range(6)]
    answers = await asyncio.gather(
        *(samples.check(desk, sample.number, issue_id, each, NOW) for each in said)
    )
    assert sorted(answer.revision for answer in answers) == [1, 2, 3, 4, 5, 6]


async def test_everybody_who_wrote_in_a_record_is_known(desk: Pool) -> None:
    issue_id = await an_issue(desk, "1", engineer="li.na", generation=2, closed_at=IN_OCTOBER)
    for generation, engineer in enumerate(("zhou.jianguo", "li.na"), 1):
        await insert(
            desk,
            "handling_forms",
            issue_id=issue_id,
            generation=generation,
            engineer=engineer,
            handed_over_at=IN_OCTOBER,
        )
    await a_callback(desk, issue_id, clerk="jiang.wen")
    (record,) = (await drawn(desk)).records
    assert record.hands == {"li.na", "zhou.jianguo", "07", "jiang.wen"}
    with pytest.raises(Refused, match=r"zhou\.jianguo's own work"):
        quality.check_checker(record, LEAD)


# What came of it ----------------------------------------------------------------------------------


async def test_a_report_goes_by_the_policy_the_sample_was_drawn_under(desk: Pool) -> None:
    await closed(desk, 1)
    sample = await drawn(desk)
    issue_id = sample.records[0].issue_id
    await samples.check(desk, sample.number, issue_id, Check(by=LEAD, error="no cause"), NOW)
    await adopt(desk, with_figures(errors=1.0, satisfaction=0.1))
    found = await samples.report(desk, sample.number)
    assert found is not None
    assert (found.error_limit, found.satisfaction.goal) == (0.05, 0.9)
    assert (found.total.error_rate, found.total.retraining) == (1.0, True)
    assert [(p.person, p.name, p.retraining) for p in found.people] == [
        ("liang.jiahao", "梁家豪", True)
    ]


async def test_r24_a_record_that_was_opened_again_stays_in_its_sample_and_can_be_checked(
    desk: Pool,
) -> None:
    await closed(desk, 1)
    (record,) = (await drawn(desk)).records
    await desk.execute("UPDATE issues SET stage = 'in_progress', closed_at = NULL, outcome = NULL")
    await samples.check(desk, 1, record.issue_id, Check(by=LEAD, error=None), NOW)
    sample, said = await samples.sample(desk, 1), await samples.report(desk, 1)
    assert sample
    assert said
    assert (sample.records[0].closed_at, said.total.checked) == (None, 1)


async def test_satisfaction_is_what_customers_said_within_the_days_of_the_sample(
    desk: Pool,
) -> None:
    issue_id = await an_issue(desk, "1", closed_at=IN_OCTOBER)
    begins = datetime(2026, 9, 30, 16, tzinfo=UTC)
    over = datetime(2026, 10, 31, 16, tzinfo=UTC)
    for attempt, (called_at, satisfied) in enumerate(
        [
            (begins - MOMENT, False),
            (begins, True),
            (IN_OCTOBER, None),
            (over - MOMENT, False),
            (over, True),
        ],
        1,
    ):
        await a_callback(desk, issue_id, attempt=attempt, called_at=called_at, satisfied=satisfied)
    found = await samples.report(desk, (await drawn(desk)).number)
    assert found is not None
    said = found.satisfaction
    assert (said.asked, said.satisfied, said.rate, said.reached) == (2, 1, 0.5, False)


async def test_promises_that_ended_within_the_days_are_counted_and_those_by_own_word_among_them(
    desk: Pool,
) -> None:
    issue_id = await an_issue(desk, "1", closed_at=IN_OCTOBER)
    before = datetime(2026, 9, 30, 15, tzinfo=UTC)
    for attempt, (kind, outcome, ended_at, own_word_at) in enumerate(
        [
            ("response", "kept", IN_OCTOBER, None),
            ("response", "kept", IN_OCTOBER, NOW),
            ("response", "broken", IN_OCTOBER, NOW),
            ("response", "kept", before, NOW),
            ("customer_test", "kept", IN_OCTOBER, None),
            ("response", "broken", None, None),
        ],
        1,
    ):
        await insert(
            desk,
            "promises",
            issue_id=issue_id,
            kind=kind,
            generation=1,
            attempt=attempt,
            attempts=1,
            target="2h",
            clock="working",
            calendar="desk",
            rulebook=STANDARD.version,
            made_at=before,
            due_at=IN_OCTOBER,
            provisional=False,
            marks=[],
            reached=0,
            pauses=0,
            stops=[],
            outcome=outcome,
            ended_at=ended_at,
            own_word_at=own_word_at,
        )
    found = await samples.report(desk, (await drawn(desk)).number)
    assert found is not None
    ended = found.punctuality
    assert (ended.kept, ended.broken, ended.by_own_word) == (2, 1, 1)
    assert (round(ended.rate or 0, 3), ended.own_word_rate) == (0.667, 0.5)


async def test_a_sample_nobody_drew_is_not_there(desk: Pool) -> None:
    assert await samples.sample(desk, 7) is None
    assert await samples.report(desk, 7) is None
    assert await samples.samples(desk) == []


async def test_r45_a_sample_names_the_recordings_of_its_records(desk: Pool) -> None:
    (record,) = await closed(desk, 1)
    call = {"source": "pbx", "at": IN_OCTOBER, "heard_at": NOW, "direction": "incoming"}
    talked = {"issue_id": record.issue_id, "talk_seconds": 60}
    await insert(desk, "calls", **call, **talked, id="1", recording="rec/1")
    await insert(desk, "calls", **call, **talked, id="2")  # nobody recorded it
    (sampled,) = (await drawn(desk)).records
    assert [(each.recording, each.talk_seconds) for each in sampled.calls] == [("rec/1", 60)]
