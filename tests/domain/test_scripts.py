"""What is said on the telephone: filled in with what is known, natural without the rest (R40)."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.callbacks import CaseSummary
from domain.issue.intake import Customer
from domain.issue.state import Person
from domain.scripts import (
    PLACES,
    Place,
    Saying,
    Script,
    Speaker,
    Wording,
    mistakes,
    places,
    said_day,
)
from domain.sla.policy import Bilingual, Desk
from domain.vocabulary import Language, Severity
from runtime import wording as files

OURS = files.load(files.OWN)
ZH, EN = Language.ZH, Language.EN
SHANGHAI = ZoneInfo("Asia/Shanghai")
TODAY = date(2026, 11, 30)
LIANG = Person(id="10234", name="梁家豪")
CLERK = Speaker(
    OURS,
    Desk(company=Bilingual(zh="华信服务", en="Huaxin Service")),
    Person(id="fan.meiling", name="范美玲"),
)


def case(**changes: Any) -> CaseSummary:
    """Make an ATM of a bank that was repaired yesterday by Liang."""
    at = datetime(2026, 11, 29, 8, tzinfo=UTC)
    usual = {
        "number": "20261129-07-0001",
        "kind": "fault",
        "severity": Severity.GENERAL,
        "title": "出钞口卡钞",
        "description": "",
        "product_line": "ATM",
        "model": "H22N",
        "serial_number": None,
        "site": None,
        "customer": Customer(name="天河支行", phone="+86 20 5550 0101"),
        "reported_at": at - timedelta(days=1),
        "answered": True,
        "handler": LIANG,
        "result": "读卡器已更换",
        "cause": None,
        "resolved_at": at,
        "reopen_count": 0,
        "attempt": 1,
        "attempts": 3,
        "opens_at": None,
        "due_at": at + timedelta(days=1),
        "overdue": False,
    }
    return CaseSummary.model_validate(usual | changes)


def asked(language: Language | None = None, **changes: Any) -> str:
    customer = Customer(name="天河支行", phone="+86 20 5550 0101", language=language)
    found = CLERK.opening(case(customer=customer, **changes), TODAY, SHANGHAI)
    assert found
    return found.words


def test_r40_the_callback_opens_with_machine_engineer_staff_number_and_yesterdays_date() -> None:
    assert asked() == (
        "您的ATM H22N出了故障，昨天（11月29日）由我们工号10234的工程师梁家豪为您修好了，"
        "请问今天运行正常吗？"
    )
    assert asked(EN) == (
        "Your ATM H22N had a fault, and yesterday (29 November) our engineer 梁家豪, staff number"
        " 10234, repaired it. Is it running normally today?"
    )


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"handler": Person(id="liang.jiahao", name="梁家豪")},
            (
                "您的ATM H22N出了故障，昨天（11月29日）由我们的工程师梁家豪为您修好了，"
                "请问今天运行正常吗？"
            ),
        ),
        (
            {"handler": None, "model": None},
            "您的ATM出了故障，昨天（11月29日）已经为您修好了，请问今天运行正常吗？",
        ),
        (
            {"product_line": "", "model": None},
            "您11月28日（周六）报修的故障，我们已经为您处理了，请问今天运行正常吗？",
        ),
        (
            {"first_contact": True},
            "您的ATM H22N出了故障，昨天（11月29日）我们在电话里帮您解决了，请问今天运行正常吗？",
        ),
        (
            {"kind": "consultation"},
            "您11月28日（周六）向我们提出的事情，昨天（11月29日）已经答复您了，请问您对处理结果满意吗？",
        ),
        (
            {"kind": "complaint", "resolved_at": None},
            "您11月28日（周六）向我们提出的事情，我们已经处理了，请问您对处理结果满意吗？",
        ),
    ],
)
def test_r40_what_is_not_known_is_left_out_of_the_sentence_and_leaves_no_gap(
    changes: dict[str, Any], said: str
) -> None:
    assert asked(**changes) == said


@given(st.sampled_from(Script), st.sampled_from(Language), st.data())
def test_r40_every_script_can_be_said_whatever_is_not_known(
    script: Script, language: Language, data: st.DataObject
) -> None:
    always, perhaps = PLACES[script]
    known = always | data.draw(st.sets(st.sampled_from(sorted(perhaps)))) if perhaps else always
    said = OURS.say(script, language, {place: f"<{place}>" for place in known})
    assert said
    assert not places(said)
    assert "  " not in said


@pytest.mark.parametrize(
    ("day", "zh", "en"),
    [
        (date(2026, 11, 30), "今天（11月30日）", "today (30 November)"),
        (date(2026, 11, 29), "昨天（11月29日）", "yesterday (29 November)"),
        (date(2026, 11, 27), "11月27日（周五）", "on Friday 27 November"),
    ],
)
def test_a_day_is_said_as_people_say_it(day: date, zh: str, en: str) -> None:
    assert (said_day(day, TODAY, ZH), said_day(day, TODAY, EN)) == (zh, en)


def changed(script: Script, *sayings: Saying) -> Wording:
    return OURS.model_copy(update={"scripts": {**OURS.scripts, script: sayings}})


def test_r40_the_desks_own_scripts_have_nothing_wrong_with_them() -> None:
    assert list(mistakes(OURS)) == []


@pytest.mark.parametrize(
    ("zh", "reason"),
    [
        (
            "您好，{weather}",
            "there is no {weather} here; there are: {company}, {speaker}",
        ),
        ("工号{number}", "{number} may not be known: write one more [[greeting]] below"),
        ("您好{", "a place is written like {company}; no other braces"),
        ("您好，｛company｝", "a place is written like {company}; no other braces"),
        ("这不归我们管", 'nobody may say "不归我们管" ([never])'),
    ],
)
def test_r40_a_script_that_cannot_be_said_is_named_with_its_place(zh: str, reason: str) -> None:
    (found,) = mistakes(changed(Script.GREETING, Saying(zh=zh, en="Good day")))
    assert found[0] == (Script.GREETING, 0, ZH)
    assert found[1].startswith(reason)


def test_r40_no_script_refuses_a_customer_however_it_is_spelt() -> None:
    rude = Saying(zh="您好", en="That is Not My Department.")
    (found,) = mistakes(changed(Script.PASSING_ON, rude))
    assert found[0] == (Script.PASSING_ON, 0, EN)


def test_a_kept_wording_that_lacks_a_later_script_says_nothing_there() -> None:
    older = OURS.model_copy(
        update={"scripts": {s: w for s, w in OURS.scripts.items() if s is not Script.SEARCHING}}
    )
    assert older.say(Script.SEARCHING, ZH, {Place.COMPANY: ""}) is None


def test_a_company_without_a_name_leaves_no_gap() -> None:
    agent = Speaker(OURS, Desk(), Person(id="07", name="何晓彤"))
    found = agent.say(Script.GREETING, EN)
    assert found
    assert found.words == ("Good day, this is the hotline, staff number 07. How may I help you?")


def test_who_calls_says_their_name_and_their_staff_number_if_they_have_one() -> None:
    numbered = replace(CLERK, person=Person(id="0031", name="蒋雯"))
    unknown = replace(CLERK, person=None)
    said = [each.say(Script.CALLBACK_GREETING) for each in (CLERK, numbered, unknown)]
    assert [each and each.words for each in said] == [
        "您好，这里是华信服务客服中心，我是范美玲，给您做个回访，现在方便吗？",
        "您好，这里是华信服务客服中心，我是蒋雯，工号0031，给您做个回访，现在方便吗？",
        "您好，这里是华信服务客服中心，给您做个回访，现在方便吗？",
    ]


def test_the_desk_speaks_its_own_language_to_whom_it_does_not_know() -> None:
    english = replace(CLERK, desk=Desk(language=EN))
    found = english.say(Script.SEARCHING)
    assert found
    assert (found.language, found.words.split()[0]) == (EN, "One")


def test_r40_no_script_has_two_marks_in_a_row_whatever_is_filled_in() -> None:
    """As where a day that ends with a comma meets the end of its sentence."""
    for changes in (
        {},
        {"handler": None},
        {"first_contact": True},
        {"kind": "consultation"},
        {"product_line": "", "model": None},
    ):
        for language in Language:
            assert not re.search(r"[,.，。]\s*[,.，。]", asked(language, **changes))
