"""In how many parts a text message is sent."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.sms import parts


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", 0),
        ("a", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("£ñ\n@" * 40, 1),
        ("[" * 80, 1),
        ("[" * 81, 2),
        ("a" * 152 + "[" + "a" * 152, 3),  # the bracket's two places are not divided
        ("中" * 70, 1),
        ("中" * 71, 2),
        ("中" * 134, 2),
        ("中" * 135, 3),
        ("a" * 134 + "中", 3),
        ("…" + "a" * 69, 1),
        ("…" + "a" * 70, 2),
        ("😀" * 35, 1),
        ("😀" * 36, 2),
        ("中" * 66 + "😀" + "中" * 66, 3),
        ("`", 1),
        ("`" * 71, 2),
    ],
)
def test_parts_are_counted_as_networks_count_them(text: str, expected: int) -> None:
    assert parts(text) == expected


@given(st.text())
def test_more_text_is_never_fewer_parts_and_each_part_holds_something(text: str) -> None:
    assert parts(text) <= parts(text + text[:1]) <= len(text) + 1
    assert (parts(text) == 0) == (text == "")
