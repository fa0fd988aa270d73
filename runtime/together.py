"""Asking together: whoever asks while an answer is awaited is asked for with all the others."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Q = TypeVar("Q")
A = TypeVar("A")


class Together(Generic[Q, A]):
    """Makes one call of what many ask for at once; ``ask`` answers all, in their order.

    The first is asked for at once, and those who come meanwhile by the next call: nobody waits for
    company. If a call fails, all who are in it hear why.
    """

    def __init__(self, ask: Callable[[Sequence[Q]], Awaitable[Sequence[A]]]) -> None:
        self._ask = ask
        self._waiting: list[tuple[Q, asyncio.Future[A]]] = []
        self._asking: asyncio.Task[None] | None = None

    async def __call__(self, question: Q) -> A:
        """Return the answer to this question."""
        answer: asyncio.Future[A] = asyncio.get_running_loop().create_future()
        self._waiting.append((question, answer))
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask_on())
        return await answer

    async def _ask_on(self) -> None:
        while self._waiting:
            asked, self._waiting = self._waiting, []
            waiting = [answer for _, answer in asked]
            try:
                answers = await self._ask([question for question, _ in asked])
                for answer, said in zip(waiting, answers, strict=True):
                    if not answer.done():
                        answer.set_result(said)
            except Exception as error:  # noqa: BLE001 - it is theirs
                for answer in waiting:
                    if not answer.done():
                        answer.set_exception(error)
            finally:  # this task may be cancelled when the program ends
                for answer in waiting:
                    answer.cancel()
