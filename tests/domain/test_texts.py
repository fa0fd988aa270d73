"""What people write: cleaned when it is read, refused at the doors if there is nothing to see."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.issue.actions import ActionName
from domain.issue.intake import Intake
from domain.texts import can_be_seen, clean, clean_line, unseen
from domain.vocabulary import Role
from tests.support.builders import actor, an_act, an_intake

INVISIBLE = (
    *("\u200b\u2060", "\ufeff", "\u200d\u200c", "\u00ad", "\u061c\u200e\u200f"),
    *("\u115f\u1160", "\u3164", "\uffa0", "\u2800\u2800", "\u034f", "\u17b4\u17b5"),
    *("\ufe0f", "\U000e0100", "\U000e0041\U000e007f", "\u180e", "\u0301", "\u2062\u2064"),
    *("\u202e\u202c", "\u2066\u2069", "\u3000\u200b\u00a0", "\x07\x1b\x7f\x9b"),
)
IN_A_LINE = [text for text in INVISIBLE if not any(each < " " for each in text)]
TURNING = "".join(map(chr, (*range(0x202A, 0x202F), *range(0x2066, 0x206A))))


@pytest.mark.parametrize("text", INVISIBLE, ids=ascii)
def test_characters_that_show_nothing_are_nothing_to_see(text: str) -> None:
    assert not can_be_seen(text)
    assert can_be_seen(f"{text}王{text}")


@pytest.mark.parametrize("text", ["王", "?", "…", "😀", "👨‍👩‍👧", "é", "קול", "गा", "한", "⠁", "0"])
def test_whatever_shows_anything_is_seen(text: str) -> None:
    assert can_be_seen(text)


@pytest.mark.parametrize("text", IN_A_LINE, ids=ascii)
@pytest.mark.parametrize("field", ["title", "site", "customer.name", "customer.organisation"])
def test_a_text_with_nothing_to_see_is_named_by_its_field(field: str, text: str) -> None:
    whole = json.loads(an_intake().model_dump_json())
    part = whole["customer"] if field.startswith("customer.") else whole
    part[field.rpartition(".")[2]] = text
    taken = Intake.model_validate(whole)
    assert [each.partition(": ")[0] for each in unseen(taken)] == [field]


def test_what_was_kept_before_there_was_such_a_rule_is_still_read() -> None:
    kept = an_intake().model_dump(mode="json") | {"title": "\u200b\u2060", "site": "\u3164"}
    taken = Intake.model_validate(kept)
    assert (taken.title, taken.site) == ("\u200b\u2060", "\u3164")
    assert Intake.model_validate_json(taken.model_dump_json()) == taken


def test_an_intake_in_plain_characters_keeps_its_digest() -> None:
    """What runs since before this was written goes by it."""
    assert an_intake().digest == "9f124f47ecaa82f8"


def test_a_description_that_shows_nothing_is_none() -> None:
    assert an_intake(description="\u200b \u2800\n").description == ""


def test_staff_are_told_by_field_when_their_words_show_nothing() -> None:
    act = an_act(ActionName.RESOLVE, actor(Role.LEAD), result="\u2060\u200b")
    assert [each.partition(": ")[0] for each in unseen(act)] == ["result"]


def test_lines_break_where_unicode_says_so_and_in_a_line_that_is_a_space() -> None:
    broken = "第一行\u2028第二行\u2029第三行\u0085第四行"
    taken = an_intake(title=broken, description=broken)
    assert taken.title == "第一行 第二行 第三行 第四行"
    assert taken.description == "第一行\n第二行\n第三行\n第四行"


def test_what_turns_the_reading_direction_is_left_out() -> None:
    taken = an_intake(title="cash\u202etxt.exe\u202c", description="\u2067שלום\u2069 ok")
    assert (taken.title, taken.description) == ("cashtxt.exe", "שלום ok")


def test_what_a_script_needs_is_left_in() -> None:
    persian, family, arabic = "می\u200cخواهم", "👨\u200d👩\u200d👧", "\u200fشركة\u200f"
    taken = an_intake(title=f"{persian} {family}", description=arabic)
    assert (taken.title, taken.description) == (f"{persian} {family}", arabic)


@given(st.text(max_size=60))
def test_no_text_keeps_what_is_no_part_of_one_and_cleaning_again_changes_nothing(text: str) -> None:
    for cleaned, kept in ((clean(text), "\t\n\r"), (clean_line(text), None)):
        assert isinstance(cleaned, str)
        assert clean(cleaned) == cleaned or kept is None
        if not can_be_seen(text):
            assert cleaned == text
            continue
        assert not set(cleaned) & {*TURNING, *"\u0085\u2028\u2029"}
        if kept:
            odd = [c for c in cleaned if unicodedata.category(c) == "Cc" and c not in kept]
            assert set(odd) <= {"\x00"}


@given(st.text(max_size=60))
def test_cleaning_takes_no_character_that_shows(text: str) -> None:
    def shown(said: object) -> list[str]:
        return [each for each in str(said) if can_be_seen(each)]

    assert shown(clean(text)) == shown(clean_line(text)) == shown(text)
