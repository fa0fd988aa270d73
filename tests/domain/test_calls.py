"""Calls as telephone systems know them (R45)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.calls import Direction, PhoneCall, completed, differing

CALL: dict[str, Any] = {"id": "4711", "at": "2026-11-23T01:00:00Z"}
MORE: dict[str, Any] = {
    "number": "13800001234",
    "ring_seconds": 6,
    "talk_seconds": 214,
    "agent": "07",
    "recording": "https://recordings.example/4711",
    "issue": "20261123-07-0001",
}
parts = st.sets(st.sampled_from(sorted(MORE))).map(lambda names: {n: MORE[n] for n in names})


def a_call(**said: Any) -> PhoneCall:
    return PhoneCall.model_validate(CALL | said)


def test_r45_a_customers_call_that_nobody_answered_is_lost() -> None:
    assert a_call().lost
    assert not a_call(talk_seconds=0).lost
    assert not a_call(direction=Direction.OUTGOING).lost


@given(parts, parts)
def test_r45_what_was_not_known_the_first_time_is_added_in_any_order(
    first: dict[str, Any], then: dict[str, Any]
) -> None:
    one, other = a_call(**first), a_call(**then)
    assert differing(one, other) == []
    assert completed(one, other) == completed(other, one) == a_call(**first | then)
    assert completed(completed(one, other), one) == completed(one, other)


def test_r45_a_repeat_that_says_something_else_is_named_by_its_fields() -> None:
    stands = a_call(**MORE)
    assert differing(stands, a_call(talk_seconds=215, number="138 0000 1234")) == ["talk_seconds"]
    assert differing(stands, a_call(at="2026-11-23T09:00:00+08:00", direction="outgoing")) == [
        "direction"
    ]


def test_r45_which_issue_a_call_was_about_may_be_corrected() -> None:
    stands, corrected = a_call(**MORE), a_call(issue="20261123-07-0002")
    assert differing(stands, corrected) == []
    assert completed(stands, corrected).issue == "20261123-07-0002"


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"id": ""}, "id"),
        ({"at": "2026-11-23T01:00:00"}, "at"),
        ({"at": 1764000000}, "at"),
        ({"talk_seconds": -1}, "talk_seconds"),
        ({"ring_seconds": 86_401}, "ring_seconds"),
        ({"number": "nobody at all"}, "number"),
        ({"direction": "sideways"}, "direction"),
        ({"recording": "a\nb"}, "recording"),
        ({"duration": 3}, "duration"),
    ],
)
def test_r45_what_cannot_be_is_refused_with_its_field(said: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as refused:
        a_call(**said)
    assert {each["loc"][0] for each in refused.value.errors()} == {field}
