"""What a form holds is read in the encoding it says it is in, or refused: never as garbage."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress
from urllib.parse import quote_from_bytes

import httpx2
import pytest
from fastapi import FastAPI, Request
from hypothesis import given
from hypothesis import strategies as st

from web import problems
from web.problems import Problem
from web.sent import FORM, form_of, text

NAME, TITLE = "钱女士", "大厅闸机打不开"
GBK = b"name=%C7%AE%C5%AE%CA%BF&title=%B4%F3%CC%FC%D5%A2%BB%FA%B4%F2%B2%BB%BF%AA"


@pytest.fixture
async def http() -> AsyncIterator[httpx2.AsyncClient]:
    """A door that says what it reads."""
    app = FastAPI()
    problems.install(app)

    @app.post("/")
    async def read(request: Request) -> list[tuple[str, str]]:
        return [(name, str(value)) for name, value in (await form_of(request)).multi_items()]

    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://desk") as client:
        yield client


async def post(http: httpx2.AsyncClient, body: bytes, kind: str = FORM) -> httpx2.Response:
    return await http.post("/", content=body, headers={"Content-Type": kind})


def written(charset: str, **fields: str) -> bytes:
    """Write a form as a browser does in that encoding."""
    parts = (f"{name}={quote_from_bytes(value.encode(charset))}" for name, value in fields.items())
    return "&".join(parts).encode()


@pytest.mark.parametrize(
    "kind",
    [
        f"{FORM}; charset=GBK",
        f"{FORM};charset=gb2312",
        f'{FORM}; charset="GB18030"',
        f"{FORM.upper()}; Charset=gbk",
        f"{FORM}; boundary=x; charset=cp936",
    ],
)
async def test_a_form_in_chinese_encodings_is_read_in_them(
    http: httpx2.AsyncClient, kind: str
) -> None:
    assert (await post(http, GBK, kind)).json() == [["name", NAME], ["title", TITLE]]


@pytest.mark.parametrize(
    ("charset", "said"),
    [
        ("big5", "閘機打不開"),
        ("big5-hkscs", "啲閘機"),
        ("gb18030", "𠮷田支行 😀 朱镕基"),
        ("utf-8", "𠮷田支行 😀"),
        ("iso-8859-1", "Käse"),
        ("shift_jis", "改札機"),
        ("euc-kr", "개찰구"),
    ],
)
async def test_other_encodings_are_honoured_alike(
    http: httpx2.AsyncClient, charset: str, said: str
) -> None:
    answer = await post(http, written(charset, what=said), f"{FORM}; charset={charset}")
    assert answer.json() == [["what", said]]


async def test_who_names_a_narrower_encoding_and_goes_beyond_it_is_understood(
    http: httpx2.AsyncClient,
) -> None:
    body = written("gb18030", name="朱镕基", street="𠮷田")
    answer = await post(http, body, f"{FORM}; charset=gb2312")
    assert answer.json() == [["name", "朱镕基"], ["street", "𠮷田"]]


async def test_a_field_may_name_the_encoding_if_the_header_does_not(
    http: httpx2.AsyncClient,
) -> None:
    body = GBK + b"&_charset_=gbk"
    assert (await post(http, body)).json()[:2] == [["name", NAME], ["title", TITLE]]
    other = written("utf-8", name=NAME) + b"&_charset_=gbk"
    assert (await post(http, other, f"{FORM}; charset=utf-8")).json()[0] == ["name", NAME]


async def test_what_names_nothing_is_utf_8_written_in_full_or_by_per_cent(
    http: httpx2.AsyncClient,
) -> None:
    body = f"a={NAME}&b=1+2%2B3&c&&d=x=y&".encode()
    assert (await post(http, body)).json() == [["a", NAME], ["b", "1 2+3"], ["c", ""], ["d", "x=y"]]
    twice = b"number=1&number=2"
    assert (await post(http, twice)).json() == [["number", "1"], ["number", "2"]]
    assert (await post(http, b"")).json() == []


@pytest.mark.parametrize(
    "named",
    [
        *("klingon", "utf-16", "utf-7", "hex", "rot13", "zip", "idna", "punycode", "cp037"),
        *("unicode_escape", "undefined", "x" * 300),
    ],
)
async def test_an_encoding_that_is_not_known_is_refused(
    http: httpx2.AsyncClient, named: str
) -> None:
    answer = await post(http, b"a=%41", f"{FORM}; charset={named}")
    assert (answer.status_code, answer.json()["status"]) == (415, 415)
    assert len(answer.text) < 300


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (GBK, FORM),
        (GBK, f"{FORM}; charset=utf-8"),
        (GBK + b"&_charset_=utf-8", FORM),
        (b"name=%FF%FF", f"{FORM}; charset=gbk"),
        (b"name=%81", f"{FORM}; charset=big5"),
        (b"%FF=1", FORM),
        (b"&".join(b"a%d=" % n for n in range(1001)), FORM),
    ],
    ids=["unsaid", "said", "field", "gbk", "big5", "name", "too many"],
)
async def test_what_cannot_be_read_is_refused(
    http: httpx2.AsyncClient, body: bytes, kind: str
) -> None:
    answer = await post(http, body, kind)
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:yinuo:Invalid"), answer.text


@given(st.binary(max_size=30), st.text(max_size=20))
def test_whatever_is_sent_is_read_as_it_was_written_or_refused(raw: bytes, named: str) -> None:
    with suppress(Problem):
        assert isinstance(text(raw, named), str)


@given(st.text(st.characters(codec="gb18030"), max_size=30))
def test_every_text_comes_through_in_an_encoding_that_has_it(said: str) -> None:
    for encoding in ("gb18030", "gbk", "gb2312", "utf-8"):
        wide = "utf-8" if encoding == "utf-8" else "gb18030"
        assert text(said.encode(wide), encoding) == said
