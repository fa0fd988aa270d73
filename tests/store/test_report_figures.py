"""Every figure of the reports on PostgreSQL, beside an independent count in plain Python."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from activities.recording import Recording
from benchmarks.reports import oracle, register
from benchmarks.reports.oracle import RULES, Time
from domain.calls import PhoneCall
from domain.reports.counted import Counted, Value
from domain.reports.definitions import REPORTS, Report
from domain.reports.figures import FIGURES, When
from domain.reports.periods import Cadence, Period
from domain.reports.report import Span
from domain.reports.views import View
from domain.reports.watched import ALL, Window
from domain.terms import Terms
from inbound.files.roster import read_roster
from runtime import rulebook
from runtime.settings import ROOT
from store import calls, roster, rulebooks
from store import quality as samples
from store.connection import Pool
from store.exports import registers
from store.reports import behind, counting, watching
from store.reports.statements import Asked
from tests.store.test_quality import an_issue
from tests.support import dashboards, reports_page
from tests.support.builders import LINKS
from tests.support.told_lives import LIVES, bring_together, lead, rulebook_of_lives

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 25, 4, tzinfo=UTC)
"""In the middle of a week, a month and a quarter."""
STANDARD = rulebook.load(ROOT / "policies" / "standard.toml")
LATER = datetime(2026, 12, 15, 4, tzinfo=UTC)
MONDAY = date(2026, 11, 9)
"""Of 2026-W46; a sample was drawn of its days."""
PERIODS = ("2026-W46", "2026-W48", "2026-10", "2026-11", "2026-Q4")


async def adopt(connection: Any) -> None:
    async with connection.transaction():
        await rulebooks.adopt(connection, STANDARD, by="a test", note="")


async def counted(pool: Pool, report: Report, period: str, **more: Any) -> Counted:
    asked: dict[str, Any] = {"zone": SHANGHAI, "terms": Terms(), "now": NOW} | more
    return await counting.count(pool, report, Period.named(period), **asked)


def periods_of(report: Report) -> Iterator[str]:
    return (p for p in PERIODS if Period.named(p).cadence in report.cadences)


def test_every_figure_is_counted_a_second_time_here_and_stands_in_some_report() -> None:
    standing = {key for r in REPORTS.values() for s in r.sections for key in s.figures}
    assert FIGURES.keys() == RULES.keys() == standing


@pytest.mark.parametrize("report", REPORTS.values(), ids=list(REPORTS))
def test_what_a_message_says_first_stands_in_its_report(report: Report) -> None:
    for section, figure in report.headline:
        assert figure in report.section(section).figures


@pytest.mark.parametrize(
    ("period", "first", "end"),
    [
        ("2026-W46", date(2026, 9, 21), date(2026, 11, 16)),
        ("2026-10", date(2026, 9, 7), date(2026, 11, 1)),  # its last day is a Saturday
        ("2026", date(2026, 10, 5), date(2026, 11, 30)),  # not over, as the next
        ("2026-Q4", date(2026, 10, 5), date(2026, 11, 30)),
        ("2027-01", date(2026, 11, 9), date(2027, 1, 4)),  # all of it lies ahead
    ],
)
def test_the_last_weeks_end_with_the_period_or_with_today_if_it_is_not_over(
    period: str, first: date, end: date
) -> None:
    asked = Asked(Period.named(period), SHANGHAI, NOW, 20)
    since, until = asked.between(When.IN, Span.TRAIL)
    assert since == datetime.combine(first, time(), SHANGHAI)
    assert until == datetime.combine(end, time(), SHANGHAI)


async def test_of_an_empty_register_every_report_says_that_there_is_no_data(
    database: Pool,
) -> None:
    async with database.acquire() as connection:
        await adopt(connection)
    for report in REPORTS.values():
        for period in periods_of(report):
            found = await counted(database, report, period)
            assert found.empty
            values = [v.value for s in found.sections for r in s.rows for v in r.values.values()]
            assert {*values} == {None}


async def test_r45_without_a_telephone_system_nobody_knows_of_lost_calls_and_none_is_no_figure(
    database: Pool,
) -> None:
    async with database.acquire() as connection:
        await adopt(connection)
    at = datetime(2026, 11, 10, tzinfo=UTC)
    await an_issue(database, "20261110-07-0001", registered_at=at, reported_at=at)
    of_telephone = ("incoming", "lost", "outgoing")

    async def known() -> list[Any]:
        found = await counted(database, REPORTS["telephone"], "2026-W46")
        values = [found.value("all", key) for key in (*of_telephone, "calls")]
        return [value and value.value for value in values]

    assert await known() == [None, None, None, 0]
    await calls.record(database, "pbx", [PhoneCall(id="1", at=at, talk_seconds=9)], NOW)
    assert await known() == [1, 0, 0, 0]


async def test_every_figure_is_what_an_independent_count_finds_and_opens_down_to_its_issues(
    database: Pool,
) -> None:
    """Of a register drawn at random, with all that makes counting hard."""
    desk = register.Desk(date(2026, 9, 28), 60, 12, 4, STANDARD.version, seed=1)
    async with database.acquire() as connection:
        await adopt(connection)
        for tables in register.drawn(desk):
            await register.write(connection, tables)
        facts = oracle.facts_of(await oracle.read(connection))
    wrong: list[str] = []
    for report in REPORTS.values():
        for name in periods_of(report):
            for department in (None, "technical_service", "customer_service"):
                asked = Time(Period.named(name), SHANGHAI, NOW, 20, department)
                found = await counted(database, report, name, department=department)
                differs = oracle.differences(facts, report, found, asked)
                wrong += (f"{report.name} {name} {department or ''} {each}" for each in differs)
                assert Counted.model_validate_json(found.model_dump_json()) == found
    if wrong:
        pytest.fail("\n".join(wrong[:20]))
    await is_what_the_quality_report_says(database)
    await is_what_the_telephone_statistics_say(database)
    await is_what_is_watched(database)
    await is_what_dashboards_draw(database)
    for report in REPORTS.values():
        await opens_down(database, facts, report, next(periods_of(report)))


async def test_lives_that_were_led_count_as_an_independent_count_has_them(
    database: Pool, tmp_path: Path
) -> None:
    """Of issues written step by step, by the activity that records them: merged, reopened, passed
    on, calmed, remedied, evaluated.
    """
    async with database.acquire() as connection, connection.transaction():
        await rulebooks.adopt(connection, rulebook_of_lives(tmp_path), by="a test", note="")
        await roster.replace(connection, read_roster(ROOT / "examples" / "roster"))
    recording = Recording(database, LINKS)
    lives = {name: await lead(recording, name) for name in LIVES}
    await bring_together(recording, lives["merged"], lives["survivor"])
    async with database.acquire() as connection:
        facts = oracle.facts_of(await oracle.read(connection))
    seen: set[str] = set()
    for report in REPORTS.values():
        for name in ("2026-W48", "2026-11"):
            if Period.named(name).cadence in report.cadences:
                asked = Time(Period.named(name), SHANGHAI, LATER)
                found = await counted(database, report, name, now=LATER)
                assert [*oracle.differences(facts, report, found, asked)] == []
                all_together = (section.total for section in found.sections)
                values = (row.values for row in all_together if row)
                seen |= {key for each in values for key, value in each.items() if value.n}
    assert seen >= {"merged", "reopened", "given_up", "not_running", "promises_kept", "rated"}
    assert seen >= {"complaints", "founded", "technical", "running", "answered"}


async def is_what_is_watched(pool: Pool) -> None:
    """As metrics, of all and of a department, over each window (R27)."""
    seen = await watching.count(pool, zone=SHANGHAI, terms=Terms(), now=NOW)
    told = {(each.figure, each.window, each.department): each.value for each in seen.numbers}
    for window in Window:
        period = window.around(NOW.astimezone(SHANGHAI).date())
        for report in REPORTS.values():
            if period.cadence not in report.cadences:
                continue
            for department in (None, "technical_service", "customer_service"):
                found = await counted(pool, report, period.name, department=department)
                for section in found.sections:
                    if report.section(section.key).span is Span.TRAIL or not section.total:
                        continue
                    for key, of in section.total.values.items():
                        number = told.get((key, window, department or ALL))
                        assert number == _about(of.value), (key, period)
    assert seen.goals.items() >= {"satisfied": 0.9, "error_rate": 0.05}.items()
    assert {(each.figure, each.window) for each in seen.numbers} >= {
        ("promises_kept", Window.LAST_WEEK),
        ("remedy_amount", Window.MONTH),
    }


def _about(value: float | Decimal | None) -> Any:
    """The same, but for what is lost in adding up otherwise."""
    return None if value is None else pytest.approx(float(value), rel=1e-9)


async def is_what_dashboards_draw(pool: Pool) -> None:
    """By the SQL of their panels, for a week that is over."""
    given = {
        "$__timeFrom()": "'2026-11-11T00:00:00Z'",
        "$__timeTo()": "'2026-11-14T00:00:00Z'",
        "$zone": SHANGHAI.key,
        "$within": "20",
        "$department": "%",
        "now()": f"'{NOW.isoformat()}'::timestamptz",
    }
    drawn = {figure.key: figure for panel in dashboards.PANELS for figure in panel.defined}
    weekly = [each for each in REPORTS.values() if Cadence.WEEK in each.cadences]
    reports = {key: next(r for r in weekly if f in r.figures) for key, f in drawn.items()}
    for key, figure in drawn.items():
        found = await counted(pool, reports[key], "2026-W46")
        (value,) = {
            section.total.values[key]
            for section in found.sections
            if section.total and key in section.total.values
            if reports[key].section(section.key).span is Span.PERIOD
        }
        sql = dashboards.sql(figure)
        for name, said in given.items():
            sql = sql.replace(name, said)
        ((at, drawn_value),) = await pool.fetch(sql)
        assert at == Period.named("2026-W46").instants(SHANGHAI)[0]
        assert (None if drawn_value is None else float(drawn_value)) == _about(value.value), key


async def is_what_the_quality_report_says(pool: Pool) -> None:
    """Of the same days: what was drawn and is in error, promises, and the satisfied."""
    week = await counted(pool, REPORTS["satisfaction"], "2026-W46")
    effect = await counted(pool, REPORTS["effectiveness"], "2026-W46")
    number = await pool.fetchval("SELECT number FROM quality_samples WHERE first_day = $1", MONDAY)
    said = await samples.report(pool, number)
    assert said is not None
    assert week.value("all", "satisfied") == Value(
        value=said.satisfaction.rate, n=said.satisfaction.satisfied, of=said.satisfaction.asked
    )
    ended = said.punctuality.kept + said.punctuality.broken
    kept, own = (effect.value("all", figure) for figure in ("promises_kept", "own_word"))
    assert kept == Value(value=said.punctuality.rate, n=said.punctuality.kept, of=ended)
    assert own is not None
    assert (own.n, own.of) == (said.punctuality.by_own_word, said.punctuality.kept)


async def is_what_the_telephone_statistics_say(pool: Pool) -> None:
    """Of the same days, a row of them being an agent's day."""
    found = await counted(pool, REPORTS["telephone"], "2026-10")
    since, until = Period.named("2026-10").instants(SHANGHAI)
    asked = registers.Asked(since=since, until=until, zone=SHANGHAI.key)
    totals: Counter[str] = Counter()
    async with registers.reading(pool, registers.REGISTERS["telephone"], asked) as rows:
        async for row in rows:
            totals.update({key: row[key] or 0 for key in _TOLD})
    for theirs, ours in _TOLD.items():
        value = found.value("all", ours)
        assert value is not None
        counts = value.value if ours == "talked" else value.n
        assert counts == totals[theirs], ours


