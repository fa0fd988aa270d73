"""What an issue's thread shows of what was said, to whom, and which words wait for somebody."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Any

import pytest

from domain import words
from domain.issue.actions import ACTIONS, PUBLIC_ACTIONS, ActionName
from domain.issue.asked import fields
from domain.issue.entries import made_of, without_ways
from domain.issue.thread import (
    ACTED,
    CUSTOMER,
    READ,
    Door,
    Entry,
    Holds,
    Reader,
    Sort,
    Visibility,
    door_of,
    for_customer,
    open_words,
    read_by,
)
from domain.links import Link, Purpose, mark_of
from domain.terms import Department, Terms
from domain.vocabulary import Named, Role
from runtime.signing import Signer
from tests.support.builders import LINKS, MONDAY

EVERYTHING = Reader(conversation=True, work=True, internal=True)
AUDITOR = Reader(conversation=False, work=True, internal=False)
PEOPLE = {"li.na": "李娜", "07": "何晓彤"}
_VALUES: Mapping[Holds, Any] = {
    Holds.YES_NO: True,
    Holds.NUMBER: 3,
    Holds.AMOUNT: "12800.00",
    Holds.INSTANT: "2026-11-24T01:00:00Z",
    Holds.NAME: "li.na",
}


def an_act(
    action: ActionName,
    seq: int = 2,
    role: str = "engineer",
    intake: Mapping[str, str] = MappingProxyType({}),
    **content: Any,
) -> Entry:
    row = {
        "number": "20261123-07-0001",
        "seq": seq,
        "key": "page:1",
        "action": action,
        "actor": "li.na",
        "role": role,
        "at": (MONDAY + timedelta(minutes=seq)).isoformat(),
        "recorded_at": (MONDAY + timedelta(minutes=seq)).isoformat(),
        "content": content,
        "stage": "in_progress",
        "engineer": None,
        "channel": "telephone" if seq == 1 else None,
        "title": "卡钞",
        "description": "每两张卡住一张",
        "consent": None,
        "consent_words": "",
    } | dict(intake)
    return made_of(Sort.ACT, row, PEOPLE)


def a_message(body: str, seq: int = 2, **changes: Any) -> Entry:
    row = {
        "number": "20261123-07-0001",
        "key": f"m-{seq}",
        "seq": seq,
        "template": "resolved",
        "audience": "customer",
        "recipient": "customer",
        "channel": "sms",
        "status": "delivered",
        "handed_to": None,
        "settled_at": MONDAY.isoformat(),
        "created_at": (MONDAY + timedelta(minutes=seq)).isoformat(),
        "subject": "",
        "body": body,
        "full_text": None,
        "others": None,
    }
    return made_of(Sort.MESSAGE, row | changes, PEOPLE)


def said(entries: list[Entry]) -> set[Any]:
    return {each.value for entry in entries for each in entry.said}


# All that is said is shown ------------------------------------------------------------------------


@pytest.mark.parametrize("action", ACTIONS)
def test_whatever_an_action_says_is_in_its_entry_in_the_order_in_which_it_is_asked(
    action: ActionName,
) -> None:
    asked = fields(action)
    content = {
        name: _VALUES.get(each.holds, f"{name} 原话")
        for name, each in reversed([*asked.items()])  # a row's JSON has an order of its own
    }
    entry = an_act(action, **content)
    assert [each.field for each in entry.said] == list(asked)
    assert {each.field: each.value for each in entry.said} == content


def test_the_models_texts_are_words_and_what_is_chosen_or_counted_is_none() -> None:
    assert {name: asked.holds for name, asked in fields(ActionName.RECORD_CALLBACK).items()} == {
        "reached": Holds.YES_NO,
        "running": Holds.YES_NO,
        "satisfied": Holds.YES_NO,
        "words": Holds.TEXT,
        "conflict": Holds.YES_NO,
        "call": Holds.NAME,
    }
    assert fields(ActionName.QUOTE)["amount"].holds is Holds.AMOUNT
    assert fields(ActionName.VERIFY)["verdict"].holds is Holds.CODE
    assert fields(ActionName.ACCEPT)["expected_at"].holds is Holds.INSTANT
    assert fields(ActionName.CONSULT)["experts"].holds is Holds.NAME
    assert "from" in fields(ActionName.TRANSFER)


def test_who_reads_what_people_say_is_decided_for_every_action_and_has_a_name() -> None:
    assert READ.keys() == PUBLIC_ACTIONS.keys() | {ActionName.ABSORB, ActionName.MERGED}
    for action, reading in READ.items():
        assert reading.by_customer | reading.told <= fields(action).keys(), action
    asked = {name for action in ACTIONS for name in fields(action)}
    assert asked - words.FIELDS.keys() == set()


def test_what_an_earlier_version_asked_for_is_shown_to_those_who_work_on_it() -> None:
    entry = an_act(ActionName.RESUME, note="开门了", gone="一句旧话")
    assert [each.value for each in entry.said] == ["开门了", "一句旧话"]
    assert "一句旧话" not in said(for_customer([entry]))


def test_several_people_are_named_one_by_one_and_an_unsaid_no_is_left_out() -> None:
    entry = an_act(ActionName.CONSULT, question="为什么", experts=["li.na", "gone.away"], advice="")
    experts = [(each.value, each.name) for each in entry.said if each.field == "experts"]
    assert experts == [("li.na", "李娜"), ("gone.away", None)]
    assert [each.field for each in entry.said] == ["question", "experts", "experts"]
    entry = an_act(ActionName.RESOLVE, result="换了", known_solution=False)
    assert [each.field for each in entry.said] == ["result"]


def test_an_intake_says_its_title_and_description_by_the_channel_it_came_in() -> None:
    entry = an_act(ActionName.REGISTERED, 1, missed={"response.1": ["75%", "100%"]})
    assert (entry.door, entry.says("description")) == ("telephone", "每两张卡住一张")
    assert said([entry]) == {"卡钞", "每两张卡住一张", "75%", "100%"}


def test_r35_an_intake_says_what_its_customer_said_to_being_passed_on() -> None:
    intake = {"consent": "no", "consent_words": "不用派人"}
    entry = an_act(ActionName.REGISTERED, 1, intake=intake)
    assert (entry.says("consent"), entry.says("consent_words")) == ("no", "不用派人")
    theirs = {each.field: each.confidential for each in entry.said}
    assert theirs["consent_words"], "the customer's words are theirs (R30)"
    assert "consent" not in {each.field for each in for_customer([entry])[0].said}


def test_a_link_of_ours_is_never_shown_to_somebody_else() -> None:
    link = Link(
        number="20261123-07-0001",
        purpose=Purpose.CONFIRM,
        person="customer",
        generation=1,
        until=MONDAY,
        mark=mark_of("issue:web:r-1"),
    )
    signer = Signer("signs the links of the tests, no others")
    for address in (LINKS.address(link, brief=False), LINKS.address(link, brief=True)):
        assert signer.read_link(address.rpartition("/")[2], MONDAY - timedelta(days=1)) == link
        for entry in (
            a_message(f"报价已出。\n\n答复报价: {address}"),
            a_message(f"报价已出，请答复 {address}"),
            an_act(ActionName.CONFIRM, agreed=True, words=f"我按了{address}没反应"),
        ):
            shown = "".join(map(str, said([entry])))
            assert "/l/" not in shown
            assert "…" in shown


def test_a_line_that_was_a_link_and_nothing_else_is_not_read_where_it_led() -> None:
    for ways in ("查看进展：…\n告诉我们结果：…", "查看进展: …\n告诉我们是否有效: …"):
        body = f"林先生，您好。已更换。\n\n{ways}\n\n祝您工作顺利。\n客服热线：400"
        assert without_ways(body) == "林先生，您好。已更换。\n\n祝您工作顺利。\n客服热线：400"
    for other in ("详情 …", "请等一等: …真的", "出钞口: 卡钞"):
        assert without_ways(other) == other


# Who reads it -------------------------------------------------------------------------------------

TEST = an_act(ActionName.REPORT_TEST, worked=False, words="还是卡")
WAIT = an_act(ActionName.WAIT_FOR_CUSTOMER, 3, reason="客户不配合")
ADVICE = an_act(ActionName.CONSULT, 4, advice="先测电压")
RESULT = an_act(ActionName.RESOLVE, 5, result="已更换", cause="保养不当")
TOLD = a_message("张伟，您好。已更换。", 5)
TO_STAFF = a_message("请处理张伟的问题", 5, audience="handler", recipient="li.na", key="s")
BY_PHONE = a_message("请致电张伟", 6, recipient="07")
ALL = [TEST, WAIT, ADVICE, RESULT, TOLD, TO_STAFF, BY_PHONE]


def test_who_works_on_an_issue_reads_all_of_it() -> None:
    assert read_by(EVERYTHING, ALL) == ALL


def test_the_customer_reads_what_they_said_and_were_told_and_no_word_between_colleagues() -> None:
    shown = for_customer(ALL)
    assert said(shown) == {False, "还是卡", "张伟，您好。已更换。"}
    assert [(e.sort, e.seq) for e in shown] == [("act", 2), ("message", 5), ("message", 6)]
    assert not any(entry.withheld for entry in shown)


def test_what_no_message_told_them_the_customer_reads_as_it_was_written_for_them() -> None:
    assert said(for_customer([RESULT, TO_STAFF])) == {"已更换"}
    assert said(for_customer([RESULT, BY_PHONE])) == {"已更换"}


def test_who_sees_the_issue_but_not_its_customer_is_told_that_there_are_words() -> None:
    shown = read_by(AUDITOR, ALL)
    assert said(shown) == {False, "客户不配合", "已更换", "保养不当"}
    hidden = [(e.sort, e.seq) for e in shown if e.withheld]
    assert hidden == [("act", 2), ("act", 4), ("message", 5), ("message", 5), ("message", 6)]


def test_a_letter_under_the_id_of_an_issue_may_be_anybodys_and_is_not_shown_to_its_customer() -> (
    None
):
    row = {"number": "n", "at": MONDAY.isoformat(), "door": "mailbox", "sender": "x@example.com"}
    kept = {"subject": "Re", "body": "陌生人的话"}
    letter, added = (
        made_of(Sort.WORDS, row | kept | {"key": why, "why": why}, PEOPLE)
        for why in ("same_id", "added")
    )
    assert (letter.visibility, added.visibility) == (Visibility.INTERNAL, Visibility.CUSTOMER)
    assert for_customer([letter]) == []
    assert "陌生人的话" in said(for_customer([added]))
    assert said(read_by(AUDITOR, [letter, added])) == {"same_id", "added"}  # why they are there


def test_what_the_desk_says_of_a_letters_files_is_not_put_into_its_writers_mouth() -> None:
    row = {"number": "n", "at": MONDAY.isoformat(), "door": "mailbox", "sender": "x@example.com"}
    kept = {"key": "k", "subject": "未收下", "body": "现场.mp4：超过 20MB", "why": "not_attached"}
    entry = made_of(Sort.WORDS, row | kept, PEOPLE)
    assert (entry.who.role, words.done(entry)[0]) == (Role.SYSTEM, "附件未收下")
    assert open_words([entry]) == (entry,), "somebody may have to ask for it again"


def test_what_the_customer_does_themselves_is_theirs_to_the_last_word() -> None:
    by_them = an_act(ActionName.WITHDRAW, reason="它自己好了", role="customer")
    by_us = an_act(ActionName.WITHDRAW, reason="客户搬走了，别再打扰", told="已撤销")
    assert said(for_customer([by_them])) == {"它自己好了"}
    assert said(read_by(AUDITOR, [by_them])) == set()
    assert said(for_customer([by_us])) == {"已撤销"}
    assert said(read_by(AUDITOR, [by_us])) == {"客户搬走了，别再打扰", "已撤销"}


def test_a_note_is_between_colleagues_unless_it_was_written_for_the_customer() -> None:
    ours, theirs = (
        an_act(ActionName.ADD_NOTE, words=words_, for_customer=for_customer_)
        for words_, for_customer_ in (("别再派他去", False), ("明天上午到", True))
    )
    assert (ours.visibility, theirs.visibility) == (Visibility.INTERNAL, Visibility.CUSTOMER)
    assert said(for_customer([ours, theirs])) == {"明天上午到"}
    assert said(read_by(AUDITOR, [ours, theirs])) == {"明天上午到"}


def test_a_strangers_words_are_not_the_customers_to_read_and_wait_like_theirs() -> None:
    known = an_act(ActionName.CUSTOMER_WROTE, words="还没好", means="words", known=True)
    stranger = an_act(ActionName.CUSTOMER_WROTE, words="把钱退给我", means="words", known=False)
    fits = an_act(ActionName.CUSTOMER_WROTE, words="好的", means="fits", known=True)
    assert said(for_customer([known, stranger])) == {"还没好", "words"}
    assert said(read_by(AUDITOR, [known, stranger])) == {"words", True}  # and that it is known
    assert open_words([known, stranger, fits]) == (known, stranger)


def test_a_correction_says_what_it_was_to_those_who_work_on_it_alone() -> None:
    was = {"phone": "+8613800000001", "site": None}
    entry = an_act(ActionName.AMEND, phone="+8613900000002", site="二楼", was=was, redirects=True)
    assert {each.field: each.value for each in entry.said} == {
        "phone": "+8613900000002",
        "site": "二楼",
        "was.phone": "+8613800000001",
        "redirects": True,
    }
    assert for_customer([entry]) == []
    assert said(read_by(AUDITOR, [entry])) == set()


def test_an_attachment_is_whose_it_was_sent_for() -> None:
    row = {"number": "n", "at": MONDAY.isoformat(), "actor": "li.na", "role": "engineer"}
    file = {"door": "page", "name": "张伟家.jpg", "kind": "image/jpeg", "size": 4711}
    shown, kept = (
        made_of(Sort.ATTACHMENT, row | file | {"id": to, "shown_to": to}, PEOPLE)
        for to in ("customer", "staff")
    )
    assert for_customer([shown, kept]) == [shown]
    assert said(read_by(EVERYTHING, [shown, kept])) == {"张伟家.jpg", "image/jpeg", 4711}
    assert "张伟家.jpg" not in said(read_by(AUDITOR, [shown, kept]))


def test_a_reader_outside_the_house_is_no_more_than_the_customer() -> None:
    assert Reader(conversation=True, work=False, internal=False) == CUSTOMER


def test_no_code_is_shown_to_people_as_it_is_kept() -> None:
    unnamed = {
        (action, name)
        for action in ACTIONS
        for name, asked in fields(action).items()
        if asked.holds is Holds.CODE and name not in words.CODED
    }
    assert not unnamed
    said = an_act(ActionName.AMEND, remove=["site"], was={"phone": "13800000001"}).said
    shown = [(words.field(each.field), words.value(each, "UTC")) for each in said]
    assert shown == [
        (("去掉", "Removed"), ("安装地点", "Site")),
        (("原电话", "Former telephone"), ("13800000001",) * 2),
    ]


def test_what_the_desk_calls_its_own_is_read_by_its_name_and_instants_in_words() -> None:
    own = Terms(departments={"returns": Department(name=Named(zh="退换货部", en="Returns"))})
    promised = "2026-11-23T03:00:00Z"
    to_others: dict[str, Any] = {"to": "returns", "reason": "退货", "from": "gone_since"}
    passed = an_act(ActionName.TRANSFER, **to_others)
    absorbed = an_act(ActionName.ABSORB, number="n", department="customer_service", kind="fault")
    late = an_act(ActionName.THRESHOLD, promise="response.1.2", threshold="+2h", skipped=["75%"])
    was_late = an_act(ActionName.REGISTERED, missed={"resolution.1": ["100%"]})
    progress = an_act(ActionName.REPORT_PROGRESS, note="在等备件", expected_at=promised)
    read = {
        f"{words.field(each.field, entry.action)[0]} {said}"
        for entry in (passed, absorbed, late, was_late, progress)
        for each in entry.said
        if each.holds is not Holds.TEXT
        for said in words.value(each, "Asia/Shanghai", entry.action, own)
    }
    assert {"转给 退换货部", "转给 Returns", "原部门 gone_since"} <= read
    assert {"部门 客户服务部", "类型 故障报修", "类型 fault"} <= read
    assert {"承诺 响应", "时点 已超时2小时", "一并到时 时间已用75%"} <= read
    assert {"登记时已过解决 已到期", "登记时已过解决 due now"} <= read
    assert {
        "预计完成时间 2026年11月23日（周一）11:00",
        "预计完成时间 Mon 23 Nov 2026 11:00",
    } <= read


def test_ids_of_ours_and_what_goes_without_saying_are_read_by_programs_alone() -> None:
    absorbed = an_act(ActionName.ABSORB, issue_id="issue:web:r-1", number="20261123-07-0002")
    wrote = an_act(ActionName.CUSTOMER_WROTE, words="还没好", means="words", known=True)
    read = [each.field for each in (*absorbed.said, *wrote.said) if not words.goes_unsaid(each)]
    assert read == ["number", "words", "known"]


# Words that wait ----------------------------------------------------------------------------------

CALL = an_act(ActionName.RECORD_CALLBACK, 3, reached=True, running=False, words="又坏了")
THANKS = an_act(ActionName.REPORT_TEST, 4, "customer", worked=True, words="好了，谢谢")
ANGRY = an_act(
    ActionName.RECORD_CALLBACK, 5, reached=True, running=True, satisfied=False, words="等了一天"
)


def test_words_of_a_failed_test_and_a_bad_call_wait_until_somebody_acted_on_them() -> None:
    assert open_words([TEST, CALL, THANKS, ANGRY]) == (TEST, CALL, ANGRY)
    for action in ACTED:
        assert open_words([TEST, CALL, an_act(action, 9)]) == ()
        assert open_words([TEST, an_act(action, 4), ANGRY]) == (ANGRY,)


def test_words_wait_no_more_once_one_of_us_heard_from_the_customer_that_all_is_well() -> None:
    works = an_act(ActionName.REPORT_TEST, 9, "agent", worked=True)
    runs = an_act(ActionName.RECORD_CALLBACK, 9, "clerk", reached=True, running=True)
    for heard in (works, runs):
        assert open_words([TEST, CALL, heard]) == ()
    missed = an_act(ActionName.RECORD_CALLBACK, 9, "clerk", reached=False, words="没人接")
    assert open_words([TEST, missed]) == (TEST,)


def test_what_is_passed_on_or_seen_to_by_a_clock_still_waits() -> None:
    for action in (
        ActionName.REASSIGN,
        ActionName.TRANSFER,
        ActionName.THRESHOLD,
        ActionName.ASSIGN,
    ):
        assert open_words([TEST, an_act(action, 9)]) == (TEST,)


def test_where_nothing_was_said_no_words_wait() -> None:
    assert open_words([an_act(ActionName.REPORT_TEST, worked=False), WAIT, RESULT]) == ()


# By which door ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "door"),
    [
        ("page:3f", Door.PAGE),
        ("link:3f", Door.LINK),
        ("api:3f", Door.API),
        ("3f" * 32, Door.API),
        ("cli:3f", Door.COMMAND_LINE),
        ("complete:li.na:1", Door.SIGNAL),
        ("letters:issue:mail:1", Door.LETTER),
        ("3f" * 16, None),
        ("whatever", None),
    ],
)
def test_the_door_is_told_by_the_key_and_unknown_where_nobody_kept_it(
    key: str, door: Door | None
) -> None:
    assert door_of(key, Role.ENGINEER) == door
    assert door_of(key, Role.SYSTEM) is Door.DESK


def test_every_door_and_sort_has_words_in_both_languages() -> None:
    assert set(Door) <= words.DOORS.keys()
    assert set(Sort) - {Sort.ACT} == words.SORTS.keys()
    assert set(Role) - {Role.AUDITOR} <= words.PARTIES.keys()


def test_a_merge_is_told_in_words_that_speak_of_no_complaint() -> None:
    for action in (ActionName.ABSORB, ActionName.MERGED):
        called = [words.field(each, action) for each in fields(action)]
        assert len(set(called)) == len(called)
        assert [zh for zh, en in called if "投诉" in zh or "complaint" in en] == []
