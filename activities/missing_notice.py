"""Telling people that a calendar needs them: the notice for next year is missing (R32), or a
calendar that open issues go by comes to an end. Once in the policy's span of time, by the outbox,
with an issue that it is about. The audit brings it out.
"""

from __future__ import annotations

from datetime import datetime

from activities.beside_issues import Notice, tell
from domain.sla.announcing import Concern, concerns, turn
from domain.sla.rulebook import Rulebook
from runtime.signing import Links
from store import ledger, outbox, rulebooks
from store.connection import Connection, Pool

TEMPLATES = ("missing_notice", "calendar_ends")


class CalendarAlarm:
    """Writes to whoever the policy says; ``links`` as for any message."""

    def __init__(self, pool: Pool, links: Links) -> None:
        self._pool = pool
        self._links = links

    async def look(self, now: datetime) -> int:
        """Tell what is to be told by now and was not; return of how many things. A desk without
        issues promises nothing, and is told nothing.
        """
        async with self._pool.acquire() as connection, connection.transaction():
            rulebook = await rulebooks.current(connection)
            if rulebook is None:
                return 0
            used = await ledger.calendars_in_use(connection)
            told = [
                await self._tell(connection, rulebook, each, now)
                for each in concerns(rulebook, used, now)
            ]
        return sum(told)

    async def _tell(
        self, connection: Connection, rulebook: Rulebook, concern: Concern, now: datetime
    ) -> bool:
        key = f"{concern.template}:{concern.about}:{turn(rulebook, now)}"
        if await outbox.is_there(connection, key):
            return False
        issue_id = await ledger.nearest(connection, concern.calendar)
        if issue_id is None:
            return False
        role = rulebook.policy.missing_notice.tell
        notice = Notice(issue_id, concern.template, key, role, concern.said)
        return await tell(connection, rulebook, self._links, notice, now)
