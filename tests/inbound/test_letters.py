"""No words of a letter are lost, whatever wrote it and whatever is wrong with it."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from inbound.letters.letter import NOT_READ, Letter, letter_in, letter_in_hurry
from tests.support.letters import FIELD, form, letter

NOW = datetime.now(UTC).replace(microsecond=0)
OURS = ["m16", "f5", "m17", "m18", "m19", "f8", "m13"]
"""Letters that machines wrote, or sent for somebody: who wrote is another test's."""
CASES = [
    case
    for case in json.loads((FIELD.parent / "letters.json").read_text("utf-8"))
    if not case["file"].startswith(tuple(OURS))
]


def read(raw: bytes) -> Letter:
    return letter_in(raw, NOW)


def part(kind: str, body: bytes, *headers: str) -> bytes:
    return "\r\n".join([f"Content-Type: {kind}", *headers, "", ""]).encode() + body


def of_parts(kind: str, *parts: bytes, boundary: str = "QQ") -> bytes:
    head = f"From: a@kehu.example\r\nContent-Type: {kind}; boundary={boundary}\r\n\r\n".encode()
    line = f"--{boundary}".encode()
    return head + b"".join(line + b"\r\n" + each + b"\r\n" for each in parts) + line + b"--\r\n"


@pytest.mark.parametrize("case", CASES, ids=lambda case: Path(case["file"]).stem)
def test_every_letter_of_the_field_keeps_its_words(case: dict[str, Any]) -> None:
    intake = form().read(read((FIELD / case["file"]).read_bytes()), NOW)
    for words in case["contains"]:
        assert words in f"{intake.title}\n{intake.description}"


@pytest.mark.parametrize("path", sorted(FIELD.glob("*.eml")), ids=lambda path: path.stem)
def test_also_in_a_hurry_every_letter_of_the_field_is_read(path: Path) -> None:
    seen = letter_in_hurry(path.read_bytes(), NOW)
    assert NOT_READ in seen["text"]
    assert seen["subject"] == read(path.read_bytes())["subject"]


# Which part is read -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("plain", "page", "said"),
    [
        ("the same", "<p>the<br>same</p>", "the same"),
        ("one two three four", "<p>one two<br>three four<br>six</p>", "one two three four\n\nsix"),
        (" \r\n", "<p>只有网页</p>", "只有网页"),
        ("请用网页查看", f"<p>{'卡钞' * 40}</p>", f"{'卡钞' * 40}\n\n请用网页查看"),
        (
            "看这里",
            '<p>看<a href="http://a.example/1">这里</a></p>',
            "看这里\n\n看这里 (http://a.example/1)",
        ),
        ("看图", '<p>看图<img alt="出钞口" src="cid:1"></p>', "看图\n\n看图 [图片 出钞口]"),
        ("只有文字", "", "只有文字"),
    ],
    ids=["same", "more", "empty", "stub", "link", "picture", "no page"],
)
def test_of_versions_the_plainest_that_says_something_is_read(
    plain: str, page: str, said: str
) -> None:
    message = letter(plain)
    message.add_alternative(page, subtype="html")
    assert read(message.as_bytes())["text"] == said


def test_all_that_is_said_between_pictures_is_read_in_order() -> None:
    raw = of_parts(
        "multipart/mixed",
        part("text/plain; charset=utf-8", "一".encode()),
        part("image/png; name=p.png", b"AAAA", "Content-Disposition: inline"),
        part("text/html; charset=utf-8", "<p>二</p>".encode()),
        part("text/plain; charset=gbk", "三".encode("gbk")),
        part("text/plain; name=log.txt", b"E01", "Content-Disposition: attachment"),
    )
    assert read(raw)["text"] == "一\n\n二\n\n三\n\n附件 Attachments: p.png, log.txt"


def test_of_a_letter_that_only_encloses_text_that_is_the_text() -> None:
    raw = of_parts(
        "multipart/mixed",
        part("text/plain; name=a.txt", b"E01", "Content-Disposition: attachment; filename=a.txt"),
    )
    assert read(raw)["text"] == "E01\n\n附件 Attachments: a.txt"


