"""What somebody typed who looks for an issue, and what is marked in what was found."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain.finding import LONGEST, passage, read
from domain.knowledge.search_terms import asked_words, stored_terms


@pytest.mark.parametrize(
    ("typed", "number", "tail"),
    [
        ("20261122-07-0003", "20261122-07-0003", "20261122070003"),
        ("２０２６１１２２－０７－０００３", "20261122-07-0003", "20261122070003"),
        ("20261122—07—0003", "20261122-07-0003", "20261122070003"),
        ("问题 20261122-07-0003 已登记", "20261122-07-0003", None),
        ("#20261122-07-0003", "20261122-07-0003", None),
        ("07-0003", None, "070003"),
        ("07 - 0003", None, "070003"),
        ("0003", None, "0003"),
        ("０００３", None, "0003"),
        ("003", None, None),
        ("13800001234", None, None),
        ("卡钞", None, None),
        ("120261122-07-0003", None, None),
    ],
)
def test_a_number_is_read_however_it_is_written(
    typed: str, number: str | None, tail: str | None
) -> None:
    asked = read(typed)
    assert (asked.number, asked.tail) == (number, tail)


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("卡钞", [["卡钞"]]),
        ("出钞口 卡钞", [["出钞", "钞口"], ["卡钞"]]),
        ("出钞口　卡钞", [["出钞", "钞口"], ["卡钞"]]),
        ("客户卡钞怎么办", [["卡钞"]]),
        ("问题", [["问题"]]),
        ("问题 卡钞", [["卡钞"]]),
        ("ST-100 黑屏", [["st", "st100", "100"], ["黑屏"]]),
        ("卡", []),
        ("", []),
        ("，。！", []),
        ("a b", []),
        ("Zhang Wei", [["zhang"], ["wei"]]),
    ],
)
def test_words_are_cut_as_in_the_case_library_each_by_itself(
    typed: str, words: list[list[str]]
) -> None:
    assert read(typed).words == words
    assert read(typed).short == (not words)


def test_what_is_too_long_is_cut_and_no_more_than_eight_words_are_looked_for() -> None:
    asked = read("出钞口卡钞 " * 100)
    assert len(asked.text) <= LONGEST
    assert len(asked.words) <= 8


@pytest.mark.parametrize(
    ("text", "typed", "marked"),
    [
        ("天河支行出钞口卡钞了", "出钞口 卡钞", ["出钞口卡钞"]),
        ("出钞口又卡钞", "出钞口卡钞", ["出钞口", "卡钞"]),
        ("换了 ＳＴ－１００ 的板", "st100", ["ＳＴ－１００"]),
        ("ST-100 and ST-200", "st100", ["ST-100"]),
        ("the Reader swallows cards", "reader", ["Reader"]),
        ("nothing here", "卡钞", []),
        ("ﬁne ﬁx", "fine", ["ﬁne"]),
    ],
)
def test_what_was_asked_for_is_marked_where_it_stands_as_it_is_written(
    text: str, typed: str, marked: list[str]
) -> None:
    shown = passage(text, asked_words(typed))
    assert [piece for piece, hit in shown.pieces if hit] == marked
    assert "".join(piece for piece, _ in shown.pieces) == text


def test_of_a_long_text_that_part_is_shown_where_most_of_it_stands() -> None:
    text = f"{'前' * 300}卡钞{'中' * 300}出钞口卡钞{'后' * 300}"
    shown = passage(text, asked_words("出钞口 卡钞"))
    assert [piece for piece, hit in shown.pieces if hit] == ["出钞口卡钞"]
    assert len(shown.text) < 150
    assert (shown.text[0], shown.text[-1]) == ("…", "…")


@given(st.text(max_size=400), st.text(max_size=20))
@example("\r0", "0")
@example(" 卡钞 ", "卡钞")
def test_marks_lie_in_the_text_in_order_and_apart(text: str, typed: str) -> None:
    shown = passage(text, asked_words(typed))
    last = -1
    for begin, end in shown.marks:
        assert last < begin < end <= len(shown.text)
        last = end
    assert "".join(piece for piece, _ in shown.pieces) == shown.text


@given(st.text(alphabet="出钞口卡了又ST-100 ", min_size=2, max_size=60))
def test_whatever_is_cut_out_of_a_text_finds_it(text: str) -> None:
    stored = set(stored_terms(text))
    for word in text.split():
        for terms in asked_words(word):
            assert {term for term in terms if len(term) > 1} <= stored
