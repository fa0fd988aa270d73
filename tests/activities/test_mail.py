"""Our letters say that a machine wrote them and what they answer, and have the same name however
often they are sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from activities import mail
from activities.mail import MailSender
from activities.sending import (
    About,
    DeliveryFailed,
    DeliveryRefused,
    DeliveryUnknown,
    Enclosure,
    File,
)
from activities.webhooks import WebhookSender
from domain.letters import message_id
from runtime.embedded.ports import free_ports
from tests.support.mail_reader import TAKEN, MailReader, Received, a_mail_reader
from tests.support.patience import PATIENCE

TO = "zhang.wei@customer.example"
SUBJECT, BODY = "问题 20261123-07-0001 已登记 · Registered", "张伟，您好。\n.\n..已登记。\n"
KEY = "20261123-07-0001:1:registered:customer"
NAME = "<20261123-07-0001=3A1=3Aregistered=3Acustomer@desk.example>"
THEIRS = "<4711@customer.example>"


@pytest.fixture
async def reader() -> AsyncIterator[MailReader]:
    async with a_mail_reader() as reader:
        yield reader


@pytest.fixture
async def sender() -> AsyncIterator[MailSender]:
    async with aclosing(MailSender(timeout=PATIENCE)) as sender:
        yield sender


async def test_a_letter_arrives_in_the_words_that_were_written(
    sender: MailSender, reader: MailReader
) -> None:
    await sender.send(reader.url(), TO, SUBJECT, BODY)
    (got,) = reader.received
    assert (got.sender, got.to) == ("desk@desk.example", [TO])
    assert got.letter["Subject"] == SUBJECT
    assert got.letter["From"] == "Desk <desk@desk.example>"
    assert got.letter["To"] == TO
    assert got.letter["Date"].datetime.tzinfo
    assert got.letter.get_content().splitlines() == BODY.splitlines()


async def test_an_acknowledgement_says_that_a_machine_answers_and_which_letter(
    sender: MailSender, reader: MailReader
) -> None:
    await sender.send(reader.url(), TO, SUBJECT, BODY, About(KEY, THEIRS))
    (got,) = reader.letters
    assert got["Auto-Submitted"] == "auto-replied"
    assert "AutoReply" in got["X-Auto-Response-Suppress"]
    assert got["Message-ID"] == NAME
    assert got["In-Reply-To"] == got["References"] == THEIRS


async def test_what_comes_later_goes_on_from_what_was_written_before(
    sender: MailSender, reader: MailReader
) -> None:
    later = About("20261123-07-0001:3:resolved:customer", THEIRS, (KEY,))
    await sender.send(reader.url(), TO, SUBJECT, BODY, later)
    (got,) = reader.letters
    assert got["Auto-Submitted"] == "auto-generated"
    assert got["In-Reply-To"] == NAME
    assert got["References"].split() == [THEIRS, NAME]


async def test_a_letter_about_no_letter_answers_none(
    sender: MailSender, reader: MailReader
) -> None:
    await sender.send(reader.url(), TO, SUBJECT, BODY, About(KEY))
    (got,) = reader.letters
    assert (got["Auto-Submitted"], got["Message-ID"]) == ("auto-generated", NAME)
    assert "In-Reply-To" not in got
    assert "References" not in got


async def test_sent_again_it_has_the_same_name(sender: MailSender, reader: MailReader) -> None:
    for _ in range(2):
        await sender.send(reader.url(), TO, SUBJECT, BODY, About(KEY, THEIRS))
    assert [got["Message-ID"] for got in reader.letters] == [NAME, NAME]


async def test_names_however_long_stay_names(sender: MailSender, reader: MailReader) -> None:
    key = f"20261123-07-0001:resolution.1.1:+1 working day:0:{'王' * 20}"
    theirs = f"<{'x' * 200}@customer.example>"
    await sender.send(reader.url(), TO, SUBJECT, BODY, About(key, theirs, (key + "1", key + "2")))
    (got,) = reader.letters
    wanted = [theirs, *(message_id(key + n, "desk.example") for n in ("1", "2"))]
    assert got["References"].split() == wanted
    assert got["Message-ID"] == message_id(key, "desk.example")


@pytest.mark.parametrize(
    "theirs", ["no id", "<a>\r\nBcc: everybody@example.com", "<a b@c>", "<>", "<王@例>"]
)
async def test_what_is_no_id_is_not_answered(
    sender: MailSender, reader: MailReader, theirs: str
) -> None:
    await sender.send(reader.url(), TO, SUBJECT, BODY, About(KEY, theirs))
    (got,) = reader.letters
    assert "In-Reply-To" not in got
    assert "Bcc" not in got


FILE = File("服务效能报告-2026-W47.pdf", "application/pdf", bytes(range(256)) * 40 + b"\r\n.\r\n")
ENCLOSED = About(KEY, encloses=Enclosure((FILE,), "附件为本报表的 PDF 文件。"))


async def test_files_go_along_under_names_that_people_read(
    sender: MailSender, reader: MailReader
) -> None:
    await sender.send(reader.url(), TO, SUBJECT, BODY, ENCLOSED)
    (got,) = reader.letters
    (part,) = got.iter_attachments()
    assert (part.get_content_type(), part.get_content()) == (FILE.media_type, FILE.content)
    assert part.get_filename() == FILE.name
    assert b"filename*" in part.as_bytes(), "as RFC 2231 has it, which all of today's programs read"
    body = got.get_body()
    assert body
    assert body.get_content().splitlines() == [*BODY.splitlines(), "", "附件为本报表的 PDF 文件。"]
    assert got["Message-ID"] == NAME


async def test_a_letter_that_is_too_large_for_its_server_goes_without_its_files(
    sender: MailSender, reader: MailReader
) -> None:
    async def small(got: Received) -> str:
        return "552 5.3.4 too big" if got.letter.is_multipart() else TAKEN

    reader.to_letter = small
    await sender.send(reader.url(), TO, SUBJECT, BODY, ENCLOSED)
    reader.most = 10_000
    await sender.send(reader.url(), TO, SUBJECT, BODY, ENCLOSED)
    assert [got.is_multipart() for got in reader.letters] == [True, False, False]
    for got in reader.letters[1:]:
        assert got.get_content().splitlines() == BODY.splitlines()
        assert got["Message-ID"] == NAME


@pytest.mark.parametrize(
    ("to", "known_as"),
    [
        ("wang@例子.中国", "wang@xn--fsqu00a.xn--fiqs8s"),
        ("王@example.com", "王@example.com"),
        ("o'hara+x=y@example.com", "o'hara+x=y@example.com"),
    ],
)
async def test_unusual_addresses_are_written_to(
    sender: MailSender, reader: MailReader, to: str, known_as: str
) -> None:
    await sender.send(reader.url(), to, SUBJECT, BODY, About(KEY))
    assert [got.to for got in reader.received] == [[known_as]]


async def test_what_the_channels_url_says_is_kept(sender: MailSender, reader: MailReader) -> None:
    url = reader.url("&from=desk@desk.example&name=一诺&reply=hotline@desk.example&+X-Desk=1")
    await sender.send(url, TO, SUBJECT, BODY, About(KEY))
    (got,) = reader.letters
    assert got["From"] == "一诺 <desk@desk.example>"
    assert got["Reply-To"] == "hotline@desk.example"
    assert got["X-Desk"] == "1"


async def test_a_channel_with_a_mailbox_of_its_own_goes_there(
    sender: MailSender, reader: MailReader
) -> None:
    url = f"mailto://127.0.0.1:{reader.port}/all@desk.example?mode=insecure&from=desk@desk.example"
    await sender.send(url, TO, SUBJECT, BODY, About(KEY))
    assert [got.to for got in reader.received] == [["all@desk.example"]]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ("550 5.1.1 no such mailbox zhang.wei@customer.example", DeliveryRefused),
        ("451 x", DeliveryFailed),
        ("452 zhang.wei@customer.example is full", DeliveryFailed),
    ],
)
async def test_what_is_refused_did_not_go_out_and_names_nobody(
    sender: MailSender, reader: MailReader, answer: str, kind: type[Exception]
) -> None:
    reader.to_recipient = answer
    with pytest.raises(kind, match=answer[:3]) as refusal:
        await sender.send(reader.url(), TO, SUBJECT, BODY)
    assert "zhang" not in str(refusal.value)
    reader.to_recipient = "250 fine"

    async def full(_: Received) -> str:
        return "452 4.3.1 full"

    reader.to_letter = full
    with pytest.raises(DeliveryFailed, match="452"):
        await sender.send(reader.url(), TO, SUBJECT, BODY)


async def test_a_connection_that_breaks_when_all_is_said_leaves_it_unknown(
    sender: MailSender, reader: MailReader
) -> None:
    async def breaks(_: Received) -> str:
        return ""

    reader.to_letter = breaks
    with pytest.raises(DeliveryUnknown):
        await sender.send(reader.url(), TO, SUBJECT, BODY)


async def test_a_server_that_never_answers_leaves_it_unknown(reader: MailReader) -> None:
    let_go = asyncio.Event()

    async def waits(_: Received) -> str:
        await let_go.wait()
        return "250 late"

    reader.to_letter = waits
    async with aclosing(MailSender(timeout=1.0)) as sender:
        with pytest.raises(DeliveryUnknown, match="it may have arrived"):
            await sender.send(reader.url(), TO, SUBJECT, BODY)
    let_go.set()


async def test_where_nobody_listens_it_did_not_go_out(sender: MailSender) -> None:
    (port,) = free_ports(1)
    url = f"mailto://127.0.0.1:{port}?to={{to}}&mode=insecure&from=desk@desk.example"
    with pytest.raises(DeliveryFailed, match="not to be reached"):
        await sender.send(url, TO, SUBJECT, BODY)


async def test_the_desk_sends_its_letters_so(reader: MailReader) -> None:
    async with aclosing(WebhookSender(timeout=PATIENCE)) as sender:
        await sender.send(reader.url(), TO, SUBJECT, BODY, About(KEY))
    assert [got["Message-ID"] for got in reader.letters] == [NAME]


@pytest.mark.parametrize(
    "other", ["&cc=boss@desk.example", "&bcc=boss@desk.example", "&pgp=encrypt"]
)
def test_copies_and_secrets_are_left_to_apprise(other: str) -> None:
    url = "mailtos://desk:secret@desk.example?to={to}&smtp=mx.desk.example"
    assert mail.read(url)
    assert mail.read(url + other) is None
    assert mail.read("json://desk.example/{to}") is None


def test_a_server_is_read_as_apprise_reads_it() -> None:
    read = mail.read("mailtos://desk:secret@desk.example?smtp=mx.desk.example&to={to}")
    assert read
    assert (read.host, read.port, read.mode) == ("mx.desk.example", 587, "starttls")
    assert (read.user, read.password, read.address) == ("desk", "secret", "desk@desk.example")
    assert read.to is None
