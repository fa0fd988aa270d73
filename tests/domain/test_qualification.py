"""Who may work on what: certificates, quarterly tests, and what is asked of agents (R16, R46)."""

from __future__ import annotations

from datetime import date

import pytest

from domain.sla.policy import Qualification
from domain.staff.qualification import Certification, Examination, KnowledgeTest, lacks, lapsing

DAY = date(2026, 11, 30)
PLAIN = (Certification(product_line="ATM"),)
ASKED = Qualification(certificate=60, knowledge=90)
REQUIRED = Qualification(certificate=60, knowledge=90, required=True)
NOTHING = Qualification()


def certificate(score: int, until: date | None = None) -> Certification:
    return Certification(product_line="ATM", passed_on=date(2026, 1, 16), score=score, until=until)


def a_test(score: int, on: date = date(2026, 10, 12)) -> KnowledgeTest:
    return KnowledgeTest(on=on, score=score)


@pytest.mark.parametrize(
    ("certified", "tests", "asked", "reason"),
    [
        (PLAIN, (), NOTHING, None),
        (PLAIN, (), ASKED, None),
        (PLAIN, (), REQUIRED, "has no examination for ATM on the roster"),
        ((certificate(59),), (), NOTHING, None),
        (
            (certificate(59),),
            (),
            ASKED,
            "is not certified for ATM: the examination was 59, 60 is asked",
        ),
        ((certificate(60),), (), ASKED, None),
        ((certificate(59), certificate(71)), (), ASKED, None),
        (
            (certificate(99, until=date(2026, 11, 29)),),
            (),
            ASKED,
            "is not certified for ATM any more: that ended on 2026-11-29",
        ),
        ((certificate(99, until=DAY),), (), ASKED, None),
        (PLAIN, (a_test(89),), ASKED, "got 89 in the test of 2026-10-12, 90 is asked"),
        (PLAIN, (a_test(89),), NOTHING, None),
        (PLAIN, (a_test(90),), ASKED, None),
        (PLAIN, (a_test(89), a_test(95, on=date(2026, 11, 20))), ASKED, None),
        (PLAIN, (a_test(95), a_test(10, on=date(2026, 12, 1))), ASKED, None),
        (PLAIN, (a_test(95, on=date(2026, 6, 30)),), ASKED, None),
        ((certificate(88),), (), REQUIRED, "has no quarterly test on the roster"),
        (
            (certificate(88),),
            (a_test(95, on=date(2026, 6, 30)),),
            REQUIRED,
            "took no test since 2026-06-30",
        ),
        ((certificate(88),), (a_test(95, on=date(2026, 7, 1)),), REQUIRED, None),
        ((), (), NOTHING, "is not certified for ATM, only for nothing"),
    ],
)
def test_r46_without_certificate_and_test_nobody_works_on_a_line_where_the_policy_asks_for_them(
    certified: tuple[Certification, ...],
    tests: tuple[KnowledgeTest, ...],
    asked: Qualification,
    reason: str | None,
) -> None:
    assert lacks(certified, tests, "ATM", DAY, asked) == reason


@pytest.mark.parametrize(
    ("on", "until"),
    [
        (date(2026, 1, 1), date(2026, 6, 30)),
        (date(2026, 3, 31), date(2026, 6, 30)),
        (date(2026, 9, 30), date(2026, 12, 31)),
        (date(2026, 10, 1), date(2027, 3, 31)),
        (date(2027, 12, 31), date(2028, 3, 31)),
    ],
)
def test_r46_a_test_counts_until_the_quarter_after_it_is_over(on: date, until: date) -> None:
    assert a_test(95, on=on).counts_until == until


def test_r46_what_ends_soon_is_said_before_it_does() -> None:
    soon = (certificate(88, until=date(2026, 12, 15)),)
    tests = (a_test(95, on=date(2026, 9, 1)),)
    assert list(lapsing(soon, tests, DAY, date(2026, 12, 31), ASKED)) == [
        "ATM ends on 2026-12-15",
        "the quarterly test counts until 2026-12-31",
    ]
    assert list(lapsing(soon, tests, DAY, date(2026, 12, 14), ASKED)) == []
    failed = (certificate(40),)
    assert list(lapsing(failed, (), DAY, DAY, ASKED)) == [
        "is not certified for ATM: the examination was 40, 60 is asked"
    ]


def test_an_examination_ends_after_it_was_held_and_a_test_not_at_all() -> None:
    base = {"person": "li.na", "on": "2026-11-30", "score": 92}
    with pytest.raises(ValueError, match="is before 2026-11-30"):
        Examination.model_validate(base | {"product_line": "ATM", "until": "2026-11-29"})
    with pytest.raises(ValueError, match="leave it empty"):
        Examination.model_validate(base | {"until": "2027-11-29"})
    with pytest.raises(ValueError, match="less than or equal to 100"):
        Examination.model_validate(base | {"score": 101})