@pytest.mark.parametrize("encoding", ["", "base64"])
@pytest.mark.parametrize("disposition", ["inline", "attachment"])
def test_a_forwarded_letter_is_read(encoding: str, disposition: str) -> None:
    inner = letter("吞卡三次", Subject="帮看一下", From="Li <li@example.com>").as_bytes()
    body = base64.encodebytes(inner) if encoding else inner
    headers = (f"Content-Transfer-Encoding: {encoding}",) if encoding else ()
    raw = of_parts(
        "multipart/mixed",
        part("text/plain", b"see below"),
        part("message/rfc822", body, f"Content-Disposition: {disposition}", *headers),
    )
    text = read(raw)["text"]
    for words in ("see below", "吞卡三次", "帮看一下", "li@example.com"):
        assert words in text


def test_an_invitation_tells_what_when_and_where() -> None:
    calendar = """\
BEGIN:VCALENDAR
BEGIN:VTIMEZONE
DTSTART:19700101T000000
END:VTIMEZONE
BEGIN:VEVENT
SUMMARY:更换
  键盘\\, 读卡器
DTSTART;TZID=Asia/Shanghai:20261202T100000
DTEND:20261202T030000Z
LOCATION:天河支行
DESCRIPTION:第一行\\n第二行
END:VEVENT
END:VCALENDAR
""".replace("\n", "\r\n")
    text = read(part("text/calendar; charset=utf-8; method=REQUEST", calendar.encode()))["text"]
    assert text.splitlines() == [
        "会议 Invitation: 更换 键盘, 读卡器",
        "开始 Begins: 2026-12-02 10:00 Asia/Shanghai",
        "结束 Ends: 2026-12-02 03:00 UTC",
        "地点 Place: 天河支行",
        "说明 Description: 第一行",
        "第二行",
    ]


@pytest.mark.parametrize(
    ("kind", "named"),
    [
        ("application/ms-tnef; name=winmail.dat", "winmail.dat"),
        ("application/octet-stream; name=WINMAIL.DAT", "WINMAIL.DAT"),
        ("application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m", "smime.p7m"),
        ("application/octet-stream", "application/octet-stream"),
    ],
)
def test_what_cannot_be_read_is_named(kind: str, named: str) -> None:
    assert named in read(part(kind, b"AAAA", "Content-Transfer-Encoding: base64"))["text"]


def tnef(*attributes: tuple[int, bytes]) -> bytes:
    """A winmail.dat, as Outlook writes it."""
    written = b"\x78\x9f\x3e\x22\x01\x00"
    for name, value in attributes:
        length = len(value).to_bytes(4, "little")
        total = (sum(value) % 65536).to_bytes(2, "little")
        written += b"\x01" + name.to_bytes(4, "little") + length + value + total
    return written


def test_outlooks_own_format_tells_its_text_and_its_files() -> None:
    raw = tnef(
        (0x00069007, (936).to_bytes(4, "little") + bytes(4)),
        (0x0002800C, "出钞口卡钞\0".encode("gbk")),
        (0x00018010, "故障照片.jpg\0".encode("gbk")),
    )
    for body in (raw, raw[:-10]):  # also one that was cut off
        text = read(part("application/ms-tnef; name=winmail.dat", body))["text"]
        assert "出钞口卡钞" in text
        assert "winmail.dat" in text
    assert read(part("application/ms-tnef", raw))["text"].endswith("故障照片.jpg")


def der(tag: int, *values: bytes, endless: bool = False) -> bytes:
    value = b"".join(values)
    if endless:
        return bytes([tag, 0x80]) + value + b"\0\0"
    return bytes([tag, 0x84]) + len(value).to_bytes(4, "big") + value


@pytest.mark.parametrize("in_pieces", [False, True])
def test_of_a_letter_inside_its_signature_the_letter_is_read(in_pieces: bool) -> None:  # noqa: FBT001
    inner = part("text/plain; charset=utf-8", "签了名的话".encode())
    oids = [der(6, bytes.fromhex("2a864886f70d0107") + bytes([n])) for n in (2, 1)]
    octets = der(4, inner)
    if in_pieces:
        octets = der(0x24, der(4, inner[:9]), der(4, inner[9:]), endless=True)
    data = der(0x30, oids[1], der(0xA0, octets, endless=in_pieces), endless=in_pieces)
    signed = der(0x30, der(2, b"\1"), der(0x31), data, der(0xA0, der(2, b"\2"), der(4, b"no")))
    raw = part("application/pkcs7-mime; name=smime.p7m", der(0x30, oids[0], der(0xA0, signed)))
    assert read(raw)["text"] == "签了名的话\n\n附件 Attachments: smime.p7m"


