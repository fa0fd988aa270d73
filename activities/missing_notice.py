"""Telling people that a calendar needs them: the notice for next year is missing (R32), or a
calendar that open issues go by comes to an end. Once in the policy's span of time, by the outbox,
with an issue that it is about. The audit brings it out.
"""

from __future__ import annotations

from datetime import datetime

from activities import wording
from activities.addressing import Directory
from activities.wording import Context
from domain.issue.step import Recorded
from domain.sla.announcing import Concern, concerns, turn
from domain.sla.rulebook import Rulebook
from domain.vocabulary import ESCALATION, Audience
from runtime.signing import Links
from store import issue_writer, ledger, outbox, roster, rulebooks
from store.connection import Connection, Pool
from store.outbox import Message

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
        row = await connection.fetchrow(issue_writer.CASE, issue_id) if issue_id else None
        if row is None:
            return False
        case = issue_writer.context(row)
        recorded = Recorded.model_validate(
            await connection.fetchval(
                "SELECT recorded FROM issue_events WHERE issue_id = $1 AND seq = 1", issue_id
            )
        )
        staff = await roster.staff(connection)
        directory = Directory(staff, case, recorded, rulebook, self._links)
        role = rulebook.policy.missing_notice.tell
        person = directory.superior(ESCALATION.index(role), now)
        if person is None:
            return False
        written = wording.write(
            concern.template,
            Context(
                number=case.number,
                title=case.title,
                kind=case.facts.kind,
                severity=case.facts.severity,
                product_line=case.facts.product_line,
                region=case.facts.region,
                recipient_name=person.name,
                zone=case.zone,
                at=now,
                said=concern.said,
                desk=directory.desk,
            ),
            directory.style(person),
        )
        await outbox.add(
            connection,
            Message(
                key=key,
                issue_id=str(issue_id),
                seq=row["seq"],
                template=concern.template,
                audience=Audience(role),
                recipient=person.id,
                channel=person.channel,
                address=person.address,
                subject=written.subject,
                body=written.body,
                full_text=written.full_text,
                created_at=now,
            ),
        )
        return True
