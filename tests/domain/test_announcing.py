"""Somebody hears in time that next year's notice is missing, and that a calendar ends."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from domain.calendars.national_days import NationalDays, NationalYear
from domain.sla.announcing import concerns, turn
from domain.sla.policy import MissingNotice
from domain.sla.rulebook import Rulebook
from runtime.rulebook import load
from tests.support.calendars import CHINA, DAY, HOUR, at, calendar
from tests.support.rulebooks import policy, rule

NOVEMBER = at("2026-11-01T00:00")
NEXT = NationalYear(notice="invented for a test", holidays=frozenset(), makeup_workdays=frozenset())
KNOWING = NationalDays.model_validate({**dict(CHINA), "years": {**CHINA.years, 2027: NEXT}})


def book(days: NationalDays = CHINA, **fields: Any) -> Rulebook:
    named: dict[str, Any] = {
        "week": {},
        "overrides": {at("2026-12-01T00:00").date(): ["09:00-12:00"]},
    }
    return Rulebook(
        policy=policy(rule("response"), **fields),
        calendars={"office": calendar(national="CN"), "fair": calendar(**named)},
        national={"CN": days},
    )


def about(rulebook: Rulebook, when: str, *calendars: str) -> list[str]:
    return [each.about for each in concerns(rulebook, calendars, at(when))]


@pytest.mark.parametrize(
    ("when", "told"),
    [
        ("2026-10-31T23:59", []),
        ("2026-11-01T00:00", ["CN:2027"]),
        ("2026-12-31T23:59", ["CN:2027"]),
        ("2027-03-01T10:00", ["CN:2027"]),  # that very year, still without a notice
    ],
)
def test_from_november_on_next_years_notice_is_missed_until_it_is_loaded(
    when: str, told: list[str]
) -> None:
    assert about(book(), when) == told
    assert about(book(KNOWING), when) == []
    assert about(book(KNOWING), "2027-11-01T00:00") == ["CN:2028"]


def test_the_month_is_the_policys() -> None:
    early = book(missing_notice={"from_month": 9})
    assert about(early, "2026-09-01T08:00") == ["CN:2027"]
    assert about(early, "2026-08-31T08:00") == []


def test_the_same_is_told_once_in_each_span_of_time() -> None:
    for written, days in (("7d", 7), ("30d", 30)):
        rulebook = book(missing_notice={"every": written})
        turns = [turn(rulebook, NOVEMBER + n * HOUR) for n in range(24 * 3 * days)]
        assert turns == sorted(turns)
        assert all(turns.count(each) == 24 * days for each in set(turns[24 * days : -24 * days]))


def test_only_calendars_that_open_promises_go_by_are_of_concern_when_they_end() -> None:
    rulebook = book(KNOWING)
    assert about(rulebook, "2026-11-30T10:00", "office") == []
    assert about(rulebook, "2026-11-30T10:00", "fair", "office", "gone") == ["fair"]


def test_a_rehearsal_concerns_nobody() -> None:
    demo = load(Path(__file__).parents[2] / "policies" / "standard.toml")
    played = demo.with_policy(
        demo.policy.model_copy(
            update={
                "rehearsal": {
                    "story_begins": NOVEMBER,
                    "really_begins": NOVEMBER,
                    "speed": 600,
                }
            }
        )
    )
    assert concerns(played, ["desk"], NOVEMBER + DAY) == ()


def test_by_default_the_gm_office_is_told_each_week_from_november_on() -> None:
    usual = MissingNotice()
    assert (usual.from_month, usual.every.span, usual.tell) == (11, timedelta(7), "gm_office")
