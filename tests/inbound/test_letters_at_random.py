"""Letters as chance builds and breaks them: none is refused, and no words are lost that Python's
own reading finds.
"""

from __future__ import annotations

import base64
import quopri
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import Message

from hypothesis import given
from hypothesis import strategies as st

from inbound.letters.letter import letter_in, letter_in_hurry

NOW = datetime.now(UTC)
_CHINESE = "出钞口卡键盘失灵读器显示屏花色带断裂柜门打不开"
words = st.lists(
    st.text(alphabet="abcdefghkmnprstuvwxy", min_size=6, max_size=9).map("zq".__add__)
    | st.text(alphabet=_CHINESE, min_size=3, max_size=9),
    min_size=1,
    max_size=5,
)
charsets = st.sampled_from(["utf-8", "gb2312", "gbk", "gb18030", "utf-16"])
encodings = st.sampled_from(["8bit", "base64", "quoted-printable"])


@dataclass(frozen=True)
class Built:
    """A part, and the words that whoever reads it must see."""

    raw: bytes
    words: tuple[str, ...]


def _encoded(body: bytes, encoding: str) -> bytes:
    match encoding:
        case "base64":
            return base64.encodebytes(body)
        case "quoted-printable":
            return quopri.encodestring(body)
        case _:
            return body


@st.composite
def texts(draw: st.DrawFn) -> Built:
    said, charset, encoding = draw(words), draw(charsets), draw(encodings)
    if charset == "utf-16":  # with bytes of all kinds, it must be encoded
        encoding = "base64"
    is_page = draw(st.booleans())
    text = "".join(f"<p>{word}</p>" for word in said) if is_page else "\r\n".join(said)
    kind = "html" if is_page else "plain"
    head = (
        f"Content-Type: text/{kind}; charset={charset}\r\nContent-Transfer-Encoding: {encoding}\r\n"
    )
    written = text.encode({"gb2312": "gbk"}.get(charset, charset))
    return Built(head.encode() + b"\r\n" + _encoded(written, encoding), tuple(said))


@st.composite
def pictures(draw: st.DrawFn) -> Built:
    name = draw(st.text(alphabet="abcdefgh", min_size=3, max_size=8)) + ".png"
    head = f"Content-Type: image/png\r\nContent-Disposition: inline; filename={name}\r\n\r\n"
    return Built(head.encode() + b"AAAA", (name,))


def several(parts: st.SearchStrategy[Built]) -> st.SearchStrategy[Built]:
    kinds = st.sampled_from(["mixed", "related", "alternative", "signed", "x-unknown"])
    boundary = st.text(alphabet="abcdef0123456789=_", min_size=8, max_size=20)

    def together(built: tuple[str, str, list[Built]]) -> Built:
        kind, line, inside = built
        head = f'Content-Type: multipart/{kind}; boundary="{line}"\r\n\r\n'.encode()
        dashes = b"--" + line.encode()
        body = b"".join(dashes + b"\r\n" + each.raw + b"\r\n" for each in inside)
        said = tuple(word for each in inside for word in each.words)
        return Built(head + body + dashes + b"--\r\n", said)

    inside = st.lists(parts, min_size=1, max_size=4)
    return st.tuples(kinds, boundary, inside).map(together)


def forwarded(parts: st.SearchStrategy[Built]) -> st.SearchStrategy[Built]:
    head = b"Content-Type: message/rfc822\r\n\r\nFrom: li@kehu.example\r\n"
    return parts.map(lambda inner: Built(head + inner.raw, inner.words))


trees = st.recursive(
    texts() | pictures(), lambda parts: several(parts) | forwarded(parts), max_leaves=8
)
HEAD = b"From: a@kehu.example\r\nSubject: s\r\nMIME-Version: 1.0\r\n"


@given(tree=trees)
def test_every_word_of_every_part_is_read(tree: Built) -> None:
    text = letter_in(HEAD + tree.raw, NOW)["text"]
    for word in tree.words:
        assert word in text, text


