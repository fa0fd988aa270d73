"""The periods that reports are about: whole local days, named as people write them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.reports.periods import Cadence, Period

SHANGHAI = ZoneInfo("Asia/Shanghai")
DAYS = st.dates(date(1001, 2, 1), date(9997, 1, 1))
CADENCES = st.sampled_from(Cadence)


@given(CADENCES, DAYS)
def test_every_day_is_in_one_period_and_its_name_says_which(cadence: Cadence, day: date) -> None:
    period = Period.around(cadence, day)
    assert period.first <= day <= period.last
    assert Period.named(period.name) == period
    assert period.after.before == period == period.before.after
    assert period.after.first - period.last == timedelta(days=1)


@pytest.mark.parametrize("name", ["9997", "9997-12", "9997-Q4", "9997-W52", "1001", "1001-W01"])
def test_whatever_period_can_be_named_has_one_before_and_one_after_it_that_end(name: str) -> None:
    """Reports look ahead, and pages lead on."""
    period = Period.named(name)
    assert period.before.last < period.first
    assert period.after.instants(SHANGHAI)[1] > period.instants(SHANGHAI)[1]


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("2026-W47", "2026-11-16", "2026-11-22"),
        ("2026-w01", "2025-12-29", "2026-01-04"),
        ("2026-W53", "2026-12-28", "2027-01-03"),
        ("2026-02", "2026-02-01", "2026-02-28"),
        ("2026-Q4", "2026-10-01", "2026-12-31"),
        (" 2026 ", "2026-01-01", "2026-12-31"),
    ],
)
def test_a_period_is_read_as_people_write_it(name: str, first: str, last: str) -> None:
    period = Period.named(name)
    assert (str(period.first), str(period.last)) == (first, last)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-W54",
        "2025-W53",
        "2026-13",
        "2026-Q5",
        "26-11",
        "2026-11-23",
        "9998",
        "0003-01",
        "٢٠٢٦",
    ],
)
def test_what_is_no_period_is_refused_and_how_one_is_written_is_said(text: str) -> None:
    with pytest.raises(ValueError, match=r"write 2026-W47, 2026-11, 2026-Q4 or 2026"):
        Period.named(text)


def test_a_period_begins_and_ends_at_midnight_of_the_desk() -> None:
    since, until = Period.named("2026-W47").instants(SHANGHAI)
    assert since == datetime(2026, 11, 15, 16, tzinfo=UTC)
    assert until == datetime(2026, 11, 22, 16, tzinfo=UTC)
    week = Period.named("2026-W47")
    assert week.is_over(until, SHANGHAI)
    assert not week.is_over(until - timedelta.resolution, SHANGHAI)