def test_of_a_signed_letter_the_letter_is_read_and_the_signature_named() -> None:
    raw = of_parts(
        "multipart/signed; protocol=x",
        part("text/plain", b"signed words"),
        part("application/pkcs7-signature; name=smime.p7s", b"AAAA"),
    )
    assert read(raw)["text"] == "signed words\n\n附件 Attachments: smime.p7s"


def test_what_stands_behind_the_last_part_is_read() -> None:
    raw = of_parts("multipart/mixed", part("text/plain", b"first")) + b"\r\nof the list: 7781\r\n"
    text = read(raw)["text"]
    assert "first" in text
    assert "of the list: 7781" in text
    assert NOT_READ not in text


# Pages --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("page", "said"),
    [
        ("<html><head><style>p{}</style><body><p>一<p>二", "一\n二"),
        ("<head><title>读卡器</title><meta charset=utf-8><p>words</head>", "words"),
        ("<style>p{}<body><p>样式没有结束</p>", "样式没有结束"),
        ("<title>no end<p>标题没有结束", "标题没有结束"),
        ("<!-- no end <p>注释没有结束</p>", "注释没有结束"),
        ("<![data[x]]><p>一号柜门</p>", "一号柜门"),
        ("<!--[if mso]><xml>x</xml><![endif]--><p>温度&nbsp;&gt;&nbsp;40&#8451;", "温度 > 40℃"),
        ("<pre>E01\nE02\n  E03</pre>", "E01\nE02\n  E03"),
        ("<ul><li>一<li>二</ul>", "- 一\n- 二"),
        ("<blockquote>您说过</blockquote>没有", "您说过\n没有"),
        ('<a href="http://a.example/b">连接</a>', "连接 (http://a.example/b)"),
        ('<a href="http://a.example/b">http://a.example/b</a>', "http://a.example/b"),
        ('<a href="javascript:x()">连接</a>', "连接"),
        ('<img alt="出钞口" src="cid:1">', "[图片 出钞口]"),
        ("a<script>no()</script>b", "ab"),
        ("<p>一\x00二</p>", "一二"),
        ("<table><tr><td>型号<td>K-2<tr><td>序列号<td>7781</table>", "型号 K-2\n序列号 7781"),
    ],
)
def test_a_page_is_read_whatever_its_head_looks_like(page: str, said: str) -> None:
    assert said in read(part("text/html; charset=utf-8", page.encode()))["text"]


# Encodings ----------------------------------------------------------------------------------------

CHINESE = "出钞口卡钞，已持续两小时，请尽快派人。"


@pytest.mark.parametrize(
    ("written", "declared"),
    [
        ("gbk", ""),
        ("gb18030", "gb2312"),
        ("gbk", "utf-8"),
        ("gbk", "iso-8859-1"),
        ("gbk", "us-ascii"),
        ("gbk", "x-unknown"),
        ("utf-8", "gb2312"),
        ("utf-8", "iso-8859-1"),
        ("utf-8", ""),
        ("utf-8-sig", ""),
        ("utf-16", "unicode"),
        ("big5hkscs", "big5"),
        ("hz", "hz-gb-2312"),
        ("utf-7", "utf-7"),
        ("gbk", "rot13"),
        ("gbk", "idna"),
        ("gbk", "\x00"),
        ("gbk", '"gb2312'),
    ],
)
def test_text_is_read_in_the_encoding_it_is_in(written: str, declared: str) -> None:
    said = CHINESE if written != "big5hkscs" else "出鈔口卡鈔，已持續兩小時。"
    if written in ("hz", "utf-7", "gbk"):
        said = said.replace("，", "、")
    kind = f"text/plain; charset={declared}" if declared else "text/plain"
    raw = part(kind, said.encode(written), "Content-Transfer-Encoding: 8bit")
    assert read(raw)["text"] == said


def test_japanese_is_read_beyond_the_characters_that_its_encoding_has() -> None:
    raw = part("text/plain; charset=iso-2022-jp", b"No.\x1b$B8~$1-!|b\x1b(I14\x1b(B ok")
    assert read(raw)["text"] == "No.向け①髙ｱｴ ok"


