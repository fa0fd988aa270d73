"""Letters are read in a process that ends by itself when one takes too long, or too much."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from inbound.letters import apart
from inbound.letters.apart import Reader
from inbound.letters.letter import NOT_READ
from runtime.apart import TooMuch, Work
from tests.support.apart import endless, greedy, tripping
from tests.support.letters import letter

pytestmark = pytest.mark.program


@pytest.fixture
def reader() -> Iterator[Reader]:
    reader = Reader(at_once=1)
    yield reader
    reader.close()


@pytest.mark.parametrize("work", [endless, greedy, tripping])
def test_a_letter_that_is_too_much_is_read_in_a_hurry_and_the_next_as_ever(
    work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = Reader(at_once=1, seconds=0.2)
    with monkeypatch.context() as patch:
        patch.setattr(apart, "words", work)
        patch.setattr(apart, "files", work)
        seen = reader.read(letter("words", Subject="卡钞").as_bytes())
        with pytest.raises(TooMuch):
            reader.files(letter("words").as_bytes())
    assert seen["subject"] == "卡钞"
    assert seen["text"] == f"{NOT_READ}\n\nwords"
    assert reader.read(letter("words").as_bytes())["text"] == "words"
    reader.close()


@pytest.mark.parametrize(
    "tags",
    [
        "<a href=x>" * 6_000,
        "".join(f"<b id=x{n}>" for n in range(6_000)) + "<p>" * 6_000,
        "<div>" * 12_000,
        "<table><tr><td>" * 4_000,
        "<" * 60_000,
        "<!" * 30_000,
        "<svg><math>" * 6_000,
        "<select><option>" * 4_000,
    ],
    ids=["links", "formats", "boxes", "tables", "brackets", "marks", "drawings", "choices"],
)
def test_sixty_kilobytes_of_open_tags_cost_no_words(reader: Reader, tags: str) -> None:
    head = "From: a@kehu.example\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
    raw = f"{head}<p>前面的话</p>{tags}后面的话".encode()
    text = reader.read(raw)["text"]
    assert "前面的话" in text
    assert "后面的话" in text
