"""Letters are read in a process that ends by itself when one takes too long, or too much."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator

import pytest

from inbound.letters import apart
from inbound.letters.apart import Reader
from inbound.letters.letter import NOT_READ
from tests.support.letters import letter

pytestmark = pytest.mark.program

ENDLESS = "import itertools; sum(itertools.repeat(0))"
GREEDY = "x = []\nwhile True: x.append(bytes(10**6))"
TRIPPING = "import os; os._exit(1)"


@pytest.fixture
def reader() -> Iterator[Reader]:
    reader = Reader(at_once=1)
    yield reader
    reader.close()


def test_letters_are_read_by_one_process_that_is_kept(reader: Reader) -> None:
    assert reader.read(letter("first").as_bytes())["text"] == "first"
    process = reader._free.get()
    reader._free.put(process)
    assert reader.read(letter("second").as_bytes())["text"] == "second"
    assert reader._free.get() is process
    assert process
    process.end()


@pytest.mark.parametrize("fault", [ENDLESS, GREEDY, TRIPPING])
def test_a_letter_that_is_too_much_is_read_in_a_hurry_and_the_next_as_ever(
    reader: Reader, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    faulty = (
        "from inbound.letters import apart; from multiprocessing.connection import Connection;"
        f" apart._SECONDS = 0.2; apart.letter_in = lambda *_: exec({fault!r});"
        " apart.main(Connection(int(__import__('sys').argv[1])))"
    )
    with monkeypatch.context() as patch:
        patch.setattr(apart, "_COMMAND", (sys.executable, "-c", faulty))
        seen = reader.read(letter("words", Subject="卡钞").as_bytes())
    assert seen["subject"] == "卡钞"
    assert seen["text"] == f"{NOT_READ}\n\nwords"
    assert reader.read(letter("words").as_bytes())["text"] == "words"


def test_a_reader_that_was_ended_by_somebody_is_begun_again(reader: Reader) -> None:
    reader.read(letter("first").as_bytes())
    process = reader._free.get()
    assert process
    os.kill(process._process.pid, signal.SIGKILL)
    process._process.wait()
    reader._free.put(process)
    assert "second" in reader.read(letter("second").as_bytes())["text"]
    assert reader.read(letter("third").as_bytes())["text"] == "third"


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