@pytest.mark.parametrize("charset", ["utf-8", "gb18030"])
def test_a_broken_character_costs_that_character_only(charset: str) -> None:
    written = CHINESE.encode(charset)
    raw = part(f"text/plain; charset={charset}", written + b"\xff" + written)
    assert read(raw)["text"].count("卡钞") >= 2 - (charset != "utf-8")
    assert read(raw)["text"].startswith(CHINESE)


def test_western_letters_stay_western() -> None:
    raw = part("text/plain; charset=iso-8859-1", "Défaut du distributeur".encode("latin-1"))
    assert read(raw)["text"] == "Défaut du distributeur"


def test_half_a_character_is_none() -> None:
    read(part("text/plain; charset=utf-7", b"a+2AA-b"))["text"].encode()


@pytest.mark.parametrize(
    ("subject", "said"),
    [
        (b"=?utf-8?B?6Ieq5Yqp57uI5w==?=\r\n =?utf-8?B?q6/lnKjlpJzpl7Q=?=", "自助终端在夜间"),
        (b"=?gb2312?B?" + base64.b64encode("卡钞".encode("gbk")), "卡钞"),
        (b"=?gb2312?B?", ""),
        (b"=?GBK?Q?=BF=A8=B3=AE?= Re: a", "卡钞 Re: a"),
        (b"=?utf-8*zh?Q?=E5=8D=A1?=", "卡"),
        ("卡钞".encode("gbk"), "卡钞"),
        (b"a\x00b", "a b"),
        (b"=?=?=?", "=?=?=?"),
        (b"\r\n =?utf-8?q?one?= two", "one two"),
    ],
)
def test_a_subject_is_read_however_it_is_written(subject: bytes, said: str) -> None:
    assert read(b"Subject: " + subject + b"\r\nFrom: a@kehu.example\r\n\r\nx")["subject"] == said


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        (b'filename="=?gb2312?B?ucrVz9XVxqwuanBn?="', "故障照片.jpg"),
        (b"filename*=GB18030''%B9%CA%D5%CF%2E%70%64%66", "故障.pdf"),
        (b"filename*0*=utf-8''%E6%95%85; filename*1*=%E9%9A%9C; filename*2=.pdf", "故障.pdf"),
        (b'filename="' + "故障.pdf".encode("gbk") + b'"', "故障.pdf"),
        (b"filename=a.pdf; filename*=x", "a.pdf"),
        (b'filename="a.pdf', "a.pdf"),
    ],
)
def test_the_name_of_an_attachment_is_read_however_it_is_written(
    disposition: bytes, name: str
) -> None:
    raw = b"Content-Type: application/pdf\r\nContent-Disposition: attachment; "
    assert f"Attachments: {name}" in read(raw + disposition + b"\r\n\r\nAAAA")["text"]


@pytest.mark.parametrize(
    ("encoding", "written"),
    [
        ("base64", b"aGVsbG8g d29y\r\nbGQ=\r\n"),
        ("base64", b"aGVsbG8=\r\nIHdvcmxk\r\n"),
        ("base64", b"aGVsbG8gd29ybG"),
        ("base64;", b"aGVsbG8gd29ybGQ="),
        ("BASE64 (x)", b"aGVsbG8gd29ybGQ="),
        ("base64", b"hello world, this was never encoded"),
        ("quoted-printable", b"hello=20=\r\nworld"),
        ("quoted-printable", b"hello =ZZ world"),
        ("x-none", b"hello world"),
        ("x-uuencode", b"begin 644 a\n+:&5L;&\\@=V]R;&0\n`\nend\n"),
    ],
)
def test_a_transfer_encoding_is_undone_if_it_is_there(encoding: str, written: bytes) -> None:
    raw = part("text/plain", written, f"Content-Transfer-Encoding: {encoding}")
    text = read(raw)["text"]
    assert "hello" in text
    assert "worl" in text


@pytest.mark.parametrize("around", [b"", b"\r\n", b" \r\n\r\n"])
def test_blank_lines_around_what_is_encoded_say_nothing(around: bytes) -> None:
    written = around + b"aGVsbG8gd29ybGQ=\r\n" + around
    assert read(part("text/plain", written, "Content-Transfer-Encoding: base64"))["text"] == (
        "hello world"
    )


