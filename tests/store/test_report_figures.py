"""Every figure of the reports on PostgreSQL, beside an independent count in plain Python."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from domain.reports.definitions import REPORTS, Report
from domain.reports.periods import Period
from domain.terms import Terms
from runtime import rulebook
from runtime.settings import ROOT
from store import rulebooks
from store.connection import Pool
from store.reports import counting

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 12, 15, 4, tzinfo=UTC)


@pytest.mark.parametrize("report", REPORTS.values(), ids=list(REPORTS))
async def test_every_report_of_an_empty_register_says_that_it_has_no_data(
    database: Pool, report: Report
) -> None:
    async with database.acquire() as connection, connection.transaction():
        standard = rulebook.load(ROOT / "policies" / "standard.toml")
        await rulebooks.adopt(connection, standard, by="a test", note="")
    for cadence in report.cadences:
        period = Period.around(cadence, NOW.date())
        found = await counting.count(
            database, report, period, zone=SHANGHAI, terms=Terms(), now=NOW
        )
        assert found.empty
        assert {
            value.value for s in found.sections for r in s.rows for value in r.values.values()
        } == {None}
        assert type(found).model_validate_json(found.model_dump_json()) == found
