"""Letters are read whatever program wrote them, and each becomes one issue."""

from __future__ import annotations

import base64
import io
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from domain.vocabulary import Channel
from inbound.letters.letter import Letter, letter_in
from inbound.mail import LetterBox, LetterFate
from inbound.mapping import Form
from store import door_log
from tests.support.letters import MAPPING, form, letter
from tests.support.running_desk import RunningDesk, run_yinuo

NOW = datetime.now(UTC).replace(microsecond=0)


def read(raw: bytes) -> Letter:
    return letter_in(raw, NOW)


def encoded(text: str, charset: str, named: str) -> bytes:
    return b"=?%s?B?%s?=" % (named.encode(), base64.b64encode(text.encode(charset)))


@pytest.fixture
def box(running_desk: RunningDesk) -> LetterBox:
    return LetterBox(running_desk.desk, running_desk.pool, form(), running_desk.attachments)


def test_a_letter_becomes_an_intake_by_the_example() -> None:
    written = format_datetime(NOW - timedelta(hours=3))
    sent = letter(Date=written, From="张伟 <zhang.wei@example.com>").as_bytes()
    intake = form().read(read(sent), NOW)
    assert (intake.source, intake.channel, intake.kind) == ("mail", Channel.EMAIL, "fault")
    assert (intake.title, intake.description) == ("故障：ATM 无法出钞", "出钞口卡钞")
    assert (intake.customer.name, intake.customer.email) == ("张伟", "zhang.wei@example.com")
    assert intake.reported_at == NOW - timedelta(hours=3)


@pytest.mark.parametrize(
    "date",
    ["", "tomorrow", format_datetime(NOW + timedelta(days=2))],
    ids=["none", "no date", "in two days"],
)
def test_a_letter_without_a_date_that_can_be_is_of_now(date: str) -> None:
    intake = form().read(read(letter(Date=date).as_bytes()), NOW)
    assert intake.reported_at == NOW


@pytest.mark.parametrize("named", ["gb2312", "GBK", "gb18030"])
def test_letters_in_chinese_encodings_lose_no_character(named: str) -> None:
    raw = b"\r\n".join(
        [
            b"From: " + encoded("张镕", "gb18030", named) + b" <zhang@example.com>",
            b"Subject: " + encoded("出钞口卡钞", "gb18030", named),
            b"Content-Type: text/plain; charset=" + named.encode(),
            b"Content-Transfer-Encoding: 8bit",
            b"",
            "朱镕基路 88 號".encode("gb18030"),
        ]
    )
    seen = read(raw)
    assert seen["from"] == {"name": "张镕", "address": "zhang@example.com"}
    assert (seen["subject"], seen["text"]) == ("出钞口卡钞", "朱镕基路 88 號")


@pytest.mark.parametrize("charset", ["gb18030", "utf-8"])
def test_headers_that_do_not_say_their_encoding_are_read_all_the_same(charset: str) -> None:
    seen = read("From: 张伟 <z@example.com>\nSubject: 出钞口卡钞\n\n正文".encode(charset))
    assert (seen["from"]["name"], seen["subject"]) == ("张伟", "出钞口卡钞")
    assert seen["text"] == "正文"


def test_a_name_with_a_comma_in_it_stays_one_name() -> None:
    raw = b"From: " + encoded("Li, Wei", "utf-8", "utf-8") + b" <li@example.com>\n\nx"
    assert read(raw)["from"] == {"name": "Li, Wei", "address": "li@example.com"}


def test_of_a_letter_in_html_the_words_are_read() -> None:
    message = letter()
    message.set_content(
        "<html><head><title>no</title><style>p{}</style></head><body><p>你好&nbsp;<b>世界</b></p>"
        "<script>no()</script>第一行<br>第二行<table><tr><td>型号</td><td>K-2</td></tr></table>",
        subtype="html",
    )
    assert read(message.as_bytes())["text"] == "你好 世界\n第一行\n第二行\n型号 K-2"


def test_plain_text_goes_before_html_and_attachments_are_named_only() -> None:
    message = letter("plain text")
    message.add_alternative("<p>plain <b>text</b></p>", subtype="html")
    message.add_attachment(b"secret bytes", maintype="image", subtype="png", filename="现场.png")
    assert read(message.as_bytes())["text"] == "plain text\n\n附件 Attachments: 现场.png"


def test_a_letter_that_is_only_a_picture_says_so() -> None:
    raw = b"From: a@example.com\nContent-Type: image/png; name=p.png\n\nAAAA"
    assert read(raw)["text"].strip() == "附件 Attachments: p.png"


@pytest.mark.parametrize("id_", [b"", b"Message-ID: <>\n"])
def test_letters_without_an_id_are_told_apart_by_their_content(id_: bytes) -> None:
    without = {"Message_ID": "", "From": "zhang.wei@example.com"}
    one, same, other = (id_ + letter(text, **without).as_bytes() for text in ("a", "a", "b"))
    seen = [form().read(read(each), NOW).reference for each in (one, same, other)]
    assert seen[0] == seen[1] != seen[2]


def test_a_letter_about_an_issue_of_ours_is_no_new_fault_and_keeps_its_number() -> None:
    sent = letter(Subject="Re: 故障 20261123-07-0001 还是不行").as_bytes()
    assert read(sent)["about"] == "20261123-07-0001"
    intake = form().read(read(sent), NOW)
    assert intake.kind == "consultation"
    assert "20261123-07-0001" in intake.title
    assert read(letter(Subject="卡号 9920261123-07-0001").as_bytes())["about"] is None


