"""Which editions of the reports are due, and what a later one says otherwise (R27)."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial

import pytest

from domain.reports.counted import Counted, CountedRow, CountedSection, Quoted, Value
from domain.reports.definitions import REPORTS, Report
from domain.reports.editions import Edition, Kept, changes, due, issued_over, morning_after
from domain.reports.periods import Cadence
from domain.reports.weekly import CALLBACKS
from domain.sla.policy import Reports
from domain.staff.access import Reach
from runtime.rulebook import load
from runtime.settings import ROOT

STANDARD = load(ROOT / "policies" / "standard.toml")
BEGUN = date(2026, 3, 2)
MONTHLY = Report("complaints", "投诉", "complaints", (Cadence.MONTH, Cadence.YEAR), (), ())


def shanghai(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+08:00")


def due_at(
    text: str,
    *kept: str,
    reports: tuple[Report, ...] = (CALLBACKS,),
    by_clock: bool = True,
    begun: date = BEGUN,
) -> list[str]:
    """Say what is due at a local time, by the standard policy; ``kept`` are of the first report."""
    now = shanghai(text)
    known = [Kept(reports[0].name, period, by_clock) for period in kept]
    found = due(reports, known, begun, now.date(), now, partial(morning_after, STANDARD))
    return [f"{each.report} {each.period.name}" for each in found]


@pytest.mark.parametrize(
    ("last", "issued"),
    [
        ("2026-11-22", "2026-11-23 08:30"),
        ("2026-10-04", "2026-10-08 08:30"),  # National Day: the week after is half off
        ("2026-09-30", "2026-10-08 08:30"),
        ("2026-10-11", "2026-10-12 08:30"),
        ("2026-02-22", "2026-02-24 08:30"),  # Spring Festival ends on Monday
    ],
)
def test_r27_what_ends_is_issued_on_the_next_working_morning(last: str, issued: str) -> None:
    assert morning_after(STANDARD, date.fromisoformat(last)) == shanghai(issued)


def test_a_make_up_workday_is_a_working_morning() -> None:
    assert morning_after(STANDARD, date(2026, 9, 19)) == shanghai("2026-09-20 08:30")


def test_a_desk_that_never_works_issues_nothing() -> None:
    shut = dict.fromkeys((BEGUN + timedelta(days=n) for n in range(800)), ())
    desk = STANDARD.calendars["desk"].model_copy(update={"overrides": shut, "national": None})
    assert morning_after(STANDARD.with_calendars({"desk": desk}), BEGUN) is None


def test_the_week_over_national_day_is_due_once_and_not_before_its_morning() -> None:
    assert due_at("2026-10-08 08:29", "2026-W39") == []
    both = ["callbacks 2026-Q3", "callbacks 2026-W40"]  # it ended within the holidays
    assert due_at("2026-10-08 08:30", "2026-W39") == both
    assert due_at("2026-10-08 08:40", "2026-W39", "2026-W40", "2026-Q3") == []


def test_after_an_outage_of_three_weeks_every_edition_is_due_once_the_oldest_first() -> None:
    assert due_at("2026-11-23 11:00", "2026-Q3", "2026-W42", "2026-W43") == [
        f"callbacks 2026-W{week}" for week in (44, 45, 46, 47)
    ]


def test_what_was_left_out_in_between_is_due_still() -> None:
    assert due_at("2026-11-23 11:00", "2026-Q3", "2026-W45", "2026-W47") == ["callbacks 2026-W46"]


def test_weeks_that_end_within_the_same_holidays_are_both_due_after_them() -> None:
    before = ("2026-02-24 08:00", "2026-W06", "2025-Q4", "2025")
    assert due_at(*before, begun=date(2025, 12, 1)) == []
    after = due_at("2026-02-24 08:30", *before[1:], begun=date(2025, 12, 1))
    assert after == ["callbacks 2026-W07", "callbacks 2026-W08"]


def test_of_a_report_that_was_never_issued_only_what_is_due_just_now_is() -> None:
    assert due_at("2026-11-25 11:00") == ["callbacks 2026-W47"]
    assert due_at("2026-11-23 07:00") == ["callbacks 2026-W46"]


def test_an_old_edition_that_somebody_asked_for_brings_no_others_along() -> None:
    asked = due_at("2026-11-25 11:00", "2026-W12", "2026-Q3", by_clock=False)
    assert asked == ["callbacks 2026-W47"]


def test_a_report_that_is_switched_on_again_does_not_bring_years_of_them() -> None:
    assert due_at("2026-11-25 11:00", "2026-W10", "2026-Q3") == ["callbacks 2026-W47"]
    assert len(due_at("2026-11-25 11:00", "2026-W34", "2026-Q3")) == 47 - 34, "a hundred days"


def test_nothing_is_due_of_before_the_desk_began() -> None:
    assert due_at("2026-03-09 09:00") == ["callbacks 2026-W10"]
    assert due_at("2026-03-06 09:00") == []


def test_a_monthly_report_is_issued_over_months_and_years_and_rolled_up_no_further() -> None:
    assert issued_over(MONTHLY) == (Cadence.MONTH, Cadence.YEAR)
    assert issued_over(CALLBACKS) == (Cadence.WEEK, Cadence.QUARTER, Cadence.YEAR)
    assert due_at("2026-11-02 09:00", reports=(MONTHLY,)) == ["complaints 2026-10"]


def test_whoever_the_policy_sends_a_report_may_read_it() -> None:
    reports = Reports()
    assert {name for name in REPORTS if not reports.issues(name)} == {"answered", "satisfaction"}
    for report in REPORTS.values():
        for role in reports.readers(report.name):
            assert report.readers.get(role, Reach.NONE) is not Reach.NONE, (report.name, role)


# What changed -------------------------------------------------------------------------------------


def counted(called: int, reached: float | None, words: int = 0, **rows: int) -> Counted:
    said = tuple(
        Quoted(issue=f"20261123-07-000{n}", at=shanghai("2026-11-24 10:00"), words="慢")
        for n in range(words)
    )
    total = CountedRow(
        zh="合计",
        en="All",
        values={
            "called": Value(value=called, n=called),
            "reached": Value(value=reached, n=called, of=called),
        },
    )
    others = tuple(
        CountedRow(of=of, zh=of, en=of, values={"called": Value(value=n, n=n)})
        for of, n in rows.items()
    )
    return Counted(
        report="callbacks",
        period="2026-W47",
        zone="Asia/Shanghai",
        rulebook="1",
        counted_at=shanghai("2026-11-23 08:30"),
        sections=(
            CountedSection(key="all", rows=(total,), words=said),
            CountedSection(key="engineers", rows=others),
        ),
    )


def test_the_same_figures_counted_again_are_no_change() -> None:
    again = Counted.model_validate_json(counted(3, 2 / 3, 1, li=3).model_dump_json())
    assert changes(counted(3, 2 / 3, 1, li=3), again) == ()


def test_a_difference_that_nobody_reads_is_none() -> None:
    """Sums of floats hang on the order of their rows, and money is kept as text."""

    def paid(amount: Decimal | float, hours: float) -> Counted:
        values = {"amount": Value(value=amount, n=2), "hours": Value(value=hours, n=3)}
        row = CountedRow(zh="合计", en="All", values=values)
        section = CountedSection(key="all", rows=(row,))
        return counted(3, None).model_copy(update={"sections": (section,)})

    kept = Counted.model_validate_json(paid(Decimal("99.90"), 0.1 + 0.2 + 0.3).model_dump_json())
    assert changes(kept, paid(Decimal("99.90"), 0.3 + 0.2 + 0.1)) == ()
    (changed,) = changes(kept, paid(Decimal("99.91"), 0.3 + 0.2 + 0.1))
    assert changed.figure == "amount"


def test_what_came_in_late_is_told_figure_by_figure() -> None:
    found = changes(counted(3, 2 / 3, 1, li=3, wu=1), counted(4, 2 / 3, 2, li=3, han=1))
    assert [(each.section, each.of, each.figure) for each in found] == [
        ("all", None, "called"),
        ("all", None, "reached"),
        ("all", None, "words"),
        ("engineers", "han", "called"),
        ("engineers", "wu", "called"),
    ]
    first, *_, new, gone = found
    assert (first.before, first.after) == (Value(value=3, n=3), Value(value=4, n=4))
    assert (new.before, gone.after) == (None, None)


def test_an_edition_reads_back_as_it_was_kept_and_a_department_reads_its_own() -> None:
    theirs = counted(1, None).model_copy(update={"department": "technical_service"})
    edition = Edition(
        report="callbacks",
        period="2026-W47",
        edition=2,
        counted=counted(4, 0.75),
        departments={"technical_service": theirs},
        changes=changes(counted(3, None), counted(4, 0.75)),
        issued_at=datetime(2026, 11, 23, 0, 30, tzinfo=UTC),
    )
    assert Edition.model_validate_json(edition.model_dump_json()) == edition
    assert edition.for_department(None) == counted(4, 0.75)
    assert edition.for_department("technical_service") == theirs
    assert edition.for_department("legal").sections == ()
