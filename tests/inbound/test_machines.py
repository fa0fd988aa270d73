"""Machines are told from people: by what RFC 3834 says, by what is usual, and never by one word."""

from __future__ import annotations

import email.policy
from email import message_from_bytes
from email.message import EmailMessage, Message
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inbound.letters.addresses import Mailbox
from inbound.machines import Headers, answered_to, machine, undelivered

FIELD = Path(__file__).parent.parent / "field" / "letters"
OURS = frozenset({"desk@example.com"})
PERSON = "Sun Hui <sun.hui@kehu.example>"


def parsed(raw: bytes) -> EmailMessage:
    return message_from_bytes(raw, policy=email.policy.default)


def letter(**named: str) -> EmailMessage:
    """A letter of somebody's, as it comes in."""
    usual = {"From": "wu@kehu.example", "To": "service@example.com", "Subject": "报修：卡钞"}
    said = usual | {name.replace("_", "-"): value for name, value in named.items()}
    lines = [f"{name}: {value}" for name, value in said.items()]
    return parsed("\r\n".join([*lines, "", "卡钞了"]).encode())


def whose_it_is(sent: Message) -> Mailbox:
    """Say whose a letter is: the sender's, if nobody else wants the answer."""
    headers = Headers(sent)
    sender = next(iter(headers.author("from")), Mailbox("", headers.first("from")))
    return answered_to(sent, OURS) or sender


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto-Submitted": "auto-replied"},
        {"auto-submitted": "Auto-Replied (vacation)"},
        {"Auto-Submitted": "auto-generated; owner-email=x"},
        {"Auto-Submitted": "auto-notified"},
        {"Auto-Submitted": "(away) auto-replied"},
        {"From": "noreply@portal.example", "Reply-To": "Service@example.com"},
        {"X-Auto-Response-Suppress": "All"},
        {"X-Auto-Response-Suppress": "DR, AutoReply"},
        {"X-Autoreply": "yes"},
        {"X-AutoReply-From": "wu@kehu.example"},
        {"X-Autorespond": "your letter"},
        {"X-Mail-Autoreply": "1"},
        {"X-Auto-Reply": "true"},
        {"X-Loop": "wu@kehu.example"},
        {"X-Failed-Recipients": "desk@example.com"},
        {"Precedence": "auto_reply"},
        {"Precedence": "Auto-Reply"},
        {"Precedence": "bulk"},
        {"Precedence": "junk"},
        {"Return-Path": "<>"},
        {"List-Unsubscribe": "<https://news.example/u>", "List-Id": "<news.example>"},
        {"List-Unsubscribe": "<https://news.example/u>", "List-Post": "NO"},
        {"Content-Type": "multipart/report; report-type=delivery-status; boundary=x"},
        {"Content-Type": "multipart/report; boundary=x"},
        {"Content-Type": "multipart/mixed; report-type=disposition-notification; boundary=x"},
        {"Content-Type": "message/disposition-notification"},
        {"From": "MAILER-DAEMON@kehu.example"},
        {"From": "Mail Delivery <bounces+4711=x@kehu.example>"},
        {"From": "postmaster@kehu.example"},
        {"From": '"No Reply" <No-Reply@kehu.example>'},
        {"From": "no.reply@kehu.example"},
        {"From": "noreply+4711@kehu.example"},
        {"From": "do_not_reply@kehu.example"},
        {"From": "DoNotReply@kehu.example"},
        {"From": "bank-noreply@kehu.example"},
        {"From": "noreply2@kehu.example"},
        {"From": "Desk@Example.com"},
        {"From": "Yinuo <desk+alerts@example.com>"},
        {"From": "noreply@kehu.example", "Reply-To": "no-reply@kehu.example"},
        {"From": "noreply@kehu.example", "Reply-To": "DESK@example.com"},
        {"From": "desk@example.com", "Reply-To": "desk@example.com"},
        {"Auto-Submitted": "auto-replied", "Reply-To": PERSON},
        {"Subject": "自动回复：您的来信", "In-Reply-To": "<1@example.com>"},
        {"Subject": "=?utf-8?B?6Ieq5Yqo5Zue5aSN77ya?= x", "References": "<1@example.com>"},
        {"Subject": "Out of Office: ATM", "In-Reply-To": "<1@example.com>"},
        {"Subject": "I am out of office Re: ATM", "In-Reply-To": "<1@example.com>"},
        {"Subject": "[Auto-Reply] ATM", "References": "<1@example.com>"},
        {"Subject": "Auto Re: ATM", "References": "<1@example.com>"},
        {"Subject": "【自动回复】问题 需要您配合", "In-Reply-To": "<1@example.com>"},
        {"Subject": "自动回复", "In-Reply-To": "<1@example.com>"},
        {"Subject": "休假自动回复 Re: 问题", "In-Reply-To": "<1@example.com>"},
        {"Subject": "已读回执：问题", "In-Reply-To": "<1@example.com>"},
        {"Subject": "自动回复：问题 20261123-07-0001 需要您配合"},
    ],
    ids=str,
)
def test_nobody_waits_for_an_answer_to_a_machine(headers: dict[str, str]) -> None:
    assert machine(letter(**headers), OURS)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Auto-Submitted": "no"},
        {"Auto-Submitted": "No (a person)"},
        {"X-Autoreply": "no"},
        {"X-Auto-Response-Suppress": "DR, RN, NRN"},
        {"Precedence": "list", "List-Id": "<service.kehu.example>"},
        {
            "List-Id": "<service.kehu.example>",
            "List-Post": "<mailto:service@kehu.example>",
            "List-Unsubscribe": "<mailto:service-leave@kehu.example>",
            "X-Loop": "service@kehu.example",
        },
        {"Return-Path": "<wu@kehu.example>"},
        {"Subject": "自动回复：不工作了"},
        {"Subject": "Re: 自动回复", "In-Reply-To": "<1@example.com>"},
        {"Subject": "Re: 问题 20261123-07-0001：自动回复不工作", "In-Reply-To": "<1@example.com>"},
        {"Subject": "自动回复不工作了 20261123-07-0001", "In-Reply-To": "<1@example.com>"},
        {"Subject": "外出时门没有锁", "In-Reply-To": "<1@example.com>"},
        {"Subject": "Automatic reply machine is broken", "In-Reply-To": "<1@example.com>"},
        {"From": "bouncer@kehu.example"},
        {"From": "juno.replyman@kehu.example"},
        {"From": "noah@kehu.example"},
        {"From": "desk@other.example"},
        {"From": "noreply@portal.example", "Reply-To": PERSON},
        {"From": "desk@example.com", "Reply-To": PERSON},
        {"Auto-Submitted": "auto-generated", "Reply-To": PERSON},
        {"From": "nobody at all"},
    ],
    ids=str,
)
def test_a_persons_letter_arrives(headers: dict[str, str]) -> None:
    assert machine(letter(**headers), OURS) is None


