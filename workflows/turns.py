"""One hand writes: what is wanted of an issue is decided and recorded one step after the other.

Which of several wishes comes first may differ between a workflow task and its replay: if a step is
written slowly, the task that waits for it is extended by empty ones, and a replay may put together
what came in over several of these, or take apart what came in at once. What is recorded does not
differ, for a replay gets it from history. So nothing that follows may hang on whose wish was sent
to the register: only on what the register answered, and on which wishes are still open then.

- What a step gives rise to (timers, deliveries) is begun before the next step is.
- Whoever's wish the answer fulfils hears so at once, whoever's it was that had been sent.
- Nobody is refused while somebody else's wish can still be taken: it may change the answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol

from domain.issue.step import Recorded, Step


class RefusedStep(Exception):
    """The register will not have the step that ``cause`` gave rise to; None: nor any other."""

    def __init__(self, cause: str | None, why: Exception) -> None:
        super().__init__(cause)
        self.cause = cause
        self.why = why


class Book(Protocol):
    """What the hand writes into: an issue."""

    def has(self, cause: str) -> bool:
        """Say whether that wish is fulfilled."""

    async def record(self, step: Step) -> Recorded:
        """Write a step into the register; raises ``RefusedStep``."""

    def enter(self, recorded: Recorded) -> None:
        """Take what stands in the register for true."""

    def go_on(self, recorded: Recorded) -> None:
        """Begin what the step gives rise to."""


@dataclass
class _Wish:
    decide: Callable[[], Step]
    waiting: list[asyncio.Future[None]] = field(default_factory=list)

    def settle(self, why: Exception | None = None) -> None:
        """Tell whoever waits, and has not been called off meanwhile."""
        for each in self.waiting:
            if each.done():
                continue
            if why is None:
                each.set_result(None)
            else:
                each.set_exception(why)


class Turns:
    """The wishes that are open, and the hand that writes as long as there are any."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._wishes: dict[str, _Wish] = {}
        self._hand: asyncio.Task[None] | None = None

    @property
    def open(self) -> bool:
        """Whether somebody waits for a step."""
        return self._hand is not None

    def take(self, cause: str, decide: Callable[[], Step]) -> Awaitable[None]:
        """Wait until the step that ``cause`` gives rise to stands in the register. ``decide`` is
        asked what it is whenever its turn may have come.

        Raises:
            Refused: it cannot be taken, and nothing that is still open could change that.
            Exception: what the register said against it, or what ``decide`` fell over.
        """
        wish = self._wishes.get(cause)
        if wish is None:
            wish = self._wishes[cause] = _Wish(decide)
        if self._hand is None:
            self._hand = asyncio.create_task(self._write())
        waits = asyncio.get_running_loop().create_future()
        wish.waiting.append(waits)
        return waits

    async def _write(self) -> None:
        while (step := self._next()) is not None:
            try:
                await self._write_down(step)
            except RefusedStep as refused:
                self._refuse([refused.cause] if refused.cause else self._wishes, refused.why)
            except Exception as defect:  # noqa: BLE001  whoever waits is to fall over it, loudly
                self._refuse(self._wishes, defect)
        self._hand = None

    async def _write_down(self, step: Step) -> None:
        recorded = await self._book.record(step)
        self._book.enter(recorded)
        for cause in sorted(filter(self._book.has, self._wishes)):
            self._wishes.pop(cause).settle()
        self._book.go_on(recorded)
        await asyncio.sleep(0)  # lets begin what was begun

    def _next(self) -> Step | None:
        """Decide the first wish that can be taken; refuse all if none can, in an order of which
        every replay is sure.
        """
        refused: dict[str, Exception] = {}
        for cause, wish in self._wishes.items():
            try:
                return wish.decide()
            except Exception as why:  # noqa: BLE001  whatever it is, it is for whoever asked
                refused[cause] = why
        for cause in sorted(refused):
            self._refuse([cause], refused[cause])
        return None

    def _refuse(self, causes: Iterable[str], why: Exception) -> None:
        for cause in sorted(causes):
            if wish := self._wishes.pop(cause, None):
                wish.settle(why)
