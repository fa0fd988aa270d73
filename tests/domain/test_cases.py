"""Known cases: by what they are found, and what reviewers may make of them."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.errors import Refused
from domain.knowledge.cases import (
    REVIEWERS,
    CaseStatus,
    Change,
    Content,
    Correction,
    Draft,
    KnownCase,
    Ruling,
    Solved,
    ruled,
    unusable_titles,
    without,
)
from domain.knowledge.search_terms import as_written, asked_terms, enough, normalised, stored_terms
from domain.vocabulary import Role
from tests.support.builders import HOUR, MONDAY, actor

CHINESE = st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF), min_size=2)
TITLES = st.lists(CHINESE | st.text(max_size=8), min_size=1, max_size=6).map("".join)
ANYTHING = st.text(st.characters())  # lone surrogates too


# By what a text is found --------------------------------------------------------------------------


def test_chinese_is_found_by_every_pair_of_neighbours() -> None:
    assert stored_terms("出钞口卡钞") == ["出钞", "钞口", "口卡", "卡钞", "钞"]
    assert asked_terms("出钞口") == ["出钞", "钞口"]


@pytest.mark.parametrize("asked", ["ST-100", "st100", "ＳＴ－１００", "ST_100", "st 100", "100"])
def test_a_model_number_is_found_whole_and_in_parts_however_it_is_written(asked: str) -> None:
    assert set(asked_terms(asked)) <= set(stored_terms("型号ST-100-A，已停产"))


@pytest.mark.parametrize("asked", ["E-4012", "e4012", "4012", "Ｅ－４０１２"])
def test_an_error_code_is_found_whole_and_in_parts(asked: str) -> None:
    assert set(asked_terms(asked)) <= set(stored_terms("屏幕报错E-4012。"))


def test_another_number_of_the_same_series_shares_less_than_the_whole() -> None:
    stored = set(stored_terms("ST-100"))
    assert stored & set(asked_terms("ST-200")) == {"st"}
    assert not stored & set(asked_terms("E-9999"))


def test_words_that_say_nothing_are_asked_only_if_there_are_no_others() -> None:
    assert asked_terms("请问客户的卡钞怎么处理呢？") == ["卡钞"]
    assert asked_terms("怎么处理") == ["怎么", "么处", "处理"]
    assert asked_terms("") == asked_terms("？！…😀") == []


def test_a_character_alone_is_asked_only_if_there_is_nothing_longer() -> None:
    assert asked_terms("卡") == asked_terms("卡怎么办？") == ["卡"]
    assert asked_terms("卡 取款") == ["取款"]


def test_the_longer_the_question_the_more_of_it_a_case_must_have_up_to_four() -> None:
    assert [enough(asked) for asked in (1, 4, 5, 9, 10, 15, 60)] == [1, 1, 2, 2, 3, 4, 4]


def test_of_a_whole_letter_the_beginning_is_asked() -> None:
    letter = "".join(chr(0x4E00 + at) for at in range(5_000))
    assert asked_terms(letter) == [letter[at : at + 2] for at in range(100)]


def test_pairs_are_put_together_again_for_people() -> None:
    assert as_written(["出钞", "钞口", "st100", "st", "卡住"]) == ["出钞口", "st100", "st", "卡住"]


@given(TITLES, st.data())
def test_every_piece_of_two_chinese_characters_or_more_finds_its_title(
    title: str, data: st.DataObject
) -> None:
    runs = re.findall(r"[\u4e00-\u9fff]{2,}", title)
    if not runs:
        return
    run = data.draw(st.sampled_from(runs))
    first = data.draw(st.integers(0, len(run) - 2))
    last = data.draw(st.integers(first + 2, len(run)))
    asked = asked_terms(run[first:last])
    stored = set(stored_terms(title))
    assert asked
    assert all(
        term in stored or (len(term) == 1 and any(each.startswith(term) for each in stored))
        for term in asked
    )


@given(ANYTHING)
@example("'a' & !b | (c) <-> d:*A \\ \x00 👩‍💻 ' -- ;")
@example("\ud800\udfff")
@example("i̇İ ﷺ ㍿ ½ 🄰 ᾳ")
def test_terms_hold_letters_and_digits_only_whatever_the_text_does(text: str) -> None:
    for term in (*stored_terms(text), *asked_terms(text)):
        assert 1 <= len(term) <= 64
        # A Chinese character of a later version of Unicode than Python's is unassigned to it.
        assert all(char.isalnum() or unicodedata.category(char) == "Cn" for char in term)
        term.encode()


@given(ANYTHING)
def test_what_is_normalised_stays_as_it_is(text: str) -> None:
    once = normalised(text)
    assert normalised(once) == once
    assert stored_terms(once) == stored_terms(text)
    assert asked_terms(once) == asked_terms(text)


@given(st.text())
def test_full_width_forms_are_found_like_plain_ones(text: str) -> None:
    wide = "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)
    assert stored_terms(wide) == stored_terms(unicodedata.normalize("NFKC", text))


# What a case says ---------------------------------------------------------------------------------

CONTENT: dict[str, Any] = {
    "title": "出钞口卡钞",
    "question": "钞票半露",
    "solution": "清洁皮带",
    "product_line": "ATM",
    "keywords": ("卡钞",),
}


def a_case(status: CaseStatus = CaseStatus.PROPOSED, **changes: Any) -> KnownCase:
    fields = {
        **CONTENT,
        "number": "C-0001",
        "revision": 1,
        "status": status,
        "proposed_by": "07",
        "proposed_at": MONDAY,
        "change": Change.PROPOSE,
        "changed_by": "07",
        "changed_at": MONDAY,
    }
    return KnownCase.model_validate(fields | changes)


def a_ruling(change: Change, role: Role = Role.LEAD, **said: Any) -> Ruling:
    return Ruling(change=change, by=actor(role), at=MONDAY + HOUR, **said)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", ""),
        ("title", "两\n行"),
        ("title", "长" * 201),
        ("question", " "),
        ("question", "空\x00字"),
        ("solution", None),
        ("solution", "长" * 10_001),
        ("product_line", "A T M"),
        ("keywords", ("",)),
        ("keywords", ("词",) * 21),
        ("keywords", ("长" * 41,)),
        ("urgency", "high"),
    ],
)
def test_bad_content_is_refused_by_its_field(field: str, value: Any) -> None:
    with pytest.raises(ValidationError) as refused:
        Content.model_validate(CONTENT | {field: value})
    assert {each["loc"][0] for each in refused.value.errors()} == {field}


def test_a_keyword_is_kept_once_however_it_is_written() -> None:
    content = Content.model_validate(CONTENT | {"keywords": ("EPP", "键盘", "ＥＰＰ", "epp")})
    assert content.keywords == ("EPP", "键盘")


def test_a_draft_out_of_an_issue_names_its_generation() -> None:
    with pytest.raises(ValidationError, match="generation: it goes with an issue_id"):
        Draft(**CONTENT, issue_id="issue:web:1", proposed_by="07", proposed_at=MONDAY)


def test_a_draft_leaves_out_what_is_the_customers_own() -> None:
    solved = Solved(
        issue_id="issue:web:1",
        generation=2,
        product_line="ATM",
        title="天河支行卡钞",
        description="广州天河支行张伟，电话 020-5550 0101，邮箱 a.b@c.example，报 E-4012",
        result="已为张伟清洁皮带",
        cause="皮带老化",
        private=("天河支行", "广州天河支行", "张伟", "E"),
    )
    draft = solved.draft("07", MONDAY)
    assert draft.title == "…卡钞"
    assert draft.question == "……，电话 …，邮箱 …，报 E-4012"
    assert draft.solution == "已为…清洁皮带\n原因：皮带老化"
    assert (draft.issue_id, draft.generation) == ("issue:web:1", 2)


def test_an_issue_without_a_description_is_asked_about_by_its_title() -> None:
    solved = Solved(
        issue_id="issue:web:1",
        generation=1,
        product_line="ATM",
        title="???",
        description="",
        result="长" * 10_000,
        cause="老化",
        private=(),
    )
    draft = solved.draft("07", MONDAY)
    assert draft.question == "???"
    assert len(draft.solution) == 10_000


@pytest.mark.parametrize("number", ["13800001234", "+86 138 0000 1234", "6222 0210 0100 1234 567"])
def test_numbers_that_look_personal_are_taken_out(number: str) -> None:
    assert without(f"请打{number}联系", ()) == "请打…联系"


def test_codes_and_versions_are_left_in() -> None:
    text = "CRS-800 报 E-7003，V2.3.1，端口 8000 与 554，192.168.1.1"
    assert without(text, ()) == text


# What reviewers make of it ------------------------------------------------------------------------


@pytest.mark.parametrize("role", list(Role))
def test_only_a_lead_or_a_manager_reviews(role: Role) -> None:
    ruling = a_ruling(Change.APPROVE, role)
    if role in REVIEWERS:
        assert ruled(a_case(), ruling).status is CaseStatus.APPROVED
    else:
        with pytest.raises(Refused, match="a lead or a manager does") as refused:
            ruled(a_case(), ruling)
        assert refused.value.type == "NotYours"


def test_approving_may_put_it_into_better_words() -> None:
    better = Correction(title="出钞口卡钞，钞票半露", keywords=("卡钞", "夹钞"))
    case = ruled(a_case(), a_ruling(Change.APPROVE, note="写得好", correction=better))
    assert (case.title, case.question, case.keywords) == (
        "出钞口卡钞，钞票半露",
        "钞票半露",
        ("卡钞", "夹钞"),
    )
    assert (case.revision, case.change, case.note) == (2, Change.APPROVE, "写得好")
    assert (case.reviewed_by, case.reviewed_at) == (actor(Role.LEAD).id, MONDAY + HOUR)


def test_a_case_can_be_made_one_for_all_product_lines() -> None:
    case = ruled(a_case(), a_ruling(Change.REVISE, correction=Correction(for_all=True)))
    assert case.product_line is None
    with pytest.raises(ValidationError, match="product_line: give one, or take it away"):
        Correction(for_all=True, product_line="ATM")


ALLOWED = {
    (Change.APPROVE, CaseStatus.PROPOSED): CaseStatus.APPROVED,
    (Change.APPROVE, CaseStatus.RETIRED): CaseStatus.APPROVED,
    (Change.REJECT, CaseStatus.PROPOSED): CaseStatus.RETIRED,
    (Change.REVISE, CaseStatus.PROPOSED): CaseStatus.PROPOSED,
    (Change.REVISE, CaseStatus.APPROVED): CaseStatus.APPROVED,
    (Change.RETIRE, CaseStatus.APPROVED): CaseStatus.RETIRED,
}


@pytest.mark.parametrize("status", list(CaseStatus))
@pytest.mark.parametrize("change", [each for each in Change if each is not Change.PROPOSE])
def test_each_ruling_is_for_cases_of_some_statuses(change: Change, status: CaseStatus) -> None:
    correction = Correction(title="新的") if change is Change.REVISE else Correction()
    ruling = a_ruling(change, note="因为", correction=correction)
    if after := ALLOWED.get((change, status)):
        assert ruled(a_case(status), ruling).status is after
    else:
        with pytest.raises(Refused, match=rf"C-0001 is {status}: {change} is for ") as refused:
            ruled(a_case(status), ruling)
        assert refused.value.type == "NotAllowed"


@pytest.mark.parametrize(
    ("case", "ruling", "says"),
    [
        (a_case(), a_ruling(Change.REJECT), "note: to reject C-0001, say why"),
        (a_case(CaseStatus.APPROVED), a_ruling(Change.RETIRE), "note: to retire C-0001, say why"),
        (
            a_case(),
            a_ruling(Change.REJECT, note="重复", correction=Correction(title="新的")),
            "leaves its words as they are",
        ),
        (a_case(), a_ruling(Change.REVISE, note="改"), "nothing is changed"),
        (
            a_case(),
            a_ruling(Change.REVISE, correction=Correction(title="出钞口卡钞")),
            "nothing is changed",
        ),
        (a_case(title="???"), a_ruling(Change.APPROVE), "title: C-0001 could not be found by it"),
    ],
)
def test_a_ruling_that_makes_no_sense_is_refused(
    case: KnownCase, ruling: Ruling, says: str
) -> None:
    with pytest.raises(Refused, match=says) as refused:
        ruled(case, ruling)
    assert refused.value.type == "Invalid"


def test_a_title_that_cannot_be_found_or_is_there_already_is_named_where_it_stands() -> None:
    titles = [("a.json, entry 1: ", "吞卡"), ("a.json, entry 2: ", "？？？")]
    titles += [("a.json, entry 3: ", "卡钞"), ("a.json, entry 4: ", "卡钞")]
    first, second, third = unusable_titles(titles, {"吞卡": "C-0007"})
    assert first.startswith("a.json, entry 1: title: C-0007 has it already")
    assert second == "a.json, entry 2: title: holds no word it could be found by"
    assert third.startswith("a.json, entry 4: title: a.json, entry 3 has it already")
