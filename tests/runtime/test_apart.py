"""Work is done in a process that ends by itself when a piece of it takes too long, or too much."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from runtime.apart import Apart, TooMuch, Work
from tests.support.apart import echo, endless, greedy, raising, tripping

pytestmark = pytest.mark.program


@pytest.fixture
def apart() -> Iterator[Apart]:
    made = Apart(at_once=1, seconds=0.2)
    yield made
    made.close()


def process_of(apart: Apart) -> int:
    process = apart._free.get()
    apart._free.put(process)
    assert process
    return process.pid


def test_work_is_done_by_one_process_that_is_kept(apart: Apart) -> None:
    assert apart.do(echo, b"first") == b"first"
    process = process_of(apart)
    assert apart.do(echo, bytes(10**7)) == bytes(10**7)
    assert process_of(apart) == process


@pytest.mark.parametrize("work", [endless, greedy, tripping, raising])
def test_what_is_too_much_is_said_and_the_next_is_done_as_ever(apart: Apart, work: Work) -> None:
    with pytest.raises(TooMuch, match=work.__name__):
        apart.do(work, b"")
    assert apart.do(echo, b"next") == b"next"


def test_a_process_that_was_ended_by_somebody_is_begun_again(apart: Apart) -> None:
    apart.do(echo, b"")
    process = process_of(apart)
    os.kill(process, signal.SIGKILL)
    with pytest.raises(TooMuch):
        apart.do(echo, b"lost")
    assert apart.do(echo, b"next") == b"next"
    assert process_of(apart) != process
