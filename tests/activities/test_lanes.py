import asyncio

import pytest

from activities import lanes
from activities.lanes import AT_ONCE, TAKEN_WITHIN, WIDEST, ChannelBusy, Lanes

AT_ONCE_TAKEN, LATE = TAKEN_WITHIN, TAKEN_WITHIN + 0.01


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes, "PATIENCE", 0.01)


async def enter_all(channel: Lanes) -> int:
    """Take all lanes that are free; how many these were."""
    taken = 0
    try:
        while True:
            await channel.enter()
            taken += 1
    except ChannelBusy:
        return taken


async def test_a_channel_has_four_lanes_at_first() -> None:
    channel = Lanes()
    assert await enter_all(channel) == AT_ONCE == 4
    channel.leave(LATE)
    assert await enter_all(channel) == 1


async def test_each_message_taken_at_once_opens_another_lane_up_to_the_widest() -> None:
    channel = Lanes()
    assert await enter_all(channel) == AT_ONCE
    channel.leave(AT_ONCE_TAKEN)
    assert await enter_all(channel) == 2
    for _ in range(50):
        channel.leave(AT_ONCE_TAKEN)
        await enter_all(channel)
    for _ in range(WIDEST):
        channel.leave(AT_ONCE_TAKEN)
    assert await enter_all(channel) == WIDEST


@pytest.mark.parametrize("took", [LATE, None])
async def test_each_message_that_was_not_taken_at_once_closes_one_down_to_the_first_four(
    took: float | None,
) -> None:
    channel = Lanes()
    for _ in range(20):
        await channel.enter()
        channel.leave(AT_ONCE_TAKEN)
    assert await enter_all(channel) == WIDEST
    for _ in range(WIDEST - AT_ONCE):
        channel.leave(took)
        with pytest.raises(ChannelBusy):
            await channel.enter()
    for _ in range(AT_ONCE):
        channel.leave(took)
    assert await enter_all(channel) == AT_ONCE


async def test_a_message_waits_as_long_as_its_channel_moves(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    channel, waited = Lanes(), 0

    def timeout(seconds: float) -> asyncio.Timeout:
        nonlocal waited
        waited += 1
        if waited < 3:  # somebody left, though the lane is closed for it
            channel.leave(LATE)
        return asyncio.timeouts.timeout(seconds)

    for _ in range(20):
        await channel.enter()
        channel.leave(AT_ONCE_TAKEN)
    assert await enter_all(channel) == WIDEST
    monkeypatch.setattr(asyncio, "timeout", timeout)
    with pytest.raises(ChannelBusy):
        await channel.enter()
    assert waited == 3


async def test_whoever_came_first_gets_the_next_lane() -> None:
    channel = Lanes()
    await enter_all(channel)
    waiting = [asyncio.create_task(channel.enter()) for _ in range(3)]
    for each in waiting:
        await asyncio.sleep(0)
        channel.leave(LATE)
        await each
    with pytest.raises(ChannelBusy):
        await channel.enter()