@given(
    said=st.lists(st.text(alphabet="abcdefghkmnprstuvwxy", min_size=6, max_size=9), min_size=20),
    fell=st.text(alphabet="abcdefghkmnprstuvwxy", min_size=5, max_size=40).map("zq".__add__),
    charset=st.sampled_from(["utf-8", "gbk", "us-ascii"]),
    place=st.integers(0, 100),
)
def test_a_line_that_falls_between_encoded_ones_is_read_and_so_are_they(
    said: list[str], fell: str, charset: str, place: int
) -> None:
    lines = base64.encodebytes("\n".join(said).encode()).splitlines()
    lines.insert(place % len(lines), fell.encode())
    head = f"Content-Type: text/plain; charset={charset}\nContent-Transfer-Encoding: base64\n\n"
    text = letter_in(HEAD + head.encode() + b"\n".join(lines), NOW)["text"]
    assert fell in text
    cut_in_two = 1
    assert len([word for word in said if word not in text]) <= cut_in_two, text


@given(
    said=st.lists(st.text(alphabet="abcdefghkmnprstuvwxy", min_size=6, max_size=9), min_size=2),
    charset=st.sampled_from(["utf-16", "utf-16-le", "utf-16-be", "utf-32"]),
    kind=st.sampled_from(["html", "plain"]),
    fell=st.sampled_from([b"\x00", b"\xff", b" ", b"!", b"\r", b"\r\n", b">", b"zqliulosthere\n"]),
    place=st.integers(0, 10_000),
)
def test_what_fell_into_an_encoded_text_of_wide_characters_hides_none_of_it(
    said: list[str], charset: str, kind: str, fell: bytes, place: int
) -> None:
    text = "".join(f"<p>{word}</p>" for word in said) if kind == "html" else "\n".join(said)
    body = base64.encodebytes(text.encode(charset))
    at = place % len(body)
    head = f"Content-Type: text/{kind}; charset={charset}\nContent-Transfer-Encoding: base64\n\n"
    letter = HEAD + head.encode() + body[:at] + fell + body[at:]
    shown = letter_in(letter, NOW)["text"]
    assert fell.isspace() or len(fell) == 1 or "zqliulosthere" in shown
    if len(fell) <= 2:  # letters that fell among encoded ones are read as some
        assert not {word for word in said if word not in shown}, shown


@st.composite
def broken(draw: st.DrawFn) -> bytes:
    raw = bytearray(HEAD + draw(trees).raw)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(0, len(raw) - 1)))
        long = draw(st.integers(0, 30))
        raw[at : at + long] = draw(
            st.binary(max_size=8)
            | st.sampled_from([b"\r\n", b"\r\n\r\n", b'"', b";", b"--", b"\x00"])
        )
    return bytes(raw)


_TOKEN = re.compile(rf"zq[a-y]{{6,9}}|[{_CHINESE}]{{3,9}}")


def found_by_python(raw: bytes) -> set[str]:
    """The words of all texts that the library itself can tell, and decode."""
    found: set[str] = set()
    for part in message_from_bytes(raw).walk():
        if part.get_content_maintype() == "text" and not part.is_multipart():
            found |= set(_TOKEN.findall(_decoded(part)))
    return found


def _decoded(part: Message) -> str:
    body = part.get_payload(decode=True)
    if not isinstance(body, bytes) or str(part.get("Content-Disposition", "")).startswith("attach"):
        return ""
    try:
        text = body.decode(str(part.get_content_charset("utf-8")))
    except (LookupError, ValueError):
        return ""
    return re.sub(r"<[^<>]*>", "\n", text) if part.get_content_subtype() == "html" else text


@given(raw=broken())
def test_of_a_broken_letter_no_word_is_lost_that_python_finds(raw: bytes) -> None:
    try:
        known = found_by_python(raw)
    except Exception:  # noqa: BLE001  the library trips over it: nothing to compare with
        known = set()
    text = letter_in(raw, NOW)["text"]
    assert not {word for word in known if word not in text}, text
    letter_in_hurry(raw, NOW)


@given(raw=st.binary(max_size=400))
def test_anything_is_read(raw: bytes) -> None:
    assert letter_in(raw, NOW)["message_id"]
    assert letter_in_hurry(raw, NOW)["message_id"]
