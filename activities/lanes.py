"""Lanes: how many messages of a channel may be under way at a time."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from time import monotonic

AT_ONCE = 4
"""Messages that any channel carries at a time: a slow one fills its own lanes and nobody else's."""
WIDEST = 12
"""Messages that a channel carries at a time if it takes each at once; fewer than a worker delivers
(``notification_slots``), or there were no room for others when it stops to.
"""
TAKEN_WITHIN = 0.5
"""Seconds in which a channel takes a message that is to be given more lanes."""
PATIENCE = 0.2
"""Seconds a message waits for a lane while none becomes free, before its delivery makes room for
others.
"""


BUSY_RETRY = timedelta(seconds=3)
"""When a message whose channel had no free lane tries again."""
TOO_FAST_REST = timedelta(minutes=1)
"""How long a channel is left in peace that was given too much: what it may take is told by the
minute.
"""


class ChannelBusy(Exception):
    """The message was not sent yet: its channel has as many under way as it may have, or is left in
    peace. It is to be tried ``again`` after that time.
    """

    def __init__(self, again: timedelta = BUSY_RETRY) -> None:
        super().__init__(again)
        self.again = again


class Lanes:
    """Those of one channel. Each message that was taken at once opens another, each other one
    closes one.
    """

    def __init__(self) -> None:
        self._open = AT_ONCE
        self._free = asyncio.Semaphore(AT_ONCE)
        self._left = 0
        self._rests_until = 0.0

    async def enter(self) -> None:
        """Take a lane, and wait for one as long as the channel moves.

        Raises:
            ChannelBusy: it does not, or rests.
        """
        if (rests := self._rests_until - monotonic()) > 0:
            raise ChannelBusy(timedelta(seconds=rests))
        while True:
            left = self._left
            try:
                async with asyncio.timeout(PATIENCE):
                    await self._free.acquire()
            except TimeoutError:
                if self._left == left:
                    raise ChannelBusy from None
            else:
                return

    def leave(self, took: float | None) -> None:
        """Give the lane back; its message ``took`` so many seconds, or was not taken (None)."""
        self._left += 1
        well = took is not None and took <= TAKEN_WITHIN
        if well or self._open <= AT_ONCE:
            self._free.release()
        else:
            self._open -= 1
        if well and self._open < WIDEST:
            self._open += 1
            self._free.release()

    def rest(self) -> ChannelBusy:
        """Leave the channel in peace, and return what there is to say to whoever wants a lane."""
        self._rests_until = monotonic() + TOO_FAST_REST.total_seconds()
        return ChannelBusy(TOO_FAST_REST)