_TOLD = {
    "calls": "calls",
    "in_time": "in_time",
    "unknown": "ring_unknown",
    "lost": "lost",
    "first_contact": "first_contact_calls",
    "incoming": "incoming",
    "outgoing": "outgoing",
    "talked": "talked",
}
"""What the telephone statistics have, by the figures of the reports."""


async def opens_down(pool: Pool, facts: oracle.Facts, report: Report, name: str) -> None:
    asked = Time(Period.named(name), SHANGHAI, NOW)
    for section, of, figure, should in oracle.expected(facts, report, asked):
        if section.by not in {None, "person", "age"} or len(should.issues) > behind.MOST:
            continue
        cell = behind.Cell(report, section.key, figure, of)
        found = await behind.issues(pool, cell, asked.period, zone=SHANGHAI, terms=Terms(), now=NOW)
        listed = {each.number: each.facts for each in found.issues}
        wanted = Counter(should.issues)
        assert (found.facts, found.without_issue) == (should.n, wanted.pop(None, 0))
        assert listed == wanted


async def test_who_reads_the_views_for_bi_tools_reads_nothing_else_and_no_customer(
    database: Pool,
) -> None:
    rows = await database.fetch(
        """
        SELECT relname AS name, relkind = 'v' AS is_view,
            has_table_privilege('yinuo_reports', oid, 'SELECT') AS read,
            ARRAY(SELECT attname::text FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0)
                AS columns
        FROM pg_class c
        WHERE relkind IN ('r', 'p', 'v') AND relnamespace = 'public'::regnamespace
        """
    )
    assert {row["name"] for row in rows if row["read"]} == {*View}
    assert {row["name"] for row in rows if row["is_view"]} >= {*View}
    assert not {c for row in rows if row["read"] for c in row["columns"]} & _CUSTOMERS


_CUSTOMERS = {
    *("customer_name", "organisation", "contact_person", "phone", "email", "site", "title"),
    *("description", "words", "opinions", "comment", "assessor", "person", "number", "unit"),
    *("recording", "serial_number", "calmed_words", "consent_words", "result", "findings"),
}
"""What says who a customer is, or what they said."""


def test_the_page_about_reports_says_what_is_defined() -> None:
    written = reports_page.PAGE.read_text("utf-8")
    assert written == reports_page.page(), "run `python -m tests.support.reports_page`"
