"""Quality samples (R28): fair, the same for whoever draws them, and added up by the policy."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime
from itertools import combinations
from math import sqrt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.errors import Refused
from domain.quality import (
    Closed,
    Days,
    Ended,
    Finding,
    Heard,
    Sample,
    Sampled,
    check_checker,
    check_supervisor,
    draw,
    rank,
    report,
    size,
    usual_seed,
)
from domain.sla.policy import Quality
from domain.vocabulary import SUPERVISORS, Actor, Role

NOON = datetime(2026, 11, 2, 4, tzinfo=UTC)
OCTOBER = Days(first=date(2026, 10, 1), last=date(2026, 10, 31))
FIGURES = Quality()

people = st.sampled_from(["gao.yuan", "li.na", "ma.xiaoyan", "07"])
populations = st.lists(people, max_size=120).map(
    lambda handlers: [
        Closed(issue_id=f"issue:web:{n}", handler=handler) for n, handler in enumerate(handlers)
    ]
)
shares = st.integers(1, 100).map(lambda percent: percent / 100)


def records(count: int, handler: str = "li.na") -> list[Closed]:
    return [Closed(issue_id=f"issue:web:{handler}-{n}", handler=handler) for n in range(count)]


# Drawing ------------------------------------------------------------------------------------------


@given(populations, shares, st.text(max_size=20))
def test_of_everybodys_records_and_of_all_at_least_the_share_is_drawn(
    population: list[Closed], share: float, seed: str
) -> None:
    drawn = draw(population, share, seed)
    assert len(set(drawn)) == len(drawn)
    assert set(drawn) <= set(population)
    assert 100 * len(drawn) >= round(100 * share) * len(population)
    has, chosen = (Counter(r.handler for r in some) for some in (population, drawn))
    for handler, count in has.items():
        wanted = round(100 * share) * count
        assert 100 * chosen[handler] >= wanted
        assert 100 * (chosen[handler] - 1) < wanted  # and not one more


@given(st.data(), populations, shares)
def test_the_order_in_which_records_come_does_not_count(
    data: st.DataObject, population: list[Closed], share: float
) -> None:
    shuffled = data.draw(st.permutations(population))
    assert draw(shuffled, share, "seed") == draw(population, share, "seed")


@given(populations, people, shares)
def test_what_is_drawn_of_one_persons_records_does_not_hang_on_anybody_elses(
    population: list[Closed], person: str, share: float
) -> None:
    alone = draw((r for r in population if r.handler == person), share, "seed")
    among_others = draw(population, share, "seed")
    assert alone == tuple(r for r in among_others if r.handler == person)


@given(st.lists(st.text(max_size=20), min_size=2, max_size=2, unique=True))
def test_another_seed_is_another_sample(seeds: list[str]) -> None:
    first, second = (draw(records(100), 0.15, seed) for seed in seeds)
    assert set(first) != set(second)


@pytest.mark.parametrize(
    ("share", "count", "drawn"),
    [
        (0.15, 0, 0),
        (0.15, 1, 1),
        (0.15, 6, 1),
        (0.15, 7, 2),
        (0.15, 20, 3),
        (0.07, 100, 7),  # in floats 7.000000000000001
        (0.29, 100, 29),  # in floats 28.999999999999996
        (1.0, 13, 13),
        (0.125, 8, 1),
        (0.0, 50, 0),
    ],
)
def test_a_share_is_rounded_up_and_taken_as_it_is_written(
    share: float, count: int, drawn: int
) -> None:
    assert size(share, count) == drawn
    assert len(draw(records(count), share, "seed")) == drawn


def test_every_record_and_every_pair_of_records_is_drawn_about_equally_often() -> None:
    """Over 6000 fixed seeds: each count lies within five standard deviations of its expectation,
    and their squares add up as those of chance do.
    """
    seeds, count, drawn = 6000, 20, 3
    singles: Counter[str] = Counter()
    pairs: Counter[tuple[str, ...]] = Counter()
    for seed in range(seeds):
        ids = sorted(r.issue_id for r in draw(records(count), 0.15, f"seed {seed}"))
        assert len(ids) == drawn
        singles.update(ids)
        pairs.update(combinations(ids, 2))
    every = [r.issue_id for r in records(count)]
    chance = drawn / count
    chance_of_two = chance * (drawn - 1) / (count - 1)
    for found, keys, p in (
        (singles, every, chance),
        (pairs, list(combinations(sorted(every), 2)), chance_of_two),
    ):
        deviation = sqrt(seeds * p * (1 - p))
        scores = [(found[key] - seeds * p) / deviation for key in keys]  # type: ignore[index]
        assert max(map(abs, scores)) < 5
        mean_square = sum(score**2 for score in scores) / len(scores)
        assert abs(mean_square - 1) < 4 * sqrt(2 / len(scores))


def test_a_person_is_not_drawn_more_often_for_having_few_records_than_the_rounding_up_asks() -> (
    None
):
    population = [*records(40, "li.na"), *records(1, "07")]
    drawn = Counter(r.handler for r in draw(population, 0.15, "seed"))
    assert drawn == {"li.na": 6, "07": 1}


def test_anybody_can_draw_it_again_with_the_tools_of_any_system() -> None:
    by_hand = "af5c165dbfc5ec8daf725e12908e13d5189be404bc1581f4047502a7ec2df41d"
    # printf '%s\n%s' 2026-10-01/2026-10-31 issue:web:r-1 | sha256sum
    assert rank(usual_seed(OCTOBER.first, OCTOBER.last), "issue:web:r-1") == by_hand


# The period ---------------------------------------------------------------------------------------


def test_a_period_backwards_is_refused_by_its_field() -> None:
    with pytest.raises(ValidationError, match="until: 2026-10-01 lies before from: 2026-10-31"):
        Days(first=OCTOBER.last, last=OCTOBER.first)


def test_a_period_of_more_than_a_year_is_refused() -> None:
    Days(first=date(2024, 1, 1), last=date(2024, 12, 31))
    with pytest.raises(ValidationError, match="more than a year"):
        Days(first=date(2024, 1, 1), last=date(2025, 1, 1))


def test_a_period_is_only_drawn_from_when_its_last_day_is_over() -> None:
    OCTOBER.check_over(date(2026, 11, 1))
    for today in (date(2026, 10, 31), date(2026, 10, 2)):
        with pytest.raises(Refused, match="until: 2026-10-31 is not over yet") as refused:
            OCTOBER.check_over(today)
        assert refused.value.type == "Invalid"


# Checking -----------------------------------------------------------------------------------------


def a_record(number: str = "1", handler: str = "li.na", *errors: str | None) -> Sampled:
    """A record, and what one checker after the other found in it."""
    return Sampled(
        issue_id=f"issue:web:{number}",
        number=number,
        title="吞卡",
        kind="fault",
        product_line="ATM",
        closed_at=NOON,
        handler=handler,
        handler_name=None,
        hands=frozenset({handler, "07"}),
        findings=tuple(
            Finding(checker=f"checker-{n}", error=error, revision=1, checked_at=NOON)
            for n, error in enumerate(errors)
        ),
    )


@pytest.mark.parametrize("role", sorted(set(Role) - SUPERVISORS))
def test_only_those_who_lead_draw_and_check(role: Role) -> None:
    somebody = Actor(id="x", role=role)
    with pytest.raises(Refused, match=f"x is {role}") as refused:
        check_supervisor(somebody)
    assert refused.value.type == "NotYours"
    with pytest.raises(Refused, match=f"x is {role}"):
        check_checker(a_record(), somebody)


def test_nobody_checks_a_record_they_wrote_in() -> None:
    check_checker(a_record(), Actor(id="sun.li", role=Role.MANAGER))
    with pytest.raises(Refused, match=r"1 is li\.na's own work") as refused:
        check_checker(a_record(), Actor(id="li.na", role=Role.LEAD))
    assert refused.value.type == "NotYours"


# What came of it ----------------------------------------------------------------------------------


def a_sample(*drawn: Sampled, **population: int) -> Sample:
    has = Counter(record.handler for record in drawn)
    return Sample(
        number=1,
        days=OCTOBER,
        zone="Asia/Shanghai",
        seed="seed",
        share=0.15,
        rulebook="0123456789ab",
        population={**has, **{name.replace("_", "."): n for name, n in population.items()}},
        drawn_by="sun.li",
        drawn_at=NOON,
        records=drawn,
    )


NOBODY = Heard(asked=0, satisfied=0)


def test_errors_are_counted_among_the_checked_for_each_person_and_in_all() -> None:
    found = report(
        a_sample(
            a_record("1", "li.na", None),
            a_record("2", "li.na", "no cause"),
            a_record("3", "li.na"),
            a_record("4", "gao.yuan", None),
            li_na=19,
        ),
        FIGURES,
        NOBODY,
        Ended(),
    )
    li_na, gao_yuan = sorted(found.people, key=lambda each: each.person, reverse=True)
    assert (li_na.person, li_na.records, li_na.drawn, li_na.checked) == ("li.na", 19, 3, 2)
    assert (li_na.errors, li_na.error_rate, li_na.retraining) == (1, 0.5, True)
    assert (gao_yuan.error_rate, gao_yuan.retraining) == (0.0, False)
    total = found.total
    assert (total.records, total.drawn, total.checked, total.errors) == (20, 4, 3, 1)
    assert total.error_rate == pytest.approx(1 / 3)


@pytest.mark.parametrize(("errors", "retraining"), [(0, False), (1, False), (2, True)])
def test_five_per_cent_of_errors_are_borne_and_more_mean_retraining(
    *, errors: int, retraining: bool
) -> None:
    drawn = [a_record(str(n), "li.na", "wrong" if n < errors else None) for n in range(20)]
    found = report(a_sample(*drawn), FIGURES, NOBODY, Ended())
    assert found.total.error_rate == errors / 20
    assert (found.total.retraining, found.people[0].retraining) == (retraining, retraining)


def test_before_anything_was_checked_there_is_no_rate_and_no_retraining() -> None:
    found = report(a_sample(a_record()), FIGURES, NOBODY, Ended())
    assert (found.total.error_rate, found.total.retraining) == (None, False)


@pytest.mark.parametrize(
    ("said", "in_error"),
    [((), False), ((None,), False), ((None, None), False), ((None, "wrong"), True)],
)
def test_a_record_that_several_checked_counts_once_and_one_error_is_enough(
    *, said: tuple[Any, ...], in_error: bool
) -> None:
    found = report(a_sample(a_record("1", "li.na", *said)), FIGURES, NOBODY, Ended())
    assert (found.total.checked, found.total.errors) == (bool(said), in_error)


@pytest.mark.parametrize(
    ("asked", "satisfied", "rate", "reached"),
    [(0, 0, None, None), (10, 9, 0.9, True), (30, 27, 0.9, True), (100, 89, 0.89, False)],
)
def test_customers_are_satisfied_enough_from_ninety_per_cent_on(
    *, asked: int, satisfied: int, rate: float | None, reached: bool | None
) -> None:
    said = report(a_sample(a_record()), FIGURES, Heard(asked=asked, satisfied=satisfied), Ended())
    assert (said.satisfaction.rate, said.satisfaction.reached) == (rate, reached)
    assert said.satisfaction.goal == 0.9


@pytest.mark.parametrize(
    ("ended", "rates"),
    [
        (Ended(), (None, None)),
        (Ended(broken=2), (0.0, None)),
        (Ended(kept=3, broken=1), (0.75, 0.0)),
        (Ended(kept=4, by_own_word=1), (1.0, 0.25)),
    ],
)
def test_of_the_promises_kept_it_is_said_how_many_are_so_by_own_word(
    ended: Ended, rates: tuple[float | None, float | None]
) -> None:
    found = report(a_sample(a_record()), FIGURES, NOBODY, ended).punctuality
    assert (found.rate, found.own_word_rate) == rates
