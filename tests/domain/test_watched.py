"""The reports' figures as numbers for whoever watches from afar (R27, R30)."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

import pytest

from domain.reports.counted import Counted, CountedRow, CountedSection, Value
from domain.reports.definitions import REPORTS
from domain.reports.figures import FIGURES
from domain.reports.watched import ALL, WATCHED, Number, Window, about, metric, read_by, watched
from domain.staff.access import Caller
from domain.vocabulary import Role

NOW = datetime(2026, 11, 25, 4, tzinfo=UTC)


@pytest.mark.parametrize(
    ("window", "period"),
    [
        (Window.WEEK, "2026-W53"),
        (Window.LAST_WEEK, "2026-W52"),
        (Window.MONTH, "2027-01"),
        (Window.LAST_MONTH, "2026-12"),
    ],
)
def test_a_window_is_the_period_under_way_or_the_last_one_that_is_over(
    window: Window, period: str
) -> None:
    assert window.around(date(2027, 1, 1)).name == period


def test_every_figure_is_watched_over_the_periods_that_its_reports_are_made_for() -> None:
    for cadence, report in WATCHED.items():
        assert {each.key for each in report.figures} == {
            figure.key
            for each in REPORTS.values()
            if cadence in each.cadences
            for figure in each.figures
        }


def test_each_figure_is_a_metric_of_its_own_that_says_in_a_line_how_it_is_counted() -> None:
    names = [metric(each) for each in FIGURES.values()]
    assert len({*names}) == len(names)
    assert all(re.fullmatch("yinuo_report_[a-z_]+", name) for name in names)
    assert metric(FIGURES["handle_time"]) == "yinuo_report_handle_time_seconds"
    assert metric(FIGURES["promises_kept"]) == "yinuo_report_promises_kept_ratio"
    assert not any("\n" in about(each) for each in FIGURES.values())


def test_what_has_no_data_is_no_number_and_a_persons_goal_is_none_of_a_department() -> None:
    rows = (
        CountedRow(of="sales", zh="销售", en="sales", values={"satisfied": Value(of=0)}),
        CountedRow(zh="合计", en="All", values={"satisfied": Value(value=0.5, n=1, of=2)}),
    )
    counted = Counted(
        report="watched",
        period="2026-W48",
        zone="Asia/Shanghai",
        rulebook="0",
        counted_at=NOW,
        aims={"satisfied": 0.9, "cases_proposed": 5},
        sections=(CountedSection(key="departments", rows=rows),),
    )
    found = watched({Window.WEEK: counted}, NOW)
    assert found.numbers == [Number("satisfied", Window.WEEK, ALL, 0.5)]
    assert found.goals == {"satisfied": 0.9}


@pytest.mark.parametrize(
    ("role", "department", "read"),
    [
        (Role.GM_OFFICE, None, {ALL, "sales", "service"}),
        (Role.AUDITOR, None, {ALL, "sales", "service"}),
        (Role.MANAGER, "service", {"service"}),
        (Role.MANAGER, None, set[str]()),
        (Role.ENGINEER, "service", set[str]()),
    ],
)
def test_r30_whoever_reads_a_department_only_is_told_no_number_of_another_nor_of_all(
    role: Role, department: str | None, read: set[str]
) -> None:
    caller = Caller(id="somebody", role=role, name="somebody", department=department)
    numbers = [Number("backlog", Window.WEEK, each, 1) for each in (ALL, "sales", "service")]
    assert {each.department for each in read_by(caller, numbers)} == read
