"""What follows from wishes hangs on what the register answers, not on whose wish was sent to it."""

from __future__ import annotations

import asyncio
from functools import partial
from itertools import permutations

import pytest

from domain.errors import Refused
from domain.issue.step import Recorded, Step
from domain.vocabulary import DESK
from tests.support.builders import MONDAY
from workflows.turns import RefusedStep, Turns

Way = tuple[tuple[str, ...], tuple[str, ...]]
"""What is wished for at once, and what while the register is at it."""


def a_step(cause: str) -> Step:
    return Step(
        issue_id="issue:web:r-1",
        key=cause,
        seq=1,
        action="report_progress",
        by=DESK,
        at=MONDAY,
        recorded_at=MONDAY,
        stage_before="in_progress",
        stage="in_progress",
        generation=1,
        severity="general",
        level=0,
    )


class Scripted:
    """A register that answers in an order of its own, whatever it is sent: as history does."""

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)
        self.seen: list[str] = []
        self.follows: list[str] = []
        self.asked = asyncio.Event()
        self.answer = asyncio.Event()

    def has(self, cause: str) -> bool:
        return cause in self.seen

    async def record(self, step: Step) -> Recorded:
        self.follows.append("record")
        self.asked.set()
        await self.answer.wait()
        cause = self.answers.pop(0)
        if cause.startswith("not "):
            raise RefusedStep(cause[4:], Refused("Invalid", cause))
        facts = {"number": "1", "department": "d", "centre": "c", "zone": "Asia/Shanghai"}
        return Recorded(step=step.model_copy(update={"key": cause}), **facts)

    def enter(self, recorded: Recorded) -> None:
        self.seen.append(recorded.step.key)

    def go_on(self, recorded: Recorded) -> None:
        async def deliver() -> None:
            self.follows.append(f"deliver {recorded.step.key}")

        self.follows.append(f"labels {recorded.step.key}")
        self.task = asyncio.create_task(deliver())


async def led(book: Scripted, first: tuple[str, ...], then: tuple[str, ...] = ()) -> list[str]:
    """Wish for ``first`` at once and ``then`` while the register is at it; tell what followed."""
    turns = Turns(book)

    def decide(cause: str) -> Step:
        # Only once `a` stands does `c` make sense, and `d` never does.
        if cause == "d" or (cause == "c" and "a" not in book.seen):
            raise Refused("NotAllowed", cause)
        return a_step(cause)

    async def wish(cause: str) -> None:
        try:
            await turns.take(cause, lambda: decide(cause))
            book.follows.append(f"done {cause}")
        except Refused as refused:
            book.follows.append(f"refused {refused.message}")

    wishes = [asyncio.create_task(wish(cause)) for cause in first]
    await book.asked.wait()
    wishes += [asyncio.create_task(wish(cause)) for cause in then]
    for _ in range(3):
        await asyncio.sleep(0)
    book.answer.set()
    await asyncio.gather(*wishes)
    await book.task
    assert not turns.open
    return book.follows


@pytest.mark.parametrize("answers", [*permutations("ab"), ("x", "a", "b"), ("not a", "b")])
async def test_two_wishes_in_either_order_at_once_or_in_turn_bring_about_the_same(
    answers: tuple[str, ...],
) -> None:
    ways: list[Way] = [
        (("a", "b"), ()),
        (("b", "a"), ()),
        (("a",), ("b",)),
        (("b",), ("a",)),
    ]
    followed = [await led(Scripted(*answers), *way) for way in ways]
    assert all(each == followed[0] for each in followed)


async def test_nobody_is_refused_while_another_wish_may_change_the_answer() -> None:
    ways: list[Way] = [
        *((tuple(way), ()) for way in permutations("acd")),
        *((("a",), tuple(way)) for way in permutations("cd")),
    ]
    followed = [await led(Scripted("a", "c"), *way) for way in ways]
    assert all(each == followed[0] for each in followed)
    assert {"done a", "done c", "refused d"} <= set(followed[0])


async def test_what_a_step_gives_rise_to_is_begun_before_the_next_is_sent() -> None:
    follows = await led(Scripted("a", "b"), ("a", "b"))
    assert follows == [
        *("record", "labels a", "done a", "deliver a"),
        *("record", "labels b", "done b", "deliver b"),
    ]


async def test_a_defect_falls_on_everybody_who_waits_instead_of_hanging() -> None:
    class Broken(Scripted):
        def enter(self, recorded: Recorded) -> None:
            raise ZeroDivisionError(recorded.number)

    turns = Turns(book := Broken("a"))
    book.answer.set()
    waiting = [turns.take(cause, partial(a_step, cause)) for cause in "ab"]
    found = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(each) for each in found] == [ZeroDivisionError, ZeroDivisionError]
    assert not turns.open
