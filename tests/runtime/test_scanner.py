"""A scanner is asked as ClamAV's daemon is, and one that says nothing clear said nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from runtime.embedded.ports import free_ports
from runtime.scanner import Clamd, NotScanned, ScannerAway
from tests.support.scanner import VIRUS, FakeClamd, scanning


async def pieces(content: bytes, size: int = 100_000) -> AsyncIterator[bytes]:
    for at in range(0, len(content), size):
        yield content[at : at + size]
        yield b""


@pytest.fixture
async def clamd() -> AsyncIterator[FakeClamd]:
    async with scanning() as fake:
        yield fake


async def test_a_file_goes_over_whole_and_is_found_clean(clamd: FakeClamd) -> None:
    content = bytes(range(256)) * 4000
    assert await Clamd.at(clamd.url).found_in(pieces(content)) is None
    assert clamd.files == [content]


async def test_what_is_found_is_said_by_its_name(clamd: FakeClamd) -> None:
    found = await Clamd.at(clamd.url).found_in(pieces(b"x" * 99_999 + VIRUS))
    assert found == "Yinuo.Test.Virus"


async def test_it_may_be_asked_at_a_socket_of_this_machine(tmp_path: Path) -> None:
    async with scanning(tmp_path / "clamd.ctl") as clamd:
        assert await Clamd.at(clamd.url).found_in(pieces(VIRUS)) == "Yinuo.Test.Virus"


@pytest.mark.parametrize(
    "says", ["", "stream: ", "stream: OK?", "UNKNOWN COMMAND", "stream: lstat() failed. ERROR"]
)
async def test_what_is_no_clear_answer_is_none(clamd: FakeClamd, says: str) -> None:
    clamd.says = says or " "
    with pytest.raises(NotScanned, match="says"):
        await Clamd.at(clamd.url).found_in(pieces(b"x"))


async def test_a_file_larger_than_it_takes_was_not_looked_at(clamd: FakeClamd) -> None:
    clamd.largest = 1000
    with pytest.raises(NotScanned, match=r"hung up|size limit"):
        await Clamd.at(clamd.url).found_in(pieces(bytes(10**7)))


async def test_one_that_hangs_or_is_not_there_is_away(clamd: FakeClamd) -> None:
    clamd.hangs = True
    with pytest.raises(ScannerAway, match="does not answer"):
        await replace(Clamd.at(clamd.url), within=0.1).found_in(pieces(b"x"))
    [port] = free_ports(1)
    for url in (f"tcp://127.0.0.1:{port}", "unix:///nowhere/at/all"):
        with pytest.raises(ScannerAway):
            await Clamd.at(url).found_in(pieces(b"x"))


@pytest.mark.parametrize(
    "url", ["", "clamd", "http://a", "tcp://", "unix://a/b", "tcp://a:99999", "tcp://a/b"]
)
def test_an_address_that_can_be_none_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Clamd.at(url)
