"""Evaluations without a link, and the words that are to be read (R26, R41)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.opinions import FromAnybody, Opinion, marked, reference

MONTH: dict[str, Any] = {"unit": "珠江商业银行", "month": "2026-11", "project": "网点改造"}
SCORE: dict[str, Any] = {"item": "project", "technical": -50, "attitude": 200}


def an_opinion(**said: Any) -> Opinion:
    return Opinion.model_validate({"assessor": "王芳", "scores": [SCORE]} | said)


def test_r26_it_is_about_an_issue_or_about_a_month_and_a_project() -> None:
    assert an_opinion(number="20261123-07-0001").unit is None
    assert an_opinion(**MONTH).subject == "珠江商业银行|2026-11|网点改造"
    assert an_opinion(**MONTH | {"unit": "珠江 商业银行 "}).subject == an_opinion(**MONTH).subject
    for missing in MONTH:
        with pytest.raises(ValidationError, match="number: give the issue's number"):
            an_opinion(**{name: said for name, said in MONTH.items() if name != missing})


@pytest.mark.parametrize(
    "scores",
    [[], [SCORE, SCORE], [SCORE | {"technical": -51}], [SCORE | {"attitude": 201}]],
)
def test_r26_each_item_is_scored_once_within_the_bounds(scores: list[dict[str, Any]]) -> None:
    with pytest.raises(ValidationError, match="scores"):
        an_opinion(**MONTH, scores=scores)


def test_r26_at_the_open_door_a_number_goes_with_the_telephone() -> None:
    said = {"assessor": "王芳", "scores": [SCORE], "number": "20261123-07-0001"}
    with pytest.raises(ValidationError, match="phone: give the telephone"):
        FromAnybody.model_validate(said)
    assert FromAnybody.model_validate(said | {"phone": "13800001234"}).phone == "+8613800001234"


@given(st.text(max_size=30), st.lists(st.text(max_size=3), max_size=4))
def test_r41_marking_strong_words_loses_nothing_of_what_was_said(
    text: str, strong: list[str]
) -> None:
    pieces = marked(text, strong)
    assert "".join(each.text for each in pieces) == text


def test_r41_strong_words_are_found_in_either_language_the_longest_first() -> None:
    pieces = marked("服务太差了，TERRIBLE!", ["太差", "太差了", "terrible"])
    assert [each.text for each in pieces if each.strong] == ["太差了", "TERRIBLE"]
    assert marked("很好", []) == [("很好", False)]


def test_r41_the_same_words_are_the_same_complaint() -> None:
    assert reference("1-2-3", "callback/a/1/1") == reference("1-2-3", "callback/a/1/1")
    assert reference("1-2-3", "callback/a/1/1") != reference("1-2-3", "callback/a/1/2")