# Letters nobody should have written ---------------------------------------------------------------


def nested(depth: int, kind: str = "mixed") -> bytes:
    innermost = part("text/plain; charset=utf-8", "最里面的话".encode())
    for level in range(depth):
        line = b"--b%d" % level
        innermost = (
            b'Content-Type: multipart/%s; boundary="b%d"\r\n\r\n' % (kind.encode(), level)
            + line + b"\r\n" + innermost + b"\r\n" + line + b"--\r\n"
        )  # fmt: skip
    return b"From: a@kehu.example\r\nSubject: deep\r\n" + innermost


def forwarded(depth: int) -> bytes:
    head = b"From: a@kehu.example\r\nContent-Type: message/rfc822\r\n\r\n"
    return head * depth + b"From: b@kehu.example\r\n\r\ninnermost words"


WRONG = {
    "500 parts within each other": (nested(500), "最里面的话"),
    "2000 parts within each other": (nested(2000), "最里面的话"),
    "500 versions within each other": (nested(500, "alternative"), "最里面的话"),
    "500 letters forwarded": (forwarded(500), "innermost words"),
    "a subject that never ends": (b"Subject: =?gb2312?B?\r\nFrom: a@b.cn\r\n\r\nwords", "words"),
    "a charset that never ends": (part('text/plain; charset="', b"words"), "words"),
    "a header with NUL": (b"Subject: a\x00b\r\nX\x00: y\r\n\r\nwords", "words"),
    "a parameter gone wrong": (part("text/plain; charset*=x'y; charset*1*=%", b"words"), "words"),
    "a name gone wrong": (
        part("text/plain; name*0*=''%; name*x=1", b"words", "Content-Disposition: ; filename*=''"),
        "words",
    ),
    "no boundary": (part("multipart/mixed", b"--x\r\n\r\nwords\r\n--x--"), "words"),
    "another boundary": (
        part(
            "multipart/mixed; boundary=x",
            b"--y\r\nContent-Transfer-Encoding: base64\r\n\r\n" + base64.b64encode(b"the words"),
        ),
        "the words",
    ),
    "a space before a colon": (
        b"Subject : s\r\nContent-Type : text/plain\r\nContent-Transfer-Encoding : base64\r\n\r\n"
        + base64.b64encode(b"the words"),
        "the words",
    ),
    "lines before the head": (b"\r\n\r\n" + part("text/html", b"<p>words</p>"), "words"),
    "a misspelt type": (part("texb/plain", b"words"), "words"),
    "nothing but a head": (b"Subject: s\r\nFrom: a@b.example", ""),
    "nothing": (b"", ""),
    "a line of 300,000": (part("text/plain", b"words " * 50_000), "words words"),
    "brackets without end": (b"From: " + b"(" * 20_000 + b"a@b.example\r\n\r\nwords", "words"),
    "quotes without end": (b'From: "' + b'\\"' * 20_000 + b"\r\n\r\nwords", "words"),
    "semicolons": (part("text/plain" + ';"' * 20_000, b"words"), "words"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_of_a_letter_gone_wrong_is_read_what_there_is(name: str) -> None:
    raw, words = WRONG[name]
    assert words in read(raw)["text"]
    assert words in letter_in_hurry(raw, NOW)["text"]


def test_of_what_was_not_read_in_full_the_text_says_so() -> None:
    assert read(nested(2000))["text"].startswith(NOT_READ)
    assert NOT_READ not in read(nested(3))["text"]


# What is too long ---------------------------------------------------------------------------------


def test_a_cut_says_so_and_never_cuts_the_names_of_attachments() -> None:
    message = letter("日志一行内容，" * 5_000)
    message.add_attachment(b"x", maintype="application", subtype="pdf", filename="故障.pdf")
    text = form().read(read(message.as_bytes()), NOW).description
    assert len(text) <= 10_000
    assert "此处有删节" in text
    assert text.endswith("附件 Attachments: 故障.pdf")
    assert text.startswith("日志一行内容，")


def test_a_thousand_attachments_are_counted() -> None:
    raw = of_parts(
        "multipart/mixed",
        part("text/plain", b"words " * 3_000),
        *(part(f"image/png; name=picture-{n}.png", b"A") for n in range(1_000)),
    )
    text = form().read(read(raw), NOW).description
    assert "picture-0.png" in text
    assert text.endswith("(共 1000 个 in all)")


def test_a_subject_that_is_too_long_stands_in_the_text() -> None:
    subject = "卡钞" * 150 + "末尾"
    intake = form().read(read(letter("正文", Subject=subject).as_bytes()), NOW)
    assert len(intake.title) == 200
    assert intake.title.endswith("…")
    assert intake.description == f"{subject}\n\n正文"


# Who wrote, and when ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "name", "address"),
    [
        ("zhang@kehu.example", "", "zhang@kehu.example"),
        ("张伟 zhang@kehu.example", "张伟", "zhang@kehu.example"),
        ('"Zhang, Wei @ HQ" <zhang@kehu.example>', "Zhang, Wei @ HQ", "zhang@kehu.example"),
        ("Zhang, Wei <zhang@kehu.example>", "Zhang Wei", "zhang@kehu.example"),
        ("zhang@hq <zhang@kehu.example>", "zhang@hq", "zhang@kehu.example"),
        ("zhang@kehu.example (Zhang Wei)", "Zhang Wei", "zhang@kehu.example"),
        ('"zhang.wei"@kehu.example', "", "zhang.wei@kehu.example"),
        ("Team: a@kehu.example, b@kehu.example;", "Team", "a@kehu.example"),
        ("a@kehu.example, b@kehu.example", "", "a@kehu.example"),
        ("<@relay.example:zhang@kehu.example>", "", "zhang@kehu.example"),
        ("mailto:zhang@kehu.example", "", "zhang@kehu.example"),
        ("Zhang <zhang@kehu.example", "Zhang", "zhang@kehu.example"),
        ("张伟@客户.example", "", "张伟@客户.example"),
        ("=?utf-8?q?Zhang_=3Czhang=40kehu=2Eexample=3E?=", "Zhang", "zhang@kehu.example"),
        ("=?utf-8?q?Li=2C_Wei?= <li@kehu.example>", "Li, Wei", "li@kehu.example"),
        ("zhang＠kehu.example", "", "zhang@kehu.example"),
        ("nobody", "", "nobody"),
    ],
)
def test_an_address_is_read_in_every_form(written: str, name: str, address: str) -> None:
    seen = read(f"From: {written}\r\n\r\nx".encode())
    assert seen["from"] == {"name": name, "address": address}


def test_an_address_nobody_can_answer_stands_in_the_text_and_another_is_taken() -> None:
    seen = read(
        b'From: "John Smith" <"john smith"@kehu.example>\r\nReply-To: js@kehu.example\r\n\r\nx'
    )
    assert seen["from"] == {"name": "John Smith", "address": "js@kehu.example"}
    assert '"john smith"@kehu.example' in seen["text"]


def test_of_several_who_wrote_all_stand_in_the_text() -> None:
    seen = read(b"From: a@kehu.example, b@kehu.example\r\n\r\nx")
    assert seen["text"] == "x\n\n发件人 From: a@kehu.example, b@kehu.example"


@pytest.mark.parametrize(
    "date",
    [
        "Thu, 01 Jan 1970 08:00:12 +0800",
        "Mon, 99 Nov 99999 25:61:61 +9999",
        "Sun, 29 Nov 2026 09:00:00 +9999",
        "前天下午",
        format_datetime(NOW + timedelta(days=2)),
        format_datetime(NOW - timedelta(days=400)),
    ],
    ids=["the epoch", "no calendar's", "no zone's", "in words", "ahead", "long ago"],
)
def test_a_date_that_cannot_be_is_now_and_stands_in_the_text(date: str) -> None:
    seen = read(f"From: a@kehu.example\r\nDate: {date}\r\n\r\nx".encode())
    assert form().read(seen, NOW).reported_at == NOW
    assert seen["text"] == f"x\n\n信上日期 Dated: {date}"


@pytest.mark.parametrize("path", sorted(FIELD.glob("*.eml")), ids=lambda path: path.stem)
def test_the_same_letter_always_reads_the_same(path: Path) -> None:
    """Whoever tells letters of one id apart goes by it."""
    raw = path.read_bytes()
    assert letter_in(raw, NOW) == letter_in(raw, NOW + timedelta(seconds=1))


@pytest.mark.parametrize("mostly", ["gbk", "utf-8"])
def test_lines_of_another_charset_cost_the_others_nothing(mostly: str) -> None:
    """A reply quotes in one what was written in the other, and programs copy bytes as they are."""
    other = {"gbk": "utf-8", "utf-8": "gbk"}[mostly]
    lines = ["钞口卡住，键盘失灵".encode(mostly)] * 3 + ["读卡器不读卡".encode(other)]
    head = f"From: a@kehu.example\r\nContent-Type: text/plain; charset={mostly}\r\n\r\n"
    text = read(head.encode() + b"\n".join(lines))["text"]
    assert text.count("钞口卡住，键盘失灵") == 3
    assert "读卡器不读卡" in text


def test_what_is_set_aside_as_of_a_kind_that_cannot_be_is_read() -> None:
    head = b"From: a@kehu.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
    part = b"Content-Type: mes((sage/x\r\nContent-Disposition: attachment\r\n\r\nE01 on screen"
    assert "E01 on screen" in read(head + part + b"\r\n--b--\r\n")["text"]


def test_words_behind_the_facts_of_a_report_are_read() -> None:
    head = b"From: a@kehu.example\r\nContent-Type: message/delivery-status\r\n\r\n"
    text = read(head + b"Action: failed\r\n no field: the disk is full\r\n\r\nask us\r\n")["text"]
    assert "Action: failed" in text
    assert "ask us" in text


@pytest.mark.parametrize("charset", ["unicode-escape", "raw_unicode_escape", "idna", "punycode"])
def test_a_charset_that_only_python_knows_is_none(charset: str) -> None:
    head = f"From: a@kehu.example\r\nContent-Type: text/plain; charset={charset}\r\n\r\n"
    words = r"钞口卡住，见 C:\new\u0041tm"
    assert read(head.encode() + words.encode("gbk"))["text"] == words


def test_whatever_a_letter_and_its_parts_are_called_is_read() -> None:
    raw = (
        b"From: a@kehu.example\r\nSubject: first\r\nSubject: second\r\n"
        b"Content-Type: multipart/mixed; boundary=x\r\n\r\n"
        b"--x\r\nSubject: of a part\r\nContent-Ttype: text/plain\r\n\r\nwords\r\n"
        b"--x\r\nContent-Type: message/rfc822\r\n\r\nSubject: third\r\nSubject: fourth\r\n\r\nx\r\n"
        b"--x--\r\n"
    )
    letter = letter_in(raw, NOW)
    assert letter["subject"] == "first"
    assert "Subject: second" in letter["text"]
    assert "Subject: of a part\n\nwords" in letter["text"]
    assert "Subject: third\n主题 Subject: fourth" in letter["text"]


def test_what_stands_where_a_head_is_looked_for_is_read() -> None:
    raw = (
        b"From: a@kehu.example\r\nSubject: s\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n"
        b"Dear all: the first paragraph\r\n\r\nthe second\r\n"
    )
    text = letter_in(raw, NOW)["text"]
    assert "Dear all: the first paragraph" in text
    assert "the second" in text


def test_a_subject_that_came_loose_is_read_line_by_line() -> None:
    raw = (
        b"From: a@kehu.example\r\nSubject: s\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n"
        b"Subject: =?utf-8?b?" + base64.b64encode("出钞口".encode()) + b"?=\r\nno header at all\r\n"
        b"Content-Type: text/plain\r\n\r\nwords\r\n"
    )
    text = letter_in(raw, NOW)["text"]
    assert [word for word in ("出钞口", "no header at all", "words") if word not in text] == []


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Type: message/rfc822\r\nContent-Disposition: attachment; filename=winmail.dat",
        b"Content-Type: message/rfc822\r\n\r\nContent-Disposition: attachment",
    ],
)
def test_a_forwarded_letter_is_read_whatever_it_is_called_or_set_aside(head: bytes) -> None:
    raw = (
        b"From: a@kehu.example\r\nSubject: s\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n"
        b"--x\r\nContent-Type: text/plain\r\n\r\nseen\r\n--x\r\n" + head + b"\r\n\r\n"
        b"Subject: inner\r\n\r\nthe words\r\n--x--\r\n"
    )
    text = read(raw)["text"]
    assert "inner" in text
    assert "the words" in text
