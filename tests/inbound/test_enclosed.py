"""Files are taken out of letters whatever wraps them, in order, each as it was sent."""

from __future__ import annotations

from base64 import b64encode
from email.message import EmailMessage
from email.policy import SMTP

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inbound.letters.enclosed import Enclosed, in_letter, packed, unpacked
from inbound.letters.letter import letter_in
from tests.inbound.test_letters import NOW
from tests.support.hostile_files import PDF, photograph, picture
from tests.support.letters import letter

PHOTO, SHOT = photograph(), picture("PNG")


def with_photographs(message: EmailMessage) -> EmailMessage:
    message.add_attachment(PHOTO, maintype="image", subtype="jpeg", filename="出钞口.jpg")
    message.add_attachment(PDF, maintype="application", subtype="pdf", filename="报告.pdf")
    return message


def files(message: EmailMessage | bytes) -> list[tuple[str, bytes | None]]:
    raw = message if isinstance(message, bytes) else message.as_bytes(policy=SMTP)
    return [(each.name, each.content) for each in in_letter(raw)]


def test_attachments_come_out_as_they_were_sent_in_the_order_of_the_letter() -> None:
    assert files(with_photographs(letter("坏了"))) == [("出钞口.jpg", PHOTO), ("报告.pdf", PDF)]


def test_pictures_within_the_text_are_files_too() -> None:
    message = letter("看图")
    message.add_alternative('<p>看图<img src="cid:one@x"></p>', subtype="html")
    page = message.get_payload()[1]  # type: ignore[index]
    page.add_related(SHOT, "image", "png", cid="<one@x>")  # type: ignore[union-attr]
    assert files(message) == [("image", SHOT)]


@pytest.mark.parametrize("padding", ["", "="])
def test_a_picture_that_was_pasted_into_the_source_of_a_page_is_a_file_too(padding: str) -> None:
    shot = (SHOT * 9)[: len(SHOT * 9) // 3 * 3 - 1]
    pasted, dot = (b64encode(each).decode() for each in (shot, SHOT[:60]))
    assert pasted.endswith("=")
    pasted = pasted.removesuffix("=") + padding
    message = letter()
    source = (
        f'<p>看图<img src="data:image/png;base64,{pasted}"><img src="data:image/png;base64,{dot}">'
    )
    message.set_content(source, subtype="html")
    assert files(message) == [("image", shot)]


def test_the_files_of_a_letter_that_is_passed_on_are_files_of_this_one() -> None:
    passed_on = letter("转给你们")
    passed_on.add_attachment(with_photographs(letter("坏了")))
    assert [content for _, content in files(passed_on)] == [PHOTO, PDF]


def test_a_letter_that_is_nothing_but_a_photograph_has_one_file() -> None:
    message = letter()
    message.set_content(PHOTO, maintype="image", subtype="jpeg")
    assert files(message) == [("image", PHOTO)]


@pytest.mark.parametrize("encoding", ["base64", "quoted-printable"])
def test_however_it_was_encoded_a_file_is_whole(encoding: str) -> None:
    message = letter("x")
    message.add_attachment(PHOTO, maintype="image", subtype="jpeg", filename="a.jpg", cte=encoding)
    assert files(message) == [("a.jpg", PHOTO)]


@pytest.mark.parametrize(
    "named",
    ["base64", "BASE64; x", '"base64"', "x-base64", "mime-base64 (RFC 2045)"],
)
def test_however_an_encoding_is_named_words_and_files_are_read_alike(named: str) -> None:
    message = letter()
    message.set_content("读卡器吞卡", cte="base64")
    message.add_attachment(PHOTO, maintype="image", subtype="jpeg", filename="a.jpg")
    raw = message.as_bytes(policy=SMTP)
    plain = b"Content-Transfer-Encoding: base64"
    assert raw.count(plain) == 2
    raw = raw.replace(plain, f"Content-Transfer-Encoding: {named}".encode())
    assert files(raw) == [("a.jpg", PHOTO)]
    assert "读卡器吞卡" in letter_in(raw, NOW)["text"]


def test_what_only_signs_a_letter_is_no_file() -> None:
    message = letter("x")
    message.add_attachment(
        b"x", maintype="application", subtype="pkcs7-signature", filename="smime.p7s"
    )
    assert files(message) == []
    assert "smime.p7s" in letter_in(message.as_bytes(), NOW)["text"]


def test_a_text_whose_words_are_read_anyway_says_so() -> None:
    message = letter("x")
    message.add_attachment("error 5", filename="kiosk.log", disposition="inline")
    message.add_attachment("error 6", filename="other.log")
    inline, aside = in_letter(message.as_bytes())
    assert (inline.name, inline.read, aside.name, aside.read) == (
        *("kiosk.log", True),
        *("other.log", False),
    )
    assert aside.content == b"error 6\n"


def test_the_files_in_outlooks_own_wrapping_are_taken_out() -> None:
    def attribute(name: int, value: bytes) -> bytes:
        return (
            b"\2" + name.to_bytes(4, "little") + len(value).to_bytes(4, "little") + value + b"\0\0"
        )

    tnef = b"\x78\x9f\x3e\x22\0\0" + b"".join(
        (
            attribute(0x800C, b"words\0"),
            attribute(0x8010, b"first.jpg\0") + attribute(0x800F, PHOTO),
            attribute(0x800F, PDF) + attribute(0x8010, b"second.pdf\0"),
        )
    )
    message = letter("x")
    message.add_attachment(tnef, maintype="application", subtype="ms-tnef", filename="winmail.dat")
    assert files(message) == [("first.jpg", PHOTO), ("second.pdf", PDF)]


def test_of_far_too_many_files_the_last_are_named_only() -> None:
    message = letter("x")
    for place in range(205):
        message.add_attachment(b"x", maintype="image", subtype="jpeg", filename=f"{place}.jpg")
    found = files(message)
    assert len(found) == 205
    assert found[199] == ("199.jpg", b"x")
    assert found[200] == ("200.jpg", None)


def test_a_letter_that_can_only_be_read_bluntly_still_has_its_files(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def trips(_: bytes) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("inbound.letters.parts.said_in", trips)
    raw = with_photographs(letter("坏了")).as_bytes(policy=SMTP)
    assert [content for _, content in files(raw)] == [PHOTO, PDF]


@given(
    st.lists(
        st.builds(Enclosed, st.text(), st.none() | st.binary(max_size=50), st.booleans()),
        max_size=5,
    )
)
def test_files_travel_between_processes_as_they_are(sent: list[Enclosed]) -> None:
    assert unpacked(packed(sent)) == sent
