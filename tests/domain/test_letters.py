"""Addresses are compared as addresses are, and our letters have names that tell their message."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.letters import ids_in, key_of, mailbox, message_id, words_of


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