def test_what_can_be_told_apart_by_the_mailbox_is() -> None:
    intake = form().read(read(letter(To="kiosk@example.com").as_bytes()), NOW)
    assert intake.product_line == "KIOSK"


HEADERS = st.sampled_from(
    ["From", "Subject", "Date", "Message-ID", "Content-Type", "Content-Transfer-Encoding", "To"]
)
VALUES = st.binary(max_size=40) | st.sampled_from(
    [
        b"multipart/mixed; boundary=b",
        b"multipart/alternative",
        b"text/html; charset=utf-7",
        b"text/plain; charset=\x00",
        b"message/rfc822",
        b"base64",
        b"=?gb2312?B?///?= <a@b.cn>",
        b"=?x?Q?a?=",
        b"Mon, 99 Nov 99999 25:61:61 +9999",
    ]
)


@given(headers=st.lists(st.tuples(HEADERS, VALUES)), text=st.binary(max_size=60))
def test_whatever_comes_can_be_read(headers: list[tuple[str, bytes]], text: bytes) -> None:
    lines = [name.encode() + b": " + value for name, value in headers]
    seen = read(b"\n".join([*lines, b"", text, b"--b", b"", text, b"--b--"]))
    assert seen["message_id"]
    assert set(seen["from"]) == {"name", "address"}


async def test_the_same_letter_twice_is_one_issue(
    box: LetterBox, running_desk: RunningDesk
) -> None:
    sent = letter().as_bytes()
    first, again = [await box.take(sent, "192.0.2.7") for _ in range(2)]
    assert first.fate is LetterFate.REGISTERED
    assert again == first
    shown = await running_desk.desk.show(first.said)
    assert (shown.title, shown.source) == ("故障：ATM 无法出钞", "mail")
    written = await door_log.entries(running_desk.pool, number=first.said)
    assert {(each.person, each.via, each.address) for each in written} == {
        ("mail", "mailbox", "192.0.2.7")
    }


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto-Submitted": "auto-replied"},
        {"Auto-Submitted": "auto-generated; type=x"},
        {"Precedence": "bulk"},
        {"From": "MAILER-DAEMON@example.com"},
        {"From": "No Reply <no-reply@example.com>"},
        {"Return-Path": "<>"},
        {"From": "desk@example.com"},
    ],
)
async def test_what_a_machine_wrote_is_never_an_issue(
    box: LetterBox, headers: dict[str, str]
) -> None:
    assert (await box.take(letter(**headers).as_bytes(), "")).fate is LetterFate.IGNORED


async def test_what_a_person_wrote_through_a_list_is_an_issue(box: LetterBox) -> None:
    headers = {"Auto-Submitted": "no", "Precedence": "list", "List-Id": "<service.example.com>"}
    assert (await box.take(letter(**headers).as_bytes(), "")).fate is LetterFate.REGISTERED


async def test_a_letter_nobody_can_answer_is_refused_with_the_reason(box: LetterBox) -> None:
    taken = await box.take(letter(From="nobody").as_bytes(), "")
    assert taken.fate is LetterFate.UNUSABLE
    assert "customer.email" in taken.said


async def test_nothing_of_a_letter_gets_into_the_log(box: LetterBox) -> None:
    said = io.StringIO()
    kept = structlog.get_config()
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(said))
    try:
        await box.take(letter("geheim").as_bytes(), "192.0.2.7")
        await box.take(letter("geheim", From="nobody").as_bytes(), "192.0.2.7")
    finally:
        structlog.configure(**kept)
    assert said.getvalue().count("letter") == 2
    for word in ("geheim", "张伟", "zhang.wei", "出钞", "nobody"):
        assert word not in said.getvalue()


async def test_a_letter_the_roster_serves_nobody_for_is_refused(box: LetterBox) -> None:
    mars = form().model_copy(update={"fixed": form().fixed | {"region": "Mars"}})
    taken = await LetterBox(box.desk, box.pool, mars, box.attachments).take(letter().as_bytes(), "")
    assert taken.fate is LetterFate.UNUSABLE
    assert "region" in taken.said


@pytest.mark.program
def test_the_command_shows_what_would_become_of_a_letter(tmp_path: Path) -> None:
    path = tmp_path / "sample.eml"
    path.write_bytes(letter(From="张伟 <zhang.wei@example.com>").as_bytes())
    shown = run_yinuo("inbound", "check", str(MAPPING), str(path), "--json").json
    assert shown["customer"]["email"] == "zhang.wei@example.com"


@pytest.mark.parametrize(
    ("headers", "sign"),
    [
        ({"Auto-Submitted": "auto-replied"}, "auto-submitted"),
        ({"From": "Desk@Example.com"}, "from"),
    ],
)
def test_the_command_says_by_what_a_machine_is_known(
    tmp_path: Path, headers: dict[str, str], sign: str
) -> None:
    path = tmp_path / "sample.eml"
    path.write_bytes(letter(**headers).as_bytes())
    said = run_yinuo("inbound", "check", str(MAPPING), str(path)).err
    assert f"written by a machine ({sign}" in said


def test_an_address_of_the_desks_own_must_be_one() -> None:
    with pytest.raises(ValueError, match="own"):
        Form.model_validate(form().model_dump(by_alias=True) | {"own": ["nobody"]})
