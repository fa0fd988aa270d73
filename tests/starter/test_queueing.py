"""Whoever acts on an issue at once with others waits for a turn, or hears that it is too much."""

import asyncio
from dataclasses import dataclass, field
from functools import partial

import pytest
from temporalio.service import RPCError, RPCStatusCode

from starter.answering import Busy, answering
from starter.queueing import AT_ONCE, Queues

TOO_MUCH = RPCError("update limit reached", RPCStatusCode.RESOURCE_EXHAUSTED, b"")


@dataclass
class Crowded:
    """Temporal, that has too much under way ``refusals`` times, and answers when it is let."""

    refusals: int = 0
    under_way: int = 0
    most: int = 0
    answered: list[int] = field(default_factory=list)
    let: asyncio.Event = field(default_factory=asyncio.Event)

    async def ask(self, place: int) -> int:
        if self.refusals:
            self.refusals -= 1
            raise TOO_MUCH
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        await self.let.wait()
        self.under_way -= 1
        self.answered.append(place)
        return place


async def test_as_many_are_asked_at_once_as_leave_room_for_others_and_all_in_their_order() -> None:
    queues, there = Queues(), Crowded()
    asked = [
        asyncio.create_task(queues.ask("an issue", partial(there.ask, place)))
        for place in range(40)
    ]
    while there.under_way < AT_ONCE:
        await asyncio.sleep(0)
    there.let.set()
    assert await asyncio.gather(*asked) == list(range(40))
    assert (there.most, there.answered) == (AT_ONCE, list(range(40)))


async def test_nobody_waits_for_those_of_another_issue() -> None:
    queues, there, other = Queues(), Crowded(), Crowded()
    waiting = [asyncio.create_task(queues.ask("an issue", lambda: there.ask(0))) for _ in range(9)]
    other.let.set()
    assert await queues.ask("another", lambda: other.ask(1)) == 1
    there.let.set()
    await asyncio.gather(*waiting)
    assert not queues._queues, "nothing is kept of those who were served"


async def test_while_other_processes_have_too_much_under_way_it_is_asked_again() -> None:
    there = Crowded(refusals=2)
    there.let.set()
    assert await Queues().ask("an issue", lambda: there.ask(1)) == 1
    assert (there.refusals, there.answered) == (0, [1])


async def test_whose_turn_does_not_come_in_time_is_told_so_and_nothing_was_begun() -> None:
    queues, there = Queues(patience=0.0), Crowded()
    first = [asyncio.create_task(Queues.ask(queues, "i", lambda: there.ask(0))) for _ in range(4)]
    while there.under_way < AT_ONCE:
        await asyncio.sleep(0)
    with pytest.raises(Busy, match="nothing was begun"):
        await queues.ask("i", lambda: there.ask(5))
    there.let.set()
    assert await asyncio.gather(*first) == [0] * 4
    assert there.answered == [0] * 4


async def test_who_is_refused_too_long_is_told_so() -> None:
    there = Crowded(refusals=1000)
    with pytest.raises(Busy):
        await Queues(patience=0.0).ask("an issue", lambda: there.ask(0))
    assert there.answered == []


async def test_what_else_goes_wrong_is_no_matter_of_the_queue() -> None:
    queues = Queues()

    async def gone() -> int:
        raise RPCError("no such workflow", RPCStatusCode.NOT_FOUND, b"")

    for _ in range(AT_ONCE + 1):  # and nobody's place stays taken
        with pytest.raises(RPCError, match="no such workflow"):
            await queues.ask("an issue", gone)


async def test_too_much_at_once_is_told_from_a_desk_that_is_away() -> None:
    with pytest.raises(Busy):
        async with answering():
            raise TOO_MUCH
