"""What everybody sees of the desk while it is played on, and how busy it is."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from domain.issue.view import IssueView
from starter.client import Desk
from store.issue_list import Filter

_LOOKS = 0.25
_AT_BEST = 0.35
_PER_LAG = 3.0
_AT_WORST = 1.5
_FADES = 0.9


class Board:
    """What the desk shows of all issues, looked at several times a second."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._changed = asyncio.Condition()
        self.views: dict[str, IssueView] = {}

    async def watch(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            seen = await self._desk.issues(Filter(open_only=False, limit=1000))
            async with self._changed:
                self.views = {view.id: view for view in seen}
                self._changed.notify_all()
            await asyncio.sleep(_LOOKS)

    async def until(self, id_: str, condition: Callable[[IssueView], bool]) -> IssueView:
        """Wait until the board shows that of the issue."""
        async with self._changed:
            await self._changed.wait_for(lambda: id_ in self.views and condition(self.views[id_]))
            return self.views[id_]


class Tempo:
    """How fast issues come in: a busy machine gets them more slowly, so that staff who are told at
    once can still be on time.
    """

    def __init__(self) -> None:
        self._lag = 0.0

    @contextmanager
    def measured(self) -> Iterator[None]:
        """Take the time of one call of the desk."""
        began = time.monotonic()
        yield
        self._lag = max(time.monotonic() - began, _FADES * self._lag)

    @property
    def interval(self) -> float:
        """Seconds until the next issue."""
        return min(max(_AT_BEST, _PER_LAG * self._lag), _AT_WORST)
