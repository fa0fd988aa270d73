"""Addresses are compared as addresses are, and our letters have names that tell their message."""

from __future__ import annotations

import re
from textwrap import fill

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.letters import (
    ids_in,
    key_of,
    mailbox,
    message_id,
    numbers_in,
    own_words,
    tag_of,
    words_of,
)


@pytest.mark.parametrize(
    "written",
    [
        "desk@example.com",
        "Desk@Example.COM",
        " desk@example.com. ",
        "desk+web@example.com",
        '"desk"@example.com',
        "ｄｅｓｋ＠ｅｘａｍｐｌｅ．ｃｏｍ",
    ],
)
def test_however_it_is_written_it_is_the_same_mailbox(written: str) -> None:
    assert mailbox(written) == "desk@example.com"


def test_a_domain_in_chinese_and_as_mail_servers_look_it_up_are_the_same() -> None:
    assert mailbox("客服@例子.中国") == mailbox("客服@xn--fsqu00a.xn--fiqs8s")


@pytest.mark.parametrize(
    "other", ["desks@example.com", "desk@sub.example.com", "+desk@example.com"]
)
def test_other_mailboxes_stay_others(other: str) -> None:
    assert mailbox(other) != "desk@example.com"


@given(st.text(max_size=60))
def test_whatever_is_no_address_is_compared_all_the_same(text: str) -> None:
    assert mailbox(mailbox(text)) == mailbox(text)


KEYS = st.text(min_size=1, max_size=60).filter(lambda key: not re.search("[\ud800-\udfff]", key))


@given(KEYS)
def test_a_letters_name_tells_which_message_it_brings_and_is_one_name(key: str) -> None:
    name = message_id(key, "desk.example")
    assert key_of(name) == key
    assert ids_in(f"Re: {name} and <other@x.example>") == (name, "<other@x.example>")
    assert name.isascii()
    assert not re.search(r"[\s()]", name)


def test_a_letters_name_is_the_same_whenever_it_is_sent() -> None:
    key = "20261123-07-0001:1:registered:customer"
    assert message_id(key, "desk.example") == (
        "<20261123-07-0001=3A1=3Aregistered=3Acustomer@desk.example>"
    )


@pytest.mark.parametrize("none", ["", "x", "a@b", "<a@b> <c@d>", "<a b@c>", "<@>"])
def test_what_is_no_name_of_a_letter_names_no_message(none: str) -> None:
    assert key_of(none) is None


def test_letters_that_differ_in_numbers_only_say_the_same() -> None:
    one = words_of("自动回复：问题 20261123-07-0001 已登记", "我在休假，12 月 3 日回来。")
    assert one == words_of("自动回复: 问题 20261123-07-0002 已登记", "我在休假，12月4日回来")
    assert one != words_of("自动回复：问题 20261123-07-0001 已登记", "卡钞了，快来人")


# --- what a letter names --------------------------------------------------------------------------

NUMBER = "20261123-07-0003"


@pytest.mark.parametrize(
    "subject",
    [
        f"Re: 问题 {NUMBER} 需要您配合",
        f"回复：[{NUMBER}]",
        f"答复: 回复: Re: Fwd: ({NUMBER})还是不行",
        "回复：问题２０２６１１２３－０７－０００３",
        "Re: 20261123\u201307\u20130003",
        f"{NUMBER}, again {NUMBER}",
    ],
)
def test_a_number_is_found_however_wide_it_is_written(subject: str) -> None:
    assert numbers_in(subject) == (NUMBER,)


@pytest.mark.parametrize(
    "subject", ["", "9920261123-07-0003", f"{NUMBER[:-1]}", "2026-11-23 07:00", "0003"]
)
def test_what_is_no_number_names_nothing(subject: str) -> None:
    assert numbers_in(subject) == ()


def test_numbers_are_told_in_their_order_and_only_so_many() -> None:
    other = "20261122-07-0001"
    assert numbers_in(f"{NUMBER} {other}", "", NUMBER) == (NUMBER, other)
    assert len(numbers_in(" ".join(f"20261123-07-{n:04}" for n in range(99)))) < 20


def test_an_address_may_carry_a_number() -> None:
    assert numbers_in(tag_of(f"desk+{NUMBER}@example.com")) == (NUMBER,)
    assert tag_of("desk@example.com") == tag_of(f"desk@{NUMBER}+1.example") == ""


# --- whose words they are -------------------------------------------------------------------------

OURS = """\
王芳，您好。您的问题“出钞口卡钞”需要您配合才能继续处理：请把钥匙交给保安。完成后请告诉我们，我们会马上继续。

查看进展: https://desk.example/l/MjAyNjExMjMtMDctMDAwMyBw.abc

祝您工作顺利。
华信服务
客服热线：400-800-1234
"""
OWN = "钥匙已经放在保安处。\n\n可以来了。"


def quoted(text: str = OURS, mark: str = "> ") -> str:
    return "\n".join(mark + line for line in text.splitlines())


