"""Waiting for an answer so long and no longer."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from runtime.aio import within


async def test_an_answer_in_time_is_passed_on_and_so_is_what_went_wrong() -> None:
    async def answer() -> int:
        return 7

    async def fail() -> int:
        raise ConnectionResetError

    assert await within(5, answer()) == 7
    with pytest.raises(ConnectionResetError):
        await within(5, fail())


async def test_nobody_waits_for_one_that_cannot_be_stopped() -> None:
    thawed, ended = asyncio.Event(), asyncio.Event()

    async def frozen() -> None:
        with suppress(asyncio.CancelledError):
            await thawed.wait()
        await thawed.wait()
        ended.set()

    with pytest.raises(TimeoutError):
        await within(0.01, frozen())
    assert not ended.is_set()
    thawed.set()
    await ended.wait()


async def test_whoever_stops_waiting_stops_the_asking() -> None:
    begun, stopped = asyncio.Event(), asyncio.Event()

    async def asked() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()

    waiting = asyncio.create_task(within(5, asked()))
    await begun.wait()
    waiting.cancel()
    with suppress(asyncio.CancelledError):
        await waiting
    await asyncio.wait_for(stopped.wait(), 5)
