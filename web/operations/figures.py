"""The reports' figures for Prometheus (R27): counted now and then, and never waited for."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import structlog

from starter.answering import Unavailable
from starter.reports import Watched
from web.context import Doors

EVERY = timedelta(minutes=10)
"""So often at most they are counted, however often somebody asks; each process for itself."""
log = structlog.get_logger("figures")


class Figures:
    """Has the figures that were counted last. Whoever asks gets these at once, and lets them be
    counted anew if it is time; what is twice as old is told nobody, nor is anything after a count
    that failed.
    """

    def __init__(self) -> None:
        self.failures = 0
        self.counting: asyncio.Task[None] | None = None
        self._tried_at: datetime | None = None
        self._newest: Watched | None = None

    def newest(self, here: Doors) -> Watched | None:
        """Return what was counted last; None: nothing of late."""
        now = here.now()
        if self._tried_at is None or now - self._tried_at >= EVERY:
            self._tried_at = now
            self.counting = asyncio.create_task(self._count(here, now))
        known = self._newest
        return known if known and now - known.counted_at < 2 * EVERY else None

    async def _count(self, here: Doors, now: datetime) -> None:
        try:
            self._newest = await here.registers.reports.watched(now)
        except Unavailable as error:
            self._newest = None
            self.failures += 1
            log.warning("not counted", why=str(error))
