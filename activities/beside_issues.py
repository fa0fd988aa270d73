"""Telling somebody of the desk what is no step of any issue: that a receiver of events is told no
more, that next year's holidays are not known. It goes out by the outbox, whose rows are an
issue's: so it needs one that it is about.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from activities import wording
from activities.addressing import Directory
from activities.wording import Context
from domain.issue.step import Recorded
from domain.sla.rulebook import Rulebook
from domain.vocabulary import ESCALATION, Audience, Role
from runtime.signing import Links
from store import issue_writer, outbox, roster
from store.connection import Connection
from store.outbox import Message


@dataclass(frozen=True)
class Notice:
    """What is told beside which issue: its newest step, or that of ``seq``. ``role`` is who is
    told, or whoever answers at the next level that has somebody.
    """

    issue_id: str
    template: str
    key: str
    role: Role
    said: Mapping[str, str]
    reason: str = ""
    seq: int | None = None


async def tell(
    connection: Connection, rulebook: Rulebook, links: Links, notice: Notice, now: datetime
) -> bool:
    """Write it in the caller's transaction, once by its key. False: there is no such issue, or
    nobody on the roster who could be told.
    """
    row = await connection.fetchrow(issue_writer.CASE, notice.issue_id)
    if row is None:
        return False
    case, seq = issue_writer.context(row), notice.seq or row["seq"]
    recorded = Recorded.model_validate(
        await connection.fetchval(
            "SELECT recorded FROM issue_events WHERE issue_id = $1 AND seq = $2",
            *(notice.issue_id, seq),
        )
    )
    directory = Directory(await roster.staff(connection), case, recorded, rulebook, links)
    person = directory.superior(ESCALATION.index(notice.role), now)
    if person is None:
        return False
    written = wording.write(
        notice.template,
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
            reason=notice.reason,
            said=notice.said,
            desk=directory.desk,
        ),
        directory.style(person),
    )
    await outbox.add(
        connection,
        Message(
            key=notice.key,
            issue_id=notice.issue_id,
            seq=seq,
            template=notice.template,
            audience=Audience(notice.role),
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
