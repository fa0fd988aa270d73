"""Telling people that a receiver of events is told no more: the general manager's office, by the
outbox, with the issue whose event it did not accept. The audit brings it out.
"""

from __future__ import annotations

from datetime import datetime

import httpx2

from activities import wording
from activities.addressing import Directory
from activities.wording import Context
from domain.issue.step import Recorded
from domain.vocabulary import ESCALATION, Audience
from domain.webhooks import Endpoint
from runtime.signing import Links
from store import issue_writer, outbox, roster, rulebooks
from store.connection import Connection
from store.outbox import Message
from store.webhooks import Parcel

TEMPLATE = "webhook_failed"


class Alarm:
    """Writes to whoever is in charge; ``links`` as for any message."""

    def __init__(self, links: Links) -> None:
        self._links = links

    async def raise_(
        self, connection: Connection, endpoint: Endpoint, about: Parcel, why: str, now: datetime
    ) -> None:
        """Write it in the caller's transaction. Where nobody is on the roster there are still the
        log, the metrics and the audit.
        """
        row = await connection.fetchrow(issue_writer.CASE, about.issue_id)
        rulebook = await rulebooks.current(connection)
        if row is None or rulebook is None:
            return
        case = issue_writer.context(row)
        recorded = Recorded.model_validate(
            await connection.fetchval(
                "SELECT recorded FROM issue_events WHERE issue_id = $1 AND seq = $2",
                *(about.issue_id, about.seq),
            )
        )
        staff = await roster.staff(connection)
        directory = Directory(staff, case, recorded, rulebook, self._links)
        person = directory.superior(len(ESCALATION) - 1, now)
        if person is None:
            return
        said = {"label": endpoint.label, "host": httpx2.URL(endpoint.url).host}
        written = wording.write(
            TEMPLATE,
            Context(
                number=case.number,
                title=case.title,
                kind=case.facts.kind,
                behaves=case.behaviour,
                terms=directory.terms,
                severity=case.facts.severity,
                product_line=case.facts.product_line,
                region=case.facts.region,
                recipient_name=person.name,
                zone=case.zone,
                at=now,
                reason=why,
                said=said | {"endpoint": endpoint.id},
                desk=directory.desk,
            ),
            directory.style(person),
        )
        await outbox.add(
            connection,
            Message(
                key=f"{case.number}:webhook:{endpoint.id}:{now:%Y%m%dT%H%M%S}:{person.id}",
                issue_id=about.issue_id,
                seq=about.seq,
                template=TEMPLATE,
                audience=Audience.GM_OFFICE,
                recipient=person.id,
                channel=person.channel,
                address=person.address,
                subject=written.subject,
                body=written.body,
                full_text=written.full_text,
                created_at=now,
            ),
        )
