"""Rulebooks: named by their content, changed by making another, and stored to be read for years."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from domain.calendars.national_days import NationalDays, NationalYear
from domain.sla.planning import Planner
from domain.sla.promise import PromiseKind
from domain.sla.rulebook import Rulebook
from runtime.rulebook import load
from tests.support.calendars import CHINA, at, calendar
from tests.support.calendars import OFFICE as OFFICE_DAY
from tests.support.rulebooks import facts, planner, policy, promised, rule, solving

POLICIES = Path(__file__).parents[2] / "policies"
OFFICE = calendar(national="CN")
BOOK = solving("3 working days", OFFICE, national=CHINA)
GERMANY = NationalDays.model_validate(
    {
        "country": "DE",
        "source": "a test",
        "years": {"2026": {"notice": "a test", "holidays": ["2026-05-14"], "makeup_workdays": []}},
    }
)


def in_the_register(body: str) -> str:
    """Let ``jsonb`` have it: spaces are gone and the keys are in an order of their own."""
    shuffled = json.loads(body, object_pairs_hook=lambda pairs: dict(reversed(pairs)))
    return json.dumps(shuffled, separators=(",", ":"))


def since(days: NationalDays, **changes: Any) -> NationalDays:
    return NationalDays.model_validate({**dict(days), **changes})


TOLD_LATER = since(CHINA, dated="2026-12-01")
TOLD_EARLIER = since(CHINA, dated="2026-01-01")
LAST_YEARS = since(
    CHINA, dated="2026-12-31", years={year: CHINA.years[year] for year in (2024, 2025)}
)


# --- Its version ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["standard", "demo", "incidents"])
def test_a_stored_rulebook_is_read_back_as_the_same_version(name: str) -> None:
    written = load(POLICIES / f"{name}.toml")
    read = Rulebook.model_validate_json(in_the_register(written.dump()))
    assert (read, read.version) == (written, written.version)
    assert set(read.national) == set(written.national)
    for each in written.calendars:
        assert read.calendar(each) == written.calendar(each)


def test_equal_rulebooks_are_one_version_however_much_each_was_asked() -> None:
    asked, fresh = (solving("3 working days", OFFICE, national=CHINA) for _ in range(2))
    promised(asked, at("2026-10-01 10:00"))
    assert asked.version == fresh.version
    assert asked == fresh


@pytest.mark.parametrize(
    "other",
    [
        solving("4 working days", OFFICE, national=CHINA),
        solving("3 working days", calendar(days=6, national="CN"), national=CHINA),
        solving("3 working days", OFFICE, national=TOLD_LATER),
        BOOK.with_calendars({"another": calendar()}),
        BOOK.with_calendars({"office": calendar()}),
        BOOK.with_national(LAST_YEARS),
    ],
)
def test_whatever_is_changed_in_it_is_another_version(other: Rulebook) -> None:
    assert other.version != BOOK.version


# As the first release stored it: national days stand inside the calendar, nothing is `national`.
OLDER_VERSION = "81f3b1e0ec17"
OLDER = {
    "policy": {
        "name": "old",
        "zone": "Asia/Shanghai",
        "routing": dict.fromkeys(
            ("technical", "software", "service", "commerce", "out_of_scope"), "service"
        ),
        "promise": [
            {
                "name": "resolution",
                "promise": "resolution",
                "for": {"kind": ["fault"]},
                "within": "3 working days",
                "marks": [
                    {"at": "75%", "tell": ["handler"]},
                    {"at": "100%", "tell": ["handler", "customer"], "level": "lead"},
                ],
            }
        ],
        "delivery": {"give_up_after": "24h", "first_retry": "30s", "longest_retry": "30min"},
    },
    "calendars": {
        "office": {
            "name": "office",
            "zone": "Asia/Shanghai",
            "week": dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), OFFICE_DAY),
            "holidays": [f"2026-10-0{day}" for day in range(1, 8)],
            "makeup_workdays": ["2026-10-10"],
            "announced_until": "2026-12-31",
        }
    },
}


def test_a_rulebook_of_the_first_release_is_read_as_the_version_it_was() -> None:
    older = Rulebook.model_validate_json(json.dumps(OLDER))
    assert older.version == OLDER_VERSION
    assert json.loads(older.dump()) == OLDER


@pytest.mark.parametrize("when", ["2026-09-30 10:00", "2026-10-09 17:30", "2026-12-22 10:00"])
def test_a_rulebook_of_the_first_release_plans_as_one_that_follows_the_notices(when: str) -> None:
    older = promised(Rulebook.model_validate_json(json.dumps(OLDER)), at(when))
    today = promised(BOOK, at(when))
    assert older.due_at == today.due_at
    assert older.provisional == today.provisional
    assert older.marks[0].at == today.marks[0].at
    assert planner(Rulebook.model_validate(OLDER)).replan(older, at(when)) == older


# --- Its calendars -------------------------------------------------------------------------------


def test_a_calendar_gets_its_national_days_when_asked_for_and_stays_as_written() -> None:
    national_day, makeup = date(2026, 10, 1), date(2026, 10, 10)
    found = BOOK.calendar("office")
    assert (found.is_working_day(national_day), found.is_working_day(makeup)) == (False, True)
    assert found.announced_until == date(2026, 12, 27)  # the next notice moves the last days
    assert BOOK.calendars == {"office": OFFICE}
    assert OFFICE.is_working_day(national_day)
    assert BOOK.calendar("office") is found


def test_a_calendar_that_follows_nobody_has_only_its_own_days() -> None:
    own = calendar(holidays=["2026-05-13"])
    book = BOOK.with_calendars({"own": own})
    assert book.calendar("own") == own
    assert book.calendar("own").is_working_day(date(2026, 10, 1))


def test_a_calendar_nobody_wrote_is_not_there() -> None:
    with pytest.raises(KeyError, match="moon"):
        BOOK.calendar("moon")


def test_a_calendar_of_a_country_without_days_is_refused() -> None:
    with pytest.raises(ValidationError, match="calendars office: there are no national days of CN"):
        solving("2h", OFFICE)
    with pytest.raises(ValidationError, match="calendars munich: there are no national days of DE"):
        BOOK.with_calendars({"munich": calendar("Europe/Berlin", national="DE")})


def test_a_calendar_whose_makeup_workdays_would_have_no_hours_is_refused_at_once() -> None:
    tuesdays = calendar(week={"tue": ["09:00-12:00"]}, national="CN")
    with pytest.raises(ValidationError, match="makeup_hours_of: mon is closed in calendar test"):
        solving("2h", tuesdays, national=CHINA)


# --- Made anew -----------------------------------------------------------------------------------


def test_calendars_are_added_or_stand_in_place_of_those_of_their_name() -> None:
    longer, other = calendar(days=6, national="CN"), calendar("Europe/Berlin")
    book = BOOK.with_calendars({"office": longer, "berlin": other})
    assert book.calendars == {"office": longer, "berlin": other}
    assert (book.policy, book.national) == (BOOK.policy, BOOK.national)
    assert book.calendar("office").is_working_day(date(2026, 11, 21))
    assert not BOOK.calendar("office").is_working_day(date(2026, 11, 21))


def test_another_policy_goes_by_the_same_calendars_which_have_to_be_all_it_names() -> None:
    other = policy(rule("answer", calendar="office"))
    book = BOOK.with_policy(other)
    assert (book.policy, book.calendars, book.national) == (other, BOOK.calendars, BOOK.national)
    with pytest.raises(ValidationError, match="promise answer: no calendar moon; there are"):
        BOOK.with_policy(policy(rule("answer", calendar="moon")))


def test_a_notice_is_followed_in_place_of_the_older_one_of_that_country() -> None:
    book = BOOK.with_national(LAST_YEARS)
    assert book.national == {"CN": LAST_YEARS}
    assert book.calendar("office").announced_until == date(2025, 12, 27)
    assert BOOK.calendar("office").announced_until == date(2026, 12, 27)


def test_notices_of_a_country_that_no_calendar_follows_are_refused() -> None:
    with pytest.raises(ValueError, match="no calendar follows DE; they follow: CN"):
        BOOK.with_national(GERMANY)
    with pytest.raises(ValueError, match="no calendar follows CN; they follow: none"):
        solving("2h", calendar()).with_national(CHINA)


def test_a_notice_that_contradicts_a_calendars_own_days_is_refused() -> None:
    closed = calendar(national="CN", holidays=["2026-10-10"])
    with pytest.raises(ValidationError, match="2026-10-10 is both a holiday and a make-up workday"):
        solving("2h", closed, national=CHINA)


# --- What is known once is not forgotten ---------------------------------------------------------


@pytest.mark.parametrize(
    ("mine", "older", "kept"),
    [
        # It knows a year less, although it was looked up later.
        (LAST_YEARS, CHINA, since(CHINA, dated=LAST_YEARS.dated)),
        (CHINA, LAST_YEARS, since(CHINA, dated=LAST_YEARS.dated)),
        (TOLD_EARLIER, TOLD_LATER, TOLD_LATER),  # the same years, corrected since
        (TOLD_LATER, TOLD_EARLIER, TOLD_LATER),
        (since(CHINA, dated=None), TOLD_EARLIER, TOLD_EARLIER),  # a library's word
        (TOLD_EARLIER, since(CHINA, dated=None), TOLD_EARLIER),
    ],
)
def test_whichever_knows_more_of_a_country_is_kept(
    mine: NationalDays, older: NationalDays, kept: NationalDays
) -> None:
    book = solving("5h", OFFICE, national=mine)
    knowing = book.keeping_notices_of(solving("2h", OFFICE, national=older))
    assert knowing.national == {"CN": kept}
    assert (knowing.policy, knowing.calendars) == (book.policy, book.calendars)


def test_an_older_file_loaded_after_a_newer_notice_makes_it_forget_nothing() -> None:
    next_year = NationalYear(notice="a test", holidays={date(2027, 1, 1)}, makeup_workdays=())
    newer = since(CHINA, dated="2026-12-01", years={**CHINA.years, 2027: next_year})
    book = BOOK.learning(newer)
    assert book.learning(CHINA) == book
    assert BOOK.learning(CHINA).learning(newer) == book
    assert book.calendar("office").announced_until == date(2027, 12, 27)


def test_of_two_that_differ_about_a_year_the_one_looked_up_later_counts() -> None:
    wrong = CHINA.years[2026].model_copy(update={"makeup_workdays": frozenset({date(2026, 1, 4)})})
    for dated, taken in (("2026-01-01", CHINA.years[2026]), ("2026-12-01", wrong), (None, None)):
        file = since(CHINA, dated=dated, years={**CHINA.years, 2026: wrong})
        known = BOOK.learning(file).national["CN"].years[2026]
        assert known == (taken or CHINA.years[2026])
    corrected = since(CHINA, years={**CHINA.years, 2026: wrong})  # the same file, of the same day
    assert BOOK.learning(corrected).national["CN"].years[2026] == wrong


def test_what_a_newer_file_does_not_say_is_known_by_the_older_one() -> None:
    silent = since(CHINA, dated="2026-12-01", made_up=None, last_days_move=None, statutory={})
    learned = BOOK.learning(silent).national["CN"]
    assert (learned.made_up, learned.last_days_move) == (True, 4)
    assert learned.statutory == CHINA.statutory


def test_notices_that_leave_a_gap_to_those_known_are_refused() -> None:
    later = NationalYear(notice="a test", holidays={date(2028, 1, 1)}, makeup_workdays=())
    with pytest.raises(ValueError, match="2027 is missing between 2026 and 2028"):
        BOOK.learning(since(CHINA, years={2028: later}))


def test_a_year_is_forgotten_only_when_that_is_asked_for_and_leaves_no_gap() -> None:
    forgot = BOOK.forgetting("CN", 2026)
    assert sorted(forgot.national["CN"].years) == [2024, 2025]
    assert forgot.calendar("office").announced_until == date(2025, 12, 27)
    assert forgot.learning(CHINA) == BOOK
    for country, year, words in (
        ("CN", 2027, "no notice of 2027 for CN; known: 2024 to 2026"),
        ("CN", 2025, "2025 lies between others"),
        ("DE", 2026, "no notices of DE; there are those of: CN"),
    ):
        with pytest.raises(ValueError, match=words):
            BOOK.forgetting(country, year)
    with pytest.raises(ValueError, match="2024 is the only notice"):
        BOOK.forgetting("CN", 2026).forgetting("CN", 2025).forgetting("CN", 2024)


def test_there_is_nothing_to_keep_of_no_rulebook_or_of_a_country_nobody_follows_any_more() -> None:
    assert BOOK.keeping_notices_of(None) == BOOK
    german = solving("2h", calendar("Europe/Berlin", national="DE"), national=GERMANY)
    assert BOOK.keeping_notices_of(german) == BOOK


def test_a_promise_of_the_centre_goes_by_the_centres_calendar_with_its_national_days() -> None:
    book = BOOK.with_calendars({"weekends": calendar(days=7, national="CN")})
    for name, due in (("office", "2026-10-10 18:00"), ("weekends", "2026-10-10 18:00")):
        promise = Planner(book, facts(), name).make(PromiseKind.RESOLUTION, at("2026-09-30 10:00"))
        assert promise
        assert (promise.calendar, promise.due_at) == (name, at(due))
