"""What a door takes becomes what is kept; nothing that was written for the telephone is lost."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from domain.issue.arrival import arrived
from domain.issue.intake import Intake
from tests.support.builders import an_intake


def said(phone: object, **changes: Any) -> dict[str, Any]:
    usual = an_intake(description="出钞口").model_dump(mode="json")
    return usual | {"customer": {"name": "张伟", "phone": phone}} | changes


def wrong_with(phone: object, **changes: Any) -> dict[tuple[str | int, ...], str]:
    with pytest.raises(ValidationError) as refused:
        arrived(said(phone, **changes))
    return {each["loc"]: each["type"] for each in refused.value.errors()}


def test_a_number_is_kept_in_one_spelling_and_nothing_else_changes() -> None:
    intake = arrived(said("（020）5550-0101 转 801"))
    assert type(intake) is Intake
    assert intake == Intake.model_validate(said("+862055500101(801)"))


def test_a_repeat_in_another_spelling_is_the_same_intake() -> None:
    spellings = ("13800000001", "+86 138 0000 0001", "0086-138-0000-0001", 13800000001.0)
    assert len({arrived(said(each)).digest for each in spellings}) == 1
    assert arrived(said("13800000001").copy()) == arrived(arrived(said("13800000001")).model_dump())


def test_of_two_numbers_the_first_is_kept_and_the_whole_field_goes_into_the_words() -> None:
    intake = arrived(said("13800000001/13900000001"))
    assert intake.customer.phone == "+8613800000001"
    assert intake.description == (
        "出钞口\n\n电话栏原文 As written for the telephone: 13800000001/13900000001"
    )


def test_words_beside_a_number_are_kept_without_a_description_too() -> None:
    alone = said("138 0000 0001（找王女士）") | {"description": ""}
    assert arrived(alone).description.endswith("138 0000 0001（找王女士）")
    del alone["description"]
    assert arrived(alone).description.startswith("电话栏原文")


def test_a_description_that_is_full_is_cut_where_one_sees_it_and_the_numbers_stay() -> None:
    intake = arrived(said("13800000001/13900000001", description="长" * 10_000))
    assert len(intake.description) == 10_000
    assert "长…\n\n电话栏原文" in intake.description
    assert intake.description.endswith("/13900000001")
    too_long = wrong_with("13800000001/13900000001", description="长" * 10_001)
    assert too_long == {("description",): "string_too_long"}


@pytest.mark.parametrize(
    ("phone", "why"),
    [
        ("call me", "telephone_missing"),
        ("8.6139E+12", "telephone_rounded"),
        ("110", "telephone_length"),
        (["13800000001"], "telephone_missing"),
    ],
)
def test_what_holds_no_number_is_refused_beside_all_else_that_is_wrong(
    phone: object, why: str
) -> None:
    assert wrong_with(phone, severity="wish") == {
        ("customer", "phone"): why,
        ("severity",): "enum",
    }


@pytest.mark.parametrize("word", ["", " ", "无", "-", "N/A", "unknown", "Anonymous", "ＮＯＮＥ"])
def test_a_word_for_no_number_is_none_and_turns_nobody_away_who_can_be_written_to(
    word: str,
) -> None:
    customer = {"name": "张伟", "phone": word, "email": "zhang.wei@customer.example"}
    assert arrived(said("x") | {"customer": customer}).customer.phone is None
    assert wrong_with(word) == {("customer",): "value_error"}


def test_whatever_was_accepted_once_is_read_as_it_was() -> None:
    for old in ("020-5550 0101", "13800000001 13900000001", "138000000010"):
        intake = Intake.model_validate(said(old))
        assert intake.customer.phone == old


@pytest.mark.parametrize("customer", [None, [], "张伟", {"name": "张伟"}])
def test_a_customer_who_cannot_be_reached_is_refused_as_ever(customer: object) -> None:
    with pytest.raises(ValidationError):
        arrived(said("x") | {"customer": customer})
    with pytest.raises(ValidationError):
        arrived("no intake at all")