ANSWERS = {
    "as Thunderbird has it": f"{OWN}\n\nOn 11/23/26 09:12, Huaxin wrote:\n{quoted()}",
    "as Gmail has it": (
        f"{OWN}\n\nOn Mon, Nov 23, 2026 at 9:12 AM Huaxin Service\n<desk@example.com> wrote:\n\n"
        f"{quoted()}\n"
    ),
    "as QQ has it": (
        f"{OWN}\n\n\n------------------ 原始邮件 ------------------\n"
        '发件人: "华信服务" <desk@example.com>;\n发送时间: 2026年11月23日(星期一) 上午9:12\n'
        f'收件人: "王芳"<wang.fang@example.com>;\n主题: 问题 {NUMBER} 需要您配合\n\n{OURS}'
    ),
    "as Outlook has it": (
        f"{OWN}\n\n发件人: 华信服务 <desk@example.com>\n发送时间: 2026年11月23日 9:12\n"
        f"收件人: 王芳\n主题: 问题 {NUMBER} 需要您配合\n\n{OURS}"
    ),
    "as NetEase has it": f"{OWN}\n\n在 2026-11-23 09:12:01，华信服务 写道：\n\n{quoted()}",
    "as Gmail has it in Chinese": (
        f"{OWN}\n\n华信服务 <desk@example.com> 于2026年11月23日周一\n09:12写道：\n\n{quoted()}"
    ),
    "as NetEase has it on a telephone": (
        f"{OWN}\n---- 回复的原邮件 ----\n发件人 华信服务<desk@example.com>\n"
        f"日期 2026年11月23日 09:12\n"
        f"收件人 wang<wang.fang@example.com>\n主题 问题 {NUMBER} 需要您配合\n{OURS}"
    ),
    "as an iPhone has it": (
        f"{OWN}\n\n> 在 2026年11月23日，09:12，华信服务 <desk@example.com> 写道：\n> \n"
        f"> \ufeff{quoted()[2:]}"
    ),
    "as Alibaba has it": (
        f"{OWN}\n\n{'-' * 66}\n发件人：华信服务 <desk@example.com>\n"
        f"日\u3000期：2026年11月23日 09:12\n"
        f"收件人：王芳\n主\u3000题：问题 {NUMBER} 需要您配合\n\n{OURS}"
    ),
    "as Outlook has it with a line above": (
        f"{OWN}\n\n{'_' * 32}\n发件人: 华信服务 <desk@example.com>\n发送时间: 2026年11月23日 9:12\n"
        f"收件人: 王芳\n主题: 问题 {NUMBER} 需要您配合\n重要性: 高\n\n{OURS}"
    ),
    "wrapped anew": f"{OWN}\n\n{quoted(fill(OURS, 20))}",
    "a part of it": f"{OWN}\n{quoted(OURS[-60:])}",
}


@pytest.mark.parametrize("how", ANSWERS)
def test_what_we_wrote_ourselves_is_not_shown_again_behind_an_answer(how: str) -> None:
    assert own_words(ANSWERS[how], ["您好。问题已登记，并已安排专人处理。谢谢您。", OURS]) == OWN


@pytest.mark.parametrize(
    "answer",
    [
        OWN,
        f"{OWN}\n\n{quoted('另一封信里的话，不是我们写的，一个字也不能少。')}",
        f"{quoted()}\n\n{OWN}",
        f"{OWN}\n\nOn Monday the porter wrote:\n> 钥匙在我这里，请来取。",
        f"{OWN}\n{quoted()}\n{quoted('> 我第一封信里的话，在引用的引用里。')}",
        f"{OWN}\n> 华信服务",
        f"我照做了：\n{OURS.splitlines()[0]}",
        quoted(),
        "",
    ],
)
def test_in_doubt_every_word_is_kept(answer: str) -> None:
    assert own_words(answer, [OURS]) == answer


def test_what_was_written_into_our_words_is_kept() -> None:
    first, *rest = quoted().splitlines()
    answer = "\n".join([OWN, first, "钥匙不在保安处。", *rest])
    assert own_words(answer, [OURS]) == f"{OWN}\n{first}\n钥匙不在保安处。"
    changed = quoted(OURS.replace("保安", "门卫"))
    assert own_words(f"{OWN}\n{changed}", [OURS]).startswith(f"{OWN}\n{changed.splitlines()[0]}")


def test_a_line_of_the_writers_own_is_kept_though_it_looks_like_a_programs() -> None:
    own = "请改时间。\n时间：明天下午三点\nOn 23 November I am away."
    for said in ("", "\n华信服务 写道：", "\n在 2026-11-23 09:12:01，华信服务 写道："):
        assert own_words(f"{own}{said}\n{quoted()}", [OURS]) == own
    header = "\n发件人: 华信服务\n发送时间: 今天\n收件人: 王芳\n主题: 问题\n\n"
    assert own_words(f"{own}{header}{OURS}", [OURS]) == own


@given(st.text(max_size=300), st.lists(st.text(max_size=100), max_size=3))
def test_of_any_answer_what_is_left_is_its_beginning(answer: str, ours: list[str]) -> None:
    left = own_words(answer, ours)
    assert left == answer or "".join(answer.split()).startswith("".join(left.split()))


def test_the_longest_answer_is_read_in_no_time() -> None:
    """Half a million lines, each of which might begin a quotation: no more than a look at each."""
    assert own_words("x\n" * 200_000 + quoted(), [OURS]).count("x") == 200_000