@pytest.mark.parametrize(
    ("headers", "whose"),
    [
        ({}, ("", "wu@kehu.example")),
        ({"Reply-To": PERSON}, ("Sun Hui", "sun.hui@kehu.example")),
        ({"From": "Site <noreply@p.example>", "Reply-To": "sun@k.example"}, ("", "sun@k.example")),
        ({"From": "Wu <wu@k.example>", "Reply-To": "wu@home.example"}, ("Wu", "wu@home.example")),
        ({"From": "Wu <wu@k.example>", "Reply-To": "noreply@k.example"}, ("Wu", "wu@k.example")),
        ({"From": "Wu <wu@k.example>", "Reply-To": "desk@example.com"}, ("Wu", "wu@k.example")),
        ({"From": "Wu <wu@k.example>", "Reply-To": "no address"}, ("Wu", "wu@k.example")),
        (
            {"From": "Wu <wu@k.example>", "Reply-To": "list@k.example", "Precedence": "list"},
            ("Wu", "wu@k.example"),
        ),
        ({"From": "nobody"}, ("", "nobody")),
    ],
    ids=str,
)
def test_a_letter_is_from_whoever_wants_the_answer(
    headers: dict[str, str], whose: tuple[str, str]
) -> None:
    assert whose_it_is(letter(**headers)) == Mailbox(*whose)


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        ("f5-precedence-autoreply", True),
        ("f8-noreply-plus", True),
        ("m13-noreply-replyto", False),
        ("m16-xautoreply", True),
        ("m17-mdn", True),
        ("m18-dsn", True),
        ("m19-owncase", True),
    ],
)
def test_letters_of_the_field(name: str, is_one: bool) -> None:  # noqa: FBT001
    sent = parsed((FIELD / f"{name}.eml").read_bytes())
    assert bool(machine(sent, OURS)) == is_one
    if not is_one:
        assert whose_it_is(sent) == Mailbox("Sun Hui", "sun.hui@kehu.example")


