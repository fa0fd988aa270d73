import asyncio
from collections.abc import Sequence

import pytest

from runtime.together import Together


class Register:
    """Answers with each question doubled, as soon as it is let."""

    def __init__(self) -> None:
        self.calls: list[Sequence[int]] = []
        self.open = asyncio.Event()
        self.away = False

    async def answer(self, questions: Sequence[int]) -> list[int]:
        self.calls.append(questions)
        await self.open.wait()
        if self.away:
            raise ConnectionResetError
        return [2 * question for question in questions]


@pytest.fixture
def register() -> Register:
    return Register()


async def test_one_question_is_asked_at_once_and_those_that_come_meanwhile_together(
    register: Register,
) -> None:
    ask = Together(register.answer)
    first = asyncio.create_task(ask(1))
    while not register.calls:
        await asyncio.sleep(0)
    others = [asyncio.create_task(ask(n)) for n in (2, 3, 4)]
    await asyncio.sleep(0)
    register.open.set()
    assert await asyncio.gather(first, *others) == [2, 4, 6, 8]
    assert register.calls == [[1], [2, 3, 4]]
    assert await ask(5) == 10
    assert register.calls[2:] == [[5]]


async def test_what_is_asked_in_one_breath_is_one_question(register: Register) -> None:
    ask = Together(register.answer)
    register.open.set()
    assert await asyncio.gather(*(ask(n) for n in range(9))) == list(range(0, 18, 2))
    assert len(register.calls) == 1


async def test_all_of_a_question_hear_that_it_failed_and_the_next_is_asked_anew(
    register: Register,
) -> None:
    ask = Together(register.answer)
    register.away = True
    register.open.set()
    heard = await asyncio.gather(ask(1), ask(2), return_exceptions=True)
    assert [type(each) for each in heard] == [ConnectionResetError] * 2
    register.away = False
    assert await ask(3) == 6


async def test_one_who_no_longer_waits_takes_nothing_from_the_others(register: Register) -> None:
    ask = Together(register.answer)
    gone, waits = asyncio.create_task(ask(1)), asyncio.create_task(ask(2))
    while not register.calls:
        await asyncio.sleep(0)
    gone.cancel()
    await asyncio.wait({gone})
    register.open.set()
    assert await waits == 4


async def test_nobody_waits_for_ever_if_the_asking_itself_is_cancelled(register: Register) -> None:
    ask = Together(register.answer)
    waits = asyncio.create_task(ask(1))
    while not register.calls:
        await asyncio.sleep(0)
    assert ask._asking is not None
    ask._asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waits


async def test_too_few_answers_are_an_error_of_all(register: Register) -> None:
    async def forgetful(questions: Sequence[int]) -> list[int]:
        return [2 * question for question in questions[1:]]

    ask = Together(forgetful)
    heard = await asyncio.gather(ask(1), ask(2), return_exceptions=True)
    assert isinstance(heard[1], ValueError)
