"""What cannot be planned is known before anybody is promised it."""

from __future__ import annotations

from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from domain.calendars.periods import read_period
from domain.sla.feasibility import LONGEST, dry, least, obstacles
from domain.sla.policy import Delivery
from domain.sla.rulebook import Rulebook
from runtime.rulebook import load
from tests.support.calendars import CHINA, DAY, at, calendar
from tests.support.rulebooks import solving

POLICIES = Path(__file__).parents[2] / "policies"
NOW = at("2026-11-30T10:00")
TODAY = date(2026, 11, 30)
HOURS = ["09:00-17:00"]


def named_days(first: date, count: int) -> dict[str, Any]:
    return {"week": {}, "overrides": {first + n * DAY: HOURS for n in range(count)}}


def told(rulebook: Rulebook) -> list[str]:
    return [str(each) for each in obstacles(rulebook, NOW)]


@pytest.mark.parametrize("name", ["standard", "demo", "incidents"])
def test_the_policies_as_shipped_can_be_planned(name: str) -> None:
    assert told(load(POLICIES / f"{name}.toml")) == []


@pytest.mark.parametrize("within", ["9999999 working days", "3654d", "3654 working days"])
def test_a_period_beyond_ten_years_is_refused_at_its_place(within: str) -> None:
    (said,) = told(solving(within, calendar()))
    assert said.startswith(f'promise[1].within: "{within}" is more than ten years')


def test_a_reminder_too_late_for_any_calendar_is_refused_at_its_place() -> None:
    (said,) = told(solving("2h", calendar(), marks=["100%", "+99999999 working days"]))
    assert said.startswith('promise[1].marks: "99999999 working days" is more than ten years')


def test_a_time_that_is_no_promise_may_be_longer_but_not_for_ever() -> None:
    book = solving("2h", calendar())
    for longest, said in (("20000d", []), ("99999d", ["delivery.longest_retry"])):
        delivery = Delivery.model_validate(
            {"give_up_after": "24h", "first_retry": "30s", "longest_retry": longest}
        )
        found = obstacles(
            book.with_policy(book.policy.model_copy(update={"delivery": delivery})), NOW
        )
        assert [".".join(map(str, each.where)) for each in found] == said


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        (named_days(TODAY, 300), "no open hour any more after 2027-09-25"),
        (named_days(TODAY - 10 * DAY, 5), "no open hour any more after 2026-11-24"),
        (named_days(TODAY + 500 * DAY, 5), "shut for more than a year, from the beginning to 2028"),
        ({"overrides": {TODAY + n * DAY: [] for n in range(500)}}, "shut for more than a year"),
    ],
    ids=["ends", "has ended", "begins late", "exceptions take everything"],
)
def test_a_calendar_that_runs_dry_within_a_year_is_refused(
    fields: dict[str, Any], reason: str
) -> None:
    (said,) = told(solving("2h", calendar(**fields)))
    assert said.startswith("calendars.office: ")
    assert reason in said


def test_named_days_that_last_for_more_than_a_year_will_do() -> None:
    book = solving("3 working days", calendar(**named_days(TODAY, 400)))
    assert told(book) == []
    assert obstacles(book, NOW + 60 * DAY) != ()


def test_a_period_that_the_calendar_is_too_short_for_is_refused_by_the_name_of_its_rule() -> None:
    (said,) = told(solving("90 working days", calendar(**named_days(TODAY, 400))))
    assert said.startswith("promise[1]: resolution: calendar test ends before")


def test_a_period_that_takes_too_long_by_a_calendar_rarely_open_is_refused() -> None:
    rarely = calendar(week={"mon": ["09:00-09:01"]})
    (said,) = told(solving("24h", rarely))
    assert '"24h" by calendar test is over on 2054' in said


def test_a_calendar_that_follows_notices_never_ends() -> None:
    assert dry({"office": CHINA.applied_to(calendar(national="CN"))}, NOW) == ()


def test_it_is_known_at_once_that_a_period_is_longer_than_all_time() -> None:
    forever = calendar()
    for search in (
        partial(forever.close_of_working_day, NOW, 10**15),
        partial(forever.due_after, NOW, timedelta.max),
        partial(forever.due_before, NOW, timedelta.max),
    ):
        with pytest.raises(LookupError):
            search()
    assert not forever._timeline._years


@pytest.mark.parametrize(
    ("written", "longer"),
    [("3653d", False), ("3654d", True), ("999999999999 working days", True), ("2h", False)],
)
def test_a_period_takes_at_least_its_days(written: str, *, longer: bool) -> None:
    assert (least(read_period(written)) > LONGEST) is longer


@pytest.mark.parametrize("written", [f"{'9' * 400}h", f"{'9' * 12}d", f"{'9' * 5000} working days"])
def test_a_period_longer_than_can_be_counted_is_refused_in_few_words(written: str) -> None:
    with pytest.raises(ValueError, match="longer than any calendar") as refused:
        read_period(written)
    assert len(str(refused.value)) < 100