def report(action: str, about: str) -> bytes:
    return "\r\n".join(
        [
            "From: MAILER-DAEMON@mx.example",
            "In-Reply-To: <of-the-report@desk.example>",
            "Content-Type: multipart/report; report-type=delivery-status; boundary=b",
            *("", "--b", "Content-Type: text/plain", "", "sorry"),
            *("--b", "Content-Type: message/delivery-status", "", "Reporting-MTA: dns; mx"),
            *("", "Final-Recipient: rfc822; gone@kehu.example", f"Action: {action}"),
            *("Status: 5.1.1", "", "--b", about, "--b--", ""),
        ]
    ).encode()


COPY = "Content-Type: message/rfc822\r\n\r\nMessage-ID: <a=3A1@desk.example>\r\nSubject: x\r\n\r\ny"
HEADERS_ONLY = (
    "Content-Type: text/rfc822-headers\r\n\r\nSubject: x\r\nMessage-Id: <a=3A1@desk.example>"
)


@pytest.mark.parametrize("about", [COPY, HEADERS_ONLY])
def test_a_report_says_which_letter_did_not_arrive(about: str) -> None:
    assert set(undelivered(report("failed", about))) == {
        "<of-the-report@desk.example>",
        "<a=3A1@desk.example>",
    }


@pytest.mark.parametrize("action", ["delayed", "delivered", "relayed", "expanded"])
def test_only_what_was_given_up_did_not_arrive(action: str) -> None:
    assert undelivered(report(action, COPY)) == ()


def test_a_letter_that_quotes_a_report_reports_nothing() -> None:
    assert undelivered(letter(In_Reply_To="<a=3A1@desk.example>").as_bytes()) == ()


def test_a_report_that_nobody_can_read_reports_nothing() -> None:
    nested = "".join(
        f"Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}\r\n" for n in range(3000)
    )
    assert undelivered(report("failed", nested)) in {(), ("<of-the-report@desk.example>",)}


NAMES = st.sampled_from(
    [
        *("From", "Reply-To", "Auto-Submitted", "Content-Type", "Precedence", "X-Loop", "Subject"),
        *("In-Reply-To", "List-Post", "Return-Path", "X-Auto-Response-Suppress"),
    ]
)


@given(st.lists(st.tuples(NAMES, st.binary(max_size=50)), max_size=8), st.binary(max_size=200))
def test_whatever_a_letter_says_it_is_looked_at(
    headers: list[tuple[str, bytes]], body: bytes
) -> None:
    lines = [name.encode() + b": " + value for name, value in headers]
    raw = b"\r\n".join([*lines, b"", body])
    sent = parsed(raw)
    machine(sent, OURS)
    undelivered(raw)
    assert whose_it_is(sent) is not None
